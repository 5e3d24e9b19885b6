import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import { WebSocketProtocolError, WebSocketStateError } from "../../websocket/errors.ts";
import type { WebSocketConnection } from "../../websocket/websocket_connection.ts";
import type { WebSocketOptions } from "../../websocket/websocket_options.ts";
import { FrameClient, serverEnd } from "../_support/websocket_harness.ts";
import { frame, KEY } from "../_support/websocket_frames.ts";

/** A server's end over a pipe in virtual time, and a client of frames. */
function pair(
  options?: WebSocketOptions,
  shutdownSignal?: AbortSignal,
): { ws: WebSocketConnection; client: FrameClient; clock: ManualClock; writes: () => number } {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [near, far] = memoryPipe();
  let writeCount = 0;
  const counted: Transport = {
    read: (p) => near.read(p),
    write: (p) => (writeCount++, near.write(p)),
    closeWrite: () => near.closeWrite(),
    close: () => near.close(),
    localAddr: near.localAddr,
    remoteAddr: near.remoteAddr,
  };
  const more = shutdownSignal === undefined ? {} : { shutdownSignal };
  const ws = serverEnd(counted, { wheel, ...options }, more);
  return { ws, client: new FrameClient(far), clock, writes: () => writeCount };
}

Deno.test("readMessage() gives messages in order, and undefined after a Close", async () => {
  const { ws, client } = pair();
  await client.send(
    { opcode: 1, payload: "a" },
    { opcode: 2, payload: new Uint8Array([1]) },
    { opcode: 8, payload: new Uint8Array([0x0f, 0xa0, 0x62]) },
  );
  assertEquals(await ws.readMessage(), { type: "text", data: "a" });
  assertEquals(await ws.readMessage(), { type: "binary", data: new Uint8Array([1]) });
  assertEquals(await ws.readMessage(), undefined);
  assertEquals(await client.readClose(), 4000);
  client[Symbol.dispose]();
  assertEquals(await ws.closed, { code: 4000, reason: "b", clean: true, by: "remote" });
  assertEquals(await ws.readMessage(), undefined);
  const error = await assertRejects(() => ws.send("late"), WebSocketStateError);
  assertEquals(error.code, "ERR_WEBSOCKET_NOT_OPEN");
  await assertRejects(() => ws.openMessage(), WebSocketStateError);
});

Deno.test("a second read at a time is refused", async () => {
  const { ws, client } = pair();
  const first = ws.readMessage();
  await assertRejects(() => ws.readMessage(), TypeError);
  await client.send({ opcode: 1, payload: "a" });
  assertEquals((await first)?.data, "a");
  client[Symbol.dispose]();
  await ws.close();
});

Deno.test("what is sent while the messages of one read are handled leaves in one write", async () => {
  const { ws, client, writes } = pair();
  const done = (async () => {
    for await (const { data } of ws) await ws.send(data);
  })();
  await client.send(...Array.from({ length: 50 }, (_, i) => ({ opcode: 1, payload: `m${i}` })));
  for (let i = 0; i < 50; i++) assertEquals((await client.read()).text, `m${i}`);
  assertEquals(writes(), 1);
  await client.send({ opcode: 8 });
  assertEquals(await client.readClose(), 1005);
  client[Symbol.dispose]();
  await done;
});

Deno.test("what is sent in the middle of a batch leaves although nobody reads on", async () => {
  const { ws, client } = pair();
  await client.send({ opcode: 1, payload: "a" }, { opcode: 1, payload: "b" });
  await ws.readMessage();
  void ws.send("answer");
  assertEquals((await client.read()).text, "answer");
  client[Symbol.dispose]();
  await ws.close();
});

Deno.test("a good message in front of a broken frame is given, and its answer leaves first", async () => {
  const { ws, client } = pair();
  await client.send({ opcode: 1, payload: "good" }, { opcode: 3 });
  await ws.send((await ws.readMessage())!.data);
  const error = await assertRejects(() => ws.readMessage(), WebSocketProtocolError);
  assertEquals(error.code, "ERR_WEBSOCKET_BAD_OPCODE");
  assertEquals((await client.read()).text, "good");
  assertEquals(await client.readClose(), 1002);
  client[Symbol.dispose]();
  const { code, clean, by } = await ws.closed;
  assertEquals({ code, clean, by }, { code: 1002, clean: false, by: "local" });
  assertEquals(await assertRejects(() => ws.readMessage()), error);
});

