import { assertEquals } from "@std/assert";
import { judge, judgeBound } from "./budget.ts";
import { readRecords, RECORD_VARIABLE } from "./record.ts";
import { runRounds } from "./rounds.ts";

const CELLS = new Map([["s/ours", [1, 2, 3]], ["s/peer", [2, 2, 2]]]);
const BUDGET = { name: "s", of: "s/ours", over: "s/peer" };

async function recorded(work: () => void | Promise<void>): Promise<unknown[]> {
  const path = await Deno.makeTempFile({ prefix: "nbio_bench_" });
  const before = Deno.env.get(RECORD_VARIABLE);
  Deno.env.set(RECORD_VARIABLE, path);
  try {
    await work();
    return readRecords(path);
  } finally {
    if (before === undefined) Deno.env.delete(RECORD_VARIABLE);
    else Deno.env.set(RECORD_VARIABLE, before);
    await Deno.remove(path);
  }
}

Deno.test("judge() takes the median of the ratios of the rounds, the budget included", () => {
  const met = [0.99, 1, 1.01].map((max) => judge([{ ...BUDGET, max }], CELLS)[0]!.met);
  assertEquals(met, [false, true, true]);
});

Deno.test("judge() leaves out what was not measured", () => {
  assertEquals(judge([{ ...BUDGET, over: "s/other", max: 1 }], CELLS), []);
});

Deno.test("judge() records a comparison without a budget as met, with no maximum", async () => {
  const records = await recorded(() => void judge([{ ...BUDGET, max: Infinity }], CELLS));
  assertEquals(records, [{
    ...{ type: "verdict", ...BUDGET, max: null, met: true },
    ratio: { lowest: 0.5, lowerQuartile: 0.75, median: 1, upperQuartile: 1.25, highest: 1.5 },
  }]);
});

Deno.test("judgeBound() records a figure, the bound included", async () => {
  const bound = { name: "memory", max: 10, unit: "KiB" };
  const records = await recorded(() => {
    assertEquals(judgeBound({ ...bound, value: 10 }), true);
    assertEquals(judgeBound({ ...bound, value: 10.1 }), false);
  });
  assertEquals(records, [
    { type: "bound", ...bound, value: 10, met: true },
    { type: "bound", ...bound, value: 10.1, met: false },
  ]);
});

Deno.test("runRounds() goes forth and back, and records every cell", async () => {
  const order: string[] = [];
  const cells = ["a", "b"].map((key) => ({
    key,
    visit: () => Promise.resolve(order.push(key)),
  }));
  const records = await recorded(async () => void await runRounds(cells, 2));
  assertEquals(order, ["a", "b", "b", "a"]);
  assertEquals(records, [
    { type: "cell", key: "a", values: [1, 4] },
    { type: "cell", key: "b", values: [2, 3] },
  ]);
});
