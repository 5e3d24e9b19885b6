/**
 * {@linkcode BreakableWait}: waiting that somebody else can end.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/**
 * A place to wait. Breaking it rejects everyone who waits there and everyone
 * who comes later; what was waited for may still settle, unheard.
 */
export class BreakableWait {
  readonly #waiting: Set<(reason: unknown) => void> = new Set();
  #broken: { readonly reason: unknown } | undefined;

  /** Settles as `promise` does, or rejects when the wait is broken first. */
  until<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const leave = (): void => void this.#waiting.delete(reject);
      promise.then(resolve, reject);
      promise.then(leave, leave);
      if (this.#broken) reject(this.#broken.reason);
    });
  }

  /** Waits for the wait to be broken. */
  forever(): Promise<never> {
    return this.until(new Promise<never>(() => {}));
  }

  /** Waits for time to pass; takes the timer back if it is broken first. */
  async sleep(clock: Clock, durationMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.setTimer(resolve, durationMs);
    try {
      await this.until(promise);
    } finally {
      clock.clearTimer(timer);
    }
  }

  /** Ends all waiting, now and later, the first time it is called. */
  break(reason: unknown): void {
    if (this.#broken) return;
    this.#broken = { reason };
    for (const reject of this.#waiting) reject(reason);
    this.#waiting.clear();
  }
}
