/**
 * {@linkcode AsyncQueue}: a bounded queue between those who make and those who
 * use.
 *
 * @module
 */

import { Ring } from "./_ring.ts";
import { checkTimeLeft } from "./guard.ts";
import type { OperationOptions } from "./operation.ts";
import { QueueClosedError } from "./queue_closed_error.ts";
import { WaitList } from "./wait_list.ts";

/** Options of {@linkcode AsyncQueue}. */
export interface AsyncQueueOptions {
  /**
   * Items the queue holds, at least 1. A push waits while there are so many.
   * `Infinity` makes the queue unbounded: then nothing slows down one who
   * pushes faster than others pop.
   *
   * @default {1_000}
   */
  readonly maxLength?: number;

  /**
   * Pushes that may wait for room, and pops that may wait for an item, at a
   * time. Each push that waits holds its item, so this is a bound on memory as
   * well. 0 and `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly maxWaiters?: number;
}

/**
 * A first-in-first-out queue with back-pressure, for any number of producers
 * and consumers.
 *
 * - Order: items come out as they went in; pushes that wait get room, and pops
 *   that wait get items, in the order of their calls. Nobody overtakes, the
 *   `try` methods neither.
 * - Cancelling: a push or pop whose deadline passes or whose signal is aborted
 *   leaves its place at once. An item is in the queue if and only if its push
 *   resolved, and has been taken if and only if a pop resolved with it.
 * - Cost: every operation is O(1), amortised over growth. An item goes straight
 *   to a pop that waits.
 *
 * `undefined` cannot be an item: it is what a pop says at the end.
 *
 * @example A producer that is held back, and a consumer
 * ```ts
 * import { AsyncQueue } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new AsyncQueue<number>({ maxLength: 2 });
 *
 * async function produce(): Promise<void> {
 *   for (let n = 1; n <= 5; n++) await queue.push(n); // waits from the third on
 *   queue.close();
 * }
 *
 * const produced = produce();
 * const items: number[] = [];
 * for await (const n of queue) items.push(n);
 * await produced;
 * assertEquals(items, [1, 2, 3, 4, 5]);
 * ```
 */
export class AsyncQueue<T extends NonNullable<unknown> | null> implements AsyncIterable<T> {
  readonly #maxLength: number;
  readonly #items = new Ring<T>();
  /** Somebody waits here only while the queue is full. */
  readonly #pushes: WaitList<void, T>;
  /** Somebody waits here only while the queue is empty and open. */
  readonly #pops: WaitList<T | undefined, void>;
  #closed = false;
  #failure: { readonly error: unknown } | undefined;

  /**
   * Makes an empty queue.
   *
   * @param options Its bounds.
   * @throws {RangeError} If a bound is out of its range.
   */
  constructor(options: AsyncQueueOptions = {}) {
    const { maxLength = 1_000, maxWaiters = 10_000 } = options;
    if (!(maxLength === Infinity || (Number.isInteger(maxLength) && maxLength >= 1))) {
      throw new RangeError(
        `Cannot create queue: maxLength is ${maxLength}, expected an integer of at least 1`,
      );
    }
    this.#maxLength = maxLength;
    this.#pushes = new WaitList({ maxWaiters });
    this.#pops = new WaitList({ maxWaiters });
  }

  /** Items in the queue; those of pushes that still wait do not count. */
  get length(): number {
    return this.#items.length;
  }

  /** Pushes or pops that wait; both at a time never do. */
  get waiterCount(): number {
    return this.#pushes.length + this.#pops.length;
  }

  /** Whether nothing can be pushed any more: it was closed, or it failed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Adds an item, as soon as there is room.
   *
   * @param item What to add; not `undefined`.
   * @param options Deadline and signal. Without room a deadline on the shared
   * wheel keeps the process alive.
   * @throws {QueueClosedError} If the queue was closed before the call.
   * @throws {LimitExceededError} If `maxWaiters` pushes wait already.
   * @throws {TimeoutError} If there is no room in time; `phase` is `"push"`.
   * @throws {TypeError} If `item` is `undefined`.
   * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
   * @throws {Error} The signal's reason, or the error the queue failed with.
   *
   * @example Giving up after a while
   * ```ts
   * import { AsyncQueue, TimeoutError } from "@nbio/net/nbio";
   * import { assertRejects } from "@std/assert";
   *
   * const queue = new AsyncQueue<string>({ maxLength: 1 });
   * await queue.push("first");
   * await assertRejects(() => queue.push("second", { timeoutMs: 20 }), TimeoutError);
   * ```
   */
  async push(item: T, options?: OperationOptions): Promise<void> {
    if (options) checkTimeLeft("push", options);
    if (!this.tryPush(item)) await this.#pushes.wait("push", options, item);
  }

