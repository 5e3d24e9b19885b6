// What holds for every UDP socket, whichever way it takes through the runtime. `udp_deno_test.ts`
// runs this file once more, in a process that has `Deno.listenDatagram`.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { Datagram, DatagramSocket } from "../../nbio/datagram_socket.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { bindUdp, type UdpOptions } from "../../nbio/udp.ts";
import { hasDenoHandle } from "../../nbio/udp_deno.ts";
import { eventually } from "../_support/peer.ts";

const DOOR = hasDenoHandle() ? "Deno.listenDatagram" : "node:dgram";

/** A test of this file, under the name of the way that datagrams take. */
function test(name: string, fn: () => Promise<void>, ignore = false): void {
  Deno.test({ name: `${name} (${DOOR})`, fn, ignore });
}

function bindHere(options: UdpOptions = {}): Promise<DatagramSocket> {
  return bindUdp({ hostname: "127.0.0.1", ...options });
}

/** A datagram that must come. */
function receive(socket: DatagramSocket): Promise<Datagram> {
  return socket.receive({ timeoutMs: 10_000 });
}

/** Receives datagrams that begin with these bytes, in this order. */
async function expect(socket: DatagramSocket, wanted: readonly number[]): Promise<void> {
  for (const first of wanted) assertEquals((await receive(socket)).bytes[0], first);
}

/** One turn of the event loop, in which it takes what has come. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Sends many; with a turn now and then, because what the system drops is not counted. */
async function flood(socket: DatagramSocket, count: number, length: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await socket.send(new Uint8Array(length).fill(index));
    if (length > 1_000 || index % 20 === 0) await turn();
  }
}

/** Binds a port that becomes free in the turns to come. */
async function bindFreed(port: number): Promise<DatagramSocket> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return await bindHere({ port });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      await turn();
    }
  }
  throw new Error(`Port ${port} is not free again`);
}

function to(port: number, hostname = "127.0.0.1"): Deno.NetAddr {
  return { transport: "udp", hostname, port };
}

/** An IPv6 address of this machine that needs a zone; absent where there is none. */
function findLinkLocal(): string | undefined {
  try {
    const found = Deno.networkInterfaces().find(({ address }) => address.startsWith("fe80:"));
    return found && `${found.address.split("%")[0]}%${found.name}`;
  } catch {
    // Not every platform, and not everybody, may look.
    return undefined;
  }
}

/** Whether there is IPv6 here; containers often have none. */
async function findIpv6(): Promise<boolean> {
  try {
    (await bindUdp({ hostname: "::1" })).close();
    return true;
  } catch {
    return false;
  }
}

const LINK_LOCAL = findLinkLocal();
const NO_IPV6 = !await findIpv6();

test("bindUdp() binds a free port", async () => {
  using socket = await bindHere();
  assertEquals(socket.localAddr, to(socket.localAddr.port));
  assert(socket.localAddr.port > 0);
  assertEquals(socket.remoteAddr, undefined);
  using other = await bindUdp();
  assertEquals(other.localAddr.hostname, "0.0.0.0");
  assert(other.localAddr.port !== socket.localAddr.port);
});

test("bindUdp() takes the family from the peer", async () => {
  using socket = await bindUdp({ remote: to(53, "::1") });
  assertEquals(socket.localAddr.hostname, "::");
}, NO_IPV6);

for (const length of [0, 1, 64, 1_472, 32_768, 32_769, 65_507]) {
  test(`send() and receive() carry ${length} bytes`, async () => {
    using server = await bindHere();
    using client = await bindHere();
    const bytes = new SeededRandom(length).bytes(length);
    await client.send(bytes, server.localAddr);
    const datagram = await receive(server);
    assertEquals(datagram.bytes, bytes);
    assertEquals(datagram.from, client.localAddr);
    // Nothing of the runtime is kept alive by it.
    assertEquals(datagram.bytes.buffer.byteLength, length);
    assertEquals(Object.getPrototypeOf(datagram.bytes), Uint8Array.prototype);
    await server.send(datagram.bytes, datagram.from);
    assertEquals((await receive(client)).bytes, bytes);
    assertEquals(client.stats(), {
      sentCount: 1,
      receivedCount: 1,
      droppedCount: 0,
      foreignCount: 0,
    });
  });
}

test("receive() gives memory of its own every time", async () => {
  using socket = await bindHere();
  for (const first of [1, 2]) await socket.send(new Uint8Array([first, 0]), socket.localAddr);
  const one = await receive(socket);
  one.bytes.fill(9);
  const two = await receive(socket);
  assertEquals([one.bytes[0], two.bytes[0]], [9, 2]);
  two.bytes.fill(8);
  assertEquals(one.bytes[0], 9);
});

