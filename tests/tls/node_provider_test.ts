import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { TlsClientOptions, TlsServerOptions, TlsTransport } from "../../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { parseCertificates } from "../../tls/certificate.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import { denoProvider } from "../../tls/deno_provider.ts";
import { TlsError } from "../../tls/errors.ts";
import { publicKeyPin } from "../../tls/fingerprint.ts";
import { nodeProvider } from "../../tls/node_provider.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, startPeer } from "../_support/peer.ts";
import { ca, client, issue, otherCa, server, stranger, tcpPair } from "../_support/tls_pki.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

const TRUST: TlsClientOptions = { hostname: "localhost", caCerts: [ca.certificatePem] };

/** Shakes hands on a connection; both ends are closed if one fails. */
async function shake(
  [near, far]: readonly [Transport, Transport],
  clientOptions: TlsClientOptions = TRUST,
  serverOptions: TlsServerOptions = server,
): Promise<[client: TlsTransport, server: TlsTransport]> {
  const both = await Promise.allSettled([
    nodeProvider.client(near, clientOptions),
    nodeProvider.server(far, serverOptions),
  ]);
  const failed = both.find((result) => result.status === "rejected");
  if (failed === undefined) {
    return both.map((result) => (result as PromiseFulfilledResult<TlsTransport>).value) as [
      TlsTransport,
      TlsTransport,
    ];
  }
  for (const result of both) if (result.status === "fulfilled") closeQuietly(result.value);
  throw failed.reason;
}

async function echo(from: Transport, to: Transport, text = "hello"): Promise<void> {
  const space = new Uint8Array(text.length);
  await Promise.all([sendAll(from, bytesOf(text)), recvExactly(to, space)]);
  assertEquals(space, bytesOf(text));
}

function closeBoth(...transports: readonly Transport[]): void {
  for (const transport of transports) closeQuietly(transport);
}

for (
  const { name, open } of [
    { name: "TCP", open: tcpPair },
    { name: "memory", open: () => Promise.resolve(memoryPipe()) },
  ]
) {
  Deno.test(`nodeProvider secures both ends over ${name}`, async () => {
    const options = { alpnProtocols: ["http/1.1"] };
    const [near, far] = await shake(await open(), { ...TRUST, ...options }, {
      ...server,
      ...options,
    });
    await echo(near, far);
    await echo(far, near, "x".repeat(100_000));
    const [leaf] = parseCertificates(server.cert);
    assertEquals(near.tlsInfo.peerCertificate, leaf!.raw);
    assertEquals(near.tlsInfo.peerChain, [leaf!.raw, ca.certificate.raw]);
    const { alpnProtocol, version, serverName, verifiedBy, resumed } = near.tlsInfo;
    assertEquals([alpnProtocol, version, serverName, verifiedBy, resumed], [
      "http/1.1",
      "TLSv1.3",
      "localhost",
      "nbio",
      false,
    ]);
    assertEquals([far.tlsInfo.alpnProtocol, far.tlsInfo.serverName, far.tlsInfo.verifiedBy], [
      "http/1.1",
      "localhost",
      "nobody",
    ]);
    closeBoth(near, far);
  });
}

Deno.test("nodeProvider.client() speaks to a listener of the runtime, and the other way round", async () => {
  const [near, far] = await tcpPair();
  const [secured, accepted] = await Promise.all([
    denoProvider.client(near, TRUST),
    nodeProvider.server(far, server),
  ]);
  await echo(secured, accepted);
  await echo(accepted, secured);
  closeBoth(secured, accepted);

  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const [ours, theirs] = await Promise.all([
    nodeProvider.client(plain, TRUST),
    (async () => {
      const connection = await listener.accept();
      await connection.handshake();
      return connection;
    })(),
  ]);
  await echo(ours, theirs);
  await echo(theirs, ours);
  closeBoth(ours, theirs);
});

