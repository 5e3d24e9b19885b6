import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe, type MemoryTransport } from "../../nbio/testing_memory_pipe.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import { WebSocketCore } from "../../websocket/connection.ts";
import {
  resolveWebSocketOptions,
  type WebSocketOptions,
} from "../../websocket/websocket_options.ts";
import { rejectQuietly, WebSocketOutput } from "../../websocket/websocket_output.ts";
import { WatchedTransport } from "../_support/cancelling.ts";
import { eventually } from "../_support/peer.ts";
import { frame } from "../_support/websocket_frames.ts";

interface Parts {
  readonly core: WebSocketCore;
  readonly output: WebSocketOutput;
  readonly transport: WatchedTransport;
  readonly peer: MemoryTransport;
  readonly failures: unknown[];
  readonly clock: ManualClock;
  readonly wheel: DeadlineWheel;
}

function make(options: WebSocketOptions = {}, highWaterMarkBytes = 65_536): Parts {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const resolved = resolveWebSocketOptions({ wheel, ...options });
  const core = new WebSocketCore({
    role: "server",
    highWaterMarkBytes: resolved.highWaterMarkBytes,
  });
  const [near, peer] = memoryPipe({ highWaterMarkBytes });
  const transport = new WatchedTransport(near);
  const failures: unknown[] = [];
  const output = new WebSocketOutput(core, transport, resolved, (error) => failures.push(error));
  return { core, output, transport, peer, failures, clock, wheel };
}

/** Whatever waits at the other end. */
async function arrived(peer: MemoryTransport): Promise<Uint8Array> {
  const buffer = new Uint8Array(131_072);
  return buffer.subarray(0, await peer.read(buffer) ?? 0);
}

/** Says so much that the writer is behind, and the pipe full. */
function say(core: WebSocketCore, byteCount: number): void {
  core.sendBinary(new Uint8Array(byteCount));
}

Deno.test("schedule() writes once for all that is said in a turn", async () => {
  const { core, output, transport, peer } = make();
  for (const text of ["a", "b", "c"]) {
    core.sendText(text);
    void output.schedule(false);
  }
  assertEquals(transport.callCount, 0);
  await settle();
  assertEquals(transport.callCount, 1);
  assertEquals((await arrived(peer)).length, 9);
});

Deno.test("schedule(), corked, leaves it to the reader, or to the next turn of the loop", async () => {
  const { core, output, transport, peer } = make();
  core.sendText("a");
  await output.schedule(true);
  core.sendText("b");
  await output.schedule(true);
  assertEquals(transport.callCount, 0);
  output.flush();
  assertEquals(transport.callCount, 1);
  assertEquals((await arrived(peer)).length, 6);
  core.sendText("c");
  void output.schedule(true);
  assert(await eventually(() => transport.callCount === 2));
  assertEquals(await arrived(peer), frame({ opcode: 1, payload: "c" }));
  output.close(new Error("over"));
});

Deno.test("schedule(), corked, writes all the same if much waits", async () => {
  const { core, output, transport } = make({ highWaterMarkBytes: 10 });
  say(core, 11);
  const sent = output.schedule(true);
  await sent;
  assertEquals([transport.callCount, core.queuedBytes], [1, 0]);
});

Deno.test("schedule() waits until no more than the mark is queued", async () => {
  const { core, output, peer, wheel } = make({ highWaterMarkBytes: 100 }, 50);
  say(core, 90);
  await output.schedule(false);
  say(core, 90);
  const waiting = output.schedule(false);
  assertEquals(await isSettled(waiting), false);
  while (core.queuedBytes > 0) {
    await arrived(peer);
    await settle();
  }
  await waiting;
  assertEquals(wheel.armedCount, 0);
});

Deno.test("flush() does nothing where nothing waits, or a write is under way", async () => {
  const { core, output, transport, peer } = make({}, 10);
  output.flush();
  assertEquals(transport.callCount, 0);
  say(core, 30);
  output.flush();
  output.flush();
  await settle();
  assertEquals(transport.pendingCount, 1);
  while (core.queuedBytes > 0) {
    await arrived(peer);
    await settle();
  }
});

Deno.test("settled() resolves when everything is written", async () => {
  const { core, output, peer } = make({}, 10);
  await output.settled();
  say(core, 30);
  const settled = output.settled();
  await settle();
  assertEquals(await isSettled(settled), false);
  let length = 0;
  while (length < 32) length += (await arrived(peer)).length;
  await settled;
  assertEquals(core.queuedBytes, 0);
});

