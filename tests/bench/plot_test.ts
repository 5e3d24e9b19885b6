import { assert, assertEquals, assertThrows } from "@std/assert";
import { drawResults } from "./plot.ts";
import type { Results, SuiteResult } from "./results.ts";

const RATIO = { lowest: 0.001, lowerQuartile: 0.4, median: 0.5, upperQuartile: 0.6, highest: 900 };

function suite(name: string, rest: Partial<SuiteResult>): SuiteResult {
  return {
    ...{ name, claim: "one <&> another", issue: 1, unit: "s", command: "", elapsedS: 1 },
    ...{ loadAverage: 0, costs: {}, verdicts: [], bounds: [], missing: {} },
    ...rest,
  };
}

function resultsOf(...suites: SuiteResult[]): Results {
  return {
    ...{ note: "a note ".repeat(100), startedAt: "2026-01-02T03:04:05Z", rounds: 1, seconds: 1 },
    machine: { cpu: "a cpu", cores: 2, kernel: "k", pinned: true, loadAverage: 0 },
    ...{ versions: { deno: "1" }, missing: { go: "it is not there" }, suites },
  };
}

const VERDICT = { name: "it", of: "a/b", over: "a/c", ratio: RATIO };

Deno.test("drawResults() marks what is met, missed and only compared", () => {
  const verdicts = [
    { ...VERDICT, max: 1, met: true },
    { ...VERDICT, max: 0.1, met: false },
    { ...VERDICT, max: null, met: true },
  ];
  const svg = drawResults(resultsOf(suite("static", { verdicts })));
  assert(svg.includes("0.50 ≤ 1.00"));
  assert(svg.includes("0.50 &gt; 0.10"));
  // One of each in the legend as well.
  for (
    const mark of ['<circle class="met"', '<path class="missed" s', '<circle class="compared"']
  ) {
    assertEquals(svg.split(mark).length - 1, 2, mark);
  }
});

Deno.test("drawResults() stays within the axis, and escapes what it is given", () => {
  const verdicts = [{ ...VERDICT, max: 1, met: true }];
  const svg = drawResults(resultsOf(suite("static", { verdicts })));
  assert(svg.includes("One &lt;&amp;&gt; another"));
  assert(svg.includes('d="M430 '));
  assert(/M430 [\d.]+L800 /.test(svg));
});

Deno.test("drawResults() names bounds, failures, versions and what was missing", () => {
  const bounds = [{ name: "memory", value: 12, max: 10, unit: "KiB", met: false }];
  const svg = drawResults(resultsOf(suite("sse", { bounds }), suite("tls", { failure: "gone" })));
  for (const text of ["12.00 &gt; 10.00 KiB", ">gone<", "deno 1; without go", "2026-01-02"]) {
    assert(svg.includes(text), text);
  }
});

Deno.test("drawResults() draws the suites that are named, and knows all names", () => {
  const verdicts = [{ ...VERDICT, max: 1, met: true }];
  const results = resultsOf(
    suite("sse", { verdicts, claim: "events" }),
    suite("static", { verdicts }),
  );
  const svg = drawResults(results, ["sse"]);
  assert(svg.includes("Events"));
  assert(!svg.includes("One "));
  assertThrows(() => drawResults(results, ["other"]), RangeError);
});
