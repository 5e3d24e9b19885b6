import { assertEquals, assertRejects } from "@std/assert";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { TlsClientOptions } from "../../nbio/tls_provider.ts";
import { defaultTlsProvider } from "../../tls/default_provider.ts";
import { TlsUnsupportedError } from "../../tls/errors.ts";
import { ca, client, server, tcpPair } from "../_support/tls_pki.ts";

const TRUST = { hostname: "localhost", caCerts: [ca.certificatePem] };

const ROWS: readonly { name: string; options: Partial<TlsClientOptions>; verifiedBy: string }[] = [
  { name: "nothing more", options: {}, verifiedBy: "runtime" },
  { name: "verifyPeer", options: { verifyPeer: () => {} }, verifiedBy: "runtime" },
  { name: "the chain", options: { peerChain: true }, verifiedBy: "nbio" },
  { name: "exclusive CAs", options: { exclusiveCas: true }, verifiedBy: "nbio" },
  { name: "its own certificate", options: client, verifiedBy: "nbio" },
  { name: "a version", options: { minVersion: "TLSv1.3" }, verifiedBy: "nbio" },
  {
    name: "no verification",
    options: { dangerous: { skipVerification: true } },
    verifiedBy: "nobody",
  },
];

for (const { name, options, verifiedBy } of ROWS) {
  Deno.test(`defaultTlsProvider chooses for a client that asks for ${name}`, async () => {
    const [near, far] = await tcpPair();
    const [secured, accepted] = await Promise.all([
      defaultTlsProvider.client(near, { ...TRUST, ...options }),
      defaultTlsProvider.server(far, server),
    ]);
    assertEquals(secured.tlsInfo.verifiedBy, verifiedBy);
    secured.close();
    accepted.close();
  });
}

Deno.test("defaultTlsProvider secures what is no connection of the runtime", async () => {
  const [near, far] = memoryPipe();
  const [secured, accepted] = await Promise.all([
    defaultTlsProvider.client(near, TRUST),
    defaultTlsProvider.server(far, server),
  ]);
  assertEquals(secured.tlsInfo.verifiedBy, "nbio");
  secured.close();
  accepted.close();
});

Deno.test("defaultTlsProvider refuses what nobody knows, and closes the connection", async () => {
  const [near, far] = await tcpPair();
  const options = { ...TRUST, crl: "x" } as TlsClientOptions;
  await assertRejects(() => defaultTlsProvider.client(near, options), TlsUnsupportedError);
  assertEquals(await far.read(new Uint8Array(1)).catch(() => null), null);
  far.close();
});
