import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import type { TlsProvider, TlsTransport } from "../../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { parseCertificates } from "../../tls/certificate.ts";
import { connectTls, type ConnectTlsSettings } from "../../tls/connect_tls.ts";
import { denoProvider } from "../../tls/deno_provider.ts";
import { TlsError, TlsUnsupportedError } from "../../tls/errors.ts";
import { listenTls, type ListenTlsOptions, type TlsListener } from "../../tls/listen_tls.ts";
import { ServerCertificates } from "../../tls/server_certificates.ts";
import { eventually } from "../_support/peer.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { ca, client, issue, server, stranger } from "../_support/tls_pki.ts";

const HERE = { hostname: "127.0.0.1", port: 0 };

function open(options: Partial<ListenTlsOptions> = {}): TlsListener {
  return listenTls({ ...HERE, ...server, ...options });
}

function connect(listener: TlsListener, tls: ConnectTlsSettings = {}): Promise<TlsTransport> {
  const { port } = listener.addr as Deno.NetAddr;
  const settings = { hostname: "localhost", caCerts: [ca.certificatePem], ...tls };
  return connectTls({ hostname: "127.0.0.1", port, tls: settings });
}

function connectPlain(listener: TlsListener): Promise<Deno.TcpConn> {
  const { port } = listener.addr as Deno.NetAddr;
  return Deno.connect({ hostname: "127.0.0.1", port });
}

async function echoOnce(near: Transport, far: Transport): Promise<void> {
  const space = new Uint8Array(5);
  await Promise.all([sendAll(near, bytesOf("hello")), recvExactly(far, space)]);
  assertEquals(space, bytesOf("hello"));
}

