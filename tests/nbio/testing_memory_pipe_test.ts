import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { isSettled } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import { sendAll } from "../../nbio/send_all.ts";

async function readAll(transport: Transport, sizeBytes: () => number): Promise<number[]> {
  const received: number[] = [];
  for (;;) {
    const buffer = new Uint8Array(sizeBytes());
    const byteCount = await transport.read(buffer);
    if (byteCount === null) return received;
    received.push(...buffer.subarray(0, byteCount));
  }
}

Deno.test("memoryPipe() carries both directions whatever the sizes", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = new SeededRandom(seed);
    const ends = memoryPipe({
      highWaterMarkBytes: 1 + random.int(100),
      maxReadBytes: 1 + random.int(50),
    });
    const [up, down] = [random.bytes(500), random.bytes(700)];
    const [, , upReceived, downReceived] = await Promise.all([
      sendAll(ends[0], up).then(() => ends[0].closeWrite()),
      sendAll(ends[1], down).then(() => ends[1].closeWrite()),
      readAll(ends[1], () => 1 + random.int(60)),
      readAll(ends[0], () => 1 + random.int(60)),
    ]);
    assertEquals([upReceived, downReceived], [[...up], [...down]]);
  }
});

Deno.test("memoryPipe() takes what there is room for, then makes the writer wait", async () => {
  const [client, server] = memoryPipe({ highWaterMarkBytes: 4 });
  assertEquals(await client.write(new Uint8Array([1, 2, 3, 4, 5, 6])), 4);
  const waiting = client.write(new Uint8Array([5, 6]));
  assertEquals(await isSettled(waiting), false);
  assertEquals(await server.read(new Uint8Array(1)), 1);
  assertEquals(await waiting, 1);
});

Deno.test("memoryPipe() copies what is written", async () => {
  const [client, server] = memoryPipe();
  const bytes = new Uint8Array([1, 2, 3]);
  await client.write(bytes);
  bytes.fill(9);
  const buffer = new Uint8Array(3);
  await server.read(buffer);
  assertEquals([...buffer], [1, 2, 3]);
});

Deno.test("memoryPipe() gives at most maxReadBytes per read", async () => {
  const [client, server] = memoryPipe({ maxReadBytes: 2 });
  await client.write(new Uint8Array(5));
  const sizes = [];
  for (let i = 0; i < 3; i++) sizes.push(await server.read(new Uint8Array(16)));
  assertEquals(sizes, [2, 2, 1]);
});

Deno.test("memoryPipe() wakes a reader that waits", async () => {
  const [client, server] = memoryPipe();
  const buffer = new Uint8Array(4);
  const read = server.read(buffer);
  assertEquals(await isSettled(read), false);
  await client.write(new Uint8Array([7, 8]));
  assertEquals([await read, [...buffer]], [2, [7, 8, 0, 0]]);
});

Deno.test("memoryPipe() settles empty reads and writes at once", async () => {
  const [client] = memoryPipe();
  assertEquals(await client.read(new Uint8Array(0)), 0);
  assertEquals(await client.write(new Uint8Array(0)), 0);
});

Deno.test("memoryPipe() ends a reader that waits, by closeWrite and by close", async () => {
  for (const end of [(t: Transport) => t.closeWrite(), (t: Transport) => t.close()]) {
    const [client, server] = memoryPipe();
    const read = server.read(new Uint8Array(1));
    await end(client);
    assertEquals(await read, null);
  }
});

Deno.test("memoryPipe() gives what was written before a close, then the end", async () => {
  const [client, server] = memoryPipe();
  await client.write(new Uint8Array([1]));
  client.close();
  assertEquals(await server.read(new Uint8Array(4)), 1);
  assertEquals(await server.read(new Uint8Array(4)), null);
  await assertRejects(() => server.write(new Uint8Array(1)), Deno.errors.BrokenPipe);
  await server.closeWrite();
});

Deno.test("memoryPipe() refuses writes after closeWrite, and reads on", async () => {
  const [client, server] = memoryPipe();
  await client.closeWrite();
  await client.closeWrite();
  await assertRejects(() => client.write(new Uint8Array(1)), Deno.errors.BrokenPipe);
  await server.write(new Uint8Array([1]));
  assertEquals(await client.read(new Uint8Array(4)), 1);
});

Deno.test("memoryPipe() rejects a write that waits at its own closeWrite", async () => {
  const [client, server] = memoryPipe({ highWaterMarkBytes: 1 });
  await client.write(new Uint8Array(1));
  const waiting = client.write(new Uint8Array(1));
  await client.closeWrite();
  await assertRejects(() => waiting, Deno.errors.BrokenPipe);
  assertEquals(await server.read(new Uint8Array(4)), 1);
  assertEquals(await server.read(new Uint8Array(4)), null);
});

for (const how of ["close", "reset"] as const) {
  Deno.test(`memoryPipe() rejects everything that waits at a ${how}`, async () => {
    const [client, server] = memoryPipe({ highWaterMarkBytes: 1 });
    await client.write(new Uint8Array(1));
    const operations = [
      client.read(new Uint8Array(1)),
      client.write(new Uint8Array(1)),
    ];
    client[how]();
    for (const operation of operations) {
      await assertRejects(() => operation, Deno.errors.Interrupted);
    }
    for (
      const operation of [
        () => client.read(new Uint8Array(1)),
        () => client.write(new Uint8Array(1)),
        () => client.closeWrite(),
      ]
    ) await assertRejects(operation, Deno.errors.BadResource);
    assertThrows(() => client.close(), Deno.errors.BadResource);
    client.reset();
    server.close();
  });
}