test("send() rejects what is too large and goes on", async () => {
  using socket = await bindHere();
  await assertRejects(() => socket.send(new Uint8Array(65_508), socket.localAddr), RangeError);
  await socket.send(new Uint8Array([1]), socket.localAddr);
  await expect(socket, [1]);
  assertEquals(socket.stats().sentCount, 1);
});

test("send() knows the limit of IPv6", async () => {
  using socket = await bindUdp({ hostname: "::1" });
  await socket.send(new Uint8Array(65_527), socket.localAddr);
  assertEquals((await receive(socket)).bytes.length, 65_527);
  await assertRejects(() => socket.send(new Uint8Array(65_528), socket.localAddr), RangeError);
}, NO_IPV6);

test("send() that the system finds too large is a RangeError, too", async () => {
  using socket = await bindUdp({ hostname: "::" });
  const mapped = to(9, "::ffff:127.0.0.1");
  await assertRejects(() => socket.send(new Uint8Array(65_520), mapped), RangeError);
}, NO_IPV6 || Deno.build.os !== "linux");

test("a socket bound to :: reaches and is reached from IPv4", async () => {
  using server = await bindUdp({ hostname: "::" });
  using client = await bindHere();
  await client.send(new Uint8Array([1]), to(server.localAddr.port));
  const { bytes, from } = await receive(server);
  assertEquals(from, to(client.localAddr.port, "::ffff:127.0.0.1"));
  await server.send(bytes, from);
  assertEquals((await receive(client)).bytes, bytes);
  await assertRejects(() => server.send(bytes, client.localAddr), TypeError);
}, NO_IPV6 || Deno.build.os !== "linux");

test("a link-local address keeps its zone, so that one can answer", async () => {
  using server = await bindUdp({ hostname: LINK_LOCAL! });
  assertEquals(server.localAddr.hostname, LINK_LOCAL);
  using client = await bindUdp({ remote: server.localAddr });
  await client.send(new Uint8Array([1]));
  const { bytes, from } = await receive(server);
  assertEquals(from.hostname, LINK_LOCAL);
  await server.send(bytes, from);
  assertStrictEquals((await receive(client)).from, client.remoteAddr);
}, LINK_LOCAL === undefined);

test("send() to everybody on the network is allowed", async () => {
  using server = await bindUdp();
  using client = await bindUdp();
  await client.send(new Uint8Array([1]), to(server.localAddr.port, "127.255.255.255"));
  await expect(server, [1]);
}, Deno.build.os !== "linux");

test("a connected socket is deaf to strangers", async () => {
  using server = await bindHere();
  using stranger = await bindHere();
  using client = await bindHere({ remote: server.localAddr });
  assertEquals(client.remoteAddr, server.localAddr);
  for (let count = 0; count < 20; count++) {
    await stranger.send(new Uint8Array([9]), client.localAddr);
  }
  await client.send(new Uint8Array([1]));
  const { from } = await receive(server);
  await server.send(new Uint8Array([2]), from);
  await expect(client, [2]);
  assert(await eventually(() => client.stats().foreignCount === 20));
  assertEquals(client.stats().receivedCount, 1);
});

test("strangers take no room in the queue of a connected socket", async () => {
  using server = await bindHere();
  using stranger = await bindHere();
  using client = await bindHere({ remote: server.localAddr, maxQueuedCount: 1 });
  for (let count = 0; count < 20; count++) {
    await stranger.send(new Uint8Array([9]), client.localAddr);
  }
  assert(await eventually(() => client.stats().foreignCount === 20));
  await server.send(new Uint8Array([2]), client.localAddr);
  await expect(client, [2]);
  assertEquals(client.stats().droppedCount, 0);
});

test("send() wants a destination unless there is a peer", async () => {
  using server = await bindHere();
  using client = await bindHere({ remote: server.localAddr });
  await assertRejects(() => server.send(new Uint8Array(1)), TypeError);
  await assertRejects(() => client.send(new Uint8Array(1), server.localAddr), TypeError);
});

test("send() to nobody is no error, and the socket goes on", async () => {
  using closed = await bindHere();
  closed.close();
  using socket = await bindHere();
  for (let count = 0; count < 3; count++) {
    await socket.send(new Uint8Array([1]), closed.localAddr);
  }
  await socket.send(new Uint8Array([2]), socket.localAddr);
  await expect(socket, [2]);
});

