/** Encodes bytes, or the UTF-8 of a string, as lower-case hexadecimal digits. */
export function encodeHex(src: ArrayBuffer | Uint8Array | string): string {
  return toBytes(src).toHex();
}

/** The bytes of `data`, where a string stands for its UTF-8. */
function toBytes(data: ArrayBuffer | Uint8Array | string): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  return data instanceof Uint8Array ? data : new Uint8Array(data);
}
