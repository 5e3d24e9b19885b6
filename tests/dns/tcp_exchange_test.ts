import { assert, assertEquals, assertThrows } from "@std/assert";
import type { QueryReceiver } from "../../dns/query_receiver.ts";
import { TcpExchange, type TcpExchangeOptions } from "../../dns/tcp_exchange.ts";
import { frameMessage, MessageDeframer } from "../../dns/tcp_framing.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock, memoryPipe, type MemoryTransport, settle } from "../../nbio/testing.ts";
import { BlackHole, noBlackHole } from "../_support/black_hole.ts";

const SERVER = { address: "192.0.2.53", port: 53 };

/** An exchange over memory, and the server's ends of its connections. */
class Scene {
  readonly clock = new ManualClock();
  readonly ends: MemoryTransport[] = [];
  readonly log: string[] = [];
  readonly exchange: TcpExchange;
  readonly receiver: QueryReceiver = {
    receiveMessage: (tag, bytes, { address }) => {
      this.log.push(`${tag}: ${bytes.length} bytes of ${address}`);
      return true;
    },
    receiveFailure: (tag, error) => {
      this.log.push(`${tag}: ${(error as Error).name}`);
    },
  };

  constructor(options: TcpExchangeOptions = {}) {
    this.exchange = new TcpExchange({
      wheel: new DeadlineWheel(this.clock, { tickMs: 10 }),
      dial: () => {
        const [client, server] = memoryPipe();
        this.ends.push(server);
        return Promise.resolve(client);
      },
      ...options,
    });
  }

  send(id: number): { close(): void } {
    return this.exchange.send(SERVER, message(id), this.receiver, id);
  }
}

function message(id: number, length = 12): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  bytes[1] = id;
  return bytes;
}

/** What has come to the server's end, as ids. */
async function idsAt(end: MemoryTransport): Promise<number[]> {
  await settle();
  const buffer = new Uint8Array(1_000);
  const deframer = new MessageDeframer();
  deframer.receive(buffer.subarray(0, await end.read(buffer) ?? 0));
  const ids: number[] = [];
  for (let bytes; (bytes = deframer.next()) !== undefined;) ids.push(bytes[1]!);
  return ids;
}

Deno.test("TcpExchange sends all queries over one connection and takes answers in any order", async () => {
  const scene = new Scene();
  const flows = [1, 2, 3].map((id) => scene.send(id));
  await settle();
  assertEquals(scene.ends.length, 1);
  assertEquals(await idsAt(scene.ends[0]!), [1, 2, 3]);
  for (const id of [3, 1, 2]) await scene.ends[0]!.write(frameMessage(message(id, 12 + id)));
  await settle();
  assertEquals(scene.log, [
    "3: 15 bytes of 192.0.2.53",
    "1: 13 bytes of 192.0.2.53",
    "2: 14 bytes of 192.0.2.53",
  ]);
  for (const flow of flows) flow.close();
  assertEquals(scene.exchange.connectionCount, 1);
  await scene.exchange.close();
});

Deno.test("TcpExchange uses a connection again", async () => {
  const scene = new Scene();
  for (const id of [1, 2, 3]) {
    const flow = scene.send(id);
    await settle();
    assertEquals(await idsAt(scene.ends[0]!), [id]);
    await scene.ends[0]!.write(frameMessage(message(id)));
    await settle();
    flow.close();
  }
  assertEquals([scene.ends.length, scene.log.length], [1, 3]);
  await scene.exchange.close();
});

Deno.test("TcpExchange takes answers split, joined, empty, short and for nobody", async () => {
  const scene = new Scene();
  const flows = [1, 2].map((id) => scene.send(id));
  await settle();
  const frames = [0, 3].map((length) => frameMessage(new Uint8Array(length)));
  const stream = [...frames, ...[9, 1, 2].map((id) => frameMessage(message(id)))];
  const bytes = new Uint8Array(stream.flatMap((frame) => [...frame]));
  for (let at = 0; at < bytes.length; at += 5) {
    await scene.ends[0]!.write(bytes.subarray(at, at + 5));
    await settle();
  }
  assertEquals(scene.log.map((line) => line[0]), ["1", "2"]);
  for (const flow of flows) flow.close();
  await scene.exchange.close();
});

Deno.test("TcpExchange closes a connection that nobody uses", async () => {
  const scene = new Scene({ idleTimeoutMs: 1_000 });
  const flow = scene.send(1);
  await settle();
  await scene.ends[0]!.write(frameMessage(message(1)));
  await scene.clock.advanceAsync(5_000);
  assertEquals(scene.exchange.connectionCount, 1);
  flow.close();
  await scene.clock.advanceAsync(990);
  assertEquals(scene.exchange.connectionCount, 1);
  await scene.clock.advanceAsync(30);
  assertEquals(scene.exchange.connectionCount, 0);
  assertEquals(scene.clock.pendingCount, 0);
});

