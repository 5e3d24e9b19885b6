import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { systemClock } from "../../nbio/clock.ts";
import type { Datagram, DatagramSocket } from "../../nbio/datagram_socket.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import type { DatagramFaults } from "../../nbio/testing_datagram_faults.ts";
import {
  SimulatedNetwork,
  type SimulatedNetworkOptions,
} from "../../nbio/testing_datagram_network.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { isSettled } from "../../nbio/testing_settle.ts";
import type { UdpOptions } from "../../nbio/udp.ts";

interface Rig {
  readonly clock: ManualClock;
  readonly network: SimulatedNetwork;
  readonly a: DatagramSocket;
  readonly b: DatagramSocket;
}

async function setUp(options: SimulatedNetworkOptions = {}, ofB: UdpOptions = {}): Promise<Rig> {
  const clock = new ManualClock();
  const network = new SimulatedNetwork(clock, options);
  const a = await network.bind({ hostname: "10.0.0.1" });
  const b = await network.bind({ hostname: "10.0.0.2", ...ofB });
  return { clock, network, a, b };
}

function udp(hostname: string, port: number): Deno.NetAddr {
  return { transport: "udp", hostname, port };
}

/** What waits at a socket, if anything does. */
async function tryReceive(socket: DatagramSocket): Promise<Datagram | undefined> {
  const controller = new AbortController();
  const receiving = socket.receive({ signal: controller.signal }).catch(() => undefined);
  await isSettled(receiving);
  controller.abort();
  return await receiving;
}

/** The first bytes of everything that waits at a socket. */
async function drain(socket: DatagramSocket): Promise<number[]> {
  const received: number[] = [];
  for (let datagram; (datagram = await tryReceive(socket));) received.push(datagram.bytes[0]!);
  return received;
}

async function sendNumbers(from: DatagramSocket, to: Deno.NetAddr, count: number): Promise<void> {
  for (let number = 0; number < count; number++) await from.send(new Uint8Array([number]), to);
}

Deno.test("SimulatedNetwork without faults carries datagrams whole, in order and at once", async () => {
  const { network, a, b, clock } = await setUp();
  const bytes = new Uint8Array([1, 2, 3]);
  await a.send(bytes, b.localAddr);
  bytes.fill(9);
  await a.send(new Uint8Array(0), b.localAddr);
  const [first, second] = [await b.receive(), await b.receive()];
  assertEquals([first.bytes, first.from], [new Uint8Array([1, 2, 3]), a.localAddr]);
  assertEquals([second.bytes.length, clock.pendingCount, network.inFlightCount], [0, 0, 0]);
  await b.send(new Uint8Array([4]), first.from);
  assertEquals((await a.receive()).from, b.localAddr);
  assertEquals(network.log.map(({ kind, datagram }) => `${kind} ${datagram}`), [
    "send 1",
    "deliver 1",
    "send 2",
    "deliver 2",
    "send 3",
    "deliver 3",
  ]);
  assertEquals(network.log[0], {
    kind: "send",
    atMs: 0,
    datagram: 1,
    from: "10.0.0.1:49152",
    to: "10.0.0.2:49152",
    byteCount: 3,
  });
  network.close();
});

Deno.test("SimulatedNetwork.bind() gives hosts of their own without an address", async () => {
  const network = new SimulatedNetwork(new ManualClock());
  network.host("10.0.0.2");
  const sockets = [
    await network.bind(),
    await network.bind(),
    await network.bind({ hostname: "0.0.0.0", port: 53 }),
    await network.bind({ hostname: "::" }),
    await network.bind({ remote: { hostname: "fd00::99", port: 1 } }),
  ];
  assertEquals(sockets.map(({ localAddr }) => `${localAddr.hostname} ${localAddr.port}`), [
    "10.0.0.1 49152",
    "10.0.0.3 49152",
    "0.0.0.0 53",
    ":: 49152",
    "fd00::6 49152",
  ]);
  await sockets[2]!.send(new Uint8Array(1), sockets[0]!.localAddr);
  assertEquals((await sockets[0]!.receive()).from, udp("10.0.0.4", 53));
  network.close();
});

