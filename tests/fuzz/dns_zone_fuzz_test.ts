import { assertEquals, assertGreater } from "@std/assert";
import { fuzzZones } from "./dns_zone_fuzz.ts";

const COUNT = 2_000;

Deno.test("ZoneParser gives records or documented errors for 2,000 spoilt zones", () => {
  // Another seed every day, the same one all day: new inputs, but no flicker.
  const seed = Math.floor(Date.now() / 86_400_000);
  const { recordCount, refusedCount } = fuzzZones({ seed, count: COUNT });
  // Both kinds of ends have to come up, or the fuzzer tests nothing.
  assertGreater(recordCount, COUNT);
  assertGreater(refusedCount, COUNT / 10);
  assertGreater(COUNT - refusedCount, COUNT / 10);
});

Deno.test("fuzzZones() makes the same of the same seed", () => {
  assertEquals(fuzzZones({ seed: 7, count: 100 }), fuzzZones({ seed: 7, count: 100 }));
});
