// This module is sans-I/O.

import { parseCookieDate } from "./cookie_date.ts";

/** Digits of `delay-seconds`; more say a time that nobody waits for. */
const SECONDS = /^[0-9]{1,15}$/;
/** The longest form of a date has 33 characters. */
const MAX_DATE_LENGTH = 64;

/**
 * Parses a `Retry-After` field (RFC 9110 section 10.2.3): seconds, or a date in any
 * of the three forms of HTTP.
 *
 * @param value Value of the field.
 * @param nowMs The time, in milliseconds since 1970-01-01T00:00:00Z.
 * @returns Milliseconds to wait, 0 for a date that has passed; `undefined` where the
 * value is neither.
 *
 * @example Seconds and a date
 * ```ts
 * import { parseRetryAfter } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const nowMs = 784_111_777_000;
 * assertEquals(parseRetryAfter("120", nowMs), 120_000);
 * assertEquals(parseRetryAfter("Sun, 06 Nov 1994 08:49:40 GMT", nowMs), 3_000);
 * assertEquals(parseRetryAfter("soon", nowMs), undefined);
 * ```
 */
export function parseRetryAfter(value: string, nowMs: number): number | undefined {
  if (SECONDS.test(value)) return Number(value) * 1_000;
  if (value.length > MAX_DATE_LENGTH) return undefined;
  // Of a date that is to come the two-digit years are right, too.
  const dateMs = parseCookieDate(value);
  return dateMs === undefined ? undefined : Math.max(0, dateMs - nowMs);
}
