// This module is sans-I/O.

import { formatIpAddress, parseIpAddress } from "../nbio/ip_address.ts";
import type { Certificate } from "./certificate.ts";
import { CertificateVerificationError } from "./certificate_verification_error.ts";
import { isDnsIdentifier, toAsciiLowerCase } from "./dns_identifier.ts";
import { equalBytes } from "./equal_bytes.ts";
import type { GeneralName } from "./general_name.ts";
import { isWellFormedName } from "./name_constraints.ts";

/** What a certificate has to name beside, or instead of, the DNS name. */
export interface VerifyHostnameOptions {
  /**
   * Scheme of a URI-ID that counts as well, such as `"sip"`: then `sip:NAME` in the certificate is
   * as good as the DNS name.
   *
   * @default {undefined} (URI-IDs do not count)
   */
  readonly uri?: string;
  /**
   * Service of an SRV-ID that counts as well, such as `"imaps"`, with or without its underscore:
   * then `_imaps.NAME` in the certificate is as good as the DNS name.
   *
   * @default {undefined} (SRV-IDs do not count)
   */
  readonly srv?: string;
}

/**
 * - `ERR_X509_NAME_MISMATCH`: the certificate names others.
 * - `ERR_X509_NO_NAMES`: the certificate names nobody: it has no subjectAltName, and a common name
 *   does not count.
 */
export type HostnameErrorCode = "ERR_X509_NAME_MISMATCH" | "ERR_X509_NO_NAMES";

/** What a {@linkcode HostnameError} tells beside its message. */
export interface HostnameErrorOptions extends ErrorOptions {
  /** The name that was looked for, an address in its usual text form. */
  readonly hostname: string;
}

/**
 * A certificate does not name the host it was presented for.
 *
 * @example Reading the name
 * ```ts
 * import { HostnameError, verifyHostname } from "@nbio/net/tls/x509";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const nobody = { subjectAltName: undefined };
 * const error = assertThrows(() => verifyHostname(nobody, "example.com"), HostnameError);
 * assertEquals([error.code, error.hostname], ["ERR_X509_NO_NAMES", "example.com"]);
 * ```
 */
export class HostnameError extends CertificateVerificationError {
  /** What happened, as a stable identifier. */
  override readonly code: HostnameErrorCode;
  /** The name that was looked for. */
  readonly hostname: string;

  /**
   * Makes the error.
   *
   * @param code What happened.
   * @param message The action and the reason.
   * @param options The name, and the cause.
   */
  constructor(code: HostnameErrorCode, message: string, options: HostnameErrorOptions) {
    super(code, message, { depth: 0, ...options });
    this.code = code;
    this.hostname = options.hostname;
  }
}

/** id-on-dnsSRV of RFC 4985. */
const SRV_NAME_OID = "1.3.6.1.5.5.7.8.7";
/** RFC 3986 section 3.1. */
const SCHEME = /^[a-z][a-z0-9+.-]{0,62}$/i;
/** RFC 6335 section 5.1, less some rules on hyphens. */
const SERVICE = /^_?[a-z0-9-]{1,15}$/i;
const IA5_STRING_TAG = 0x16;

/**
 * Checks that a certificate names a host, by RFC 9525:
 *
 * - Only subjectAltName counts, never a common name.
 * - Names are compared label by label, ignoring the case of ASCII letters. Names in other scripts
 *   have to be given as A-labels.
 * - `*` stands for one label, and only as the whole left-most label of three or more: neither
 *   `w*.example.com` nor `*.com` match anything.
 * - One dot at the end of `name` means nothing. In a certificate it is malformed; what is malformed
 *   matches nothing.
 * - An address matches an address of the same bytes, never a name that looks like it.
 * - URI-IDs and SRV-IDs count only where an option asks for them, and without wildcards.
 *
 * Takes time linear in the number of names.
 *
 * @param certificate The certificate, or anything with its names.
 * @param name The host: a DNS name, an address as text (IPv6 without brackets and zone), or the 4
 * or 16 bytes of an address.
 * @param options Other identities that count.
 * @throws {HostnameError} If the certificate does not name the host.
 * @throws {TypeError} If `name` is neither a name nor an address, or an option is malformed.
 *
 * @example A wildcard stands for one label
 * ```ts
 * import { HostnameError, verifyHostname } from "@nbio/net/tls/x509";
 * import { assertThrows } from "@std/assert";
 *
 * const certificate = { subjectAltName: [{ type: "dns", value: "*.example.com" }] } as const;
 * verifyHostname(certificate, "www.example.com");
 * assertThrows(() => verifyHostname(certificate, "a.b.example.com"), HostnameError);
 * assertThrows(() => verifyHostname(certificate, "example.com"), HostnameError);
 * ```
 */
