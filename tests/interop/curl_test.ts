import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { type PeerOptions, type PeerResult, runPeer } from "../_support/peer.ts";
import { InteropApp, sampleBytes, sha256 } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("curl");
const MEBIBYTE = 1 << 20;

async function curl(args: readonly string[], options?: PeerOptions): Promise<PeerResult> {
  // --disable: no ~/.curlrc, --noproxy: no proxy of the machine.
  const common = ["--disable", "--noproxy", "*", "--silent", "--show-error"];
  return await runPeer("curl", [...common, ...args], options);
}

/** Runs curl, asserts on its success and gives what it printed. */
async function curlText(args: readonly string[], options?: PeerOptions): Promise<string> {
  const { code, text, stderr } = await curl(args, options);
  assertEquals(code, 0, stderr);
  return text;
}

function curlTest(name: string, fn: (app: InteropApp) => Promise<void>): void {
  Deno.test({
    name: `curl ${name}`,
    ignore,
    async fn() {
      await using app = new InteropApp();
      await fn(app);
      assertEquals(await (await fetch(app.url("/hello"))).text(), "Hello, World!\n");
      assertEquals(app.errors, []);
    },
  });
}

curlTest("reads a response to HTTP/1.0, which ends the connection", async (app) => {
  const text = await curlText(["--http1.0", "--include", app.url("/hello")]);
  assert(text.startsWith("HTTP/1.1 200 OK\r\n"), text);
  assert(/\r\nconnection: close\r\n/i.test(text), text);
  assert(text.endsWith("\r\n\r\nHello, World!\n"), text);
});

curlTest("reads a response to HTTP/1.1", async (app) => {
  const text = await curlText(["--http1.1", "--include", app.url("/hello")]);
  assert(/^HTTP\/1\.1 200 OK\r\n.*content-length: 14\r\n/is.test(text), text);
  assert(!/connection: close/i.test(text), text);
});

curlTest("reads a response to HEAD and goes on with the connection", async (app) => {
  const text = await curlText([
    ...["--head", app.url("/mebibyte"), app.url("/hello")],
    ...["--write-out", "connects=%{num_connects}\n"],
  ]);
  assert(/content-length: 1048576\r\n/i.test(text), text);
  assertEquals(text.match(/connects=\d/g), ["connects=1", "connects=0"]);
});

curlTest("uploads in chunks", async (app) => {
  const bytes = sampleBytes(MEBIBYTE);
  const text = await curlText(["--upload-file", "-", app.url("/upload")], { stdin: bytes });
  assertEquals(text, await sha256(bytes));
});

curlTest("uploads and downloads 1 MiB unchanged", async (app) => {
  const bytes = sampleBytes(MEBIBYTE);
  const args = ["--data-binary", "@-", "--header", "Expect:", app.url("/echo")];
  const { code, stdout } = await curl(args, { stdin: bytes });
  assertEquals(code, 0);
  assertEquals(await sha256(stdout.slice()), await sha256(bytes));
  const down = await curl([app.url("/mebibyte")]);
  assertEquals(await sha256(down.stdout.slice()), await sha256(bytes));
});

curlTest("gets 100 Continue before it sends its body", async (app) => {
  const bytes = sampleBytes(MEBIBYTE);
  const { code, text, stderr } = await curl([
    ...["--verbose", "--header", "Expect: 100-continue", "--expect100-timeout", "15"],
    ...["--data-binary", "@-", app.url("/upload")],
  ], { stdin: bytes });
  assertEquals(code, 0, stderr);
  assert(stderr.includes("< HTTP/1.1 100 Continue"), stderr);
  assertEquals(text, await sha256(bytes));
});

curlTest("is refused instead of 100 Continue and keeps its body", async (app) => {
  const text = await curlText([
    ...["--header", "Expect: 100-continue", "--expect100-timeout", "15", "--data-binary", "@-"],
    ...["--output", "-", "--write-out", "\n%{http_code} %{size_upload}", app.url("/refuse")],
  ], { stdin: sampleBytes(MEBIBYTE) });
  assert(text.endsWith("\n403 0"), text);
});

curlTest("sees the trailers", async (app) => {
  const text = await curlText([
    ...["--raw", "--data-binary", "four", "--no-buffer", app.url("/relay")],
  ]);
  assertEquals(text, "4\r\nfour\r\n0\r\nx-byte-count: 4\r\nx-request-trailers: none\r\n\r\n");
});

curlTest("fetches several URLs over one connection", async (app) => {
  const urls = Array.from({ length: 10 }, (_, index) => app.url(`/query?${index}`));
  const text = await curlText(["--write-out", " %{num_connects}\n", ...urls]);
  const expected = urls.map((_, index) => `?${index} ${index === 0 ? 1 : 0}\n`).join("");
  assertEquals(text, expected);
  assertEquals(app.server.stats().acceptedCount, 1);
});

curlTest("sends dot segments and odd characters as they are", async (app) => {
  const args = ["--path-as-is", "--globoff", app.url("/a/../b/./%2F%00?x=[1]&y='")];
  assertEquals(JSON.parse(await curlText(args)).url, "/a/../b/./%2F%00?x=[1]&y='");
});

