import { serve, type ServeOptions } from "@nbio/net/http";
import { sendAll } from "@nbio/net/nbio";
import { connectTls, denoProvider, listenTls, nodeProvider } from "@nbio/net/tls";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer, startPeer } from "../_support/peer.ts";
import { type TlsFiles, tlsTest } from "./tls_files.ts";

const ignore = !interopEnabled || !hasCommand("python3");
const HERE = { hostname: "127.0.0.1", port: 0 } as const;
const PEER = new URL("tls_python_peer.py", import.meta.url).pathname;

function pythonTest(name: string, fn: (files: TlsFiles) => Promise<void>): void {
  tlsTest(`python's ssl ${name}`, ignore, fn);
}

function serveEcho(options: ServeOptions) {
  return serve(async (ctx) => ctx.bytes(await ctx.body.bytes()), options);
}

async function runClient(
  { addr }: { readonly addr: Deno.Addr },
  files: TlsFiles,
  ...pair: readonly string[]
): Promise<unknown> {
  const port = `${(addr as Deno.NetAddr).port}`;
  const { code, text } = await runPeer("python3", [PEER, "client", port, files.folder, ...pair]);
  return code === 0 ? JSON.parse(text) : code;
}

pythonTest("sends, receives, parts from us and comes back with its session", async (files) => {
  const { own: { cert, key } } = await files.server("localhost", "127.0.0.1", "::1");
  for (const provider of ["node", "deno"] as const) {
    const options = { ...HERE, provider, cert, key, alpnProtocols: ["http/1.1"] };
    await using server = serveEcho({ listener: listenTls(options) });
    const expected = [200, 1_000_000, "TLSv1.3", "http/1.1", true];
    assertEquals(await runClient(server, files), expected);
  }
});

pythonTest("gets in with a good certificate only", async (files) => {
  const { own } = await files.server("localhost");
  const [good, bad] = [await files.client("good"), await files.client("bad", false)];
  const clientCaCerts = [files.ca.certificatePem];
  const tls = { ...own, clientCertificates: "required", clientCaCerts } as const;
  await using server = serveEcho({ ...HERE, tls });
  const served = await runClient(server, files, good.certPath, good.keyPath);
  assert(Array.isArray(served) && served[0] === 200);
  assertEquals(await runClient(server, files, bad.certPath, bad.keyPath), 1);
  assertEquals(await runClient(server, files), 1);
});

pythonTest("as a server tells us who we are, and its goodbye from a cut", async (files) => {
  await files.server("localhost");
  const { own: { cert, key } } = await files.client("alice.test");
  await using peer = startPeer("python3", [PEER, "server", files.folder]);
  const [, port] = await peer.ready(/^PORT (\d+)$/);
  for (
    const { provider, own, names } of [
      { provider: denoProvider, own: {}, names: [] },
      { provider: nodeProvider, own: { cert, key }, names: ["alice.test"] },
    ]
  ) {
    for (const told of ["bye", "cut"]) {
      const transport = await connectTls({
        hostname: "127.0.0.1",
        port: Number(port),
        provider,
        tls: {
          hostname: "localhost",
          caCerts: [files.ca.certificatePem],
          alpnProtocols: ["acme"],
          ...own,
        },
      });
      assertEquals(transport.tlsInfo.alpnProtocol, "acme");
      await sendAll(transport, new TextEncoder().encode(told));
      const buffer = new Uint8Array(256);
      const count = await transport.read(buffer);
      const answer = JSON.parse(new TextDecoder().decode(buffer.subarray(0, count!)));
      assertEquals(answer, [told, "TLSv1.3", names]);
      if (told === "bye") assertEquals(await transport.read(buffer), null);
      else await assertRejects(() => transport.read(buffer));
      transport.close();
    }
  }
});
