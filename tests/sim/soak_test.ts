import { assert, assertEquals } from "@std/assert";
import { soak } from "./soak.ts";

const DURATION_MS = 6_000;

Deno.test("soak() counts what it began, and every kind has its answers", async () => {
  const { begunCount, outcomes, looks, leftCount } = await soak({
    durationMs: DURATION_MS,
    concurrency: 3,
    seed: 1,
    lookMs: 1_000,
  });
  const endedCount = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  assertEquals([endedCount, leftCount], [begunCount, 0]);
  for (const kind of ["http answered", "https answered", "dns answered"]) {
    assert(outcomes[kind]! > 10, JSON.stringify(outcomes));
  }
  for (const kind of ["ws closed 1000", "wss closed 1000"]) {
    assert(outcomes[kind]! > 3, JSON.stringify(outcomes));
  }
  assert(looks.length >= 2);
});
