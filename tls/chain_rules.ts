// This module is sans-I/O.

import type { Certificate } from "./certificate.ts";
import {
  CertificateVerificationError,
  type CertificateVerificationErrorCode,
} from "./certificate_verification_error.ts";
import { equalBytes } from "./equal_bytes.ts";
import { isWellFormedName } from "./name_constraints.ts";
import { checkPublicKey } from "./signature_algorithm.ts";

/** What a certificate has to be good for. */
export type CertificatePurpose =
  | "serverAuth"
  | "clientAuth"
  | "codeSigning"
  | "emailProtection"
  | "timeStamping"
  | "ocspSigning"
  | "any";

/** The identifiers of RFC 5280 section 4.2.1.12; none for any purpose. */
const PURPOSES: Readonly<Record<CertificatePurpose, string | undefined>> = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  timeStamping: "1.3.6.1.5.5.7.3.8",
  ocspSigning: "1.3.6.1.5.5.7.3.9",
  any: undefined,
};
const ANY_PURPOSE = "2.5.29.37.0";
const ANY_POLICY = "2.5.29.32.0";
/** A practice statement and a notice. */
const ANY_POLICY_QUALIFIERS: ReadonlySet<string> = new Set([
  "1.3.6.1.5.5.7.2.1",
  "1.3.6.1.5.5.7.2.2",
]);

/** What every certificate of a chain is held against. */
export interface ChainRules {
  /** The instant of verification, in milliseconds since the epoch. */
  readonly time: number;
  /** What the leaf has to be good for. */
  readonly purpose: CertificatePurpose;
}

/** Extensions whose meaning is observed: they may be critical. */
const OBSERVED: ReadonlySet<string> = new Set([
  "2.5.29.15", // keyUsage
  "2.5.29.17", // subjectAltName
  "2.5.29.19", // basicConstraints
  "2.5.29.30", // nameConstraints
  "2.5.29.32", // certificatePolicies
  "2.5.29.33", // policyMappings
  "2.5.29.36", // policyConstraints
  "2.5.29.37", // extKeyUsage
  "2.5.29.54", // inhibitAnyPolicy
]);
/** Extensions that RFC 5280 section 4.2 wants never critical. */
const NEVER_CRITICAL: ReadonlySet<string> = new Set([
  "2.5.29.9", // subjectDirectoryAttributes
  "2.5.29.14", // subjectKeyIdentifier
  "2.5.29.35", // authorityKeyIdentifier
  "2.5.29.46", // freshestCRL
  "1.3.6.1.5.5.7.1.1", // authorityInfoAccess
  "1.3.6.1.5.5.7.1.11", // subjectInfoAccess
]);
/** Extensions that RFC 5280 section 4.2 wants always critical. */
const ALWAYS_CRITICAL: ReadonlySet<string> = new Set([
  "2.5.29.36", // policyConstraints
  "2.5.29.54", // inhibitAnyPolicy
]);
const SUBJECT_ALT_NAME = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
/** RFC 5280 section 4.1.2.2. */
const MAX_SERIAL_BYTES = 20;

/**
 * Holds that a purpose is one.
 *
 * @param purpose Its name.
 * @throws {RangeError} If it is not known.
 */
export function checkPurpose(purpose: string): void {
  if (Object.hasOwn(PURPOSES, purpose)) return;
  throw new RangeError(
    `Cannot verify certificate: purpose ${JSON.stringify(purpose)} is not known`,
  );
}

/**
 * Holds a leaf against the rules that need no other certificate.
 *
 * @param leaf The certificate of the peer.
 * @param rules Time and purpose.
 * @throws {CertificateVerificationError} If it breaks one.
 */
export function checkLeaf(leaf: Certificate, rules: ChainRules): void {
  checkValidity(leaf, rules.time);
  checkForm(leaf);
  const { keyUsage, extendedKeyUsage } = leaf;
  const purpose = PURPOSES[rules.purpose];
  if (purpose === undefined) return;
  if (extendedKeyUsage !== undefined && !extendedKeyUsage.includes(purpose)) {
    // RFC 5280 section 4.2.1.12 lets a verifier insist on the very purpose: this one does.
    throw refusal("ERR_X509_EXTENDED_KEY_USAGE", leaf, `the leaf is not for ${rules.purpose}`);
  }
  const isTls = rules.purpose === "serverAuth" || rules.purpose === "clientAuth";
  const { digitalSignature, keyEncipherment, keyAgreement } = keyUsage ?? {};
  if (isTls && keyUsage !== undefined && !digitalSignature && !keyEncipherment && !keyAgreement) {
    throw refusal("ERR_X509_KEY_USAGE", leaf, "the leaf's key may not be used for TLS");
  }
}

