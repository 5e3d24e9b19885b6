// This module is sans-I/O.

import { encodeHex } from "@std/encoding";
import { DerReader, DerTag } from "./der_reader.ts";
import { checkDerString, decodeDerString } from "./der_string.ts";
import { equalBytes } from "./equal_bytes.ts";
import { checkObjectIdentifier } from "./object_identifier.ts";

/** One part of a name, for example `CN=example.com`. */
export interface AttributeTypeAndValue {
  /** What it is, dotted. */
  readonly oid: string;
  /** Its short name, for example `CN`; `undefined` where it has none. */
  readonly name: string | undefined;
  /** Tag of the value: which type of string it is. */
  readonly tag: number;
  /** The value; where it is no string, `#` and its DER in hexadecimal digits. */
  readonly value: string;
  /** The value in DER, a view. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

const COMMON_NAME = "2.5.4.3";

/** Short names as tools print them. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  [COMMON_NAME, "CN"],
  ["2.5.4.4", "SN"],
  ["2.5.4.5", "serialNumber"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "street"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["2.5.4.12", "title"],
  ["2.5.4.13", "description"],
  ["2.5.4.15", "businessCategory"],
  ["2.5.4.16", "postalAddress"],
  ["2.5.4.17", "postalCode"],
  ["2.5.4.18", "postOfficeBox"],
  ["2.5.4.20", "telephoneNumber"],
  ["2.5.4.41", "name"],
  ["2.5.4.42", "GN"],
  ["2.5.4.43", "initials"],
  ["2.5.4.44", "generationQualifier"],
  ["2.5.4.45", "x500UniqueIdentifier"],
  ["2.5.4.46", "dnQualifier"],
  ["2.5.4.65", "pseudonym"],
  ["2.5.4.97", "organizationIdentifier"],
  ["0.9.2342.19200300.100.1.1", "UID"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["1.2.840.113549.1.9.1", "emailAddress"],
  ["1.2.840.113549.1.9.2", "unstructuredName"],
  ["1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"],
  ["1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"],
  ["1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"],
]);

/**
 * Name of a subject or an issuer (RFC 5280 section 4.1.2.4): a path of sets of
 * attributes, the most general one first. It is checked when it is read, and
 * decoded when it is asked for.
 *
 * @example Parts of a name
 * ```ts
 * import { DistinguishedName } from "@nbio/net/tls/x509";
 * import { decodeBase64 } from "@std/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const name = DistinguishedName.parse(decodeBase64("MBwxCzAJBgNVBAYTAkZSMQ0wCwYDVQQDDARhLGI+"));
 * assertEquals(name.toString(), "CN=a\\,b\\>,C=FR");
 * assertEquals(name.commonName, "a,b>");
 * assertEquals(name.rdns[0]?.[0]?.value, "FR");
 * ```
 */
export class DistinguishedName {
  /** The name in DER: the exact bytes, a view of what it was read from. */
  readonly raw: Uint8Array<ArrayBuffer>;
  #rdns: readonly (readonly AttributeTypeAndValue[])[] | undefined;
  #rdnKeys: readonly string[] | undefined;

  private constructor(raw: Uint8Array<ArrayBuffer>) {
    this.raw = raw;
  }

  /**
   * Parses a name.
   *
   * @param der The name in DER; it is copied.
   * @returns The name.
   * @throws {CertificateError} If it is malformed, or something stands behind it.
   */
  static parse(der: Uint8Array): DistinguishedName {
    const reader = new DerReader(new Uint8Array(der));
    const name = DistinguishedName.read(reader);
    reader.finish();
    return name;
  }

  /**
   * Reads a name that is a part of something larger.
   *
   * @param reader In front of the name; behind it afterwards.
   * @returns The name, a view of the reader's buffer.
   * @throws {CertificateError} If it is malformed.
   */
  static read(reader: DerReader): DistinguishedName {
    const start = reader.offset;
    const outerEnd = reader.enter(DerTag.SEQUENCE);
    while (!reader.isAtEnd) checkRelativeName(reader, DerTag.SET);
    reader.leave(outerEnd);
    return new DistinguishedName(reader.bytes.subarray(start, reader.offset));
  }

  /** The attributes as they stand in the name, the most general set first. */
  get rdns(): readonly (readonly AttributeTypeAndValue[])[] {
    return this.#rdns ??= decodeName(this.raw);
  }

  /**
   * A key for each set of attributes. Two names are the same exactly if all
   * their keys are (RFC 5280 section 7.1), and one lies below another if its keys
   * begin with those of the other. Case, repeated blanks, the type of a string
   * and the order in a set make no difference.
   */
  get rdnKeys(): readonly string[] {
    return this.#rdnKeys ??= this.rdns.map(keyOf);
  }

  /** The most specific common name; `undefined` where there is none. */
  get commonName(): string | undefined {
    return this.rdns.flat().findLast(({ oid }) => oid === COMMON_NAME)?.value;
  }

  /** Whether the name has no part at all. */
  get isEmpty(): boolean {
    return this.raw.length === 2;
  }

