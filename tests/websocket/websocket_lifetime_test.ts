import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe, type MemoryTransport } from "../../nbio/testing_memory_pipe.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import { WebSocketCore } from "../../websocket/connection.ts";
import { WebSocketInput } from "../../websocket/websocket_input.ts";
import { WebSocketLifetime } from "../../websocket/websocket_lifetime.ts";
import { resolveWebSocketOptions } from "../../websocket/websocket_options.ts";
import { WebSocketPings } from "../../websocket/websocket_pings.ts";
import { frame, KEY } from "../_support/websocket_frames.ts";

interface Parts {
  readonly lifetime: WebSocketLifetime;
  readonly core: WebSocketCore;
  readonly peer: MemoryTransport;
  readonly clock: ManualClock;
  readonly wheel: DeadlineWheel;
}

function make(signal?: AbortSignal, shutdownSignal?: AbortSignal): Parts {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [transport, peer] = memoryPipe();
  const options = resolveWebSocketOptions({ wheel, ...signal !== undefined && { signal } });
  const core = new WebSocketCore({ role: "server" });
  const pings = new WebSocketPings(wheel);
  const input = new WebSocketInput(core, transport, pings);
  const parts = { core, transport, options, input, pings, shutdownSignal };
  const lifetime = new WebSocketLifetime(parts);
  lifetime.watch();
  return { lifetime, core, peer, clock, wheel };
}

async function readBytes(peer: MemoryTransport): Promise<number[]> {
  const bytes = new Uint8Array(200);
  const count = await peer.read(bytes) ?? 0;
  return [...bytes.subarray(0, count)];
}

Deno.test("close() reads on until the peer has answered, although nobody reads messages", async () => {
  const { lifetime, peer, wheel } = make();
  lifetime.close(4_000, "");
  assertEquals(await readBytes(peer), [0x88, 2, 0x0f, 0xa0]);
  assertEquals(await isSettled(lifetime.closed), false);
  await peer.write(frame({ opcode: 1, payload: "late", key: KEY }));
  await peer.write(frame({ opcode: 8, payload: new Uint8Array([0x0f, 0xa1]), key: KEY }));
  await settle();
  peer.close();
  assertEquals(await lifetime.closed, { code: 4_001, reason: "", clean: true, by: "local" });
  assertEquals([lifetime.dropped, wheel.armedCount], [undefined, 0]);
});

Deno.test("close() with what may not be sent changes nothing", async () => {
  const { lifetime, core, peer } = make();
  assertThrows(() => lifetime.close(1_005 + 1), RangeError);
  assertEquals(core.state, "open");
  lifetime.close(1_000);
  peer.close();
  await lifetime.closed;
});

Deno.test("closed is told to who asks late, and is one promise", async () => {
  const controller = new AbortController();
  const { lifetime, wheel } = make(controller.signal);
  const reason = new Error("why");
  controller.abort(reason);
  assertStrictEquals(lifetime.dropped?.error, reason);
  assertStrictEquals(lifetime.closed, lifetime.closed);
  assertEquals(await lifetime.closed, { code: 1_006, reason: "", clean: false, by: "local" });
  assertEquals(wheel.armedCount, 0);
});

Deno.test("watch() sees signals that have aborted before", async () => {
  const reason = new Error("why");
  const dropped = make(AbortSignal.abort(reason));
  assertStrictEquals(dropped.lifetime.dropped?.error, reason);
  await dropped.lifetime.closed;

  const { lifetime, peer, clock } = make(undefined, AbortSignal.abort());
  assertEquals(await readBytes(peer), [0x88, 2, 0x03, 0xe9]);
  // The peer does not answer.
  clock.advance(5_200);
  await settle();
  clock.advance(5_200);
  const { code, clean } = await lifetime.closed;
  assertEquals([code, clean], [1_006, false]);
});
