import { assert, assertEquals, assertThrows } from "@std/assert";
import { SseBroadcaster } from "../../http/sse_broadcaster.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { request, ServerHarness, turn } from "../_support/server_harness.ts";

function serveNews(news: SseBroadcaster): ServerHarness {
  return new ServerHarness((ctx) => void news.subscribe(ctx));
}

Deno.test("SseBroadcaster.publish() reaches everybody who is there", async () => {
  using news = new SseBroadcaster();
  await using harness = serveNews(news);
  assertEquals(news.publish({ data: "early" }), 0);
  const clients = [await harness.open(request("GET /")), await harness.open(request("GET /"))];
  assertEquals(news.clientCount, 2);
  assertEquals(news.publish({ data: "a" }), 2);
  for (const client of clients) {
    const text = await client.text();
    assert(text.includes("data: a\n\n"));
    assert(!text.includes("early"));
  }
  await clients[0]!.reset();
  assertEquals(news.clientCount, 1);
  assertEquals(news.publish({ data: "b" }), 1);
});

Deno.test("SseBroadcaster.close() ends all streams and refuses others", async () => {
  const news = new SseBroadcaster();
  await using harness = serveNews(news);
  const client = await harness.open(request("GET /"));
  news.publish({ data: "a" });
  news.close();
  assertEquals((await client.response()).body, "data: a\n\n");
  assertEquals(news.publish({ data: "b" }), 0);
  assertEquals((await harness.request(request("GET /"))).status, 503);
});

Deno.test("SseBroadcaster answers one client too many with 503", async () => {
  using news = new SseBroadcaster({ maxClients: 2 });
  await using harness = serveNews(news);
  const first = await harness.open(request("GET /"));
  await harness.open(request("GET /"));
  const refused = await harness.request(request("GET /"));
  assertEquals(refused.status, 503);
  assertEquals(fieldOf(refused, "retry-after"), "5");
  await first.reset();
  assert((await (await harness.open(request("GET /"))).text()).startsWith("HTTP/1.1 200"));
});

for (
  const [id, expected] of [
    ["2", ["3", "4"]],
    ["4", []],
    // Older than what is kept, or from before a restart.
    ["0", ["2", "3", "4"]],
    ["unknown", ["2", "3", "4"]],
  ] as const
) {
  Deno.test(`SseBroadcaster sends what was missed behind id ${id}`, async () => {
    using news = new SseBroadcaster({ historyCount: 3, maxQueuedEvents: 1 });
    await using harness = serveNews(news);
    for (const each of ["1", "2", "3", "4"]) news.publish({ id: each, data: `d${each}` });
    news.publish({ data: "without an id" });
    const client = await harness.open(request("GET /", [`Last-Event-ID: ${id}`]));
    const seen = [...(await client.text()).matchAll(/^id: (\S+)$/gm)].map(([, each]) => each);
    assertEquals(seen, [...expected]);
    assertEquals(news.publish({ id: "5", data: "d5" }), 1);
  });
}

Deno.test("SseBroadcaster keeps no more bytes than it may", async () => {
  using news = new SseBroadcaster({ historyCount: 1_000, maxHistoryBytes: 100 });
  await using harness = serveNews(news);
  // 18 bytes each.
  for (let id = 10; id < 30; id++) news.publish({ id: `${id}`, data: "1234" });
  const client = await harness.open(request("GET /", ["Last-Event-ID: 1"]));
  const text = await client.text();
  assertEquals([...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id), [
    "25",
    "26",
    "27",
    "28",
    "29",
  ]);
});

Deno.test("SseBroadcaster sends nothing missed to a client that names no id", async () => {
  using news = new SseBroadcaster({ historyCount: 3 });
  await using harness = serveNews(news);
  news.publish({ id: "1", data: "a" });
  const text = await (await harness.open(request("GET /"))).text();
  assert(!text.includes("data:"));
});

Deno.test("SseBroadcaster drops who does not read, or its events, as that client has it", async () => {
  using news = new SseBroadcaster({ maxQueuedEvents: 5 });
  await using harness = new ServerHarness((ctx) => {
    news.subscribe(ctx, ctx.path === "/patient" ? { overflow: "drop-oldest" } : {});
  });
  const reader = await harness.open(request("GET /"));
  const deaf = [];
  for (const path of ["/", "/patient"]) {
    const client = await harness.connect({ highWaterMarkBytes: 512 });
    client.pause();
    await client.send(request(`GET ${path}`));
    deaf.push(client);
  }
  for (let id = 0; id < 50; id++) {
    news.publish({ data: `${id} ${"x".repeat(500)}` });
    await turn();
  }
  assertEquals(news.droppedClientCount, 1);
  assertEquals(news.clientCount, 2);
  assertEquals([...(await reader.text()).matchAll(/data: /g)].length, 50);
  await deaf[1]!.resume();
  const text = await deaf[1]!.text();
  assert(text.includes("data: 49 ") && !text.includes("data: 20 "));
});

Deno.test("SseBroadcaster.subscribe() throws on an unknown policy", async () => {
  using news = new SseBroadcaster();
  await using harness = new ServerHarness((ctx) => {
    assertThrows(() => news.subscribe(ctx, { overflow: "wait" as "drop-client" }), RangeError);
    ctx.text("");
  });
  await harness.request(request("GET /"));
});

for (
  const [name, options] of [
    ["a negative number of clients", { maxClients: -1 }],
    ["a broken history", { historyCount: 0.5 }],
    ["an endless history", { historyCount: Infinity }],
    ["a negative size", { maxHistoryBytes: -1 }],
    ["a broken queue", { maxQueuedEvents: NaN }],
  ] as const
) {
  Deno.test(`new SseBroadcaster() throws on ${name}`, () => {
    assertThrows(() => new SseBroadcaster(options), RangeError);
  });
}
