import { assert, assertEquals } from "@std/assert";
import { TimeoutError } from "../../nbio/errors.ts";
import { resolveServerOptions, type ServerTimeouts } from "../../http/server_options.ts";
import { ServerRate } from "../../http/server_rate.ts";
import type { Handler } from "../../http/server_shared.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { RawClient } from "../_support/raw_client.ts";
import { post, postChunks, request, ServerHarness, TICK_MS } from "../_support/server_harness.ts";
import { serve } from "../_support/tls_switch.ts";

const echo: Handler = async (ctx) => ctx.text(await ctx.body.text());
const RATES: ServerTimeouts = { minHeadBytesPerSecond: 100, minBodyBytesPerSecond: 100 };

/** A rate with its clock and counter in the hands of a test. */
class Bench {
  readonly rate: ServerRate;
  readonly received = { receivedBytes: 1 };
  nowMs = 1_000;

  constructor(options: ServerTimeouts) {
    const { timeouts } = resolveServerOptions(options);
    this.rate = new ServerRate(timeouts, this.received, () => this.nowMs);
  }

  after(durationMs: number, byteCount: number): number | undefined {
    this.nowMs += durationMs;
    this.received.receivedBytes += byteCount;
    return this.rate.check();
  }
}

Deno.test("ServerRate is wanted where a rate is set, not by default", () => {
  const isWanted = (options: ServerTimeouts) =>
    ServerRate.isWanted(resolveServerOptions(options).timeouts);
  assertEquals([
    isWanted({}),
    isWanted({ minHeadBytesPerSecond: 1 }),
    isWanted({ minBodyBytesPerSecond: 1 }),
    isWanted({ minHeadBytesPerSecond: Infinity, minBodyBytesPerSecond: 0 }),
  ], [false, true, true, false]);
});

for (const phase of ["head", "body"] as const) {
  Deno.test(`ServerRate wants as many bytes of a ${phase} as the rate says, in each window`, () => {
    for (const [byteCount, isTooSlow] of [[500, false], [499, true], [0, true]] as const) {
      const bench = new Bench(RATES);
      assertEquals(bench.rate.begin(phase, 30_000), 5_000);
      assertEquals(bench.after(5_000, 100_000), 5_000);
      // What came before buys nothing.
      assertEquals(bench.after(5_000, byteCount), isTooSlow ? undefined : 5_000);
      assertEquals(bench.rate.isTooSlow, isTooSlow);
    }
  });
}

Deno.test("ServerRate ends the phase by its own limit, and is not too slow then", () => {
  const bench = new Bench(RATES);
  assertEquals(bench.rate.begin("body", 7_000), 5_000);
  assertEquals(bench.after(5_000, 500), 2_000);
  assertEquals(bench.after(2_000, 0), undefined);
  assertEquals(bench.rate.isTooSlow, false);
  assertEquals(bench.rate.begin("body", 3_000), 3_000);
});

Deno.test("ServerRate counts waiting, not the time between", () => {
  const bench = new Bench(RATES);
  bench.rate.begin("body", 30_000);
  bench.nowMs += 3_000;
  bench.rate.stop();
  bench.nowMs += 60_000;
  assertEquals(bench.rate.begin("body", 30_000), 2_000);
  bench.nowMs += 1_000;
  bench.rate.stop();
  bench.rate.stop();
  assertEquals(bench.rate.begin("body", 0), 1_000);
  assertEquals(bench.after(1_000, 100), undefined);
  assert(bench.rate.isTooSlow);
});

Deno.test("ServerRate looks at phases without a rate by their limit alone", () => {
  const bench = new Bench({ minBodyBytesPerSecond: 100 });
  for (const phase of ["head", "idle", "write", "linger", "none"] as const) {
    assertEquals([bench.rate.begin(phase, 9_000), bench.rate.begin(phase, 0)], [9_000, 0]);
    assertEquals(bench.rate.begin(phase, Infinity), 0);
    bench.rate.begin(phase, 9_000);
    assertEquals([bench.after(8_999, 0), bench.after(1, 0)], [1, undefined]);
    assertEquals(bench.rate.isTooSlow, false);
  }
});

Deno.test("a head that trickles is answered with 408 after the grace", async () => {
  await using harness = new ServerHarness(echo, { minHeadBytesPerSecond: 100 });
  const client = await harness.connect();
  for (const character of "GET / HTT") {
    await client.send(character);
    await harness.advance(500);
  }
  assertEquals(await client.text(), "");
  await harness.advance(500 + TICK_MS);
  const response = await client.response();
  assertEquals([response.status, fieldOf(response, "connection")], [408, "close"]);
  assertEquals(client.server.isClosed, false);
  await harness.advance(500 + TICK_MS);
  assertEquals(client.server.isClosed, true);
});

