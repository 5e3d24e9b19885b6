// This module is sans-I/O.

import { resolveBound } from "./limits.ts";

/** Options of {@linkcode safeFilename}. */
export interface SafeFilenameOptions {
  /**
   * The name where nothing of the given one is left.
   *
   * @default {"file"}
   */
  readonly fallback?: string;
  /**
   * Longest name in bytes of UTF-8, at least 32; a longer one loses characters in
   * front of its extension. Most file systems take 255.
   *
   * @default {255}
   */
  readonly maxBytes?: number;
}

const MIN_MAX_BYTES = 32;
/** An extension longer than this is a part of the name like others. */
const MAX_EXTENSION_LENGTH = 16;
/** Names that are devices on Windows, whatever extension follows. */
const DEVICE =
  /^(?:con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:\.|$)/i;
/**
 * What no file system of today takes, and what shows a name other than it is:
 * controls, and the marks that turn the direction of text around.
 */
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\x00-\x1f\x7f-\x9f<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

const encoder = new TextEncoder();

/**
 * The last segment of a path, whatever the system it comes from: RFC 6266 section
 * 4.3 has everything in front of it dropped.
 *
 * @param path Name of a file as a client sent it.
 * @returns The segment; empty for `.` and `..`.
 *
 * @example A path of Windows
 * ```ts
 * import { baseFilename } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(baseFilename("C:\\photos\\cat.jpg"), "cat.jpg");
 * assertEquals(baseFilename("../../etc/passwd"), "passwd");
 * ```
 */
export function baseFilename(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  return name === "." || name === ".." ? "" : name;
}

/**
 * Makes a name under which a file can be kept on any system: one segment, no
 * control characters, no reserved characters or device names, no dot in front and
 * none at the end, at most 255 bytes. Two uploads may well end up with the same.
 *
 * @param name Name of a file as a client sent it; may be a path.
 * @param options What to do about names that are empty or long.
 * @returns The name, never empty.
 * @throws {RangeError} If `maxBytes` is a whole number below 32, or none.
 *
 * @example Whatever a client says
 * ```ts
 * import { safeFilename } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(safeFilename("../.ssh/id_rsa"), "id_rsa");
 * assertEquals(safeFilename("C:\\docs\\what?.txt"), "what_.txt");
 * assertEquals(safeFilename("NUL.txt"), "_NUL.txt");
 * assertEquals(safeFilename(".."), "file");
 * ```
 */
export function safeFilename(name: string, options: SafeFilenameOptions = {}): string {
  const { fallback = "file" } = options;
  const maxBytes = resolveBound("maxBytes", options.maxBytes ?? 255);
  if (maxBytes < MIN_MAX_BYTES) {
    throw new RangeError(`Cannot use option maxBytes: ${maxBytes} is below ${MIN_MAX_BYTES}`);
  }
  const plain = baseFilename(name).toWellFormed().replace(FORBIDDEN, "_");
  const trimmed = trimEnds(plain);
  if (trimmed === "") return fallback;
  return shorten(DEVICE.test(trimmed) ? `_${trimmed}` : trimmed, maxBytes);
}

/** Without blanks and dots in front (hidden files) and at the end (Windows drops them). */
function trimEnds(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isTrimmed(text[start]!)) start++;
  while (end > start && isTrimmed(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function isTrimmed(character: string): boolean {
  return character === "." || character.trim() === "";
}

function shorten(name: string, maxBytes: number): string {
  if (encoder.encode(name).length <= maxBytes) return name;
  const dot = name.lastIndexOf(".");
  const isLong = dot < 0 || name.length - dot > MAX_EXTENSION_LENGTH;
  const extension = isLong ? "" : name.slice(dot);
  const extensionBytes = encoder.encode(extension).length;
  const isFitting = extensionBytes < maxBytes;
  const room = new Uint8Array(maxBytes - (isFitting ? extensionBytes : 0));
  // Writes whole characters only.
  const { read } = encoder.encodeInto(name, room);
  return trimEnds(name.slice(0, read)) + (isFitting ? extension : "");
}