Deno.test("SimulatedHost.bind() chooses ports, and refuses one that is taken", async () => {
  const network = new SimulatedNetwork(new ManualClock());
  const host = network.host("10.0.0.1", "10.0.0.2", "FD00:0::1");
  assertEquals(host.addresses, ["10.0.0.1", "10.0.0.2", "fd00::1"]);
  const ports = [];
  for (let i = 0; i < 3; i++) ports.push((await host.bind()).localAddr.port);
  assertEquals(ports, [49_152, 49_153, 49_154]);
  await host.bind({ hostname: "10.0.0.1", port: 53 });
  await host.bind({ hostname: "10.0.0.2", port: 53 });
  await host.bind({ hostname: "::", port: 53 });
  const { AddrInUse, AddrNotAvailable } = Deno.errors;
  for (const hostname of ["10.0.0.1", "0.0.0.0", "::", "fd00:0::1"]) {
    await assertRejects(() => host.bind({ hostname, port: 53 }), AddrInUse, undefined, hostname);
  }
  await assertRejects(() => host.bind({ hostname: "10.0.0.1", port: 49_152 }), AddrInUse);
  await assertRejects(() => host.bind({ hostname: "10.0.0.3" }), AddrNotAvailable);
  await assertRejects(() => network.host("10.0.0.9").bind({ hostname: "::" }), AddrNotAvailable);
  network.close();
});

Deno.test("SimulatedHost.bind() can bind again what was closed", async () => {
  const network = new SimulatedNetwork(new ManualClock());
  const host = network.host("10.0.0.1");
  const socket = await host.bind({ port: 53 });
  const shared = { port: 54, reuseAddress: true };
  const sharing = [await host.bind(shared), await host.bind(shared)];
  await assertRejects(() => host.bind({ port: 54 }), Deno.errors.AddrInUse);
  socket.close();
  socket.close();
  sharing[0]!.close();
  await host.bind({ port: 53 });
  await host.bind(shared);
  network.close();
  await host.bind({ port: 54 });
  network.close();
});

Deno.test("SimulatedNetwork gives a datagram to the more particular socket, or the last", async () => {
  const network = new SimulatedNetwork(new ManualClock());
  const host = network.host("10.0.0.1", "10.0.0.2");
  const shared = { port: 53, reuseAddress: true };
  const any = await host.bind(shared);
  const first = await host.bind({ ...shared, hostname: "10.0.0.1" });
  const last = await host.bind({ ...shared, hostname: "10.0.0.1" });
  const client = await network.bind();
  await client.send(new Uint8Array(1), udp("10.0.0.1", 53));
  await client.send(new Uint8Array(1), udp("10.0.0.2", 53));
  last.close();
  await client.send(new Uint8Array(1), udp("10.0.0.1", 53));
  const counts = [];
  for (const socket of [any, first]) counts.push((await drain(socket)).length);
  assertEquals([...counts, network.stats().deliver], [1, 1, 3]);
  network.close();
});

Deno.test("SimulatedNetwork lets vanish what nobody is bound for", async () => {
  const { network, a, b } = await setUp();
  await a.send(new Uint8Array(1), udp("10.0.0.2", 9));
  await a.send(new Uint8Array(1), udp("10.9.9.9", 9));
  const { port } = b.localAddr;
  b.close();
  await a.send(new Uint8Array(1), udp("10.0.0.2", port));
  assertEquals([network.stats().send, network.stats().unreachable], [3, 3]);
  network.close();
});

Deno.test("SimulatedNetwork gives every receiver bytes of its own", async () => {
  const { clock, network, a, b } = await setUp({ duplicateChance: 1, minDelayMs: 10 });
  const bytes = new Uint8Array([1]);
  await a.send(bytes, b.localAddr);
  // They are the sender's again, although they are still on their way.
  bytes[0] = 9;
  clock.advance(10);
  const [first, second] = [await b.receive(), await b.receive()];
  first.bytes[0] = 8;
  assertEquals([first.bytes[0], second.bytes[0]], [8, 1]);
  network.close();
});

