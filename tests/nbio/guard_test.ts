import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { checkTimeLeft, Guard } from "../../nbio/guard.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

function setUp(): { clock: ManualClock; wheel: DeadlineWheel; reasons: unknown[]; guard: Guard } {
  const clock = new ManualClock();
  const reasons: unknown[] = [];
  const guard = new Guard((reason) => reasons.push(reason));
  return { clock, wheel: new DeadlineWheel(clock), reasons, guard };
}

Deno.test("Guard tells that time is up, once, with phase and limit", () => {
  const { clock, wheel, reasons, guard } = setUp();
  guard.start("wait", { timeoutMs: 1_000, wheel });
  clock.advance(999);
  assertEquals(reasons, []);
  clock.advance(101);
  clock.advance(10_000);
  assertEquals(reasons.length, 1);
  const [error] = reasons;
  assert(error instanceof TimeoutError);
  assertEquals([error.code, error.phase, error.timeoutMs], ["ERR_NET_TIMEOUT", "wait", 1_000]);
  assertStrictEquals(assertThrows(() => guard.throwIfCancelled()), error);
});

Deno.test("Guard tells that the signal was aborted, with its very reason", () => {
  for (const reason of [new Error("stop"), "text", 0, null]) {
    const { reasons, guard } = setUp();
    const counted = new CountedSignal();
    guard.start("wait", { signal: counted.signal });
    guard.throwIfCancelled();
    counted.abort(reason);
    assertEquals([reasons.length, counted.listenerCount], [1, 0]);
    assertStrictEquals(reasons[0], reason);
    assertStrictEquals(assertThrows(() => guard.throwIfCancelled()), reason);
  }
});

Deno.test("Guard tells only the first of deadline and signal, and takes back the other", () => {
  for (const first of ["deadline", "signal"]) {
    const { clock, wheel, reasons, guard } = setUp();
    const counted = new CountedSignal();
    guard.start("wait", { timeoutMs: 100, wheel, signal: counted.signal });
    if (first === "deadline") clock.advance(200);
    else counted.abort("stop");
    assertEquals([wheel.armedCount, clock.pendingCount, counted.listenerCount], [0, 0, 0]);
    counted.abort("stop");
    clock.advance(200);
    assertEquals(reasons.length, 1);
    assertEquals(reasons[0] === "stop", first === "signal");
  }
});

Deno.test("Guard.stop() leaves nothing behind, twice too", () => {
  const { clock, wheel, reasons, guard } = setUp();
  const counted = new CountedSignal();
  guard.start("wait", { timeoutMs: 100, wheel, signal: counted.signal });
  assertEquals([wheel.armedCount, counted.listenerCount], [1, 1]);
  guard.stop();
  guard.stop();
  assertEquals([wheel.armedCount, clock.pendingCount, counted.listenerCount], [0, 0, 0]);
  counted.abort("stop");
  clock.advance(1_000);
  assertEquals(reasons, []);
  guard.throwIfCancelled();
});

Deno.test("Guard.start() throws before it touches wheel and signal if it is too late", () => {
  const { clock, wheel, reasons, guard } = setUp();
  clock.advance(1_000);
  const counted = new CountedSignal();
  assertThrows(
    () => guard.start("wait", { deadlineMs: 1_000, wheel, signal: counted.signal }),
    TimeoutError,
  );
  counted.abort("stop");
  const thrown = assertThrows(() =>
    guard.start("wait", { timeoutMs: 5, wheel, signal: counted.signal })
  );
  assertEquals(thrown, "stop");
  assertEquals([reasons.length, wheel.armedCount, counted.listenerCount], [0, 0, 0]);
});

Deno.test("Guard adds a description, made when time is up, to the error", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  let description = "early";
  const messages: string[] = [];
  const guard = new Guard((reason) => messages.push((reason as Error).message), {
    describe: () => description,
  });
  guard.start("wait", { timeoutMs: 100, wheel });
  description = "late";
  clock.advance(200);
  assert(messages[0]?.includes("late"));
});

Deno.test("Guard with keepAlive holds the process until the deadline on the shared wheel", async () => {
  // The timer of the wheel alone would let the runtime end here.
  const expired = Promise.withResolvers<unknown>();
  const guards = [1, 2, 3].map((id) =>
    new Guard(() => id === 3 && expired.resolve(undefined), { keepAlive: true })
  );
  for (const [index, guard] of guards.entries()) guard.start("wait", { timeoutMs: 10 + index });
  guards[0]!.stop();
  guards[0]!.stop();
  await expired.promise;
  guards[1]!.stop();
});

const LEFT = [
  { options: {}, leftMs: Infinity },
  { options: { timeoutMs: 0 }, leftMs: Infinity },
  { options: { timeoutMs: Infinity, deadlineMs: Infinity }, leftMs: Infinity },
  { options: { timeoutMs: 5 }, leftMs: 5 },
  { options: { deadlineMs: 1_001 }, leftMs: 1 },
  { options: { deadlineMs: 1_500, timeoutMs: 400 }, leftMs: 400 },
  { options: { deadlineMs: 1_500, timeoutMs: 600 }, leftMs: 500 },
  { options: { deadlineMs: 1_500, timeoutMs: 0 }, leftMs: 500 },
];

for (const { options, leftMs } of LEFT) {
  Deno.test(`checkTimeLeft() with ${Deno.inspect(options)} gives ${leftMs}`, () => {
    const { clock, wheel } = setUp();
    clock.advance(1_000);
    assertEquals(checkTimeLeft("wait", { ...options, wheel }), leftMs);
  });
}

Deno.test("checkTimeLeft() throws once the deadline has come", () => {
  const { clock, wheel } = setUp();
  clock.advance(1_000);
  for (const deadlineMs of [0, 999, 1_000]) {
    const error = assertThrows(() => checkTimeLeft("wait", { deadlineMs, wheel }), TimeoutError);
    assertEquals([error.phase, error.timeoutMs], ["wait", 0]);
  }
});

Deno.test("checkTimeLeft() throws on wrong values, whatever the signal says", () => {
  const signal = AbortSignal.abort();
  for (const value of [-1, NaN, -Infinity]) {
    assertThrows(() => checkTimeLeft("wait", { timeoutMs: value, signal }), RangeError);
    assertThrows(() => checkTimeLeft("wait", { deadlineMs: value, signal }), RangeError);
  }
});
