// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { WebSocketProtocolError } from "./errors.ts";
import { applyMask } from "./mask.ts";

/** What a frame is for (RFC 6455 section 5.2). */
export const Opcode = {
  /** The next fragment of a message. */
  CONTINUATION: 0x0,
  /** A text message, or its first fragment. */
  TEXT: 0x1,
  /** A binary message, or its first fragment. */
  BINARY: 0x2,
  /** The end of what its sender has to say. */
  CLOSE: 0x8,
  /** A question whether the other side lives. */
  PING: 0x9,
  /** The answer to a ping. */
  PONG: 0xa,
} as const;

/** One of the opcodes in use. */
export type Opcode = typeof Opcode[keyof typeof Opcode];

/** Most bytes of the payload of a control frame (RFC 6455 section 5.5). */
export const MAX_CONTROL_BYTES = 125;

const RSV1 = 0x40;
const RSV2_AND_RSV3 = 0x30;
const MASK_BYTES = 4;
const SIXTEEN_BITS = 126;
const SIXTY_FOUR_BITS = 127;
/** The high half of a length that a double can no longer hold exactly. */
const FIRST_UNSAFE_HIGH = 0x20_0000;

/** Options of {@linkcode FrameDecoder}. */
export interface FrameDecoderOptions {
  /** Whether frames have to be masked: those that a server reads. */
  readonly isMasked: boolean;
  /**
   * Whether RSV1 may be set: permessage-deflate was agreed on (RFC 7692 section
   * 6).
   *
   * @default {false}
   */
  readonly allowRsv1?: boolean;
}

/**
 * Decoder of frames (RFC 6455 section 5.2), incremental and strict. Payload is
 * given out in slices of the input as it comes and unmasked in place; nothing is
 * copied or held. It knows the order of fragments, but not what is in them.
 *
 * @example A frame in two pieces
 * ```ts
 * import { FrameDecoder, Opcode } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder({ isMasked: false });
 * const bytes = new Uint8Array([0x81, 0x03, 0x61, 0x62, 0x63]);
 * assertEquals(decoder.readHead(bytes, 0, 4), 2);
 * assertEquals([decoder.opcode, decoder.isFinal], [Opcode.TEXT, true]);
 * assertEquals(decoder.takePayload(bytes, 2, 4), 4);
 * assertEquals(decoder.takePayload(bytes, 4, 5), 5);
 * assertEquals(decoder.remainingBytes, 0);
 * ```
 */
export class FrameDecoder {
  /** Opcode of the frame at hand. */
  opcode: Opcode = Opcode.CONTINUATION;
  /** Whether the frame at hand ends its message. Always true of control frames. */
  isFinal = false;
  /** Whether RSV1 is set: the message that begins here is compressed. */
  isCompressed = false;
  /** Bytes in the payload of the frame at hand. */
  payloadBytes = 0;
  /** Bytes of it that {@linkcode FrameDecoder.takePayload} has not given yet. */
  remainingBytes = 0;

  readonly #maskBit: number;
  readonly #reserved: number;
  /** Whether a message has begun and its last fragment has not come. */
  #isFragmented = false;
  #key = 0;

  /**
   * Makes a decoder at the start of a frame.
   *
   * @param options What the other side may send.
   */
  constructor(options: FrameDecoderOptions) {
    this.#maskBit = options.isMasked ? 0x80 : 0;
    this.#reserved = options.allowRsv1 === true ? RSV2_AND_RSV3 : RSV1 | RSV2_AND_RSV3;
  }

