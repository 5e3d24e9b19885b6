import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  HandedExchange,
  type HandedInput,
  HandedTransport,
  type Testator,
} from "../../http/server_handover.ts";
import type { ServedConnection } from "../../http/server_shared.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { ReceiveBuffer } from "../../nbio/receive_buffer.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { isSettled } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";

/** A reading half in the state a test wants. */
class FakeInput implements HandedInput {
  readonly buffer: ReceiveBuffer = new ReceiveBuffer();
  pending: Promise<void> | undefined;
  isEnded = false;
  error: unknown = undefined;

  /** A read of before, which goes on while the connection changes hands. */
  startRead(transport: Transport): void {
    this.pending = transport.read(this.buffer.writable()).then((count) => {
      this.pending = undefined;
      if (count === null) this.isEnded = true;
      else this.buffer.commit(count);
    }, (error) => {
      this.pending = undefined;
      this.error = error;
    });
  }
}

async function readText(transport: Transport, size = 16): Promise<string | null> {
  const p = new Uint8Array(size);
  const count = await transport.read(p);
  return count === null ? null : new TextDecoder().decode(p.subarray(0, count));
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("HandedTransport passes everything on where nothing was under way", async () => {
  const [client, server] = memoryPipe();
  const handed = new HandedTransport(server, new FakeInput());
  assertEquals([handed.localAddr, handed.remoteAddr], [server.localAddr, server.remoteAddr]);
  await client.write(bytes("in"));
  assertEquals(await readText(handed), "in");
  await handed.write(bytes("out"));
  assertEquals(await readText(client), "out");
  await handed.closeWrite();
  assertEquals(await readText(client), null);
  client.close();
  assertEquals(await readText(handed), null);
  assertEquals(await isSettled(handed.closed), false);
  handed.close();
  await handed.closed;
  assertThrows(() => handed.close());
});

Deno.test("HandedTransport loses nothing of a read that was under way", async () => {
  const [client, server] = memoryPipe();
  const input = new FakeInput();
  input.startRead(server);
  const handed = new HandedTransport(server, input);
  const first = readText(handed, 2);
  await client.write(bytes("abcde"));
  assertEquals(await first, "ab");
  assertEquals(await readText(handed, 0), "");
  await client.write(bytes("fg"));
  assertEquals([await readText(handed), await readText(handed)], ["cde", "fg"]);
  handed.close();
});

Deno.test("HandedTransport gives the end that a read of before has seen, for ever", async () => {
  const [client, server] = memoryPipe();
  const input = new FakeInput();
  input.startRead(server);
  await client.write(bytes("last"));
  await input.pending;
  input.startRead(server);
  client.close();
  await input.pending;
  const handed = new HandedTransport(server, input);
  assertEquals([await readText(handed), await readText(handed)], ["last", null]);
  assertEquals(await readText(handed), null);
  handed.close();
});

Deno.test("HandedTransport gives bytes before the error that came behind them", async () => {
  const [, server] = memoryPipe();
  const input = new FakeInput();
  input.buffer.writable().set(bytes("late"));
  input.buffer.commit(4);
  input.error = new Deno.errors.ConnectionReset("reset");
  const handed = new HandedTransport(server, input);
  assertEquals(await readText(handed), "late");
  const error = await assertRejects(() => readText(handed), ConnectionClosedError);
  assertEquals(error.cause, input.error);
  handed.close();
});

Deno.test("HandedTransport refuses a second read, and close() ends the one that waits", async () => {
  const [, server] = memoryPipe();
  const input = new FakeInput();
  input.startRead(server);
  const handed = new HandedTransport(server, input);
  const waiting = readText(handed);
  await assertRejects(() => readText(handed), TypeError);
  handed.close();
  await handed.closed;
  await assertRejects(() => waiting, ConnectionClosedError);
});

class FakeTestator implements Testator {
  readonly calls: unknown[] = [];

  giveUp(reason: unknown): void {
    this.calls.push(reason);
  }

  end(): void {
    this.calls.push("end");
  }
}

function handedExchange(
  isSettled: boolean,
): {
  readonly exchange: HandedExchange;
  readonly transport: HandedTransport;
  readonly testator: FakeTestator;
  readonly connections: Set<ServedConnection>;
} {
  const [, near] = memoryPipe();
  const transport = new HandedTransport(near, new FakeInput());
  const testator = new FakeTestator();
  const connections = new Set<ServedConnection>();
  const exchange = new HandedExchange(transport, testator, connections, isSettled);
  connections.add(exchange);
  return { exchange, transport, testator, connections };
}

for (const first of ["the handler", "the connection"] as const) {
  Deno.test(`HandedExchange ends with the last of both, ${first} first`, async () => {
    const { exchange, transport, connections } = handedExchange(false);
    if (first === "the handler") exchange.settle();
    else transport.close();
    assertEquals(await isSettled(exchange.ended), false);
    assertEquals(connections.size, 1);
    if (first === "the handler") transport.close();
    else exchange.settle();
    await exchange.ended;
    assertEquals(connections.size, 0);
  });
}

Deno.test("HandedExchange ends with its connection where the handler had settled before", async () => {
  const { exchange, transport, connections, testator } = handedExchange(true);
  transport.close();
  await exchange.ended;
  assertEquals([connections.size, exchange.isCut, testator.calls], [0, false, ["end"]]);
});

Deno.test("HandedExchange.abort() waits for no handler, before and behind the end", async () => {
  for (const isClosed of [false, true]) {
    const { exchange, transport, connections, testator } = handedExchange(false);
    if (isClosed) {
      transport.close();
      assertEquals(await isSettled(exchange.ended), false);
    }
    exchange.abort("why");
    await exchange.ended;
    assertEquals([connections.size, exchange.isCut], [0, true]);
    assertEquals(testator.calls, ["why", "end"]);
    // Too late to matter.
    exchange.settle();
    assertEquals(connections.size, 0);
  }
});
