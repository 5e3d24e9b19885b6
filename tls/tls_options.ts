/**
 * Options of both sides, checked: what every provider does before the first byte.
 *
 * @module
 */

import { decodeBase64 } from "@std/encoding/base64";
import { parseIpAddress } from "../nbio/ip_address.ts";
import type { OperationOptions } from "../nbio/operation.ts";
import type {
  TlsCertificateSource,
  TlsClientOptions,
  TlsHandshakeOptions,
  TlsPeer,
  TlsPins,
  TlsServerOptions,
  TlsVersion,
} from "../nbio/tls_provider.ts";
import type { Certificate } from "./certificate.ts";
import { isDnsIdentifier } from "./dns_identifier.ts";
import { TlsUnsupportedError } from "./errors.ts";
import { checkOwnCertificate, type OwnCertificate, readCertificates } from "./own_certificate.ts";

/** What both sides have, complete. */
export interface TlsSettings {
  /** Protocols that may be spoken inside. */
  readonly alpnProtocols: readonly string[];
  /** Oldest version. */
  readonly minVersion: TlsVersion;
  /** Newest version. */
  readonly maxVersion: TlsVersion;
  /** Deadline and signal of the handshake. */
  readonly bounds: OperationOptions;
}

/** {@linkcode TlsPins}, checked and complete. */
export interface TlsPinSettings extends Required<Omit<TlsPins, "onReport">> {
  /** Who is told. */
  readonly onReport: TlsPins["onReport"] | undefined;
}

/** {@linkcode TlsClientOptions}, checked and complete. */
export interface TlsClientSettings extends TlsSettings {
  /** Who the server has to be. */
  readonly hostname: string;
  /** Whether that is an address, of which nothing is sent (RFC 6066 section 3). */
  readonly isAddress: boolean;
  /** What is trusted beside, or instead of, the system's. */
  readonly caCerts: readonly Certificate[];
  /** Whether it is instead. */
  readonly exclusiveCas: boolean;
  /** Our own certificate. */
  readonly own: OwnCertificate | undefined;
  /** Pinned keys. */
  readonly pins: TlsPinSettings | undefined;
  /** The hook. */
  readonly verifyPeer: ((peer: TlsPeer) => void | Promise<void>) | undefined;
  /** Whether the chain has to be known. */
  readonly peerChain: boolean;
  /** Whether any name will do. */
  readonly skipHostname: boolean;
  /** Whether any certificate will do. */
  readonly skipVerification: boolean;
}

/** {@linkcode TlsServerOptions}, checked and complete. */
export interface TlsServerSettings extends TlsSettings {
  /** The one certificate; `undefined` where `certificates` chooses. */
  readonly own: OwnCertificate | undefined;
  /** Who chooses the certificate. */
  readonly certificates: TlsCertificateSource | undefined;
  /** Whether clients are asked for one. */
  readonly clientCertificates: "none" | "optional" | "required";
  /** Who may sign those. */
  readonly clientCaCerts: readonly Certificate[];
}

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;
/** RFC 7301 section 3.1: a length of one byte, and never 0. */
const MAX_ALPN_BYTES = 255;
/** The whole list has to fit its own length, and a ClientHello one record. */
const MAX_ALPN_PROTOCOLS = 32;
const MAX_PINS = 100;
const SHA256_BYTES = 32;
const VERSIONS: readonly TlsVersion[] = ["TLSv1.2", "TLSv1.3"];
const CLIENT_CERTIFICATES = ["none", "optional", "required"] as const;

const HANDSHAKE_NAMES: Readonly<Record<keyof TlsHandshakeOptions, true>> = {
  alpnProtocols: true,
  handshakeTimeoutMs: true,
  minVersion: true,
  maxVersion: true,
  signal: true,
  wheel: true,
};

/** Everything that is honoured; what is not in here is refused, not dropped. */
const CLIENT_NAMES: Readonly<Record<keyof TlsClientOptions, true>> = {
  ...HANDSHAKE_NAMES,
  hostname: true,
  caCerts: true,
  exclusiveCas: true,
  cert: true,
  key: true,
  pins: true,
  verifyPeer: true,
  peerChain: true,
  dangerous: true,
};

const SERVER_NAMES: Readonly<Record<keyof TlsServerOptions, true>> = {
  ...HANDSHAKE_NAMES,
  cert: true,
  key: true,
  certificates: true,
  clientCertificates: true,
  clientCaCerts: true,
};

