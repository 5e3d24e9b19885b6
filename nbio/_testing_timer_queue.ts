// This module is sans-I/O.

/**
 * {@linkcode TimerQueue}: what is due, and in which order.
 *
 * @module
 */

/** Something to call at an instant. */
export interface QueuedTimer {
  /** When, in milliseconds. */
  readonly instantMs: number;
  /** Place among those of the same instant: the order in which they were added. */
  readonly id: number;
  /** What to call. */
  readonly callback: () => void;
}

/** Removed entries that the heap keeps before it is made anew without them. */
const MIN_STALE_COUNT = 64;

/**
 * Timers ordered by instant, then by age: a binary heap, which leaves removed
 * entries where they are until they come up or outnumber the others. Adding,
 * removing and taking cost O(log n) on average.
 */
export class TimerQueue {
  #heap: QueuedTimer[] = [];
  readonly #waiting: Map<number, QueuedTimer> = new Map();
  #nextId = 1;

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The first that is due; `undefined` if none waits. */
  get first(): QueuedTimer | undefined {
    while (this.#heap.length > 0 && !this.#waiting.has(this.#heap[0]!.id)) this.#removeFirst();
    return this.#heap[0];
  }

  /** Adds one; gives back what {@linkcode TimerQueue.remove} takes. */
  add(instantMs: number, callback: () => void): number {
    const timer = { instantMs, id: this.#nextId++, callback };
    this.#waiting.set(timer.id, timer);
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    return timer.id;
  }

  /** Removes one; nothing happens if it is not there. */
  remove(id: number): void {
    if (!this.#waiting.delete(id)) return;
    if (this.#heap.length < 2 * this.#waiting.size + MIN_STALE_COUNT) return;
    // A sorted array is a heap.
    this.#heap = [...this.#waiting.values()].sort((a, b) => isBefore(a, b) ? -1 : 1);
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    for (let index = from; index > 0;) {
      const parent = (index - 1) >> 1;
      if (!isBefore(heap[index]!, heap[parent]!)) return;
      swap(heap, index, parent);
      index = parent;
    }
  }

  #sink(from: number): void {
    const heap = this.#heap;
    for (let index = from;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
      if (!isBefore(heap[child]!, heap[index]!)) return;
      swap(heap, index, child);
      index = child;
    }
  }
}

function isBefore(a: QueuedTimer, b: QueuedTimer): boolean {
  return a.instantMs === b.instantMs ? a.id < b.id : a.instantMs < b.instantMs;
}

function swap(heap: QueuedTimer[], i: number, j: number): void {
  const timer = heap[i]!;
  heap[i] = heap[j]!;
  heap[j] = timer;
}
