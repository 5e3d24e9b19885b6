import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Clock } from "../../nbio/clock.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";

function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, delayMs));
}

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

Deno.test("ManualClock.advance() of a callback that advances never goes back", () => {
  const clock = new ManualClock();
  clock.setTimer(() => clock.advance(100), 10);
  clock.advance(20);
  assertEquals(clock.now(), 110);
});

Deno.test("ManualClock.nextTimerMs is the instant of the next timer", () => {
  const clock = new ManualClock();
  assertEquals(clock.nextTimerMs, Infinity);
  const first = clock.setTimer(() => {}, 10);
  clock.setTimer(() => {}, 20);
  assertEquals(clock.nextTimerMs, 10);
  clock.clearTimer(first);
  assertEquals(clock.nextTimerMs, 20);
  clock.block(50);
  assertEquals(clock.nextTimerMs, 20);
  clock.advance(0);
  assertEquals(clock.nextTimerMs, Infinity);
});

Deno.test("ManualClock.setTimer() throws on NaN", () => {
  assertThrows(() => new ManualClock().setTimer(() => {}, NaN), RangeError);
});

Deno.test("ManualClock.advanceAsync() lets code that awaits set its next timer in time", async () => {
  const clock = new ManualClock();
  const log: [string, number][] = [];
  const run = async (name: string, periodMs: number): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await sleep(clock, periodMs);
      log.push([name, clock.now()]);
      for (let hop = 0; hop < 100; hop++) await undefined;
    }
  };
  run("a", 10);
  run("b", 15);
  await clock.advanceAsync(29);
  assertEquals(log, [["a", 10], ["b", 15], ["a", 20]]);
  await clock.advanceAsync(1_000);
  // At 30 both are due: "b" set its timer at 15, "a" at 20.
  assertEquals(log.slice(3), [["b", 30], ["a", 30], ["b", 45]]);
  assertEquals([clock.now(), clock.pendingCount], [1_029, 0]);
});

Deno.test("ManualClock.advanceAsync() by 0 settles what is ready, before and after", async () => {
  const clock = new ManualClock();
  const log: string[] = [];
  Promise.resolve().then(() => clock.setTimer(() => log.push("due"), 0));
  await clock.advanceAsync(0);
  assertEquals(log, ["due"]);
});

Deno.test("ManualClock.advanceAsync() carries bytes over a memory pipe between instants", async () => {
  const clock = new ManualClock();
  const [client, server] = memoryPipe();
  const receivedMs: number[] = [];
  const sending = (async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(clock, 100);
      await client.write(new Uint8Array(1));
    }
    client.close();
  })();
  const receiving = (async () => {
    while (await server.read(new Uint8Array(8)) !== null) receivedMs.push(clock.now());
  })();
  await clock.advanceAsync(1_000);
  await Promise.all([sending, receiving]);
  assertEquals(receivedMs, [100, 200, 300]);
});

Deno.test("ManualClock.advanceAsync() passes on what a callback throws, and can go on", async () => {
  const clock = new ManualClock();
  const failure = new Error("from the callback");
  clock.setTimer(() => {
    throw failure;
  }, 10);
  clock.setTimer(() => {}, 20);
  assertEquals(await assertRejects(() => clock.advanceAsync(50)), failure);
  assertEquals([clock.now(), clock.pendingCount], [10, 1]);
  await clock.advanceAsync(10);
  assertEquals(clock.pendingCount, 0);
});

Deno.test("ManualClock.advanceAsync() rejects on timers without end", async () => {
  const clock = new ManualClock();
  const again = (): void => void clock.setTimer(again, 0);
  again();
  await assertRejects(() => clock.advanceAsync(1), RangeError);
});

Deno.test("ManualClock.advanceAsync() drives the deadlines of a wheel", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const firedMs: number[] = [];
  const expired = new Promise<void>((resolve) => wheel.create(resolve).arm(1_000));
  const chained = expired.then(() => {
    firedMs.push(clock.now());
    wheel.create(() => firedMs.push(clock.now())).arm(500);
  });
  await clock.advanceAsync(1_800);
  await chained;
  assertEquals(firedMs.length, 2);
  assert(firedMs[0]! >= 1_000 && firedMs[0]! <= 1_100);
  assert(firedMs[1]! >= firedMs[0]! + 500 && firedMs[1]! <= firedMs[0]! + 600);
});

