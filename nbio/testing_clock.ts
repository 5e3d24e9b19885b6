/**
 * {@linkcode ManualClock}: time that passes when a test says so.
 *
 * @module
 */

import { TimerQueue } from "./_testing_timer_queue.ts";
import type { Clock } from "./clock.ts";
import { TimeoutError } from "./errors.ts";
import { settle, type SettleOptions } from "./testing_settle.ts";

/** Options of {@linkcode ManualClock}. */
export interface ManualClockOptions {
  /**
   * Wall time at instant 0, in milliseconds since the Unix epoch.
   *
   * @default {0}
   */
  readonly wallStartMs?: number;
}

/** Options of {@linkcode ManualClock.runUntil} and {@linkcode ManualClock.runUntilIdle}. */
export interface RunOptions extends SettleOptions {
  /**
   * Most milliseconds of this clock's time that pass, at least 0.
   *
   * @default {3_600_000}
   */
  readonly maxDurationMs?: number;
}

/** More timers than any test means to fire at one instant: a loop without end. */
const MAX_FIRED_COUNT = 100_000;

/**
 * A clock that stands still until it is told to go on, and begins at instant 0.
 *
 * Timers fire in the order of their instants (at the same instant, in the order
 * they were set), each with the clock at its instant. There are two ways to let
 * time pass:
 *
 * - {@linkcode ManualClock.advance} fires them in one go. What their callbacks
 *   leave to promises happens later, when the caller awaits, with the clock
 *   where it was advanced to.
 * - {@linkcode ManualClock.advanceAsync}, {@linkcode ManualClock.runUntil} and
 *   {@linkcode ManualClock.runUntilIdle} are for code that awaits: they move
 *   from one instant to the next and let everything {@linkcode settle} in
 *   between. A loop that sends, waits 10 ms and sends again goes on as it would
 *   in real time, and the same in every run. What waits for a real socket, a
 *   file or another thread is not waited for; see {@linkcode settle}.
 *
 * @example Timers fire in order, those set by timers included
 * ```ts
 * import { ManualClock } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const fired: string[] = [];
 * clock.setTimer(() => fired.push(`second at ${clock.now()}`), 20);
 * clock.setTimer(() => clock.setTimer(() => fired.push(`first at ${clock.now()}`), 5), 10);
 * clock.advance(30);
 * assertEquals(fired, ["first at 15", "second at 20"]);
 * ```
 *
 * @example A day of heartbeats, in a blink
 * ```ts
 * import type { Clock } from "@nbio/net/nbio";
 * import { ManualClock } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * async function beat(clock: Clock, count: number): Promise<number> {
 *   for (let i = 0; i < count; i++) {
 *     await new Promise<void>((resolve) => void clock.setTimer(resolve, 60_000));
 *   }
 *   return clock.now();
 * }
 *
 * const clock = new ManualClock();
 * assertEquals(
 *   await clock.runUntil(beat(clock, 1_440), { maxDurationMs: 86_400_000 }),
 *   86_400_000,
 * );
 * ```
 */
export class ManualClock implements Clock {
  readonly #wallStartMs: number;
  readonly #timers: TimerQueue = new TimerQueue();
  #nowMs = 0;
  /** Timers that have fired since time last moved. */
  #firedCount = 0;

  /**
   * Makes a clock at instant 0.
   *
   * @param options Where wall time begins.
   */
  constructor(options: ManualClockOptions = {}) {
    this.#wallStartMs = options.wallStartMs ?? 0;
  }

  /** How many timers wait. */
  get pendingCount(): number {
    return this.#timers.size;
  }

  /**
   * The instant, in milliseconds, at which the next timer fires; `Infinity` if
   * none waits. One that {@linkcode ManualClock.block} made late is in the past.
   */
  get nextTimerMs(): number {
    return this.#timers.first?.instantMs ?? Infinity;
  }

  /** The instant, in milliseconds since this clock was made. */
  now(): number {
    return this.#nowMs;
  }