const BAD_OPTIONS: readonly [
  name: string,
  options: UdpOptions,
  error: typeof TypeError | typeof RangeError,
][] = [
  ["a name", { hostname: "localhost" }, TypeError],
  ["nothing", { hostname: "" }, TypeError],
  ["brackets", { hostname: "[::1]" }, TypeError],
  ["a port below 0", { port: -1 }, RangeError],
  ["a port above 65535", { port: 65_536 }, RangeError],
  ["half a port", { port: 1.5 }, RangeError],
  ["a peer by name", { remote: to(53, "localhost") }, TypeError],
  ["a peer of the other family", { hostname: "127.0.0.1", remote: to(53, "::1") }, TypeError],
  ["a peer without a port", { remote: to(0) }, RangeError],
  ["a peer that is everybody", { remote: to(53, "0.0.0.0") }, TypeError],
  ["a peer that is a group", { remote: to(53, "224.0.0.251") }, TypeError],
  ["maxQueuedCount below 0", { maxQueuedCount: -1 }, RangeError],
  ["maxQueuedBytes not a number", { maxQueuedBytes: NaN }, RangeError],
  ["half of maxWaiters", { maxWaiters: 0.5 }, RangeError],
];

for (const [name, options, error] of BAD_OPTIONS) {
  test(`bindUdp() rejects ${name}`, async () => {
    await assertRejects(() => bindUdp(options), error);
  });
}

test("bindUdp() to a taken port is the error of the system", async () => {
  using socket = await bindHere();
  const { port } = socket.localAddr;
  await assertRejects(() => bindHere({ port }), Deno.errors.AddrInUse);
});

test("bindUdp() to the address of another machine is the error of the system", async () => {
  const hostname = "203.0.113.77";
  await assertRejects(() => bindUdp({ hostname }), Deno.errors.AddrNotAvailable);
});

test("bindUdp() shares a port if both want it", async () => {
  using first = await bindHere({ reuseAddress: true });
  const { port } = first.localAddr;
  using second = await bindHere({ port, reuseAddress: true });
  assertEquals(second.localAddr.port, port);
  await assertRejects(() => bindHere({ port }), Deno.errors.AddrInUse);
});

test("receive() serves those who wait in their order", async () => {
  using socket = await bindHere();
  const waiting = [receive(socket), receive(socket), receive(socket)];
  for (const first of [1, 2, 3]) await socket.send(new Uint8Array([first]), socket.localAddr);
  const datagrams = await Promise.all(waiting);
  assertEquals(datagrams.map(({ bytes }) => bytes[0]), [1, 2, 3]);
});

test("receive() that is cancelled loses no datagram", async () => {
  using socket = await bindHere();
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  for (let round = 0; round < 5; round++) {
    const controller = new AbortController();
    const aborted = socket.receive({ signal: controller.signal });
    const late = socket.receive({ timeoutMs: 1_000, wheel });
    const reason = new Error("enough");
    controller.abort(reason);
    clock.advance(1_200);
    assertStrictEquals(await assertRejects(() => aborted), reason);
    assertEquals((await assertRejects(() => late, TimeoutError)).phase, "receive");
    await socket.send(new Uint8Array([round]), socket.localAddr);
    await expect(socket, [round]);
  }
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  assertEquals(socket.stats().receivedCount, 5);
});

test("receive() that is cancelled as the datagram comes gives it to the next", async () => {
  using socket = await bindHere();
  let aborted = 0;
  for (let round = 0; round < 50; round++) {
    const controller = new AbortController();
    const waiting = socket.receive({ signal: controller.signal }).then(
      ({ bytes }) => bytes[0],
      () => undefined,
    );
    await socket.send(new Uint8Array([round]), socket.localAddr);
    if (round % 2 === 0) controller.abort();
    const first = await waiting;
    if (first === undefined) aborted++;
    assertEquals(first ?? (await receive(socket)).bytes[0], round);
  }
  assert(aborted <= 25);
});

test("receive() refuses to wait behind too many", async () => {
  using socket = await bindHere({ maxWaiters: 1 });
  const waiting = receive(socket);
  await assertRejects(() => socket.receive(), LimitExceededError);
  await socket.send(new Uint8Array([1]), socket.localAddr);
  assertEquals((await waiting).bytes[0], 1);
});

test("close() rejects what waits, and nothing works after it", async () => {
  const socket = await bindHere();
  await socket.send(new Uint8Array([1]), socket.localAddr);
  await expect(socket, [1]);
  const waiting = [socket.receive(), socket.receive({ timeoutMs: 60_000 })];
  socket.close();
  socket.close();
  for (const one of waiting) await assertRejects(() => one, ConnectionClosedError);
  await assertRejects(() => socket.receive(), ConnectionClosedError);
  await assertRejects(
    () => socket.send(new Uint8Array(1), socket.localAddr),
    ConnectionClosedError,
  );
  (await bindFreed(socket.localAddr.port)).close();
});

