import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { delay } from "@std/async/delay";
import { ConnectError } from "../../nbio/connect_error.ts";
import { dial, type DialOptions } from "../../nbio/dial.ts";
import { connect } from "../../nbio/dial_connect.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import type { HostResolver } from "../../nbio/host_resolver.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { Transport } from "../../nbio/transport.ts";
import { BlackHole, noBlackHole } from "../_support/black_hole.ts";
import { eventually, runPeer } from "../_support/peer.ts";

/** A resolver with one answer for every name. */
function resolverOf(ipv6: readonly string[], ipv4: readonly string[]): HostResolver {
  return { lookup: (_host, { family } = {}) => Promise.resolve(family === 6 ? ipv6 : ipv4) };
}

function listenOn(hostname: string): Deno.TcpListener {
  return Deno.listen({ hostname, port: 0 });
}

/** A port at which nobody listens any more. */
function closedPort(): number {
  using listener = listenOn("127.0.0.1");
  return listener.addr.port;
}

/** Whether this machine has an IPv6 loopback interface. */
function hasIpv6(): boolean {
  try {
    listenOn("::1").close();
    return true;
  } catch {
    return false;
  }
}

const noIpv6 = !hasIpv6();

/** Checks that the two ends are connected, and closes both. */
async function checkEcho(transport: Transport, listener: Deno.Listener): Promise<void> {
  const peer = await listener.accept();
  await transport.write(new Uint8Array([1, 2, 3]));
  assertEquals(await peer.read(new Uint8Array(8)), 3);
  transport.close();
  assertEquals(await peer.read(new Uint8Array(8)), null);
  peer.close();
}

Deno.test("dial() connects to an IPv4 address, by default on this machine", async () => {
  using listener = listenOn("127.0.0.1");
  const { port } = listener.addr;
  for (const options of [{ port }, { hostname: "127.0.0.1", port, family: 4 as const }]) {
    await checkEcho(await dial(options), listener);
  }
});

Deno.test({
  name: "dial() connects to an IPv6 address, in brackets or not",
  ignore: noIpv6,
  async fn() {
    using listener = listenOn("::1");
    const { port } = listener.addr;
    for (const hostname of ["::1", "[::1]", "0:0::1"]) {
      await checkEcho(await dial({ hostname, port }), listener);
    }
  },
});

Deno.test("dial() connects to a name, through the system and through a resolver", async () => {
  using listener = listenOn("127.0.0.1");
  const { port } = listener.addr;
  await checkEcho(await dial({ hostname: "localhost", port }), listener);
  await checkEcho(await dial({ hostname: "localhost", port, family: 4 }), listener);
  const resolver = resolverOf([], ["127.0.0.1"]);
  await checkEcho(await dial({ hostname: "db.internal", port, resolver }), listener);
});

Deno.test({
  name: "dial() connects to a Unix socket",
  ignore: Deno.build.os === "windows",
  async fn() {
    const directory = await Deno.makeTempDir();
    const path = `${directory}/socket`;
    using listener = Deno.listen({ transport: "unix", path });
    await checkEcho(await dial({ path }), listener);
    const missing = `${directory}/missing`;
    const error = await assertRejects(() => dial({ path: missing }), ConnectError);
    assertEquals([error.code, error.attempts.length], ["ERR_NET_CONNECT", 1]);
    assertEquals(error.attempts[0]!.address, { transport: "unix", path: missing });
    assertInstanceOf(error.cause, Deno.errors.NotFound);
    await assertRejects(() => dial({ path, family: 4 }), TypeError);
    await Deno.remove(directory, { recursive: true });
  },
});

Deno.test("dial() tells of every attempt as it begins, and of none before the lookup", async () => {
  const seen: string[] = [];
  const transport = await dial({
    hostname: "db.test",
    port: 80,
    resolver: {
      lookup: (_host, { family } = {}) => {
        seen.push(`lookup ${family}`);
        return Promise.resolve(family === 4 ? ["192.0.2.1", "192.0.2.2"] : []);
      },
    },
    onAttempt: (address) => seen.push(`attempt ${(address as Deno.NetAddr).hostname}`),
    connect: (address) => {
      const { hostname } = address as Deno.NetAddr;
      seen.push(`connect ${hostname}`);
      return hostname === "192.0.2.1"
        ? Promise.reject(new Deno.errors.ConnectionRefused())
        : Promise.resolve(memoryPipe()[0]);
    },
  });
  assertEquals(seen, [
    "lookup 6",
    "lookup 4",
    "attempt 192.0.2.1",
    "connect 192.0.2.1",
    "attempt 192.0.2.2",
    "connect 192.0.2.2",
  ]);
  transport.close();
});

