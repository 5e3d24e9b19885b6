// This module is sans-I/O.

const DAYS = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"] as const;
/** The names of the months, January first. */
export const MONTHS: readonly string[] = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];
const MS_PER_DAY = 86_400_000;
/** Days from 0000-03-01 to 1970-01-01, so that leap days come last in a year. */
const DAYS_TO_EPOCH = 719_468;
/** Last millisecond of the year 9999: the format has four digits for a year. */
const MAX_TIME_MS = 253_402_300_799_999;

/**
 * Formats an instant as an IMF-fixdate, the form of the Date field (RFC 9110
 * section 5.6.7).
 *
 * @param unixMs Milliseconds since 1970-01-01T00:00:00Z, up to the end of 9999.
 * @returns For example `Sun, 06 Nov 1994 08:49:37 GMT`.
 * @throws {RangeError} If the instant is outside of 1970 to 9999.
 *
 * @example Formatting an instant
 * ```ts
 * import { formatHttpDate } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatHttpDate(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
 * ```
 */
export function formatHttpDate(unixMs: number): string {
  if (!(unixMs >= 0 && unixMs <= MAX_TIME_MS)) {
    throw new RangeError(`Cannot format date: ${unixMs} ms is outside of the years 1970 to 9999`);
  }
  const dayCount = Math.floor(unixMs / MS_PER_DAY);
  const seconds = Math.floor((unixMs - dayCount * MS_PER_DAY) / 1000);
  const { year, month, day } = civilDate(dayCount);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(
    twoDigits,
  );
  const years = String(year).padStart(4, "0");
  return `${DAYS[dayCount % 7]}, ${twoDigits(day)} ${MONTHS[month]} ${years} ${time.join(":")} GMT`;
}

/**
 * The date of a day in the Gregorian calendar. Years are counted from March, in
 * cycles of 400 years with 146,097 days.
 */
function civilDate(daysSinceEpoch: number): { year: number; month: number; day: number } {
  const days = daysSinceEpoch + DAYS_TO_EPOCH;
  const cycle = Math.floor(days / 146_097);
  const dayOfCycle = days - cycle * 146_097;
  const leapDays = Math.floor(dayOfCycle / 1460) - Math.floor(dayOfCycle / 36_524) +
    Math.floor(dayOfCycle / 146_096);
  const yearOfCycle = Math.floor((dayOfCycle - leapDays) / 365);
  const dayOfYear = dayOfCycle -
    (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = (monthFromMarch + 2) % 12;
  const year = cycle * 400 + yearOfCycle + (month < 2 ? 1 : 0);
  return { year, month, day };
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