for (const provider of ["node", "deno"] as const) {
  Deno.test(`listenTls() by "${provider}" gives secured connections`, async () => {
    await using listener = open({ provider, alpnProtocols: ["http/1.1"] });
    const [near, far] = await Promise.all([
      connect(listener, { alpnProtocols: ["http/1.1"] }),
      listener.accept(),
    ]);
    await echoOnce(near, far);
    await echoOnce(far, near);
    assertEquals(far.tlsInfo.alpnProtocol, "http/1.1");
    assertEquals(listener.stats(), {
      securedCount: 1,
      failedCount: 0,
      handshakeCount: 0,
      silentCount: 0,
      readyCount: 0,
      acceptErrorCount: 0,
    });
    near.close();
    far.close();
  });

  Deno.test(`listenTls() by "${provider}" goes on whatever clients do`, async () => {
    const errors: unknown[] = [];
    await using listener = open({
      provider,
      onHandshakeError: (error) => {
        errors.push(error);
        if (errors.length === 1) throw error;
      },
    });
    const { error: print } = console;
    // What the hook throws is printed, and goes no further.
    console.error = () => {};
    try {
      for (const bytes of ["", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff", "\x00"]) {
        const plain = await connectPlain(listener);
        if (bytes !== "") await sendAll(plain, bytesOf(bytes));
        else plain.close();
        const before = errors.length;
        assert(await eventually(() => errors.length > before || bytes === ""));
        if (bytes !== "") plain.close();
      }
      await assertRejects(() => connect(listener, { hostname: "other.test" }), TlsError);
      assert(await eventually(() => errors.length >= 4));
    } finally {
      console.error = print;
    }
    // Who has refused us may have been accepted before we knew.
    while (listener.stats().readyCount > 0) closeQuietly(await listener.accept());
    const [near, far] = await Promise.all([connect(listener), listener.accept()]);
    await echoOnce(near, far);
    closeQuietly(near);
    closeQuietly(far);
  });

  Deno.test(`listenTls() by "${provider}" ends by close and by signal`, async () => {
    const controller = new AbortController();
    for (const end of ["close", "abort"] as const) {
      const listener = open({ provider, signal: controller.signal });
      const waiting = assertRejects(() => listener.accept(), Deno.errors.BadResource);
      const silent = await connectPlain(listener);
      await eventually(() => listener.stats().silentCount + listener.stats().handshakeCount === 1);
      if (end === "close") listener.close();
      else controller.abort(new Error("enough"));
      await waiting;
      await listener[Symbol.asyncDispose]();
      // The runtime keeps the socket of a handshake that was given up: see runtime_facts_test.ts.
      if (provider === "node") {
        assertEquals(await silent.read(new Uint8Array(1)).catch(() => null), null);
      }
      silent.close();
    }
    assertThrows(() => open({ provider, signal: controller.signal }), Error, "enough");
  });
}

Deno.test("listenTls() serves others while a thousand clients stall", async () => {
  await using listener = open({ maxHandshakes: 4 });
  const hello = new Uint8Array(64);
  hello.set([22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]);
  const stalled = await Promise.all(Array.from({ length: 1_000 }, async (_, i) => {
    const connection = await connectPlain(listener);
    if (i % 2 === 0) await connection.write(hello);
    return connection;
  }));
  assert(await eventually(() => listener.stats().silentCount === 1_000));
  for (let i = 0; i < 5; i++) {
    const [near, far] = await Promise.all([connect(listener), listener.accept()]);
    await echoOnce(near, far);
    near.close();
    far.close();
  }
  assertEquals(listener.stats().silentCount, 1_000);
  for (const connection of stalled) connection.close();
  assert(await eventually(() => listener.stats().silentCount === 0));
});

Deno.test("listenTls() closes the one silent for the longest when there is no room", async () => {
  await using listener = open({ maxUnaccepted: 3 });
  const first = await connectPlain(listener);
  assert(await eventually(() => listener.stats().silentCount === 1));
  const others = [await connectPlain(listener), await connectPlain(listener)];
  assertEquals(await first.read(new Uint8Array(1)).catch(() => null), null);
  const [near, far] = await Promise.all([connect(listener), listener.accept()]);
  for (const connection of [first, ...others, near, far]) closeQuietly(connection);
});

Deno.test("listenTls() gives a silent client no longer than it is told", async () => {
  const clock = new ManualClock();
  const failed = Promise.withResolvers<unknown>();
  await using listener = open({
    handshakeTimeoutMs: 3_000,
    wheel: new DeadlineWheel(clock),
    onHandshakeError: failed.resolve,
  });
  const silent = await connectPlain(listener);
  assert(await eventually(() => clock.pendingCount > 0));
  clock.advance(3_200);
  const error = await failed.promise;
  assert(error instanceof TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["tls", 3_000]);
  silent.close();
});

Deno.test("listenTls() gives up a stalled handshake when others wait", async () => {
  const clock = new ManualClock();
  const certificates = new ServerCertificates({
    default: server,
    find: (name) => name === "slow.test" ? new Promise(() => {}) : undefined,
  });
  const failed = Promise.withResolvers<unknown>();
  await using listener = listenTls({
    ...HERE,
    certificates,
    maxHandshakes: 1,
    wheel: new DeadlineWheel(clock),
    onHandshakeError: failed.resolve,
  });
  const slow = assertRejects(() => connect(listener, { hostname: "slow.test" }));
  assert(await eventually(() => listener.stats().handshakeCount === 1));
  const both = Promise.all([connect(listener), listener.accept()]);
  assert(await eventually(() => listener.stats().silentCount === 0));
  // The second one is in line by now, or in a moment.
  assert(
    await eventually(() => {
      clock.advance(200);
      return listener.stats().failedCount === 1;
    }),
  );
  const [near, far] = await both;
  await slow;
  assertEquals((await failed.promise as { code: string }).code, "ERR_NET_LIMIT_EXCEEDED");
  near.close();
  far.close();
});

Deno.test("listenTls() gives new certificates to those who come after reload()", async () => {
  const { cert, key } = await issue(["localhost"]);
  await using listener = open();
  const [near, far] = await Promise.all([
    connect(listener, { peerChain: true }),
    listener.accept(),
  ]);
  assertThrows(() => listener.reload({ cert, key: server.key }), RangeError);
  assertThrows(() => listener.reload({ cert: "" }), TypeError);
  listener.reload({ cert, key });
  const [next, nextFar] = await Promise.all([
    connect(listener, { peerChain: true }),
    listener.accept(),
  ]);
  assertEquals(near.tlsInfo.peerCertificate, parseCertificates(server.cert)[0]!.raw);
  assertEquals(next.tlsInfo.peerCertificate, parseCertificates(cert)[0]!.raw);
  await echoOnce(near, far);
  for (const transport of [near, far, next, nextFar]) transport.close();
});

Deno.test("listenTls() chooses certificates by name, and refuses names that are not its own", async () => {
  const other = await issue(["other.test"]);
  const wild = await issue(["*.example.com"]);
  const certificates = new ServerCertificates({
    names: { "localhost": server, "*.example.com": wild },
    // Later, as from a file or over the network.
    find: (name) => Promise.resolve(name === "other.test" ? other : undefined),
  });
  const refused: unknown[] = [];
  await using listener = listenTls({
    ...HERE,
    certificates,
    onHandshakeError: (error) => refused.push(error),
  });
  for (
    const [hostname, own] of [
      ["localhost", server],
      ["a.example.com", wild],
      ["other.test", other],
      ["Other.Test", other],
    ] as const
  ) {
    const [near, far] = await Promise.all([connect(listener, { hostname }), listener.accept()]);
    assertEquals(far.tlsInfo.serverName, hostname.toLowerCase());
    assertEquals(near.tlsInfo.peerCertificate, parseCertificates(own.cert)[0]!.raw);
    near.close();
    far.close();
  }
  for (const hostname of ["nothing.test", "127.0.0.1"]) {
    const error = await assertRejects(() => connect(listener, { hostname }), TlsError);
    assertEquals([error.code, error.alert], ["ERR_TLS_HANDSHAKE", "unrecognized_name"]);
  }
  assert(await eventually(() => refused.length === 2));
  certificates.replace({ default: server });
  const [near, far] = await Promise.all([
    connect(listener, { hostname: "127.0.0.1" }),
    listener.accept(),
  ]);
  near.close();
  far.close();
});

Deno.test("listenTls() asks for client certificates", async () => {
  await using listener = open({
    clientCertificates: "required",
    clientCaCerts: [ca.certificatePem],
  });
  const [near, far] = await Promise.all([connect(listener, client), listener.accept()]);
  assertEquals(far.tlsInfo.peerCertificate, parseCertificates(client.cert)[0]!.raw);
  near.close();
  far.close();
  for (const own of [{}, stranger]) {
    const { failedCount } = listener.stats();
    const transport = await connect(listener, own).catch(() => undefined);
    assert(await eventually(() => listener.stats().failedCount > failedCount));
    if (transport !== undefined) {
      const end = await transport.read(new Uint8Array(1)).catch(() => null);
      assertEquals(end, null);
      closeQuietly(transport);
    }
  }
  assertEquals(listener.stats().readyCount, 0);
});

Deno.test("listenTls() takes a provider of the caller's, and bounds it too", async () => {
  const asked: string[] = [];
  const inTheClear: TlsProvider = {
    name: "in the clear",
    capabilities: { client: false, server: true, anyTransport: true },
    client: () => Promise.reject(new TypeError("none")),
    server: (transport, options) => {
      asked.push(...Object.keys(options));
      return Promise.resolve(
        Object.assign(transport, { tlsInfo: { alpnProtocol: undefined } }),
      );
    },
  };
  await using listener = open({ provider: inTheClear });
  const plain = await connectPlain(listener);
  const far = await listener.accept();
  assertEquals(asked, ["cert", "key", "signal"]);
  await echoOnce(plain, far);
  plain.close();
  far.close();
});

Deno.test("listenTls() refuses what cannot be", () => {
  for (
    const options of [
      { provider: "other" as "node" },
      { maxHandshakes: 0 },
      { maxHandshakes: 1.5 },
      { maxUnaccepted: 0 },
      { handshakeTimeoutMs: -1 },
      { port: -1 },
      { key: client.key },
    ]
  ) assertThrows(() => open(options), RangeError);
  for (
    const options of [
      { provider: denoProvider },
      { provider: "deno", minVersion: "TLSv1.3" },
      { provider: "deno", clientCertificates: "required", clientCaCerts: [ca.certificatePem] },
      { ciphers: "x" },
    ] as Partial<ListenTlsOptions>[]
  ) assertThrows(() => open(options), TlsUnsupportedError);
  const listener = open({ provider: "deno" });
  assertThrows(() => listener.reload(server), TlsUnsupportedError);
  listener.close();
  const { port } = listener.addr as Deno.NetAddr;
  assert(port > 0);
});

Deno.test("listenTls() throws what binding throws", async () => {
  await using listener = open();
  const { port } = listener.addr as Deno.NetAddr;
  for (const provider of ["node", "deno"] as const) {
    const error = assertThrows(() => open({ provider, port }));
    assert(error instanceof Deno.errors.AddrInUse);
  }
  assertStrictEquals(listener.stats().failedCount, 0);
});

Deno.test("listenTls() secures the connections of another listener, but not by deno", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assertThrows(
    () => listenTls({ listener, provider: "deno", ...server }),
    TlsUnsupportedError,
  );
  await using secured = listenTls({ listener, ...server });
  assertEquals(secured.addr, listener.addr);
  const [near, far] = await Promise.all([
    connectTls({
      hostname: "localhost",
      port: listener.addr.port,
      tls: { caCerts: [ca.certificatePem] },
    }),
    secured.accept(),
  ]);
  assertEquals(far.tlsInfo.serverName, "localhost");
  near.close();
  far.close();
});

Deno.test("listenTls() counts failures of accept, and goes on", async () => {
  const clock = new ManualClock();
  const listener = Deno.listen(HERE);
  const told: unknown[] = [];
  const reason = new Error("no descriptors");
  let isFailing = true;
  const source = {
    addr: listener.addr,
    accept: () => {
      if (!isFailing) return listener.accept();
      isFailing = false;
      return Promise.reject(reason);
    },
    close: () => listener.close(),
  };
  const onAcceptError = (error: unknown) => void told.push(error);
  await using secured = listenTls({ listener: source, clock, onAcceptError, ...server });
  assert(await eventually(() => secured.stats().acceptErrorCount === 1));
  assertEquals(told, [reason]);
  clock.advance(1_000);
  const [near, far] = await Promise.all([connect(secured), secured.accept()]);
  assertEquals(secured.stats().acceptErrorCount, 1);
  near.close();
  far.close();
});
