/** What the platform has and the library does not that cores are checked against. */
interface BytesWithCodec {
  toBase64(options?: Base64Options): string;
  toHex(): string;
}

interface Base64Options {
  readonly alphabet?: "base64" | "base64url";
  readonly omitPadding?: boolean;
}

/** The bytes of `data`, where a string stands for its UTF-8. */
export function toBytes(
  data: ArrayBuffer | Uint8Array | string,
): BytesWithCodec {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data instanceof Uint8Array
    ? data
    : new Uint8Array(data);
  return bytes as unknown as BytesWithCodec;
}

/** Decodes base64; throws a `TypeError` on anything else. */
export function fromBase64(
  text: string,
  options: Base64Options = {},
): Uint8Array<ArrayBuffer> {
  try {
    const { fromBase64 } = Uint8Array as unknown as {
      fromBase64(text: string, options: Base64Options): Uint8Array<ArrayBuffer>;
    };
    return fromBase64(text, options);
  } catch (cause) {
    throw new TypeError(
      `Cannot decode input as base64: ${(cause as Error).message}`,
      { cause },
    );
  }
}
