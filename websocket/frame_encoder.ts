// This module is sans-I/O.

import { frameMemory, keepFrameMemory } from "./frame_memory.ts";
import { applyMask } from "./mask.ts";

const FINAL_BIT = 0x80;
/** Two bytes, a length in eight, a key. */
const MAX_HEAD_BYTES = 14;
/** Frames are put together into one write up to here. */
const MAX_CHUNK_BYTES = 131_072;
/**
 * A payload from here on is written as it is, where it need not be masked: a
 * copy would cost more than a write of its own.
 */
const MIN_LOAN_BYTES = 131_072;
/** Up to here a loop over characters is faster than a call of the encoder. */
const SHORT_TEXT = 64;
/** UTF-8 bytes for one UTF-16 unit, at most. */
const MAX_BYTES_PER_UNIT = 3;

const ENCODER = new TextEncoder();
/** Shared by nearly all frames. */
const WHOLE: WriteFrameOptions = {};

/** Options of {@linkcode FrameEncoder}. */
export interface FrameEncoderOptions {
  /**
   * Gives the key of one frame, 32 unpredictable bits as a number (RFC 6455
   * section 5.3). Frames are masked if and only if it is there: on a client.
   *
   * @default {undefined}
   */
  readonly randomMaskKey?: (() => number) | undefined;
}

/**
 * Encoder of frames, and the queue of bytes to write. Frames gather in one
 * buffer, so that what is sent in one turn leaves in one write; only a large
 * payload that needs no mask stays where it is.
 *
 * @example Two frames in one write
 * ```ts
 * import { FrameEncoder, Opcode } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const encoder = new FrameEncoder();
 * encoder.writeText(Opcode.TEXT, "hi");
 * encoder.writeFrame(Opcode.PING, new Uint8Array(0));
 * assertEquals(encoder.take(), new Uint8Array([0x81, 2, 0x68, 0x69, 0x89, 0]));
 * assertEquals(encoder.take(), undefined);
 * ```
 */
export class FrameEncoder {
  readonly #randomMaskKey: (() => number) | undefined;
  /** What is being filled; `undefined` where nothing is. */
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;
  /** Complete chunks in front of what is being filled. */
  #chunks: Chunk[] | undefined;
  #chunkBytes = 0;
  /** What the last `take()` gave, and whether its memory is ours. */
  #lentMemory: Uint8Array<ArrayBuffer> | undefined;
  #lentBytes = 0;

  /**
   * Makes an encoder with nothing to write.
   *
   * @param options Whether and how frames are masked.
   */
  constructor(options: FrameEncoderOptions = {}) {
    this.#randomMaskKey = options.randomMaskKey;
  }

  /** Bytes not written: those that wait and those the last `take()` gave. */
  get queuedBytes(): number {
    return this.#lentBytes + this.waitingBytes;
  }

  /** Bytes that no `take()` has given yet. */
  get waitingBytes(): number {
    return this.#chunkBytes + this.#length;
  }

  /**
   * Appends a frame.
   *
   * @param first Opcode, with RSV1 (0x40) where it is due.
   * @param payload Not changed. From 128 KiB on, without a mask, it is not copied
   * and has to stay as it is until it is written, unless `options` says otherwise.
   * @param options Whether the frame ends its message, and what may be kept.
   */
  writeFrame(first: number, payload: Uint8Array, options: WriteFrameOptions = WHOLE): void {
    const { isFinal = true, mustCopy = false } = options;
    const { length } = payload;
    const isLoan = length >= MIN_LOAN_BYTES && !mustCopy && this.#randomMaskKey === undefined;
    this.#reserve(MAX_HEAD_BYTES + (isLoan ? 0 : length));
    const key = this.#writeHead(isFinal ? first | FINAL_BIT : first, length);
    if (isLoan) {
      this.#seal();
      this.#push({ bytes: payload, memory: undefined });
      return;
    }
    const start = this.#length;
    this.#bytes!.set(payload, start);
    this.#length = start + length;
    if (this.#randomMaskKey !== undefined) applyMask(this.#bytes!, start, this.#length, key);
  }

  /**
   * Appends a frame with text, in UTF-8. A lone surrogate becomes U+FFFD.
   *
   * @param first Opcode.
   * @param text The text.
   * @param options Whether the frame ends its message.
   */
  writeText(first: number, text: string, options: WriteFrameOptions = WHOLE): void {
    const { isFinal = true } = options;
    const units = text.length;
    // Memory for the worst case of short text; for the usual one of long text.
    this.#reserve(MAX_HEAD_BYTES + (units < 1_024 ? units * MAX_BYTES_PER_UNIT : units));
    const start = this.#length;
    // The text goes behind the head it has if all is ASCII, and moves if not.
    const headBytes = this.#headBytes(units);
    this.#length = start + headBytes;
    this.#encode(text);
    const length = this.#length - start - headBytes;
    const actualBytes = this.#headBytes(length);
    if (actualBytes !== headBytes) {
      this.#makeRoom(actualBytes - headBytes);
      this.#bytes!.copyWithin(start + actualBytes, start + headBytes, this.#length);
    }
    this.#length = start;
    const key = this.#writeHead(isFinal ? first | FINAL_BIT : first, length);
    const end = this.#length + length;
    if (this.#randomMaskKey !== undefined) applyMask(this.#bytes!, this.#length, end, key);
    this.#length = end;
  }

  /**
   * Takes the next bytes to write; those of the last call count as written.
   *
   * @returns Bytes that stay as they are until the next call; `undefined` where
   * nothing waits.
   */
  take(): Uint8Array | undefined {
    this.#reclaim();
    if (this.#chunks === undefined || this.#chunks.length === 0) {
      return this.#length === 0 ? undefined : this.#lend();
    }
    // Short: chunks are large, and the writer is not far behind.
    const { bytes, memory } = this.#chunks.shift()!;
    this.#chunkBytes -= bytes.length;
    this.#lentBytes = bytes.length;
    this.#lentMemory = memory;
    return bytes;
  }

  /** Gives what is being filled, with nothing in front of it: nearly always so. */
  #lend(): Uint8Array {
    const memory = this.#lentMemory = this.#bytes!;
    const byteCount = this.#lentBytes = this.#length;
    this.#bytes = undefined;
    this.#length = 0;
    return memory.subarray(0, byteCount);
  }

  /** Lets go of spare memory, for a connection that rests. */
  shrink(): void {
    if (this.#bytes === undefined || this.#length > 0) return;
    keepFrameMemory(this.#bytes);
    this.#bytes = undefined;
  }

  /** What was lent is written: its memory goes to whoever writes next. */
  #reclaim(): void {
    const memory = this.#lentMemory;
    this.#lentBytes = 0;
    if (memory === undefined) return;
    this.#lentMemory = undefined;
    keepFrameMemory(memory);
  }

  /** Makes what was filled a chunk. */
  #seal(): void {
    const memory = this.#bytes!;
    this.#push({ bytes: memory.subarray(0, this.#length), memory });
    this.#bytes = undefined;
    this.#length = 0;
  }

  #push(chunk: Chunk): void {
    this.#chunks ??= [];
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.bytes.length;
  }

