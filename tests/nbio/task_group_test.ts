import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { AsyncQueue } from "../../nbio/async_queue.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { runOperation } from "../../nbio/operation.ts";
import { Semaphore } from "../../nbio/semaphore.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { type PendingTask, TaskGroup } from "../../nbio/task_group.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { settle } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

function setUp(): { clock: ManualClock; wheel: DeadlineWheel } {
  const clock = new ManualClock();
  return { clock, wheel: new DeadlineWheel(clock) };
}

/** A task that ends as its signal says. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

interface ModelTask {
  readonly id: number;
  readonly promise: Promise<number>;
  readonly ends: PromiseWithResolvers<number>;
  done: boolean;
}

/** What a drain gave: how many errors, by their numbers. */
async function outcomeOf(drained: Promise<void>): Promise<readonly unknown[]> {
  try {
    await drained;
    return [];
  } catch (error) {
    return error instanceof AggregateError ? error.errors : [error];
  }
}

/** One random history: tasks spawned and ended in any order, and drained now and then. */
async function compareWithModel(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const group = new TaskGroup();
  const tasks: ModelTask[] = [];
  let errors: unknown[] = [];
  let drains: Promise<readonly unknown[]>[] = [];
  for (let step = 0; step < 80; step++) {
    const kind = random.int(100);
    const open = tasks.filter(({ done }) => !done);
    if (kind < 40) {
      const ends = Promise.withResolvers<number>();
      tasks.push({
        id: step,
        ends,
        promise: group.spawn(() => ends.promise, { name: `${step}` }),
        done: false,
      });
    } else if (kind < 85 && open.length > 0) {
      const task = random.pick(open);
      task.done = true;
      if (random.int(3) > 0) task.ends.resolve(task.id);
      else {
        const error = new Error(`${task.id}`);
        errors.push(error);
        task.ends.reject(error);
      }
    } else if (kind < 95) {
      if (open.length > 0) drains.push(outcomeOf(group.drain()));
      else {
        assertEquals(await outcomeOf(group.drain()), errors);
        errors = [];
      }
    } else {
      assertEquals(group.takeErrors(), errors);
      errors = [];
    }
    await settle();
    const left = tasks.filter(({ done }) => !done);
    assertEquals(group.pending().map(({ name }) => name), left.map(({ id }) => `${id}`));
    if (left.length === 0 && drains.length > 0) {
      for (const outcome of await Promise.all(drains)) assertEquals(outcome, errors);
      drains = [];
      errors = [];
    }
    assertEquals([group.pendingCount, group.errorCount], [left.length, errors.length]);
  }
  for (const { ends } of tasks) ends.resolve(-1);
  assertEquals(await outcomeOf(group.drain()), errors);
  for (const outcome of await Promise.all(drains)) assertEquals(outcome, errors);
}

Deno.test("TaskGroup does what its model does, in 100 random histories", async () => {
  for (let seed = 0; seed < 100; seed++) {
    try {
      await compareWithModel(seed);
    } catch (error) {
      throw new Error(`With seed ${seed}`, { cause: error });
    }
  }
});

Deno.test("TaskGroup.spawn() starts the task at once and gives what it gives", async () => {
  const group = new TaskGroup();
  let started = false;
  const value = group.spawn(() => {
    started = true;
    return Promise.resolve("value");
  });
  assertEquals([started, group.pendingCount], [true, 1]);
  assertEquals([await value, await group.spawn(() => 5)], ["value", 5]);
  await group.drain();
  assertEquals([group.pendingCount, group.pending()], [0, []]);
});

Deno.test("TaskGroup.spawn() rejects as the task does, and the group keeps the error", async () => {
  const group = new TaskGroup();
  const failure = new Error("from the task");
  const tasks = [
    () => Promise.reject(failure),
    () => {
      throw failure;
    },
  ];
  for (const task of tasks) {
    assertStrictEquals(await assertRejects(() => group.spawn(task)), failure);
    assertEquals(group.errorCount, 1);
    assertStrictEquals(await assertRejects(() => group.drain()), failure);
    assertEquals(group.errorCount, 0);
    await group.drain();
  }
});

Deno.test("TaskGroup leaves no unhandled rejection where nobody looks", async () => {
  const group = new TaskGroup();
  group.spawn(() => Promise.reject(new Error("a")));
  group.spawn(() => Promise.reject(undefined));
  await settle({ turnCount: 5 }); // the runtime would have told by now
  assertEquals(group.takeErrors(), [new Error("a"), undefined]);
});

