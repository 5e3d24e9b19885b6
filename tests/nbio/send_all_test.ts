import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { sendAll, type SendStatus } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import type { Transport } from "../../nbio/transport.ts";
import { cancelEverywhere } from "../_support/cancelling.ts";
import { eventually } from "../_support/peer.ts";
import { ScriptedTransport } from "../_support/scripted_transport.ts";
import { resettablePair, socketPair } from "../_support/socket_pair.ts";

const BYTES = new Uint8Array([1, 2, 3, 4, 5]);

Deno.test("sendAll() hands the caller's array to one write when that takes all", async () => {
  const transport = new ScriptedTransport();
  await sendAll(transport, BYTES);
  assertEquals(transport.written.length, 1);
  assert(transport.written[0] === BYTES);
  assertEquals(transport.closedCount, 0);
});

Deno.test("sendAll() costs three microtasks at most when the first write takes all", async () => {
  // One for the write's promise, one for ours, one for whoever awaits it.
  const transport = new ScriptedTransport();
  let microtaskCount = 0;
  let done = false;
  const count = (): void => {
    if (done) return;
    microtaskCount++;
    queueMicrotask(count);
  };
  const sent = sendAll(transport, BYTES).then(() => done = true);
  queueMicrotask(count);
  await sent;
  assert(microtaskCount <= 3, `${microtaskCount} microtasks`);
});

Deno.test("sendAll() goes on after short writes", async () => {
  const transport = new ScriptedTransport({ writes: [2, 0, 1, 0, 1] });
  await sendAll(transport, BYTES);
  assertEquals(transport.written.map((bytes) => [...bytes]), [
    [1, 2, 3, 4, 5],
    [3, 4, 5],
    [3, 4, 5],
    [4, 5],
    [4, 5],
    [5],
  ]);
  assertEquals(transport.closedCount, 0);
});

Deno.test("sendAll() writes nothing when there is nothing", async () => {
  const transport = new ScriptedTransport();
  await sendAll(transport, new Uint8Array(0));
  assertEquals([transport.written.length, transport.closedCount], [0, 0]);
});

for (const results of [[0, 0], [3, 0, 0]]) {
  Deno.test(`sendAll() rejects and closes when writes take ${results.join(", ")}`, async () => {
    const transport = new ScriptedTransport({ writes: results });
    const error = await assertRejects(() => sendAll(transport, BYTES), ConnectionClosedError);
    assertEquals(error.code, "ERR_NET_CONNECTION_CLOSED");
    assertEquals([transport.written.length, transport.closedCount], [results.length, 1]);
  });
}

for (const result of [6, -1, NaN, 0.5]) {
  Deno.test(`sendAll() rejects and closes when a write claims ${result} of 5 bytes`, async () => {
    const transport = new ScriptedTransport({ writes: [result] });
    await assertRejects(() => sendAll(transport, BYTES), TypeError);
    assertEquals(transport.closedCount, 1);
  });
}

for (const before of [[], [2]]) {
  Deno.test(`sendAll() closes and rethrows a failure after ${before.length} writes`, async () => {
    const failure = new Deno.errors.ConnectionReset("gone");
    const transport = new ScriptedTransport({ writes: [...before, failure] });
    const error = await assertRejects(() => sendAll(transport, BYTES), Deno.errors.ConnectionReset);
    assert(error === failure);
    assertEquals(transport.closedCount, 1);
  });
}

Deno.test("sendAll() rejects when the transport is closed while it waits", async () => {
  const [client] = memoryPipe({ highWaterMarkBytes: 2 });
  const sent = sendAll(client, BYTES);
  await Promise.resolve();
  client.close();
  await assertRejects(() => sent, Deno.errors.Interrupted);
});

Deno.test("sendAll() rejects when a write throws instead of rejecting", async () => {
  const transport = new ScriptedTransport();
  transport.write = () => {
    throw new Deno.errors.BrokenPipe("gone");
  };
  await assertRejects(() => sendAll(transport, BYTES), Deno.errors.BrokenPipe);
  assertEquals(transport.closedCount, 1);
});

function newStatus(): SendStatus {
  return { sentBytes: 0, mayHaveSent: false };
}

for (
  const { name, results, status } of [
    { name: "one whole write", results: [], status: { sentBytes: 5, mayHaveSent: true } },
    { name: "short writes", results: [1, 0, 2], status: { sentBytes: 5, mayHaveSent: true } },
    {
      name: "a failure at once",
      results: [new Deno.errors.BrokenPipe("gone")],
      status: { sentBytes: 0, mayHaveSent: true },
    },
    {
      name: "a failure after 3 bytes",
      results: [3, new Deno.errors.BrokenPipe("gone")],
      status: { sentBytes: 3, mayHaveSent: true },
    },
    { name: "a lie", results: [3, 3], status: { sentBytes: 3, mayHaveSent: true } },
    { name: "a bigger lie", results: [6], status: { sentBytes: 0, mayHaveSent: true } },
  ]
) {
  Deno.test(`sendAll() keeps account of ${name}`, async () => {
    const account = newStatus();
    await sendAll(new ScriptedTransport({ writes: results }), BYTES, { status: account }).catch(
      () => {},
    );
    assertEquals(account, status);
  });
}

Deno.test("sendAll() says that nothing has left if nothing was written", async () => {
  const status = newStatus();
  await sendAll(new ScriptedTransport(), new Uint8Array(0), { status });
  assertEquals(status, newStatus());
  const signal = AbortSignal.abort("no");
  const transport = new ScriptedTransport();
  await sendAll(transport, BYTES, { status, signal }).catch(() => {});
  await sendAll(transport, BYTES, { status, deadlineMs: 0 }).catch(() => {});
  assertEquals([transport.written.length, status], [0, newStatus()]);
});

