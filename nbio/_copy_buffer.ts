// This module is sans-I/O.

/**
 * The memory of one copying: small while little comes, large while much does.
 *
 * @module
 */

/** Thousands of connections are idle or carry little. */
const FIRST_BYTES = 16_384;

/** 16, 64, 256 KiB in two full reads. */
const GROWTH_FACTOR = 4;

/**
 * Reads in a row that the next smaller size would have held with room to spare,
 * before it is taken: sizes that went to and fro would cost more than they save.
 */
const MAX_SHORT_READS = 16;

/** A buffer that is read into and written from, and never does both at a time. */
export class CopyBuffer {
  readonly #maxBytes: number;
  #bytes: Uint8Array;
  #shortCount = 0;
  #wasFilled = false;

  /** @param maxBytes Most memory it takes, a positive integer. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#bytes = new Uint8Array(Math.min(maxBytes, FIRST_BYTES));
  }

  /** @returns Where the next read goes; what was there before is void. */
  space(): Uint8Array {
    const { length } = this.#bytes;
    if (this.#wasFilled && length < this.#maxBytes) {
      this.#resize(Math.min(length * GROWTH_FACTOR, this.#maxBytes));
    } else if (this.#shortCount >= MAX_SHORT_READS && length > FIRST_BYTES) {
      this.#resize(Math.max(Math.floor(length / GROWTH_FACTOR), FIRST_BYTES));
    }
    return this.#bytes;
  }

  /**
   * @param byteCount How much a read has brought.
   * @returns A view of it, until the next {@linkcode CopyBuffer.space}.
   */
  chunk(byteCount: number): Uint8Array {
    const { length } = this.#bytes;
    this.#wasFilled = byteCount === length;
    this.#shortCount = byteCount < length / GROWTH_FACTOR ? this.#shortCount + 1 : 0;
    return this.#wasFilled ? this.#bytes : this.#bytes.subarray(0, byteCount);
  }

  #resize(length: number): void {
    this.#bytes = new Uint8Array(length);
    this.#shortCount = 0;
    this.#wasFilled = false;
  }
}
