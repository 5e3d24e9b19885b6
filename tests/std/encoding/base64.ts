import { fromBase64, toBytes } from "./_codec.ts";

/** Encodes bytes, or the UTF-8 of a string, as base64 with padding. */
export function encodeBase64(data: ArrayBuffer | Uint8Array | string): string {
  return toBytes(data).toBase64();
}

/** Decodes base64, padded or not; throws a `TypeError` on anything else. */
export function decodeBase64(b64: string): Uint8Array<ArrayBuffer> {
  return fromBase64(b64);
}
