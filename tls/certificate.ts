// This module is sans-I/O.

import { encodeHex } from "@std/encoding";
import { LimitExceededError } from "../nbio/errors.ts";
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm_identifier.ts";
import { readAsn1Time } from "./asn1_time.ts";
import { CertificateError } from "./certificate_errors.ts";
import type {
  AccessDescription,
  AuthorityKeyIdentifier,
  BasicConstraints,
  CertificateExtension,
  CertificatePolicy,
  CrlDistributionPoint,
  KeyUsage,
  NameConstraints,
  PolicyConstraints,
  PolicyMapping,
  SignedCertificateTimestamp,
} from "./certificate_extension.ts";
import { readTrue } from "./certificate_extension_constraints.ts";
import {
  type CertificateExtensionValues,
  decodeExtension,
} from "./certificate_extension_decoder.ts";
import { DerReader, DerTag } from "./der_reader.ts";
import { DistinguishedName } from "./distinguished_name.ts";
import { equalBytes } from "./equal_bytes.ts";
import type { GeneralName } from "./general_name.ts";
import { parsePemBlocks } from "./pem.ts";
import { readSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./subject_public_key_info.ts";

/** Bounds of {@linkcode parseCertificate}. */
export interface ParseCertificateOptions {
  /**
   * Most bytes of a certificate in DER, 1 to 2^24.
   *
   * @default {1_048_576}
   */
  readonly maxCertificateBytes?: number;
  /**
   * Most extensions of a certificate, 1 to 1,000.
   *
   * @default {64}
   */
  readonly maxExtensionCount?: number;
}

/** Bounds of {@linkcode parseCertificates}. */
export interface ParseCertificatesOptions extends ParseCertificateOptions {
  /**
   * Most certificates of a text, 1 to 100,000.
   *
   * @default {1_000}
   */
  readonly maxCertificateCount?: number;
}

const DEFAULT_MAX_BYTES = 1_048_576;
const MOST_BYTES = 2 ** 24;
const DEFAULT_MAX_EXTENSIONS = 64;
const MOST_EXTENSIONS = 1_000;
const DEFAULT_MAX_CERTIFICATES = 1_000;
const MOST_CERTIFICATES = 100_000;

/**
 * An X.509 certificate (RFC 5280), read by {@linkcode parseCertificate}. All
 * byte arrays are views of one copy of the input: do not write into them.
 *
 * Everything in it is well-formed, the known extensions included. Nothing is
 * verified: anybody can make a certificate that says anything.
 *
 * @example Whose key, and until when
 * ```ts
 * import { parseCertificates, toCalendarTime } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const [ca] = parseCertificates(await Deno.readTextFile("tests/tls/ca.pem"));
 * assertEquals(ca?.subjectPublicKeyInfo.namedCurve, "P-256");
 * assertEquals(ca?.basicConstraints?.ca, true);
 * assertEquals(toCalendarTime(ca!.notAfter).year, 2099);
 * ```
 */
export class Certificate {
  /** The whole certificate in DER. */
  readonly raw: Uint8Array<ArrayBuffer>;
  /** The part that is signed, the exact bytes. */
  readonly tbs: Uint8Array<ArrayBuffer>;
  /** Version of the format. */
  readonly version: 1 | 2 | 3;
  /**
   * The serial number as on the wire: two's complement, big-endian. RFC 5280 wants it positive and
   * of at most 20 bytes; there are roots that do not care.
   */
  readonly serialNumber: Uint8Array<ArrayBuffer>;
  /** How the issuer has signed. */
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** The signature of the issuer. */
  readonly signature: Uint8Array<ArrayBuffer>;
  /** Who has signed. */
  readonly issuer: DistinguishedName;
  /** Whose key it is. */
  readonly subject: DistinguishedName;
  /** First instant of validity, in milliseconds since the epoch. */
  readonly notBefore: number;
  /** Last instant of validity, in milliseconds since the epoch. */
  readonly notAfter: number;
  /** The key of the subject. */
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo;
  /** All extensions in order, the unknown ones too; each at most once. */
  readonly extensions: readonly CertificateExtension[];
  /** Elements that were read: the measure of the work, at most half the number of bytes. */
  readonly stepCount: number;
  readonly #values: CertificateExtensionValues;
  #isSelfIssued: boolean | undefined;

  /**
   * Parses a certificate; see {@linkcode parseCertificate}.
   *
   * @param der The certificate in DER; it is copied.
   * @param options Bounds.
   * @throws {CertificateError} If it is malformed.
   * @throws {LimitExceededError} If it passes a bound.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(der: Uint8Array, options: ParseCertificateOptions = {}) {
    const { maxCertificateBytes = DEFAULT_MAX_BYTES } = options;
    checkOption("maxCertificateBytes", maxCertificateBytes, MOST_BYTES);
    const { maxExtensionCount = DEFAULT_MAX_EXTENSIONS } = options;
    checkOption("maxExtensionCount", maxExtensionCount, MOST_EXTENSIONS);
    if (der.length > maxCertificateBytes) throw tooMuch("maxCertificateBytes", maxCertificateBytes);
    const reader = new DerReader(new Uint8Array(der));
    this.raw = reader.bytes;
    const end = reader.enter(DerTag.SEQUENCE);
    const tbsStart = reader.offset;
    const certificateEnd = reader.enter(DerTag.SEQUENCE);
    this.version = readVersion(reader);
    this.serialNumber = reader.readInteger();
    const innerStart = reader.offset;
    reader.skip();
    const innerEnd = reader.offset;
    this.issuer = DistinguishedName.read(reader);
    const validityEnd = reader.enter(DerTag.SEQUENCE);
    this.notBefore = readAsn1Time(reader);
    this.notAfter = readAsn1Time(reader);
    reader.leave(validityEnd);
    this.subject = DistinguishedName.read(reader);
    this.subjectPublicKeyInfo = readSubjectPublicKeyInfo(reader);
    if (this.version > 1) skipUniqueIds(reader);
    this.#values = {};
    this.extensions = this.version === 3 && !reader.isAtEnd
      ? readExtensions(reader, maxExtensionCount, this.#values)
      : [];
    reader.leave(certificateEnd);
    this.tbs = reader.bytes.subarray(tbsStart, reader.offset);
    const outerStart = reader.offset;
    this.signatureAlgorithm = readAlgorithmIdentifier(reader);
    checkSame(reader, innerStart, innerEnd, outerStart);
    this.signature = readSignature(reader);
    reader.leave(end);
    reader.finish();
    this.stepCount = reader.stepCount;
  }

  /** The serial number in hexadecimal digits, two for each byte, as on the wire. */
  get serialHex(): string {
    return encodeHex(this.serialNumber);
  }

  /**
   * Whether subject and issuer are the same (RFC 5280 section 7.1). Whether the
   * certificate has signed itself is another question.
   */
  get isSelfIssued(): boolean {
    return this.#isSelfIssued ??= this.subject.equals(this.issuer);
  }

  /** The names of the subject; never empty. */
  get subjectAltName(): readonly GeneralName[] | undefined {
    return this.#values.subjectAltName;
  }

  /** Further names of the issuer; never empty. */
  get issuerAltName(): readonly GeneralName[] | undefined {
    return this.#values.issuerAltName;
  }

  /** Whether the subject is a CA. */
  get basicConstraints(): BasicConstraints | undefined {
    return this.#values.basicConstraints;
  }

  /** What the key may be used for. */
  get keyUsage(): KeyUsage | undefined {
    return this.#values.keyUsage;
  }

  /** Purposes of the key, dotted; never empty. */
  get extendedKeyUsage(): readonly string[] | undefined {
    return this.#values.extendedKeyUsage;
  }

  /** The names a CA may certify. */
  get nameConstraints(): NameConstraints | undefined {
    return this.#values.nameConstraints;
  }

  /** Which key has signed. */
  get authorityKeyIdentifier(): AuthorityKeyIdentifier | undefined {
    return this.#values.authorityKeyIdentifier;
  }

  /** Name of the key. */
  get subjectKeyIdentifier(): Uint8Array<ArrayBuffer> | undefined {
    return this.#values.subjectKeyIdentifier;
  }

  /** Policies under which it was issued; never empty. */
  get certificatePolicies(): readonly CertificatePolicy[] | undefined {
    return this.#values.certificatePolicies;
  }

  /** Policies that a CA takes for the same; never empty. */
  get policyMappings(): readonly PolicyMapping[] | undefined {
    return this.#values.policyMappings;
  }

  /** What a path has to observe about policies. */
  get policyConstraints(): PolicyConstraints | undefined {
    return this.#values.policyConstraints;
  }

  /** Certificates below this one before any-policy ends. */
  get inhibitAnyPolicy(): number | undefined {
    return this.#values.inhibitAnyPolicy;
  }

  /** Where the issuer is found; never empty. */
  get authorityInfoAccess(): readonly AccessDescription[] | undefined {
    return this.#values.authorityInfoAccess;
  }

  /** Where more about the subject is found; never empty. */
  get subjectInfoAccess(): readonly AccessDescription[] | undefined {
    return this.#values.subjectInfoAccess;
  }

  /** Where revocations are published; never empty. */
  get crlDistributionPoints(): readonly CrlDistributionPoint[] | undefined {
    return this.#values.crlDistributionPoints;
  }

  /** Where revocations since the last full list are published; never empty. */
  get freshestCrl(): readonly CrlDistributionPoint[] | undefined {
    return this.#values.freshestCrl;
  }

  /** Promises of logs. */
  get signedCertificateTimestamps(): readonly SignedCertificateTimestamp[] | undefined {
    return this.#values.signedCertificateTimestamps;
  }
}

/**
 * Parses one certificate, strictly. The work is linear in its length.
 *
 * Refused is what is no DER (see `DerReader`) in any part that is read, which is
 * everything but the values of unknown extensions, and beyond it:
 *
 * - a version above 3, an encoded version 1, unique identifiers below version 2,
 *   extensions below version 3;
 * - two different signature algorithms inside and outside of what is signed, and
 *   a signature that is not whole bytes;
 * - names with an empty set, a set out of order, or a string that is not of its
 *   type;
 * - times in any form but the two of RFC 5280, or out of the calendar;
 * - RSA keys without NULL or with numbers that are not positive, elliptic keys
 *   without a named curve or with a point of another size, Edwards and Montgomery
 *   keys of another size;
 * - an extension that occurs twice, an empty list of extensions, an encoded
 *   default;
 * - known extensions ({@linkcode CertificateExtensionValues}) with a broken value:
 *   an empty list, an address that is not 4 or 16 bytes, bits of a key usage that
 *   do not exist, a path length without a CA, a minimum or maximum in name
 *   constraints, a policy that occurs twice.
 *
 * Not refused are serial numbers that are zero, negative or long, since there are
 * roots that have them.
 *
 * @param der The certificate in DER and nothing else; it is copied.
 * @param options Bounds.
 * @returns The certificate.
 * @throws {CertificateError} If it is malformed.
 * @throws {LimitExceededError} If it passes a bound.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example Refusing what is no certificate
 * ```ts
 * import { CertificateError, parseCertificate } from "@nbio/net/tls/x509";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => parseCertificate(new Uint8Array([0x30, 0])), CertificateError);
 * assertEquals(error.code, "ERR_X509_BAD_DER");
 * ```
 */
export function parseCertificate(
  der: Uint8Array,
  options: ParseCertificateOptions = {},
): Certificate {
  return new Certificate(der, options);
}

/**
 * Parses all certificates of a PEM text, in order. Blocks of other kinds, and
 * what stands around the blocks, are passed over.
 *
 * @param pem The text.
 * @param options Bounds.
 * @returns The certificates, none if there is none.
 * @throws {CertificateError} If a block or a certificate is malformed.
 * @throws {LimitExceededError} If a bound is passed.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example The certificate of a test
 * ```ts
 * import { parseCertificates } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const [certificate] = parseCertificates(`
 * -----BEGIN CERTIFICATE-----
 * MIHwMIGjoAMCAQICAQEwBQYDK2VwMA8xDTALBgNVBAMMBHRlc3QwHhcNMjUwMTAx
 * MDAwMDAwWhcNMjYwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDAR0ZXN0MCowBQYDK2Vw
 * AyEABwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwejJDAiMCAGA1UdEQQZ
 * MBeCD3d3dy5leGFtcGxlLmNvbYcEfwAAATAFBgMrZXADQQAAAAAAAAAAAAAAAAAA
 * AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
 * AAAA
 * -----END CERTIFICATE-----
 * `);
 * assertEquals(certificate?.subject.toString(), "CN=test");
 * assertEquals(certificate?.subjectAltName?.[0], { type: "dns", value: "www.example.com" });
 * ```
 */
export function parseCertificates(
  pem: string,
  options: ParseCertificatesOptions = {},
): Certificate[] {
  const { maxCertificateCount = DEFAULT_MAX_CERTIFICATES } = options;
  checkOption("maxCertificateCount", maxCertificateCount, MOST_CERTIFICATES);
  const { maxCertificateBytes = DEFAULT_MAX_BYTES } = options;
  checkOption("maxCertificateBytes", maxCertificateBytes, MOST_BYTES);
  const certificates: Certificate[] = [];
  for (const { label, bytes } of parsePemBlocks(pem, { maxBlockBytes: MOST_BYTES })) {
    if (label !== "CERTIFICATE") continue;
    if (certificates.length === maxCertificateCount) {
      throw tooMuch("maxCertificateCount", maxCertificateCount);
    }
    certificates.push(new Certificate(bytes, options));
  }
  return certificates;
}

function checkOption(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`Cannot parse certificate: ${name} ${value} is not from 1 to ${max}`);
}

