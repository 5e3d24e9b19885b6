import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { recv } from "../../nbio/recv.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { cancelEverywhere } from "../_support/cancelling.ts";
import { ScriptedTransport } from "../_support/scripted_transport.ts";
import { resettablePair, socketPair } from "../_support/socket_pair.ts";

const BYTES = new Uint8Array([1, 2, 3]);

for (const options of [undefined, {}, { timeoutMs: 1_000 }]) {
  const name = JSON.stringify(options) ?? "no options";
  Deno.test(`recv() with ${name} reads once, into the caller's array`, async () => {
    const transport = new ScriptedTransport({ reads: [BYTES, BYTES] });
    const p = new Uint8Array(16);
    assertEquals(await recv(transport, p, options), 3);
    assertEquals([...p.subarray(0, 4)], [1, 2, 3, 0]);
    assert(transport.spaces.length === 1 && transport.spaces[0] === p);
    assertEquals(transport.closedCount, 0);
  });
}

Deno.test("recv() costs three microtasks at most", async () => {
  const transport = new ScriptedTransport({ reads: [BYTES] });
  let isReceived = false;
  recv(transport, new Uint8Array(16)).then(() => isReceived = true);
  for (let turn = 0; turn < 2; turn++) await Promise.resolve();
  assert(isReceived);
});

Deno.test("recv() gives null at the end, and leaves the transport open", async () => {
  const transport = new ScriptedTransport();
  assertEquals(await recv(transport, new Uint8Array(16), { timeoutMs: 1_000 }), null);
  assertEquals(transport.closedCount, 0);
});

Deno.test("recv() passes a read without a byte on", async () => {
  const transport = new ScriptedTransport({ reads: [0, BYTES] });
  assertEquals(await recv(transport, new Uint8Array(16)), 0);
  assertEquals(await recv(transport, new Uint8Array(0)), 0);
  assertEquals(transport.closedCount, 0);
});

for (const claim of [17, -1, NaN, 0.5]) {
  Deno.test(`recv() rejects and closes when a read claims ${claim} of 16 bytes`, async () => {
    const transport = new ScriptedTransport({ reads: [claim] });
    await assertRejects(() => recv(transport, new Uint8Array(16)), TypeError);
    assertEquals(transport.closedCount, 1);
  });
}

Deno.test("recv() closes and rethrows a failure", async () => {
  for (const options of [{}, { timeoutMs: 1_000 }]) {
    const failure = new Deno.errors.ConnectionReset("gone");
    const transport = new ScriptedTransport({ reads: [failure] });
    const error = await assertRejects(() => recv(transport, new Uint8Array(16), options));
    assert(error === failure && transport.closedCount > 0);
  }
});

Deno.test("recv() does not read if it is cancelled already", async () => {
  const transport = new ScriptedTransport({ reads: [BYTES] });
  const p = new Uint8Array(16);
  const received = recv(transport, p, { signal: AbortSignal.abort("no") });
  assertEquals(await received.catch((error) => error), "no");
  await assertRejects(() => recv(transport, p, { deadlineMs: 0 }), TimeoutError);
  await assertRejects(() => recv(transport, p, { timeoutMs: -1 }), RangeError);
  assertEquals(transport.spaces.length, 0);
  assert(transport.closedCount > 0);
});

Deno.test("recv() can be cancelled at every place", async () => {
  const count = await cancelEverywhere(async ({ bounds, watch }) => {
    const [client, server] = memoryPipe();
    const received = recv(watch(server), new Uint8Array(16), bounds);
    await Promise.resolve();
    await client.write(BYTES).catch(() => {});
    assertEquals(await received, 3);
  });
  assert(count > 6, `${count} places`);
});

for (const kind of ["signal", "deadline"]) {
  Deno.test(`recv() from a silent socket ends by ${kind}`, async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const bounds = kind === "signal"
      ? { signal: controller.signal }
      : { timeoutMs: 1_000, wheel: new DeadlineWheel(clock) };
    const [client, server] = await socketPair();
    const received = recv(server, new Uint8Array(16), bounds).catch((error) => error);
    if (kind === "signal") controller.abort("enough");
    else clock.advance(1_200);
    const error = await received;
    if (kind === "signal") assertEquals(error, "enough");
    else assert(error instanceof TimeoutError && error.phase === "receive");
    // The peer sees the end: the transport is closed.
    assertEquals(await client.read(new Uint8Array(1)), null);
    client.close();
  });
}

Deno.test("recv() from a socket: bytes, the end, and what was written after it", async () => {
  const [client, server] = await socketPair();
  await client.write(BYTES);
  await client.closeWrite();
  const p = new Uint8Array(16);
  assertEquals(await recv(server, p, { timeoutMs: 10_000 }), 3);
  assertEquals(await recv(server, p, { timeoutMs: 10_000 }), null);
  await server.write(BYTES);
  assertEquals(await recv(client, p), 3);
  client.close();
  server.close();
});

Deno.test("recv() from a socket that is reset rejects and closes", async () => {
  const [client, server] = await resettablePair();
  const received = recv(server, new Uint8Array(16));
  client.resetAndDestroy();
  await assertRejects(() => received, Deno.errors.ConnectionReset);
  await assertRejects(() => server.write(BYTES), Deno.errors.BadResource);
});
