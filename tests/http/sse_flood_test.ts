// 1,000 clients of which 100 never read: the others get everything, and memory stays bounded.
// The server is a process of its own, so that its memory is nobody else's.
import { assert, assertEquals } from "@std/assert";
import { LineReader } from "../bench/_support/line_reader.ts";
import { eventually } from "../_support/peer.ts";

const CLIENT_COUNT = 1_000;
const DEAF_COUNT = 100;
/** Those who read are waited for after each round, and so never too slow. */
const ROUND_COUNT = 20;
const ROUND_EVENTS = 20;
const EVENT_BYTES = 1_024;
const MAX_QUEUED_EVENTS = 40;
/** Connections that are opened at once: fewer than wait to be accepted. */
const MAX_AT_ONCE = 50;
/** How far the second half of the rounds may be above the first. */
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;
/** How far all of them may be above the start: 1,000 connections at work, 100 of them full. */
const MAX_WORKING_BYTES = 256 * 1024 * 1024;

/** Counts the events on one connection. */
class Reader {
  readonly connection: Deno.TcpConn;
  eventCount = 0;
  readonly #ended: Promise<void>;

  constructor(connection: Deno.TcpConn) {
    this.connection = connection;
    this.#ended = this.#read();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await this.connection.read(buffer)) !== null;) {
        // Nothing else in the stream has a letter beside a digit like this: "id: ".
        for (let at = 0; (at = buffer.indexOf(0x3a, at)) >= 0 && at < count; at++) {
          if (at >= 2 && buffer[at - 1] === 0x64 && buffer[at - 2] === 0x69) this.eventCount++;
        }
      }
    } catch {
      // Closed by us.
    }
  }

  async close(): Promise<void> {
    this.connection.close();
    await this.#ended;
  }
}

async function connect(port: number, path: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`));
  // The head: from now on it is among those who are sent events.
  await connection.read(new Uint8Array(1_024));
  return connection;
}

for (const policy of ["drop-client", "drop-oldest"] as const) {
  Deno.test(`SseBroadcaster with ${policy} bears 100 of 1,000 clients that never read`, async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "--v8-flags=--expose-gc", "--allow-net=127.0.0.1", "--allow-read"],
        new URL("../_support/sse_flood_server.ts", import.meta.url).pathname,
        policy,
        `${MAX_QUEUED_EVENTS}`,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = new LineReader(child.stdout);
    const writer = child.stdin.getWriter();
    const ask = async (line: string): Promise<Record<string, number>> => {
      await writer.write(new TextEncoder().encode(`${line}\n`));
      return JSON.parse((await lines.next())!);
    };
    const readers: Reader[] = [];
    const deaf: Deno.TcpConn[] = [];
    try {
      const port = Number(await lines.next());
      while (deaf.length + readers.length < CLIENT_COUNT) {
        const isDeaf = deaf.length < DEAF_COUNT;
        const path = isDeaf ? "/deaf" : "/";
        const some = Array.from({ length: MAX_AT_ONCE }, () => connect(port, path));
        for (const connection of await Promise.all(some)) {
          if (isDeaf) deaf.push(connection);
          else readers.push(new Reader(connection));
        }
      }
      const before = await ask(`1 ${EVENT_BYTES}`);
      assertEquals(before.clientCount, CLIENT_COUNT);
      const halves: [number, number] = [0, 0];
      let maxRssBytes = 0;
      let last = before;
      for (let round = 0; round < ROUND_COUNT; round++) {
        last = await ask(`${ROUND_EVENTS} ${EVENT_BYTES}`);
        const half = round * 2 < ROUND_COUNT ? 0 : 1;
        halves[half] = Math.max(halves[half], last.heldBytes!);
        maxRssBytes = Math.max(maxRssBytes, last.maxRssBytes!);
        const expected = 1 + (round + 1) * ROUND_EVENTS;
        const haveAll = () => readers.every(({ eventCount }) => eventCount === expected);
        assert(await eventually(haveAll, 60_000), `round ${round}`);
      }
      const isDropping = policy === "drop-client";
      assertEquals(last.droppedClientCount, isDropping ? DEAF_COUNT : 0);
      assertEquals(last.clientCount, isDropping ? CLIENT_COUNT - DEAF_COUNT : CLIENT_COUNT);
      assert(last.maxQueuedCount! <= MAX_QUEUED_EVENTS, `${last.maxQueuedCount} events`);
      // Each was sent two at a time, one of them its own; what cannot wait is dropped.
      const sentCount = 2 * (1 + ROUND_COUNT * ROUND_EVENTS) * DEAF_COUNT;
      const waitingCount = MAX_QUEUED_EVENTS * DEAF_COUNT;
      if (!isDropping) assertEquals(last.droppedCount, sentCount - waitingCount);
      const [first, second] = halves;
      assert(second - first < MAX_GROWTH_BYTES, `${second - first} bytes`);
      const working = maxRssBytes - before.maxRssBytes!;
      assert(working < MAX_WORKING_BYTES, `${working} bytes`);
    } finally {
      await Promise.all(readers.map((reader) => reader.close()));
      for (const connection of deaf) connection.close();
      child.kill("SIGKILL");
      await child.status;
      await lines.cancel();
      await writer.abort().catch(() => {});
    }
  });
}
