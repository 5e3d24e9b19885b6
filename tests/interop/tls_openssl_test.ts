import { serve, type ServeOptions } from "@nbio/net/http";
import { ConnectionClosedError, sendAll } from "@nbio/net/nbio";
import {
  connectTls,
  type ConnectTlsSettings,
  denoProvider,
  listenTls,
  type ListenTlsOptions,
  nodeProvider,
  ServerCertificates,
  TlsError,
} from "@nbio/net/tls";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer, startPeer } from "../_support/peer.ts";
import { type TlsFiles, tlsTest } from "./tls_files.ts";

const ignore = !interopEnabled || !hasCommand("openssl");
const HERE = { hostname: "127.0.0.1", port: 0 } as const;
const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const PROVIDERS = ["node", "deno"] as const;
const CLIENTS = [denoProvider, nodeProvider];
const VERSIONS = [
  { flag: "-tls1_2", version: "TLSv1.2" },
  { flag: "-tls1_3", version: "TLSv1.3" },
] as const;

function opensslTest(name: string, fn: (files: TlsFiles) => Promise<void>): void {
  tlsTest(`openssl ${name}`, ignore, fn);
}

/** What `s_client` reports. */
interface Visit {
  /** Whether it was served. */
  readonly isServed: boolean;
  /** `New` or `Reused`. */
  readonly session: string | undefined;
  readonly version: string | undefined;
  readonly protocol: string | undefined;
  readonly subject: string | undefined;
  /** Whether the connection was cut without close_notify. */
  readonly isTruncated: boolean;
  /** What went wrong, in its words. */
  readonly error: string | undefined;
}

/** Sends a request by `s_client`, which takes no certificate that it does not trust. */
async function visit(
  { addr }: { readonly addr: Deno.Addr },
  files: TlsFiles,
  ...args: readonly string[]
): Promise<Visit> {
  const name = args.some((arg) => /^-(no)?servername$/.test(arg))
    ? []
    : ["-servername", "localhost"];
  const { text, stderr } = await runPeer("openssl", [
    ...["s_client", "-connect", `127.0.0.1:${(addr as Deno.NetAddr).port}`, "-ign_eof"],
    ...["-CAfile", files.caPath, "-verify_return_error", ...name, ...args],
  ], { stdin: REQUEST });
  const [, session, version] = /^(New|Reused), (TLSv[\d.]+), Cipher is/m.exec(text) ?? [];
  return {
    isServed: text.includes("HTTP/1.1 200 OK"),
    session,
    version,
    protocol: /^ALPN protocol: (.*)$/m.exec(text)?.[1],
    subject: /^subject=(.*)$/m.exec(text)?.[1],
    isTruncated: stderr.includes("unexpected eof"),
    error: /SSL routines:[^:]*:([^:\n]+)/.exec(stderr)?.[1],
  };
}

/** A server of ours, by provider. */
function serveBy(provider: "node" | "deno", tls: Omit<ListenTlsOptions, "provider">) {
  return serve((ctx) => ctx.text("hello"), {
    listener: listenTls({ ...HERE, provider, ...tls }),
  });
}

function serveTls(tls: ServeOptions["tls"] & object) {
  return serve((ctx) => ctx.json(ctx.tlsInfo?.verifiedBy), { ...HERE, tls });
}

