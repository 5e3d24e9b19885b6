/**
 * {@linkcode TlsProvider}: who secures a connection. Types only: `tls` implements
 * them, and whoever dials or listens takes one.
 *
 * @module
 */

import type { DeadlineWheel } from "./deadline_wheel.ts";
import type { Transport } from "./transport.ts";

/** Versions of the protocol; what is older is not spoken. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** What both sides of a handshake can be told. */
export interface TlsHandshakeOptions {
  /**
   * Protocols that may be spoken inside, the preferred one first (ALPN, RFC
   * 7301). None says nothing about it.
   *
   * @default {[]}
   */
  readonly alpnProtocols?: readonly string[];

  /**
   * Most milliseconds the handshake takes, give or take the precision of
   * `wheel`. 0 and `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly handshakeTimeoutMs?: number;

  /**
   * Oldest version that is spoken.
   *
   * @default {"TLSv1.2"}
   */
  readonly minVersion?: TlsVersion;

  /**
   * Newest version that is spoken.
   *
   * @default {"TLSv1.3"}
   */
  readonly maxVersion?: TlsVersion;

  /**
   * Cancels the handshake, which rejects with the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;

  /**
   * Where the deadline waits.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
}

/** How the client's side of a connection is secured. */
export interface TlsClientOptions extends TlsHandshakeOptions {
  /**
   * Who the server has to be: a name in ASCII, without the dot at its end, or an
   * IP address without brackets. Its certificate is held against it, and a name
   * is sent to it (SNI). The one option without a default: what is verified
   * against a guess is not verified.
   */
  readonly hostname: string;

  /**
   * Certificates to trust beside those of the system, each one in DER or a text in
   * PEM that may hold several.
   *
   * @default {[]}
   */
  readonly caCerts?: readonly (string | Uint8Array)[];

  /**
   * Whether `caCerts` are trusted alone, without those of the system.
   *
   * @default {false}
   */
  readonly exclusiveCas?: boolean;

  /**
   * Our own certificate chain in PEM, for a server that asks for one; with `key`.
   *
   * @default {undefined}
   */
  readonly cert?: string;

  /**
   * Private key of the first certificate of `cert`, in PEM and not encrypted.
   *
   * @default {undefined}
   */
  readonly key?: string;

  /**
   * Keys of which the server, or its chain, has to have one.
   *
   * @default {undefined}
   */
  readonly pins?: TlsPins;

  /**
   * Looks at a server whose certificate was accepted, and refuses it by throwing
   * or rejecting. It runs before the first byte of the application, in the time of
   * the handshake, and can only refuse more.
   *
   * @default {undefined}
   */
  readonly verifyPeer?: (peer: TlsPeer) => void | Promise<void>;

  /**
   * Whether the whole chain has to be told, to `verifyPeer` and afterwards.
   *
   * @default {false} (what the provider knows)
   */
  readonly peerChain?: boolean;

  /**
   * Switches that open what is closed, for tests and repairs.
   *
   * @default {{}}
   */
  readonly dangerous?: TlsDangerousClientOptions;
}

/** What a client may do without, at its own risk. */
export interface TlsDangerousClientOptions {
  /**
   * Takes a certificate that names somebody else. Who has any certificate of a
   * trusted CA can stand in for the server.
   *
   * @default {false}
   */
  readonly skipHostname?: boolean;

  /**
   * Takes any certificate at all. Anybody can stand in for the server; pins and
   * `verifyPeer` still hold.
   *
   * @default {false}
   */
  readonly skipVerification?: boolean;
}

/** Keys of which a server has to show one (RFC 7469, given by hand). */
export interface TlsPins {
  /** SHA-256 of keys (SPKI) in base64, 1 to 100, as `publicKeyPin` of `tls` makes them. */
  readonly keys: readonly string[];

