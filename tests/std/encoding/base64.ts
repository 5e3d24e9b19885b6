/** Decodes base64, padded or not; throws a `TypeError` on anything else. */
export function decodeBase64(b64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(b64);
  } catch (cause) {
    throw new TypeError(`Cannot decode input as base64: ${(cause as Error).message}`, { cause });
  }
}
