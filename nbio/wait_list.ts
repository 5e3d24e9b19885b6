/**
 * {@linkcode WaitList}: those who wait for something in memory, in the order in
 * which they came.
 *
 * @module
 */

import { checkBound } from "./_check_bound.ts";
import { LimitExceededError } from "./errors.ts";
import { Guard } from "./guard.ts";
import { isBounded, type OperationOptions } from "./operation.ts";

/** A link of a circular list; a list is a link that nobody waits in. */
class Link {
  next: Link = this;
  prev: Link = this;
}

/** One who waits, and what for. */
class Waiter<T, R> extends Link {
  readonly request: R;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
  guard: Guard | undefined;

  constructor(request: R, resolve: (value: T) => void, reject: (reason: unknown) => void) {
    super();
    this.request = request;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Options of {@linkcode WaitList}. */
export interface WaitListOptions {
  /** Most that wait at a time; 0 and `Infinity` mean no limit. */
  readonly maxWaiters: number;
  /** Called after one has left because of its deadline or signal. */
  readonly onCancel?: () => void;
  /** What to add to the message of a `TimeoutError`. */
  readonly describe?: () => string;
}

/**
 * A queue of promises that others settle. Everything is O(1); one whose
 * deadline passes or whose signal is aborted leaves at once, from wherever it
 * stands, and leaves nothing behind.
 *
 * `T` is what is waited for, `R` what each asks with.
 */
export class WaitList<T, R> {
  readonly #head = new Link();
  readonly #options: WaitListOptions;
  readonly #maxWaiters: number;
  #length = 0;

  /**
   * Makes an empty list.
   *
   * @param options Its bound, and whom to tell.
   * @throws {RangeError} If `maxWaiters` is negative, or neither an integer nor
   * `Infinity`.
   */
  constructor(options: WaitListOptions) {
    this.#options = options;
    this.#maxWaiters = checkBound("maxWaiters", options.maxWaiters);
  }

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** What the first asks with; `undefined` if nobody waits. */
  get firstRequest(): R | undefined {
    return this.#first?.request;
  }

  /**
   * Waits at the end of the list. It is in the list when this returns.
   *
   * @param phase What a `TimeoutError` calls the wait.
   * @param options Deadline and signal; one on the shared wheel keeps the
   * process alive.
   * @param request What it asks with.
   * @returns What it is given.
   * @throws {LimitExceededError} If `maxWaiters` wait already.
   * @throws {TimeoutError} If the deadline passes first.
   * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
   * @throws {Error} The signal's reason, or that of `rejectAll`.
   */
  wait(phase: string, options: OperationOptions | undefined, request: R): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#checkRoom(phase);
      const waiter = new Waiter<T, R>(request, resolve, reject);
      if (isBounded(options)) {
        waiter.guard = this.#guardOf(waiter);
        waiter.guard.start(phase, options);
      }
      this.#append(waiter);
    });
  }

  /**
   * Gives the first what it waits for. Nothing can cancel it any more.
   *
   * @param value What it waits for.
   */
  resolveFirst(value: T): void {
    this.#shift()?.resolve(value);
  }

  /**
   * Gives everybody the same.
   *
   * @param value What they wait for.
   */
  resolveAll(value: T): void {
    while (this.#length > 0) this.resolveFirst(value);
  }

  /**
   * Refuses everybody.
   *
   * @param reason What their promises reject with.
   */
  rejectAll(reason: unknown): void {
    while (this.#length > 0) this.#shift()!.reject(reason);
  }

  get #first(): Waiter<T, R> | undefined {
    return this.#length === 0 ? undefined : this.#head.next as Waiter<T, R>;
  }

  #guardOf(waiter: Waiter<T, R>): Guard {
    const { describe, onCancel } = this.#options;
    const leave = (reason: unknown): void => {
      this.#unlink(waiter);
      waiter.reject(reason);
      onCancel?.();
    };
    return new Guard(leave, { keepAlive: true, ...(describe && { describe }) });
  }

  #checkRoom(phase: string): void {
    const max = this.#maxWaiters;
    if (this.#length < max) return;
    throw new LimitExceededError(`Cannot ${phase}: ${max} are waiting already`, {
      limit: "maxWaiters",
      max,
    });
  }

  #append(waiter: Waiter<T, R>): void {
    const last = this.#head.prev;
    waiter.prev = last;
    waiter.next = this.#head;
    last.next = waiter;
    this.#head.prev = waiter;
    this.#length++;
  }

  #unlink(waiter: Waiter<T, R>): void {
    waiter.prev.next = waiter.next;
    waiter.next.prev = waiter.prev;
    this.#length--;
  }

  #shift(): Waiter<T, R> | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    this.#unlink(first);
    first.guard?.stop();
    return first;
  }
}
