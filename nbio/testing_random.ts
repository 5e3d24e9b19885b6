// This module is sans-I/O.

/**
 * {@linkcode SeededRandom}: chance that a failing test can repeat.
 *
 * @module
 */

import { checkSeed } from "./_testing_check_faults.ts";

/**
 * A small pseudo-random generator: the same seed gives the same sequence in
 * every version and on every machine. Not for secrets.
 *
 * Every choice takes a fixed number of steps of the sequence, whatever comes
 * out of it, so that one choice does not shift those after it.
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
   * @throws {RangeError} If `seed` is no integer.
   */
  constructor(seed: number) {
    this.#state = checkSeed(seed) | 0;
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

  /**
   * An integer between two bounds, both included.
   *
   * @param min The least one.
   * @param max The greatest one; at most 2^32 - 1 above `min`.
   * @returns An integer from `min` to `max`.
   * @throws {RangeError} If a bound is not an integer, or they are in the wrong
   * order or too far apart.
   *
   * @example A port that needs no privilege
   * ```ts
   * import { SeededRandom } from "@nbio/net/nbio/testing";
   * import { assert } from "@std/assert";
   *
   * const port = new SeededRandom(1).between(1_024, 65_535);
   * assert(port >= 1_024 && port <= 65_535);
   * ```
   */
  between(min: number, max: number): number {
    if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && min <= max)) {
      throw new RangeError(`Cannot choose: ${min} to ${max}, expected two integers in order`);
    }
    return min + this.int(max - min + 1);
  }

  /**
   * A length: short ones are as common as long ones, because it is the short
   * ones that find mistakes. 1 comes as often as 2 or 3, and as 4 to 7 together.
   *
   * @param max The greatest one, an integer from 1 to 2^31.
   * @returns An integer from 1 to `max`.
   * @throws {RangeError} If `max` is not such an integer.
   *
   * @example As many up to 127 as above, up to 16,383
   * ```ts
   * import { SeededRandom } from "@nbio/net/nbio/testing";
   * import { assert } from "@std/assert";
   *
   * const random = new SeededRandom(1);
   * const lengths = Array.from({ length: 1_000 }, () => random.length(16_383));
   * const shortCount = lengths.filter((length) => length < 128).length;
   * assert(shortCount > 400 && shortCount < 600);
   * ```
   */
  length(max: number): number {
    if (!(Number.isInteger(max) && max >= 1 && max <= 0x8000_0000)) {
      throw new RangeError(`Cannot choose: max is ${max}, expected an integer from 1 to 2^31`);
    }
    // Integers only: a power or a logarithm may differ from engine to engine.
    const least = 2 ** this.int(32 - Math.clz32(max));
    return least + this.int(Math.min(least, max - least + 1));
  }

  /**
   * Whether something happens that happens with a given probability.
   *
   * @param probability 0 (never) to 1 (always).
   * @returns Whether it happens.
   * @throws {RangeError} If `probability` is out of its range.
   *
   * @example One packet in ten is lost
   * ```ts
   * import { SeededRandom } from "@nbio/net/nbio/testing";
   * import { assert } from "@std/assert";
   *
   * const random = new SeededRandom(1);
   * let lostCount = 0;
   * for (let i = 0; i < 1_000; i++) if (random.chance(0.1)) lostCount++;
   * assert(lostCount > 60 && lostCount < 140);
   * ```
   */
  chance(probability: number): boolean {
    if (!(probability >= 0 && probability <= 1)) {
      throw new RangeError(`Cannot choose: probability is ${probability}, expected 0 to 1`);
    }
    return this.next() < probability;
  }

  /**
   * One of several values, some likelier than others.
   *
   * @param choices Pairs of a value and its weight: a finite number of at least
   * 0, not all of them 0.
   * @returns One of the values, with a probability in proportion to its weight.
   * @throws {RangeError} If a weight is not such a number, or all are 0.
   *
   * @example Mostly reads, some writes
   * ```ts
   * import { SeededRandom } from "@nbio/net/nbio/testing";
   * import { assert } from "@std/assert";
   *
   * const random = new SeededRandom(1);
   * const steps = Array.from({ length: 100 }, () => random.weighted([["read", 9], ["write", 1]]));
   * assert(steps.filter((step) => step === "read").length > 70);
   * ```
   */
  weighted<T>(choices: readonly (readonly [value: T, weight: number])[]): T {
    let total = 0;
    for (const [, weight] of choices) total += weight >= 0 ? weight : NaN;
    if (!(total > 0 && total < Infinity)) {
      throw new RangeError(`Cannot choose: the weights add up to ${total}, expected more than 0`);
    }
    let left = this.next() * total;
    let chosen: T | undefined;
    for (const [value, weight] of choices) {
      if (weight === 0) continue;
      chosen = value;
      left -= weight;
      if (left < 0) break;
    }
    // Rounding may leave a little behind the last one.
    return chosen as T;
  }

  /**
   * The same values in a random order, every order as likely as the others.
   *
   * @param values What to order; not changed.
   * @returns A new array.
   *
   * @example Answers that come in any order
   * ```ts
   * import { SeededRandom } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const shuffled = new SeededRandom(1).shuffle([1, 2, 3, 4]);
   * assertEquals(shuffled.toSorted(), [1, 2, 3, 4]);
   * ```
   */
  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.int(last + 1);
      const value = shuffled[last]!;
      shuffled[last] = shuffled[other]!;
      shuffled[other] = value;
    }
    return shuffled;
  }

  /**
   * A generator of its own for one part of a test, so that what other parts
   * draw does not change what it draws.
   *
   * @returns A generator whose seed is the next number of this one.
   *
   * @example One for each direction
   * ```ts
   * import { SeededRandom } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const first = new SeededRandom(1);
   * const [up, down] = [first.fork(), first.fork()];
   * const second = new SeededRandom(1);
   * const [upAgain] = [second.fork(), second.fork()];
   * down.bytes(100);
   * assertEquals(up.bytes(8), upAgain.bytes(8));
   * ```
   */
  fork(): SeededRandom {
    return new SeededRandom(this.#bits());
  }
}
