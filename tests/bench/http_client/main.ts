/**
 * CPU per request of our client and its rivals: user and system time of all threads of the client
 * process, divided by the requests it made, in interleaved rounds.
 *
 * `deno run -A tests/bench/http_client/main.ts [--rounds 7] [--visit-ms 1000] [--only small]
 * [--peers client,pool,connection,fetch,undici,bun,bare]`
 *
 * The server, ours, has core 0 and the client core 1. Budgets are ratios, taken round by round.
 */
import { parseArgs } from "node:util";
import type { Child } from "../_support/child.ts";
import { chooseNamed } from "../_support/choose_named.ts";
import { printReport } from "../_support/report.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { findPeers, type Peer, PEER_NAMES, startClient, startServer } from "./peers.ts";
import { BUDGETS, type Scenario, SCENARIOS } from "./scenarios.ts";
import { readCount } from "../_support/read_count.ts";

/** Share of a visit that is asked before the account is opened. */
const WARM_UP_SHARE = 0.1;
/** A run must last as long before its pace is believed. */
const MIN_CALIBRATION_MS = 300;

interface Visit {
  readonly microseconds: number;
  readonly elapsedMs: number;
}

/** Lets a client ask `count` times, and takes the account of its process. */
async function visit(
  client: Child,
  scenario: Scenario,
  urls: readonly string[],
  count: number,
): Promise<Visit> {
  const warmUp = Math.ceil(count * WARM_UP_SHARE) + scenario.concurrency;
  await client.writeLine(JSON.stringify({ ...scenario, urls, count, warmUp }));
  await client.readLine();
  const startedMs = performance.now();
  const before = cpuSnapshot(client.pid);
  await client.writeLine("go");
  await client.readLine();
  const spent = cpuMicroseconds(before, cpuSnapshot(client.pid));
  return { microseconds: spent / count, elapsedMs: performance.now() - startedMs };
}

/** How many requests fill a visit; the client is warm then. */
async function calibrate(
  client: Child,
  scenario: Scenario,
  urls: readonly string[],
  visitMs: number,
): Promise<number> {
  let count = scenario.concurrency;
  let { elapsedMs } = await visit(client, scenario, urls, count);
  while (elapsedMs < MIN_CALIBRATION_MS) {
    count *= 2;
    ({ elapsedMs } = await visit(client, scenario, urls, count));
  }
  return Math.max(scenario.concurrency, Math.round(count / elapsedMs * visitMs));
}

interface Settings {
  readonly rounds: number;
  readonly visitMs: number;
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly string[];
}

function readSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      "rounds": { type: "string", default: "7" },
      "visit-ms": { type: "string", default: "1000" },
      "only": { type: "string" },
      "peers": { type: "string" },
    },
  });
  return {
    rounds: readCount("rounds", values.rounds),
    visitMs: readCount("visit-ms", values["visit-ms"]),
    scenarios: chooseNamed("only", SCENARIOS, values.only),
    peers: values.peers?.split(",") ?? PEER_NAMES,
  };
}

async function prepareCells(
  clients: ReadonlyMap<Peer, Child>,
  ports: readonly number[],
  { scenarios, visitMs }: Settings,
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const scenario of scenarios) {
    const { hostCount, path, name } = scenario;
    const urls = ports.slice(0, hostCount).map((port) => `http://127.0.0.1:${port}${path}`);
    for (const [peer, client] of clients) {
      if (peer.scenarios !== undefined && !peer.scenarios.includes(name)) continue;
      const key = `${name}/${peer.name}`;
      console.error(`warming up ${key}`);
      const count = await calibrate(client, scenario, urls, visitMs);
      cells.push({
        key,
        visit: async () => (await visit(client, scenario, urls, count)).microseconds,
      });
    }
  }
  return cells;
}

async function main(settings: Settings): Promise<void> {
  const peers = findPeers(settings.peers);
  await using children = new AsyncDisposableStack();
  const server = children.use(startServer());
  const ports: number[] = JSON.parse(await server.readLine());
  const clients = new Map(peers.map((peer) => [peer, children.use(startClient(peer))]));
  const cells = await prepareCells(clients, ports, settings);
  const costs = await runRounds(cells, settings.rounds, (round) => {
    console.error(`round ${round + 1} of ${settings.rounds}`);
  });
  printReport({ title: "Microseconds of CPU per request", costs, budgets: BUDGETS });
}

if (import.meta.main) await main(readSettings(Deno.args));