  /** Makes room for a frame of `byteCount` bytes, in a new chunk if this one is large. */
  #reserve(byteCount: number): void {
    if (this.#length > 0 && this.#length + byteCount > MAX_CHUNK_BYTES) this.#seal();
    this.#makeRoom(byteCount);
  }

  /** Makes room for bytes behind what was filled. */
  #makeRoom(byteCount: number): void {
    const bytes = this.#bytes;
    if (bytes === undefined) {
      this.#bytes = frameMemory(byteCount);
      return;
    }
    const needed = this.#length + byteCount;
    if (needed <= bytes.length) return;
    const grown = frameMemory(Math.max(needed, Math.min(2 * bytes.length, MAX_CHUNK_BYTES)));
    if (this.#length > 0) grown.set(bytes.subarray(0, this.#length));
    keepFrameMemory(bytes);
    this.#bytes = grown;
  }

  #headBytes(payloadBytes: number): number {
    const lengthBytes = payloadBytes < 126 ? 2 : payloadBytes < 0x1_0000 ? 4 : 10;
    return this.#randomMaskKey === undefined ? lengthBytes : lengthBytes + 4;
  }

  /** Writes a head into room that is there; gives back the key. */
  #writeHead(first: number, payloadBytes: number): number {
    const bytes = this.#bytes!;
    const maskBit = this.#randomMaskKey === undefined ? 0 : 0x80;
    let at = this.#length;
    bytes[at++] = first;
    if (payloadBytes < 126) {
      bytes[at++] = maskBit | payloadBytes;
    } else if (payloadBytes < 0x1_0000) {
      bytes[at++] = maskBit | 126;
      bytes[at++] = payloadBytes >>> 8;
      bytes[at++] = payloadBytes;
    } else {
      bytes[at++] = maskBit | 127;
      at = writeWord(bytes, at, Math.floor(payloadBytes / 0x1_0000_0000));
      at = writeWord(bytes, at, payloadBytes >>> 0);
    }
    let key = 0;
    if (this.#randomMaskKey !== undefined) {
      key = this.#randomMaskKey();
      at = writeWord(bytes, at, key);
    }
    this.#length = at;
    return key;
  }

  /** Appends text in UTF-8. */
  #encode(text: string): void {
    if (text.length <= SHORT_TEXT && this.#encodeShortAscii(text)) return;
    let rest = text;
    for (;;) {
      const { read, written } = ENCODER.encodeInto(rest, this.#bytes!.subarray(this.#length));
      this.#length += written;
      if (read === rest.length) return;
      rest = rest.slice(read);
      this.#makeRoom(rest.length * MAX_BYTES_PER_UNIT);
    }
  }

  #encodeShortAscii(text: string): boolean {
    const bytes = this.#bytes!;
    const start = this.#length;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      bytes[start + index] = unit;
    }
    this.#length = start + text.length;
    return true;
  }
}

/** Options of {@linkcode FrameEncoder.writeFrame}. */
export interface WriteFrameOptions {
  /**
   * Whether the frame ends its message.
   *
   * @default {true}
   */
  readonly isFinal?: boolean;
  /**
   * Whether a large payload has to be copied, because its memory is used again.
   *
   * @default {false}
   */
  readonly mustCopy?: boolean;
}

/** Bytes to write, and the memory of ours they are in, if it is ours. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly memory: Uint8Array<ArrayBuffer> | undefined;
}

function writeWord(bytes: Uint8Array, at: number, word: number): number {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
  return at + 4;
}
