/**
 * {@linkcode ConnectError}: no address could be reached.
 *
 * @module
 */

import { NetError } from "./errors.ts";

/** One address that was tried, and why it could not be reached. */
export interface ConnectAttempt {
  /** The address. */
  readonly address: Deno.Addr;
  /** Why it failed, as the runtime or the transport said it. */
  readonly cause: unknown;
}

/** What a {@linkcode ConnectError} tells beside its message. */
export interface ConnectErrorOptions extends ErrorOptions {
  /** What happened. */
  readonly code: ConnectErrorCode;
  /** Every address that was tried, in the order of the attempts. */
  readonly attempts: readonly ConnectAttempt[];
}

/**
 * - `ERR_NET_CONNECT`: every address refused, or could not be reached.
 * - `ERR_NET_RESOLVE`: the name has no address; `cause` says what the resolver
 *   said.
 */
export type ConnectErrorCode = "ERR_NET_CONNECT" | "ERR_NET_RESOLVE";

/**
 * No address could be reached.
 *
 * @example Telling what was tried
 * ```ts
 * import { ConnectError } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new ConnectError("Cannot connect to example.com:80: 1 address failed", {
 *   code: "ERR_NET_CONNECT",
 *   attempts: [{
 *     address: { transport: "tcp", hostname: "192.0.2.1", port: 80 },
 *     cause: new Error("Connection refused"),
 *   }],
 * });
 * assertEquals(error.attempts.length, 1);
 * ```
 */
export class ConnectError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: ConnectErrorCode;
  /** Every address that was tried, in the order of the attempts. */
  readonly attempts: readonly ConnectAttempt[];

  /**
   * Makes the error.
   *
   * @param message Where to, and how many addresses failed.
   * @param options The code, the attempts and the cause.
   */
  constructor(message: string, options: ConnectErrorOptions) {
    super(message, options);
    this.code = options.code;
    this.attempts = options.attempts;
  }
}
