import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Duplex, duplexPair } from "node:stream";
import net from "node:net";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { nodeTransport } from "../../nbio/node_transport.ts";
import { runOperation } from "../../nbio/operation.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import { connectToReset } from "../_support/socket_pair.ts";

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

/** A transport over one end of a stream in memory, and the other end. */
function pair(): { transport: Transport; stream: Duplex; peer: Duplex } {
  const [stream, peer] = duplexPair();
  return { transport: nodeTransport(stream), stream, peer };
}

/** A stream whose source and sink are played by the test. */
class ScriptedDuplex extends Duplex {
  /** Calls of `_read` so far. */
  pullCount = 0;
  /** What was written, and the callback that ends the write. */
  readonly writes: [Uint8Array, (error?: Error) => void][] = [];

  constructor(highWaterMark = 1_000) {
    super({ highWaterMark });
  }

  override _read(): void {
    this.pullCount++;
  }

  override _write(chunk: Uint8Array, _: unknown, done: (error?: Error) => void): void {
    this.writes.push([chunk, done]);
  }
}

/** A socket of Node that was accepted, as a transport. */
async function accept<T>(connect: (port: number) => Promise<T>): Promise<[Transport, T]> {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  const accepted = new Promise<net.Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = await connect((server.address() as net.AddressInfo).port);
  const transport = nodeTransport(await accepted);
  server.close();
  return [transport, client];
}

function socketPair(): Promise<[Transport, Deno.TcpConn]> {
  return accept((port) => Deno.connect({ hostname: "127.0.0.1", port }));
}

async function read(transport: Transport, size = 64): Promise<number[] | null> {
  const buffer = new Uint8Array(size);
  const byteCount = await transport.read(buffer);
  return byteCount === null ? null : [...buffer.subarray(0, byteCount)];
}

Deno.test("nodeTransport() refuses streams that do not carry bytes", () => {
  for (const options of [{ readableObjectMode: true }, { writableObjectMode: true }]) {
    assertThrows(() => nodeTransport(new Duplex(options)), TypeError);
  }
  assertThrows(() => nodeTransport(new Duplex().setEncoding("utf8")), TypeError);
});

Deno.test("nodeTransport() gives the addresses it is told, or none", () => {
  const localAddr: Deno.Addr = { transport: "tcp", hostname: "192.0.2.1", port: 1 };
  const remoteAddr: Deno.Addr = { transport: "tcp", hostname: "192.0.2.2", port: 2 };
  const told = nodeTransport(new ScriptedDuplex(), { localAddr, remoteAddr });
  assertEquals([told.localAddr, told.remoteAddr], [localAddr, remoteAddr]);
  const bare = nodeTransport(new ScriptedDuplex());
  assertEquals(bare.remoteAddr, { transport: "unix", path: "" });
});

Deno.test("nodeTransport() keeps the addresses of a socket beyond its end", async () => {
  const [transport, client] = await socketPair();
  const { localAddr, remoteAddr } = transport;
  assertEquals(localAddr, { ...client.remoteAddr });
  assertEquals(remoteAddr, { ...client.localAddr });
  client.close();
  transport.close();
  assertEquals([transport.localAddr, transport.remoteAddr], [localAddr, remoteAddr]);
});

Deno.test("nodeTransport() learns the addresses of a socket that was connecting", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const transport = nodeTransport(net.connect(listener.addr.port, "127.0.0.1"));
  assertEquals(await transport.write(bytes(1)), 1);
  using peer = await listener.accept();
  assertEquals(transport.remoteAddr, { ...listener.addr });
  assertEquals(transport.localAddr, { ...peer.remoteAddr });
  transport.close();
});

Deno.test("read() gives what has come, in pieces as large as asked", async () => {
  const { transport, peer } = pair();
  peer.write(bytes(1, 2, 3));
  await settle();
  peer.write(bytes(4, 5));
  await settle();
  assertEquals(await read(transport, 2), [1, 2]);
  assertEquals(await transport.read(new Uint8Array(0)), 0);
  assertEquals(await read(transport, 2), [3, 4]);
  assertEquals(await read(transport, 2), [5]);
  const waiting = read(transport);
  assertEquals(await isSettled(waiting), false);
  peer.write(bytes(6));
  assertEquals(await waiting, [6]);
  transport.close();
});

Deno.test("read() is null at the end, again and again, and leaves our direction open", async () => {
  const { transport, peer } = pair();
  peer.end(bytes(1));
  assertEquals(await read(transport), [1]);
  for (let round = 0; round < 3; round++) assertEquals(await read(transport), null);
  const other = nodeTransport(peer);
  assertEquals(await Promise.all([transport.write(bytes(2)), read(other)]), [1, [2]]);
  await Promise.all([transport.closeWrite(), read(other)]);
  // The stream has closed by itself now, which is no failure.
  await settle();
  assertEquals(await read(transport), null);
  await assertRejects(() => transport.write(bytes(3)), Deno.errors.BrokenPipe);
  await transport.closeWrite();
  transport.close();
});

