import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HttpStateError } from "../../http/errors.ts";
import type { ServerSentEvent } from "../../http/sse_encoder.ts";
import type { SseStreamOptions } from "../../http/sse_options.ts";
import { type SseStream, sseStream } from "../../http/sse_stream.ts";
import type { Context } from "../../http/server_context.ts";
import { fieldOf } from "../_support/raw_response.ts";
import {
  gate,
  type HarnessClient,
  request,
  ServerHarness,
  TICK_MS,
  turn,
} from "../_support/server_harness.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";

/** A server whose only handler opens a stream, and the last stream. */
class EventHarness implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly harness: ServerHarness;
  stream!: SseStream;

  constructor(options: SseStreamOptions = {}) {
    this.harness = new ServerHarness((ctx) => {
      this.stream = sseStream(ctx, { clock: this.clock, heartbeatIntervalMs: 0, ...options });
    });
  }

  /** Opens the stream. */
  async open(fields: readonly string[] = []): Promise<HarnessClient> {
    return await this.harness.open(request("GET /", fields));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.harness[Symbol.asyncDispose]();
  }
}

/** The text of all chunks without their framing. */
function contentOf(text: string): string {
  const body = text.slice(text.indexOf("\r\n\r\n") + 4);
  return body.replace(/(?:^|\r\n)[0-9a-f]+\r\n/g, "").replace(/\r\n$/, "");
}

Deno.test("sseStream() answers at once, before there is an event", async () => {
  await using events = new EventHarness();
  const client = await events.open();
  const text = await client.text();
  assert(text.startsWith("HTTP/1.1 200 OK\r\n"));
  assert(/\r\ncontent-type: text\/event-stream\r\n/i.test(text));
  assert(/\r\ncache-control: no-cache\r\n/i.test(text));
  assertEquals(contentOf(text), "");
});

Deno.test("SseStream.send() reaches the client at once and in order", async () => {
  await using events = new EventHarness();
  const client = await events.open();
  assertEquals(events.stream.send({ data: "a" }), true);
  assertEquals(contentOf(await client.text()), "data: a\n\n");
  for (const data of ["b", "c", "d"]) events.stream.send({ data });
  assertEquals(
    contentOf(await client.text()),
    "data: a\n\ndata: b\n\ndata: c\n\ndata: d\n\n",
  );
  events.stream.close();
  assertEquals((await client.response()).framing, "chunked");
});

Deno.test("SseStream.close() sends what waits, and nothing after it", async () => {
  await using harness = new ServerHarness((ctx) => {
    const stream = sseStream(ctx, { heartbeatIntervalMs: 0 });
    stream.send({ data: "a" });
    stream.close();
    stream.close();
    assertEquals(stream.isClosed, true);
    assertEquals(stream.send({ data: "b" }), false);
  });
  const response = await harness.request(request("GET /"));
  assertEquals(response.body, "data: a\n\n");
  assertEquals(fieldOf(response, "x-accel-buffering"), "no");
});

Deno.test("sseStream() ends at once for HEAD", async () => {
  let stream!: SseStream;
  await using harness = new ServerHarness((ctx) => void (stream = sseStream(ctx)));
  const response = await harness.request(request("HEAD /"), true);
  assertEquals(fieldOf(response, "content-type"), "text/event-stream");
  await stream.closed;
});

for (
  const [name, value, expected] of [
    ["none", undefined, undefined],
    ["an empty one", "", undefined],
    ["one", "7", "7"],
    // Browsers send UTF-8.
    ["one beyond ASCII", "\xc3\xa9", "é"],
    ["one that is no UTF-8", "\xff", "\ufffd"],
  ] as const
) {
  Deno.test(`SseStream.lastEventId is what the client names: ${name}`, async () => {
    await using events = new EventHarness();
    await events.open(value === undefined ? [] : [`Last-Event-ID: ${value}`]);
    assertEquals(events.stream.lastEventId, expected);
  });
}

Deno.test("sseStream() begins with the time to wait", async () => {
  await using events = new EventHarness({ retryMs: 1_000 });
  assertEquals(contentOf(await (await events.open()).text()), "retry: 1000\n\n");
});

Deno.test("sseStream() sends a comment in silence, and only then", async () => {
  await using events = new EventHarness({ heartbeatIntervalMs: 10_000 });
  const client = await events.open();
  const advance = async (ms: number): Promise<string> => {
    events.clock.advance(ms);
    return contentOf(await client.text());
  };
  assertEquals(await advance(4_999), "");
  assertEquals(await advance(1 + TICK_MS), ":\n\n");
  events.stream.send({ data: "a" });
  // Something was sent since the last look: this one passes.
  assertEquals(await advance(5_000 + TICK_MS), ":\n\ndata: a\n\n");
  assertEquals(await advance(5_000 + TICK_MS), ":\n\ndata: a\n\n:\n\n");
});

Deno.test("sseStream() sends no comment to who does not read", async () => {
  await using events = new EventHarness({ heartbeatIntervalMs: 1_000 });
  const client = await events.harness.connect({ highWaterMarkBytes: 256 });
  client.pause();
  await client.send(request("GET /"));
  events.stream.send({ data: "x".repeat(1_000) });
  await turn();
  events.stream.send({ data: "y" });
  assertEquals(events.stream.queuedCount, 1);
  for (let beat = 0; beat < 5; beat++) {
    events.clock.advance(1_000 + TICK_MS);
    await turn();
  }
  assertEquals(events.stream.queuedCount, 1);
});

