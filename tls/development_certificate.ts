import { encodeHex } from "@std/encoding";
import { systemClock } from "../nbio/clock.ts";
import type { Certificate } from "./certificate.ts";
import { encodeDistinguishedName } from "./certificate_builder.ts";
import type { CertificateExtension } from "./certificate_extension.ts";
import {
  authorityKeyIdentifierExtension,
  basicConstraintsExtension,
  type EncodedName,
  extendedKeyUsageExtension,
  keyUsageExtension,
  nameConstraintsExtension,
  subjectAltNameExtension,
  subjectKeyIdentifierExtension,
} from "./certificate_extension_encoder.ts";
import { type CertifiedKey, signCertificate, toCertifiedKey } from "./certified_key.ts";
import { DerReader } from "./der_reader.ts";
import { excludedNames, parsePermittedNames, parseSubjectNames } from "./development_name.ts";
import { constrainedNames, findNameConstraintViolation } from "./name_constraints.ts";
import { readSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./subject_public_key_info.ts";

/**
 * Kind of a key. `P-256` and `P-384` are elliptic (ECDSA); `RSA` has 2,048 bits. No browser takes
 * `Ed25519` yet; OpenSSL, curl, Deno and Node.js do.
 */
export type DevelopmentKeyType = "P-256" | "P-384" | "Ed25519" | "RSA";

/** What both kinds of certificates have in common. */
export interface DevelopmentKeyOptions {
  /**
   * Kind of the keys that are made.
   *
   * @default {"P-256"}
   */
  readonly keyType?: DevelopmentKeyType;
  /**
   * The instant of making, in milliseconds since the epoch. Validity starts an hour before it, for
   * clocks that are behind.
   *
   * @default {systemClock.wallNow()}
   */
  readonly time?: number;
}

/** How {@linkcode createDevelopmentCa} makes a CA. */
export interface DevelopmentCaOptions extends DevelopmentKeyOptions {
  /**
   * Days of validity, a whole number from 1 to 3,650.
   *
   * @default {3_650}
   */
  readonly validityDays?: number;
  /**
   * Names that the CA may certify, and everything below them, 1 to 100: DNS names, addresses, and
   * networks such as `10.0.0.0/8`. Who trusts such a CA trusts it with nothing else: of DNS names
   * and addresses, a type that does not occur here is excluded.
   *
   * @default {undefined} (every name)
   */
  readonly permittedNames?: readonly string[];
  /**
   * Name of the CA, of 1 to 64 characters: what lists of trusted CAs show.
   *
   * @default {"Development CA XXXXXXXX"} (the digits are of its key)
   */
  readonly commonName?: string;
}

/** How {@linkcode createDevelopmentCertificate} makes a leaf. */
export interface DevelopmentCertificateOptions extends DevelopmentKeyOptions {
  /**
   * Who signs the leaf.
   *
   * @default {undefined} (a new CA is made)
   */
  readonly ca?: CertifiedKey;
  /**
   * Days of validity, a whole number from 1 to 397, cut to that of the CA. Browsers refuse more.
   *
   * @default {397}
   */
  readonly validityDays?: number;
  /**
   * Whether the leaf is for clients too, as in mutual TLS.
   *
   * @default {false} (for servers only)
   */
  readonly allowClientAuth?: boolean;
  /**
   * Names that a new CA may certify; see {@linkcode DevelopmentCaOptions}. Not together with `ca`.
   *
   * @default {undefined} (every name)
   */
  readonly permittedNames?: readonly string[];
}

/** What {@linkcode createDevelopmentCertificate} has made. */
export interface DevelopmentCertificate {
  /** The certificate of the server, and its key. */
  readonly leaf: CertifiedKey;
  /** The CA that has signed it: the one that was given, or a new one. */
  readonly ca: CertifiedKey;
}

const MS_PER_DAY = 86_400_000;
const MS_PER_HOUR = 3_600_000;
const MAX_LEAF_DAYS = 397;
const MAX_CA_DAYS = 3_650;
/** RFC 5280 appendix A.1, ub-common-name. */
const MAX_COMMON_NAME = 64;
const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";
const RSA = "1.2.840.113549.1.1.1";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

const KEY_PARAMETERS: Readonly<
  Record<
    DevelopmentKeyType,
    { readonly name: string; readonly namedCurve?: string } & Partial<RsaHashedKeyGenParams>
  >
> = {
  "P-256": { name: "ECDSA", namedCurve: "P-256" },
  "P-384": { name: "ECDSA", namedCurve: "P-384" },
  "Ed25519": { name: "Ed25519" },
  "RSA": {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  },
};

/**
 * Makes a certificate for a server on this machine or in this network, and a CA that signs it unless
 * one is given. Clients that trust the CA then accept the server; nobody else does. For more leaves,
 * call it again with the same `ca`: those who trust it trust the new leaf too.
 *
 * The leaf is no CA (`CA:FALSE`), is for servers (`serverAuth`), and is named by its
 * subjectAltName. A new CA may sign leaves only (`pathlen:0`).
 *
 * Whoever has the key of a CA can stand in for every host towards those who trust it: keep it as a
 * secret, or restrict it by `permittedNames`. This is for development; it knows no revocation.
 *
 * @param names What the server is called, 1 to 100: DNS names (A-labels for other scripts), `*` as
 * the left-most label of three or more, addresses as text. Those that occur again are dropped.
 * @param options The CA, and how the certificate is made.
 * @returns The leaf and the CA, each with its private key.
 * @throws {RangeError} If a name is none, or the CA may not certify it, if the CA is no CA or not
 * valid at the time, or an option is out of its range.
 * @throws {TypeError} If `permittedNames` is given for a CA that exists.
 * @throws {CertificateError} If the key of the CA is of a kind that cannot sign here.
 *
 * @example A server for this machine
 * ```ts
 * import { createDevelopmentCertificate, verifyChain } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf, ca } = await createDevelopmentCertificate(["localhost", "127.0.0.1", "::1"]);
 * const { chain } = await verifyChain(leaf.certificate, {
 *   roots: [ca.certificate],
 *   name: "127.0.0.1",
 * });
 * assertEquals(chain.length, 2);
 *
 * // using listener = Deno.listenTls({ port: 8443, cert: leaf.certificatePem, key: leaf.privateKeyPem });
 * ```
 */
export async function createDevelopmentCertificate(
  names: readonly string[],
  options: DevelopmentCertificateOptions = {},
): Promise<DevelopmentCertificate> {
  const { keyType = "P-256", validityDays = MAX_LEAF_DAYS, permittedNames } = options;
  const { time = systemClock.wallNow(), allowClientAuth = false } = options;
  const subjectNames = parseSubjectNames(names);
  checkKeyType(keyType);
  checkValidityDays(validityDays, MAX_LEAF_DAYS);
  if (options.ca !== undefined && permittedNames !== undefined) {
    throw new TypeError("Cannot create certificate: permittedNames are for a new CA only");
  }
  const ca = options.ca ?? await createDevelopmentCa({
    keyType,
    time,
    ...(permittedNames === undefined ? {} : { permittedNames }),
  });
  checkCa(ca.certificate, time);
  const { privateKey, key } = await generateKey(keyType);
  const { subject, subjectPublicKeyInfo, notAfter } = ca.certificate;
  const validity = validityOf(time, validityDays);
  const certificate = await signCertificate(
    {
      serialNumber: randomSerial(),
      issuer: subject.raw,
      notBefore: validity.notBefore,
      notAfter: Math.min(validity.notAfter, notAfter),
      subject: leafSubject(subjectNames),
      subjectPublicKeyInfo: key.raw,
      extensions: await leafExtensions(subjectNames, key, ca.certificate, allowClientAuth),
    },
    subjectPublicKeyInfo,
    ca.privateKey,
  );
  checkConstraints(certificate, ca.certificate);
  return { leaf: await toCertifiedKey(certificate, privateKey), ca };
}

async function leafExtensions(
  names: readonly EncodedName[],
  key: SubjectPublicKeyInfo,
  issuer: Certificate,
  allowClientAuth: boolean,
): Promise<CertificateExtension[]> {
  // TLS 1.2 has a key exchange in which an RSA key decrypts.
  const usages = key.algorithm.oid === RSA ? ["keyEncipherment"] as const : [];
  const { subjectKeyIdentifier, subjectPublicKeyInfo } = issuer;
  return [
    basicConstraintsExtension(false),
    keyUsageExtension("digitalSignature", ...usages),
    extendedKeyUsageExtension(SERVER_AUTH, ...allowClientAuth ? [CLIENT_AUTH] : []),
    subjectAltNameExtension(names),
    subjectKeyIdentifierExtension(await keyIdentifier(key)),
    authorityKeyIdentifierExtension(
      subjectKeyIdentifier ?? await keyIdentifier(subjectPublicKeyInfo),
    ),
  ];
}

/**
 * Makes a CA for {@linkcode createDevelopmentCertificate}: it has signed itself, and may sign leaves
 * but no other CA.
 *
 * @param options How it is made.
 * @returns The CA and its key.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example A CA for one domain
 * ```ts
 * import { createDevelopmentCa, createDevelopmentCertificate } from "@nbio/net/tls";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const ca = await createDevelopmentCa({ permittedNames: ["internal.example"] });
 * const { leaf } = await createDevelopmentCertificate(["www.internal.example"], { ca });
 * assertEquals(leaf.certificate.issuer.equals(ca.certificate.subject), true);
 * await assertRejects(() => createDevelopmentCertificate(["example.com"], { ca }), RangeError);
 * ```
 */
export async function createDevelopmentCa(
  options: DevelopmentCaOptions = {},
): Promise<CertifiedKey> {
  const { keyType = "P-256", time = systemClock.wallNow(), permittedNames } = options;
  const { validityDays = MAX_CA_DAYS } = options;
  checkKeyType(keyType);
  checkValidityDays(validityDays, MAX_CA_DAYS);
  if (options.commonName !== undefined) checkCommonName(options.commonName);
  const constraints = permittedNames === undefined ? [] : [permittedExtension(permittedNames)];
  const validity = validityOf(time, validityDays);
  const { privateKey, key } = await generateKey(keyType);
  const identifier = await keyIdentifier(key);
  const digits = encodeHex(identifier.subarray(0, 4)).toUpperCase();
  const { commonName = `Development CA ${digits}` } = options;
  const name = encodeDistinguishedName([[COMMON_NAME, commonName]]);
  const certificate = await signCertificate(
    {
      ...validity,
      serialNumber: randomSerial(),
      issuer: name,
      subject: name,
      subjectPublicKeyInfo: key.raw,
      extensions: [
        basicConstraintsExtension(true, 0),
        keyUsageExtension("keyCertSign", "cRLSign"),
        ...constraints,
        subjectKeyIdentifierExtension(identifier),
        authorityKeyIdentifierExtension(identifier),
      ],
    },
    key,
    privateKey,
  );
  return await toCertifiedKey(certificate, privateKey);
}

function permittedExtension(permittedNames: readonly string[]): CertificateExtension {
  const permitted = parsePermittedNames(permittedNames);
  return nameConstraintsExtension({ permitted, excluded: excludedNames(permitted) });
}

function checkKeyType(keyType: string): void {
  if (Object.hasOwn(KEY_PARAMETERS, keyType)) return;
  throw outOfRange("keyType", JSON.stringify(String(keyType).slice(0, 32)), "a kind of keys");
}

function checkValidityDays(days: number, max: number): void {
  if (Number.isInteger(days) && days >= 1 && days <= max) return;
  throw outOfRange("validityDays", `${days}`, `1 to ${max}`);
}

function checkCommonName(name: string): void {
  if (name.length >= 1 && name.length <= MAX_COMMON_NAME && name.isWellFormed()) return;
  throw outOfRange("commonName", JSON.stringify(name.slice(0, 32)), "1 to 64 characters");
}

function outOfRange(option: string, value: string, wanted: string): RangeError {
  return new RangeError(`Cannot create certificate: ${option} is ${value}, expected ${wanted}`);
}

function checkCa(ca: Certificate, time: number): void {
  const { basicConstraints, keyUsage, subject } = ca;
  if (!basicConstraints?.ca || keyUsage?.keyCertSign === false || subject.isEmpty) {
    throw outOfRange("ca", `${subject}`, "a CA that may sign certificates");
  }
  if (time >= ca.notBefore && time <= ca.notAfter) return;
  throw outOfRange("ca", "not valid at this time", "one that is");
}

function checkConstraints(leaf: Certificate, { nameConstraints }: Certificate): void {
  if (nameConstraints === undefined) return;
  const violation = findNameConstraintViolation(constrainedNames(leaf), nameConstraints, () => {});
  if (violation === undefined) return;
  const { type, value } = violation.name as EncodedName;
  const shown = type === "dns" ? JSON.stringify(value) : `one of type ${type}`;
  throw new RangeError(
    `Cannot create certificate: its names have ${shown}, which the CA may not certify`,
  );
}

/** RFC 5280 section 4.1.2.5: both ends belong to it, so that a day is a second shorter. */
function validityOf(time: number, days: number): { notBefore: number; notAfter: number } {
  if (!Number.isFinite(time)) throw outOfRange("time", `${time}`, "an instant");
  const notBefore = Math.floor((time - MS_PER_HOUR) / 1_000) * 1_000;
  return { notBefore, notAfter: notBefore + days * MS_PER_DAY - 1_000 };
}

/** A common name looks like a DNS name to some, which constraints hold for; addresses have none. */
function leafSubject(names: readonly EncodedName[]): Uint8Array {
  const first = names.find(({ type, value }) => type === "dns" && value.length <= MAX_COMMON_NAME);
  return encodeDistinguishedName([
    [ORGANIZATION, "Development certificate"],
    ...first?.type === "dns" ? [[COMMON_NAME, first.value] as const] : [],
  ]);
}

/** 126 bits by chance; positive, and of one length (RFC 5280 section 4.1.2.2). */
function randomSerial(): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = bytes[0]! & 0x3f | 0x40;
  return bytes;
}

/** RFC 7093 section 2, method 1. */
async function keyIdentifier({ publicKey }: SubjectPublicKeyInfo): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey)).subarray(0, 20);
}

async function generateKey(
  keyType: DevelopmentKeyType,
): Promise<{ privateKey: CryptoKey; key: SubjectPublicKeyInfo }> {
  const pair = await crypto.subtle.generateKey(KEY_PARAMETERS[keyType], true, ["sign", "verify"]);
  const { privateKey, publicKey } = pair as CryptoKeyPair;
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  return { privateKey, key: readSubjectPublicKeyInfo(new DerReader(spki)) };
}
