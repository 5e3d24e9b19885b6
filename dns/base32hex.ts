// This module is sans-I/O.

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/**
 * Encodes bytes as base32 with the extended hexadecimal alphabet (RFC 4648 section 7), without
 * padding, as NSEC3 has it.
 *
 * @param bytes The bytes.
 * @returns Digits and upper-case letters.
 *
 * @example The vectors of the RFC
 * ```ts
 * import { encodeBase32Hex } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeBase32Hex(new TextEncoder().encode("foobar")), "CPNMUOJ1E8");
 * ```
 */
export function encodeBase32Hex(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let bitCount = 0;
  for (const byte of bytes) {
    bits = (bits & 0x1f) << 8 | byte;
    for (bitCount += 8; bitCount >= 5; bitCount -= 5) {
      text += DIGITS[bits >> (bitCount - 5) & 0x1f];
    }
  }
  return bitCount === 0 ? text : text + DIGITS[bits << (5 - bitCount) & 0x1f];
}