Deno.test("too long a message ends with 1009", async () => {
  const { ws, client } = pair({ maxMessageBytes: 4 });
  await client.send({ opcode: 1, payload: "four" }, { opcode: 1, payload: "five5" });
  assertEquals((await ws.readMessage())?.data, "four");
  const error = await assertRejects(() => ws.readMessage(), LimitExceededError);
  assertEquals(error.limit, "maxMessageBytes");
  assertEquals(await client.readClose(), 1009);
  client[Symbol.dispose]();
  assertEquals((await ws.closed).code, 1009);
});

Deno.test("a stream that ends without a Close is an error and 1006", async () => {
  const { ws, client } = pair();
  const reading = assertRejects(() => ws.readMessage(), ConnectionClosedError);
  await client.end();
  await reading;
  assertEquals(await ws.closed, { code: 1006, reason: "", clean: false, by: "remote" });
});

Deno.test("close() says code and reason, and drops what still comes", async () => {
  const { ws, client } = pair();
  const reading = ws.readMessage();
  const closing = ws.close(4001, "why");
  const { payload } = await client.read();
  assertEquals(new TextDecoder().decode(payload.subarray(2)), "why");
  await client.send({ opcode: 1, payload: "late" }, { opcode: 8, payload });
  assertEquals(await client.isEnded(), true);
  client[Symbol.dispose]();
  assertEquals(await closing, { code: 4001, reason: "why", clean: true, by: "local" });
  assertEquals(await reading, undefined);
  assertEquals(await ws.close(), await ws.closed);
});

Deno.test("close() refuses codes that may not be sent", async () => {
  const { ws, client } = pair();
  await assertRejects(() => ws.close(1006), RangeError);
  await assertRejects(() => ws.close(1000, "x".repeat(124)), RangeError);
  const closing = ws.close();
  await client.readClose();
  client[Symbol.dispose]();
  await closing;
});

Deno.test("close() does not wait longer than closeTimeoutMs", async () => {
  const { ws, client, clock } = pair({ closeTimeoutMs: 5_000 });
  const closing = ws.close();
  assertEquals(await client.readClose(), 1000);
  clock.advance(4_800);
  assertEquals(await isSettled(closing), false);
  clock.advance(400);
  assertEquals(await closing, { code: 1006, reason: "", clean: false, by: "local" });
});

Deno.test("send() waits while too much is queued, and bufferedAmount says how much", async () => {
  const { ws, client } = pair({ highWaterMarkBytes: 100_000 });
  assertEquals(ws.bufferedAmount, 0);
  const data = new Uint8Array(60_000);
  const sends = Array.from({ length: 20 }, () => ws.send(data));
  assertEquals(ws.bufferedAmount, 20 * 60_004);
  assertEquals(await isSettled(sends[0]!), true);
  assertEquals(await isSettled(sends[19]!), false);
  for (let i = 0; i < 20; i++) assertEquals((await client.read()).payload.length, 60_000);
  await Promise.all(sends);
  client[Symbol.dispose]();
  await ws.close();
});

Deno.test("a peer that takes nothing ends the connection after writeTimeoutMs", async () => {
  const { ws, clock } = pair({ writeTimeoutMs: 30_000, highWaterMarkBytes: 1 });
  const sending = assertRejects(() => ws.send(new Uint8Array(1_000_000)), TimeoutError);
  await settle();
  clock.advance(29_000);
  assertEquals(await isSettled(sending), false);
  clock.advance(2_000);
  assertEquals((await sending).phase, "write");
  assertEquals((await ws.closed).code, 1006);
});

