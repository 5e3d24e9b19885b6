// This module is sans-I/O.

import type {
  CertificatePolicy,
  PolicyConstraints,
  PolicyMapping,
  PolicyQualifier,
} from "./certificate_extension.ts";
import { type DerReader, DerTag } from "./der_reader.ts";
import { checkDerString, decodeDerString } from "./der_string.ts";

/** What is said about policies (RFC 5280 section 4.2.1), each read from its value. */

const CPS = "1.3.6.1.5.5.7.2.1";
const USER_NOTICE = "1.3.6.1.5.5.7.2.2";

/** Section 4.2.1.4. */
export function readCertificatePolicies(reader: DerReader): readonly CertificatePolicy[] {
  const policies: CertificatePolicy[] = [];
  const seen = new Set<string>();
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  do {
    const policyEnd = reader.enter(DerTag.SEQUENCE);
    const oid = reader.readObjectIdentifier();
    if (seen.has(oid)) throw reader.error("a policy occurs twice", reader.elementStart);
    seen.add(oid);
    policies.push({ oid, qualifiers: reader.isAtEnd ? [] : readQualifiers(reader) });
    reader.leave(policyEnd);
  } while (!reader.isAtEnd);
  reader.leave(outerEnd);
  return policies;
}

function readQualifiers(reader: DerReader): PolicyQualifier[] {
  const qualifiers: PolicyQualifier[] = [];
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  do {
    const qualifierEnd = reader.enter(DerTag.SEQUENCE);
    const oid = reader.readObjectIdentifier();
    const start = reader.offset;
    const said = readQualifier(reader, oid);
    qualifiers.push({ oid, ...said, raw: reader.bytes.subarray(start, reader.offset) });
    reader.leave(qualifierEnd);
  } while (!reader.isAtEnd);
  reader.leave(outerEnd);
  return qualifiers;
}

function readQualifier(reader: DerReader, oid: string): Partial<PolicyQualifier> {
  if (oid === CPS) return { cpsUri: reader.readIa5String() };
  if (oid === USER_NOTICE) return readUserNotice(reader);
  reader.skip();
  return {};
}

function readUserNotice(reader: DerReader): Partial<PolicyQualifier> {
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  if (reader.peek() === DerTag.SEQUENCE) reader.skip();
  let explicitText: string | undefined;
  if (!reader.isAtEnd) {
    const tag = reader.read();
    checkDerString(reader, tag);
    explicitText = decodeDerString(tag, reader.view());
    if (explicitText === undefined) throw reader.error("a notice is no text", reader.elementStart);
  }
  reader.leave(outerEnd);
  return explicitText === undefined ? {} : { explicitText };
}

/** Section 4.2.1.5. */
export function readPolicyMappings(reader: DerReader): readonly PolicyMapping[] {
  const mappings: PolicyMapping[] = [];
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  do {
    const mappingEnd = reader.enter(DerTag.SEQUENCE);
    const issuerDomainPolicy = reader.readObjectIdentifier();
    const subjectDomainPolicy = reader.readObjectIdentifier();
    mappings.push({ issuerDomainPolicy, subjectDomainPolicy });
    reader.leave(mappingEnd);
  } while (!reader.isAtEnd);
  reader.leave(outerEnd);
  return mappings;
}

/** Section 4.2.1.11. */
export function readPolicyConstraints(reader: DerReader): PolicyConstraints {
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  if (reader.isAtEnd) throw reader.error("policy constraints are empty");
  const explicit = reader.peek() === 0x80
    ? { requireExplicitPolicy: reader.readSmallInteger(0x80) }
    : {};
  const mapping = reader.isAtEnd ? {} : { inhibitPolicyMapping: reader.readSmallInteger(0x81) };
  reader.leave(outerEnd);
  return { ...explicit, ...mapping };
}

/** Section 4.2.1.14. */
export function readInhibitAnyPolicy(reader: DerReader): number {
  return reader.readSmallInteger();
}