Deno.test("dial() fails an attempt for what its observer throws", async () => {
  const cause = new Error("not this one");
  const error = await assertRejects(
    () =>
      dial({
        hostname: "192.0.2.1",
        port: 80,
        onAttempt: () => {
          throw cause;
        },
      }),
    ConnectError,
  );
  assertStrictEquals(error.cause, cause);
});

Deno.test("dial() rejects when the only address refuses", async () => {
  const port = closedPort();
  const error = await assertRejects(() => dial({ hostname: "127.0.0.1", port }), ConnectError);
  assertEquals(error.code, "ERR_NET_CONNECT");
  assertEquals(error.attempts.map(({ address }) => address), [
    { transport: "tcp", hostname: "127.0.0.1", port },
  ]);
  assertInstanceOf(error.cause, Deno.errors.ConnectionRefused);
});

Deno.test("dial() rejects when an address cannot be reached", async () => {
  // No stream goes to the broadcast address: the system refuses without asking the network.
  const error = await assertRejects(
    () => dial({ hostname: "255.255.255.255", port: 80 }),
    ConnectError,
  );
  assertEquals([error.code, error.attempts.length], ["ERR_NET_CONNECT", 1]);
  assertInstanceOf(error.attempts[0]!.cause, Error);
});

Deno.test("dial() rejects for a name that does not exist", async () => {
  const error = await assertRejects(
    () => dial({ hostname: "nobody.invalid", port: 80 }),
    ConnectError,
  );
  assertEquals([error.code, error.attempts.length], ["ERR_NET_RESOLVE", 0]);
  assertInstanceOf(error.cause, Deno.errors.NotFound);
});

Deno.test({
  name: "dial() goes on with IPv4 at once when IPv6 refuses",
  ignore: noIpv6,
  async fn() {
    using listener = listenOn("127.0.0.1");
    const { port } = listener.addr;
    // No time passes on this clock: only the failure can have begun the second attempt.
    const clock = new ManualClock();
    const resolver = resolverOf(["::1"], ["127.0.0.1"]);
    await checkEcho(await dial({ hostname: "example.com", port, resolver, clock }), listener);
  },
});

/** A black hole on `[::1]` and a listener on 127.0.0.1, at one port. */
async function openHalfDeadHost(): Promise<{ hole: BlackHole; listener: Deno.TcpListener }> {
  for (let round = 0;; round++) {
    const hole = await BlackHole.open("::1");
    try {
      return { hole, listener: Deno.listen({ hostname: "127.0.0.1", port: hole.port }) };
    } catch (error) {
      // Somebody else has this port on the other interface.
      hole[Symbol.dispose]();
      if (!(error instanceof Deno.errors.AddrInUse) || round === 10) throw error;
    }
  }
}

Deno.test({
  name: "dial() goes on with IPv4 after the attempt delay when IPv6 does not answer",
  ignore: noIpv6 || noBlackHole,
  async fn() {
    const { hole, listener } = await openHalfDeadHost();
    const resolver = resolverOf(["::1"], ["127.0.0.1"]);
    const startMs = performance.now();
    const transport = await dial({ hostname: "example.com", port: hole.port, resolver });
    const elapsedMs = performance.now() - startMs;
    await checkEcho(transport, listener);
    listener.close();
    hole[Symbol.dispose]();
    assert(elapsedMs > 245 && elapsedMs < 2_500, `${elapsedMs} ms`);
  },
});

Deno.test({
  name: "dial() times out when no address answers",
  ignore: noBlackHole,
  async fn() {
    using hole = await BlackHole.open();
    const clock = new ManualClock();
    const dialling = dial({ port: hole.port, clock });
    await Promise.resolve();
    clock.advance(10_000);
    const error = await assertRejects(() => dialling, TimeoutError);
    assertEquals([error.phase, error.timeoutMs], ["connect", 10_000]);
    assertInstanceOf(error.cause, ConnectError);
    assertEquals(error.cause.attempts.length, 1);
    assertEquals(clock.pendingCount, 0);
  },
});

