/**
 * {@linkcode denoProvider}: TLS by the runtime's own calls.
 *
 * @module
 */

import type { AcceptSource } from "../nbio/accept_source.ts";
import type { ListenAddress } from "../nbio/listen_address.ts";
import { runOperation } from "../nbio/operation.ts";
import type { TlsClientOptions, TlsInfo, TlsProvider, TlsTransport } from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import type { Certificate } from "./certificate.ts";
import { TlsUnsupportedError } from "./errors.ts";
import { explainFailure, explainFirstRead } from "./handshake_error.ts";
import { toPems } from "./own_certificate.ts";
import { checkPeer, hasPeerChecks, verifyPeerLeaf } from "./peer_checks.ts";
import {
  resolveClientOptions,
  type TlsClientSettings,
  type TlsServerSettings,
} from "./tls_options.ts";

const NAME = "deno";
/** Who can do what this one cannot. */
const ALTERNATIVE = "node";

/**
 * TLS by `Deno.startTls`: the client's side, over TCP connections of the runtime.
 *
 * Certificates are verified by the runtime, against the roots it trusts and those
 * given in addition. Where it shows the server's own, that one is held against the
 * rules and the name once more, on its bytes and more strictly. There is no server's side: the runtime secures accepted
 * connections only inside `Deno.listenTls`, which leaves Nagle's algorithm on,
 * without a way to switch it off. And it secures nothing but its own TCP
 * connections: no Unix socket, no TLS in TLS, nothing that stands in front of one.
 *
 * Of the server it knows the protocol that was agreed on and, where the runtime
 * shows it, the certificate, so that the key of that one can be pinned. Whatever
 * needs the chain, another set of roots or a certificate of our own is refused; the
 * `node` provider can do it.
 *
 * Permission: none beyond that of the connection.
 *
 * @example Securing a connection
 * ```ts ignore
 * import { dial } from "@nbio/net/nbio";
 * import { denoProvider } from "@nbio/net/tls";
 *
 * const transport = await denoProvider.client(
 *   await dial({ hostname: "example.com", port: 443 }),
 *   { hostname: "example.com", alpnProtocols: ["http/1.1"] },
 * );
 * console.log(transport.tlsInfo.alpnProtocol);
 * transport.close();
 * ```
 */
export const denoProvider: TlsProvider = {
  name: NAME,
  capabilities: { client: true, server: false, anyTransport: false, peerCertificates: "leaf" },

  async client(transport: Transport, options: TlsClientOptions): Promise<TlsTransport> {
    try {
      checkReach(options);
      const settings = resolveClientOptions(NAME, options);
      checkTransport(transport);
      return await secure(transport, settings);
    } catch (error) {
      closeQuietly(transport);
      throw error;
    }
  },

  // deno-lint-ignore require-await
  async server(transport: Transport): Promise<TlsTransport> {
    closeQuietly(transport);
    throw new TlsUnsupportedError(
      "ERR_TLS_UNSUPPORTED_ROLE",
      `Cannot secure connection as server: provider "${NAME}" has the client's side only, because the runtime gives no way to secure a connection that was accepted already; use provider "${ALTERNATIVE}"`,
      { provider: NAME, alternative: ALTERNATIVE },
    );
  },
};

