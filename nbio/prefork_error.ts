// This module is sans-I/O.

/**
 * {@linkcode PreforkError}: workers that do not do.
 *
 * @module
 */

import { NetError } from "./errors.ts";
import type { PreforkExit, PreforkWorkerId } from "./prefork_event.ts";

/** Every way in which supervision of workers fails. Stable. */
export type PreforkErrorCode =
  | "ERR_NET_PREFORK_CRASHED"
  | "ERR_NET_PREFORK_RESTART"
  | "ERR_NET_PREFORK_STOPPING";

/** What a {@linkcode PreforkError} tells beside its message. */
export interface PreforkErrorOptions extends ErrorOptions {
  /** The worker it is about, where it is about one. */
  readonly worker?: PreforkWorkerId;
  /** How that worker ended. */
  readonly exit?: PreforkExit;
}

/**
 * Supervision of workers failed.
 *
 * | `code` | when |
 * | --- | --- |
 * | `ERR_NET_PREFORK_CRASHED` | more than `restart.max` workers ended by themselves within `restart.windowMs` |
 * | `ERR_NET_PREFORK_RESTART` | a new worker did not get ready, so the old ones stay |
 * | `ERR_NET_PREFORK_STOPPING` | a restart was asked for, or overtaken, while all workers stop |
 *
 * @example Telling which worker it was
 * ```ts
 * import { PreforkError } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new PreforkError("ERR_NET_PREFORK_CRASHED", "Cannot go on: workers crash", {
 *   worker: { id: 12, index: 0 },
 *   exit: { code: 1, signal: null },
 * });
 * assertEquals([error.worker?.id, error.exit?.code], [12, 1]);
 * ```
 */
export class PreforkError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: PreforkErrorCode;
  /** The worker it is about, where it is about one. */
  readonly worker: PreforkWorkerId | undefined;
  /** How that worker ended. */
  readonly exit: PreforkExit | undefined;

  /**
   * Makes the error.
   *
   * @param code What happened.
   * @param message The action and the reason.
   * @param options The worker, how it ended, and the cause.
   */
  constructor(code: PreforkErrorCode, message: string, options: PreforkErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.worker = options.worker;
    this.exit = options.exit;
  }
}