curlTest("asks for the server as a whole", async (app) => {
  const args = ["--request", "OPTIONS", "--request-target", "*", app.url("/")];
  const { method, url } = JSON.parse(await curlText(args));
  assertEquals({ method, url }, { method: "OPTIONS", url: "*" });
});

curlTest("takes us for a proxy", async (app) => {
  const proxy = ["--noproxy", "", "--proxy", app.url("")];
  assertEquals(
    JSON.parse(await curlText([...proxy, "http://other.invalid/a?b"])).url,
    "http://other.invalid/a?b",
  );
  const tunnel = [...proxy, "--proxytunnel", "--verbose", "http://other.invalid/"];
  const { code, stderr } = await curl(tunnel);
  assertNotEquals(code, 0);
  assert(stderr.includes("< HTTP/1.1 501 "), stderr);
});

curlTest("reads an endless response to HEAD at once", async (app) => {
  const text = await curlText(["--head", app.url("/endless"), app.url("/hello")]);
  assert(/transfer-encoding: chunked\r\n.*content-length: 14\r\n/is.test(text), text);
});

curlTest("reads a stream over HTTP/1.0 up to its end", async (app) => {
  const text = await curlText(["--http1.0", "--include", "--data", "four", app.url("/relay")]);
  assert(!/transfer-encoding|content-length/i.test(text), text);
  assert(text.endsWith("\r\n\r\nfour"), text);
});

curlTest("keeps an HTTP/1.0 connection if it asks to", async (app) => {
  const urls = [app.url("/query?1"), app.url("/query?2")];
  const args = ["--http1.0", "--header", "Connection: keep-alive"];
  const text = await curlText([...args, "--write-out", " %{num_connects}\n", ...urls]);
  assertEquals(text, "?1 1\n?2 0\n");
});

curlTest("sends a form with a file", async (app) => {
  const form = ["--form", "name=value", "--form", "file=@-;filename=a.txt"];
  const { body, headers } = JSON.parse(
    await curlText([...form, app.url("/")], { stdin: "content of a.txt" }),
  );
  assert(body.includes("content of a.txt"), body);
  const type = headers.find(([name]: string[]) => name === "Content-Type")?.[1];
  assert(type?.startsWith("multipart/form-data; boundary="), type);
});

curlTest("offers h2c and is answered as HTTP/1.1", async (app) => {
  const args = ["--http2", "--verbose", "--write-out", "%{http_version}", app.url("/hello")];
  const { code, text, stderr } = await curl(args);
  assertEquals(code, 0, stderr);
  assertEquals(text, "Hello, World!\n1.1");
});

curlTest("with HTTP/2 and no upgrade is refused", async (app) => {
  const { code } = await curl(["--http2-prior-knowledge", app.url("/hello")]);
  assertNotEquals(code, 0);
});

curlTest("asks for compression and gets none that it did not ask for", async (app) => {
  const text = await curlText(["--compressed", "--include", app.url("/hello")]);
  assert(!/content-encoding/i.test(text), text);
  assert(text.endsWith("\r\n\r\nHello, World!\n"), text);
});

curlTest("reads 431 and 414", async (app) => {
  const status = ["--output", "-", "--write-out", "\n%{http_code}"];
  const fields = await curlText([
    ...status,
    ...["--header", `x-large: ${"a".repeat(40_000)}`, app.url("/hello")],
  ]);
  assert(fields.endsWith("\n431"), fields);
  const target = await curlText([...status, app.url(`/${"a".repeat(20_000)}`)]);
  assert(target.endsWith("\n414"), target);
});

Deno.test({
  name: "curl reads 413 for a body it has not finished sending",
  ignore,
  async fn() {
    await using app = new InteropApp({ maxBodyBytes: 50_000 });
    // Less than the server drops: else it may cut the connection before curl looks for an answer.
    const args = ["--data-binary", "@-", "--header", "Expect:", "--output", "-"];
    const text = await curlText([...args, "--write-out", "\n%{http_code}", app.url("/echo")], {
      stdin: sampleBytes(200_000),
    });
    assert(text.endsWith("\n413"), text);
    assertEquals(app.errors, []);
  },
});

curlTest("gets an error for TLS on the plain port", async (app) => {
  const { code, text } = await curl(["--insecure", `https://127.0.0.1:${app.port}/hello`]);
  assertEquals([code, text], [35, ""]);
  assertEquals(app.server.stats().protocolErrorCount, 1);
});

Deno.test({
  name: "curl talks over a Unix socket",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/http.sock`;
      await using app = new InteropApp({ path });
      const socket = ["--unix-socket", path];
      const bytes = sampleBytes(MEBIBYTE);
      assertEquals(await curlText([...socket, "http://localhost/hello"]), "Hello, World!\n");
      const { stdout } = await curl(
        [...socket, "--data-binary", "@-", "http://localhost/echo"],
        { stdin: bytes },
      );
      assertEquals(await sha256(stdout.slice()), await sha256(bytes));
      assertEquals(app.errors, []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
