// This module is sans-I/O.

import { CertificateError } from "./certificate_errors.ts";
import type {
  AccessDescription,
  AuthorityKeyIdentifier,
  BasicConstraints,
  CertificatePolicy,
  CrlDistributionPoint,
  KeyUsage,
  NameConstraints,
  PolicyConstraints,
  PolicyMapping,
  SignedCertificateTimestamp,
} from "./certificate_extension.ts";
import {
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readNameConstraints,
  readSubjectKeyIdentifier,
} from "./certificate_extension_constraints.ts";
import {
  readCrlDistributionPoints,
  readInformationAccess,
} from "./certificate_extension_places.ts";
import {
  readCertificatePolicies,
  readInhibitAnyPolicy,
  readPolicyConstraints,
  readPolicyMappings,
} from "./certificate_extension_policies.ts";
import { readTimestamps } from "./certificate_extension_timestamps.ts";
import { type DerReader, DerTag } from "./der_reader.ts";
import { type GeneralName, readGeneralNames } from "./general_name.ts";

/** What the extensions of a certificate say; each is `undefined` where it is missing. */
export interface CertificateExtensionValues {
  /** 2.5.29.17: the names of the subject; never empty. */
  readonly subjectAltName?: readonly GeneralName[];
  /** 2.5.29.18: further names of the issuer; never empty. */
  readonly issuerAltName?: readonly GeneralName[];
  /** 2.5.29.19: whether the subject is a CA. */
  readonly basicConstraints?: BasicConstraints;
  /** 2.5.29.15: what the key may be used for. */
  readonly keyUsage?: KeyUsage;
  /** 2.5.29.37: purposes, dotted; never empty. */
  readonly extendedKeyUsage?: readonly string[];
  /** 2.5.29.30: the names a CA may certify. */
  readonly nameConstraints?: NameConstraints;
  /** 2.5.29.35: which key has signed. */
  readonly authorityKeyIdentifier?: AuthorityKeyIdentifier;
  /** 2.5.29.14: name of the key. */
  readonly subjectKeyIdentifier?: Uint8Array<ArrayBuffer>;
  /** 2.5.29.32: the policies; never empty. */
  readonly certificatePolicies?: readonly CertificatePolicy[];
  /** 2.5.29.33: policies that are the same; never empty. */
  readonly policyMappings?: readonly PolicyMapping[];
  /** 2.5.29.36: what a path has to observe about policies. */
  readonly policyConstraints?: PolicyConstraints;
  /** 2.5.29.54: certificates below this one before any-policy ends. */
  readonly inhibitAnyPolicy?: number;
  /** 1.3.6.1.5.5.7.1.1: where the issuer is found; never empty. */
  readonly authorityInfoAccess?: readonly AccessDescription[];
  /** 1.3.6.1.5.5.7.1.11: where more about the subject is found; never empty. */
  readonly subjectInfoAccess?: readonly AccessDescription[];
  /** 2.5.29.31: where revocations are published; never empty. */
  readonly crlDistributionPoints?: readonly CrlDistributionPoint[];
  /** 2.5.29.46: where revocations since then are published; never empty. */
  readonly freshestCrl?: readonly CrlDistributionPoint[];
  /** 1.3.6.1.4.1.11129.2.4.2: promises of logs. */
  readonly signedCertificateTimestamps?: readonly SignedCertificateTimestamp[];
}

/** Name of a known extension. */
export type CertificateExtensionName = keyof CertificateExtensionValues;

/** How the known extensions are called and read. To add one, add a row and a field above. */
const DECODERS: ReadonlyMap<
  string,
  readonly [name: CertificateExtensionName, read: (reader: DerReader) => unknown]
> = new Map([
  row("2.5.29.14", "subjectKeyIdentifier", readSubjectKeyIdentifier),
  row("2.5.29.15", "keyUsage", readKeyUsage),
  row("2.5.29.17", "subjectAltName", readAltName),
  row("2.5.29.18", "issuerAltName", readAltName),
  row("2.5.29.19", "basicConstraints", readBasicConstraints),
  row("2.5.29.30", "nameConstraints", readNameConstraints),
  row("2.5.29.31", "crlDistributionPoints", readCrlDistributionPoints),
  row("2.5.29.32", "certificatePolicies", readCertificatePolicies),
  row("2.5.29.33", "policyMappings", readPolicyMappings),
  row("2.5.29.35", "authorityKeyIdentifier", readAuthorityKeyIdentifier),
  row("2.5.29.36", "policyConstraints", readPolicyConstraints),
  row("2.5.29.37", "extendedKeyUsage", readExtendedKeyUsage),
  row("2.5.29.46", "freshestCrl", readCrlDistributionPoints),
  row("2.5.29.54", "inhibitAnyPolicy", readInhibitAnyPolicy),
  row("1.3.6.1.5.5.7.1.1", "authorityInfoAccess", readInformationAccess),
  row("1.3.6.1.5.5.7.1.11", "subjectInfoAccess", readInformationAccess),
  row("1.3.6.1.4.1.11129.2.4.2", "signedCertificateTimestamps", readTimestamps),
]);

/** Ties the type of a value to its reader. */
function row<Name extends CertificateExtensionName>(
  oid: string,
  name: Name,
  read: (reader: DerReader) => Required<CertificateExtensionValues>[Name],
): [string, readonly [CertificateExtensionName, (reader: DerReader) => unknown]] {
  return [oid, [name, read]];
}

function readAltName(reader: DerReader): readonly GeneralName[] {
  return readGeneralNames(reader, DerTag.SEQUENCE);
}

/**
 * Decodes the value of an extension if it is a known one.
 *
 * @param oid Its identifier.
 * @param reader In front of its value, which is all that is left to read.
 * @param values Where the value goes.
 * @throws {CertificateError} If the value is broken.
 */
export function decodeExtension(
  oid: string,
  reader: DerReader,
  values: CertificateExtensionValues,
): void {
  const decoder = DECODERS.get(oid);
  if (decoder === undefined) {
    reader.offset = reader.end;
    return;
  }
  const [name, read] = decoder;
  try {
    (values as Record<string, unknown>)[name] = read(reader);
    reader.finish();
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    const message = `Cannot read extension ${name}: ${cause.message}`;
    const { offset } = cause;
    throw new CertificateError("ERR_X509_BAD_EXTENSION", message, { offset, cause });
  }
}
