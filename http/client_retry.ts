/**
 * {@linkcode RetryPolicy}: whether a request is sent again, and when.
 *
 * @module
 */

import { Backoff } from "../nbio/backoff.ts";
import { NetError, TimeoutError } from "../nbio/errors.ts";
import { resolveBound } from "./limits.ts";

/**
 * Statuses that a server may well not give a second time: what `statuses` of
 * {@linkcode RetryOptions} is set to by who wants them repeated.
 */
export const TRANSIENT_STATUSES: readonly number[] = [408, 429, 502, 503, 504];

/** Options of {@linkcode RetryPolicy}. */
export interface RetryOptions {
  /**
   * Times that one request is repeated: one less than attempts in all. 0 repeats
   * nothing; Infinity leaves it to `maxTotalMs`.
   *
   * @default {2}
   */
  readonly maxRetries?: number;
  /**
   * Statuses (400 to 599) after which a request is repeated, where its method is
   * idempotent: {@linkcode TRANSIENT_STATUSES}, for example.
   *
   * @default {[]}
   */
  readonly statuses?: readonly number[];
  /**
   * Upper end of the first delay in milliseconds, more than 0; it doubles each
   * time, and every delay is drawn evenly from 0 to it.
   *
   * @default {100}
   */
  readonly baseDelayMs?: number;
  /**
   * Upper end that no delay passes, in milliseconds, more than 0 and below 2^31.
   *
   * @default {10_000}
   */
  readonly maxDelayMs?: number;
  /**
   * Most milliseconds of a `Retry-After` that are waited, at least 0; what a
   * server asks for beyond is cut off. Infinity for no bound.
   *
   * @default {60_000}
   */
  readonly maxRetryAfterMs?: number;
  /**
   * Milliseconds from the beginning of the first attempt by which the last one
   * has begun; 0 or Infinity for no bound.
   *
   * @default {120_000}
   */
  readonly maxTotalMs?: number;
  /**
   * Gives numbers from 0 to 1.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/** How an attempt ended that may be repeated. */
export type RetryFailure =
  | { readonly error: unknown }
  | {
    readonly status: number;
    /** What `Retry-After` asks for, in milliseconds, if it is there. */
    readonly retryAfterMs?: number | undefined;
  };

/** What an attempt was about. */
export interface RetryFacts {
  /** Number of the attempt that failed: 1 for the first. */
  readonly attempt: number;
  /** Bytes of the request that may have left, its head included; 0 only if none has. */
  readonly bytesSent: number;
  /** Whether the method, or the caller, says that once is the same as twice. */
  readonly isIdempotent: boolean;
  /** Whether there is no body, or one that can be sent from its beginning. */
  readonly isReplayable: boolean;
  /** Milliseconds since the beginning of the first attempt. */
  readonly elapsedMs: number;
}

/** What to do after a failure. */
export interface RetryDecision {
  /** Milliseconds to wait before the next attempt, fractions included. */
  readonly delayMs: number;
}

/** Failures that say nothing about the request itself, by their codes. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "ERR_NET_CONNECT",
  "ERR_NET_RESOLVE",
  "ERR_NET_CONNECTION_CLOSED",
  // The head of a response that was cut: the same, a moment later.
  "ERR_HTTP_TRUNCATED_MESSAGE",
]);

/**
 * Phases that may be quicker the next time. The queue is ours and as long then, and
 * the total is over.
 */
const TRANSIENT_PHASES: ReadonlySet<string> = new Set([
  "resolve",
  "connect",
  "tls",
  "write",
  "first-byte",
]);

/** How far down the causes of an error are looked at. */
const MAX_CAUSES = 4;

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
]);

/**
 * Whether a request may come twice without harm (RFC 9110 section 9.2.2).
 *
 * @param method Method, which is case-sensitive.
 *
 * @example Putting and posting
 * ```ts
 * import { isIdempotentMethod } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([isIdempotentMethod("PUT"), isIdempotentMethod("POST")], [true, false]);
 * ```
 */
export function isIdempotentMethod(method: string): boolean {
  return IDEMPOTENT_METHODS.has(method);
}

/**
 * Decides whether a request is sent again, and when: only where that does no harm,
 * and only so often and so long. It keeps no state; one serves all requests of a
 * client.
 *
 * Repeated is a request of which not one byte has left, or one that is idempotent;
 * its body has to be there from its beginning in any case. What TLS has refused, on
 * either side, is not repeated; a handshake that was cut is. Delays have full jitter,
 * and come on top of what `Retry-After` asks for.
 *
 * @example A server that is busy
 * ```ts
 * import { RetryPolicy, TRANSIENT_STATUSES } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = new RetryPolicy({ statuses: TRANSIENT_STATUSES, random: () => 1 });
 * const facts = { bytesSent: 70, isIdempotent: true, isReplayable: true, elapsedMs: 5 };
 * const busy = { status: 503, retryAfterMs: 2_000 };
 * assertEquals(policy.decide(busy, { ...facts, attempt: 1 }), { delayMs: 2_100 });
 * assertEquals(policy.decide(busy, { ...facts, attempt: 2 }), { delayMs: 2_200 });
 * assertEquals(policy.decide(busy, { ...facts, attempt: 3 }), undefined);
 * ```
 */