  /**
   * Compares two names (RFC 5280 section 7.1).
   *
   * @param other The other name.
   * @returns Whether they are the same, however they are spelled.
   */
  equals(other: DistinguishedName): boolean {
    if (equalBytes(this.raw, other.raw)) return true;
    const [ours, theirs] = [this.rdnKeys, other.rdnKeys];
    return ours.length === theirs.length && ours.every((key, index) => key === theirs[index]);
  }

  /**
   * Formats the name as RFC 4514 says: the most specific part first. Control
   * characters are escaped, and an attribute without a short name has its value
   * in hexadecimal digits.
   *
   * @returns The text; empty for an empty name.
   */
  toString(): string {
    return this.rdns.toReversed().map((rdn) => rdn.map(formatAttribute).join("+")).join(",");
  }
}

/**
 * Reads a set of attributes that is a part of something larger.
 *
 * @param reader In front of the set; behind it afterwards.
 * @param tag Tag of the set.
 * @returns The attributes in order.
 * @throws {CertificateError} If they are malformed.
 */
export function readRelativeName(reader: DerReader, tag: number): AttributeTypeAndValue[] {
  const { offset } = reader;
  checkRelativeName(reader, tag);
  return decodeRelativeName(
    new DerReader(reader.bytes, { start: offset, end: reader.offset }),
    tag,
  );
}

function checkRelativeName(reader: DerReader, tag: number): void {
  const setEnd = reader.enter(tag);
  let previousStart = -1;
  let previousEnd = -1;
  do {
    const start = reader.offset;
    const attributeEnd = reader.enter(DerTag.SEQUENCE);
    reader.read(DerTag.OBJECT_IDENTIFIER);
    checkObjectIdentifier(reader.bytes, reader.contentStart, reader.contentEnd);
    checkDerString(reader, reader.skip());
    reader.leave(attributeEnd);
    const end = reader.offset;
    if (previousStart >= 0 && !isInOrder(reader.bytes, previousStart, previousEnd, start, end)) {
      throw reader.error("a set is not in order", start, "ERR_X509_BAD_NAME");
    }
    previousStart = start;
    previousEnd = end;
  } while (!reader.isAtEnd);
  reader.leave(setEnd);
}

/** X.690 section 11.6: the elements of a SET OF are in the order of their bytes. */
function isInOrder(
  bytes: Uint8Array,
  start1: number,
  end1: number,
  start2: number,
  end2: number,
): boolean {
  const length = Math.min(end1 - start1, end2 - start2);
  for (let i = 0; i < length; i++) {
    const difference = bytes[start1 + i]! - bytes[start2 + i]!;
    if (difference !== 0) return difference < 0;
  }
  return end1 - start1 <= end2 - start2;
}

function decodeName(raw: Uint8Array<ArrayBuffer>): AttributeTypeAndValue[][] {
  const reader = new DerReader(raw);
  const rdns: AttributeTypeAndValue[][] = [];
  reader.enter(DerTag.SEQUENCE);
  while (!reader.isAtEnd) rdns.push(decodeRelativeName(reader, DerTag.SET));
  return rdns;
}

function decodeRelativeName(reader: DerReader, tag: number): AttributeTypeAndValue[] {
  const attributes: AttributeTypeAndValue[] = [];
  const setEnd = reader.enter(tag);
  while (!reader.isAtEnd) {
    const attributeEnd = reader.enter(DerTag.SEQUENCE);
    const oid = reader.readObjectIdentifier();
    const tag = reader.read();
    const raw = reader.bytes.subarray(reader.elementStart, reader.contentEnd);
    const value = decodeDerString(tag, reader.view()) ?? `#${encodeHex(raw)}`;
    attributes.push({ oid, name: SHORT_NAMES.get(oid), tag, value, raw });
    reader.leave(attributeEnd);
  }
  reader.leave(setEnd);
  return attributes;
}

function keyOf(rdn: readonly AttributeTypeAndValue[]): string {
  const keys = rdn.map(({ oid, tag, value, raw }) => {
    const isText = decodeDerString(tag, raw.subarray(0, 0)) !== undefined;
    // RFC 4518 section 2, as far as the platform has it; a length keeps values apart.
    const text = isText
      ? value.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim()
      : value;
    return `${oid}:${text.length}:${text}`;
  });
  return keys.length === 1 ? keys[0]! : keys.sort().join("+");
}

/** RFC 4514 section 2.4, and control characters. */
// deno-lint-ignore no-control-regex
const ESCAPED = /^[ #]| $|["+,;<>\\]|[\x00-\x1f\x7f-\x9f]/g;

function formatAttribute({ oid, name, value, raw }: AttributeTypeAndValue): string {
  // RFC 4514 section 2.4: a type in dotted form has a value in hexadecimal form.
  if (name === undefined) return `${oid}=#${encodeHex(raw)}`;
  const isHex = value.startsWith("#") && value === `#${encodeHex(raw)}`;
  return `${name}=${isHex ? value : value.replace(ESCAPED, escapeCharacter)}`;
}

function escapeCharacter(character: string): string {
  if (character >= " " && character < "\x7f") return `\\${character}`;
  return Array.from(new TextEncoder().encode(character), (byte) => {
    return `\\${byte.toString(16).padStart(2, "0").toUpperCase()}`;
  }).join("");
}
