/**
 * Nanoseconds of CPU per match of our router and its rivals, in interleaved rounds. Ours is measured
 * with the call of the handler, the others as far as the parameters.
 *
 * `deno run -A tests/bench/router/main.ts [--rounds 9] [--visit-ms 100] [--sets 11,1000]
 * [--peers ours,find-my-way]`
 */
import { parseArgs } from "node:util";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { LOOP_WARM_UP_MS, nanosecondsPerStep } from "../_support/timed_loop.ts";
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

const visitMs = readCount("visit-ms", values["visit-ms"]);

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

const peers = values.peers.split(",");
const sets = ROUTE_SETS.filter(({ name }) => values.sets.split(",").includes(name));
const cells: Cell[] = [];
for (const set of sets) {
  for (const peer of peers) {
    const matcher = await MATCHERS[peer]!(set);
    check(peer, matcher, set);
    const { requests } = set;
    const matchAll = (): number => {
      let count = 0;
      for (const request of requests) if (matcher.match(request) !== undefined) count++;
      return count;
    };
    const visit = (durationMs: number): number =>
      nanosecondsPerStep([matchAll], durationMs) / requests.length;
    visit(LOOP_WARM_UP_MS);
    cells.push({ key: `${set.name}/${peer}`, visit: () => Promise.resolve(visit(visitMs)) });
  }
}
const costs = await runRounds(cells, readCount("rounds", values.rounds));
const budgets = sets.map(({ name }) => ({
  name: `${name} routes against find-my-way`,
  of: `${name}/ours`,
  over: `${name}/find-my-way`,
  max: 2,
}));
printReport({ title: "Nanoseconds of CPU per match, by number of routes", costs, budgets });
