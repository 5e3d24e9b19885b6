import { assert, assertEquals, assertRejects } from "@std/assert";
import { copy, type CopyOptions } from "../../nbio/copy.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll, type SendStatus } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe, type MemoryPipeOptions } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import type { Transport } from "../../nbio/transport.ts";
import { cancelEverywhere, WatchedTransport } from "../_support/cancelling.ts";
import { eventually } from "../_support/peer.ts";
import { ScriptedTransport } from "../_support/scripted_transport.ts";
import { resettablePair, socketPair } from "../_support/socket_pair.ts";

const BYTES = new Uint8Array([1, 2, 3, 4, 5]);

/** A client and a server, and between them what is to be copied from and to. */
function setUp(options: MemoryPipeOptions = {}): Record<
  "client" | "source" | "target" | "server",
  Transport
> {
  const [client, source] = memoryPipe(options);
  const [target, server] = memoryPipe(options);
  return { client, source, target, server };
}

async function readAll(transport: Transport, maxReadBytes = 65_536): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const p = new Uint8Array(maxReadBytes);
    const byteCount = await transport.read(p);
    if (byteCount === null) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    chunks.push(p.subarray(0, byteCount));
  }
}

async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

Deno.test("copy() goes to the end of the source and leaves all open", async () => {
  const { client, source, target, server } = setUp();
  await client.write(BYTES);
  await client.closeWrite();
  assertEquals(await copy(source, target), 5);
  assertEquals(await server.read(new Uint8Array(16)), 5);
  assertEquals([await target.write(BYTES), await source.write(BYTES)], [5, 5]);
});

Deno.test("copy() of nothing is 0", async () => {
  const source = new ScriptedTransport();
  const target = new ScriptedTransport();
  let progressCount = 0;
  assertEquals(await copy(source, target, { onProgress: () => progressCount++ }), 0);
  assertEquals([target.written.length, progressCount, target.isWriteClosed], [0, 0, false]);
});

Deno.test("copy() ends the write side of its target only if told so", async () => {
  for (const closeWrite of [false, true]) {
    const target = new ScriptedTransport();
    await copy(new ScriptedTransport({ reads: [BYTES] }), target, { closeWrite });
    assertEquals([target.isWriteClosed, target.closedCount], [closeWrite, 0]);
  }
});

Deno.test("copy() of a transport to itself is an echo", async () => {
  const [client, server] = memoryPipe({ highWaterMarkBytes: 100 });
  const bytes = new SeededRandom(1).bytes(5_000);
  const echoed = copy(server, server, { closeWrite: true });
  const sent = sendAll(client, bytes).then(() => client.closeWrite());
  assertEquals(await readAll(client), bytes);
  assertEquals([await echoed, await sent], [5_000, undefined]);
});

Deno.test("copy() goes on after short writes and reads without a byte", async () => {
  const source = new ScriptedTransport({ reads: [0, BYTES, 0, 0, BYTES] });
  const target = new ScriptedTransport({ writes: [2, 0, 1] });
  assertEquals(await copy(source, target), 10);
  assertEquals(target.written.map(({ length }) => length), [5, 3, 3, 2, 5]);
});

Deno.test("copy() tells progress after each write", async () => {
  const source = new ScriptedTransport({ reads: [BYTES, BYTES] });
  const target = new ScriptedTransport({ writes: [2] });
  const progress: number[] = [];
  await copy(source, target, { onProgress: (copiedBytes) => progress.push(copiedBytes) });
  assertEquals(progress, [2, 5, 10]);
});

Deno.test("copy() holds no more than bufferBytes, and less while little comes", async () => {
  const bytes = new SeededRandom(2).bytes(2_000_000);
  for (const [bufferBytes, first] of [[1_000, 1_000], [100_000, 16_384], [undefined, 16_384]]) {
    const source = new ScriptedTransport({ reads: [bytes] });
    const target = new ScriptedTransport();
    await copy(source, target, bufferBytes === undefined ? {} : { bufferBytes });
    const lengths = source.spaces.map(({ length }) => length);
    assertEquals([lengths[0], Math.max(...lengths)], [first, bufferBytes ?? 262_144]);
  }
});

Deno.test("copy() stops reading while the target takes nothing", async () => {
  const { client, source, target } = setUp({ highWaterMarkBytes: 1_000 });
  const watched = new WatchedTransport(source);
  const sent = sendAll(client, new Uint8Array(100_000)).catch(() => {});
  const copied = copy(watched, target, { bufferBytes: 500 }).catch((error) => error);
  await turns(1_000);
  // What the target's pipe took, and one buffer more.
  assertEquals([watched.callCount, watched.pendingCount], [3, 0]);
  target.close();
  assert(await copied instanceof Deno.errors.Interrupted);
  await sent;
});

