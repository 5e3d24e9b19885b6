import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { Guard } from "../nbio/guard.ts";
import type { PooledConnection } from "./client_pool_options.ts";

/** One request that waits for a connection. */
export class PoolWaiter {
  /** Settles when it has one, or will not get one. */
  readonly promise: Promise<PooledConnection>;
  /** Whether only a connection will do on which nothing was said yet. */
  readonly isFresh: boolean;
  /** Its place among all that ever waited: the lower, the longer it has. */
  readonly ticket: number;
  /** Whether a dial is under way for every waiter up to this one. */
  isCovered = false;
  previous: PoolWaiter | undefined = undefined;
  next: PoolWaiter | undefined = undefined;

  readonly #resolve: (connection: PooledConnection) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #abort: Guard;
  readonly #turn: Guard;

  /**
   * @param ticket Its place among all.
   * @param isFresh Whether only a fresh connection will do.
   * @param onLeave Called when its time is up or its signal is aborted, with the
   * reason it is then to be refused with.
   */
  constructor(ticket: number, isFresh: boolean, onLeave: (waiter: PoolWaiter) => void) {
    const { promise, resolve, reject } = Promise.withResolvers<PooledConnection>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.ticket = ticket;
    this.isFresh = isFresh;
    const leave = (reason: unknown): void => {
      onLeave(this);
      this.refuse(reason);
    };
    this.#abort = new Guard(leave);
    this.#turn = new Guard(leave, { keepAlive: true });
  }

  /** Begins to watch a signal. */
  watchSignal(signal: AbortSignal): void {
    this.#abort.start("queue", { signal });
  }

  /** Begins to count the time until its turn. */
  watchTime(timeoutMs: number, wheel: DeadlineWheel): void {
    this.#turn.start("queue", { timeoutMs, wheel });
  }

  /** It is its turn: from here on the deadlines of dialling count. */
  cover(): void {
    this.isCovered = true;
    this.#turn.stop();
  }

  /** Gives it what it waits for. */
  serve(connection: PooledConnection): void {
    this.#stop();
    this.#resolve(connection);
  }

  /** Tells it that it will get nothing. */
  refuse(reason: unknown): void {
    this.#stop();
    this.#reject(reason);
  }

  #stop(): void {
    this.#abort.stop();
    this.#turn.stop();
  }
}

/**
 * Those who wait at one host, in the order in which they came. The first so many
 * are covered: a dial is under way for each. Everything is O(1), but for looking
 * past those who want a fresh connection.
 */
export class PoolQueue {
  #first: PoolWaiter | undefined;
  #last: PoolWaiter | undefined;
  #firstUncovered: PoolWaiter | undefined;
  #length = 0;
  #coveredCount = 0;

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** Who has waited longest. */
  get first(): PoolWaiter | undefined {
    return this.#first;
  }

  /** Who has waited longest of those for whom a used connection will do. */
  get firstReusing(): PoolWaiter | undefined {
    let waiter = this.#first;
    while (waiter?.isFresh) waiter = waiter.next;
    return waiter;
  }

  /** Puts one at the end. */
  append(waiter: PoolWaiter): void {
    waiter.previous = this.#last;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.#firstUncovered ??= waiter;
    this.#length++;
  }

  /** Takes one out, from wherever it stands. */
  remove(waiter: PoolWaiter): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (this.#firstUncovered === waiter) this.#firstUncovered = next;
    if (waiter.isCovered) this.#coveredCount--;
    waiter.previous = waiter.next = undefined;
    this.#length--;
  }

  /**
   * Takes note of the dials under way. What was covered stays so: a dial that
   * fails takes one of the covered with it.
   */
  cover(dialCount: number): void {
    while (this.#coveredCount < dialCount && this.#firstUncovered !== undefined) {
      const waiter = this.#firstUncovered;
      this.#firstUncovered = waiter.next;
      this.#coveredCount++;
      waiter.cover();
    }
  }
}
