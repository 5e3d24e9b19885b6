// This module is sans-I/O.

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
  #lastView: Uint8Array = this.bytes.subarray(0, 0);

  /** Forgets what was written. */
  clear(): void {
    this.length = 0;
  }

  /** What was written, as a view that the next write may overwrite. */
  view(): Uint8Array {
    // Making a view is dear, and responses in a row are often equally long.
    const view = this.#lastView;
    if (view.length === this.length && view.buffer === this.bytes.buffer) return view;
    return this.#lastView = this.bytes.subarray(0, this.length);
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
    grown.set(this.view());
    this.bytes = grown;
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

  /**
   * Appends text if all of it is ASCII.
   *
   * @returns Whether it was; otherwise nothing is written.
   */
  writeAscii(text: string): boolean {
    this.reserve(text.length);
    const { bytes } = this;
    let at = this.length;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[at++] = code;
    }
    this.length = at;
    return true;
  }

  /** Appends a whole number of at least 0 in decimal. */
  writeDecimal(value: number): void {
    this.reserve(DIGITS);
    if (value < 10) {
      this.bytes[this.length++] = 0x30 + value;
      return;
    }
    let divisor = 10;
    while (divisor * 10 <= value) divisor *= 10;
    let rest = value;
    for (; divisor >= 1; divisor /= 10) {
      const digit = Math.floor(rest / divisor);
      this.bytes[this.length++] = 0x30 + digit;
      rest -= digit * divisor;
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

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
