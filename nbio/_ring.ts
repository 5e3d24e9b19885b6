/**
 * {@linkcode Ring}: what is added at one end and taken from the other.
 *
 * @module
 */

/** Places of a ring that holds little: a power of two. */
const MIN_CAPACITY = 16;

/** Places an empty ring may keep; one that has grown larger starts anew. */
const MAX_IDLE_CAPACITY = 1_024;

/**
 * A circular array that doubles when it is full. `Array.prototype.shift` moves
 * all that remains, which is linear; this moves nothing but when it grows.
 */
export class Ring<T> {
  #places: (T | undefined)[] = new Array(MIN_CAPACITY).fill(undefined);
  #start = 0;
  #length = 0;

  /** How many values it holds. */
  get length(): number {
    return this.#length;
  }

  /** Places it has. */
  get capacity(): number {
    return this.#places.length;
  }

  /**
   * Adds a value at the end. O(1), amortised.
   *
   * @param value What to add.
   */
  push(value: T): void {
    if (this.#length === this.#places.length) this.#grow();
    this.#places[this.#placeOf(this.#length++)] = value;
  }

  /**
   * Takes the oldest value. O(1).
   *
   * @returns The value, `undefined` if there is none.
   */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const value = this.#places[this.#start];
    // The ring must not keep alive what it no longer holds.
    this.#places[this.#start] = undefined;
    this.#start = this.#placeOf(1);
    if (--this.#length === 0 && this.#places.length > MAX_IDLE_CAPACITY) this.clear();
    return value;
  }

  /**
   * Takes all.
   *
   * @returns The values, oldest first.
   */
  clear(): T[] {
    const values = this.#values();
    this.#places = new Array(MIN_CAPACITY).fill(undefined);
    this.#start = 0;
    this.#length = 0;
    return values;
  }

  /** The place `offset` after the oldest value; the capacity is a power of two. */
  #placeOf(offset: number): number {
    return (this.#start + offset) & (this.#places.length - 1);
  }

  #grow(): void {
    const values = this.#values();
    const places: (T | undefined)[] = new Array(values.length * 2).fill(undefined);
    for (let i = 0; i < values.length; i++) places[i] = values[i];
    this.#places = places;
    this.#start = 0;
  }

  #values(): T[] {
    return Array.from({ length: this.#length }, (_, i) => this.#places[this.#placeOf(i)] as T);
  }
}