Deno.test("the end of the peer leaves a stream open that would end itself otherwise", async () => {
  const [stream, peer] = duplexPair({ allowHalfOpen: false });
  const [transport, other] = [nodeTransport(stream), nodeTransport(peer)];
  const [ended] = await Promise.all([read(transport), other.closeWrite()]);
  await settle();
  assertEquals(ended, null);
  assertEquals(await Promise.all([transport.write(bytes(1)), read(other)]), [1, [1]]);
  transport.close();
  other.close();
});

Deno.test("closeWrite() of a stream that has ended its direction before has nothing to do", async () => {
  const { stream, peer } = pair();
  stream.end();
  peer.resume();
  await settle();
  const transport = nodeTransport(stream);
  await transport.closeWrite();
  await assertRejects(() => transport.write(bytes(1)), Deno.errors.BrokenPipe);
  transport.close();
});

Deno.test("read() that waits sees the end come", async () => {
  const { transport, peer } = pair();
  const waiting = read(transport);
  assertEquals(await isSettled(waiting), false);
  peer.end();
  assertEquals(await waiting, null);
  transport.close();
});

Deno.test("nothing is pulled before the first read(), little more than asked after it", async () => {
  const stream = new ScriptedDuplex(1_000);
  const transport = nodeTransport(stream);
  await settle();
  assertEquals(stream.pullCount, 0);
  const first = transport.read(new Uint8Array(10));
  await settle();
  let givenBytes = 0;
  // A source that has always more, as long as it is asked for.
  for (let pullCount = 0; pullCount < stream.pullCount && givenBytes < 100_000;) {
    pullCount++;
    givenBytes += 100;
    stream.push(new Uint8Array(100));
    await settle();
  }
  assertEquals(await first, 10);
  assert(givenBytes <= 1_100, `Took ${givenBytes} bytes`);
  transport.close();
});

Deno.test("write() resolves when the stream has passed it on, and not before", async () => {
  const stream = new ScriptedDuplex(1_000_000);
  const transport = nodeTransport(stream);
  const written = transport.write(bytes(1, 2, 3));
  assertEquals(await isSettled(written), false);
  const [chunk, done] = stream.writes[0]!;
  assertEquals([...chunk], [1, 2, 3]);
  done();
  assertEquals(await written, 3);
  assertEquals(await transport.write(new Uint8Array(0)), 0);
  assertEquals(stream.writes.length, 1);
  transport.close();
});

Deno.test("a second read() or write() while one waits is refused, and does no harm", async () => {
  const stream = new ScriptedDuplex();
  const transport = nodeTransport(stream);
  const reading = read(transport);
  const writing = transport.write(bytes(1));
  await assertRejects(() => transport.read(new Uint8Array(1)), TypeError);
  await assertRejects(() => transport.write(bytes(2)), TypeError);
  stream.push(bytes(9));
  stream.writes[0]![1]();
  assertEquals([await reading, await writing], [[9], 1]);
  transport.close();
});

Deno.test("closeWrite() ends our direction after what was written", async () => {
  const { transport, peer } = pair();
  const other = nodeTransport(peer);
  const written = transport.write(bytes(1));
  const ended = Promise.all([transport.closeWrite(), transport.closeWrite()]);
  assertEquals([await read(other), await read(other)], [[1], null]);
  await Promise.all([written, ended, transport.closeWrite()]);
  await assertRejects(() => transport.write(bytes(2)), Deno.errors.BrokenPipe);
  // The stream lives on.
  assertEquals(await Promise.all([other.write(bytes(3)), read(transport)]), [1, [3]]);
  transport.close();
  other.close();
});

Deno.test("close() rejects all that waits, then everything, and throws the second time", async () => {
  const stream = new ScriptedDuplex();
  const transport = nodeTransport(stream);
  const waiting = [read(transport), transport.write(bytes(1)), transport.closeWrite()];
  transport.close();
  for (const promise of waiting) await assertRejects(() => promise, Deno.errors.Interrupted);
  assertEquals(stream.destroyed, true);
  await assertRejects(() => read(transport), Deno.errors.BadResource);
  await assertRejects(() => transport.write(bytes(1)), Deno.errors.BadResource);
  await assertRejects(() => transport.closeWrite(), Deno.errors.BadResource);
  assertThrows(() => transport.close(), Deno.errors.BadResource);
});

