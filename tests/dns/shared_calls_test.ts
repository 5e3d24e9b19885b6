import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type CancellableCall, SharedCalls } from "../../dns/shared_calls.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { ManualClock, settle } from "../../nbio/testing.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

class Call implements CancellableCall<string> {
  readonly #outcome = Promise.withResolvers<string>();
  readonly result = this.#outcome.promise;
  cancelled: unknown;

  cancel(reason: unknown): void {
    this.cancelled = reason;
    this.#outcome.reject(reason);
  }

  finish(text: string): void {
    this.#outcome.resolve(text);
  }
}

Deno.test("SharedCalls.join() begins one call for all who ask for the same", async () => {
  const calls = new SharedCalls<string>("resolve");
  const started: Call[] = [];
  const start = (): Call => {
    started.push(new Call());
    return started.at(-1)!;
  };
  const same = [calls.join("a", start, {}), calls.join("a", start, {})];
  const other = calls.join("b", start, {});
  assertEquals([started.length, calls.size], [2, 2]);
  started[0]!.finish("for a");
  started[1]!.finish("for b");
  assertEquals(await Promise.all([...same, other]), ["for a", "for a", "for b"]);
  assertEquals(calls.size, 0);
  // What is over is not joined.
  const later = calls.join("a", start, {});
  started[2]!.finish("later");
  assertEquals(await later, "later");
});

Deno.test("SharedCalls.join() cancels a call with the reason of the last who leaves", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock, { tickMs: 10 });
  const calls = new SharedCalls<string>("resolve");
  const call = new Call();
  const controller = new AbortController();
  const aborted = calls.join("a", () => call, { signal: controller.signal });
  const late = calls.join("a", () => call, { timeoutMs: 100, wheel });
  controller.abort("no more");
  assertEquals(await aborted.catch((error) => error), "no more");
  assertEquals([call.cancelled, calls.size], [undefined, 1]);
  clock.advance(120);
  const error = await assertRejects(() => late, TimeoutError);
  assertEquals([error.phase, call.cancelled, calls.size], ["resolve", error, 0]);
});

Deno.test("SharedCalls.join() keeps a call somebody waits for without bounds", async () => {
  const calls = new SharedCalls<string>("resolve");
  const call = new Call();
  const controller = new AbortController();
  const patient = calls.join("a", () => call, {});
  const other = calls.join("a", () => call, { signal: controller.signal });
  controller.abort("no more");
  assertEquals(await other.catch((error) => error), "no more");
  call.finish("done");
  assertEquals([await patient, call.cancelled], ["done", undefined]);
});

Deno.test("SharedCalls.join() begins nothing where it is too late already", () => {
  const calls = new SharedCalls<string>("resolve");
  const start = (): Call => {
    throw new Error("It began");
  };
  const signal = AbortSignal.abort(new TypeError("Aborted"));
  assertThrows(() => calls.join("a", start, { signal }), TypeError, "Aborted");
  assertThrows(() => calls.join("a", start, { deadlineMs: 0 }), TimeoutError);
  assertEquals(calls.size, 0);
});

Deno.test("SharedCalls.join() leaves nothing on a signal", async () => {
  const calls = new SharedCalls<string>("resolve");
  const signal = new CountedSignal();
  for (const end of ["finish", "cancel"] as const) {
    const call = new Call();
    const joined = calls.join("a", () => call, { signal: signal.signal });
    call[end]("over");
    assertEquals(await joined.catch((reason) => reason), "over");
    await settle();
    assertEquals(signal.listenerCount, 0);
  }
});

Deno.test("SharedCalls.cancelAll() fails all who wait", async () => {
  const calls = new SharedCalls<string>("resolve");
  const joined = ["a", "b"].map((key) => calls.join(key, () => new Call(), {}));
  calls.cancelAll("closed");
  for (const call of joined) assertEquals(await call.catch((reason) => reason), "closed");
  assertEquals(calls.size, 0);
});
