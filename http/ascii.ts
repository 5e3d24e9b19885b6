// This module is sans-I/O.

/** Comparing and decoding short ranges of bytes without a detour over strings. */

/**
 * Whether a range of bytes is the given text when ASCII case is ignored.
 *
 * @param bytes Buffer with the range.
 * @param start Offset of the first byte.
 * @param end Offset behind the last byte.
 * @param lower Text to compare with: ASCII, in lower case.
 */
export function equalsIgnoreCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  lower: string,
): boolean {
  if (end - start !== lower.length) return false;
  for (let index = 0; index < lower.length; index++) {
    if (toLowerByte(bytes[start + index]!) !== lower.charCodeAt(index)) return false;
  }
  return true;
}

/** Whether two ranges hold the same bytes when ASCII case is ignored. */
export function rangesEqualIgnoreCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  otherStart: number,
  otherEnd: number,
): boolean {
  if (end - start !== otherEnd - otherStart) return false;
  for (let offset = 0; offset < end - start; offset++) {
    if (toLowerByte(bytes[start + offset]!) !== toLowerByte(bytes[otherStart + offset]!)) {
      return false;
    }
  }
  return true;
}

/** Whether a byte or character code is a space or a tab, the blanks of HTTP. */
export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

/**
 * The bytes of text that is known to be ASCII: names, constants, dates.
 *
 * @param text Text to encode.
 */
export function encodeAscii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function toLowerByte(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/**
 * Longest range decoded by one call of `String.fromCharCode`: every byte is an
 * argument on the stack.
 */
const MAX_ARGUMENTS = 1024;

/**
 * Decodes bytes as ISO-8859-1: one character for each byte, as HTTP field values
 * have been read since RFC 1945. (`TextDecoder("latin1")` is windows-1252.)
 *
 * @param bytes Buffer with the range.
 * @param start Offset of the first byte.
 * @param end Offset behind the last byte.
 */
export function decodeLatin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let from = start; from < end; from += MAX_ARGUMENTS) {
    const part = bytes.subarray(from, Math.min(end, from + MAX_ARGUMENTS));
    text += String.fromCharCode.apply(null, part as unknown as number[]);
  }
  return text;
}