/** A client that takes nothing but the head. */
async function openDeaf(events: EventHarness): Promise<HarnessClient> {
  const client = await events.harness.connect({ highWaterMarkBytes: 512 });
  client.pause();
  await client.send(request("GET /"));
  // Fills the connection: what comes now waits.
  events.stream.send({ data: "-".repeat(2_000) });
  await turn();
  return client;
}

Deno.test("SseStream drops the oldest of too many events", async () => {
  await using events = new EventHarness({ maxQueuedEvents: 3, overflow: "drop-oldest" });
  const client = await openDeaf(events);
  for (let id = 1; id <= 10; id++) assertEquals(events.stream.send({ data: `${id}` }), true);
  assertEquals(events.stream.queuedCount, 3);
  assertEquals(events.stream.droppedCount, 7);
  await client.resume();
  assert((await client.text()).includes("data: 8\n\ndata: 9\n\ndata: 10\n\n"));
  assertEquals(events.stream.queuedCount, 0);
});

for (const [count, isThere] of [[2, true], [3, true], [4, false]] as const) {
  Deno.test(`SseStream with room for 3 drops a client that ${count} wait for: ${!isThere}`, async () => {
    await using events = new EventHarness({ maxQueuedEvents: 3 });
    await openDeaf(events);
    for (let id = 1; id < count; id++) events.stream.send({ data: `${id}` });
    assertEquals(events.stream.send({ data: "last" }), isThere);
    assertEquals(events.stream.isClosed, !isThere);
    assertEquals(events.stream.queuedCount, isThere ? count : 0);
    if (!isThere) await events.stream.closed;
  });
}

Deno.test("SseStream counts bytes, but takes one event that is larger", async () => {
  await using events = new EventHarness({ maxQueuedBytes: 100, overflow: "drop-oldest" });
  await openDeaf(events);
  events.stream.send({ data: "x".repeat(500) });
  assertEquals(events.stream.queuedCount, 1);
  for (let id = 0; id < 20; id++) events.stream.send({ data: "12345678" });
  // 16 bytes each.
  assertEquals(events.stream.queuedCount, 6);
});

Deno.test("SseStream keeps its order while the queue is moved", async () => {
  await using events = new EventHarness({ maxQueuedEvents: 200, overflow: "drop-oldest" });
  const client = await openDeaf(events);
  for (let id = 0; id < 1_000; id++) events.stream.send({ data: `${id}` });
  await client.resume();
  const text = contentOf(await client.text());
  const seen = [...text.matchAll(/data: (\d+)\n/g)].map(([, id]) => Number(id));
  assertEquals(seen, Array.from({ length: 200 }, (_, index) => 800 + index));
});

Deno.test("SseStream.closed resolves when the client leaves by a reset", async () => {
  await using events = new EventHarness();
  const client = await events.open();
  await client.reset();
  await events.stream.closed;
  assertEquals(events.stream.send({ data: "a" }), false);
});

Deno.test("SseStream.closed resolves when an event cannot be sent any more", async () => {
  await using events = new EventHarness();
  const client = await events.open();
  client.close();
  await turn();
  events.stream.send({ data: "a" });
  await turn();
  events.stream.send({ data: "b" });
  await events.stream.closed;
});

Deno.test("SseStream.closed resolves at the end of a shutdown", async () => {
  await using events = new EventHarness();
  await events.open();
  const { stream } = events;
  await events.harness.server.shutdown({ graceMs: 0 });
  await stream.closed;
});

Deno.test("SseStream.sendAll() waits for the client", async () => {
  let pulledCount = 0;
  async function* source(): AsyncGenerator<ServerSentEvent> {
    for (; pulledCount < 100; pulledCount++) yield { data: "x".repeat(1_000) };
  }
  await using events = new EventHarness();
  const client = await openDeaf(events);
  const sent = events.stream.sendAll(source());
  await turn();
  assert(pulledCount <= 1, `${pulledCount}`);
  await client.resume();
  await sent;
  assertEquals(pulledCount, 100);
  assertEquals(events.stream.isClosed, false);
});

Deno.test("SseStream.sendAll() ends, and ends its source, when the client leaves", async () => {
  const stopped = gate();
  const silent: AsyncIterable<ServerSentEvent> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => {
        stopped.open();
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  await using events = new EventHarness();
  const client = await events.open();
  const sent = events.stream.sendAll(silent);
  await client.reset();
  await sent;
  await stopped.passed;
});

Deno.test("SseStream.sendAll() fails with its source", async () => {
  const failure = new Error("broken");
  // deno-lint-ignore require-yield
  async function* source(): AsyncGenerator<ServerSentEvent> {
    throw failure;
  }
  await using events = new EventHarness();
  await events.open();
  assertEquals(await assertRejects(() => events.stream.sendAll(source())), failure);
});

Deno.test("sseStream() throws behind a head that has left, and leaves nothing behind", async () => {
  let failure: unknown;
  const clock = new ManualClock();
  await using harness = new ServerHarness(async (ctx: Context) => {
    const writer = ctx.writer();
    failure = assertThrows(() => sseStream(ctx, { clock }), HttpStateError);
    await writer.close();
  });
  await harness.request(request("GET /"));
  assertEquals((failure as HttpStateError).code, "ERR_HTTP_HEAD_COMMITTED");
});
