import { serve, type ServeOptions } from "@nbio/net/http";
import { listenTls } from "@nbio/net/tls";
import { assert, assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { type PeerResult, runPeer } from "../_support/peer.ts";
import { sampleBytes } from "./interop_app.ts";
import { type TlsFiles, tlsTest } from "./tls_files.ts";

const ignore = !interopEnabled || !hasCommand("curl");
const HERE = { hostname: "127.0.0.1", port: 0 } as const;
/** Exit codes of curl. */
const CONNECT_ERROR = 35;
const PEER_FAILED_VERIFICATION = 60;

function curlTest(name: string, fn: (files: TlsFiles) => Promise<void>): void {
  tlsTest(`curl ${name}`, ignore, fn);
}

function serveTls(tls: ServeOptions["tls"] & object) {
  return serve(async (ctx) => {
    if (ctx.path === "/echo") return ctx.bytes(await ctx.body.bytes());
    const { version, verifiedBy } = ctx.tlsInfo!;
    ctx.json([version, verifiedBy]);
  }, { ...HERE, tls });
}

/** Gets a page; curl verifies the server unless told otherwise. */
function curl(
  { addr }: { readonly addr: Deno.Addr },
  files: TlsFiles,
  args: readonly string[],
  { path = "/", scheme = "https", stdin }: {
    readonly path?: string;
    readonly scheme?: string;
    readonly stdin?: Uint8Array;
  } = {},
): Promise<PeerResult> {
  const { port } = addr as Deno.NetAddr;
  return runPeer("curl", [
    ...["--silent", "--noproxy", "*", "--ipv4", "--max-time", "15", "--cacert", files.caPath],
    ...[...args, `${scheme}://localhost:${port}${path}`],
  ], stdin && { stdin });
}

curlTest("speaks each version to us, and verifies us", async (files) => {
  await using server = serveTls((await files.server("localhost")).own);
  for (const version of ["1.2", "1.3"]) {
    const { code, text } = await curl(server, files, [`--tlsv${version}`, "--tls-max", version]);
    assertEquals([code, text], [0, `["TLSv${version}","nobody"]`]);
  }
  const other = `${files.folder}/other.pem`;
  await Deno.writeTextFile(other, files.otherCa.certificatePem);
  assertEquals((await curl(server, files, ["--cacert", other])).code, PEER_FAILED_VERIFICATION);
  await using elsewhere = serveTls((await files.server("other.test")).own);
  assertEquals((await curl(elsewhere, files, [])).code, PEER_FAILED_VERIFICATION);
});

curlTest("keeps its connection for several requests", async (files) => {
  await using server = serveTls((await files.server("localhost")).own);
  const url = `https://localhost:${(server.addr as Deno.NetAddr).port}/`;
  const { code } = await curl(server, files, [url, url, url]);
  assertEquals(code, 0);
  const { acceptedCount, requestCount } = server.stats();
  assertEquals([acceptedCount, requestCount], [1, 4]);
});

curlTest("sends and receives megabytes, by either provider", async (files) => {
  const { own: { cert, key } } = await files.server("localhost");
  const body = sampleBytes(5_000_000);
  for (const provider of ["node", "deno"] as const) {
    await using server = serve(async (ctx) => ctx.bytes(await ctx.body.bytes()), {
      listener: listenTls({ ...HERE, provider, cert, key }),
    });
    const args = ["--data-binary", "@-", "--header", "Expect:"];
    const { code, stdout } = await curl(server, files, args, { path: "/echo", stdin: body });
    assertEquals(code, 0);
    assertEquals(stdout, body);
  }
});

curlTest("shows its certificate, and gets in with a good one only", async (files) => {
  const { own } = await files.server("localhost");
  const clientCaCerts = [files.ca.certificatePem];
  await using server = serveTls({ ...own, clientCertificates: "required", clientCaCerts });
  const [good, bad] = [await files.client("good"), await files.client("bad", false)];
  const withPair = ({ certPath, keyPath }: typeof good) => ["--cert", certPath, "--key", keyPath];
  const { code, text } = await curl(server, files, withPair(good));
  assertEquals([code, text], [0, '["TLSv1.3","nbio"]']);
  assert((await curl(server, files, withPair(bad))).code !== 0);
  assert((await curl(server, files, [])).code !== 0);
  assertEquals((await curl(server, files, withPair(good))).code, 0);
});

curlTest("is told where it has come to the wrong port", async (files) => {
  await using secured = serveTls((await files.server("localhost")).own);
  const args = ["--write-out", "%{http_code}", "--output", "/dev/null"];
  const inTheClear = await curl(secured, files, args, { scheme: "http" });
  assertEquals([inTheClear.code, inTheClear.text], [0, "400"]);
  await using plain = serve((ctx) => ctx.text("hello"), HERE);
  assertEquals((await curl(plain, files, [])).code, CONNECT_ERROR);
  assertEquals((await curl(plain, files, args, { scheme: "http" })).text, "200");
});