for (const sentBytes of [99, 100, 101]) {
  Deno.test(`copy() of ${sentBytes} bytes with maxBytes 100`, async () => {
    const source = new ScriptedTransport({
      reads: [new Uint8Array(60), new Uint8Array(sentBytes - 60)],
    });
    const target = new ScriptedTransport();
    const copied = copy(source, target, { maxBytes: 100, timeoutMs: 1_000 });
    if (sentBytes <= 100) {
      assertEquals(await copied, sentBytes);
      return;
    }
    const error = await assertRejects(() => copied, LimitExceededError);
    assertEquals([error.limit, error.max], ["maxBytes", 100]);
    assertEquals(target.written.map(({ length }) => length), [60]);
    assert(source.closedCount > 0 && target.closedCount > 0);
  });
}

Deno.test("copy() with maxBytes 0 has no limit", async () => {
  const source = new ScriptedTransport({ reads: [BYTES] });
  assertEquals(await copy(source, new ScriptedTransport(), { maxBytes: 0 }), BYTES.length);
});

const WRONG_OPTIONS: CopyOptions[] = [
  { bufferBytes: 0 },
  { bufferBytes: 1.5 },
  { bufferBytes: 2 ** 30 + 1 },
  { maxBytes: -1 },
  { maxBytes: 1.5 },
  { maxBytes: NaN },
  { idleTimeoutMs: -1 },
  { idleTimeoutMs: NaN },
  { timeoutMs: -1 },
  { deadlineMs: NaN },
];
for (const options of WRONG_OPTIONS) {
  Deno.test(`copy() refuses ${Object.entries(options).flat().join(" ")}`, async () => {
    const source = new ScriptedTransport({ reads: [BYTES] });
    await assertRejects(() => copy(source, new ScriptedTransport(), options), RangeError);
    assertEquals(source.spaces.length, 0);
  });
}

for (
  const { name, reads, writes, error } of [
    { name: "a failed read", reads: [BYTES, new Deno.errors.ConnectionReset("gone")], writes: [] },
    { name: "a failed write", reads: [BYTES], writes: [2, new Deno.errors.BrokenPipe("gone")] },
    { name: "a read that claims too much", reads: [16_385], writes: [], error: TypeError },
    { name: "a read that claims less than nothing", reads: [-1], writes: [], error: TypeError },
    { name: "a write that claims too much", reads: [BYTES], writes: [6], error: TypeError },
    { name: "a write that claims NaN", reads: [BYTES], writes: [NaN], error: TypeError },
    {
      name: "reads without a byte for ever",
      reads: Array(99).fill(0),
      writes: [],
      error: ConnectionClosedError,
    },
    { name: "writes of nothing", reads: [BYTES], writes: [0, 0, 0], error: ConnectionClosedError },
  ]
) {
  Deno.test(`copy() closes both on ${name}`, async () => {
    for (const bounds of [{}, { timeoutMs: 1_000 }, { idleTimeoutMs: 1_000 }]) {
      const source = new ScriptedTransport({ reads });
      const target = new ScriptedTransport({ writes });
      const failure = await assertRejects(() => copy(source, target, bounds));
      if (error) assert(failure instanceof error);
      else assert([...reads, ...writes].includes(failure as Error));
      assert(source.closedCount > 0 && target.closedCount > 0);
      assert(source.spaces.length < 20);
    }
  });
}

Deno.test("copy() closes both if closing the write side fails", async () => {
  const source = new ScriptedTransport();
  const target = new ScriptedTransport();
  target.closeWrite = () => Promise.reject(new Deno.errors.NotConnected("gone"));
  const copied = copy(source, target, { closeWrite: true });
  await assertRejects(() => copied, Deno.errors.NotConnected);
  assert(source.closedCount > 0 && target.closedCount > 0);
});

Deno.test("copy() ends with what onProgress throws", async () => {
  const failure = new Error("enough");
  const source = new ScriptedTransport({ reads: [BYTES, BYTES] });
  const target = new ScriptedTransport();
  const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
  const onProgress = (): never => {
    throw failure;
  };
  const error = await assertRejects(() => copy(source, target, { onProgress, status }));
  assert(error === failure && source.closedCount > 0 && target.closedCount > 0);
  assertEquals(status, { sentBytes: 5, mayHaveSent: true });
});

