// This module is sans-I/O.

import { type DerReader, DerTag } from "./der_reader.ts";

const MS_PER_DAY = 86_400_000;
/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z. */
const MIN_MS = -62_167_219_200_000;
const MAX_MS = 253_402_300_799_999;

/** An instant as a calendar and a clock show it, in UTC. */
export interface CalendarTime {
  /** 0 to 9999. */
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 59. */
  readonly minute: number;
  /** 0 to 59. */
  readonly second: number;
}

/**
 * Reads a UTCTime or a GeneralizedTime in the only forms RFC 5280 section 4.1.2.5
 * has: seconds, no fractions, `Z`. That section also wants the former through
 * 2049, which roots in use do not heed.
 *
 * @param reader In front of the time; behind it afterwards.
 * @returns Milliseconds since the epoch.
 * @throws {CertificateError} If it is no such time.
 */
export function readAsn1Time(reader: DerReader): number {
  const tag = reader.read();
  const { bytes, contentStart: start, contentEnd: end } = reader;
  const isShort = tag === DerTag.UTC_TIME;
  const digitCount = isShort ? 12 : 14;
  const isTime = (isShort || tag === DerTag.GENERALIZED_TIME) && end - start === digitCount + 1 &&
    bytes[end - 1] === 0x5a;
  if (!isTime) throw badTime(reader, "has not the form YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ");
  for (let i = start; i < end - 1; i++) {
    if (bytes[i]! < 0x30 || bytes[i]! > 0x39) throw badTime(reader, "is not made of digits");
  }
  const two = (at: number): number => bytes[at]! * 10 + bytes[at + 1]! - 528;
  const rest = end - 11;
  const short = two(rest - 2);
  const year = isShort ? short + (short < 50 ? 2000 : 1900) : two(start) * 100 + short;
  const time: CalendarTime = {
    year,
    month: two(rest),
    day: two(rest + 2),
    hour: two(rest + 4),
    minute: two(rest + 6),
    second: two(rest + 8),
  };
  if (!isCalendarTime(time)) throw badTime(reader, "is not in the calendar");
  return toMs(time);
}

function badTime(reader: DerReader, reason: string): Error {
  return reader.error(`a time ${reason}`, reader.elementStart, "ERR_X509_BAD_TIME");
}

/**
 * Shows an instant as a calendar and a clock in UTC, without the platform's own.
 *
 * @param ms Milliseconds since the epoch, in the years 0 to 9999; fractions of a
 * second are cut off.
 * @returns What calendar and clock show.
 * @throws {RangeError} If the instant lies outside of these years.
 *
 * @example The day a certificate ends
 * ```ts
 * import { toCalendarTime } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const { year, month, day, hour } = toCalendarTime(951_782_400_000);
 * assertEquals([year, month, day, hour], [2000, 2, 29, 0]);
 * ```
 */
export function toCalendarTime(ms: number): CalendarTime {
  if (!(ms >= MIN_MS && ms <= MAX_MS)) {
    throw new RangeError(`Cannot show time: ${ms} ms is not in the years 0 to 9999`);
  }
  const dayNumber = Math.floor(ms / MS_PER_DAY);
  const seconds = Math.floor((ms - dayNumber * MS_PER_DAY) / 1_000);
  // Days from 0000-03-01, so that the leap day is the last of its year.
  const shifted = dayNumber + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - daysOfYears(yearOfEra);
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    hour: Math.floor(seconds / 3_600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
  };
}

/** Days of so many years that start in March; `year` is 0 to 399. */
function daysOfYears(year: number): number {
  return year * 365 + Math.floor(year / 4) - Math.floor(year / 100);
}

function toMs({ year, month, day, hour, minute, second }: CalendarTime): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const shiftedMonth = month > 2 ? month - 3 : month + 9;
  const dayOfYear = Math.floor((153 * shiftedMonth + 2) / 5) + day - 1;
  const days = era * 146_097 + daysOfYears(shiftedYear - era * 400) + dayOfYear - 719_468;
  return (days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000;
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function isCalendarTime({ year, month, day, hour, minute, second }: CalendarTime): boolean {
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 || day < 1) return false;
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 2 && isLeapYear ? 29 : MONTH_DAYS[month - 1]!);
}

/**
 * Spells an instant as a certificate does: as the content of a UTCTime from 1950
 * through 2049, else of a GeneralizedTime.
 *
 * @param ms Milliseconds since the epoch; fractions of a second are cut off.
 * @returns The tag and the text.
 * @throws {RangeError} If the instant lies outside of the years 0 to 9999.
 *
 * @example The end of the short form
 * ```ts
 * import { DerTag, formatAsn1Time } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatAsn1Time(0), { tag: DerTag.UTC_TIME, text: "700101000000Z" });
 * assertEquals(formatAsn1Time(2_524_608_000_000).text, "20500101000000Z");
 * ```
 */
export function formatAsn1Time(ms: number): { readonly tag: number; readonly text: string } {
  const { year, ...rest } = toCalendarTime(ms);
  const text = Object.values(rest).map((part) => `${part}`.padStart(2, "0")).join("");
  const isShort = year >= 1950 && year < 2050;
  const digits = `${year}`.padStart(4, "0").slice(isShort ? 2 : 0);
  return {
    tag: isShort ? DerTag.UTC_TIME : DerTag.GENERALIZED_TIME,
    text: `${digits}${text}Z`,
  };
}
