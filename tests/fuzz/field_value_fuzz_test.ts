import { assertEquals, assertGreater } from "@std/assert";
import { fuzzCookiesLive, fuzzFieldValues } from "./field_value_fuzz.ts";

// Another seed every day, the same one all day: new values, but no flicker.
const seed = Math.floor(Date.now() / 86_400_000);

Deno.test("cookies and preferences are read from 8,000 random values", () => {
  const { pairCount, formattedCount, preferenceCount } = fuzzFieldValues({ seed, count: 8_000 });
  // All kinds have to come up, or the fuzzer tests nothing.
  assertGreater(pairCount, 8_000);
  assertGreater(formattedCount, 800);
  assertGreater(preferenceCount, 800);
});

Deno.test("fuzzFieldValues() makes the same of the same seed", () => {
  const options = { seed: 7, count: 200 };
  assertEquals(fuzzFieldValues(options), fuzzFieldValues(options));
});

Deno.test("a server reads cookies from 1,000 random fields of one connection", async () => {
  assertGreater(await fuzzCookiesLive({ seed, count: 1_000 }), 1_000);
});