Deno.test("TaskGroup.drain() throws an AggregateError of all, in the order they came", async () => {
  const group = new TaskGroup();
  const ends = [1, 2, 3].map(() => Promise.withResolvers<void>());
  for (const { promise } of ends) group.spawn(() => promise);
  const drained = assertRejects(() => group.drain(), AggregateError);
  for (const index of [2, 0, 1]) {
    ends[index]!.reject(index);
    await settle();
  }
  assertEquals((await drained).errors, [2, 0, 1]);
  await group.drain();
});

Deno.test("TaskGroup.drain() waits for tasks that tasks spawn, however deep", async () => {
  const group = new TaskGroup();
  let endedCount = 0;
  const spawn = (depth: number): void => {
    group.spawn(async () => {
      await undefined;
      if (depth > 0) spawn(depth - 1);
      await undefined;
      endedCount++;
    });
  };
  for (let i = 0; i < 3; i++) spawn(10);
  await group.drain();
  assertEquals([endedCount, group.pendingCount], [33, 0]);
});

Deno.test("TaskGroup.drain() waits for a task that is spawned where the last was awaited", async () => {
  const group = new TaskGroup();
  const steps: string[] = [];
  const owner = (async () => {
    await group.spawn(async () => void (await undefined));
    steps.push("first");
    await group.spawn(async () => void (await undefined));
    steps.push("second");
    await group.spawn(() => Promise.reject(new RangeError("last"))).catch(() => {});
    steps.push("third");
  })();
  await assertRejects(() => group.drain(), RangeError);
  assertEquals(steps, ["first", "second", "third"]);
  await owner;
});

Deno.test("TaskGroup.drain() gives up at its deadline, names who is late, and keeps all", async () => {
  const { clock, wheel } = setUp();
  const group = new TaskGroup({ clock });
  const late = Promise.withResolvers<void>();
  group.spawn(() => late.promise, { name: "the late one" });
  group.spawn(() => Promise.reject(new RangeError("kept")));
  const drained = group.drain({ timeoutMs: 1_000, wheel });
  clock.advance(1_100);
  const error = await assertRejects(() => drained, TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["drain", 1_000]);
  assert(error.message.includes("the late one"));
  assertEquals([group.pendingCount, group.errorCount], [1, 1]);
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  late.resolve();
  await assertRejects(() => group.drain(), RangeError);
});

Deno.test("TaskGroup.drain() rejects with the reason when aborted, and aborts nothing", async () => {
  const group = new TaskGroup();
  const end = Promise.withResolvers<void>();
  let aborted = false;
  group.spawn((signal) => {
    signal.addEventListener("abort", () => aborted = true);
    return end.promise;
  });
  const counted = new CountedSignal();
  const drained = group.drain({ signal: counted.signal });
  const other = group.drain();
  const reason = new Error("stop");
  counted.abort(reason);
  assertStrictEquals(await assertRejects(() => drained), reason);
  assertStrictEquals(await assertRejects(() => group.drain({ signal: counted.signal })), reason);
  assertEquals([group.pendingCount, aborted, counted.listenerCount], [1, false, 0]);
  end.resolve();
  await other;
});

Deno.test("TaskGroup.drain() keeps the errors from a drain that has given up", async () => {
  const group = new TaskGroup();
  const end = Promise.withResolvers<void>();
  group.spawn(() => end.promise);
  const controller = new AbortController();
  const drained = group.drain({ signal: controller.signal });
  controller.abort("stop");
  end.reject(new RangeError("kept"));
  assertEquals(await drained.catch((reason) => reason), "stop");
  await assertRejects(() => group.drain(), RangeError);
});

Deno.test("TaskGroup.drain() throws on wrong times, with nothing pending too", async () => {
  const group = new TaskGroup();
  await assertRejects(() => group.drain({ timeoutMs: -1 }), RangeError);
  await assertRejects(() => group.drain({ deadlineMs: NaN }), RangeError);
});

Deno.test("TaskGroup.drain() keeps the process alive until its deadline on the shared wheel", async () => {
  const group = new TaskGroup();
  const end = Promise.withResolvers<void>();
  group.spawn(() => end.promise);
  await assertRejects(() => group.drain({ timeoutMs: 10 }), TimeoutError);
  end.resolve();
  await group.drain();
});

Deno.test("TaskGroup.pending() says what is pending, and since when", async () => {
  const clock = new ManualClock();
  const group = new TaskGroup({ clock });
  const ends = [1, 2, 3].map(() => Promise.withResolvers<void>());
  async function backup(): Promise<void> {
    await ends[0]!.promise;
  }
  group.spawn(backup);
  clock.advance(1_000);
  group.spawn(() => ends[1]!.promise);
  clock.advance(500);
  group.spawn(() => ends[2]!.promise, { name: "named" });
  clock.advance(250);
  const expected: PendingTask[] = [
    { name: "backup", spawnedMs: 0, ageMs: 1_750 },
    { name: "task 2", spawnedMs: 1_000, ageMs: 750 },
    { name: "named", spawnedMs: 1_500, ageMs: 250 },
  ];
  assertEquals(group.pending(), expected);
  ends[0]!.resolve();
  await settle();
  assertEquals(group.pending(), expected.slice(1));
  for (const { resolve } of ends) resolve();
  await group.drain();
});

