/**
 * CPU per request of our server and its rivals: user and system time of all threads of the
 * server process, divided by the requests it answered, in interleaved rounds.
 *
 * `deno run -A tests/bench/http_server/main.ts [--rounds 7] [--visit-ms 1000] [--only minimal]
 * [--peers ours,deno,node,bun,bare] [--loader own] [--smoke]`
 *
 * The server has core 0 and the loader core 1. Budgets are ratios, taken round by round. With
 * `--loader wrk` wrk sends the requests that have no body. `--smoke` only looks whether every
 * scenario is answered with the right status and bytes, and measures nothing.
 */
import { parseArgs } from "node:util";
import { chooseNamed } from "../_support/choose_named.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { Loader } from "./loader.ts";
import { findPeers, type Peer, PEER_NAMES, type RunningServer, startServer } from "./peers.ts";
import { BUDGETS, type Scenario, SCENARIOS } from "./scenarios.ts";
import { calibrate, visit } from "./visit.ts";
import { visitWithWrk, wrkKnows } from "./wrk.ts";
import { readCount } from "../_support/read_count.ts";

/** Rounds of a smoke run, and milliseconds of its visits. */
const SMOKE = { rounds: 1, visitMs: 100 } as const;

interface Settings {
  readonly rounds: number;
  readonly visitMs: number;
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly string[];
  readonly loader: "own" | "wrk";
  readonly smoke: boolean;
}

function readSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      "rounds": { type: "string", default: "7" },
      "visit-ms": { type: "string", default: "1000" },
      "only": { type: "string" },
      "peers": { type: "string" },
      "loader": { type: "string", default: "own" },
      "smoke": { type: "boolean", default: false },
    },
  });
  const scenarios = chooseNamed("only", SCENARIOS, values.only);
  const { loader, smoke } = values;
  if (loader !== "own" && loader !== "wrk") {
    throw new RangeError(`Cannot use --loader ${loader}: known are own, wrk`);
  }
  const peers = values.peers?.split(",") ?? (smoke ? ["ours", "deno"] : PEER_NAMES);
  const rounds = readCount("rounds", values.rounds);
  const visitMs = readCount("visit-ms", values["visit-ms"]);
  const settings = { rounds, visitMs, scenarios, peers, loader, smoke } as const;
  return smoke ? { ...settings, ...SMOKE } : settings;
}

/** Starts the servers a run needs, one for each peer and route, each when it is first asked. */
class Servers implements AsyncDisposable {
  readonly #running = new Map<string, RunningServer>();

  async get(peer: Peer, scenario: Scenario): Promise<RunningServer> {
    const key = `${scenario.route}/${peer.name}`;
    const running = this.#running.get(key) ?? await startServer(peer, scenario.route);
    this.#running.set(key, running);
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#running.values().map((server) => server[Symbol.asyncDispose]()),
    );
  }
}

async function prepareCells(
  loader: Loader,
  servers: Servers,
  peers: readonly Peer[],
  { scenarios, visitMs, loader: loaderName }: Settings,
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const scenario of scenarios) {
    for (const peer of peers) {
      if (!peer.routes.includes(scenario.route)) continue;
      const key = `${scenario.name}/${peer.name}`;
      console.error(`warming up ${key}`);
      const server = await servers.get(peer, scenario);
      const count = await calibrate(loader, server, scenario, visitMs);
      cells.push({
        key,
        visit: () =>
          loaderName === "wrk" && wrkKnows(scenario)
            ? visitWithWrk(server, scenario, visitMs)
            : visit(loader, server, scenario, count),
      });
    }
  }
  return cells;
}

async function main(settings: Settings): Promise<void> {
  const peers = findPeers(settings.peers);
  await using loader = new Loader();
  await using servers = new Servers();
  const cells = await prepareCells(loader, servers, peers, settings);
  const costs = await runRounds(cells, settings.rounds, (round) => {
    console.error(`round ${round + 1} of ${settings.rounds}`);
  });
  if (settings.smoke) {
    console.log(`${cells.length} pairs of scenario and peer: every answer was the right one`);
    return;
  }
  printReport({ title: "Microseconds of CPU per request", costs, budgets: BUDGETS });
}

if (import.meta.main) await main(readSettings(Deno.args));