Deno.test({
  name: "dial() times out in real time",
  ignore: noBlackHole,
  async fn() {
    using hole = await BlackHole.open();
    const error = await assertRejects(
      () => dial({ port: hole.port, connectTimeoutMs: 20 }),
      TimeoutError,
    );
    assertEquals([error.phase, error.timeoutMs], ["connect", 20]);
  },
});

Deno.test({
  name: "dial() rejects with the reason of its signal while nobody answers",
  ignore: noBlackHole,
  async fn() {
    using hole = await BlackHole.open();
    const controller = new AbortController();
    const dialling = dial({ port: hole.port, signal: controller.signal });
    const reason = { any: "value" };
    controller.abort(reason);
    assert(await dialling.catch((error) => error) === reason);
  },
});

Deno.test("dial() closes a real connection that comes after the abort", async () => {
  using listener = listenOn("127.0.0.1");
  const controller = new AbortController();
  const connected = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const dialling = dial({
    port: listener.addr.port,
    signal: controller.signal,
    // Does not care about the signal it is given.
    async connect(address) {
      const transport = await connect(address, { signal: new AbortController().signal });
      connected.resolve();
      await gate.promise;
      return transport;
    },
  });
  const peer = await listener.accept();
  await connected.promise;
  const reason = new Error("enough");
  controller.abort(reason);
  assert(await dialling.catch((error) => error) === reason);
  gate.resolve();
  assertEquals(await peer.read(new Uint8Array(1)), null);
  peer.close();
});

Deno.test({
  name: "dial() closes a real connection that comes after the winner",
  ignore: noIpv6,
  async fn() {
    using slow = listenOn("::1");
    using quick = listenOn("127.0.0.1");
    const gate = Promise.withResolvers<void>();
    const transport = await dial({
      hostname: "example.com",
      port: 1,
      attemptDelayMs: 10,
      resolver: resolverOf(["::1"], ["127.0.0.1"]),
      async connect(address, options) {
        const { hostname } = address as Deno.NetAddr;
        const { port } = hostname === "::1" ? slow.addr : quick.addr;
        const transport = await connect({ transport: "tcp", hostname, port }, options);
        if (hostname === "::1") await gate.promise;
        return transport;
      },
    });
    const loser = await slow.accept();
    gate.resolve();
    assertEquals(await loser.read(new Uint8Array(1)), null);
    loser.close();
    await checkEcho(transport, quick);
  },
});

Deno.test("dial() rejects with the reason of a signal that is aborted already", async () => {
  const reason = new Error("enough");
  const connect = (): never => {
    throw new Error("Not to be called");
  };
  const signal = AbortSignal.abort(reason);
  const error = await dial({ port: 80, connect, signal }).catch((error) => error);
  assert(error === reason);
});

for (const [hostname, family] of [["127.0.0.1", 6], ["::1", 4]] as const) {
  Deno.test(`dial() finds no address of family ${family} in ${hostname}`, async () => {
    const error = await assertRejects(() => dial({ hostname, port: 80, family }), ConnectError);
    assertEquals([error.code, error.attempts.length], ["ERR_NET_RESOLVE", 0]);
  });
}

for (const family of [4, 6] as const) {
  Deno.test(`dial() looks up and tries nothing but family ${family} when told so`, async () => {
    const asked: unknown[] = [];
    const resolver: HostResolver = {
      lookup: (_host, { family } = {}) => {
        asked.push(family);
        return Promise.resolve(["192.0.2.1", "2001:db8::1"]);
      },
    };
    const tried: unknown[] = [];
    const connect = (address: Deno.Addr): Promise<Transport> => {
      tried.push((address as Deno.NetAddr).hostname);
      return Promise.reject(new Error("no"));
    };
    const options = { hostname: "example.com", port: 80, family, resolver, connect };
    await assertRejects(() => dial(options), ConnectError);
    assertEquals([asked, tried], [[family], [family === 4 ? "192.0.2.1" : "2001:db8::1"]]);
  });
}

