import { assertEquals } from "@std/assert";
import { TcpConnection, type TcpQuery } from "../../dns/tcp_connection.ts";
import { frameMessage } from "../../dns/tcp_framing.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock, memoryPipe, settle } from "../../nbio/testing.ts";

const SERVER = { address: "192.0.2.53", port: 53 };

function query(id: number): TcpQuery {
  const bytes = new Uint8Array(12);
  bytes[1] = id;
  const receiver = { receiveMessage: () => true, receiveFailure: () => {} };
  return { id, tag: id, receiver, bytes, sentAfter: 0, isResent: false, connection: undefined };
}

Deno.test("TcpConnection sends what comes during a write in one write", async () => {
  const [client, server] = memoryPipe();
  const sizes: number[] = [];
  const write = client.write.bind(client);
  client.write = (bytes) => {
    sizes.push(bytes.length);
    return write(bytes);
  };
  const connection = new TcpConnection({
    server: SERVER,
    dial: () => Promise.resolve(client),
    idleTimeoutMs: 1_000,
    wheel: new DeadlineWheel(new ManualClock()),
    onRetire: () => {},
    onEnd: () => {},
  });
  // The first three wait for the connection.
  for (const id of [1, 2, 3]) connection.send(query(id));
  await settle();
  assertEquals(sizes, [3 * 14]);
  for (const id of [4, 5, 6]) connection.send(query(id));
  await settle();
  assertEquals(sizes, [3 * 14, 14, 2 * 14]);
  connection.end(undefined);
  await connection.finished;
  assertEquals(await server.read(new Uint8Array(1_000)), 6 * 14);
});

Deno.test("TcpConnection holds the process while queries wait", async () => {
  const [client, server] = memoryPipe();
  const calls: string[] = [];
  const transport = Object.assign(client, {
    ref: () => void calls.push("ref"),
    unref: () => void calls.push("unref"),
  });
  const connection = new TcpConnection({
    server: SERVER,
    dial: () => Promise.resolve(transport),
    idleTimeoutMs: 1_000,
    wheel: new DeadlineWheel(new ManualClock()),
    onRetire: () => calls.push("retire"),
    onEnd: () => calls.push("end"),
  });
  const first = query(1);
  connection.send(first);
  await settle();
  await server.write(frameMessage(first.bytes));
  await settle();
  connection.forget(first);
  connection.send(query(2));
  assertEquals([calls, connection.hasAnswered], [["unref", "ref"], true]);
  connection.end(new TypeError("Over"));
  connection.end(new TypeError("Over again"));
  await connection.finished;
  assertEquals(calls, ["unref", "ref", "retire", "end"]);
});
