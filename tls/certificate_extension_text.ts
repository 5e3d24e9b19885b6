// This module is sans-I/O.

import { encodeHex } from "@std/encoding";
import { formatIpv4, formatIpv6 } from "../nbio/ip_address.ts";
import { toCalendarTime } from "./asn1_time.ts";
import type { Certificate } from "./certificate.ts";
import type {
  AuthorityKeyIdentifier,
  CertificateExtension,
  CertificatePolicy,
  CrlDistributionPoint,
  GeneralSubtree,
  KeyUsage,
  SignedCertificateTimestamp,
} from "./certificate_extension.ts";
import type { GeneralName } from "./general_name.ts";
import { objectIdentifierName } from "./object_identifier.ts";

/** Bits of a key usage in order, as they are printed. */
const KEY_USAGES: Readonly<Record<keyof KeyUsage, string>> = {
  digitalSignature: "Digital Signature",
  nonRepudiation: "Non Repudiation",
  keyEncipherment: "Key Encipherment",
  dataEncipherment: "Data Encipherment",
  keyAgreement: "Key Agreement",
  keyCertSign: "Certificate Sign",
  cRLSign: "CRL Sign",
  encipherOnly: "Encipher Only",
  decipherOnly: "Decipher Only",
};

/** Hash and kind of a timestamp's signature, as logs use them. */
const TIMESTAMP_ALGORITHMS: ReadonlyMap<number, string> = new Map([
  [0x0401, "sha256WithRSAEncryption"],
  [0x0403, "ecdsa-with-SHA256"],
]);

/**
 * Formats the value of an extension in lines; in hexadecimal digits if it is not
 * a known one.
 *
 * @param certificate The certificate it belongs to.
 * @param extension The extension.
 * @returns The lines without an indent.
 */
export function formatExtension(
  certificate: Certificate,
  { oid, value }: CertificateExtension,
): string[] {
  switch (oid) {
    case "2.5.29.14":
      return [formatBytes(certificate.subjectKeyIdentifier!)];
    case "2.5.29.15":
      return [formatKeyUsage(certificate.keyUsage!)];
    case "2.5.29.17":
      return [formatNames(certificate.subjectAltName!)];
    case "2.5.29.18":
      return [formatNames(certificate.issuerAltName!)];
    case "2.5.29.19":
      return [formatBasicConstraints(certificate)];
    case "2.5.29.30":
      return formatNameConstraints(certificate);
    case "2.5.29.31":
      return certificate.crlDistributionPoints!.flatMap(formatPoint);
    case "2.5.29.32":
      return certificate.certificatePolicies!.flatMap(formatPolicy);
    case "2.5.29.33":
      return [
        certificate.policyMappings!.map((mapping) =>
          `${mapping.issuerDomainPolicy}:${mapping.subjectDomainPolicy}`
        ).join(", "),
      ];
    case "2.5.29.35":
      return formatAuthorityKey(certificate.authorityKeyIdentifier!);
    case "2.5.29.36":
      return [formatPolicyConstraints(certificate)];
    case "2.5.29.37":
      return [certificate.extendedKeyUsage!.map(nameOf).join(", ")];
    case "2.5.29.46":
      return certificate.freshestCrl!.flatMap(formatPoint);
    case "2.5.29.54":
      return [`${certificate.inhibitAnyPolicy}`];
    case "1.3.6.1.5.5.7.1.1":
      return certificate.authorityInfoAccess!.map(formatAccess);
    case "1.3.6.1.5.5.7.1.11":
      return certificate.subjectInfoAccess!.map(formatAccess);
    case "1.3.6.1.4.1.11129.2.4.2":
      return certificate.signedCertificateTimestamps!.flatMap(formatTimestamp);
    default:
      return formatByteLines(value, 16);
  }
}

/** Upper-case pairs of digits with colons between them. */
function formatBytes(bytes: Uint8Array): string {
  return encodeHex(bytes).toUpperCase().replaceAll(/..(?=.)/g, "$&:");
}

