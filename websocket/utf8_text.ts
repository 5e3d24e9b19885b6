// This module is sans-I/O.

import { Utf8Validator } from "./utf8_validator.ts";

/** Up to here characters made one by one are faster than a call of the decoder. */
const SHORT_BYTES = 32;
const REPLACEMENT = "\ufffd";

/**
 * Not fatal: replacing is several times as fast as throwing is, even where
 * nothing has to be replaced. What was replaced shows afterwards.
 */
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const VALIDATOR = new Utf8Validator();

/**
 * Decodes UTF-8 and validates it, in one go for all text that holds no U+FFFD.
 * A byte order mark is text like any other.
 *
 * @param bytes Memory that holds the text; not changed, not kept.
 * @param start Index of its first byte.
 * @param end Index behind its last byte.
 * @returns The text; `undefined` where the bytes are no UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= SHORT_BYTES) {
    const text = decodeShortAscii(bytes, start, end);
    if (text !== undefined) return text;
  }
  const text = DECODER.decode(bytes.subarray(start, end));
  if (!text.includes(REPLACEMENT)) return text;
  // Either the sender wrote that character, or the decoder had to.
  VALIDATOR.reset();
  return VALIDATOR.push(bytes, start, end) === -1 && VALIDATOR.isComplete ? text : undefined;
}

function decodeShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    const byte0 = bytes[at]!;
    const byte1 = bytes[at + 1]!;
    const byte2 = bytes[at + 2]!;
    const byte3 = bytes[at + 3]!;
    if ((byte0 | byte1 | byte2 | byte3) > 0x7f) return undefined;
    text += String.fromCharCode(byte0, byte1, byte2, byte3);
  }
  for (; at < end; at++) {
    if (bytes[at]! > 0x7f) return undefined;
    text += String.fromCharCode(bytes[at]!);
  }
  return text;
}
