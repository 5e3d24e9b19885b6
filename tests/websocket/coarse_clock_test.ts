import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Clock } from "../../nbio/clock.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { CoarseClock, coarseClockOf } from "../../websocket/coarse_clock.ts";

const TICK_MS = 100;

function make(): {
  clock: CoarseClock;
  manual: ManualClock;
  wheel: DeadlineWheel;
  asked: () => number;
} {
  const manual = new ManualClock();
  let count = 0;
  const counted: Clock = {
    now: () => (count++, manual.now()),
    wallNow: () => manual.wallNow(),
    setTimer: (callback, delayMs) => manual.setTimer(callback, delayMs),
    clearTimer: (timer) => manual.clearTimer(timer),
  };
  const wheel = new DeadlineWheel(counted, { tickMs: TICK_MS });
  return { clock: new CoarseClock(wheel), manual, wheel, asked: () => count };
}

Deno.test("CoarseClock.now() is no older than two ticks, and never goes back", () => {
  const { clock, manual } = make();
  clock.join();
  let last = 0;
  for (let round = 0; round < 1_000; round++) {
    manual.advance(7);
    const nowMs = clock.now();
    assertEquals(nowMs >= last && nowMs <= manual.now(), true);
    assertEquals(manual.now() - nowMs <= 2 * TICK_MS, true);
    last = nowMs;
  }
  clock.leave();
});

Deno.test("CoarseClock.now() asks once for many", () => {
  const { clock, asked } = make();
  clock.join();
  clock.now();
  const before = asked();
  for (let round = 0; round < 1_000; round++) clock.now();
  assertEquals(asked(), before);
  clock.leave();
});

Deno.test("CoarseClock.leave() lets go of the timer with the last one", () => {
  const { clock, manual, wheel } = make();
  clock.join();
  clock.join();
  clock.now();
  clock.leave();
  assertEquals(wheel.armedCount, 1);
  clock.leave();
  assertEquals(wheel.armedCount, 0);
  manual.advance(30);
  // Somebody asks all the same: exactly, and without a timer.
  assertEquals(clock.now(), manual.now());
  assertEquals(wheel.armedCount, 0);
  clock.join();
  manual.advance(1);
  assertEquals(clock.now(), manual.now());
  clock.leave();
});

Deno.test("coarseClockOf() gives one clock for each wheel", () => {
  const wheel = new DeadlineWheel(new ManualClock());
  assertStrictEquals(coarseClockOf(wheel), coarseClockOf(wheel));
  assert(coarseClockOf(wheel) !== coarseClockOf(new DeadlineWheel(new ManualClock())));
});
