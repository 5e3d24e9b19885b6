import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { dial } from "../../nbio/dial.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import type { TlsClientOptions, TlsPeer } from "../../nbio/tls_provider.ts";
import { parseCertificates } from "../../tls/certificate.ts";
import { publicKeyPin } from "../../tls/fingerprint.ts";
import { denoProvider } from "../../tls/deno_provider.ts";
import { TlsError, TlsUnsupportedError } from "../../tls/errors.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { eventually } from "../_support/peer.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { CA_CERT, LEAF_CERT, startTlsServer } from "../_support/tls_server.ts";

const LOCAL: TlsClientOptions = { hostname: "localhost", caCerts: [CA_CERT] };

/** Connects without TLS to a port of this machine. */
function connect(port: number): Promise<Transport> {
  return dial({ hostname: "127.0.0.1", port });
}

/** A server that speaks no TLS; `answer` has each connection until the test is over. */
function startPlainServer(
  answer: (connection: Deno.TcpConn) => void | Promise<void>,
): { port: number; accepted: Deno.TcpConn[] } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted: Deno.TcpConn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      accepted.push(connection);
      await answer(connection);
    }
  })();
  return {
    port: listener.addr.port,
    accepted,
    [Symbol.dispose](): void {
      listener.close();
      for (const connection of accepted) closeQuietly(connection);
      void accepting;
    },
  };
}

/** Whether a transport can still be closed, which it then is. */
function isOpen(transport: Transport): boolean {
  try {
    transport.close();
    return true;
  } catch {
    return false;
  }
}

for (const hostname of ["localhost", "example.test", "127.0.0.1", "::1"]) {
  Deno.test(`denoProvider.client() accepts a certificate that names ${hostname}`, async () => {
    await using server = startTlsServer();
    const transport = await denoProvider.client(await connect(server.port), {
      ...LOCAL,
      hostname,
    });
    assertEquals(transport.tlsInfo.alpnProtocol, undefined);
    await sendAll(transport, bytesOf("hello"));
    const space = new Uint8Array(16);
    assertEquals(await transport.read(space), 5);
    assertEquals(space.subarray(0, 5), bytesOf("hello"));
    transport.close();
  });
}

Deno.test("denoProvider.client() gives the very connection of the runtime", async () => {
  await using server = startTlsServer();
  const transport = await denoProvider.client(await connect(server.port), LOCAL);
  assertEquals(transport.constructor.name, "TlsConn");
  assertEquals((transport.remoteAddr as Deno.NetAddr).port, server.port);
  transport.close();
});

Deno.test("denoProvider.client() says which protocol was agreed on", async () => {
  await using server = startTlsServer({ alpnProtocols: ["h2", "http/1.1"] });
  const transport = await denoProvider.client(await connect(server.port), {
    ...LOCAL,
    alpnProtocols: ["http/1.1"],
  });
  const [leaf] = parseCertificates(LEAF_CERT);
  assertEquals(transport.tlsInfo, {
    alpnProtocol: "http/1.1",
    peerCertificate: leaf!.raw,
    verifiedBy: "runtime",
  });
  transport.close();
});

const REFUSED: readonly { name: string; options: TlsClientOptions }[] = [
  { name: "an issuer nobody trusts", options: { hostname: "localhost" } },
  { name: "another name", options: { ...LOCAL, hostname: "other.test" } },
  { name: "another address", options: { ...LOCAL, hostname: "127.0.0.2" } },
  {
    name: "a root that has not signed it",
    options: { hostname: "localhost", caCerts: [LEAF_CERT] },
  },
];

for (const { name, options } of REFUSED) {
  Deno.test(`denoProvider.client() refuses a certificate with ${name}`, async () => {
    await using server = startTlsServer();
    const plain = await connect(server.port);
    const error = await assertRejects(() => denoProvider.client(plain, options), TlsError);
    assertEquals(error.code, "ERR_TLS_CERTIFICATE");
    assert(error.cause instanceof Deno.errors.InvalidData);
    assert(!isOpen(plain));
  });
}