Deno.test("fragments of one message are not mixed with other messages, pings are", async () => {
  const { ws, client } = pair();
  const message = await ws.openMessage({ type: "text" });
  await message.write("a");
  const whole = ws.send("whole");
  const next = ws.openMessage();
  void ws.ping();
  await assertRejects(() => message.write(new Uint8Array()), TypeError);
  await message.close("b");
  await assertRejects(() => message.write("c"), WebSocketStateError);
  await whole;
  await (await next).close(new Uint8Array([7]));
  const frames = [];
  for (let i = 0; i < 5; i++) {
    const { opcode, isFinal } = await client.read();
    frames.push([opcode, isFinal]);
  }
  assertEquals(frames, [[1, false], [9, true], [0, true], [1, true], [2, true]]);
  client[Symbol.dispose]();
  await ws.close();
});

Deno.test("a message can be read as a stream, longer than maxMessageBytes", async () => {
  const { ws, client } = pair({ maxMessageBytes: 10 });
  const reading = ws.readMessageStream();
  await client.send({ opcode: 2, payload: new Uint8Array(8).fill(1), isFinal: false });
  const message = await reading;
  assert(message !== undefined);
  assertEquals(message.type, "binary");
  await assertRejects(() => ws.readMessage(), TypeError);
  await client.send(
    { opcode: 0, payload: new Uint8Array(0), isFinal: false },
    { opcode: 0, payload: new Uint8Array(8).fill(2) },
    { opcode: 1, payload: "next" },
  );
  const bytes = await new Response(message.readable).bytes();
  assertEquals(bytes, new Uint8Array([...Array(8).fill(1), ...Array(8).fill(2)]));
  assertEquals(await ws.readMessage(), { type: "text", data: "next" });
  client[Symbol.dispose]();
  await ws.close();
});

Deno.test("cancelling a message stream skips the rest of the message", async () => {
  const { ws, client } = pair();
  await client.send(
    { opcode: 1, payload: "a", isFinal: false },
    { opcode: 0, payload: "b", isFinal: false },
    { opcode: 0, payload: "c" },
    { opcode: 1, payload: "next" },
  );
  await (await ws.readMessageStream())!.readable.cancel();
  assertEquals((await ws.readMessage())?.data, "next");
  client[Symbol.dispose]();
  await ws.close();
});

Deno.test("a message stream errors if the connection ends in it", async () => {
  const { ws, client } = pair();
  await client.send({ opcode: 1, payload: "a", isFinal: false }, { opcode: 8 });
  const { readable } = (await ws.readMessageStream())!;
  await assertRejects(() => new Response(readable).text(), ConnectionClosedError);
  client[Symbol.dispose]();
  assertEquals((await ws.closed).code, 1005);
});

Deno.test("ping() gives the time until its answer was read", async () => {
  const { ws, client, clock } = pair();
  const first = ws.ping();
  const second = ws.ping();
  const reading = ws.readMessage();
  await client.read();
  const { opcode, payload } = await client.read();
  assertEquals(opcode, 9);
  clock.advance(40);
  // The answer to the second stands for both (RFC 6455 section 5.5.3).
  await client.send({ opcode: 10, payload }, { opcode: 1, payload: "a" });
  assertEquals(await first, 40);
  assertEquals(await second, 40);
  assertEquals((await reading)?.data, "a");
  const third = ws.ping();
  client[Symbol.dispose]();
  await ws.close();
  await assertRejects(() => third, ConnectionClosedError);
  await assertRejects(() => ws.ping(), WebSocketStateError);
});

Deno.test("pings are answered while somebody reads", async () => {
  const { ws, client } = pair();
  const reading = ws.readMessage();
  await client.send({ opcode: 9, payload: "p" });
  const { opcode, text } = await client.read();
  assertEquals([opcode, text], [10, "p"]);
  await client.send({ opcode: 8 });
  await reading;
  client[Symbol.dispose]();
  await ws.closed;
});

Deno.test("a silent peer is pinged, then given up with 1011", async () => {
  const { ws, client, clock } = pair({ silenceTimeoutMs: 20_000, pongTimeoutMs: 20_000 });
  const reading = assertRejects(() => ws.readMessage(), TimeoutError);
  clock.advance(20_200);
  assertEquals((await client.read()).opcode, 9);
  await client.send({ opcode: 10 });
  clock.advance(20_200);
  assertEquals((await client.read()).opcode, 9);
  assertEquals(await isSettled(reading), false);
  clock.advance(20_200);
  assertEquals((await reading).phase, "pong");
  assertEquals(await client.readClose(), 1011);
  assertEquals((await ws.closed).code, 1011);
});

