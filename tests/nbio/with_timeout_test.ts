import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { runOperation } from "../../nbio/operation.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import { withTimeout } from "../../nbio/with_timeout.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

function setUp(): { clock: ManualClock; wheel: DeadlineWheel } {
  const clock = new ManualClock();
  return { clock, wheel: new DeadlineWheel(clock) };
}

/** A task that waits until it is told to stop, and then ends as told. */
function untilAborted<T>(
  end: (signal: AbortSignal) => T | Promise<T>,
): (signal: AbortSignal) => Promise<T> {
  return async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return await end(signal);
  };
}

function rethrow(signal: AbortSignal): never {
  throw signal.reason;
}

Deno.test("withTimeout() gives what the task gives, promise or not", async () => {
  const { clock, wheel } = setUp();
  for (const options of [{}, { timeoutMs: 1_000, wheel }, { timeoutMs: 0 }]) {
    assertEquals(await withTimeout(() => 1, options), 1);
    assertEquals(await withTimeout(() => Promise.resolve(2), options), 2);
  }
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("withTimeout() throws what the task throws, untouched", async () => {
  const { clock, wheel } = setUp();
  const failure = new Error("from the task");
  const tasks = [
    () => Promise.reject(failure),
    () => {
      throw failure;
    },
  ];
  for (const task of tasks) {
    const thrown = await assertRejects(() => withTimeout(task, { timeoutMs: 1_000, wheel }));
    assertStrictEquals(thrown, failure);
  }
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("withTimeout() aborts the task with the TimeoutError it rejects with", async () => {
  const { clock, wheel } = setUp();
  let reason: unknown;
  const task = untilAborted((signal) => {
    reason = signal.reason;
    rethrow(signal);
  });
  const running = withTimeout(task, { timeoutMs: 1_000, wheel, phase: "handshake" });
  clock.advance(999);
  assertEquals(await isSettled(running), false);
  clock.advance(101);
  const error = await assertRejects(() => running, TimeoutError);
  assertStrictEquals(reason, error);
  assertEquals([error.phase, error.timeoutMs], ["handshake", 1_000]);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("withTimeout() hands the reason of the signal through", async () => {
  for (const reason of [new Error("stop"), "text", null]) {
    const counted = new CountedSignal();
    const running = withTimeout(untilAborted(rethrow), { signal: counted.signal });
    assertEquals(counted.listenerCount, 1);
    counted.abort(reason);
    const [result] = await Promise.allSettled([running]);
    assertEquals(result, { status: "rejected", reason });
    assertEquals(counted.listenerCount, 0);
  }
});

Deno.test("withTimeout() rejects only when the cancelled task has settled", async () => {
  const { clock, wheel } = setUp();
  const cleanUp = Promise.withResolvers<void>();
  const task = untilAborted(async (signal) => {
    await cleanUp.promise;
    rethrow(signal);
  });
  const running = withTimeout(task, { timeoutMs: 100, wheel, graceMs: Infinity });
  clock.advance(60_000);
  assertEquals([await isSettled(running), wheel.armedCount, clock.pendingCount], [false, 0, 0]);
  cleanUp.resolve();
  await assertRejects(() => running, TimeoutError);
});

Deno.test("withTimeout() keeps the result of a task that comes through in spite of it", async () => {
  const { clock, wheel } = setUp();
  const running = withTimeout(untilAborted(() => "a connection"), { timeoutMs: 100, wheel });
  clock.advance(200);
  assertEquals(await running, "a connection");
});

Deno.test("withTimeout() prefers the reason to what a cancelled task throws", async () => {
  const { clock, wheel } = setUp();
  const task = untilAborted(() => Promise.reject(new Deno.errors.Interrupted("closed")));
  const running = withTimeout(task, { timeoutMs: 100, wheel });
  clock.advance(200);
  await assertRejects(() => running, TimeoutError);
});

Deno.test("withTimeout() hears only the first of deadline and signal", async () => {
  for (const first of ["deadline", "signal"]) {
    const { clock, wheel } = setUp();
    const counted = new CountedSignal();
    let abortCount = 0;
    const running = withTimeout(
      (signal) => {
        signal.addEventListener("abort", () => abortCount++);
        return untilAborted(rethrow)(signal);
      },
      { timeoutMs: 100, wheel, signal: counted.signal },
    );
    if (first === "deadline") clock.advance(200);
    counted.abort("stop");
    clock.advance(200);
    const outcome = await running.catch((reason) => reason);
    assertEquals([abortCount, outcome === "stop"], [1, first === "signal"]);
    assertEquals([counted.listenerCount, wheel.armedCount], [0, 0]);
  }
});

Deno.test("withTimeout() does not run a task that comes too late", async () => {
  const { clock, wheel } = setUp();
  clock.advance(10);
  let ranCount = 0;
  const run = (options: object): Promise<number> => withTimeout(() => ranCount++, options);
  await assertRejects(() => run({ deadlineMs: 10, wheel }), TimeoutError);
  assertEquals(await run({ signal: AbortSignal.abort("stop") }).catch((reason) => reason), "stop");
  for (const wrong of [{ timeoutMs: -1 }, { deadlineMs: NaN }, { graceMs: -1 }, { graceMs: NaN }]) {
    await assertRejects(() => run(wrong), RangeError);
  }
  assertEquals([ranCount, wheel.armedCount, clock.pendingCount], [0, 0, 0]);
});

for (const graceMs of [0, 500]) {
  Deno.test(`withTimeout() with graceMs ${graceMs} leaves a deaf task behind`, async () => {
    for (const outcome of ["value", "error", "none"]) {
      const { clock, wheel } = setUp();
      const deaf = Promise.withResolvers<string>();
      const running = withTimeout(() => deaf.promise, { timeoutMs: 100, wheel, graceMs });
      clock.advance(150);
      if (graceMs > 0) {
        clock.advance(400);
        assertEquals(await isSettled(running), false);
        clock.advance(200);
      }
      const error = await assertRejects(() => running, TimeoutError);
      assertEquals([error.timeoutMs, error.phase], [100, "run task"]);
      assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
      // What the task does now is nobody's, an unhandled rejection neither.
      if (outcome === "value") deaf.resolve("late");
      if (outcome === "error") deaf.reject(new Error("late"));
      await settle();
    }
  });
}

Deno.test("withTimeout() leaves a deaf task behind after a second by itself", async () => {
  const { clock, wheel } = setUp();
  const running = withTimeout(() => new Promise(() => {}), { timeoutMs: 100, wheel });
  clock.advance(200);
  assertEquals(await isSettled(running), false);
  clock.advance(1_100);
  await assertRejects(() => running, TimeoutError);
});

Deno.test("withTimeout() disarms the grace of a task that settles within it", async () => {
  const { clock, wheel } = setUp();
  const deaf = Promise.withResolvers<string>();
  const running = withTimeout(() => deaf.promise, { timeoutMs: 100, wheel, graceMs: 5_000 });
  clock.advance(150);
  assertEquals(wheel.armedCount, 1);
  deaf.resolve("just in time");
  assertEquals(await running, "just in time");
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("withTimeout() holds for tasks within tasks: the inner deadline is the task's own", async () => {
  const { clock, wheel } = setUp();
  const running = withTimeout(
    async (signal) => {
      const inner = withTimeout(untilAborted(rethrow), {
        timeoutMs: 100,
        wheel,
        signal,
        phase: "in",
      });
      const error = await assertRejects(() => inner, TimeoutError);
      assertEquals([error.phase, signal.aborted], ["in", false]);
      return await withTimeout(untilAborted(rethrow), { signal, phase: "in" });
    },
    { timeoutMs: 1_000, wheel, phase: "out" },
  );
  clock.advance(200);
  await settle();
  clock.advance(1_000);
  assertEquals((await assertRejects(() => running, TimeoutError)).phase, "out");
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("withTimeout() leaves nothing behind wherever a task of many steps is cancelled", async () => {
  const stepCount = 12;
  for (let place = 0; place <= stepCount + 1; place++) {
    const { clock, wheel } = setUp();
    const counted = new CountedSignal();
    const running = withTimeout(async (signal) => {
      for (let step = 0; step < stepCount; step++) {
        signal.throwIfAborted();
        await undefined;
      }
      return "through";
    }, { timeoutMs: 1_000, wheel, signal: counted.signal });
    const outcome = running.catch((reason) => reason);
    for (let turn = 0; turn < place; turn++) await undefined;
    counted.abort("stop");
    // The last step looks at the signal in the turn before: nothing stops the task after that.
    assertEquals(await outcome, place < stepCount - 1 ? "stop" : "through");
    assertEquals([counted.listenerCount, wheel.armedCount, clock.pendingCount], [0, 0, 0]);
  }
});

Deno.test("withTimeout() keeps the process alive until its deadline, and through the grace", async () => {
  const never = new Promise<void>(() => {});
  for (const graceMs of [0, 10]) {
    await assertRejects(() => withTimeout(() => never, { timeoutMs: 10, graceMs }), TimeoutError);
  }
});

Deno.test("withTimeout() gives up a silent socket, which is closed when it rejects", async () => {
  const { clock, wheel } = setUp();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using _server = await listener.accept();
  const running = withTimeout(
    (signal) => {
      const read = (): Promise<number | null> => client.read(new Uint8Array(1));
      return runOperation(client, "read", { signal }, read);
    },
    { timeoutMs: 1_000, wheel, phase: "answer" },
  );
  clock.advance(1_100);
  const error = await assertRejects(() => running, TimeoutError);
  assertEquals(error.phase, "answer");
  const closed = await assertRejects(() => client.read(new Uint8Array(1)));
  assert(closed instanceof Deno.errors.BadResource);
});
