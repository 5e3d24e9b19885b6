/**
 * What the runtime does and hides, on which the design of `tls` rests. Each is a test, so that a later
 * runtime that changes one is noticed: then the note beside it says what may become simpler.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { decodeBase64, decodeBase64Url } from "@std/encoding";
import { serve } from "../../http/serve.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { parseCertificates } from "../../tls/certificate.ts";
import {
  encodeCertificate,
  encodeEcdsaSignature,
  signingAlgorithmOf,
} from "../../tls/certificate_builder.ts";
import { connectTls } from "../../tls/connect_tls.ts";
import { DerWriter } from "../../tls/der_writer.ts";
import { listenTls } from "../../tls/listen_tls.ts";
import { formatPem } from "../../tls/pem.ts";
import { transportDuplex } from "../../tls/transport_duplex.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, runPeer, startPeer } from "../_support/peer.ts";
import { ca, client, issue, otherCa, server, stranger, tcpPair } from "../_support/tls_pki.ts";

const TRUST = { hostname: "localhost", caCerts: [ca.certificatePem] };

/** A handshake of the runtime with itself. */
async function denoPair(
  options: Partial<Deno.StartTlsOptions> = {},
): Promise<[client: Deno.TlsConn, server: Deno.TlsConn]> {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const near = await Deno.startTls(plain, { ...TRUST, ...options });
  const far = await listener.accept();
  await Promise.all([near.handshake(), far.handshake()]);
  return [near, far];
}

/** Tells how a handshake of `node:tls` ends at a server of Deno. */
async function nodeOutcome(
  options: tls.ConnectionOptions,
  own: { cert: string; key: string } = server,
): Promise<string> {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...own });
  const accepting = listener.accept();
  const socket = tls.connect({
    host: "127.0.0.1",
    port: listener.addr.port,
    servername: "localhost",
    ...options,
  });
  const outcome = await new Promise<string>((resolve) => {
    socket.once("secureConnect", () => resolve("connected"));
    socket.once("error", (error) => resolve((error as { code?: string }).code ?? error.message));
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.destroy();
  (await accepting).close();
  await closed;
  return outcome;
}

/** Looks for a member in an object and all it inherits. */
function hasMember(object: object, name: string): boolean {
  return name in object;
}

Deno.test("fact: TLS connections of the runtime cannot switch Nagle's algorithm off", async () => {
  const [near, far] = await denoPair();
  assertEquals([hasMember(near, "setNoDelay"), hasMember(far, "setNoDelay")], [false, false]);
  near.close();
  far.close();
});

Deno.test("fact: the runtime's client refuses what is not good, and names it in a text", async () => {
  for (
    const { options, text } of [
      { options: { caCerts: [] }, text: "UnknownIssuer" },
      { options: { hostname: "other.test" }, text: "not valid for name" },
    ]
  ) {
    using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...server });
    const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    const near = await Deno.startTls(plain, { ...TRUST, ...options });
    const far = await listener.accept();
    const refused = assertRejects(() => far.handshake());
    const error = await assertRejects(() => near.handshake(), Deno.errors.InvalidData);
    assert(
      error.message.startsWith("invalid peer certificate") && error.message.includes(text),
      error.message,
    );
    await refused;
    near.close();
    far.close();
  }
});

