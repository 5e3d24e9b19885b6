import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { isBounded, type OperationOptions, runOperation } from "../../nbio/operation.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { socketPair } from "../_support/socket_pair.ts";

/** Not an error at all: a reason is passed on as it is. */
const REASON = { text: "enough" };

interface Setup {
  readonly clock: ManualClock;
  readonly wheel: DeadlineWheel;
  readonly counted: CountedSignal;
  readonly client: Transport;
  readonly server: Transport;
  /** Looks whether anything is armed or listened to. */
  readonly checkNothingLeft: () => void;
}

function setUp(): Setup {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const counted = new CountedSignal();
  const [client, server] = memoryPipe();
  return {
    clock,
    wheel,
    counted,
    client,
    server,
    checkNothingLeft(): void {
      assertEquals([wheel.armedCount, clock.pendingCount, counted.listenerCount], [0, 0, 0]);
    },
  };
}

/** What a promise rejects with. */
async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It was fulfilled");
}

/** Whether the peer of a transport sees that it has ended. */
function hasEnded(peer: Transport): Promise<boolean> {
  return isSettled(peer.read(new Uint8Array(1)));
}

Deno.test("runOperation() gives the result, and leaves the transport open and nothing armed", async () => {
  const { wheel, counted, client, server, checkNothingLeft } = setUp();
  const options = { timeoutMs: 1_000, wheel, signal: counted.signal };
  const operation = runOperation(client, "read", options, () => client.read(new Uint8Array(8)));
  assertEquals([wheel.armedCount, counted.listenerCount], [1, 1]);
  await server.write(new Uint8Array(3));
  assertEquals(await operation, 3);
  checkNothingLeft();
  assertEquals(await hasEnded(server), false);
  client.close();
});

Deno.test("runOperation() closes, waits for the operation to end, and only then rejects", async () => {
  const { clock, wheel, client, checkNothingLeft } = setUp();
  const events: string[] = [];
  const ending = Promise.withResolvers<void>();
  const transport = { close: () => void events.push("close") };
  const operation = runOperation(transport, "handshake", { timeoutMs: 1_000, wheel }, async () => {
    await ending.promise;
    events.push("ended");
  });
  const rejected = reasonOf(operation);
  await settle();
  clock.advance(1_200);
  assertEquals([events, await isSettled(rejected)], [["close"], false]);
  ending.resolve();
  const error = await rejected;
  assert(error instanceof TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["handshake", 1_000]);
  assertEquals(events.slice(0, 2), ["close", "ended"]);
  checkNothingLeft();
  client.close();
});

Deno.test("runOperation() rejects with the reason of the signal, untouched", async () => {
  const { counted, client, server, checkNothingLeft } = setUp();
  const options = { signal: counted.signal };
  const operation = runOperation(client, "read", options, () => client.read(new Uint8Array(8)));
  await settle();
  counted.abort(REASON);
  assertStrictEquals(await reasonOf(operation), REASON);
  assertEquals(await hasEnded(server), true);
  checkNothingLeft();
});

for (
  const { name, options } of [
    { name: "its signal is aborted", options: { signal: AbortSignal.abort(REASON) } },
    { name: "its instant is here", options: { deadlineMs: 500 } },
    { name: "its instant has passed", options: { deadlineMs: 1, timeoutMs: 1_000 } },
    { name: "its instant was the first", options: { deadlineMs: 0 } },
  ]
) {
  Deno.test(`runOperation() does not begin if ${name}, but closes`, async () => {
    const { clock, wheel, client, server, checkNothingLeft } = setUp();
    clock.advance(500);
    let callCount = 0;
    const operation = runOperation(client, "read", { wheel, ...options }, () => {
      callCount++;
      return Promise.resolve();
    });
    const error = await reasonOf(operation);
    if (options.signal) assertStrictEquals(error, REASON);
    else assert(error instanceof TimeoutError && error.phase === "read");
    assertEquals([callCount, await hasEnded(server)], [0, true]);
    checkNothingLeft();
  });
}

for (
  const { options, limitMs } of [
    { options: { timeoutMs: 200 }, limitMs: 200 },
    { options: { deadlineMs: 800 }, limitMs: 300 },
    { options: { timeoutMs: 200, deadlineMs: 800 }, limitMs: 200 },
    { options: { timeoutMs: 400, deadlineMs: 800 }, limitMs: 300 },
    { options: { timeoutMs: 0, deadlineMs: 800 }, limitMs: 300 },
    { options: { timeoutMs: 400, deadlineMs: Infinity }, limitMs: 400 },
    { options: { timeoutMs: 0, deadlineMs: Infinity }, limitMs: Infinity },
    { options: { timeoutMs: Infinity }, limitMs: Infinity },
    { options: {}, limitMs: Infinity },
  ]
) {
  Deno.test(`runOperation() at 500 ms with ${Deno.inspect(options)} has ${limitMs} ms`, async () => {
    const { clock, wheel, client, checkNothingLeft } = setUp();
    clock.advance(500);
    const operation = runOperation(client, "read", { wheel, ...options }, () => {
      return client.read(new Uint8Array(8));
    });
    const rejected = reasonOf(operation);
    await settle();
    clock.advance(Math.min(limitMs, 1_000_000) - 1);
    assertEquals(await isSettled(rejected), false);
    // The wheel may be late by one tick.
    clock.advance(101);
    assertEquals(await isSettled(rejected), limitMs !== Infinity);
    if (limitMs === Infinity) client.close();
    const error = await rejected;
    assertEquals(error instanceof TimeoutError ? error.timeoutMs : Infinity, limitMs);
    checkNothingLeft();
  });
}

