import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { lingeringClose } from "../../nbio/linger.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { Transport } from "../../nbio/transport.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { cancelEverywhere } from "../_support/cancelling.ts";
import { ScriptedTransport } from "../_support/scripted_transport.ts";
import { socketPair } from "../_support/socket_pair.ts";

function setUp(): { clock: ManualClock; wheel: DeadlineWheel } {
  const clock = new ManualClock();
  return { clock, wheel: new DeadlineWheel(clock) };
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return settled;
}

Deno.test("lingeringClose() ends our direction at once and waits for the peer's end", async () => {
  const { clock, wheel } = setUp();
  const [client, server] = memoryPipe();
  const closed = lingeringClose(server, { wheel });
  assertEquals(await client.read(new Uint8Array(8)), null);
  assertEquals(await client.write(new Uint8Array(8)), 8);
  assertEquals(await isSettled(closed), false);
  await client.closeWrite();
  await closed;
  await assertRejects(() => server.read(new Uint8Array(1)));
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("lingeringClose() closes when the time is up", async () => {
  const { clock, wheel } = setUp();
  const [client, server] = memoryPipe();
  const closed = lingeringClose(server, { wheel, timeoutMs: 500 });
  assertEquals(await client.read(new Uint8Array(8)), null);
  clock.advance(499);
  assertEquals(await isSettled(closed), false);
  clock.advance(101);
  await closed;
  await assertRejects(() => client.write(new Uint8Array(1)));
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("lingeringClose() closes when the time is up while closeWrite still waits", async () => {
  const { clock, wheel } = setUp();
  const [, server] = memoryPipe();
  const stuck = Promise.withResolvers<void>();
  let closedCount = 0;
  const transport = Object.assign(server, {
    closeWrite: (): Promise<void> => stuck.promise,
    close: (): void => {
      closedCount++;
      stuck.reject(new Deno.errors.Interrupted("Closed"));
    },
  });
  const closed = lingeringClose(transport, { wheel });
  clock.advance(600);
  await closed;
  assert(closedCount >= 1);
});

for (
  const { maxBytes, sentBytes, closes } of [
    { maxBytes: 1_000, sentBytes: 999, closes: false },
    { maxBytes: 1_000, sentBytes: 1_000, closes: true },
    { maxBytes: 0, sentBytes: 1_000, closes: false },
  ]
) {
  Deno.test(`lingeringClose() with maxBytes ${maxBytes} after ${sentBytes} bytes`, async () => {
    const { wheel } = setUp();
    const [client, server] = memoryPipe({ maxReadBytes: 100 });
    if (sentBytes > 0) await sendAll(client, new Uint8Array(sentBytes));
    const closed = lingeringClose(server, { wheel, maxBytes });
    for (let i = 0; i < 5; i++) await isSettled(closed);
    assertEquals(await isSettled(closed), closes);
    client.close();
    await closed;
  });
}

Deno.test("lingeringClose() does not spin on reads without a byte", async () => {
  const { wheel } = setUp();
  const [, server] = memoryPipe();
  let readCount = 0;
  await lingeringClose(Object.assign(server, { read: () => Promise.resolve(readCount++ && 0) }), {
    wheel,
  });
  assertEquals(readCount, 16);
});

for (const claim of [-1, NaN, 16_385, 0.5]) {
  Deno.test(`lingeringClose() stops at a read that claims ${claim} bytes`, async () => {
    const transport = new ScriptedTransport({ reads: [claim] });
    await lingeringClose(transport);
    assertEquals([transport.spaces.length, transport.closedCount], [1, 2]);
  });
}

for (
  const option of [
    { timeoutMs: -1 },
    { timeoutMs: NaN },
    { deadlineMs: -1 },
    { maxBytes: -1 },
    { maxBytes: NaN },
  ]
) {
  Deno.test(`lingeringClose() refuses ${Object.entries(option).flat().join(" ")}`, async () => {
    const transport = new ScriptedTransport();
    await assertRejects(() => lingeringClose(transport, option), RangeError);
    assertEquals([transport.isWriteClosed, transport.closedCount], [false, 1]);
  });
}

Deno.test("lingeringClose() waits no longer when its signal is aborted", async () => {
  const { clock, wheel } = setUp();
  const controller = new AbortController();
  const [client, server] = memoryPipe();
  const closed = lingeringClose(server, { wheel, signal: controller.signal });
  assertEquals(await client.read(new Uint8Array(8)), null);
  assertEquals(await isSettled(closed), false);
  controller.abort(new Error("shutting down"));
  await closed;
  await assertRejects(() => client.write(new Uint8Array(1)));
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("lingeringClose() with an aborted signal closes at once", async () => {
  const transport = new ScriptedTransport();
  await lingeringClose(transport, { signal: AbortSignal.abort() });
  assertEquals([transport.isWriteClosed, transport.spaces.length], [false, 0]);
  assert(transport.closedCount > 0);
});

Deno.test("lingeringClose() goes by the earlier of timeoutMs and deadlineMs", async () => {
  const { clock, wheel } = setUp();
  const [client, server] = memoryPipe();
  const closed = lingeringClose(server, { wheel, deadlineMs: 200 });
  assertEquals(await client.read(new Uint8Array(8)), null);
  clock.advance(199);
  assertEquals(await isSettled(closed), false);
  clock.advance(101);
  await closed;
});

Deno.test("lingeringClose() with timeoutMs 0 waits for the peer", async () => {
  const { clock, wheel } = setUp();
  const [client, server] = memoryPipe();
  const closed = lingeringClose(server, { wheel, timeoutMs: 0 });
  clock.advance(1_000_000);
  assertEquals(await isSettled(closed), false);
  client.close();
  await closed;
});

Deno.test("lingeringClose() can be cut short at every place", async () => {
  const count = await cancelEverywhere(async ({ bounds, watch }) => {
    const [client, server] = memoryPipe({ maxReadBytes: 2 });
    await sendAll(client, new Uint8Array(9));
    await client.closeWrite();
    const transport = watch(server);
    await lingeringClose(transport, { ...bounds, maxBytes: 10 });
    await assertRejects(() => server.read(new Uint8Array(1)), Deno.errors.BadResource);
  }, { resolves: true });
  assert(count > 50, `${count} places`);
});

Deno.test("lingeringClose() swallows whatever fails, and closes", async () => {
  const { wheel } = setUp();
  const failure = (): never => {
    throw new Deno.errors.NotConnected("Gone");
  };
  const parts: Partial<Transport>[] = [{ closeWrite: failure }, { read: failure }, {
    close: failure,
  }];
  for (const part of parts) {
    const [client, server] = memoryPipe();
    if (part.close) client.close();
    await lingeringClose(Object.assign(server, part), { wheel });
    if (!part.close) assertEquals(await client.read(new Uint8Array(1)), null);
    assertEquals(wheel.armedCount, 0);
  }
});

Deno.test("lingeringClose() accepts a transport that is closed already", async () => {
  const { wheel } = setUp();
  const [, server] = memoryPipe();
  server.close();
  await lingeringClose(server, { wheel });
});

Deno.test("lingeringClose() lets a client that is still sending read the answer", async () => {
  const [client, server] = await socketPair();
  // The server refuses after the first bytes; the rest is on its way.
  const sent = sendAll(client, new Uint8Array(200_000));
  await server.read(new Uint8Array(100));
  await sendAll(server, new TextEncoder().encode("refused"));
  const closed = lingeringClose(server);
  await sent;
  const buffer = new Uint8Array(16);
  assertEquals(await client.read(buffer), 7);
  assertEquals(await client.read(buffer), null);
  client.close();
  await closed;
});

Deno.test("lingeringClose() gives up a socket whose peer neither reads nor ends", async () => {
  const { clock, wheel } = setUp();
  const [client, server] = await socketPair();
  const closed = lingeringClose(server, { wheel, timeoutMs: 500 });
  assertEquals(await client.read(new Uint8Array(1)), null); // it has ended its direction
  clock.advance(600);
  await closed;
  await assertRejects(() => server.read(new Uint8Array(1)), Deno.errors.BadResource);
  client.close();
});

Deno.test("lingeringClose() of many sockets at once discards for each", async () => {
  const pairs = await Promise.all(Array.from({ length: 20 }, socketPair));
  const closings = pairs.map(([, server]) => lingeringClose(server));
  await Promise.all(pairs.map(async ([client]) => {
    await sendAll(client, new Uint8Array(50_000));
    assertEquals(await client.read(new Uint8Array(1)), null);
    client.close();
  }));
  await Promise.all(closings);
});
