import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { dialHttp, type DialHttpOptions } from "../../http/dial.ts";
import { ConnectError } from "../../nbio/connect_error.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import type { DialAddress } from "../../nbio/dial.ts";
import { NetError, TimeoutError } from "../../nbio/errors.ts";
import type { HostResolver } from "../../nbio/host_resolver.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe, type MemoryTransport } from "../../nbio/testing_memory_pipe.ts";
import type { TlsClientOptions, TlsProvider } from "../../nbio/tls_provider.ts";
import { BlackHole, noBlackHole } from "../_support/black_hole.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { eventually } from "../_support/peer.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { acceptTls } from "../../tls/accept_tls.ts";
import { CA_CERT, LEAF_CERT, LEAF_KEY, startTlsServer } from "../_support/tls_server.ts";

/** A provider that secures nothing and notes what it was asked for. */
class FakeProvider implements TlsProvider {
  readonly name = "fake";
  readonly capabilities = { client: true, server: false, anyTransport: true };
  readonly asked: TlsClientOptions[] = [];

  client: TlsProvider["client"] = (transport, options) => {
    this.asked.push(options);
    return Promise.resolve(Object.assign(transport, { tlsInfo: { alpnProtocol: "http/1.1" } }));
  };

  server: TlsProvider["server"] = () => Promise.reject(new TypeError("No server's side"));
}

/** Options under which everything connects to memory, and what was connected to. */
function inMemory(): DialHttpOptions & { addresses: DialAddress[]; peers: MemoryTransport[] } {
  const addresses: DialAddress[] = [];
  const peers: MemoryTransport[] = [];
  return {
    addresses,
    peers,
    resolver: {
      lookup: (_host, { family } = {}) => Promise.resolve(family === 4 ? ["192.0.2.1"] : []),
    },
    connect: (address) => {
      addresses.push(address);
      const [near, far] = memoryPipe({ serverAddr: address });
      peers.push(far);
      return Promise.resolve(near);
    },
  };
}

const PLACES: readonly { url: string; port: number; hostname: string; tls?: string }[] = [
  { url: "http://192.0.2.7", hostname: "192.0.2.7", port: 80 },
  { url: "http://example.test/a?b#c", hostname: "192.0.2.1", port: 80 },
  { url: "ws://example.test:8080/", hostname: "192.0.2.1", port: 8080 },
  { url: "https://example.test", hostname: "192.0.2.1", port: 443, tls: "example.test" },
  { url: "wss://example.test:444", hostname: "192.0.2.1", port: 444, tls: "example.test" },
  {
    url: "https://user:secret@EXAMPLE.test./",
    hostname: "192.0.2.1",
    port: 443,
    tls: "example.test",
  },
  { url: "https://[2001:db8::1]:8443/", hostname: "2001:db8::1", port: 8443, tls: "2001:db8::1" },
  { url: "https://192.0.2.7/", hostname: "192.0.2.7", port: 443, tls: "192.0.2.7" },
  { url: "https://b\u00fccher.test/", hostname: "192.0.2.1", port: 443, tls: "xn--bcher-kva.test" },
];

for (const { url, hostname, port, tls } of PLACES) {
  Deno.test(`dialHttp() connects to ${url}`, async () => {
    const options = inMemory();
    const tlsProvider = new FakeProvider();
    const dialed = await dialHttp(url, { ...options, tlsProvider });
    assertEquals(options.addresses, [{ transport: "tcp", hostname, port }]);
    assertEquals(dialed.remoteAddr, { transport: "tcp", hostname, port });
    assertEquals(tlsProvider.asked.map(({ hostname }) => hostname), tls === undefined ? [] : [tls]);
    assertEquals(dialed.tlsInfo, tls === undefined ? undefined : { alpnProtocol: "http/1.1" });
    assertEquals(dialed.timings.tlsMs === undefined, tls === undefined);
    dialed.transport.close();
  });
}

Deno.test("dialHttp() takes a URL object, and hands TLS options to the provider", async () => {
  const { signal } = new AbortController();
  const tlsProvider = new FakeProvider();
  const wheel = new DeadlineWheel(new ManualClock());
  const { transport } = await dialHttp(new URL("https://example.test"), {
    ...inMemory(),
    tlsProvider,
    tlsTimeoutMs: 7,
    signal,
    wheel,
    tls: { caCerts: ["pem"], hostname: "other.test" },
  });
  assertEquals(tlsProvider.asked, [{
    hostname: "other.test",
    caCerts: ["pem"],
    alpnProtocols: ["http/1.1"],
    handshakeTimeoutMs: 7,
    signal,
    wheel,
  }]);
  transport.close();
});

