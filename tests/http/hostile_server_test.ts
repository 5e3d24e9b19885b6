import { assert, assertEquals } from "@std/assert";
import { type Peer, startPeer } from "../_support/peer.ts";
import { type RawAddress, RawClient } from "../_support/raw_client.ts";
import { post, request } from "../_support/server_harness.ts";

const PROGRAM = new URL("../_support/hostile_server.ts", import.meta.url).pathname;
const MEBIBYTE = 1 << 20;
/** What the heap of a busy process may grow by between two collections. */
const SLACK_BYTES = 64 * MEBIBYTE;

interface Stats {
  readonly streamedBytes: number;
  readonly receivedBytes: number;
  readonly rssBytes: number;
  readonly connectionCount: number;
  readonly requestCount: number;
  readonly protocolErrorCount: number;
}

/** A server in a process of its own. */
class HostileBench implements AsyncDisposable {
  readonly address: RawAddress;
  readonly #peer: Peer;

  constructor(peer: Peer, port: number) {
    this.#peer = peer;
    this.address = { hostname: "127.0.0.1", port };
  }

  static async start(): Promise<HostileBench> {
    const peer = startPeer(Deno.execPath(), ["run", "--no-check", "-A", PROGRAM], 60_000);
    const [port] = await peer.ready(/^\d+$/);
    return new HostileBench(peer, Number(port));
  }

  async stats(): Promise<Stats> {
    await using client = await RawClient.connect(this.address);
    await client.send(request("GET /stats", ["Connection: close"]));
    return JSON.parse((await client.response())!.body);
  }

  /** Waits until a condition on the figures holds. */
  async until(condition: (stats: Stats) => boolean): Promise<Stats> {
    for (;;) {
      const stats = await this.stats();
      if (condition(stats)) return stats;
    }
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.address, { timeoutMs: 20_000 });
  }

  /** A good client still gets its answer. */
  async assertServing(): Promise<void> {
    await using client = await this.connect();
    await client.send(request("GET /"));
    assertEquals((await client.response())?.body, "hello");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]();
  }
}

Deno.test("slow readers of 100 MB cost a server no memory, and get every byte", async () => {
  await using bench = await HostileBench.start();
  await bench.assertServing();
  const before = await bench.stats();
  const readers = await Promise.all(Array.from({ length: 4 }, async () => {
    const conn = await Deno.connect(bench.address);
    await conn.write(new TextEncoder().encode(request("GET /stream", ["Connection: close"])));
    return conn;
  }));
  // Nobody reads: what is streamed comes to a halt when the sockets are full.
  let lastBytes = -1;
  let sameCount = 0;
  const halted = await bench.until(({ streamedBytes }) => {
    sameCount = streamedBytes > 0 && streamedBytes === lastBytes ? sameCount + 1 : 0;
    lastBytes = streamedBytes;
    return sameCount === 20;
  });
  assert(halted.streamedBytes < 4 * 50_000_000, `${halted.streamedBytes} bytes`);
  const grown = halted.rssBytes - before.rssBytes;
  assert(grown < SLACK_BYTES, `grown by ${Math.round(grown / MEBIBYTE)} MiB`);
  await bench.assertServing();
  for (const conn of readers.slice(1)) conn.close();
  let readBytes = 0;
  const space = new Uint8Array(MEBIBYTE);
  for (let count; (count = await readers[0]!.read(space)) !== null;) readBytes += count;
  readers[0]!.close();
  assert(readBytes > 100_000_000 && readBytes < 100_001_000, `${readBytes} bytes`);
  const after = await bench.until(({ connectionCount }) => connectionCount === 1);
  assert(after.rssBytes - before.rssBytes < 2 * SLACK_BYTES, `${after.rssBytes} bytes`);
});

/** Sends without ever reading, until the connection is closed. */
async function sendForEver(conn: Deno.Conn, data: string): Promise<void> {
  const bytes = new TextEncoder().encode(data);
  try {
    for (;;) await conn.write(bytes);
  } catch {
    // Closed, by whomever.
  }
}

