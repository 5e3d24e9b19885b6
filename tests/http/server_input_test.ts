import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type InputOwner, ServerInput } from "../../http/server_input.ts";
import { resolveServerOptions, type ServeOptions } from "../../http/server_options.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { Transport } from "../../nbio/transport.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { gate, request, ServerHarness, turn } from "../_support/server_harness.ts";

class RecordingOwner implements InputOwner {
  readonly events: string[] = [];
  onRefill(): void {
    this.events.push("refill");
  }
  onInputEnd(): void {
    this.events.push("end");
  }
  onInputError(): void {
    this.events.push("error");
  }
}

function makeInput(
  options: ServeOptions = {},
): { input: ServerInput; owner: RecordingOwner; client: Transport; server: Transport } {
  const [client, server] = memoryPipe({ highWaterMarkBytes: 10_000_000 });
  const owner = new RecordingOwner();
  const input = new ServerInput(server, resolveServerOptions(options), owner);
  return { input, owner, client, server };
}

Deno.test("ServerInput.fill() reads once, however many ask", async () => {
  const { input, owner, client } = makeInput();
  const fills = [input.fill(), input.fill()];
  assertStrictEquals(fills[0], fills[1]);
  assertStrictEquals(input.pending, fills[0]);
  await sendAll(client, bytesOf("hello"));
  await Promise.all(fills);
  assertEquals([textOf(input.buffer.view()), input.pending], ["hello", undefined]);
  assertEquals(owner.events, ["refill"]);
});

Deno.test("ServerInput tells the end and an error once each, and never rejects", async () => {
  const ended = makeInput();
  const filling = ended.input.fill();
  await ended.client.closeWrite();
  await filling;
  assertEquals([ended.input.isEnded, ended.input.isBroken], [true, false]);
  assertEquals(ended.owner.events, ["refill", "end"]);
  const broken = makeInput();
  const failing = broken.input.fill();
  broken.server.close();
  await failing;
  assertEquals([broken.input.isEnded, broken.input.isBroken], [false, true]);
  assert(broken.input.error instanceof Error);
  assertEquals(broken.owner.events, ["refill", "error"]);
});

Deno.test("ServerInput.wait() ends with the read, or by failWait() while the read goes on", async () => {
  const { input, client } = makeInput();
  const reason = new Error("enough");
  const waiting = input.wait(input.fill());
  input.failWait(reason);
  assertStrictEquals(await assertRejects(() => waiting), reason);
  assert(input.pending !== undefined);
  const again = input.wait(input.fill());
  await sendAll(client, bytesOf("late"));
  await again;
  assertEquals(textOf(input.buffer.view()), "late");
  input.failWait(reason);
});

Deno.test("ServerInput.watch() reads on until 64 KiB wait, and goes on when asked", async () => {
  const { input, client } = makeInput();
  await sendAll(client, new Uint8Array(1_000_000).fill(0x78));
  input.watch();
  await turn();
  assert(input.buffer.length >= 64 * 1024, `${input.buffer.length}`);
  assert(input.buffer.length <= 128 * 1024, `${input.buffer.length}`);
  assertEquals(input.pending, undefined);
  const { length } = input.buffer;
  input.resumeWatch();
  await turn();
  assertEquals(input.buffer.length, length);
  input.buffer.consume(length);
  input.resumeWatch();
  await turn();
  assert(input.buffer.length >= 64 * 1024);
});

Deno.test("ServerInput.watch() pauses when maxPipelinedRequests heads wait", async () => {
  for (const maxPipelinedRequests of [1, 3, 32]) {
    const { input, client } = makeInput({ maxPipelinedRequests });
    input.watch();
    let sentCount = 0;
    for (; input.pending !== undefined && sentCount < 100; sentCount++) {
      await sendAll(client, bytesOf(request("GET /")));
      await turn();
    }
    assertEquals(sentCount, maxPipelinedRequests);
  }
});

Deno.test("ServerInput.watch() counts heads whose end is cut anywhere", async () => {
  for (let cut = 1; cut < 4; cut++) {
    const { input, client } = makeInput({ maxPipelinedRequests: 1 });
    input.watch();
    const wire = request("GET /");
    await sendAll(client, bytesOf(wire.slice(0, -cut)));
    await turn();
    assert(input.pending !== undefined);
    await sendAll(client, bytesOf(wire.slice(-cut)));
    await turn();
    assertEquals(input.pending, undefined, `cut ${cut}`);
  }
});

Deno.test("ServerInput.unwatch() lets the read under way be the last", async () => {
  const { input, client } = makeInput();
  input.watch();
  input.unwatch();
  await sendAll(client, bytesOf("a"));
  await turn();
  assertEquals([textOf(input.buffer.view()), input.pending], ["a", undefined]);
});

