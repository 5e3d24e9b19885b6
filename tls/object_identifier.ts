// This module is sans-I/O.

import { CertificateError } from "./certificate_errors.ts";

/** Most bytes of one arc: 133 bits, enough for the UUIDs below 2.25. */
const MAX_ARC_BYTES = 19;
const MAX_ARC = 2n ** 133n - 1n;
/** Above it seven more bits would leave the whole numbers a double can hold. */
const MAX_BEFORE_SHIFT = 2 ** 46;

/**
 * Decodes the content of an OBJECT IDENTIFIER (X.690 section 8.19). Takes time
 * linear in its length.
 *
 * @param bytes Buffer with the content, tag and length left out.
 * @param start Offset of the first byte of the content.
 * @param end Offset behind its last byte.
 * @returns The arcs, dotted.
 * @throws {CertificateError} If the content is empty, cut off or longer than
 * needed, or an arc has more than 133 bits.
 *
 * @example The identifier of a hash
 * ```ts
 * import { decodeObjectIdentifier, objectIdentifierName } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new Uint8Array([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]);
 * const oid = decodeObjectIdentifier(bytes);
 * assertEquals(oid, "2.16.840.1.101.3.4.2.1");
 * assertEquals(objectIdentifierName(oid), "sha256");
 * ```
 */
export function decodeObjectIdentifier(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): string {
  checkObjectIdentifier(bytes, start, end);
  let text = "";
  let arc: number | bigint = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (typeof arc === "bigint") arc = arc * 128n + BigInt(byte & 0x7f);
    else if (arc < MAX_BEFORE_SHIFT) arc = arc * 128 + (byte & 0x7f);
    else arc = BigInt(arc) * 128n + BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    text = appendArc(text, arc);
    arc = 0;
  }
  return text;
}

/**
 * Holds that {@linkcode decodeObjectIdentifier} would decode a content, for those
 * who may never ask for the text.
 *
 * @param bytes Buffer with the content.
 * @param start Offset of the first byte of the content.
 * @param end Offset behind its last byte.
 * @throws {CertificateError} If the content is not an object identifier.
 */
export function checkObjectIdentifier(bytes: Uint8Array, start: number, end: number): void {
  // The last byte of an arc has no continuation bit, so the last of all must not have one.
  if (start >= end || bytes[end - 1]! >= 0x80) throw badOid("it is empty or cut off", start);
  let arcStart = start;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    // X.690 section 8.19.2: an arc takes as few bytes as it can.
    if (i === arcStart && byte === 0x80) throw badOid("an arc starts with a zero", i);
    if (i - arcStart === MAX_ARC_BYTES) throw badOid("an arc has more than 133 bits", i);
    if (byte < 0x80) arcStart = i + 1;
  }
}

/** The first number on the wire holds two arcs (X.690 section 8.19.4). */
function appendArc(text: string, arc: number | bigint): string {
  if (text !== "") return `${text}.${arc}`;
  if (arc < 40) return `0.${arc}`;
  if (arc < 80) return `1.${Number(arc) - 40}`;
  return `2.${typeof arc === "bigint" ? arc - 80n : arc - 80}`;
}

function badOid(reason: string, offset: number): CertificateError {
  const message = `Cannot decode object identifier: ${reason}`;
  return new CertificateError("ERR_X509_BAD_DER", message, { offset });
}

const DOTTED = /^[0-2](?:\.(?:0|[1-9][0-9]{0,40}))+$/;

/**
 * Encodes an OBJECT IDENTIFIER, tag and length left out.
 *
 * @param oid The arcs, dotted; at least two, each below 2^133.
 * @returns The content.
 * @throws {TypeError} If it is not an object identifier.
 *
 * @example The identifier of a key
 * ```ts
 * import { encodeObjectIdentifier } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeObjectIdentifier("1.3.101.112"), new Uint8Array([0x2b, 0x65, 0x70]));
 * ```
 */
export function encodeObjectIdentifier(oid: string): Uint8Array<ArrayBuffer> {
  if (!DOTTED.test(oid)) throw notAnOid(oid);
  const [root, second, ...rest] = oid.split(".").map(BigInt);
  if (root! < 2n && second! >= 40n) throw notAnOid(oid);
  const content: number[] = [];
  for (const arc of [root! * 40n + second!, ...rest]) {
    if (arc > MAX_ARC) throw notAnOid(oid);
    const digits = [Number(arc & 0x7fn)];
    for (let high = arc >> 7n; high > 0n; high >>= 7n) digits.push(Number(high & 0x7fn) | 0x80);
    content.push(...digits.reverse());
  }
  return new Uint8Array(content);
}

function notAnOid(oid: string): TypeError {
  const shown = JSON.stringify(oid.slice(0, 32));
  return new TypeError(`Cannot encode object identifier: ${shown} is not one of at least two arcs`);
}