test("close() while a send is under way settles it", async () => {
  for (const length of [1, 65_507]) {
    const socket = await bindHere();
    const sends = Array.from(
      { length: 20 },
      () => socket.send(new Uint8Array(length), socket.localAddr),
    );
    socket.close();
    for (const result of await Promise.allSettled(sends)) {
      if (result.status === "rejected") assert(result.reason instanceof ConnectionClosedError);
    }
  }
});

test("iterating ends when the socket closes", async () => {
  const socket = await bindHere();
  for (const first of [1, 2, 3]) await socket.send(new Uint8Array([first]), socket.localAddr);
  const seen: (number | undefined)[] = [];
  for await (const { bytes } of socket) {
    seen.push(bytes[0]);
    if (seen.length === 3) socket.close();
  }
  assertEquals(seen, [1, 2, 3]);
});

test("iterating that waits ends when the socket closes", async () => {
  const socket = await bindHere();
  const next = socket[Symbol.asyncIterator]().next();
  socket.close();
  assertEquals(await next, { done: true, value: undefined });
});

test("leaving a loop leaves the socket open", async () => {
  using socket = await bindHere();
  for (const first of [1, 2]) await socket.send(new Uint8Array([first]), socket.localAddr);
  for await (const { bytes } of socket) {
    assertEquals(bytes[0], 1);
    break;
  }
  await expect(socket, [2]);
});

test("a signal closes the socket", async () => {
  const controller = new AbortController();
  const socket = await bindHere({ signal: controller.signal });
  const waiting = socket.receive();
  const reason = new Error("shutdown");
  controller.abort(reason);
  assertStrictEquals((await assertRejects(() => waiting, ConnectionClosedError)).cause, reason);
});

test("a signal aborted before or while it binds leaves nothing open", async () => {
  const reason = new Error("shutdown");
  const signal = AbortSignal.abort(reason);
  assertStrictEquals(await assertRejects(() => bindHere({ signal })), reason);
  const controller = new AbortController();
  const binding = bindHere({ signal: controller.signal });
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => binding), reason);
});

test("a flood that nobody receives is dropped and counted, the newest first", async () => {
  using socket = await bindHere({ maxQueuedCount: 10 });
  using flooder = await bindHere({ remote: socket.localAddr });
  await flood(flooder, 250, 1);
  assert(await eventually(() => socket.stats().droppedCount === 240));
  await expect(socket, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await flooder.send(new Uint8Array([99]));
  await expect(socket, [99]);
  assertEquals(socket.stats().receivedCount, 11);
});

test("a flood of large datagrams is bounded by their bytes", async () => {
  using socket = await bindHere({ maxQueuedBytes: 20_000 });
  using flooder = await bindHere({ remote: socket.localAddr });
  await flood(flooder, 40, 8_000);
  assert(await eventually(() => socket.stats().droppedCount > 0));
  await expect(socket, [0, 1]);
  await flooder.send(new Uint8Array([0xff]));
  // The last ones may have found room again, the third never had any.
  let first: number | undefined;
  while (first !== 0xff) {
    first = (await receive(socket)).bytes[0];
    assert(first !== 2);
  }
});

test("a flood of empty datagrams is bounded by their number", async () => {
  using socket = await bindHere({ maxQueuedCount: 3 });
  using flooder = await bindHere({ remote: socket.localAddr });
  await flood(flooder, 100, 0);
  assert(await eventually(() => socket.stats().droppedCount === 97));
  for (let count = 0; count < 3; count++) {
    assertEquals((await receive(socket)).bytes.length, 0);
  }
});

test("sends that are not awaited all arrive", async () => {
  using server = await bindHere();
  using client = await bindHere({ remote: server.localAddr });
  await Promise.all(
    Array.from({ length: 100 }, (_, index) => client.send(new Uint8Array([index]))),
  );
  const seen = new Set<number>();
  while (seen.size < 100) seen.add((await receive(server)).bytes[0]!);
  assertEquals(client.stats().sentCount, 100);
});

test("two sockets echo whatever comes", async () => {
  using server = await bindHere();
  using client = await bindHere({ remote: server.localAddr });
  const echoing = (async () => {
    for await (const { bytes, from } of server) await server.send(bytes, from);
  })();
  const random = new SeededRandom(7);
  for (let round = 0; round < 300; round++) {
    const bytes = random.bytes(random.int(round % 10 === 0 ? 65_508 : 2_000));
    await client.send(bytes, undefined, { timeoutMs: 10_000 });
    assertEquals((await receive(client)).bytes, bytes);
  }
  server.close();
  await echoing;
});

test("joinMulticast() wants a socket bound for it, whatever the handle could do", async () => {
  using socket = await bindUdp();
  await assertRejects(() => socket.joinMulticast("224.0.0.251"), TypeError);
});
