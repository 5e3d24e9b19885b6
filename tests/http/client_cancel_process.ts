/**
 * A process of its own that cancels ten thousand requests, in every place where one may wait, and
 * tells how much memory it had when it was warm, in the middle and in the end.
 */

import { Client } from "../../http/client.ts";

const REQUEST_COUNT = 10_000;
const WARM_UP_COUNT = 2_000;
const CONCURRENCY = 50;
/** What the server says to each connection, in turn: nothing, a part of a head, of a body. */
const ANSWERS = ["", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]
  .map((text) => new TextEncoder().encode(text));

const collect = (globalThis as unknown as { gc: () => void }).gc;
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const url = `http://127.0.0.1:${listener.addr.port}/`;
const client = new Client({ retry: false, maxConnectionsPerHost: 20 });
let acceptedCount = 0;

async function converse(connection: Deno.TcpConn): Promise<void> {
  const answer = ANSWERS[acceptedCount++ % ANSWERS.length]!;
  const space = new Uint8Array(4_096);
  try {
    await connection.read(space);
    if (answer.length > 0) await connection.write(answer);
    while (await connection.read(space) !== null);
  } catch {
    // The client was faster.
  }
  connection.close();
}

async function accept(): Promise<void> {
  for await (const connection of listener) void converse(connection);
}

async function cancelOne(): Promise<void> {
  const abort = new AbortController();
  const asked = client.get(url, { signal: abort.signal }).then((response) => response.text());
  setTimeout(() => abort.abort(), 1);
  try {
    await asked;
  } catch (error) {
    if (error === abort.signal.reason) return;
    throw error;
  }
  throw new Error("It was answered");
}

async function cancelMany(count: number): Promise<void> {
  for (let done = 0; done < count; done += CONCURRENCY) {
    await Promise.all(Array.from({ length: CONCURRENCY }, cancelOne));
  }
}

/** What there is once what nobody needs has gone. */
function look(): Record<string, number> {
  collect();
  const { heapUsed: heapBytes, rss: rssBytes } = Deno.memoryUsage();
  const { connections, queued } = client.stats();
  return { heapBytes, rssBytes, connections, queued };
}

void accept();
await cancelMany(WARM_UP_COUNT);
const warm = look();
await cancelMany(REQUEST_COUNT / 2);
const middle = look();
await cancelMany(REQUEST_COUNT / 2);
const end = look();
console.log(JSON.stringify({ warm, middle, end }));
Deno.exit(0);
