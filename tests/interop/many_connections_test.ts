import { assert, assertEquals } from "@std/assert";
import { interopEnabled } from "../_support/interop.ts";
import { eventually, runPeer } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";
import { InteropApp } from "./interop_app.ts";

const SEQUENTIAL_COUNT = 1_000;
/** Or as many as there are descriptors for. */
const CONCURRENT_COUNT = 10_000;
/** Descriptors that are neither end of a connection. */
const OTHER_DESCRIPTORS = 100;

const ignore = !interopEnabled;

/** As many connections as wanted, where both ends of each fit into this process. */
async function affordable(wanted: number): Promise<number> {
  const { text } = await runPeer("sh", ["-c", "ulimit -n"]);
  const limit = text.trim() === "unlimited" ? Infinity : Number(text);
  return Math.min(wanted, Math.floor((limit - OTHER_DESCRIPTORS) / 2));
}

Deno.test({
  name: "1,000 connections of one request each, one after the other, leave nothing behind",
  ignore,
  async fn() {
    await using app = new InteropApp();
    const address = { hostname: "127.0.0.1", port: app.port };
    for (let index = 0; index < SEQUENTIAL_COUNT; index++) {
      await using client = await RawClient.connect(address);
      await client.send(`GET /query?${index} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      const response = await client.response();
      assertEquals(response?.status, 200);
      assertEquals(await client.closed(), "eof");
    }
    assert(await eventually(() => app.server.stats().connectionCount === 0));
    const { acceptedCount, requestCount, protocolErrorCount } = app.server.stats();
    assertEquals([acceptedCount, requestCount], [SEQUENTIAL_COUNT, SEQUENTIAL_COUNT]);
    assertEquals(protocolErrorCount, 0);
    assertEquals(app.errors, []);
  },
});

Deno.test({
  name: "10,000 connections at once, three requests each, leave nothing behind",
  ignore,
  async fn() {
    await using app = new InteropApp();
    const address = { hostname: "127.0.0.1", port: app.port };
    const count = await affordable(CONCURRENT_COUNT);
    const clients: RawClient[] = [];
    for (let index = 0; index < count; index++) {
      clients.push(await RawClient.connect(address, { timeoutMs: 60_000 }));
    }
    for (let round = 0; round < 3; round++) {
      await Promise.all(clients.map(async (client, index) => {
        await client.send(`GET /query?${index}.${round} HTTP/1.1\r\nHost: a\r\n\r\n`);
        const response = await client.response();
        assertEquals(response?.body, `?${index}.${round}`);
      }));
      assertEquals(app.server.stats().connectionCount, count);
    }
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    assert(await eventually(() => app.server.stats().connectionCount === 0));
    assertEquals(app.server.stats().requestCount, count * 3);
    assertEquals(app.errors, []);
  },
});
