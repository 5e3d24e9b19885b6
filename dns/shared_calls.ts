/**
 * {@linkcode SharedCalls}: one call for all who ask for the same at the same time.
 *
 * @module
 */

import { checkTimeLeft, Guard } from "../nbio/guard.ts";
import { isBounded, type OperationOptions } from "../nbio/operation.ts";

/** A call that is under way. */
export interface CancellableCall<T> {
  /** What comes of it. */
  readonly result: Promise<T>;
  /** Gives it up; the result rejects with the reason, or has no meaning any more. */
  cancel(reason: unknown): void;
}

interface SharedCall<T> extends CancellableCall<T> {
  waiterCount: number;
}

/**
 * Calls that are under way, by what they are for. Each who waits has a deadline and a signal of his
 * own; a call nobody waits for any more is given up.
 */
export class SharedCalls<T> {
  readonly #phase: string;
  readonly #calls: Map<string, SharedCall<T>> = new Map();

  /**
   * Makes an empty set.
   *
   * @param phase What a `TimeoutError` calls the wait.
   */
  constructor(phase: string) {
    this.#phase = phase;
  }

  /** Calls that are under way and can be joined. */
  get size(): number {
    return this.#calls.size;
  }

  /**
   * Joins a call, or begins it.
   *
   * @param key What it is for.
   * @param start Begins it.
   * @param options Deadline and signal of this wait alone.
   * @returns What comes of it.
   * @throws {TimeoutError} If the deadline passes first.
   * @throws {Error} The signal's reason, or what the call fails with.
   */
  join(key: string, start: () => CancellableCall<T>, options: OperationOptions): Promise<T> {
    if (isBounded(options)) checkTimeLeft(this.#phase, options);
    const call = this.#calls.get(key) ?? this.#begin(key, start);
    call.waiterCount++;
    if (!isBounded(options)) return call.result;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const guard = new Guard((reason) => {
      this.#leave(key, call, reason);
      reject(reason);
    });
    guard.start(this.#phase, options);
    call.result.then((result) => {
      guard.stop();
      resolve(result);
    }, (error) => {
      guard.stop();
      reject(error);
    });
    return promise;
  }

  /**
   * Gives up all calls.
   *
   * @param reason What they reject with.
   */
  cancelAll(reason: unknown): void {
    for (const call of this.#calls.values()) call.cancel(reason);
  }

  #begin(key: string, start: () => CancellableCall<T>): SharedCall<T> {
    const started = start();
    const { result } = started;
    const call = { result, cancel: (reason: unknown) => started.cancel(reason), waiterCount: 0 };
    this.#calls.set(key, call);
    const remove = (): void => this.#remove(key, call);
    result.then(remove, remove);
    return call;
  }

  #leave(key: string, call: SharedCall<T>, reason: unknown): void {
    if (--call.waiterCount > 0) return;
    this.#remove(key, call);
    call.cancel(reason);
  }

  /** Another call may stand there by now. */
  #remove(key: string, call: SharedCall<T>): void {
    if (this.#calls.get(key) === call) this.#calls.delete(key);
  }
}
