import { assertEquals, assertInstanceOf } from "@std/assert";
import { CallBounds, wait } from "../../http/client_call_bounds.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { isSettled } from "../../nbio/testing_settle.ts";
import { errorOf } from "../_support/client_harness.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

Deno.test("CallBounds.signal is aborted when time is up", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const counted = new CountedSignal();
  const bounds = new CallBounds(1_000, counted.signal, wheel);
  clock.advance(1_000);
  assertEquals(bounds.signal.aborted, false);
  clock.advance(101);
  assertInstanceOf(bounds.signal.reason, TimeoutError);
  assertEquals([bounds.signal.reason.phase, bounds.signal.reason.timeoutMs], ["total", 1_000]);
  bounds.stop();
  assertEquals([counted.listenerCount, wheel.armedCount], [0, 0]);
});

Deno.test("CallBounds.signal follows the caller's, with its reason", () => {
  const wheel = new DeadlineWheel(new ManualClock());
  const counted = new CountedSignal();
  const bounds = new CallBounds(1_000, counted.signal, wheel);
  counted.abort("no more");
  assertEquals(bounds.signal.reason, "no more");
  bounds.stop();
  bounds.stop();
  assertEquals([counted.listenerCount, wheel.armedCount], [0, 0]);
  const late = new CallBounds(1_000, counted.signal, wheel);
  assertEquals(late.signal.reason, "no more");
  late.stop();
});

Deno.test("wait() lets time pass, or ends with the reason of a signal", async () => {
  const clock = new ManualClock();
  const [first, second] = [new CountedSignal(), new CountedSignal()];
  const signals = [first.signal, second.signal];
  const through = wait(50, clock, signals);
  clock.advance(49);
  assertEquals(await isSettled(through), false);
  clock.advance(1);
  await through;
  const ended = wait(50, clock, signals);
  second.abort("no more");
  assertEquals(await errorOf(ended), "no more");
  assertEquals(await errorOf(wait(50, clock, signals)), "no more");
  assertEquals([first.listenerCount, second.listenerCount, clock.pendingCount], [0, 0, 0]);
});
