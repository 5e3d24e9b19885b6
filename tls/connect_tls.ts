/**
 * {@linkcode connectTls}: a secured connection to a server.
 *
 * @module
 */

import { dial, type DialOptions } from "../nbio/dial.ts";
import type { TlsClientOptions, TlsProvider, TlsTransport } from "../nbio/tls_provider.ts";
import { defaultTlsProvider } from "./default_provider.ts";
import { resolveClientOptions } from "./tls_options.ts";

/** How {@linkcode connectTls} secures the connection. */
export interface ConnectTlsSettings extends Omit<TlsClientOptions, "hostname" | "signal"> {
  /**
   * Who the server has to be, where that is not the `hostname` that is connected to; a Unix socket
   * needs it.
   *
   * @default the `hostname` that is connected to
   */
  readonly hostname?: string;
}

/** Options of {@linkcode connectTls}: those of `dial`, and how the connection is secured. */
export interface ConnectTlsOptions extends DialOptions {
  /**
   * How the connection is secured.
   *
   * @default {{}}
   */
  readonly tls?: ConnectTlsSettings;

  /**
   * Who secures it.
   *
   * @default {defaultTlsProvider}
   */
  readonly provider?: TlsProvider;
}

/**
 * Connects to a server, by name with Happy Eyeballs or over a Unix socket, and secures the connection.
 *
 * In TLS 1.3 this is done before the server has looked at the certificate of the client. If it refuses
 * that, or misses it, the first read fails: with a `TlsError` whose `phase` is `"read"` and whose
 * `alert` is what the server has said. A server that closes without a word, as those on `node:tls` under
 * Deno do, our own among them, gives no alert: then it is the end of a connection that was cut, an
 * error of the class `ConnectionClosedError` with the provider `node`, and `Deno.errors.UnexpectedEof`
 * with `deno`.
 *
 * Permission: as `dial` of `@nbio/net/nbio`.
 *
 * @param options Where to, and how.
 * @returns The secured connection, its handshake complete.
 * @throws {ConnectError} If the name has no address or none could be reached.
 * @throws {TlsError} If the server is not accepted, or the handshake fails.
 * @throws {TlsUnsupportedError} If the provider cannot do what is asked for.
 * @throws {TimeoutError} If time is up, in the phase `"resolve"`, `"connect"` or `"tls"`.
 * @throws {ConnectionClosedError} If the server leaves during the handshake.
 * @throws {TypeError} If an option cannot be read.
 * @throws {RangeError} If an option is out of its range.
 * @throws {Error} The reason of `signal`, untouched.
 *
 * @example A server with a development certificate
 * ```ts
 * import { connectTls, createDevelopmentCertificate, listenTls } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf, ca } = await createDevelopmentCertificate(["localhost"]);
 * const own = { cert: leaf.certificatePem, key: leaf.privateKeyPem };
 * await using listener = listenTls({ hostname: "127.0.0.1", port: 0, ...own });
 * const { port } = listener.addr as Deno.NetAddr;
 * const [client, server] = await Promise.all([
 *   connectTls({ hostname: "localhost", port, tls: { caCerts: [ca.certificatePem] } }),
 *   listener.accept(),
 * ]);
 * assertEquals(server.tlsInfo.serverName, "localhost");
 * client.close();
 * server.close();
 * ```
 */
export async function connectTls(options: ConnectTlsOptions): Promise<TlsTransport> {
  const { tls = {}, provider = defaultTlsProvider, ...place } = options;
  const { signal } = place;
  const secured = {
    ...tls,
    hostname: serverName(tls.hostname ?? place.hostname),
    ...signal !== undefined && { signal },
  };
  // Before anything is sent, and nobody waits for a connection that cannot be secured.
  resolveClientOptions(provider.name, secured);
  return await provider.client(await dial(place), secured);
}

/** Brackets are how a URL writes an address; the dot at the end is for the resolver alone. */
function serverName(name: string | undefined): string {
  if (name === undefined) {
    throw new TypeError(
      "Cannot connect: a Unix socket needs tls.hostname, to know who is expected",
    );
  }
  return name.replace(/^\[(.*)\]$/, "$1").replace(/(?<=[^.])\.$/, "");
}