const DANGEROUS_NAMES = { skipHostname: true, skipVerification: true } as const;
const PIN_NAMES: Readonly<Record<keyof TlsPins, true>> = {
  keys: true,
  backupKeys: true,
  match: true,
  enforce: true,
  onReport: true,
};

/** Options that Node has, or other libraries, and that no provider here can honour; and why. */
const HINTS: Readonly<Record<string, string>> = {
  ca: 'use "caCerts", with "exclusiveCas" to trust nothing else',
  crl: "the runtime ignores it",
  ciphers: "the runtime ignores it; its own are all strong",
  sigalgs: "the runtime ignores it",
  ecdhCurve: "the runtime ignores it",
  passphrase: "keys have to be decrypted before",
  pfx: 'use "cert" and "key"',
  rejectUnauthorized: 'use "dangerous", or "clientCertificates" of a server',
  requestCert: 'use "clientCertificates"',
  servername: 'use "hostname"',
  unsafelyDisableHostnameVerification: 'use "dangerous"',
};

/**
 * Checks the options of a client and fills in the defaults.
 *
 * @param provider Who is asked, for errors.
 * @param options What the caller gave.
 * @returns The complete options.
 * @throws {TlsUnsupportedError} If an option is not known.
 * @throws {TypeError} If an option cannot be read.
 * @throws {RangeError} If an option is out of its range, or the certificate is not ours, not valid
 * now or not for clients.
 */
export function resolveClientOptions(
  provider: string,
  options: TlsClientOptions,
): TlsClientSettings {
  checkNames(provider, options, CLIENT_NAMES);
  const { hostname, caCerts = [], exclusiveCas = false, verifyPeer, dangerous = {} } = options;
  checkNames(provider, dangerous, DANGEROUS_NAMES, "dangerous.");
  const { skipHostname = false, skipVerification = false } = dangerous;
  const isAddress = checkHostname(hostname);
  if (exclusiveCas && caCerts.length === 0) {
    throw new RangeError("Cannot use exclusiveCas: caCerts is empty, nobody would be trusted");
  }
  if (verifyPeer !== undefined && typeof verifyPeer !== "function") {
    throw new TypeError("Cannot use verifyPeer: it is no function");
  }
  return {
    ...resolveHandshake(options),
    hostname,
    isAddress,
    caCerts: readCertificates("caCerts", caCerts),
    exclusiveCas,
    own: resolveOwn(options, "client"),
    pins: options.pins === undefined ? undefined : resolvePins(provider, options.pins),
    verifyPeer,
    peerChain: options.peerChain ?? false,
    skipHostname: skipHostname || skipVerification,
    skipVerification,
  };
}

/**
 * Checks the options of a server and fills in the defaults.
 *
 * @param provider Who is asked, for errors.
 * @param options What the caller gave.
 * @returns The complete options.
 * @throws {TlsUnsupportedError} If an option is not known.
 * @throws {TypeError} If an option cannot be read, or there is no certificate, or two ways to one.
 * @throws {RangeError} If an option is out of its range, or the certificate is not ours, not valid
 * now or not for servers.
 */
export function resolveServerOptions(
  provider: string,
  options: TlsServerOptions,
): TlsServerSettings {
  checkNames(provider, options, SERVER_NAMES);
  const { certificates, clientCertificates = "none", clientCaCerts = [] } = options;
  const own = resolveOwn(options, "server");
  if ((own === undefined) === (certificates === undefined)) {
    throw new TypeError("Cannot secure connection: give cert and key, or certificates");
  }
  checkChoice("clientCertificates", clientCertificates, CLIENT_CERTIFICATES);
  if ((clientCertificates === "none") !== (clientCaCerts.length === 0)) {
    throw new TypeError(
      "Cannot secure connection: clientCertificates and clientCaCerts need each other",
    );
  }
  return {
    ...resolveHandshake(options),
    own,
    certificates,
    clientCertificates,
    clientCaCerts: readCertificates("clientCaCerts", clientCaCerts),
  };
}

