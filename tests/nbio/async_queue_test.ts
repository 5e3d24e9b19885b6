import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { AsyncQueue } from "../../nbio/async_queue.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { QueueClosedError } from "../../nbio/queue_closed_error.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

function setUp(): { clock: ManualClock; wheel: DeadlineWheel } {
  const clock = new ManualClock();
  return { clock, wheel: new DeadlineWheel(clock) };
}

/** What became of a push or pop: `undefined` while it waits. */
interface Outcome {
  value?: string;
}

interface ModelWait extends Outcome {
  readonly item?: number;
  readonly hasTimeout: boolean;
}

/** A queue of arrays, without promises: what waits is found by searching. */
class ModelQueue {
  readonly items: number[] = [];
  waits: ModelWait[] = [];
  end: "open" | "closed" | "failed" = "open";
  readonly #maxLength: number;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  push(item: number, hasTimeout: boolean): Outcome {
    if (this.end !== "open") return { value: this.end };
    const wait: ModelWait = { item, hasTimeout };
    this.waits.push(wait);
    this.#step();
    return wait;
  }

  pop(hasTimeout: boolean): Outcome {
    if (this.end === "failed") return { value: "failed" };
    const wait: ModelWait = { hasTimeout };
    this.waits.push(wait);
    this.#step();
    return wait;
  }

  /** Ends one that waits, from outside. */
  leave(wait: ModelWait, value: string): void {
    if (wait.value !== undefined) return;
    wait.value = value;
    this.waits = this.waits.filter((other) => other !== wait);
    this.#step();
  }

  expire(): void {
    for (const wait of [...this.waits]) {
      if (wait.hasTimeout) this.leave(wait, "timeout");
    }
  }

  finish(end: "closed" | "failed"): void {
    if (this.end === "failed" || (this.end === "closed" && end === "closed")) return;
    this.end = end;
    if (end === "failed") {
      for (const wait of [...this.waits]) this.leave(wait, "failed");
      this.items.length = 0;
    }
    this.#step();
  }

  /** Does the first thing that can be done until nothing can. */
  #step(): void {
    for (let moved = true; moved;) {
      moved = false;
      const push = this.waits.find(({ item }) => item !== undefined);
      const pop = this.waits.find(({ item }) => item === undefined);
      if (pop !== undefined && this.items.length > 0) {
        moved = this.#settle(pop, `item ${this.items.shift()}`);
      } else if (push !== undefined && this.items.length < this.#maxLength) {
        this.items.push(push.item!);
        moved = this.#settle(push, "pushed");
      } else if (pop !== undefined && this.end === "closed") {
        moved = this.#settle(pop, "end");
      }
    }
  }

  #settle(wait: ModelWait, value: string): true {
    wait.value = value;
    this.waits = this.waits.filter((other) => other !== wait);
    return true;
  }
}

/** One call of both, the queue and its model. */
interface Call {
  readonly model: Outcome;
  readonly real: Outcome;
  readonly controller: AbortController;
}

const BROKEN = new Error("broken");

function nameOf(error: unknown): string {
  if (error === BROKEN) return "failed";
  if (error instanceof QueueClosedError) return "closed";
  if (error instanceof TimeoutError) return "timeout";
  return String(error);
}

function watch(promise: Promise<number | undefined | void>, isPush: boolean): Outcome {
  const outcome: Outcome = {};
  promise.then((value) => {
    outcome.value = isPush ? "pushed" : value === undefined ? "end" : `item ${value}`;
  }, (error) => {
    outcome.value = nameOf(error);
  });
  return outcome;
}