function tooMuch(limit: string, max: number): LimitExceededError {
  return new LimitExceededError(`Cannot parse certificate: it passes ${limit} ${max}`, {
    limit,
    max,
  });
}

function readVersion(reader: DerReader): 1 | 2 | 3 {
  if (reader.peek() !== 0xa0) return 1;
  const outerEnd = reader.enter(0xa0);
  const version = reader.readSmallInteger() + 1;
  reader.leave(outerEnd);
  if (version === 2 || version === 3) return version;
  const reason = version === 1 ? "version 1 is encoded, the default" : "the version is unknown";
  throw reader.error(reason, reader.contentStart, "ERR_X509_BAD_CERTIFICATE");
}

/** RFC 5280 section 4.1.2.8; nobody has use for them. */
function skipUniqueIds(reader: DerReader): void {
  for (const tag of [0x81, 0x82]) if (reader.peek() === tag) reader.readBitString(tag);
}

function readExtensions(
  reader: DerReader,
  maxCount: number,
  values: CertificateExtensionValues,
): CertificateExtension[] {
  const extensions: CertificateExtension[] = [];
  const seen = new Set<string>();
  const outerEnd = reader.enter(0xa3);
  const listEnd = reader.enter(DerTag.SEQUENCE);
  do {
    if (extensions.length === maxCount) throw tooMuch("maxExtensionCount", maxCount);
    const start = reader.offset;
    const extension = readExtension(reader, values);
    if (seen.has(extension.oid)) {
      const message = `Cannot parse certificate: extension ${extension.oid} occurs twice`;
      throw new CertificateError("ERR_X509_DUPLICATE_EXTENSION", message, { offset: start });
    }
    seen.add(extension.oid);
    extensions.push(extension);
  } while (!reader.isAtEnd);
  reader.leave(listEnd);
  reader.leave(outerEnd);
  return extensions;
}

function readExtension(
  reader: DerReader,
  values: CertificateExtensionValues,
): CertificateExtension {
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  const oid = reader.readObjectIdentifier();
  const critical = reader.peek() === DerTag.BOOLEAN && readTrue(reader);
  const valueEnd = reader.enter(DerTag.OCTET_STRING);
  const value = reader.view();
  decodeExtension(oid, reader, values);
  reader.leave(valueEnd);
  reader.leave(outerEnd);
  return { oid, critical, value };
}

/** RFC 5280 section 4.1.1.2: the same algorithm inside and outside. */
function checkSame(reader: DerReader, innerStart: number, innerEnd: number, start: number): void {
  const inner = reader.bytes.subarray(innerStart, innerEnd);
  if (equalBytes(inner, reader.bytes.subarray(start, reader.offset))) return;
  throw reader.error("the signature algorithms differ", start, "ERR_X509_BAD_CERTIFICATE");
}

function readSignature(reader: DerReader): Uint8Array<ArrayBuffer> {
  if (reader.readBitString() !== 0) {
    const { contentStart } = reader;
    throw reader.error("the signature has unused bits", contentStart, "ERR_X509_BAD_CERTIFICATE");
  }
  return reader.view();
}
