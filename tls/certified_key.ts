import { type Certificate, parseCertificate, parseCertificates } from "./certificate.ts";
import {
  type CertificateFields,
  encodeCertificate,
  encodeEcdsaSignature,
  encodeTbsCertificate,
  type SigningAlgorithm,
  signingAlgorithmOf,
} from "./certificate_builder.ts";
import { CertificateError } from "./certificate_errors.ts";
import { formatPem, parsePemBlocks } from "./pem.ts";
import { importPublicKey } from "./public_key.ts";
import type { SubjectPublicKeyInfo } from "./subject_public_key_info.ts";

/** A certificate and the private key that belongs to it. */
export interface CertifiedKey {
  /** The certificate. */
  readonly certificate: Certificate;
  /** The private key, extractable. */
  readonly privateKey: CryptoKey;
  /** The certificate as PEM: what `Deno.listenTls` takes as `cert`. */
  readonly certificatePem: string;
  /** The private key as PEM (PKCS #8, not encrypted): what `Deno.listenTls` takes as `key`. */
  readonly privateKeyPem: string;
}

/**
 * Reads a certificate and its private key from PEM, and holds that they belong together.
 *
 * @param certificatePem A text whose first certificate it is.
 * @param privateKeyPem A text with one `PRIVATE KEY` block (PKCS #8, not encrypted).
 * @returns Both.
 * @throws {CertificateError} If a text is malformed, holds no such thing, or the key is not that of
 * the certificate, or of a kind that cannot sign here: RSA, P-256, P-384, P-521 and Ed25519 can.
 *
 * @example A CA that was kept as text
 * ```ts
 * import { createDevelopmentCa, importCertifiedKey } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const { certificate, certificatePem, privateKeyPem } = await createDevelopmentCa();
 * const again = await importCertifiedKey(certificatePem, privateKeyPem);
 * assertEquals(again.certificate.raw, certificate.raw);
 * ```
 */
export async function importCertifiedKey(
  certificatePem: string,
  privateKeyPem: string,
): Promise<CertifiedKey> {
  const [certificate] = parseCertificates(certificatePem);
  if (certificate === undefined) {
    const message = "Cannot import certified key: the text holds no certificate";
    throw new CertificateError("ERR_X509_BAD_PEM", message);
  }
  const key = certificate.subjectPublicKeyInfo;
  const algorithm = requireSigningAlgorithm(key);
  const privateKey = await importPrivateKey(readPrivateKey(privateKeyPem), algorithm);
  if (!await isPairOf(privateKey, key, algorithm)) throw badKey("it is not the certificate's");
  return await toCertifiedKey(certificate, privateKey);
}

function badKey(reason: string, cause?: unknown): CertificateError {
  const message = `Cannot import private key: ${reason}`;
  return new CertificateError("ERR_X509_BAD_PRIVATE_KEY", message, { cause });
}

function requireSigningAlgorithm(key: SubjectPublicKeyInfo): SigningAlgorithm {
  const algorithm = signingAlgorithmOf(key);
  if (algorithm !== undefined) return algorithm;
  const name = key.namedCurve ?? key.algorithm.name ?? key.algorithm.oid;
  const message = `Cannot sign certificate: a key of ${name} is not supported`;
  throw new CertificateError("ERR_X509_UNKNOWN_KEY_ALGORITHM", message);
}

function readPrivateKey(pem: string): Uint8Array<ArrayBuffer> {
  const keys = [...parsePemBlocks(pem)].filter(({ label }) => label === "PRIVATE KEY");
  if (keys.length !== 1) throw badKey(`there are ${keys.length} PRIVATE KEY blocks, expected 1`);
  return keys[0]!.bytes;
}

async function importPrivateKey(
  pkcs8: Uint8Array<ArrayBuffer>,
  { importParameters }: SigningAlgorithm,
): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("pkcs8", pkcs8, importParameters, true, ["sign"]);
  } catch (cause) {
    throw badKey(`the runtime takes it for no key of ${importParameters.name}`, cause);
  }
}

/** Whether what one signs the other verifies. */
async function isPairOf(
  privateKey: CryptoKey,
  key: SubjectPublicKeyInfo,
  { signParameters }: SigningAlgorithm,
): Promise<boolean> {
  const data = new Uint8Array(32);
  try {
    const publicKey = await importPublicKey(key);
    const signature = await crypto.subtle.sign(signParameters, privateKey, data);
    return await crypto.subtle.verify(signParameters, publicKey, signature, data);
  } catch (cause) {
    throw badKey("the runtime cannot sign with it", cause);
  }
}

/**
 * Puts a certificate and its private key together.
 *
 * @param certificate The certificate.
 * @param privateKey Its key, extractable.
 * @returns Both, and both as PEM.
 */
export async function toCertifiedKey(
  certificate: Certificate,
  privateKey: CryptoKey,
): Promise<CertifiedKey> {
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return {
    certificate,
    privateKey,
    certificatePem: formatPem("CERTIFICATE", certificate.raw),
    privateKeyPem: formatPem("PRIVATE KEY", pkcs8),
  };
}

/**
 * Signs a certificate.
 *
 * @param fields What it says, the algorithm left out.
 * @param issuerKey Public key of the issuer.
 * @param privateKey Its private key.
 * @returns The certificate.
 * @throws {CertificateError} If the issuer's key is of a kind that cannot sign here.
 */
export async function signCertificate(
  fields: Omit<CertificateFields, "signatureAlgorithm">,
  issuerKey: SubjectPublicKeyInfo,
  privateKey: CryptoKey,
): Promise<Certificate> {
  const { der: signatureAlgorithm, signParameters } = requireSigningAlgorithm(issuerKey);
  const tbs = encodeTbsCertificate({ ...fields, signatureAlgorithm });
  const raw = new Uint8Array(await crypto.subtle.sign(signParameters, privateKey, tbs));
  const signature = signParameters.name === "ECDSA" ? encodeEcdsaSignature(raw) : raw;
  return parseCertificate(encodeCertificate(tbs, signatureAlgorithm, signature));
}
