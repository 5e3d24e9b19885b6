import { assertEquals } from "@std/assert";
import { FaultPlan } from "../../nbio/_testing_fault_plan.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

Deno.test("FaultPlan.advance() over nothing leaves the piece and its delay as they are", () => {
  const faults = { maxPieceBytes: 1_000, delayChance: 1, minDelayMs: 5, maxDelayMs: 5 };
  const plan = new FaultPlan(faults, new SeededRandom(1));
  const { limitBytes } = plan;
  assertEquals(plan.takeDelay(), 5);
  plan.advance(0);
  assertEquals([plan.offset, plan.limitBytes, plan.takeDelay()], [0, limitBytes, 0]);
  plan.advance(limitBytes);
  assertEquals([plan.offset, plan.takeDelay()], [limitBytes, 5]);
});

Deno.test("FaultPlan.advance() ends a piece without an end with the operation", () => {
  const plan = new FaultPlan({ delayChance: 1, minDelayMs: 5, maxDelayMs: 5 }, new SeededRandom(1));
  assertEquals([plan.limitBytes, plan.takeDelay(), plan.takeDelay()], [Infinity, 5, 0]);
  plan.advance(0);
  assertEquals(plan.takeDelay(), 0);
  plan.advance(7);
  assertEquals([plan.offset, plan.takeDelay()], [7, 5]);
});

Deno.test("FaultPlan gives no piece beyond the byte that a fault comes at", () => {
  const plan = new FaultPlan({ resetAfterBytes: 10 }, new SeededRandom(1));
  assertEquals([plan.end, plan.limitBytes, plan.isAtEnd], ["reset", 10, false]);
  plan.advance(9);
  assertEquals([plan.limitBytes, plan.isAtEnd], [1, false]);
  plan.advance(1);
  assertEquals([plan.limitBytes, plan.isAtEnd], [0, true]);
});
