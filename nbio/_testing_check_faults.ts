// This module is sans-I/O.

/**
 * Chances and delays, checked the same way for streams and datagrams.
 *
 * @module
 */

/**
 * Checks a probability.
 *
 * @param name What the option is called.
 * @param value What the caller gave.
 * @throws {RangeError} If it is not 0 to 1.
 */
export function checkChance(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw faultError(name, value, "0 to 1");
}

/**
 * Checks a delay, in milliseconds.
 *
 * @param name What the option is called.
 * @param value What the caller gave.
 * @param min The least that will do.
 * @throws {RangeError} If it is no integer from `min`, or 2^32 or more above it.
 */
export function checkDelay(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min && value - min < 0x1_0000_0000) return;
  throw faultError(name, value, `an integer of at least ${min}`);
}

/**
 * Checks a seed: one that is no integer, as of a text that was no number, would
 * silently stand for another.
 *
 * @param seed What the caller gave.
 * @returns The seed.
 * @throws {RangeError} If it is no integer.
 */
export function checkSeed(seed: number): number {
  if (Number.isInteger(seed)) return seed;
  throw new RangeError(`Cannot use seed ${seed}: expected an integer`);
}

/** The error for a fault that is out of its range. */
export function faultError(name: string, value: number, expected: string): RangeError {
  return new RangeError(`Cannot make faults: ${name} is ${value}, expected ${expected}`);
}