  /**
   * Reads the head of a frame. Call it only where no payload remains.
   *
   * @param bytes Memory with the input; not changed.
   * @param start Index of the first byte of the head.
   * @param end Index behind the last byte that has come.
   * @returns Length of the head; 0 where it is not complete: keep its bytes and
   * call again with more behind them.
   * @throws {WebSocketProtocolError} If the frame is not legal here.
   * @throws {LimitExceededError} If its payload is longer than a number can tell.
   */
  readHead(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 2) return 0;
    const first = bytes[start]!;
    const second = bytes[start + 1]!;
    this.#checkBits(first, second);
    let payloadBytes = second & 0x7f;
    let at = start + 2;
    if (payloadBytes === SIXTEEN_BITS) {
      if (end < at + 2) return 0;
      payloadBytes = bytes[at]! << 8 | bytes[at + 1]!;
      if (payloadBytes < SIXTEEN_BITS) throw badLength(payloadBytes, 16);
      at += 2;
    } else if (payloadBytes === SIXTY_FOUR_BITS) {
      if (end < at + 8) return 0;
      payloadBytes = readLongLength(bytes, at);
      at += 8;
    }
    if (this.#maskBit !== 0) {
      if (end < at + MASK_BYTES) return 0;
      this.#key = readWord(bytes, at);
      at += MASK_BYTES;
    }
    this.#accept(first, payloadBytes);
    return at - start;
  }

  /**
   * Takes what has come of the payload, and unmasks it in place: between `start`
   * and the index that is returned.
   *
   * @param bytes Memory with the input, which is changed.
   * @param start Index of the first byte not taken yet.
   * @param end Index behind the last byte that has come.
   * @returns Index behind the last byte of this slice.
   */
  takePayload(bytes: Uint8Array, start: number, end: number): number {
    const stop = end - start < this.remainingBytes ? end : start + this.remainingBytes;
    this.remainingBytes -= stop - start;
    if (this.#maskBit !== 0) this.#key = applyMask(bytes, start, stop, this.#key);
    return stop;
  }

  /**
   * Drops payload unseen, for a reader that is no longer interested.
   *
   * @param byteCount How many bytes have come, of whatever.
   * @returns How many of them were payload of the frame at hand.
   */
  skipPayload(byteCount: number): number {
    const skipped = Math.min(byteCount, this.remainingBytes);
    this.remainingBytes -= skipped;
    return skipped;
  }

  /** What the first two bytes alone tell, in the order of RFC 6455 section 5.2. */
  #checkBits(first: number, second: number): void {
    const opcode = first & 0x0f;
    const isFinal = first >= 0x80;
    if ((first & this.#reserved) !== 0) throw reservedBit(first);
    // RFC 7692 section 6: the bit stands on the first frame of a message only.
    if ((first & RSV1) !== 0 && opcode !== Opcode.TEXT && opcode !== Opcode.BINARY) {
      throw reservedBit(first);
    }
    if ((second & 0x80) !== this.#maskBit) throw badMasking(this.#maskBit);
    if (opcode >= Opcode.CLOSE) {
      checkControl(opcode, isFinal, second & 0x7f);
    } else if (opcode > Opcode.BINARY) {
      throw badOpcode(opcode);
    } else if (opcode === Opcode.CONTINUATION && !this.#isFragmented) {
      throw new WebSocketProtocolError(
        "ERR_WEBSOCKET_UNEXPECTED_CONTINUATION",
        "Cannot accept frame: it goes on with a message, and none has begun",
      );
    } else if (opcode !== Opcode.CONTINUATION && this.#isFragmented) {
      throw new WebSocketProtocolError(
        "ERR_WEBSOCKET_MISSING_CONTINUATION",
        "Cannot accept frame: it begins a message, and the last one has not ended",
      );
    }
  }

  #accept(first: number, payloadBytes: number): void {
    const opcode = (first & 0x0f) as Opcode;
    this.opcode = opcode;
    this.isFinal = first >= 0x80;
    this.isCompressed = (first & RSV1) !== 0;
    this.payloadBytes = this.remainingBytes = payloadBytes;
    if (opcode < Opcode.CLOSE) this.#isFragmented = !this.isFinal;
  }
}

function checkControl(opcode: number, isFinal: boolean, shortLength: number): void {
  if (opcode > Opcode.PONG) throw badOpcode(opcode);
  if (!isFinal) {
    throw new WebSocketProtocolError(
      "ERR_WEBSOCKET_FRAGMENTED_CONTROL",
      "Cannot accept control frame: it is a fragment",
    );
  }
  if (shortLength > MAX_CONTROL_BYTES) {
    throw new WebSocketProtocolError(
      "ERR_WEBSOCKET_CONTROL_TOO_LONG",
      `Cannot accept control frame: more than ${MAX_CONTROL_BYTES} bytes`,
    );
  }
}

/** The length in eight bytes, minimal and without its top bit. */
function readLongLength(bytes: Uint8Array, at: number): number {
  const high = readWord(bytes, at) >>> 0;
  const low = readWord(bytes, at + 4) >>> 0;
  if (high >= 0x8000_0000) {
    throw new WebSocketProtocolError(
      "ERR_WEBSOCKET_BAD_LENGTH",
      "Cannot accept frame: the top bit of its length is set",
    );
  }
  if (high >= FIRST_UNSAFE_HIGH) {
    const max = Number.MAX_SAFE_INTEGER;
    throw new LimitExceededError(`Cannot accept frame: its length is above ${max}`, {
      limit: "maxMessageBytes",
      max,
    });
  }
  const length = high * 0x1_0000_0000 + low;
  if (length < 0x1_0000) throw badLength(length, 64);
  return length;
}

function readWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
}

function reservedBit(first: number): WebSocketProtocolError {
  return new WebSocketProtocolError(
    "ERR_WEBSOCKET_RESERVED_BIT",
    `Cannot accept frame: a reserved bit is set in 0x${first.toString(16)}`,
  );
}

function badOpcode(opcode: number): WebSocketProtocolError {
  return new WebSocketProtocolError(
    "ERR_WEBSOCKET_BAD_OPCODE",
    `Cannot accept frame: opcode 0x${opcode.toString(16)} is reserved`,
  );
}

function badMasking(expected: number): WebSocketProtocolError {
  return expected === 0
    ? new WebSocketProtocolError("ERR_WEBSOCKET_MASKED", "Cannot accept frame: a server masked it")
    : new WebSocketProtocolError(
      "ERR_WEBSOCKET_NOT_MASKED",
      "Cannot accept frame: a client did not mask it",
    );
}

function badLength(length: number, bits: number): WebSocketProtocolError {
  return new WebSocketProtocolError(
    "ERR_WEBSOCKET_BAD_LENGTH",
    `Cannot accept frame: length ${length} is written in ${bits} bits, expected the fewest`,
  );
}
