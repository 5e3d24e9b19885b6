// This module is sans-I/O.

import { encodeAscii } from "./ascii.ts";

/** `bchars` of RFC 2046 section 5.1.1: 1 to 70, with no space at the end. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
const CR = 0x0d;

/**
 * Whether a text can be the boundary of a multipart body (RFC 2046 section 5.1.1).
 *
 * @param text The `boundary` parameter of a Content-Type.
 *
 * @example Length and characters
 * ```ts
 * import { isMultipartBoundary } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isMultipartBoundary("----form-7d1"), true);
 * assertEquals(isMultipartBoundary("a".repeat(71)), false);
 * ```
 */
export function isMultipartBoundary(text: string): boolean {
  return BOUNDARY.test(text);
}

/**
 * The bytes between two parts, CRLF, `--` and the boundary, and the search for
 * them, after Boyer, Moore and Horspool: most of a large file is skipped, not
 * looked at. A boundary holds no CR, so the one in front is the only one: what has
 * been compared in vain can not be a start itself, and no data, however it was
 * made up, has a byte looked at more than a few times.
 *
 * Measured in `tests/bench/multipart/`.
 */
export class MultipartDelimiter {
  /** The delimiter; not to be changed. */
  readonly bytes: Uint8Array;
  /** By the last byte under the delimiter: how far it can move on. */
  readonly #skips: Uint8Array;

  /** @param boundary A boundary, checked. */
  constructor(boundary: string) {
    this.bytes = encodeAscii(`\r\n--${boundary}`);
    const last = this.bytes.length - 1;
    this.#skips = new Uint8Array(256).fill(last + 1);
    for (let index = 0; index < last; index++) this.#skips[this.bytes[index]!] = last - index;
  }

  /**
   * Finds the delimiter, or the start of one that the end cuts off.
   *
   * @param input Where to look.
   * @param start Index to begin at.
   * @param end Index behind the last byte.
   * @returns Index of its first byte; `end` if there is none.
   */
  find(input: Uint8Array, start: number, end: number): number {
    const { bytes } = this;
    const skips = this.#skips;
    const last = bytes.length - 1;
    const lastByte = bytes[last];
    const stop = end - last;
    let at = start;
    while (at < stop) {
      const byte = input[at + last]!;
      if (byte === lastByte && input[at] === CR) {
        const matchedCount = this.match(input, at, end, 0);
        if (matchedCount > last) return at;
        // Behind the CR nothing that matched is a CR.
        at += Math.max(matchedCount, skips[byte]!);
      } else {
        at += skips[byte]!;
      }
    }
    return this.#findCut(input, Math.min(at, end), end);
  }

  /**
   * How far the delimiter agrees with the input.
   *
   * @param input Where to look.
   * @param at Index of the first byte to compare.
   * @param end Index behind the last byte.
   * @param from Index in the delimiter of the byte to begin with.
   * @returns Index in the delimiter behind the last byte that agrees.
   */
  match(input: Uint8Array, at: number, end: number, from: number): number {
    const { bytes } = this;
    let index = from;
    let position = at;
    while (index < bytes.length && position < end && input[position] === bytes[index]) {
      index++;
      position++;
    }
    return index;
  }

  #findCut(input: Uint8Array, start: number, end: number): number {
    for (let at = end - 1; at >= start; at--) {
      if (input[at] !== CR) continue;
      // One further in front would have this CR in it.
      return at + this.match(input, at, end, 0) === end ? at : end;
    }
    return end;
  }
}
