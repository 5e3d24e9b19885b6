import { assert, assertEquals, assertThrows } from "@std/assert";
import { UdpExchange, type UdpExchangeOptions } from "../../dns/udp_exchange.ts";
import type { QueryReceiver } from "../../dns/query_receiver.ts";
import type { DatagramSocket } from "../../nbio/datagram_socket.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ManualClock, settle, SimulatedNetwork } from "../../nbio/testing.ts";
import type { UdpOptions } from "../../nbio/udp.ts";

const SERVER = { address: "192.0.2.53", port: 53 };

/** An exchange on a simulated network, with a server that notes who asks. */
class Scene {
  readonly clock = new ManualClock();
  readonly network = new SimulatedNetwork(this.clock);
  readonly sockets: DatagramSocket[] = [];
  readonly exchange: UdpExchange;
  server: DatagramSocket;

  private constructor(server: DatagramSocket, options: UdpExchangeOptions) {
    this.server = server;
    const host = this.network.host("10.0.0.7", "fd00::7");
    this.exchange = new UdpExchange({
      wheel: new DeadlineWheel(this.clock, { tickMs: 10 }),
      bind: async (bindOptions: UdpOptions) => {
        const socket = await host.bind(bindOptions);
        this.sockets.push(socket);
        return socket;
      },
      ...options,
    });
  }

  static async open(options: UdpExchangeOptions = {}): Promise<Scene> {
    const scene = new Scene(undefined!, options);
    scene.server = await scene.network.bind({ hostname: SERVER.address, port: SERVER.port });
    return scene;
  }

  /** Asks once from a flow of its own, and gives the port the query came from. */
  async portOf(id: number): Promise<number> {
    const flow = this.exchange.open();
    flow.send(SERVER, query(id), receiver([]), 0);
    const { from } = await this.server.receive();
    flow.close();
    return from.port;
  }
}

function query(id: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12);
  bytes[0] = id >>> 8;
  bytes[1] = id;
  return bytes;
}

function receiver(log: string[]): QueryReceiver {
  return {
    receiveMessage(tag, bytes, { address, port }) {
      log.push(`${tag}: ${bytes.length} bytes of ${address}#${port}`);
      return true;
    },
    receiveFailure(tag, error) {
      log.push(`${tag}: ${(error as Error).name}`);
    },
  };
}

Deno.test("UdpExchange brings an answer to its query, and none to others", async () => {
  const { exchange, server } = await Scene.open();
  const log: string[] = [];
  const flow = exchange.open();
  flow.send(SERVER, query(1), receiver(log), 7);
  flow.send(SERVER, query(2), receiver(log), 8);
  const { from } = await server.receive();
  await server.send(query(2), from);
  await settle();
  assertEquals(log, ["8: 12 bytes of 192.0.2.53#53"]);
  flow.close();
  await server.send(query(1), from);
  await settle();
  assertEquals(log.length, 1);
  await exchange.close();
});

Deno.test("UdpExchange does not bring an answer that comes to another socket", async () => {
  const scene = await Scene.open({ sourcePorts: "fresh" });
  const log: string[] = [];
  const flows = [1, 2].map((id) => {
    const flow = scene.exchange.open();
    flow.send(SERVER, query(id), receiver(log), id);
    return flow;
  });
  const [first, second] = [await scene.server.receive(), await scene.server.receive()];
  await scene.server.send(first.bytes, second.from);
  await settle();
  // It is a stray to the query there, which may count such.
  assertEquals(log, ["2: 12 bytes of 192.0.2.53#53"]);
  for (const flow of flows) flow.close();
  await scene.exchange.close();
});

Deno.test("UdpExchange offers what has no query's id to all at that socket", async () => {
  const { exchange, server } = await Scene.open({ poolSize: 1 });
  const log: string[] = [];
  const flows = [1, 2].map((id) => {
    const flow = exchange.open();
    flow.send(SERVER, query(id), receiver(log), id);
    return flow;
  });
  const { from } = await server.receive();
  await server.send(query(3), from);
  await settle();
  assertEquals(log.map((line) => line[0]), ["1", "2"]);
  for (const flow of flows) flow.close();
  await exchange.close();
});

Deno.test("UdpExchange uses a port for a bounded number of questions", async () => {
  const scene = await Scene.open({ poolSize: 1, maxQueriesPerSocket: 3 });
  const ports: number[] = [];
  for (let id = 0; id < 9; id++) ports.push(await scene.portOf(id));
  assertEquals(new Set(ports).size, 3);
  assertEquals(ports.slice(0, 3), [ports[0], ports[0], ports[0]]);
  assertEquals(scene.exchange.socketCount, 0);
  await scene.exchange.close();
});

Deno.test("UdpExchange spreads questions over the pool", async () => {
  const scene = await Scene.open({ poolSize: 4, maxQueriesPerSocket: 1_000 });
  const ports = new Set<number>();
  for (let id = 0; id < 100; id++) ports.add(await scene.portOf(id));
  assertEquals(ports.size, 4);
  assertEquals(scene.exchange.socketCount, 4);
  await scene.exchange.close();
  assertEquals(scene.exchange.socketCount, 0);
});