Deno.test("TcpExchange sends a query again that a used connection has lost, once", async () => {
  const scene = new Scene();
  const first = scene.send(1);
  await settle();
  await scene.ends[0]!.write(frameMessage(message(1)));
  await settle();
  first.close();
  const second = scene.send(2);
  await settle();
  scene.ends[0]!.close();
  await settle();
  assertEquals(scene.ends.length, 2);
  assertEquals(await idsAt(scene.ends[1]!), [2]);
  await scene.ends[1]!.write(frameMessage(message(9)));
  await settle();
  scene.ends[1]!.close();
  await settle();
  assertEquals(scene.log.slice(1), ["2: ConnectionClosedError"]);
  assertEquals(scene.ends.length, 2);
  second.close();
  await scene.exchange.close();
});

Deno.test("TcpExchange tells a query whose new connection is lost", async () => {
  for (
    const [end, want] of [["close", "ConnectionClosedError"], ["reset", "ConnectionReset"]] as const
  ) {
    const scene = new Scene();
    const flow = scene.send(1);
    await settle();
    await scene.ends[0]!.write(frameMessage(message(1)).subarray(0, 5));
    await settle();
    scene.ends[0]![end]();
    await settle();
    assertEquals(scene.log, [`1: ${want}`]);
    assertEquals(scene.exchange.connectionCount, 0);
    flow.close();
    await scene.exchange.close();
  }
});

Deno.test("TcpExchange gives no further query to a connection that is silent", async () => {
  const scene = new Scene();
  const silent = scene.send(1);
  const other = scene.send(2);
  await settle();
  silent.close();
  const next = scene.send(3);
  await settle();
  assertEquals(scene.ends.length, 2);
  // What waits on the old one still gets its answer.
  await scene.ends[0]!.write(frameMessage(message(2)));
  await settle();
  assertEquals(scene.log, ["2: 12 bytes of 192.0.2.53"]);
  other.close();
  await settle();
  assertEquals(scene.exchange.connectionCount, 1);
  next.close();
  assertEquals(scene.exchange.connectionCount, 0);
  await scene.exchange.close();
});

Deno.test("TcpExchange tells a query that its server cannot be reached", async () => {
  for (
    const dial of [
      () => Promise.reject(new Deno.errors.ConnectionRefused("Refused")),
      () => {
        throw new Deno.errors.ConnectionRefused("Refused");
      },
    ]
  ) {
    const scene = new Scene({ dial });
    scene.send(4);
    await settle();
    assertEquals(scene.log, ["4: ConnectionRefused"]);
    assertEquals(scene.exchange.connectionCount, 0);
    await scene.exchange.close();
  }
});

Deno.test("TcpExchange gives a connection up that nobody waits for any more", async () => {
  let signal: AbortSignal | undefined;
  const [client, server] = memoryPipe();
  const dialled = Promise.withResolvers<MemoryTransport>();
  const scene = new Scene({
    dial: (_server, options) => {
      signal = options.signal;
      return dialled.promise;
    },
  });
  const flow = scene.send(1);
  await settle();
  flow.close();
  assertEquals(signal?.aborted, true);
  assertEquals(scene.exchange.connectionCount, 0);
  // One that comes late is closed.
  dialled.resolve(client);
  await settle();
  assertEquals(await server.read(new Uint8Array(1)), null);
  assertEquals(scene.log, []);
  await scene.exchange.close();
});

Deno.test("TcpExchange.close() fails what waits, and sends nothing again", async () => {
  const scene = new Scene();
  const first = scene.send(1);
  await settle();
  await scene.ends[0]!.write(frameMessage(message(1)));
  await settle();
  first.close();
  scene.send(2);
  await settle();
  await scene.exchange.close(new TypeError("Closed"));
  assertEquals(scene.log.slice(1), ["2: TypeError"]);
  assertEquals([scene.ends.length, scene.exchange.connectionCount], [1, 0]);
});

Deno.test("TcpExchange() refuses options out of their range", () => {
  for (const idleTimeoutMs of [0, -1, 1.5, 2 ** 31, NaN]) {
    assertThrows(() => new TcpExchange({ idleTimeoutMs }), RangeError);
  }
});

Deno.test({
  name: "TcpExchange leaves nothing behind when a real connection hangs",
  ignore: noBlackHole,
  async fn() {
    using hole = await BlackHole.open();
    const scene = new Scene();
    const exchange = new TcpExchange();
    const server = { address: "127.0.0.1", port: hole.port };
    const flow = exchange.send(server, message(1), scene.receiver, 1);
    await settle();
    assertEquals(exchange.connectionCount, 1);
    flow.close();
    await exchange.close();
    assertEquals(scene.log, []);
    assert(exchange.connectionCount === 0);
  },
});
