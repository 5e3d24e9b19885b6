/**
 * {@linkcode startTls}: a connection that is there becomes a secured one.
 *
 * @module
 */

import type { TlsClientOptions, TlsProvider, TlsTransport } from "../nbio/tls_provider.ts";
import type { Transport } from "../nbio/transport.ts";
import { defaultTlsProvider } from "./default_provider.ts";

/** Options of {@linkcode startTls}. */
export interface StartTlsOptions extends TlsClientOptions {
  /**
   * Who secures the connection.
   *
   * @default {defaultTlsProvider}
   */
  readonly provider?: TlsProvider;
}

/**
 * Secures a connection as its client: the second half of STARTTLS, or TLS over a connection that was
 * made by other means.
 *
 * What the server has sent before the handshake must have been read to the last byte, and not one
 * more: bytes that came in the clear and are taken for secured ones are an injection (RFC 3207
 * section 6). There must be no read or write waiting.
 *
 * @param transport The connection; it belongs to the result, and is closed if this rejects.
 * @param options Who the server has to be, and how it is looked at.
 * @returns The secured connection.
 * @throws {TlsError} If the server is not accepted, or the handshake fails.
 * @throws {TlsUnsupportedError} If the provider cannot do what is asked for.
 * @throws {TimeoutError} If the handshake takes too long; its phase is `"tls"`.
 * @throws {ConnectionClosedError} If the server leaves during it.
 * @throws {TypeError} If an option cannot be read.
 * @throws {RangeError} If an option is out of its range.
 * @throws {Error} The reason of `signal`, untouched.
 *
 * @example After STARTTLS
 * ```ts
 * import { acceptTls, createDevelopmentCertificate, startTls } from "@nbio/net/tls";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf, ca } = await createDevelopmentCertificate(["mail.test"]);
 * const [near, far] = memoryPipe();
 * await near.write(new TextEncoder().encode("STARTTLS\r\n"));
 * assertEquals(await far.read(new Uint8Array(10)), 10);
 * const [client, server] = await Promise.all([
 *   startTls(near, { hostname: "mail.test", caCerts: [ca.certificatePem] }),
 *   acceptTls(far, { cert: leaf.certificatePem, key: leaf.privateKeyPem }),
 * ]);
 * assertEquals(server.tlsInfo.serverName, "mail.test");
 * client.close();
 * server.close();
 * ```
 */
export async function startTls(
  transport: Transport,
  options: StartTlsOptions,
): Promise<TlsTransport> {
  const { provider = defaultTlsProvider, ...rest } = options;
  return await provider.client(transport, rest);
}
