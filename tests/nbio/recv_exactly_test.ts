import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { ReceiveBuffer } from "../../nbio/receive_buffer.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { cancelEverywhere } from "../_support/cancelling.ts";
import { ScriptedTransport } from "../_support/scripted_transport.ts";
import { socketPair } from "../_support/socket_pair.ts";

const BYTES = new Uint8Array([1, 2, 3, 4, 5, 6, 7]);

function bufferWith(bytes: Uint8Array, idleBytes = 1_024): ReceiveBuffer {
  const buffer = new ReceiveBuffer({ idleBytes });
  buffer.writable(bytes.length).set(bytes);
  buffer.commit(bytes.length);
  return buffer;
}

Deno.test("recvExactly() fills its array however the bytes come, and takes no more", async () => {
  for (const chunks of everySplit(BYTES)) {
    const reads = chunks.map((chunk) => chunk.length === 0 ? 0 : chunk);
    const transport = new ScriptedTransport({ reads });
    const p = new Uint8Array(5);
    assertEquals(await recvExactly(transport, p), true);
    assertEquals([...p], [1, 2, 3, 4, 5]);
    const rest = new Uint8Array(2);
    await recvExactly(transport, rest, { timeoutMs: 1_000 });
    assertEquals([...rest], [6, 7]);
    assertEquals(transport.closedCount, 0);
  }
});

Deno.test("recvExactly() through a buffer gives the same however the bytes come", async () => {
  for (const chunks of everySplit(BYTES)) {
    for (const idleBytes of [1, 2, 3, 1_024]) {
      const reads = chunks.map((chunk) => chunk.length === 0 ? 0 : chunk);
      const transport = new ScriptedTransport({ reads });
      const buffer = new ReceiveBuffer({ idleBytes });
      for (const [start, end] of [[0, 1], [1, 4], [4, 4], [4, 7]]) {
        const p = new Uint8Array(end! - start!);
        assertEquals(await recvExactly(transport, p, { buffer }), true);
        assertEquals(p, BYTES.slice(start, end));
      }
      assertEquals([buffer.length, transport.closedCount], [0, 0]);
    }
  }
});

Deno.test("recvExactly() reads nothing for an empty array", async () => {
  const transport = new ScriptedTransport({ reads: [BYTES] });
  assertEquals(await recvExactly(transport, new Uint8Array(0)), true);
  assertEquals(await recvExactly(transport, new Uint8Array(0), { timeoutMs: 1 }), true);
  assertEquals(transport.spaces.length, 0);
});

Deno.test("recvExactly() takes what waits in the buffer without a read", async () => {
  const transport = new ScriptedTransport();
  const buffer = bufferWith(BYTES);
  const p = new Uint8Array(5);
  assertEquals(await recvExactly(transport, p, { buffer }), true);
  assertEquals([[...p], [...buffer.view()]], [[1, 2, 3, 4, 5], [6, 7]]);
  assertEquals(transport.spaces.length, 0);
});

Deno.test("recvExactly() reads many small messages at once through its buffer", async () => {
  const transport = new ScriptedTransport({ reads: [new Uint8Array(1_000).fill(9)] });
  const buffer = new ReceiveBuffer();
  for (let count = 0; count < 100; count++) {
    await recvExactly(transport, new Uint8Array(10), { buffer });
  }
  assertEquals([transport.spaces.length, buffer.length], [1, 0]);
});

Deno.test("recvExactly() reads a large message where it belongs, beside its buffer", async () => {
  const message = new SeededRandom(3).bytes(100_000);
  const transport = new ScriptedTransport({ reads: [message.slice(7), BYTES] });
  const buffer = bufferWith(message.slice(0, 7));
  const p = new Uint8Array(message.length);
  await recvExactly(transport, p, { buffer });
  assertEquals(p, message);
  assert(transport.spaces[0]!.buffer === p.buffer);
  assertEquals([transport.spaces.length, buffer.length], [1, 0]);
});

for (
  const { reads, bytesReceived } of [
    { reads: [], bytesReceived: 0 },
    { reads: [BYTES.slice(0, 3)], bytesReceived: 3 },
    { reads: [BYTES.slice(0, 3), 0, BYTES.slice(0, 3)], bytesReceived: 6 },
  ]
) {
  for (const buffer of [undefined, new ReceiveBuffer()]) {
    const name = `after ${bytesReceived} of 7 bytes, ${buffer ? "buffered" : "unbuffered"}`;
    Deno.test(`recvExactly() rejects and closes at an end ${name}`, async () => {
      for (const bounds of [{}, { timeoutMs: 1_000 }]) {
        const transport = new ScriptedTransport({ reads });
        const options = { ...bounds, ...(buffer && { buffer }) };
        const error = await assertRejects(
          () => recvExactly(transport, new Uint8Array(7), options),
          ConnectionClosedError,
        );
        assertEquals(error.bytesReceived, bytesReceived);
        assert(transport.closedCount > 0);
      }
    });
  }
}

Deno.test("recvExactly() counts what came from the buffer when the stream ends", async () => {
  const transport = new ScriptedTransport({ reads: [BYTES.slice(0, 2)] });
  const error = await assertRejects(
    () => recvExactly(transport, new Uint8Array(16), { buffer: bufferWith(BYTES) }),
    ConnectionClosedError,
  );
  assertEquals([error.code, error.bytesReceived], ["ERR_NET_CONNECTION_CLOSED", 9]);
});

