import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { DatagramHandle, DatagramSink } from "../../nbio/datagram_handle.ts";
import { DatagramQueue } from "../../nbio/datagram_queue.ts";
import type { MulticastOptions } from "../../nbio/datagram_socket.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { parseIpAddress } from "../../nbio/ip_address.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { UdpSocket, type UdpSocketOptions } from "../../nbio/udp_socket.ts";

/** A handle that the test opens and closes. */
class ScriptedHandle implements DatagramHandle {
  readonly port = 5_353;
  readonly hostname: string;
  readonly calls: string[] = [];
  /** Sends that have not settled. */
  readonly sends: PromiseWithResolvers<void>[] = [];
  sink!: DatagramSink;

  constructor(hostname: string) {
    this.hostname = hostname;
  }

  start(sink: DatagramSink): void {
    this.sink = sink;
  }

  send(bytes: Uint8Array, hostname: string, port: number): Promise<void> {
    this.calls.push(`send ${bytes.length} to ${hostname} ${port}`);
    const send = Promise.withResolvers<void>();
    this.sends.push(send);
    return send.promise;
  }

  joinMulticast(group: string, options: MulticastOptions): void {
    this.calls.push(`join ${group} ${JSON.stringify(options)}`);
  }

  leaveMulticast(group: string, options: MulticastOptions): void {
    this.calls.push(`leave ${group} ${JSON.stringify(options)}`);
  }

  ref(): void {
    this.calls.push("ref");
  }

  unref(): void {
    this.calls.push("unref");
  }

  close(): void {
    this.calls.push("close");
    for (const { reject } of this.sends) reject(new Deno.errors.Interrupted("closed"));
  }
}

function open(
  options: Partial<UdpSocketOptions> = {},
  hostname = "192.0.2.1",
): { handle: ScriptedHandle; socket: UdpSocket } {
  const handle = new ScriptedHandle(hostname);
  const bindAddress = options.bindAddress ?? parseIpAddress(hostname)!;
  return {
    handle,
    socket: new UdpSocket(handle, new DatagramQueue(), { ...options, bindAddress }),
  };
}

function remote(hostname: string, port = 53): NonNullable<UdpSocketOptions["remote"]> {
  return { address: parseIpAddress(hostname)!, port };
}

const TO: Deno.NetAddr = { transport: "udp", hostname: "192.0.2.2", port: 53 };

Deno.test("UdpSocket.send() hands the datagram to the handle and counts it when it has left", async () => {
  const { handle, socket } = open();
  const sent = socket.send(new Uint8Array(3), TO);
  assertEquals(handle.calls, ["send 3 to 192.0.2.2 53"]);
  assertEquals(socket.stats().sentCount, 0);
  handle.sends[0]!.resolve();
  await sent;
  assertEquals(socket.stats().sentCount, 1);
});

Deno.test("UdpSocket.send() that is given up leaves the socket as it is", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const { handle, socket } = open();
  const controller = new AbortController();
  const late = socket.send(new Uint8Array(1), TO, { timeoutMs: 1_000, wheel });
  const aborted = socket.send(new Uint8Array(2), TO, { signal: controller.signal });
  clock.advance(1_200);
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals((await assertRejects(() => late, TimeoutError)).phase, "send");
  assertStrictEquals(await assertRejects(() => aborted), reason);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  // They cannot be taken back: one leaves after all, one fails and nobody hears of it.
  handle.sends[0]!.resolve();
  handle.sends[1]!.reject(new Error("late failure"));
  const sent = socket.send(new Uint8Array(3), TO, { timeoutMs: 1_000, wheel });
  handle.sends[2]!.resolve();
  await sent;
  assertEquals([socket.stats().sentCount, wheel.armedCount], [2, 0]);
});

Deno.test("UdpSocket.send() without time left does not touch the handle", async () => {
  const { handle, socket } = open();
  const signal = AbortSignal.abort(new Error("too late"));
  const error = await assertRejects(() => socket.send(new Uint8Array(1), TO, { signal }));
  assertStrictEquals(error, signal.reason);
  const wheel = new DeadlineWheel(new ManualClock());
  const options = { deadlineMs: 0, wheel };
  await assertRejects(() => socket.send(new Uint8Array(1), TO, options), TimeoutError);
  await assertRejects(() => socket.send(new Uint8Array(1), TO, { timeoutMs: -1 }), RangeError);
  assertEquals(handle.calls, []);
});

