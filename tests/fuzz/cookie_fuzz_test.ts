import { assertEquals, assertGreater } from "@std/assert";
import { fuzzCookies } from "./cookie_fuzz.ts";

// Another seed every day, the same one all day: new values, but no flicker.
const seed = Math.floor(Date.now() / 86_400_000);

Deno.test("a cookie jar keeps and sends what it should in 500 random rounds", async () => {
  const { acceptedCount, ignoredCount, pairCount } = await fuzzCookies({ seed, count: 500 });
  // All kinds have to come up, or the fuzzer tests nothing.
  assertGreater(acceptedCount, 1_000);
  assertGreater(ignoredCount, 1_000);
  assertGreater(pairCount, 1_000);
});

Deno.test("fuzzCookies() makes the same of the same seed", async () => {
  const options = { seed: 7, count: 20 };
  assertEquals(await fuzzCookies(options), await fuzzCookies(options));
});
