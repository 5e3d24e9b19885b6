// This module is sans-I/O.

const BUCKET_COUNT = 256;
const NONE = -1;

/** Stands for the root: what the last label of a name stands on. */
export const ROOT = -1;

/**
 * The labels of a message that a pointer may lead to, as a tree: an entry is a label and the entry
 * of what follows it. A name is found label by label from its end, without any text being made.
 */
export class CompressionTable {
  readonly #max: number;
  readonly #heads = new Int16Array(BUCKET_COUNT).fill(NONE);
  #count = 0;
  readonly #offsets: number[] = [];
  readonly #parents: number[] = [];
  readonly #nexts: number[] = [];
  readonly #buckets: number[] = [];

  /** At most `max` labels are kept, 0 to 8,192. */
  constructor(max: number) {
    this.#max = max;
  }

  clear(): void {
    if (this.#count === 0) return;
    this.#heads.fill(NONE);
    this.#count = 0;
  }

  offsetOf(entry: number): number {
    return this.#offsets[entry]!;
  }

  /** The entry of the label at `at` that stands on `parent`; -1 if there is none. */
  find(bytes: Uint8Array, at: number, parent: number): number {
    let entry = this.#heads[bucketOf(bytes, at, parent)]!;
    while (entry !== NONE) {
      if (this.#parents[entry] === parent && isSameLabel(bytes, at, this.#offsets[entry]!)) {
        return entry;
      }
      entry = this.#nexts[entry]!;
    }
    return NONE;
  }

  /** Adds the label at `at`; gives its entry, -1 if the table is full. */
  add(bytes: Uint8Array, at: number, parent: number): number {
    if (this.#count === this.#max) return NONE;
    const entry = this.#count++;
    const bucket = bucketOf(bytes, at, parent);
    this.#offsets[entry] = at;
    this.#parents[entry] = parent;
    this.#nexts[entry] = this.#heads[bucket]!;
    this.#buckets[entry] = bucket;
    this.#heads[bucket] = entry;
    return entry;
  }

  /** Forgets every label at `offset` and behind it, those added last. */
  cut(offset: number): void {
    // Entries of one name are added from its end, so those of the last name may be out of order;
    // but no name begins before a cut and ends behind it.
    while (this.#count > 0 && this.#offsets[this.#count - 1]! >= offset) {
      const entry = --this.#count;
      this.#heads[this.#buckets[entry]!] = this.#nexts[entry]!;
    }
  }
}

function bucketOf(bytes: Uint8Array, at: number, parent: number): number {
  const end = at + bytes[at]!;
  let hash = parent;
  for (let i = at; i <= end; i++) hash = Math.imul(hash, 31) + bytes[i]! | 0;
  return (hash ^ hash >>> 8 ^ hash >>> 16) & BUCKET_COUNT - 1;
}

function isSameLabel(bytes: Uint8Array, a: number, b: number): boolean {
  const length = bytes[a]!;
  for (let i = 0; i <= length; i++) {
    if (bytes[a + i] !== bytes[b + i]) return false;
  }
  return true;
}
