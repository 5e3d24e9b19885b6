// This module is sans-I/O.

import { NetError } from "../nbio/errors.ts";
import type { Certificate } from "./certificate.ts";

/**
 * Every reason for which a well-formed certificate is refused. Stable.
 *
 * - `ERR_X509_UNKNOWN_ISSUER`: no trusted root, and no certificate that leads to one, has the name
 *   of the issuer.
 * - `ERR_X509_BAD_SIGNATURE`: the signature is not the issuer's.
 * - `ERR_X509_NOT_YET_VALID`, `ERR_X509_EXPIRED`: the time is outside of the validity.
 * - `ERR_X509_NAME_MISMATCH`, `ERR_X509_NO_NAMES`: it does not name the host.
 * - `ERR_X509_WEAK_KEY`, `ERR_X509_UNSUPPORTED_KEY`: the key is too short, broken, or of a kind
 *   that is not accepted.
 * - `ERR_X509_WEAK_SIGNATURE`, `ERR_X509_UNSUPPORTED_SIGNATURE`: the signature uses a broken hash,
 *   or an algorithm or parameters that are not accepted, or that do not go with the key.
 * - `ERR_X509_OLD_VERSION`: below the root, it is not of version 3.
 * - `ERR_X509_NOT_A_CA`: the issuer's certificate does not say that it is a CA.
 * - `ERR_X509_PATH_LENGTH`: a CA allows fewer certificates below it.
 * - `ERR_X509_PATH_TOO_DEEP`: more CAs than `maxDepth`.
 * - `ERR_X509_KEY_USAGE`, `ERR_X509_EXTENDED_KEY_USAGE`: the key is not for this purpose.
 * - `ERR_X509_NAME_CONSTRAINTS`: a CA may not certify one of the names, or nobody can tell.
 * - `ERR_X509_POLICY`: a CA requires a policy that the path does not show.
 * - `ERR_X509_UNKNOWN_CRITICAL_EXTENSION`: an extension that may not be passed over is unknown.
 * - `ERR_X509_EXTENSION_RULE`: an extension is where, or as, RFC 5280 forbids it.
 * - `ERR_X509_KEY_IDENTIFIER`: the identifiers of issuer's and subject's key are missing or differ.
 * - `ERR_X509_BAD_SERIAL`: the serial number is not positive, or longer than 20 bytes.
 * - `ERR_X509_EMPTY_NAME`: issuer, or subject of a CA, is empty.
 */
export type CertificateVerificationErrorCode =
  | "ERR_X509_UNKNOWN_ISSUER"
  | "ERR_X509_BAD_SIGNATURE"
  | "ERR_X509_NOT_YET_VALID"
  | "ERR_X509_EXPIRED"
  | "ERR_X509_NAME_MISMATCH"
  | "ERR_X509_NO_NAMES"
  | "ERR_X509_WEAK_KEY"
  | "ERR_X509_UNSUPPORTED_KEY"
  | "ERR_X509_WEAK_SIGNATURE"
  | "ERR_X509_UNSUPPORTED_SIGNATURE"
  | "ERR_X509_OLD_VERSION"
  | "ERR_X509_NOT_A_CA"
  | "ERR_X509_PATH_LENGTH"
  | "ERR_X509_PATH_TOO_DEEP"
  | "ERR_X509_KEY_USAGE"
  | "ERR_X509_EXTENDED_KEY_USAGE"
  | "ERR_X509_NAME_CONSTRAINTS"
  | "ERR_X509_POLICY"
  | "ERR_X509_UNKNOWN_CRITICAL_EXTENSION"
  | "ERR_X509_EXTENSION_RULE"
  | "ERR_X509_KEY_IDENTIFIER"
  | "ERR_X509_BAD_SERIAL"
  | "ERR_X509_EMPTY_NAME";

/** What a {@linkcode CertificateVerificationError} tells beside its message. */
export interface CertificateVerificationErrorOptions extends ErrorOptions {
  /**
   * The certificate that is refused.
   *
   * @default {undefined} (not known here)
   */
  readonly certificate?: Certificate | undefined;
  /**
   * Its place in the chain: 0 for the leaf.
   *
   * @default {undefined} (not known here)
   */
  readonly depth?: number | undefined;
  /**
   * Every refusal on the way, this one aside.
   *
   * @default {[]}
   */
  readonly refusals?: readonly CertificateVerificationError[];
}

/**
 * A certificate is refused, with the reason in `code`.
 *
 * Where several paths were tried, this is the refusal that came closest to a root; the others are
 * in `refusals`.
 *
 * @example Reading the reason
 * ```ts
 * import { CertificateVerificationError } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new CertificateVerificationError("ERR_X509_EXPIRED", "Cannot verify certificate", {
 *   depth: 0,
 * });
 * assertEquals([error.code, error.depth], ["ERR_X509_EXPIRED", 0]);
 * ```
 */
export class CertificateVerificationError extends NetError {
  /** The reason, as a stable identifier. */
  override readonly code: CertificateVerificationErrorCode;
  /** The certificate that is refused; `undefined` where only a part of one was looked at. */
  readonly certificate: Certificate | undefined;
  /** Its place in the chain, 0 for the leaf; `undefined` where there is no chain. */
  readonly depth: number | undefined;
  /** What else was refused on the way, in order, the first 32 of it. */
  readonly refusals: readonly CertificateVerificationError[];

  /**
   * Makes the error.
   *
   * @param code The reason.
   * @param message The action and the reason.
   * @param options The certificate, its place and the cause.
   */
  constructor(
    code: CertificateVerificationErrorCode,
    message: string,
    options: CertificateVerificationErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.certificate = options.certificate;
    this.depth = options.depth;
    this.refusals = options.refusals ?? [];
  }
}