for (const provider of PROVIDERS) {
  opensslTest(`s_client speaks each version and the protocol to ${provider}`, async (files) => {
    const { own: { cert, key } } = await files.server("localhost");
    await using server = serveBy(provider, { cert, key, alpnProtocols: ["http/1.1"] });
    for (const { flag, version } of VERSIONS) {
      const { error: _, ...seen } = await visit(server, files, flag, "-alpn", "h2,http/1.1");
      assertEquals([seen.isServed, seen.version], [true, version]);
      assertEquals([seen.protocol, seen.isTruncated], ["http/1.1", false]);
    }
    const other = await visit(server, files, "-alpn", "h2");
    assertEquals([other.isServed, other.error], [false, "tlsv1 alert no application protocol"]);
    const old = await visit(server, files, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0");
    // The runtime says "handshake failure", we say more.
    assertEquals([old.isServed, old.error?.includes("alert")], [false, true]);
  });

  opensslTest(`s_client resumes its session with ${provider}`, async (files) => {
    const { own: { cert, key } } = await files.server("localhost");
    await using server = serveBy(provider, { cert, key });
    for (const { flag } of VERSIONS) {
      const session = `${files.folder}/session${flag}`;
      const first = await visit(server, files, flag, "-sess_out", session);
      const second = await visit(server, files, flag, "-sess_in", session);
      assertEquals([first.session, second.session], ["New", "Reused"]);
      assertEquals([first.isServed, second.isServed], [true, true]);
    }
  });

  opensslTest(`s_client that is killed is no end of the stream to ${provider}`, async (files) => {
    const { own: { cert, key } } = await files.server("localhost");
    await using listener = listenTls({ ...HERE, provider, cert, key });
    const port = (listener.addr as Deno.NetAddr).port;
    const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", files.caPath, "-ign_eof"];
    const quiet = ["-c", 'exec openssl "$@" 2>/dev/null', "sh"];
    const peer = startPeer("sh", [...quiet, ...args]);
    const transport = await listener.accept();
    await peer[Symbol.asyncDispose]();
    const error = await assertRejects(() => transport.read(new Uint8Array(16)), Error);
    const isKnown = error instanceof ConnectionClosedError ||
      error instanceof Deno.errors.UnexpectedEof || error instanceof Deno.errors.ConnectionReset;
    assert(isKnown, error.name);
    transport.close();
  });

  opensslTest(`s_client that takes its leave is one to ${provider}`, async (files) => {
    const { own: { cert, key } } = await files.server("localhost");
    await using listener = listenTls({ ...HERE, provider, cert, key });
    const port = (listener.addr as Deno.NetAddr).port;
    const running = runPeer("openssl", [
      ...["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", files.caPath],
    ], { stdin: "hello" });
    const transport = await listener.accept();
    const buffer = new Uint8Array(16);
    assertEquals(await transport.read(buffer), 5);
    assertEquals(await transport.read(buffer), null);
    transport.close();
    await running;
  });
}

opensslTest("s_client gets no version that is not ours", async (files) => {
  const { own: { cert, key } } = await files.server("localhost");
  for (const [index, { version }] of VERSIONS.entries()) {
    await using server = serveTls({ cert, key, minVersion: version, maxVersion: version });
    const good = await visit(server, files, VERSIONS[index]!.flag);
    const bad = await visit(server, files, VERSIONS[1 - index]!.flag);
    assertEquals([good.isServed, good.version, bad.isServed], [true, version, false]);
    assertEquals(bad.error, "tlsv1 alert protocol version");
  }
});

opensslTest("s_client gets the certificate of the name it asks for", async (files) => {
  const [one, two, any] = [
    await files.server("one.test"),
    await files.server("wild", "*.two.test"),
    await files.server("localhost"),
  ];
  const names = { "one.test": one.own, "*.two.test": two.own };
  const certificates = new ServerCertificates({ names, default: any.own });
  await using server = serveTls({ certificates });
  const verify = async (host: string, ...args: readonly string[]) =>
    (await visit(server, files, "-verify_hostname", host, ...args)).isServed;
  assert(await verify("one.test", "-servername", "one.test"));
  assert(await verify("a.two.test", "-servername", "a.two.test"));
  assert(await verify("localhost", "-servername", "three.test"));
  assert(await verify("localhost", "-noservername"));
  assertEquals(await verify("one.test", "-servername", "three.test"), false);
  certificates.replace({ names });
  const refused = await visit(server, files, "-servername", "three.test");
  assertEquals([refused.isServed, refused.error], [false, "tlsv1 unrecognized name"]);
});

for (const { flag, version } of VERSIONS) {
  opensslTest(`s_client is asked for its certificate in ${version}`, async (files) => {
    const { own: { cert, key } } = await files.server("localhost");
    const [good, bad] = [await files.client("good"), await files.client("bad", false)];
    const withPair = ({ certPath, keyPath }: typeof good) => ["-cert", certPath, "-key", keyPath];
    const mutual = { cert, key, clientCaCerts: [files.ca.certificatePem] };
    for (const clientCertificates of ["required", "optional"] as const) {
      await using server = serveTls({ ...mutual, clientCertificates });
      const isOptional = clientCertificates === "optional";
      const session = `${files.folder}/session`;
      const first = await visit(server, files, flag, "-sess_out", session, ...withPair(good));
      const second = await visit(server, files, flag, "-sess_in", session, ...withPair(good));
      assertEquals([first.isServed, second.isServed, second.session], [true, true, "Reused"]);
      assertEquals((await visit(server, files, flag, ...withPair(bad))).isServed, false);
      assertEquals((await visit(server, files, flag)).isServed, isOptional);
      // A server's certificate is good for servers.
      const wrongUse = ["-cert", `${files.folder}/localhost.pem`];
      const use = [...wrongUse, "-key", `${files.folder}/localhost_key.pem`];
      assertEquals((await visit(server, files, flag, ...use)).isServed, false);
    }
  });

  opensslTest(
    `s_client carries no session in ${version} to where it would not be let in`,
    async (files) => {
      const { own: { cert, key } } = await files.server("localhost");
      const session = `${files.folder}/session`;
      const stranger = await files.client("stranger", false);
      const own = ["-cert", stranger.certPath, "-key", stranger.keyPath];
      const mutual = { cert, key, clientCertificates: "required" } as const;
      await using strict = serveTls({ ...mutual, clientCaCerts: [files.ca.certificatePem] });
      await using open = serveTls({ cert, key });
      assert((await visit(open, files, flag, "-sess_out", session)).isServed);
      assertEquals((await visit(strict, files, flag, "-sess_in", session)).isServed, false);
      await using other = serveTls({ ...mutual, clientCaCerts: [files.otherCa.certificatePem] });
      assert((await visit(other, files, flag, "-sess_out", session, ...own)).isServed);
      assertEquals((await visit(strict, files, flag, "-sess_in", session, ...own)).isServed, false);
    },
  );
}

/** Runs `s_server`, which sends each line back, the other way round. */
async function withServer(
  files: TlsFiles,
  args: readonly string[],
  use: (port: number, stop: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { certPath, keyPath } = await files.server("localhost");
  // What it says of each connection is for nobody.
  await using peer = startPeer("sh", [
    ...[
      "-c",
      'exec openssl s_server "$@" 2>/dev/null',
      "sh",
      "-accept",
      "127.0.0.1:0",
      "-cert",
      certPath,
      "-key",
      keyPath,
      "-rev",
      ...args,
    ],
  ]);
  const [, port] = await peer.ready(/^ACCEPT 127\.0\.0\.1:(\d+)$/);
  await use(Number(port), () => peer[Symbol.asyncDispose]());
}

/** Sends a line and gives what comes back. */
async function reverse(port: number, tls: ConnectTlsSettings, text: string) {
  const transport = await connectTls({ hostname: "127.0.0.1", port, tls });
  try {
    await sendAll(transport, new TextEncoder().encode(`${text}\n`));
    const buffer = new Uint8Array(64);
    const count = await transport.read(buffer);
    const answer = new TextDecoder().decode(buffer.subarray(0, count ?? 0)).trim();
    return { info: transport.tlsInfo, answer };
  } finally {
    transport.close();
  }
}

/** The same, with a provider of choice. */
function trusting(files: TlsFiles, more: ConnectTlsSettings = {}): ConnectTlsSettings {
  return { hostname: "localhost", caCerts: [files.ca.certificatePem], ...more };
}

opensslTest("s_server is spoken to in each version and protocol", async (files) => {
  for (const { flag, version } of VERSIONS) {
    await withServer(files, [flag, "-alpn", "acme,http/1.1"], async (port) => {
      // What needs the chain is done by the node provider, the rest by that of the runtime.
      for (const peerChain of [false, true]) {
        const tls = trusting(files, { alpnProtocols: ["http/1.1"], peerChain });
        const { info, answer } = await reverse(port, tls, "stressed");
        assertEquals([answer, info.alpnProtocol], ["desserts", "http/1.1"]);
        assertEquals(info.version, peerChain ? version : undefined);
      }
    });
  }
});

opensslTest("s_server is refused where it is not who it has to be", async (files) => {
  await withServer(files, [], async (port) => {
    for (const peerChain of [false, true]) {
      const hostname = "other.test";
      await assertRejects(() => reverse(port, trusting(files, { hostname, peerChain }), "a"));
      const caCerts: readonly string[] = [];
      await assertRejects(() => reverse(port, { hostname: "localhost", caCerts, peerChain }, "a"));
    }
    assertEquals((await reverse(port, trusting(files), "on")).answer, "no");
  });
});

opensslTest(
  "s_server says in the first read why it refuses a client, in TLS 1.3",
  async (files) => {
    const args = ["-tls1_3", "-CAfile", files.caPath, "-Verify", "2", "-verify_return_error"];
    await withServer(files, args, async (port) => {
      const error = await assertRejects(() => reverse(port, trusting(files), "a"), TlsError);
      assertEquals([error.phase, error.alert], ["read", "certificate_required"]);
    });
  },
);

opensslTest("s_server is told the name", async (files) => {
  const { certPath, keyPath } = await files.server("two.test");
  const args = ["-servername", "two.test", "-cert2", certPath, "-key2", keyPath];
  await withServer(files, args, async (port) => {
    for (const hostname of ["localhost", "two.test"]) {
      for (const peerChain of [false, true]) {
        const { answer } = await reverse(port, trusting(files, { hostname, peerChain }), "ab");
        assertEquals(answer, "ba");
      }
    }
  });
});

opensslTest("s_server is shown our certificate", async (files) => {
  const [good, bad] = [await files.client("good"), await files.client("bad", false)];
  for (const { flag } of VERSIONS) {
    const args = [flag, "-Verify", "2", "-verify_return_error", "-CAfile", files.caPath];
    await withServer(files, args, async (port) => {
      const own = (pair: typeof good) => trusting(files, pair.own);
      assertEquals((await reverse(port, own(good), "drawer")).answer, "reward");
      await assertRejects(() => reverse(port, own(bad), "drawer"));
      await assertRejects(() => reverse(port, trusting(files), "drawer"));
    });
  }
});

opensslTest("s_server that is killed is no end of the stream", async (files) => {
  for (const provider of CLIENTS) {
    await withServer(files, [], async (port, stop) => {
      const tls = trusting(files);
      const transport = await connectTls({ hostname: "127.0.0.1", port, tls, provider });
      await sendAll(transport, new TextEncoder().encode("ab\n"));
      assertEquals(await transport.read(new Uint8Array(16)), 3);
      await stop();
      await assertRejects(() => transport.read(new Uint8Array(16)));
      transport.close();
    });
  }
});

opensslTest("s_server that takes its leave is one", async (files) => {
  for (const provider of CLIENTS) {
    await withServer(files, [], async (port) => {
      const tls = trusting(files);
      const transport = await connectTls({ hostname: "127.0.0.1", port, tls, provider });
      // The word on which it closes.
      await sendAll(transport, new TextEncoder().encode("CLOSE\n"));
      let count: number | null = 0;
      while (count !== null) count = await transport.read(new Uint8Array(16));
      transport.close();
    });
  }
});

opensslTest(
  "s_client on the port of TLS in another protocol is refused, the next one served",
  async (files) => {
    const { own: { cert, key } } = await files.server("localhost");
    await using listener = listenTls({ ...HERE, cert, key, handshakeTimeoutMs: 300 });
    await using server = serve((ctx) => ctx.text("hello"), { listener });
    const starttls = await visit(server, files, "-starttls", "smtp");
    assertEquals(starttls.isServed, false);
    assert((await visit(server, files)).isServed);
  },
);