Deno.test("nodeProvider secures TLS in TLS", async () => {
  const [outerNear, outerFar] = await shake(await tcpPair());
  const [near, far] = await shake([outerNear, outerFar]);
  await echo(near, far);
  closeBoth(near, far);
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`nodeProvider speaks ${version} if that is all it may`, async () => {
    const only = { minVersion: version, maxVersion: version };
    const [near, far] = await shake(await tcpPair(), { ...TRUST, ...only }, server);
    assertEquals([near.tlsInfo.version, far.tlsInfo.version], [version, version]);
    closeBoth(near, far);
    const [near2, far2] = await shake(await tcpPair(), TRUST, { ...server, ...only });
    assertEquals([near2.tlsInfo.version, far2.tlsInfo.version], [version, version]);
    closeBoth(near2, far2);
  });
}

Deno.test("nodeProvider.server() sends an alert if no version or protocol is in common", async () => {
  for (
    const [theirs, ours] of [
      [{ maxVersion: "TLSv1.2" }, { minVersion: "TLSv1.3" }],
      [{ alpnProtocols: ["http/1.1"] }, { alpnProtocols: ["h2"] }],
    ] as const
  ) {
    const [near, far] = await tcpPair();
    const refused = assertRejects(
      () => nodeProvider.server(far, { ...server, ...ours }),
      TlsError,
    );
    const error = await assertRejects(
      () => nodeProvider.client(near, { ...TRUST, ...theirs }),
      TlsError,
    );
    assertEquals((await refused).code, "ERR_TLS_HANDSHAKE");
    assertEquals(error.code, "ERR_TLS_HANDSHAKE");
    assert(error.alert === "protocol_version" || error.alert === "no_application_protocol");
  }
});

Deno.test("nodeProvider.client() refuses certificates that are not good", async () => {
  const unknown: TlsServerOptions = await issue(["localhost"], { ca: otherCa });
  const others: TlsServerOptions = await issue(["other.test"]);
  for (
    const { own, options, code } of [
      { own: unknown, options: TRUST, code: "ERR_X509_UNKNOWN_ISSUER" },
      { own: server, options: { hostname: "localhost" }, code: "ERR_X509_UNKNOWN_ISSUER" },
      { own: others, options: TRUST, code: "ERR_X509_NAME_MISMATCH" },
      { own: server, options: { ...TRUST, hostname: "127.0.0.2" }, code: "ERR_X509_NAME_MISMATCH" },
    ]
  ) {
    const error = await assertRejects(
      async () => await shake(await tcpPair(), options, own),
      TlsError,
    );
    assertEquals([error.code, error.phase, error.reason], ["ERR_TLS_CERTIFICATE", "verify", code]);
    assert(error.cause instanceof CertificateVerificationError);
  }
});

Deno.test("nodeProvider.client() sees no byte of a server it refuses, and sends it none", async () => {
  const [near, far] = await tcpPair();
  const accepted = nodeProvider.server(far, await issue(["other.test"]));
  await assertRejects(() => nodeProvider.client(near, TRUST), TlsError);
  const transport = await accepted;
  // It ends, cleanly or not, without a byte of the application.
  const count = await transport.read(new Uint8Array(16)).catch(() => null);
  assertEquals(count, null);
  closeBoth(transport);
});

Deno.test("nodeProvider.client() takes an address for a name of its own kind", async () => {
  const [near, far] = await shake(await tcpPair(), { ...TRUST, hostname: "127.0.0.1" });
  assertEquals([near.tlsInfo.serverName, far.tlsInfo.serverName], [undefined, undefined]);
  closeBoth(near, far);
});

Deno.test("nodeProvider.client() trusts exclusive CAs alone", async () => {
  const exclusive = { ...TRUST, exclusiveCas: true, caCerts: [otherCa.certificate.raw] };
  const error = await assertRejects(
    async () => await shake(await tcpPair(), exclusive),
    TlsError,
  );
  assertEquals(error.code, "ERR_TLS_CERTIFICATE");
  const [near, far] = await shake(await tcpPair(), { ...exclusive, caCerts: [ca.certificate.raw] });
  closeBoth(near, far);
});