Deno.test("SimulatedNetwork delivers to whoever is bound when it arrives", async () => {
  const { clock, network, a } = await setUp({ minDelayMs: 10 });
  await a.send(new Uint8Array([7]), udp("10.0.0.2", 53));
  clock.advance(5);
  const late = await network.bind({ hostname: "10.0.0.2", port: 53 });
  clock.advance(5);
  assertEquals(await drain(late), [7]);
});

Deno.test("SimulatedNetwork filters what a connected socket gets", async () => {
  const { network, a } = await setUp();
  const connected = await network.bind({ remote: a.localAddr });
  const stranger = await network.bind();
  await stranger.send(new Uint8Array([1]), connected.localAddr);
  await a.send(new Uint8Array([2]), connected.localAddr);
  await connected.send(new Uint8Array([3]));
  assertEquals((await connected.receive()).bytes[0], 2);
  assertEquals(connected.stats(), {
    sentCount: 1,
    receivedCount: 1,
    droppedCount: 0,
    foreignCount: 1,
  });
  assertEquals((await a.receive()).from, connected.localAddr);
  network.close();
});

Deno.test("SimulatedNetwork bounds what waits at a socket", async () => {
  const { network, a, b } = await setUp({}, { maxQueuedCount: 3 });
  await sendNumbers(a, b.localAddr, 10);
  assertEquals(b.stats().droppedCount, 7);
  assertEquals(await drain(b), [0, 1, 2]);
  network.close();
});

Deno.test("SimulatedNetwork bounds what is on its way", async () => {
  const { clock, network, a, b } = await setUp({ minDelayMs: 10, maxInFlightCount: 3 });
  await sendNumbers(a, b.localAddr, 10);
  assertEquals([network.inFlightCount, network.stats().overflow], [3, 7]);
  clock.advance(10);
  await a.send(new Uint8Array([10]), b.localAddr);
  clock.advance(10);
  assertEquals(await drain(b), [0, 1, 2, 10]);
  network.close();
});

Deno.test("SimulatedNetwork bounds hosts and sockets", async () => {
  const clock = new ManualClock();
  const network = new SimulatedNetwork(clock, { maxHostCount: 2, maxSocketCount: 2 });
  const host = network.host("10.0.0.1");
  await network.bind();
  const error = assertThrows(() => network.host("10.0.0.9"), LimitExceededError);
  assertEquals([error.limit, error.max], ["maxHostCount", 2]);
  await assertRejects(() => network.bind(), LimitExceededError);
  await host.bind();
  await host.bind();
  const full = await assertRejects(() => host.bind(), LimitExceededError);
  assertEquals(full.limit, "maxSocketCount");
  network.close();
});

Deno.test("SimulatedNetwork delays by the clock, and keeps the order", async () => {
  const { clock, network, a, b } = await setUp({ minDelayMs: 10, maxDelayMs: 50 });
  const arrivalsMs: number[] = [];
  const numbers: number[] = [];
  const receiving = (async () => {
    for await (const { bytes } of b) {
      numbers.push(bytes[0]!);
      arrivalsMs.push(clock.now());
    }
  })();
  await sendNumbers(a, b.localAddr, 20);
  await clock.advanceAsync(9);
  assertEquals(numbers, []);
  await clock.advanceAsync(41);
  assertEquals(numbers, Array.from({ length: 20 }, (_, index) => index));
  assert(arrivalsMs.every((atMs, index) => atMs >= (arrivalsMs[index - 1] ?? 10)));
  assert(new Set(arrivalsMs).size > 2);
  network.close();
  await receiving;
});

