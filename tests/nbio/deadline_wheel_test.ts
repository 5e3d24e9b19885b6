import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Clock } from "../../nbio/clock.ts";
import { deadlines, DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

function setUp(tickMs = 100, slotCount = 512): { clock: ManualClock; wheel: DeadlineWheel } {
  const clock = new ManualClock();
  return { clock, wheel: new DeadlineWheel(clock, { tickMs, slotCount }) };
}

const TIMEOUTS = [1, 49, 50, 51, 99, 100, 101, 500, 15_000, 25_599, 25_600, 25_601, 3_600_000];

for (const timeoutMs of TIMEOUTS) {
  Deno.test(`Deadline.arm() with ${timeoutMs} ms is never early and at most a tick late`, () => {
    // Whatever the phase of the wheel's own timer.
    for (const offsetMs of [0, 1, 25, 49, 50, 73]) {
      const { clock, wheel } = setUp();
      wheel.create(() => {}).arm(Number.MAX_SAFE_INTEGER);
      clock.advance(offsetMs);
      let firedMs = -1;
      wheel.create(() => firedMs = clock.now()).arm(timeoutMs);
      clock.advance(timeoutMs + 100);
      const lateMs = firedMs - offsetMs - timeoutMs;
      assert(lateMs >= 0 && lateMs <= 100, `${lateMs} ms late at offset ${offsetMs}`);
    }
  });
}

Deno.test("Deadline.arm() keeps every deadline of thousands, armed at random", () => {
  const { clock, wheel } = setUp(20, 16);
  const random = new SeededRandom(1);
  const lateMs: number[] = [];
  const entries = Array.from({ length: 5_000 }, () => {
    const entry = { dueMs: Infinity, firedCount: 0 };
    const deadline = wheel.create(() => {
      entry.firedCount++;
      lateMs.push(clock.now() - entry.dueMs);
      entry.dueMs = Infinity;
    });
    return { entry, deadline };
  });
  let expectedCount = 0;
  for (let step = 0; step < 200; step++) {
    for (let i = 0; i < 50; i++) {
      const { entry, deadline } = random.pick(entries);
      if (random.int(4) === 0) {
        deadline.cancel();
        entry.dueMs = Infinity;
      } else {
        const timeoutMs = 1 + random.int(3_000);
        deadline.arm(timeoutMs);
        entry.dueMs = clock.now() + timeoutMs;
      }
      assertEquals(deadline.armed, entry.dueMs !== Infinity);
    }
    clock.advance(random.int(30));
    assertEquals(wheel.armedCount, entries.filter(({ entry }) => entry.dueMs !== Infinity).length);
  }
  expectedCount = lateMs.length + wheel.armedCount;
  clock.advance(3_020);
  assertEquals(lateMs.length, expectedCount);
  assert(lateMs.every((late) => late >= 0 && late <= 20));
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("Deadline.arm() again moves the deadline later", () => {
  const { clock, wheel } = setUp();
  let firedMs = -1;
  const deadline = wheel.create(() => firedMs = clock.now());
  deadline.arm(1_000);
  clock.advance(900);
  deadline.arm(1_000);
  clock.advance(999);
  assertEquals(firedMs, -1);
  clock.advance(101);
  assert(firedMs >= 1_900);
});

Deno.test("Deadline.arm() again moves the deadline earlier", () => {
  const { clock, wheel } = setUp();
  let fired = false;
  const deadline = wheel.create(() => fired = true);
  deadline.arm(60_000);
  clock.advance(200);
  deadline.arm(10);
  clock.advance(110);
  assertEquals(fired, true);
});

for (const timeoutMs of [0, Infinity]) {
  Deno.test(`Deadline.arm() with ${timeoutMs} disarms`, () => {
    const { clock, wheel } = setUp();
    const deadline = wheel.create(() => assert(false, "fired"));
    deadline.arm(timeoutMs);
    assertEquals([deadline.armed, wheel.armedCount, clock.pendingCount], [false, 0, 0]);
    deadline.arm(10);
    deadline.arm(timeoutMs);
    assertEquals([deadline.armed, wheel.armedCount, clock.pendingCount], [false, 0, 0]);
    clock.advance(1_000);
  });
}

for (const timeoutMs of [-1, NaN, -Infinity]) {
  Deno.test(`Deadline.arm() throws on ${timeoutMs} and leaves the deadline alone`, () => {
    const { wheel } = setUp();
    const deadline = wheel.create(() => {});
    deadline.arm(10);
    assertThrows(() => deadline.arm(timeoutMs), RangeError);
    assertEquals([deadline.armed, wheel.armedCount], [true, 1]);
    deadline.cancel();
  });
}

Deno.test("Deadline.cancel() keeps the callback from being called, twice too", () => {
  const { clock, wheel } = setUp();
  const deadline = wheel.create(() => assert(false, "fired"));
  deadline.cancel();
  for (const waitMs of [0, 30, 300]) {
    deadline.arm(500);
    clock.advance(waitMs);
    deadline.cancel();
    deadline.cancel();
    assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  }
  clock.advance(10_000);
});

Deno.test("Deadline.deadlineMs is Infinity, then an instant not after the callback", () => {
  const { clock, wheel } = setUp();
  let firedMs = -1;
  const deadline = wheel.create(() => firedMs = clock.now());
  assertEquals(deadline.deadlineMs, Infinity);
  deadline.arm(1_000);
  assertEquals(deadline.deadlineMs, 1_000);
  clock.advance(500);
  const { deadlineMs } = deadline;
  assert(deadlineMs >= 1_000 && deadlineMs <= 1_100);
  clock.advance(600);
  assert(firedMs >= deadlineMs);
  assertEquals(deadline.deadlineMs, Infinity);
});

Deno.test("DeadlineWheel has one timer however many deadlines are armed", () => {
  const { clock, wheel } = setUp();
  for (let i = 0; i < 1_000; i++) wheel.create(() => {}).arm(1_000 + i);
  assertEquals([wheel.armedCount, clock.pendingCount], [1_000, 1]);
  clock.advance(1_500);
  assertEquals(clock.pendingCount, 1);
  clock.advance(700);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("DeadlineWheel does not fire a fresh arm early after the event loop was blocked", () => {
  const { clock, wheel } = setUp();
  wheel.create(() => {}).arm(60_000);
  clock.advance(130);
  clock.block(5_000); // for example a long computation
  let firedMs = -1;
  wheel.create(() => firedMs = clock.now()).arm(1_000);
  clock.advance(0); // the tick that was due during the block
  assertEquals(firedMs, -1);
  clock.advance(1_100);
  assert(firedMs >= 6_130 && firedMs <= 6_230);
});

Deno.test("DeadlineWheel does not fire early on a clock that stands still within a turn", () => {
  const manual = new ManualClock();
  let staleMs = 0;
  const clock: Clock = {
    now: () => manual.now() - staleMs,
    wallNow: () => manual.wallNow(),
    setTimer: (callback, delayMs) =>
      manual.setTimer(() => {
        staleMs = 0; // a new turn
        callback();
      }, delayMs),
    clearTimer: (timer) => manual.clearTimer(timer),
  };
  const wheel = new DeadlineWheel(clock);
  staleMs = 3_000; // three seconds of computing since the clock was read
  manual.block(3_000);
  let firedMs = -1;
  wheel.create(() => firedMs = manual.now()).arm(1_000);
  manual.advance(999);
  assertEquals(firedMs, -1);
  manual.advance(101);
  assert(firedMs >= 4_000);
});

Deno.test("DeadlineWheel fires all that passed during a block longer than its ring", () => {
  const { clock, wheel } = setUp(20, 4);
  let firedCount = 0;
  for (let i = 1; i <= 100; i++) wheel.create(() => firedCount++).arm(i * 10);
  clock.advance(25);
  clock.block(10_000);
  clock.advance(10);
  assertEquals([firedCount, wheel.armedCount], [100, 0]);
});

Deno.test("DeadlineWheel lets a callback arm its own deadline again", () => {
  const { clock, wheel } = setUp();
  const firedMs: number[] = [];
  const deadline = wheel.create(() => {
    assertEquals(deadline.armed, false);
    firedMs.push(clock.now());
    if (firedMs.length < 3) deadline.arm(1_000);
  });
  deadline.arm(1_000);
  clock.advance(4_000);
  assertEquals(firedMs.length, 3);
  assert(firedMs[1]! - firedMs[0]! >= 1_000 && firedMs[2]! - firedMs[1]! >= 1_000);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("DeadlineWheel does not call a deadline cancelled by another callback of the tick", () => {
  const { clock, wheel } = setUp();
  const called: string[] = [];
  const first = wheel.create(() => {
    called.push("first");
    second.cancel();
  });
  const second = wheel.create(() => called.push("second"));
  first.arm(1_000);
  second.arm(1_000);
  clock.advance(2_000);
  assertEquals(called, ["first"]);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("DeadlineWheel calls all others when a callback throws, then throws that error", () => {
  const { clock, wheel } = setUp();
  const failure = new Error("from the callback");
  let calledCount = 0;
  wheel.create(() => calledCount++).arm(10);
  wheel.create(() => {
    throw failure;
  }).arm(10);
  wheel.create(() => calledCount++).arm(10);
  wheel.create(() => calledCount++).arm(1_000);
  assertEquals(assertThrows(() => clock.advance(100)), failure);
  assertEquals([calledCount, wheel.armedCount], [2, 1]);
  clock.advance(1_000);
  assertEquals([calledCount, wheel.armedCount], [3, 0]);
});

Deno.test("DeadlineWheel throws an AggregateError when several callbacks throw", () => {
  const { clock, wheel } = setUp();
  for (const message of ["a", "b"]) {
    wheel.create(() => {
      throw new Error(message);
    }).arm(10);
  }
  const error = assertThrows(() => clock.advance(100), AggregateError);
  assertEquals(error.errors.map(({ message }) => message), ["a", "b"]);
});

Deno.test("DeadlineWheel reads no clock when a busy deadline is armed again", () => {
  const manual = new ManualClock();
  let readCount = 0;
  const clock: Clock = {
    now: () => (readCount++, manual.now()),
    wallNow: () => manual.wallNow(),
    setTimer: (callback, delayMs) => manual.setTimer(callback, delayMs),
    clearTimer: (timer) => manual.clearTimer(timer),
  };
  const deadline = new DeadlineWheel(clock).create(() => {});
  deadline.arm(1_000);
  const before = readCount;
  for (let i = 0; i < 1_000; i++) deadline.arm(1_000 + i);
  assertEquals([readCount, manual.pendingCount], [before, 1]);
  deadline.cancel();
});

for (
  const options of [
    { tickMs: 1 },
    { tickMs: NaN },
    { tickMs: 60_001 },
    { slotCount: 1 },
    { slotCount: 2.5 },
    { slotCount: 65_537 },
  ]
) {
  Deno.test(`DeadlineWheel throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => new DeadlineWheel(new ManualClock(), options), RangeError);
  });
}

Deno.test("deadlines fires on the system's clock", async () => {
  const fired = Promise.withResolvers<void>();
  const keepAlive = setTimeout(() => {}, 60_000); // the wheel's timer does not
  const startMs = performance.now();
  deadlines.create(fired.resolve).arm(20);
  await fired.promise;
  clearTimeout(keepAlive);
  assert(performance.now() - startMs >= 20);
  assertEquals(deadlines.armedCount, 0);
});