Deno.test("a write that fails is told once, and to all who wait", async () => {
  const { core, output, peer, failures, wheel } = make({ highWaterMarkBytes: 1 }, 10);
  say(core, 30);
  const waiting = [output.schedule(false), output.schedule(false)];
  const settled = output.settled();
  await settle();
  peer.reset();
  const errors = await Promise.all(
    waiting.map((promise) => assertRejects(() => promise, ConnectionClosedError)),
  );
  assertStrictEquals(errors[0], errors[1]);
  assert(errors[0]!.cause instanceof Deno.errors.ConnectionReset);
  await settled;
  assertEquals([failures, output.isBroken], [[errors[0]], true]);
  for (const late of [output.schedule(false), output.whenFree(() => {})]) {
    assertStrictEquals(await assertRejects(() => late), errors[0]);
  }
  output.flush();
  assertEquals([failures.length, wheel.armedCount], [1, 0]);
});

Deno.test("a write without progress ends with a TimeoutError", async () => {
  const { core, output, transport, peer, failures, clock, wheel } = make(
    { writeTimeoutMs: 30_000, highWaterMarkBytes: 1 },
    10,
  );
  say(core, 200);
  const waiting = output.schedule(false);
  for (let round = 0; round < 3; round++) {
    await clock.advanceAsync(29_000);
    assertEquals(await isSettled(waiting), false);
    // A peer that is slow, but lives.
    await arrived(peer);
    await settle();
  }
  await clock.advanceAsync(61_000);
  const error = await assertRejects(() => waiting, TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["write", 30_000]);
  assert(transport.closeCount > 0);
  assertEquals(transport.pendingCount, 0);
  assertEquals([failures, wheel.armedCount], [[error], 0]);
});

Deno.test("whenFree() runs at once, or in order behind a message in fragments", async () => {
  const { output } = make();
  const order: string[] = [];
  assertEquals(await output.whenFree(() => "now"), "now");
  output.take();
  assertEquals(output.isTaken, true);
  const waiting = [
    output.whenFree(() => void order.push("a")),
    output.whenFree(() => {
      order.push("b");
      output.take();
    }),
    output.whenFree(() => void order.push("c")),
  ];
  await settle();
  assertEquals(order, []);
  output.release();
  assertEquals(order, ["a", "b"]);
  output.release();
  await Promise.all(waiting);
  assertEquals([order, output.isTaken], [["a", "b", "c"], false]);
});

Deno.test("whenFree() fails as what it runs", async () => {
  const { output } = make();
  const reason = new Error("thrown");
  const thrown = output.whenFree(() => {
    throw reason;
  });
  assertStrictEquals(await assertRejects(() => thrown), reason);
  assertStrictEquals(
    await assertRejects(() => output.whenFree(() => rejectQuietly(reason))),
    reason,
  );
});

Deno.test("whenFree() refuses more than maxWaitingSends", async () => {
  const { output } = make({ maxWaitingSends: 2 });
  output.take();
  const waiting = [output.whenFree(() => 1), output.whenFree(() => 2)];
  const error = await assertRejects(() => output.whenFree(() => 3), LimitExceededError);
  assertEquals([error.limit, error.max], ["maxWaitingSends", 2]);
  output.release();
  assertEquals(await Promise.all(waiting), [1, 2]);
});

Deno.test("close() lets go of who waits, of deadlines and of timers", async () => {
  const { core, output, transport, clock, wheel } = make({ highWaterMarkBytes: 1 }, 10);
  say(core, 30);
  const waiting = output.schedule(false);
  await settle();
  output.take();
  const reason = { text: "not even an Error" };
  const behind = output.whenFree(() => rejectQuietly(reason));
  output.close(reason);
  for (const promise of [waiting, behind]) {
    assertEquals(await promise.catch((error) => error), reason);
  }
  assertEquals([wheel.armedCount, output.isTaken, output.isBroken], [0, false, true]);
  transport.close();
  await output.settled();
  assertEquals(clock.pendingCount, 0);
});

Deno.test("close() lets go of the timer of a cork", async () => {
  const { core, output, transport } = make();
  core.sendText("a");
  void output.schedule(true);
  // The sanitizer would find the timer.
  output.close(new Error("over"));
  await settle();
  assertEquals(transport.callCount, 0);
});