async function secure(
  transport: Deno.TcpConn,
  settings: TlsClientSettings,
): Promise<TlsTransport> {
  const { hostname, bounds } = settings;
  // The runtime takes the connection away from the object it was in: what has
  // to be closed changes on the way.
  let current: { close(): void } = transport;
  const cancelling = new AbortController();
  const closer = {
    close(): void {
      cancelling.abort();
      current.close();
    },
  };
  try {
    return await runOperation(closer, "tls", bounds, async () => {
      const connection = await Deno.startTls(transport, startOptions(settings));
      current = connection;
      // Cancelled while it was in neither object: then it is closed here, and
      // the handshake fails at once.
      if (cancelling.signal.aborted) connection.close();
      // Nothing has been sent yet: the runtime would wait for the first read or write.
      const { alpnProtocol } = await connection.handshake();
      const leaf = leafOf(connection);
      // The runtime has verified the chain; of the leaf it lets more pass than the rules allow.
      const certificate = leaf === undefined ? undefined : verifyPeerLeaf(leaf, settings);
      if (hasPeerChecks(settings)) {
        await checkPeer([requireLeaf(certificate)], settings, cancelling.signal);
      }
      // No wrapper: it would stand between every read and its socket.
      const tlsInfo = infoOf(alpnProtocol, leaf);
      return explainFirstRead(Object.assign(connection, { tlsInfo }));
    });
  } catch (error) {
    if (isReason(bounds.signal, error)) throw error;
    throw explainFailure(error, `Cannot secure connection to ${hostname}`, "handshake");
  }
}

/** A listening socket whose connections the runtime secures, each at its first read or write. */
export interface DenoTlsSource extends AcceptSource {
  accept(): Promise<Deno.TlsConn>;
}

/**
 * Listens by `Deno.listenTls`.
 *
 * @param address Where: TCP only.
 * @param settings One certificate and protocols; more cannot be honoured.
 * @returns The listening socket.
 * @throws {TlsUnsupportedError} If it cannot do what is asked for.
 * @throws {Deno.errors.AddrInUse} If the address is taken.
 */
export function listenDeno(address: ListenAddress, settings: TlsServerSettings): DenoTlsSource {
  const { own, certificates, clientCertificates, minVersion, maxVersion, alpnProtocols } = settings;
  const beyond: readonly (readonly [name: string, isBeyond: boolean])[] = [
    ["path", address.path !== undefined],
    ["certificates", certificates !== undefined],
    ["clientCertificates", clientCertificates !== "none"],
    ["minVersion", minVersion !== "TLSv1.2"],
    ["maxVersion", maxVersion !== "TLSv1.3"],
  ];
  refuseBeyond(beyond.find(([, isBeyond]) => isBeyond)?.[0]);
  const { hostname = "0.0.0.0", port = 0, reusePort = false } = address;
  const { cert, key } = own!;
  const options = { hostname, port, reusePort, cert, key, alpnProtocols: [...alpnProtocols] };
  return Deno.listenTls(options);
}

/**
 * Shakes hands on a connection of {@linkcode listenDeno}, which the runtime would do at some time.
 *
 * @param connection The connection; closed if it rejects.
 * @param settings Deadline and signal.
 * @returns The same connection.
 * @throws {TlsError} If there is no handshake with this client.
 * @throws {TimeoutError} If it takes too long.
 * @throws {Error} The signal's reason.
 */
export async function finishDeno(
  connection: Deno.TlsConn,
  { bounds }: TlsServerSettings,
): Promise<TlsTransport> {
  try {
    const { alpnProtocol } = await runOperation(
      connection,
      "tls",
      bounds,
      () => connection.handshake(),
    );
    const tlsInfo = { alpnProtocol: alpnProtocol ?? undefined, verifiedBy: "nobody" } as const;
    return Object.assign(connection, { tlsInfo });
  } catch (error) {
    if (isReason(bounds.signal, error)) throw error;
    throw explainFailure(error, "Cannot secure connection as server", "handshake");
  }
}

function startOptions(settings: TlsClientSettings): Deno.StartTlsOptions {
  const { hostname, caCerts, alpnProtocols, skipHostname } = settings;
  return {
    hostname,
    caCerts: toPems(caCerts),
    alpnProtocols: [...alpnProtocols],
    ...skipHostname && { unsafelyDisableHostnameVerification: true },
  };
}

/** The reason of an abort is the caller's own, of whatever class. */
function isReason(signal: AbortSignal | undefined, error: unknown): boolean {
  return signal?.aborted === true && error === signal.reason;
}