Deno.test("fact: startTls drops cert and key in silence", async () => {
  const [near, far] = await tcpPair();
  const raw = await transportDuplex(far);
  const nodeServer = tls.createServer({
    ...server,
    ca: ca.certificatePem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const shown = new Promise<unknown>((resolve) =>
    nodeServer.once("secureConnection", (socket) => {
      resolve(socket.getPeerCertificate().raw);
      socket.destroy();
    })
  );
  nodeServer.emit("connection", raw);
  const secured = await Deno.startTls(near, { ...TRUST, ...client } as Deno.StartTlsOptions);
  await secured.handshake();
  assertEquals(await shown, undefined);
  secured.close();
  raw.destroy();
});

Deno.test("fact: garbage and DER among caCerts are dropped in silence", async () => {
  const der = String.fromCharCode(...ca.certificate.raw);
  for (const bad of ["garbage", der]) {
    const outcome = await denoPair({ caCerts: [bad, ca.certificatePem] })
      .then(([near, far]) => (near.close(), far.close(), "connected"), (error) => error.name);
    assertEquals(outcome, "connected");
  }
});

Deno.test("fact: the peer's certificate is behind a symbol, the leaf alone, after the handshake", async () => {
  const [near, far] = await denoPair();
  const prototype = Object.getPrototypeOf(near);
  const symbols = Object.getOwnPropertySymbols(prototype)
    .filter(({ description }) => description === "getPeerCertificate");
  assertEquals(symbols.length, 1);
  const shown = (near as unknown as Record<symbol, (detailed: boolean) => Record<string, unknown>>)[
    symbols[0]!
  ]!(true);
  assertEquals(shown.raw, new Uint8Array(parseCertificates(server.cert)[0]!.raw));
  assertEquals(shown.issuerCertificate, undefined);
  near.close();
  far.close();
});

Deno.test("fact: before the handshake no certificate is shown", async () => {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const near = await Deno.startTls(plain, TRUST);
  const symbol = Object.getOwnPropertySymbols(Object.getPrototypeOf(near))
    .find(({ description }) => description === "getPeerCertificate")!;
  const shown = near as unknown as Record<symbol, () => { raw?: unknown } | null | undefined>;
  assertEquals(shown[symbol]!()?.raw, undefined);
  near.close();
  (await listener.accept()).close();
});

Deno.test("fact: the handshake tells the protocol and nothing else", async () => {
  const [near, far] = await denoPair();
  assertEquals(Object.keys(await near.handshake()), ["alpnProtocol"]);
  near.close();
  far.close();
});

Deno.test("fact: a cut without close_notify is UnexpectedEof to the runtime", async () => {
  const [near, far] = await tcpPair();
  const raw = await transportDuplex(far);
  const nodeServer = tls.createServer(server);
  const connected = new Promise<tls.TLSSocket>((resolve) =>
    nodeServer.once("secureConnection", resolve)
  );
  nodeServer.emit("connection", raw);
  const secured = await Deno.startTls(near, TRUST);
  await secured.handshake();
  await connected;
  raw.destroy();
  await assertRejects(() => secured.read(new Uint8Array(1)), Deno.errors.UnexpectedEof);
  secured.close();
});

Deno.test("fact: a cut without close_notify is a clean end to node:tls", async () => {
  const [near, far] = await tcpPair();
  const [nearRaw, farRaw] = await Promise.all([transportDuplex(near), transportDuplex(far)]);
  const nodeServer = tls.createServer(server);
  nodeServer.emit("connection", farRaw);
  const socket = tls.connect({
    socket: nearRaw,
    servername: "localhost",
    rejectUnauthorized: false,
  });
  const seen: string[] = [];
  for (const name of ["end", "error"]) socket.on(name, () => seen.push(name));
  await new Promise<void>((resolve) => socket.once("secureConnect", () => resolve()));
  socket.resume();
  farRaw.destroy();
  assert(await eventually(() => seen.length > 0));
  assertEquals(seen[0], "end");
  socket.destroy();
  nearRaw.destroy();
});

Deno.test("fact: in TLS 1.3 a refused client certificate shows on the first read", async () => {
  const [near, far] = await tcpPair();
  const [nearRaw, farRaw] = await Promise.all([transportDuplex(near), transportDuplex(far)]);
  const nodeServer = tls.createServer({
    ...server,
    ca: ca.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const refused = new Promise((resolve) => nodeServer.once("tlsClientError", resolve));
  nodeServer.emit("connection", farRaw);
  const socket = tls.connect({
    socket: nearRaw,
    servername: "localhost",
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
    ...stranger,
  });
  const ended = new Promise<void>((resolve) => {
    for (const name of ["end", "error", "close"]) socket.once(name, () => resolve());
  });
  await new Promise<void>((resolve) => socket.once("secureConnect", () => resolve()));
  await refused;
  socket.resume();
  await ended;
  socket.destroy();
  nearRaw.destroy();
  farRaw.destroy();
});

Deno.test("fact: a CA's certificate is refused as a server's", async () => {
  const own = { cert: ca.certificatePem, key: ca.privateKeyPem };
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...own });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const near = await Deno.startTls(plain, TRUST);
  const far = await listener.accept();
  const refused = assertRejects(() => far.handshake());
  const error = await assertRejects(() => near.handshake(), Deno.errors.InvalidData);
  assert(error.message.includes("CaUsedAsEndEntity"));
  await refused;
  near.close();
  far.close();
});

Deno.test("fact: accept gives a connection before its client has said a word", async () => {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  (await listener.accept()).close();
  plain.close();
});

Deno.test("fact: a handshake that is given up at the server keeps its socket", async () => {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const far = await listener.accept();
  const given = assertRejects(() => far.handshake(), Deno.errors.Interrupted);
  // The handshake has begun to read.
  await Promise.resolve();
  far.close();
  await given;
  let isClosed = false;
  const read = plain.read(new Uint8Array(1)).then(() => isClosed = true, () => {});
  // Proof of absence: what goes over another connection meanwhile is long there.
  const [near, other] = await tcpPair();
  for (let i = 0; i < 20; i++) {
    await near.write(new Uint8Array(1));
    await other.read(new Uint8Array(1));
  }
  assertEquals(isClosed, false);
  for (const connection of [plain, near, other]) connection.close();
  await read;
});

/** Milliseconds from connecting to the answer of one small exchange, the least of several. */
async function firstAnswerMs(
  listener: { accept(): Promise<Transport> },
  connect: () => Promise<Transport>,
): Promise<number> {
  const times: number[] = [];
  const buffer = new Uint8Array(64);
  for (let count = 0; count < 5; count++) {
    const startMs = performance.now();
    const accepting = listener.accept();
    const near = await connect();
    const [far] = await Promise.all([accepting, near.write(new Uint8Array(16))]);
    await far.read(buffer);
    await far.write(new Uint8Array(16));
    await near.read(buffer);
    times.push(performance.now() - startMs);
    near.close();
    far.close();
  }
  return Math.min(...times);
}

Deno.test("fact: the first answer on each connection of the runtime stalls, and ours does not", async () => {
  using bare = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  const { port } = bare.addr;
  const options = { hostname: "localhost", port, caCerts: [ca.certificatePem] };
  const bareMs = await firstAnswerMs(bare, () => Deno.connectTls(options));
  await using listener = listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  const ours = { hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port, tls: TRUST };
  const oursMs = await firstAnswerMs(listener, () => connectTls(ours));
  assert(bareMs > 35, `${bareMs}`);
  assert(oursMs < 35, `${oursMs}`);
});

Deno.test("fact: node:tls gives a silent client up, over any stream", async () => {
  const [near, far] = await tcpPair();
  const raw = await transportDuplex(far);
  const nodeServer = tls.createServer({ ...server, handshakeTimeout: 50 });
  const failed = new Promise((resolve) => nodeServer.once("tlsClientError", resolve));
  nodeServer.emit("connection", raw);
  // Node's own has a code.
  assertEquals((await failed as { code?: string }).code, undefined);
  raw.destroy();
  near.close();
});

Deno.test("fact: sessions are resumed by fetch, and by no other client of the runtime", async () => {
  const seen: (boolean | undefined)[] = [];
  await using https = serve((ctx) => {
    seen.push(ctx.tlsInfo?.resumed);
    ctx.set("connection", "close");
    ctx.text("hello");
  }, { hostname: "127.0.0.1", port: 0, tls: server });
  const { port } = https.addr as Deno.NetAddr;
  using agent = Deno.createHttpClient({ caCerts: [ca.certificatePem] });
  for (let count = 0; count < 2; count++) {
    await (await fetch(`https://localhost:${port}/`, { client: agent })).text();
  }
  for (let count = 0; count < 2; count++) {
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    const secured = await Deno.startTls(plain, TRUST);
    await secured.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    const buffer = new Uint8Array(4_096);
    while (await secured.read(buffer) !== null);
    secured.close();
  }
  assertEquals(seen, [false, true, false, false]);
});

Deno.test("fact: getFinished() is not what TLS 1.2 has sent, and so no tls-unique", async () => {
  const [near, far] = await tcpPair();
  const [nearRaw, farRaw] = await Promise.all([transportDuplex(near), transportDuplex(far)]);
  const nodeServer = tls.createServer({ ...server, maxVersion: "TLSv1.2" });
  const accepted = new Promise<tls.TLSSocket>((resolve) =>
    nodeServer.once("secureConnection", resolve)
  );
  nodeServer.emit("connection", farRaw);
  const socket = tls.connect({ socket: nearRaw, rejectUnauthorized: false });
  await new Promise<void>((resolve) => socket.once("secureConnect", () => resolve()));
  const peer = await accepted;
  assertEquals(socket.getFinished(), peer.getPeerFinished());
  // RFC 5246 section 7.4.9: it would have 12.
  assertEquals(socket.getFinished()?.length, 32);
  for (const stream of [socket, peer, nearRaw, farRaw]) stream.destroy();
});

Deno.test("fact: SSLKEYLOGFILE works if it is set before the process begins", async () => {
  const path = await Deno.makeTempFile();
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  try {
    const accepting = listener.accept();
    const script = `const tls = await Deno.connectTls({ hostname: "localhost",
      port: ${listener.addr.port}, caCerts: [Deno.env.get("CA")] });
      await tls.handshake(); tls.close();`;
    const env = { SSLKEYLOGFILE: path, CA: ca.certificatePem };
    const [{ code }, far] = await Promise.all([
      runPeer(Deno.execPath(), ["eval", script], { env }),
      accepting.then(async (connection) => {
        await connection.handshake();
        return connection;
      }),
    ]);
    far.close();
    assertEquals(code, 0);
    assert((await Deno.readTextFile(path)).includes("CLIENT_HANDSHAKE_TRAFFIC_SECRET"));
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("fact: startTls refuses a connection with a read under way", async () => {
  const [near, far] = await tcpPair();
  const reading = near.read(new Uint8Array(8)).catch(() => null);
  await assertRejects(() => Deno.startTls(near, TRUST), Deno.errors.Busy);
  // And it is gone with that.
  far.close();
  assertEquals(await reading, null);
});

Deno.test("fact: Unix and TLS connections cannot be secured by startTls", async () => {
  const [near, far] = await denoPair();
  await assertRejects(
    async () => await Deno.startTls(near as unknown as Deno.TcpConn, TRUST),
    Deno.errors.BadResource,
  );
  try {
    near.close();
  } catch {
    // Taken away by the attempt.
  }
  far.close();
});

Deno.test({
  name: "fact: Unix connections cannot be secured by startTls",
  // Windows has none.
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/s`;
    try {
      using listener = Deno.listen({ transport: "unix", path });
      const [near, far] = await Promise.all([
        Deno.connect({ transport: "unix", path }),
        listener.accept(),
      ]);
      await assertRejects(
        async () => await Deno.startTls(near as unknown as Deno.TcpConn, TRUST),
        Deno.errors.BadResource,
      );
      closeQuietly(near);
      far.close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("fact: node:tls reads a list of revoked certificates and lets them in", async () => {
  const crl = await revoke(server.cert);
  assertEquals(await nodeOutcome({ ca: ca.certificatePem, crl }), "connected");
});

/** A list of the CA that has one certificate on it (RFC 5280 section 5.1). */
async function revoke(cert: string): Promise<string> {
  const { serialNumber } = parseCertificates(cert)[0]!;
  const { subject, subjectPublicKeyInfo } = ca.certificate;
  const { der, signParameters } = signingAlgorithmOf(subjectPublicKeyInfo)!;
  const writer = new DerWriter();
  writer.writeSequence(() => {
    writer.writeInteger(1);
    writer.writeRaw(der);
    writer.writeRaw(subject.raw);
    writer.writeTime(Date.now() - 60_000);
    writer.writeTime(Date.now() + 3_600_000);
    writer.writeSequence(() =>
      writer.writeSequence(() => {
        writer.writeInteger(serialNumber);
        writer.writeTime(Date.now() - 60_000);
      })
    );
  });
  const list = writer.finish();
  const signature = new Uint8Array(await crypto.subtle.sign(signParameters, ca.privateKey, list));
  // A list is put together as a certificate is.
  const signed = encodeCertificate(list, der, encodeEcdsaSignature(signature));
  return formatPem("X509 CRL", signed);
}

Deno.test("fact: node:tls drops ciphers, sigalgs and ecdhCurve in silence", async () => {
  const base = { ca: ca.certificatePem };
  for (
    const options of [
      { ciphers: "NO-SUCH-CIPHER" },
      { sigalgs: "no_such_algorithm" },
      { ecdhCurve: "no-such-curve" },
    ]
  ) assertEquals(await nodeOutcome({ ...base, ...options }), "connected");
});

Deno.test("fact: certificates of node:tls over a stream, chosen later, are never waited for", async () => {
  const [near, far] = await tcpPair();
  const raw = await transportDuplex(far);
  const asked = Promise.withResolvers<void>();
  const nodeServer = tls.createServer({
    ...server,
    SNICallback: (_name, callback) => {
      setTimeout(() => {
        callback(null, tls.createSecureContext(server));
        asked.resolve();
      });
    },
  });
  nodeServer.on("tlsClientError", () => {});
  nodeServer.emit("connection", raw);
  let isDone = false;
  const secured = await Deno.startTls(near, TRUST);
  const handshake = secured.handshake().then(() => isDone = true, () => {});
  await asked.promise;
  const [one, other] = await tcpPair();
  for (let i = 0; i < 20; i++) {
    await one.write(new Uint8Array(1));
    await other.read(new Uint8Array(1));
  }
  assertEquals(isDone, false);
  raw.destroy();
  await handshake;
  for (const connection of [secured, one, other]) connection.close();
});

Deno.test("fact: roots that are given are added to the others, never instead of them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/ca.pem`, ca.certificatePem);
    using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...server });
    const { port } = listener.addr;
    // DENO_CERT stands for the roots of the system.
    const code = `const c = await Deno.connect({ hostname: "127.0.0.1", port: ${port} });
      const t = await Deno.startTls(c, { hostname: "localhost", caCerts: ${
      JSON.stringify([otherCa.certificatePem])
    } });
      await t.handshake(); console.log("connected"); Deno.exit();`;
    const running = runPeer(Deno.execPath(), ["eval", code], {
      env: { DENO_CERT: `${folder}/ca.pem` },
    });
    const accepted = await listener.accept();
    await accepted.handshake();
    assertEquals((await running).text, "connected\n");
    accepted.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("fact: node:tls with a ca of its own takes what a strict client refuses", async () => {
  const own = { cert: ca.certificatePem, key: ca.privateKeyPem };
  const options = { ca: ca.certificatePem, checkServerIdentity: () => undefined };
  assertEquals(await nodeOutcome(options, own), "connected");
});

Deno.test({
  name: "fact: node:tls verifies that a server has the key, even if it verifies nothing else",
  // openssl takes a key whose public half is another's; nothing else here does.
  ignore: !interopEnabled || !hasCommand("openssl"),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const other = await issue(["localhost"]);
      await Deno.writeTextFile(`${folder}/cert.pem`, server.cert);
      await Deno.writeTextFile(`${folder}/key.pem`, await mismatched(server.cert, other.key));
      await using peer = startPeer("openssl", [
        "s_server",
        "-accept",
        "127.0.0.1:0",
        "-cert",
        `${folder}/cert.pem`,
        "-key",
        `${folder}/key.pem`,
      ]);
      const [, port] = await peer.ready(/^ACCEPT 127\.0\.0\.1:(\d+)/);
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const socket = tls.connect({
          host: "127.0.0.1",
          port: Number(port),
          servername: "localhost",
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
        });
        const closed = new Promise((resolve) => socket.once("close", resolve));
        const outcome = await new Promise((resolve) => {
          socket.once("secureConnect", () => resolve("connected"));
          socket.once("error", () => resolve("refused"));
        });
        socket.destroy();
        await closed;
        assertEquals(outcome, "refused");
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** A key in the form of RFC 5915 whose private half is one's and whose public half another's. */
async function mismatched(cert: string, key: string): Promise<string> {
  const pkcs8 = decodeBase64(key.replace(/-----.*?-----|\s/g, ""));
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const imported = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]);
  const { d } = await crypto.subtle.exportKey("jwk", imported);
  const { publicKey } = parseCertificates(cert)[0]!.subjectPublicKeyInfo;
  const curve = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
  const body = [
    ...[0x02, 1, 1, 0x04, 32],
    ...decodeBase64Url(d!),
    ...[0xa0, curve.length],
    ...curve,
    ...[0xa1, 68, 0x03, 66, 0],
    ...publicKey,
  ];
  return formatPem("EC PRIVATE KEY", new Uint8Array([0x30, body.length, ...body]));
}

/** How a client of `node:tls` fares with a server over a pair of connections. */
async function shakeNode(
  accept: (raw: Duplex) => Promise<tls.TLSSocket>,
  options: tls.ConnectionOptions = {},
): Promise<{ near: tls.TLSSocket; far: tls.TLSSocket } & Disposable> {
  const [one, other] = await tcpPair();
  const raws = await Promise.all([transportDuplex(one), transportDuplex(other)]);
  const [nearRaw, farRaw] = raws;
  for (const raw of raws) raw.on("error", () => {});
  const accepting = accept(farRaw);
  const near = tls.connect({
    socket: nearRaw,
    servername: "localhost",
    rejectUnauthorized: false,
    ...options,
  });
  near.on("error", () => {});
  const dispose = (): void => {
    near.destroy();
    for (const raw of raws) raw.destroy();
  };
  try {
    const far = await accepting;
    far.on("error", () => {});
    if (near.getProtocol() === null || near.connecting) await once(near, "secureConnect");
    return { near, far, [Symbol.dispose]: () => (far.destroy(), dispose()) };
  } catch (error) {
    dispose();
    throw error;
  }
}

function once(socket: Duplex, name: string): Promise<void> {
  return new Promise((resolve) => socket.once(name, () => resolve()));
}

/** The secured connection of a server over a stream, or why there is none. */
function emitted(nodeServer: tls.Server): (raw: Duplex) => Promise<tls.TLSSocket> {
  return (raw) =>
    new Promise((resolve, reject) => {
      nodeServer.once("secureConnection", resolve).once("tlsClientError", reject);
      nodeServer.emit("connection", raw);
    });
}

const ASKING = { ...server, ca: ca.certificatePem, requestCert: true, rejectUnauthorized: true };

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`fact: node:tls verifies clients over a stream, and what they may sign for, in ${version}`, async () => {
    const versions = { minVersion: version, maxVersion: version };
    const accept = () => emitted(tls.createServer({ ...ASKING, ...versions }));
    {
      using both = await shakeNode(accept(), client);
      assertEquals([both.far.authorized, both.far.getProtocol()], [true, version]);
    }
    // Of another CA; for servers only; none.
    for (const own of [stranger, server, {}]) {
      await assertRejects(() => shakeNode(accept(), own));
    }
  });
}

Deno.test("fact: a TLSSocket made by hand wants a certificate and lets in any", async () => {
  const byHand = (raw: Duplex): Promise<tls.TLSSocket> => {
    const secureContext = tls.createSecureContext({ ...server, ca: ca.certificatePem });
    const socket = new tls.TLSSocket(raw as Socket, {
      isServer: true,
      secureContext,
      requestCert: true,
      rejectUnauthorized: true,
    });
    return Promise.resolve(socket);
  };
  using both = await shakeNode(byHand, stranger);
  both.far.write("hello");
  await once(both.near, "readable");
  assertEquals(String(both.near.read()), "hello");
  const shown = new Uint8Array(both.far.getPeerCertificate().raw);
  assertEquals(shown, new Uint8Array(parseCertificates(stranger.cert)[0]!.raw));
});

Deno.test("fact: addContext knows wildcards, setSecureContext is for those who come", async () => {
  const [wild, next] = await Promise.all([issue(["*.wild.test"]), issue(["localhost"])]);
  const nodeServer = tls.createServer(server);
  nodeServer.addContext("*.wild.test", wild);
  const shown = async (servername: string): Promise<Uint8Array> => {
    using both = await shakeNode(emitted(nodeServer), { servername });
    return new Uint8Array(both.near.getPeerCertificate().raw);
  };
  const rawOf = (own: { cert: string }): Uint8Array =>
    new Uint8Array(parseCertificates(own.cert)[0]!.raw);
  assertEquals(await shown("a.wild.test"), rawOf(wild));
  assertEquals(await shown("wild.test"), rawOf(server));
  {
    using before = await shakeNode(emitted(nodeServer));
    nodeServer.setSecureContext(next);
    assertEquals(await shown("localhost"), rawOf(next));
    before.far.write("still");
    await once(before.near, "readable");
    assertEquals(String(before.near.read()), "still");
  }
});

Deno.test("fact: SNICallback may answer at once over a stream", async () => {
  const asked: string[] = [];
  const nodeServer = tls.createServer({
    ...server,
    SNICallback: (name, callback) => {
      asked.push(name);
      callback(null, tls.createSecureContext(server));
    },
  });
  using both = await shakeNode(emitted(nodeServer), { servername: "any.test" });
  assertEquals([asked, both.far.getProtocol()], [["any.test"], "TLSv1.3"]);
});

Deno.test("fact: node:tls goes on reading the stream below while the secured one is paused", async () => {
  using both = await shakeNode(emitted(tls.createServer(server)));
  both.near.once("data", () => both.near.pause());
  // More than the system holds: all of it leaves, and lies in memory. tlsSocketTransport() therefore
  // pauses the stream below.
  const SIZE = 67_108_864;
  await new Promise<void>((resolve) => both.far.write(new Uint8Array(SIZE), () => resolve()));
  assertEquals(both.near.isPaused(), true);
});

Deno.test("fact: over a socket of node:net a cut, and even a reset, looks like a goodbye", async () => {
  // Which is why streams of ours are below, at twice the CPU: they know how they ended.
  const nodeServer = tls.createServer(server);
  nodeServer.on("tlsClientError", () => {});
  nodeServer.listen(0, "127.0.0.1");
  await new Promise((resolve) => nodeServer.once("listening", resolve));
  const { port } = nodeServer.address() as { port: number };
  for (const isReset of [false, true]) {
    const accepted = new Promise<tls.TLSSocket>((resolve) =>
      nodeServer.once("secureConnection", resolve)
    );
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    const raw = await transportDuplex(plain);
    raw.on("error", () => {});
    const near = tls.connect({ socket: raw, servername: "localhost", rejectUnauthorized: false });
    near.on("error", () => {});
    const far = await accepted;
    const seen: string[] = [];
    for (const name of ["end", "error"]) far.on(name, () => seen.push(name));
    far.resume();
    // Closed with unread bytes in it, a socket is reset.
    if (isReset) far.write(new Uint8Array(1_000));
    else await plain.closeWrite();
    if (isReset) plain.close();
    assert(await eventually(() => seen.length > 0));
    assertEquals(seen[0], "end");
    far.destroy();
    near.destroy();
    raw.destroy();
  }
  await new Promise((resolve) => nodeServer.close(resolve));
});