Deno.test("denoProvider.client() throws without a protocol in common", async () => {
  await using server = startTlsServer({ alpnProtocols: ["h2"] });
  const plain = await connect(server.port);
  const options = { ...LOCAL, alpnProtocols: ["http/1.1"] };
  const error = await assertRejects(() => denoProvider.client(plain, options), TlsError);
  assertEquals(error.code, "ERR_TLS_HANDSHAKE");
});

Deno.test("denoProvider.client() throws on a server that speaks no TLS", async () => {
  using server = startPlainServer(async (connection) => {
    await connection.write(bytesOf("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  const plain = await connect(server.port);
  const error = await assertRejects(() => denoProvider.client(plain, LOCAL), TlsError);
  assertEquals(error.code, "ERR_TLS_HANDSHAKE");
});

Deno.test("denoProvider.client() throws on a server that leaves during the handshake", async () => {
  using server = startPlainServer(async (connection) => {
    await connection.read(new Uint8Array(1_024));
    connection.close();
  });
  const plain = await connect(server.port);
  await assertRejects(() => denoProvider.client(plain, LOCAL), ConnectionClosedError);
});

Deno.test("denoProvider.client() gives a silent server no longer than it is told", async () => {
  using server = startPlainServer(() => {});
  const clock = new ManualClock();
  const options = { ...LOCAL, handshakeTimeoutMs: 5_000, wheel: new DeadlineWheel(clock) };
  const secured = denoProvider.client(await connect(server.port), options);
  const failed = assertRejects(() => secured, TimeoutError);
  clock.advance(4_900);
  clock.advance(300);
  const error = await failed;
  assertEquals([error.phase, error.timeoutMs], ["tls", 5_000]);
  assertEquals(clock.pendingCount, 0);
});

Deno.test("denoProvider.client() has a deadline unless it is switched off", async () => {
  using server = startPlainServer(() => {});
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const failed = assertRejects(
    async () => await denoProvider.client(await connect(server.port), { ...LOCAL, wheel }),
    TimeoutError,
  );
  assert(await eventually(() => wheel.armedCount === 1));
  clock.advance(10_200);
  assertEquals((await failed).timeoutMs, 10_000);

  const controller = new AbortController();
  const unbounded = denoProvider.client(await connect(server.port), {
    ...LOCAL,
    wheel,
    handshakeTimeoutMs: 0,
    signal: controller.signal,
  });
  assertEquals(wheel.armedCount, 0);
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => unbounded), reason);
});

/** More turns of the event loop than a handshake takes before it waits for the server. */
const MAX_TURNS = 40;

Deno.test("denoProvider.client() can be aborted at any moment", async () => {
  using server = startPlainServer(() => {});
  for (let turns = 0; turns < MAX_TURNS; turns++) {
    const signal = new CountedSignal();
    // Of the very class that would be explained, were it not the caller's own.
    const reason = new Deno.errors.InvalidData("mine");
    const plain = await connect(server.port);
    if (turns === 0) signal.abort(reason);
    const secured = denoProvider.client(plain, { ...LOCAL, signal: signal.signal });
    const failed = assertRejects(() => secured);
    for (let turn = 1; turn < turns; turn++) await Promise.resolve();
    if (turns > 0) signal.abort(reason);
    assertStrictEquals(await failed, reason);
    assertEquals(signal.listenerCount, 0);
    assert(!isOpen(plain));
  }
});

Deno.test("denoProvider.client() can be aborted while the server is silent", async () => {
  using server = startPlainServer(() => {});
  const controller = new AbortController();
  const secured = denoProvider.client(await connect(server.port), {
    ...LOCAL,
    signal: controller.signal,
  });
  const failed = assertRejects(() => secured);
  const [accepted] =
    (assert(await eventually(() => server.accepted.length === 1)), server.accepted);
  // The first bytes of the handshake have come: it waits for ours.
  assert((await accepted!.read(new Uint8Array(16)) ?? 0) > 0);
  const reason = { text: "not even an Error" };
  controller.abort(reason);
  assertStrictEquals(await failed, reason);
});

Deno.test("denoProvider.client() takes no connection but a plain one of the runtime", async () => {
  await using server = startTlsServer();
  const [memory] = memoryPipe();
  const secured = await denoProvider.client(await connect(server.port), LOCAL);
  const wrapped = await connect(server.port);
  const wrapper: Transport = {
    read: (p) => wrapped.read(p),
    write: (p) => wrapped.write(p),
    closeWrite: () => wrapped.closeWrite(),
    close: () => wrapped.close(),
    localAddr: wrapped.localAddr,
    remoteAddr: wrapped.remoteAddr,
  };
  for (const transport of [memory, secured, wrapper]) {
    const error = await assertRejects(
      () => denoProvider.client(transport, LOCAL),
      TlsUnsupportedError,
    );
    assertEquals([error.code, error.provider], ["ERR_TLS_UNSUPPORTED_TRANSPORT", "deno"]);
    assert(!isOpen(transport));
  }
});

Deno.test({
  name: "denoProvider.client() takes no Unix socket",
  // Windows has none.
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/s`;
    {
      using listener = Deno.listen({ transport: "unix", path });
      const [near, far] = await Promise.all([dial({ path }), listener.accept()]);
      const error = await assertRejects(
        () => denoProvider.client(near, LOCAL),
        TlsUnsupportedError,
      );
      assertEquals(error.code, "ERR_TLS_UNSUPPORTED_TRANSPORT");
      far.close();
    }
    await Deno.remove(folder, { recursive: true });
  },
});

const WRONG: readonly { name: string; options: object; type: typeof TypeError }[] = [
  { name: "an empty hostname", options: { hostname: "" }, type: TypeError },
  { name: "a hostname that is none", options: { hostname: "a b" }, type: TypeError },
  { name: "roots that are no PEM", options: { caCerts: ["xxx"] }, type: TypeError },
  { name: "an empty string of roots", options: { caCerts: [""] }, type: TypeError },
  {
    name: "a root that is no DER inside",
    options: { caCerts: ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] },
    type: TypeError,
  },
  {
    name: "a root that is cut",
    options: { caCerts: [`${CA_CERT}-----BEGIN CERTIFICATE-----\nMIIB\n`] },
    type: TypeError,
  },
  {
    name: "a key among the roots",
    options: { caCerts: ["-----BEGIN PRIVATE KEY-----\n"] },
    type: TypeError,
  },
  { name: "an empty protocol", options: { alpnProtocols: [""] }, type: RangeError },
  {
    name: "a protocol of 256 bytes",
    options: { alpnProtocols: ["x".repeat(256)] },
    type: RangeError,
  },
  { name: "a negative timeout", options: { handshakeTimeoutMs: -1 }, type: RangeError },
  { name: "a timeout that is no number", options: { handshakeTimeoutMs: NaN }, type: RangeError },
];

for (const { name, options, type } of WRONG) {
  Deno.test(`denoProvider.client() throws on ${name}`, async () => {
    await using server = startTlsServer();
    const plain = await connect(server.port);
    const wrong = { ...LOCAL, ...options } as TlsClientOptions;
    await assertRejects(() => denoProvider.client(plain, wrong), type);
    assert(!isOpen(plain));
  });
}

Deno.test("denoProvider.client() takes several roots in one string, and 255 bytes of a protocol", async () => {
  const protocol = "x".repeat(255);
  await using server = startTlsServer({ alpnProtocols: [protocol] });
  const transport = await denoProvider.client(await connect(server.port), {
    hostname: "localhost",
    caCerts: [`# two of them\n${LEAF_CERT}\n${CA_CERT}`],
    alpnProtocols: [protocol],
  });
  assertEquals(transport.tlsInfo.alpnProtocol, protocol);
  transport.close();
});