Deno.test("ManualClock.runUntil() lets as much time pass as is needed, and no more", async () => {
  const clock = new ManualClock();
  clock.setTimer(() => {}, 5_000);
  const result = (async () => {
    await sleep(clock, 700);
    await sleep(clock, 300);
    return "done";
  })();
  assertEquals(await clock.runUntil(result), "done");
  assertEquals([clock.now(), clock.pendingCount], [1_000, 1]);
});

Deno.test("ManualClock.runUntil() of what needs no time lets none pass", async () => {
  const clock = new ManualClock();
  clock.setTimer(() => {}, 10);
  assertEquals(await clock.runUntil(Promise.resolve(1)), 1);
  assertEquals(clock.now(), 0);
});

Deno.test("ManualClock.runUntil() passes on the rejection", async () => {
  const clock = new ManualClock();
  const failure = new Error("failed");
  const failing = sleep(clock, 10).then(() => Promise.reject(failure));
  assertEquals(await assertRejects(() => clock.runUntil(failing)), failure);
  assertEquals(clock.now(), 10);
});

Deno.test("ManualClock.runUntil() rejects at once if no timer is left", async () => {
  const clock = new ManualClock();
  const [client] = memoryPipe();
  const read = client.read(new Uint8Array(1));
  const error = await assertRejects(() => clock.runUntil(read), TimeoutError);
  assertEquals([error.code, error.phase, error.timeoutMs], ["ERR_NET_TIMEOUT", "run", 3_600_000]);
  assertEquals(clock.now(), 0);
  client.close();
  await assertRejects(() => read, Deno.errors.Interrupted);
});

for (const [maxDurationMs, settles] of [[999, false], [1_000, true], [1_001, true]] as const) {
  Deno.test(`ManualClock.runUntil() of 1000 ms with maxDurationMs ${maxDurationMs}`, async () => {
    const clock = new ManualClock();
    clock.advance(50);
    const running = clock.runUntil(sleep(clock, 1_000), { maxDurationMs });
    if (settles) await running;
    else await assertRejects(() => running, TimeoutError);
    assertEquals(clock.now(), settles ? 1_050 : 50);
  });
}

Deno.test("ManualClock.runUntilIdle() ends when no timer is left", async () => {
  const clock = new ManualClock();
  let count = 0;
  (async () => {
    for (; count < 5; count++) await sleep(clock, 100);
  })();
  await clock.runUntilIdle();
  assertEquals([count, clock.now(), clock.pendingCount], [5, 500, 0]);
  await clock.runUntilIdle();
  assertEquals(clock.now(), 500);
});

Deno.test("ManualClock.runUntilIdle() rejects if timers go on and on", async () => {
  const clock = new ManualClock();
  const again = (): void => void clock.setTimer(again, 10);
  again();
  await assertRejects(() => clock.runUntilIdle({ maxDurationMs: 1_000 }), TimeoutError);
  assertEquals([clock.now(), clock.pendingCount], [1_000, 1]);
});

Deno.test("ManualClock rejects wrong options of running", async () => {
  const clock = new ManualClock();
  for (const maxDurationMs of [-1, NaN]) {
    await assertRejects(() => clock.runUntilIdle({ maxDurationMs }), RangeError);
    await assertRejects(() => clock.runUntil(Promise.resolve(), { maxDurationMs }), RangeError);
  }
  await assertRejects(() => clock.advanceAsync(1, { turnCount: 0 }), RangeError);
});

for (const durationMs of [-1, NaN, Infinity]) {
  Deno.test(`ManualClock throws on a duration of ${durationMs}`, async () => {
    const clock = new ManualClock();
    assertThrows(() => clock.advance(durationMs), RangeError);
    await assertRejects(() => clock.advanceAsync(durationMs), RangeError);
    assertThrows(() => clock.block(durationMs), RangeError);
    assertEquals(clock.now(), 0);
  });
}
