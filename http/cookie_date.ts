// This module is sans-I/O.

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
/** Everything but the delimiters of RFC 6265bis section 5.1.1. */
const TOKENS = /[^\t -/;-@[-`{-~]+/g;
const TIME = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)/;
const DAY = /^\d{1,2}(?!\d)/;
const YEAR = /^\d{2,4}(?!\d)/;
const MIN_YEAR = 1601;
const MS_PER_DAY = 86_400_000;
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;

/** What the tokens of a date have told so far. */
interface DateParts {
  timeMs?: number;
  day?: number;
  /** 0 for January. */
  month?: number;
  year?: number;
}

/**
 * Parses the date of an `Expires` attribute as clients do (RFC 6265bis section
 * 5.1.1): whatever is in it is looked through for a time, a day, a month and a
 * year, and zones are ignored. Takes time linear in the length.
 *
 * @param text The date, in whatever form.
 * @returns Milliseconds since 1970-01-01T00:00:00Z, below 0 for dates before
 * that; `undefined` where something is missing or there is no such date.
 *
 * @example Forms that servers send
 * ```ts
 * import { parseCookieDate } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseCookieDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784_111_777_000);
 * assertEquals(parseCookieDate("sunday, 6-nov-94 8:49:37"), 784_111_777_000);
 * assertEquals(parseCookieDate("30 Feb 2024 00:00:00"), undefined);
 * ```
 */
export function parseCookieDate(text: string): number | undefined {
  const parts: DateParts = {};
  for (const [token] of text.matchAll(TOKENS)) readToken(token, parts);
  const { timeMs, day, month, year } = parts;
  if (timeMs === undefined || day === undefined || month === undefined || year === undefined) {
    return undefined;
  }
  if (Number.isNaN(timeMs) || year < MIN_YEAR || day < 1 || day > daysIn(month, year)) {
    return undefined;
  }
  return (daysBefore(year, month) + day - 1) * MS_PER_DAY + timeMs;
}

/** A token is the first thing in this order that was not found yet. */
function readToken(token: string, parts: DateParts): void {
  if (parts.timeMs === undefined) {
    const time = TIME.exec(token);
    if (time !== null) {
      parts.timeMs = toTimeMs(Number(time[1]), Number(time[2]), Number(time[3]));
      return;
    }
  }
  if (parts.day === undefined && DAY.test(token)) {
    parts.day = parseInt(token, 10);
    return;
  }
  if (parts.month === undefined) {
    const month = monthOf(token);
    if (month !== undefined) {
      parts.month = month;
      return;
    }
  }
  if (parts.year === undefined && YEAR.test(token)) parts.year = toYear(parseInt(token, 10));
}

/** NaN for what no clock shows: the date is then none, whatever follows. */
function toTimeMs(hour: number, minute: number, second: number): number {
  if (hour > 23 || minute > 59 || second > 59) return NaN;
  return ((hour * 60 + minute) * 60 + second) * 1_000;
}

function monthOf(token: string): number | undefined {
  if (token.length < 3) return undefined;
  const at = MONTHS.indexOf(token.slice(0, 3).toLowerCase());
  return at >= 0 && at % 3 === 0 ? at / 3 : undefined;
}

function toYear(value: number): number {
  if (value >= 70 && value <= 99) return value + 1_900;
  return value <= 69 ? value + 2_000 : value;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(month: number, year: number): number {
  if (month === 1) return isLeap(year) ? 29 : 28;
  return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
}

/** Days from 1970-01-01 to the first of a month. */
function daysBefore(year: number, month: number): number {
  const past = year - 1;
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
  const inYear = DAYS_BEFORE_MONTH[month]! + (month > 1 && isLeap(year) ? 1 : 0);
  // 719,162 days lie between 0001-01-01 and 1970-01-01.
  return past * 365 + leapDays - 719_162 + inYear;
}
