/**
 * {@linkcode ConnectionLimit}: how many connections a listener handles, and who
 * waits for one of them to end.
 *
 * @module
 */

import { checkBound } from "./_check_bound.ts";

/**
 * Checks the option of that name.
 *
 * @param maxConnections What the caller gave.
 * @returns How many places there are, `Infinity` for no limit.
 * @throws {RangeError} If it is neither an integer of at least 0 nor `Infinity`.
 */
export function checkMaxConnections(maxConnections: number = 10_000): number {
  return checkBound("maxConnections", maxConnections);
}

/**
 * The places of a listener. Accept loops wait for one, at most one wait per
 * source, so the list of those who wait is as short as that of the sources.
 */
export class ConnectionLimit {
  readonly #maxConnections: number;
  #activeCount = 0;
  #waiting: (() => void)[] = [];

  /**
   * Makes a limit with all places free.
   *
   * @param maxConnections How many places; 0 and `Infinity` mean no limit, and
   * 10,000 are the default.
   * @throws {RangeError} If it is neither an integer of at least 0 nor `Infinity`.
   */
  constructor(maxConnections?: number) {
    this.#maxConnections = checkMaxConnections(maxConnections);
  }

  /** Places taken. */
  get activeCount(): number {
    return this.#activeCount;
  }

  /** Whether there is a free place. */
  get hasRoom(): boolean {
    return this.#activeCount < this.#maxConnections;
  }

  /** Whether somebody waits for a place. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a place, also where there is none: the caller has asked. */
  enter(): void {
    this.#activeCount++;
  }

  /** Gives a place back. */
  leave(): void {
    this.#activeCount--;
    this.wake();
  }

  /** Waits until a place is given back, or {@linkcode ConnectionLimit.wake} is called. */
  change(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  /**
   * Lets everybody who waits look again. All of them, because one that goes on
   * to wait in `accept` does not take the place that another needs.
   */
  wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