Deno.test("TaskGroup.abort() aborts every task with the reason, which is no error", async () => {
  const group = new TaskGroup();
  const reason = new Error("enough");
  const reasons: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    group.spawn(untilAborted).catch((error) => reasons.push(error));
  }
  group.abort(reason);
  group.abort(new Error("second"));
  assertEquals(group.pendingCount, 3); // until they have settled
  await group.drain();
  assert(reasons.length === 3 && reasons.every((one) => one === reason));
  assertStrictEquals(assertThrows(() => group.spawn(() => 1)), reason);
});

Deno.test("TaskGroup.abort() gives an AbortError by default", async () => {
  const group = new TaskGroup();
  const task = group.spawn(untilAborted);
  group.abort();
  const error = await assertRejects(() => task, DOMException);
  assertEquals(error.name, "AbortError");
  assertStrictEquals(assertThrows(() => group.spawn(() => 1)), error);
  await group.drain();
});

Deno.test("TaskGroup.abort() does not hide what a task throws besides", async () => {
  const group = new TaskGroup();
  group.spawn(untilAborted);
  group.spawn((signal) => untilAborted(signal).catch(() => Promise.reject(new RangeError("bug"))));
  group.abort();
  await assertRejects(() => group.drain(), RangeError);
});

Deno.test("TaskGroup with abortOnError ends all with the first error, thrown once", async () => {
  const group = new TaskGroup({ abortOnError: true });
  const failure = new Error("first");
  const end = Promise.withResolvers<void>();
  const others = [group.spawn(untilAborted), group.spawn(untilAborted)];
  group.spawn(() => end.promise);
  end.reject(failure);
  assertStrictEquals(await assertRejects(() => group.drain()), failure);
  for (const other of others) assertStrictEquals(await assertRejects(() => other), failure);
  assertStrictEquals(assertThrows(() => group.spawn(() => 1)), failure);
});

Deno.test("TaskGroup with onError tells it and keeps nothing", async () => {
  const clock = new ManualClock();
  const told: [unknown, PendingTask][] = [];
  const group = new TaskGroup({ clock, onError: (error, task) => void told.push([error, task]) });
  const end = Promise.withResolvers<void>();
  group.spawn(() => end.promise, { name: "job" });
  clock.advance(10);
  const failure = new Error("from the task");
  end.reject(failure);
  await group.drain();
  assertEquals(told, [[failure, { name: "job", spawnedMs: 0, ageMs: 10 }]]);
  assertEquals(group.errorCount, 0);
});

Deno.test("TaskGroup keeps what onError throws", async () => {
  const group = new TaskGroup({
    onError: () => {
      throw new RangeError("from the handler");
    },
  });
  group.spawn(() => Promise.reject(new Error("from the task")));
  await assertRejects(() => group.drain(), RangeError);
});

Deno.test("TaskGroup follows a signal, and listens to it only while tasks run", async () => {
  const counted = new CountedSignal();
  const group = new TaskGroup({ signal: counted.signal });
  assertEquals(counted.listenerCount, 0);
  for (let round = 0; round < 3; round++) {
    const ends = [1, 2].map(() => Promise.withResolvers<void>());
    for (const { promise } of ends) group.spawn(() => promise);
    assertEquals(counted.listenerCount, 1);
    for (const { resolve } of ends) resolve();
    await group.drain();
    assertEquals(counted.listenerCount, 0);
  }
  const task = group.spawn(untilAborted);
  const reason = new Error("stop");
  counted.abort(reason);
  assertStrictEquals(await assertRejects(() => task), reason);
  await group.drain();
  assertEquals(counted.listenerCount, 0);
  assertStrictEquals(assertThrows(() => group.spawn(() => 1)), reason);
});

Deno.test("TaskGroup refuses tasks once a signal it did not hear was aborted", () => {
  const group = new TaskGroup({ signal: AbortSignal.abort("stop") });
  let ran = false;
  assertEquals(assertThrows(() => group.spawn(() => ran = true)), "stop");
  assertEquals([ran, group.pendingCount], [false, 0]);
});

Deno.test("TaskGroup refuses more than maxTasks, without starting them", async () => {
  const group = new TaskGroup({ maxTasks: 2 });
  const end = Promise.withResolvers<void>();
  group.spawn(() => end.promise);
  group.spawn(() => end.promise);
  let ran = false;
  const error = assertThrows(() => group.spawn(() => ran = true), LimitExceededError);
  assertEquals([error.limit, error.max, ran], ["maxTasks", 2, false]);
  end.resolve();
  await group.drain();
  assertEquals(await group.spawn(() => 1), 1);
});

