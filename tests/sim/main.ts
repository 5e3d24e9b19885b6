/**
 * Runs worlds in virtual time, one per seed, until one fails.
 *
 * `deno run -A tests/sim/main.ts [--seed 0] [--count 2000] [--workload http]`
 */

import { numberOption } from "../fuzz/number_option.ts";
import { simulate } from "./simulate.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

const PROGRESS_COUNT = 10_000;

const first = numberOption("seed", 0);
const count = numberOption("count", 2_000);
const at = Deno.args.indexOf("--workload");
const workload = WORKLOADS.find((name) => at >= 0 && name === Deno.args[at + 1]);
if (at >= 0 && workload === undefined) throw new RangeError(`Expected one of ${WORKLOADS}`);
const chosen: { readonly workload?: Workload } = workload === undefined ? {} : { workload };

const outcomes = new Map<string, number>();
let operationCount = 0;
let virtualMs = 0;
const beginMs = performance.now();
for (let seed = first; seed < first + count; seed++) {
  const result = await simulate({ seed, ...chosen });
  operationCount += result.operationCount;
  virtualMs += result.virtualMs;
  const doneCount = seed - first + 1;
  if (doneCount % PROGRESS_COUNT === 0) console.log(`${doneCount} of ${count} seeds`);
  for (const [outcome, times] of Object.entries(result.outcomes)) {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + times);
  }
}
const tookMs = performance.now() - beginMs;
console.log(`${count} seeds from ${first} in ${Math.round(tookMs)} ms`);
console.log(`${operationCount} operations in ${Math.round(virtualMs / 1_000)} s of virtual time`);
console.log(Object.fromEntries([...outcomes].toSorted(([, a], [, b]) => b - a)));
