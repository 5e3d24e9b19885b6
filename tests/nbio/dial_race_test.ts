import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { ConnectError } from "../../nbio/connect_error.ts";
import type { DialAddress } from "../../nbio/dial_connect.ts";
import { DialRace, type DialRaceSettings } from "../../nbio/dial_race.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import type { Transport } from "../../nbio/transport.ts";
import { WatchedTransport } from "../_support/cancelling.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

const A1 = "192.0.2.1";
const A2 = "192.0.2.2";
const B1 = "2001:db8::1";
const B2 = "2001:db8::2";
const REFUSED = new Deno.errors.ConnectionRefused("Refused");
const MISSING = new Deno.errors.NotFound("No such name");

/** Lets everything run that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** Something asked for that the test answers. */
interface Request<T> {
  readonly signal: AbortSignal;
  resolve(value: T): void;
  reject(error: unknown): void;
}

function watchedTransport(): WatchedTransport {
  return new WatchedTransport(memoryPipe()[0]);
}

/** A race in virtual time whose resolver and connections the test plays. */
class Stage {
  readonly clock = new ManualClock();
  readonly lookups = new Map<number, Request<readonly string[]>>();
  readonly attempts = new Map<string, Request<Transport>>();
  readonly settings: DialRaceSettings;
  readonly result: Promise<Transport>;
  /** What the race came to, once it has. */
  outcome: { readonly transport: Transport } | { readonly error: unknown } | undefined;

  constructor(settings: Partial<DialRaceSettings> = {}) {
    this.settings = {
      text: "example.com",
      looksUp: true,
      families: [6, 4],
      resolver: {
        lookup: (_host, { family, signal } = {}) => {
          const { promise, ...request } = Promise.withResolvers<readonly string[]>();
          this.lookups.set(family!, { ...request, signal: signal! });
          return promise;
        },
      },
      connect: (address, { signal }) => {
        const { promise, ...request } = Promise.withResolvers<Transport>();
        const { hostname } = address as Deno.NetAddr;
        assert(!this.attempts.has(hostname));
        this.attempts.set(hostname, { ...request, signal });
        return promise;
      },
      toAddress: (hostname): DialAddress => ({ transport: "tcp", hostname, port: 80 }),
      connectTimeoutMs: 10_000,
      resolveTimeoutMs: 5_000,
      attemptDelayMs: 250,
      resolutionDelayMs: 50,
      maxAddresses: 32,
      signal: undefined,
      clock: this.clock,
      ...settings,
    };
    this.result = new DialRace(this.settings).run();
    this.result.then(
      (transport) => this.outcome = { transport },
      (error) => this.outcome = { error },
    );
  }

  get tried(): string[] {
    return [...this.attempts.keys()];
  }

  async answer(family: 4 | 6, addresses: readonly string[] | Error): Promise<void> {
    const request = this.lookups.get(family)!;
    if (addresses instanceof Error) request.reject(addresses);
    else request.resolve(addresses);
    await settle();
  }

  async succeed(address: string): Promise<WatchedTransport> {
    const transport = watchedTransport();
    this.attempts.get(address)!.resolve(transport);
    await settle();
    return transport;
  }

  async fail(address: string, error: unknown = REFUSED): Promise<void> {
    this.attempts.get(address)!.reject(error);
    await settle();
  }

  async pass(durationMs: number): Promise<void> {
    this.clock.advance(durationMs);
    await settle();
  }

  async rejection<T extends Error>(
    // deno-lint-ignore no-explicit-any -- the parameters of a constructor that is never called
    errorClass: new (...args: any[]) => T,
  ): Promise<T> {
    const error = await assertRejects(() => this.result, errorClass);
    this.checkSilence();
    return error;
  }

  /** Nothing may be left once it has ended. */
  checkSilence(): void {
    assertEquals(this.clock.pendingCount, 0);
    for (const { signal } of this.lookups.values()) assert(signal.aborted);
  }
}

Deno.test("DialRace looks both families up at once and gives the very connection", async () => {
  const stage = new Stage();
  assertEquals([...stage.lookups.keys()], [6, 4]);
  await stage.answer(6, [B1]);
  assertEquals(stage.tried, [B1]);
  const transport = await stage.succeed(B1);
  assert(await stage.result === transport);
  stage.checkSilence();
  assertEquals(transport.closeCount, 0);
});