/** Such pairs in lines of so many bytes; each line but the last ends with a colon. */
export function formatByteLines(bytes: Uint8Array, count: number): string[] {
  const lines: string[] = [];
  for (let i = 0; i < bytes.length; i += count) {
    const line = formatBytes(bytes.subarray(i, i + count));
    lines.push(i + count < bytes.length ? `${line}:` : line);
  }
  return lines;
}

/**
 * What a stranger wrote, without what would let it pass for more than one name, or steer a
 * terminal.
 */
function formatText(text: string): string {
  return /^[!#-~]*$/.test(text) ? text : quote(text);
}

/** Text that is alone on its line. */
function formatFreeText(text: string): string {
  return /^[ -~]*$/.test(text) ? text : quote(text);
}

const CONTROLS = /[\x7f-\uffff]/g;

function quote(text: string): string {
  return JSON.stringify(text).replace(CONTROLS, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function nameOf(oid: string): string {
  return objectIdentifierName(oid) ?? oid;
}

function formatKeyUsage(usage: KeyUsage): string {
  const names = Object.entries(KEY_USAGES) as [keyof KeyUsage, string][];
  return names.filter(([bit]) => usage[bit]).map(([, name]) => name).join(", ");
}

function formatBasicConstraints({ basicConstraints }: Certificate): string {
  const { ca, pathLength } = basicConstraints!;
  const text = `CA:${ca ? "TRUE" : "FALSE"}`;
  return pathLength === undefined ? text : `${text}, pathlen:${pathLength}`;
}

function formatNames(names: readonly GeneralName[]): string {
  return names.map(formatName).join(", ");
}

function formatName(name: GeneralName): string {
  switch (name.type) {
    case "dns":
      return `DNS:${formatText(name.value)}`;
    case "email":
      return `email:${formatText(name.value)}`;
    case "uri":
      return `URI:${formatText(name.value)}`;
    case "ip":
      return `IP Address:${formatAddress(name.value)}`;
    case "directory":
      return `DirName:${formatText(name.value.toString())}`;
    case "registeredId":
      return `Registered ID:${name.value}`;
    case "other":
      return `othername:${name.oid}:${encodeHex(name.value)}`;
    default:
      return `${name.type}:${encodeHex(name.raw)}`;
  }
}

/** An address, or address and mask. */
function formatAddress(bytes: Uint8Array<ArrayBuffer>): string {
  if (bytes.length === 4) return formatIpv4(bytes);
  if (bytes.length === 16) return formatIpv6(bytes);
  const half = bytes.length / 2;
  return `${formatAddress(bytes.subarray(0, half))}/${formatAddress(bytes.subarray(half))}`;
}

function formatNameConstraints({ nameConstraints }: Certificate): string[] {
  const { permitted, excluded } = nameConstraints!;
  return [...formatSubtrees("Permitted:", permitted), ...formatSubtrees("Excluded:", excluded)];
}

function formatSubtrees(title: string, subtrees: readonly GeneralSubtree[] = []): string[] {
  if (subtrees.length === 0) return [];
  const lines = subtrees.map(({ base }) => {
    return `  ${formatName(base).replace(/^IP Address:/, "IP:")}`;
  });
  return [title, ...lines];
}

function formatPoint({
  fullName,
  nameRelativeToCrlIssuer,
  reasons,
  crlIssuer,
}: CrlDistributionPoint): string[] {
  const lines: string[] = [];
  if (fullName !== undefined) {
    lines.push("Full Name:", ...fullName.map((name) => `  ${formatName(name)}`));
  }
  if (nameRelativeToCrlIssuer !== undefined) {
    const parts = nameRelativeToCrlIssuer.map(({ oid, name, value }) => `${name ?? oid}=${value}`);
    lines.push("Relative Name:", `  ${formatText(parts.join("+"))}`);
  }
  if (reasons !== undefined) lines.push("Reasons:", `  ${reasons.join(", ")}`);
  if (crlIssuer !== undefined) {
    lines.push("CRL Issuer:", ...crlIssuer.map((name) => `  ${formatName(name)}`));
  }
  return lines;
}

function formatPolicy({ oid, qualifiers }: CertificatePolicy): string[] {
  const lines = [`Policy: ${nameOf(oid)}`];
  for (const qualifier of qualifiers) {
    const { cpsUri, explicitText } = qualifier;
    if (cpsUri !== undefined) lines.push(`  CPS: ${formatText(cpsUri)}`);
    else if (explicitText === undefined) lines.push(`  Qualifier: ${nameOf(qualifier.oid)}`);
    else lines.push("  User Notice:", `    Explicit Text: ${formatFreeText(explicitText)}`);
  }
  return lines;
}

function formatAuthorityKey({
  keyIdentifier,
  authorityCertIssuer,
  authorityCertSerialNumber,
}: AuthorityKeyIdentifier): string[] {
  const key = keyIdentifier === undefined ? [] : [formatBytes(keyIdentifier)];
  if (authorityCertIssuer === undefined) return key;
  return [
    ...key.map((text) => `keyid:${text}`),
    ...authorityCertIssuer.map(formatName),
    `serial:${formatBytes(authorityCertSerialNumber!)}`,
  ];
}

function formatPolicyConstraints({ policyConstraints }: Certificate): string {
  const { requireExplicitPolicy, inhibitPolicyMapping } = policyConstraints!;
  const parts: string[] = [];
  if (requireExplicitPolicy !== undefined) {
    parts.push(`Require Explicit Policy:${requireExplicitPolicy}`);
  }
  if (inhibitPolicyMapping !== undefined) {
    parts.push(`Inhibit Policy Mapping:${inhibitPolicyMapping}`);
  }
  return parts.join(", ");
}

function formatAccess({ method, location }: {
  readonly method: string;
  readonly location: GeneralName;
}): string {
  return `${nameOf(method)} - ${formatName(location)}`;
}

const INDENT = " ".repeat(12);

function formatTimestamp(timestamp: SignedCertificateTimestamp): string[] {
  const { logId, extensions, hashAlgorithm, signatureAlgorithm, signature } = timestamp;
  const algorithm = hashAlgorithm << 8 | signatureAlgorithm;
  const name = TIMESTAMP_ALGORITHMS.get(algorithm) ?? `0x${algorithm.toString(16)}`;
  const [first, second] = formatByteLines(logId, 16);
  const lines = [
    "Version   : v1 (0x0)",
    `Log ID    : ${first}`,
    `${INDENT}${second}`,
    `Timestamp : ${formatTime(timestamp.timestamp, { hasMs: true })}`,
    `Extensions: ${extensions.length === 0 ? "none" : formatBytes(extensions)}`,
    `Signature : ${name}`,
    ...formatByteLines(signature, 16).map((line) => `${INDENT}${line}`),
  ];
  return ["Signed Certificate Timestamp:", ...lines.map((line) => `    ${line}`)];
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
/** The last instant that has a calendar: what is later is printed as a number. */
const MAX_MS = 253_402_300_799_999;

/**
 * Formats an instant as `Jun  4 11:21:44 2024 GMT`.
 *
 * @param ms Milliseconds since the epoch.
 * @param options Whether to show milliseconds.
 * @returns The text.
 */
export function formatTime(ms: number, options: { readonly hasMs?: boolean } = {}): string {
  if (ms > MAX_MS) return `${ms} ms`;
  const { year, month, day, hour, minute, second } = toCalendarTime(ms);
  const clock = [hour, minute, second].map((part) => `${part}`.padStart(2, "0")).join(":");
  const rest = options.hasMs ? `.${`${((ms % 1_000) + 1_000) % 1_000}`.padStart(3, "0")}` : "";
  return `${MONTHS[month - 1]} ${`${day}`.padStart(2)} ${clock}${rest} ${year} GMT`;
}
