import { toBytes } from "./_bytes.ts";

/** Encodes bytes, or the UTF-8 of a string, as padded base64. */
export function encodeBase64(data: ArrayBuffer | Uint8Array | string): string {
  return toBytes(data).toBase64();
}

/** Decodes base64, padded or not; throws a `TypeError` on anything else. */
export function decodeBase64(b64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(b64);
  } catch (cause) {
    throw new TypeError(`Cannot decode input as base64: ${(cause as Error).message}`, { cause });
  }
}
