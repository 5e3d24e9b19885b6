/**
 * Nanoseconds of CPU for parsing heads of requests, a chunked body, cookies and a form: ours and what npm
 * and the platform have, in interleaved rounds. Everything is read that was found; `ours, lazy` is
 * what `serve` does, which decodes only what somebody asks for.
 *
 * `deno run -A tests/bench/parsers/main.ts [--rounds 9] [--visit-ms 100]`
 *
 * Nothing was promised here: the ratios tell. `http-parser-js` decodes a head in the same strokes
 * in which it finds its lines; ours checks every byte against the grammar.
 */
import { parseArgs } from "node:util";
import type { Budget } from "../_support/budget.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { LOOP_WARM_UP_MS, nanosecondsPerStep } from "../_support/timed_loop.ts";
import { loadSteps } from "./rivals.ts";

const { values } = parseArgs({
  options: {
    "rounds": { type: "string", default: "9" },
    "visit-ms": { type: "string", default: "100" },
  },
});
const visitMs = readCount("visit-ms", values["visit-ms"]);

const steps = await loadSteps();
const cells: Cell[] = [];
for (const [key, step] of steps) {
  nanosecondsPerStep([step], LOOP_WARM_UP_MS);
  cells.push({ key, visit: () => Promise.resolve(nanosecondsPerStep([step], visitMs)) });
}
cells.sort((a, b) => a.key < b.key ? -1 : 1);

const budgets: Budget[] = [];
for (const { key } of cells) {
  const [sample, who] = key.split("/");
  if (who!.startsWith("ours")) continue;
  for (const ours of ["ours", "ours, lazy"]) {
    if (!steps.has(`${sample}/${ours}`)) continue;
    const name = `${sample}, ${ours}, against ${who}`;
    budgets.push({ name, of: `${sample}/${ours}`, over: key, max: Infinity });
  }
}
const costs = await runRounds(cells, readCount("rounds", values.rounds));
printReport({ title: "Nanoseconds of CPU per sample", costs, budgets });
