/**
 * CPU per GiB of `copy` and of `readable.pipeTo(writable)`: user and system time of all threads of
 * a proxy process between a source and a sink, in interleaved rounds.
 *
 * `deno run -A tests/bench/nbio/copy.ts [--rounds 7] [--mib 512] [--rivals ours,pipe,bare]`
 *
 * The proxy has core 0; source and sink are one process on core 1. Further rivals are `ours_16k`,
 * `ours_64k` and `ours_1m`, which differ in `bufferBytes`, and `ahead`, which reads ahead into a
 * second buffer. The budget is a ratio, taken round by round.
 */
import { parseArgs } from "node:util";
import { type Budget, judge } from "../_support/budget.ts";
import { Child } from "../_support/child.ts";
import { describeMachine } from "../_support/machine.ts";
import { LOADER_CORE, SERVER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";
import { RIVAL_NAMES } from "./copy_proxy.ts";

const BUDGETS: readonly Budget[] = [
  { name: "copy, of what pipeTo costs", of: "ours", over: "pipe", max: 1 },
  { name: "copy, of what a bare loop costs", of: "ours", over: "bare", max: 1.15 },
  { name: "256 KiB, of what 64 KiB cost", of: "ours", over: "ours_64k", max: 1 },
  { name: "1 MiB, of what 256 KiB cost", of: "ours_1m", over: "ours", max: Infinity },
  { name: "reading ahead, of what not costs", of: "ahead", over: "bare", max: Infinity },
];

/** MiB that go through before the first round. */
const WARM_UP_MIB = 64;

function startChild(name: string, core: number, file: string, ...args: string[]): Child {
  const path = new URL(file, import.meta.url).pathname;
  return new Child(name, {
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", path, ...args],
    core,
  });
}

async function move(load: Child, port: number, mib: number): Promise<void> {
  await load.writeLine(`${port} ${mib * 1_048_576}`);
  await load.readLine();
}

/** Seconds of CPU per GiB. */
async function visit(load: Child, proxy: Child, port: number, mib: number): Promise<number> {
  const before = cpuSnapshot(proxy.pid);
  await move(load, port, mib);
  return cpuMicroseconds(before, cpuSnapshot(proxy.pid)) / 1_000_000 / (mib / 1_024);
}

async function prepareCells(
  load: Child,
  proxies: AsyncDisposableStack,
  rivals: readonly string[],
  mib: number,
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const key of rivals) {
    if (!RIVAL_NAMES.includes(key)) {
      throw new RangeError(`Cannot use --rivals ${key}: known are ${RIVAL_NAMES.join(", ")}`);
    }
    const proxy = proxies.use(startChild(key, SERVER_CORE, "copy_proxy.ts", key));
    const port = Number(await proxy.readLine());
    await move(load, port, WARM_UP_MIB);
    cells.push({ key, visit: () => visit(load, proxy, port, mib) });
  }
  return cells;
}

async function main(rounds: number, mib: number, rivals: readonly string[]): Promise<void> {
  const machine = describeMachine();
  await using children = new AsyncDisposableStack();
  const load = children.use(startChild("load", LOADER_CORE, "copy_load.ts"));
  const cells = await prepareCells(load, children, rivals, mib);
  const costs = await runRounds(cells, rounds);
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.kernel}`);
  console.log(`${rounds} rounds of ${mib} MiB, load average ${machine.loadAverage.toFixed(2)}\n`);
  const rows = [["rival", "s/GiB", "quartiles"]];
  for (const [key, values] of costs) {
    const { median, lowerQuartile, upperQuartile } = summarize(values);
    const quartiles = `${lowerQuartile.toFixed(3)}-${upperQuartile.toFixed(3)}`;
    rows.push([key, median.toFixed(3), quartiles]);
  }
  console.log(formatTable(rows));
  const verdicts = [["promise", "ratio", "quartiles", "budget", ""]];
  for (const { name, ratio, max, met } of judge(BUDGETS, costs)) {
    const quartiles = `${ratio.lowerQuartile.toFixed(3)}-${ratio.upperQuartile.toFixed(3)}`;
    const budget = max === Infinity ? ["", ""] : [max.toFixed(2), met ? "met" : "MISSED"];
    verdicts.push([name, ratio.median.toFixed(3), quartiles, ...budget]);
  }
  console.log(`\n${formatTable(verdicts)}`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      mib: { type: "string", default: "512" },
      rivals: { type: "string", default: "ours,pipe,bare" },
    },
  });
  await main(Number(values.rounds), Number(values.mib), values.rivals.split(","));
}