Deno.test("dialHttp() gives a handshake 10 seconds by default", async () => {
  const tlsProvider = new FakeProvider();
  const { transport } = await dialHttp("wss://example.test", { ...inMemory(), tlsProvider });
  assertEquals(tlsProvider.asked, [{
    hostname: "example.test",
    alpnProtocols: ["http/1.1"],
    handshakeTimeoutMs: 10_000,
  }]);
  transport.close();
});

Deno.test("dialHttp() tells how long each step took", async () => {
  const clock = new ManualClock();
  const memory = inMemory();
  const resolver: HostResolver = {
    lookup(host, options) {
      if (options?.family === 6) clock.advance(30);
      return memory.resolver!.lookup(host, options);
    },
  };
  const tlsProvider = new FakeProvider();
  const { timings, transport } = await dialHttp("https://example.test", {
    ...memory,
    clock,
    resolver,
    connect: (address, bounds) => {
      clock.advance(5);
      return memory.connect!(address, bounds);
    },
    tlsProvider: {
      ...tlsProvider,
      client: (...args) => {
        clock.advance(7);
        return tlsProvider.client(...args);
      },
    },
  });
  assertEquals(timings, { resolveMs: 30, connectMs: 5, tlsMs: 7 });
  transport.close();
});

Deno.test("dialHttp() tells how long the system took to look up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const attempts: DialAddress[] = [];
  const [accepted, { transport, timings }] = await Promise.all([
    listener.accept(),
    dialHttp(`http://localhost:${listener.addr.port}`, { onAttempt: (at) => attempts.push(at) }),
  ]);
  assert(timings.resolveMs !== undefined && timings.resolveMs >= 0);
  assertEquals(timings.tlsMs, undefined);
  // The caller's own observer is told all the same.
  assert(attempts.some((at) => at.transport === "tcp" && at.hostname === "127.0.0.1"));
  transport.close();
  accepted.close();
});

Deno.test({
  name: "dialHttp() tells no time of a lookup that the runtime did",
  // Less than all of the network: the runtime has to be asked by name.
  permissions: { net: ["localhost", "127.0.0.1"] },
  async fn() {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [accepted, { transport, timings }] = await Promise.all([
      listener.accept(),
      dialHttp(`http://localhost:${listener.addr.port}`),
    ]);
    assertEquals(timings.resolveMs, undefined);
    assert(timings.connectMs >= 0);
    transport.close();
    accepted.close();
  },
});

Deno.test("dialHttp() counts a name that is looked up by the given family", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [accepted, { transport, timings, remoteAddr }] = await Promise.all([
    listener.accept(),
    dialHttp(`http://localhost:${listener.addr.port}`, { family: 4 }),
  ]);
  assert(timings.resolveMs !== undefined);
  assertEquals((remoteAddr as Deno.NetAddr).hostname, "127.0.0.1");
  transport.close();
  accepted.close();
});

Deno.test({
  name: "dialHttp() connects over a Unix socket, and secures it there",
  // Windows has none.
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/s`;
    {
      using listener = Deno.listen({ transport: "unix", path });
      const [accepted, { transport, remoteAddr, timings }] = await Promise.all([
        listener.accept(),
        dialHttp("http://example.test/", { path }),
      ]);
      assertEquals((remoteAddr as Deno.UnixAddr).path, path);
      assertEquals(timings.resolveMs, 0);
      transport.close();
      accepted.close();

      const tls = { hostname: "localhost", caCerts: [CA_CERT] };
      const [secured, dialed] = await Promise.all([
        listener.accept().then((conn) => acceptTls(conn, { cert: LEAF_CERT, key: LEAF_KEY })),
        dialHttp("https://example.test/", { path, tls }),
      ]);
      assertEquals(dialed.tlsInfo?.version, secured.tlsInfo.version);
      dialed.transport.close();
      secured.close();
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("dialHttp() secures a connection by the runtime", async () => {
  await using server = startTlsServer({ alpnProtocols: ["http/1.1"] });
  const dialed = await dialHttp(`https://localhost:${server.port}`, {
    family: 4,
    tls: { caCerts: [CA_CERT] },
  });
  assertEquals(dialed.tlsInfo?.alpnProtocol, "http/1.1");
  assertEquals((dialed.remoteAddr as Deno.NetAddr).port, server.port);
  assert(dialed.timings.tlsMs! >= 0);
  await sendAll(dialed.transport, bytesOf("hello"));
  assertEquals(await dialed.transport.read(new Uint8Array(16)), 5);
  dialed.transport.close();
});