Deno.test("nodeProvider.client() holds pins of the leaf and of the verified chain", async () => {
  const [leaf] = parseCertificates(server.cert);
  const leafPin = await publicKeyPin(leaf!.subjectPublicKeyInfo);
  const caPin = await publicKeyPin(ca.certificate.subjectPublicKeyInfo);
  const otherPin = await publicKeyPin(otherCa.certificate.subjectPublicKeyInfo);
  for (
    const pins of [
      { keys: [otherPin, leafPin] },
      { keys: [caPin], match: "chain" },
      { keys: [otherPin], backupKeys: [leafPin] },
      { keys: [otherPin], enforce: false },
    ] as const
  ) {
    closeBoth(...await shake(await tcpPair(), { ...TRUST, pins }));
  }
  const reports: unknown[] = [];
  const onReport = (report: unknown) => void reports.push(report);
  // A chain that is longer than it has to be: what was sent beside the path is not looked at.
  const padded = { ...server, cert: server.cert + otherCa.certificatePem };
  for (const pins of [{ keys: [caPin] }, { keys: [otherPin], match: "chain" }] as const) {
    const error = await assertRejects(
      async () => await shake(await tcpPair(), { ...TRUST, pins: { ...pins, onReport } }, padded),
      TlsError,
    );
    assertEquals([error.code, error.phase], ["ERR_TLS_PIN", "verify"]);
  }
  assertEquals(reports, [
    { type: "mismatch", hostname: "localhost", found: [leafPin] },
    { type: "mismatch", hostname: "localhost", found: [leafPin, caPin] },
  ]);
});

Deno.test("nodeProvider.client() asks verifyPeer, which can only refuse", async () => {
  const seen: number[] = [];
  const [near, far] = await shake(await tcpPair(), {
    ...TRUST,
    verifyPeer: ({ chain }) => void seen.push(chain.length),
  });
  closeBoth(near, far);
  assertEquals(seen, [2]);
  const reason = new Error("not today");
  const error = await assertRejects(
    async () =>
      await shake(await tcpPair(), { ...TRUST, verifyPeer: () => Promise.reject(reason) }),
    TlsError,
  );
  assertEquals(error.code, "ERR_TLS_REFUSED");
  assertStrictEquals(error.cause, reason);
  await assertRejects(
    async () =>
      await shake(await tcpPair(), { hostname: "localhost", verifyPeer: () => void seen.push(0) }),
    TlsError,
  );
  assertEquals(seen, [2]);
});

Deno.test("nodeProvider.client() gives verifyPeer no longer than the handshake", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const called = Promise.withResolvers<AbortSignal>();
  const [near, far] = await tcpPair();
  const failed = assertRejects(() =>
    nodeProvider.client(near, {
      ...TRUST,
      wheel,
      verifyPeer: ({ signal }) => {
        called.resolve(signal);
        return new Promise(() => {});
      },
    }), TimeoutError);
  const accepted = await nodeProvider.server(far, server);
  const signal = await called.promise;
  clock.advance(10_200);
  assertEquals([(await failed).phase, signal.aborted], ["tls", true]);
  closeBoth(accepted);
});

