// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { decodeUtf8 } from "./utf8_text.ts";

const INITIAL_BYTES = 256;
/** Memory set aside for what was announced, before any of it has come. */
const UNPROVEN_BYTES = 65_536;
/** How much faster memory grows than what has come. */
const GROWTH_FACTOR = 4;
/** Memory kept for the next text: a message longer than this pays for its own. */
const MAX_KEPT_BYTES = 16_384;

/**
 * Puts a message together from pieces, in one growing buffer: what it holds is
 * bounded by the bytes of the message, not by the number of its pieces, and no
 * piece keeps the chunk it came in alive.
 *
 * Memory follows what has come, not what was announced; only as much as a
 * message of the same connection has already filled is set aside at once.
 *
 * @example A message in three fragments
 * ```ts
 * import { MessageAssembler } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const assembler = new MessageAssembler(1_024);
 * for (const piece of ["a", "", "bc"]) {
 *   const bytes = new TextEncoder().encode(piece);
 *   assembler.append(bytes, 0, bytes.length);
 * }
 * assertEquals(assembler.takeText(), "abc");
 * assertEquals(assembler.length, 0);
 * ```
 */
export class MessageAssembler {
  readonly #maxBytes: number;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;
  /** Size of the largest message so far. */
  #provenBytes = 0;

  /**
   * Makes an assembler that holds nothing.
   *
   * @param maxBytes Longest message, in bytes; Infinity for no bound.
   */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the message at hand that are here. */
  get length(): number {
    return this.#length;
  }

  /** The memory behind the message at hand. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes ?? EMPTY;
  }

  /** Bytes of memory held, for whatever has come. */
  get capacity(): number {
    return this.#bytes?.length ?? 0;
  }

  /**
   * Notes that more of the message is to come.
   *
   * @param byteCount How much.
   * @throws {LimitExceededError} If the message would be too long.
   */
  announce(byteCount: number): void {
    const total = this.#length + byteCount;
    if (total > this.#maxBytes) throw tooLong(total, this.#maxBytes);
  }

  /**
   * Copies a piece behind what is here.
   *
   * @param bytes Memory with the piece.
   * @param start Index of its first byte.
   * @param end Index behind its last byte.
   * @param expectedBytes How much is to follow, as far as that is known.
   * @throws {LimitExceededError} If the message would be too long.
   */
  append(bytes: Uint8Array, start: number, end: number, expectedBytes = 0): void {
    const count = end - start;
    if (count === 0) return;
    this.announce(count);
    this.#reserve(count, expectedBytes);
    if (count === bytes.length) this.#bytes!.set(bytes, this.#length);
    else this.#bytes!.set(bytes.subarray(start, end), this.#length);
    this.#length += count;
  }

  /**
   * Memory behind what is here, to read into instead of appending.
   *
   * @param expectedBytes How much is to come, at least 1.
   * @returns A view of at least one byte and at most `expectedBytes`, void after
   * the next call of any method but `commit()`.
   */
  writable(expectedBytes: number): Uint8Array<ArrayBuffer> {
    this.#reserve(1, expectedBytes - 1);
    const end = Math.min(this.#bytes!.length, this.#length + expectedBytes);
    return this.#bytes!.subarray(this.#length, end);
  }

  /**
   * Notes that bytes were put into the memory of
   * {@linkcode MessageAssembler.writable}.
   *
   * @param byteCount How many, at most as long as that was.
   */
  commit(byteCount: number): void {
    this.#length += byteCount;
  }

  /**
   * Ends the message as bytes.
   *
   * @returns The message, in memory that belongs to the caller and holds little
   * else.
   */
  takeBytes(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes;
    const length = this.#end();
    if (bytes === undefined || length === 0) return new Uint8Array(0);
    if (length * 4 < bytes.length * 3) return bytes.slice(0, length);
    this.#bytes = undefined;
    return length === bytes.length ? bytes : bytes.subarray(0, length);
  }

  /**
   * Ends the message as text.
   *
   * @returns The text; `undefined` where it is no UTF-8.
   */
  takeText(): string | undefined {
    const bytes = this.#bytes;
    const length = this.#end();
    if (bytes === undefined) return "";
    if (bytes.length > MAX_KEPT_BYTES) this.#bytes = undefined;
    return decodeUtf8(bytes, 0, length);
  }

  /** Forgets the message at hand, and lets go of the memory. */
  clear(): void {
    this.#bytes = undefined;
    this.#length = 0;
  }

  #end(): number {
    const length = this.#length;
    this.#length = 0;
    this.#provenBytes = Math.max(this.#provenBytes, length);
    return length;
  }

  #reserve(count: number, expectedBytes: number): void {
    const capacity = this.#bytes?.length ?? 0;
    const needed = this.#length + count;
    if (needed <= capacity) return;
    const trusted = Math.max(UNPROVEN_BYTES, this.#provenBytes, needed * GROWTH_FACTOR);
    const wanted = expectedBytes > 0
      // All of it at once, as far as it can be trusted.
      ? Math.min(needed + expectedBytes, trusted)
      : Math.max(INITIAL_BYTES, capacity * 2);
    const grown = new Uint8Array(Math.max(needed, Math.min(wanted, this.#maxBytes)));
    if (this.#length > 0) grown.set(this.#bytes!.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

const EMPTY = new Uint8Array(0);

function tooLong(bytes: number, max: number): LimitExceededError {
  return new LimitExceededError(`Cannot receive message: ${bytes} bytes exceed ${max}`, {
    limit: "maxMessageBytes",
    max,
  });
}