  /**
   * Pins of keys that are kept for the day on which those in `keys` are lost. They
   * are as good, and `onReport` is told when one is used.
   *
   * @default {[]}
   */
  readonly backupKeys?: readonly string[];

  /**
   * Whose key it is: that of the server's own certificate, or of any in the chain
   * that was verified, CAs included.
   *
   * @default {"leaf"}
   */
  readonly match?: "leaf" | "chain";

  /**
   * Whether a server without such a key is refused, or only reported.
   *
   * @default {true}
   */
  readonly enforce?: boolean;

  /**
   * Is told of a server without such a key, and of one with a backup key. Must not
   * throw.
   *
   * @default {undefined}
   */
  readonly onReport?: (report: TlsPinReport) => void;
}

/** What was found where a key was pinned. */
export interface TlsPinReport {
  /** Whether no key was the pinned one, or a backup was. */
  readonly type: "mismatch" | "backup";
  /** Who the server has to be. */
  readonly hostname: string;
  /** Pins of the keys that were held against the pinned ones. */
  readonly found: readonly string[];
}

/** A server, as `verifyPeer` is shown it. */
export interface TlsPeer {
  /** Who it has to be. */
  readonly hostname: string;
  /** Its certificate in DER. */
  readonly certificate: Uint8Array<ArrayBuffer>;
  /** The chain in DER, its own certificate first; that one alone where no more is known. */
  readonly chain: readonly Uint8Array<ArrayBuffer>[];
  /** Ends when there is no time left. */
  readonly signal: AbortSignal;
}

/** A certificate and its key, as a server shows them. */
export interface TlsServerCertificate {
  /** Certificate chain in PEM, the server's own first. */
  readonly cert: string;
  /** Private key of the first certificate, in PEM and not encrypted. */
  readonly key: string;
}

/** Chooses the certificate of a server by the name that a client asks for. */
export interface TlsCertificateSource {
  /**
   * Chooses one.
   *
   * @param serverName The name in lower case; `undefined` where the client sends none.
   * @returns The certificate; `undefined` refuses the client (RFC 6066 section 3).
   */
  select(
    serverName: string | undefined,
  ): TlsServerCertificate | undefined | Promise<TlsServerCertificate | undefined>;
}

/** How the server's side of a connection is secured. */
export interface TlsServerOptions extends TlsHandshakeOptions {
  /**
   * Certificate chain in PEM, the server's own first; with `key`.
   *
   * @default {undefined} (`certificates` has them)
   */
  readonly cert?: string;

  /**
   * Private key of the first certificate, in PEM and not encrypted.
   *
   * @default {undefined}
   */
  readonly key?: string;

  /**
   * Several certificates, by the name that the client asks for; not together with
   * `cert`.
   *
   * @default {undefined}
   */
  readonly certificates?: TlsCertificateSource;

  /**
   * Whether clients are asked for a certificate. `"optional"` lets those in that
   * have none; one that is not good is refused all the same.
   *
   * @default {"none"}
   */
  readonly clientCertificates?: "none" | "optional" | "required";