Deno.test("SimulatedNetwork reorders, loses and doubles about as often as asked", async () => {
  const faults = { lossChance: 0.2, duplicateChance: 0.1, reorderChance: 0.3, minDelayMs: 5 };
  const { clock, network, a, b } = await setUp(faults, { maxQueuedCount: 0 });
  for (let i = 0; i < 1_000; i++) {
    await a.send(new Uint8Array([i & 255, i >> 8]), b.localAddr);
    clock.advance(1);
  }
  await clock.runUntilIdle();
  const { send, deliver, lose, duplicate, reorder } = network.stats();
  assertEquals(deliver, send - lose + duplicate);
  assert(lose > 150 && lose < 250, `${lose}`);
  assert(duplicate > 50 && duplicate < 110, `${duplicate}`);
  assert(reorder > 190 && reorder < 290, `${reorder}`);
  const order: number[] = [];
  for (let i = 0; i < deliver; i++) {
    const { bytes } = await b.receive();
    order.push(bytes[0]! + 256 * bytes[1]!);
  }
  const backCount = order.filter((number, index) => number < (order[index - 1] ?? 0)).length;
  assert(backCount > 100, `${backCount}`);
  network.close();
});

Deno.test("SimulatedNetwork overtakes a reordered datagram even without any delay", async () => {
  const { clock, network, a, b } = await setUp({ reorderChance: 1, reorderDelayMs: 5 });
  await a.send(new Uint8Array([1]), b.localAddr);
  network.setFaults({ reorderChance: 0 });
  await a.send(new Uint8Array([2]), b.localAddr);
  clock.advance(5);
  assertEquals(await drain(b), [2, 1]);
});

Deno.test("SimulatedNetwork keeps the order when a delay falls away", async () => {
  const { clock, network, a, b } = await setUp({ minDelayMs: 10, maxDelayMs: 10 });
  await a.send(new Uint8Array([1]), b.localAddr);
  network.setFaults({ minDelayMs: 0, maxDelayMs: 0 });
  await a.send(new Uint8Array([2]), b.localAddr);
  assertEquals(network.inFlightCount, 2);
  clock.advance(10);
  await a.send(new Uint8Array([3]), b.localAddr);
  assertEquals(await drain(b), [1, 2, 3]);
});

for (
  const [family, from, to, headerBytes] of [
    ["IPv4", "10.0.0.1", "10.0.0.2", 28],
    ["IPv6", "fd00::1", "fd00::2", 48],
  ] as const
) {
  for (
    const [byteCount, arrives] of [[1_500 - headerBytes, true], [
      1_501 - headerBytes,
      false,
    ]] as const
  ) {
    Deno.test(`SimulatedNetwork with mtuBytes 1500 carries ${byteCount} over ${family}: ${arrives}`, async () => {
      const network = new SimulatedNetwork(new ManualClock(), { mtuBytes: 1_500 });
      const [a, b] = [await network.bind({ hostname: from }), await network.bind({ hostname: to })];
      await a.send(new Uint8Array(byteCount), b.localAddr);
      assertEquals(network.stats()[arrives ? "deliver" : "oversize"], 1);
      network.close();
    });
  }
}

Deno.test("SimulatedNetwork refuses what no datagram can hold", async () => {
  const { network, a, b } = await setUp();
  await a.send(new Uint8Array(65_507), b.localAddr);
  await assertRejects(() => a.send(new Uint8Array(65_508), b.localAddr), RangeError);
  network.close();
});

Deno.test("SimulatedNetwork.setLink() changes one way between two places", async () => {
  const { clock, network, a, b } = await setUp({ minDelayMs: 10, maxDelayMs: 10 });
  network.setLink("10.0.0.1", ["10.0.0.2"], { minDelayMs: 30 });
  await a.send(new Uint8Array(1), b.localAddr);
  await b.send(new Uint8Array(1), a.localAddr);
  clock.advance(29);
  assertEquals([a.stats().receivedCount, network.stats().deliver], [0, 1]);
  clock.advance(1);
  assertEquals(network.stats().deliver, 2);
  network.close();
});

