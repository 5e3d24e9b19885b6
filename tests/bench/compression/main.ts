/**
 * CPU per request of 10 KiB of JSON that is compressed: our `compress()` beside the automatic
 * compression of `Deno.serve`, in interleaved rounds. User and system time of all threads of the
 * server process, divided by the requests it answered; the server has core 0, the loader core 1.
 *
 * `deno run -A tests/bench/compression/main.ts [--rounds 7] [--count 3000]`
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
import { formatVerdicts } from "../http_server/report.ts";

const PEERS = ["ours", "deno"] as const;
/** Empty: no coding, which tells what the rest costs. `Deno.serve` knows gzip and br. */
const CODINGS = ["", "gzip", "br", "zstd"] as const;
const BUDGETS: readonly Budget[] = [
  { name: "10 KiB JSON with gzip", of: "gzip/ours", over: "gzip/deno", max: 1.2 },
];

function denoChild(name: string, core: number): Child {
  const { pathname } = new URL(name, import.meta.url);
  return new Child(name, {
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", pathname],
    core,
  });
}

function cellOf(key: string, server: Child, port: string, loader: Child, count: number): Cell {
  const [coding] = key.split("/");
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
  const machine = describeMachine();
  await using loader = denoChild("load_process.ts", LOADER_CORE);
  await using ours = denoChild("server_ours.ts", SERVER_CORE);
  await using deno = denoChild("server_deno.ts", SERVER_CORE);
  const servers = { ours, deno };
  const cells: Cell[] = [];
  for (const peer of PEERS) {
    const port = await servers[peer].readLine();
    for (const coding of CODINGS) {
      if (peer === "deno" && coding === "zstd") continue;
      cells.push(cellOf(`${coding}/${peer}`, servers[peer], port, loader, Number(values.count)));
    }
  }
  const costs = await runRounds(cells, Number(values.rounds));
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, load ${machine.loadAverage}`,
  );
  const rows = [["coding/peer", "microseconds of CPU per request"]];
  for (const [key, cost] of costs) rows.push([key, summarize(cost).median.toFixed(1)]);
  console.log(`\n${formatTable(rows)}\n\n${formatVerdicts(judge(BUDGETS, costs))}`);
}

if (import.meta.main) await main(Deno.args);
