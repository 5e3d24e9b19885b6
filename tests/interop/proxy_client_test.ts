import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { Client, type HttpServer, ProxyError, serve } from "@nbio/net/http";
import { ConnectError } from "@nbio/net/nbio";
import { dial, upgrade } from "@nbio/net/websocket";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, type Peer, startPeer } from "../_support/peer.ts";
import { CA_CERT, startTlsServer } from "../_support/tls_server.ts";
import { sampleBytes } from "./interop_app.ts";
import { freePort } from "../_support/listening_program.ts";

const LOGIN = "ada:s3cret";
const REQUEST_COUNT = 20;

/** A program that is a proxy. */
interface ProxyProgram {
  readonly name: string;
  readonly scheme: "http" | "socks5h" | "socks5";
  /** Writes what it needs into the folder, and starts it at the port. */
  readonly start: (folder: string, port: number) => Promise<Peer>;
}

const TINYPROXY: ProxyProgram = {
  name: "tinyproxy",
  scheme: "http",
  start: async (folder, port) => {
    const path = `${folder}/tinyproxy.conf`;
    const [name, password] = LOGIN.split(":");
    await Deno.writeTextFile(
      path,
      `Port ${port}\nListen 127.0.0.1\nTimeout 20\nMaxClients 50\nLogLevel Critical\n` +
        `BasicAuth ${name} ${password}\n`,
    );
    return startPeer("tinyproxy", ["-d", "-c", path], 60_000);
  },
};

const SQUID: ProxyProgram = {
  name: "squid",
  scheme: "http",
  start: async (folder, port) => {
    // Its helper speaks of one user on each line: a name and a password, and OK or ERR goes back.
    const helper = `${folder}/helper.sh`;
    await Deno.writeTextFile(
      helper,
      `#!/bin/sh\nwhile read -r name password; do\n` +
        `if [ "$name:$password" = "${LOGIN}" ]; then echo OK; else echo ERR; fi\ndone\n`,
    );
    await Deno.chmod(helper, 0o755);
    await Deno.chmod(folder, 0o755);
    const path = `${folder}/squid.conf`;
    await Deno.writeTextFile(
      path,
      `http_port 127.0.0.1:${port}\npid_filename none\naccess_log none\ncache_log /dev/null\n` +
        `cache deny all\ncoredump_dir ${folder}\nlogfile_rotate 0\nforward_max_tries 1\n` +
        `auth_param basic program ${helper}\nauth_param basic children 1 startup=1\n` +
        `acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n`,
    );
    return startPeer("squid", ["-N", "-f", path], 60_000);
  },
};

const MICROSOCKS: ProxyProgram = {
  name: "microsocks",
  scheme: "socks5h",
  start: (_folder, port) => {
    const [name, password] = LOGIN.split(":");
    const args = ["-i", "127.0.0.1", "-p", `${port}`, "-u", name!, "-P", password!];
    return Promise.resolve(startPeer("microsocks", args, 60_000));
  },
};

const PROGRAMS = [
  TINYPROXY,
  SQUID,
  MICROSOCKS,
  { ...MICROSOCKS, scheme: "socks5" },
] as const satisfies readonly ProxyProgram[];

const present = new Map(
  ["tinyproxy", "squid", "microsocks"].map((name) => [name, hasCommand(name)]),
);

