// This module is sans-I/O.

import type { DerReader } from "./der_reader.ts";
import { DistinguishedName } from "./distinguished_name.ts";

/**
 * A name of any kind (RFC 5280 section 4.2.1.6), discriminated on `type`. Text is
 * ASCII as it came: nothing is folded, and control characters may be in it.
 * Addresses have 4 or 16 bytes, in name constraints 8 or 32: address and mask.
 * `raw` is the name in DER.
 */
export type GeneralName =
  | { readonly type: "dns"; readonly value: string }
  | { readonly type: "email"; readonly value: string }
  | { readonly type: "uri"; readonly value: string }
  | { readonly type: "ip"; readonly value: Uint8Array<ArrayBuffer> }
  | { readonly type: "directory"; readonly value: DistinguishedName }
  | { readonly type: "registeredId"; readonly value: string }
  | OtherName
  | { readonly type: "x400"; readonly raw: Uint8Array<ArrayBuffer> }
  | { readonly type: "ediParty"; readonly raw: Uint8Array<ArrayBuffer> };

/** A name of a kind that its identifier tells: a UPN, an SRV name, a mail address in UTF-8. */
export interface OtherName {
  /** Tells this kind from the others. */
  readonly type: "other";
  /** What kind of name it is, dotted. */
  readonly oid: string;
  /** The value in DER. */
  readonly value: Uint8Array<ArrayBuffer>;
  /** The whole name in DER. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

/** Tags of the kinds. */
const Tag = {
  OTHER: 0xa0,
  EMAIL: 0x81,
  DNS: 0x82,
  X400: 0xa3,
  DIRECTORY: 0xa4,
  EDI_PARTY: 0xa5,
  URI: 0x86,
  IP: 0x87,
  REGISTERED_ID: 0x88,
} as const;

/** What the place of a name says about it. */
export interface ReadGeneralNameOptions {
  /**
   * Whether the name is the root of a tree in name constraints: an address then has a mask.
   *
   * @default {false}
   */
  readonly isConstraint?: boolean;
}

/**
 * Reads a name that is a part of something larger.
 *
 * @param reader In front of the name; behind it afterwards.
 * @param options What its place says about it.
 * @returns The name; its bytes are views of the reader's buffer.
 * @throws {CertificateError} If the name is malformed.
 */
export function readGeneralName(
  reader: DerReader,
  options: ReadGeneralNameOptions = {},
): GeneralName {
  const tag = reader.peek();
  switch (tag) {
    case Tag.DNS:
      return { type: "dns", value: reader.readIa5String(tag) };
    case Tag.IP:
      return { type: "ip", value: readAddress(reader, options.isConstraint ? 2 : 1) };
    case Tag.EMAIL:
      return { type: "email", value: reader.readIa5String(tag) };
    case Tag.URI:
      return { type: "uri", value: reader.readIa5String(tag) };
    case Tag.DIRECTORY:
      return { type: "directory", value: readDirectoryName(reader) };
    case Tag.REGISTERED_ID:
      return { type: "registeredId", value: reader.readObjectIdentifier(tag) };
    case Tag.OTHER:
      return readOtherName(reader);
    case Tag.X400:
      return { type: "x400", raw: readRaw(reader) };
    case Tag.EDI_PARTY:
      return { type: "ediParty", raw: readRaw(reader) };
    default:
      throw reader.error("a general name has no known tag", reader.offset, "ERR_X509_BAD_NAME");
  }
}

/**
 * Reads a sequence of names, of which there is at least one.
 *
 * @param reader In front of the sequence; behind it afterwards.
 * @param tag Tag of the sequence.
 * @returns The names in order.
 * @throws {CertificateError} If there is none, or one is malformed.
 */
export function readGeneralNames(reader: DerReader, tag: number): GeneralName[] {
  const names: GeneralName[] = [];
  const outerEnd = reader.enter(tag);
  do names.push(readGeneralName(reader)); while (!reader.isAtEnd);
  reader.leave(outerEnd);
  return names;
}

function readAddress(reader: DerReader, factor: 1 | 2): Uint8Array<ArrayBuffer> {
  const address = reader.readOctetString(Tag.IP);
  if (address.length === 4 * factor || address.length === 16 * factor) return address;
  throw reader.error(
    `an address has ${address.length} bytes`,
    reader.contentStart,
    "ERR_X509_BAD_NAME",
  );
}

function readDirectoryName(reader: DerReader): DistinguishedName {
  // A choice is never implicit (X.680 section 31.2.7): the name has its own tag inside.
  const outerEnd = reader.enter(Tag.DIRECTORY);
  const name = DistinguishedName.read(reader);
  reader.leave(outerEnd);
  return name;
}

function readOtherName(reader: DerReader): OtherName {
  const start = reader.offset;
  const nameEnd = reader.enter(Tag.OTHER);
  const oid = reader.readObjectIdentifier();
  const valueEnd = reader.enter(0xa0);
  reader.skip();
  const value = reader.bytes.subarray(reader.elementStart, reader.contentEnd);
  reader.leave(valueEnd);
  reader.leave(nameEnd);
  return { type: "other", oid, value, raw: reader.bytes.subarray(start, reader.offset) };
}

function readRaw(reader: DerReader): Uint8Array<ArrayBuffer> {
  reader.skip();
  return reader.bytes.subarray(reader.elementStart, reader.contentEnd);
}
