/** Encodes bytes, or the UTF-8 of a string, as base64url without padding. */
export function encodeBase64Url(data: ArrayBuffer | Uint8Array | string): string {
  return toBytes(data).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Decodes base64url, padded or not; throws a `TypeError` on anything else. */
export function decodeBase64Url(b64url: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(b64url, { alphabet: "base64url" });
  } catch (cause) {
    throw new TypeError(`Cannot decode input as base64url: ${(cause as Error).message}`, { cause });
  }
}

/** The bytes of `data`, where a string stands for its UTF-8. */
function toBytes(data: ArrayBuffer | Uint8Array | string): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  return data instanceof Uint8Array ? data : new Uint8Array(data);
}