/** Runs one random history, comparing after every step. */
async function compareWithModel(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const maxLength = 1 + random.int(4);
  const { clock, wheel } = setUp();
  const queue = new AsyncQueue<number>({ maxLength });
  const model = new ModelQueue(maxLength);
  const calls: Call[] = [];
  let nextItem = 0;
  const call = (isPush: boolean): void => {
    const controller = new AbortController();
    const hasTimeout = random.int(4) === 0;
    const options = { signal: controller.signal, wheel, ...(hasTimeout && { timeoutMs: 500 }) };
    const item = nextItem++;
    const real = watch(isPush ? queue.push(item, options) : queue.pop(options), isPush);
    calls.push({
      real,
      model: isPush ? model.push(item, hasTimeout) : model.pop(hasTimeout),
      controller,
    });
  };
  for (let step = 0; step < 120; step++) {
    const kind = random.int(100);
    if (kind < 38) call(true);
    else if (kind < 76) call(false);
    else if (kind < 90 && calls.length > 0) {
      const { controller, model: outcome } = random.pick(calls);
      controller.abort("cancelled");
      model.leave(outcome as ModelWait, "cancelled");
    } else if (kind < 94) {
      clock.advance(1_000);
      model.expire();
    } else if (kind === 94 && step > 60) {
      queue.close();
      model.finish("closed");
    } else if (kind === 95 && step > 90) {
      assertEquals(queue.fail(BROKEN), model.end === "failed" ? [] : [...model.items]);
      model.finish("failed");
    }
    await settle();
    assertEquals(calls.map(({ real }) => real.value), calls.map(({ model }) => model.value));
    assertEquals([queue.length, queue.waiterCount], [model.items.length, model.waits.length]);
  }
  queue.fail(BROKEN);
  await settle();
  assertEquals([queue.waiterCount, wheel.armedCount, clock.pendingCount], [0, 0, 0]);
}

Deno.test("AsyncQueue does what its model does, in 150 random histories", async () => {
  for (let seed = 0; seed < 150; seed++) {
    try {
      await compareWithModel(seed);
    } catch (error) {
      throw new Error(`With seed ${seed}`, { cause: error });
    }
  }
});

Deno.test("AsyncQueue.push() waits for room, pushes in the order of their calls", async () => {
  const queue = new AsyncQueue<string>({ maxLength: 1 });
  await queue.push("a");
  const order: string[] = [];
  const pushes = ["b", "c"].map((item) => queue.push(item).then(() => order.push(item)));
  await settle();
  assertEquals([order, queue.length, queue.waiterCount], [[], 1, 2]);
  assertEquals(await queue.pop(), "a");
  await settle();
  assertEquals(order, ["b"]);
  assertEquals([await queue.pop(), await queue.pop()], ["b", "c"]);
  await Promise.all(pushes);
});

Deno.test("AsyncQueue.pop() waits for an item, pops in the order of their calls", async () => {
  const queue = new AsyncQueue<string>();
  const pops = [queue.pop(), queue.pop()];
  assertEquals([await isSettled(pops[0]!), queue.waiterCount], [false, 2]);
  assertEquals([queue.tryPush("a"), queue.tryPush("b"), queue.length], [true, true, 0]);
  assertEquals(await Promise.all(pops), ["a", "b"]);
});

Deno.test("AsyncQueue.tryPush() and tryPop() never overtake those who wait", async () => {
  const queue = new AsyncQueue<string>({ maxLength: 1 });
  queue.tryPush("a");
  const push = queue.push("b");
  assertEquals(queue.tryPush("c"), false);
  assertEquals(queue.tryPop(), "a");
  assertEquals(queue.tryPush("c"), false); // "b" has taken the place
  await push;
  assertEquals([queue.tryPop(), queue.tryPop()], ["b", undefined]);
  const pop = queue.pop();
  queue.tryPush("d");
  assertEquals(queue.tryPop(), undefined); // "d" belongs to the pop
  assertEquals(await pop, "d");
});

for (const item of [null, 0, "", false, NaN]) {
  Deno.test(`AsyncQueue carries ${Deno.inspect(item)}, which is no end`, async () => {
    const queue = new AsyncQueue<number | string | boolean | null>({ maxLength: 1 });
    await queue.push(item);
    const push = queue.push(item);
    assertEquals([await queue.pop(), await queue.pop()], [item, item]);
    await push;
    const pop = queue.pop();
    await queue.push(item);
    assertEquals(await pop, item);
  });
}

Deno.test("AsyncQueue refuses undefined", async () => {
  const queue = new AsyncQueue<string>();
  const item = undefined as unknown as string;
  assertThrows(() => queue.tryPush(item), TypeError);
  await assertRejects(() => queue.push(item), TypeError);
  assertEquals(queue.length, 0);
});

