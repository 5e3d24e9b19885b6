// This module is sans-I/O.

import { encodeHex } from "@std/encoding";
import type { AlgorithmIdentifier } from "./algorithm_identifier.ts";
import { CertificateError } from "./certificate_errors.ts";
import { CertificateVerificationError } from "./certificate_verification_error.ts";
import { DerReader, DerTag } from "./der_reader.ts";
import { DerWriter } from "./der_writer.ts";
import type { SubjectPublicKeyInfo } from "./subject_public_key_info.ts";

/** A hash that signatures may use. */
export type SignatureHash = "SHA-256" | "SHA-384" | "SHA-512";

/** A curve that keys may lie on. */
export type SignatureCurve = "P-256" | "P-384" | "P-521";

/** How a signature is checked. */
export type SignatureScheme =
  | { readonly type: "rsa-pkcs1"; readonly hash: SignatureHash }
  | { readonly type: "rsa-pss"; readonly hash: SignatureHash; readonly saltLength: number }
  | { readonly type: "ecdsa"; readonly hash: SignatureHash; readonly curve: SignatureCurve }
  | { readonly type: "ed25519" };

const RSA_KEY = "1.2.840.113549.1.1.1";
const RSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";
const EC_KEY = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";

const RSA_HASHES: ReadonlyMap<string, SignatureHash> = new Map([
  ["1.2.840.113549.1.1.11", "SHA-256"],
  ["1.2.840.113549.1.1.12", "SHA-384"],
  ["1.2.840.113549.1.1.13", "SHA-512"],
]);
const ECDSA_HASHES: ReadonlyMap<string, SignatureHash> = new Map([
  ["1.2.840.10045.4.3.2", "SHA-256"],
  ["1.2.840.10045.4.3.3", "SHA-384"],
  ["1.2.840.10045.4.3.4", "SHA-512"],
]);
const HASHES: ReadonlyMap<string, SignatureHash> = new Map([
  ["2.16.840.1.101.3.4.2.1", "SHA-256"],
  ["2.16.840.1.101.3.4.2.2", "SHA-384"],
  ["2.16.840.1.101.3.4.2.3", "SHA-512"],
]);
const HASH_BYTES = { "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 } as const;

/** MD2, MD4, MD5 and SHA-1 with RSA, SHA-1 with ECDSA and DSA, and the OIW's spellings of them. */
const WEAK: ReadonlySet<string> = new Set([
  "1.2.840.113549.1.1.2",
  "1.2.840.113549.1.1.3",
  "1.2.840.113549.1.1.4",
  "1.2.840.113549.1.1.5",
  "1.2.840.10045.4.1",
  "1.2.840.10040.4.3",
  "1.3.14.3.2.3",
  "1.3.14.3.2.15",
  "1.3.14.3.2.29",
]);

/** Bytes of a coordinate. */
const CURVE_BYTES = { "P-256": 32, "P-384": 48, "P-521": 66 } as const;
/** The first byte of a point with both coordinates. */
const UNCOMPRESSED = 0x04;

const MIN_RSA_BITS = 2_048;
/** The time of a check grows with the square of it. */
const MAX_RSA_BITS = 8_192;
/** More than any public exponent in use, and what every implementation takes. */
const MAX_EXPONENT_BYTES = 4;

/** The key of an issuer: which algorithms it goes with. */
type KeyKind =
  | {
    readonly type: "rsa";
    readonly pssParameters: Uint8Array | undefined;
    readonly isPss: boolean;
  }
  | { readonly type: "ec"; readonly curve: SignatureCurve }
  | { readonly type: "ed25519" };

/**
 * Holds that a public key is of a kind and strength that is accepted: RSA of 2,048 to 8,192 bits, a
 * multiple of 8, with an odd exponent of 3 to 32 bits; the curves P-256, P-384 and P-521, points
 * uncompressed; Ed25519.
 *
 * @param key The key.
 * @throws {CertificateVerificationError} If it is weak (`ERR_X509_WEAK_KEY`), or of another kind or
 * form (`ERR_X509_UNSUPPORTED_KEY`).
 *
 * @example A key nobody can check with
 * ```ts
 * import { CertificateVerificationError, checkPublicKey } from "@nbio/net/tls/x509";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const algorithm = { oid: "1.3.101.113", name: "ED448", parameters: undefined };
 * const key = { raw: new Uint8Array(), algorithm, publicKey: new Uint8Array(57) };
 * const error = assertThrows(() => checkPublicKey(key), CertificateVerificationError);
 * assertEquals(error.code, "ERR_X509_UNSUPPORTED_KEY");
 * ```
 */
export function checkPublicKey(key: SubjectPublicKeyInfo): void {
  keyKind(key);
}

function keyKind(key: SubjectPublicKeyInfo): KeyKind {
  const { oid, parameters } = key.algorithm;
  switch (oid) {
    case RSA_KEY:
    case RSA_PSS:
      checkRsaKey(key);
      return oid === RSA_PSS
        ? { type: "rsa", isPss: true, pssParameters: parameters }
        : { type: "rsa", isPss: false, pssParameters: undefined };
    case EC_KEY:
      return { type: "ec", curve: curveOf(key) };
    case ED25519:
      return { type: "ed25519" };
    default:
      throw unsupportedKey(`its algorithm is ${oid}`);
  }
}

function checkRsaKey({ modulusBits: bits = 0, publicExponent }: SubjectPublicKeyInfo): void {
  if (bits < MIN_RSA_BITS) throw weakKey(`an RSA key has ${bits} bits`);
  if (bits > MAX_RSA_BITS) throw unsupportedKey(`an RSA key has ${bits} bits`);
  // Nobody makes others on purpose: CA/Browser Forum, Baseline Requirements, section 6.1.5.
  if (bits % 8 !== 0) throw weakKey(`an RSA key has ${bits} bits, not a multiple of 8`);
  const { length } = publicExponent ?? [];
  if (length > MAX_EXPONENT_BYTES) throw unsupportedKey("an RSA exponent is too long");
  // An even one belongs to no key, and with 1 everybody can sign.
  const lowest = publicExponent?.[length - 1] ?? 0;
  if (lowest % 2 === 0 || (length === 1 && lowest === 1)) {
    throw weakKey("an RSA exponent is even or 1");
  }
}

function curveOf({ namedCurve, publicKey }: SubjectPublicKeyInfo): SignatureCurve {
  if (namedCurve !== "P-256" && namedCurve !== "P-384" && namedCurve !== "P-521") {
    throw unsupportedKey("its curve is not P-256, P-384 or P-521");
  }
  if (publicKey[0] !== UNCOMPRESSED) throw unsupportedKey("its point is compressed");
  return namedCurve;
}

/**
 * Says how a signature has to be checked, and holds that it is worth anything: no broken hash, a
 * key that is accepted (see {@linkcode checkPublicKey}) and that the algorithm goes with, and
 * parameters as the RFCs want them. RSASSA-PSS has the same hash twice and a salt as long as it.
 *
 * @param algorithm The algorithm of the signature.
 * @param key The key of the signer.
 * @returns The scheme.
 * @throws {CertificateVerificationError} If key or signature are weak or not supported.
 *
 * @example A broken hash
 * ```ts
 * import { CertificateVerificationError, signatureSchemeOf } from "@nbio/net/tls/x509";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const algorithm = {
 *   oid: "1.2.840.113549.1.1.5",
 *   name: "sha1WithRSAEncryption",
 *   parameters: undefined,
 * };
 * const key = { raw: new Uint8Array(), algorithm, publicKey: new Uint8Array(32) };
 * const error = assertThrows(() => signatureSchemeOf(algorithm, key), CertificateVerificationError);
 * assertEquals(error.code, "ERR_X509_WEAK_SIGNATURE");
 * ```
 */
export function signatureSchemeOf(
  algorithm: AlgorithmIdentifier,
  key: SubjectPublicKeyInfo,
): SignatureScheme {
  const { oid, parameters } = algorithm;
  if (WEAK.has(oid)) throw weakSignature(oid);
  const kind = keyKind(key);
  const rsaHash = RSA_HASHES.get(oid);
  if (rsaHash !== undefined && kind.type === "rsa" && !kind.isPss) {
    // RFC 4055 section 5: NULL, and to be accepted without.
    if (parameters !== undefined && !isNull(parameters)) throw badParameters(oid);
    return { type: "rsa-pkcs1", hash: rsaHash };
  }
  if (oid === RSA_PSS && kind.type === "rsa") return pssScheme(parameters, kind.pssParameters);
  const ecdsaHash = ECDSA_HASHES.get(oid);
  if (ecdsaHash !== undefined && kind.type === "ec") {
    // RFC 5758 section 3.2, RFC 8410 section 3: parameters are absent.
    if (parameters !== undefined) throw badParameters(oid);
    return { type: "ecdsa", hash: ecdsaHash, curve: kind.curve };
  }
  if (oid === ED25519 && kind.type === "ed25519") {
    if (parameters !== undefined) throw badParameters(oid);
    return { type: "ed25519" };
  }
  throw new CertificateVerificationError(
    "ERR_X509_UNSUPPORTED_SIGNATURE",
    `Cannot verify signature: ${oid} is not supported, or not with a key of ${key.algorithm.oid}`,
  );
}

function pssScheme(
  parameters: Uint8Array<ArrayBuffer> | undefined,
  keyParameters: Uint8Array | undefined,
): SignatureScheme {
  // RFC 4055 section 3.1: without parameters the hash is SHA-1.
  if (parameters === undefined) throw weakSignature(RSA_PSS);
  // RFC 4055 section 3.3: the parameters of a key bind its signatures.
  if (keyParameters !== undefined && encodeHex(keyParameters) !== encodeHex(parameters)) {
    throw badParameters(RSA_PSS);
  }
  try {
    return readPssParameters(new DerReader(parameters));
  } catch (error) {
    if (error instanceof CertificateError) throw badParameters(RSA_PSS, error);
    throw error;
  }
}

/** RFC 4055 section 3.1; the trailer has one value, which DER leaves out. */
function readPssParameters(reader: DerReader): SignatureScheme {
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  if (reader.peek() !== 0xa0 || reader.isAtEnd) throw weakSignature(RSA_PSS);
  const hashEnd = reader.enter(0xa0);
  const hash = readHash(reader);
  reader.leave(hashEnd);
  if (reader.peek() !== 0xa1) throw weakSignature(RSA_PSS);
  const mgfEnd = reader.enter(0xa1);
  const sequenceEnd = reader.enter(DerTag.SEQUENCE);
  if (reader.readObjectIdentifier() !== MGF1) throw badParameters(RSA_PSS);
  const mgfHash = readHash(reader);
  reader.leave(sequenceEnd);
  reader.leave(mgfEnd);
  const saltEnd = reader.enter(0xa2);
  const saltLength = reader.readSmallInteger();
  reader.leave(saltEnd);
  reader.leave(outerEnd);
  reader.finish();
  if (mgfHash !== hash || saltLength !== HASH_BYTES[hash]) throw badParameters(RSA_PSS);
  return { type: "rsa-pss", hash, saltLength };
}

function readHash(reader: DerReader): SignatureHash {
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  const oid = reader.readObjectIdentifier();
  const hash = HASHES.get(oid);
  if (hash === undefined) throw weakSignature(oid);
  // RFC 4055 section 2.1: NULL and nothing are both to be accepted.
  if (!reader.isAtEnd) {
    reader.read(DerTag.NULL);
    if (reader.contentEnd !== reader.contentStart) throw badParameters(oid);
  }
  reader.leave(outerEnd);
  return hash;
}

/**
 * Turns the DER of an ECDSA signature (RFC 3279 section 2.2.3) into the form Web Crypto takes: both
 * numbers, each as long as a coordinate.
 *
 * @param der The signature.
 * @param curve The curve of the key.
 * @returns Twice 32, 48 or 66 bytes; `undefined` if the signature is not DER, or a number is not
 * positive or too long.
 *
 * @example Two small numbers
 * ```ts
 * import { decodeEcdsaSignature } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const raw = decodeEcdsaSignature(new Uint8Array([0x30, 6, 2, 1, 5, 2, 1, 7]), "P-256");
 * assertEquals([raw?.length, raw?.[31], raw?.[63]], [64, 5, 7]);
 * ```
 */
export function decodeEcdsaSignature(
  der: Uint8Array<ArrayBuffer>,
  curve: SignatureCurve,
): Uint8Array<ArrayBuffer> | undefined {
  const [r, s] = readIntegers(der) ?? [];
  const length = CURVE_BYTES[curve];
  if (r === undefined || s === undefined || r.length > length || s.length > length) {
    return undefined;
  }
  const raw = new Uint8Array(2 * length);
  raw.set(r, length - r.length);
  raw.set(s, 2 * length - s.length);
  return raw;
}

/** A sequence of two positive integers and nothing else, without their sign bytes. */
function readIntegers(der: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] | undefined {
  try {
    const reader = new DerReader(der);
    const outerEnd = reader.enter(DerTag.SEQUENCE);
    const integers = [reader.readInteger(), reader.readInteger()];
    reader.leave(outerEnd);
    reader.finish();
    const isPositive = integers.every(([first, second]) =>
      first! < 0x80 && (first !== 0 || second !== undefined)
    );
    if (!isPositive) return undefined;
    return integers.map((bytes) => bytes[0] === 0 ? bytes.subarray(1) : bytes);
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/**
 * Gives the SPKI of an RSA key as Web Crypto takes it: under the general algorithm, whatever the
 * certificate says (RFC 4055 section 1.2 has one for RSASSA-PSS alone).
 *
 * @param publicKey The RSAPublicKey in DER.
 * @returns The SPKI in DER.
 *
 * @example The size of the result
 * ```ts
 * import { encodeRsaPublicKeyInfo } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeRsaPublicKeyInfo(new Uint8Array(270)).length, 294);
 * ```
 */
export function encodeRsaPublicKeyInfo(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  writer.writeSequence(() => {
    writer.writeSequence(() => {
      writer.writeObjectIdentifier(RSA_KEY);
      writer.writeNull();
    });
    writer.writeBitString(publicKey);
  });
  return writer.finish();
}

function isNull(parameters: Uint8Array | undefined): boolean {
  return parameters?.length === 2 && parameters[0] === DerTag.NULL && parameters[1] === 0;
}

function unsupportedKey(reason: string): CertificateVerificationError {
  return new CertificateVerificationError(
    "ERR_X509_UNSUPPORTED_KEY",
    `Cannot use public key: ${reason}`,
  );
}

function weakKey(reason: string): CertificateVerificationError {
  return new CertificateVerificationError("ERR_X509_WEAK_KEY", `Cannot use public key: ${reason}`);
}

function weakSignature(oid: string): CertificateVerificationError {
  return new CertificateVerificationError(
    "ERR_X509_WEAK_SIGNATURE",
    `Cannot verify signature: ${oid} uses a hash that is broken or not known`,
  );
}

function badParameters(oid: string, cause?: CertificateError): CertificateVerificationError {
  return new CertificateVerificationError(
    "ERR_X509_UNSUPPORTED_SIGNATURE",
    `Cannot verify signature: the parameters of ${oid} are not accepted`,
    { cause },
  );
}
