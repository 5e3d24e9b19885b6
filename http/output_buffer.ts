// This module is sans-I/O.

import { isBlank } from "./ascii.ts";
import { FIELD_VALUE, TOKEN } from "./char_class.ts";
import { checkFieldName, checkFieldValue } from "./field_text.ts";

const DIGITS = 20;
const INITIAL_BYTES = 512;

/**
 * Bytes on their way out, in one growing buffer that is used again and again.
 * Text goes in as ISO-8859-1, one byte for each character.
 */
export class OutputBuffer {
  /** The buffer; only the first {@linkcode OutputBuffer.length} bytes count. */
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  /** Number of bytes written. */
  length = 0;
  #view: Uint8Array = this.bytes;
  /** Length of the view; -1 where it is none of `bytes`. */
  #viewLength = -1;

  /** Forgets what was written. */
  clear(): void {
    this.length = 0;
  }

  /** What was written, as a view that the next write may overwrite. */
  view(): Uint8Array {
    // Making a view is dear, and responses in a row are often equally long.
    if (this.#viewLength !== this.length) {
      this.#view = this.bytes.subarray(0, this.length);
      this.#viewLength = this.length;
    }
    return this.#view;
  }

  /** What was written, as bytes of its own; the buffer is empty afterwards. */
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.#viewLength = -1;
  }

  /** Appends bytes. */
  writeBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends text that is known to be clean: constants and checked text. */
  writeText(text: string): void {
    this.reserve(text.length);
    const { bytes } = this;
    let at = this.length;
    for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
    this.length = at;
  }

  /** Appends a whole number of at least 0 in decimal. */
  writeDecimal(value: number): void {
    this.reserve(DIGITS);
    let count = 1;
    for (let bound = 10; value >= bound; bound *= 10) count++;
    this.length += count;
    let rest = value;
    for (let at = this.length - 1; count > 0; at--, count--) {
      const quotient = Math.floor(rest / 10);
      this.bytes[at] = 0x30 + (rest - quotient * 10);
      rest = quotient;
    }
  }

  /**
   * Appends a field line, checking while it copies: whatever is not allowed in
   * a name or value never reaches the buffer.
   *
   * @param name Name of the field.
   * @param value Value, without blanks at its ends.
   * @throws {TypeError} If name or value cannot stand in a message.
   */
  writeField(name: string, value: string): void {
    this.reserve(name.length + value.length + 4);
    const { bytes } = this;
    let at = this.length;
    for (let index = 0; index < name.length; index++) {
      const code = name.charCodeAt(index);
      if (code > 0x7f || TOKEN[code] !== 1) return checkFieldName(name);
      bytes[at++] = code;
    }
    if (name.length === 0) return checkFieldName(name);
    bytes[at++] = 0x3a;
    bytes[at++] = 0x20;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0xff || FIELD_VALUE[code] !== 1) return checkFieldValue(value);
      bytes[at++] = code;
    }
    // A blank at either end would not come back the same.
    if (value.length > 0 && (isBlank(value.charCodeAt(0)) || isBlank(bytes[at - 1]!))) {
      return checkFieldValue(value);
    }
    bytes[at++] = 0x0d;
    bytes[at++] = 0x0a;
    this.length = at;
  }
}
