/**
 * {@linkcode nodeProvider}: TLS by `node:tls`, over any transport.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type { ConnectionOptions, TlsOptions, TLSSocket } from "node:tls";
import { systemClock } from "../nbio/clock.ts";
import { ConnectionClosedError } from "../nbio/errors.ts";
import { runOperation } from "../nbio/operation.ts";
import type {
  TlsClientOptions,
  TlsInfo,
  TlsProvider,
  TlsServerOptions,
  TlsTransport,
  TlsVersion,
} from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { type Certificate, parseCertificate, parseCertificates } from "./certificate.ts";
import { chooseCertificate, receiveClientHello, refuseClientHello } from "./client_greeting.ts";
import { TlsError } from "./errors.ts";
import { explainFailure } from "./handshake_error.ts";
import { type OwnCertificate, toPems } from "./own_certificate.ts";
import { checkPeer, verifyPeerChain } from "./peer_checks.ts";
import {
  resolveClientOptions,
  resolveServerOptions,
  type TlsClientSettings,
  type TlsServerSettings,
} from "./tls_options.ts";
import { type StreamEnd, tlsSocketTransport, watchEnd } from "./tls_socket_transport.ts";
import { transportDuplex } from "./transport_duplex.ts";

const NAME = "node";
/** More certificates than any chain has; a longer one is cut, and leads nowhere. */
const MAX_PEER_CHAIN = 32;

type NodeTls = typeof import("node:tls");

/**
 * TLS by `node:tls`: both sides, over any transport: a Unix socket, another TLS connection, a pipe
 * in memory.
 *
 * As client it shows the whole chain, takes a set of roots of its own, certificates of ours, and the
 * versions to speak. The runtime's own verification behind this interface is not strict, so it has no
 * say: the chain is read, verified and held against the name by this package (`verifyChain`), on the
 * bytes that came, before the first byte of the application. The system's roots are those that
 * `node:tls` has for this process. A certificate of ours is sent before the server was verified, as
 * in TLS 1.2 everywhere: to whom a name is a secret, connect elsewhere.
 *
 * As server it chooses certificates by name, asks clients for theirs, and verifies those the same way
 * on top of what the runtime does.
 *
 * Permission: none beyond that of the connection. `node:tls` is loaded at the first use.
 *
 * @example Both ends, in memory
 * ```ts
 * import { createDevelopmentCertificate, nodeProvider } from "@nbio/net/tls";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf, ca } = await createDevelopmentCertificate(["localhost"]);
 * const [near, far] = memoryPipe();
 * const [client, server] = await Promise.all([
 *   nodeProvider.client(near, {
 *     hostname: "localhost",
 *     caCerts: [ca.certificate.raw],
 *     exclusiveCas: true,
 *   }),
 *   nodeProvider.server(far, { cert: leaf.certificatePem, key: leaf.privateKeyPem }),
 * ]);
 * assertEquals([client.tlsInfo.version, server.tlsInfo.serverName], ["TLSv1.3", "localhost"]);
 * client.close();
 * server.close();
 * ```
 */
export const nodeProvider: TlsProvider = {
  name: NAME,
  capabilities: { client: true, server: true, anyTransport: true, peerCertificates: "chain" },

  async client(transport: Transport, options: TlsClientOptions): Promise<TlsTransport> {
    try {
      return await secureClient(transport, resolveClientOptions(NAME, options));
    } catch (error) {
      closeQuietly(transport);
      throw error;
    }
  },

  async server(transport: Transport, options: TlsServerOptions): Promise<TlsTransport> {
    try {
      return await secureServer(transport, resolveServerOptions(NAME, options));
    } catch (error) {
      closeQuietly(transport);
      throw error;
    }
  },
};

/** One handshake: what has to be closed when it is given up, and why it was. */
class Attempt {
  readonly #transport: Transport;
  readonly #cancelling = new AbortController();
  #streams: readonly Duplex[] = [];
  #isSettled = false;
  #leaving: unknown;
  readonly #failed = Promise.withResolvers<never>();

  constructor(transport: Transport) {
    this.#transport = transport;
    // Somebody may have gone on to something else by then.
    this.#failed.promise.catch(() => {});
  }

  /** Ends when it is given up. */
  get signal(): AbortSignal {
    return this.#cancelling.signal;
  }