Deno.test("ServerInput.readPast() reads into its destination and tells at once", async () => {
  const { input, owner, client } = makeInput();
  const space = new Uint8Array(10);
  const counts: number[] = [];
  const reading = input.readPast(space, (count) => counts.push(count));
  assertEquals(input.isBroken, true);
  assert(input.pending !== undefined);
  await sendAll(client, bytesOf("hello"));
  assertEquals(await reading, 5);
  assertEquals([counts, textOf(space.subarray(0, 5)), input.buffer.length], [[5], "hello", 0]);
  assertEquals([input.isBroken, input.pending, owner.events], [false, undefined, ["refill"]]);
});

Deno.test("ServerInput.readPast() joins a read that is under way", async () => {
  const { input, client } = makeInput();
  void input.fill();
  const reading = input.readPast(new Uint8Array(10), () => {
    throw new Error("not past");
  });
  await sendAll(client, bytesOf("hello"));
  assertEquals([await reading, textOf(input.buffer.view())], [0, "hello"]);
});

Deno.test("ServerInput.readPast() that nobody waits for any more still counts", async () => {
  const { input, client } = makeInput();
  const counts: number[] = [];
  const reading = input.readPast(new Uint8Array(10), (count) => counts.push(count));
  input.failWait(new Error("enough"));
  await assertRejects(() => reading);
  assertEquals(input.isBroken, true);
  await sendAll(client, bytesOf("late"));
  await turn();
  assertEquals([counts, input.isBroken], [[4], false]);
});

Deno.test("ServerInput.readPast() notes the end and an error", async () => {
  const ended = makeInput();
  await ended.client.closeWrite();
  assertEquals(await ended.input.readPast(new Uint8Array(1), () => {}), 0);
  assertEquals(ended.input.isEnded, true);
  const broken = makeInput();
  broken.server.close();
  assertEquals(await broken.input.readPast(new Uint8Array(1), () => {}), 0);
  assertEquals(broken.input.isBroken, true);
});

Deno.test("ServerInput has room for the largest head and trailer section", () => {
  for (
    const [options, most] of [
      [{}, 64 * 1024],
      [{ maxHeaderBytes: 100_000 }, 8 * 1024 + 100_000],
      [{ maxTrailerBytes: 300_000 }, 300_000],
    ] as const
  ) {
    const { input } = makeInput(options);
    assert(input.buffer.writable(most).length >= most);
  }
  makeInput({ maxHeaderBytes: Infinity, maxTrailerBytes: Infinity });
});

Deno.test("ServerInput.rest() lets go of a large buffer, but not under a read", async () => {
  const { input, client } = makeInput();
  input.buffer.writable(60_000);
  input.buffer.commit(60_000);
  input.buffer.consume(60_000);
  void input.fill();
  const large = input.buffer.capacity;
  assert(large >= 60_000);
  input.rest();
  assertEquals(input.buffer.capacity, large);
  await sendAll(client, bytesOf("hello"));
  await input.pending;
  assertEquals(textOf(input.buffer.view()), "hello");
  input.rest();
  assertEquals(input.buffer.capacity, large);
  input.buffer.consume(5);
  input.rest();
  assertEquals(input.buffer.capacity, 1024);
});

Deno.test("a client that floods a slow handler with requests is not read on", async () => {
  for (const size of [100, 40_000]) {
    const slow = gate();
    await using harness = new ServerHarness(async (ctx) => {
      await slow.passed;
      ctx.text("");
    }, { maxHeaderBytes: 50_000 });
    const flood = request("GET /", [`X-Pad: ${"x".repeat(size)}`]);
    const client = await harness.open(flood.repeat(Math.ceil(1_000_000 / flood.length)));
    for (let count = 0; count < 10; count++) await turn();
    assert(client.server.readBytes <= 3 * 64 * 1024, `${client.server.readBytes}`);
    slow.open();
    for (let count = 0; count < 20; count++) await turn();
    assert((await client.text()).split("HTTP/1.1 200").length > 20);
  }
});

Deno.test("a client that floods a slow handler with a body is not read on", async () => {
  const slow = gate();
  await using harness = new ServerHarness(async (ctx) => {
    await slow.passed;
    ctx.json((await ctx.body.bytes()).length);
  });
  const client = await harness.open(request("POST /", ["Content-Length: 4000000"]));
  await client.send("x".repeat(4_000_000));
  assert(client.server.readBytes <= 3 * 64 * 1024, `${client.server.readBytes}`);
  slow.open();
  for (let count = 0; count < 100; count++) await turn();
  assertEquals((await client.response()).body, "4000000");
});

Deno.test("a client that never reads its pipelined answers is not read on", async () => {
  await using harness = new ServerHarness((ctx) => ctx.bytes(new Uint8Array(1_000)));
  const client = await harness.connect();
  client.pause();
  await client.send(request("GET /").repeat(50_000));
  for (let count = 0; count < 10; count++) await turn();
  assert(client.server.readBytes <= 4 * 64 * 1024, `${client.server.readBytes}`);
  assert(client.server.writes.length < 10);
});
