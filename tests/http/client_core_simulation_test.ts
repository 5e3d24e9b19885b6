import { assert, assertEquals } from "@std/assert";
import { simulateClient } from "../sim/http_client_simulation.ts";

const SEED_COUNT = 200;
const SEEDS_PER_TEST = 50;

for (const isHarmless of [true, false]) {
  for (let first = 0; first < SEED_COUNT; first += SEEDS_PER_TEST) {
    const kind = isHarmless ? "pieces and delays" : "every fault";
    Deno.test(`Client and our server agree over ${kind}, seeds from ${first}`, async () => {
      let answeredCount = 0;
      let failedCount = 0;
      for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
        const result = await simulateClient({ seed, isHarmless });
        answeredCount += result.answeredCount;
        failedCount += result.failedCount;
      }
      // Faults there are, and most is healed: else the simulation shows nothing.
      assert(answeredCount > failedCount);
      if (!isHarmless) assert(failedCount > 0);
    });
  }
}

Deno.test("simulateClient() goes the same way for the same seed", async () => {
  const results = [];
  for (const _ of [1, 2]) results.push(await simulateClient({ seed: 5, isHarmless: false }));
  assertEquals(results[0], results[1]);
});
