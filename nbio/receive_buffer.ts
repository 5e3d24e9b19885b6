// This module is sans-I/O.

/**
 * {@linkcode ReceiveBuffer}: what has been read and not yet understood.
 *
 * @module
 */

import { LimitExceededError } from "./errors.ts";

/** Options of {@linkcode ReceiveBuffer}. */
export interface ReceiveBufferOptions {
  /**
   * Most bytes that may wait unconsumed, at least 1. Memory may be twice as
   * much, which is what keeps moving bytes to the front linear.
   *
   * @default {65_536}
   */
  readonly maxBytes?: number;

  /**
   * Capacity while little comes, at least 1.
   *
   * @default {1_024}
   */
  readonly idleBytes?: number;
}

/** Growth per step: 1, 4, 16, 64 KiB in three full reads. */
const GROWTH_FACTOR = 4;

/** Reads larger than this gain nothing: it is what a socket hands over at once. */
const MAX_READ_BYTES = 65_536;
const EMPTY = new Uint8Array(0);

/**
 * A buffer between a transport and a parser: `writable()` says where the next
 * read goes, `commit()` how much came, `bytes` from `start` to `end` is what
 * waits, `consume()` takes from its front.
 *
 * Small when idle: it begins with `idleBytes`; a read that fills it makes the
 * next capacity four times as large, up to 64 KiB, and further only while bytes
 * wait unconsumed. When it is empty, and no more than a quarter of it was in use
 * since it was empty before, the next `writable()` makes it small again.
 *
 * Amortised linear: a byte is moved a bounded number of times on average,
 * however small the reads and whatever is consumed when.
 *
 * Ownership: the next `writable()` may move the bytes, and the read after it
 * overwrites them. No view handed out (`writable()`, `view()`, a subarray of
 * `bytes`) may be used after that call; copy what must live longer.
 *
 * @example Reading, then taking from the front
 * ```ts
 * import { ReceiveBuffer } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * await client.write(new Uint8Array([1, 2, 3]));
 * const buffer = new ReceiveBuffer();
 * buffer.commit(await server.read(buffer.writable()) ?? 0);
 * assertEquals(buffer.length, 3);
 * buffer.consume(1);
 * assertEquals(buffer.view(), new Uint8Array([2, 3]));
 * ```
 */
export class ReceiveBuffer {
  /**
   * The memory; replaced as the capacity changes. Only `start` to `end` means
   * something.
   */
  bytes: Uint8Array<ArrayBuffer>;
  /** Index in `bytes` of the first byte that waits. */
  start = 0;
  /** Index in `bytes` behind the last byte that waits. */
  end = 0;
  readonly #maxBytes: number;
  readonly #idleBytes: number;
  /** Most bytes that waited at a time since the buffer was last empty. */
  #peakBytes = 0;
  /** Whether the last read took all the memory there was: more may be coming. */
  #filled = false;

