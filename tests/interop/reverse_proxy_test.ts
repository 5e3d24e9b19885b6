import { assert, assertEquals } from "@std/assert";
import {
  Client,
  type ClientResponse,
  type HttpServer,
  reverseProxy,
  serve,
  sseStream,
} from "@nbio/net/http";
import { upgrade } from "@nbio/net/websocket";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { freePort, whileListening } from "../_support/listening_program.ts";
import { eventually, npmPeer, runPeer, startExample, startPeer } from "../_support/peer.ts";
import { CA_CERT, LEAF_CERT, LEAF_KEY } from "../_support/tls_server.ts";
import { InteropApp, sampleBytes } from "./interop_app.ts";
import { exchangeAll } from "./ws_exchange.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 } as const;
const MIB = 1_048_576;
const isLinux = Deno.build.os === "linux";
const node = hasCommand("node");
const curl = hasCommand("curl");
const nginx = hasCommand("nginx");
const haproxy = hasCommand("haproxy");
const ws = npmPeer("ws");
const WS_CLIENT = new URL("./ws_client.mjs", import.meta.url).pathname;
const WS_SERVER = new URL("./ws_server.mjs", import.meta.url).pathname;

function portOf(server: HttpServer): number {
  return (server.addr as Deno.NetAddr).port;
}

function urlOf(server: HttpServer): string {
  return `http://127.0.0.1:${portOf(server)}`;
}

function nginxConfiguration(folder: string, locations: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log /dev/null;
events { worker_connections 256; }
http {
  access_log off;
  default_type application/octet-stream;
  client_max_body_size 0;
  ${temporary}
  ${locations}
}`;
}

async function whileNginx(
  locations: (port: number, folder: string) => string,
  work: (port: number) => Promise<void>,
): Promise<void> {
  await whileListening(async ({ port, folder }) => {
    await Deno.writeFile(`${folder}/file`, sampleBytes(3 * MIB));
    await Deno.chmod(`${folder}/file`, 0o644);
    const path = `${folder}/nginx.conf`;
    await Deno.writeTextFile(path, nginxConfiguration(folder, locations(port, folder)));
    return startPeer("nginx", ["-p", folder, "-c", path, "-e", "/dev/null"], 60_000);
  }, ({ port }) => work(port));
}

/** Bodies of all sizes there and back, several at a time. */
async function exchangeBodies(url: string): Promise<void> {
  await using client = new Client();
  const sizes = [0, 1, 1_000, 16_384, 16_385, 65_536, 300_000, 3 * MIB];
  await Promise.all(sizes.map(async (size) => {
    const body = sampleBytes(size);
    for (
      const source of [
        body,
        ReadableStream.from([body.subarray(0, size >> 1), body.subarray(size >> 1)]),
      ]
    ) {
      const response = await client.post(`${url}/echo`, { body: source });
      assertEquals([response.status, await response.bytes()], [200, body]);
    }
  }));
}

for (const [name, isThere] of [["nginx", nginx], ["haproxy", haproxy]] as const) {
  Deno.test({
    name: `${name} in front of reverseProxy(): bodies there and back, and who the client is`,
    ignore: !interopEnabled || !isThere,
    async fn() {
      await using app = new InteropApp();
      await using proxy = reverseProxy(`http://127.0.0.1:${app.port}`, {
        trusted: ["127.0.0.1"],
        xForwarded: true,
      });
      await using server = serve(proxy, LOCAL);
      await using client = new Client();
      const work = async (port: number): Promise<void> => {
        const url = `http://127.0.0.1:${port}`;
        await exchangeBodies(url);
        const seen = await (await client.get(`${url}/describe`, {
          headers: { "x-forwarded-for": "192.0.2.1" },
        }))
          .json<{ headers: [string, string][] }>();
        const headers = new Map(seen.headers.map(([key, value]) => [key.toLowerCase(), value]));
        assertEquals(headers.get("x-forwarded-for"), "192.0.2.1, 127.0.0.1, 127.0.0.1");
      };
      const back = `127.0.0.1:${portOf(server)}`;
      if (name === "nginx") {
        await whileNginx((port) =>
          `server {
             listen 127.0.0.1:${port};
             location / {
               proxy_pass http://${back};
               proxy_http_version 1.1;
               proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
             }
           }`, work);
      } else {
        await whileListening(async ({ port, folder }) => {
          const path = `${folder}/haproxy.cfg`;
          await Deno.writeTextFile(
            path,
            `defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n` +
              `frontend front\n  bind 127.0.0.1:${port}\n  default_backend app\n` +
              `backend app\n  http-request set-header X-Forwarded-For ` +
              `"%[req.hdr(x-forwarded-for)], %[src]"\n  server app ${back}\n`,
          );
          return startPeer("haproxy", ["-db", "-f", path], 60_000);
        }, ({ port }) => work(port));
      }
      assertEquals(app.errors, []);
    },
  });
}

