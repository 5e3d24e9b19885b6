/**
 * What bounds both ends of a WebSocket, over pipes in virtual time: back-pressure, silence, the
 * time a close may take, and every way to cut what comes.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe, type MemoryTransport } from "../../nbio/testing_memory_pipe.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import type { WebSocketRole } from "../../websocket/connection_options.ts";
import { WebSocketStateError } from "../../websocket/errors.ts";
import type { WebSocketConnection } from "../../websocket/websocket_connection.ts";
import type { WebSocketOptions } from "../../websocket/websocket_options.ts";
import { webSocketEnd } from "../_support/websocket_ends.ts";
import { frame, type FrameParts, join, KEY } from "../_support/websocket_frames.ts";

const ROLES: readonly WebSocketRole[] = ["client", "server"];
const MAX_HEAD_BYTES = 14;
/** Coarseness of the wheel, generously. */
const TICK_MS = 200;

interface Lone {
  readonly ws: WebSocketConnection;
  /** The peer, who speaks bytes. */
  readonly peer: MemoryTransport;
  readonly clock: ManualClock;
  readonly wheel: DeadlineWheel;
}

/** One end in virtual time, and a peer that does as the test likes. */
function lone(role: WebSocketRole, options: WebSocketOptions = {}): Lone {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [transport, peer] = memoryPipe({ highWaterMarkBytes: 4_096 });
  const ws = webSocketEnd(role, transport, { wheel, ...options });
  return { ws, peer, clock, wheel };
}

/** Frames as the peer of that end sends them. */
function framesTo(role: WebSocketRole, ...all: readonly FrameParts[]): Uint8Array<ArrayBuffer> {
  return join(...all.map((parts) => frame(role === "server" ? { key: KEY, ...parts } : parts)));
}

async function readAvailable(peer: MemoryTransport): Promise<Uint8Array> {
  const buffer = new Uint8Array(65_536);
  const count = await peer.read(buffer);
  return buffer.subarray(0, count ?? 0);
}

async function end({ ws, peer, clock, wheel }: Lone): Promise<void> {
  closeQuietly(peer);
  await clock.runUntil(ws.close());
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
}