/** Names by identifier, as RFCs and tools spell them. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.1.1", "rsaEncryption"],
  ["1.2.840.113549.1.1.2", "md2WithRSAEncryption"],
  ["1.2.840.113549.1.1.4", "md5WithRSAEncryption"],
  ["1.2.840.113549.1.1.5", "sha1WithRSAEncryption"],
  ["1.2.840.113549.1.1.7", "rsaesOaep"],
  ["1.2.840.113549.1.1.8", "mgf1"],
  ["1.2.840.113549.1.1.10", "rsassaPss"],
  ["1.2.840.113549.1.1.11", "sha256WithRSAEncryption"],
  ["1.2.840.113549.1.1.12", "sha384WithRSAEncryption"],
  ["1.2.840.113549.1.1.13", "sha512WithRSAEncryption"],
  ["1.2.840.113549.1.1.14", "sha224WithRSAEncryption"],
  ["1.2.840.10045.2.1", "id-ecPublicKey"],
  ["1.2.840.10045.3.1.7", "prime256v1"],
  ["1.3.132.0.34", "secp384r1"],
  ["1.3.132.0.35", "secp521r1"],
  ["1.3.132.0.33", "secp224r1"],
  ["1.3.132.0.10", "secp256k1"],
  ["1.2.840.10045.4.1", "ecdsa-with-SHA1"],
  ["1.2.840.10045.4.3.1", "ecdsa-with-SHA224"],
  ["1.2.840.10045.4.3.2", "ecdsa-with-SHA256"],
  ["1.2.840.10045.4.3.3", "ecdsa-with-SHA384"],
  ["1.2.840.10045.4.3.4", "ecdsa-with-SHA512"],
  ["1.2.840.10040.4.1", "dsaEncryption"],
  ["1.2.840.10040.4.3", "dsaWithSHA1"],
  ["2.16.840.1.101.3.4.3.1", "dsa_with_SHA224"],
  ["2.16.840.1.101.3.4.3.2", "dsa_with_SHA256"],
  ["1.3.101.110", "X25519"],
  ["1.3.101.111", "X448"],
  ["1.3.101.112", "ED25519"],
  ["1.3.101.113", "ED448"],
  ["1.3.14.3.2.26", "sha1"],
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
  ["2.16.840.1.101.3.4.2.4", "sha224"],
  ["2.5.29.9", "X509v3 Subject Directory Attributes"],
  ["2.5.29.14", "X509v3 Subject Key Identifier"],
  ["2.5.29.15", "X509v3 Key Usage"],
  ["2.5.29.16", "X509v3 Private Key Usage Period"],
  ["2.5.29.17", "X509v3 Subject Alternative Name"],
  ["2.5.29.18", "X509v3 Issuer Alternative Name"],
  ["2.5.29.19", "X509v3 Basic Constraints"],
  ["2.5.29.30", "X509v3 Name Constraints"],
  ["2.5.29.31", "X509v3 CRL Distribution Points"],
  ["2.5.29.32", "X509v3 Certificate Policies"],
  ["2.5.29.32.0", "X509v3 Any Policy"],
  ["2.5.29.33", "X509v3 Policy Mappings"],
  ["2.5.29.35", "X509v3 Authority Key Identifier"],
  ["2.5.29.36", "X509v3 Policy Constraints"],
  ["2.5.29.37", "X509v3 Extended Key Usage"],
  ["2.5.29.37.0", "Any Extended Key Usage"],
  ["2.5.29.46", "X509v3 Freshest CRL"],
  ["2.5.29.54", "X509v3 Inhibit Any Policy"],
  ["1.3.6.1.5.5.7.1.1", "Authority Information Access"],
  ["1.3.6.1.5.5.7.1.3", "qcStatements"],
  ["1.3.6.1.5.5.7.1.11", "Subject Information Access"],
  ["1.3.6.1.5.5.7.1.24", "TLS Feature"],
  ["1.3.6.1.5.5.7.2.1", "Policy Qualifier CPS"],
  ["1.3.6.1.5.5.7.2.2", "Policy Qualifier User Notice"],
  ["1.3.6.1.5.5.7.3.1", "TLS Web Server Authentication"],
  ["1.3.6.1.5.5.7.3.2", "TLS Web Client Authentication"],
  ["1.3.6.1.5.5.7.3.3", "Code Signing"],
  ["1.3.6.1.5.5.7.3.4", "E-mail Protection"],
  ["1.3.6.1.5.5.7.3.8", "Time Stamping"],
  ["1.3.6.1.5.5.7.3.9", "OCSP Signing"],
  ["1.3.6.1.5.5.7.48.1", "OCSP"],
  ["1.3.6.1.5.5.7.48.1.5", "OCSP No Check"],
  ["1.3.6.1.5.5.7.48.2", "CA Issuers"],
  ["1.3.6.1.4.1.311.10.3.3", "Microsoft Server Gated Crypto"],
  ["2.16.840.1.113730.1.1", "Netscape Cert Type"],
  ["2.16.840.1.113730.1.13", "Netscape Comment"],
  ["2.16.840.1.113730.4.1", "Netscape Server Gated Crypto"],
  ["1.3.6.1.4.1.11129.2.4.2", "CT Precertificate SCTs"],
  ["1.3.6.1.4.1.11129.2.4.3", "CT Precertificate Poison"],
]);

/**
 * Gives the name of an algorithm, a curve, an extension or a purpose.
 *
 * @param oid The identifier, dotted.
 * @returns Its name, spelled as OpenSSL prints it, or `undefined` if it is not
 * in the table.
 *
 * @example Known and unknown
 * ```ts
 * import { objectIdentifierName } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(objectIdentifierName("2.5.29.17"), "X509v3 Subject Alternative Name");
 * assertEquals(objectIdentifierName("1.2.3"), undefined);
 * ```
 */
export function objectIdentifierName(oid: string): string | undefined {
  return NAMES.get(oid);
}