/** What is told: of a connection of the runtime no more is known. */
function infoOf(alpnProtocol: string | null, leaf: Uint8Array<ArrayBuffer> | undefined): TlsInfo {
  return {
    alpnProtocol: alpnProtocol ?? undefined,
    peerCertificate: leaf,
    verifiedBy: "runtime",
  };
}

/**
 * The certificate of the server, if the runtime shows it: it does so to itself, behind a symbol,
 * and only once the handshake is through.
 */
function leafOf(connection: Deno.TlsConn): Uint8Array<ArrayBuffer> | undefined {
  const symbol = peerCertificateSymbol(connection);
  if (symbol === undefined) return undefined;
  const shown = connection as unknown as Record<symbol, (() => unknown) | undefined>;
  const { raw } = (shown[symbol]?.() ?? {}) as { readonly raw?: unknown };
  return raw instanceof Uint8Array ? new Uint8Array(raw) : undefined;
}

function peerCertificateSymbol(connection: Deno.TlsConn): symbol | undefined {
  return Object.getOwnPropertySymbols(Object.getPrototypeOf(connection))
    .find(({ description }) => description === "getPeerCertificate");
}

function requireLeaf(leaf: Certificate | undefined): Certificate {
  if (leaf !== undefined) return leaf;
  throw new TlsUnsupportedError(
    "ERR_TLS_UNSUPPORTED_OPTION",
    `Cannot verify peer: provider "${NAME}" does not see certificates on this runtime; use provider "${ALTERNATIVE}"`,
    { provider: NAME, alternative: ALTERNATIVE, option: "pins, verifyPeer" },
  );
}

function checkTransport(transport: Transport): asserts transport is Deno.TcpConn {
  if (isRuntimeTcp(transport)) return;
  throw new TlsUnsupportedError(
    "ERR_TLS_UNSUPPORTED_TRANSPORT",
    `Cannot secure connection: provider "${NAME}" takes TCP connections of the runtime only, no Unix socket, no wrapper and no TLS in TLS; use provider "${ALTERNATIVE}"`,
    { provider: NAME, alternative: ALTERNATIVE },
  );
}

/**
 * Whether a transport is a TCP connection of the runtime itself.
 *
 * @param transport Any transport.
 * @returns Whether it is.
 */
export function isRuntimeTcp(transport: Transport): transport is Deno.TcpConn {
  // The class is not published. A wrapper is not one of them, and neither is a
  // connection that is secured already.
  return transport.constructor?.name === "TcpConn" && "setNoDelay" in transport;
}

/**
 * Finds what this provider would drop in silence.
 *
 * @param options Options of a client.
 * @returns Name of the first such option; `undefined` if it can honour all of them.
 */
export function findBeyondDeno(options: TlsClientOptions): string | undefined {
  const { exclusiveCas, cert, key, pins, peerChain, dangerous } = options;
  const { minVersion = "TLSv1.2", maxVersion = "TLSv1.3" } = options;
  const beyond: readonly (readonly [name: string, isBeyond: boolean])[] = [
    ["exclusiveCas", exclusiveCas === true],
    ["cert", cert !== undefined],
    ["key", key !== undefined],
    ["pins.match", pins?.match === "chain"],
    ["peerChain", peerChain === true],
    ["dangerous.skipVerification", dangerous?.skipVerification === true],
    ["minVersion", minVersion !== "TLSv1.2"],
    ["maxVersion", maxVersion !== "TLSv1.3"],
  ];
  return beyond.find(([, isBeyond]) => isBeyond)?.[0];
}

function checkReach(options: TlsClientOptions): void {
  refuseBeyond(findBeyondDeno(options));
}

function refuseBeyond(option: string | undefined): void {
  if (option === undefined) return;
  throw new TlsUnsupportedError(
    "ERR_TLS_UNSUPPORTED_OPTION",
    `Cannot secure connection: provider "${NAME}" cannot honour ${option}; use provider "${ALTERNATIVE}"`,
    { provider: NAME, alternative: ALTERNATIVE, option },
  );
}