function portOf(server: HttpServer): number {
  return (server.addr as Deno.NetAddr).port;
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Runs the work with the URL of the proxy, with the login in it and without. */
async function through(
  program: ProxyProgram,
  work: (withLogin: string, without: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const port = freePort();
    await using _peer = await program.start(folder, port);
    let isUp = false;
    let isAsking = false;
    const ask = async (): Promise<void> => {
      isAsking = true;
      isUp = await answers(port);
      isAsking = false;
    };
    assert(
      await eventually(() => {
        if (!isAsking && !isUp) void ask();
        return isUp;
      }, 15_000),
      `${program.name} does not listen`,
    );
    const place = `127.0.0.1:${port}`;
    await work(`${program.scheme}://${LOGIN}@${place}`, `${program.scheme}://${place}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const program of PROGRAMS) {
  const ignore = !interopEnabled || !present.get(program.name);
  const by = `${program.name} by ${program.scheme}`;

  Deno.test({
    name: `${by}: requests with bodies, one after the other and at once`,
    ignore,
    async fn() {
      await using server = serve(async (ctx) => {
        ctx.set("x-method", ctx.method);
        ctx.bytes(await ctx.body.bytes());
      }, { hostname: "127.0.0.1", port: 0 });
      await through(program, async (proxy) => {
        await using client = new Client({ proxy, maxConnectionsPerHost: 4 });
        const url = `http://127.0.0.1:${portOf(server)}/echo?a=b`;
        // By a method that may be repeated: tinyproxy leaves without saying that it will.
        const body = sampleBytes(200_000);
        for (let count = 0; count < 3; count++) {
          assertEquals((await (await client.get(url)).bytes()).length, 0);
        }
        const echoed = await Promise.all(
          Array.from({ length: REQUEST_COUNT }, async () => {
            const response = await client.put(url, { body });
            assertEquals([response.status, response.headers.get("x-method")], [200, "PUT"]);
            return await response.bytes();
          }),
        );
        for (const bytes of echoed) assertEquals(bytes, body);
        assert(client.stats().connections <= 4);
      });
    },
  });

  Deno.test({
    name: `${by}: TLS through a tunnel`,
    ignore,
    async fn() {
      await using server = startTlsServer({
        alpnProtocols: ["http/1.1"],
        serve: async (connection) => {
          await connection.read(new Uint8Array(4_096));
          const answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret";
          await connection.write(new TextEncoder().encode(answer));
        },
      });
      await through(program, async (proxy) => {
        await using client = new Client({ proxy, tls: { caCerts: [CA_CERT] } });
        const response = await client.get(`https://127.0.0.1:${server.port}/`);
        assertEquals(await response.text(), "secret");
        assert(response.timings.proxyMs! >= 0 && response.timings.tlsMs! >= 0);
      });
    },
  });

  Deno.test({
    name: `${by}: a WebSocket in the clear`,
    ignore,
    async fn() {
      await using server = serve(async (ctx) => {
        await using ws = await upgrade(ctx);
        for await (const { data } of ws) await ws.send(data);
      }, { hostname: "127.0.0.1", port: 0 });
      await through(program, async (proxy) => {
        await using ws = await dial(`ws://127.0.0.1:${portOf(server)}/`, { proxy });
        await ws.send("hello");
        assertEquals((await ws.readMessage())?.data, "hello");
      });
    },
  });

  Deno.test({
    name: `${by}: no credentials, wrong ones, and a server that is not there`,
    ignore,
    async fn() {
      await through(program, async (withLogin, without) => {
        const closed = `https://127.0.0.1:${freePort()}/`;
        for (const proxy of [without, withLogin.replace("s3cret", "wr0ng")]) {
          await using client = new Client({ proxy, retry: false });
          const error = await assertRejects(() => client.get(closed), ProxyError);
          assertEquals(error.code, "ERR_PROXY_AUTHENTICATION");
          assert(!/s3cret|wr0ng/.test(Deno.inspect(error, { depth: 10 })));
          if (program.scheme !== "http") continue;
          // That of tinyproxy.
          const { status } = await client.get(closed.replace("https", "http"));
          assert(status === 407 || status === 401, `${status}`);
        }
        await using client = new Client({ proxy: withLogin, retry: false });
        const error = await assertRejects(() => client.get(closed), ProxyError);
        assertEquals(error.code, "ERR_PROXY_TARGET_UNREACHABLE", error.message);
        await using around = new Client({
          proxy: { all: withLogin, noProxy: "127.0.0.0/8" },
          retry: false,
        });
        assertInstanceOf(await around.get(closed).catch((error) => error), ConnectError);
      });
    },
  });
}