  /** Rejects when it is given up, or one of its streams fails. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Has streams closed with the rest. Errors nobody listens for would end the process. */
  own(...streams: readonly Duplex[]): void {
    this.#streams = [...this.#streams, ...streams];
    for (const stream of streams) {
      stream.on("error", this.fail);
      stream.once("close", this.#leaveSoon);
    }
    if (this.signal.aborted) this.close();
  }

  readonly fail = (error: unknown): void => this.#failed.reject(error);

  /** The peer, or somebody else, has ended it. */
  readonly leave = (): void => {
    this.fail(new ConnectionClosedError("Cannot secure connection: it ended in the handshake"));
  };

  /** Why a stream is closed, an alert for one, may be told after it is. */
  readonly #leaveSoon = (): void => {
    if (!this.#isSettled) this.#leaving ??= systemClock.setTimer(this.leave, 0);
  };

  /** The handshake is over, well or not. */
  settle(): void {
    this.#isSettled = true;
    if (this.#leaving !== undefined) systemClock.clearTimer(this.#leaving);
  }

  close(): void {
    this.#cancelling.abort();
    this.leave();
    for (const stream of this.#streams.toReversed()) stream.destroy();
    closeQuietly(this.#transport);
  }
}

async function secureClient(
  transport: Transport,
  settings: TlsClientSettings,
): Promise<TlsTransport> {
  const attempt = new Attempt(transport);
  const action = `Cannot secure connection to ${settings.hostname}`;
  return await run(attempt, settings, action, async () => {
    const [tls, raw] = await Promise.all([import("node:tls"), transportDuplex(transport)]);
    attempt.own(raw);
    const socket = tls.connect(connectOptions(settings, raw));
    attempt.own(socket);
    const end = watchEnd(socket, raw);
    await Promise.race([eventOf(socket, "secureConnect"), attempt.failed]);
    const sent = readPeerChain(socket);
    if (sent.length === 0) throw new TlsError("ERR_TLS_CERTIFICATE", `${action}: it has none`);
    const chain = settings.skipVerification ? sent : await verifyPeerChain(sent, action, {
      roots: settings.exclusiveCas ? settings.caCerts : [...systemRoots(tls), ...settings.caCerts],
      signal: attempt.signal,
      ...!settings.skipHostname && { name: settings.hostname },
    });
    await checkPeer(chain, settings, attempt.signal);
    return tlsSocketTransport(socket, raw, end, transport, {
      ...commonInfo(socket),
      ...chainInfo(chain),
      serverName: settings.isAddress ? undefined : settings.hostname,
      verifiedBy: settings.skipVerification ? "nobody" : "nbio",
    });
  });
}

function connectOptions(
  settings: TlsClientSettings,
  socket: Duplex,
): ConnectionOptions {
  const { own, alpnProtocols, minVersion, maxVersion, isAddress, hostname } = settings;
  return {
    socket,
    minVersion,
    maxVersion,
    // RFC 6066 section 3: no addresses.
    servername: isAddress ? "" : hostname,
    ...alpnProtocols.length > 0 && { ALPNProtocols: [...alpnProtocols] },
    // The runtime still verifies that the peer has the key. The chain is ours to verify.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...own !== undefined && { cert: own.cert, key: own.key },
  };
}

/**
 * Secures a connection as its server.
 *
 * @param transport The connection; closed if it rejects.
 * @param settings How.
 * @param admit Called when the client has said what it wants, and before the dear part begins; what
 * it gives is disposed of at the end.
 * @returns The secured connection.
 * @throws {TlsError} If there is no handshake with this client.
 * @throws {Error} As `nodeProvider.server` does.
 */
export async function secureServer(
  transport: Transport,
  settings: TlsServerSettings,
  admit?: (signal: AbortSignal) => Promise<Disposable>,
): Promise<TlsTransport> {
  const attempt = new Attempt(transport);
  const action = "Cannot secure connection as server";
  return await run(attempt, settings, action, async () => {
    // Read here, because the runtime does not wait for a certificate that is chosen later.
    const greeting = await receiveClientHello(transport);
    await refuseClientHello(transport, greeting, settings);
    using _admission = await admit?.(attempt.signal);
    // Whoever chooses may take for ever, and knows of no deadline.
    const own = await Promise.race([
      chooseCertificate(transport, greeting.hello!, settings),
      attempt.failed,
    ]);
    const [tls, raw] = await Promise.all([
      import("node:tls"),
      transportDuplex(transport, greeting.bytes),
    ]);
    attempt.own(raw);
    const { socket, end } = await accept(tls, raw, own, settings, attempt);
    const chain = await verifyClient(socket, settings, action, attempt.signal);
    return tlsSocketTransport(socket, raw, end, transport, {
      ...commonInfo(socket),
      ...chainInfo(chain),
      serverName: greeting.hello!.serverName,
      verifiedBy: chain.length === 0 ? "nobody" : "nbio",
    });
  });
}

/** Runs a handshake under its deadline and signal; what fails is explained. */
async function run(
  attempt: Attempt,
  { bounds }: TlsClientSettings | TlsServerSettings,
  action: string,
  operate: () => Promise<TlsTransport>,
): Promise<TlsTransport> {
  try {
    return await runOperation(attempt, "tls", bounds, operate);
  } catch (error) {
    attempt.close();
    if (bounds.signal?.aborted === true && error === bounds.signal.reason) throw error;
    throw explainFailure(error, action, "handshake");
  } finally {
    attempt.settle();
  }
}

/**
 * A handshake of the runtime. It has a server of its own, which listens on nothing and costs a third
 * of a millisecond: a shared one would not tell which of its connections has failed, and a bare
 * `TLSSocket` does not enforce that a client shows a certificate.
 */
async function accept(
  tls: NodeTls,
  raw: Duplex,
  own: OwnCertificate,
  settings: TlsServerSettings,
  attempt: Attempt,
): Promise<{ readonly socket: TLSSocket; readonly end: StreamEnd }> {
  const server = tls.createServer(serverOptions(own, settings));
  const secured = Promise.withResolvers<TLSSocket>();
  server.once("secureConnection", secured.resolve);
  server.once("tlsClientError", (error, { authorizationError }) => {
    // The runtime hangs up on whom it does not trust, and calls it a reset.
    attempt.fail(authorizationError ? untrustedError(error, String(authorizationError)) : error);
  });
  // The runtime's server waits for ever for a client that has left. What it was sent has been seen
  // by then: if that was all of a handshake, it is through in this very turn.
  let timer: unknown;
  const onEnd = (): void => void (timer = systemClock.setTimer(attempt.leave, 0));
  raw.once("end", onEnd);
  try {
    server.emit("connection", raw);
    const socket = await Promise.race([secured.promise, attempt.failed]);
    attempt.own(socket);
    return { socket, end: watchEnd(socket, raw) };
  } finally {
    raw.off("end", onEnd);
    if (timer !== undefined) systemClock.clearTimer(timer);
  }
}

function untrustedError(cause: unknown, reason: string): TlsError {
  const message = "Cannot secure connection as server: the client's certificate is not accepted";
  return new TlsError("ERR_TLS_CERTIFICATE", message, { cause, phase: "verify", reason });
}

function serverOptions(
  own: OwnCertificate,
  settings: TlsServerSettings,
): TlsOptions {
  const { alpnProtocols, minVersion, maxVersion, clientCertificates, clientCaCerts } = settings;
  return {
    cert: own.cert,
    key: own.key,
    minVersion,
    maxVersion,
    ...alpnProtocols.length > 0 && { ALPNProtocols: [...alpnProtocols] },
    requestCert: clientCertificates !== "none",
    // Where none is needed, we refuse what is shown and not good.
    rejectUnauthorized: clientCertificates === "required",
    ...clientCaCerts.length > 0 && { ca: toPems(clientCaCerts) },
  };
}

/** What a client has shown, verified; nothing where it has not and need not. */
async function verifyClient(
  socket: TLSSocket,
  { clientCertificates, clientCaCerts }: TlsServerSettings,
  action: string,
  signal: AbortSignal,
): Promise<readonly Certificate[]> {
  if (clientCertificates === "none") return [];
  const sent = readPeerChain(socket);
  if (sent.length > 0) {
    const options = { roots: clientCaCerts, purpose: "clientAuth", signal } as const;
    return await verifyPeerChain(sent, action, options);
  }
  if (clientCertificates === "optional") return [];
  throw new TlsError("ERR_TLS_CERTIFICATE", `${action}: the client has shown no certificate`, {
    phase: "verify",
  });
}

/** A certificate as `node:tls` shows it: only its bytes are looked at. */
interface ShownCertificate {
  readonly raw?: Uint8Array;
  readonly issuerCertificate?: ShownCertificate;
}

/** What the peer has sent, its own certificate first. The last one may point to itself. */
function readPeerChain(socket: TLSSocket): readonly Certificate[] {
  const chain: Certificate[] = [];
  const seen = new Set<ShownCertificate>();
  let shown: ShownCertificate | undefined = socket.getPeerCertificate(true);
  while (shown?.raw !== undefined && !seen.has(shown) && seen.size < MAX_PEER_CHAIN) {
    seen.add(shown);
    try {
      chain.push(parseCertificate(shown.raw));
    } catch (cause) {
      const message = "Cannot verify peer: a certificate cannot be read";
      throw new TlsError("ERR_TLS_CERTIFICATE", message, { cause, phase: "verify" });
    }
    shown = shown.issuerCertificate;
  }
  return chain;
}

let knownRoots: readonly Certificate[] | undefined;

/** The roots of the runtime, read at the first use. What our parser refuses is nobody's root. */
function systemRoots(tls: NodeTls): readonly Certificate[] {
  return knownRoots ??= tls.getCACertificates("default").flatMap((pem) => {
    try {
      return parseCertificates(pem);
    } catch {
      return [];
    }
  });
}

function commonInfo(socket: TLSSocket): TlsInfo {
  return {
    alpnProtocol: socket.alpnProtocol || undefined,
    version: (socket.getProtocol() ?? undefined) as TlsVersion | undefined,
    cipher: socket.getCipher()?.standardName,
    resumed: socket.isSessionReused(),
  };
}

function chainInfo(chain: readonly Certificate[]): Partial<TlsInfo> {
  if (chain.length === 0) return {};
  return { peerCertificate: chain[0]!.raw, peerChain: chain.map(({ raw }) => raw) };
}

function eventOf(socket: TLSSocket, name: string): Promise<void> {
  return new Promise((resolve) => socket.once(name, resolve));
}
