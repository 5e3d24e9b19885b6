import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { WaitList } from "../../nbio/wait_list.ts";
import { isCollected } from "../_support/collect_garbage.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

Deno.test("WaitList serves in the order of the calls", async () => {
  const list = new WaitList<string, number>({ maxWaiters: 10 });
  const waits = [1, 2, 3].map((id) => list.wait("wait", undefined, id));
  assertEquals([list.length, list.firstRequest], [3, 1]);
  list.resolveFirst("a");
  assertEquals([list.length, list.firstRequest], [2, 2]);
  list.resolveAll("b");
  assertEquals([list.length, list.firstRequest], [0, undefined]);
  assertEquals(await Promise.all(waits), ["a", "b", "b"]);
  list.resolveFirst("nobody");
});

Deno.test("WaitList.rejectAll() refuses everybody with the same reason", async () => {
  const list = new WaitList<void, void>({ maxWaiters: 10 });
  const waits = [1, 2].map(() => list.wait("wait", undefined));
  list.rejectAll("no");
  assertEquals(
    await Promise.allSettled(waits),
    [1, 2].map(() => ({ status: "rejected" as const, reason: "no" })),
  );
});

for (const left of ["first", "middle", "last", "all"]) {
  Deno.test(`WaitList keeps the others when one leaves: ${left}`, async () => {
    const list = new WaitList<string, string>({ maxWaiters: 10 });
    const names = ["first", "middle", "last"];
    const waits = names.map((name) => {
      const controller = new AbortController();
      const promise = list.wait("wait", { signal: controller.signal }, name);
      return { name, controller, promise };
    });
    const leaving = waits.filter(({ name }) => left === "all" || name === left);
    for (const { controller, promise } of leaving) {
      controller.abort(new Error(left));
      await assertRejects(() => promise, Error);
    }
    assertEquals(list.length, 3 - leaving.length);
    const served: string[] = [];
    for (const { name, promise } of waits) promise.then(() => served.push(name), () => {});
    while (list.length > 0) list.resolveFirst("");
    await settle();
    assertEquals(served, names.filter((name) => left !== "all" && name !== left));
  });
}

Deno.test("WaitList leaves nothing on wheel and signal of one that is served", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const counted = new CountedSignal();
  const list = new WaitList<number, void>({ maxWaiters: 10 });
  const wait = list.wait("wait", { timeoutMs: 100, wheel, signal: counted.signal });
  assertEquals([wheel.armedCount, counted.listenerCount], [1, 1]);
  list.resolveFirst(7);
  assertEquals([wheel.armedCount, clock.pendingCount, counted.listenerCount], [0, 0, 0]);
  counted.abort(new Error("too late"));
  clock.advance(1_000);
  assertEquals(await wait, 7);
});

Deno.test("WaitList tells that one has left, after it has", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const lengths: number[] = [];
  const list: WaitList<void, void> = new WaitList({
    maxWaiters: 10,
    onCancel: () => lengths.push(list.length),
  });
  const short = list.wait("wait", { timeoutMs: 100, wheel });
  const long = list.wait("wait", { timeoutMs: 5_000, wheel });
  clock.advance(200);
  assertEquals(lengths, [1]);
  await assertRejects(() => short, TimeoutError);
  list.resolveAll();
  await long;
  assertEquals(lengths, [1]);
});

for (const { maxWaiters, fits } of [{ maxWaiters: 2, fits: 2 }, { maxWaiters: 0, fits: 50 }]) {
  Deno.test(`WaitList with maxWaiters ${maxWaiters} lets ${fits} wait`, async () => {
    const list = new WaitList<void, void>({ maxWaiters });
    const waits = Array.from({ length: fits }, () => list.wait("wait", undefined));
    if (maxWaiters > 0) {
      const error = await assertRejects(() => list.wait("wait", undefined), LimitExceededError);
      assertEquals([error.limit, error.max], ["maxWaiters", maxWaiters]);
    }
    assertEquals(list.length, fits);
    list.resolveAll();
    await Promise.all(waits);
  });
}

Deno.test("WaitList does not take in one that comes too late", async () => {
  const list = new WaitList<void, void>({ maxWaiters: 1 });
  await assertRejects(() => list.wait("wait", { signal: AbortSignal.abort() }), DOMException);
  await assertRejects(() => list.wait("wait", { timeoutMs: -1 }), RangeError);
  assertEquals(list.length, 0);
});

for (const maxWaiters of [-1, 1.5, NaN]) {
  Deno.test(`WaitList throws on maxWaiters ${maxWaiters}`, () => {
    assertThrows(() => new WaitList({ maxWaiters }), RangeError);
  });
}

for (const end of ["served", "refused", "expired", "aborted"]) {
  Deno.test(`WaitList does not keep alive the request of one that was ${end}`, async () => {
    const clock = new ManualClock();
    const wheel = new DeadlineWheel(clock);
    const list = new WaitList<void, object>({ maxWaiters: 10 });
    const lasting = new AbortController();
    const wait = (signal: AbortSignal): [WeakRef<object>, Promise<void>] => {
      const request = {};
      const waiting = list.wait("wait", { timeoutMs: 1_000, wheel, signal }, request);
      return [new WeakRef(request), waiting.catch(() => {})];
    };
    const [ref, waiting] = wait(lasting.signal);
    const [, other] = wait(new AbortController().signal);
    if (end === "served") list.resolveFirst();
    if (end === "refused") list.rejectAll("no");
    if (end === "expired") clock.advance(2_000);
    if (end === "aborted") lasting.abort("stop");
    await waiting;
    assertEquals(await isCollected(ref), true);
    // All that could have kept it is still there.
    list.resolveAll();
    await other;
    assertEquals([list.length, wheel.armedCount, lasting.signal.aborted], [
      0,
      0,
      end === "aborted",
    ]);
  });
}
