// This module is sans-I/O.

import { isBlank } from "./ascii.ts";
import { consistsOf, FIELD_VALUE, TARGET_QUERY, TOKEN } from "./char_class.ts";

/**
 * The one gate for everything that a caller wants to see in a head: names,
 * values, methods, targets and reason phrases pass here or are refused. Nothing
 * is escaped or repaired, so no CR, LF or NUL can ever split a message.
 */

/** How much of a refused text an error shows. */
const MAX_SHOWN = 32;

/**
 * Checks a field name.
 *
 * @param name Name to check: a token of RFC 9110 section 5.1.
 * @throws {TypeError} If it is not a token.
 */
export function checkFieldName(name: string): void {
  if (!consistsOf(name, TOKEN)) {
    throw new TypeError(`Cannot use field name ${show(name)}: it is not a token`);
  }
}

/**
 * Checks a field value: visible ASCII, obs-text up to U+00FF, spaces and tabs,
 * with no blank at either end (RFC 9110 section 5.5).
 *
 * @param value Value to check.
 * @throws {TypeError} If it holds anything else.
 */
export function checkFieldValue(value: string): void {
  if (value.length === 0) return;
  if (!consistsOf(value, FIELD_VALUE)) {
    throw new TypeError(`Cannot use field value ${show(value)}: it holds a forbidden character`);
  }
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1))) {
    throw new TypeError(`Cannot use field value ${show(value)}: it starts or ends with a blank`);
  }
}

/**
 * Checks a method: a token of RFC 9110 section 9.1.
 *
 * @throws {TypeError} If it is not a token.
 */
export function checkMethod(method: string): void {
  if (!consistsOf(method, TOKEN)) {
    throw new TypeError(`Cannot use method ${show(method)}: it is not a token`);
  }
}

/**
 * Checks a request target: visible ASCII without `#` (RFC 9112 section 3.2).
 *
 * @throws {TypeError} If it is empty or holds anything else.
 */
export function checkTarget(target: string): void {
  if (!consistsOf(target, TARGET_QUERY)) {
    throw new TypeError(
      `Cannot use request target ${show(target)}: it holds a forbidden character`,
    );
  }
}

/**
 * Checks a reason phrase (RFC 9112 section 4); it may be empty.
 *
 * @throws {TypeError} If it holds a control character or one above U+00FF.
 */
export function checkReason(reason: string): void {
  if (reason.length > 0 && !consistsOf(reason, FIELD_VALUE)) {
    throw new TypeError(`Cannot use reason phrase ${show(reason)}: it holds a forbidden character`);
  }
}

/**
 * Checks the status of a final or informational response.
 *
 * @throws {RangeError} If it is not an integer from `lowest` to 999.
 */
export function checkStatus(status: number, lowest: number): void {
  if (!Number.isInteger(status) || status < lowest || status > 999) {
    throw new RangeError(`Cannot use status ${status}: it is not an integer from ${lowest} to 999`);
  }
}

function show(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? text.slice(0, MAX_SHOWN) : text);
}
