import { assert, assertEquals, assertThrows } from "@std/assert";
import { bindReusePort } from "../../nbio/bind_reuse_port.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { LineReader } from "../bench/_support/line_reader.ts";
import { BEGIN, END, MESSAGES, WARM_UP_MESSAGES, WAYS } from "./transport_cost.ts";

// Types only: a program in which one of these is not a transport does not compile.
({}) as Deno.Conn satisfies Transport;
({}) as Deno.TcpConn satisfies Transport;
({}) as Deno.TlsConn satisfies Transport;
({}) as Deno.UnixConn satisfies Transport;

async function converse(first: Transport, second: Transport): Promise<void> {
  const buffer = new Uint8Array(16);
  assertEquals(await first.write(new Uint8Array([1, 2, 3])), 3);
  assertEquals(await second.read(buffer), 3);
  assertEquals(buffer.subarray(0, 3), new Uint8Array([1, 2, 3]));
  assertEquals(await second.read(new Uint8Array(0)), 0);
  await first.closeWrite();
  assertEquals(await second.read(buffer), null);
  assertEquals(await second.read(buffer), null);
  assertEquals(await second.write(new Uint8Array([4])), 1);
  assertEquals(await first.read(buffer), 1);
  first.close();
  assertEquals(assertThrows(() => first.close()) instanceof Error, true);
  second.close();
}

Deno.test("Transport describes a TCP connection as it is", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  await converse(client, await listener.accept());
});

Deno.test("Transport describes a Unix connection as it is", async () => {
  const directory = await Deno.makeTempDir();
  {
    using listener = Deno.listen({ transport: "unix", path: `${directory}/socket` });
    const client = await Deno.connect({ transport: "unix", path: `${directory}/socket` });
    await converse(client, await listener.accept());
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("Transport describes a socket of Node", {
  ignore: Deno.build.os !== "linux", // where it comes from: a shared port
}, async () => {
  const source = await bindReusePort({ hostname: "127.0.0.1" });
  const { hostname, port } = source.addr as Deno.NetAddr;
  const connect = (): Promise<Deno.TcpConn> => Deno.connect({ hostname, port });
  await converse(await connect(), await source.accept());
  const client = await connect();
  await converse(await source.accept(), client);
  source.close();
});

Deno.test("Transport describes a memory pipe", async () => {
  const [client, server] = memoryPipe();
  await converse(client, server);
});

Deno.test("closeQuietly() closes, and says nothing when that was done", async () => {
  const [client, server] = memoryPipe();
  closeQuietly(client);
  closeQuietly(client);
  assertEquals(await server.read(new Uint8Array(1)), null);
});

/** What one way to serve costs, for `MESSAGES` messages. */
interface Cost {
  promiseCount: number;
  /** How often each operation of the runtime was begun. */
  readonly operations: Record<string, number>;
}

/** Sends messages one by one, each after the echo of the one before. */
async function converseOften(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const buffer = new Uint8Array(8);
  for (let count = 0; count <= WARM_UP_MESSAGES + MESSAGES; count++) {
    await conn.write(buffer);
    assertEquals(await conn.read(buffer), 8);
  }
}

/** Reads the operations between the marks, once per way. */
async function readOperations(lines: LineReader): Promise<Record<string, number>[]> {
  const all: Record<string, number>[] = [];
  let current: Record<string, number> | undefined;
  for (let line; (line = await lines.next()) !== undefined;) {
    if (line === BEGIN) current = {};
    const name = /(op_\w+) +: Dispatched/.exec(line)?.[1];
    if (current && name !== undefined) current[name] = (current[name] ?? 0) + 1;
    if (current && line === END) {
      all.push(current);
      current = undefined;
    }
  }
  return all;
}

/** Runs `transport_cost.ts`, and talks to it. */
async function measureCosts(): Promise<Map<string, Cost>> {
  const program = new URL("./transport_cost.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net=127.0.0.1", "--trace-ops", program],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = new LineReader(child.stdout);
  // At once: a process whose trace nobody reads stands still.
  const traced = readOperations(new LineReader(child.stderr));
  const promiseCounts: number[] = [];
  for (let index = 0; index < WAYS.length; index++) {
    await converseOften(Number(await lines.next()));
    promiseCounts.push(Number(await lines.next()));
  }
  const operations = await traced;
  await lines.cancel();
  assertEquals([(await child.status).success, operations.length], [true, WAYS.length]);
  return new Map(WAYS.map(({ name }, index) => {
    return [name, { promiseCount: promiseCounts[index]!, operations: operations[index]! }];
  }));
}

Deno.test("serve() costs no operation and no promise per message over a bare loop", async () => {
  const costs = await measureCosts();
  const bare = costs.get("bare loop")!;
  // If nothing was counted, nothing was shown.
  assertEquals([bare.operations.op_read, bare.operations.op_write], [MESSAGES, MESSAGES]);
  assert(bare.promiseCount >= MESSAGES * 2);
  assertEquals(costs.get("listen().serve()"), bare);
  const bareAll = costs.get("bare loop, sendAll()")!;
  assertEquals(costs.get("listen().serve(), sendAll()"), bareAll);
  // What sendAll() adds: its own promise, and the one of its await.
  assertEquals(bareAll.operations, bare.operations);
  const added = (bareAll.promiseCount - bare.promiseCount) / MESSAGES;
  assert(added <= 2, `Added ${added} promises per message`);
});
