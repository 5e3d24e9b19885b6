/**
 * {@linkcode checkBound}: an option that bounds a number of things.
 *
 * @module
 */

/**
 * Checks a bound for which 0 and `Infinity` mean none.
 *
 * @param name What the option is called.
 * @param value What the caller gave.
 * @returns The bound.
 * @throws {RangeError} If it is negative, or neither an integer nor `Infinity`.
 */
export function checkBound(name: string, value: number): number {
  if (value === 0 || value === Infinity) return Infinity;
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(
    `Cannot use ${name} ${value}: expected an integer of at least 0 or Infinity`,
  );
}
