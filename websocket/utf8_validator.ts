// This module is sans-I/O.

/** Below this many bytes word access costs more than it gives. */
const WORDS_FROM_BYTES = 64;
/** The top bits of four bytes: none is set in ASCII. */
const NON_ASCII = 0x80808080 | 0;
const FIRST_CONTINUATION = 0x80;
const LAST_CONTINUATION = 0xbf;

/**
 * Validates UTF-8 (RFC 3629) as it comes in pieces, cut anywhere, and fails at
 * the first byte that no continuation of the text could make valid: overlong
 * forms, surrogates and what is above U+10FFFF fail at their second byte.
 *
 * @example An impossible byte, long before the text ends
 * ```ts
 * import { Utf8Validator } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const validator = new Utf8Validator();
 * assertEquals(validator.push(new Uint8Array([0x61, 0xed])), -1);
 * assertEquals(validator.isComplete, false);
 * // ED A0 would begin a surrogate.
 * assertEquals(validator.push(new Uint8Array([0xa0, 0x80])), 0);
 * ```
 */
export class Utf8Validator {
  /** Continuation bytes that the character at hand still needs. */
  #needed = 0;
  /** What the next continuation byte may be. */
  #least = FIRST_CONTINUATION;
  #most = LAST_CONTINUATION;

  /** Whether the text so far ends at the end of a character. */
  get isComplete(): boolean {
    return this.#needed === 0;
  }

  /** Starts a new text. */
  reset(): void {
    this.#needed = 0;
    this.#least = FIRST_CONTINUATION;
    this.#most = LAST_CONTINUATION;
  }

  /**
   * Looks at the next piece of the text.
   *
   * @param bytes Memory that holds the piece; not changed, not kept.
   * @param start Index of its first byte.
   * @param end Index behind its last byte.
   * @returns Index of the first impossible byte; -1 where the piece may go on to
   * be valid. After anything but -1 only {@linkcode Utf8Validator.reset} is left.
   */
  push(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
    let at = start;
    while (at < end) {
      if (this.#needed === 0) {
        at = skipAscii(bytes, at, end);
        if (at === end) return -1;
        if (!this.#begin(bytes[at]!)) return at;
      } else if (!this.#continue(bytes[at]!)) {
        return at;
      }
      at++;
    }
    return -1;
  }

  /** The first byte of a character that is none of ASCII: the table of RFC 3629 section 4. */
  #begin(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte === 0xe0) this.#least = 0xa0;
    else if (byte === 0xed) this.#most = 0x9f;
    else if (byte === 0xf0) this.#least = 0x90;
    else if (byte === 0xf4) this.#most = 0x8f;
    return true;
  }

  #continue(byte: number): boolean {
    if (byte < this.#least || byte > this.#most) return false;
    this.#needed--;
    this.#least = FIRST_CONTINUATION;
    this.#most = LAST_CONTINUATION;
    return true;
  }
}

/** Index of the first byte that is none of ASCII, or `end`. */
function skipAscii(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  // Most text that is not all ASCII has such bytes close to each other.
  for (const near = Math.min(end, start + 8); at < near; at++) if (bytes[at]! > 0x7f) return at;
  if (end - at >= WORDS_FROM_BYTES) at = skipAsciiWords(bytes, at, end);
  while (at < end && bytes[at]! < 0x80) at++;
  return at;
}

/** As far as whole words of ASCII reach. */
function skipAsciiWords(bytes: Uint8Array, start: number, end: number): number {
  const misaligned = (bytes.byteOffset + start) & 3;
  const aligned = misaligned === 0 ? start : start + 4 - misaligned;
  for (let at = start; at < aligned; at++) if (bytes[at]! > 0x7f) return at;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, (end - aligned) >> 2);
  const { length } = words;
  let index = 0;
  for (const last = length - 3; index < last; index += 4) {
    const all = words[index]! | words[index + 1]! | words[index + 2]! | words[index + 3]!;
    if ((all & NON_ASCII) !== 0) break;
  }
  return aligned + index * 4;
}
