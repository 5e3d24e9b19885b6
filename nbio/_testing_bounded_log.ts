// This module is sans-I/O.

/**
 * {@linkcode BoundedLog}: what happened first, up to a number.
 *
 * @module
 */

/**
 * A list that keeps what is added until it is full, and only counts the rest.
 * The beginning is what explains a failure, and it is what stays.
 */
export class BoundedLog<T> {
  readonly #entries: T[] = [];
  readonly #maxCount: number;
  #omittedCount = 0;

  /** Makes an empty one; throws a `RangeError` if `maxCount` is no integer of at least 0. */
  constructor(maxCount: number) {
    if (!(maxCount === Infinity || (Number.isSafeInteger(maxCount) && maxCount >= 0))) {
      throw new RangeError(
        `Cannot keep a log: maxLogCount is ${maxCount}, expected an integer of at least 0`,
      );
    }
    this.#maxCount = maxCount;
  }

  /** What was kept, in order; it grows as more happens. */
  get entries(): readonly T[] {
    return this.#entries;
  }

  /** Takes note of one. */
  add(entry: T): void {
    if (this.#entries.length < this.#maxCount) this.#entries.push(entry);
    else this.#omittedCount++;
  }

  /** A title and a line for each entry. */
  format(title: string, formatEntry: (entry: T) => string): string {
    const lines = [title, ...this.#entries.map((entry) => `  ${formatEntry(entry)}`)];
    if (this.#omittedCount > 0) lines.push(`  and ${this.#omittedCount} more`);
    return lines.join("\n");
  }
}
