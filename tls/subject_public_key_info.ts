// This module is sans-I/O.

import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm_identifier.ts";
import { CertificateError } from "./certificate_errors.ts";
import { DerReader, DerTag } from "./der_reader.ts";
import { objectIdentifierName } from "./object_identifier.ts";

/** A public key as a certificate holds it (RFC 5280 section 4.1.2.7). */
export interface SubjectPublicKeyInfo {
  /** The whole of it in DER: what pins are made of. A view. */
  readonly raw: Uint8Array<ArrayBuffer>;
  /** What kind of key it is. */
  readonly algorithm: AlgorithmIdentifier;
  /** The key itself: the bits, in DER for RSA, a point for curves. A view. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /**
   * Curve of an elliptic key: `P-256`, `P-384` or `P-521`, another one's name, or
   * its identifier. `undefined` for keys of other kinds.
   */
  readonly namedCurve?: string;
  /** Length of an RSA modulus in bits; `undefined` for keys of other kinds. */
  readonly modulusBits?: number;
  /** The RSA public exponent, big-endian without leading zeros. */
  readonly publicExponent?: Uint8Array<ArrayBuffer>;
}

const RSA = "1.2.840.113549.1.1.1";
const RSA_PSS = "1.2.840.113549.1.1.10";
const EC = "1.2.840.10045.2.1";

/** Curves by identifier: how the platform calls them, and bytes of a coordinate. */
const CURVES: ReadonlyMap<string, readonly [name: string, size: number]> = new Map([
  ["1.2.840.10045.3.1.7", ["P-256", 32]],
  ["1.3.132.0.34", ["P-384", 48]],
  ["1.3.132.0.35", ["P-521", 66]],
]);

/** Bytes of the keys that have one length only (RFC 8410 section 4, RFC 8032). */
const FIXED_SIZES: ReadonlyMap<string, number> = new Map([
  ["1.3.101.110", 32],
  ["1.3.101.111", 56],
  ["1.3.101.112", 32],
  ["1.3.101.113", 57],
]);

/**
 * Reads a public key that is a part of something larger, and holds that it is
 * what its algorithm says, as far as that is known. Whether a key is strong
 * enough, or a point on its curve, is not looked at.
 *
 * @param reader In front of the key; behind it afterwards.
 * @returns The key; its bytes are views of the reader's buffer.
 * @throws {CertificateError} If it is malformed.
 */
export function readSubjectPublicKeyInfo(reader: DerReader): SubjectPublicKeyInfo {
  const start = reader.offset;
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  const algorithm = readAlgorithmIdentifier(reader);
  const unusedBitCount = reader.readBitString();
  const { contentStart, contentEnd } = reader;
  reader.leave(outerEnd);
  if (unusedBitCount !== 0) throw badKey("it has unused bits", contentStart);
  const raw = reader.bytes.subarray(start, reader.offset);
  const publicKey = reader.bytes.subarray(contentStart, contentEnd);
  const base = { raw, algorithm, publicKey };
  switch (algorithm.oid) {
    case RSA:
    case RSA_PSS:
      return { ...base, ...readRsaKey(reader, contentStart, contentEnd, algorithm) };
    case EC:
      return { ...base, namedCurve: readCurve(algorithm, publicKey, contentStart) };
    default:
      checkFixedSize(algorithm, publicKey, contentStart);
      return base;
  }
}

function badKey(reason: string, offset: number, cause?: unknown): CertificateError {
  const message = `Cannot read public key: ${reason}`;
  return new CertificateError("ERR_X509_BAD_PUBLIC_KEY", message, { offset, cause });
}

/** RFC 3279 section 2.3.1. */
function readRsaKey(
  outer: DerReader,
  start: number,
  end: number,
  { oid, parameters }: AlgorithmIdentifier,
): { modulusBits: number; publicExponent: Uint8Array<ArrayBuffer> } {
  const isNull = parameters?.length === 2 && parameters[0] === DerTag.NULL;
  if (oid === RSA && !isNull) throw badKey("the parameters of an RSA key are not NULL", start);
  const reader = new DerReader(outer.bytes, { start, end });
  try {
    reader.enter(DerTag.SEQUENCE);
    const modulus = readPositive(reader);
    const publicExponent = readPositive(reader);
    reader.leave(end);
    reader.finish();
    const modulusBits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
    return { modulusBits, publicExponent };
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code !== "ERR_X509_BAD_DER") throw error;
    throw badKey(error.message, error.offset ?? start, error);
  } finally {
    outer.stepCount += reader.stepCount;
  }
}

function readPositive(reader: DerReader): Uint8Array<ArrayBuffer> {
  const integer = reader.readInteger();
  const first = integer[0]!;
  if (first >= 0x80 || (first === 0 && integer.length === 1)) {
    throw badKey("a number of an RSA key is not positive", reader.contentStart);
  }
  return first === 0 ? integer.subarray(1) : integer;
}

/** RFC 5480 section 2.1.1 and 2.2. */
function readCurve(
  { parameters }: AlgorithmIdentifier,
  publicKey: Uint8Array,
  offset: number,
): string {
  if (parameters?.[0] !== DerTag.OBJECT_IDENTIFIER) {
    throw badKey("an elliptic key has no named curve", offset);
  }
  const oid = new DerReader(parameters as Uint8Array<ArrayBuffer>).readObjectIdentifier();
  const curve = CURVES.get(oid);
  if (curve === undefined) return objectIdentifierName(oid) ?? oid;
  const [name, size] = curve;
  const form = publicKey[0];
  const isPoint = form === 0x04
    ? publicKey.length === 1 + 2 * size
    : (form === 0x02 || form === 0x03) && publicKey.length === 1 + size;
  if (!isPoint) throw badKey(`it is no point of ${name}`, offset);
  return name;
}

function checkFixedSize(
  { oid, parameters, name }: AlgorithmIdentifier,
  publicKey: Uint8Array,
  offset: number,
): void {
  const size = FIXED_SIZES.get(oid);
  if (size === undefined) return;
  if (parameters !== undefined) throw badKey(`${name} has no parameters`, offset);
  if (publicKey.length !== size) throw badKey(`a key of ${name} has ${size} bytes`, offset);
}
