/**
 * {@linkcode Guard}: a deadline and an abort signal, watched together. The one
 * place that arms, listens and takes both back, for operations on a transport
 * as for waits in memory.
 *
 * @module
 */

import { MAX_TIMER_MS } from "./_timer_limit.ts";
import { systemClock } from "./clock.ts";
import { type Deadline, deadlines } from "./deadline_wheel.ts";
import { TimeoutError } from "./errors.ts";
import type { OperationOptions } from "./operation.ts";

/** Options of {@linkcode Guard}. */
export interface GuardOptions {
  /**
   * Whether a deadline on the shared wheel keeps the process alive. The timer
   * of a wheel does not, because a socket does; a wait in memory has no socket,
   * and would end the process instead of rejecting.
   *
   * @default {false}
   */
  readonly keepAlive?: boolean;

  /**
   * What to add to the message of the `TimeoutError`.
   *
   * @default {undefined}
   */
  readonly describe?: () => string;
}

/**
 * Tells once, when time is up or the signal is aborted, whichever is first.
 * Nothing of it is left in the wheel or on the signal then, or after `stop`.
 */
export class Guard {
  readonly #onCancel: (reason: unknown) => void;
  readonly #options: GuardOptions;
  #deadline: Deadline | undefined;
  #signal: AbortSignal | undefined;
  #holding = false;
  #cancellation: { readonly reason: unknown } | undefined;

  /**
   * Makes a guard that watches nothing yet.
   *
   * @param onCancel Called with the reason. Must not throw.
   * @param options What a waiter without a socket needs.
   */
  constructor(onCancel: (reason: unknown) => void, options: GuardOptions = {}) {
    this.#onCancel = onCancel;
    this.#options = options;
  }

  /**
   * Begins to watch, or throws if it is too late already; then there is
   * nothing to stop.
   *
   * @param phase What the {@linkcode TimeoutError} calls the wait.
   * @param options Deadline and signal.
   * @throws {TimeoutError} If no time is left.
   * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
   * @throws {Error} The signal's reason, if it has been aborted.
   */
  start(phase: string, options: OperationOptions): void {
    const { signal, wheel = deadlines } = options;
    const timeoutMs = checkTimeLeft(phase, options);
    if (timeoutMs !== Infinity) {
      const { describe, keepAlive = false } = this.#options;
      const expire = (): void => this.#cancel(timeoutError(phase, timeoutMs, describe?.()));
      this.#deadline = wheel.create(expire);
      this.#deadline.arm(timeoutMs);
      this.#holding = keepAlive && wheel === deadlines;
      if (this.#holding) holdProcess();
    }
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#signal = signal;
  }

  /** Watches no longer. A second call does nothing. */
  stop(): void {
    this.#deadline?.cancel();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    if (this.#holding) releaseProcess();
    this.#holding = false;
  }

  /** Throws the reason if there was one. */
  throwIfCancelled(): void {
    if (this.#cancellation) throw this.#cancellation.reason;
  }

  #cancel(reason: unknown): void {
    this.stop();
    this.#cancellation = { reason };
    this.#onCancel(reason);
  }

  readonly #onAbort = (): void => this.#cancel(this.#signal!.reason);
}

/**
 * Throws if something must not begin any more.
 *
 * @param phase What is to begin.
 * @param options Deadline and signal.
 * @returns Milliseconds left, `Infinity` if nothing limits them.
 * @throws {TimeoutError} If no time is left.
 * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
 * @throws {Error} The signal's reason, if it has been aborted.
 */
export function checkTimeLeft(phase: string, options: OperationOptions): number {
  const { timeoutMs = Infinity, deadlineMs = Infinity, wheel = deadlines } = options;
  checkDuration(phase, "timeoutMs", timeoutMs);
  checkDuration(phase, "deadlineMs", deadlineMs);
  options.signal?.throwIfAborted();
  const limitMs = timeoutMs === 0 ? Infinity : timeoutMs;
  if (deadlineMs === Infinity) return limitMs;
  const leftMs = Math.min(limitMs, deadlineMs - wheel.now());
  if (leftMs <= 0) throw timeoutError(phase, 0);
  return leftMs;
}

function checkDuration(phase: string, name: string, value: number): void {
  if (value >= 0) return;
  throw new RangeError(`Cannot ${phase}: ${name} is ${value}, expected a number of at least 0`);
}

function timeoutError(phase: string, timeoutMs: number, description?: string): TimeoutError {
  const detail = description === undefined ? "" : `: ${description}`;
  const message = `Cannot ${phase}: not done in ${Math.round(timeoutMs)} ms${detail}`;
  return new TimeoutError(message, { phase, timeoutMs });
}

/** Guards that keep the process alive, and the one timer that does it for all. */
let heldCount = 0;
let holdTimer: unknown;

function holdProcess(): void {
  if (heldCount++ === 0) hold();
}

/** Again and again, for who waits longer than a timer can. */
function hold(): void {
  holdTimer = systemClock.setTimer(hold, MAX_TIMER_MS);
}

function releaseProcess(): void {
  if (--heldCount === 0) systemClock.clearTimer(holdTimer);
}
