/**
 * {@linkcode runOperation}: a deadline and an abort signal over a transport,
 * which knows of neither.
 *
 * @module
 */

import type { DeadlineWheel } from "./deadline_wheel.ts";
import { Guard } from "./guard.ts";
import { closeQuietly } from "./transport.ts";

/**
 * What every function over a transport takes. Without any of it a function
 * waits as long as its transport does, and costs nothing for not being bounded.
 */
export interface OperationOptions {
  /**
   * Most milliseconds the whole operation takes, give or take the precision of
   * `wheel`. 0 and `Infinity` mean no limit.
   *
   * @default {Infinity}
   */
  readonly timeoutMs?: number;

  /**
   * The instant of the wheel's clock by which the operation must be through, in
   * milliseconds: one for several operations bounds them together. An instant
   * that has passed fails the operation before it touches the transport. With
   * `timeoutMs` too, the earlier one counts.
   *
   * @default {Infinity}
   */
  readonly deadlineMs?: number;

  /**
   * Cancels the operation, which rejects with the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;

  /**
   * Where the deadline waits.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
}

/**
 * Runs one operation on a transport under a deadline and a signal, and closes
 * the transport if it fails, for whatever reason: nobody can tell which bytes
 * had gone by then.
 *
 * Cancelling closes the transport first; the read or write that waits rejects
 * because of that, `operate` ends, and only then does the result reject. So
 * nothing is left pending behind the caller's back.
 *
 * @param transport What `operate` works on; closed when it fails.
 * @param phase What the {@linkcode TimeoutError} calls the operation.
 * @param options Deadline and signal.
 * @param operate The operation; last, behind the options, because it is mostly
 * a block. Not called if there is no time left or the
 * signal has been aborted.
 * @returns What `operate` gives.
 * @throws {TimeoutError} If the deadline passes first.
 * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
 * @throws {Error} The signal's reason, or what `operate` throws, untouched.
 *
 * @example A handshake that must be quick
 * ```ts
 * import { recvExactly, runOperation, sendAll, TimeoutError } from "@nbio/net/nbio";
 * import { DeadlineWheel } from "@nbio/net/nbio";
 * import { ManualClock, memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const [client] = memoryPipe();
 * const shaken = runOperation(
 *   client,
 *   "handshake",
 *   { timeoutMs: 1_000, wheel: new DeadlineWheel(clock) },
 *   async () => {
 *     await sendAll(client, new Uint8Array([1]));
 *     await recvExactly(client, new Uint8Array(1));
 *   },
 * );
 * clock.advance(1_100);
 * const error = await assertRejects(() => shaken, TimeoutError);
 * assertEquals(error.phase, "handshake");
 * ```
 */
export async function runOperation<T>(
  transport: { close(): void },
  phase: string,
  options: OperationOptions,
  operate: () => Promise<T>,
): Promise<T> {
  const guard = new Guard(() => closeQuietly(transport));
  try {
    guard.start(phase, options);
    const result = await operate();
    // It may have come through in the very turn in which it was cancelled: a
    // result would hide that the transport is closed.
    guard.throwIfCancelled();
    return result;
  } catch (error) {
    closeQuietly(transport);
    guard.throwIfCancelled();
    throw error;
  } finally {
    guard.stop();
  }
}

/**
 * Whether `options` bound anything. A function with nothing to watch over can
 * spare itself {@linkcode runOperation}.
 *
 * @param options What the caller gave.
 * @returns Whether there is a deadline or a signal.
 *
 * @example A plain call, and a bounded one
 * ```ts
 * import { isBounded } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isBounded({}), false);
 * assertEquals(isBounded({ timeoutMs: 5_000 }), true);
 * ```
 */
export function isBounded(options: OperationOptions | undefined): options is OperationOptions {
  return options !== undefined &&
    (options.timeoutMs !== undefined || options.deadlineMs !== undefined ||
      options.signal !== undefined);
}