const BEYOND: readonly { option: string; options: Partial<TlsClientOptions> }[] = [
  { option: "cert", options: { cert: LEAF_CERT } },
  { option: "key", options: { key: "" } },
  { option: "exclusiveCas", options: { exclusiveCas: true } },
  { option: "peerChain", options: { peerChain: true } },
  { option: "pins.match", options: { pins: { keys: ["A".repeat(43) + "="], match: "chain" } } },
  { option: "minVersion", options: { minVersion: "TLSv1.3" } },
  { option: "maxVersion", options: { maxVersion: "TLSv1.2" } },
  { option: "dangerous.skipVerification", options: { dangerous: { skipVerification: true } } },
];

for (const { option, options } of BEYOND) {
  Deno.test(`denoProvider.client() refuses ${option}, and says who can honour it`, async () => {
    await using server = startTlsServer();
    const plain = await connect(server.port);
    const error = await assertRejects(
      () => denoProvider.client(plain, { ...LOCAL, ...options }),
      TlsUnsupportedError,
    );
    assertEquals([error.code, error.option, error.alternative], [
      "ERR_TLS_UNSUPPORTED_OPTION",
      option,
      "node",
    ]);
    assert(!isOpen(plain));
  });
}

Deno.test("denoProvider.client() refuses what it does not know", async () => {
  await using server = startTlsServer();
  const plain = await connect(server.port);
  const options = { ...LOCAL, ciphers: "any" } as TlsClientOptions;
  const error = await assertRejects(
    () => denoProvider.client(plain, options),
    TlsUnsupportedError,
  );
  assertEquals([error.code, error.option], ["ERR_TLS_UNSUPPORTED_OPTION", "ciphers"]);
  assert(!isOpen(plain));
});