Deno.test("a flood of pipelined requests whose answers nobody reads comes to a halt", async () => {
  await using bench = await HostileBench.start();
  await bench.assertServing();
  const before = await bench.stats();
  const conns = await Promise.all(Array.from({ length: 8 }, () => Deno.connect(bench.address)));
  const floods = conns.map((conn) => sendForEver(conn, request("GET /stats").repeat(1_000)));
  let lastCount = 0;
  let sameCount = 0;
  const halted = await bench.until(({ requestCount }) => {
    // Each look is a request, too.
    sameCount = requestCount > 1_000 && requestCount === lastCount + 1 ? sameCount + 1 : 0;
    lastCount = requestCount;
    return sameCount === 20;
  });
  const grown = halted.rssBytes - before.rssBytes;
  assert(grown < 2 * SLACK_BYTES, `grown by ${Math.round(grown / MEBIBYTE)} MiB`);
  await bench.assertServing();
  for (const conn of conns) conn.close();
  await Promise.all(floods);
  await bench.until(({ connectionCount }) => connectionCount === 1);
});

Deno.test("a flood of header fields is answered with 431 and costs no memory", async () => {
  await using bench = await HostileBench.start();
  await bench.assertServing();
  const before = await bench.stats();
  await Promise.all(Array.from({ length: 16 }, async () => {
    await using client = await bench.connect();
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n");
    const fields = "x-flood: y\r\n".repeat(1_000);
    for (let round = 0; round < 1_000 && await client.send(fields); round++);
    // A client that never stops may be reset before it has read its answer.
    assertEquals((await client.response())?.status ?? 431, 431);
  }));
  await bench.assertServing();
  const after = await bench.stats();
  const grown = after.rssBytes - before.rssBytes;
  assert(grown < SLACK_BYTES, `grown by ${Math.round(grown / MEBIBYTE)} MiB`);
  assertEquals(after.protocolErrorCount, 16);
});

Deno.test("slow heads and slow bodies are answered with 408, hundreds at a time", async () => {
  await using bench = await HostileBench.start();
  const statuses = await Promise.all(Array.from({ length: 300 }, async (_, index) => {
    await using client = await bench.connect();
    await client.send(index % 2 === 0 ? "GET / HT" : post("/count", "x".repeat(100)).slice(0, -90));
    return (await client.response())?.status;
  }));
  assertEquals(statuses.filter((status) => status !== 408), []);
  await bench.assertServing();
  const { receivedBytes } = await bench.until(({ connectionCount }) => connectionCount === 1);
  assertEquals(receivedBytes, 150 * 10);
});

Deno.test("clients that half-close, or reset in mid-response, leave nothing behind", async () => {
  await using bench = await HostileBench.start();
  await Promise.all(Array.from({ length: 60 }, async (_, index) => {
    const client = await bench.connect();
    const isWhole = index % 3 === 0;
    await client.send(request(isWhole ? "GET /" : "GET /stream"));
    if (isWhole) {
      await client.sendEnd();
      assertEquals([(await client.response())?.body, await client.closed()], ["hello", "eof"]);
    } else {
      // Closing with bytes unread makes the kernel send a reset.
      await client.bytes(1 + index * 1_000);
    }
    await client[Symbol.asyncDispose]();
  }));
  await bench.assertServing();
  await bench.until(({ connectionCount }) => connectionCount === 1);
});

Deno.test("a flood of connections that say nothing is gone after its time", async () => {
  await using bench = await HostileBench.start();
  const clients = await Promise.all(Array.from({ length: 500 }, () => bench.connect()));
  await bench.assertServing();
  await Promise.all(clients.map((client) => client.closed()));
  assert(clients.every((client) => client.end !== "timeout"));
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  await bench.until(({ connectionCount }) => connectionCount === 1);
});
