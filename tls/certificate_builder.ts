// This module is sans-I/O.

import type { CertificateExtension } from "./certificate_extension.ts";
import { DerWriter } from "./der_writer.ts";
import type { SubjectPublicKeyInfo } from "./subject_public_key_info.ts";

/** What a certificate of version 3 is made of, its signature left out. */
export interface CertificateFields {
  /** The serial number, big-endian, not negative. */
  readonly serialNumber: Uint8Array;
  /** How the issuer will sign, in DER. */
  readonly signatureAlgorithm: Uint8Array;
  /** Name of the issuer in DER. */
  readonly issuer: Uint8Array;
  /** First instant of validity, in milliseconds since the epoch, cut to seconds. */
  readonly notBefore: number;
  /** Last instant of validity, in milliseconds since the epoch, cut to seconds. */
  readonly notAfter: number;
  /** Name of the subject in DER. */
  readonly subject: Uint8Array;
  /** SPKI of the subject in DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** At least one extension, none of them twice. */
  readonly extensions: readonly CertificateExtension[];
}

/**
 * Encodes what the issuer signs (RFC 5280 section 4.1).
 *
 * @param fields What it says.
 * @returns The TBSCertificate in DER.
 * @throws {RangeError} If a time is not in the years 0 to 9999.
 */
export function encodeTbsCertificate(fields: CertificateFields): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  writer.writeSequence(() => {
    writer.writeContext(0, () => writer.writeInteger(2));
    writer.writeInteger(fields.serialNumber);
    writer.writeRaw(fields.signatureAlgorithm);
    writer.writeRaw(fields.issuer);
    writer.writeSequence(() => {
      writer.writeTime(fields.notBefore);
      writer.writeTime(fields.notAfter);
    });
    writer.writeRaw(fields.subject);
    writer.writeRaw(fields.subjectPublicKeyInfo);
    writer.writeContext(3, () =>
      writer.writeSequence(() => {
        for (const extension of fields.extensions) writeExtension(writer, extension);
      }));
  });
  return writer.finish();
}

function writeExtension(writer: DerWriter, { oid, critical, value }: CertificateExtension): void {
  writer.writeSequence(() => {
    writer.writeObjectIdentifier(oid);
    if (critical) writer.writeBoolean(true);
    writer.writeOctetString(value);
  });
}

/**
 * Puts a signature to what was signed.
 *
 * @param tbs The TBSCertificate in DER.
 * @param signatureAlgorithm The algorithm in DER, the same as inside.
 * @param signature The signature: DER for ECDSA.
 * @returns The certificate in DER.
 */
export function encodeCertificate(
  tbs: Uint8Array,
  signatureAlgorithm: Uint8Array,
  signature: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  writer.writeSequence(() => {
    writer.writeRaw(tbs);
    writer.writeRaw(signatureAlgorithm);
    writer.writeBitString(signature);
  });
  return writer.finish();
}

/**
 * Encodes a name of one attribute for each part, the most general first.
 *
 * @param attributes Type, dotted, and value of each.
 * @returns The name in DER.
 * @throws {TypeError} If a type is no identifier, or a value no Unicode.
 */
export function encodeDistinguishedName(
  attributes: readonly (readonly [oid: string, value: string])[],
): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  writer.writeSequence(() => {
    for (const [oid, value] of attributes) {
      writer.writeSet(() =>
        writer.writeSequence(() => {
          writer.writeObjectIdentifier(oid);
          writer.writeUtf8String(value);
        })
      );
    }
  });
  return writer.finish();
}

/** How a private key signs certificates. */
export interface SigningAlgorithm {
  /** Its AlgorithmIdentifier in DER. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** What Web Crypto imports the private key as. */
  readonly importParameters: {
    readonly name: string;
    readonly hash?: string;
    readonly namedCurve?: string;
  };
  /** What Web Crypto signs by. */
  readonly signParameters: { readonly name: string; readonly hash?: string };
}

const ECDSA: Readonly<Record<string, readonly [oid: string, hash: string]>> = {
  "P-256": ["1.2.840.10045.4.3.2", "SHA-256"],
  "P-384": ["1.2.840.10045.4.3.3", "SHA-384"],
  "P-521": ["1.2.840.10045.4.3.4", "SHA-512"],
};
const RSA_KEY = "1.2.840.113549.1.1.1";
const SHA256_WITH_RSA = "1.2.840.113549.1.1.11";
const ED25519 = "1.3.101.112";

/**
 * Chooses how a key signs certificates: ECDSA with the hash of the curve's size, RSA with PKCS #1
 * and SHA-256, Ed25519.
 *
 * @param key The public key of the signer.
 * @returns The algorithm; `undefined` for keys of other kinds.
 */
export function signingAlgorithmOf(key: SubjectPublicKeyInfo): SigningAlgorithm | undefined {
  const { algorithm, namedCurve } = key;
  if (algorithm.oid === RSA_KEY) {
    const name = "RSASSA-PKCS1-v1_5";
    return {
      // RFC 4055 section 5: the parameters are NULL.
      der: encodeAlgorithm(SHA256_WITH_RSA, true),
      importParameters: { name, hash: "SHA-256" },
      signParameters: { name },
    };
  }
  if (algorithm.oid === ED25519) {
    const parameters = { name: "Ed25519" };
    return {
      der: encodeAlgorithm(ED25519, false),
      importParameters: parameters,
      signParameters: parameters,
    };
  }
  if (namedCurve === undefined || !Object.hasOwn(ECDSA, namedCurve)) return undefined;
  const [oid, hash] = ECDSA[namedCurve]!;
  return {
    der: encodeAlgorithm(oid, false),
    importParameters: { name: "ECDSA", namedCurve },
    signParameters: { name: "ECDSA", hash },
  };
}

function encodeAlgorithm(oid: string, hasNull: boolean): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  writer.writeSequence(() => {
    writer.writeObjectIdentifier(oid);
    if (hasNull) writer.writeNull();
  });
  return writer.finish();
}

/**
 * Turns an ECDSA signature of Web Crypto into the DER of certificates (RFC 3279 section 2.2.3).
 *
 * @param raw Both numbers, equally long.
 * @returns A sequence of two integers.
 */
export function encodeEcdsaSignature(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  writer.writeSequence(() => {
    writer.writeInteger(raw.subarray(0, raw.length / 2));
    writer.writeInteger(raw.subarray(raw.length / 2));
  });
  return writer.finish();
}