Deno.test({
  name: "reverseProxy() in front of nginx: files, ranges, conditions, compression untouched",
  ignore: !interopEnabled || !nginx,
  async fn() {
    await whileNginx((port, folder) =>
      `server {
         listen 127.0.0.1:${port};
         location / { root ${folder}; gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; }
       }`, async (port) => {
      await using proxy = reverseProxy(`http://127.0.0.1:${port}`);
      await using server = serve(proxy, LOCAL);
      await using client = new Client();
      const url = `${urlOf(server)}/file`;
      const body = sampleBytes(3 * MIB);
      const whole = await client.get(url, { decompress: false });
      assertEquals([whole.status, await whole.bytes()], [200, body]);
      const part = await client.get(url, { headers: { range: "bytes=1000-1999" } });
      assertEquals([part.status, await part.bytes()], [206, body.slice(1_000, 2_000)]);
      const etag = whole.headers.get("etag")!;
      const same = await client.get(url, { headers: { "if-none-match": etag } });
      assertEquals([same.status, same.headers.get("etag")], [304, etag]);
      const zipped = await client.get(url, {
        decompress: false,
        headers: { "accept-encoding": "gzip" },
      });
      assertEquals(zipped.headers.get("content-encoding"), "gzip");
      const inflated = new Blob([await zipped.bytes()]).stream().pipeThrough(
        new DecompressionStream("gzip"),
      );
      assertEquals(await new Response(inflated).bytes(), body);
      const missing = await client.get(`${urlOf(server)}/missing`);
      assertEquals([missing.status, (await missing.text()).includes("nginx")], [404, true]);
    });
  },
});

const NODE_APP = `
import { createServer } from "node:http";
const server = createServer((request, response) => {
  response.setHeader("x-te", request.headers.te ?? "");
  response.writeEarlyHints?.({ link: "</a>; rel=preload" });
  response.writeHead(200, { trailer: "x-sum" });
  let sum = 0;
  request.on("data", (chunk) => { sum += chunk.length; response.write(chunk); });
  request.on("end", () => { response.addTrailers({ "x-sum": String(sum) }); response.end(); });
});
server.listen(0, "127.0.0.1", () => console.log("Listening on " + server.address().port));
`;

Deno.test({
  name: "reverseProxy() in front of node: bodies there and back, early hints, trailers",
  ignore: !interopEnabled || !node,
  async fn() {
    await using app = startPeer("node", ["--input-type=module", "-e", NODE_APP], 60_000);
    const [, port] = await app.ready(/^Listening on (\d+)$/);
    await using proxy = reverseProxy(`http://127.0.0.1:${port}`);
    await using server = serve(proxy, LOCAL);
    await exchangeBodies(urlOf(server));
    await using client = new Client();
    const hints: number[] = [];
    const response = await client.post(urlOf(server), {
      body: sampleBytes(100_000),
      headers: { te: "trailers", connection: "te" },
      expectContinue: true,
      onInformational: ({ status }) => hints.push(status),
    });
    assertEquals((await response.bytes()).length, 100_000);
    assertEquals([response.headers.get("x-te"), response.trailers?.get("x-sum")], [
      "trailers",
      "100000",
    ]);
    assertEquals(hints.sort(), [100, 103]);
  },
});

Deno.test({
  name: "reverseProxy() lets ws through as a server, and as a client",
  ignore: !interopEnabled || !node || ws === undefined,
  async fn() {
    for (const perMessageDeflate of [false, true]) {
      const options = JSON.stringify({ perMessageDeflate });
      await using peer = startPeer("node", [WS_SERVER, ws!, options], 60_000);
      const [, port] = await peer.ready(/^Listening on (\d+)$/);
      await using proxy = reverseProxy(`http://127.0.0.1:${port}`);
      await using server = serve(proxy, LOCAL);
      const url = `ws://127.0.0.1:${portOf(server)}/`;
      assertEquals(await exchangeAll(url, perMessageDeflate), perMessageDeflate);

      await using app = serve(async (ctx) => {
        await using connection = await upgrade(ctx, { compression: perMessageDeflate });
        for await (const { data } of connection) await connection.send(data);
      }, LOCAL);
      await using second = reverseProxy(urlOf(app));
      await using front = serve(second, LOCAL);
      const args = [WS_CLIENT, ws!, `ws://127.0.0.1:${portOf(front)}/`, options];
      const { code, text, stderr } = await runPeer("node", args);
      assertEquals(code, 0, stderr);
      const { rightCount, pong } = JSON.parse(text);
      assertEquals([rightCount, pong], [17, true]);
      assert(await eventually(() => second.stats().upstreams[0]!.activeCount === 0));
    }
  },
});

Deno.test("reverseProxy() lets events and chunks through at once", async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  await using app = serve(async (ctx) => {
    if (ctx.path === "/chunks") {
      const writer = ctx.writer();
      await writer.write("first");
      await gate;
      return await writer.close();
    }
    const stream = sseStream(ctx);
    void stream.send({ data: "first" });
    void gate.then(() => stream.close());
  }, LOCAL);
  await using proxy = reverseProxy(urlOf(app));
  await using server = serve(proxy, LOCAL);
  await using client = new Client();
  const chunks = await client.get(`${urlOf(server)}/chunks`);
  const events = await client.get(`${urlOf(server)}/events`);
  // Neither has ended: what was said is there all the same.
  assertEquals(new TextDecoder().decode(await chunks.read()), "first");
  assert(new TextDecoder().decode(await events.read()).includes("first"));
  open();
  assertEquals(await chunks.read(), undefined);
  while (await events.read() !== undefined);
});

