// This module is sans-I/O.

import { HEX_VALUE } from "./char_class.ts";
import { HttpError } from "./errors.ts";

/** How a router reads paths. */
export interface RoutePathOptions {
  /**
   * What becomes of the segments `.` and `..`, percent-encoded ones too.
   *
   * - `"reject"`: 400. So is one that is cut off by a backslash or an encoded
   *   slash, which somebody further on may take for a slash.
   * - `"resolve"`: they go, as RFC 3986 section 5.2.4 says, never above the root.
   * - `"keep"`: they are segments like others.
   *
   * @default {"reject"}
   */
  readonly dotSegments?: "reject" | "resolve" | "keep";
  /**
   * What becomes of empty segments in front of others.
   *
   * - `"keep"`: they are segments like others, which only a pattern with such a
   *   segment or a wildcard matches.
   * - `"merge"`: a run of slashes counts as one.
   * - `"redirect"`: 308 to the path with one slash for each run.
   *
   * @default {"keep"}
   */
  readonly duplicateSlashes?: "keep" | "merge" | "redirect";
  /**
   * Whether `/a/` is `/a`.
   *
   * - `"strict"`: no.
   * - `"ignore"`: yes; a pattern matches with and without. A wildcard still
   *   needs its slash.
   * - `"redirect"`: 308 to the one of the two that has a route, where the other
   *   one has none.
   *
   * @default {"strict"}
   */
  readonly trailingSlash?: "strict" | "ignore" | "redirect";
}

const SLASH = 0x2f;
const PERCENT = 0x25;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** A dot segment between anything that is or may become a slash. */
const HIDDEN_DOT_SEGMENT = /(?:[/\\]|%2F)\.\.?(?:[/\\]|%2F|$)/;
/** What stays in a path that is written out again, beside percent signs. */
const NOT_PATH = /[^!$%&'()*+,\-./0-9:;=@A-Z_a-z~]+/gu;

/**
 * Brings a path into the form in which it is compared: percent-encoding is
 * decoded, in one pass, but for `%2F`, `%25` and `%00`, which stay and are
 * upper-cased. So an encoded slash never becomes a separator, and nothing can
 * be decoded twice. Dot segments and slashes follow the options.
 *
 * The result is its own canonical form.
 *
 * @param path Path as sent, without a query: ASCII, or one character per byte.
 * @param options Dot segments and slashes.
 * @returns The canonical path.
 * @throws {HttpError} With 400 if percent-encoding is malformed or not UTF-8, or
 * a dot segment is to be rejected.
 *
 * @example What is decoded and what is not
 * ```ts
 * import { canonicalPath } from "@nbio/net/http/core";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(canonicalPath("/caf%c3%a9/a%2fb/100%25"), "/café/a%2Fb/100%25");
 * assertEquals(canonicalPath("/a/%2e%2e/b", { dotSegments: "resolve" }), "/b");
 * assertThrows(() => canonicalPath("/a/%2e%2e/b"));
 * ```
 */
export function canonicalPath(path: string, options: RoutePathOptions = {}): string {
  const { dotSegments = "reject", duplicateSlashes = "keep" } = options;
  let canonical = decodePath(path);
  if (dotSegments === "reject") {
    if (HIDDEN_DOT_SEGMENT.test(canonical)) throw badPath("it contains a dot segment");
  }
  // In front of the dots: "/a//../b" must not depend on who comes first.
  if (duplicateSlashes !== "keep") canonical = canonical.replace(/\/{2,}/g, "/");
  return dotSegments === "resolve" ? resolveDots(canonical) : canonical;
}

/**
 * Writes a canonical path so that it can stand in a URL. It begins with one
 * slash: two would begin a host.
 *
 * @param path A canonical path.
 * @returns Its text with percent-encoding.
 */
export function encodePath(path: string): string {
  return path.toWellFormed().replace(/^[/\\]+/, "/").replace(NOT_PATH, encodeURIComponent);
}

/**
 * Decodes percent-encoding but for `%2F`, `%25` and `%00`.
 *
 * @param text Part of a path.
 * @returns The text.
 * @throws {HttpError} With 400 if it is malformed or not UTF-8.
 */
export function decodePath(text: string): string {
  if (isPlain(text)) return text;
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff) throw badPath("it contains a character beyond a byte");
    if (code !== PERCENT) {
      bytes[length++] = code;
      continue;
    }
    const value = hexPair(text, at + 1);
    if (value < 0) throw badPath("a percent sign is not followed by two hexadecimal digits");
    at += 2;
    if (value !== SLASH && value !== PERCENT && value !== 0) {
      bytes[length++] = value;
      continue;
    }
    bytes[length++] = PERCENT;
    bytes[length++] = text.charCodeAt(at - 1);
    // Only the digit of %2f is a letter.
    bytes[length++] = value === SLASH ? 0x46 : text.charCodeAt(at);
  }
  try {
    return decoder.decode(bytes.subarray(0, length));
  } catch (cause) {
    throw badPath("it is not UTF-8", cause);
  }
}

/** ASCII without a percent sign. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === PERCENT || code > 0x7f) return false;
  }
  return true;
}

function hexPair(text: string, at: number): number {
  if (at + 1 >= text.length) return -1;
  const high = hexValue(text.charCodeAt(at));
  const low = hexValue(text.charCodeAt(at + 1));
  return high > 15 || low > 15 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  return HEX_VALUE[code] ?? 255;
}

/** RFC 3986 section 5.2.4, on a path that begins with a slash. */
function resolveDots(path: string): string {
  if (!path.includes("/.")) return path;
  const kept: string[] = [];
  const segments = path.split("/");
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === "..") {
      // The first one is what stands in front of the root's slash.
      if (kept.length > 1) kept.pop();
      if (isLast) kept.push("");
    } else if (segment === ".") {
      if (isLast) kept.push("");
    } else {
      kept.push(segment);
    }
  });
  return kept.join("/");
}

function badPath(reason: string, cause?: unknown): HttpError {
  return new HttpError(400, `Cannot read path: ${reason}`, { cause });
}
