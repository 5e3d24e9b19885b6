/**
 * {@linkcode denoProvider}: TLS by the runtime's own calls.
 *
 * @module
 */

import { decodeBase64 } from "@std/encoding/base64";
import { ConnectionClosedError, NetError } from "../nbio/errors.ts";
import { runOperation } from "../nbio/operation.ts";
import type { TlsClientOptions, TlsProvider, TlsTransport } from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { TlsError, TlsUnsupportedError } from "./errors.ts";

const NAME = "deno";
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;
/** RFC 7301 section 3.1: a length of one byte, and never 0. */
const MAX_ALPN_BYTES = 255;

/** Everything that is honoured; what is not in here is refused, not dropped. */
const CLIENT_OPTIONS: Readonly<Record<keyof TlsClientOptions, true>> = {
  hostname: true,
  caCerts: true,
  alpnProtocols: true,
  handshakeTimeoutMs: true,
  signal: true,
  wheel: true,
};

/**
 * TLS by `Deno.startTls`: the client's side, over TCP connections of the runtime.
 *
 * Certificates are verified by the runtime, against the roots it trusts and those
 * given in addition. There is no server's side: the runtime secures accepted
 * connections only inside `Deno.listenTls`, which leaves Nagle's algorithm on,
 * without a way to switch it off. And it secures nothing but its own TCP
 * connections: no Unix socket, no TLS in TLS, nothing that stands in front of one.
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
  capabilities: { client: true, server: false, anyTransport: false },

  async client(transport: Transport, options: TlsClientOptions): Promise<TlsTransport> {
    try {
      checkClientOptions(options);
      checkTransport(transport);
      return await secure(transport, options);
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
      `Cannot secure connection as server: provider "${NAME}" has the client's side only, because the runtime gives no way to secure a connection that was accepted already`,
      { provider: NAME },
    );
  },
};

async function secure(transport: Deno.TcpConn, options: TlsClientOptions): Promise<TlsTransport> {
  const { hostname, caCerts = [], alpnProtocols = [], signal, wheel } = options;
  const timeoutMs = options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS;
  const bounds = {
    timeoutMs,
    ...signal !== undefined && { signal },
    ...wheel !== undefined && { wheel },
  };
  // The runtime takes the connection away from the object it was in: what has
  // to be closed changes on the way.
  let current: { close(): void } = transport;
  let isClosed = false;
  const closer = {
    close(): void {
      isClosed = true;
      current.close();
    },
  };
  try {
    return await runOperation(closer, "tls", bounds, async () => {
      const connection = await Deno.startTls(transport, {
        hostname,
        caCerts: [...caCerts],
        alpnProtocols: [...alpnProtocols],
      });
      current = connection;
      // Cancelled while it was in neither object: then it is closed here, and
      // the handshake fails at once.
      if (isClosed) connection.close();
      // Nothing has been sent yet: the runtime would wait for the first read or write.
      const { alpnProtocol } = await connection.handshake();
      // No wrapper: it would stand between every read and its socket.
      return Object.assign(connection, { tlsInfo: { alpnProtocol: alpnProtocol ?? undefined } });
    });
  } catch (error) {
    throw isReason(signal, error) ? error : explain(error, hostname);
  }
}

/** The reason of an abort is the caller's own, of whatever class. */
function isReason(signal: AbortSignal | undefined, error: unknown): boolean {
  return signal?.aborted === true && error === signal.reason;
}

/** In whose hands it was: the runtime has one class for all that TLS finds wrong. */
function explain(cause: unknown, hostname: string): unknown {
  if (cause instanceof NetError || !(cause instanceof Error)) return cause;
  const action = `Cannot secure connection to ${hostname}`;
  if (cause instanceof Deno.errors.InvalidData) {
    return cause.message.startsWith("invalid peer certificate")
      ? new TlsError("ERR_TLS_CERTIFICATE", `${action}: its certificate is not accepted`, { cause })
      : new TlsError("ERR_TLS_HANDSHAKE", `${action}: the handshake failed`, { cause });
  }
  const hasLeft = cause instanceof Deno.errors.UnexpectedEof ||
    cause instanceof Deno.errors.ConnectionReset || cause instanceof Deno.errors.BrokenPipe ||
    cause instanceof Deno.errors.ConnectionAborted;
  return hasLeft
    ? new ConnectionClosedError(`${action}: it left during the handshake`, { cause })
    : cause;
}

function checkTransport(transport: Transport): asserts transport is Deno.TcpConn {
  // The class of the runtime's TCP connections is not published. A wrapper is
  // not one of them, and neither is a connection that is secured already.
  if (transport.constructor?.name === "TcpConn" && "setNoDelay" in transport) return;
  throw new TlsUnsupportedError(
    "ERR_TLS_UNSUPPORTED_TRANSPORT",
    `Cannot secure connection: provider "${NAME}" takes TCP connections of the runtime only, no Unix socket, no wrapper and no TLS in TLS; that needs a provider with "anyTransport"`,
    { provider: NAME },
  );
}

function checkClientOptions(options: TlsClientOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(CLIENT_OPTIONS, name) || value === undefined) continue;
    throw new TlsUnsupportedError(
      "ERR_TLS_UNSUPPORTED_OPTION",
      `Cannot secure connection: provider "${NAME}" has no option ${JSON.stringify(name)}`,
      { provider: NAME },
    );
  }
  const { hostname, caCerts = [], alpnProtocols = [] } = options;
  // The runtime would take an empty name for 127.0.0.1.
  if (typeof hostname !== "string" || hostname === "") {
    throw new TypeError("Cannot secure connection: hostname is empty, expected a name or address");
  }
  for (const pem of caCerts) checkPem(pem);
  for (const protocol of alpnProtocols) checkAlpnProtocol(protocol);
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;
const DER_SEQUENCE = 0x30;

/** The runtime drops what it cannot read, and a root that is missing shows much later. */
function checkPem(pem: string): void {
  const blocks = typeof pem === "string" ? [...pem.matchAll(PEM_BLOCK)] : [];
  const isWhole = blocks.length > 0 && blocks.length === pem.split("-----BEGIN ").length - 1;
  if (isWhole && blocks.every(([, base64]) => holdsDer(base64!))) return;
  throw new TypeError("Cannot use caCerts: expected certificates in PEM");
}

function holdsDer(base64: string): boolean {
  try {
    return decodeBase64(base64.replace(/\s/g, ""))[0] === DER_SEQUENCE;
  } catch {
    return false;
  }
}

function checkAlpnProtocol(protocol: string): void {
  const length = typeof protocol === "string" ? new TextEncoder().encode(protocol).length : 0;
  if (length >= 1 && length <= MAX_ALPN_BYTES) return;
  throw new RangeError(
    `Cannot use alpnProtocols: a name has ${length} bytes, expected 1 to ${MAX_ALPN_BYTES}`,
  );
}
