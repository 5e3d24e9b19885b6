import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { sendAll } from "../../nbio/send_all.ts";
import type { Transport } from "../../nbio/transport.ts";

/** A transport whose writes do what a list says, and which counts. */
class ScriptedTransport implements Transport {
  readonly localAddr: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  readonly remoteAddr: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 2 };
  readonly written: Uint8Array[] = [];
  closedCount = 0;
  readonly #results: (number | Error)[];

  constructor(...results: (number | Error)[]) {
    this.#results = results;
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  write(p: Uint8Array): Promise<number> {
    this.written.push(p);
    const result = this.#results.shift() ?? p.length;
    return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    if (this.closedCount++ > 0) throw new Error("Already closed");
  }
}

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
  const transport = new ScriptedTransport(2, 0, 1, 0, 1);
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
    const transport = new ScriptedTransport(...results);
    const error = await assertRejects(() => sendAll(transport, BYTES), ConnectionClosedError);
    assertEquals(error.code, "ERR_NET_CONNECTION_CLOSED");
    assertEquals([transport.written.length, transport.closedCount], [results.length, 1]);
  });
}

for (const result of [6, -1, NaN]) {
  Deno.test(`sendAll() rejects and closes when a write claims ${result} of 5 bytes`, async () => {
    const transport = new ScriptedTransport(result);
    await assertRejects(() => sendAll(transport, BYTES), TypeError);
    assertEquals(transport.closedCount, 1);
  });
}

for (const before of [[], [2]]) {
  Deno.test(`sendAll() closes and rethrows a failure after ${before.length} writes`, async () => {
    const failure = new Deno.errors.ConnectionReset("gone");
    const transport = new ScriptedTransport(...before, failure);
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
  await assertRejects(() => sent, ConnectionClosedError);
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