Deno.test("UdpExchange gives each question its own port where ports are to be fresh", async () => {
  const scene = await Scene.open({ sourcePorts: "fresh" });
  const ports = new Set<number>();
  for (let id = 0; id < 50; id++) ports.add(await scene.portOf(id));
  assertEquals(ports.size, 50);
  assertEquals(scene.exchange.socketCount, 0);
  await scene.exchange.close();
});

Deno.test("UdpExchange sends all queries of one question from one port, and IPv6 from another", async () => {
  const { exchange, server, network, sockets } = await Scene.open();
  const other = await network.bind({ hostname: "2001:db8::53", port: 53 });
  const flow = exchange.open();
  flow.send(SERVER, query(1), receiver([]), 0);
  flow.send(SERVER, query(2), receiver([]), 1);
  flow.send({ address: "2001:db8::53", port: 53 }, query(3), receiver([]), 2);
  const ports = [(await server.receive()).from.port, (await server.receive()).from.port];
  assertEquals(ports[0], ports[1]);
  await other.receive();
  assertEquals(sockets.length, 2);
  flow.close();
  await exchange.close();
});

Deno.test("UdpExchange opens no more sockets than it may", async () => {
  const { exchange } = await Scene.open({ sourcePorts: "fresh", maxSocketCount: 2 });
  const flows = [0, 1].map((id) => {
    const flow = exchange.open();
    flow.send(SERVER, query(id), receiver([]), 0);
    return flow;
  });
  const third = exchange.open();
  const error = assertThrows(
    () => third.send(SERVER, query(2), receiver([]), 0),
    LimitExceededError,
  );
  assertEquals([error.limit, error.max, exchange.capacity], ["maxSocketCount", 2, 2]);
  flows[0]!.close();
  third.send(SERVER, query(2), receiver([]), 0);
  await exchange.close();
});

Deno.test("UdpExchange closes sockets that nobody uses, and keeps those that somebody does", async () => {
  const scene = await Scene.open({ poolSize: 1, idleTimeoutMs: 1_000 });
  await scene.portOf(1);
  await scene.clock.advanceAsync(990);
  await scene.portOf(2);
  await scene.clock.advanceAsync(990);
  assertEquals(scene.exchange.socketCount, 1);
  const flow = scene.exchange.open();
  flow.send(SERVER, query(3), receiver([]), 0);
  await scene.clock.advanceAsync(10_000);
  assertEquals(scene.exchange.socketCount, 1);
  flow.close();
  await scene.clock.advanceAsync(2_100);
  assertEquals(scene.exchange.socketCount, 0);
  assertEquals(scene.clock.pendingCount, 0);
});

Deno.test("UdpExchange tells a query that its socket cannot be bound", async () => {
  for (
    const bind of [
      () => Promise.reject(new Deno.errors.NotCapable("Denied")),
      () => {
        throw new Deno.errors.NotCapable("Denied");
      },
    ]
  ) {
    const exchange = new UdpExchange({ bind });
    const log: string[] = [];
    const flow = exchange.open();
    flow.send(SERVER, query(1), receiver(log), 5);
    await settle();
    assertEquals(log, ["5: NotCapable"]);
    assertEquals(exchange.socketCount, 0);
    flow.close();
    await exchange.close();
  }
});

Deno.test("UdpExchange tells a query that it cannot be sent, and goes on", async () => {
  const { exchange, server } = await Scene.open({ poolSize: 1 });
  const log: string[] = [];
  const flow = exchange.open();
  flow.send({ address: "192.0.2.53", port: 0 }, query(1), receiver(log), 0);
  await settle();
  assertEquals(log, ["0: RangeError"]);
  flow.send(SERVER, query(2), receiver(log), 1);
  await server.receive();
  flow.close();
  await exchange.close();
});

Deno.test("UdpExchange.close() fails what waits with its error", async () => {
  const { exchange } = await Scene.open();
  const log: string[] = [];
  exchange.open().send(SERVER, query(1), receiver(log), 3);
  await exchange.close(new TypeError("Closed"));
  assertEquals(log, ["3: TypeError"]);
});

Deno.test("UdpExchange() refuses options out of their range", () => {
  for (
    const options of [
      { sourcePorts: "none" as "pool" },
      { poolSize: 0 },
      { poolSize: 1_025 },
      { maxQueriesPerSocket: 0 },
      { maxSocketCount: 65_537 },
      { idleTimeoutMs: 0 },
      { idleTimeoutMs: 0.5 },
    ]
  ) {
    assertThrows(() => new UdpExchange(options), RangeError);
  }
});

Deno.test("UdpExchange uses real ports that do not follow each other", async () => {
  const server = Deno.permissions.querySync({ name: "net" }).state === "granted"
    ? await (await import("../../nbio/udp.ts")).bindUdp({ hostname: "127.0.0.1" })
    : undefined;
  if (server === undefined) return;
  const exchange = new UdpExchange({ sourcePorts: "fresh" });
  const ports: number[] = [];
  for (let id = 0; id < 32; id++) {
    const flow = exchange.open();
    const { hostname: address, port } = server.localAddr;
    flow.send({ address, port }, query(id), receiver([]), 0);
    ports.push((await server.receive()).from.port);
    flow.close();
  }
  const steps = ports.slice(1).map((port, index) => Math.abs(port - ports[index]!));
  assert(steps.filter((step) => step <= 2).length < 8, `ports are ${ports}`);
  server.close();
  await exchange.close();
});
