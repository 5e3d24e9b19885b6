import { NetError } from "../nbio/errors.ts";

/**
 * - `ERR_TLS_CERTIFICATE`: the peer's certificate was not accepted: nobody we
 *   trust has signed it, it names somebody else, or it is out of date.
 * - `ERR_TLS_HANDSHAKE`: anything else: the peer speaks no TLS, no version or
 *   protocol in common, or it has refused us.
 */
export type TlsErrorCode = "ERR_TLS_CERTIFICATE" | "ERR_TLS_HANDSHAKE";

/**
 * The peer is not who it has to be, or does not come to terms with us. What the
 * runtime said is in `cause`.
 *
 * @example Telling a certificate from the rest
 * ```ts
 * import { TlsError } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new TlsError("ERR_TLS_CERTIFICATE", "Cannot secure connection: unknown issuer");
 * assertEquals(error.code, "ERR_TLS_CERTIFICATE");
 * ```
 */
export class TlsError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: TlsErrorCode;

  /**
   * Makes the error.
   *
   * @param code What happened.
   * @param message The action and the reason.
   * @param options The cause.
   */
  constructor(code: TlsErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

/**
 * - `ERR_TLS_UNSUPPORTED_ROLE`: the provider has no such side.
 * - `ERR_TLS_UNSUPPORTED_TRANSPORT`: the provider cannot secure this kind of
 *   connection.
 * - `ERR_TLS_UNSUPPORTED_OPTION`: the provider does not know an option, and would
 *   have dropped it in silence.
 */
export type TlsUnsupportedErrorCode =
  | "ERR_TLS_UNSUPPORTED_ROLE"
  | "ERR_TLS_UNSUPPORTED_TRANSPORT"
  | "ERR_TLS_UNSUPPORTED_OPTION";

/** What a {@linkcode TlsUnsupportedError} tells beside its message. */
export interface TlsUnsupportedErrorOptions extends ErrorOptions {
  /** Name of the provider. */
  readonly provider: string;
}

/**
 * The provider in use cannot do what was asked for. Nothing was sent.
 *
 * @example Reading who cannot do what
 * ```ts
 * import { TlsUnsupportedError } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new TlsUnsupportedError(
 *   "ERR_TLS_UNSUPPORTED_TRANSPORT",
 *   "Cannot secure a Unix socket: the runtime does so for TCP only",
 *   { provider: "deno" },
 * );
 * assertEquals([error.code, error.provider], ["ERR_TLS_UNSUPPORTED_TRANSPORT", "deno"]);
 * ```
 */
export class TlsUnsupportedError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: TlsUnsupportedErrorCode;
  /** Name of the provider. */
  readonly provider: string;

  /**
   * Makes the error.
   *
   * @param code What is missing.
   * @param message The action and the reason.
   * @param options The provider.
   */
  constructor(
    code: TlsUnsupportedErrorCode,
    message: string,
    options: TlsUnsupportedErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.provider = options.provider;
  }
}