/**
 * Holds a CA that stands between leaf and root against the rules that need no other certificate.
 *
 * @param issuer The certificate of the CA.
 * @param rules Time and purpose.
 * @throws {CertificateVerificationError} If it breaks one.
 */
export function checkIntermediate(issuer: Certificate, rules: ChainRules): void {
  checkIssuer(issuer, rules);
  checkForm(issuer);
  // RFC 5280 section 4.2.1.1 wants it of everything that has not signed itself.
  if (issuer.authorityKeyIdentifier?.keyIdentifier === undefined) {
    throw refusal("ERR_X509_KEY_IDENTIFIER", issuer, "a CA has no authorityKeyIdentifier");
  }
}

/**
 * Holds a trusted root against the rules that need no other certificate. Version, serial number and
 * the identifier of the key are its own business.
 *
 * @param root The certificate of the root.
 * @param rules Time and purpose.
 * @throws {CertificateVerificationError} If it breaks one.
 */
export function checkRoot(root: Certificate, rules: ChainRules): void {
  checkIssuer(root, rules);
  checkExtensions(root);
  const identifier = root.authorityKeyIdentifier?.keyIdentifier;
  if (root.isSelfIssued && !mayBeSameKey(identifier, root.subjectKeyIdentifier)) {
    throw refusal("ERR_X509_KEY_IDENTIFIER", root, "a root names another key as its issuer's");
  }
}

/**
 * Whether two identifiers may be of the same key.
 *
 * @param one An identifier, if there is one.
 * @param other Another.
 * @returns Whether they are equal, or one is missing.
 */
export function mayBeSameKey(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return true;
  return equalBytes(one, other);
}

/** Rules for whoever has signed another certificate. */
function checkIssuer(issuer: Certificate, rules: ChainRules): void {
  checkValidity(issuer, rules.time);
  if (issuer.subject.isEmpty) throw refusal("ERR_X509_EMPTY_NAME", issuer, "a CA has no name");
  const { basicConstraints, keyUsage, extendedKeyUsage } = issuer;
  // A root of version 1 cannot say that it is one.
  if (issuer.version === 3 && !basicConstraints?.ca) {
    throw refusal("ERR_X509_NOT_A_CA", issuer, "the issuer is not a CA");
  }
  if (keyUsage !== undefined && !keyUsage.keyCertSign) {
    throw refusal("ERR_X509_KEY_USAGE", issuer, "the issuer's key may not sign certificates");
  }
  const purpose = PURPOSES[rules.purpose];
  const isFor = purpose === undefined || extendedKeyUsage === undefined ||
    extendedKeyUsage.includes(purpose) || extendedKeyUsage.includes(ANY_PURPOSE);
  if (!isFor) {
    throw refusal("ERR_X509_EXTENDED_KEY_USAGE", issuer, `a CA is not for ${rules.purpose}`);
  }
  checkKey(issuer);
}

/** RFC 5280 section 4.1.2.5: both ends belong to it. */
function checkValidity(certificate: Certificate, time: number): void {
  if (time < certificate.notBefore) {
    throw refusal("ERR_X509_NOT_YET_VALID", certificate, "its time has not come");
  }
  if (time > certificate.notAfter) {
    throw refusal("ERR_X509_EXPIRED", certificate, "its time is over");
  }
}

/** Rules for everything below the root. */
function checkForm(certificate: Certificate): void {
  if (certificate.version !== 3) {
    throw refusal("ERR_X509_OLD_VERSION", certificate, `its version is ${certificate.version}`);
  }
  checkSerial(certificate);
  if (certificate.issuer.isEmpty) {
    throw refusal("ERR_X509_EMPTY_NAME", certificate, "its issuer has no name");
  }
  checkExtensions(certificate);
  // RFC 5280 section 4.2.1.2 wants it of every CA.
  if (certificate.basicConstraints?.ca && certificate.subjectKeyIdentifier === undefined) {
    throw refusal("ERR_X509_KEY_IDENTIFIER", certificate, "a CA has no subjectKeyIdentifier");
  }
  checkKey(certificate);
}

