/** Certificates for the cases of TLS clients: right ones, and each with one thing wrong. */

import { type CertificateFields, encodeDistinguishedName } from "../../tls/certificate_builder.ts";
import type { CertificateExtension } from "../../tls/certificate_extension.ts";
import {
  authorityKeyIdentifierExtension,
  basicConstraintsExtension,
  type EncodedName,
  extendedKeyUsageExtension,
  keyUsageExtension,
  subjectAltNameExtension,
  subjectKeyIdentifierExtension,
} from "../../tls/certificate_extension_encoder.ts";
import { type CertifiedKey, signCertificate, toCertifiedKey } from "../../tls/certified_key.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { readSubjectPublicKeyInfo } from "../../tls/subject_public_key_info.ts";

const COMMON_NAME = "2.5.4.3";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const DAY_MS = 86_400_000;

/** What differs from a plain certificate. */
export interface CertificateWish {
  /** Common name of the subject. */
  readonly name: string;
  /** Who signs; itself without. */
  readonly issuer?: CertifiedKey | undefined;
  /** Whose key makes the signature, where it is not the issuer's. */
  readonly signer?: CertifiedKey;
  /** Names of a leaf. */
  readonly names?: readonly EncodedName[];
  /** Whether it is a CA, and how many may be below it. */
  readonly ca?: { readonly pathLength?: number };
  readonly keyUsage?: CertificateExtension;
  readonly extendedKeyUsage?: CertificateExtension;
  readonly extensions?: readonly CertificateExtension[];
  /** Days from now. @default {[-1, 30]} */
  readonly validity?: readonly [from: number, to: number];
  /** Bits of an RSA key. @default {none: P-256} */
  readonly rsaBits?: number;
}

async function generateKey(rsaBits: number | undefined): Promise<CryptoKeyPair> {
  const exponent = new Uint8Array([1, 0, 1]);
  return await crypto.subtle.generateKey(
    rsaBits === undefined ? { name: "ECDSA", namedCurve: "P-256" } : {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: rsaBits,
      publicExponent: exponent,
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  ) as CryptoKeyPair;
}

async function identifierOf(spki: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", spki)).subarray(0, 20);
}

/** Makes a certificate. */
export async function certify(wish: CertificateWish): Promise<CertifiedKey> {
  const { issuer, ca, names = [], validity: [from, to] = [-1, 30] } = wish;
  const { privateKey, publicKey } = await generateKey(wish.rsaBits);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  const key = readSubjectPublicKeyInfo(new DerReader(spki));
  const subject = encodeDistinguishedName([[COMMON_NAME, wish.name]]);
  const ownIdentifier = await identifierOf(spki);
  const issuerIdentifier = issuer?.certificate.subjectKeyIdentifier ?? ownIdentifier;
  const fields: Omit<CertificateFields, "signatureAlgorithm"> = {
    serialNumber: crypto.getRandomValues(new Uint8Array(15)).with(0, 0x41),
    issuer: issuer?.certificate.subject.raw ?? subject,
    subject,
    notBefore: Date.now() + from * DAY_MS,
    notAfter: Date.now() + to * DAY_MS,
    subjectPublicKeyInfo: key.raw,
    extensions: [
      basicConstraintsExtension(ca !== undefined, ca?.pathLength),
      wish.keyUsage ??
        keyUsageExtension(
          ...ca ? ["keyCertSign", "cRLSign"] as const : ["digitalSignature"] as const,
        ),
      ...ca ? [] : [wish.extendedKeyUsage ?? extendedKeyUsageExtension(SERVER_AUTH)],
      ...names.length > 0 ? [subjectAltNameExtension(names)] : [],
      subjectKeyIdentifierExtension(ownIdentifier),
      authorityKeyIdentifierExtension(issuerIdentifier),
      ...wish.extensions ?? [],
    ],
  };
  const signer = wish.signer ?? issuer;
  const signerKey = signer?.certificate.subjectPublicKeyInfo ?? key;
  const certificate = await signCertificate(fields, signerKey, signer?.privateKey ?? privateKey);
  return await toCertifiedKey(certificate, privateKey);
}
