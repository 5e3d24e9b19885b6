// This module is sans-I/O.

import { isBlank } from "./ascii.ts";
import { parseCookieDate } from "./cookie_date.ts";

/** RFC 6265bis section 5.6: what is longer is ignored. */
const MAX_ATTRIBUTE_BYTES = 1_024;
/** RFC 6265bis section 5.6: a field with one of these is ignored as a whole. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const DELTA = /^-?\d+$/;
const SAME_SITE = ["Strict", "Lax", "None"] as const;
/** Length of `Partitioned`, the longest name that is known. */
const MAX_NAME_LENGTH = 11;

/** What a `Set-Cookie` field says, before anybody has asked whether it may. */
export interface ParsedSetCookie {
  /** Name; empty where there is none. */
  readonly name: string;
  /** Value; empty where there is none, but not both. */
  readonly value: string;
  /** The last `Domain`, in lower case and without its first dot; empty for none. */
  readonly domain: string;
  /** The last `Path`, if it begins with a slash. */
  readonly path: string | undefined;
  /** The last readable `Expires`, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly expiresUnixMs: number | undefined;
  /** The last readable `Max-Age`, which goes before `Expires`; may be infinite. */
  readonly maxAgeSeconds: number | undefined;
  /** Whether `Secure` is there. */
  readonly isSecure: boolean;
  /** Whether `HttpOnly` is there. */
  readonly isHttpOnly: boolean;
  /** Whether `Partitioned` is there. */
  readonly isPartitioned: boolean;
  /** The last `SameSite`, if it is a known one. */
  readonly sameSite: "Strict" | "Lax" | "None" | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Parses a `Set-Cookie` field value as clients do (RFC 6265bis section 5.6).
 * Lenient, because servers write many things into it: attributes nobody knows are
 * passed over, and the last of two counts. Takes time linear in the length.
 *
 * @param text The field value, a character for each byte.
 * @returns What it says; `undefined` where it is to be ignored, because it has a
 * control character or neither name nor value.
 *
 * @example Reading
 * ```ts
 * import { parseSetCookie } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const cookie = parseSetCookie(" id = 1 ; path=/; SECURE; Max-Age=60; Nonsense");
 * assertEquals([cookie?.name, cookie?.value, cookie?.path], ["id", "1", "/"]);
 * assertEquals([cookie?.isSecure, cookie?.maxAgeSeconds], [true, 60]);
 * assertEquals(parseSetCookie("id=1\x00"), undefined);
 * ```
 */
export function parseSetCookie(text: string): ParsedSetCookie | undefined {
  if (CONTROL.test(text)) return undefined;
  let end = endOfPart(text, 0);
  const [name, value] = splitPair(text, 0, end);
  if (name === "" && value === "") return undefined;
  const cookie: Mutable<ParsedSetCookie> = {
    name,
    value,
    domain: "",
    path: undefined,
    expiresUnixMs: undefined,
    maxAgeSeconds: undefined,
    isSecure: false,
    isHttpOnly: false,
    isPartitioned: false,
    sameSite: undefined,
  };
  while (end < text.length) {
    const start = end + 1;
    end = endOfPart(text, start);
    readAttribute(text, start, end, cookie);
  }
  return cookie;
}

function endOfPart(text: string, start: number): number {
  const semicolon = text.indexOf(";", start);
  return semicolon < 0 ? text.length : semicolon;
}

/** Name and value of the cookie: all is value where there is no equals sign. */
function splitPair(text: string, start: number, end: number): [name: string, value: string] {
  const equals = equalsIn(text, start, end);
  if (equals < 0) return ["", trimmed(text, start, end)];
  return [trimmed(text, start, equals), trimmed(text, equals + 1, end)];
}

function readAttribute(
  text: string,
  start: number,
  end: number,
  cookie: Mutable<ParsedSetCookie>,
): void {
  const equals = equalsIn(text, start, end);
  const name = trimmed(text, start, equals < 0 ? end : equals);
  const value = equals < 0 ? "" : trimmed(text, equals + 1, end);
  if (value.length > MAX_ATTRIBUTE_BYTES) return;
  switch (name.length > MAX_NAME_LENGTH ? "" : name.toLowerCase()) {
    case "expires":
      cookie.expiresUnixMs = parseCookieDate(value) ?? cookie.expiresUnixMs;
      break;
    case "max-age":
      if (DELTA.test(value)) cookie.maxAgeSeconds = Number(value);
      break;
    case "domain":
      cookie.domain = toLowerAscii(value.startsWith(".") ? value.slice(1) : value);
      break;
    case "path":
      // RFC 6265bis section 5.6.4: any other path stands for the default one.
      cookie.path = value.startsWith("/") ? value : undefined;
      break;
    case "secure":
      cookie.isSecure = true;
      break;
    case "httponly":
      cookie.isHttpOnly = true;
      break;
    case "partitioned":
      cookie.isPartitioned = true;
      break;
    case "samesite":
      cookie.sameSite = SAME_SITE.find((known) => known.toLowerCase() === value.toLowerCase());
  }
}

/** Leaves everything beyond ASCII alone: U+212A is no "k". */
function toLowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function equalsIn(text: string, start: number, end: number): number {
  // Not indexOf() on the whole text: it would run past the part, each time anew.
  for (let at = start; at < end; at++) if (text.charCodeAt(at) === 0x3d) return at;
  return -1;
}

/** The text without spaces and tabs at its ends. */
function trimmed(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}
