import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../nbio/clock.ts";
import { preciseNow } from "../../nbio/precise_now.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";

Deno.test("preciseNow() goes on while the clock of the system stands still", () => {
  const startMs = systemClock.now();
  let nowMs = preciseNow(systemClock);
  for (let count = 0; count < 1e7 && nowMs - startMs < 1; count++) nowMs = preciseNow(systemClock);
  assert(nowMs - startMs >= 1);
  assertEquals(systemClock.now(), startMs);
});

Deno.test("preciseNow() is what another clock says", () => {
  const clock = new ManualClock();
  clock.advance(7);
  assertEquals(preciseNow(clock), clock.now());
});