for (
  const { code, errorClass } of [
    { code: "ECONNRESET", errorClass: Deno.errors.ConnectionReset },
    { code: "EPIPE", errorClass: Deno.errors.BrokenPipe },
    { code: "ETIMEDOUT", errorClass: Deno.errors.TimedOut },
    { code: "ERR_ANYTHING", errorClass: Error },
  ]
) {
  Deno.test(`a stream that fails with ${code} rejects what waits and what comes`, async () => {
    const stream = new ScriptedDuplex();
    const transport = nodeTransport(stream);
    const waiting = [read(transport), transport.write(bytes(1)), transport.closeWrite()];
    stream.destroy(Object.assign(new Error(code), { code }));
    for (const promise of waiting) {
      const error = await assertRejects(() => promise, errorClass);
      assertEquals((error as { code?: string }).code, code);
    }
    await assertRejects(() => read(transport), errorClass);
    await assertRejects(() => transport.write(bytes(1)), errorClass);
    await assertRejects(() => transport.closeWrite(), errorClass);
    transport.close();
  });
}

Deno.test("read() still gives what had come before the stream failed", async () => {
  const stream = new ScriptedDuplex();
  const transport = nodeTransport(stream);
  stream.push(bytes(1, 2));
  stream.destroy(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
  await settle();
  assertEquals(await read(transport), [1, 2]);
  await assertRejects(() => read(transport), Deno.errors.ConnectionReset);
  transport.close();
});

Deno.test("a failed write rejects with its reason", async () => {
  const stream = new ScriptedDuplex();
  const transport = nodeTransport(stream);
  const written = transport.write(bytes(1));
  stream.writes[0]![1](Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  await assertRejects(() => written, Deno.errors.BrokenPipe);
  await assertRejects(() => read(transport), Deno.errors.BrokenPipe);
  transport.close();
});

Deno.test("a stream destroyed by somebody else rejects what waits and what comes", async () => {
  const stream = new ScriptedDuplex();
  const transport = nodeTransport(stream);
  const waiting = [read(transport), transport.write(bytes(1))];
  stream.destroy();
  for (const promise of waiting) await assertRejects(() => promise, ConnectionClosedError);
  await assertRejects(() => read(transport), ConnectionClosedError);
  transport.close();
});

Deno.test("a stream that was over before rejects at once, or tells the end", async () => {
  const dead = new ScriptedDuplex();
  dead.destroy();
  await settle();
  await assertRejects(() => read(nodeTransport(dead)), ConnectionClosedError);
  const { stream, peer } = pair();
  peer.end();
  stream.resume();
  await settle();
  assertEquals([stream.readableEnded, await read(nodeTransport(stream))], [true, null]);
  stream.destroy();
});

Deno.test("a stream that fails after close() harms nobody", async () => {
  const stream = new ScriptedDuplex();
  const transport = nodeTransport(stream);
  transport.close();
  stream.emit("error", new Error("late"));
  await assertRejects(() => read(transport), Deno.errors.BadResource);
});

Deno.test("a deadline of runOperation() ends a read and closes the stream", async () => {
  const clock = new ManualClock();
  const stream = new ScriptedDuplex();
  const transport = nodeTransport(stream);
  const bounds = { timeoutMs: 1_000, wheel: new DeadlineWheel(clock) };
  const operation = runOperation(transport, "read", bounds, () => read(transport));
  await settle();
  clock.advance(1_200);
  await assertRejects(() => operation, TimeoutError);
  assertEquals([stream.destroyed, clock.pendingCount], [true, 0]);
});

Deno.test("a socket carries bytes both ways at once, whole and in order", async () => {
  const [transport, client] = await socketPair();
  const data = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 31 + (index >> 8)));
  const receive = async (from: Transport): Promise<void> => {
    const buffer = new Uint8Array(7_001);
    let offset = 0;
    for (let byteCount; (byteCount = await from.read(buffer)) !== null; offset += byteCount) {
      const expected = data.subarray(offset, offset + byteCount);
      assert(buffer.subarray(0, byteCount).every((byte, index) => byte === expected[index]));
    }
    assertEquals(offset, data.length);
  };
  const send = async (to: Transport): Promise<void> => {
    await sendAll(to, data);
    await to.closeWrite();
  };
  await Promise.all([send(transport), send(client), receive(transport), receive(client)]);
  client.close();
  transport.close();
});

Deno.test("write() waits for a peer that does not read, and close() ends the wait", async () => {
  const [transport, client] = await socketPair();
  const written = transport.write(new Uint8Array(64 * 1024 * 1024));
  // Whatever buffers there are, they are smaller.
  assertEquals(await isSettled(written, { turnCount: 50 }), false);
  transport.close();
  await assertRejects(() => written, Deno.errors.Interrupted);
  client.close();
});

Deno.test("a reset by the peer rejects a read that waits", async () => {
  const [transport, client] = await accept(connectToReset);
  const waiting = read(transport);
  client.resetAndDestroy();
  await assertRejects(() => waiting, Deno.errors.ConnectionReset);
  transport.close();
});

Deno.test("a refused connect rejects a read and a write that wait", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const transport = nodeTransport(net.connect(port, "127.0.0.1"));
  const waiting = [read(transport), transport.write(bytes(1))];
  for (const promise of waiting) await assertRejects(() => promise, Deno.errors.ConnectionRefused);
  transport.close();
});
