// This module is sans-I/O.

/**
 * {@linkcode SeededRandom}: chance that a failing test can repeat.
 *
 * @module
 */

/**
 * A small pseudo-random generator: the same seed gives the same sequence in
 * every version and on every machine. Not for secrets.
 *
 * @example The same seed, the same numbers
 * ```ts
 * import { SeededRandom } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const first = new SeededRandom(7);
 * const second = new SeededRandom(7);
 * assertEquals(first.bytes(8), second.bytes(8));
 * assertEquals(first.pick(["a", "b", "c"]), second.pick(["a", "b", "c"]));
 * ```
 */
export class SeededRandom {
  #state: number;

  /**
   * Begins a sequence.
   *
   * @param seed Any integer; its lowest 32 bits count.
   */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** The next 32 bits, as an unsigned integer. */
  #bits(): number {
    // A counter that walks through all 2^32 values, and two rounds of
    // xor-shift-multiply that spread each of its bits over the whole word.
    this.#state = (this.#state + 0x9e37_79b9) | 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 16), 0x21f0_aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a_2d97);
    return (word ^ (word >>> 15)) >>> 0;
  }

  /** A number from 0 to just under 1. */
  next(): number {
    return this.#bits() / 0x1_0000_0000;
  }

  /**
   * An integer.
   *
   * @param max How many values are possible, 1 to 2^32.
   * @returns 0 to `max - 1`.
   * @throws {RangeError} If `max` is not such an integer.
   */
  int(max: number): number {
    if (!(Number.isInteger(max) && max >= 1 && max <= 0x1_0000_0000)) {
      throw new RangeError(`Cannot choose: max is ${max}, expected an integer from 1 to 2^32`);
    }
    return Math.floor(this.next() * max);
  }

  /**
   * Random bytes.
   *
   * @param length How many.
   * @returns A new array.
   */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.#bits();
    return bytes;
  }

  /**
   * One of several values.
   *
   * @param values What to choose from, at least one.
   * @returns An element of `values`.
   * @throws {RangeError} If `values` is empty.
   */
  pick<T>(values: readonly T[]): T {
    return values[this.int(values.length)]!;
  }
}