export class RetryPolicy {
  readonly #maxRetries: number;
  readonly #statuses: ReadonlySet<number>;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #maxRetryAfterMs: number;
  readonly #maxTotalMs: number;
  readonly #random: () => number;

  /**
   * Makes a policy.
   *
   * @param options Bounds, statuses, and where randomness comes from.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: RetryOptions = {}) {
    const { maxRetries = 2, maxRetryAfterMs = 60_000 } = options;
    if (maxRetries !== Infinity && !(Number.isSafeInteger(maxRetries) && maxRetries >= 0)) {
      throw badOption("maxRetries", maxRetries, "a whole number of at least 0, or Infinity");
    }
    if (!(maxRetryAfterMs >= 0)) throw badOption("maxRetryAfterMs", maxRetryAfterMs, "at least 0");
    this.#maxRetries = maxRetries;
    this.#statuses = new Set(options.statuses);
    for (const status of this.#statuses) {
      if (Number.isInteger(status) && status >= 400 && status <= 599) continue;
      throw badOption("statuses", status, "whole numbers from 400 to 599");
    }
    this.#baseDelayMs = options.baseDelayMs ?? 100;
    this.#maxDelayMs = options.maxDelayMs ?? 10_000;
    this.#maxRetryAfterMs = maxRetryAfterMs;
    this.#maxTotalMs = resolveBound("maxTotalMs", options.maxTotalMs ?? 120_000);
    this.#random = options.random ?? Math.random;
    // For its checks.
    new Backoff(this.#random, { baseDelayMs: this.#baseDelayMs, maxDelayMs: this.#maxDelayMs });
  }

  /**
   * Whether a response with a status may be repeated at all: its `Retry-After` and
   * body need not be looked at otherwise.
   *
   * @param status Status of a response.
   */
  wantsStatus(status: number): boolean {
    return this.#statuses.has(status);
  }

  /**
   * Decides after a failed attempt.
   *
   * @param failure The error, or the status that came.
   * @param facts What the attempt was about.
   * @returns When to repeat it; `undefined` if that is not to be.
   */
  decide(failure: RetryFailure, facts: RetryFacts): RetryDecision | undefined {
    if (facts.attempt > this.#maxRetries || !facts.isReplayable) return undefined;
    if (!facts.isIdempotent && (facts.bytesSent > 0 || "status" in failure)) return undefined;
    if (!this.#isTransient(failure)) return undefined;
    const delayMs = this.#delayMs(failure, facts.attempt);
    return facts.elapsedMs + delayMs > this.#maxTotalMs ? undefined : { delayMs };
  }

  #isTransient(failure: RetryFailure): boolean {
    if ("status" in failure) return this.#statuses.has(failure.status);
    const { error } = failure;
    if (isRefusal(error)) return false;
    if (error instanceof TimeoutError) return TRANSIENT_PHASES.has(error.phase);
    return error instanceof NetError && TRANSIENT_CODES.has(error.code);
  }

  #delayMs(failure: RetryFailure, attempt: number): number {
    const retryAfterMs = "status" in failure ? failure.retryAfterMs ?? 0 : 0;
    // What one that has been asked as often would give now.
    const backoff = new Backoff(this.#random, {
      baseDelayMs: Math.min(this.#baseDelayMs * 2 ** (attempt - 1), this.#maxDelayMs),
      maxDelayMs: this.#maxDelayMs,
    });
    return backoff.next(Math.min(retryAfterMs, this.#maxRetryAfterMs))!;
  }
}

/**
 * Whether TLS has refused us, or we the server: what was refused is so the next time. In TLS 1.3 a
 * client hears that its certificate is not accepted with the first read (RFC 8446 section 4.4.2.4),
 * and then it is the cause of a connection that broke. One that was cut in the middle of a handshake
 * is not among them.
 */
function isRefusal(error: unknown): boolean {
  for (let depth = 0; depth < MAX_CAUSES && error instanceof Error; depth++, error = error.cause) {
    if (error instanceof NetError && error.code.startsWith("ERR_TLS_")) return true;
    // The runtime's own class for what TLS finds wrong, an alert included.
    if (error.name === "InvalidData") return true;
  }
  return false;
}

function badOption(name: string, value: number, expected: string): RangeError {
  return new RangeError(`Cannot make retry policy: ${name} is ${value}, expected ${expected}`);
}
