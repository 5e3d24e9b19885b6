import { type Clock, systemClock } from "../nbio/clock.ts";
import { resolveBound } from "./limits.ts";
import { RecencyMap } from "./recency_map.ts";

/** What a {@linkcode RateLimitStore} says about one request. */
export interface RateLimitDecision {
  /** Whether the request is within the limit. */
  readonly allowed: boolean;
  /** Units left now, at least 0; a whole number. */
  readonly remaining: number;
  /** Milliseconds until all units are there again, if none is used meanwhile. */
  readonly resetMs: number;
  /** Milliseconds until the units that were missing are there; 0 if allowed. */
  readonly retryAfterMs: number;
}

/**
 * Counts what keys use: in memory, or for several processes together in
 * whatever they share.
 */
export interface RateLimitStore {
  /**
   * Takes units from a key, if they are there; else nothing is taken.
   *
   * @param key Whose units.
   * @param cost How many, at least 1.
   */
  take(key: string, cost: number): RateLimitDecision | Promise<RateLimitDecision>;
}

/** Options of {@linkcode MemoryRateLimitStore}. */
export interface MemoryRateLimitStoreOptions {
  /**
   * Units a key may use per window, an integer of at least 1.
   *
   * @default {100}
   */
  readonly limit?: number;
  /**
   * Milliseconds of the window, at least 1.
   *
   * @default {60000}
   */
  readonly windowMs?: number;
  /**
   * How units come back. A token bucket gives them back one by one and lets a
   * key that rested use `limit` at once. A sliding window lets no more than
   * about `limit` through in any window: what lies in the one before counts by
   * the part that still overlaps.
   *
   * @default {"token-bucket"}
   */
  readonly algorithm?: "token-bucket" | "sliding-window";
  /**
   * Keys that are remembered. 0 or Infinity for no bound.
   *
   * @default {100000}
   */
  readonly maxKeys?: number;
  /**
   * What a new key meets when all places are taken by keys that still count:
   * the key that was seen longest ago is forgotten, or the new one is refused.
   * Who has very many addresses can make others forgotten, or locked out.
   *
   * @default {"evict"}
   */
  readonly whenFull?: "evict" | "refuse";
  /**
   * Where time comes from; for tests.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** What is remembered of a key; what the numbers mean is the algorithm's. */
interface Usage {
  /** Tokens used and not back yet; or units of the current window. */
  used: number;
  /** Units of the window before. */
  usedBefore: number;
  /** Instant `used` is of; or the start of the current window. */
  sinceMs: number;
}

/**
 * Counts in memory, in constant space per key and in bounded space for all.
 *
 * @example Two at once, then one per half second
 * ```ts
 * import { MemoryRateLimitStore } from "@nbio/net/http";
 * import { ManualClock } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const store = new MemoryRateLimitStore({ limit: 2, windowMs: 1_000, clock });
 * assertEquals([store.take("a", 1).allowed, store.take("a", 1).allowed], [true, true]);
 * assertEquals(store.take("a", 1).retryAfterMs, 500);
 * clock.advance(500);
 * assertEquals(store.take("a", 1).allowed, true);
 * ```
 */
export class MemoryRateLimitStore implements RateLimitStore {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #isBucket: boolean;
  readonly #evicts: boolean;
  readonly #clock: Clock;
  readonly #usages: RecencyMap<string, Usage>;

  /**
   * Makes a store that remembers nothing yet.
   *
   * @param options The limit, and bounds.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: MemoryRateLimitStoreOptions = {}) {
    const { limit = 100, windowMs = 60_000, algorithm = "token-bucket" } = options;
    const { maxKeys = 100_000, whenFull = "evict", clock = systemClock } = options;
    checkOptions(limit, windowMs, algorithm, whenFull);
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#isBucket = algorithm === "token-bucket";
    this.#usages = new RecencyMap(resolveBound("maxKeys", maxKeys));
    this.#evicts = whenFull === "evict";
    this.#clock = clock;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#usages.size;
  }

  /**
   * Takes units from a key, if they are there; else nothing is taken.
   *
   * @param key Whose units.
   * @param cost How many, an integer from 1 to `limit`.
   * @returns What became of it.
   * @throws {RangeError} If the cost is out of its range.
   */
  take(key: string, cost: number): RateLimitDecision {
    if (!(Number.isInteger(cost) && cost >= 1 && cost <= this.#limit)) {
      throw new RangeError(
        `Cannot take ${cost} units: it is not an integer from 1 to ${this.#limit}`,
      );
    }
    const nowMs = this.#clock.now();
    const usage = this.#renew(key, nowMs);
    if (usage === undefined) return this.#refuseNewKey(nowMs);
    return this.#isBucket
      ? this.#takeFromBucket(usage, nowMs, cost)
      : this.#takeFromWindow(usage, nowMs, cost);
  }

  /** The usage of a key, which is seen now; `undefined` if there is no place. */
  #renew(key: string, nowMs: number): Usage | undefined {
    const present = this.#usages.touch(key);
    if (present !== undefined) return present;
    if (!this.#hasRoom(nowMs)) return undefined;
    const usage: Usage = { used: 0, usedBefore: 0, sinceMs: nowMs };
    this.#usages.set(key, usage);
    return usage;
  }

  /** Whether a new key may have a place, and be it that of another one. */
  #hasRoom(nowMs: number): boolean {
    // What was seen longest ago: if it counts still, so may all others.
    return this.#evicts || !this.#usages.isFull || this.#isOver(this.#usages.oldest!, nowMs);
  }

