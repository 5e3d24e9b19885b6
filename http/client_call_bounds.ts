import type { Clock } from "../nbio/clock.ts";
import type { Deadline, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { TimeoutError } from "../nbio/errors.ts";

/** One signal for the signal of a caller and the deadline of a whole call. */
export class CallBounds {
  /** Aborted with the reason of the caller's signal, or a `TimeoutError`. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #deadline: Deadline;
  readonly #outer: AbortSignal | undefined;

  /**
   * Begins to count.
   *
   * @param totalTimeoutMs Milliseconds for the whole.
   * @param outer Signal of the caller.
   * @param wheel Where the deadline waits.
   */
  constructor(totalTimeoutMs: number, outer: AbortSignal | undefined, wheel: DeadlineWheel) {
    this.signal = this.#controller.signal;
    this.#outer = outer;
    this.#deadline = wheel.create(() => this.#controller.abort(totalError(totalTimeoutMs)));
    this.#deadline.arm(totalTimeoutMs);
    if (outer?.aborted) this.#onAbort();
    else outer?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Watches no longer. A second call does nothing. */
  stop(): void {
    this.#deadline.cancel();
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.#controller.abort(this.#outer!.reason);
}

function totalError(timeoutMs: number): TimeoutError {
  return new TimeoutError(`Cannot request: it is not done in ${timeoutMs} ms`, {
    phase: "total",
    timeoutMs,
  });
}

/**
 * Lets time pass.
 *
 * @param delayMs Milliseconds.
 * @param clock Whose.
 * @param signals Each of them ends the waiting.
 * @throws {Error} The reason of the signal that has.
 */
export async function wait(
  delayMs: number,
  clock: Clock,
  signals: readonly AbortSignal[],
): Promise<void> {
  for (const signal of signals) signal.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimer(resolve, delayMs);
  const onAbort = (): void => resolve();
  for (const signal of signals) signal.addEventListener("abort", onAbort, { once: true });
  await promise;
  clock.clearTimer(timer);
  for (const signal of signals) signal.removeEventListener("abort", onAbort);
  for (const signal of signals) signal.throwIfAborted();
}
