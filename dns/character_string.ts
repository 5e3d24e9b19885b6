// This module is sans-I/O.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Prints bytes as one quoted `<character-string>` of the presentation format (RFC 1035 section
 * 5.1): `\"`, `\\`, and `\DDD` for what is not printable ASCII.
 *
 * @param bytes The bytes; any number of them.
 * @returns The text with its quotes.
 *
 * @example A quote and a control character
 * ```ts
 * import { printCharacterString } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(printCharacterString(new Uint8Array([0x61, 0x22, 0x20, 7])), '"a\\" \\007"');
 * ```
 */
export function printCharacterString(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += escapeByte(byte);
  return `"${text}"`;
}

/** One byte of the inside of a quoted string. */
export function escapeByte(byte: number): string {
  if (byte === QUOTE || byte === BACKSLASH) return `\\${String.fromCharCode(byte)}`;
  if (byte >= 0x20 && byte <= 0x7e) return String.fromCharCode(byte);
  return `\\${byte.toString().padStart(3, "0")}`;
}