Deno.test("nodeProvider.client() takes what dangerous says", async () => {
  const others = await issue(["other.test"], { ca: otherCa });
  const [near, far] = await shake(await tcpPair(), {
    hostname: "localhost",
    dangerous: { skipVerification: true },
  }, others);
  assertEquals(near.tlsInfo.verifiedBy, "nobody");
  closeBoth(near, far);
  const named = await issue(["other.test"]);
  closeBoth(
    ...await shake(await tcpPair(), { ...TRUST, dangerous: { skipHostname: true } }, named),
  );
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  const only = { minVersion: version, maxVersion: version };
  const asking = { ...server, ...only, clientCaCerts: [ca.certificatePem] };
  const required = { ...asking, clientCertificates: "required" } as const;
  const optional = { ...asking, clientCertificates: "optional" } as const;

  Deno.test(`nodeProvider.server() verifies clients in ${version}`, async () => {
    const [leaf] = parseCertificates(client.cert);
    for (const options of [required, optional]) {
      const [near, far] = await shake(await tcpPair(), { ...TRUST, ...client }, options);
      assertEquals(far.tlsInfo.verifiedBy, "nbio");
      assertEquals(far.tlsInfo.peerChain, [leaf!.raw, ca.certificate.raw]);
      await echo(near, far);
      closeBoth(near, far);
    }
    const [near, far] = await shake(await tcpPair(), TRUST, optional);
    assertEquals([far.tlsInfo.verifiedBy, far.tlsInfo.peerChain], ["nobody", undefined]);
    closeBoth(near, far);
  });

  Deno.test(`nodeProvider.server() refuses clients without a good certificate in ${version}`, async () => {
    for (
      const { options, theirs } of [
        { options: required, theirs: {} },
        { options: required, theirs: stranger },
        { options: optional, theirs: stranger },
      ]
    ) {
      const [near, far] = await tcpPair();
      const refused = nodeProvider.server(far, options).then(() => undefined, (error) => error);
      const connected = nodeProvider.client(near, { ...TRUST, ...theirs });
      // In TLS 1.3 it is through before the server has looked.
      const transport = await connected.catch(() => undefined);
      const error = await refused;
      assert(error instanceof TlsError || error instanceof ConnectionClosedError);
      if (transport !== undefined) {
        const read = await transport.read(new Uint8Array(16)).catch((error) => error);
        assert(read === null || read instanceof Error);
        closeBoth(transport);
      }
    }
  });
}

Deno.test("nodeProvider.server() refuses a client certificate that is not for clients", async () => {
  const options = {
    ...server,
    clientCaCerts: [ca.certificatePem],
    clientCertificates: "required",
  } as const;
  await assertRejects(
    async () => await shake(await tcpPair(), { ...TRUST, ...server }, options),
    RangeError,
  );
});

Deno.test("a cut is an error to both, a goodbye is an end", async () => {
  for (const [cutter, other] of [[0, 1], [1, 0]] as const) {
    const ends = await tcpPair();
    const transports = await shake(ends);
    await echo(transports[cutter]!, transports[other]!);
    await sendAll(transports[cutter]!, bytesOf("last"));
    ends[cutter]!.close();
    const space = new Uint8Array(16);
    assertEquals(await transports[other]!.read(space), 4);
    await assertRejects(() => transports[other]!.read(space), ConnectionClosedError);
    closeBoth(...transports);
  }
  const [near, far] = await shake(await tcpPair());
  await sendAll(near, bytesOf("last"));
  await near.closeWrite();
  const space = new Uint8Array(16);
  assertEquals(await far.read(space), 4);
  assertEquals(await far.read(space), null);
  // The other direction is still open.
  await echo(far, near);
  await far.closeWrite();
  assertEquals(await near.read(space), null);
  closeBoth(near, far);
});

Deno.test("bytes that are no record, or one that is too long, are an error to either side", async () => {
  for (const [breaker, other] of [[0, 1], [1, 0]] as const) {
    for (const bytes of ["garbage garbage", "\x17\x03\x03\xff\xff" + "x".repeat(64)]) {
      const ends = await tcpPair();
      const transports = await shake(ends);
      await echo(transports[breaker]!, transports[other]!);
      await sendAll(ends[breaker]!, bytesOf(bytes));
      const error = await assertRejects(
        () => transports[other]!.read(new Uint8Array(16)),
        TlsError,
      );
      assertEquals(error.phase, "read");
      closeBoth(...transports);
    }
  }
});

Deno.test("nodeProvider.server() tells HTTP in the clear from garbage", async () => {
  for (
    const { sent, answer } of [
      { sent: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", answer: "HTTP/1.1 400" },
      { sent: "\x00\x01\x02\x03", answer: "" },
      { sent: "\x16\x03\x01\xff\xff" + "x".repeat(32), answer: "" },
      { sent: "\x16\x03\x01\x00\x00", answer: "" },
    ]
  ) {
    const [near, far] = await tcpPair();
    const failed = assertRejects(() => nodeProvider.server(far, server), TlsError);
    await sendAll(near, bytesOf(sent));
    const space = new Uint8Array(64);
    const count = await near.read(space).catch(() => null);
    near.close();
    assertEquals((await failed).code, "ERR_TLS_NOT_TLS");
    const text = String.fromCharCode(...space.subarray(0, count ?? 0));
    assertEquals(text.slice(0, answer.length || 64), answer);
  }
});

Deno.test("nodeProvider has a deadline on either side, and can be aborted", async () => {
  for (const side of ["client", "server"] as const) {
    const run = (transport: Transport, bounds: object): Promise<TlsTransport> =>
      side === "client"
        ? nodeProvider.client(transport, { ...TRUST, ...bounds })
        : nodeProvider.server(transport, { ...server, ...bounds });
    const clock = new ManualClock();
    const wheel = new DeadlineWheel(clock);
    const [near, far] = memoryPipe();
    const failed = assertRejects(() => run(near, { wheel }), TimeoutError);
    assert(await eventually(() => wheel.armedCount === 1));
    clock.advance(10_200);
    assertEquals((await failed).phase, "tls");
    far.close();

    const [one, two] = await tcpPair();
    const controller = new AbortController();
    const aborted = assertRejects(() => run(one, { signal: controller.signal }));
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await aborted, reason);
    two.close();
  }
});

Deno.test("nodeProvider ends when the peer leaves at any byte of the handshake", async () => {
  for (const bytes of [0, 1, 4, 5, 6, 20, 100, 200]) {
    const [near, far] = await tcpPair();
    const failed = assertRejects(() => nodeProvider.server(far, server));
    const hello = new Uint8Array(300);
    hello.set([22, 3, 1, 1, 0x27, 1, 0, 1, 0x23, 3, 3]);
    if (bytes > 0) await sendAll(near, hello.subarray(0, bytes));
    near.close();
    assert(await failed instanceof ConnectionClosedError);
  }
});

/** More turns than a whole handshake between two of ours takes. */
const MAX_TURNS = 60;

Deno.test("nodeProvider can be aborted at any moment, and leaves nothing behind", async () => {
  for (let turns = 0; turns < MAX_TURNS; turns++) {
    for (const side of ["client", "server"] as const) {
      const [near, far] = await tcpPair();
      const counted = new CountedSignal();
      const { signal } = counted;
      const reason = new Error("enough");
      const both = Promise.allSettled([
        nodeProvider.client(near, { ...TRUST, ...side === "client" && { signal } }),
        nodeProvider.server(far, { ...server, ...side === "server" && { signal } }),
      ]);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      counted.abort(reason);
      const results = await both;
      const own = results[side === "client" ? 0 : 1]!;
      if (own.status === "rejected") assertStrictEquals(own.reason, reason);
      for (const result of results) if (result.status === "fulfilled") closeQuietly(result.value);
      assertEquals(counted.listenerCount, 0);
    }
  }
});

Deno.test("close() says goodbye, over a socket and in memory, and rejects what waits at once", async () => {
  for (const [near, far] of [await tcpPair(), memoryPipe()]) {
    const [secured, accepted] = await Promise.all([
      nodeProvider.client(near!, { hostname: "localhost", caCerts: [ca.certificatePem] }),
      nodeProvider.server(far!, server),
    ]);
    const waiting = assertRejects(() => accepted.read(new Uint8Array(8)), Deno.errors.Interrupted);
    accepted.close();
    await waiting;
    assertThrows(() => accepted.close(), Deno.errors.BadResource);
    assertEquals(await secured.read(new Uint8Array(8)), null);
    secured.close();
  }
});

Deno.test("close() does not wait for a peer that takes nothing", async () => {
  const [near, far] = await tcpPair();
  const [secured, accepted] = await Promise.all([
    nodeProvider.client(near, { hostname: "localhost", caCerts: [ca.certificatePem] }),
    nodeProvider.server(far, server),
  ]);
  const writing = assertRejects(async () => {
    for (;;) await accepted.write(new Uint8Array(1_000_000));
  });
  await secured.read(new Uint8Array(1));
  accepted.close();
  await writing;
  secured.close();
});

Deno.test("nodeProvider.server() says that a client's certificate was not good, in both versions", async () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const [near, far] = await tcpPair();
    const clientCaCerts = [ca.certificatePem];
    const [asClient, asServer] = await Promise.allSettled([
      nodeProvider.client(near, { ...TRUST, ...stranger, maxVersion: version }),
      nodeProvider.server(far, { ...server, clientCertificates: "required", clientCaCerts }),
    ]);
    assert(asServer.status === "rejected" && asServer.reason instanceof TlsError);
    assertEquals([asServer.reason.code, asServer.reason.phase], ["ERR_TLS_CERTIFICATE", "verify"]);
    if (asClient.status === "fulfilled") closeQuietly(asClient.value);
  }
});