for (
  const { name, reads, writes, status } of [
    { name: "an end", reads: [], writes: [], status: { sentBytes: 0, mayHaveSent: false } },
    { name: "all", reads: [BYTES], writes: [2], status: { sentBytes: 5, mayHaveSent: true } },
    {
      name: "a failed read",
      reads: [new Error("gone")],
      writes: [],
      status: { sentBytes: 0, mayHaveSent: false },
    },
    {
      name: "a failed first write",
      reads: [BYTES],
      writes: [new Error("gone")],
      status: { sentBytes: 0, mayHaveSent: true },
    },
    {
      name: "a failed second write",
      reads: [BYTES],
      writes: [2, new Error("gone")],
      status: { sentBytes: 2, mayHaveSent: true },
    },
  ]
) {
  Deno.test(`copy() keeps account of ${name}`, async () => {
    const account: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const source = new ScriptedTransport({ reads });
    await copy(source, new ScriptedTransport({ writes }), { status: account }).catch(() => {});
    assertEquals(account, status);
  });
}

Deno.test("copy() times out as a whole however much moves", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const { client, source, target, server } = setUp();
  const copied = copy(source, target, { timeoutMs: 1_000, idleTimeoutMs: 500, wheel });
  const failed = assertRejects(() => copied, TimeoutError);
  for (let tenth = 0; tenth < 11; tenth++) {
    await client.write(BYTES);
    await recvExactly(server, new Uint8Array(5));
    clock.advance(100);
  }
  const { phase, timeoutMs } = await failed;
  assertEquals([phase, timeoutMs], ["copy", 1_000]);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

for (const phase of ["read", "write"]) {
  for (const bounds of [{}, { timeoutMs: 60_000 }]) {
    const name = `${phase} that stands still${bounds.timeoutMs ? ", bounded as a whole" : ""}`;
    Deno.test(`copy() ends a ${name}`, async () => {
      const clock = new ManualClock();
      const wheel = new DeadlineWheel(clock);
      const { client, source, target, server } = setUp({ highWaterMarkBytes: 1 });
      const copied = copy(source, target, { ...bounds, idleTimeoutMs: 1_000, wheel });
      const failed = assertRejects(() => copied, TimeoutError);
      // Each byte comes just in time, and then none does.
      for (let second = 0; second < 5; second++) {
        await turns();
        clock.advance(900);
        await client.write(new Uint8Array(1));
        await recvExactly(server, new Uint8Array(1));
      }
      const sent = phase === "write" ? sendAll(client, BYTES) : undefined;
      const isSent = sent?.catch(() => {});
      await turns();
      clock.advance(1_100);
      const error = await failed;
      assertEquals([error.phase, error.timeoutMs], [phase, 1_000]);
      await assertRejects(() => source.read(new Uint8Array(1)), Deno.errors.BadResource);
      await assertRejects(() => target.write(BYTES), Deno.errors.BadResource);
      assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
      await isSent;
    });
  }
}

Deno.test("copy() is not idle while a large buffer leaves byte by byte", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const { client, source, target, server } = setUp({ highWaterMarkBytes: 50 });
  await sendAll(client, new Uint8Array(50));
  await client.closeWrite();
  const narrow = new WatchedTransport(target);
  narrow.write = (p) => target.write(p.subarray(0, 1));
  // Fifty bytes of another are in the way, and go one by one.
  await sendAll(target, new Uint8Array(50));
  const copied = copy(source, narrow, { idleTimeoutMs: 1_000, wheel });
  for (let second = 0; second < 100; second++) {
    await recvExactly(server, new Uint8Array(1));
    await turns();
    clock.advance(900);
  }
  assertEquals(await copied, 50);
});

for (const outcome of ["fails", "succeeds"]) {
  Deno.test(`copy() ends a closeWrite that stands still, and then ${outcome}`, async () => {
    const clock = new ManualClock();
    const wheel = new DeadlineWheel(clock);
    const { client, source, target } = setUp();
    await client.closeWrite();
    const stuck = Promise.withResolvers<void>();
    const transport = Object.assign(target, {
      closeWrite: (): Promise<void> => stuck.promise,
      close: (): void => {
        if (outcome === "succeeds") stuck.resolve();
        else stuck.reject(new Deno.errors.Interrupted("Closed"));
      },
    });
    const copied = copy(source, transport, { closeWrite: true, idleTimeoutMs: 1_000, wheel });
    const failed = assertRejects(() => copied, TimeoutError);
    await turns();
    clock.advance(1_100);
    await failed;
  });
}

