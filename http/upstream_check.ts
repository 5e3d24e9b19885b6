/**
 * {@linkcode UpstreamChecks}: asks servers from time to time whether they are well.
 *
 * @module
 */

import { CallBounds, wait } from "./client_call_bounds.ts";
import type { ClientPool } from "./client_pool.ts";
import type { PoolTarget } from "./client_pool_options.ts";
import type { UpstreamHealth } from "./upstream_health.ts";
import type { Clock } from "../nbio/clock.ts";
import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";

/** Options of the checks of a {@linkcode reverseProxy}. */
export interface UpstreamCheckOptions {
  /**
   * What is asked for, by GET: a path with its query, which the upstream's own path is
   * not put in front of.
   *
   * @default {"/"}
   */
  readonly target?: string;
  /**
   * Milliseconds from the end of one check to the beginning of the next, more than 0
   * and below 2^31.
   *
   * @default {10_000}
   */
  readonly intervalMs?: number;
  /**
   * Milliseconds for one check, more than 0.
   *
   * @default {5_000}
   */
  readonly timeoutMs?: number;
  /**
   * Failed checks in a row after which an upstream is left alone, at least 1.
   *
   * @default {2}
   */
  readonly maxFailedChecks?: number;
  /**
   * Good checks in a row after which it is asked again, at least 1.
   *
   * @default {1}
   */
  readonly minGoodChecks?: number;
  /**
   * Whether a status says that the upstream is well.
   *
   * @default {(status) => status >= 200 && status < 400}
   */
  readonly isGood?: (status: number) => boolean;
}

/** A server that is checked. */
export interface CheckedUpstream {
  /** Where it is. */
  readonly target: PoolTarget;
  /** Its Host. */
  readonly host: string;
  /** Told what came of it. */
  readonly health: UpstreamHealth;
}

/** What checks need of the proxy. */
export interface UpstreamCheckSurroundings {
  /** Connections. */
  readonly pool: ClientPool;
  /** Where deadlines wait. */
  readonly wheel: DeadlineWheel;
  /** Where the time comes from. */
  readonly clock: Clock;
}

/** What timers can wait. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;
const CLOSED = new Error("Checks have ended");
/** Bytes of an answer that are read for the sake of its connection. */
const MAX_DISCARDED_BYTES = 64 * 1024;

/** The checks of a proxy: one loop for each upstream, until it is closed. */
export class UpstreamChecks {
  readonly #around: UpstreamCheckSurroundings;
  readonly #options: Required<Omit<UpstreamCheckOptions, "maxFailedChecks" | "minGoodChecks">>;
  readonly #closing = new AbortController();
  readonly #loops: readonly Promise<void>[];

  /**
   * Begins.
   *
   * @param upstreams Whom to ask.
   * @param options What to ask, and how often.
   * @param around What the proxy has.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(
    upstreams: readonly CheckedUpstream[],
    options: UpstreamCheckOptions,
    around: UpstreamCheckSurroundings,
  ) {
    const { target = "/", intervalMs = 10_000, timeoutMs = 5_000, isGood = isWell } = options;
    if (!(intervalMs > 0 && intervalMs <= MAX_INTERVAL_MS)) throw badTime("intervalMs", intervalMs);
    if (!(timeoutMs > 0 && timeoutMs < Infinity)) throw badTime("timeoutMs", timeoutMs);
    if (!target.startsWith("/")) {
      throw new RangeError("Cannot check upstreams: target does not begin with a slash");
    }
    this.#around = around;
    this.#options = { target, intervalMs, timeoutMs, isGood };
    this.#loops = upstreams.map((upstream) => this.#loop(upstream));
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#closing.abort(CLOSED);
    await Promise.all(this.#loops);
  }

  async #loop(upstream: CheckedUpstream): Promise<void> {
    const { signal } = this.#closing;
    const { clock } = this.#around;
    while (!signal.aborted) {
      const isGood = await this.#check(upstream);
      if (signal.aborted) return;
      upstream.health.check(isGood);
      try {
        await wait(this.#options.intervalMs, clock, [signal]);
      } catch {
        return;
      }
    }
  }

  /** Asks once; whatever goes wrong says that the upstream is not well. */
  async #check({ target, host }: CheckedUpstream): Promise<boolean> {
    const { pool, wheel } = this.#around;
    const { timeoutMs, isGood, target: path } = this.#options;
    const bounds = new CallBounds(timeoutMs, this.#closing.signal, wheel);
    const { signal } = bounds;
    try {
      // On a connection of its own: one that has died while idle says nothing.
      const lent = await pool.acquire(target, { signal, fresh: true });
      try {
        const response = await lent.connection.exchange(
          { target: path, headers: [["host", host]] },
          { signal },
        );
        await response.discard({ maxBytes: MAX_DISCARDED_BYTES });
        return isGood(response.status);
      } finally {
        lent.connection.close();
        lent.release();
      }
    } catch {
      return false;
    } finally {
      bounds.stop();
    }
  }
}

function isWell(status: number): boolean {
  return status >= 200 && status < 400;
}

function badTime(name: string, timeMs: number): RangeError {
  return new RangeError(`Cannot check upstreams: ${name} is ${timeMs}, expected more than 0`);
}
