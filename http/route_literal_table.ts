// This module is sans-I/O.

const MULTIPLIER = 31;
const MIN_SLOTS = 4;

/**
 * Values by literal text, found by a range of a longer text whose hash is known
 * already: no substring is made. The keys are those of the routes, so nobody
 * outside can choose ones that collide.
 */
export class LiteralTable<V> {
  readonly #labels: string[] = [];
  readonly #hashes: number[] = [];
  readonly #values: V[] = [];
  /** Index of a label, plus one, at the place its hash says or behind it. */
  #slots: Int32Array = new Int32Array(MIN_SLOTS);

  /**
   * The value of a range of text.
   *
   * @param hash Hash of the range.
   * @param text Text with the range.
   * @param start Index of its first character.
   * @param stop Index behind its last character.
   */
  find(hash: number, text: string, start: number, stop: number): V | undefined {
    const slots = this.#slots;
    const mask = slots.length - 1;
    // Half of the slots at least are empty.
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1;
      if (index < 0) return undefined;
      if (this.#hashes[index] === hash && isRange(this.#labels[index]!, text, start, stop)) {
        return this.#values[index];
      }
    }
  }

  /** The value of a label. */
  get(label: string): V | undefined {
    return this.find(hashOf(label), label, 0, label.length);
  }

  /** Adds a label that is not there; gives its value back. */
  set(label: string, value: V): V {
    this.#labels.push(label);
    this.#hashes.push(hashOf(label));
    this.#values.push(value);
    if (this.#labels.length * 2 > this.#slots.length) this.#grow();
    else this.#place(this.#labels.length - 1);
    return value;
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let index = 0; index < this.#labels.length; index++) this.#place(index);
  }

  #place(index: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[index]! & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index + 1;
  }
}

function isRange(label: string, text: string, start: number, stop: number): boolean {
  if (stop - start !== label.length) return false;
  for (let index = 0; index < label.length; index++) {
    if (label.charCodeAt(index) !== text.charCodeAt(start + index)) return false;
  }
  return true;
}

/** The hash that a scan of a path computes for each segment. */
export function hashOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash, MULTIPLIER) + text.charCodeAt(index) | 0;
  }
  return hash;
}
