/**
 * {@linkcode Clock}: time as an argument. Drivers take one, so that a test can
 * hand them a `ManualClock` and run hours in a millisecond.
 *
 * @module
 */

import { MAX_TIMER_MS } from "./_timer_limit.ts";

/** How a timer behaves; see {@linkcode Clock.setTimer}. */
export interface SetTimerOptions {
  /**
   * Whether the process may end while this timer waits. For timers that only
   * watch over something else, such as a socket, which keeps the process alive
   * by itself.
   *
   * @default {false}
   */
  readonly unref?: boolean;
}

/**
 * Where time and timers come from.
 *
 * @example A driver's view of time
 * ```ts
 * import type { Clock } from "@nbio/net/nbio";
 * import { ManualClock } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const manual = new ManualClock();
 * const clock: Clock = manual;
 * const start = clock.now();
 * manual.advance(1_500);
 * assertEquals(clock.now() - start, 1_500);
 * ```
 */
export interface Clock {
  /**
   * A monotonic instant in milliseconds, fractions included, never negative.
   * Only differences mean something. It may be as old as the synchronous run of code that asks
   * (see {@linkcode now}).
   */
  now(): number;

  /** Milliseconds since the Unix epoch; may jump when the system's clock is set. */
  wallNow(): number;

  /**
   * Calls `callback` once, not before `delayMs` have passed.
   *
   * @param callback What to call, with no arguments.
   * @param delayMs Milliseconds from now, 0 to 2^31 - 1.
   * @param options Whether the timer keeps the process alive.
   * @returns A handle for {@linkcode Clock.clearTimer}.
   * @throws {RangeError} If the clock cannot wait so long, or `delayMs` is not a
   * number.
   */
  setTimer(callback: () => void, delayMs: number, options?: SetTimerOptions): unknown;

  /**
   * Forgets a timer. A handle whose timer has already fired is no mistake.
   *
   * @param timer What {@linkcode Clock.setTimer} returned.
   */
  clearTimer(timer: unknown): void;
}

/** The instant read in this turn; meaningless unless {@linkcode cached}. */
let cachedNowMs = 0;
let cached = false;

function forgetNow(): void {
  cached = false;
}

/**
 * The monotonic instant of the running turn, in milliseconds: read from the
 * system at the first call and kept until the synchronous code that asked has
 * returned to the event loop.
 *
 * Two calls in one synchronous run give the same number; after an `await` that
 * waited for anything real it is a newer one. The result is therefore too old
 * by at most the time the current run has been computing, and never too new.
 *
 * Cost: a read of the system's clock and one microtask per turn (in Deno 2.9
 * about 95 ns and 30 ns), a field read for every further call.
 *
 * @returns Milliseconds since an arbitrary but fixed instant.
 *
 * @example Two calls in one turn
 * ```ts
 * import { now } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(now(), now());
 * ```
 */
export function now(): number {
  if (!cached) {
    cachedNowMs = performance.now();
    cached = true;
    // A microtask and not a timer: it runs at the end of this very run, and
    // leaves nothing behind that would keep the process alive.
    queueMicrotask(forgetNow);
  }
  return cachedNowMs;
}

/**
 * The clock of the system: {@linkcode now}, `Date.now()` and `setTimeout`.
 *
 * @example Reading the wall clock
 * ```ts
 * import { systemClock } from "@nbio/net/nbio";
 * import { assert } from "@std/assert";
 *
 * assert(Math.abs(systemClock.wallNow() - Date.now()) < 1_000);
 * ```
 */
export const systemClock: Clock = {
  now,
  wallNow(): number {
    return Date.now();
  },
  setTimer(callback: () => void, delayMs: number, options?: SetTimerOptions): unknown {
    // The runtime would fire it at once.
    if (!(delayMs <= MAX_TIMER_MS)) {
      throw new RangeError(
        `Cannot set timer: delayMs is ${delayMs}, expected at most ${MAX_TIMER_MS}`,
      );
    }
    const timer = setTimeout(callback, delayMs);
    if (options?.unref) Deno.unrefTimer(timer);
    return timer;
  },
  clearTimer(timer: unknown): void {
    clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};
