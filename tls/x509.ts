// This module is sans-I/O.

/**
 * X.509 certificates: reading and writing them, without a socket, a clock or a
 * key store. It runs in a browser or another runtime as well and needs no
 * permission. What needs Web Crypto (verifying chains, fingerprints, exporting
 * keys) is in `@nbio/net/tls`.
 *
 * {@linkcode parseCertificate} reads DER, {@linkcode parseCertificates} a PEM
 * text; both are strict, and what they refuse stands there.
 * {@linkcode verifyHostname} compares names, {@linkcode ChainBuilder} searches a
 * path and leaves the signatures to its caller.
 * {@linkcode formatCertificate} prints a certificate.
 *
 * Errors:
 *
 * - {@linkcode CertificateError}: the bytes are no certificate; `code` says what
 *   is broken, `offset` where.
 *   - `ERR_X509_BAD_DER`, `ERR_X509_BAD_PEM`: the encoding.
 *   - `ERR_X509_BAD_CERTIFICATE`, `ERR_X509_BAD_NAME`, `ERR_X509_BAD_TIME`,
 *     `ERR_X509_BAD_PUBLIC_KEY`, `ERR_X509_BAD_PRIVATE_KEY`, `ERR_X509_BAD_EXTENSION`,
 *     `ERR_X509_DUPLICATE_EXTENSION`: what is encoded.
 *   - `ERR_X509_UNKNOWN_KEY_ALGORITHM`: a key the runtime does not know.
 * - {@linkcode CertificateVerificationError}, with {@linkcode HostnameError} for names: a
 *   well-formed certificate is refused; `code` says why.
 * - `LimitExceededError`: the input passes a bound; `limit` names the option.
 * - `TypeError`, `RangeError`: an argument is wrong.
 *
 * @example Reading the names of a certificate
 * ```ts
 * import { parseCertificates } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const [certificate] = parseCertificates(await Deno.readTextFile("tests/tls/leaf.pem"));
 * assertEquals(certificate?.subjectAltName?.[0], { type: "dns", value: "localhost" });
 * ```
 *
 * @module
 */

export { LimitExceededError, type LimitExceededErrorOptions, NetError } from "../nbio/errors.ts";
export type { AlgorithmIdentifier } from "./algorithm_identifier.ts";
export { type CalendarTime, formatAsn1Time, toCalendarTime } from "./asn1_time.ts";
export * from "./certificate.ts";
export * from "./certificate_errors.ts";
export * from "./certificate_extension.ts";
export type {
  CertificateExtensionName,
  CertificateExtensionValues,
} from "./certificate_extension_decoder.ts";
export * from "./certificate_text.ts";
export { DerReader, type DerReaderOptions, DerTag } from "./der_reader.ts";
export * from "./der_writer.ts";
export { type AttributeTypeAndValue, DistinguishedName } from "./distinguished_name.ts";
export type { GeneralName, OtherName } from "./general_name.ts";
export {
  decodeObjectIdentifier,
  encodeObjectIdentifier,
  objectIdentifierName,
} from "./object_identifier.ts";
export * from "./pem.ts";
export type { SubjectPublicKeyInfo } from "./subject_public_key_info.ts";
export * from "./certificate_verification_error.ts";
export type { ChainBudgets, ChainSteps } from "./chain_budget.ts";
export * from "./chain_builder.ts";
export type { CertificatePurpose } from "./chain_rules.ts";
export { type DnsIdentifierOptions, isDnsIdentifier } from "./dns_identifier.ts";
export * from "./name_constraints.ts";
export * from "./signature_algorithm.ts";
export * from "./verify_hostname.ts";
