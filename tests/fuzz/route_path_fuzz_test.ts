import { assertEquals, assertGreater } from "@std/assert";
import { fuzzPaths, fuzzPathsLive } from "./route_path_fuzz.ts";

// Another seed every day, the same one all day: new paths, but no flicker.
const seed = Math.floor(Date.now() / 86_400_000);

Deno.test("8,000 random paths are read as they should be", () => {
  const { refusedCount, rewrittenCount } = fuzzPaths({ seed, count: 8_000 });
  // All kinds have to come up, or the fuzzer tests nothing.
  assertGreater(refusedCount, 800);
  assertGreater(rewrittenCount, 800);
});

Deno.test("fuzzPaths() makes the same of the same seed", () => {
  const options = { seed: 7, count: 200 };
  assertEquals(fuzzPaths(options), fuzzPaths(options));
});

Deno.test("a router finds the routes of 1,000 random paths of one connection", async () => {
  const refusedCount = await fuzzPathsLive({ seed, count: 1_000 });
  assertGreater(refusedCount, 100);
  assertGreater(1_000 - refusedCount, 100);
});