function checkSerial(certificate: Certificate): void {
  const { serialNumber } = certificate;
  const first = serialNumber[0]!;
  const length = first === 0 ? serialNumber.length - 1 : serialNumber.length;
  if (first < 0x80 && length >= 1 && length <= MAX_SERIAL_BYTES) return;
  throw refusal(
    "ERR_X509_BAD_SERIAL",
    certificate,
    `its serial number is negative, zero or of more than ${MAX_SERIAL_BYTES} bytes`,
  );
}

function checkKey(certificate: Certificate): void {
  try {
    checkPublicKey(certificate.subjectPublicKeyInfo);
  } catch (error) {
    if (!(error instanceof CertificateVerificationError)) throw error;
    throw new CertificateVerificationError(error.code, error.message, { certificate });
  }
}

function checkExtensions(certificate: Certificate): void {
  for (const { oid, critical } of certificate.extensions) {
    if (critical && NEVER_CRITICAL.has(oid)) {
      throw refusal("ERR_X509_EXTENSION_RULE", certificate, `extension ${oid} is critical`);
    }
    if (critical && !OBSERVED.has(oid)) {
      const reason = `nothing is known about the critical extension ${oid}`;
      throw refusal("ERR_X509_UNKNOWN_CRITICAL_EXTENSION", certificate, reason);
    }
    if (!critical && ALWAYS_CRITICAL.has(oid)) {
      throw refusal("ERR_X509_EXTENSION_RULE", certificate, `extension ${oid} is not critical`);
    }
  }
  const broken = brokenRule(certificate);
  if (broken !== undefined) throw refusal("ERR_X509_EXTENSION_RULE", certificate, broken);
}

/** Rules on what goes together (RFC 5280 section 4.2.1). */
function brokenRule(certificate: Certificate): string | undefined {
  const { basicConstraints, keyUsage, subject, subjectAltName } = certificate;
  const isCritical = (oid: string): boolean =>
    certificate.extensions.some((extension) => extension.oid === oid && extension.critical);
  const isCa = basicConstraints?.ca === true;
  if (isCa && keyUsage?.keyCertSign && !isCritical(BASIC_CONSTRAINTS)) {
    return "its basicConstraints are not critical";
  }
  if (!isCa && certificate.version === 3) {
    if (keyUsage?.keyCertSign) return "its key may sign certificates, and it is no CA";
    if (certificate.nameConstraints) return "it has name constraints, and is no CA";
  }
  if (subject.isEmpty && !isCritical(SUBJECT_ALT_NAME)) {
    return "it has no subject, and no critical subjectAltName in its place";
  }
  // DNS names are left to who compares them: many are no names, and match nothing.
  if (subjectAltName?.some((name) => name.type !== "dns" && !isWellFormedName(name))) {
    return "one of its names is malformed";
  }
  return brokenPolicyRule(certificate);
}

/** RFC 5280 sections 4.2.1.4 and 4.2.1.5. */
function brokenPolicyRule(certificate: Certificate): string | undefined {
  const { certificatePolicies, policyMappings } = certificate;
  const anyPolicy = certificatePolicies?.find(({ oid }) => oid === ANY_POLICY);
  if (anyPolicy?.qualifiers.some(({ oid }) => !ANY_POLICY_QUALIFIERS.has(oid))) {
    return "it says of any policy what may not be said of it";
  }
  const isAnyMapped = policyMappings?.some(({ issuerDomainPolicy, subjectDomainPolicy }) =>
    issuerDomainPolicy === ANY_POLICY || subjectDomainPolicy === ANY_POLICY
  );
  return isAnyMapped ? "it maps any policy" : undefined;
}

function refusal(
  code: CertificateVerificationErrorCode,
  certificate: Certificate,
  reason: string,
): CertificateVerificationError {
  const message = `Cannot verify certificate: ${reason}`;
  return new CertificateVerificationError(code, message, { certificate });
}
