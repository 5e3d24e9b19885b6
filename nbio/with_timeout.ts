/**
 * {@linkcode withTimeout}: a deadline for anything that takes a signal.
 *
 * @module
 */

import { deadlines } from "./deadline_wheel.ts";
import { Guard } from "./guard.ts";
import type { OperationOptions } from "./operation.ts";

/** Options of {@linkcode withTimeout}. */
export interface WithTimeoutOptions extends OperationOptions {
  /**
   * What the {@linkcode TimeoutError} calls the task.
   *
   * @default {"run task"}
   */
  readonly phase?: string;

  /**
   * Most milliseconds a cancelled task is waited for, give or take the
   * precision of `wheel`. `Infinity` waits as long as it takes, 0 not at all.
   *
   * @default {1_000}
   */
  readonly graceMs?: number;
}

/** Long enough for a task that heeds its signal, short enough for one that does not. */
const DEFAULT_GRACE_MS = 1_000;

/**
 * Runs a task that can be cancelled, under a deadline and a signal.
 *
 * When time is up or the signal is aborted, the signal the task was given is
 * aborted with that very reason, and the result rejects with it *once the task
 * has settled*: nothing runs on behind the caller's back, and what the task
 * used can be used again. What the task itself throws after that is a
 * consequence and is dropped. A task that comes through in spite of it keeps
 * its result, which may be a connection that nobody else would close.
 *
 * That asks for a task that heeds its signal, as everything in this package
 * does. One that does not is left behind after `graceMs`; its outcome is dropped
 * then, whatever it is.
 *
 * When this settles, nothing is left in the wheel or on the signal. A deadline
 * on the shared wheel keeps the process alive; for precision below 100 ms hand
 * in a finer wheel.
 *
 * @param task What to run. Not called if there is no time left or the signal
 * has been aborted.
 * @param options Deadline, signal and the name of the task.
 * @returns What `task` gives.
 * @throws {TimeoutError} If the deadline passes first.
 * @throws {RangeError} If `timeoutMs`, `deadlineMs` or `graceMs` is negative or
 * not a number.
 * @throws {Error} The signal's reason, or what `task` throws, untouched.
 *
 * @example An answer within a tenth of a second
 * ```ts
 * import { AsyncQueue, TimeoutError, withTimeout } from "@nbio/net/nbio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const answers = new AsyncQueue<string>();
 * const ask = (signal: AbortSignal) => answers.pop({ signal });
 *
 * const error = await assertRejects(
 *   () => withTimeout(ask, { timeoutMs: 20, phase: "answer" }),
 *   TimeoutError,
 * );
 * assertEquals(error.phase, "answer");
 *
 * await answers.push("42");
 * assertEquals(await withTimeout(ask, { timeoutMs: 20 }), "42");
 * ```
 */
export async function withTimeout<T>(
  task: (signal: AbortSignal) => T | PromiseLike<T>,
  options: WithTimeoutOptions = {},
): Promise<T> {
  const { phase = "run task", graceMs = DEFAULT_GRACE_MS, wheel = deadlines } = options;
  checkGrace(phase, graceMs);
  const controller = new AbortController();
  const abandoned = Promise.withResolvers<never>();
  const guard = new Guard((reason) => {
    controller.abort(reason);
    if (graceMs === 0) abandoned.reject(reason);
    else grace.start(phase, { wheel, timeoutMs: graceMs });
  }, { keepAlive: true });
  const grace = new Guard(abandoned.reject, { keepAlive: true });
  guard.start(phase, options);
  try {
    // The race marks the promise of the task as handled: one that was left
    // behind may reject, and nobody hears of it.
    return await Promise.race([Promise.try(task, controller.signal), abandoned.promise]);
  } catch (error) {
    guard.throwIfCancelled();
    throw error;
  } finally {
    guard.stop();
    grace.stop();
  }
}

function checkGrace(phase: string, graceMs: number): void {
  if (graceMs >= 0) return;
  throw new RangeError(
    `Cannot ${phase}: graceMs is ${graceMs}, expected a number of at least 0`,
  );
}