  /** Wall time, which passes with {@linkcode ManualClock.now}. */
  wallNow(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  /**
   * Calls `callback` once the clock has been advanced by `delayMs`.
   *
   * @param callback What to call.
   * @param delayMs Milliseconds from now; less than 0 counts as 0.
   * @returns A handle for {@linkcode ManualClock.clearTimer}.
   * @throws {RangeError} If `delayMs` is not a number.
   */
  setTimer(callback: () => void, delayMs: number): unknown {
    if (Number.isNaN(delayMs)) {
      throw new RangeError("Cannot set timer: delayMs is NaN, expected a number");
    }
    return this.#timers.add(this.#nowMs + Math.max(0, delayMs), callback);
  }

  /**
   * Forgets a timer.
   *
   * @param timer What {@linkcode ManualClock.setTimer} returned.
   */
  clearTimer(timer: unknown): void {
    this.#timers.remove(timer as number);
  }

  /**
   * Lets time pass, and fires every timer due by then. Nothing that waits for a
   * promise goes on before the caller awaits.
   *
   * @param durationMs How long, at least 0.
   * @throws {RangeError} If `durationMs` is negative or not finite, or timers
   * re-arm each other without time passing.
   * @throws {Error} What a callback throws; time stands at its instant then.
   */
  advance(durationMs: number): void {
    const targetMs = this.#nowMs + checkDuration("advance", durationMs);
    while (this.nextTimerMs <= targetMs) this.#fireInstant();
    this.#moveTo(targetMs);
  }

  /**
   * Lets time pass for code that awaits: fires the timers of one instant after
   * the other until `durationMs` have passed, and lets everything settle before
   * the first, between any two, and after the last.
   *
   * @param durationMs How long, at least 0.
   * @param options How to settle.
   * @throws {RangeError} If `durationMs` is negative or not finite, `turnCount` is
   * out of its range, or timers re-arm each other without time passing.
   * @throws {Error} What a callback throws; time stands at its instant then.
   *
   * @example A client that tries three times, a second apart
   * ```ts
   * import type { Clock } from "@nbio/net/nbio";
   * import { ManualClock } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const attemptsMs: number[] = [];
   * async function tryThrice(clock: Clock): Promise<void> {
   *   for (let attempt = 0; attempt < 3; attempt++) {
   *     attemptsMs.push(clock.now());
   *     await new Promise<void>((resolve) => void clock.setTimer(resolve, 1_000));
   *   }
   * }
   *
   * const clock = new ManualClock();
   * tryThrice(clock);
   * await clock.advanceAsync(1_500);
   * assertEquals(attemptsMs, [0, 1_000]);
   * await clock.advanceAsync(1_500);
   * assertEquals(attemptsMs, [0, 1_000, 2_000]);
   * ```
   */
  async advanceAsync(durationMs: number, options: SettleOptions = {}): Promise<void> {
    const targetMs = this.#nowMs + checkDuration("advance", durationMs);
    await settle(options);
    while (this.nextTimerMs <= targetMs) {
      this.#fireInstant();
      await settle(options);
    }
    this.#moveTo(targetMs);
  }

  /**
   * Lets as much time pass as `promise` needs to settle, and no more: from
   * timer to timer, everything settling in between.
   *
   * A promise that can no longer settle is found at once: no timer is left, so
   * nothing would change until the limit.
   *
   * @param promise What to wait for.
   * @param options How long at most, and how to settle.
   * @returns What the promise is fulfilled with.
   * @throws {TimeoutError} If the promise is not settled and either no timer is
   * left or the next one is later than `maxDurationMs`. Time stands at the last
   * timer that fired.
   * @throws {RangeError} If an option is out of its range, or timers re-arm
   * each other without time passing.
   * @throws {Error} What the promise is rejected with, or a callback throws.
   *
   * @example An operation against its own deadline
   * ```ts
   * import { DeadlineWheel, runOperation, TimeoutError } from "@nbio/net/nbio";
   * import { ManualClock, memoryPipe } from "@nbio/net/nbio/testing";
   * import { assert, assertRejects } from "@std/assert";
   *
   * const clock = new ManualClock();
   * const [client] = memoryPipe();
   * const options = { timeoutMs: 30_000, wheel: new DeadlineWheel(clock) };
   * const read = runOperation(client, "read", options, () => client.read(new Uint8Array(8)));
   * await assertRejects(() => clock.runUntil(read), TimeoutError);
   * assert(clock.now() >= 30_000 && clock.now() <= 30_100);
   * ```
   */
  async runUntil<T>(promise: PromiseLike<T>, options: RunOptions = {}): Promise<T> {
    let isDone = false;
    const mark = (): void => {
      isDone = true;
    };
    promise.then(mark, mark);
    await this.#run("run until the promise settles", () => isDone, options);
    return await promise;
  }

  /**
   * Lets time pass until no timer waits and everything has settled.
   *
   * @param options How long at most, and how to settle.
   * @throws {TimeoutError} If timers are left after `maxDurationMs`.
   * @throws {RangeError} If an option is out of its range, or timers re-arm
   * each other without time passing.
   * @throws {Error} What a callback throws.
   *
   * @example After a test, nothing is left behind
   * ```ts
   * import { ManualClock } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const clock = new ManualClock();
   * clock.setTimer(() => clock.setTimer(() => {}, 250), 500);
   * await clock.runUntilIdle();
   * assertEquals([clock.now(), clock.pendingCount], [750, 0]);
   * ```
   */
  async runUntilIdle(options: RunOptions = {}): Promise<void> {
    await this.#run("run until idle", () => this.#timers.size === 0, options);
  }

  /**
   * Lets time pass without a timer firing, as when the event loop is blocked:
   * what became due fires at the next {@linkcode ManualClock.advance}, late.
   *
   * @param durationMs How long, at least 0.
   * @throws {RangeError} If `durationMs` is negative or not finite.
   */
  block(durationMs: number): void {
    this.#moveTo(this.#nowMs + checkDuration("block", durationMs));
  }

  /** Goes from timer to timer until `isDone` says so. */
  async #run(action: string, isDone: () => boolean, options: RunOptions): Promise<void> {
    const { maxDurationMs = 3_600_000 } = options;
    if (!(maxDurationMs >= 0)) {
      throw new RangeError(
        `Cannot ${action}: maxDurationMs is ${maxDurationMs}, expected at least 0`,
      );
    }
    const limitMs = this.#nowMs + maxDurationMs;
    await settle(options);
    while (!isDone()) {
      const nextMs = this.nextTimerMs;
      if (nextMs === Infinity || nextMs > limitMs) {
        const reason = nextMs === Infinity
          ? "it waits, and no timer is left"
          : `not done in ${maxDurationMs} ms, the next timer is at ${nextMs} ms`;
        throw new TimeoutError(`Cannot ${action}: ${reason}`, {
          phase: "run",
          timeoutMs: maxDurationMs,
        });
      }
      this.#fireInstant();
      await settle(options);
    }
  }

  /** Fires everything due at the instant of the next timer; there is one. */
  #fireInstant(): void {
    this.#moveTo(this.nextTimerMs);
    for (let timer; (timer = this.#timers.first) && timer.instantMs <= this.#nowMs;) {
      if (this.#firedCount++ >= MAX_FIRED_COUNT) {
        throw new RangeError(
          `Cannot advance clock: ${MAX_FIRED_COUNT} timers fired at instant ${this.#nowMs}`,
        );
      }
      this.#timers.remove(timer.id);
      timer.callback();
    }
  }

  /** Never back: a callback may itself have moved the clock on. */
  #moveTo(instantMs: number): void {
    if (instantMs <= this.#nowMs) return;
    this.#nowMs = instantMs;
    this.#firedCount = 0;
  }
}

function checkDuration(action: string, durationMs: number): number {
  if (durationMs >= 0 && durationMs < Infinity) return durationMs;
  throw new RangeError(
    `Cannot ${action} clock: durationMs is ${durationMs}, expected at least 0`,
  );
}
