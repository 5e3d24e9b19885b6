// This module is sans-I/O.

import { MONTHS } from "./date.ts";

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const IMF_FIXDATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC850_DATE =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;
const MS_PER_DAY = 86_400_000;
/** RFC 9110 section 5.6.7: a two-digit year further ahead than this is one of the past. */
const MAX_AHEAD_MS = 50 * 365.25 * MS_PER_DAY;

/** Numbers of a date as it was written; the month is 0 to 11. */
interface DateParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/**
 * Parses a date of HTTP in any of its three forms (RFC 9110 section 5.6.7), by the
 * letter: whoever compares it with a date of its own must not take something else
 * for it. The name of the day is not checked against the date.
 *
 * @param text Value of a field such as `If-Modified-Since`.
 * @param nowMs The time, in milliseconds since 1970-01-01T00:00:00Z, which decides
 * the century of a year of two digits.
 * @returns Milliseconds since 1970-01-01T00:00:00Z, negative before; `undefined` if
 * the text is no date.
 *
 * @example The form of today and that of asctime
 * ```ts
 * import { parseHttpDate } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const nowMs = 1_700_000_000_000;
 * assertEquals(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", nowMs), 784_111_777_000);
 * assertEquals(parseHttpDate("Sun Nov  6 08:49:37 1994", nowMs), 784_111_777_000);
 * assertEquals(parseHttpDate("yesterday", nowMs), undefined);
 * ```
 */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed !== null) return instant(partsOf(fixed[3]!, fixed[2]!, fixed[1]!, fixed.slice(4)));
  const asctime = ASCTIME_DATE.exec(text);
  if (asctime !== null) {
    return instant(partsOf(asctime[6]!, asctime[1]!, asctime[2]!, asctime.slice(3, 6)));
  }
  const old = RFC850_DATE.exec(text);
  if (old === null) return undefined;
  return withCentury(partsOf(old[3]!, old[2]!, old[1]!, old.slice(4)), nowMs);
}

function partsOf(year: string, month: string, day: string, time: readonly string[]): DateParts {
  const at = MONTHS.indexOf(month);
  return {
    year: Number(year),
    month: at < 0 ? NaN : at,
    day: Number(day),
    hour: Number(time[0]),
    minute: Number(time[1]),
    second: Number(time[2]),
  };
}

/** A year of two digits is in the century that brings it closest, at most 50 years ahead. */
function withCentury(parts: DateParts, nowMs: number): number | undefined {
  const thisYear = 1970 + Math.floor(nowMs / (365.2425 * MS_PER_DAY));
  const century = thisYear - thisYear % 100;
  for (const base of [century + 100, century, century - 100]) {
    const atMs = instant({ ...parts, year: base + parts.year });
    if (atMs !== undefined && atMs - nowMs <= MAX_AHEAD_MS) return atMs;
  }
  return undefined;
}

/** Days are counted in years that begin with March, so that a leap day comes last. */
function instant({ year, month, day, hour, minute, second }: DateParts): number | undefined {
  if (Number.isNaN(month) || day < 1 || day > daysOf(year, month)) return undefined;
  // A leap second is the one after: nobody has a file from within it.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const marchYear = month < 2 ? year - 1 : year;
  const monthFromMarch = (month + 10) % 12;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) +
    Math.floor(marchYear / 400);
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1;
  const dayCount = marchYear * 365 + leapDays + dayOfYear - 719_468;
  return dayCount * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000;
}

function daysOf(year: number, month: number): number {
  if (month !== 1) return [3, 5, 8, 10].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
