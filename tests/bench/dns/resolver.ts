/**
 * Microseconds of time and of CPU for a question to a server on this machine: our resolver with its
 * pool of sockets and with a fresh one for each question, beside `Deno.resolveDns`; and of a lookup
 * out of the cache. Then 10,000 questions at a time: sockets and memory.
 *
 * `deno run -A [--unstable-net] tests/bench/dns/resolver.ts [--rounds 9] [--visit-ms 200]`; the flag
 * gives the resolver the sockets of the runtime in place of those of `node:dgram`.
 */
import { parseArgs } from "node:util";
import { Resolver } from "../../../dns/resolver.ts";
import { type Budget, judge } from "../_support/budget.ts";
import { Child } from "../_support/child.ts";
import { describeMachine } from "../_support/machine.ts";
import { LOADER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot, residentBytes } from "../_support/process_stats.ts";
import { runRounds } from "../_support/rounds.ts";
import { summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";

const { values } = parseArgs({
  options: {
    "rounds": { type: "string", default: "9" },
    "visit-ms": { type: "string", default: "200" },
  },
});
const rounds = Number(values.rounds);
const visitMs = Number(values["visit-ms"]);

/** One way to ask. */
interface Way {
  readonly name: string;
  ask(name: string): Promise<unknown>;
}

/** How many questions are under way. */
const WIDTHS = [1, 32] as const;
const CROWD = 10_000;

await using server = new Child("server", {
  command: Deno.execPath(),
  args: ["run", "-A", "--unstable-net", new URL("resolver_server.ts", import.meta.url).pathname],
  core: LOADER_CORE,
});
const port = Number(await server.readLine());
const options = { servers: ["127.0.0.1"], port, cache: false } as const;
await using pool = new Resolver(options);
await using fresh = new Resolver({ ...options, sourcePorts: "fresh" });
await using cached = new Resolver({ ...options, cache: {} });
const nameServer = { ipAddr: "127.0.0.1", port };

const ways: readonly Way[] = [
  { name: "Deno.resolveDns", ask: (name) => Deno.resolveDns(name, "A", { nameServer }) },
  { name: "pool", ask: (name) => pool.resolve(name, "A") },
  { name: "fresh", ask: (name) => fresh.resolve(name, "A") },
];

let serial = 0;
/** CPU of the last visit, by cell: a visit gives one number, and this is the other. */
const cpu = new Map<string, number[]>();

/** Asks by `width` for a while; gives the microseconds of one question. */
async function visit(key: string, width: number, ask: Way["ask"]): Promise<number> {
  let count = 0;
  const before = cpuSnapshot(Deno.pid);
  const startMs = performance.now();
  await Promise.all(Array.from({ length: width }, async () => {
    while (performance.now() - startMs < visitMs) {
      await ask(`n${serial++}.example.`);
      count++;
    }
  }));
  const elapsedMs = performance.now() - startMs;
  const spent = cpuMicroseconds(before, cpuSnapshot(Deno.pid)) / count;
  cpu.getOrInsertComputed(key, () => []).push(spent);
  return elapsedMs * 1_000 / count;
}

const cells = WIDTHS.flatMap((width) =>
  ways.map(({ name, ask }) => ({
    key: `${width} at a time/${name}`,
    visit: () => visit(`${width} at a time/${name}`, width, ask),
  }))
);
cells.push({
  key: "1 at a time/cached",
  visit: async () => {
    const turns = 20_000;
    const startMs = performance.now();
    for (let turn = 0; turn < turns; turn++) await cached.lookup("www.example.", { family: 4 });
    return (performance.now() - startMs) * 1_000 / turns;
  },
});

for (const cell of cells) await cell.visit();
cpu.clear();
const times = await runRounds(cells, rounds);

const { cpu: model, cores, kernel, pinned, loadAverage } = describeMachine();
console.log(
  `${model}, ${cores} cores, ${kernel}, load ${loadAverage.toFixed(1)}, pinned: ${pinned}`,
);
console.log(
  `node:dgram: ${!("listenDatagram" in Deno)}\n\nMicroseconds per question (quartiles)\n`,
);
const rows = [["", "time", "CPU"]];
for (const { key } of cells) {
  rows.push([key, describe(times.get(key)), describe(cpu.get(key))]);
}
console.log(formatTable(rows));

function describe(found: readonly number[] | undefined): string {
  if (found === undefined) return "";
  const { median, lowerQuartile, upperQuartile } = summarize(found);
  return `${median.toFixed(1)} (${lowerQuartile.toFixed(1)}-${upperQuartile.toFixed(1)})`;
}

const promises: Budget[] = WIDTHS.flatMap((width) =>
  [
    { way: "pool", max: 0.85 },
    { way: "fresh", max: 1.5 },
  ].map(({ way, max }) => ({
    name: `${way}, ${width} at a time`,
    of: `${width} at a time/${way}`,
    over: `${width} at a time/Deno.resolveDns`,
    max,
  }))
);
const cachedBudget = {
  name: "a lookup out of the cache",
  of: "1 at a time/cached",
  over: "1 at a time/Deno.resolveDns",
  max: 0.05,
};
for (
  const [what, verdicts] of [
    ["time", judge([...promises, cachedBudget], times)],
    ["CPU", judge(promises, cpu)],
  ] as const
) {
  for (const { name, ratio, max, met } of verdicts) {
    const found = ratio.median.toFixed(2);
    console.log(`${name}: ${found} x the ${what}, at most ${max}: ${met ? "met" : "MISSED"}`);
  }
}

let maxSocketCount = 0;
const beforeBytes = residentBytes(Deno.pid);
const startMs = performance.now();
await Promise.all(Array.from({ length: CROWD }, async (_, index) => {
  await pool.resolve(`crowd${index}.example.`, "A");
  maxSocketCount = Math.max(maxSocketCount, pool.stats().socketCount);
}));
const crowdMs = performance.now() - startMs;
const grownMiB = (residentBytes(Deno.pid) - beforeBytes) / 2 ** 20;
console.log(
  `${CROWD} at a time: ${crowdMs.toFixed(0)} ms, ${maxSocketCount} sockets at most, ` +
    `${grownMiB.toFixed(1)} MiB more`,
);
