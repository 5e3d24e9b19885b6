/**
 * CPU per request of 10 KiB of JSON that is compressed: our `compress()` beside the automatic
 * compression of `Deno.serve`, in interleaved rounds. User and system time of all threads of the
 * server process, divided by the requests it answered; the server has core 0, the loader core 1.
 *
 * `deno run -A tests/bench/compression/main.ts [--rounds 7] [--count 3000]`
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

const PEERS = ["ours", "deno"] as const;
/** `none` tells what the rest costs. `Deno.serve` knows gzip and br. */
const CODINGS = ["none", "gzip", "br", "zstd"] as const;
const BUDGETS: readonly Budget[] = [
  { name: "10 KiB JSON with gzip", of: "gzip/ours", over: "gzip/deno", max: 1.2 },
];

function start(name: string, core: number): Child {
  return startScript(new URL(name, import.meta.url), { core });
}

function cellOf(key: string, server: Child, port: string, loader: Child, count: number): Cell {
  const [name] = key.split("/");
  const coding = name === "none" ? "" : name;
  const load = async (requests: number): Promise<number> => {
    await loader.writeLine(`${port} ${requests} ${coding}`);
    return Number(await loader.readLine());
  };
  return {
    key,
    async visit(): Promise<number> {
      await load(Math.ceil(count / 10));
      const before = cpuSnapshot(server.pid);
      const answered = await load(count);
      return cpuMicroseconds(before, cpuSnapshot(server.pid)) / answered;
    },
  };
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "7" },
      count: { type: "string", default: "3000" },
    },
  });
  const count = readCount("count", values.count);
  await using loader = start("load_process.ts", LOADER_CORE);
  await using ours = start("server_ours.ts", SERVER_CORE);
  await using deno = start("server_deno.ts", SERVER_CORE);
  const servers = { ours, deno };
  const cells: Cell[] = [];
  for (const peer of PEERS) {
    const port = await servers[peer].readLine();
    for (const coding of CODINGS) {
      if (peer === "deno" && coding === "zstd") continue;
      cells.push(cellOf(`${coding}/${peer}`, servers[peer], port, loader, count));
    }
  }
  const costs = await runRounds(cells, readCount("rounds", values.rounds));
  printReport({ title: "Microseconds of CPU per request, by coding", costs, budgets: BUDGETS });
}

if (import.meta.main) await main(Deno.args);