Deno.test("UdpSocket.close() rejects sends and receives that wait", async () => {
  const { handle, socket } = open();
  const waiting = [
    socket.send(new Uint8Array(1), TO),
    socket.send(new Uint8Array(1), TO, { signal: new AbortController().signal }),
    socket.receive(),
    socket.receive({ timeoutMs: 60_000, wheel: new DeadlineWheel(new ManualClock()) }),
  ];
  socket.close();
  socket.close();
  socket[Symbol.dispose]();
  for (const one of waiting) await assertRejects(() => one, ConnectionClosedError);
  assertEquals(handle.calls.filter((call) => call === "close").length, 1);
});

Deno.test("UdpSocket does nothing after it was closed", async () => {
  const { handle, socket } = open({ multicast: true });
  socket.close();
  handle.sink.onDatagram(new Uint8Array(1), "192.0.2.2", 53);
  socket.ref();
  socket.unref();
  await assertRejects(() => socket.send(new Uint8Array(1), TO), ConnectionClosedError);
  await assertRejects(() => socket.receive(), ConnectionClosedError);
  await assertRejects(() => socket.joinMulticast("224.0.0.251"), ConnectionClosedError);
  await assertRejects(() => socket.leaveMulticast("224.0.0.251"), ConnectionClosedError);
  for await (const _ of socket) throw new Error("there is nothing to iterate");
  assertEquals(handle.calls, ["close"]);
  assertEquals(socket.stats().receivedCount, 0);
});

Deno.test("UdpSocket closes when its signal is aborted, and lets the signal go", async () => {
  const controller = new AbortController();
  const { handle, socket } = open({ signal: controller.signal });
  const waiting = socket.receive();
  const reason = new Error("shutdown");
  controller.abort(reason);
  assertStrictEquals((await assertRejects(() => waiting, ConnectionClosedError)).cause, reason);
  for await (const _ of socket) throw new Error("there is nothing to iterate");
  assertEquals(handle.calls, ["close"]);

  const second = new AbortController();
  const other = open({ signal: second.signal });
  other.socket.close();
  second.abort();
  assertEquals(other.handle.calls, ["close"]);
});

Deno.test("UdpSocket outlives failures to receive, unless nothing else comes", async () => {
  const { handle, socket } = open();
  for (let round = 0; round < 5; round++) {
    for (let count = 0; count < 99; count++) handle.sink.onReceiveError(new Error("noise"));
    handle.sink.onDatagram(new Uint8Array(1), "192.0.2.2", 53);
    await socket.receive();
  }
  const waiting = socket.receive();
  const iterated = socket[Symbol.asyncIterator]().next();
  const gone = Object.assign(new Error("recv"), { code: "ENETUNREACH" });
  for (let count = 0; count < 200; count++) handle.sink.onReceiveError(gone);
  const error = await assertRejects(() => waiting, ConnectionClosedError);
  assert(error.cause instanceof Deno.errors.NetworkUnreachable);
  // A loop must not end as if all were well.
  await assertRejects(() => iterated, ConnectionClosedError);
  await assertRejects(() => socket[Symbol.asyncIterator]().next(), ConnectionClosedError);
  assertEquals(handle.calls, ["close"]);
});

Deno.test("UdpSocket that is connected takes datagrams of its peer only", async () => {
  const { handle, socket } = open({ remote: remote("192.0.2.2") });
  const strangers: [string, number][] = [
    ["192.0.2.2", 54],
    ["192.0.2.20", 53],
    ["::ffff:192.0.2.2", 53],
    ["", 53],
  ];
  for (const [hostname, port] of strangers) {
    handle.sink.onDatagram(new Uint8Array([9]), hostname, port);
  }
  handle.sink.onDatagram(new Uint8Array([1]), "192.0.2.2", 53);
  const { bytes, from } = await socket.receive();
  assertEquals(bytes[0], 1);
  assertStrictEquals(from, socket.remoteAddr);
  assertThrows(() => from.port = 54, TypeError);
  assertEquals([socket.stats().foreignCount, socket.stats().receivedCount], [4, 1]);
});

const SPELLINGS: readonly [remote: string, source: string][] = [
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8::1", "2001:db8:0:0:0:0:0:1"],
  ["::ffff:192.0.2.2", "::ffff:c000:202"],
  ["fe80::1%eth0", "fe80::1"],
  ["fe80::1%eth0", "fe80::1%2"],
];

