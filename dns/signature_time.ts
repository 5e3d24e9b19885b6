// This module is sans-I/O.

/** Days before the months of a year that begins in March. */
const DAYS_BEFORE = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337] as const;
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const SECONDS_OF_DAY = 86_400;
const MAX_SECONDS = 0xffff_ffff;
/** Days from 1 March 0000 to 1 January 1970, in the proleptic Gregorian calendar. */
const DAYS_TO_EPOCH = 719_468;
const FORM = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/;

/**
 * Prints a time of a signature (RFC 4034 section 3.2): `YYYYMMDDHHmmSS` in UTC.
 *
 * @param seconds Since 1970, 0 to 4,294,967,295.
 * @returns Fourteen digits.
 *
 * @example The first second
 * ```ts
 * import { formatSignatureTime } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatSignatureTime(0), "19700101000000");
 * ```
 */
export function formatSignatureTime(seconds: number): string {
  const { year, month, day } = civilDate(Math.floor(seconds / SECONDS_OF_DAY));
  const second = seconds % SECONDS_OF_DAY;
  const rest = [month, day, Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  return `${year}`.padStart(4, "0") + rest.map((part) => `${part}`.padStart(2, "0")).join("");
}

/**
 * Parses a time of a signature (RFC 4034 section 3.2).
 *
 * @param text `YYYYMMDDHHmmSS` in UTC, or a number of seconds since 1970.
 * @returns Seconds since 1970, 0 to 4,294,967,295; `undefined` if `text` is no time, or a later one.
 *
 * @example Both forms
 * ```ts
 * import { parseSignatureTime } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSignatureTime("20040509183619"), 1084127779);
 * assertEquals(parseSignatureTime("1084127779"), 1084127779);
 * assertEquals(parseSignatureTime("20040231000000"), undefined);
 * ```
 */
export function parseSignatureTime(text: string): number | undefined {
  // The length tells the two forms apart: ten digits hold 2^32 - 1.
  if (/^\d{1,10}$/.test(text)) return Number(text) > MAX_SECONDS ? undefined : Number(text);
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > DAYS_IN_MONTH[month - 1]!) {
    return undefined;
  }
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const days = daysSinceEpoch(year, month, day);
  // In a common year 29 February is the same day as 1 March.
  if (civilDate(days).day !== day) return undefined;
  const seconds = days * SECONDS_OF_DAY + hour * 3600 + minute * 60 + second;
  // RFC 4034 section 3.1.5: the field comes round in 2106. A later date would come back as another.
  return seconds > MAX_SECONDS ? undefined : seconds;
}

function daysSinceEpoch(year: number, month: number, day: number): number {
  // Years begin in March, so that the day of a leap year is the last one.
  const from = month > 2 ? year : year - 1;
  const leapDays = Math.floor(from / 4) - Math.floor(from / 100) + Math.floor(from / 400);
  return from * 365 + leapDays + DAYS_BEFORE[(month + 9) % 12]! + day - 1 - DAYS_TO_EPOCH;
}

function civilDate(days: number): { year: number; month: number; day: number } {
  const fromMarch = days + DAYS_TO_EPOCH;
  let year = Math.floor(fromMarch / 365.2425);
  // The quotient is off by one around the first of March.
  while (daysSinceEpoch(year, 3, 1) > days) year--;
  while (daysSinceEpoch(year + 1, 3, 1) <= days) year++;
  const dayOfYear = days - daysSinceEpoch(year, 3, 1);
  const index = DAYS_BEFORE.findLastIndex((before) => before <= dayOfYear);
  const month = (index + 2) % 12 + 1;
  return { year: month > 2 ? year : year + 1, month, day: dayOfYear - DAYS_BEFORE[index]! + 1 };
}