Deno.test("SimulatedNetwork.partition() cuts hosts with all their addresses, until repaired", async () => {
  const clock = new ManualClock();
  const network = new SimulatedNetwork(clock, { minDelayMs: 10 });
  const hosts = ["1", "2", "3"].map((n) => network.host(`10.0.0.${n}`, `10.1.0.${n}`));
  const sockets: DatagramSocket[] = [];
  for (const host of hosts) sockets.push(await host.bind({ port: 9 }));
  const sendAround = async (): Promise<void> => {
    for (const [index, socket] of sockets.entries()) {
      for (const n of [1, 2, 3]) {
        if (n !== index + 1) await socket.send(new Uint8Array(1), udp(`10.1.0.${n}`, 9));
      }
    }
  };
  await sendAround();
  network.partition(hosts[0]!, ["10.0.0.2"]);
  network.partition("10.0.0.1", hosts[2]!);
  // Those on their way between them are lost too.
  clock.advance(10);
  assertEquals([network.stats().deliver, network.stats().cut], [2, 4]);
  network.repair(hosts[0]!, "10.1.0.3");
  await sendAround();
  clock.advance(10);
  assertEquals([network.stats().deliver, network.stats().cut], [2 + 4, 4 + 2]);
  network.repair("10.0.0.1");
  await sendAround();
  clock.advance(10);
  assertEquals([network.stats().deliver, network.stats().cut], [6 + 6, 6]);
  network.partition(hosts, hosts);
  network.repair();
  await sendAround();
  clock.advance(10);
  assertEquals(network.stats().cut, 6);
  network.close();
});

Deno.test("SimulatedNetwork does nothing bad inside a host", async () => {
  const network = new SimulatedNetwork(new ManualClock(), { lossChance: 1, mtuBytes: 48 });
  const host = network.host("10.0.0.1");
  const [a, b] = [
    await host.bind({ hostname: "10.0.0.1" }),
    await host.bind({ hostname: "10.0.0.1" }),
  ];
  await a.send(new Uint8Array(100), b.localAddr);
  await a.send(new Uint8Array(100), a.localAddr);
  assertEquals(network.stats().deliver, 2);
  network.close();
});

Deno.test("SimulatedNetwork.spoof() comes under any name, past faults and partitions", async () => {
  const { clock, network, a, b } = await setUp({ lossChance: 1, mtuBytes: 48 });
  network.partition("10.0.0.1", "10.0.0.2");
  const bytes = new Uint8Array(100);
  network.spoof(a.localAddr, b.localAddr, bytes);
  bytes.fill(1);
  assertEquals(await b.receive(), { bytes: new Uint8Array(100), from: a.localAddr });
  network.spoof(udp("203.0.113.1", 53), b.localAddr, bytes, { delayMs: 20 });
  clock.advance(19);
  assertEquals(b.stats().receivedCount, 1);
  const receiving = b.receive();
  clock.advance(1);
  assertEquals((await receiving).from, udp("203.0.113.1", 53));
  network.spoof(udp("203.0.113.1", 53), udp("10.0.0.9", 1), bytes);
  assertEquals([network.stats().spoof, network.stats().unreachable], [3, 1]);
  network.close();
});

Deno.test("SimulatedNetwork carries groups to their members on every host", async () => {
  const { network, a } = await setUp();
  const group = udp("224.0.0.251", 5_353);
  const options = { port: 5_353, multicast: true, reuseAddress: true };
  const hosts = ["2", "3", "4"].map((n) => network.host(`10.1.0.${n}`));
  const members: DatagramSocket[] = [];
  for (const host of [...hosts, hosts[0]!]) members.push(await host.bind(options));
  const outsider = await hosts[2]!.bind({ ...options, hostname: "10.1.0.4" });
  for (const member of [...members.slice(0, 2), members[3]!, outsider]) {
    await member.joinMulticast(group.hostname);
  }
  await a.send(new Uint8Array([1]), group);
  const received = async (): Promise<string[]> => {
    const lines: string[] = [];
    for (const [index, member] of [...members, outsider].entries()) {
      const datagram = await tryReceive(member);
      if (datagram) lines.push(`${index} ${datagram.bytes[0]} ${datagram.from.hostname}`);
    }
    return lines;
  };
  assertEquals(await received(), ["0 1 10.0.0.1", "1 1 10.0.0.1", "3 1 10.0.0.1"]);
  // Members hear themselves, unless they do not want to.
  await members[0]!.send(new Uint8Array([2]), group);
  assertEquals(await received(), ["0 2 10.1.0.2", "1 2 10.1.0.2", "3 2 10.1.0.2"]);
  await members[0]!.leaveMulticast(group.hostname);
  await members[0]!.joinMulticast(group.hostname, { loopback: false });
  await members[0]!.send(new Uint8Array([3]), group);
  assertEquals(await received(), ["1 3 10.1.0.2"]);
  await members[1]!.leaveMulticast(group.hostname);
  await members[0]!.send(new Uint8Array([4]), group);
  assertEquals(await received(), []);
  const { AddrInUse, AddrNotAvailable } = Deno.errors;
  await assertRejects(() => members[1]!.leaveMulticast(group.hostname), AddrNotAvailable);
  await assertRejects(() => members[0]!.joinMulticast(group.hostname), AddrInUse);
  await assertRejects(() => a.joinMulticast(group.hostname), TypeError);
  network.close();
});

