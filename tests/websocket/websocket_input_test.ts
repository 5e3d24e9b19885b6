import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { memoryPipe, type MemoryTransport } from "../../nbio/testing_memory_pipe.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { WebSocketCore } from "../../websocket/connection.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import { WebSocketInput } from "../../websocket/websocket_input.ts";
import { WatchedTransport } from "../_support/cancelling.ts";
import { frame, type FrameParts, join, KEY } from "../_support/websocket_frames.ts";

interface Parts {
  readonly core: WebSocketCore;
  readonly input: WebSocketInput;
  readonly transport: WatchedTransport;
  readonly peer: MemoryTransport;
  readonly pongs: string[];
  /** The instant. */
  readonly time: { nowMs: number };
}

function make(): Parts {
  const core = new WebSocketCore({ role: "server" });
  const [near, peer] = memoryPipe();
  const transport = new WatchedTransport(near);
  const pongs: string[] = [];
  const time = { nowMs: 0 };
  const input = new WebSocketInput(core, transport, {
    now: () => time.nowMs,
    onPong: (payload) => void pongs.push(new TextDecoder().decode(payload)),
  });
  return { core, input, transport, peer, pongs, time };
}

async function send(peer: MemoryTransport, ...all: readonly FrameParts[]): Promise<void> {
  await peer.write(join(...all.map((parts) => frame({ key: KEY, ...parts }))));
}

Deno.test("poll() gives messages, hands pongs on and passes pings over", async () => {
  const { core, input, peer, pongs } = make();
  assertEquals(input.poll(), undefined);
  await send(
    peer,
    { opcode: 10, payload: "p" },
    { opcode: 9, payload: "q" },
    { opcode: 1, payload: "a" },
    { opcode: 2, payload: new Uint8Array([1]) },
    { opcode: 10, payload: "r" },
  );
  await input.read();
  assertEquals(input.poll(), { type: "text", data: "a" });
  assertEquals(pongs, ["p"]);
  assertEquals(input.poll(), { type: "binary", data: new Uint8Array([1]) });
  assertEquals(input.poll(), undefined);
  assertEquals(pongs, ["p", "r"]);
  // The core has answered the ping.
  assertEquals(core.takeOutput(), frame({ opcode: 10, payload: "q" }));
});

Deno.test("poll() gives pieces to who asks for them", async () => {
  const { core, input, peer } = make();
  core.deliversPieces = true;
  await send(peer, { opcode: 2, payload: new Uint8Array([7]), isFinal: false });
  await input.read();
  const event = input.poll();
  assert(event !== undefined && event !== "end" && event.type === "piece");
  assertEquals([event.kind, event.data, event.isFinal], ["binary", new Uint8Array([7]), false]);
});

Deno.test("poll() gives the end again and again behind a Close", async () => {
  const { input, peer } = make();
  await send(peer, { opcode: 1, payload: "last" }, { opcode: 8 }, { opcode: 1, payload: "late" });
  await input.read();
  assertEquals(input.poll(), { type: "text", data: "last" });
  assertEquals([input.poll(), input.poll()], ["end", "end"]);
});

Deno.test("poll() throws the same error again and again", async () => {
  const { input, peer } = make();
  await send(peer, { opcode: 3 });
  await input.read();
  const error = assertThrows(() => input.poll(), WebSocketProtocolError);
  assertEquals(error.code, "ERR_WEBSOCKET_BAD_OPCODE");
  assertStrictEquals(assertThrows(() => input.poll()), error);
});

Deno.test("read() reads once for all who wait", async () => {
  const { input, transport, peer } = make();
  const reads = [input.read(), input.read()];
  assertEquals([input.isReading, transport.callCount], [true, 1]);
  await send(peer, { opcode: 1, payload: "a" });
  await Promise.all(reads);
  assertEquals([input.isReading, transport.callCount], [false, 1]);
  assertEquals(input.poll(), { type: "text", data: "a" });
});

for (
  const [name, leave] of [
    ["ends its stream", (peer: MemoryTransport) => peer.closeWrite()],
    ["closes", (peer: MemoryTransport) => peer.close()],
    ["resets", (peer: MemoryTransport) => peer.reset()],
  ] as const
) {
  Deno.test(`read() resolves if the peer ${name}, and poll() tells`, async () => {
    const { input, peer } = make();
    await send(peer, { opcode: 1, payload: "a" });
    await input.read();
    const reading = input.read();
    await leave(peer);
    await reading;
    assertEquals(input.poll(), { type: "text", data: "a" });
    const error = assertThrows(() => input.poll(), ConnectionClosedError);
    assertEquals(error.bytesReceived, 0);
  });
}

Deno.test("read() resolves if the transport is closed here", async () => {
  const { input, transport } = make();
  const reading = input.read();
  await settle();
  transport.close();
  await reading;
  await input.read();
  assertThrows(() => input.poll(), ConnectionClosedError);
});

Deno.test("read() goes on at once, for all who wait, and gives what that gives", async () => {
  const { input, peer } = make();
  const first = input.read(() => input.poll());
  const second = input.read(() => "second");
  const third = assertRejects(() =>
    input.read(() => {
      throw new RangeError("mine");
    }), RangeError);
  assertEquals(input.isReading, true);
  await send(peer, { opcode: 1, payload: "a" });
  assertEquals(await first, { type: "text", data: "a" });
  assertEquals(await second, "second");
  await third;
  assertEquals(input.isReading, false);
});

Deno.test("read() whose going on fails does not fail for others who wait", async () => {
  const { input, peer } = make();
  const failing = assertRejects(() =>
    input.read(() => {
      throw new RangeError("mine");
    }), RangeError);
  const other = input.read(() => "other");
  await send(peer, { opcode: 1, payload: "a" });
  await failing;
  assertEquals(await other, "other");
});

Deno.test("silence counts from listen() to rest()", async () => {
  const { core, input, peer, time } = make();
  assertEquals(core.deadlineMs, Infinity);
  time.nowMs = 1_000;
  input.listen();
  assertEquals(core.deadlineMs, 21_000);
  time.nowMs = 2_000;
  input.listen();
  assertEquals(core.deadlineMs, 21_000);
  time.nowMs = 5_000;
  await send(peer, { opcode: 10 });
  await input.read();
  input.poll();
  assertEquals(core.deadlineMs, 25_000);
  assertEquals([input.rest(), input.rest()], [true, false]);
  assertEquals(core.deadlineMs, Infinity);
});