Deno.test("denoProvider.client() holds pins of the leaf, and asks verifyPeer", async () => {
  await using server = startTlsServer();
  const [leaf] = parseCertificates(LEAF_CERT);
  const pin = await publicKeyPin(leaf!.subjectPublicKeyInfo);
  const seen: TlsPeer[] = [];
  const transport = await denoProvider.client(await connect(server.port), {
    ...LOCAL,
    pins: { keys: [pin] },
    verifyPeer: (peer) => void seen.push(peer),
  });
  transport.close();
  assertEquals(seen.map(({ hostname, certificate }) => [hostname, certificate]), [
    ["localhost", leaf!.raw],
  ]);
  for (
    const { options, code } of [
      { options: { pins: { keys: ["A".repeat(43) + "="] } }, code: "ERR_TLS_PIN" },
      { options: { verifyPeer: () => Promise.reject("no") }, code: "ERR_TLS_REFUSED" },
    ]
  ) {
    const plain = await connect(server.port);
    const error = await assertRejects(
      () => denoProvider.client(plain, { ...LOCAL, ...options }),
      TlsError,
    );
    assertEquals([error.code, error.phase], [code, "verify"]);
    assert(!isOpen(plain));
  }
});

Deno.test("denoProvider.client() takes another name where dangerous says so", async () => {
  await using server = startTlsServer();
  const transport = await denoProvider.client(await connect(server.port), {
    ...LOCAL,
    hostname: "other.test",
    dangerous: { skipHostname: true },
  });
  transport.close();
});

Deno.test("denoProvider.server() says that there is none", async () => {
  const [near] = memoryPipe();
  assertEquals(denoProvider.capabilities, {
    client: true,
    server: false,
    anyTransport: false,
    peerCertificates: "leaf",
  });
  const error = await assertRejects(
    () => denoProvider.server(near, { cert: LEAF_CERT, key: "" }),
    TlsUnsupportedError,
  );
  assertEquals([error.code, error.provider], ["ERR_TLS_UNSUPPORTED_ROLE", "deno"]);
  assert(!isOpen(near));
});