Deno.test("AsyncQueue with maxLength Infinity takes everything at once", async () => {
  const queue = new AsyncQueue<number>({ maxLength: Infinity });
  for (let n = 0; n < 10_000; n++) assert(queue.tryPush(n));
  queue.close();
  let expected = 0;
  for await (const n of queue) assertEquals(n, expected++);
  assertEquals(expected, 10_000);
});

Deno.test("AsyncQueue.close() lets the rest be popped, that of waiting pushes too", async () => {
  const queue = new AsyncQueue<string>({ maxLength: 1 });
  queue.tryPush("a");
  const push = queue.push("b");
  queue.close();
  queue.close();
  assertEquals([queue.closed, queue.length], [true, 1]);
  assertThrows(() => queue.tryPush("c"), QueueClosedError);
  const error = await assertRejects(() => queue.push("c"), QueueClosedError);
  assertEquals(error.code, "ERR_NET_QUEUE_CLOSED");
  assertEquals([await queue.pop(), await queue.pop()], ["a", "b"]);
  await push;
  assertEquals([await queue.pop(), queue.tryPop()], [undefined, undefined]);
});

Deno.test("AsyncQueue.close() ends the pops that wait", async () => {
  const queue = new AsyncQueue<string>();
  const pops = [queue.pop(), queue.pop()];
  queue.close();
  assertEquals(await Promise.all(pops), [undefined, undefined]);
});

Deno.test("AsyncQueue.close() of a queue whose waiting push is cancelled ends it all the same", async () => {
  const queue = new AsyncQueue<string>({ maxLength: 1 });
  queue.tryPush("a");
  const controller = new AbortController();
  const push = queue.push("b", { signal: controller.signal });
  queue.close();
  controller.abort("cancelled");
  assertEquals(await push.catch((reason) => reason), "cancelled");
  assertEquals([await queue.pop(), await queue.pop()], ["a", undefined]);
});

Deno.test("AsyncQueue.fail() throws the error at everybody, and gives the items back", async () => {
  const queue = new AsyncQueue<string>({ maxLength: 2 });
  queue.tryPush("a");
  queue.tryPush("b");
  const push = queue.push("c");
  assertEquals(queue.fail(BROKEN), ["a", "b"]);
  for (const call of [() => push, () => queue.push("d"), () => queue.pop()]) {
    assertStrictEquals(await assertRejects(call), BROKEN);
  }
  assertStrictEquals(assertThrows(() => queue.tryPush("d")), BROKEN);
  assertStrictEquals(assertThrows(() => queue.tryPop()), BROKEN);
  assertEquals([queue.closed, queue.length, queue.waiterCount], [true, 0, 0]);
});

Deno.test("AsyncQueue.fail() rejects pops that wait; the first failure stays", async () => {
  const queue = new AsyncQueue<string>();
  const pop = queue.pop();
  queue.fail(BROKEN);
  assertEquals(queue.fail(new Error("second")), []);
  queue.close();
  assertStrictEquals(await assertRejects(() => pop), BROKEN);
  assertStrictEquals(await assertRejects(() => queue.pop()), BROKEN);
});

Deno.test("AsyncQueue.fail() with undefined is a failure", async () => {
  const queue = new AsyncQueue<string>();
  queue.fail(undefined);
  const [result] = await Promise.allSettled([queue.pop()]);
  assertEquals(result, { status: "rejected", reason: undefined });
});

Deno.test("AsyncQueue.fail() after close() drops the rest", async () => {
  const queue = new AsyncQueue<string>();
  queue.tryPush("a");
  queue.close();
  assertEquals(queue.fail(BROKEN), ["a"]);
  assertStrictEquals(await assertRejects(() => queue.pop()), BROKEN);
});

Deno.test("AsyncQueue is iterated by several loops that share its items", async () => {
  const queue = new AsyncQueue<number>({ maxLength: 3 });
  const taken: number[][] = [[], []];
  const loops = taken.map(async (list) => {
    for await (const item of queue) list.push(item);
  });
  for (let n = 0; n < 100; n++) await queue.push(n);
  queue.close();
  await Promise.all(loops);
  assertEquals(taken.flat().sort((a, b) => a - b), [...Array(100).keys()]);
  for (const list of taken) assertEquals(list, list.toSorted((a, b) => a - b));
  assert(taken.every(({ length }) => length > 0));
});

