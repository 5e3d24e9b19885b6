/**
 * Nanoseconds per match of our router and its rivals, in interleaved rounds. Ours is measured
 * with the call of the handler, the others as far as the parameters.
 *
 * `deno run -A tests/bench/router/main.ts [--rounds 9] [--visit-ms 100] [--sets 11,1000]
 * [--peers ours,find-my-way]`
 */
import { parseArgs } from "node:util";
import { judge } from "../_support/budget.ts";
import { describeMachine } from "../_support/machine.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";
import { type Matcher, MATCHERS } from "./matchers.ts";
import { ROUTE_SETS, type RouteSet } from "./route_sets.ts";

const { values } = parseArgs({
  options: {
    "rounds": { type: "string", default: "9" },
    "visit-ms": { type: "string", default: "100" },
    "sets": { type: "string", default: "11,1000" },
    "peers": { type: "string", default: Object.keys(MATCHERS).join(",") },
  },
});

/** Matches between two looks at the clock. */
const MATCHES_PER_LOOK = 400;

/** What is found goes here, so that finding it is not left out. */
let sink = 0;

/** Every request finds its route with the right parameters, in every matcher. */
function check(name: string, matcher: Matcher, { requests }: RouteSet): void {
  for (const request of requests) {
    const found = matcher.match(request);
    for (const [param, value] of Object.entries(request.params)) {
      if (found?.[param] === value) continue;
      throw new Error(`${name} does not find ${param} of ${request.method} ${request.path}`);
    }
    if (found === undefined) throw new Error(`${name} does not find ${request.path}`);
  }
}

function runFor(matcher: Matcher, { requests }: RouteSet, durationMs: number): number {
  let count = 0;
  const turns = Math.ceil(MATCHES_PER_LOOK / requests.length);
  const startMs = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < durationMs) {
    for (let turn = 0; turn < turns; turn++) {
      for (const request of requests) {
        if (matcher.match(request) !== undefined) sink++;
      }
    }
    count += turns * requests.length;
    elapsedMs = performance.now() - startMs;
  }
  return elapsedMs * 1e6 / count;
}

const peers = values.peers.split(",");
const sets = ROUTE_SETS.filter(({ name }) => values.sets.split(",").includes(name));
const cells: Cell[] = [];
for (const set of sets) {
  for (const peer of peers) {
    const matcher = await MATCHERS[peer]!(set);
    check(peer, matcher, set);
    runFor(matcher, set, 200);
    cells.push({
      key: `${set.name}/${peer}`,
      visit: () => Promise.resolve(runFor(matcher, set, Number(values["visit-ms"]))),
    });
  }
}
const costs = await runRounds(cells, Number(values.rounds));
const { cpu, cores, kernel } = describeMachine();
console.log(`${cpu}, ${cores} cores, ${kernel}\n\nNanoseconds per match (quartiles)\n`);
const rows = [["routes", ...peers]];
for (const { name } of sets) {
  const row = [name];
  for (const peer of peers) {
    const { median, lowerQuartile, upperQuartile } = summarize(costs.get(`${name}/${peer}`)!);
    row.push(`${median.toFixed(0)} (${lowerQuartile.toFixed(0)}-${upperQuartile.toFixed(0)})`);
  }
  rows.push(row);
}
console.log(formatTable(rows));
const budgets = sets.map(({ name }) => ({
  name: `${name} routes against find-my-way`,
  of: `${name}/ours`,
  over: `${name}/find-my-way`,
  max: 2,
}));
for (const { name, ratio, max, met } of judge(budgets, costs)) {
  console.log(`\n${name}: ${ratio.median.toFixed(3)}, budget ${max}, ${met ? "met" : "MISSED"}`);
}
if (sink === 0) throw new Error("Nothing was found");
