import { assertEquals, assertThrows } from "@std/assert";
import { ManualClock } from "../../nbio/testing_clock.ts";

Deno.test("ManualClock stands still until it is advanced", () => {
  const clock = new ManualClock({ wallStartMs: 1_000_000 });
  assertEquals([clock.now(), clock.wallNow()], [0, 1_000_000]);
  clock.advance(250);
  assertEquals([clock.now(), clock.wallNow()], [250, 1_000_250]);
});

Deno.test("ManualClock.advance() fires timers by instant, then by age", () => {
  const clock = new ManualClock();
  const fired: [string, number][] = [];
  const set = (name: string, delayMs: number): unknown =>
    clock.setTimer(() => fired.push([name, clock.now()]), delayMs);
  set("d", 30);
  set("b", 20);
  set("a", 10);
  set("c", 20);
  set("e", 31);
  clock.advance(30);
  assertEquals(fired, [["a", 10], ["b", 20], ["c", 20], ["d", 30]]);
  assertEquals([clock.now(), clock.pendingCount], [30, 1]);
});

Deno.test("ManualClock.advance() fires timers set by timers", () => {
  const clock = new ManualClock();
  const firedMs: number[] = [];
  const again = (): void => {
    firedMs.push(clock.now());
    clock.setTimer(again, 10);
  };
  clock.setTimer(again, 10);
  clock.advance(35);
  assertEquals([firedMs, clock.now(), clock.pendingCount], [[10, 20, 30], 35, 1]);
});

Deno.test("ManualClock.advance() by 0 fires what is due", () => {
  const clock = new ManualClock();
  let firedCount = 0;
  clock.setTimer(() => firedCount++, 0);
  clock.setTimer(() => firedCount++, -5);
  clock.advance(0);
  assertEquals(firedCount, 2);
});

Deno.test("ManualClock.clearTimer() forgets a timer, also from a callback", () => {
  const clock = new ManualClock();
  const fired: string[] = [];
  const second = clock.setTimer(() => fired.push("second"), 20);
  clock.setTimer(() => {
    fired.push("first");
    clock.clearTimer(second);
  }, 10);
  clock.advance(100);
  assertEquals([fired, clock.pendingCount], [["first"], 0]);
  clock.clearTimer(second);
});

Deno.test("ManualClock.block() makes timers late", () => {
  const clock = new ManualClock();
  let firedMs = -1;
  clock.setTimer(() => firedMs = clock.now(), 10);
  clock.block(100);
  assertEquals(firedMs, -1);
  clock.advance(0);
  assertEquals(firedMs, 100);
});

Deno.test("ManualClock.advance() passes on what a callback throws, and can go on", () => {
  const clock = new ManualClock();
  const failure = new Error("from the callback");
  let fired = false;
  clock.setTimer(() => {
    throw failure;
  }, 10);
  clock.setTimer(() => fired = true, 20);
  assertEquals(assertThrows(() => clock.advance(50)), failure);
  assertEquals([clock.now(), fired], [10, false]);
  clock.advance(10);
  assertEquals(fired, true);
});

Deno.test("ManualClock.advance() throws on timers without end", () => {
  const clock = new ManualClock();
  const again = (): void => void clock.setTimer(again, 0);
  again();
  assertThrows(() => clock.advance(1), RangeError);
});

for (const durationMs of [-1, NaN, Infinity]) {
  Deno.test(`ManualClock throws on a duration of ${durationMs}`, () => {
    const clock = new ManualClock();
    assertThrows(() => clock.advance(durationMs), RangeError);
    assertThrows(() => clock.block(durationMs), RangeError);
    assertEquals(clock.now(), 0);
  });
}
