import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { simulate } from "./simulate.ts";
import { WORKLOADS } from "./workload.ts";

const SEED_COUNT = 2_000;
const SEEDS_PER_TEST = 250;

for (let first = 0; first < SEED_COUNT; first += SEEDS_PER_TEST) {
  Deno.test(`simulate() finds nothing with the seeds from ${first}`, async () => {
    let operationCount = 0;
    for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
      operationCount += (await simulate({ seed })).operationCount;
    }
    assert(operationCount > SEEDS_PER_TEST);
  });
}

for (const workload of WORKLOADS) {
  Deno.test(`simulate() goes the same way for the same seed in workload ${workload}`, async () => {
    const digests = new Set<number>();
    for (let seed = 0; seed < 10; seed++) {
      const result = await simulate({ seed, workload });
      assertEquals(await simulate({ seed, workload }), result);
      digests.add(result.digest);
    }
    // Where all goes the same way whatever the seed, that would show nothing.
    assertEquals(digests.size, 10);
  });
}

Deno.test("simulate() sees successes, and failures where there are faults", async () => {
  const outcomes = new Map<string, number>();
  for (let seed = 0; seed < 60; seed++) {
    const result = await simulate({ seed, workload: "http" });
    for (const [outcome, count] of Object.entries(result.outcomes)) {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
    }
  }
  assert(outcomes.get("200")! > 100);
  assertNotEquals(outcomes.get("413"), undefined);
  assert([...outcomes.keys()].some((outcome) => outcome.includes("Error")));
});