Deno.test("a connection that has not begun keeps its time in spite of the rate", async () => {
  await using harness = new ServerHarness(echo, { minHeadBytesPerSecond: 100 });
  const client = await harness.connect();
  await harness.advance(14_999);
  assertEquals(client.server.isClosed, false);
  await harness.advance(1 + 2 * TICK_MS);
  assertEquals(client.server.isClosed, true);
});

Deno.test("a head as fast as wanted still has its total time only", async () => {
  await using harness = new ServerHarness(echo, { minHeadBytesPerSecond: 100 });
  const client = await harness.open("GET / HTTP/1.1\r\nX: ");
  for (let count = 0; count < 14; count++) {
    await client.send("x".repeat(120));
    await harness.advance(1_000);
    assertEquals(await client.text(), "");
  }
  await harness.advance(1_000 + 2 * TICK_MS);
  assertEquals((await client.response()).status, 408);
});

for (
  const [name, wire] of [
    ["of known length", post("/", "x".repeat(50_000)).slice(0, -50_000)],
    ["in chunks", postChunks("/", ["x".repeat(50_000)]).slice(0, -50_007)],
  ] as const
) {
  Deno.test(`a body ${name} that trickles is answered with 408`, async () => {
    await using harness = new ServerHarness(echo, { minBodyBytesPerSecond: 100 });
    const client = await harness.open(wire);
    await client.send("x".repeat(20_000));
    let elapsedMs = 0;
    let response;
    while (response === undefined && elapsedMs < 30_000) {
      await client.send("x");
      await harness.advance(500);
      elapsedMs += 500;
      response = await client.maybeResponse();
    }
    assertEquals(response?.status, 408);
    assert(elapsedMs > 9_000 && elapsedMs < 12_000, `${elapsedMs} ms`);
    assertEquals(harness.reported, []);
  });
}

Deno.test("a body that is as fast as wanted takes as long as it takes", async () => {
  await using harness = new ServerHarness(echo, { minBodyBytesPerSecond: 100 });
  const client = await harness.open(post("/", "x".repeat(6_000)).slice(0, -6_000));
  for (let count = 0; count < 60; count++) {
    await client.send("x".repeat(100));
    await harness.advance(900);
  }
  assertEquals((await client.response()).body.length, 6_000);
});

Deno.test("a handler that takes its time is not the client's fault", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    const length = { value: 0 };
    for await (const chunk of ctx.body) {
      length.value += chunk.length;
      await new Promise<void>((resolve) => void harness.clock.setTimer(resolve, 3_000));
    }
    ctx.json(length.value);
  }, { minBodyBytesPerSecond: 100 });
  const client = await harness.open(post("/", "x".repeat(10)).slice(0, -10));
  for (let count = 0; count < 10; count++) {
    await client.send("x");
    await harness.advance(3_100);
  }
  assertEquals((await client.response()).body, "10");
});

Deno.test("the handler sees a TimeoutError of phase body with the grace as its time", async () => {
  let caught: unknown;
  await using harness = new ServerHarness(async (ctx) => {
    caught = await ctx.body.bytes().catch((error) => error);
    ctx.text("");
  }, { minBodyBytesPerSecond: 1_000, minRateGraceMs: 2_000 });
  const client = await harness.open(post("/", "x".repeat(1_000)).slice(0, -1_000));
  await client.send("x");
  await harness.advance(2_000 + TICK_MS);
  assert(caught instanceof TimeoutError);
  assertEquals([caught.phase, caught.timeoutMs], ["body", 2_000]);
});

Deno.test("every request has a head window of its own", async () => {
  await using harness = new ServerHarness(echo, RATES);
  const client = await harness.connect();
  for (let count = 0; count < 5; count++) {
    await client.send("GET / HTTP/1.1\r\n");
    await harness.advance(4_000);
    await client.send("Host: a\r\n\r\n");
    assertEquals((await client.response()).status, 200);
    await harness.advance(40_000);
  }
});

Deno.test("serve() refuses a trickling body over a socket", async () => {
  await using server = serve(echo, {
    hostname: "127.0.0.1",
    port: 0,
    minBodyBytesPerSecond: 1_000_000,
    minRateGraceMs: 1_000,
  });
  const { port } = server.addr as Deno.NetAddr;
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
  await client.send(request("POST /", ["Content-Length: 10"]) + "x");
  assertEquals((await client.response())?.status, 408);
});
