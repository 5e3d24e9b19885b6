import { assert, assertEquals } from "@std/assert";
import { createServer } from "node:net";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll, type SendStatus } from "../../nbio/send_all.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { LineReader } from "../bench/_support/line_reader.ts";
import { residentBytes } from "../bench/_support/process_stats.ts";
import { eventually } from "../_support/peer.ts";
import { connectToReset } from "../_support/socket_pair.ts";

const EXAMPLE = new URL("../../examples/tcp_proxy.ts", import.meta.url).pathname;

/** The example between a listener and whoever connects. */
class Proxy implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: LineReader;
  port = 0;

  constructor(to: number, args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-net=127.0.0.1",
        EXAMPLE,
        "--listen=127.0.0.1:0",
        `--to=127.0.0.1:${to}`,
        ...args,
      ],
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#lines = new LineReader(this.#child.stdout);
  }

  static async start(to: number, ...args: string[]): Promise<Proxy> {
    const proxy = new Proxy(to, args);
    const line = await proxy.#lines.next();
    proxy.port = Number(/^Proxying on 127\.0\.0\.1:(\d+)$/.exec(line ?? "")?.[1]);
    return proxy;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** A connection through the proxy: its client, and what the proxy has connected. */
  async connect(target: Deno.TcpListener): Promise<[Deno.TcpConn, Deno.TcpConn]> {
    const client = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    return [client, await target.accept()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#lines.cancel();
  }
}

function listenLocally(): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: 0 });
}

async function readAll(connection: Deno.TcpConn): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const p = new Uint8Array(65_536);
    const byteCount = await connection.read(p);
    if (byteCount === null) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    chunks.push(p.subarray(0, byteCount));
  }
}

/** Reads until the end, whichever way it comes. */
async function readToAnyEnd(connection: Deno.TcpConn): Promise<void> {
  await readAll(connection).catch((error) => assert(error instanceof Deno.errors.ConnectionReset));
}

const REQUEST = new SeededRandom(1).bytes(1 << 20);
const ANSWER = new SeededRandom(2).bytes(3 << 20);

for (const first of ["client", "server"]) {
  Deno.test(`examples/tcp_proxy.ts carries a half-close of the ${first}`, async () => {
    using target = listenLocally();
    await using proxy = await Proxy.start(target.addr.port);
    const [client, server] = await proxy.connect(target);
    const [speaker, listener] = first === "client" ? [client, server] : [server, client];
    const sent = sendAll(speaker, REQUEST).then(() => speaker.closeWrite());
    assertEquals(await readAll(listener), REQUEST);
    // It has seen the end; the other direction is still open.
    const answered = sendAll(listener, ANSWER).then(() => listener.closeWrite());
    assertEquals(await readAll(speaker), ANSWER);
    await Promise.all([sent, answered]);
    client.close();
    server.close();
  });
}

Deno.test("examples/tcp_proxy.ts ends the connection to the server when the client resets", async () => {
  using target = listenLocally();
  await using proxy = await Proxy.start(target.addr.port);
  const [client, server] = await Promise.all([connectToReset(proxy.port), target.accept()]);
  client.write("hello");
  await recvExactly(server, new Uint8Array(5));
  client.resetAndDestroy();
  await readToAnyEnd(server);
  server.close();
});

Deno.test("examples/tcp_proxy.ts ends the connection of the client when the server resets", async () => {
  const target = createServer((socket) => {
    socket.on("data", (bytes) => bytes[0] === 0 ? socket.resetAndDestroy() : socket.write(bytes));
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  await using proxy = await Proxy.start((target.address() as { port: number }).port);
  const connect = { hostname: "127.0.0.1", port: proxy.port };
  const [client, other] = [await Deno.connect(connect), await Deno.connect(connect)];
  await sendAll(client, new Uint8Array([0]));
  await readToAnyEnd(client);
  client.close();
  // The next one has nothing to do with it.
  await sendAll(other, new Uint8Array([1]));
  await recvExactly(other, new Uint8Array(1));
  other.close();
  await new Promise((resolve) => target.close(resolve));
});

Deno.test("examples/tcp_proxy.ts ends the connection if the server cannot be reached", async () => {
  const target = listenLocally();
  const { port } = target.addr;
  target.close();
  await using proxy = await Proxy.start(port);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  await readToAnyEnd(client);
  client.close();
});

Deno.test("examples/tcp_proxy.ts ends a connection on which nothing moves", async () => {
  using target = listenLocally();
  await using proxy = await Proxy.start(target.addr.port, "--idle-ms=300");
  const [client, server] = await proxy.connect(target);
  await Promise.all([readToAnyEnd(client), readToAnyEnd(server)]);
  client.close();
  server.close();
});

Deno.test({
  name: "examples/tcp_proxy.ts holds little for servers that never read",
  // What a process holds is read from /proc.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const connectionCount = 8;
    const floodBytes = 64 << 20;
    using target = listenLocally();
    await using proxy = await Proxy.start(target.addr.port);
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const pairs: [Deno.TcpConn, Deno.TcpConn][] = [];
    for (let index = 0; index < connectionCount; index++) pairs.push(await proxy.connect(target));
    const before = residentBytes(proxy.pid);
    const flood = new Uint8Array(floodBytes);
    const floods = pairs.map(([client]) => sendAll(client, flood, { status }).catch(() => {}));
    let last = -1;
    let stillCount = 0;
    // The buffers of the system are full when nothing moves any more.
    const isStuck = await eventually(() => {
      stillCount = status.sentBytes === last && last > 0 ? stillCount + 1 : 0;
      last = status.sentBytes;
      return stillCount > 50;
    }, 20_000);
    assert(isStuck && status.sentBytes < connectionCount * floodBytes);
    const grownBytes = residentBytes(proxy.pid) - before;
    assert(grownBytes < 24 << 20, `${grownBytes} bytes more than before`);
    for (const connection of pairs.flat()) connection.close();
    await Promise.all(floods);
  },
});

Deno.test("examples/tcp_proxy.ts carries 100 connections at once", async () => {
  using target = listenLocally();
  await using proxy = await Proxy.start(target.addr.port);
  const echoing = (async () => {
    const echoes: Promise<void>[] = [];
    for (let index = 0; index < 100; index++) echoes.push(echo(await target.accept()));
    await Promise.all(echoes);
  })();
  await Promise.all(Array.from({ length: 100 }, async (_, index) => {
    const client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
    const message = new SeededRandom(index).bytes(20_000 + index);
    const sent = sendAll(client, message).then(() => client.closeWrite());
    assertEquals(await readAll(client), message);
    await sent;
    client.close();
  }));
  await echoing;
});

async function echo(connection: Deno.TcpConn): Promise<void> {
  await sendAll(connection, await readAll(connection));
  connection.close();
}

Deno.test("examples/tcp_proxy.ts says what it needs", async () => {
  for (const args of [[], ["--to=here"], ["--to=127.0.0.1:1", "--listen=::1"]]) {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net=127.0.0.1", EXAMPLE, ...args],
      stdout: "null",
      stderr: "null",
    }).output();
    assertEquals(code, 1);
  }
});
