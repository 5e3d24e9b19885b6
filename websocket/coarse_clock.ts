import type { Deadline, DeadlineWheel } from "../nbio/deadline_wheel.ts";

/** Least time for which an instant is good enough, in milliseconds; the wheel adds its own tick. */
const FRESH_MS = 1;

/**
 * The instant as exact as the deadlines that are reckoned from it: at most two ticks of the wheel
 * old, or as old as the event loop was busy.
 *
 * A connection asks twice for every message. The clock itself would be a fifth of what a short
 * message costs beside its two system calls (`tests/bench/websocket/main.ts`).
 */
export class CoarseClock {
  readonly #wheel: DeadlineWheel;
  readonly #expiry: Deadline;
  #userCount = 0;
  #nowMs = 0;
  #isFresh = false;

  /** @param wheel Whose clock counts. */
  constructor(wheel: DeadlineWheel) {
    this.#wheel = wheel;
    this.#expiry = wheel.create(() => this.#isFresh = false);
  }

  /** One more asks for instants. */
  join(): void {
    this.#userCount++;
  }

  /** One of those who joined asks no more: with the last of them the timer goes. */
  leave(): void {
    this.#userCount--;
    if (this.#userCount > 0) return;
    this.#expiry.cancel();
    this.#isFresh = false;
  }

  /** The instant. */
  now(): number {
    if (this.#isFresh) return this.#nowMs;
    // A read that ends behind everything must not leave a timer.
    if (this.#userCount === 0) return this.#wheel.now();
    this.#isFresh = true;
    this.#expiry.arm(FRESH_MS);
    return this.#nowMs = this.#wheel.now();
  }
}

const clocks = new WeakMap<DeadlineWheel, CoarseClock>();

/**
 * Gives the one clock of a wheel: connections that are busy at the same time ask once.
 *
 * @param wheel Whose clock counts.
 * @returns The clock.
 */
export function coarseClockOf(wheel: DeadlineWheel): CoarseClock {
  let clock = clocks.get(wheel);
  if (clock === undefined) clocks.set(wheel, clock = new CoarseClock(wheel));
  return clock;
}