for (const [hostname, source] of SPELLINGS) {
  Deno.test(`UdpSocket connected to ${hostname} knows it as ${source}`, async () => {
    const { handle, socket } = open({ remote: remote(hostname) }, "::");
    handle.sink.onDatagram(new Uint8Array(1), source, 53);
    assertStrictEquals((await socket.receive()).from, socket.remoteAddr);
    const sent = socket.send(new Uint8Array(1));
    handle.sends[0]!.resolve();
    await sent;
    assertEquals(handle.calls, [`send 1 to ${socket.remoteAddr!.hostname} 53`]);
  });
}

Deno.test("UdpSocket bound to a zone puts it back where the system leaves it out", async () => {
  const { handle, socket } = open({ bindAddress: parseIpAddress("fe80::1%eth0")! }, "fe80::1");
  assertEquals(socket.localAddr.hostname, "fe80::1%eth0");
  const sources = ["fe80::2", "febf::2", "fec0::2", "2001:db8::2", "fe80::2%eth1"];
  for (const source of sources) handle.sink.onDatagram(new Uint8Array(1), source, 53);
  const seen: string[] = [];
  for (const _ of sources) seen.push((await socket.receive()).from.hostname);
  const zoned = ["fe80::2%eth0", "febf::2%eth0", "fec0::2", "2001:db8::2", "fe80::2%eth1"];
  assertEquals(seen, zoned);
});

Deno.test("UdpSocket.send() checks every destination that is not the last one", async () => {
  const { handle, socket } = open();
  const send = async (hostname: string, port = 53): Promise<void> => {
    const sent = socket.send(new Uint8Array(1), { transport: "udp", hostname, port });
    handle.sends.at(-1)?.resolve();
    await sent;
  };
  await send("192.0.2.2");
  await assertRejects(() => send("example.com"), TypeError);
  await assertRejects(() => send("example.com"), TypeError);
  await assertRejects(() => send("::1"), TypeError);
  await assertRejects(() => send("192.0.2.2", 0), RangeError);
  await send("192.0.2.2");
  await send("192.0.2.3", 54);
  assertEquals(handle.calls.length, 3);
});

Deno.test("UdpSocket.joinMulticast() hands over what it has checked", async () => {
  const { handle, socket } = open({ multicast: true }, "::");
  const options = { interfaceAddress: "::%eth0", loopback: false };
  await socket.joinMulticast("FF02:0::FB", options);
  await socket.leaveMulticast("ff02::fb", options);
  const json = JSON.stringify(options);
  assertEquals(handle.calls, [`join ff02::fb ${json}`, `leave ff02::fb ${json}`]);
});

const BAD_GROUPS: readonly [
  name: string,
  group: string,
  options: MulticastOptions,
  error: typeof TypeError | typeof RangeError,
][] = [
  ["no group", "192.0.2.9", {}, TypeError],
  ["a name", "all-systems.mcast.net", {}, TypeError],
  ["a group of the other family", "ff02::fb", {}, TypeError],
  ["a name of an interface", "224.0.0.251", { interfaceAddress: "eth0" }, TypeError],
  ["an interface of the other family", "224.0.0.251", { interfaceAddress: "::%1" }, TypeError],
  ["a TTL of 0", "224.0.0.251", { timeToLive: 0 }, RangeError],
  ["a TTL of 256", "224.0.0.251", { timeToLive: 256 }, RangeError],
  ["half a TTL", "224.0.0.251", { timeToLive: 1.5 }, RangeError],
];

for (const [name, group, options, error] of BAD_GROUPS) {
  Deno.test(`UdpSocket.joinMulticast() rejects ${name}`, async () => {
    const { handle, socket } = open({ multicast: true });
    await assertRejects(() => socket.joinMulticast(group, options), error);
    assertEquals(handle.calls, []);
  });
}

Deno.test("UdpSocket.joinMulticast() wants a socket that was made for it", async () => {
  const { handle, socket } = open();
  await assertRejects(() => socket.joinMulticast("224.0.0.251"), TypeError);
  await assertRejects(() => socket.leaveMulticast("224.0.0.251"), TypeError);
  assertEquals(handle.calls, []);
});

Deno.test("UdpSocket.ref() and unref() reach the handle", () => {
  const { handle, socket } = open();
  socket.unref();
  socket.ref();
  assertEquals(handle.calls, ["unref", "ref"]);
});
