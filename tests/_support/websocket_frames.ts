/** Frames of RFC 6455 written by hand, legal or not: for tests, without the encoder under test. */

/** What a frame is made of. */
export interface FrameParts {
  readonly opcode: number;
  /** @default {new Uint8Array()} Text stands for its UTF-8. */
  readonly payload?: Uint8Array | string;
  /** @default {true} */
  readonly isFinal?: boolean;
  /** The three reserved bits, RSV1 the highest. @default {0} */
  readonly reserved?: number;
  /** Four bytes; not masked without. */
  readonly key?: readonly number[] | undefined;
  /** How the length is written. @default {the shortest} */
  readonly lengthBits?: 7 | 16 | 64;
  /** The length to claim. @default {that of the payload} */
  readonly length?: bigint;
}

/** The key of RFC 6455 section 5.7. */
export const KEY: readonly number[] = [0x37, 0xfa, 0x21, 0x3d];

/** The same key as the one number the encoder takes. */
export const KEY_NUMBER = 0x37fa_213d;

/** The bytes of a frame. */
export function frame(parts: FrameParts): Uint8Array<ArrayBuffer> {
  const payload = typeof parts.payload === "string"
    ? new TextEncoder().encode(parts.payload)
    : parts.payload ?? new Uint8Array();
  const length = parts.length ?? BigInt(payload.length);
  const bits = parts.lengthBits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64);
  const head = [((parts.isFinal ?? true) ? 0x80 : 0) | (parts.reserved ?? 0) << 4 | parts.opcode];
  const maskBit = parts.key === undefined ? 0 : 0x80;
  if (bits === 7) head.push(maskBit | Number(length));
  else {
    head.push(maskBit | (bits === 16 ? 126 : 127));
    for (let shift = bits - 8; shift >= 0; shift -= 8) {
      head.push(Number(length >> BigInt(shift) & 0xffn));
    }
  }
  head.push(...parts.key ?? []);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  const { key = [0, 0, 0, 0] } = parts;
  for (let index = 0; index < payload.length; index++) {
    bytes[head.length + index] = payload[index]! ^ key[index & 3]!;
  }
  return bytes;
}

/** Bytes one behind the other. */
export function join(...chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