Deno.test("DialRace wins by the second address, one attempt delay after a black hole", async () => {
  const stage = new Stage();
  await stage.answer(6, [B1]);
  await stage.answer(4, [A1]);
  await stage.pass(249);
  assertEquals(stage.tried, [B1]);
  await stage.pass(1);
  assertEquals(stage.tried, [B1, A1]);
  const transport = await stage.succeed(A1);
  assert(await stage.result === transport);
  assertEquals(stage.clock.now(), 250);
  assert(stage.attempts.get(B1)!.signal.aborted);
  assert(!stage.attempts.get(A1)!.signal.aborted);
  stage.checkSilence();
  await stage.fail(B1);
});

Deno.test("DialRace goes on with IPv4 when IPv6 does not answer", async () => {
  const stage = new Stage();
  await stage.answer(4, [A1]);
  assertEquals(stage.tried, []);
  await stage.pass(50);
  assertEquals(stage.tried, [A1]);
  await stage.succeed(A1);
  assert(stage.lookups.get(6)!.signal.aborted);
  await stage.answer(6, [B1]);
  assertEquals(stage.tried, [A1]);
});

Deno.test("DialRace closes what connects after the winner", async () => {
  const stage = new Stage();
  await stage.answer(6, [B1, B2]);
  await stage.pass(250);
  const winner = await stage.succeed(B2);
  const late = await stage.succeed(B1);
  assertEquals([winner.closeCount, late.closeCount], [0, 1]);
  assert(await stage.result === winner);
});

Deno.test("DialRace closes the second of two that connect in the same turn", async () => {
  const stage = new Stage();
  await stage.answer(6, [B1, B2]);
  await stage.pass(250);
  const pair = await Promise.all([stage.succeed(B2), stage.succeed(B1)]);
  assert(await stage.result === pair[0]);
  assertEquals(pair.map(({ closeCount }) => closeCount), [0, 1]);
});

Deno.test("DialRace survives a late connection that cannot be closed", async () => {
  const stage = new Stage();
  await stage.answer(6, [B1, B2]);
  await stage.pass(250);
  await stage.succeed(B2);
  const late = watchedTransport();
  late.close();
  stage.attempts.get(B1)!.resolve(late);
  await settle();
  assertEquals(late.closeCount, 2);
});

Deno.test("DialRace tells every attempt when all fail, in the order in which they began", async () => {
  const stage = new Stage();
  await stage.answer(4, [A1, A2]);
  await stage.answer(6, [B1]);
  const causes = [REFUSED, new Error("unreachable"), new Error("other")];
  await stage.pass(250);
  await stage.fail(A1, causes[1]);
  await stage.fail(B1, causes[0]);
  await stage.fail(A2, causes[2]);
  const error = await stage.rejection(ConnectError);
  assertEquals(error.code, "ERR_NET_CONNECT");
  assertEquals(
    error.attempts,
    [B1, A1, A2].map((hostname, index) => ({
      address: { transport: "tcp" as const, hostname, port: 80 },
      cause: causes[index],
    })),
  );
  assert(error.cause === REFUSED);
});

Deno.test("DialRace takes a connect function that throws for a failed attempt", async () => {
  const stage = new Stage({
    connect: () => {
      throw REFUSED;
    },
  });
  await stage.answer(6, [B1, B2]);
  await stage.answer(4, []);
  const error = await stage.rejection(ConnectError);
  assertEquals(error.attempts.map(({ cause }) => cause), [REFUSED, REFUSED]);
});