for (const bounds of [{}, { timeoutMs: 1_000 }]) {
  Deno.test(`recvExactly() with allowEnd tells two ends apart (${Object.keys(bounds)})`, async () => {
    const options = { ...bounds, allowEnd: true };
    const clean = new ScriptedTransport({ reads: [0] });
    assertEquals(await recvExactly(clean, new Uint8Array(7), options), false);
    assertEquals(clean.closedCount, 0);
    const cut = new ScriptedTransport({ reads: [BYTES.slice(0, 6)] });
    const received = recvExactly(cut, new Uint8Array(7), options);
    assertEquals((await assertRejects(() => received, ConnectionClosedError)).bytesReceived, 6);
    const buffered = new ScriptedTransport();
    await assertRejects(
      () => recvExactly(buffered, new Uint8Array(16), { ...options, buffer: bufferWith(BYTES) }),
      ConnectionClosedError,
    );
    assert(cut.closedCount > 0 && buffered.closedCount > 0);
  });
}

for (const claim of [8, -1, NaN, 0.5]) {
  Deno.test(`recvExactly() rejects and closes when a read claims ${claim} of 7 bytes`, async () => {
    const transport = new ScriptedTransport({ reads: [claim] });
    await assertRejects(() => recvExactly(transport, new Uint8Array(7)), TypeError);
    assertEquals(transport.closedCount, 1);
  });
}

Deno.test("recvExactly() does not spin on reads without a byte", async () => {
  const lawful = new ScriptedTransport({ reads: [...Array(15).fill(0), BYTES] });
  assertEquals(await recvExactly(lawful, new Uint8Array(7)), true);
  const endless = new ScriptedTransport({ reads: Array(1_000).fill(0) });
  await assertRejects(() => recvExactly(endless, new Uint8Array(7)), ConnectionClosedError);
  assertEquals([endless.spaces.length, endless.closedCount], [16, 1]);
});

Deno.test("recvExactly() closes and rethrows a failure in the middle", async () => {
  const failure = new Deno.errors.ConnectionReset("gone");
  const transport = new ScriptedTransport({ reads: [BYTES.slice(0, 3), failure] });
  const error = await assertRejects(() => recvExactly(transport, new Uint8Array(7)));
  assert(error === failure);
  assertEquals(transport.closedCount, 1);
});

Deno.test("recvExactly() bounds the whole, not each read", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [client, server] = memoryPipe();
  const received = recvExactly(server, new Uint8Array(100), { timeoutMs: 1_000, wheel });
  const failed = assertRejects(() => received, TimeoutError);
  for (let tenth = 0; tenth < 11; tenth++) {
    await client.write(new Uint8Array(1));
    clock.advance(100);
  }
  assertEquals((await failed).phase, "receive");
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

for (const options of [{ timeoutMs: NaN }, { deadlineMs: -1 }]) {
  Deno.test(`recvExactly() refuses ${Object.entries(options).flat().join(" ")}`, async () => {
    const transport = new ScriptedTransport({ reads: [BYTES] });
    await assertRejects(() => recvExactly(transport, new Uint8Array(7), options), RangeError);
    assertEquals(transport.spaces.length, 0);
  });
}

for (const isBuffered of [false, true]) {
  Deno.test(`recvExactly() can be cancelled at every place, ${isBuffered ? "" : "un"}buffered`, async () => {
    const count = await cancelEverywhere(async ({ bounds, watch }) => {
      const [client, server] = memoryPipe({ maxReadBytes: 3 });
      const sent = sendAll(client, BYTES).catch(() => {});
      const buffer = new ReceiveBuffer();
      const options = isBuffered ? { ...bounds, buffer } : bounds;
      const received = recvExactly(watch(server), new Uint8Array(7), options);
      await Promise.allSettled([received, sent]);
      await received;
    });
    assert(count > 20, `${count} places`);
  });
}

Deno.test("recvExactly() puts a large message together from a socket", async () => {
  const [client, server] = await socketPair();
  const message = new SeededRandom(6).bytes(4 << 20);
  const buffer = new ReceiveBuffer();
  const sent = sendAll(client, message).then(() => client.closeWrite());
  const received = new Uint8Array(message.length);
  let offset = 0;
  // From one byte to a third of the whole, mostly across the borders of reads.
  for (let length = 1; offset < received.length; length *= 3) {
    const part = received.subarray(offset, offset + length);
    assertEquals(await recvExactly(server, part, { buffer, timeoutMs: 10_000 }), true);
    offset += length;
  }
  assertEquals(await recvExactly(server, new Uint8Array(1), { buffer, allowEnd: true }), false);
  await sent;
  assert(received.every((byte, index) => byte === message[index]));
  client.close();
  server.close();
});

Deno.test("recvExactly() from a socket that ends in mid-message rejects", async () => {
  const [client, server] = await socketPair();
  await client.write(BYTES);
  client.close();
  const error = await assertRejects(
    () => recvExactly(server, new Uint8Array(8), { timeoutMs: 10_000 }),
    ConnectionClosedError,
  );
  assertEquals(error.bytesReceived, 7);
  await assertRejects(() => server.read(new Uint8Array(1)), Deno.errors.BadResource);
});
