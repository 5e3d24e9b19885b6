import { assert, assertEquals, assertGreater } from "@std/assert";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { fuzzHttp } from "./http_fuzz.ts";
import { Log, TARGETS } from "./http_targets.ts";
import { formatInput, parseCorpusEntry, readCorpus } from "./mutation.ts";

const COUNT = 6_000;

Deno.test("the HTTP parsers give events or documented errors for 6,000 spoilt inputs", () => {
  // Another seed every day, the same one all day: new inputs, but no flicker.
  const seed = Math.floor(Date.now() / 86_400_000);
  const { refusedCount, counts } = fuzzHttp({ seed, count: COUNT });
  // Both kinds of ends have to come up, or the fuzzer tests nothing.
  assertGreater(refusedCount, COUNT / 4);
  assertGreater(COUNT - refusedCount, COUNT / 20);
  assertEquals(Object.keys(counts).sort(), Object.keys(TARGETS).sort());
});

Deno.test("fuzzHttp() makes the same of the same seed", () => {
  assertEquals(fuzzHttp({ seed: 7, count: 500 }), fuzzHttp({ seed: 7, count: 500 }));
});

Deno.test("the corpus holds inputs that pass, for every target", () => {
  const folder = new URL("./corpus/http/", import.meta.url);
  for (const [name, target] of Object.entries(TARGETS)) {
    const passed = readCorpus(folder, target.corpus).filter((entry) => {
      const log = new Log(entry.length);
      try {
        target.run([bytesOf(entry)], { limits: {}, lenience: {} }, log);
        return true;
      } catch (error) {
        log.error(error);
        return false;
      }
    });
    assertGreater(passed.length, 1, name);
  }
});

Deno.test("parseCorpusEntry() reads back what formatInput() writes", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const text = formatInput(bytes);
  assert(/^[ -~]*$/.test(text));
  assertEquals(parseCorpusEntry(`# comment\n${text}\n`), textOf(bytes));
});