for (
  const { name, ipv6, ipv4, causeClass } of [
    { name: "no address", ipv6: [], ipv4: [], causeClass: undefined },
    { name: "an error and no address", ipv6: MISSING, ipv4: [], causeClass: Deno.errors.NotFound },
    { name: "no address and an error", ipv6: [], ipv4: MISSING, causeClass: Deno.errors.NotFound },
    { name: "one error twice", ipv6: MISSING, ipv4: MISSING, causeClass: Deno.errors.NotFound },
    {
      name: "two errors",
      ipv6: MISSING,
      ipv4: new Deno.errors.TimedOut("No answer"),
      causeClass: AggregateError,
    },
    {
      name: "two codes",
      ipv6: Object.assign(new Error("one"), { code: "ONE" }),
      ipv4: Object.assign(new Error("two"), { code: "TWO" }),
      causeClass: AggregateError,
    },
    { name: "what is no address", ipv6: ["example.net"], ipv4: [], causeClass: TypeError },
    { name: "no array", ipv6: null as unknown as [], ipv4: [], causeClass: TypeError },
    { name: "the wrong families", ipv6: [A1], ipv4: [B1], causeClass: undefined },
  ]
) {
  Deno.test(`DialRace rejects when the resolver gives ${name}`, async () => {
    const stage = new Stage();
    await stage.answer(6, ipv6);
    await stage.answer(4, ipv4);
    const error = await stage.rejection(ConnectError);
    assertEquals([error.code, error.attempts.length], ["ERR_NET_RESOLVE", 0]);
    if (causeClass === undefined) assertEquals(error.cause, undefined);
    else assertInstanceOf(error.cause, causeClass);
    assertEquals(stage.tried, []);
  });
}

Deno.test("DialRace goes on with one family when the other cannot be looked up", async () => {
  const stage = new Stage();
  await stage.answer(6, MISSING);
  await stage.answer(4, [A1]);
  await stage.fail(A1);
  const error = await stage.rejection(ConnectError);
  assertEquals([error.code, error.cause], ["ERR_NET_CONNECT", REFUSED]);
});

Deno.test("DialRace takes a resolver that throws for one that rejects", async () => {
  const stage = new Stage({
    resolver: {
      lookup: () => {
        throw MISSING;
      },
    },
  });
  const error = await stage.rejection(ConnectError);
  assert(error.cause === MISSING);
});

Deno.test("DialRace knows an address however it is written", async () => {
  const stage = new Stage();
  await stage.answer(6, ["2001:DB8:0::1", B1, "fe80::1%eth0"]);
  assertEquals(stage.tried, ["fe80::1%eth0"]);
  await stage.fail("fe80::1%eth0");
  await stage.fail(B1);
  await stage.answer(4, []);
  assertEquals((await stage.rejection(ConnectError)).attempts.length, 2);
});

Deno.test("DialRace tries no more than maxAddresses of a resolver that gives thousands", async () => {
  const stage = new Stage({ maxAddresses: 3 });
  await stage.answer(6, Array.from({ length: 5_000 }, (_, i) => `2001:db8::${i.toString(16)}`));
  for (let i = 0; i < 3; i++) await stage.fail(stage.tried.at(-1)!);
  assertEquals((await stage.rejection(ConnectError)).attempts.length, 3);
});

Deno.test("DialRace with one target looks nothing up", async () => {
  const stage = new Stage({ text: "/run/socket", looksUp: false, families: [4] });
  assertEquals([stage.lookups.size, stage.tried], [0, ["/run/socket"]]);
  await stage.fail("/run/socket");
  const error = await stage.rejection(ConnectError);
  assertEquals([error.code, error.attempts.length], ["ERR_NET_CONNECT", 1]);
});

Deno.test("DialRace times out in the phase resolve while nothing is found", async () => {
  const stage = new Stage();
  await stage.answer(6, MISSING);
  await stage.pass(4_999);
  assertEquals(stage.outcome, undefined);
  await stage.pass(1);
  const error = await stage.rejection(TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["resolve", 5_000]);
  assertInstanceOf(error.cause, ConnectError);
  assertEquals(error.cause.code, "ERR_NET_RESOLVE");
  assert(error.cause.cause === MISSING);
  // Too late: nothing is begun any more.
  await stage.answer(4, [A1]);
  assertEquals(stage.tried, []);
});

Deno.test("DialRace calls it resolve when both limits pass at once without an address", async () => {
  const stage = new Stage({ resolveTimeoutMs: 10_000 });
  await stage.pass(10_000);
  assertEquals((await stage.rejection(TimeoutError)).phase, "resolve");
  const unlimited = new Stage({ resolveTimeoutMs: Infinity });
  await unlimited.pass(10_000);
  assertEquals((await unlimited.rejection(TimeoutError)).phase, "resolve");
});

