// This module is sans-I/O.

import { encodeHex } from "@std/encoding";
import type { AlgorithmIdentifier } from "./algorithm_identifier.ts";
import type { Certificate } from "./certificate.ts";
import { formatByteLines, formatExtension, formatTime } from "./certificate_extension_text.ts";
import { DerReader, DerTag } from "./der_reader.ts";
import { objectIdentifierName } from "./object_identifier.ts";
import type { SubjectPublicKeyInfo } from "./subject_public_key_info.ts";

/** What {@linkcode formatCertificate} leaves out. */
export interface FormatCertificateOptions {
  /**
   * Whether the public key is printed.
   *
   * @default {true}
   */
  readonly includePublicKey?: boolean;
  /**
   * Whether the signature is printed.
   *
   * @default {true}
   */
  readonly includeSignature?: boolean;
}

/** Longest serial number that is printed as a decimal one. */
const MAX_DECIMAL_BYTES = 8;
const KEY_LINE_BYTES = 15;
const SIGNATURE_LINE_BYTES = 18;
/** How curves are called by those who standardised them. */
const NIST_CURVES: ReadonlyMap<string, string> = new Map([
  ["P-256", "prime256v1"],
  ["P-384", "secp384r1"],
  ["P-521", "secp521r1"],
]);
const CURVE_BITS: ReadonlyMap<string, number> = new Map([
  ["P-256", 256],
  ["P-384", 384],
  ["P-521", 521],
]);

/**
 * Prints a certificate for people, much as `openssl x509 -text` does. Names are
 * spelled as RFC 4514 says, and text that could pass for something else, or steer
 * a terminal, stands in quotes with escapes. The form may change: parse the
 * certificate instead of this text.
 *
 * @param certificate The certificate.
 * @param options What to leave out.
 * @returns The text in lines, with a line end behind the last.
 *
 * @example The first lines
 * ```ts
 * import { formatCertificate, parseCertificates } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const [certificate] = parseCertificates(await Deno.readTextFile("tests/tls/ca.pem"));
 * const lines = formatCertificate(certificate!).split("\n");
 * assertEquals(lines.slice(0, 3), ["Certificate:", "    Data:", "        Version: 3 (0x2)"]);
 * ```
 */
export function formatCertificate(
  certificate: Certificate,
  options: FormatCertificateOptions = {},
): string {
  const { includePublicKey = true, includeSignature = true } = options;
  const { version, signatureAlgorithm, issuer, subject, signature } = certificate;
  const algorithm = `Signature Algorithm: ${nameOf(signatureAlgorithm)}`;
  const lines = [
    "Certificate:",
    "    Data:",
    `        Version: ${version} (0x${version - 1})`,
    ...indent(8, formatSerial(certificate.serialNumber)),
    `        ${algorithm}`,
    `        Issuer: ${issuer}`,
    "        Validity",
    `            Not Before: ${formatTime(certificate.notBefore)}`,
    `            Not After : ${formatTime(certificate.notAfter)}`,
    `        Subject: ${subject}`,
  ];
  if (includePublicKey) lines.push(...indent(8, formatKey(certificate.subjectPublicKeyInfo)));
  if (certificate.extensions.length > 0) lines.push(...indent(8, formatExtensions(certificate)));
  if (includeSignature) {
    const value = formatByteLines(signature, SIGNATURE_LINE_BYTES);
    lines.push(...indent(4, [algorithm, "Signature Value:", ...indent(4, toLowerCase(value))]));
  }
  return `${lines.join("\n")}\n`;
}

function indent(count: number, lines: readonly string[]): string[] {
  const blanks = " ".repeat(count);
  return lines.map((line) => `${blanks}${line}`);
}

function toLowerCase(lines: readonly string[]): string[] {
  return lines.map((line) => line.toLowerCase());
}

function nameOf({ oid, name }: AlgorithmIdentifier): string {
  return name ?? oid;
}

function formatSerial(bytes: Uint8Array): string[] {
  const isNegative = bytes[0]! >= 0x80;
  if (bytes.length <= MAX_DECIMAL_BYTES) {
    const value = BigInt.asIntN(bytes.length * 8, BigInt(`0x${encodeHex(bytes)}`));
    const digits = (value < 0n ? -value : value).toString(16);
    return [`Serial Number: ${value} (${isNegative ? "-" : ""}0x${digits})`];
  }
  // The byte that keeps a number positive is no part of it.
  const shown = bytes[0] === 0 ? bytes.subarray(1) : bytes;
  const [line] = toLowerCase(formatByteLines(shown, shown.length));
  return ["Serial Number:", `    ${isNegative ? "(two's complement) " : ""}${line}`];
}

function formatKey(key: SubjectPublicKeyInfo): string[] {
  return [
    "Subject Public Key Info:",
    `    Public Key Algorithm: ${nameOf(key.algorithm)}`,
    ...indent(8, formatKeyParts(key)),
  ];
}

function formatKeyParts(key: SubjectPublicKeyInfo): string[] {
  const { algorithm, publicKey, modulusBits, namedCurve } = key;
  if (modulusBits !== undefined) return formatRsaKey(key, modulusBits);
  const point = indent(4, toLowerCase(formatByteLines(publicKey, KEY_LINE_BYTES)));
  if (namedCurve === undefined) return [`${nameOf(algorithm)} Public-Key:`, "pub:", ...point];
  const bits = CURVE_BITS.get(namedCurve);
  const name = NIST_CURVES.get(namedCurve);
  return [
    bits === undefined ? "Public-Key:" : `Public-Key: (${bits} bit)`,
    "pub:",
    ...point,
    `ASN1 OID: ${name ?? objectIdentifierName(namedCurve) ?? namedCurve}`,
    ...(name === undefined ? [] : [`NIST CURVE: ${namedCurve}`]),
  ];
}

function formatRsaKey({ publicKey, publicExponent }: SubjectPublicKeyInfo, bits: number): string[] {
  const reader = new DerReader(publicKey);
  reader.enter(DerTag.SEQUENCE);
  const modulus = toLowerCase(formatByteLines(reader.readInteger(), KEY_LINE_BYTES));
  const digits = encodeHex(publicExponent!);
  const hex = digits.replace(/^0/, "");
  return [
    `Public-Key: (${bits} bit)`,
    "Modulus:",
    ...indent(4, modulus),
    // Turning many digits into decimal ones takes more than linear time.
    digits.length <= 16 ? `Exponent: ${BigInt(`0x${digits}`)} (0x${hex})` : `Exponent: 0x${hex}`,
  ];
}

function formatExtensions(certificate: Certificate): string[] {
  const lines = ["X509v3 extensions:"];
  for (const extension of certificate.extensions) {
    const { oid, critical } = extension;
    lines.push(`    ${objectIdentifierName(oid) ?? oid}: ${critical ? "critical" : ""}`);
    lines.push(...indent(8, formatExtension(certificate, extension)));
  }
  return lines;
}