for (const options of [{ timeoutMs: 0 }, { timeoutMs: Infinity }, { idleTimeoutMs: Infinity }]) {
  Deno.test(`copy() with ${Object.entries(options).flat().join(" ")} waits`, async () => {
    const clock = new ManualClock();
    const wheel = new DeadlineWheel(clock);
    const { client, source, target } = setUp();
    const copied = copy(source, target, { ...options, wheel });
    clock.advance(1_000_000);
    await client.write(BYTES);
    await client.closeWrite();
    assertEquals(await copied, 5);
  });
}

Deno.test("copy() can be cancelled at every place", async () => {
  const count = await cancelEverywhere(async ({ bounds, watch }) => {
    const { client, source, target, server } = setUp({ highWaterMarkBytes: 7, maxReadBytes: 5 });
    const sent = sendAll(client, new Uint8Array(30)).then(() => client.closeWrite());
    const isSent = sent.catch(() => {});
    const received = readAll(server);
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const options = { ...bounds, status, closeWrite: true, idleTimeoutMs: 100_000 };
    try {
      assertEquals(await copy(watch(source), watch(target), options), 30);
    } finally {
      // The other ends notice as well.
      await isSent;
      assertEquals((await received).length, status.sentBytes);
    }
  });
  assert(count > 100, `${count} places`);
});

Deno.test("copy() copies the very bytes however they are cut, 300 seeds", async () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new SeededRandom(seed);
    const bytes = random.bytes(random.int(2_000));
    const { client, source, target, server } = setUp({
      highWaterMarkBytes: 1 + random.int(100),
      maxReadBytes: 1 + random.int(100),
    });
    const sent = sendAll(client, bytes).then(() => client.closeWrite());
    const received = readAll(server, 200);
    const options = { bufferBytes: 1 + random.int(100), closeWrite: true };
    assertEquals(await copy(source, target, options), bytes.length, `seed ${seed}`);
    assertEquals(await received, bytes, `seed ${seed}`);
    await sent;
  }
});

Deno.test("copy() between sockets moves more than their buffers hold", async () => {
  const [client, source] = await socketPair();
  const [target, server] = await socketPair();
  const bytes = new SeededRandom(7).bytes(16 << 20);
  const sent = sendAll(client, bytes).then(() => client.closeWrite());
  const received = readAll(server);
  assertEquals(await copy(source, target, { closeWrite: true, timeoutMs: 30_000 }), bytes.length);
  const arrived = await received;
  assert(arrived.length === bytes.length && arrived.every((byte, index) => byte === bytes[index]));
  await sent;
  for (const transport of [client, source, target, server]) transport.close();
});

for (const side of ["source", "target"]) {
  Deno.test(`copy() closes both sockets when that of the ${side} is reset`, async () => {
    const [peer, broken] = await resettablePair();
    const [sound, other] = await socketPair();
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const copied = side === "source"
      ? copy(broken, sound, { status })
      : copy(sound, broken, { status });
    const failed = copied.catch((error) => error);
    if (side === "source") {
      peer.write(BYTES);
      assertEquals(await other.read(new Uint8Array(16)), 5);
    } else {
      await sendAll(other, BYTES);
      assert(await eventually(() => status.sentBytes === 5));
    }
    peer.resetAndDestroy();
    // Only one who writes learns that its reader is gone.
    if (side === "target") await sendAll(other, new Uint8Array(1 << 20)).catch(() => {});
    const error = await failed;
    assert(
      error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe,
      String(error),
    );
    for (const transport of [broken, sound]) {
      await assertRejects(() => transport.read(new Uint8Array(1)), Deno.errors.BadResource);
    }
    other.close();
  });
}

Deno.test("copy() to a socket that nobody reads ends by its idle deadline", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [client, source] = await socketPair();
  const [target, server] = await socketPair();
  const account: SendStatus = { sentBytes: 0, mayHaveSent: false };
  const sent = sendAll(client, new Uint8Array(64 << 20), { status: account });
  const isSent = sent.catch((error) => error);
  let copiedBytes = 0;
  const options = {
    idleTimeoutMs: 1_000,
    wheel,
    onProgress: (n: number) => void (copiedBytes = n),
  };
  const failed = copy(source, target, options).catch((error) => error);
  // Everything stands still as soon as the buffers of the system are full.
  let before = -1;
  assert(
    await eventually(() => {
      const isStill = copiedBytes > 0 && account.sentBytes === before;
      before = account.sentBytes;
      return isStill;
    }),
  );
  assert(account.sentBytes < 64 << 20);
  clock.advance(1_100);
  const error = await failed;
  assert(error instanceof TimeoutError);
  assert(await isSent instanceof Error);
  server.close();
});