Deno.test("DialRace goes on with what was found when the lookup takes too long", async () => {
  const stage = new Stage({ resolutionDelayMs: Infinity });
  await stage.answer(4, [A1]);
  await stage.pass(4_999);
  assertEquals(stage.tried, []);
  await stage.pass(1);
  assertEquals([stage.tried, stage.lookups.get(6)!.signal.aborted], [[A1], true]);
  await stage.answer(6, [B1]);
  await stage.fail(A1);
  const error = await stage.rejection(ConnectError);
  assertEquals([error.code, error.attempts.length], ["ERR_NET_CONNECT", 1]);
});

Deno.test("DialRace times out in the phase connect, and tells what was tried", async () => {
  const stage = new Stage();
  await stage.answer(6, [B1, B2]);
  await stage.answer(4, [A1]);
  await stage.fail(B1);
  await stage.pass(9_999);
  assertEquals(stage.outcome, undefined);
  await stage.pass(1);
  const error = await stage.rejection(TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["connect", 10_000]);
  assertInstanceOf(error.cause, ConnectError);
  const { code, attempts } = error.cause;
  assertEquals(code, "ERR_NET_CONNECT");
  assertEquals(attempts.map(({ address }) => (address as Deno.NetAddr).hostname), [B1, A1, B2]);
  assert(attempts[0]!.cause === REFUSED);
  // Those without an answer say how long they had waited.
  const waits = attempts.slice(1).map(({ cause }) => (cause as TimeoutError).timeoutMs);
  assertEquals(waits, [10_000, 9_750]);
  for (const address of [A1, B2]) {
    assert(stage.attempts.get(address)!.signal.aborted);
    assertEquals((await stage.succeed(address)).closeCount, 1);
  }
});

Deno.test("DialRace without limits sets no timer but the machine's", async () => {
  const stage = new Stage({ connectTimeoutMs: Infinity, resolveTimeoutMs: Infinity });
  assertEquals(stage.clock.pendingCount, 0);
  await stage.answer(6, [B1]);
  assertEquals(stage.clock.pendingCount, 0);
  await stage.answer(4, [A1]);
  assertEquals(stage.clock.pendingCount, 1);
  await stage.pass(1e9);
  assertEquals([stage.tried, stage.clock.pendingCount], [[B1, A1], 0]);
  await stage.succeed(A1);
  await stage.result;
});

Deno.test("DialRace sets no timer longer than the runtime knows", async () => {
  const delays: number[] = [];
  const clock = new ManualClock();
  const setTimer = clock.setTimer.bind(clock);
  clock.setTimer = (callback, delayMs): unknown => {
    delays.push(delayMs);
    return setTimer(callback, delayMs);
  };
  // An instant at which the sum of it and the delay is rounded up.
  clock.advance(11 / 7);
  const resolutionDelayMs = 2 ** 31 - 1;
  const stage = new Stage({ clock, resolutionDelayMs, connectTimeoutMs: resolutionDelayMs });
  await stage.answer(4, [A1]);
  assertEquals(Math.max(...delays), resolutionDelayMs);
  clock.advance(resolutionDelayMs);
  await stage.rejection(TimeoutError);
});

/** A whole race, step by step: every gap between two steps is a point to cancel at. */
const STEPS: readonly ((stage: Stage) => Promise<unknown>)[] = [
  (stage) => stage.answer(4, [A1, A2]),
  (stage) => stage.pass(49),
  (stage) => stage.pass(1),
  (stage) => stage.answer(6, [B1, B2]),
  (stage) => stage.pass(249),
  (stage) => stage.pass(1),
  (stage) => stage.fail(B1),
  (stage) => stage.fail(A1),
  (stage) => stage.pass(300),
  (stage) => stage.fail(A2),
];