  /**
   * Adds an item if there is room.
   *
   * @param item What to add; not `undefined`.
   * @returns Whether it was added.
   * @throws {QueueClosedError} If the queue was closed.
   * @throws {TypeError} If `item` is `undefined`.
   * @throws {Error} The error the queue failed with.
   *
   * @example Dropping what nobody can keep up with
   * ```ts
   * import { AsyncQueue } from "@nbio/net/nbio";
   * import { assertEquals } from "@std/assert";
   *
   * const queue = new AsyncQueue<string>({ maxLength: 1 });
   * assertEquals([queue.tryPush("first"), queue.tryPush("second")], [true, false]);
   * ```
   */
  tryPush(item: T): boolean {
    this.#throwIfFailed();
    if (this.#closed) throw new QueueClosedError("Cannot push: the queue was closed");
    if (item === undefined) throw new TypeError("Cannot push: undefined is not an item");
    if (this.#pops.length > 0) {
      this.#pops.resolveFirst(item);
      return true;
    }
    if (this.#items.length >= this.#maxLength) return false;
    this.#items.push(item);
    return true;
  }

  /**
   * Takes the oldest item, as soon as there is one.
   *
   * @param options Deadline and signal. Without an item a deadline on the shared
   * wheel keeps the process alive.
   * @returns The item; `undefined` if the queue is closed and empty.
   * @throws {LimitExceededError} If `maxWaiters` pops wait already.
   * @throws {TimeoutError} If there is no item in time; `phase` is `"pop"`.
   * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
   * @throws {Error} The signal's reason, or the error the queue failed with.
   *
   * @example The end
   * ```ts
   * import { AsyncQueue } from "@nbio/net/nbio";
   * import { assertEquals } from "@std/assert";
   *
   * const queue = new AsyncQueue<string>();
   * await queue.push("last");
   * queue.close();
   * assertEquals([await queue.pop(), await queue.pop()], ["last", undefined]);
   * ```
   */
  async pop(options?: OperationOptions): Promise<T | undefined> {
    if (options) checkTimeLeft("pop", options);
    const item = this.tryPop();
    if (item !== undefined || this.#closed) return item;
    return await this.#pops.wait("pop", options);
  }

  /**
   * Takes the oldest item if there is one.
   *
   * @returns The item; `undefined` if the queue is empty, closed or not.
   * @throws {Error} The error the queue failed with.
   *
   * @example Taking what is there
   * ```ts
   * import { AsyncQueue } from "@nbio/net/nbio";
   * import { assertEquals } from "@std/assert";
   *
   * const queue = new AsyncQueue<string>();
   * await queue.push("only");
   * assertEquals([queue.tryPop(), queue.tryPop()], ["only", undefined]);
   * ```
   */
  tryPop(): T | undefined {
    this.#throwIfFailed();
    const item = this.#items.shift();
    if (this.#pushes.length > 0) {
      this.#items.push(this.#pushes.firstRequest!);
      this.#pushes.resolveFirst();
    }
    return item;
  }

  /**
   * Ends the queue: nothing is pushed after this. What was pushed before can
   * still be popped, the items of pushes that wait for room included; pops get
   * `undefined` after that. A second call does nothing.
   */
  close(): void {
    this.#closed = true;
    this.#pops.resolveAll(undefined);
  }

  /**
   * Breaks the queue: every push and pop, those that wait included, throws
   * `error` from now on. A second call does nothing.
   *
   * @param error What to throw.
   * @returns The items that were in the queue, oldest first, in case they need
   * to be released. Items of pushes that waited still belong to those who pushed.
   *
   * @example Telling both sides why
   * ```ts
   * import { AsyncQueue } from "@nbio/net/nbio";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * const queue = new AsyncQueue<string>();
   * await queue.push("unread");
   * assertEquals(queue.fail(new RangeError("broken")), ["unread"]);
   * await assertRejects(() => queue.pop(), RangeError);
   * ```
   */
  fail(error: unknown): T[] {
    if (this.#failure !== undefined) return [];
    this.#closed = true;
    this.#failure = { error };
    this.#pushes.rejectAll(error);
    this.#pops.rejectAll(error);
    return this.#items.clear();
  }

  /**
   * Pops until the queue is closed and empty. Several loops share the items;
   * leaving a loop early leaves the queue as it is.
   *
   * @returns The items, each given to one loop.
   * @throws {Error} The error the queue failed with.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (let item: T | undefined; (item = await this.pop()) !== undefined;) yield item;
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
