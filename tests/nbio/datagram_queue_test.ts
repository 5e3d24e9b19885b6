import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { DatagramQueue, type DatagramQueueOptions } from "../../nbio/datagram_queue.ts";
import type { Datagram } from "../../nbio/datagram_socket.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

const FROM: Deno.NetAddr = { transport: "udp", hostname: "192.0.2.1", port: 9 };

function datagram(first: number, length = 1): Datagram {
  const bytes = new Uint8Array(length);
  bytes[0] = first;
  return { bytes, from: FROM };
}

async function firsts(queue: DatagramQueue): Promise<number[]> {
  const result: number[] = [];
  while (queue.length > 0) result.push((await queue.receive()).bytes[0] ?? -1);
  return result;
}

Deno.test("DatagramQueue.receive() gives what waits, oldest first", async () => {
  const queue = new DatagramQueue();
  for (const first of [1, 2, 3]) queue.push(datagram(first));
  assertEquals([queue.length, queue.queuedBytes], [3, 3]);
  assertEquals(await firsts(queue), [1, 2, 3]);
  assertEquals([queue.queuedBytes, queue.receivedCount, queue.droppedCount], [0, 3, 0]);
});

Deno.test("DatagramQueue.receive() waits, in the order of the calls", async () => {
  const queue = new DatagramQueue();
  const waiting = [queue.receive(), queue.receive()];
  const first = datagram(1);
  queue.push(first);
  queue.push(datagram(2));
  queue.push(datagram(3));
  assertStrictEquals(await waiting[0], first);
  assertEquals((await waiting[1]!).bytes[0], 2);
  assertEquals([queue.length, queue.receivedCount], [1, 2]);
});

const BOUNDS: { name: string; options: DatagramQueueOptions; sizes: number[]; kept: number[] }[] = [
  {
    name: "the count reached",
    options: { maxQueuedCount: 2 },
    sizes: [1, 1, 1, 1],
    kept: [0, 1],
  },
  { name: "bytes at the bound", options: { maxQueuedBytes: 10 }, sizes: [4, 6], kept: [0, 1] },
  { name: "bytes over it", options: { maxQueuedBytes: 10 }, sizes: [4, 7, 6], kept: [0, 2] },
  { name: "one larger than the bound", options: { maxQueuedBytes: 3 }, sizes: [4], kept: [] },
  {
    name: "empty ones, which count",
    options: { maxQueuedCount: 3, maxQueuedBytes: 1 },
    sizes: [0, 0, 0, 0],
    kept: [-1, -1, -1],
  },
  {
    name: "no bounds",
    options: { maxQueuedCount: 0, maxQueuedBytes: Infinity },
    sizes: new Array(2_000).fill(1_000),
    kept: Array.from({ length: 2_000 }, (_, index) => index & 0xff),
  },
];

for (const { name, options, sizes, kept } of BOUNDS) {
  Deno.test(`DatagramQueue.push() drops the newest: ${name}`, async () => {
    const queue = new DatagramQueue(options);
    sizes.forEach((size, index) => queue.push(datagram(index, size)));
    assertEquals(queue.droppedCount, sizes.length - kept.length);
    assertEquals(await firsts(queue), kept);
    // What has been received makes room.
    queue.push(datagram(7, Math.min(1, sizes[0]!)));
    assertEquals(queue.length, 1);
  });
}

Deno.test("DatagramQueue has the documented bounds by default", () => {
  const byCount = new DatagramQueue();
  for (let index = 0; index < 1_025; index++) byCount.push(datagram(0));
  assertEquals([byCount.length, byCount.droppedCount], [1_024, 1]);
  const byBytes = new DatagramQueue();
  for (let index = 0; index < 17; index++) byBytes.push(datagram(0, 65_536));
  assertEquals([byBytes.queuedBytes, byBytes.droppedCount], [1_048_576, 1]);
});

Deno.test("DatagramQueue.push() gives a waiting receive what would be too large to wait", async () => {
  const queue = new DatagramQueue({ maxQueuedBytes: 3 });
  const waiting = queue.receive();
  queue.push(datagram(1, 100));
  assertEquals((await waiting).bytes.length, 100);
});

