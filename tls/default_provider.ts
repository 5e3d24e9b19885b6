/**
 * {@linkcode defaultTlsProvider}: the provider for what is asked for.
 *
 * @module
 */

import type {
  TlsClientOptions,
  TlsProvider,
  TlsServerOptions,
  TlsTransport,
} from "../nbio/tls_provider.ts";
import type { Transport } from "../nbio/transport.ts";
import { denoProvider, findBeyondDeno, isRuntimeTcp } from "./deno_provider.ts";

/**
 * Chooses for each connection: the runtime (`deno`) for clients over its own TCP connections, because
 * it is the fastest and verifies by itself; `node` for whatever that one would have to refuse, and for
 * servers. What is asked for decides, and never what a peer does.
 *
 * Permission: none beyond that of the connection. `node:tls` is loaded when it is first needed.
 *
 * @example Over memory only one of them can
 * ```ts
 * import { createDevelopmentCertificate, defaultTlsProvider } from "@nbio/net/tls";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf, ca } = await createDevelopmentCertificate(["localhost"]);
 * const [near, far] = memoryPipe();
 * const [client, server] = await Promise.all([
 *   defaultTlsProvider.client(near, { hostname: "localhost", caCerts: [ca.certificatePem] }),
 *   defaultTlsProvider.server(far, { cert: leaf.certificatePem, key: leaf.privateKeyPem }),
 * ]);
 * assertEquals(client.tlsInfo.verifiedBy, "nbio");
 * client.close();
 * server.close();
 * ```
 */
export const defaultTlsProvider: TlsProvider = {
  name: "default",
  capabilities: { client: true, server: true, anyTransport: true, peerCertificates: "chain" },

  async client(transport: Transport, options: TlsClientOptions): Promise<TlsTransport> {
    const isPlain = isRuntimeTcp(transport) && findBeyondDeno(options) === undefined;
    const provider = isPlain ? denoProvider : await loadNodeProvider();
    return await provider.client(transport, options);
  },

  async server(transport: Transport, options: TlsServerOptions): Promise<TlsTransport> {
    return await (await loadNodeProvider()).server(transport, options);
  },
};

/** Its own chain verification is a good part of this module: loaded when it is needed. */
async function loadNodeProvider(): Promise<TlsProvider> {
  return (await import("./node_provider.ts")).nodeProvider;
}
