/**
 * {@linkcode ServerCall}: one question on its way to the servers, or waiting for its turn.
 *
 * @module
 */

import type { Semaphore, SemaphorePermit } from "../nbio/semaphore.ts";
import type { QueryOutcome, QueryRun } from "./query_run.ts";
import type { CancellableCall } from "./shared_calls.ts";

/** Runs a {@linkcode QueryRun} when it has its turn. */
export class ServerCall<T> implements CancellableCall<T> {
  readonly result: Promise<T>;
  readonly #run: QueryRun;
  /** Ends the wait for a turn; `undefined` as soon as there is one. */
  #waiting: AbortController | undefined;

  /**
   * Begins, or begins to wait.
   *
   * @param run The run.
   * @param slots Turns.
   * @param conclude Makes the result of how the run ended.
   */
  constructor(run: QueryRun, slots: Semaphore, conclude: (outcome: QueryOutcome) => T) {
    this.#run = run;
    const permit = slots.tryAcquire();
    this.result = permit === undefined
      ? this.#wait(slots, conclude)
      : this.#perform(permit, conclude);
  }

  cancel(reason: unknown): void {
    if (this.#waiting === undefined) this.#run.cancel(reason);
    else this.#waiting.abort(reason);
  }

  async #wait(slots: Semaphore, conclude: (outcome: QueryOutcome) => T): Promise<T> {
    const { signal } = this.#waiting = new AbortController();
    const permit = await slots.acquire({ signal });
    if (signal.aborted) {
      permit.release();
      throw signal.reason;
    }
    this.#waiting = undefined;
    return await this.#perform(permit, conclude);
  }

  async #perform(permit: SemaphorePermit, conclude: (outcome: QueryOutcome) => T): Promise<T> {
    try {
      return conclude(await this.#run.run());
    } finally {
      permit.release();
    }
  }
}