Deno.test("AsyncQueue stays as it is when a loop is left", async () => {
  const queue = new AsyncQueue<string>();
  for (const item of ["a", "b"]) queue.tryPush(item);
  for await (const item of queue) {
    assertEquals(item, "a");
    break;
  }
  assertEquals([queue.closed, queue.tryPop(), queue.waiterCount], [false, "b", 0]);
});

Deno.test("AsyncQueue throws a failure into the loop", async () => {
  const queue = new AsyncQueue<string>();
  queue.tryPush("a");
  const items: string[] = [];
  const loop = (async () => {
    for await (const item of queue) items.push(item);
  })();
  await settle();
  queue.fail(BROKEN);
  assertStrictEquals(await assertRejects(() => loop), BROKEN);
  assertEquals(items, ["a"]);
});

/** A call that has to wait, and what makes room for it. */
const WAITS = [
  {
    name: "push",
    prepare: (queue: AsyncQueue<string>) => queue.tryPush("first"),
    wait: (queue: AsyncQueue<string>, options: object) => queue.push("second", options),
  },
  {
    name: "pop",
    prepare: () => {},
    wait: (queue: AsyncQueue<string>, options: object) => queue.pop(options),
  },
] as const;

for (const { name, prepare, wait } of WAITS) {
  Deno.test(`AsyncQueue.${name}() rejects with the reason when aborted, and leaves no trace`, async () => {
    const queue = new AsyncQueue<string>({ maxLength: 1 });
    prepare(queue);
    const counted = new CountedSignal();
    const waiting = wait(queue, { signal: counted.signal });
    assertEquals([queue.waiterCount, counted.listenerCount], [1, 1]);
    const reason = new Error("stop");
    const lengthBefore = queue.length;
    counted.abort(reason);
    assertEquals([queue.waiterCount, counted.listenerCount], [0, 0]);
    assertStrictEquals(await assertRejects(() => waiting), reason);
    assertEquals(queue.length, lengthBefore);
    // The signal is aborted: nothing is tried any more, even if it could be done.
    queue.tryPop();
    assertStrictEquals(await assertRejects(() => wait(queue, { signal: counted.signal })), reason);
    assertEquals(queue.length, 0);
  });

  Deno.test(`AsyncQueue.${name}() gives up at its deadline, and leaves no trace`, async () => {
    for (const bound of [{ timeoutMs: 1_000 }, { deadlineMs: 1_000 }]) {
      const { clock, wheel } = setUp();
      const queue = new AsyncQueue<string>({ maxLength: 1 });
      prepare(queue);
      const waiting = wait(queue, { ...bound, wheel });
      clock.advance(900);
      assertEquals(await isSettled(waiting), false);
      clock.advance(200);
      const error = await assertRejects(() => waiting, TimeoutError);
      assertEquals([error.code, error.phase], ["ERR_NET_TIMEOUT", name]);
      assertEquals([queue.waiterCount, wheel.armedCount, clock.pendingCount], [0, 0, 0]);
    }
  });

  Deno.test(`AsyncQueue.${name}() that is served in time leaves no trace`, async () => {
    const { clock, wheel } = setUp();
    const queue = new AsyncQueue<string>({ maxLength: 1 });
    prepare(queue);
    const counted = new CountedSignal();
    const waiting = wait(queue, { timeoutMs: 1_000, wheel, signal: counted.signal });
    if (name === "push") queue.tryPop();
    else queue.tryPush("item");
    // From here on nothing can take back what was given.
    counted.abort(new Error("late"));
    clock.advance(5_000);
    assertEquals(await waiting, name === "push" ? undefined : "item");
    assertEquals([counted.listenerCount, wheel.armedCount, clock.pendingCount], [0, 0, 0]);
  });

  Deno.test(`AsyncQueue.${name}() throws on wrong times, whether it has to wait or not`, async () => {
    for (const bound of [{ timeoutMs: -1 }, { timeoutMs: NaN }, { deadlineMs: NaN }]) {
      const queue = new AsyncQueue<string>({ maxLength: 1 });
      if (name === "pop") queue.tryPush("item");
      await assertRejects(() => wait(queue, bound), RangeError);
      queue.tryPop();
      prepare(queue);
      await assertRejects(() => wait(queue, bound), RangeError);
      assertEquals(queue.waiterCount, 0);
    }
  });

  Deno.test(`AsyncQueue.${name}() does nothing when its deadline has passed`, async () => {
    const { clock, wheel } = setUp();
    clock.advance(10);
    const queue = new AsyncQueue<string>({ maxLength: 2 });
    queue.tryPush("item");
    await assertRejects(() => wait(queue, { deadlineMs: 10, wheel }), TimeoutError);
    assertEquals(queue.length, 1);
  });

  Deno.test(`AsyncQueue.${name}() refuses more than maxWaiters`, async () => {
    const queue = new AsyncQueue<string>({ maxLength: 1, maxWaiters: 2 });
    prepare(queue);
    const waits = [wait(queue, {}), wait(queue, {})];
    const error = await assertRejects(() => wait(queue, {}), LimitExceededError);
    assertEquals([error.limit, error.max, queue.waiterCount], ["maxWaiters", 2, 2]);
    queue.fail(BROKEN);
    for (const one of waits) assertStrictEquals(await assertRejects(() => one), BROKEN);
  });

  Deno.test(`AsyncQueue keeps nothing of 100,000 cancelled calls of ${name}()`, async () => {
    const { clock, wheel } = setUp();
    const queue = new AsyncQueue<string>({ maxLength: 1, maxWaiters: Infinity });
    prepare(queue);
    let rejectedCount = 0;
    const count = (): void => void rejectedCount++;
    for (let i = 0; i < 50_000; i++) {
      const controller = new AbortController();
      wait(queue, { signal: controller.signal }).catch(count);
      wait(queue, { timeoutMs: 100, wheel }).catch(count);
      controller.abort("stop");
    }
    assertEquals(queue.waiterCount, 50_000);
    clock.advance(200);
    await settle();
    assertEquals([queue.waiterCount, rejectedCount], [0, 100_000]);
    assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
  });
}