  /** Whether a usage no longer makes a difference. */
  #isOver({ sinceMs }: Usage, nowMs: number): boolean {
    return nowMs - sinceMs >= this.#windowMs * (this.#isBucket ? 1 : 2);
  }

  #refuseNewKey(nowMs: number): RateLimitDecision {
    const spanMs = this.#windowMs * (this.#isBucket ? 1 : 2);
    const waitMs = Math.max(1, this.#usages.oldest!.sinceMs + spanMs - nowMs);
    return { allowed: false, remaining: 0, resetMs: waitMs, retryAfterMs: waitMs };
  }

  #takeFromBucket(usage: Usage, nowMs: number, cost: number): RateLimitDecision {
    const limit = this.#limit;
    const msPerUnit = this.#windowMs / limit;
    const used = Math.max(0, usage.used - (nowMs - usage.sinceMs) / msPerUnit);
    const isAllowed = fits(used + cost, limit);
    usage.used = isAllowed ? used + cost : used;
    usage.sinceMs = nowMs;
    return {
      allowed: isAllowed,
      remaining: wholeUnits(limit - usage.used),
      resetMs: usage.used * msPerUnit,
      retryAfterMs: isAllowed ? 0 : (used + cost - limit) * msPerUnit,
    };
  }

  #takeFromWindow(usage: Usage, nowMs: number, cost: number): RateLimitDecision {
    const limit = this.#limit;
    const windowMs = this.#windowMs;
    turnWindow(usage, nowMs, windowMs);
    const elapsedMs = nowMs - usage.sinceMs;
    const before = usage.usedBefore * (1 - elapsedMs / windowMs);
    const isAllowed = fits(before + usage.used + cost, limit);
    if (isAllowed) usage.used += cost;
    const end = usage.used > 0 ? 2 : 1;
    return {
      allowed: isAllowed,
      remaining: wholeUnits(limit - before - usage.used),
      resetMs: windowMs * end - elapsedMs,
      retryAfterMs: isAllowed ? 0 : waitForWindow(usage, elapsedMs, windowMs, limit - cost),
    };
  }
}

/** What rounding leaves over must not cost a unit. */
const EPSILON = 1e-9;

function fits(used: number, limit: number): boolean {
  return used <= limit * (1 + EPSILON);
}

function wholeUnits(units: number): number {
  return Math.max(0, Math.floor(units * (1 + EPSILON)));
}

function turnWindow(usage: Usage, nowMs: number, windowMs: number): void {
  const passed = Math.floor((nowMs - usage.sinceMs) / windowMs);
  if (passed < 1) return;
  usage.usedBefore = passed === 1 ? usage.used : 0;
  usage.used = 0;
  usage.sinceMs += passed * windowMs;
}

/** Milliseconds until no more than `most` units count. */
function waitForWindow(usage: Usage, elapsedMs: number, windowMs: number, most: number): number {
  const { used, usedBefore } = usage;
  if (used <= most) {
    // Still in this window: usedBefore * (1 - t / windowMs) + used = most.
    return windowMs * (1 - (most - used) / usedBefore) - elapsedMs;
  }
  // In the next one, where what was used in this one wanes.
  return windowMs * (2 - most / used) - elapsedMs;
}

function checkOptions(
  limit: number,
  windowMs: number,
  algorithm: string,
  whenFull: string,
): void {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError(`Cannot use option limit: ${limit} is not a whole number of at least 1`);
  }
  if (!(windowMs >= 1 && windowMs < Infinity)) {
    throw new RangeError(`Cannot use option windowMs: ${windowMs} is not a number of at least 1`);
  }
  if (algorithm !== "token-bucket" && algorithm !== "sliding-window") {
    throw new RangeError(`Cannot use option algorithm: ${JSON.stringify(algorithm)} is none`);
  }
  if (whenFull !== "evict" && whenFull !== "refuse") {
    throw new RangeError(`Cannot use option whenFull: ${JSON.stringify(whenFull)} is no policy`);
  }
}
