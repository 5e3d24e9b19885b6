import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { Client } from "../../http/client.ts";
import { checkServerTls, type HttpServerTlsOptions, SecuredSource } from "../../http/listen.ts";
import { clientScheme } from "../../http/middleware_trusted_proxy.ts";
import { proxyHeader, proxyListener } from "../../http/proxy_listener.ts";
import { type HttpServer, serve } from "../../http/serve.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { Context } from "../../http/server_context.ts";
import type { Handler } from "../../http/server_shared.ts";
import { systemClock } from "../../nbio/clock.ts";
import { deadlines } from "../../nbio/deadline_wheel.ts";
import { dial } from "../../nbio/dial.ts";
import type { TlsProvider } from "../../nbio/tls_provider.ts";
import { parseCertificate } from "../../tls/certificate.ts";
import { nodeProvider } from "../../tls/node_provider.ts";
import { ServerCertificates } from "../../tls/server_certificates.ts";
import { startTls } from "../../tls/start_tls.ts";
import { dial as dialWebSocket } from "../../websocket/dial.ts";
import { upgrade } from "../../websocket/upgrade.ts";
import { eventually } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";
import { request } from "../_support/server_harness.ts";
import { ca, client, issue, server as own, stranger } from "../_support/tls_pki.ts";

const HERE = { hostname: "127.0.0.1", port: 0 } as const;
const TRUST = { caCerts: [ca.certificatePem] };
const MUTUAL = {
  ...own,
  clientCertificates: "optional",
  clientCaCerts: [ca.certificatePem],
} as const;

function serveHere(handler: Handler, options: ServeOptions = {}): HttpServer {
  return serve(handler, { ...HERE, tls: own, ...options });
}

function portOf(server: HttpServer, index = 0): number {
  return (server.addrs[index] as Deno.NetAddr).port;
}

/** What a client of ours gets. */
async function get(port: number, tls: object = {}): Promise<string> {
  await using agent = new Client({ tls: { ...TRUST, ...tls } });
  return await (await agent.get(`https://localhost:${port}/`)).text();
}

function describe(ctx: Context): void {
  const { version, serverName, alpnProtocol } = ctx.tlsInfo ?? {};
  ctx.json([clientScheme(ctx), version, serverName, alpnProtocol]);
}

Deno.test("serve() answers over TLS, and its handlers know it", async () => {
  await using server = serveHere(describe);
  const text = await get(portOf(server));
  assertEquals(JSON.parse(text), ["https", "TLSv1.3", "localhost", "http/1.1"]);
  using web = Deno.createHttpClient(TRUST);
  const response = await fetch(`https://localhost:${portOf(server)}/`, { client: web });
  assertEquals((await response.json())[0], "https");
});

Deno.test("serve() in the clear has no tlsInfo", async () => {
  await using server = serve(describe, HERE);
  using web = Deno.createHttpClient({});
  const response = await fetch(`http://127.0.0.1:${portOf(server)}/`, { client: web });
  assertEquals(await response.json(), ["http", null, null, null]);
});

Deno.test("serve() gives handlers the verified certificate of the client", async () => {
  await using server = serveHere((ctx) => {
    const { peerCertificate, peerChain, verifiedBy } = ctx.tlsInfo!;
    const names = peerCertificate && parseCertificate(peerCertificate).subjectAltName;
    ctx.json([names ?? null, peerChain?.length ?? 0, verifiedBy]);
  }, { tls: MUTUAL });
  assertEquals(JSON.parse(await get(portOf(server), client)), [
    [{ type: "dns", value: "client.test" }],
    2,
    "nbio",
  ]);
  assertEquals(JSON.parse(await get(portOf(server))), [null, 0, "nobody"]);
  await assertRejects(() => get(portOf(server), stranger));
  await using strict = serveHere(describe, { tls: { ...MUTUAL, clientCertificates: "required" } });
  await assertRejects(() => get(portOf(strict)));
});

Deno.test("serve() upgrades to WebSocket over TLS, and tlsInfo goes with the connection", async () => {
  await using server = serveHere(async (ctx) => {
    await using ws = await upgrade(ctx, { origin: "*" });
    await ws.send(`${ctx.tlsInfo?.version}`);
    for await (const { data } of ws) await ws.send(data);
  });
  const ws = await dialWebSocket(`wss://localhost:${portOf(server)}/`, { tls: TRUST });
  assertEquals((await ws.readMessage())?.data, "TLSv1.3");
  const large = new Uint8Array(300_000).fill(7);
  await ws.send(large);
  assertEquals((await ws.readMessage())?.data, large);
  assertEquals((await ws.close()).clean, true);
});

