// This module is sans-I/O.

import type {
  AuthorityKeyIdentifier,
  BasicConstraints,
  GeneralSubtree,
  KeyUsage,
  NameConstraints,
} from "./certificate_extension.ts";
import { type DerReader, DerTag } from "./der_reader.ts";
import { readGeneralName, readGeneralNames } from "./general_name.ts";

/** What a key may do and whose it is (RFC 5280 section 4.2.1), each read from its value. */

/** Section 4.2.1.9. */
export function readBasicConstraints(reader: DerReader): BasicConstraints {
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  const ca = reader.peek() === DerTag.BOOLEAN && readTrue(reader);
  const hasPathLength = !reader.isAtEnd;
  const pathLength = hasPathLength ? reader.readSmallInteger() : 0;
  if (hasPathLength && !ca) throw reader.error("a path length needs a CA");
  reader.leave(outerEnd);
  return hasPathLength ? { ca, pathLength } : { ca };
}

/**
 * Reads a BOOLEAN whose default is FALSE, and therefore never there (X.690
 * section 11.5).
 */
export function readTrue(reader: DerReader): true {
  if (reader.readBoolean()) return true;
  throw reader.error("a default is encoded", reader.elementStart);
}

/** Section 4.2.1.3. */
export function readKeyUsage(reader: DerReader): KeyUsage {
  const bits = readNamedBits(reader, DerTag.BIT_STRING, 9);
  return {
    digitalSignature: (bits & 1) !== 0,
    nonRepudiation: (bits & 2) !== 0,
    keyEncipherment: (bits & 4) !== 0,
    dataEncipherment: (bits & 8) !== 0,
    keyAgreement: (bits & 16) !== 0,
    keyCertSign: (bits & 32) !== 0,
    cRLSign: (bits & 64) !== 0,
    encipherOnly: (bits & 128) !== 0,
    decipherOnly: (bits & 256) !== 0,
  };
}

/**
 * Reads bits with names, of which at least one is set. Zeros behind the last one
 * are let pass against X.690 section 11.2.2: roots in use have them.
 *
 * @returns The bits, the first one lowest.
 */
export function readNamedBits(reader: DerReader, tag: number, maxCount: number): number {
  reader.readBitString(tag);
  const { bytes, contentStart, contentEnd } = reader;
  const byteCount = contentEnd - contentStart;
  if (byteCount > 2) throw reader.error("there are too many bits", contentStart);
  let bits = 0;
  for (let i = 0; i < byteCount * 8; i++) {
    bits |= (bytes[contentStart + (i >> 3)]! >> (7 - (i & 7)) & 1) << i;
  }
  if (bits !== 0 && bits >> maxCount === 0) return bits;
  throw reader.error("no bit is set, or one that does not exist", contentStart);
}

/** Section 4.2.1.12. */
export function readExtendedKeyUsage(reader: DerReader): readonly string[] {
  const purposes: string[] = [];
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  do purposes.push(reader.readObjectIdentifier()); while (!reader.isAtEnd);
  reader.leave(outerEnd);
  return purposes;
}

/** Section 4.2.1.2. */
export function readSubjectKeyIdentifier(reader: DerReader): Uint8Array<ArrayBuffer> {
  return reader.readOctetString();
}

/** Section 4.2.1.1. */
export function readAuthorityKeyIdentifier(reader: DerReader): AuthorityKeyIdentifier {
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  const hasKey = reader.peek() === 0x80;
  const key = hasKey ? { keyIdentifier: reader.readOctetString(0x80) } : {};
  const hasIssuer = reader.peek() === 0xa1;
  const issuer = hasIssuer ? { authorityCertIssuer: readGeneralNames(reader, 0xa1) } : {};
  const hasSerial = reader.peek() === 0x82;
  const serial = hasSerial ? { authorityCertSerialNumber: reader.readInteger(0x82) } : {};
  if (hasIssuer !== hasSerial) throw reader.error("issuer and serial number are not both there");
  reader.leave(outerEnd);
  return { ...key, ...issuer, ...serial };
}

/** Section 4.2.1.10. */
export function readNameConstraints(reader: DerReader): NameConstraints {
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  if (reader.isAtEnd) throw reader.error("name constraints are empty");
  const permitted = reader.peek() === 0xa0 ? { permitted: readSubtrees(reader, 0xa0) } : {};
  const excluded = reader.isAtEnd ? {} : { excluded: readSubtrees(reader, 0xa1) };
  reader.leave(outerEnd);
  return { ...permitted, ...excluded };
}

function readSubtrees(reader: DerReader, tag: number): GeneralSubtree[] {
  const subtrees: GeneralSubtree[] = [];
  const outerEnd = reader.enter(tag);
  do {
    const subtreeEnd = reader.enter(DerTag.SEQUENCE);
    subtrees.push({ base: readGeneralName(reader, { isConstraint: true }) });
    // The minimum is 0, a default, and the maximum is missing: what else is there is refused.
    reader.leave(subtreeEnd);
  } while (!reader.isAtEnd);
  reader.leave(outerEnd);
  return subtrees;
}
