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
import type { Budget } from "../_support/budget.ts";
import { LOADER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot, residentBytes } from "../_support/process_stats.ts";
import { startScript } from "../_support/programs.ts";
import { readCount } from "../_support/read_count.ts";
import { record } from "../_support/record.ts";
import { printBound, printReport } from "../_support/report.ts";
import { runRounds } from "../_support/rounds.ts";

const { values } = parseArgs({
  options: {
    "rounds": { type: "string", default: "9" },
    "visit-ms": { type: "string", default: "200" },
  },
});
const rounds = readCount("rounds", values.rounds);
const visitMs = readCount("visit-ms", values["visit-ms"]);

/** One way to ask. */
interface Way {
  readonly name: string;
  ask(name: string): Promise<unknown>;
}

/** How many questions are under way. */
const WIDTHS = [1, 32] as const;
const CROWD = 10_000;
/** Most sockets that the pool may have open for them. */
const MAX_SOCKETS = 256;

/** Time and CPU of ours, where those of `Deno.resolveDns` are 1. */
const MAX_POOL_RATIO = 0.85;
const MAX_FRESH_RATIO = 1.5;
const MAX_CACHED_RATIO = 0.05;

await using server = startScript(new URL("resolver_server.ts", import.meta.url), {
  core: LOADER_CORE,
  flags: ["--unstable-net"],
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
/** CPU of all visits, by cell: a visit gives one number, and this is the other. */
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
  cpu.getOrInsertComputed(`CPU, ${key}`, () => []).push(spent);
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

for (const [key, values] of cpu) record({ type: "cell", key, values });

function budgetOf(what: string, width: number, way: string, max: number): Budget {
  const scenario = `${what}${width} at a time`;
  return {
    name: `${scenario}, ${way} against Deno.resolveDns`,
    of: `${scenario}/${way}`,
    over: `${scenario}/Deno.resolveDns`,
    max,
  };
}

const sockets = "listenDatagram" in Deno ? "listenDatagram" : "node:dgram";
printReport({
  title: `Microseconds per question, sockets of ${sockets}`,
  costs: new Map([...times, ...cpu]),
  budgets: [
    ...["", "CPU, "].flatMap((what) =>
      WIDTHS.flatMap((width) => [
        budgetOf(what, width, "pool", MAX_POOL_RATIO),
        budgetOf(what, width, "fresh", MAX_FRESH_RATIO),
      ])
    ),
    budgetOf("", 1, "cached", MAX_CACHED_RATIO),
  ],
});

let maxSocketCount = 0;
const beforeBytes = residentBytes(Deno.pid);
const startMs = performance.now();
await Promise.all(Array.from({ length: CROWD }, async (_, index) => {
  await pool.resolve(`crowd${index}.example.`, "A");
  maxSocketCount = Math.max(maxSocketCount, pool.stats().socketCount);
}));
const crowdMs = performance.now() - startMs;
const grownMiB = (residentBytes(Deno.pid) - beforeBytes) / 2 ** 20;
console.log();
printBound({
  name: `sockets for ${CROWD} questions at a time`,
  value: maxSocketCount,
  max: MAX_SOCKETS,
  unit: "sockets",
}, `${crowdMs.toFixed(0)} ms, ${grownMiB.toFixed(1)} MiB more`);