  /**
   * Makes an empty buffer of `idleBytes`.
   *
   * @param options Limit and idle size.
   * @throws {RangeError} If an option is not a positive integer.
   */
  constructor(options: ReceiveBufferOptions = {}) {
    const { maxBytes = 65_536, idleBytes = 1_024 } = options;
    this.#maxBytes = positiveInteger("maxBytes", maxBytes);
    this.#idleBytes = Math.min(positiveInteger("idleBytes", idleBytes), maxBytes);
    this.bytes = new Uint8Array(this.#idleBytes);
  }

  /** How many bytes wait. */
  get length(): number {
    return this.end - this.start;
  }

  /** How many bytes there is memory for. */
  get capacity(): number {
    return this.bytes.length;
  }

  /**
   * The free space behind what waits, for the next read. Grows, moves or
   * shrinks the memory where that is due, so views handed out before are void.
   *
   * @param minBytes Least size of the space; it may well be larger.
   * @returns A view, never empty.
   * @throws {LimitExceededError} If `minBytes` more would exceed `maxBytes`.
   */
  writable(minBytes = 1): Uint8Array<ArrayBuffer> {
    if (this.start === this.end) {
      this.start = this.end = 0;
      this.#fitEmpty(minBytes);
      // The idle case of a busy connection: no view object is made.
      if (this.bytes.length <= this.#maxBytes) return this.bytes;
    } else {
      this.#makeRoom(minBytes);
    }
    const limit = Math.min(this.bytes.length, this.start + this.#maxBytes);
    return this.bytes.subarray(this.end, limit);
  }

  /**
   * Takes note that a read has put bytes into the space of
   * {@linkcode ReceiveBuffer.writable}.
   *
   * @param byteCount How many; 0 is allowed.
   * @throws {RangeError} If there was no room for so many.
   */
  commit(byteCount: number): void {
    const end = this.end + byteCount;
    if (!(byteCount >= 0 && end <= this.bytes.length)) {
      throw new RangeError(
        `Cannot commit: ${byteCount} bytes, expected 0 to ${this.bytes.length - this.end}`,
      );
    }
    this.#filled = end === this.bytes.length;
    this.end = end;
    this.#peakBytes = Math.max(this.#peakBytes, end - this.start);
  }

  /**
   * Drops bytes from the front. Allowed while a read into
   * {@linkcode ReceiveBuffer.writable} is under way.
   *
   * @param byteCount How many.
   * @throws {RangeError} If fewer wait.
   */
  consume(byteCount: number): void {
    if (!(byteCount >= 0 && byteCount <= this.end - this.start)) {
      throw new RangeError(`Cannot consume: ${byteCount} bytes, expected 0 to ${this.length}`);
    }
    // Not back to the front when empty: a read may be under way behind `end`.
    this.start += byteCount;
  }

  /**
   * What waits, without a copy.
   *
   * @returns A view that is void after the next {@linkcode ReceiveBuffer.writable}.
   */
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(this.start, this.end);
  }

  /**
   * Gives the memory away, for whoever wants to keep what was consumed out of it without a copy.
   * What waits moves to memory of its own, with `idleBytes` behind it; with nothing waiting the
   * buffer has none until the next {@linkcode ReceiveBuffer.writable}. Not while a read is under
   * way.
   *
   * @returns The memory, all of it: it belongs to the caller, and is never written to again.
   */
  detach(): Uint8Array<ArrayBuffer> {
    const { bytes } = this;
    const rest = this.view();
    this.bytes = rest.length === 0 ? EMPTY : new Uint8Array(rest.length + this.#idleBytes);
    this.bytes.set(rest);
    this.start = 0;
    this.end = rest.length;
    this.#peakBytes = rest.length;
    this.#filled = false;
    return bytes;
  }

  /**
   * Goes back to the idle capacity if nothing waits; else does nothing. Not
   * while a read is under way.
   */
  shrink(): void {
    if (this.start !== this.end || this.bytes.length <= this.#idleBytes) return;
    this.start = this.end = 0;
    this.#filled = false;
    this.bytes = new Uint8Array(this.#idleBytes);
  }

  /** Chooses the capacity of an empty buffer. */
  #fitEmpty(minBytes: number): void {
    const capacity = this.bytes.length;
    let wanted = capacity;
    if (this.#filled) {
      const most = Math.min(MAX_READ_BYTES, this.#maxBytes);
      wanted = Math.max(capacity, Math.min(capacity * GROWTH_FACTOR, most));
    } else if (this.#peakBytes <= capacity / GROWTH_FACTOR) {
      wanted = this.#idleBytes;
    }
    this.#filled = false;
    this.#peakBytes = 0;
    if (minBytes > wanted) {
      this.#checkLimit(minBytes);
      wanted = minBytes;
    }
    if (wanted !== capacity) this.bytes = new Uint8Array(wanted);
  }

  /** Makes room behind bytes that wait. */
  #makeRoom(minBytes: number): void {
    const length = this.end - this.start;
    const capacity = this.bytes.length;
    const freeBytes = capacity - this.end;
    const moreComing = this.#filled && capacity < Math.min(MAX_READ_BYTES, 2 * this.#maxBytes);
    this.#checkLimit(length + minBytes);
    this.#filled = false;
    // Moving pays for itself if at least as many bytes were consumed as wait,
    // and is worth it if it gives more room than there is behind them.
    const movable = this.start >= length && capacity - length >= minBytes;
    if (movable && this.start > freeBytes && !moreComing) {
      this.bytes.copyWithin(0, this.start, this.end);
    } else if (freeBytes >= minBytes) {
      return;
    } else {
      this.#grow(length, minBytes);
    }
    this.start = 0;
    this.end = length;
  }

  /** Copies what waits into a memory larger by a factor, so that copies add up to O(n). */
  #grow(length: number, minBytes: number): void {
    const capacity = this.bytes.length;
    const factor = capacity < MAX_READ_BYTES ? GROWTH_FACTOR : 2;
    const wanted = Math.max(capacity * factor, length + minBytes);
    // Never short of room at twice the limit: there, more was consumed than waits.
    const larger = new Uint8Array(Math.min(wanted, 2 * this.#maxBytes));
    larger.set(this.view());
    this.bytes = larger;
  }

  #checkLimit(totalBytes: number): void {
    if (totalBytes <= this.#maxBytes) return;
    throw new LimitExceededError(
      `Cannot receive: ${totalBytes} bytes to hold, expected at most ${this.#maxBytes}`,
      { limit: "maxBytes", max: this.#maxBytes },
    );
  }
}

function positiveInteger(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(
    `Cannot create receive buffer: ${name} is ${value}, expected a positive integer`,
  );
}
