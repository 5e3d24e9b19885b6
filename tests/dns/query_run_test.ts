import { assertEquals, assertRejects } from "@std/assert";
import { ServerMemory } from "../../dns/dns_server.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import { decodeMessage } from "../../dns/decode_message.ts";
import { QueryMachine } from "../../dns/query_machine.ts";
import { type QueryExchange, QueryRun } from "../../dns/query_run.ts";
import { TcpExchange } from "../../dns/tcp_exchange.ts";
import { UdpExchange } from "../../dns/udp_exchange.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import type { DatagramSocket } from "../../nbio/datagram_socket.ts";
import { ManualClock, settle, SimulatedNetwork } from "../../nbio/testing.ts";

const SERVER = { address: "192.0.2.53", port: 53 };

/** A run over a simulated network, or over an exchange. */
class Scene {
  readonly clock = new ManualClock();
  readonly wheel = new DeadlineWheel(this.clock, { tickMs: 10 });
  readonly network = new SimulatedNetwork(this.clock);
  readonly udp: UdpExchange;
  readonly tcp: TcpExchange;

  constructor() {
    const { wheel } = this;
    const host = this.network.host("10.0.0.7");
    this.udp = new UdpExchange({ wheel, bind: (options) => host.bind(options) });
    const dial = () => Promise.reject(new Deno.errors.ConnectionRefused("Refused"));
    this.tcp = new TcpExchange({ wheel, dial });
  }

  server(): Promise<DatagramSocket> {
    return this.network.bind({ hostname: SERVER.address, port: SERVER.port });
  }

  run(exchange?: QueryExchange): QueryRun {
    const machine = new QueryMachine({ name: "a.example.", type: "A", class: "IN" }, {
      servers: [SERVER],
      memory: new ServerMemory(),
      randomUint16: () => 0x1234,
      random: () => 0,
      timeoutMs: 1_000,
      useTcp: exchange !== undefined,
      cookies: false,
    });
    const { udp, tcp, wheel } = this;
    return new QueryRun(machine, { udp, tcp, wheel, exchange });
  }

  async close(): Promise<void> {
    await Promise.all([this.udp.close(), this.tcp.close()]);
    this.network.close();
  }
}

function answerTo(query: Uint8Array, id?: number): Uint8Array<ArrayBuffer> {
  const { id: ownId, questions } = decodeMessage(query);
  return encodeMessage({
    id: id ?? ownId,
    questions,
    rcode: "NXDOMAIN",
    response: true,
    recursionAvailable: true,
  });
}

Deno.test("QueryRun.run() sends what the machine says and gives the answer", async () => {
  const scene = new Scene();
  const server = await scene.server();
  const outcome = scene.run().run();
  const { bytes, from } = await server.receive();
  await server.send(answerTo(bytes), from);
  const { type } = await outcome;
  assertEquals([type, scene.wheel.armedCount > 0], ["answer", true]);
  await scene.close();
  assertEquals(scene.wheel.armedCount, 0);
});

Deno.test("QueryRun.run() keeps to the times of the machine", async () => {
  const scene = new Scene();
  const server = await scene.server();
  const outcome = scene.run().run();
  await scene.clock.advanceAsync(990);
  assertEquals(server.stats().receivedCount, 0);
  let queryCount = 0;
  const reading = (async () => {
    for await (const _ of server) queryCount++;
  })();
  await settle();
  assertEquals(queryCount, 1);
  await scene.clock.advanceAsync(30);
  assertEquals(queryCount, 2);
  await scene.clock.advanceAsync(1_020);
  const { type } = await outcome;
  assertEquals([type, queryCount], ["failed", 2]);
  await scene.close();
  await reading;
});

Deno.test("QueryRun.cancel() leaves nothing behind", async () => {
  const scene = new Scene();
  const run = scene.run();
  const outcome = run.run();
  await settle();
  run.cancel("no more");
  run.cancel("again");
  assertEquals(await outcome.catch((reason) => reason), "no more");
  await scene.close();
  assertEquals(scene.clock.pendingCount, 0);
});

Deno.test("QueryRun.run() takes a response with its id or 0 from an exchange", async () => {
  for (const id of [undefined, 0]) {
    const scene = new Scene();
    const { type } = await scene.run((query) => Promise.resolve(answerTo(query, id))).run();
    assertEquals(type, "answer");
    await scene.close();
  }
});

Deno.test("QueryRun.run() fails with what an exchange fails with, or gives wrongly", async () => {
  const exchanges: QueryExchange[] = [
    () => Promise.reject(new TypeError("No")),
    () => {
      throw new TypeError("No");
    },
    (query) => Promise.resolve(answerTo(query, 7)),
    () => Promise.resolve(new Uint8Array(0)),
    () => Promise.resolve(new Uint8Array(40)),
  ];
  for (const exchange of exchanges) {
    const scene = new Scene();
    const outcome = await scene.run(exchange).run();
    assertEquals(outcome.type, "failed");
    await scene.close();
    assertEquals(scene.clock.pendingCount, 0);
  }
});

Deno.test("QueryRun.run() aborts an exchange that takes too long", async () => {
  const scene = new Scene();
  const signals: AbortSignal[] = [];
  const outcome = scene.run((_query, { signal }) => {
    signals.push(signal);
    return new Promise(() => {});
  }).run();
  await scene.clock.advanceAsync(2_100);
  const { type } = await outcome;
  assertEquals([type, signals.map(({ aborted }) => aborted)], ["failed", [true, true]]);
  await scene.close();
});

Deno.test("QueryRun.run() rejects where a query cannot be encoded", async () => {
  const scene = new Scene();
  const machine = new QueryMachine({ name: "a.example.", type: "A", class: "IN" }, {
    servers: [SERVER],
    memory: new ServerMemory(),
    randomUint16: () => 0,
    random: () => 0,
    ednsOptions: [{ type: "unknown", code: 70_000, bytes: new Uint8Array(0) }],
  });
  const { udp, tcp, wheel } = scene;
  await assertRejects(() => new QueryRun(machine, { udp, tcp, wheel }).run());
  await scene.close();
  assertEquals(scene.clock.pendingCount, 0);
});
