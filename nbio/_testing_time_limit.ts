/**
 * {@linkcode TimeLimit}: time to do something in.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** A span of a clock's time that begins when this is made. To be stopped in any case. */
export class TimeLimit {
  /** Resolves when the time is over, never if it is stopped first. */
  readonly timeUp: Promise<void>;
  readonly #clock: Clock;
  readonly #timer: unknown;
  #isOver = false;

  /** Starts the time; 0 and `Infinity` last for ever. */
  constructor(clock: Clock, durationMs: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.timeUp = promise;
    this.#clock = clock;
    if (durationMs === 0 || durationMs === Infinity) return;
    this.#timer = clock.setTimer(() => {
      this.#isOver = true;
      resolve();
    }, durationMs);
  }

  /** Whether the time is over. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes the timer back. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
  }
}