Deno.test("dialHttp() fails where the certificate is for somebody else", async () => {
  await using server = startTlsServer();
  const error = await assertRejects(
    () =>
      dialHttp(`https://127.0.0.1:${server.port}`, {
        tls: { caCerts: [CA_CERT], hostname: "other.test" },
      }),
    NetError,
  );
  assertEquals(error.code, "ERR_TLS_CERTIFICATE");
});

Deno.test("dialHttp() gives a silent server the time of the handshake", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const failed = assertRejects(
    () => dialHttp(`https://127.0.0.1:${listener.addr.port}`, { tlsTimeoutMs: 3_000, wheel }),
    TimeoutError,
  );
  assert(await eventually(() => wheel.armedCount === 1));
  clock.advance(3_200);
  const error = await failed;
  assertEquals([error.phase, error.timeoutMs], ["tls", 3_000]);
  assertEquals(clock.pendingCount, 0);
});

Deno.test({
  name: "dialHttp() gives a host that does not answer the time of connecting",
  ignore: noBlackHole,
  async fn() {
    using hole = await BlackHole.open();
    const error = await assertRejects(
      () => dialHttp(`https://127.0.0.1:${hole.port}`, { connectTimeoutMs: 30 }),
      TimeoutError,
    );
    assertEquals([error.phase, error.timeoutMs], ["connect", 30]);
  },
});

Deno.test("dialHttp() fails where nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await assertRejects(() => dialHttp(`http://127.0.0.1:${port}`), ConnectError);
  assertEquals(error.code, "ERR_NET_CONNECT");
});

Deno.test("dialHttp() closes the connection if the provider fails", async () => {
  const memory = inMemory();
  const failure = new Error("from the provider");
  const tlsProvider = Object.assign(new FakeProvider(), { client: () => Promise.reject(failure) });
  const error = await assertRejects(() =>
    dialHttp("https://example.test", { ...memory, tlsProvider })
  );
  assertStrictEquals(error, failure);
  assertEquals(await memory.peers[0]!.read(new Uint8Array(1)), null);
});

Deno.test("dialHttp() can be aborted before and during every step", async () => {
  const reason = { text: "not even an Error" };
  for (const url of ["http://example.test", "https://example.test"]) {
    assertStrictEquals(
      await rejection(dialHttp(url, { ...inMemory(), signal: AbortSignal.abort(reason) })),
      reason,
    );
  }
  // By a resolver, a connection and a handshake that only end because they are told to.
  const hang = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const steps: DialHttpOptions[] = [
    { resolver: { lookup: (_host, options) => hang(options!.signal!) } },
    { connect: (_address, { signal }) => hang(signal) },
    {
      tlsProvider: Object.assign(new FakeProvider(), {
        client: (_: unknown, o: TlsClientOptions) => hang(o.signal!),
      }),
    },
  ];
  for (const step of steps) {
    const signal = new CountedSignal();
    const dialled = dialHttp("https://example.test", {
      ...inMemory(),
      signal: signal.signal,
      ...step,
    });
    const failed = rejection(dialled);
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal.abort(reason);
    assertStrictEquals(await failed, reason);
  }
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It did not reject");
}

const WRONG: readonly {
  name: string;
  url: string;
  options?: DialHttpOptions;
  type: typeof TypeError;
}[] = [
  { name: "a text that is no URL", url: "example.test", type: TypeError },
  { name: "another scheme", url: "ftp://example.test", type: TypeError },
  { name: "a scheme named like a property", url: "constructor:x", type: TypeError },
  { name: "port 0", url: "http://127.0.0.1:0", type: RangeError },
  {
    name: "a negative timeout",
    url: "http://127.0.0.1",
    options: { tlsTimeoutMs: -1 },
    type: RangeError,
  },
  {
    name: "a timeout that is no number",
    url: "http://127.0.0.1",
    options: { tlsTimeoutMs: NaN },
    type: RangeError,
  },
  { name: "an empty path", url: "http://127.0.0.1", options: { path: "" }, type: TypeError },
];

for (const { name, url, options, type } of WRONG) {
  Deno.test(`dialHttp() throws on ${name}`, async () => {
    await assertRejects(() => dialHttp(url, options), type);
  });
}
