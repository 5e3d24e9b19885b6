// Files and server-sent events through nginx and haproxy, as most servers stand in the world.
import {
  compose,
  compress,
  type HttpServer,
  serve,
  serveDir,
  SseBroadcaster,
} from "@nbio/net/http";
import { assert, assertEquals } from "@std/assert";
import { TestFolder } from "../_support/file_server.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { type ListeningProgram, whileListening } from "../_support/listening_program.ts";
import { eventually, type Peer, startPeer } from "../_support/peer.ts";

const TIMEOUT_MS = 60_000;
const FILE_BYTES = 5_000_000;
const PAGE = "<p>All work and no play.</p>\n".repeat(2_000);

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** Writes what a proxy is configured by, and starts it in front of a port. */
type Setup = (own: ListeningProgram, port: number) => Promise<Peer>;

const PROXIES: Readonly<Record<string, Setup>> = {
  async nginx({ folder, port: ownPort }, port) {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
    const path = `${folder}/nginx.conf`;
    await Deno.writeTextFile(
      path,
      `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log /dev/stdout warn;
events { worker_connections 64; }
http {
  access_log off;
  ${temporary}
  upstream app { server 127.0.0.1:${port}; keepalive 4; }
  server {
    listen 127.0.0.1:${ownPort};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`,
    );
    return startPeer("nginx", ["-p", folder, "-c", path, "-e", "/dev/stdout"], TIMEOUT_MS);
  },
  async haproxy({ folder, port: ownPort }, port) {
    const path = `${folder}/haproxy.cfg`;
    await Deno.writeTextFile(
      path,
      `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:${ownPort}
  default_backend app
backend app
  server app 127.0.0.1:${port}
`,
    );
    return startPeer("haproxy", ["-db", "-f", path], TIMEOUT_MS);
  },
};

/** A folder and a broadcast behind compression, and who came to the server itself. */
class Site implements AsyncDisposable {
  readonly folder: TestFolder = new TestFolder();
  readonly content: Uint8Array<ArrayBuffer> = new Uint8Array(FILE_BYTES).map((_, at) => at % 251);
  readonly news: SseBroadcaster = new SseBroadcaster({ historyCount: 100 });
  readonly errors: unknown[] = [];
  #server: HttpServer | undefined;

  async start(): Promise<number> {
    await this.folder.write("a.bin", this.content);
    await this.folder.write("page.html", PAGE);
    const files = serveDir(this.folder.path);
    const handler = compose([compress()], async (ctx) => {
      if (ctx.path === "/news") return void this.news.subscribe(ctx);
      if (ctx.path !== "/written") return await files(ctx);
      ctx.set("content-type", "text/html");
      const writer = ctx.writer();
      for (const line of PAGE.split(/(?<=\n)/)) await writer.write(line);
      await writer.close();
    });
    const onError = (error: unknown) => void this.errors.push(error);
    this.#server = serve(handler, { hostname: "127.0.0.1", port: 0, onError });
    return (this.#server.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.news.close();
    await this.#server?.shutdown({ graceMs: 0 });
    await this.folder[Symbol.asyncDispose]();
  }
}

async function behind(name: string, work: (ask: Ask, site: Site) => Promise<void>): Promise<void> {
  await using site = new Site();
  const port = await site.start();
  await whileListening((own) => PROXIES[name]!(own, port), async ({ port: ownPort }) => {
    await work((path, init) => fetch(`http://127.0.0.1:${ownPort}${path}`, init), site);
  });
  assertEquals(site.errors, []);
}

for (const name of Object.keys(PROXIES)) {
  const ignore = !interopEnabled || !hasCommand(name);

  Deno.test({
    name: `${name} passes files on, whole, in parts and not again`,
    ignore,
    fn: () =>
      behind(name, async (ask, site) => {
        const whole = await ask("/a.bin");
        assertEquals(whole.headers.get("content-length"), `${FILE_BYTES}`);
        assertEquals(await whole.bytes(), site.content);
        const etag = whole.headers.get("etag")!;
        const again = await ask("/a.bin", { headers: { "if-none-match": etag } });
        assertEquals([again.status, await again.text()], [304, ""]);
        const headers = { range: "bytes=4999990-", "if-range": etag };
        const part = await ask("/a.bin", { headers });
        assertEquals(part.headers.get("content-range"), `bytes 4999990-4999999/${FILE_BYTES}`);
        assertEquals([part.status, await part.bytes()], [206, site.content.slice(-10)]);
        const parts = await ask("/a.bin", { headers: { range: "bytes=0-9,100-109" } });
        assert(parts.headers.get("content-type")!.startsWith("multipart/byteranges"));
        assertEquals((await parts.text()).match(/content-range: bytes/gi)?.length, 2);
        const none = await ask("/none");
        assertEquals(none.status, 404);
        await none.body?.cancel();
      }),
  });

  Deno.test({
    name: `${name} passes on what is compressed, a file's and a writer's`,
    ignore,
    fn: () =>
      behind(name, async (ask) => {
        for (const path of ["/page.html", "/written"]) {
          const headers = { "accept-encoding": "gzip" };
          const response = await ask(path, { headers });
          assertEquals(response.headers.get("vary"), "Accept-Encoding");
          assertEquals(response.headers.get("content-encoding"), "gzip");
          assertEquals(await response.text(), PAGE, path);
        }
      }),
  });

  Deno.test({
    name: `${name} passes events on before there are others, compressed or not`,
    ignore,
    fn: () =>
      behind(name, async (ask, site) => {
        for (const coding of ["identity", "gzip"]) {
          const response = await ask("/news", { headers: { "accept-encoding": coding } });
          assertEquals(response.headers.get("content-encoding") ?? "identity", coding);
          const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
          let text = "";
          for (const data of ["first", "second", "third"]) {
            assertEquals(site.news.publish({ id: data, data }), 1);
            while (!text.includes(`data: ${data}\n\n`)) text += (await reader.read()).value;
          }
          await reader.cancel();
          // The proxy ends its connection with its client; we see that when we send something.
          assert(await eventually(() => site.news.publish({ data: "still there?" }) === 0));
        }
        const headers = { "last-event-id": "second", "accept-encoding": "identity" };
        const back = await ask("/news", { headers });
        site.news.close();
        const missed = await back.text();
        assert(missed.startsWith("id: third\ndata: third\n\n"), missed);
      }),
  });
}
