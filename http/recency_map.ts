// This module is sans-I/O.

/** A key with its value, in the order of use. */
class Entry<K, V> {
  readonly key: K;
  value: V;
  older: Entry<K, V> | undefined = undefined;
  newer: Entry<K, V> | undefined = undefined;

  constructor(key: K, value: V) {
    this.key = key;
    this.value = value;
  }
}

/**
 * A map with a bound that knows which key was used longest ago: that one goes
 * where there are too many. Everything takes constant time.
 *
 * A `Map` has an order too, but to move a key in it is to delete and add it, and
 * what is deleted stays in the way of all look-ups of that key until the whole map
 * is made anew: with many keys, one that comes again and again costs a fraction of
 * a millisecond each time. Here the order is a list of its own.
 *
 * @typeParam K Type of the keys.
 * @typeParam V Type of the values.
 */
export class RecencyMap<K, V> implements Iterable<[key: K, value: V]> {
  readonly #entries: Map<K, Entry<K, V>> = new Map();
  readonly #maxCount: number;
  #oldest: Entry<K, V> | undefined;
  #newest: Entry<K, V> | undefined;

  /**
   * Makes an empty map.
   *
   * @param maxCount Most keys, at least 1; Infinity for no bound.
   */
  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  /** Number of keys. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether another key would push one out. */
  get isFull(): boolean {
    return this.#entries.size >= this.#maxCount;
  }

  /** The value of the key that was used longest ago. */
  get oldest(): V | undefined {
    return this.#oldest?.value;
  }

  /**
   * The value of a key, which does not count as use.
   *
   * @param key The key.
   */
  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /**
   * The value of a key, which is the one used last from now on.
   *
   * @param key The key.
   */
  touch(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#moveToEnd(entry);
    return entry.value;
  }

  /**
   * Sets the value of a key, which is the one used last from now on.
   *
   * @param key The key.
   * @param value The value.
   * @returns What had to go for it, if something had to.
   */
  set(key: K, value: V): readonly [key: K, value: V] | undefined {
    const present = this.#entries.get(key);
    if (present !== undefined) {
      present.value = value;
      this.#moveToEnd(present);
      return undefined;
    }
    const dropped = this.isFull ? this.#oldest : undefined;
    if (dropped !== undefined) this.delete(dropped.key);
    const entry = new Entry(key, value);
    this.#entries.set(key, entry);
    this.#link(entry);
    return dropped && [dropped.key, dropped.value];
  }

  /**
   * Removes a key.
   *
   * @param key The key.
   * @returns The value it had.
   */
  delete(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#unlink(entry);
    return entry.value;
  }

  /** Keys and values, the one used longest ago first; the one at hand may be deleted. */
  *[Symbol.iterator](): IterableIterator<[key: K, value: V]> {
    for (let entry = this.#oldest; entry !== undefined;) {
      const { newer } = entry;
      yield [entry.key, entry.value];
      entry = newer;
    }
  }

  #moveToEnd(entry: Entry<K, V>): void {
    if (entry === this.#newest) return;
    this.#unlink(entry);
    this.#link(entry);
  }

  #link(entry: Entry<K, V>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry<K, V>): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
