import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { runOperation } from "../../nbio/operation.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import {
  type FaultTransport,
  faultTransport,
  type FaultTransportOptions,
} from "../../nbio/testing_fault_transport.ts";
import { randomFaults } from "../../nbio/testing_faults.ts";
import { memoryPipe, type MemoryPipeOptions } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";

interface Rig {
  readonly clock: ManualClock;
  /** The end with faults. */
  readonly near: FaultTransport;
  /** The end without. */
  readonly far: Transport;
}

function setUp(options: FaultTransportOptions, pipe: MemoryPipeOptions = {}): Rig {
  const clock = new ManualClock();
  const [near, far] = memoryPipe(pipe);
  return { clock, near: faultTransport(near, { clock, ...options }), far };
}

const BYTES = Uint8Array.from({ length: 200 }, (_, index) => index);

async function readToEnd(transport: Transport): Promise<{ bytes: number[]; sizes: number[] }> {
  const bytes: number[] = [];
  const sizes: number[] = [];
  const buffer = new Uint8Array(1_000);
  for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
    bytes.push(...buffer.subarray(0, byteCount));
    sizes.push(byteCount);
  }
  return { bytes, sizes };
}

Deno.test("faultTransport() without faults changes nothing", async () => {
  const { near, far } = setUp({});
  assertEquals(await near.write(BYTES), 200);
  await near.closeWrite();
  assertEquals((await readToEnd(far)).bytes, [...BYTES]);
  await far.write(BYTES);
  far.close();
  assertEquals(await readToEnd(near), { bytes: [...BYTES], sizes: [200] });
  assertEquals([near.log, near.localAddr, near.remoteAddr], [[], far.remoteAddr, far.localAddr]);
  assertEquals([await near.read(new Uint8Array(0)), await near.write(new Uint8Array(0))], [0, 0]);
  near.close();
});

Deno.test("faultTransport() splits reads at the same bytes, whatever the reader asks for", async () => {
  const cutsOf = async (seed: number, askBytes: number): Promise<number[]> => {
    const { near, far } = setUp({ seed, read: { maxPieceBytes: 20 } });
    await far.write(BYTES);
    far.close();
    const bytes: number[] = [];
    const buffer = new Uint8Array(askBytes);
    for (let byteCount; (byteCount = await near.read(buffer)) !== null;) {
      bytes.push(...buffer.subarray(0, byteCount));
    }
    assertEquals(bytes, [...BYTES]);
    near.close();
    return near.log.map(({ offset, byteCount }) => offset + byteCount);
  };
  const cuts = await cutsOf(1, 1_000);
  assert(cuts.length > 15, `${cuts}`);
  const [small, other] = [await cutsOf(1, 7), await cutsOf(2, 1_000)];
  // A buffer of 7 bytes hides a cut that happens to be where it is full.
  assert(small.every((cut) => cuts.includes(cut)), `${small} in ${cuts}`);
  assert(other.join() !== cuts.join());
});

Deno.test("faultTransport() cuts at the same bytes, whatever other faults there are", async () => {
  const cutsOf = async (options: FaultTransportOptions): Promise<number[]> => {
    const { clock, near, far } = setUp({ seed: 3, ...options });
    await far.write(BYTES);
    far.close();
    const { bytes } = await clock.runUntil(readToEnd(near));
    assertEquals(bytes, [...BYTES]);
    near.close();
    return near.log.filter(({ kind }) => kind === "split").map(({ offset }) => offset);
  };
  const maxPieceBytes = 20;
  const cuts = await cutsOf({ read: { maxPieceBytes } });
  for (const more of [{ delayChance: 0.5 }, { coalesceChance: 0.5 }]) {
    assertEquals(await cutsOf({ read: { maxPieceBytes, ...more } }), cuts);
  }
});

Deno.test("faultTransport() makes writes short", async () => {
  const { near, far } = setUp({ write: { maxPieceBytes: 20 } });
  const sizes: number[] = [];
  for (let offset = 0; offset < 200;) {
    const byteCount = await near.write(BYTES.subarray(offset));
    sizes.push(byteCount);
    offset += byteCount;
  }
  near.close();
  assertEquals((await readToEnd(far)).bytes, [...BYTES]);
  assert(sizes.length > 15 && sizes.every((size) => size >= 1 && size <= 20));
  const kinds = new Set(near.log.map(({ kind, direction }) => `${direction} ${kind}`));
  assertEquals([...kinds], ["write short-write"]);
});

