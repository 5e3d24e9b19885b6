/**
 * {@linkcode acceptTls}: the server's side of a handshake, over a connection that is there.
 *
 * @module
 */

import { ConnectionClosedError } from "../nbio/errors.ts";
import { runOperation } from "../nbio/operation.ts";
import type { TlsProvider, TlsServerOptions, TlsTransport } from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { defaultTlsProvider } from "./default_provider.ts";
import { PrefixedTransport } from "./prefixed_transport.ts";
import { resolveServerOptions } from "./tls_options.ts";

/** Options of {@linkcode acceptTls}. */
export interface AcceptTlsOptions extends TlsServerOptions {
  /**
   * Who secures the connection. That of the runtime has no server's side.
   *
   * @default {defaultTlsProvider}
   */
  readonly provider?: TlsProvider;
}

/** What {@linkcode acceptTlsOrPlain} has found. */
export type TlsOrPlain =
  | {
    /** The client speaks TLS. */
    readonly isSecure: true;
    /** The secured connection. */
    readonly transport: TlsTransport;
  }
  | {
    /** The client speaks in the clear. */
    readonly isSecure: false;
    /** The connection, its first byte included. */
    readonly transport: Transport;
  };

/** RFC 8446 section 5.1: the first byte of every handshake, and of no text. */
const HANDSHAKE_RECORD = 22;
const READ_BYTES = 4_096;
const MAX_EMPTY_READS = 1_000;

/**
 * Secures an accepted connection as its server: at once, or when the client has asked for it by
 * STARTTLS. Then what the client has sent before must have been read to the last byte, and whatever
 * it has sent in the clear beyond that must be refused, not kept: else it would be taken for secured.
 *
 * @param transport The connection, with no read or write waiting; it belongs to the result, and is
 * closed if this rejects.
 * @param options Certificate, key and the rest.
 * @returns The secured connection.
 * @throws {TlsError} If there is no handshake with this client.
 * @throws {TimeoutError} If the handshake takes too long; its phase is `"tls"`.
 * @throws {ConnectionClosedError} If the client leaves during it.
 * @throws {TypeError} If an option cannot be read.
 * @throws {RangeError} If an option is out of its range, or certificate and key are not good.
 * @throws {Error} The reason of `signal`, untouched.
 *
 * @example Over a pipe
 * ```ts
 * import { acceptTls, createDevelopmentCertificate, startTls } from "@nbio/net/tls";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf, ca } = await createDevelopmentCertificate(["localhost"]);
 * const [near, far] = memoryPipe();
 * const own = { cert: leaf.certificatePem, key: leaf.privateKeyPem };
 * const [client, server] = await Promise.all([
 *   startTls(near, { hostname: "localhost", caCerts: [ca.certificatePem] }),
 *   acceptTls(far, { ...own, minVersion: "TLSv1.3" }),
 * ]);
 * assertEquals(server.tlsInfo.version, "TLSv1.3");
 * client.close();
 * server.close();
 * ```
 */
export async function acceptTls(
  transport: Transport,
  options: AcceptTlsOptions,
): Promise<TlsTransport> {
  const { provider = defaultTlsProvider, ...rest } = options;
  return await provider.server(transport, rest);
}

/**
 * Secures an accepted connection if the client begins a handshake, and leaves it as it is if it
 * begins otherwise: TLS and a protocol in the clear on one port. The client has to speak first, as
 * in HTTP. Who offers both offers no protection from somebody on the way: that is for clients that
 * know what they want.
 *
 * @param transport The connection, with no read or write waiting; it belongs to the result, and is
 * closed if this rejects.
 * @param options Certificate, key and the rest. The deadline is for the first byte, and again for
 * the handshake.
 * @returns The connection, and what it is.
 * @throws {ConnectionClosedError} If the client leaves without a byte.
 * @throws {Error} Whatever {@linkcode acceptTls} throws.
 *
 * @example Plain text
 * ```ts
 * import { acceptTlsOrPlain, createDevelopmentCertificate } from "@nbio/net/tls";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf } = await createDevelopmentCertificate(["localhost"]);
 * const [near, far] = memoryPipe();
 * await near.write(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
 * const { isSecure, transport } = await acceptTlsOrPlain(far, {
 *   cert: leaf.certificatePem,
 *   key: leaf.privateKeyPem,
 * });
 * assertEquals([isSecure, await transport.read(new Uint8Array(32))], [false, 16]);
 * transport.close();
 * near.close();
 * ```
 */
export async function acceptTlsOrPlain(
  transport: Transport,
  options: AcceptTlsOptions,
): Promise<TlsOrPlain> {
  const { provider = defaultTlsProvider, ...rest } = options;
  let peeked: PrefixedTransport;
  let first: number;
  try {
    const { bounds } = resolveServerOptions(provider.name, rest);
    const bytes = await runOperation(transport, "tls", bounds, () => readSome(transport));
    peeked = new PrefixedTransport(transport, bytes);
    first = bytes[0]!;
  } catch (error) {
    closeQuietly(transport);
    throw error;
  }
  if (first !== HANDSHAKE_RECORD) return { isSecure: false, transport: peeked };
  return { isSecure: true, transport: await provider.server(peeked, rest) };
}

async function readSome(transport: Transport): Promise<Uint8Array> {
  const space = new Uint8Array(READ_BYTES);
  for (let emptyCount = 0; emptyCount < MAX_EMPTY_READS; emptyCount++) {
    const count = await transport.read(space);
    if (count === null) break;
    if (count > 0) return space.subarray(0, count);
  }
  throw new ConnectionClosedError("Cannot accept: the client has left without a byte");
}