for (let stepCount = 0; stepCount <= STEPS.length; stepCount++) {
  Deno.test(`DialRace leaves nothing behind when aborted after step ${stepCount}`, async () => {
    const counted = new CountedSignal();
    const stage = new Stage({ signal: counted.signal });
    for (const step of STEPS.slice(0, stepCount)) await step(stage);
    assertEquals([stage.outcome, counted.listenerCount], [undefined, 1]);
    const reason = { any: "value" };
    counted.abort(reason);
    const triedCount = stage.tried.length;
    await settle();
    assert((stage.outcome as { error: unknown }).error === reason);
    assertEquals(counted.listenerCount, 0);
    stage.checkSilence();
    // All that was under way is told, and comes too late.
    for (const [address, { signal }] of stage.attempts) {
      const transport = await stage.succeed(address);
      assertEquals(transport.closeCount, signal.aborted ? 1 : 0);
    }
    await stage.answer(6, [B1]);
    await stage.answer(4, [A1]);
    await stage.pass(100_000);
    assertEquals(stage.tried.length, triedCount);
  });
}

Deno.test("DialRace listens to its signal no longer than it runs", async () => {
  const counted = new CountedSignal();
  const won = new Stage({ signal: counted.signal });
  await won.answer(6, [B1]);
  await won.succeed(B1);
  const lost = new Stage({ signal: counted.signal });
  await lost.answer(6, []);
  await lost.answer(4, []);
  await lost.rejection(ConnectError);
  assertEquals(counted.listenerCount, 0);
});

for (const when of ["lookup", "connect"]) {
  Deno.test(`DialRace ends when its signal is aborted in the middle of a call of ${when}`, async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const abort = <T>(): Promise<T> => {
      controller.abort(reason);
      return new Promise(() => {});
    };
    let lookupCount = 0;
    const clock = new ManualClock();
    const stage = new Stage({
      clock,
      signal: controller.signal,
      resolver: {
        lookup: () => {
          lookupCount++;
          return when === "lookup" ? abort() : Promise.resolve([B1]);
        },
      },
      connect: abort,
    });
    await settle();
    assert((stage.outcome as { error: unknown }).error === reason);
    assertEquals(clock.pendingCount, 0);
    assertEquals(lookupCount, when === "lookup" ? 1 : 2);
  });
}

/** Plays a random race to its end, whatever that is, and cleans up behind it. */
async function playRandomly(random: SeededRandom): Promise<void> {
  const controller = new AbortController();
  const stage = new Stage({
    signal: controller.signal,
    maxAddresses: 1 + random.int(5),
    attemptDelayMs: 10 + random.int(300),
    resolutionDelayMs: random.int(100),
  });
  const open = { lookups: new Set<4 | 6>([4, 6]), attempts: new Set<string>() };
  const seen = new Set<string>();
  const made: WatchedTransport[] = [];
  const playOne = async (): Promise<void> => {
    for (const address of stage.tried) if (!seen.has(address)) open.attempts.add(address);
    for (const address of open.attempts) seen.add(address);
    const choice = random.int(12);
    const [family] = open.lookups;
    if (choice === 0) controller.abort(REFUSED);
    else if (choice < 4) await stage.pass(random.int(400));
    else if (choice < 6 && family !== undefined) {
      open.lookups.delete(family);
      const pool = family === 4 ? [A1, A2] : [B1, B2];
      await stage.answer(family, random.int(3) === 0 ? MISSING : pool.slice(random.int(3)));
    } else if (open.attempts.size > 0) {
      const address = random.pick([...open.attempts]);
      open.attempts.delete(address);
      if (random.int(3) === 0) made.push(await stage.succeed(address));
      else await stage.fail(address);
    }
  };
  for (let turn = 0; turn < 40; turn++) await playOne();
  await stage.pass(20_000);
  const { outcome } = stage;
  assert(outcome !== undefined, "its own limits end it at the latest");
  for (const address of open.attempts) made.push(await stage.succeed(address));
  stage.checkSilence();
  for (const transport of made) {
    const isResult = "transport" in outcome && outcome.transport === transport;
    assertEquals(transport.closeCount, isResult ? 0 : 1);
  }
}

Deno.test("DialRace gives one connection or one error and closes the rest in 500 random runs", async () => {
  for (let seed = 0; seed < 500; seed++) {
    try {
      await playRandomly(new SeededRandom(seed));
    } catch (error) {
      throw new Error(`Seed ${seed}`, { cause: error });
    }
  }
});