for (const role of ROLES) {
  Deno.test(`the ${role} reads the same however it is cut`, async () => {
    const wire = framesTo(
      role,
      { opcode: 1, payload: "né" },
      { opcode: 2, payload: "a", isFinal: false },
      { opcode: 9, payload: "p" },
      { opcode: 0, payload: "b".repeat(130) },
      { opcode: 8, payload: new Uint8Array([0x0f, 0xa0]) },
    );
    for (const chunks of everySplit(wire)) {
      const all = lone(role);
      const { ws, peer, clock, wheel } = all;
      const messages = Array.fromAsync(ws);
      for (const chunk of chunks) {
        if (chunk.length > 0) await peer.write(chunk);
        await settle();
      }
      peer.close();
      assertEquals(await messages, [
        { type: "text", data: "né" },
        { type: "binary", data: new TextEncoder().encode("a" + "b".repeat(130)) },
      ]);
      const closure = await clock.runUntil(ws.closed);
      assertEquals(closure, { code: 4000, reason: "", clean: true, by: "remote" });
      assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
    }
  });

  Deno.test(`a ${role} that waits for each send holds no more than the mark and a message`, async () => {
    const highWaterMarkBytes = 10_000;
    const all = lone(role, { highWaterMarkBytes });
    const { ws, peer } = all;
    let isOver = false;
    let most = 0;
    const sending = (async () => {
      for (let index = 0; index < 200; index++) {
        const sent = ws.send(new Uint8Array(index * 37 % 3_000));
        most = Math.max(most, ws.bufferedAmount);
        await sent;
        assert(ws.bufferedAmount <= highWaterMarkBytes);
      }
      isOver = true;
    })();
    await settle();
    assert(!isOver && ws.bufferedAmount > highWaterMarkBytes);
    while (!isOver) {
      await readAvailable(peer);
      await settle();
    }
    await sending;
    assert(most <= highWaterMarkBytes + 3_000 + MAX_HEAD_BYTES, `${most}`);
    await end(all);
  });

  Deno.test(`pings that a ${role} cannot answer take no memory`, async () => {
    const highWaterMarkBytes = 1_000;
    const all = lone(role, { highWaterMarkBytes });
    const { ws, peer } = all;
    const reading = assertRejects(() => ws.readMessage(), ConnectionClosedError);
    const flood = framesTo(
      role,
      ...Array.from({ length: 50 }, () => ({ opcode: 9, payload: "x".repeat(100) })),
    );
    for (let round = 0; round < 50; round++) {
      for (let at = 0; at < flood.length;) at += await peer.write(flood.subarray(at));
      await settle();
      assert(
        ws.bufferedAmount <= highWaterMarkBytes + 125 + MAX_HEAD_BYTES,
        `${ws.bufferedAmount}`,
      );
    }
    peer.close();
    await reading;
    await end(all);
  });

  Deno.test(`a silent peer of a ${role} is pinged after 20 s and given up after 20 more`, async () => {
    const { ws, peer, clock, wheel } = lone(role);
    const reading = assertRejects(() => ws.readMessage(), TimeoutError);
    await clock.advanceAsync(20_000 - TICK_MS);
    assertEquals(ws.bufferedAmount, 0);
    await clock.advanceAsync(2 * TICK_MS);
    assertEquals((await readAvailable(peer))[0], 0x89);
    await clock.advanceAsync(20_000 - 2 * TICK_MS);
    assertEquals(await isSettled(reading), false);
    await clock.advanceAsync(3 * TICK_MS);
    assertEquals((await reading).phase, "pong");
    assertEquals((await readAvailable(peer))[0], 0x88);
    peer.close();
    const { code, clean, by } = await clock.runUntil(ws.closed);
    assertEquals({ code, clean, by }, { code: 1011, clean: false, by: "local" });
    assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  });

  Deno.test(`a ${role} takes any byte for life, that of an unfinished frame too`, async () => {
    const all = lone(role);
    const { ws, peer, clock } = all;
    const reading = ws.readMessage();
    for (const byte of framesTo(role, { opcode: 1, payload: "slow" })) {
      await clock.advanceAsync(19_000);
      await peer.write(new Uint8Array([byte]));
      await settle();
    }
    assertEquals((await reading)?.data, "slow");
    // It never had to be pinged.
    const next = readAvailable(peer);
    assertEquals(await isSettled(next), false);
    void ws.send("x");
    assertEquals((await next)[0], 0x81);
    await end(all);
  });

  Deno.test(`a ${role} that only sends ends behind a reset, within closeTimeoutMs`, async () => {
    const { ws, peer, clock, wheel } = lone(role, { closeTimeoutMs: 5_000 });
    const sending = assertRejects(() => ws.send(new Uint8Array(1_000_000)), ConnectionClosedError);
    await settle();
    peer.reset();
    await sending;
    await assertRejects(() => ws.send("again"), ConnectionClosedError);
    const { code, clean, by } = await clock.runUntil(ws.closed);
    assertEquals({ code, clean, by }, { code: 1006, clean: false, by: "remote" });
    assert(clock.now() <= 5_000 + TICK_MS, `${clock.now()} ms`);
    assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  });

  Deno.test(`a ${role} whose peer takes nothing closes all the same`, async () => {
    const { ws, clock, wheel } = lone(role, { closeTimeoutMs: 5_000 });
    const sending = ws.send(new Uint8Array(1_000_000));
    const pinging = ws.ping();
    const closing = ws.close();
    const late = assertRejects(() => ws.send("late"), WebSocketStateError);
    const results = Promise.allSettled([sending, pinging, late]);
    const { code, clean, by } = await clock.runUntil(closing);
    assertEquals({ code, clean, by }, { code: 1006, clean: false, by: "local" });
    assert(clock.now() <= 2 * 5_000 + 2 * TICK_MS, `${clock.now()} ms`);
    assertEquals((await results).map(({ status }) => status), [
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  });
}

Deno.test("both ends may begin to close at once", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const pipe = memoryPipe();
  const [client, server] = ROLES.map((role, index) => webSocketEnd(role, pipe[index]!, { wheel }));
  const readings = [client!.readMessage(), server!.readMessage()];
  const closures = Promise.all([client!.close(4001, "a"), server!.close(4002, "b")]);
  assertEquals(await clock.runUntil(closures), [
    { code: 4002, reason: "b", clean: true, by: "local" },
    { code: 4001, reason: "a", clean: true, by: "local" },
  ]);
  assertEquals(await Promise.all(readings), [undefined, undefined]);
  assertEquals(clock.now(), 0);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("sends from many places never interleave, with messages in fragments between them", async () => {
  const all = lone("server");
  const { ws, peer } = all;
  const senders = Array.from({ length: 20 }, async (_, sender) => {
    if (sender % 3 > 0) return await ws.send(`${sender}`.repeat(sender * 20));
    const message = await ws.openMessage({ type: "text" });
    for (let part = 0; part < 3; part++) await message.write(`${sender},`);
    await message.close();
  });
  const seen: string[] = [];
  let text: string | undefined;
  await Promise.all([
    Promise.all(senders),
    (async () => {
      let bytes: Uint8Array = new Uint8Array();
      while (seen.length < senders.length) {
        bytes = join(bytes, await readAvailable(peer));
        for (
          let length;
          (length = frameBytes(bytes)) <= bytes.length;
          bytes = bytes.slice(length)
        ) {
          // Whether a frame begins a message says whether one is under way.
          assertEquals((bytes[0]! & 15) === 0, text !== undefined);
          const payload = bytes.subarray(bytes[1]! < 126 ? 2 : 4, length);
          text = (text ?? "") + new TextDecoder().decode(payload);
          if (bytes[0]! < 0x80) continue;
          seen.push(text);
          text = undefined;
        }
      }
    })(),
  ]);
  const wanted = senders.map((_, sender) =>
    sender % 3 > 0 ? `${sender}`.repeat(sender * 20) : `${sender},`.repeat(3)
  );
  assertEquals(seen, wanted);
  await end(all);
});

/** Length of an unmasked frame of less than 64 KiB; Infinity before that is known. */
function frameBytes(bytes: Uint8Array): number {
  if (bytes.length < 2) return Infinity;
  if (bytes[1]! < 126) return 2 + bytes[1]!;
  return bytes.length < 4 ? Infinity : 4 + (bytes[2]! << 8 | bytes[3]!);
}
