import { assertEquals, assertGreater } from "@std/assert";
import { fuzzX509, judge, readX509Corpus } from "./x509_fuzz.ts";

// Another seed every day, the same one all day: new inputs, but no flicker.
const seed = Math.floor(Date.now() / 86_400_000);

Deno.test("3,000 spoilt certificates give a certificate or a documented error", () => {
  const { acceptedCount, refusals } = fuzzX509({ seed, count: 3_000, corpus: readX509Corpus() });
  // All kinds have to come up, or the fuzzer tests nothing.
  assertGreater(acceptedCount, 100);
  assertGreater(Object.keys(refusals).length, 5);
});

Deno.test("fuzzX509() makes the same of the same seed", () => {
  const options = { seed: 7, count: 200, corpus: readX509Corpus() };
  assertEquals(fuzzX509(options), fuzzX509(options));
});

Deno.test("certificates that are cut off at any byte are no DER", () => {
  for (const der of readX509Corpus()) {
    for (let length = 0; length < der.length; length++) {
      assertEquals(judge(der.slice(0, length)), "ERR_X509_BAD_DER", `after ${length} bytes`);
    }
    assertEquals(judge(der), undefined);
  }
});
