import { assert, assertEquals } from "@std/assert";
import {
  clientAddr,
  clientHost,
  clientScheme,
  compose,
  type HttpServer,
  proxyListener,
  serve,
  trustedProxy,
} from "@nbio/net/http";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { startPeer } from "../_support/peer.ts";
import { freePort } from "../_support/listening_program.ts";

const ignore = !interopEnabled || !hasCommand("nginx");
/** Debian has it in a package of its own. */
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** Both ways in take a PROXY header themselves, by which a test says who it is. */
function configuration(
  folder: string,
  port: number,
  way: "http" | "stream",
  ownPort: number,
): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
  const ways = {
    http: `
http {
  access_log off;
  ${temporary}
  server {
    listen unix:${folder}/nginx.sock proxy_protocol;
    set_real_ip_from unix:;
    real_ip_header proxy_protocol;
    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
    }
  }
}`,
    stream: `
stream {
  server {
    listen 127.0.0.1:${ownPort} proxy_protocol;
    set_real_ip_from 127.0.0.1;
    proxy_pass 127.0.0.1:${port};
    proxy_protocol on;
  }
}`,
  };
  return `
${way === "stream" ? `load_module ${STREAM_MODULE};` : ""}
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log /dev/stdout notice;
events { worker_connections 64; }
${ways[way]}`;
}

async function behindNginx(
  server: HttpServer,
  way: "http" | "stream",
  work: (door: Deno.UnixConnectOptions | Deno.ConnectOptions) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/nginx.conf`;
    const { port } = server.addr as Deno.NetAddr;
    const own = freePort();
    await Deno.writeTextFile(path, configuration(folder, port, way, own));
    await using nginx = startPeer("nginx", ["-p", folder, "-c", path, "-e", "/dev/stdout"], 60_000);
    // Said after its sockets are open.
    await nginx.ready(/using the ".*" event method/);
    const door = { transport: "unix", path: `${folder}/nginx.sock` } as const;
    // A stream needs two ends of one family to tell of: a TCP port, free a moment ago.
    await work(way === "http" ? door : { hostname: "127.0.0.1", port: own });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function ask(
  door: Deno.UnixConnectOptions | Deno.ConnectOptions,
  fields: readonly string[] = [],
): Promise<unknown> {
  const conn = await ("path" in door ? Deno.connect(door) : Deno.connect(door));
  const head = ["GET / HTTP/1.1", "Host: www.example:8443", "Connection: close", ...fields, "", ""];
  const text = `PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n${head.join("\r\n")}`;
  await conn.write(new TextEncoder().encode(text));
  const answer = await new Response(conn.readable).text();
  assert(answer.startsWith("HTTP/1.1 200"), answer);
  return JSON.parse(/\[.*\]/.exec(answer.slice(answer.indexOf("\r\n\r\n")))![0]);
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

Deno.test({
  name: "nginx: trustedProxy() finds the client in what nginx adds, not in what the client sent",
  ignore,
  async fn() {
    const middleware = trustedProxy(["127.0.0.1"], {
      fields: ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"],
    });
    const handler = compose([middleware], (ctx) => {
      ctx.json([clientAddr(ctx), clientScheme(ctx), clientHost(ctx)]);
    });
    await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
    await behindNginx(server, "http", async (door) => {
      const expected = ["192.0.2.1", "http", "www.example:8443"];
      assertEquals(await ask(door), expected);
      const lies = ["X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https"];
      assertEquals(await ask(door, lies), expected);
      assertEquals(await ask(door, ["X-Forwarded-Host: evil.example"]), expected);
    });
  },
});

Deno.test({
  name: "nginx: proxyListener() reads the PROXY header of its stream module",
  ignore: ignore || !isThere(STREAM_MODULE),
  async fn() {
    const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using server = serve((ctx) => ctx.json([clientAddr(ctx), clientHost(ctx)]), {
      listener: proxyListener(socket, ["127.0.0.1"]),
    });
    await behindNginx(server, "stream", async (door) => {
      for (let count = 0; count < 3; count++) {
        assertEquals(await ask(door), ["192.0.2.1", "www.example:8443"]);
      }
    });
    assertEquals(server.stats().protocolErrorCount, 0);
  },
});
