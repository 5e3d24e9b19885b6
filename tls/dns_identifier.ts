// This module is sans-I/O.

/** RFC 1035 section 2.3.4, less the length byte of the first label and the root. */
const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;
const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;
/** What some parser of addresses takes for the end of one: `127.0.0.1`, `127.1`, `0x7f.0x1`. */
const NUMBER = /^(?:[0-9]+|0x[0-9a-f]*)$/i;

/** What {@linkcode isDnsIdentifier} lets through beside plain names. */
export interface DnsIdentifierOptions {
  /**
   * Whether one dot may end the name, as names of users' making do.
   *
   * @default {false}
   */
  readonly allowTrailingDot?: boolean;
  /**
   * Whether the whole left-most label may be `*`, if two labels or more follow.
   *
   * @default {false}
   */
  readonly allowWildcard?: boolean;
}

/**
 * Whether a text is a DNS name as certificates have them: labels of letters, digits, hyphens and
 * underscores, of 1 to 63 characters and together at most 253, no hyphen at either end of one, and
 * more than digits in the last. Names in other scripts are A-labels (`xn--bcher-kva`).
 *
 * The last rule keeps addresses out, in all the forms that one resolver or another takes for one
 * (RFC 1123 section 2.1, the WHATWG's "ends in a number"). Underscores are against the letter of
 * RFC 5280 section 4.2.1.6, and in wide use.
 *
 * @param text The name.
 * @param options What else is let through.
 * @returns Whether it is one.
 *
 * @example Names, patterns and addresses
 * ```ts
 * import { isDnsIdentifier } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isDnsIdentifier("www.example.com"), true);
 * assertEquals(isDnsIdentifier("*.example.com"), false);
 * assertEquals(isDnsIdentifier("*.example.com", { allowWildcard: true }), true);
 * assertEquals(isDnsIdentifier("192.0.2.1"), false);
 * ```
 */
export function isDnsIdentifier(text: string, options: DnsIdentifierOptions = {}): boolean {
  const { allowTrailingDot = false, allowWildcard = false } = options;
  const name = allowTrailingDot && text.endsWith(".") ? text.slice(0, -1) : text;
  if (name.length > MAX_NAME_LENGTH) return false;
  // A wildcard right below a top-level domain would stand for names of many owners.
  let start = allowWildcard && name.startsWith("*.") && name.includes(".", 2) ? 2 : 0;
  for (let dot = name.indexOf(".", start); dot !== -1; dot = name.indexOf(".", start)) {
    if (!isLabel(name, start, dot)) return false;
    start = dot + 1;
  }
  return isLabel(name, start, name.length) && !NUMBER.test(name.slice(start));
}

function isLabel(text: string, start: number, end: number): boolean {
  if (end === start || end - start > MAX_LABEL_LENGTH) return false;
  if (text.charCodeAt(start) === HYPHEN || text.charCodeAt(end - 1) === HYPHEN) return false;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (!isLetter(code) && !isDigit(code) && code !== HYPHEN && code !== UNDERSCORE) return false;
  }
  return true;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/**
 * Lower case for ASCII letters only: `toLowerCase` turns other characters, such as the Kelvin sign,
 * into ASCII letters.
 *
 * @param text Any text.
 * @returns The text with `A` to `Z` as `a` to `z`.
 */
export function toAsciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
