// This module is sans-I/O.

import { Backoff } from "../nbio/backoff.ts";
import { resolveBound } from "./limits.ts";

/** Options of {@linkcode UpstreamHealth}. */
export interface UpstreamHealthOptions {
  /**
   * Failed requests in a row after which a server is left alone, at least 1; 0 or
   * Infinity never leaves it.
   *
   * @default {3}
   */
  readonly maxFailures?: number;
  /**
   * Upper end of the first time in milliseconds that a server is left alone, more
   * than 0; it doubles each time, and at least half of it passes.
   *
   * @default {1_000}
   */
  readonly baseDownMs?: number;
  /**
   * Upper end that no such time passes, in milliseconds, more than 0 and below 2^31.
   *
   * @default {60_000}
   */
  readonly maxDownMs?: number;
  /**
   * Failed checks in a row after which a server is left alone, whatever its requests
   * say; at least 1.
   *
   * @default {2}
   */
  readonly maxFailedChecks?: number;
  /**
   * Good checks in a row after which it is asked again; at least 1.
   *
   * @default {1}
   */
  readonly minGoodChecks?: number;
  /**
   * Gives numbers from 0 to 1.
   *
   * @default {Math.random of the caller}
   */
  readonly random?: () => number;
}

/**
 * How a server is.
 *
 * - `up`: it is asked.
 * - `down`: it is left alone, until its time is over.
 * - `trial`: its time is over, and one request finds out whether it is back.
 */
export type UpstreamHealthState = "up" | "down" | "trial";

/** All ways from one state to another. */
const TRANSITIONS = {
  up: { fail: "down" },
  down: { begin: "trial", succeed: "up" },
  trial: { fail: "down", succeed: "up", release: "down" },
} as const satisfies Record<UpstreamHealthState, Partial<Record<string, UpstreamHealthState>>>;

const HALF = 0.5;

/**
 * Whether one of several servers is asked: what its requests have come to, and what
 * checks say. Time is a parameter.
 *
 * @example Three failures, and back
 * ```ts
 * import { UpstreamHealth } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const health = new UpstreamHealth({ random: () => 1 });
 * for (let count = 0; count < 3; count++) health.fail(0);
 * assertEquals([health.state, health.admits(999), health.admits(1_000)], ["down", false, true]);
 * health.begin(1_000);
 * assertEquals([health.state, health.admits(1_000)], ["trial", false]);
 * health.succeed();
 * assertEquals(health.state, "up");
 * ```
 */
export class UpstreamHealth {
  readonly #maxFailures: number;
  readonly #maxFailedChecks: number;
  readonly #minGoodChecks: number;
  readonly #backoff: Backoff;
  #state: UpstreamHealthState = "up";
  #failureCount = 0;
  #upAtMs = 0;
  #isChecked = true;
  /** Checks in a row that contradict what is thought of the server. */
  #contraryCount = 0;

  /**
   * Makes the record of a server of which nothing bad is known.
   *
   * @param options How much is forgiven, and for how long nothing is.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: UpstreamHealthOptions = {}) {
    const { random = () => 1 } = options;
    this.#maxFailures = resolveBound("maxFailures", options.maxFailures ?? 3);
    this.#maxFailedChecks = checkCount("maxFailedChecks", options.maxFailedChecks ?? 2);
    this.#minGoodChecks = checkCount("minGoodChecks", options.minGoodChecks ?? 1);
    this.#backoff = new Backoff(() => HALF + random() * HALF, {
      baseDelayMs: options.baseDownMs ?? 1_000,
      maxDelayMs: options.maxDownMs ?? 60_000,
    });
  }

  /** What its requests say. */
  get state(): UpstreamHealthState {
    return this.#state;
  }

  /** What its checks say: true where there are none. */
  get isChecked(): boolean {
    return this.#isChecked;
  }

  /**
   * When it may be asked again, as an instant; Infinity while a trial runs or its
   * checks fail, and 0 for a server that is up.
   */
  get retryAtMs(): number {
    if (!this.#isChecked || this.#state === "trial") return Infinity;
    return this.#state === "down" ? this.#upAtMs : 0;
  }

  /**
   * Whether a request may go there.
   *
   * @param nowMs The instant.
   */
  admits(nowMs: number): boolean {
    return this.retryAtMs <= nowMs;
  }

  /**
   * A request goes there.
   *
   * @param nowMs The instant.
   */
  begin(nowMs: number): void {
    if (this.#state === "down" && this.#upAtMs <= nowMs) this.#state = TRANSITIONS.down.begin;
  }

  /** A request has succeeded. */
  succeed(): void {
    this.#failureCount = 0;
    if (this.#state === "up") return;
    this.#state = TRANSITIONS[this.#state].succeed;
    this.#backoff.reset();
  }

  /**
   * A request has failed, and not because of the client.
   *
   * @param nowMs The instant.
   */
  fail(nowMs: number): void {
    this.#failureCount++;
    // Requests that were under way when it went down say nothing new.
    if (this.#state === "down") return;
    if (this.#state === "up" && this.#failureCount < this.#maxFailures) return;
    this.#state = TRANSITIONS[this.#state].fail;
    this.#upAtMs = nowMs + this.#backoff.next()!;
  }

  /**
   * A request has ended without saying anything about the server: the next one may
   * find out.
   *
   * @param nowMs The instant.
   */
  release(nowMs: number): void {
    if (this.#state !== "trial") return;
    this.#state = TRANSITIONS.trial.release;
    this.#upAtMs = nowMs;
  }

  /**
   * A check has ended.
   *
   * @param isGood Whether the server is well.
   */
  check(isGood: boolean): void {
    this.#contraryCount = isGood === this.#isChecked ? 0 : this.#contraryCount + 1;
    if (this.#contraryCount < (isGood ? this.#minGoodChecks : this.#maxFailedChecks)) return;
    this.#contraryCount = 0;
    this.#isChecked = isGood;
    if (isGood) this.succeed();
  }
}

function checkCount(name: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new RangeError(`Cannot use option ${name}: ${count} is not an integer of at least 1`);
}
