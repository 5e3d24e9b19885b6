/**
 * {@linkcode ManualClock}: time that passes when a test says so.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** Options of {@linkcode ManualClock}. */
export interface ManualClockOptions {
  /**
   * Wall time at instant 0, in milliseconds since the Unix epoch.
   *
   * @default {0}
   */
  readonly wallStartMs?: number;
}

interface Timer {
  readonly instantMs: number;
  readonly callback: () => void;
}

/** More timers than any test means to fire at one instant: a loop without end. */
const MAX_FIRED_COUNT = 100_000;

/**
 * A clock that stands still until {@linkcode ManualClock.advance} is called,
 * and begins at instant 0.
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
 */
export class ManualClock implements Clock {
  readonly #wallStartMs: number;
  #nowMs = 0;
  #nextId = 1;
  readonly #timers: Map<number, Timer> = new Map();

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
   */
  setTimer(callback: () => void, delayMs: number): unknown {
    const id = this.#nextId++;
    this.#timers.set(id, { instantMs: this.#nowMs + Math.max(0, delayMs), callback });
    return id;
  }

  /**
   * Forgets a timer.
   *
   * @param timer What {@linkcode ManualClock.setTimer} returned.
   */
  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  /**
   * Lets time pass: fires every timer due by then in the order of their
   * instants (at the same instant, in the order they were set), each with the
   * clock at its instant. What callbacks leave to promises happens later, when
   * the caller awaits.
   *
   * @param durationMs How long, at least 0.
   * @throws {RangeError} If `durationMs` is negative or not finite, or timers
   * re-arm each other without time passing.
   * @throws {Error} What a callback throws; time stands at its instant then.
   */
  advance(durationMs: number): void {
    if (!(durationMs >= 0 && durationMs < Infinity)) {
      throw new RangeError(
        `Cannot advance clock: durationMs is ${durationMs}, expected at least 0`,
      );
    }
    const targetMs = this.#nowMs + durationMs;
    for (let firedCount = 0; firedCount < MAX_FIRED_COUNT; firedCount++) {
      const id = this.#firstDue(targetMs);
      if (id === undefined) {
        this.#nowMs = targetMs;
        return;
      }
      const timer = this.#timers.get(id)!;
      this.#timers.delete(id);
      if (timer.instantMs > this.#nowMs) {
        this.#nowMs = timer.instantMs;
        firedCount = 0;
      }
      timer.callback();
    }
    throw new RangeError(`Cannot advance clock: ${MAX_FIRED_COUNT} timers fired at one instant`);
  }

  /**
   * Lets time pass without a timer firing, as when the event loop is blocked:
   * what became due fires at the next {@linkcode ManualClock.advance}, late.
   *
   * @param durationMs How long, at least 0.
   * @throws {RangeError} If `durationMs` is negative or not finite.
   */
  block(durationMs: number): void {
    if (!(durationMs >= 0 && durationMs < Infinity)) {
      throw new RangeError(`Cannot block clock: durationMs is ${durationMs}, expected at least 0`);
    }
    this.#nowMs += durationMs;
  }

  #firstDue(targetMs: number): number | undefined {
    let firstId: number | undefined;
    let firstMs = targetMs;
    for (const [id, { instantMs }] of this.#timers) {
      // The map is in order of creation, so a tie keeps the older timer.
      if (instantMs < firstMs || (instantMs === firstMs && firstId === undefined)) {
        firstId = id;
        firstMs = instantMs;
      }
    }
    return firstId;
  }
}
