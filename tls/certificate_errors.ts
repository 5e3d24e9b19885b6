// This module is sans-I/O.

import { NetError } from "../nbio/errors.ts";

/**
 * Every way in which a certificate can be unreadable. Stable.
 *
 * - `ERR_X509_BAD_DER`: the encoding is broken or is not DER: a length that
 *   overruns or is not the shortest, a type that is not the expected one, an
 *   encoded default, something behind the end.
 * - `ERR_X509_BAD_PEM`: the text around the certificate is broken.
 * - `ERR_X509_BAD_CERTIFICATE`: the parts do not fit together: version and
 *   fields, the two names of the signature algorithm, unused bits.
 * - `ERR_X509_BAD_NAME`: a distinguished or general name is not what its type
 *   says.
 * - `ERR_X509_BAD_TIME`: a time is none, or is spelled as RFC 5280 forbids.
 * - `ERR_X509_BAD_PUBLIC_KEY`: the public key is not what its algorithm says.
 * - `ERR_X509_BAD_PRIVATE_KEY`: a text holds no private key, or not the one that
 *   belongs to the certificate.
 * - `ERR_X509_BAD_EXTENSION`: the value of a known extension is broken.
 * - `ERR_X509_DUPLICATE_EXTENSION`: an extension occurs twice.
 * - `ERR_X509_UNKNOWN_KEY_ALGORITHM`: the key is sound, and the runtime has no such
 *   algorithm.
 */
export type CertificateErrorCode =
  | "ERR_X509_BAD_DER"
  | "ERR_X509_BAD_PEM"
  | "ERR_X509_BAD_CERTIFICATE"
  | "ERR_X509_BAD_NAME"
  | "ERR_X509_BAD_TIME"
  | "ERR_X509_BAD_PUBLIC_KEY"
  | "ERR_X509_BAD_PRIVATE_KEY"
  | "ERR_X509_BAD_EXTENSION"
  | "ERR_X509_DUPLICATE_EXTENSION"
  | "ERR_X509_UNKNOWN_KEY_ALGORITHM";

/** What a {@linkcode CertificateError} tells beside its message. */
export interface CertificateErrorOptions extends ErrorOptions {
  /**
   * Where the fault is, in bytes from the start of the DER, in characters from
   * the start of a PEM text.
   *
   * @default {undefined} (the whole of it)
   */
  readonly offset?: number | undefined;
}

/**
 * A certificate, a key or the text around them cannot be read: its maker broke
 * the format, or somebody has changed it.
 *
 * @example Reading code and offset
 * ```ts
 * import { CertificateError, parseCertificate } from "@nbio/net/tls/x509";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => parseCertificate(new Uint8Array([0x30, 0x80])), CertificateError);
 * assertEquals([error.code, error.offset], ["ERR_X509_BAD_DER", 0]);
 * ```
 */
export class CertificateError extends NetError {
  /** What is broken, as a stable identifier. */
  override readonly code: CertificateErrorCode;
  /** Where the fault is; `undefined` where it is no single place. */
  readonly offset: number | undefined;

  /**
   * Makes the error.
   *
   * @param code What is broken.
   * @param message The action and the reason.
   * @param options The place and the cause.
   */
  constructor(
    code: CertificateErrorCode,
    message: string,
    options: CertificateErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.offset = options.offset;
  }
}