Deno.test("serve() chooses certificates by name, and takes new ones", async () => {
  const certificates = new ServerCertificates({ names: { localhost: own } });
  await using server = serveHere(describe, { tls: { certificates } });
  assertEquals(JSON.parse(await get(portOf(server)))[2], "localhost");
  certificates.replace({ names: { "other.test": await issue(["other.test"]) } });
  await assertRejects(() => get(portOf(server)));
});

Deno.test("serve() secures every listener, and a Unix socket", async () => {
  const listeners = [Deno.listen(HERE), Deno.listen(HERE)];
  await using server = serveHere(describe, { listeners });
  for (const index of [0, 1]) {
    assertEquals(JSON.parse(await get(portOf(server, index)))[0], "https");
  }
  const folder = await Deno.makeTempDir();
  try {
    await using local = serveHere(describe, { path: `${folder}/s` });
    assertEquals(local.addr, { transport: "unix", path: `${folder}/s` });
    await using agent = new Client({ tls: TRUST, tlsProvider: nodeProvider, path: `${folder}/s` });
    const response = await agent.get("https://localhost/");
    assertEquals((await response.json() as string[])[0], "https");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("serve() secures what comes behind a PROXY header", async () => {
  const listener = proxyListener(Deno.listen(HERE), ["127.0.0.1"]);
  await using server = serveHere((ctx) => {
    const { hostname } = ctx.remoteAddr as Deno.NetAddr;
    ctx.json([hostname, proxyHeader(ctx)?.version, ctx.tlsInfo?.version]);
  }, { listener });
  const transport = await dial({ hostname: "127.0.0.1", port: portOf(server) });
  await transport.write(new TextEncoder().encode("PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n"));
  const secured = await startTls(transport, { hostname: "localhost", ...TRUST });
  await secured.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const buffer = new Uint8Array(4_096);
  const count = await secured.read(buffer);
  const text = new TextDecoder().decode(buffer.subarray(0, count!));
  assert(text.endsWith('["192.0.2.7",1,"TLSv1.3"]'), text);
  secured.close();
});

Deno.test("serve() tells a client in the clear that the port speaks TLS", async () => {
  await using server = serveHere(describe);
  await using plain = await RawClient.connect({ hostname: "127.0.0.1", port: portOf(server) });
  await plain.send(request("GET /"));
  assertEquals((await plain.response())?.status, 400);
  assertEquals(JSON.parse(await get(portOf(server)))[0], "https");
});

Deno.test("serve() refuses a client that wants another protocol, and serves the next", async () => {
  const failures: unknown[] = [];
  const tls = { ...own, onHandshakeError: (error: unknown) => failures.push(error) };
  await using server = serveHere(describe, { tls });
  const transport = await dial({ hostname: "127.0.0.1", port: portOf(server) });
  const options = { hostname: "localhost", ...TRUST, alpnProtocols: ["h2"] };
  await assertRejects(() => startTls(transport, options));
  assert(await eventually(() => failures.length === 1));
  assertEquals(JSON.parse(await get(portOf(server)))[0], "https");
});

Deno.test("serve() takes a provider of the caller's", async () => {
  const seen: unknown[] = [];
  const tlsProvider: TlsProvider = {
    ...nodeProvider,
    name: "counted",
    server: (transport, options) => {
      seen.push(options.alpnProtocols);
      return nodeProvider.server(transport, options);
    },
  };
  await using server = serveHere(describe, { tlsProvider });
  assertEquals(JSON.parse(await get(portOf(server)))[0], "https");
  assertEquals(seen, [["http/1.1"]]);
});

const other = await issue(["localhost"]);

/** What only `tls` can find out. */
const LATE: readonly { name: string; tls: HttpServerTlsOptions }[] = [
  { name: "a key of another certificate", tls: { cert: own.cert, key: other.key } },
  { name: "a certificate of a CA", tls: { cert: ca.certificatePem, key: ca.privateKeyPem } },
  { name: "a CA nobody asks for", tls: { ...own, clientCaCerts: [ca.certificatePem] } },
];

for (const { name, tls } of LATE) {
  Deno.test(`serve() tells of ${name}, and stops without having served`, async () => {
    const errors: unknown[] = [];
    const server = serve(describe, { ...HERE, tls, onError: (error) => errors.push(error) });
    const port = portOf(server);
    await server.finished;
    assertEquals(errors.length, 1);
    assertInstanceOf(errors[0], Error);
    await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
  });
}

const EARLY: readonly { name: string; options: ServeOptions; error: ErrorConstructor }[] = [
  { name: "no certificate", options: { tls: {} }, error: TypeError },
  { name: "no key", options: { tls: { cert: own.cert } }, error: TypeError },
  { name: "a key that is a path", options: { tls: { ...own, key: "key.pem" } }, error: TypeError },
  {
    name: "an unknown option",
    options: { tls: { ...own, ciphers: "ALL" } as HttpServerTlsOptions },
    error: TypeError,
  },
  { name: "no TLS", options: { tlsProvider: nodeProvider }, error: TypeError },
  {
    name: "a provider for clients",
    options: {
      tls: own,
      tlsProvider: {
        ...nodeProvider,
        capabilities: { ...nodeProvider.capabilities, server: false },
      },
    },
    error: TypeError,
  },
  { name: "a bad count", options: { tls: { ...own, maxHandshakes: 0 } }, error: RangeError },
  { name: "a bad bound", options: { tls: { ...own, maxUnaccepted: 1.5 } }, error: RangeError },
  { name: "a bad time", options: { tls: { ...own, handshakeTimeoutMs: -1 } }, error: RangeError },
  { name: "a bad limit", options: { tls: own, maxConnections: -1 }, error: RangeError },
];

for (const { name, options, error } of EARLY) {
  Deno.test(`serve() throws for ${name} at once, and binds nothing`, () => {
    const onListen = () => assert(false);
    assertThrows(() => serve(describe, { ...HERE, onListen, ...options }), error);
  });
}

Deno.test("serve() over TLS throws what cannot be bound, at once", async () => {
  await using server = serveHere(describe);
  assertThrows(() => serveHere(describe, { port: portOf(server) }), Deno.errors.AddrInUse);
});

Deno.test("serve() over TLS ends at once when it is shut down before it began", async () => {
  const server = serveHere(describe);
  server.unref();
  server.ref();
  await server.shutdown();
  await server.finished;
});

Deno.test("serve() over TLS ends although clients are silent or in a handshake", async () => {
  const server = serveHere(describe);
  await get(portOf(server));
  const address = { hostname: "127.0.0.1", port: portOf(server) };
  await using silent = await RawClient.connect(address);
  await using slow = await RawClient.connect(address);
  await slow.send(new Uint8Array([22, 3, 1, 1, 0]));
  await server.shutdown();
  for (const peer of [silent, slow]) assert(["eof", "reset"].includes(await peer.closed()));
});

Deno.test("serve() over TLS counts what fails below, tells it, and goes on", async () => {
  const inner = Deno.listen(HERE);
  const told: unknown[] = [];
  const failure = new Error("EMFILE");
  let failCount = 0;
  await using server = serveHere(describe, {
    listener: {
      addr: inner.addr,
      accept: () => failCount++ === 0 ? Promise.reject(failure) : inner.accept(),
      close: () => inner.close(),
    },
    onError: (error, ctx) => told.push([error, ctx]),
  });
  await get(portOf(server));
  assertEquals([told, server.stats().acceptErrorCount], [[[failure, undefined]], 1]);
});

Deno.test("SecuredSource rejects accept when it is closed meanwhile", async () => {
  const source = new SecuredSource(Deno.listen(HERE), own, {
    provider: undefined,
    clock: systemClock,
    wheel: deadlines,
    onError: () => assert(false),
    onAcceptError: () => assert(false),
  });
  const accepting = source.accept();
  source.close();
  await assertRejects(() => accepting, Deno.errors.BadResource);
  await assertRejects(() => source.accept(), Deno.errors.BadResource);
});

Deno.test("checkServerTls() takes what is right", () => {
  checkServerTls(own, undefined);
  checkServerTls({ certificates: { select: () => own } }, nodeProvider);
});
