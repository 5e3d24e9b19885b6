// This module is sans-I/O.

import type { AttributeTypeAndValue } from "./distinguished_name.ts";
import type { GeneralName } from "./general_name.ts";

/**
 * What the extensions of a certificate say (RFC 5280 section 4.2), decoded.
 */

/** An extension as it stands in a certificate. */
export interface CertificateExtension {
  /** Its type, dotted. */
  readonly oid: string;
  /** Whether who does not know it has to refuse the certificate. */
  readonly critical: boolean;
  /** What is inside of the OCTET STRING, a view of the certificate. */
  readonly value: Uint8Array<ArrayBuffer>;
}

/** Whether a certificate belongs to a CA, and how long a path below it may be. */
export interface BasicConstraints {
  /** Whether the subject may sign certificates. */
  readonly ca: boolean;
  /** Most intermediate certificates below this one, a whole number from 0. */
  readonly pathLength?: number;
}

/** What the key may be used for (RFC 5280 section 4.2.1.3). */
export interface KeyUsage {
  /** Signatures other than those on certificates and CRLs. */
  readonly digitalSignature: boolean;
  /** Signatures that are to hold against the signer; also called contentCommitment. */
  readonly nonRepudiation: boolean;
  /** Encrypting keys. */
  readonly keyEncipherment: boolean;
  /** Encrypting data. */
  readonly dataEncipherment: boolean;
  /** Key agreement. */
  readonly keyAgreement: boolean;
  /** Signatures on certificates. */
  readonly keyCertSign: boolean;
  /** Signatures on CRLs. */
  readonly cRLSign: boolean;
  /** With key agreement: for encrypting only. */
  readonly encipherOnly: boolean;
  /** With key agreement: for decrypting only. */
  readonly decipherOnly: boolean;
}

/** One tree of names that a CA may, or may not, certify. */
export interface GeneralSubtree {
  /** Root of the tree. Addresses have 8 or 32 bytes here: address and mask. */
  readonly base: GeneralName;
}

/** The names a CA may certify (RFC 5280 section 4.2.1.10). */
export interface NameConstraints {
  /** Where a name of the same type must lie; never empty. */
  readonly permitted?: readonly GeneralSubtree[];
  /** Where no name may lie; never empty. */
  readonly excluded?: readonly GeneralSubtree[];
}

/** Which key has signed the certificate (RFC 5280 section 4.2.1.1). */
export interface AuthorityKeyIdentifier {
  /** Subject key identifier of the issuer. */
  readonly keyIdentifier?: Uint8Array<ArrayBuffer>;
  /** Issuer of the issuer's certificate. */
  readonly authorityCertIssuer?: readonly GeneralName[];
  /** Serial number of the issuer's certificate, as on the wire. */
  readonly authorityCertSerialNumber?: Uint8Array<ArrayBuffer>;
}

/** What is told about a policy beside its identifier. */
export interface PolicyQualifier {
  /** Its type, dotted. */
  readonly oid: string;
  /** The URI of a practice statement (CPS). */
  readonly cpsUri?: string;
  /** Text of a user notice. */
  readonly explicitText?: string;
  /** The qualifier in DER. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

/** A policy under which the certificate was issued. */
export interface CertificatePolicy {
  /** Its identifier, dotted; 2.5.29.32.0 is any policy. */
  readonly oid: string;
  /** What is told about it; empty where nothing is. */
  readonly qualifiers: readonly PolicyQualifier[];
}

/** Two policies that a CA takes for the same. */
export interface PolicyMapping {
  /** A policy of the issuer, dotted. */
  readonly issuerDomainPolicy: string;
  /** The policy of the subject that equals it, dotted. */
  readonly subjectDomainPolicy: string;
}

/** What a path has to observe about policies (RFC 5280 section 4.2.1.11). */
export interface PolicyConstraints {
  /** Certificates below this one before a policy is required. */
  readonly requireExplicitPolicy?: number;
  /** Certificates below this one before mapping is forbidden. */
  readonly inhibitPolicyMapping?: number;
}

/** Where something about the issuer is found (RFC 5280 section 4.2.2.1). */
export interface AccessDescription {
  /** What is found, dotted: 1.3.6.1.5.5.7.48.1 is OCSP, .2 the issuer's certificate. */
  readonly method: string;
  /** Where it is found. */
  readonly location: GeneralName;
}

/** Why a certificate may have been revoked. */
export type RevocationReason =
  | "unused"
  | "keyCompromise"
  | "cACompromise"
  | "affiliationChanged"
  | "superseded"
  | "cessationOfOperation"
  | "certificateHold"
  | "privilegeWithdrawn"
  | "aACompromise";

/** Where revocations are published (RFC 5280 section 4.2.1.13). */
export interface CrlDistributionPoint {
  /** Names of the place, which are all the same list. */
  readonly fullName?: readonly GeneralName[];
  /** Name of the place below the name of the CRL's issuer. */
  readonly nameRelativeToCrlIssuer?: readonly AttributeTypeAndValue[];
  /** Reasons the list covers; all where it is missing. */
  readonly reasons?: readonly RevocationReason[];
  /** Who signs the list; the certificate's issuer where it is missing. */
  readonly crlIssuer?: readonly GeneralName[];
}

/** A log's promise to publish the certificate (RFC 6962 section 3.2). */
export interface SignedCertificateTimestamp {
  /** Version of the format: 1. */
  readonly version: 1;
  /** SHA-256 of the log's key, 32 bytes. */
  readonly logId: Uint8Array<ArrayBuffer>;
  /** When the log was given the certificate, in milliseconds since the epoch. */
  readonly timestamp: number;
  /** Reserved; empty so far. */
  readonly extensions: Uint8Array<ArrayBuffer>;
  /** Hash of the signature, as numbered by RFC 5246 section 7.4.1.4.1. */
  readonly hashAlgorithm: number;
  /** Kind of the signature, as numbered there. */
  readonly signatureAlgorithm: number;
  /** The log's signature. */
  readonly signature: Uint8Array<ArrayBuffer>;
}