Deno.test("TaskGroup refuses tasks while maxErrors wait to be taken: none is lost", async () => {
  const group = new TaskGroup({ maxErrors: 2 });
  const end = Promise.withResolvers<void>();
  for (let i = 0; i < 3; i++) group.spawn(() => end.promise);
  end.reject(new Error("all of them"));
  await settle();
  const error = assertThrows(() => group.spawn(() => 1), LimitExceededError);
  assertEquals([error.limit, error.max], ["maxErrors", 2]);
  assertEquals([group.takeErrors().length, group.errorCount], [3, 0]);
  assertEquals(await group.spawn(() => 1), 1);
});

for (
  const options of [-1, 1.5, NaN].flatMap((value) => [{ maxTasks: value }, { maxErrors: value }])
) {
  Deno.test(`TaskGroup throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => new TaskGroup(options), RangeError);
  });
}

Deno.test("TaskGroup disposal aborts what is pending, and waits for it", async () => {
  const steps: string[] = [];
  {
    await using group = new TaskGroup();
    group.spawn(async (signal) => {
      await untilAborted(signal).catch(() => {});
      await settle();
      steps.push("cleaned up");
    });
    steps.push("end of the block");
  }
  assertEquals(steps, ["end of the block", "cleaned up"]);
});

Deno.test("TaskGroup disposal throws the errors nobody took", async () => {
  const failure = new RangeError("from a task");
  const block = async (): Promise<void> => {
    await using group = new TaskGroup();
    group.spawn(() => Promise.reject(failure));
    await settle();
  };
  assertStrictEquals(await assertRejects(block), failure);
});

Deno.test("TaskGroup disposal after a drain does nothing more", async () => {
  await using group = new TaskGroup();
  let ended = false;
  group.spawn(async () => {
    await settle();
    ended = true;
  });
  await group.drain();
  assertEquals(ended, true);
});

Deno.test("TaskGroup with a semaphore runs a long list some at a time", async () => {
  const group = new TaskGroup();
  const slots = new Semaphore(3);
  let activeCount = 0;
  let mostCount = 0;
  for (let n = 0; n < 50; n++) {
    const permit = await slots.acquire();
    group.spawn(async () => {
      using _permit = permit;
      mostCount = Math.max(mostCount, ++activeCount);
      await settle();
      activeCount--;
    });
  }
  await group.drain();
  assertEquals([mostCount, slots.available], [3, 3]);
});

Deno.test("TaskGroup ends ten thousand tasks, each with a signal of its own", async () => {
  const group = new TaskGroup();
  const queue = new AsyncQueue<number>();
  for (let n = 0; n < 10_000; n++) group.spawn((signal) => queue.pop({ signal }));
  assertEquals([group.pendingCount, queue.waiterCount], [10_000, 10_000]);
  group.abort("stop");
  await group.drain();
  assertEquals([group.pendingCount, queue.waiterCount], [0, 0]);
});

/** Sends back what comes, until the end or until the signal closes the connection. */
async function echo(transport: Transport, signal: AbortSignal): Promise<void> {
  const buffer = new Uint8Array(64);
  await runOperation(transport, "echo", { signal }, async () => {
    for (let n; (n = await transport.read(buffer)) !== null;) {
      await sendAll(transport, buffer.subarray(0, n));
    }
  });
  transport.close();
}

Deno.test("TaskGroup runs a server of real sockets, and ends it with silent clients on it", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const group = new TaskGroup();
  group.spawn(async (signal) => {
    signal.addEventListener("abort", () => listener.close());
    for (;;) {
      const conn = await listener.accept().catch(() => undefined);
      if (conn === undefined) return;
      if (signal.aborted) return conn.close();
      group.spawn((signal) => echo(conn, signal), { name: `echo ${conn.remoteAddr.port}` });
    }
  }, { name: "accept" });
  const clients = await Promise.all(Array.from({ length: 10 }, async (_, index) => {
    const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    await sendAll(client, new Uint8Array([index]));
    const buffer = new Uint8Array(4);
    assertEquals([await client.read(buffer), buffer[0]], [1, index]);
    return client;
  }));
  clients[0]!.close(); // one leaves by itself, the others stay silent
  assertEquals([group.pending()[0]!.name, group.pendingCount >= 10], ["accept", true]);
  group.abort();
  await group.drain();
  assertEquals(group.pendingCount, 0);
  for (const client of clients.slice(1)) {
    assertEquals(await client.read(new Uint8Array(4)).catch(() => null), null);
    client.close();
  }
});
