import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { Semaphore, type SemaphorePermit } from "../../nbio/semaphore.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

function setUp(): { clock: ManualClock; wheel: DeadlineWheel } {
  const clock = new ManualClock();
  return { clock, wheel: new DeadlineWheel(clock) };
}

type State = "waiting" | "held" | "released" | "left";

interface ModelCall {
  readonly weight: number;
  readonly hasTimeout: boolean;
  state: State;
}

/** A semaphore as a list of calls, looked through from the front. */
class ModelSemaphore {
  readonly calls: ModelCall[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get available(): number {
    const held = this.calls.filter(({ state }) => state === "held");
    return held.reduce((available, { weight }) => available - weight, this.#max);
  }

  acquire(weight: number, hasTimeout: boolean): void {
    this.calls.push({ weight, hasTimeout, state: "waiting" });
    this.#grant();
  }

  tryAcquire(weight: number): boolean {
    const taken = !this.calls.some(({ state }) => state === "waiting") && weight <= this.available;
    this.calls.push({ weight, hasTimeout: false, state: taken ? "held" : "left" });
    return taken;
  }

  move(index: number, from: State, to: State): void {
    const call = this.calls[index]!;
    if (call.state === from) call.state = to;
    this.#grant();
  }

  expire(): void {
    // One after the other: the first to leave may let the next one in.
    for (const [index, call] of this.calls.entries()) {
      if (call.hasTimeout) this.move(index, "waiting", "left");
    }
  }

  #grant(): void {
    for (const call of this.calls) {
      if (call.state !== "waiting") continue;
      if (call.weight > this.available) return;
      call.state = "held";
    }
  }
}

/** One call of the semaphore itself. */
interface Call {
  readonly controller: AbortController;
  state: State;
  permit?: SemaphorePermit;
}

async function compareWithModel(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const max = 1 + random.int(5);
  const { clock, wheel } = setUp();
  const semaphore = new Semaphore(max);
  const model = new ModelSemaphore(max);
  const calls: Call[] = [];
  for (let step = 0; step < 100; step++) {
    const kind = random.int(100);
    const weight = 1 + random.int(max);
    const index = random.int(Math.max(1, calls.length));
    if (kind < 35) {
      const call: Call = { controller: new AbortController(), state: "waiting" };
      const hasTimeout = random.int(4) === 0;
      const { signal } = call.controller;
      semaphore.acquire({ weight, signal, wheel, ...(hasTimeout && { timeoutMs: 500 }) }).then(
        (permit) => Object.assign(call, { permit, state: "held" }),
        () => call.state = "left",
      );
      calls.push(call);
      model.acquire(weight, hasTimeout);
    } else if (kind < 50) {
      const permit = semaphore.tryAcquire({ weight });
      const call: Call = {
        controller: new AbortController(),
        state: permit === undefined ? "left" : "held",
      };
      calls.push(permit === undefined ? call : { ...call, permit });
      assertEquals(model.tryAcquire(weight), permit !== undefined);
    } else if (kind < 80 && calls[index]?.permit !== undefined) {
      calls[index].permit.release(); // for some the second time, which counts for nothing
      calls[index].state = "released";
      model.move(index, "held", "released");
    } else if (kind < 95 && calls.length > 0) {
      calls[index]!.controller.abort();
      model.move(index, "waiting", "left");
    } else {
      clock.advance(1_000);
      model.expire();
    }
    await settle();
    assertEquals(calls.map(({ state }) => state), model.calls.map(({ state }) => state));
    assertEquals(semaphore.available, model.available);
    const waiting = calls.filter(({ state }) => state === "waiting");
    assertEquals(semaphore.waiterCount, waiting.length);
  }
  for (const { controller } of calls) controller.abort();
  await settle();
  for (const { permit } of calls) permit?.release();
  assertEquals([semaphore.available, semaphore.waiterCount], [max, 0]);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
}

Deno.test("Semaphore does what its model does, in 150 random histories", async () => {
  for (let seed = 0; seed < 150; seed++) {
    try {
      await compareWithModel(seed);
    } catch (error) {
      throw new Error(`With seed ${seed}`, { cause: error });
    }
  }
});

Deno.test("Semaphore.acquire() serves in the order of the calls", async () => {
  const semaphore = new Semaphore(1);
  const first = await semaphore.acquire();
  const order: number[] = [];
  const others = [1, 2, 3].map(async (id) => {
    using _permit = await semaphore.acquire();
    order.push(id);
  });
  await settle();
  assertEquals([order, semaphore.waiterCount], [[], 3]);
  first.release();
  await Promise.all(others);
  assertEquals([order, semaphore.available], [[1, 2, 3], 1]);
});

Deno.test("Semaphore lets a heavy call not starve behind light ones", async () => {
  const semaphore = new Semaphore(3);
  const light = await semaphore.acquire();
  const heavy = semaphore.acquire({ weight: 3 });
  const later = semaphore.acquire();
  assertEquals([semaphore.available, await isSettled(later)], [2, false]);
  assertEquals(semaphore.tryAcquire(), undefined); // nor does this overtake
  light.release();
  (await heavy).release();
  (await later).release();
  assertEquals(semaphore.available, 3);
});

for (const how of ["abort", "deadline"]) {
  Deno.test(`Semaphore serves those behind a heavy call that leaves by ${how}`, async () => {
    const { clock, wheel } = setUp();
    const semaphore = new Semaphore(3);
    const light = await semaphore.acquire();
    const controller = new AbortController();
    const { signal } = controller;
    const heavy = semaphore.acquire({ weight: 3, signal, timeoutMs: 1_000, wheel });
    const later = [semaphore.acquire(), semaphore.acquire()];
    if (how === "abort") controller.abort("stop");
    else clock.advance(1_100);
    const reason = await heavy.then(() => "a permit", (reason) => reason);
    assertEquals(reason === "stop", how === "abort");
    for (const permit of [light, ...await Promise.all(later)]) permit.release();
    assertEquals([semaphore.available, semaphore.waiterCount], [3, 0]);
    assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  });
}

Deno.test("SemaphorePermit gives back once, by release() and by using", async () => {
  const semaphore = new Semaphore(2);
  const permit = await semaphore.acquire({ weight: 2 });
  assertEquals([permit.weight, semaphore.available], [2, 0]);
  permit.release();
  permit.release();
  permit[Symbol.dispose]();
  assertEquals(semaphore.available, 2);
  {
    using _used = await semaphore.acquire();
    assertEquals(semaphore.available, 1);
  }
  assertEquals(semaphore.available, 2);
});

Deno.test("Semaphore.acquire() rejects with the reason when aborted, and leaves no trace", async () => {
  const semaphore = new Semaphore(1);
  using permit = await semaphore.acquire();
  const counted = new CountedSignal();
  const waiting = semaphore.acquire({ signal: counted.signal });
  assertEquals([semaphore.waiterCount, counted.listenerCount], [1, 1]);
  const reason = new Error("stop");
  counted.abort(reason);
  assertStrictEquals(await assertRejects(() => waiting), reason);
  assertEquals([semaphore.waiterCount, counted.listenerCount], [0, 0]);
  permit.release();
  const late = await assertRejects(() => semaphore.acquire({ signal: counted.signal }));
  assertStrictEquals(late, reason);
  assertEquals(semaphore.available, 1);
});

Deno.test("Semaphore.acquire() gives up at its deadline", async () => {
  const { clock, wheel } = setUp();
  const semaphore = new Semaphore(1);
  using permit = await semaphore.acquire();
  const waiting = semaphore.acquire({ timeoutMs: 1_000, wheel });
  clock.advance(900);
  assertEquals(await isSettled(waiting), false);
  clock.advance(200);
  const error = await assertRejects(() => waiting, TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["acquire", 1_000]);
  permit.release();
  const late = semaphore.acquire({ deadlineMs: clock.now(), wheel });
  await assertRejects(() => late, TimeoutError);
  assertEquals([semaphore.available, wheel.armedCount, clock.pendingCount], [1, 0, 0]);
});

Deno.test("Semaphore.acquire() leaks no permit when it is cancelled in the turn of a release", async () => {
  for (const first of ["release", "abort"]) {
    const { clock, wheel } = setUp();
    const semaphore = new Semaphore(1);
    const held = await semaphore.acquire();
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = semaphore.acquire({ signal, timeoutMs: 1_000, wheel });
    if (first === "release") held.release();
    controller.abort("stop");
    clock.advance(2_000);
    if (first === "abort") held.release();
    const outcome = await waiting.then((permit) => permit.release(), (reason) => reason);
    assertEquals(outcome, first === "release" ? undefined : "stop");
    assertEquals(semaphore.available, 1);
  }
});

Deno.test("Semaphore keeps nothing of 100,000 cancelled calls", async () => {
  const { clock, wheel } = setUp();
  const semaphore = new Semaphore(1, { maxWaiters: 0 });
  using _held = await semaphore.acquire();
  let rejectedCount = 0;
  const count = (): void => void rejectedCount++;
  for (let i = 0; i < 50_000; i++) {
    const controller = new AbortController();
    semaphore.acquire({ signal: controller.signal }).catch(count);
    semaphore.acquire({ timeoutMs: 100, wheel }).catch(count);
    controller.abort("stop");
  }
  clock.advance(200);
  await settle();
  assertEquals([semaphore.waiterCount, rejectedCount], [0, 100_000]);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("Semaphore.acquire() refuses more than maxWaiters", async () => {
  const semaphore = new Semaphore(1, { maxWaiters: 1 });
  const held = await semaphore.acquire();
  const waiting = semaphore.acquire();
  const error = await assertRejects(() => semaphore.acquire(), LimitExceededError);
  assertEquals([error.limit, error.max, semaphore.waiterCount], ["maxWaiters", 1, 1]);
  held.release();
  (await waiting).release();
});

Deno.test("Semaphore.run() gives the permit back, whatever the task does", async () => {
  const semaphore = new Semaphore(1);
  assertEquals(await semaphore.run(() => 1), 1);
  assertEquals(await semaphore.run(() => Promise.resolve(2)), 2);
  const failure = new Error("from the task");
  const failures = [
    () => Promise.reject(failure),
    () => {
      throw failure;
    },
  ];
  for (const task of failures) {
    assertStrictEquals(await assertRejects(() => semaphore.run(task)), failure);
  }
  assertEquals(semaphore.available, 1);
});

Deno.test("Semaphore.run() does not run a task that gets no permit", async () => {
  const { clock, wheel } = setUp();
  const semaphore = new Semaphore(1);
  using _held = await semaphore.acquire();
  let ran = false;
  const run = semaphore.run(() => ran = true, { timeoutMs: 100, wheel });
  clock.advance(200);
  await assertRejects(() => run, TimeoutError);
  assertEquals(ran, false);
});

Deno.test("Semaphore.acquire() keeps the process alive until its deadline on the shared wheel", async () => {
  const semaphore = new Semaphore(1);
  using _held = await semaphore.acquire();
  await assertRejects(() => semaphore.acquire({ timeoutMs: 10 }), TimeoutError);
});

for (const max of [0, -1, 1.5, NaN, Infinity]) {
  Deno.test(`Semaphore throws on max ${max}`, () => {
    assertThrows(() => new Semaphore(max), RangeError);
  });
}

Deno.test("Semaphore throws on wrong options, and takes nothing", async () => {
  assertThrows(() => new Semaphore(1, { maxWaiters: -1 }), RangeError);
  const semaphore = new Semaphore(3);
  for (const weight of [0, -1, 1.5, NaN, 4, Infinity]) {
    assertThrows(() => semaphore.tryAcquire({ weight }), RangeError);
    await assertRejects(() => semaphore.acquire({ weight }), RangeError);
  }
  await assertRejects(() => semaphore.acquire({ timeoutMs: -1 }), RangeError);
  assertEquals([semaphore.available, semaphore.max, semaphore.waiterCount], [3, 3, 0]);
});