export function verifyHostname(
  certificate: Pick<Certificate, "subjectAltName">,
  name: string | Uint8Array,
  options: VerifyHostnameOptions = {},
): void {
  const matches = matcherFor(name, options);
  const presented = certificate.subjectAltName ?? [];
  if (presented.some(matches)) return;
  const hostname = typeof name === "string" ? name : formatAddress(name);
  if (presented.length === 0) {
    throw new HostnameError(
      "ERR_X509_NO_NAMES",
      `Cannot verify ${JSON.stringify(hostname)}: the certificate has no subjectAltName`,
      { hostname },
    );
  }
  throw new HostnameError(
    "ERR_X509_NAME_MISMATCH",
    `Cannot verify ${
      JSON.stringify(hostname)
    }: none of the certificate's ${presented.length} names is it`,
    { hostname },
  );
}

type Matcher = (presented: GeneralName) => boolean;

function matcherFor(name: string | Uint8Array, options: VerifyHostnameOptions): Matcher {
  const { uri, srv } = options;
  if (uri !== undefined && !SCHEME.test(uri)) {
    throw new TypeError(`Cannot verify hostname: uri ${quote(uri)} is no scheme`);
  }
  if (srv !== undefined && !SERVICE.test(srv)) {
    throw new TypeError(`Cannot verify hostname: srv ${quote(srv)} is no service name`);
  }
  const address = addressOf(name);
  if (address !== undefined) {
    return (presented) => presented.type === "ip" && equalBytes(presented.value, address);
  }
  const host = dnsNameOf(name as string);
  return (presented) => {
    switch (presented.type) {
      case "dns":
        return matchesDns(presented.value, host);
      case "uri":
        return uri !== undefined && matchesUri(presented.value, toAsciiLowerCase(uri), host);
      case "other":
        return srv !== undefined && presented.oid === SRV_NAME_OID &&
          matchesSrv(presented.value, toAsciiLowerCase(srv.replace(/^_/, "")), host);
      default:
        return false;
    }
  };
}

/** The bytes where `name` is an address; `undefined` where it can only be a DNS name. */
function addressOf(name: string | Uint8Array): Uint8Array | undefined {
  if (typeof name === "string") {
    const address = parseIpAddress(name);
    // A zone means something on one machine only; no certificate has one.
    return address?.zone === undefined ? address?.bytes : undefined;
  }
  if (name.length === 4 || name.length === 16) return name;
  throw new TypeError(`Cannot verify hostname: an address has ${name.length} bytes, not 4 or 16`);
}

function dnsNameOf(name: string): string {
  if (!isDnsIdentifier(name, { allowTrailingDot: true })) {
    throw new TypeError(`Cannot verify hostname: ${quote(name)} is neither a name nor an address`);
  }
  return toAsciiLowerCase(name.endsWith(".") ? name.slice(0, -1) : name);
}

/** RFC 9525 section 6.3. */
function matchesDns(presented: string, host: string): boolean {
  if (!isDnsIdentifier(presented, { allowWildcard: true })) return false;
  const pattern = toAsciiLowerCase(presented);
  if (!pattern.startsWith("*.")) return pattern === host;
  // Without a dot it is the host itself, and what follows the wildcard has one.
  return host.slice(host.indexOf(".") + 1) === pattern.slice(2);
}

/** Scheme, host, and what may stand behind the host; a user in front of it is somebody else. */
const URI = /^([a-z][a-z0-9+.-]*):(?:\/\/)?([a-z0-9._-]+)(?::[0-9]*)?(?:[/?#;].*)?$/is;

/** RFC 9525 section 6.5.2. */
function matchesUri(presented: string, scheme: string, host: string): boolean {
  const parts = URI.exec(presented);
  // A scheme that wants an authority, without one: others read it as a path, not as a host.
  if (parts === null || !isWellFormedName({ type: "uri", value: presented })) return false;
  return toAsciiLowerCase(parts[1]!) === scheme &&
    isDnsIdentifier(parts[2]!) && toAsciiLowerCase(parts[2]!) === host;
}

/** RFC 9525 section 6.5.1; the name is an IA5String of at most 127 characters here. */
function matchesSrv(value: Uint8Array, service: string, host: string): boolean {
  if (value[0] !== IA5_STRING_TAG || value[1] !== value.length - 2 || value[1] >= 0x80) {
    return false;
  }
  const text = String.fromCharCode(...value.subarray(2));
  return toAsciiLowerCase(text) === `_${service}.${host}` && isDnsIdentifier(text);
}

function formatAddress(bytes: Uint8Array): string {
  const family = bytes.length === 4 ? 4 : 6;
  return formatIpAddress({ family, bytes: new Uint8Array(bytes), zone: undefined });
}

function quote(text: string): string {
  return JSON.stringify(String(text).slice(0, 32));
}
