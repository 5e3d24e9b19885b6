import { assert, assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, startPeer } from "../_support/peer.ts";
import { InteropApp, sampleBytes, sha256 } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("nginx");
const REQUEST_COUNT = 500;
const CLIENT_COUNT = 10;

/**
 * A reverse proxy with a pool of kept connections, in one process. It listens on a Unix socket,
 * because it cannot tell which free port it was given.
 */
function configuration(folder: string, port: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log /dev/stdout notice;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary}
  client_max_body_size 8m;
  upstream app { server 127.0.0.1:${port}; keepalive 8; }
  server {
    listen unix:${folder}/nginx.sock;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
    location /unbuffered/ {
      proxy_pass http://app/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_buffering off;
    }
  }
}`;
}

async function behindNginx(
  app: InteropApp,
  work: (request: (path: string, init?: RequestInit) => Promise<Response>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/nginx.conf`, configuration(folder, app.port));
    const args = ["-p", folder, "-c", `${folder}/nginx.conf`, "-e", "/dev/stdout"];
    await using nginx = startPeer("nginx", args, 60_000);
    // Said after its sockets are open.
    await nginx.ready(/using the ".*" event method/);
    using client = Deno.createHttpClient({
      proxy: { transport: "unix", path: `${folder}/nginx.sock` },
    });
    await work((path, init) => fetch(`http://proxied${path}`, { ...init, client }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function nginxTest(name: string, fn: (app: InteropApp) => Promise<void>): void {
  Deno.test({
    name: `nginx in front ${name}`,
    ignore,
    async fn() {
      await using app = new InteropApp();
      await fn(app);
      assertEquals(app.server.stats().protocolErrorCount, 0);
      assertEquals(app.errors, []);
    },
  });
}

nginxTest("of us loses none of 500 bodies and keeps its connections", async (app) => {
  await behindNginx(app, async (request) => {
    const clients = Array.from({ length: CLIENT_COUNT }, async (_, client) => {
      for (let index = client; index < REQUEST_COUNT; index += CLIENT_COUNT) {
        const body = sampleBytes(index * 100).map((byte) => byte ^ index);
        const response = await request("/echo", { method: "POST", body });
        assertEquals(response.status, 200);
        assertEquals(await response.bytes(), body);
      }
    });
    await Promise.all(clients);
    const { requestCount, acceptedCount } = app.server.stats();
    assertEquals(requestCount, REQUEST_COUNT);
    assert(acceptedCount < REQUEST_COUNT / 5, `${acceptedCount} connections`);
  });
  assert(await eventually(() => app.server.stats().connectionCount === 0));
});

nginxTest("passes streams in both directions", async (app) => {
  await behindNginx(app, async (request) => {
    const bytes = sampleBytes(1 << 20);
    const body = ReadableStream.from([bytes.slice(0, 10), bytes.slice(10)]);
    const response = await request("/unbuffered/relay", { method: "POST", body });
    assertEquals(await sha256(await response.bytes()), await sha256(bytes));
    const hash = await request("/unbuffered/upload", { method: "POST", body: bytes });
    assertEquals(await hash.text(), await sha256(bytes));
  });
});

nginxTest("passes HEAD, errors and the client's fields", async (app) => {
  await behindNginx(app, async (request) => {
    const head = await request("/mebibyte", { method: "HEAD" });
    assertEquals(head.headers.get("content-length"), "1048576");
    const refused = await request("/refuse", { method: "POST", body: sampleBytes(400_000) });
    assertEquals(refused.status, 403);
    await refused.body?.cancel();
    const described = await request("/describe?a=b", { headers: { "x-asked": "yes" } });
    const { url, headers, httpVersion } = await described.json();
    assertEquals([url, httpVersion], ["/describe?a=b", "1.1"]);
    assert(headers.some(([name, value]: string[]) => name === "x-asked" && value === "yes"));
  });
});