Deno.test("SimulatedNetwork carries groups over IPv6, each member with its own luck", async () => {
  const clock = new ManualClock();
  const network = new SimulatedNetwork(clock, { minDelayMs: 10 });
  const members: DatagramSocket[] = [];
  for (const address of ["fd00::1", "fd00::2", "fd00::3"]) {
    const options = { hostname: "::", port: 5_353, multicast: true };
    const member = await network.host(address).bind(options);
    await member.joinMulticast("ff02::fb%eth0");
    members.push(member);
  }
  network.host("10.0.0.1");
  network.setLink("fd00::1", "fd00::2", { lossChance: 1 });
  network.partition("fd00::2", "fd00::3");
  for (const [index, member] of members.entries()) {
    await member.send(new Uint8Array([index]), udp("ff02::fb", 5_353));
  }
  clock.advance(10);
  const received = [];
  for (const member of members) received.push((await drain(member)).join());
  assertEquals(received, ["0,1,2", "1", "2,0"]);
  const kinds = network.log.filter(({ datagram }) => datagram === 1).map(({ kind }) => kind);
  assertEquals(kinds, ["send", "deliver", "lose", "deliver"]);
  const { NotSupported } = Deno.errors;
  await assertRejects(() => members[0]!.joinMulticast("ff02::1", { timeToLive: 9 }), NotSupported);
  network.close();
});

Deno.test("SimulatedNetwork.close() ends what waits, and can be used again", async () => {
  const { clock, network, a, b } = await setUp({ minDelayMs: 10 });
  await a.send(new Uint8Array(1), b.localAddr);
  const receiving = b.receive();
  network.close();
  await assertRejects(() => receiving, ConnectionClosedError);
  assertEquals([clock.pendingCount, network.inFlightCount], [0, 0]);
  await assertRejects(() => a.send(new Uint8Array(1), b.localAddr), ConnectionClosedError);
  const again = await network.bind({ hostname: "10.0.0.1" });
  network.setFaults({ minDelayMs: 0, maxDelayMs: 0 });
  await again.send(new Uint8Array(1), again.localAddr);
  assertEquals(again.stats().sentCount, 1);
  network.close();
});

Deno.test("SimulatedNetwork goes by the system's clock as well", async () => {
  using network = new SimulatedNetwork(systemClock, { minDelayMs: 2 });
  const [a, b] = [await network.bind(), await network.bind()];
  await a.send(new Uint8Array([5]), b.localAddr);
  assertEquals((await b.receive({ timeoutMs: 5_000 })).bytes[0], 5);
  await a.send(new Uint8Array([6]), b.localAddr);
});

