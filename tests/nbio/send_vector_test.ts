import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import type { SendStatus } from "../../nbio/send_all.ts";
import { sendVector } from "../../nbio/send_vector.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import type { Transport } from "../../nbio/transport.ts";
import { cancelEverywhere } from "../_support/cancelling.ts";
import { ScriptedTransport } from "../_support/scripted_transport.ts";
import { resettablePair, socketPair } from "../_support/socket_pair.ts";

/** Chunks of these lengths, whose bytes go on counting from one to the next. */
function chunksOf(...lengths: number[]): Uint8Array[] {
  let next = 0;
  return lengths.map((length) => Uint8Array.from({ length }, () => next++));
}

async function readAll(transport: Transport): Promise<number[]> {
  const bytes: number[] = [];
  for (const p = new Uint8Array(65_536);;) {
    const byteCount = await transport.read(p);
    if (byteCount === null) return bytes;
    for (const byte of p.subarray(0, byteCount)) bytes.push(byte);
  }
}

const SIZES = { bufferBytes: 10, maxCopyBytes: 4 };

for (
  const { name, lengths, writes } of [
    { name: "nothing", lengths: [], writes: [] },
    { name: "empty chunks", lengths: [0, 0], writes: [] },
    { name: "one small chunk", lengths: [4], writes: [4] },
    { name: "one large chunk", lengths: [5], writes: [5] },
    { name: "a run of small chunks", lengths: [1, 2, 0, 3, 4], writes: [10] },
    { name: "a longer run", lengths: [3, 3, 3, 3, 1, 4, 4], writes: [9, 8, 4] },
    { name: "large between small", lengths: [1, 1, 50, 1, 1, 1], writes: [2, 50, 3] },
    { name: "large chunks only", lengths: [50, 5, 7], writes: [50, 5, 7] },
    { name: "empty between large", lengths: [0, 50, 0, 50, 0], writes: [50, 50] },
  ]
) {
  for (const isArray of [true, false]) {
    Deno.test(`sendVector() of ${name} (${isArray ? "array" : "iterable"})`, async () => {
      const transport = new ScriptedTransport();
      const chunks = chunksOf(...lengths);
      await sendVector(transport, isArray ? chunks : chunks.values(), SIZES);
      assertEquals(transport.written.map(({ length }) => length), writes);
      for (const large of transport.written.filter(({ length }) => length > 10)) {
        assert(chunks.includes(large), "A large chunk was copied");
      }
      assertEquals(transport.closedCount, 0);
    });
  }
}

Deno.test("sendVector() by default copies chunks of up to 8 KiB into 64 KiB", async () => {
  const transport = new ScriptedTransport();
  const lengths = [...Array(9).fill(8_192), 8_193, 1];
  await sendVector(transport, lengths.map((length) => new Uint8Array(length)));
  assertEquals(transport.written.map(({ length }) => length), [65_536, 8_192, 8_193, 1]);
  const small = new ScriptedTransport();
  await sendVector(small, [new Uint8Array(100), new Uint8Array(101)], { bufferBytes: 100 });
  assertEquals(small.written.map(({ length }) => length), [100, 101]);
});

Deno.test("sendVector() takes memory for a few bytes if there are but a few", async () => {
  const transport = new ScriptedTransport();
  await sendVector(transport, chunksOf(3, 4));
  assertEquals(transport.written[0]!.buffer.byteLength, 7);
});

Deno.test("sendVector() sends what an array has gained meanwhile, and no piece twice", async () => {
  const [near, far] = memoryPipe({ highWaterMarkBytes: 4 });
  const chunks = chunksOf(1, 9);
  const sent = sendVector(near, chunks, { bufferBytes: 100, maxCopyBytes: 8 });
  const p = new Uint8Array(2);
  assertEquals(await far.read(p), 1);
  // Nine bytes did for what there was in the beginning.
  chunks.push(...chunksOf(8, 8, 8));
  const received = readAll(far);
  await sent;
  near.close();
  assertEquals(await received, chunks.slice(1).flatMap((chunk) => [...chunk]));
});

Deno.test("sendVector() with maxCopyBytes 0 writes every chunk as it is", async () => {
  const transport = new ScriptedTransport();
  const chunks = chunksOf(1, 2, 3);
  await sendVector(transport, chunks, { maxCopyBytes: 0 });
  assert(transport.written.every((bytes, index) => bytes === chunks[index]));
});

Deno.test("sendVector() lets a generator use one array again and again", async () => {
  const [client, server] = memoryPipe({ highWaterMarkBytes: 3 });
  const received = readAll(server);
  function* chunks(): Generator<Uint8Array> {
    const scratch = new Uint8Array(9);
    for (let round = 0; round < 20; round++) yield scratch.fill(round).subarray(0, 1 + round % 9);
  }
  const wanted = [...chunks()].length;
  await sendVector(client, chunks(), SIZES);
  await client.closeWrite();
  assertEquals(
    await received,
    Array.from({ length: wanted }, (_, round) => Array(1 + round % 9).fill(round)).flat(),
  );
});

Deno.test("sendVector() asks for no more than it can hold while the peer does not read", async () => {
  const [client] = memoryPipe({ highWaterMarkBytes: 8 });
  let askedCount = 0;
  let isReturned = false;
  function* endless(): Generator<Uint8Array> {
    try {
      for (;;) {
        askedCount++;
        yield new Uint8Array(1);
      }
    } finally {
      isReturned = true;
    }
  }
  const sent = sendVector(client, endless(), SIZES);
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  assert(askedCount <= 8 + 10 + 3, `${askedCount} chunks`);
  client.close();
  await assertRejects(() => sent, Deno.errors.Interrupted);
  assert(isReturned);
});

