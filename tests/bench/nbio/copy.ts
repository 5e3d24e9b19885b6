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
import type { Budget } from "../_support/budget.ts";
import type { Child } from "../_support/child.ts";
import { LOADER_CORE, SERVER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import { startScript } from "../_support/programs.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { RIVAL_NAMES } from "./copy_proxy.ts";

const BUDGETS: readonly Budget[] = [
  budgetOf("copy against pipeTo", "ours", "pipe", 1),
  budgetOf("copy against a bare loop", "ours", "bare", 1.15),
  budgetOf("copy by 256 KiB against 64 KiB", "ours", "ours_64k", 1),
  budgetOf("copy by 1 MiB against 256 KiB", "ours_1m", "ours", Infinity),
  budgetOf("reading ahead against a bare loop", "ahead", "bare", Infinity),
];

function budgetOf(name: string, of: string, over: string, max: number): Budget {
  return { name, of: `copy/${of}`, over: `copy/${over}`, max };
}

/** MiB that go through before the first round. */
const WARM_UP_MIB = 64;

function startChild(core: number, file: string, ...args: string[]): Child {
  return startScript(new URL(file, import.meta.url), { core, args });
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
    const proxy = proxies.use(startChild(SERVER_CORE, "copy_proxy.ts", key));
    const port = Number(await proxy.readLine());
    await move(load, port, WARM_UP_MIB);
    cells.push({ key: `copy/${key}`, visit: () => visit(load, proxy, port, mib) });
  }
  return cells;
}

async function main(rounds: number, mib: number, rivals: readonly string[]): Promise<void> {
  await using children = new AsyncDisposableStack();
  const load = children.use(startChild(LOADER_CORE, "copy_load.ts"));
  const cells = await prepareCells(load, children, rivals, mib);
  const costs = await runRounds(cells, rounds);
  printReport({ title: `Seconds of CPU per GiB, by ${mib} MiB`, costs, budgets: BUDGETS });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      mib: { type: "string", default: "512" },
      rivals: { type: "string", default: "ours,pipe,bare" },
    },
  });
  await main(
    readCount("rounds", values.rounds),
    readCount("mib", values.mib),
    values.rivals.split(","),
  );
}