function resolveHandshake(options: TlsHandshakeOptions): TlsSettings {
  const { alpnProtocols = [], minVersion = "TLSv1.2", maxVersion = "TLSv1.3" } = options;
  const { signal, wheel, handshakeTimeoutMs = DEFAULT_HANDSHAKE_TIMEOUT_MS } = options;
  if (alpnProtocols.length > MAX_ALPN_PROTOCOLS) {
    throw new RangeError(
      `Cannot use alpnProtocols: ${alpnProtocols.length} names, expected at most ${MAX_ALPN_PROTOCOLS}`,
    );
  }
  for (const protocol of alpnProtocols) checkAlpnProtocol(protocol);
  checkChoice("minVersion", minVersion, VERSIONS);
  checkChoice("maxVersion", maxVersion, VERSIONS);
  if (minVersion > maxVersion) {
    throw new RangeError(`Cannot use minVersion: ${minVersion} is above ${maxVersion}`);
  }
  if (!(handshakeTimeoutMs >= 0)) {
    throw new RangeError(
      `Cannot use handshakeTimeoutMs: it is ${handshakeTimeoutMs}, expected a number of at least 0`,
    );
  }
  const bounds = {
    timeoutMs: handshakeTimeoutMs,
    ...signal !== undefined && { signal },
    ...wheel !== undefined && { wheel },
  };
  return { alpnProtocols: [...alpnProtocols], minVersion, maxVersion, bounds };
}

function resolveOwn(
  { cert, key }: { readonly cert?: string; readonly key?: string },
  role: "server" | "client",
): OwnCertificate | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new TypeError("Cannot secure connection: cert and key need each other");
  }
  return checkOwnCertificate({ cert, key }, role);
}

function resolvePins(provider: string, pins: TlsPins): TlsPinSettings {
  checkNames(provider, pins, PIN_NAMES, "pins.");
  const { keys, backupKeys = [], match = "leaf", enforce = true, onReport } = pins;
  for (const [name, list] of [["keys", keys], ["backupKeys", backupKeys]] as const) {
    const isList = Array.isArray(list) && list.length <= MAX_PINS;
    if (!isList || (name === "keys" && list.length === 0)) {
      throw new RangeError(`Cannot use pins.${name}: expected at most ${MAX_PINS} pins`);
    }
    for (const pin of list) checkPin(pin);
  }
  checkChoice("pins.match", match, ["leaf", "chain"]);
  return { keys: [...keys], backupKeys: [...backupKeys], match, enforce, onReport };
}

function checkPin(pin: string): void {
  try {
    if (typeof pin === "string" && decodeBase64(pin).length === SHA256_BYTES) return;
  } catch {
    // No base64: said below.
  }
  const shown = JSON.stringify(String(pin).slice(0, 32));
  throw new RangeError(`Cannot use pins: ${shown} is not a SHA-256 in base64`);
}

function checkNames(
  provider: string,
  options: object,
  known: Readonly<Record<string, true>>,
  prefix = "",
): void {
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(known, name) || value === undefined) continue;
    const hint = Object.hasOwn(HINTS, name) ? `: ${HINTS[name]}` : "";
    throw new TlsUnsupportedError(
      "ERR_TLS_UNSUPPORTED_OPTION",
      `Cannot secure connection: provider "${provider}" has no option ${
        JSON.stringify(prefix + name.slice(0, 32))
      }${hint}`,
      { provider, option: prefix + name },
    );
  }
}

/** Whether it is an address. */
function checkHostname(hostname: string): boolean {
  // The runtime would take an empty name for 127.0.0.1.
  if (typeof hostname !== "string" || hostname === "") {
    throw new TypeError("Cannot secure connection: hostname is empty, expected a name or address");
  }
  if (parseIpAddress(hostname) !== undefined) return true;
  if (isDnsIdentifier(hostname)) return false;
  const shown = JSON.stringify(hostname.slice(0, 32));
  throw new TypeError(`Cannot secure connection: hostname ${shown} is no name and no address`);
}

function checkChoice<T extends string>(name: string, value: T, choices: readonly T[]): void {
  if (choices.includes(value)) return;
  const shown = JSON.stringify(String(value).slice(0, 32));
  throw new RangeError(`Cannot use ${name}: ${shown} is not one of ${choices.join(", ")}`);
}

function checkAlpnProtocol(protocol: string): void {
  const length = typeof protocol === "string" ? new TextEncoder().encode(protocol).length : 0;
  if (length >= 1 && length <= MAX_ALPN_BYTES) return;
  throw new RangeError(
    `Cannot use alpnProtocols: a name has ${length} bytes, expected 1 to ${MAX_ALPN_BYTES}`,
  );
}