Deno.test("memoryPipe() rejects a writer that waits when the peer closes", async () => {
  const [client, server] = memoryPipe({ highWaterMarkBytes: 1 });
  await client.write(new Uint8Array(1));
  const waiting = client.write(new Uint8Array(1));
  server.close();
  await assertRejects(() => waiting, Deno.errors.BrokenPipe);
});

Deno.test("MemoryTransport.reset() lets the peer see a reset, wherever it waits", async () => {
  const [client, server] = memoryPipe({ highWaterMarkBytes: 1 });
  await server.write(new Uint8Array(1));
  const operations = [server.read(new Uint8Array(1)), server.write(new Uint8Array(1))];
  client.reset();
  for (const operation of operations) {
    await assertRejects(() => operation, Deno.errors.ConnectionReset);
  }
  for (let again = 0; again < 2; again++) {
    await assertRejects(() => server.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
    await assertRejects(() => server.write(new Uint8Array(1)), Deno.errors.ConnectionReset);
    await assertRejects(() => server.closeWrite(), Deno.errors.NotConnected);
  }
  server.close();
});

for (const discard of [false, true]) {
  const what = discard ? "loses" : "keeps";
  Deno.test(`MemoryTransport.reset() with discard ${discard} ${what} bytes on their way`, async () => {
    const [client, server] = memoryPipe();
    await client.write(new Uint8Array(3));
    client.reset({ discard });
    if (!discard) assertEquals(await server.read(new Uint8Array(8)), 3);
    await assertRejects(() => server.read(new Uint8Array(8)), Deno.errors.ConnectionReset);
  });
}

Deno.test("MemoryTransport.reset() does not undo an end that has been read", async () => {
  const [client, server] = memoryPipe();
  await client.closeWrite();
  assertEquals(await server.read(new Uint8Array(8)), null);
  client.reset();
  assertEquals(await server.read(new Uint8Array(8)), null);
  await assertRejects(() => server.write(new Uint8Array(1)), Deno.errors.ConnectionReset);
});

Deno.test("MemoryTransport.reset() that loses bytes before an end loses the end", async () => {
  const [client, server] = memoryPipe();
  await client.write(new Uint8Array(3));
  await client.closeWrite();
  client.reset({ discard: true });
  await assertRejects(() => server.read(new Uint8Array(8)), Deno.errors.ConnectionReset);
});

Deno.test("MemoryTransport.reset() after a close does nothing", async () => {
  const [client, server] = memoryPipe();
  await client.write(new Uint8Array(3));
  client.close();
  client.reset();
  assertEquals(await server.read(new Uint8Array(8)), 3);
  assertEquals(await server.read(new Uint8Array(8)), null);
});

Deno.test("memoryPipe() refuses a second read or write while one waits", async () => {
  const [client] = memoryPipe({ highWaterMarkBytes: 1 });
  await client.write(new Uint8Array(1));
  const operations = [client.read(new Uint8Array(1)), client.write(new Uint8Array(1))];
  await assertRejects(() => client.read(new Uint8Array(1)), TypeError);
  await assertRejects(() => client.write(new Uint8Array(1)), TypeError);
  client.close();
  for (const operation of operations) {
    await assertRejects(() => operation, Deno.errors.Interrupted);
  }
});

Deno.test("memoryPipe() gives the ends each other's addresses", () => {
  const [client, server] = memoryPipe({ serverAddr: { transport: "unix", path: "/tmp/s" } });
  assert(client.remoteAddr === server.localAddr);
  assert(server.remoteAddr === client.localAddr);
  assertEquals(client.remoteAddr, { transport: "unix", path: "/tmp/s" });
});

for (
  const options of [
    { highWaterMarkBytes: 0 },
    { highWaterMarkBytes: NaN },
    { maxReadBytes: 0 },
    { maxReadBytes: 1.5 },
    { maxReadBytes: NaN },
  ]
) {
  Deno.test(`memoryPipe() throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => memoryPipe(options), RangeError);
  });
}

/** Two ends of a real connection, for what both kinds must have in common. */
async function socketPair(): Promise<[Transport, Transport]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const connecting = Deno.connect({ hostname: "127.0.0.1", port });
  return [await connecting, await listener.accept()];
}

const KINDS = [
  { kind: "memory pipe", connect: () => Promise.resolve(memoryPipe()) },
  { kind: "socket", connect: socketPair },
];

for (const { kind, connect } of KINDS) {
  Deno.test(`A ${kind} fails with the classes of the system`, async () => {
    const [client, server] = await connect();
    await client.closeWrite();
    await client.closeWrite();
    await assertRejects(() => client.write(new Uint8Array(1)), Deno.errors.BrokenPipe);
    assertEquals(await server.read(new Uint8Array(1)), null);
    const waiting = client.read(new Uint8Array(1));
    const interrupted = assertRejects(() => waiting, Deno.errors.Interrupted);
    client.close();
    await interrupted;
    await assertRejects(() => client.read(new Uint8Array(1)), Deno.errors.BadResource);
    await assertRejects(() => client.write(new Uint8Array(1)), Deno.errors.BadResource);
    await assertRejects(() => client.closeWrite(), Deno.errors.BadResource);
    assertThrows(() => client.close(), Deno.errors.BadResource);
    // A socket learns only from an answer to its first write that nobody reads.
    await assertRejects(async () => {
      for (let i = 0; i < 1_000; i++) await server.write(new Uint8Array(100_000));
    }, Deno.errors.BrokenPipe);
    await server.closeWrite();
    server.close();
  });
}