Deno.test("silence does not count while nobody reads", async () => {
  const { ws, client, clock } = pair();
  clock.advance(300_000);
  await ws.send("still here");
  assertEquals((await client.read()).text, "still here");
  client[Symbol.dispose]();
  await ws.close();
});

Deno.test("a broken frame is looked at after lookAheadTimeoutMs although nobody reads", async () => {
  const { ws, client, clock } = pair({ lookAheadTimeoutMs: 5_000 });
  await client.send({ opcode: 1, payload: "a" }, { opcode: 3 });
  assertEquals((await ws.readMessage())?.data, "a");
  clock.advance(5_200);
  assertEquals(await client.readClose(), 1002);
  client[Symbol.dispose]();
  assertEquals((await ws.closed).code, 1002);
  await assertRejects(() => ws.readMessage(), WebSocketProtocolError);
});

Deno.test("the end of a server says 1001", async () => {
  const shutdown = new AbortController();
  const { ws, client } = pair({}, shutdown.signal);
  const reading = ws.readMessage();
  shutdown.abort();
  assertEquals(await client.readClose(), 1001);
  await client.send({ opcode: 8, payload: new Uint8Array([0x03, 0xe9]) });
  client[Symbol.dispose]();
  assertEquals(await reading, undefined);
  assertEquals(await ws.closed, { code: 1001, reason: "", clean: true, by: "local" });
});

Deno.test("an aborted signal drops the connection: all that waits has its reason", async () => {
  const controller = new AbortController();
  const { ws } = pair({ signal: controller.signal, highWaterMarkBytes: 1 });
  const reason = new Error("enough");
  const waiting = [ws.readMessage(), ws.send(new Uint8Array(1_000_000)), ws.ping()];
  controller.abort(reason);
  for (const result of await Promise.allSettled(waiting)) {
    assertEquals(result.status === "rejected" && result.reason, reason);
  }
  assertEquals(await ws.closed, { code: 1006, reason: "", clean: false, by: "local" });
  assertEquals(await assertRejects(() => ws.readMessage()), reason);
  assertEquals(await assertRejects(() => ws.send("late")), reason);
});

Deno.test("a write that fails ends the connection, also if nobody reads", async () => {
  const { ws, client, clock } = pair();
  client[Symbol.dispose]();
  await ws.send("into the void");
  await settle();
  await assertRejects(() => ws.send("again"), ConnectionClosedError);
  clock.advance(5_200);
  assertEquals(await ws.closed, { code: 1006, reason: "", clean: false, by: "remote" });
});

Deno.test("bytes that came with the handshake are the first frame", async () => {
  const [near, far] = memoryPipe();
  const bytes = frame({ opcode: 1, payload: "early", key: KEY });
  const ws = serverEnd(near, {}, { bytes });
  assertEquals((await ws.readMessage())?.data, "early");
  far.close();
  await ws.close();
});

Deno.test("await using closes with 1000", async () => {
  const { ws, client } = pair();
  const closing = (async () => {
    await using connection = ws;
    await connection.send("bye");
  })();
  assertEquals((await client.read()).text, "bye");
  assertEquals(await client.readClose(), 1000);
  await client.send({ opcode: 8, payload: new Uint8Array([0x03, 0xe8]) });
  client[Symbol.dispose]();
  await closing;
  assert((await ws.closed).clean);
});

Deno.test("too many sends behind a message in fragments are refused", async () => {
  const { ws, client } = pair({ maxWaitingSends: 2 });
  const message = await ws.openMessage();
  const waiting = [ws.send("a"), ws.send("b")];
  const error = await assertRejects(() => ws.send("c"), LimitExceededError);
  assertEquals(error.limit, "maxWaitingSends");
  await message.close();
  await Promise.all(waiting);
  const unfinished = await ws.openMessage();
  const behind = assertRejects(() => ws.send("d"), WebSocketStateError);
  client[Symbol.dispose]();
  await ws.close();
  assertInstanceOf(await behind, WebSocketStateError);
  await assertRejects(() => unfinished.close(), WebSocketStateError);
});
