import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { HandshakeGate } from "../../tls/handshake_gate.ts";

function open(max: number): { clock: ManualClock; gate: HandshakeGate } {
  const clock = new ManualClock();
  return { clock, gate: new HandshakeGate(max, new DeadlineWheel(clock)) };
}

Deno.test("HandshakeGate.enter() lets so many in, the next when one has left", async () => {
  const { clock, gate } = open(2);
  const places = await Promise.all([0, 1].map(() => gate.enter(new AbortController())));
  const third = gate.enter(new AbortController());
  assertEquals(gate.runningCount, 2);
  places[0]![Symbol.dispose]();
  const place = await third;
  assertEquals(gate.runningCount, 2);
  place[Symbol.dispose]();
  places[1]![Symbol.dispose]();
  assertEquals([gate.runningCount, clock.pendingCount], [0, 0]);
});

Deno.test("HandshakeGate gives up the oldest after a second, if others wait", async () => {
  const { clock, gate } = open(2);
  const [old, young] = [new AbortController(), new AbortController()];
  const oldPlace = await gate.enter(old);
  clock.advance(600);
  const youngPlace = await gate.enter(young);
  clock.advance(5_000);
  // Nobody waits: they may take their time.
  assertEquals([old.signal.aborted, young.signal.aborted], [false, false]);
  const waiting = gate.enter(new AbortController());
  clock.advance(200);
  assert(old.signal.reason instanceof LimitExceededError);
  assertEquals(young.signal.aborted, false);
  oldPlace[Symbol.dispose]();
  const place = await waiting;
  for (const each of [youngPlace, place]) each[Symbol.dispose]();
  assertEquals(clock.pendingCount, 0);
});

Deno.test("HandshakeGate.enter() waits no longer than it is told, and can be aborted", async () => {
  const { clock, gate } = open(1);
  const place = await gate.enter(new AbortController());
  const late = assertRejects(() => gate.enter(new AbortController(), 500), TimeoutError);
  clock.advance(700);
  await late;
  const controller = new AbortController();
  const aborted = assertRejects(() => gate.enter(controller));
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await aborted, reason);
  place[Symbol.dispose]();
  assertThrows(() => open(0), RangeError);
});

Deno.test("HandshakeGate forgives handshakes the time in which the process was busy", async () => {
  let nowMs = 0;
  const timers = new Set<() => void>();
  const run = (): void => {
    const due = [...timers];
    timers.clear();
    for (const callback of due) callback();
  };
  const gate = new HandshakeGate(
    1,
    new DeadlineWheel({
      now: () => nowMs,
      wallNow: () => nowMs,
      setTimer: (callback) => {
        timers.add(callback);
        return callback;
      },
      clearTimer: (timer) => void timers.delete(timer as () => void),
    }),
  );
  const running = new AbortController();
  const place = await gate.enter(running);
  const waiting = gate.enter(new AbortController());
  // Nothing could run for three seconds.
  nowMs = 3_000;
  run();
  assertEquals(running.signal.aborted, false);
  for (; nowMs < 3_900; nowMs += 50) run();
  assertEquals(running.signal.aborted, false);
  for (; nowMs < 4_400; nowMs += 50) run();
  assert(running.signal.reason instanceof LimitExceededError);
  place[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
});