Deno.test("faultTransport() delays reads and writes by the clock", async () => {
  const delays = { delayChance: 1, minDelayMs: 10, maxDelayMs: 20 };
  const { clock, near, far } = setUp({ read: delays, write: delays });
  await far.write(BYTES);
  const operations = [near.read(new Uint8Array(50)), near.write(BYTES)];
  await clock.advanceAsync(9);
  assertEquals(await Promise.all(operations.map((one) => isSettled(one))), [false, false]);
  await clock.advanceAsync(11);
  assertEquals(await Promise.all(operations), [50, 200]);
  assertEquals(near.log.map(({ kind }) => kind), ["delay", "delay"]);
  assert(near.log.every(({ delayMs }) => delayMs >= 10 && delayMs <= 20));
  near.close();
});

Deno.test("faultTransport() delays what has come, not the wait for it", async () => {
  const { clock, near, far } = setUp({ read: { delayChance: 1, minDelayMs: 10, maxDelayMs: 10 } });
  const read = near.read(new Uint8Array(8));
  await clock.advanceAsync(1_000);
  await far.write(new Uint8Array(3));
  await clock.advanceAsync(9);
  assertEquals(await isSettled(read), false);
  await clock.advanceAsync(1);
  assertEquals(await read, 3);
  near.close();
});

Deno.test("faultTransport() gathers what several reads would give", async () => {
  const { clock, near, far } = setUp({ read: { coalesceChance: 1, coalesceMs: 30 } });
  const read = near.read(new Uint8Array(100));
  for (let i = 0; i < 3; i++) {
    await far.write(new Uint8Array(10));
    await clock.advanceAsync(10);
  }
  await clock.advanceAsync(10);
  assertEquals(await read, 30);
  assertEquals(near.log, [
    { kind: "coalesce", direction: "read", offset: 0, byteCount: 20, delayMs: 0 },
  ]);
  // The read that gathering left under way inside is the next one's.
  await far.write(new Uint8Array(5));
  far.close();
  assertEquals(await near.read(new Uint8Array(100)), 5);
  assertEquals(await near.read(new Uint8Array(100)), null);
  near.close();
});

Deno.test("faultTransport() stops gathering when the buffer is full or the stream ends", async () => {
  const { clock, near, far } = setUp({ read: { coalesceChance: 1, coalesceMs: 1_000 } });
  await far.write(new Uint8Array(10));
  assertEquals(await near.read(new Uint8Array(10)), 10);
  await far.write(new Uint8Array(4));
  far.close();
  assertEquals(await near.read(new Uint8Array(10)), 4);
  assertEquals([clock.now(), clock.pendingCount], [0, 0]);
  near.close();
});

