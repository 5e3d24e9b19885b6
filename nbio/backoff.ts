// This module is sans-I/O.

/**
 * {@linkcode Backoff}: how long to wait before trying again.
 *
 * @module
 */

import { MAX_TIMER_MS } from "./_timer_limit.ts";

/** Options of {@linkcode Backoff}. */
export interface BackoffOptions {
  /**
   * Upper end of the first delay in milliseconds, more than 0. What exceeds
   * `maxDelayMs` is cut to it.
   *
   * @default {100}
   */
  readonly baseDelayMs?: number;

  /**
   * Upper end that no delay passes, in milliseconds, more than 0 and at most
   * 2^31 - 1, which is what timers can wait.
   *
   * @default {30_000}
   */
  readonly maxDelayMs?: number;

  /**
   * By how much the upper end grows with each delay, 1 or more.
   *
   * @default {2}
   */
  readonly multiplier?: number;

  /**
   * Delays given before {@linkcode Backoff.next} gives up: one less than
   * attempts in all. 0 gives up at once; `Infinity` never.
   *
   * @default {Infinity}
   */
  readonly maxRetries?: number;
}

/**
 * Exponential back-off with full jitter: each delay is drawn evenly from 0 to
 * an upper end that grows exponentially up to a bound.
 *
 * Drawing from the whole range, instead of around its upper end, spreads those
 * who failed at the same moment the widest: a server that comes back is not hit
 * by all of its clients at once, again and again. A generator that always gives
 * 1 switches jitter off, for one who is alone.
 *
 * @example Trying again
 * ```ts
 * import { Backoff } from "@nbio/net/nbio";
 * import { delay } from "@std/async/delay";
 * import { assertEquals } from "@std/assert";
 *
 * async function retry<T>(attempt: () => Promise<T>, backoff: Backoff): Promise<T> {
 *   for (;;) {
 *     try {
 *       return await attempt();
 *     } catch (error) {
 *       const delayMs = backoff.next();
 *       if (delayMs === undefined) throw error;
 *       await delay(delayMs);
 *     }
 *   }
 * }
 *
 * let attemptCount = 0;
 * const answer = await retry(
 *   () => ++attemptCount < 3 ? Promise.reject(new Error("refused")) : Promise.resolve("hello"),
 *   new Backoff(Math.random, { baseDelayMs: 1, maxRetries: 5 }),
 * );
 * assertEquals([answer, attemptCount], ["hello", 3]);
 * ```
 */
export class Backoff {
  readonly #random: () => number;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #multiplier: number;
  readonly #maxRetries: number;
  #ceilingMs: number;
  #retryCount = 0;

  /**
   * Begins with the shortest delays.
   *
   * @param random Gives numbers from 0 to 1: `Math.random`, or a seeded
   * generator in a test.
   * @param options How delays grow.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(random: () => number, options: BackoffOptions = {}) {
    const { baseDelayMs = 100, maxDelayMs = 30_000, multiplier = 2, maxRetries = Infinity } =
      options;
    check("baseDelayMs", baseDelayMs, baseDelayMs > 0 && baseDelayMs < Infinity, "more than 0");
    const inRange = maxDelayMs > 0 && maxDelayMs <= MAX_TIMER_MS;
    check("maxDelayMs", maxDelayMs, inRange, "more than 0 and less than 2^31");
    check("multiplier", multiplier, multiplier >= 1 && multiplier < Infinity, "at least 1");
    const isCount = maxRetries === Infinity || (Number.isInteger(maxRetries) && maxRetries >= 0);
    check("maxRetries", maxRetries, isCount, "an integer of at least 0, or Infinity");
    this.#random = random;
    this.#baseDelayMs = Math.min(baseDelayMs, maxDelayMs);
    this.#maxDelayMs = maxDelayMs;
    this.#multiplier = multiplier;
    this.#maxRetries = maxRetries;
    this.#ceilingMs = this.#baseDelayMs;
  }

  /** Delays given since the beginning or the last {@linkcode Backoff.reset}. */
  get retryCount(): number {
    return this.#retryCount;
  }

  /**
   * Gives the delay before the next attempt, after one that failed.
   *
   * @param floorMs Milliseconds to wait in any case, at least 0: what a
   * `Retry-After` asked for. The delay comes on top of it, even beyond
   * `maxDelayMs`, so that not all who were told the same return at once. The
   * sum is cut at 2^31 - 1.
   * @returns Milliseconds, fractions included; `undefined` if there have been
   * `maxRetries` delays.
   * @throws {RangeError} If `floorMs`, or what `random` gives, is out of its range.
   *
   * @example What the delays are drawn from
   * ```ts
   * import { Backoff } from "@nbio/net/nbio";
   * import { assertEquals } from "@std/assert";
   *
   * const longest = new Backoff(() => 1, { baseDelayMs: 5, maxDelayMs: 1_000 });
   * const delaysMs = Array.from({ length: 10 }, () => longest.next());
   * assertEquals(delaysMs, [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
   * ```
   */
  next(floorMs = 0): number | undefined {
    check("floorMs", floorMs, floorMs >= 0, "at least 0");
    if (this.#retryCount >= this.#maxRetries) return undefined;
    const share = this.#random();
    check("random()", share, share >= 0 && share <= 1, "a number from 0 to 1");
    const delayMs = share * this.#ceilingMs;
    this.#retryCount++;
    // Cut at each step, so it never grows beyond what a number can hold.
    this.#ceilingMs = Math.min(this.#ceilingMs * this.#multiplier, this.#maxDelayMs);
    return Math.min(floorMs + delayMs, MAX_TIMER_MS);
  }

  /** Begins anew, after an attempt that succeeded. */
  reset(): void {
    this.#retryCount = 0;
    this.#ceilingMs = this.#baseDelayMs;
  }
}

function check(name: string, value: number, isValid: boolean, expected: string): void {
  if (isValid) return;
  throw new RangeError(`Cannot back off: ${name} is ${value}, expected ${expected}`);
}
