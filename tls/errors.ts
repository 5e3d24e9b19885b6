import { NetError } from "../nbio/errors.ts";

/**
 * - `ERR_TLS_CERTIFICATE`: the peer's certificate was not accepted: nobody we
 *   trust has signed it, it names somebody else, it is out of date, or it has to
 *   have one and has none.
 * - `ERR_TLS_PIN`: the certificate is good, and its key is not one that was pinned.
 * - `ERR_TLS_REFUSED`: `verifyPeer` has refused the peer; what it threw is the cause.
 * - `ERR_TLS_NOT_TLS`: the peer speaks no TLS.
 * - `ERR_TLS_HANDSHAKE`: anything else: no version or protocol in common, or it has
 *   refused us.
 */
export type TlsErrorCode =
  | "ERR_TLS_CERTIFICATE"
  | "ERR_TLS_PIN"
  | "ERR_TLS_REFUSED"
  | "ERR_TLS_NOT_TLS"
  | "ERR_TLS_HANDSHAKE";

/**
 * Where it happened: `"handshake"` before the two have come to terms, `"verify"`
 * when we looked at the peer's certificate, `"read"` in what came afterwards. In
 * TLS 1.3 a client hears only then that its certificate was refused.
 */
export type TlsPhase = "handshake" | "verify" | "read";

/** What a {@linkcode TlsError} tells beside its message. */
export interface TlsErrorOptions extends ErrorOptions {
  /**
   * Where it happened.
   *
   * @default {"handshake"}
   */
  readonly phase?: TlsPhase;

  /**
   * The alert that the peer has sent, by its name in RFC 8446 section 6.
   *
   * @default {undefined} (none, or not known)
   */
  readonly alert?: string | undefined;

  /**
   * What the runtime or the check said, in a few words that may change.
   *
   * @default {undefined} (not known)
   */
  readonly reason?: string | undefined;
}

/**
 * The peer is not who it has to be, or does not come to terms with us. What the
 * runtime said is in `cause`.
 *
 * @example Telling a certificate from the rest
 * ```ts
 * import { TlsError } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new TlsError("ERR_TLS_CERTIFICATE", "Cannot secure connection: unknown issuer", {
 *   phase: "verify",
 * });
 * assertEquals([error.code, error.phase, error.alert], ["ERR_TLS_CERTIFICATE", "verify", undefined]);
 * ```
 */
export class TlsError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: TlsErrorCode;
  /** Where it happened. */
  readonly phase: TlsPhase;
  /** The alert that the peer has sent, by its name in RFC 8446; `undefined` without one. */
  readonly alert: string | undefined;
  /** What the runtime or the check said, in words that may change; `undefined` if not known. */
  readonly reason: string | undefined;

  /**
   * Makes the error.
   *
   * @param code What happened.
   * @param message The action and the reason.
   * @param options Phase, alert, reason and cause.
   */
  constructor(code: TlsErrorCode, message: string, options: TlsErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.phase = options.phase ?? "handshake";
    this.alert = options.alert;
    this.reason = options.reason;
  }
}

/**
 * - `ERR_TLS_UNSUPPORTED_ROLE`: the provider has no such side.
 * - `ERR_TLS_UNSUPPORTED_TRANSPORT`: the provider cannot secure this kind of
 *   connection.
 * - `ERR_TLS_UNSUPPORTED_OPTION`: the provider does not know an option, or cannot
 *   honour its value, and would have dropped it in silence.
 */
export type TlsUnsupportedErrorCode =
  | "ERR_TLS_UNSUPPORTED_ROLE"
  | "ERR_TLS_UNSUPPORTED_TRANSPORT"
  | "ERR_TLS_UNSUPPORTED_OPTION";

/** What a {@linkcode TlsUnsupportedError} tells beside its message. */
export interface TlsUnsupportedErrorOptions extends ErrorOptions {
  /** Name of the provider. */
  readonly provider: string;

  /**
   * Name of the provider that can do it.
   *
   * @default {undefined} (none can)
   */
  readonly alternative?: string | undefined;

  /**
   * Name of the option.
   *
   * @default {undefined} (it is no option)
   */
  readonly option?: string | undefined;
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
 *   { provider: "deno", alternative: "node" },
 * );
 * assertEquals([error.code, error.provider, error.alternative], [
 *   "ERR_TLS_UNSUPPORTED_TRANSPORT",
 *   "deno",
 *   "node",
 * ]);
 * ```
 */
export class TlsUnsupportedError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: TlsUnsupportedErrorCode;
  /** Name of the provider. */
  readonly provider: string;
  /** Name of the provider that can do it; `undefined` if none can. */
  readonly alternative: string | undefined;
  /** Name of the option; `undefined` where it is no option. */
  readonly option: string | undefined;

  /**
   * Makes the error.
   *
   * @param code What is missing.
   * @param message The action and the reason.
   * @param options The provider, and who else can do it.
   */
  constructor(
    code: TlsUnsupportedErrorCode,
    message: string,
    options: TlsUnsupportedErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.provider = options.provider;
    this.alternative = options.alternative;
    this.option = options.option;
  }
}
