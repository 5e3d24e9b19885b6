import { bindUdp, dial, recvExactly, sendAll } from "@nbio/net/nbio";
import { connectTls, parseCertificate } from "@nbio/net/tls";
import { dial as dialWebSocket } from "@nbio/net/websocket";
import { assertEquals } from "@std/assert";
import { honestAnswer, ScriptedDnsServer } from "../_support/dns_server.ts";
import { freePort } from "../_support/listening_program.ts";
import { type Peer, runPeer, startExample, startPeer } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";

/** Uses each example as its users would. They need no program but Deno, so they always run. */
const EXAMPLES: Readonly<Record<string, () => Promise<void>>> = {
  async certinfo() {
    const pem = (name: string) => new URL(`../tls/${name}.pem`, import.meta.url).pathname;
    const args = [pem("leaf"), "--roots", pem("ca"), "--name", "localhost", "--brief"];
    const { code, output } = await runExample("certinfo", ["--allow-read"], args);
    assertEquals(code, 0);
    assertEquals(output.includes("Verdict: verified"), true);
  },

  async crawl() {
    await using example = await startExample("hello");
    const args = ["--concurrency=2", `http://127.0.0.1:${example.port}/`];
    const { code, output } = await runExample("crawl", ["--allow-net=127.0.0.1"], args);
    assertEquals(code, 0);
    const [page, end] = output.trimEnd().split("\n");
    assertEquals(/^200 +14 http:\S+\/$/.test(page!), true);
    assertEquals(end, "1 pages, 0 broken");
  },

  async cluster() {
    const folder = new URL("../../", import.meta.url).pathname;
    const port = freePort();
    const flags = ["--allow-net", "--allow-run", "--allow-env=NODE_V8_COVERAGE"];
    const args = ["run", ...flags, `${folder}examples/cluster.ts`, `--port=${port}`, "--workers=2"];
    await using cluster = startPeer(Deno.execPath(), args);
    await cluster.ready(/^Listening on /);
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    assertEquals(/^worker [01], /.test(await answer.text()), true);
  },

  async custom_protocol() {
    await using example = await startExample("custom_protocol");
    await using client = await RawClient.connect({ hostname: "127.0.0.1", port: example.port });
    await client.send("SET greeting 5\r\nhelloGET greeting\r\nQUIT\r\n");
    assertEquals(await client.closed(), "eof");
    assertEquals(text(client.leftover), "OK\r\nVALUE 5\r\nhelloOK\r\n");
  },

  async devcert() {
    const folder = await Deno.makeTempDir();
    try {
      const permissions = [`--allow-read=${folder}`, `--allow-write=${folder}`];
      const args = [`--folder=${folder}`, "--quiet", "localhost"];
      assertEquals((await runExample("devcert", permissions, args)).code, 0);
      assertEquals((await runExample("devcert", permissions, args)).code, 1);
      const files = [`${folder}/leaf.pem`, "--roots", `${folder}/ca.pem`, "--name=localhost"];
      assertEquals((await runExample("certinfo", ["--allow-read"], files)).code, 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },

  async dig() {
    await using server = await ScriptedDnsServer.open((query) => query.send(honestAnswer(query)));
    const args = ["@127.0.0.1", "-p", `${server.address.port}`, "www.example", "+short"];
    const { code, output } = await runExample("dig", ["--allow-net"], args);
    assertEquals([code, output], [0, "192.0.2.1\n"]);
    const localArgs = [...args.slice(0, 3), "-x", "192.0.2.1", "+noall", "+comments"];
    const empty = await runExample("dig", ["--allow-net"], localArgs);
    assertEquals([empty.code, empty.output.includes("status: NOERROR")], [0, true]);
  },

  async download() {
    const folder = await Deno.makeTempDir();
    try {
      await using example = await startExample("hello");
      const permissions = [
        "--allow-net=127.0.0.1",
        `--allow-read=${folder}`,
        `--allow-write=${folder}`,
      ];
      const content = "Hello, World!\n";
      const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content));
      const url = `http://127.0.0.1:${example.port}/`;
      const file = `${folder}/hello.txt`;
      const sha256 = `--sha256=${new Uint8Array(hash).toHex()}`;
      const { code, output } = await runExample("download", permissions, [sha256, url, file]);
      assertEquals([code, output], [0, `${file}\n`]);
      assertEquals(await Deno.readTextFile(file), content);
      const wrong = [`--sha256=${"0".repeat(64)}`, "--quiet", url, `${folder}/other.txt`];
      assertEquals((await runExample("download", permissions, wrong)).code, 1);
      assertEquals(
        Array.from(Deno.readDirSync(folder), ({ name }) => name),
        ["hello.txt"],
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },

  async echo_tcp() {
    await using example = await startExample("echo_tcp");
    await echoed(example.port);
  },

  async express() {
    const path = new URL("../../examples/express.ts", import.meta.url).pathname;
    await using example = startPeer(Deno.execPath(), ["run", "-A", path, "--port=0"]);
    const [, port] = await example.ready(/^Listening on \S*:(\d+)\/?$/);
    for (const by of ["express", "fastify"]) {
      const response = await fetch(`http://127.0.0.1:${port}/${by}/you`);
      assertEquals(await response.json(), { hello: "you", by });
    }
  },

  async hello() {
    await using example = await startExample("hello");
    using client = Deno.createHttpClient({});
    const response = await fetch(`http://127.0.0.1:${example.port}/`, { client });
    assertEquals(await response.text(), "Hello, World!\n");
  },

  async hono() {
    await using example = await startExample("hono");
    const response = await fetch(`http://127.0.0.1:${example.port}/hello/you`);
    assertEquals([response.status, await response.text()], [200, "Hello, you!\n"]);
  },

  async http_client() {
    await using example = await startExample("hello");
    const url = `http://127.0.0.1:${example.port}/`;
    const { code, output } = await runExample("http_client", ["--allow-net"], ["--include", url]);
    assertEquals([code, output], [0, "Hello, World!\n"]);
  },

  async https_server() {
    await withCertificates([["localhost"]], async (folder, ca) => {
      await using peer = startServer("https_server", folder, ["--port=0", "--redirect=0"]);
      const [, url] = await peer.ready(/^Listening on (https:\S+)$/);
      const at = url!.replace("127.0.0.1", "localhost");
      using client = Deno.createHttpClient({ caCerts: [ca] });
      const serial = async (): Promise<string> => {
        const { port } = new URL(at);
        const tls = { caCerts: [ca], peerChain: true };
        const transport = await connectTls({ hostname: "localhost", port: Number(port), tls });
        transport.close();
        return parseCertificate(transport.tlsInfo.peerCertificate!).serialHex;
      };
      const response = await fetch(`${at}info`, { client });
      assertEquals((await response.json()).serverName, "localhost");
      const ws = await dialWebSocket(at.replace("https", "wss") + "echo", {
        tls: { caCerts: [ca] },
      });
      await ws.send("hello");
      const first = await serial();
      const renew = [`--folder=${folder}`, "--quiet", "--force", "localhost"];
      assertEquals((await runExample("devcert", filesOf(folder), renew)).code, 0);
      let last = first;
      for (const end = Date.now() + 10_000; last === first && Date.now() < end;) {
        last = await serial();
      }
      assertEquals(last === first, false);
      // Who is connected stays.
      assertEquals((await ws.readMessage())?.data, "hello");
      assertEquals((await ws.close()).clean, true);
    });
  },

  async json_api() {
    const folder = await Deno.makeTempDir();
    try {
      const path = new URL("../../examples/json_api.ts", import.meta.url).pathname;
      const permissions = [`--allow-read=${folder}`, `--allow-write=${folder}`];
      await using peer = startPeer(Deno.execPath(), [
        ...["run", "--allow-net=127.0.0.1:0", ...permissions],
        ...[path, "--port=0", `--folder=${folder}`],
      ]);
      const [, url] = await peer.ready(/^Listening on (http:\S+)$/);
      using client = Deno.createHttpClient({});
      const response = await fetch(`${url}api/me`, { client });
      assertEquals((await response.json()).status, 401);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },

  async live() {
    await using example = await startExample("live");
    using client = Deno.createHttpClient({});
    const response = await fetch(`http://127.0.0.1:${example.port}/events`, { client });
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body!.getReader();
    assertEquals((await reader.read()).done, false);
    await reader.cancel();
  },

  async metrics() {
    await using example = await startExample("metrics");
    const ask = async (path: string): Promise<string> =>
      await (await fetch(`http://127.0.0.1:${example.port}${path}`)).text();
    await ask("/");
    const page = await ask("/metrics");
    assertEquals(/^http_server_request_duration_seconds_count\{.*\} 1$/m.test(page), true);
  },

  async mtls() {
    const certificates = [["localhost"], ["--client", "--prefix=alice", "alice.test"]];
    await withCertificates(certificates, async (folder) => {
      await using peer = startServer("mtls", folder, ["serve", "--port=0"]);
      const [, url] = await peer.ready(/^Listening on (https:\S+)$/);
      const at = url!.replace("127.0.0.1", "localhost");
      const permissions = ["--allow-net", `--allow-read=${folder}`];
      const args = ["get", at, `--folder=${folder}`];
      const known = await runExample("mtls", permissions, [...args, "--as=alice"]);
      assertEquals([known.code, known.output], [0, "Hello, alice.test!\n"]);
      assertEquals((await runExample("mtls", permissions, args)).code, 2);
    });
  },

  async proxy() {
    await using hello = await startExample("hello");
    const to = `--to=http://127.0.0.1:${hello.port}`;
    await using proxy = await startExample("proxy", ["--port=0", to]);
    const response = await fetch(`http://127.0.0.1:${proxy.port}/`);
    assertEquals([response.status, response.headers.has("via")], [200, true]);
    await response.body?.cancel();
  },

  async static_server() {
    const folder = new URL("../tls/", import.meta.url).pathname;
    const path = new URL("../../examples/static_server.ts", import.meta.url).pathname;
    await using peer = startPeer(Deno.execPath(), [
      ...["run", "--allow-net=127.0.0.1:0", `--allow-read=${folder}`, path, folder, "--port=0"],
    ]);
    const [, url] = await peer.ready(/^Serving on (http:\S+)$/);
    using client = Deno.createHttpClient({});
    const whole = await Deno.readTextFile(`${folder}ca.pem`);
    const headers = { range: "bytes=5-9" };
    const response = await fetch(`${url}ca.pem`, { client, headers });
    assertEquals([response.status, await response.text()], [206, whole.slice(5, 10)]);
  },

  async tcp_proxy() {
    await using echo = await startExample("echo_tcp");
    const args = ["--listen=127.0.0.1:0", `--to=127.0.0.1:${echo.port}`];
    await using proxy = await startExample("tcp_proxy", args);
    await echoed(proxy.port);
    const transport = await dial({ hostname: "127.0.0.1", port: proxy.port });
    await sendAll(transport, new Uint8Array([1, 2, 3]));
    const answer = new Uint8Array(3);
    await recvExactly(transport, answer, { timeoutMs: 10_000 });
    assertEquals(answer, new Uint8Array([1, 2, 3]));
    transport.close();
  },

  async tofu() {
    await withCertificates([["localhost"]], async (folder) => {
      await using peer = startServer("https_server", folder, ["--port=0"]);
      const [, port] = await peer.ready(/^Listening on https:\S+:(\d+)\/$/);
      const permissions = ["--allow-net", `--allow-read=${folder}`, `--allow-write=${folder}`];
      const args = [`localhost:${port}`, `--file=${folder}/known_keys.json`];
      const outputs = [];
      for (let count = 0; count < 2; count++) {
        const { code, output } = await runExample("tofu", permissions, args);
        outputs.push(code, output);
      }
      const [isNew, isKnown] = [
        "New: the key is written down\n",
        "The key is the one that is known\n",
      ];
      assertEquals(outputs, [0, isNew, 0, isKnown]);
    });
  },

  async udp_echo() {
    await using example = await startExample("udp_echo");
    using socket = await bindUdp({ hostname: "127.0.0.1" });
    const addr = { transport: "udp", hostname: "127.0.0.1", port: example.port } as const;
    await socket.send(new Uint8Array([1, 2]), addr);
    const { bytes } = await socket.receive({ timeoutMs: 10_000 });
    assertEquals(bytes, new Uint8Array([1, 2]));
  },

  async ws_client() {
    await using example = await startExample("ws_echo", ["--port=0", "--compression"]);
    const path = new URL("../../examples/ws_client.ts", import.meta.url).pathname;
    const args = ["run", "--allow-net", path, "--compression", `ws://127.0.0.1:${example.port}/`];
    const { code, text } = await runPeer(Deno.execPath(), args, {
      stdin: "one\n/ping\n/close 4000\n",
    });
    assertEquals(code, 0);
    const [connected, ...lines] = text.trimEnd().split("\n");
    assertEquals(connected!.startsWith("connected, permessage-deflate"), true);
    assertEquals(lines.map((line) => line.replace(/[\d.]+ ms/, "")), [
      "< one",
      "pong after ",
      "closed by local: 4000",
    ]);
  },

  async ws_echo() {
    await using example = await startExample("ws_echo");
    const ws = await dialWebSocket(`ws://127.0.0.1:${example.port}/`);
    await ws.send(new Uint8Array([1, 2]));
    assertEquals((await ws.readMessage())?.data, new Uint8Array([1, 2]));
    assertEquals((await ws.close()).clean, true);
  },
};

for (const [name, use] of Object.entries(EXAMPLES)) {
  Deno.test(`examples/${name}.ts does what it says`, use);
}

Deno.test("every file in examples/ is used by a test", () => {
  const folder = new URL("../../examples/", import.meta.url);
  const names = Array.from(Deno.readDirSync(folder))
    .filter(({ isFile }) => isFile)
    .map(({ name }) => name)
    // Parts and tests of an example are used with it.
    .filter((name) => !/_(arguments|core|page|registry|test|uploads)\.\w+$/.test(name));
  assertEquals(names.sort(), Object.keys(EXAMPLES).map((name) => `${name}.ts`).sort());
});

async function runExample(
  name: string,
  permissions: readonly string[],
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  const path = new URL(`../../examples/${name}.ts`, import.meta.url).pathname;
  const { code, text: output } = await runPeer(Deno.execPath(), [
    ...["run", "--no-prompt", ...permissions, path, ...args],
  ]);
  return { code, output };
}

/** Makes certificates by the example that does, each from its names and options. */
async function withCertificates(
  certificates: readonly (readonly string[])[],
  use: (folder: string, ca: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const names of certificates) {
      const args = [`--folder=${folder}`, "--quiet", ...names];
      assertEquals((await runExample("devcert", filesOf(folder), args)).code, 0);
    }
    await use(folder, await Deno.readTextFile(`${folder}/ca.pem`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function filesOf(folder: string): readonly string[] {
  return [`--allow-read=${folder}`, `--allow-write=${folder}`];
}

/** Starts an example that has its certificates in a folder. */
function startServer(name: string, folder: string, args: readonly string[]): Peer {
  const path = new URL(`../../examples/${name}.ts`, import.meta.url).pathname;
  const permissions = ["--no-prompt", "--allow-net=127.0.0.1", `--allow-read=${folder}`];
  return startPeer(Deno.execPath(), ["run", ...permissions, path, ...args, `--folder=${folder}`]);
}

async function echoed(port: number): Promise<void> {
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
  await client.send("to and fro");
  await client.sendEnd();
  assertEquals(await client.closed(), "eof");
  assertEquals(text(client.leftover), "to and fro");
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
