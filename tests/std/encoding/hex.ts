import { toBytes } from "./_codec.ts";

/** Encodes bytes, or the UTF-8 of a string, as lower-case hexadecimal digits. */
export function encodeHex(src: ArrayBuffer | Uint8Array | string): string {
  return toBytes(src).toHex();
}