Deno.test("AsyncQueue loses no item when a pop is cancelled in the turn of a push", async () => {
  for (const first of ["push", "abort"]) {
    const queue = new AsyncQueue<string>();
    const controller = new AbortController();
    const pop = queue.pop({ signal: controller.signal });
    if (first === "push") queue.tryPush("item");
    controller.abort("cancelled");
    if (first === "abort") queue.tryPush("item");
    const outcome = await pop.catch((reason) => reason);
    assertEquals(outcome, first === "push" ? "item" : "cancelled");
    assertEquals(queue.tryPop(), first === "push" ? undefined : "item");
  }
});

Deno.test("AsyncQueue.pop() keeps the process alive until its deadline on the shared wheel", async () => {
  await assertRejects(() => new AsyncQueue<string>().pop({ timeoutMs: 10 }), TimeoutError);
});

for (
  const options of [
    ...[0, -1, 1.5, NaN].map((maxLength) => ({ maxLength })),
    ...[-1, 1.5, NaN].map((maxWaiters) => ({ maxWaiters })),
  ]
) {
  Deno.test(`AsyncQueue throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => new AsyncQueue<string>(options), RangeError);
  });
}

Deno.test("AsyncQueue holds back the reader of a socket whose consumer is slow", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using server = await listener.accept();
  const queue = new AsyncQueue<number>({ maxLength: 4 });
  let longest = 0;
  const reading = (async () => {
    const buffer = new Uint8Array(16);
    for (let n; (n = await server.read(buffer)) !== null;) {
      for (const byte of buffer.subarray(0, n)) await queue.push(byte);
      longest = Math.max(longest, queue.length);
    }
    queue.close();
  })();
  const bytes = Uint8Array.from({ length: 200 }, (_, index) => index);
  for (let sent = 0; sent < bytes.length;) sent += await client.write(bytes.subarray(sent));
  await client.closeWrite();
  const received: number[] = [];
  for await (const byte of queue) received.push(byte);
  await reading;
  assertEquals(received, [...bytes]);
  assert(longest <= 4);
});