Deno.test({
  name: "nodeProvider.client() tells the alert that comes behind its handshake, whenever it comes",
  // The runtime sends none to a client whose certificate it refuses.
  ignore: !interopEnabled || !hasCommand("openssl"),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const paths = { cert: server.cert, key: server.key, ca: ca.certificatePem };
      for (const [name, text] of Object.entries(paths)) {
        await Deno.writeTextFile(`${folder}/${name}.pem`, text);
      }
      await using peer = startPeer("sh", [
        ...["-c", 'exec openssl s_server "$@" 2>/dev/null', "sh", "-accept", "127.0.0.1:0"],
        ...["-cert", `${folder}/cert.pem`, "-key", `${folder}/key.pem`, "-tls1_3", "-rev"],
        ...["-CAfile", `${folder}/ca.pem`, "-Verify", "2", "-verify_return_error"],
      ]);
      const [, port] = await peer.ready(/^ACCEPT 127\.0\.0\.1:(\d+)/);
      for (let count = 0; count < 10; count++) await refusedClient(Number(port), count % 2 === 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Is refused by a server; while it still verifies that one, or later. */
async function refusedClient(port: number, isWhileVerifying: boolean): Promise<void> {
  const { transport, ended } = watchReads(await Deno.connect({ hostname: "127.0.0.1", port }));
  const secured = await nodeProvider.client(transport, {
    ...TRUST,
    ...stranger,
    verifyPeer: async () => {
      if (isWhileVerifying) await ended;
    },
  });
  const space = new Uint8Array(16);
  for (const operation of ["read", "read", "write"] as const) {
    const error = await assertRejects(() => secured[operation](space), TlsError);
    assertEquals([error.phase, error.alert], ["read", "unknown_ca"]);
  }
  closeQuietly(secured);
}

/** Tells when a connection has been read to its end, or is closed. */
function watchReads(transport: Transport): { transport: Transport; ended: Promise<void> } {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const watched: Transport = {
    read: async (p) => {
      const count = await transport.read(p).catch(() => null);
      if (count === null) resolve();
      return count;
    },
    write: (p) => transport.write(p),
    closeWrite: () => transport.closeWrite(),
    close: () => {
      resolve();
      transport.close();
    },
    localAddr: transport.localAddr,
    remoteAddr: transport.remoteAddr,
  };
  return { transport: watched, ended };
}