Deno.test("runOperation() bounds several operations by one instant", async () => {
  const { clock, wheel, client, server } = setUp();
  const options = { deadlineMs: clock.now() + 1_000, wheel };
  const readOne = (): Promise<number | null> =>
    runOperation(client, "read", options, () => client.read(new Uint8Array(1)));
  await server.write(new Uint8Array(2));
  for (let count = 0; count < 2; count++) {
    assertEquals(await readOne(), 1);
    clock.advance(400);
  }
  const rejected = reasonOf(readOne());
  await settle();
  clock.advance(300);
  assert(await rejected instanceof TimeoutError);
});

for (
  const { name, fail } of [
    { name: "rejects", fail: (error: unknown) => Promise.reject(error) },
    {
      name: "throws",
      fail: (error: unknown): never => {
        throw error;
      },
    },
  ]
) {
  Deno.test(`runOperation() closes when its operation ${name}, and passes that on`, async () => {
    const { wheel, counted, client, server, checkNothingLeft } = setUp();
    const failure = new SyntaxError("not understood");
    const options = { timeoutMs: 1_000, wheel, signal: counted.signal };
    const operation = runOperation(client, "read", options, () => fail(failure));
    assertStrictEquals(await reasonOf(operation), failure);
    assertEquals(await hasEnded(server), true);
    checkNothingLeft();
  });
}

Deno.test("runOperation() rejects if it was cancelled in the turn in which it was through", async () => {
  const { counted, client, checkNothingLeft } = setUp();
  const options = { signal: counted.signal };
  const through = Promise.withResolvers<number>();
  const operation = runOperation(client, "read", options, () => through.promise);
  through.resolve(1);
  counted.abort(REASON);
  assertStrictEquals(await reasonOf(operation), REASON);
  checkNothingLeft();
});

Deno.test("runOperation() is not cancelled after it was through", async () => {
  const { clock, wheel, counted, client, server } = setUp();
  const options = { timeoutMs: 1_000, wheel, signal: counted.signal };
  assertEquals(await runOperation(client, "write", options, () => Promise.resolve(5)), 5);
  counted.abort(REASON);
  clock.advance(10_000);
  assertEquals(await hasEnded(server), false);
  client.close();
});

Deno.test("runOperation() takes a transport that was closed already", async () => {
  const { counted, client } = setUp();
  client.close();
  const options = { signal: counted.signal };
  const gate = Promise.withResolvers<void>();
  const operation = runOperation(client, "read", options, () => gate.promise);
  counted.abort(REASON);
  gate.resolve();
  assertStrictEquals(await reasonOf(operation), REASON);
});

Deno.test("runOperation() within another tells which of the two was cancelled", async () => {
  for (const [outerMs, innerMs, phase] of [[100, 1_000, "outer"], [1_000, 100, "inner"]] as const) {
    const { clock, wheel, client, checkNothingLeft } = setUp();
    const read = (): Promise<unknown> => client.read(new Uint8Array(1));
    const inner = (): Promise<unknown> =>
      runOperation(client, "inner", { timeoutMs: innerMs, wheel }, read);
    const operation = runOperation(client, "outer", { timeoutMs: outerMs, wheel }, inner);
    const rejected = reasonOf(operation);
    await settle();
    clock.advance(200);
    const error = await rejected;
    assert(error instanceof TimeoutError);
    assertEquals(error.phase, phase);
    checkNothingLeft();
  }
});

for (const value of [-1, NaN, -Infinity]) {
  Deno.test(`runOperation() rejects a limit of ${value} and does not begin`, async () => {
    const { counted, checkNothingLeft } = setUp();
    for (const limit of [{ timeoutMs: value }, { deadlineMs: value }]) {
      const [client] = memoryPipe();
      let callCount = 0;
      const options = { ...limit, signal: counted.signal };
      const operation = runOperation(client, "read", options, () => {
        callCount++;
        return Promise.resolve();
      });
      await assertRejects(() => operation, RangeError);
      assertEquals(callCount, 0);
    }
    checkNothingLeft();
  });
}

Deno.test("runOperation() ends a read that waits on a socket", async () => {
  const { clock, wheel, checkNothingLeft } = setUp();
  const [client, server] = await socketPair();
  const options = { timeoutMs: 1_000, wheel };
  const rejected = reasonOf(runOperation(client, "read", options, () => {
    return client.read(new Uint8Array(1));
  }));
  await settle();
  clock.advance(1_200);
  assert(await rejected instanceof TimeoutError);
  assertEquals(await server.read(new Uint8Array(1)), null);
  server.close();
  checkNothingLeft();
});

Deno.test("runOperation() ends a write to a socket that nobody reads", async () => {
  const { counted, checkNothingLeft } = setUp();
  const [client, server] = await socketPair();
  const chunk = new Uint8Array(1_000_000);
  const rejected = reasonOf(runOperation(client, "write", { signal: counted.signal }, async () => {
    for (;;) await client.write(chunk);
  }));
  assertEquals(await isSettled(rejected, { turnCount: 200 }), false);
  counted.abort(REASON);
  assertStrictEquals(await rejected, REASON);
  server.close();
  checkNothingLeft();
});

const BOUNDED: readonly [OperationOptions | undefined, boolean][] = [
  [undefined, false],
  [{}, false],
  [{ wheel: new DeadlineWheel(new ManualClock()) }, false],
  [{ timeoutMs: 1 }, true],
  [{ timeoutMs: -1 }, true],
  [{ deadlineMs: 0 }, true],
  [{ signal: new AbortController().signal }, true],
];

for (const [index, [options, bounded]] of BOUNDED.entries()) {
  Deno.test(`isBounded() is ${bounded} for ${Object.keys(options ?? {})} (${index})`, () => {
    assertEquals(isBounded(options), bounded);
  });
}
