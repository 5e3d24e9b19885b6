import { fromBase64, toBytes } from "./_codec.ts";

/** Encodes bytes, or the UTF-8 of a string, as base64url without padding. */
export function encodeBase64Url(
  data: ArrayBuffer | Uint8Array | string,
): string {
  return toBytes(data).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Decodes base64url, padded or not; throws a `TypeError` on anything else. */
export function decodeBase64Url(b64url: string): Uint8Array<ArrayBuffer> {
  return fromBase64(b64url, { alphabet: "base64url" });
}