Deno.test("DatagramQueue.receive() that is cancelled takes nothing with it", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const queue = new DatagramQueue();
  const controller = new AbortController();
  const aborted = queue.receive({ signal: controller.signal });
  const late = queue.receive({ timeoutMs: 1_000, wheel });
  const patient = queue.receive();
  const reason = new Error("enough");
  controller.abort(reason);
  clock.advance(1_200);
  queue.push(datagram(1));
  assertStrictEquals(await assertRejects(() => aborted), reason);
  assertEquals((await assertRejects(() => late, TimeoutError)).phase, "receive");
  assertEquals((await patient).bytes[0], 1);
  assertEquals([wheel.armedCount, clock.pendingCount, queue.receivedCount], [0, 0, 1]);
});

Deno.test("DatagramQueue.receive() that got a datagram cannot be cancelled any more", async () => {
  const queue = new DatagramQueue();
  const controller = new AbortController();
  const waiting = queue.receive({ signal: controller.signal });
  queue.push(datagram(1));
  controller.abort();
  assertEquals((await waiting).bytes[0], 1);
});

Deno.test("DatagramQueue.receive() without time left leaves what waits to the next", async () => {
  const queue = new DatagramQueue();
  queue.push(datagram(1));
  const signal = AbortSignal.abort(new Error("too late"));
  assertStrictEquals(await assertRejects(() => queue.receive({ signal })), signal.reason);
  const wheel = new DeadlineWheel(new ManualClock());
  await assertRejects(() => queue.receive({ deadlineMs: 0, wheel }), TimeoutError);
  await assertRejects(() => queue.receive({ timeoutMs: -1 }), RangeError);
  assertEquals(await firsts(queue), [1]);
});

Deno.test("DatagramQueue.receive() refuses to wait behind too many", async () => {
  const queue = new DatagramQueue({ maxWaiters: 2 });
  const waiting = [queue.receive(), queue.receive()];
  const error = await assertRejects(() => queue.receive(), LimitExceededError);
  assertEquals([error.limit, error.max], ["maxWaiters", 2]);
  queue.push(datagram(1));
  queue.push(datagram(2));
  assertEquals((await Promise.all(waiting)).length, 2);
});

Deno.test("DatagramQueue.close() rejects what waits and forgets the rest", async () => {
  const queue = new DatagramQueue();
  const waiting = [queue.receive(), queue.receive({ signal: new AbortController().signal })];
  const cause = new Error("cable");
  queue.close(cause);
  queue.close(new Error("second"));
  for (const receive of waiting) {
    assertStrictEquals((await assertRejects(() => receive, ConnectionClosedError)).cause, cause);
  }
  queue.push(datagram(1));
  assertEquals([queue.length, queue.droppedCount], [0, 0]);
  const error = await assertRejects(() => queue.receive(), ConnectionClosedError);
  assertStrictEquals(error.cause, cause);
});

Deno.test("DatagramQueue.close() forgets what was not received", async () => {
  const queue = new DatagramQueue();
  queue.push(datagram(1));
  queue.close();
  assertEquals([queue.length, queue.queuedBytes], [0, 0]);
  assert(!("cause" in await assertRejects(() => queue.receive(), ConnectionClosedError)));
});

for (const option of ["maxQueuedCount", "maxQueuedBytes", "maxWaiters"] as const) {
  for (const value of [-1, 1.5, NaN]) {
    Deno.test(`DatagramQueue() throws on ${option} ${value}`, () => {
      assertThrows(() => new DatagramQueue({ [option]: value }), RangeError);
    });
  }
}

Deno.test("DatagramQueue gives every datagram to one receive or counts it as dropped", async () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = new SeededRandom(seed);
    const queue = new DatagramQueue({ maxQueuedCount: 1 + random.int(8) });
    const received: number[] = [];
    const receives: Promise<void>[] = [];
    let pushed = 0;
    for (let step = 0; step < 60; step++) {
      const choice = random.int(4);
      const controller = new AbortController();
      if (choice < 2) queue.push(datagram(pushed++));
      else {
        receives.push(
          queue.receive({ signal: controller.signal }).then(
            ({ bytes }) => void received.push(bytes[0]!),
            () => {},
          ),
        );
      }
      if (choice === 3) controller.abort();
      if (random.int(3) === 0) await Promise.resolve();
    }
    received.push(...await firsts(queue));
    queue.close();
    await Promise.all(receives);
    assertEquals(received.length + queue.droppedCount, pushed, `seed ${seed}`);
    assertEquals(received, received.toSorted((a, b) => a - b), `seed ${seed}`);
  }
});
