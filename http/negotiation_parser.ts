// This module is sans-I/O.

import { isBlank } from "./ascii.ts";
import { consistsOf, TOKEN } from "./char_class.ts";
import { resolveBound } from "./limits.ts";

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DEFAULT_MAX_COUNT = 100;
/** `qvalue` of RFC 9110 section 12.4.2, and what old clients sent for it: `.2`, more digits. */
const WEIGHT = /^(?:0?\.\d+|0\.?|1(?:\.0*)?)$/;

/** Options of the functions that negotiate. */
export interface NegotiateOptions {
  /**
   * Most preferences that are read from a field, at least 1; what follows them is
   * ignored. 0 or Infinity for no bound.
   *
   * @default {100}
   */
  readonly maxPreferenceCount?: number;
}

/** One thing a client says it takes. */
export interface Preference {
  /** A media range, language range, content coding or charset, in lower case. */
  readonly value: string;
  /** Parameters but the weight: names in lower case, values without quotation marks. */
  readonly params: readonly (readonly [name: string, value: string])[];
  /** Weight from 0, which stands for "not this", to 1. */
  readonly quality: number;
}

/**
 * Reads `Accept`, `Accept-Language`, `Accept-Encoding` or `Accept-Charset` (RFC
 * 9110 section 12.5). What cannot be read is left out: it comes from the client,
 * and half of a wish is better served than none.
 *
 * Takes time linear in the length of the field.
 *
 * @param field Value of the field.
 * @param options How many preferences to read.
 * @returns The preferences in the order of the field.
 * @throws {RangeError} If `maxPreferenceCount` is no whole number of at least 0.
 *
 * @example Reading
 * ```ts
 * import { parsePreferences } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parsePreferences('text/html;level="1", *\/*;q=0.5'), [
 *   { value: "text/html", params: [["level", "1"]], quality: 1 },
 *   { value: "*\/*", params: [], quality: 0.5 },
 * ]);
 * ```
 */
export function parsePreferences(field: string, options: NegotiateOptions = {}): Preference[] {
  const max = resolveBound("maxPreferenceCount", options.maxPreferenceCount ?? DEFAULT_MAX_COUNT);
  const preferences: Preference[] = [];
  for (let start = 0; start < field.length && preferences.length < max;) {
    const parts: string[] = [];
    start = readElement(field, start, parts);
    const preference = toPreference(parts);
    if (preference !== undefined) preferences.push(preference);
  }
  return preferences;
}

/** Reads up to the next comma outside of quotation marks; gives the offset behind it. */
function readElement(field: string, start: number, parts: string[]): number {
  let isQuoted = false;
  let from = start;
  let index = start;
  for (; index < field.length; index++) {
    const code = field.charCodeAt(index);
    if (code === QUOTE) isQuoted = !isQuoted;
    else if (isQuoted) index += code === BACKSLASH ? 1 : 0;
    else if (code === COMMA) break;
    else if (code === SEMICOLON) {
      parts.push(trimmed(field, from, index));
      from = index + 1;
    }
  }
  parts.push(trimmed(field, from, Math.min(index, field.length)));
  return index + 1;
}

function toPreference([value = "", ...rest]: string[]): Preference | undefined {
  if (value === "") return undefined;
  const params: [string, string][] = [];
  let quality = 1;
  for (const part of rest) {
    const equals = part.indexOf("=");
    const name = trimmed(part, 0, Math.max(equals, 0)).toLowerCase();
    if (!consistsOf(name, TOKEN)) continue;
    const text = unquoted(trimmed(part, equals + 1, part.length));
    // RFC 9110 section 12.5.1: a parameter of this name is the weight, wherever it stands.
    if (name !== "q") params.push([name, text]);
    else if (WEIGHT.test(text)) quality = Math.min(Number(text), 1);
    else return undefined;
  }
  return { value: value.toLowerCase(), params, quality };
}

function unquoted(text: string): string {
  if (text.length < 2 || text[0] !== '"' || text.at(-1) !== '"') return text;
  return text.slice(1, -1).replace(/\\(.)/g, "$1");
}

function trimmed(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}