  /**
   * Who may sign certificates of clients: each one in DER or a text in PEM. Nobody
   * else may, and without `clientCertificates` they are of no use and refused.
   *
   * @default {[]}
   */
  readonly clientCaCerts?: readonly (string | Uint8Array)[];
}

/** What is known once a handshake is through. Where a provider cannot know, it is `undefined`. */
export interface TlsInfo {
  /** What both have agreed to speak inside; `undefined` if they did not talk about it. */
  readonly alpnProtocol: string | undefined;
  /** Version of the protocol. */
  readonly version?: TlsVersion | undefined;
  /** Cipher suite by its name of the IANA or of OpenSSL. */
  readonly cipher?: string | undefined;
  /** The name that the client has asked for (SNI). */
  readonly serverName?: string | undefined;
  /** Certificate of the peer in DER. */
  readonly peerCertificate?: Uint8Array<ArrayBuffer> | undefined;
  /**
   * Chain of the peer in DER, its own certificate first, up to the root: as it was
   * verified, or as it was sent where nobody has verified it.
   */
  readonly peerChain?: readonly Uint8Array<ArrayBuffer>[] | undefined;
  /** Whether an earlier session went on. */
  readonly resumed?: boolean | undefined;
  /**
   * Who has verified the certificate of the peer: the runtime, this package, or
   * nobody, because there is none or `dangerous` says so.
   */
  readonly verifiedBy?: "runtime" | "nbio" | "nobody" | undefined;
}

/**
 * A secured transport. Bytes go in and come out in the clear; the end of the
 * stream is only an end if the peer has said so under protection.
 */
export interface TlsTransport extends Transport {
  /** What the handshake has brought to light. */
  readonly tlsInfo: TlsInfo;
}

/**
 * What a provider can do. Whoever chooses one asks before connecting; a call that
 * asks for more is refused all the same.
 */
export interface TlsCapabilities {
  /** Whether {@linkcode TlsProvider.client} is there. */
  readonly client: boolean;

  /** Whether {@linkcode TlsProvider.server} is there. */
  readonly server: boolean;

  /**
   * Whether any transport can be secured, such as a Unix socket, another TLS
   * connection or one in memory. If not, only a TCP connection of the runtime, as
   * `dial` and `listen` make them.
   */
  readonly anyTransport: boolean;

  /**
   * How much of the peer's certificates it can tell.
   *
   * @default {"none"}
   */
  readonly peerCertificates?: "none" | "leaf" | "chain";
}

/**
 * Secures transports. What a provider cannot honour it refuses: an option that
 * was dropped in silence would be a lock that does not lock.
 *
 * @example One for tests that secures nothing
 * ```ts
 * import type { TlsProvider } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const inTheClear: TlsProvider = {
 *   name: "in the clear",
 *   capabilities: { client: true, server: false, anyTransport: true },
 *   client: (transport, { alpnProtocols = [] }) =>
 *     Promise.resolve(Object.assign(transport, { tlsInfo: { alpnProtocol: alpnProtocols[0] } })),
 *   server: () => Promise.reject(new TypeError("Cannot secure: the client's side only")),
 * };
 *
 * const [near] = memoryPipe();
 * const options = { hostname: "example.com", alpnProtocols: ["http/1.1"] };
 * assertEquals((await inTheClear.client(near, options)).tlsInfo.alpnProtocol, "http/1.1");
 * ```
 */
export interface TlsProvider {
  /** What errors call it. */
  readonly name: string;

  /** What it can do. */
  readonly capabilities: TlsCapabilities;

  /**
   * Secures a connection as its client, and verifies who the server is.
   *
   * @param transport The connection, with no read or write waiting. It belongs to
   * the provider from here on: use what comes back, and nothing else. If it
   * rejects, the connection is closed.
   * @param options Who the server has to be, and the rest.
   * @returns The secured connection, its handshake complete.
   * @throws {TimeoutError} If the handshake takes too long; its phase is `"tls"`.
   * @throws {ConnectionClosedError} If the server leaves during it.
   * @throws {NetError} If the server is not who it has to be, the handshake fails,
   * or the provider cannot do what is asked for: its own classes, with a `code`.
   * @throws {TypeError} If an option cannot be read.
   * @throws {RangeError} If a duration is negative or not a number.
   * @throws {Error} The signal's reason.
   */
  client(transport: Transport, options: TlsClientOptions): Promise<TlsTransport>;

  /**
   * Secures a connection as its server.
   *
   * @param transport The connection, with no read or write waiting; it belongs to
   * the provider from here on, as with {@linkcode TlsProvider.client}.
   * @param options Certificate, key and the rest.
   * @returns The secured connection, its handshake complete.
   * @throws {Error} As {@linkcode TlsProvider.client} does.
   */
  server(transport: Transport, options: TlsServerOptions): Promise<TlsTransport>;
}
