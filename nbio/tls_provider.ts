/**
 * {@linkcode TlsProvider}: who secures a connection. Types only: `tls` implements
 * them, and whoever dials or listens takes one.
 *
 * @module
 */

import type { DeadlineWheel } from "./deadline_wheel.ts";
import type { Transport } from "./transport.ts";

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
   * Certificates to trust beside those of the system, in PEM; each string may
   * hold several.
   *
   * @default {[]}
   */
  readonly caCerts?: readonly string[];
}

/** How the server's side of a connection is secured. */
export interface TlsServerOptions extends TlsHandshakeOptions {
  /** Certificate chain in PEM, the server's own first. */
  readonly cert: string;

  /** Private key of the first certificate, in PEM. */
  readonly key: string;
}

/** What is known once a handshake is through. */
export interface TlsInfo {
  /** What both have agreed to speak inside; `undefined` if they did not talk about it. */
  readonly alpnProtocol: string | undefined;
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
