// This module is sans-I/O.

import { NetError } from "../nbio/errors.ts";

/**
 * What can go wrong between a client and its proxy. Stable.
 *
 * - `ERR_PROXY_AUTHENTICATION`: it wants credentials, or others than those given.
 * - `ERR_PROXY_REFUSED`: it does not want to connect to this target.
 * - `ERR_PROXY_TARGET_UNREACHABLE`: it could not.
 * - `ERR_PROXY_BAD_RESPONSE`: it broke its protocol, or passed a limit of ours.
 * - `ERR_PROXY_CLOSED`: it left, or the connection broke, before there was a tunnel.
 * - `ERR_PROXY_UNSUPPORTED`: this cannot be done through it from here.
 */
export type ProxyErrorCode =
  | "ERR_PROXY_AUTHENTICATION"
  | "ERR_PROXY_REFUSED"
  | "ERR_PROXY_TARGET_UNREACHABLE"
  | "ERR_PROXY_BAD_RESPONSE"
  | "ERR_PROXY_CLOSED"
  | "ERR_PROXY_UNSUPPORTED";

/** What a {@linkcode ProxyError} tells beside its message. */
export interface ProxyErrorOptions extends ErrorOptions {
  /** The proxy as `scheme://host:port`, without credentials, where that is known. */
  readonly proxy?: string | undefined;
  /** Status of an HTTP proxy's answer. */
  readonly status?: number | undefined;
  /** Reply of a SOCKS proxy (RFC 1928 section 6). */
  readonly reply?: number | undefined;
}

/**
 * A proxy was reached, and gave no connection to the target. No byte of a request
 * has left then. A proxy that cannot be reached is a `ConnectError`, a silent one a
 * `TimeoutError` of the phase `"proxy"`.
 *
 * Neither message nor fields have credentials in them.
 *
 * @example Telling who is at fault
 * ```ts
 * import { ProxyError } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new ProxyError("ERR_PROXY_REFUSED", "Cannot connect through proxy: it says 403", {
 *   proxy: "http://proxy.example:3128",
 *   status: 403,
 * });
 * assertEquals([error.code, error.proxy, error.status], [
 *   "ERR_PROXY_REFUSED",
 *   "http://proxy.example:3128",
 *   403,
 * ]);
 * ```
 */
export class ProxyError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: ProxyErrorCode;
  /** The proxy without credentials; `undefined` where it is not known. */
  readonly proxy: string | undefined;
  /** Status of an HTTP proxy's answer; `undefined` without one. */
  readonly status: number | undefined;
  /** Reply of a SOCKS proxy; `undefined` without one. */
  readonly reply: number | undefined;

  /**
   * Makes the error.
   *
   * @param code What happened.
   * @param message The action and the reason.
   * @param options Which proxy, what it said, and the cause.
   */
  constructor(code: ProxyErrorCode, message: string, options: ProxyErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.proxy = options.proxy;
    this.status = options.status;
    this.reply = options.reply;
  }
}
