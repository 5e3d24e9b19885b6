import { assertEquals } from "@std/assert";
import { planAttempts } from "../../dns/query_schedule.ts";

/** What the C library waits, server by server, with `timeout` seconds. */
const CASES: readonly [serverCount: number, timeoutMs: number, turnsMs: number[]][] = [
  [1, 5_000, [5_000]],
  [2, 5_000, [5_000, 5_000]],
  [3, 5_000, [5_000, 3_000, 6_000]],
  [1, 1_000, [1_000]],
  [2, 1_000, [1_000, 1_000]],
  [3, 1_000, [1_000, 1_000, 1_000]],
  [3, 30_000, [30_000, 20_000, 40_000]],
  [4, 5_000, [5_000, 2_000, 5_000, 5_000]],
  [2, 250, [250, 250]],
  [3, 250, [250, 167, 334]],
  [3, 1, [1, 1, 2]],
];

for (const [serverCount, timeoutMs, turnsMs] of CASES) {
  Deno.test(`planAttempts() shares ${timeoutMs} ms among ${serverCount} as resolv.conf does`, () => {
    const plan = planAttempts(serverCount, 2, timeoutMs);
    assertEquals(plan.map((turn) => turn.timeoutMs), [...turnsMs, ...turnsMs]);
    const indexes = turnsMs.map((_, index) => index);
    assertEquals(plan.map(({ serverIndex }) => serverIndex), [...indexes, ...indexes]);
  });
}

Deno.test("planAttempts() asks every server as often as there are attempts", () => {
  assertEquals(planAttempts(3, 1, 5_000).length, 3);
  assertEquals(planAttempts(1, 5, 5_000).length, 5);
  assertEquals(planAttempts(1, 5, 1_000)[0]?.timeoutMs, 1_000);
  assertEquals(planAttempts(1, 5, 1_000)[0]?.timeoutMs, 1_000);
});