async function drain(response: ClientResponse): Promise<number> {
  let length = 0;
  for await (const chunk of response) length += chunk.length;
  return length;
}

/** Peak of the memory of a process in bytes. */
async function peakBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1_024;
}

Deno.test({
  name: "examples/proxy.ts carries 200 MiB each way in little memory",
  // Memory of another process is read where Linux shows it.
  ignore: !isLinux,
  async fn() {
    await using client = new Client();
    const total = 200 * MIB;
    const piece = sampleBytes(256 * 1024);
    let received = 0;
    await using app = serve(async (ctx) => {
      for await (const chunk of ctx.body) received += chunk.length;
      if (ctx.method === "POST") return ctx.text("done");
      ctx.set("content-length", `${total}`);
      const writer = ctx.writer();
      for (let sent = 0; sent < total; sent += piece.length) await writer.write(piece);
      await writer.close();
    }, LOCAL);
    const path = new URL("../../examples/proxy.ts", import.meta.url).pathname;
    const args = ["run", "--allow-net", path, "--port=0", "--quiet", `--to=${urlOf(app)}`];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    try {
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const [, port] = /:(\d+)\/\n$/.exec((await reader.read()).value!)!;
      const url = `http://127.0.0.1:${port}/`;
      assertEquals(await drain(await client.get(url)), total);
      const pieces = function* (): Generator<Uint8Array> {
        for (let sent = 0; sent < total; sent += piece.length) yield piece;
      };
      const response = await client.post(url, { body: ReadableStream.from(pieces()) });
      assertEquals([await response.text(), received], ["done", total]);
      const peak = await peakBytes(child.pid);
      assert(peak < 200 * MIB, `${Math.round(peak / MIB)} MiB at most`);
      await reader.cancel();
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  },
});

Deno.test({
  name: "curl through examples/proxy.ts: absolute-form, CONNECT, and what is refused",
  ignore: !interopEnabled || !curl,
  async fn() {
    await using app = new InteropApp();
    await using secure = serve((ctx) => ctx.text(`secure ${ctx.path}`), {
      ...LOCAL,
      tls: { cert: LEAF_CERT, key: LEAF_KEY },
    });
    const free = freePort();
    const ports = [`--connect-port=${portOf(secure)}`, `--connect-port=${free}`];
    const args = ["--port=0", "--quiet"];
    await using open = await startExample("proxy", [...args, "--allow-private", ...ports]);
    await using strict = await startExample("proxy", [...args, ...ports]);
    await using narrow = await startExample("proxy", [
      ...args,
      "--allow-private",
      "--allow=localhost",
      `--connect-port=${portOf(secure)}`,
    ]);
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/ca.pem`, CA_CERT);
      const ask = async (proxy: { port: number }, ...rest: string[]): Promise<string> => {
        const through = ["--silent", "--proxy", `http://127.0.0.1:${proxy.port}`, "--noproxy", ""];
        const { text } = await runPeer("curl", [...through, ...rest]);
        return text;
      };
      const tell = ["--output", "/dev/null", "--write-out", "%{http_code} %{http_connect}"];
      const plain = `http://127.0.0.1:${app.port}/describe`;
      const seen = JSON.parse(await ask(open, "--data", "body", plain));
      assertEquals([seen.method, seen.url, seen.body], ["POST", "/describe", "body"]);
      const names = seen.headers.map(([name]: [string]) => name.toLowerCase());
      assertEquals(names.includes("via"), true);
      assertEquals([names.includes("proxy-connection"), names.includes("forwarded")], [
        false,
        false,
      ]);
      const https = ["--cacert", `${folder}/ca.pem`, `https://localhost:${portOf(secure)}/a`];
      assertEquals(await ask(open, ...https), "secure /a");
      // Tunnels to a port nobody has, to one that is not allowed, and to the proxy itself.
      assertEquals(
        await ask(open, ...tell, "--proxytunnel", `http://127.0.0.1:${free}/`),
        "000 502",
      );
      assertEquals(await ask(open, ...tell, "--proxytunnel", plain), "000 403");
      assertEquals(await ask(open, ...tell, `http://127.0.0.1:${open.port}/`), "508 000");
      // Private addresses, by number and by name.
      for (const host of ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.1.1"]) {
        const status = await ask(strict, ...tell, `http://${host}:${app.port}/`);
        assert(["403 000", "502 000"].includes(status), `${host}: ${status}`);
        const tunnel = `http://${host}:${portOf(secure)}/`;
        assertEquals(await ask(strict, ...tell, "--proxytunnel", tunnel), "000 403");
      }
      assertEquals(await ask(narrow, ...https), "secure /a");
      assertEquals(await ask(narrow, ...tell, plain), "403 000");
      assertEquals(await ask(narrow, ...tell, plain.replace("127.0.0.1", "localhost")), "200 000");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
