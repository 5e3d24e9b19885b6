import { assert, assertEquals, assertRejects } from "@std/assert";
import type { AcceptSource } from "../../nbio/accept_source.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { listenNode } from "../../nbio/listen_node.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { isSettled } from "../../nbio/testing_settle.ts";
import { TransportListener } from "../../nbio/transport_listener.ts";
import { eventually } from "../_support/peer.ts";
import { connectToReset } from "../_support/socket_pair.ts";

/** The system balances connections over the sockets that share a port only there. */
const CANNOT_SHARE = Deno.build.os !== "linux";

function listenHere(
  { hostname = "127.0.0.1", port = 0, maxPendingConnections = 511 } = {},
): Promise<AcceptSource> {
  return listenNode({ hostname, port, maxPendingConnections });
}

function connectTo(source: AcceptSource): Promise<Deno.TcpConn> {
  const { hostname, port } = source.addr as Deno.NetAddr;
  return Deno.connect({ hostname, port });
}

function test(name: string, run: () => Promise<void>): void {
  Deno.test(`listenNode() ${name}`, { ignore: CANNOT_SHARE }, run);
}

test("accepts connections in both orders", async () => {
  const source = await listenHere();
  const buffer = new Uint8Array(8);
  const waiting = source.accept();
  const first = await connectTo(source);
  const accepted = [await waiting];
  const second = await connectTo(source);
  accepted.push(await source.accept());
  for (const [index, client] of [first, second].entries()) {
    await sendAll(client, new Uint8Array([index]));
    assertEquals(await accepted[index]!.read(buffer), 1);
    assertEquals([buffer[0], { ...client.localAddr }], [index, accepted[index]!.remoteAddr]);
    client.close();
    accepted[index]!.close();
  }
  source.close();
});

test("knows its address at once, for names and IPv6, too", async () => {
  for (
    const [hostname, bound] of [
      ["127.0.0.1", ["127.0.0.1"]],
      ["localhost", ["127.0.0.1", "::1"]],
      ["::1", ["::1"]],
      ["[::1]", ["::1"]],
    ] as const
  ) {
    const source = await listenHere({ hostname });
    const { transport, hostname: address, port } = source.addr as Deno.NetAddr;
    assert(transport === "tcp" && bound.some((one) => one === address) && port > 0);
    (await connectTo(source)).close();
    source.close();
  }
});

test("shares a port with another, and both get connections", async () => {
  const first = await listenHere();
  const second = await listenHere({ port: (first.addr as Deno.NetAddr).port });
  assertEquals(second.addr, first.addr);
  const counts = [0, 0];
  const listeners = [first, second].map((source, index) => {
    const listener = new TransportListener([source]);
    listener.serve((transport) => {
      counts[index]!++;
      transport.close();
    });
    return listener;
  });
  for (let count = 0; count < 64; count++) (await connectTo(first)).close();
  assert(await eventually(() => counts[0]! + counts[1]! === 64));
  // All on one side: once in 2^63.
  assert(counts[0]! > 0 && counts[1]! > 0, `Got ${counts}`);
  for (const listener of listeners) await listener[Symbol.asyncDispose]();
});

test("rejects where the port is taken, and does not take it over", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  await assertRejects(() => listenHere({ port }), Deno.errors.AddrInUse);
});

test("keeps those out who do not share", async () => {
  const source = await listenHere();
  const { port } = source.addr as Deno.NetAddr;
  await assertRejects(
    () => Promise.resolve().then(() => Deno.listen({ hostname: "127.0.0.1", port })),
    Deno.errors.AddrInUse,
  );
  source.close();
});

test("rejects for a foreign address", async () => {
  const { AddrNotAvailable } = Deno.errors;
  await assertRejects(() => listenHere({ hostname: "192.0.2.1" }), AddrNotAvailable);
});

test("rejects for a name that does not exist", async () => {
  const error = await assertRejects(() => listenHere({ hostname: "no.such.name.invalid" }));
  // Without a network, resolvers say that they do not know yet.
  const { code } = error as { code?: string };
  assert(code === "ENOTFOUND" || code === "EAI_AGAIN", code);
});

test("refuses a second accept, and the first still gets its connection", async () => {
  const source = await listenHere();
  const waiting = source.accept();
  await assertRejects(() => source.accept(), TypeError);
  const client = await connectTo(source);
  (await waiting).close();
  client.close();
  source.close();
});

test("close() rejects what waits and what comes, and closes what was not accepted", async () => {
  const source = await listenHere();
  const client = await connectTo(source);
  (await source.accept()).close();
  client.close();
  const waiting = source.accept();
  const pending = await listenHere();
  const late = await connectTo(pending);
  for (const one of [source, pending]) one.close();
  await assertRejects(() => waiting, Deno.errors.BadResource);
  await assertRejects(() => source.accept(), Deno.errors.BadResource);
  // An end or a reset: the system may have held the connection, or we.
  const end = await late.read(new Uint8Array(1)).catch((error) => error);
  assert(end === null || end instanceof Deno.errors.ConnectionReset, String(end));
  late.close();
  await assertRejects(() => connectTo(source), Deno.errors.ConnectionRefused);
});

test("holds no more connections than it may, closes the rest and says so once", async () => {
  const source = await listenHere({ maxPendingConnections: 2 });
  const clients: Deno.TcpConn[] = [];
  // One after the other: the queue of the system is as short.
  while (clients.length < 6) clients.push(await connectTo(source));
  let overCount = 0;
  const count = (): void => void overCount++;
  for (const client of clients) client.read(new Uint8Array(1)).then(count, count);
  assert(await eventually(() => overCount === 4));
  const held = [await source.accept(), await source.accept()];
  const error = await assertRejects(() => source.accept(), LimitExceededError);
  assertEquals([error.limit, error.max], ["maxPendingConnections", 2]);
  assertEquals([await isSettled(source.accept().catch(() => {})), overCount], [false, 4]);
  for (const transport of held) transport.close();
  assert(await eventually(() => overCount === 6));
  for (const client of clients) client.close();
  source.close();
});

test("outlives a connection that is reset before it is accepted", async () => {
  const source = await listenHere();
  const socket = await connectToReset((source.addr as Deno.NetAddr).port);
  socket.resetAndDestroy();
  const transport = await source.accept();
  await assertRejects(() => transport.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  transport.close();
  source.close();
});

test("serves under a connection limit", async () => {
  const source = await listenHere();
  await using listener = new TransportListener([source], { maxConnections: 1 });
  listener.serve(async (transport) => {
    const buffer = new Uint8Array(8);
    for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
      await sendAll(transport, buffer.subarray(0, byteCount));
    }
    transport.close();
  });
  const clients = await Promise.all([1, 2, 3].map(() => connectTo(source)));
  const echoes = clients.map(async (client) => {
    await sendAll(client, new Uint8Array(3));
    assertEquals(await client.read(new Uint8Array(8)), 3);
    assertEquals(listener.stats().activeCount, 1);
    client.close();
  });
  await Promise.all(echoes);
  assertEquals(listener.stats().acceptedCount, 3);
});
