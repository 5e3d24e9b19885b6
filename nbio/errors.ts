// This module is sans-I/O.

/**
 * The error classes every module of this package shares. One class per
 * culprit; what happened exactly is in `code`, which is stable, while messages
 * may change.
 *
 * @module
 */

/**
 * Root of all errors of this package. It is never thrown itself: catch it to
 * tell errors of this package from all others.
 *
 * @example Telling our errors from others
 * ```ts
 * import { NetError, TimeoutError } from "@nbio/net/nbio";
 * import { assert } from "@std/assert";
 *
 * const error: unknown = new TimeoutError("Cannot read head: no byte came in 5 ms", {
 *   phase: "head",
 *   timeoutMs: 5,
 * });
 * assert(error instanceof NetError);
 * ```
 */
export abstract class NetError extends Error {
  /** What happened, as a stable identifier of the form `ERR_<AREA>_<WHAT>`. */
  abstract readonly code: string;

  /**
   * Makes the error.
   *
   * @param message What was tried and why it failed.
   * @param options The underlying cause, if any.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** What a {@linkcode TimeoutError} tells beside its message. */
export interface TimeoutErrorOptions extends ErrorOptions {
  /** The phase that took too long, for example `"connect"` or `"body"`. */
  readonly phase: string;
  /** The limit that passed, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * A deadline of ours passed while we waited for the peer.
 *
 * @example Reading the phase
 * ```ts
 * import { TimeoutError } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new TimeoutError("Cannot read body: no byte came in 30000 ms", {
 *   phase: "body",
 *   timeoutMs: 30_000,
 * });
 * assertEquals(error.code, "ERR_NET_TIMEOUT");
 * assertEquals(error.phase, "body");
 * ```
 */
export class TimeoutError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code = "ERR_NET_TIMEOUT";
  /** The phase that took too long. */
  readonly phase: string;
  /** The limit that passed, in milliseconds. */
  readonly timeoutMs: number;

  /**
   * Makes the error.
   *
   * @param message What was waited for, and for how long.
   * @param options The phase and its limit.
   */
  constructor(message: string, options: TimeoutErrorOptions) {
    super(message, options);
    this.phase = options.phase;
    this.timeoutMs = options.timeoutMs;
  }
}

/** What a {@linkcode ConnectionClosedError} tells beside its message. */
export interface ConnectionClosedErrorOptions extends ErrorOptions {
  /** Bytes of the unfinished message that had come, when known. */
  readonly bytesReceived?: number;
}

/**
 * The connection ended in the middle of a message: the peer left, or it was
 * closed on our side while an operation was waiting.
 *
 * @example Reading how much had come
 * ```ts
 * import { ConnectionClosedError } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new ConnectionClosedError("Cannot read body: connection ended after 3 of 10 bytes", {
 *   bytesReceived: 3,
 * });
 * assertEquals(error.bytesReceived, 3);
 * ```
 */
export class ConnectionClosedError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code = "ERR_NET_CONNECTION_CLOSED";
  /** Bytes of the unfinished message that had come. */
  readonly bytesReceived: number;

  /**
   * Makes the error.
   *
   * @param message What was waited for.
   * @param options How much had come, and the cause.
   */
  constructor(message: string, options: ConnectionClosedErrorOptions = {}) {
    super(message, options);
    this.bytesReceived = options.bytesReceived ?? 0;
  }
}

/** What a {@linkcode LimitExceededError} tells beside its message. */
export interface LimitExceededErrorOptions extends ErrorOptions {
  /** Name of the option whose limit was passed, for example `"maxBodyBytes"`. */
  readonly limit: string;
  /** Value of that option. */
  readonly max: number;
  /** The HTTP status a server answers with, where one fits. */
  readonly statusHint?: number;
}

/**
 * Input passed a limit that an option sets.
 *
 * @example Naming the option to raise
 * ```ts
 * import { LimitExceededError } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new LimitExceededError("Cannot read body: 20 bytes exceed 16", {
 *   limit: "maxBodyBytes",
 *   max: 16,
 *   statusHint: 413,
 * });
 * assertEquals([error.limit, error.max, error.statusHint], ["maxBodyBytes", 16, 413]);
 * ```
 */
export class LimitExceededError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code = "ERR_NET_LIMIT_EXCEEDED";
  /** Name of the option whose limit was passed. */
  readonly limit: string;
  /** Value of that option. */
  readonly max: number;
  /**
   * The HTTP status that says so to a client whose request it was; `undefined`
   * where none fits. A server answers with it only for faults of the request.
   */
  readonly statusHint: number | undefined;

  /**
   * Makes the error.
   *
   * @param message The action, the value that came and the one allowed.
   * @param options The option, its value and the status hint.
   */
  constructor(message: string, options: LimitExceededErrorOptions) {
    super(message, options);
    this.limit = options.limit;
    this.max = options.max;
    this.statusHint = options.statusHint;
  }
}
