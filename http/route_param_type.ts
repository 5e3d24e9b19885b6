// This module is sans-I/O.

/**
 * What a parameter of a route accepts: `string` any text, `expression` what a
 * regular expression in braces matches, `path` the rest of the path.
 */
export type RouteParamType =
  | "uuid"
  | "int"
  | "float"
  | "hex"
  | "expression"
  | "string"
  | "path";

/** A type that a pattern names in braces. */
export type NamedRouteParamType = "uuid" | "int" | "float" | "hex";

/** The types in braces, from the one that says most to the one that says least. */
export const NAMED_TYPES: readonly NamedRouteParamType[] = ["uuid", "int", "float", "hex"];

const MINUS = 0x2d;
const ZERO = 0x30;
const UUID_LENGTH = 36;
/** Digits of the largest safe integer. */
const MAX_INT_DIGITS = 16;
/** Longer than what any number is written as. */
const MAX_FLOAT_LENGTH = 64;
const FLOAT = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Whether a range of text is a value of a named type.
 *
 * @param type The type.
 * @param text Text with the range.
 * @param start Index of the first character.
 * @param stop Index behind the last character.
 */
export function isOfType(
  type: NamedRouteParamType,
  text: string,
  start: number,
  stop: number,
): boolean {
  switch (type) {
    case "int":
      return isInt(text, start, stop);
    case "hex":
      return stop > start && isHexRange(text, start, stop);
    case "uuid":
      return isUuid(text, start, stop);
    case "float":
      return stop - start <= MAX_FLOAT_LENGTH && isFloat(text.slice(start, stop));
  }
}

/**
 * The number that an accepted range of text is. Zero has no sign.
 *
 * @param text Text with the range.
 * @param start Index of the first character.
 * @param stop Index behind the last character.
 */
export function numberOf(text: string, start: number, stop: number): number {
  return Number(text.slice(start, stop)) + 0;
}

function isInt(text: string, start: number, stop: number): boolean {
  const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
  const count = stop - first;
  if (count < 1 || count > MAX_INT_DIGITS) return false;
  for (let at = first; at < stop; at++) {
    if (!isDigit(text.charCodeAt(at))) return false;
  }
  return count < MAX_INT_DIGITS || Number.isSafeInteger(Number(text.slice(first, stop)));
}

function isFloat(text: string): boolean {
  return FLOAT.test(text) && Number.isFinite(Number(text));
}

/** RFC 9562 section 4, of any version and in either case. */
function isUuid(text: string, start: number, stop: number): boolean {
  if (stop - start !== UUID_LENGTH) return false;
  for (let index = 0; index < UUID_LENGTH; index++) {
    const code = text.charCodeAt(start + index);
    const isDash = index === 8 || index === 13 || index === 18 || index === 23;
    if (isDash ? code !== MINUS : !isHex(code)) return false;
  }
  return true;
}

function isHexRange(text: string, start: number, stop: number): boolean {
  for (let at = start; at < stop; at++) {
    if (!isHex(text.charCodeAt(at))) return false;
  }
  return true;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= 0x39;
}

function isHex(code: number): boolean {
  const lower = code | 0x20;
  return isDigit(code) || (lower >= 0x61 && lower <= 0x66);
}
