/**
 * CPU per event and client of a broadcast: `SseBroadcaster` beside a loop over the responses of a
 * `node:http` server in Node, in interleaved rounds. User and system time of all threads of the
 * server process, divided by the events that the clients got; the server has core 0, the clients
 * core 1.
 *
 * `deno run -A tests/bench/sse/main.ts [--rounds 7] [--clients 1000] [--events 50]`
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

const BUDGETS: readonly Budget[] = [
  { name: "broadcast to 1,000 clients", of: "broadcast/ours", over: "broadcast/node", max: 0.8 },
];
/** Looks whether everything has come, one after another. */
const MAX_LOOKS = 2_000;

function childOf(name: string, core: number): Child {
  return startScript(new URL(name, import.meta.url), { core });
}

/** Waits until the clients have got so many events. */
async function untilCome(clients: Child, port: string, expected: number): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    await clients.writeLine(port);
    if (Number(await clients.readLine()) >= expected) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Cannot go on: ${expected} events have not come`);
}

async function cellOf(
  key: string,
  server: Child,
  clients: Child,
  { clientCount, eventCount }: { clientCount: number; eventCount: number },
): Promise<Cell> {
  const port = await server.readLine();
  await clients.writeLine(`${port} ${clientCount}`);
  await clients.readLine();
  let sent = 0;
  const broadcast = async (count: number): Promise<number> => {
    await server.writeLine(String(count));
    const reached = Number(await server.readLine());
    if (reached !== count * clientCount) {
      throw new Error(`Cannot go on: a client of ${key} is gone`);
    }
    await untilCome(clients, port, sent += reached);
    return reached;
  };
  return {
    key,
    async visit(): Promise<number> {
      await broadcast(Math.ceil(eventCount / 10));
      const before = cpuSnapshot(server.pid);
      const reached = await broadcast(eventCount);
      return cpuMicroseconds(before, cpuSnapshot(server.pid)) / reached;
    },
  };
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "7" },
      clients: { type: "string", default: "1000" },
      events: { type: "string", default: "50" },
    },
  });
  const counts = {
    clientCount: readCount("clients", values.clients),
    eventCount: readCount("events", values.events),
  };
  await using clients = childOf("load_process.ts", LOADER_CORE);
  await using ours = childOf("server_ours.ts", SERVER_CORE);
  await using node = childOf("server_node.mjs", SERVER_CORE);
  const cells = [
    await cellOf("broadcast/ours", ours, clients, counts),
    await cellOf("broadcast/node", node, clients, counts),
  ];
  const costs = await runRounds(cells, readCount("rounds", values.rounds));
  const title = "Microseconds of CPU per event and client";
  printReport({ title, costs, budgets: BUDGETS });
}

if (import.meta.main) await main(Deno.args);
