import { toBytes } from "./_bytes.ts";

/** Encodes bytes, or the UTF-8 of a string, as lower-case hexadecimal digits. */
export function encodeHex(src: ArrayBuffer | Uint8Array | string): string {
  return toBytes(src).toHex();
}

/** Decodes hexadecimal digits of either case; throws a `TypeError` on anything else. */
export function decodeHex(src: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromHex(src);
  } catch (cause) {
    throw new TypeError(`Cannot decode input as hex: ${(cause as Error).message}`, { cause });
  }
}
