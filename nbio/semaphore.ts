/**
 * {@linkcode Semaphore}: only so many at a time.
 *
 * @module
 */

import { checkTimeLeft } from "./guard.ts";
import type { OperationOptions } from "./operation.ts";
import { WaitList } from "./wait_list.ts";

/** Options of {@linkcode Semaphore}. */
export interface SemaphoreOptions {
  /**
   * Calls that may wait for a permit at a time. 0 and `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly maxWaiters?: number;
}

/** How much of a {@linkcode Semaphore} a permit takes. */
export interface TryAcquireOptions {
  /**
   * Units the permit takes, an integer from 1 to the units of the semaphore:
   * for what is not all of one size, such as bytes in flight.
   *
   * @default {1}
   */
  readonly weight?: number;
}

/** Options of {@linkcode Semaphore.acquire}. */
export interface AcquireOptions extends OperationOptions, TryAcquireOptions {}

/**
 * The right to be one of so many. `using` gives it back at the end of a block.
 */
export interface SemaphorePermit extends Disposable {
  /** Units it takes. */
  readonly weight: number;

  /** Gives the units back. A second call does nothing. */
  release(): void;
}

/**
 * A counting semaphore, weighted and fair.
 *
 * Permits are given in the order in which they were asked for. A heavy one at
 * the head of the line holds up the light ones behind it, so that it cannot
 * starve; `tryAcquire` does not overtake either. One whose deadline passes or
 * whose signal is aborted leaves the line at once, and never holds a permit
 * that nobody gives back. Every operation is O(1).
 *
 * @example At most two downloads at a time
 * ```ts
 * import { Semaphore } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const downloads = new Semaphore(2);
 * let activeCount = 0;
 * let mostCount = 0;
 *
 * async function download(): Promise<void> {
 *   using _permit = await downloads.acquire();
 *   mostCount = Math.max(mostCount, ++activeCount);
 *   await Promise.resolve();
 *   activeCount--;
 * }
 *
 * await Promise.all([download(), download(), download(), download()]);
 * assertEquals([mostCount, downloads.available], [2, 2]);
 * ```
 */
export class Semaphore {
  readonly #max: number;
  readonly #waiters: WaitList<SemaphorePermit, number>;
  #available: number;

  /**
   * Makes a semaphore that is wholly available.
   *
   * @param max Units there are, an integer of at least 1.
   * @param options Bounds.
   * @throws {RangeError} If `max` or `maxWaiters` is out of its range.
   */
  constructor(max: number, options: SemaphoreOptions = {}) {
    if (!(Number.isSafeInteger(max) && max >= 1)) {
      throw new RangeError(
        `Cannot create semaphore: max is ${max}, expected an integer of at least 1`,
      );
    }
    this.#max = max;
    this.#available = max;
    this.#waiters = new WaitList({
      maxWaiters: options.maxWaiters ?? 10_000,
      // The one that left may have held up others that want less.
      onCancel: () => this.#grant(),
    });
  }

  /** Units there are. */
  get max(): number {
    return this.#max;
  }

  /** Units that no permit takes. Those in line come first to them. */
  get available(): number {
    return this.#available;
  }

  /** Calls that wait for a permit. */
  get waiterCount(): number {
    return this.#waiters.length;
  }

  /**
   * Takes a permit, as soon as it is there and everybody before has theirs.
   *
   * @param options Weight, deadline and signal. In line a deadline on the shared
   * wheel keeps the process alive.
   * @returns The permit, which the caller gives back.
   * @throws {LimitExceededError} If `maxWaiters` calls wait already.
   * @throws {TimeoutError} If there is no permit in time; `phase` is `"acquire"`.
   * @throws {RangeError} If `weight` is no integer from 1 to `max`, or
   * `timeoutMs` or `deadlineMs` is negative or not a number.
   * @throws {Error} The signal's reason.
   *
   * @example Bytes in flight
   * ```ts
   * import { Semaphore, TimeoutError } from "@nbio/net/nbio";
   * import { assertRejects } from "@std/assert";
   *
   * const budget = new Semaphore(1_000_000);
   * using _large = await budget.acquire({ weight: 900_000 });
   * await assertRejects(() => budget.acquire({ weight: 200_000, timeoutMs: 20 }), TimeoutError);
   * ```
   */
  async acquire(options: AcquireOptions = {}): Promise<SemaphorePermit> {
    const { weight = 1 } = options;
    this.#checkWeight(weight);
    // Before the attempt: whoever comes too late gets no permit, even if it is there.
    checkTimeLeft("acquire", options);
    return this.tryAcquire(options) ??
      await this.#waiters.wait("acquire", options, weight);
  }

  /**
   * Takes a permit if it is there and nobody waits.
   *
   * @param options Weight.
   * @returns The permit, or `undefined`.
   * @throws {RangeError} If `weight` is no integer from 1 to `max`.
   *
   * @example Refusing instead of waiting
   * ```ts
   * import { Semaphore } from "@nbio/net/nbio";
   * import { assertEquals } from "@std/assert";
   *
   * const slots = new Semaphore(1);
   * using permit = slots.tryAcquire();
   * assertEquals([permit?.weight, slots.tryAcquire()], [1, undefined]);
   * ```
   */
  tryAcquire(options: TryAcquireOptions = {}): SemaphorePermit | undefined {
    const { weight = 1 } = options;
    this.#checkWeight(weight);
    return this.#waiters.length === 0 && weight <= this.#available ? this.#take(weight) : undefined;
  }

  /**
   * Runs a task with a permit, which is given back when the task has settled.
   *
   * @param task What to run. Deadline and signal end the wait for the permit,
   * not the task: see {@linkcode withTimeout} for that.
   * @param options As for {@linkcode Semaphore.acquire}.
   * @returns What `task` gives.
   * @throws {Error} What `acquire` or `task` throws.
   *
   * @example One after the other
   * ```ts
   * import { Semaphore } from "@nbio/net/nbio";
   * import { assertEquals } from "@std/assert";
   *
   * const lock = new Semaphore(1);
   * const order: string[] = [];
   * await Promise.all(["a", "b"].map((name) =>
   *   lock.run(async () => {
   *     order.push(`${name} in`);
   *     await Promise.resolve();
   *     order.push(`${name} out`);
   *   })
   * ));
   * assertEquals(order, ["a in", "a out", "b in", "b out"]);
   * ```
   */
  async run<T>(task: () => T | PromiseLike<T>, options?: AcquireOptions): Promise<T> {
    const permit = await this.acquire(options);
    try {
      return await task();
    } finally {
      permit.release();
    }
  }

  #checkWeight(weight: number): void {
    if (Number.isInteger(weight) && weight >= 1 && weight <= this.#max) return;
    throw new RangeError(
      `Cannot acquire: weight is ${weight}, expected an integer from 1 to ${this.#max}`,
    );
  }

  #take(weight: number): SemaphorePermit {
    this.#available -= weight;
    return new Permit(weight, this.#release);
  }

  readonly #release = (weight: number): void => {
    this.#available += weight;
    this.#grant();
  };

  /** Serves those in line, up to the first that has to wait on. */
  #grant(): void {
    for (let weight; (weight = this.#waiters.firstRequest) !== undefined;) {
      if (weight > this.#available) return;
      this.#waiters.resolveFirst(this.#take(weight));
    }
  }
}

class Permit implements SemaphorePermit {
  readonly weight: number;
  #release: ((weight: number) => void) | undefined;

  constructor(weight: number, release: (weight: number) => void) {
    this.weight = weight;
    this.#release = release;
  }

  release(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.(this.weight);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