Deno.test("SimulatedNetwork sockets have deadlines and signals, and survive them", async () => {
  const { clock, network, a, b } = await setUp();
  const wheel = new DeadlineWheel(clock);
  const timed = b.receive({ timeoutMs: 1_000, wheel });
  await assertRejects(() => clock.runUntil(timed), TimeoutError);
  const controller = new AbortController();
  const aborted = b.receive({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assertRejects(() => aborted, Error);
  await a.send(new Uint8Array([1]), b.localAddr);
  assertEquals((await b.receive()).bytes[0], 1);
  const signal = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => network.bind({ signal }), Error);
  assertEquals(clock.pendingCount, 0);
  network.close();
});

for (
  const options of [
    { lossChance: 1.1 },
    { duplicateChance: -1 },
    { reorderChance: NaN },
    { reorderDelayMs: 0 },
    { minDelayMs: -1 },
    { minDelayMs: 5, maxDelayMs: 4 },
    { maxDelayMs: Infinity },
    { mtuBytes: 47 },
    { mtuBytes: NaN },
    { maxInFlightCount: 0 },
    { maxHostCount: 0.5 },
    { maxSocketCount: -1 },
    { maxLogCount: -1 },
    { seed: NaN },
  ] satisfies SimulatedNetworkOptions[]
) {
  Deno.test(`SimulatedNetwork throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => new SimulatedNetwork(new ManualClock(), options), RangeError);
  });
}

Deno.test("SimulatedNetwork throws on wrong addresses, ports and delays", async () => {
  const { network, a, b } = await setUp();
  for (const hostname of ["example.com", "10.0.0.256", "0.0.0.0", "224.0.0.1", "ff02::1"]) {
    assertThrows(() => network.host(hostname), TypeError);
    assertThrows(() => network.partition(hostname, "10.0.0.1"), TypeError);
  }
  assertThrows(() => network.host(), TypeError);
  assertThrows(() => network.host("10.0.0.1"), Deno.errors.AddrInUse);
  await assertRejects(() => network.bind({ hostname: "example.com" }), TypeError);
  await assertRejects(() => network.bind({ hostname: "224.0.0.1" }), TypeError);
  await assertRejects(() => network.bind({ port: 65_536 }), RangeError);
  await assertRejects(() => network.bind({ maxQueuedCount: -1 }), RangeError);
  await assertRejects(() => network.bind({ remote: udp("0.0.0.0", 1) }), TypeError);
  await assertRejects(() => network.bind({ remote: udp("10.0.0.1", 0) }), RangeError);
  await assertRejects(
    () => network.bind({ hostname: "10.0.0.5", remote: udp("fd00::1", 1) }),
    TypeError,
  );
  const bytes = new Uint8Array(1);
  assertThrows(() => network.spoof(udp("x", 1), b.localAddr, bytes), TypeError);
  assertThrows(() => network.spoof(udp("fd00::1", 1), b.localAddr, bytes), TypeError);
  assertThrows(() => network.spoof(a.localAddr, udp("10.0.0.2", 0), bytes), RangeError);
  for (const delayMs of [-1, NaN, 0.5]) {
    assertThrows(() => network.spoof(a.localAddr, b.localAddr, bytes, { delayMs }), RangeError);
  }
  network.close();
});

Deno.test("SimulatedNetwork.setFaults() changes nothing if it throws", async () => {
  const { network, a, b } = await setUp();
  assertThrows(() => network.setFaults({ lossChance: 1, minDelayMs: -1 }), RangeError);
  await a.send(new Uint8Array(1), b.localAddr);
  assertEquals(network.stats().deliver, 1);
  network.close();
});

Deno.test("SimulatedNetwork has the same luck on a path, whatever else is sent", async () => {
  const lostOf = async (seed: number, isBusy: boolean): Promise<number[]> => {
    const { network, a, b } = await setUp({ seed, lossChance: 0.5 });
    const other = await network.bind();
    for (let i = 0; i < 50; i++) {
      await a.send(new Uint8Array([i]), b.localAddr);
      if (isBusy) await other.send(new Uint8Array(1), b.localAddr);
    }
    const from = `${a.localAddr.hostname}:${a.localAddr.port}`;
    network.close();
    const mine = network.log.filter((event) => event.from === from && event.kind !== "send");
    return mine.flatMap(({ kind }, index) => kind === "lose" ? [index] : []);
  };
  const lost = await lostOf(1, false);
  assertEquals(await lostOf(1, true), lost);
  assert((await lostOf(2, false)).join() !== lost.join());
});

Deno.test("SimulatedNetwork.log keeps the first entries and counts the rest", async () => {
  const { network, a, b } = await setUp({ maxLogCount: 3 });
  await sendNumbers(a, b.localAddr, 5);
  assertEquals([network.log.length, network.report().split("\n").length], [3, 5]);
  assertEquals(network.stats().deliver, 5);
  network.close();
});

// Stop and wait with retransmission: a file goes over in numbered blocks, the
// receiver acknowledges each one it has.

const BLOCK_BYTES = 100;

async function sendFile(
  socket: DatagramSocket,
  file: Uint8Array,
  wheel: DeadlineWheel,
): Promise<void> {
  const blockCount = Math.ceil(file.length / BLOCK_BYTES);
  // The block behind the last one is empty, and says that it is over.
  for (let number = 0; number <= blockCount; number++) {
    const block = file.subarray(number * BLOCK_BYTES, (number + 1) * BLOCK_BYTES);
    const datagram = new Uint8Array([number, ...block]);
    while (!await isAcknowledged(socket, datagram, wheel));
  }
}

async function isAcknowledged(
  socket: DatagramSocket,
  datagram: Uint8Array,
  wheel: DeadlineWheel,
): Promise<boolean> {
  await socket.send(datagram);
  const deadlineMs = wheel.now() + 100;
  try {
    for (;;) {
      const { bytes } = await socket.receive({ deadlineMs, wheel });
      if (bytes[0] === datagram[0]) return true;
    }
  } catch (error) {
    if (error instanceof TimeoutError) return false;
    throw error;
  }
}

async function receiveFile(socket: DatagramSocket): Promise<Uint8Array> {
  const file: number[] = [];
  let isOver = false;
  let expected = 0;
  // Goes on to acknowledge after the end: the last word may get lost.
  for await (const { bytes, from } of socket) {
    if (bytes[0] === expected && !isOver) {
      file.push(...bytes.subarray(1));
      isOver = bytes.length === 1;
      expected++;
    }
    if (bytes[0]! < expected) await socket.send(bytes.subarray(0, 1), from);
  }
  return Uint8Array.from(file);
}

async function transfer(seed: number, faults: DatagramFaults): Promise<SimulatedNetwork> {
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const network = new SimulatedNetwork(clock, { seed, ...faults });
  const server = await network.bind({ port: 69 });
  const client = await network.bind({ remote: server.localAddr });
  const file = random.bytes(random.int(600));
  const receiving = receiveFile(server);
  const wheel = new DeadlineWheel(clock, { tickMs: 20 });
  await clock.runUntil(sendFile(client, file, wheel));
  network.close();
  assertEquals(await receiving, file);
  assertEquals(clock.pendingCount, 0);
  return network;
}

function faultsOf(seed: number): DatagramFaults {
  const random = new SeededRandom(seed);
  const minDelayMs = random.int(20);
  return {
    lossChance: random.next() * 0.5,
    duplicateChance: random.next() * 0.3,
    reorderChance: random.next() * 0.3,
    reorderDelayMs: random.between(1, 300),
    minDelayMs,
    maxDelayMs: minDelayMs + random.int(100),
  };
}

Deno.test("Stop and wait gets a file over for 1000 seeds, whatever the network does", async () => {
  const counts = { lose: 0, duplicate: 0, reorder: 0 };
  for (let seed = 0; seed < 1_000; seed++) {
    const network = await transfer(seed, faultsOf(seed)).catch((error) => {
      throw new Error(`Failed with seed ${seed}`, { cause: error });
    });
    for (const kind of ["lose", "duplicate", "reorder"] as const) {
      counts[kind] += network.stats()[kind];
    }
  }
  assert(Object.values(counts).every((count) => count > 1_000), Deno.inspect(counts));
});

Deno.test("The same seed twice gives the same log, another seed another one", async () => {
  const reports = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const { log } = await transfer(seed, faultsOf(1));
    const again = await transfer(seed, faultsOf(1));
    assertEquals(again.log, log);
    reports.add(again.report());
  }
  assertEquals(reports.size, 30);
});