const BAD_OPTIONS: readonly DialOptions[] = [
  { port: 0 },
  { port: 80, family: 5 as 4 },
  { port: 80, connectTimeoutMs: -1 },
  { port: 80, connectTimeoutMs: NaN },
  { port: 80, connectTimeoutMs: 2 ** 31 },
  { port: 80, resolveTimeoutMs: -1 },
  { port: 80, attemptDelayMs: 9 },
  { port: 80, resolutionDelayMs: -1 },
  { port: 80, maxAddresses: 0 },
];

for (const options of BAD_OPTIONS) {
  Deno.test(`dial() throws on ${Deno.inspect(options)}`, async () => {
    await assertRejects(() => dial(options), RangeError);
  });
}

Deno.test("dial() throws when it is not told where to", async () => {
  await assertRejects(() => dial({}), TypeError);
  await assertRejects(() => dial({ hostname: "127.1", port: 80 }), TypeError);
});

Deno.test("dial() has no limit with 0 and Infinity, and takes the longest timer", async () => {
  using listener = listenOn("127.0.0.1");
  const { port } = listener.addr;
  for (const connectTimeoutMs of [0, Infinity, 2 ** 31 - 1]) {
    const clock = new ManualClock();
    await checkEcho(await dial({ port, connectTimeoutMs, clock }), listener);
    assertEquals(clock.pendingCount, 0);
  }
});

Deno.test("dial() leaves no attempt open when many are dialled and dropped", async () => {
  using listener = listenOn("127.0.0.1");
  const { port } = listener.addr;
  let openCount = 0;
  const accepting = (async () => {
    for await (const peer of listener) {
      openCount++;
      peer.read(new Uint8Array(1)).catch(() => {}).finally(() => {
        openCount--;
        peer.close();
      });
    }
  })();
  await Promise.allSettled(Array.from({ length: 100 }, async (_, index) => {
    const controller = new AbortController();
    const dialling = dial({ port, signal: controller.signal });
    // At every stage that a connection to this machine has, and after it.
    for (let turn = 0; turn < index % 10; turn++) await Promise.resolve();
    for (let turn = 0; turn < index % 4; turn++) await delay(0);
    controller.abort();
    (await dialling).close();
  }));
  assert(await eventually(() => openCount === 0));
  listener.close();
  await accepting;
});

interface ProgramResult {
  readonly remote?: string;
  readonly code?: string;
  readonly tried?: readonly string[];
  readonly causes?: readonly string[];
}

/** Runs `dial_by_name.ts` with one permission. */
async function dialElsewhere(allowNet: string, host: string, port: number): Promise<ProgramResult> {
  const program = new URL("./dial_by_name.ts", import.meta.url).pathname;
  const flags = ["run", "--no-prompt", "--quiet", allowNet];
  const { code, text, stderr } = await runPeer(
    Deno.execPath(),
    [...flags, program, host, String(port)],
  );
  assertEquals(code, 0, stderr);
  return JSON.parse(text);
}

Deno.test("dial() lets the runtime connect where only the name is permitted", async () => {
  using listener = listenOn("127.0.0.1");
  const { port } = listener.addr;
  for (const allowed of [`localhost:${port}`, "localhost"]) {
    const result = await dialElsewhere(`--allow-net=${allowed}`, "localhost", port);
    assertEquals(result, { remote: "127.0.0.1" });
    (await listener.accept()).close();
  }
  const refused = closedPort();
  assertEquals(await dialElsewhere("--allow-net=localhost", "localhost", refused), {
    code: "ERR_NET_CONNECT",
    tried: ["localhost"],
    causes: ["ConnectionRefused"],
  });
});

Deno.test("dial() does what is permitted, and says what is not", async () => {
  const port = closedPort();
  const everything = await dialElsewhere("--allow-net", "localhost", port);
  assert(everything.tried!.includes("127.0.0.1"));
  const address = await dialElsewhere(`--allow-net=127.0.0.1:${port}`, "127.0.0.1", port);
  assertEquals([address.tried, address.causes], [["127.0.0.1"], ["ConnectionRefused"]]);
  const nothing = await dialElsewhere("--allow-net=example.com", "localhost", port);
  assertEquals(nothing, {
    code: "ERR_NET_CONNECT",
    tried: ["localhost"],
    causes: ["NotCapable"],
  });
});