Deno.test("sendAll() adds to the account it is given", async () => {
  const status = newStatus();
  const transport = new ScriptedTransport();
  await sendAll(transport, BYTES, { status });
  await sendAll(transport, new Uint8Array(0), { status });
  await sendAll(transport, BYTES, { status, timeoutMs: 1_000 });
  assertEquals(status, { sentBytes: 10, mayHaveSent: true });
});

Deno.test("sendAll() with options that bound nothing is as quick as without", async () => {
  const transport = new ScriptedTransport();
  let isSent = false;
  sendAll(transport, BYTES, { status: newStatus() }).then(() => isSent = true);
  for (let turn = 0; turn < 2; turn++) await Promise.resolve();
  assert(isSent && transport.written[0] === BYTES);
});

Deno.test("sendAll() rethrows the reason of a signal and closes", async () => {
  for (const bytes of [BYTES, new Uint8Array(0)]) {
    const reason = { text: "enough" };
    const transport = new ScriptedTransport();
    const sent = sendAll(transport, bytes, { signal: AbortSignal.abort(reason) });
    assertEquals(await sent.catch((error) => error === reason), true);
    assertEquals([transport.written.length, transport.closedCount], [0, 1]);
  }
});

for (const option of [{ timeoutMs: -1 }, { timeoutMs: NaN }, { deadlineMs: -1 }]) {
  Deno.test(`sendAll() refuses ${Object.entries(option).flat().join(" ")}`, async () => {
    const transport = new ScriptedTransport();
    await assertRejects(() => sendAll(transport, BYTES, option), RangeError);
    assertEquals(transport.written.length, 0);
  });
}

Deno.test("sendAll() times out although the peer takes a byte now and then", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [client, server] = memoryPipe({ highWaterMarkBytes: 4, maxReadBytes: 1 });
  const status = newStatus();
  const sent = sendAll(client, new Uint8Array(100), { timeoutMs: 1_000, wheel, status });
  const failed = assertRejects(() => sent, TimeoutError);
  for (let second = 0; second < 11; second++) {
    await server.read(new Uint8Array(1));
    clock.advance(100);
  }
  assertEquals((await failed).phase, "send");
  // One write may have settled in the turn in which time was up.
  assert(status.sentBytes >= 4 + 10 && status.sentBytes <= 4 + 11, `${status.sentBytes} bytes`);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  await assertRejects(() => client.write(BYTES), Deno.errors.BadResource);
});

Deno.test("sendAll() can be cancelled at every place", async () => {
  const count = await cancelEverywhere(async ({ bounds, watch }) => {
    const [client, server] = memoryPipe({ highWaterMarkBytes: 3, maxReadBytes: 2 });
    const received = countBytes(server);
    const status = newStatus();
    const transport = watch(client);
    try {
      await sendAll(transport, new Uint8Array(20), { ...bounds, status });
      await client.closeWrite();
    } finally {
      // In memory nothing is lost: what was confirmed is what arrives.
      assertEquals(await received, status.sentBytes);
      assert(status.mayHaveSent || status.sentBytes === 0);
    }
  });
  assert(count > 50, `${count} places`);
});

async function countBytes(transport: Transport): Promise<number> {
  let total = 0;
  for (const p = new Uint8Array(16);;) {
    const byteCount = await transport.read(p);
    if (byteCount === null) return total;
    total += byteCount;
  }
}

for (const kind of ["signal", "deadline"]) {
  Deno.test(`sendAll() to a socket that nobody reads ends by ${kind}`, async () => {
    const clock = new ManualClock();
    const wheel = new DeadlineWheel(clock);
    const controller = new AbortController();
    const reason = new Error("enough");
    const bounds = kind === "signal"
      ? { signal: controller.signal }
      : { deadlineMs: clock.now() + 1_000, wheel };
    const [client, server] = await socketPair();
    const status = newStatus();
    const bytes = new Uint8Array(64 << 20);
    const sent = sendAll(client, bytes, { ...bounds, status });
    const failed = sent.then(() => undefined, (error) => error);
    assert(await eventually(() => status.sentBytes > 0));
    if (kind === "signal") controller.abort(reason);
    else clock.advance(1_200);
    const error = await failed;
    assert(kind === "signal" ? error === reason : error instanceof TimeoutError);
    assert(status.sentBytes < bytes.length && status.mayHaveSent);
    await assertRejects(() => client.read(new Uint8Array(1)), Deno.errors.BadResource);
    server.close();
  });
}

Deno.test("sendAll() rejects when the peer resets", async () => {
  const [peer, client] = await resettablePair();
  const status = newStatus();
  const sent = sendAll(client, new Uint8Array(64 << 20), { status });
  const failed = sent.then(() => undefined, (error) => error);
  assert(await eventually(() => status.sentBytes > 0));
  peer.resetAndDestroy();
  const error = await failed;
  assert(
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe,
    String(error),
  );
  await assertRejects(() => client.read(new Uint8Array(1)), Deno.errors.BadResource);
});

Deno.test("sendAll() moves more than a socket's buffers hold", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using server = await listener.accept();
  const bytes = new SeededRandom(5).bytes(8 << 20);
  const sent = sendAll(client, bytes);
  const received = new Uint8Array(bytes.length);
  for (let offset = 0; offset < received.length;) {
    offset += await server.read(received.subarray(offset)) ?? assertFail();
  }
  await sent;
  assertEquals(received.every((byte, index) => byte === bytes[index]), true);
});

function assertFail(): never {
  throw new Error("The stream ended early");
}
