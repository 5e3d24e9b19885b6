import { assert, assertEquals } from "@std/assert";
import { type HttpServer, proxyHeader, proxyListener, ProxyTlvType, serve } from "@nbio/net/http";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, startPeer } from "../_support/peer.ts";
import { InteropApp, sampleBytes } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("haproxy");
const REQUEST_COUNT = 200;
const CLIENT_COUNT = 5;

/** It listens on a Unix socket, because it cannot tell which free port it was given. */
function configuration(folder: string, port: number, server: string, mode: string): string {
  return `
global
  log stdout format raw local0 notice
defaults
  mode ${mode}
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse safe
frontend front
  bind unix@${folder}/haproxy.sock
  bind unix@${folder}/proxied.sock accept-proxy
  default_backend app
backend app
  ${mode === "http" ? "option httpchk GET /check" : ""}
  server app 127.0.0.1:${port} ${server}
`;
}

async function behindHaproxy(
  port: number,
  server: string,
  work: (
    request: (path: string, init?: RequestInit) => Promise<Response>,
    folder: string,
  ) => Promise<void>,
  mode = "http",
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/haproxy.cfg`;
    await Deno.writeTextFile(path, configuration(folder, port, server, mode));
    await using _haproxy = startPeer("haproxy", ["-db", "-f", path], 60_000);
    assert(await eventually(() => isThere(`${folder}/haproxy.sock`)));
    using client = Deno.createHttpClient({
      proxy: { transport: "unix", path: `${folder}/haproxy.sock` },
    });
    await work((path, init) => fetch(`http://proxied${path}`, { ...init, client }), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Tells what the connection said of its client. */
function whoServer(): { server: HttpServer; refused: unknown[] } {
  const refused: unknown[] = [];
  const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listener = proxyListener(socket, ["127.0.0.1"], {
    onRefuse: (error) => refused.push(error),
  });
  const server = serve((ctx) => {
    const header = proxyHeader(ctx);
    const id = header?.tlvs.find(({ type }) => type === ProxyTlvType.UNIQUE_ID);
    ctx.json({
      remote: ctx.remoteAddr,
      local: ctx.localAddr,
      version: header?.version,
      id: id && new TextDecoder().decode(id.value),
    });
  }, { listener });
  return { server, refused };
}

function portOf(server: HttpServer): number {
  return (server.addr as Deno.NetAddr).port;
}

/** Sends a request with a PROXY header of its own through haproxy, which passes on what it says. */
async function askAs(folder: string, header: string): Promise<Record<string, unknown>> {
  const conn = await Deno.connect({ transport: "unix", path: `${folder}/proxied.sock` });
  const text = `${header}\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
  await conn.write(new TextEncoder().encode(text));
  const answer = await new Response(conn.readable).text();
  return JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
}

for (
  const [name, options, version] of [
    ["1", "send-proxy", 1],
    ["2", "send-proxy-v2 proxy-v2-options crc32c,unique-id", 2],
  ] as const
) {
  for (const mode of ["http", "tcp"]) {
    Deno.test({
      name: `haproxy tells the client by the PROXY protocol ${name}, in mode ${mode}`,
      ignore,
      async fn() {
        const { server, refused } = whoServer();
        await using _server = server;
        await behindHaproxy(portOf(server), options, async (_request, folder) => {
          for (
            const [family, source, destination] of [
              ["TCP4", "192.0.2.1", "198.51.100.2"],
              ["TCP6", "2001:db8::1", "2001:db8::2"],
            ] as const
          ) {
            const header = `PROXY ${family} ${source} ${destination} 56324 443`;
            const seen = await askAs(folder, header);
            assertEquals(seen.remote, { transport: "tcp", hostname: source, port: 56324 });
            assertEquals(seen.local, { transport: "tcp", hostname: destination, port: 443 });
            assertEquals(seen.version, version);
          }
        }, mode);
        assertEquals([refused, server.stats().protocolErrorCount], [[], 0]);
      },
    });
  }
}

Deno.test({
  name: "haproxy that speaks for itself, or of a client without an address, is taken as it is",
  ignore,
  async fn() {
    for (const options of ["send-proxy", "send-proxy-v2"]) {
      const { server, refused } = whoServer();
      await using _server = server;
      const checked = `${options} check check-send-proxy inter 50ms`;
      await behindHaproxy(portOf(server), checked, async (request) => {
        // Its own client came by a Unix socket: an address that version 1 has no words for.
        const { remote } = await (await request("/")).json();
        assert(remote.hostname === "127.0.0.1" || remote.transport === "unix", remote);
        const { requestCount } = server.stats();
        // Checks come on connections of their own.
        assert(await eventually(() => server.stats().requestCount > requestCount + 2));
      });
      assertEquals([refused, server.stats().protocolErrorCount], [[], 0]);
    }
  },
});

Deno.test({
  name: "haproxy keeps its connections over a proxyListener(), and loses no body",
  ignore,
  async fn() {
    const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using app = new InteropApp({ listener: proxyListener(socket, ["127.0.0.1"]) });
    await behindHaproxy(app.port, "send-proxy-v2", async (request) => {
      const clients = Array.from({ length: CLIENT_COUNT }, async (_, client) => {
        for (let index = client; index < REQUEST_COUNT; index += CLIENT_COUNT) {
          const body = sampleBytes(index * 100).map((byte) => byte ^ index);
          const response = await request("/echo", { method: "POST", body });
          assertEquals([response.status, await response.bytes()], [200, body]);
        }
      });
      await Promise.all(clients);
      const { requestCount, acceptedCount, protocolErrorCount } = app.server.stats();
      assertEquals([requestCount, protocolErrorCount], [REQUEST_COUNT, 0]);
      assert(acceptedCount < REQUEST_COUNT / 5, `${acceptedCount} connections`);
    });
    assertEquals(app.errors, []);
    assert(await eventually(() => app.server.stats().connectionCount === 0));
  },
});