for (const afterBytes of [0, 1, 5]) {
  Deno.test(`faultTransport() truncates reading after ${afterBytes} bytes, and writes on`, async () => {
    const { near, far } = setUp({ read: { truncateAfterBytes: afterBytes } });
    await far.write(BYTES);
    assertEquals((await readToEnd(near)).bytes, [...BYTES.subarray(0, afterBytes)]);
    assertEquals(await near.read(new Uint8Array(8)), null);
    assertEquals(await near.write(new Uint8Array(3)), 3);
    assertEquals(near.log.map(({ kind, offset }) => [kind, offset]), [
      ...afterBytes > 0 ? [["split", 0]] : [],
      ["truncate", afterBytes],
    ]);
    near.close();
  });

  Deno.test(`faultTransport() truncates writing after ${afterBytes} bytes, and takes more`, async () => {
    const { near, far } = setUp({ write: { truncateAfterBytes: afterBytes } });
    await sendAll(near, BYTES);
    await near.closeWrite();
    assertEquals((await readToEnd(far)).bytes, [...BYTES.subarray(0, afterBytes)]);
    await far.write(new Uint8Array(2));
    assertEquals(await near.read(new Uint8Array(8)), 2);
    near.close();
  });

  Deno.test(`faultTransport() half-closes after ${afterBytes} bytes`, async () => {
    const { near, far } = setUp({ write: { halfCloseAfterBytes: afterBytes } });
    if (afterBytes > 0) assertEquals(await near.write(BYTES), afterBytes);
    await assertRejects(() => near.write(BYTES), Deno.errors.BrokenPipe);
    assertEquals((await readToEnd(far)).bytes, [...BYTES.subarray(0, afterBytes)]);
    await far.write(new Uint8Array(2));
    assertEquals(await near.read(new Uint8Array(8)), 2);
    near.close();
  });

  Deno.test(`faultTransport() loses what is written after ${afterBytes} bytes, the end too`, async () => {
    const { near, far } = setUp({ write: { loseAfterBytes: afterBytes } });
    await sendAll(near, BYTES);
    await near.closeWrite();
    if (afterBytes > 0) assertEquals(await far.read(new Uint8Array(300)), afterBytes);
    const read = far.read(new Uint8Array(8));
    assertEquals(await isSettled(read), false);
    near.close();
    assertEquals(await read, null);
  });

  Deno.test(`faultTransport() stalls after ${afterBytes} bytes until it is closed`, async () => {
    const { near, far } = setUp({
      read: { stallAfterBytes: afterBytes },
      write: { stallAfterBytes: afterBytes },
    });
    await far.write(BYTES);
    far.close();
    const buffer = new Uint8Array(300);
    if (afterBytes > 0) {
      assertEquals(await near.read(buffer), afterBytes);
      await assertRejects(() => near.write(BYTES), Deno.errors.BrokenPipe);
    }
    const read = near.read(buffer);
    assertEquals(await isSettled(read), false);
    const interrupted = assertRejects(() => read, Deno.errors.Interrupted);
    near.close();
    await interrupted;
  });

  for (const direction of ["read", "write"] as const) {
    Deno.test(`faultTransport() resets both ends after ${afterBytes} bytes of ${direction}`, async () => {
      const { near, far } = setUp({ [direction]: { resetAfterBytes: afterBytes } });
      if (direction === "read") await far.write(BYTES);
      const act = (): Promise<unknown> => near[direction](new Uint8Array(BYTES));
      if (afterBytes > 0) assertEquals(await act(), afterBytes);
      await assertRejects(act, Deno.errors.ConnectionReset);
      await assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
      await assertRejects(() => near.write(new Uint8Array(1)), Deno.errors.ConnectionReset);
      await assertRejects(() => near.closeWrite(), Deno.errors.NotConnected);
      if (direction === "write" && afterBytes > 0) {
        assertEquals(await far.read(new Uint8Array(300)), afterBytes);
      }
      await assertRejects(() => far.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
      await assertRejects(() => far.write(new Uint8Array(1)), Deno.errors.ConnectionReset);
      assertEquals(near.log.filter(({ kind }) => kind === "reset").length, 1);
      near.close();
      assertThrows(() => near.close(), Deno.errors.BadResource);
    });
  }
}

Deno.test("faultTransport() stalls a write although there is room", async () => {
  const { near, far } = setUp({ write: { stallAfterBytes: 5 } });
  assertEquals(await near.write(BYTES), 5);
  const write = near.write(BYTES);
  assertEquals(await isSettled(write), false);
  assertEquals(await far.read(new Uint8Array(300)), 5);
  // Closing the writing side gets lost too, and waits for nothing.
  await near.closeWrite();
  const interrupted = assertRejects(() => write, Deno.errors.Interrupted);
  near.close();
  await interrupted;
});

Deno.test("faultTransport() resets what waits in the other direction", async () => {
  const { near, far } = setUp({ read: { resetAfterBytes: 3 } }, { highWaterMarkBytes: 4 });
  await near.write(new Uint8Array(4));
  const write = near.write(new Uint8Array(4));
  const failed = assertRejects(() => write, Deno.errors.ConnectionReset);
  await far.write(new Uint8Array(3));
  assertEquals(await near.read(new Uint8Array(8)), 3);
  await failed;
  near.close();
});

Deno.test("faultTransport() takes the end after the fewest bytes, at a tie the first kind", async () => {
  const first = setUp({ read: { truncateAfterBytes: 3, resetAfterBytes: 4, stallAfterBytes: 9 } });
  await first.far.write(BYTES);
  assertEquals((await readToEnd(first.near)).bytes, [0, 1, 2]);
  const second = setUp({ write: { truncateAfterBytes: 3, resetAfterBytes: 3 } });
  assertEquals(await second.near.write(BYTES), 3);
  await assertRejects(() => second.near.write(BYTES), Deno.errors.ConnectionReset);
  for (const { near } of [first, second]) near.close();
});

Deno.test("FaultTransport.reset() resets now, at both ends and with all that waits", async () => {
  const { near, far } = setUp({});
  await near.write(new Uint8Array(3));
  const reads = [near.read(new Uint8Array(1)), far.read(new Uint8Array(1))];
  assertEquals(await reads[1], 1);
  const failed = assertRejects(() => reads[0]!, Deno.errors.ConnectionReset);
  near.reset({ discard: true });
  near.reset();
  await failed;
  await assertRejects(() => far.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  near.close();
  near.reset();
  await assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.BadResource);
});

Deno.test("faultTransport() around another one passes a reset on", async () => {
  const [inner, far] = memoryPipe();
  const near = faultTransport(faultTransport(inner, { read: { maxPieceBytes: 3 } }), {
    write: { resetAfterBytes: 2 },
  });
  assertEquals(await near.write(BYTES), 2);
  assertEquals(await far.read(new Uint8Array(8)), 2);
  await assertRejects(() => far.read(new Uint8Array(8)), Deno.errors.ConnectionReset);
  near.close();
});

Deno.test("faultTransport() passes errors from inside on, after the bytes before them", async () => {
  const [inner, far] = memoryPipe();
  const near = faultTransport(inner, { read: { maxPieceBytes: 2 } });
  await far.write(new Uint8Array(5));
  far.reset();
  let byteCount = 0;
  await assertRejects(async () => {
    for (;;) byteCount += (await near.read(new Uint8Array(8)))!;
  }, Deno.errors.ConnectionReset);
  assertEquals(byteCount, 5);
  near.close();
});

const DELAYS = { delayChance: 1, minDelayMs: 50, maxDelayMs: 50 };

interface WaitingRow {
  readonly name: string;
  readonly options: FaultTransportOptions;
  /** Starts the operation that is to wait. */
  readonly start: (rig: Rig) => Promise<unknown>;
}

const WAITING: readonly WaitingRow[] = [
  { name: "an idle read", options: {}, start: ({ near }) => near.read(new Uint8Array(8)) },
  {
    name: "a delayed read",
    options: { read: DELAYS },
    start: ({ near, far }) => far.write(new Uint8Array(1)).then(() => near.read(new Uint8Array(8))),
  },
  {
    name: "a read that gathers",
    options: { read: { coalesceChance: 1 } },
    start: ({ near, far }) => far.write(new Uint8Array(1)).then(() => near.read(new Uint8Array(8))),
  },
  {
    name: "a stalled read",
    options: { read: { stallAfterBytes: 0 } },
    start: ({ near }) => near.read(new Uint8Array(8)),
  },
  {
    name: "a delayed write",
    options: { write: DELAYS },
    start: ({ near }) => near.write(new Uint8Array(8)),
  },
  {
    name: "a write without room",
    options: {},
    start: ({ near }) => near.write(new Uint8Array(4)).then(() => near.write(new Uint8Array(4))),
  },
  {
    name: "a stalled write",
    options: { write: { stallAfterBytes: 0 } },
    start: ({ near }) => near.write(new Uint8Array(8)),
  },
];

for (const { name, options, start } of WAITING) {
  for (const how of ["close", "reset"] as const) {
    Deno.test(`FaultTransport.${how}() ends ${name}`, async () => {
      const rig = setUp(options, { highWaterMarkBytes: 4 });
      const { clock, near } = rig;
      const operation = start(rig);
      assertEquals(await isSettled(operation), false);
      const again = name.endsWith("read") || name.startsWith("a read") ? "read" : "write";
      await assertRejects(() => near[again](new Uint8Array(8)), TypeError);
      near[how]();
      const { Interrupted, ConnectionReset, BadResource } = Deno.errors;
      await assertRejects(() => operation, how === "close" ? Interrupted : ConnectionReset);
      await settle();
      assertEquals(clock.pendingCount, 0);
      if (how === "reset") near.close();
      await assertRejects(() => near.read(new Uint8Array(1)), BadResource);
      await assertRejects(() => near.write(new Uint8Array(1)), BadResource);
      await assertRejects(() => near.closeWrite(), BadResource);
      assertThrows(() => near.close(), BadResource);
    });
  }
}

Deno.test("FaultTransport.closeWrite() while a write is delayed leaves nothing behind", async () => {
  const { clock, near } = setUp({ write: { delayChance: 1, minDelayMs: 50, maxDelayMs: 50 } });
  const write = near.write(new Uint8Array(1));
  await near.closeWrite();
  const failed = assertRejects(() => write, Deno.errors.Interrupted);
  near.close();
  await failed;
  assertEquals(clock.pendingCount, 0);
});

Deno.test("FaultTransport.log keeps the first entries and counts the rest", async () => {
  const { near, far } = setUp({ maxLogCount: 3, read: { maxPieceBytes: 1 } });
  await far.write(BYTES);
  far.close();
  assertEquals((await readToEnd(near)).bytes, [...BYTES]);
  assertEquals([near.log.length, near.log[2]!.offset], [3, 2]);
  assertEquals(near.report().split("\n").length, 5);
  near.close();
});

Deno.test("faultTransport() draws its seed from a generator", () => {
  const [a] = memoryPipe();
  const seeds = [1, 2].map((seed) => faultTransport(a, { random: new SeededRandom(seed) }).seed);
  assert(seeds[0] !== seeds[1]);
  assertEquals(faultTransport(a, { random: new SeededRandom(1) }).seed, seeds[0]);
  assertEquals([faultTransport(a).seed, faultTransport(a, { seed: 9 }).seed], [0, 9]);
});

const INVALID: readonly FaultTransportOptions[] = [
  { maxLogCount: -1 },
  { maxLogCount: 0.5 },
  { read: { maxPieceBytes: 0 } },
  { read: { maxPieceBytes: 1.5 } },
  { write: { delayChance: 1.1 } },
  { write: { delayChance: NaN } },
  { write: { minDelayMs: -1 } },
  { write: { minDelayMs: 5, maxDelayMs: 4 } },
  { write: { maxDelayMs: Infinity } },
  { read: { coalesceChance: -1 } },
  { read: { coalesceMs: 0 } },
  { read: { coalesceMs: NaN } },
  { read: { resetAfterBytes: -1 } },
  { read: { stallAfterBytes: 0.5 } },
  { write: { truncateAfterBytes: NaN } },
  { write: { loseAfterBytes: -1 } },
  { write: { halfCloseAfterBytes: -Infinity } },
];

for (const options of INVALID) {
  Deno.test(`faultTransport() throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => faultTransport(memoryPipe()[0], options), RangeError);
  });
}

Deno.test("faultTransport() over a socket splits, and closes it on a reset", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connecting = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const far = await listener.accept();
  const near = faultTransport(await connecting, {
    read: { maxPieceBytes: 10 },
    write: { maxPieceBytes: 10, resetAfterBytes: 100 },
  });
  await far.write(BYTES);
  await far.closeWrite();
  const { bytes, sizes } = await readToEnd(near);
  assertEquals(bytes, [...BYTES]);
  assert(sizes.every((size) => size <= 10));
  await assertRejects(() => sendAll(near, BYTES), Deno.errors.ConnectionReset);
  assertEquals((await readToEnd(far)).bytes, [...BYTES.subarray(0, 100)]);
  assertEquals(far.localAddr, near.remoteAddr);
  far.close();
});

// A length-prefixed echo, as anybody would write it, with deadlines.

class Echo {
  readonly clock: ManualClock = new ManualClock();
  readonly wheel: DeadlineWheel = new DeadlineWheel(this.clock);

  /** Sends each message and reads it back; says how many came whole. */
  async ask(transport: Transport, messages: readonly Uint8Array[]): Promise<number> {
    let count = 0;
    for (const message of messages) {
      const answer = await this.#within(transport, async () => {
        await sendAll(transport, frame(message));
        return await receiveFrame(transport) ??
          await Promise.reject(new ConnectionClosedError("End"));
      });
      assertEquals(answer, message);
      count++;
    }
    return count;
  }

  async serve(transport: Transport): Promise<void> {
    for (;;) {
      const isOver = await this.#within(transport, async () => {
        const message = await receiveFrame(transport);
        if (message) await sendAll(transport, frame(message));
        return message === undefined;
      });
      if (isOver) return;
    }
  }

  #within<T>(transport: Transport, operate: () => Promise<T>): Promise<T> {
    return runOperation(transport, "echo", { timeoutMs: 60_000, wheel: this.wheel }, operate);
  }
}

function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + message.length);
  new DataView(bytes.buffer).setUint16(0, message.length);
  bytes.set(message, 2);
  return bytes;
}

async function receiveFrame(transport: Transport): Promise<Uint8Array | undefined> {
  const head = await receive(transport, 2, true);
  if (head === undefined) return undefined;
  return await receive(transport, new DataView(head.buffer).getUint16(0), false);
}

async function receive(
  transport: Transport,
  length: number,
  mayEnd: boolean,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length;) {
    const byteCount = await transport.read(bytes.subarray(offset));
    if (byteCount === null) {
      if (mayEnd && offset === 0) return undefined;
      throw new ConnectionClosedError("Ended in mid-message", { bytesReceived: offset });
    }
    offset += byteCount;
  }
  return bytes;
}

const DOCUMENTED = [
  ConnectionClosedError,
  TimeoutError,
  Deno.errors.ConnectionReset,
  Deno.errors.BrokenPipe,
];

/** One run: what came of it, and what was done to it. */
async function exchange(seed: number): Promise<{ outcome: string; log: string; count: number }> {
  const random = new SeededRandom(seed);
  const messages = Array.from({ length: 1 + random.int(6) }, () => random.bytes(random.int(400)));
  const echo = new Echo();
  const ends = memoryPipe({ highWaterMarkBytes: random.length(2_000) });
  const [client, server] = ends.map((end) =>
    faultTransport(end, {
      clock: echo.clock,
      ...randomFaults(random.int(2 ** 32), { maxBytes: 2_000 }),
    })
  ) as [FaultTransport, FaultTransport];
  const serving = echo.serve(server).catch(judge).finally(() => closeQuietly(server));
  const asking = echo.ask(client, messages).then((count) => ({ count, outcome: "all" }))
    .catch((error) => ({ count: -1, outcome: judge(error) }))
    .finally(() => closeQuietly(client));
  const [{ count, outcome }] = await echo.clock.runUntil(Promise.all([asking, serving]));
  await echo.clock.runUntilIdle();
  const isClean = ![...client.log, ...server.log].some(({ kind }) =>
    ["reset", "stall", "truncate", "lose", "half-close"].includes(kind)
  );
  // Nothing but an end may keep a message from coming back.
  assertEquals(
    isClean ? count : messages.length,
    messages.length,
    client.report() + server.report(),
  );
  return { outcome, log: `${client.report()}\n${server.report()}`, count };
}

function judge(error: unknown): string {
  if (DOCUMENTED.some((one) => error instanceof one)) return (error as Error).name;
  throw error;
}

Deno.test("A length-prefixed echo is whole or fails as documented, for 1000 seeds", async () => {
  const outcomes = new Map<string, number>();
  for (let seed = 0; seed < 1_000; seed++) {
    const { outcome } = await exchange(seed).catch((error) => {
      throw new Error(`Failed with seed ${seed}`, { cause: error });
    });
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // The seeds are worth something only if each thing that may happen does.
  const expected = [
    "all",
    "ConnectionClosedError",
    "TimeoutError",
    "ConnectionReset",
    "BrokenPipe",
  ];
  assertEquals(expected.filter((outcome) => (outcomes.get(outcome) ?? 0) < 10), []);
});

Deno.test("The same seed twice gives the same log", async () => {
  const logs = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const first = await exchange(seed);
    assertEquals(await exchange(seed), first);
    logs.add(first.log);
  }
  assert(logs.size > 45);
});