for (
  const options of [
    { bufferBytes: 0 },
    { bufferBytes: 1.5 },
    { bufferBytes: 2 ** 30 + 1 },
    { maxCopyBytes: -1 },
    { maxCopyBytes: NaN },
    { bufferBytes: 10, maxCopyBytes: 11 },
    { timeoutMs: -1 },
    { deadlineMs: NaN },
  ]
) {
  Deno.test(`sendVector() refuses ${Object.entries(options).flat().join(" ")}`, async () => {
    const transport = new ScriptedTransport();
    await assertRejects(() => sendVector(transport, chunksOf(1), options), RangeError);
    assertEquals(transport.written.length, 0);
  });
}

Deno.test("sendVector() closes and rethrows what the chunks throw, and tells what left", async () => {
  const failure = new Error("no more");
  function* chunks(): Generator<Uint8Array> {
    yield* chunksOf(20, 3);
    throw failure;
  }
  for (const bounds of [{}, { timeoutMs: 1_000 }]) {
    const transport = new ScriptedTransport();
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const error = await assertRejects(
      () => sendVector(transport, chunks(), { ...SIZES, ...bounds, status }),
    );
    assert(error === failure && transport.closedCount > 0);
    assertEquals(status, { sentBytes: 20, mayHaveSent: true });
  }
});

Deno.test("sendVector() says that nothing has left if copying is all that happened", async () => {
  function* chunks(): Generator<Uint8Array> {
    yield* chunksOf(3);
    throw new Error("no more");
  }
  const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
  await sendVector(new ScriptedTransport(), chunks(), { status }).catch(() => {});
  assertEquals(status, { sentBytes: 0, mayHaveSent: false });
});

for (
  const { writes, error } of [
    { writes: [0, 0], error: ConnectionClosedError },
    { writes: [3, 11], error: TypeError },
    { writes: [10, new Deno.errors.BrokenPipe("gone")], error: Deno.errors.BrokenPipe },
  ]
) {
  Deno.test(`sendVector() rejects and closes with ${error.name} of a write`, async () => {
    const transport = new ScriptedTransport({ writes });
    await assertRejects(() => sendVector(transport, chunksOf(4, 4, 2, 4), SIZES), error);
    assertEquals([transport.written.length, transport.closedCount > 0], [2, true]);
  });
}

Deno.test("sendVector() keeps order and counts however writes are cut, 500 seeds", async () => {
  for (let seed = 0; seed < 500; seed++) {
    const random = new SeededRandom(seed);
    const bufferBytes = 1 + random.int(60);
    const options = { bufferBytes, maxCopyBytes: random.int(bufferBytes + 1) };
    const chunks = Array.from({ length: random.int(30) }, () => random.bytes(random.int(80)));
    const [client, server] = memoryPipe({ highWaterMarkBytes: 1 + random.int(100) });
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const received = readAll(server);
    await sendVector(client, random.pick([chunks, new Set(chunks)]), { ...options, status });
    await client.closeWrite();
    const wanted = chunks.flatMap((chunk) => [...chunk]);
    assertEquals(await received, wanted, `seed ${seed}`);
    assertEquals(status, { sentBytes: wanted.length, mayHaveSent: wanted.length > 0 });
  }
});

Deno.test("sendVector() bounds the whole, not each write", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [client, server] = memoryPipe({ highWaterMarkBytes: 4 });
  const sent = sendVector(client, chunksOf(...Array(100).fill(5)), { timeoutMs: 1_000, wheel });
  const failed = assertRejects(() => sent, TimeoutError);
  for (let tenth = 0; tenth < 11; tenth++) {
    await server.read(new Uint8Array(4));
    clock.advance(100);
  }
  assertEquals((await failed).phase, "send");
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("sendVector() can be cancelled at every place", async () => {
  const count = await cancelEverywhere(async ({ bounds, watch }) => {
    const [client, server] = memoryPipe({ highWaterMarkBytes: 7, maxReadBytes: 5 });
    const received = readAll(server);
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const chunks = chunksOf(3, 3, 20, 1, 8);
    try {
      await sendVector(watch(client), chunks, { ...SIZES, ...bounds, status });
      await client.closeWrite();
    } finally {
      const bytes = await received;
      assertEquals(bytes.length, status.sentBytes);
      assertEquals(bytes, chunks.flatMap((chunk) => [...chunk]).slice(0, bytes.length));
    }
  });
  assert(count > 50, `${count} places`);
});

Deno.test("sendVector() moves many chunks through a socket", async () => {
  const [client, server] = await socketPair();
  const random = new SeededRandom(8);
  const chunks = Array.from({ length: 500 }, () => random.bytes(random.pick([3, 700, 20_000])));
  const received = readAll(server);
  await sendVector(client, chunks, { timeoutMs: 10_000 });
  await client.closeWrite();
  const bytes = Uint8Array.from(await received);
  const wanted = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  assert(bytes.length === wanted.length && bytes.every((byte, index) => byte === wanted[index]));
  client.close();
  server.close();
});

Deno.test("sendVector() rejects when the peer resets", async () => {
  const [peer, client] = await resettablePair();
  let isReset = false;
  function* chunks(): Generator<Uint8Array> {
    for (let count = 0; count < 100_000; count++) {
      if (count === 100) isReset = peer.resetAndDestroy() === peer;
      yield new Uint8Array(1_000);
    }
  }
  const error = await assertRejects(() => sendVector(client, chunks()));
  assert(isReset && error instanceof Error && error.constructor.name in Deno.errors);
  await assertRejects(() => client.read(new Uint8Array(1)), Deno.errors.BadResource);
});
