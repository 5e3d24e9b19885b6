// This module is sans-I/O.

import { NetError } from "../nbio/errors.ts";

/**
 * Why a redirect is not followed. Stable.
 *
 * - `ERR_HTTP_REDIRECT_REFUSED`: the caller wants none, by `redirect: "error"`.
 * - `ERR_HTTP_REDIRECT_TOO_MANY`: there were `maxRedirects` before, or the chain
 *   runs in a circle for ever.
 * - `ERR_HTTP_REDIRECT_BAD_LOCATION`: the Location is no URL reference.
 * - `ERR_HTTP_REDIRECT_BAD_SCHEME`: it leads to another scheme than http and https.
 * - `ERR_HTTP_REDIRECT_INSECURE`: it leads from https to http.
 * - `ERR_HTTP_REDIRECT_BODY`: the body would have to be sent again and cannot be.
 */
export type HttpRedirectErrorCode =
  | "ERR_HTTP_REDIRECT_REFUSED"
  | "ERR_HTTP_REDIRECT_TOO_MANY"
  | "ERR_HTTP_REDIRECT_BAD_LOCATION"
  | "ERR_HTTP_REDIRECT_BAD_SCHEME"
  | "ERR_HTTP_REDIRECT_INSECURE"
  | "ERR_HTTP_REDIRECT_BODY";

/** What an {@linkcode HttpRedirectError} tells beside its message. */
export interface HttpRedirectErrorOptions extends ErrorOptions {
  /** Status of the response that redirects. */
  readonly status: number;
  /** Redirects that were followed before. */
  readonly redirectCount: number;
}

/**
 * A server redirects to where a request must not go. Neither message nor fields
 * hold more of a URL than scheme, host and port: the rest may be a secret.
 *
 * @example Reading what happened
 * ```ts
 * import { HttpRedirectError } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new HttpRedirectError("ERR_HTTP_REDIRECT_TOO_MANY", "Cannot follow redirect", {
 *   status: 302,
 *   redirectCount: 20,
 * });
 * assertEquals([error.status, error.redirectCount], [302, 20]);
 * ```
 */
export class HttpRedirectError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: HttpRedirectErrorCode;
  /** Status of the response that redirects. */
  readonly status: number;
  /** Redirects that were followed before. */
  readonly redirectCount: number;

  /**
   * Makes the error.
   *
   * @param code Why it is not followed.
   * @param message The action and the reason.
   * @param options The status, the count and the cause.
   */
  constructor(code: HttpRedirectErrorCode, message: string, options: HttpRedirectErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.redirectCount = options.redirectCount;
  }
}
