/**
 * CPU per message of our WebSocket server and its rivals, all of which echo: user and system time
 * of all threads of the server process, divided by the messages, in interleaved rounds.
 *
 * `deno run -A tests/bench/websocket/main.ts [--rounds 7] [--seconds 1] [--scenario 64b,64b-32]
 * [--peers ours,deno,ws,bun,bare] [--kind binary]`
 *
 * The server has core 0; the loader is this process and has core 1. The loader keeps a number of
 * masked frames in flight on each connection and counts what comes back; the first reply of each
 * connection is held against what was sent. The first run installs `ws` and Bun from npm into a
 * cache. Budgets are ratios, taken round by round. `bare` is a loop that only unmasks and echoes.
 */
import { parseArgs } from "node:util";
import { canPin, LOADER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import { chooseNamed } from "../_support/choose_named.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { Loader } from "./loader.ts";
import { findPeers, type Peer, PEER_NAMES, type RunningServer, startServer } from "./peers.ts";
import { BUDGETS, type Kind, type Scenario, SCENARIOS } from "./scenarios.ts";

/** Share of a visit that is sent before the account is opened: the caches are someone else's. */
const WARM_UP_SHARE = 0.1;

/** A run must last as long before its pace is believed. */
const MIN_CALIBRATION_MS = 300;

interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly string[];
  readonly kind: Kind;
}

function readSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "7" },
      seconds: { type: "string", default: "1" },
      scenario: { type: "string" },
      peers: { type: "string" },
      kind: { type: "string", default: "binary" },
    },
  });
  const { kind } = values;
  const rounds = readCount("rounds", values.rounds);
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) {
    throw new RangeError(`Cannot use --seconds ${values.seconds}: want a number above 0`);
  }
  if (kind !== "text" && kind !== "binary") {
    throw new RangeError(`Cannot use --kind ${kind}: known are text, binary`);
  }
  const scenarios = chooseNamed("scenario", SCENARIOS, values.scenario);
  const peers = values.peers?.split(",") ?? PEER_NAMES;
  return { rounds, seconds, scenarios, peers, kind };
}

/** Moves this process, all its threads included, to the core of the loader. */
function pinLoader(): void {
  if (!canPin()) return;
  const args = ["-a", "-p", "-c", String(LOADER_CORE), String(Deno.pid)];
  new Deno.Command("taskset", { args, stdout: "null" }).outputSync();
}

/** Finds out how many messages a server echoes in a time, which warms it up. */
async function calibrate(
  { port }: RunningServer,
  scenario: Scenario,
  { kind, seconds }: Settings,
): Promise<number> {
  using loader = new Loader(scenario, kind);
  await loader.open(port);
  const floor = scenario.connections * scenario.inFlight;
  for (let count = floor;; count *= 2) {
    const start = performance.now();
    await loader.run(count);
    const elapsedMs = performance.now() - start;
    if (elapsedMs < MIN_CALIBRATION_MS) continue;
    return Math.max(floor, Math.round(count * seconds * 1_000 / elapsedMs));
  }
}

/** Microseconds of CPU that a server spent on each of `count` messages. */
async function visit(
  { pid, port }: RunningServer,
  scenario: Scenario,
  kind: Kind,
  count: number,
): Promise<number> {
  using loader = new Loader(scenario, kind);
  await loader.open(port);
  await loader.run(Math.ceil(count * WARM_UP_SHARE));
  const before = cpuSnapshot(pid);
  await loader.run(count);
  return cpuMicroseconds(before, cpuSnapshot(pid)) / count;
}

/** One cell for each scenario and peer, each with a server of its own. */
async function prepareCells(
  peers: readonly Peer[],
  settings: Settings,
  stack: AsyncDisposableStack,
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const scenario of settings.scenarios) {
    for (const peer of peers) {
      if (!peer.modes.includes(scenario.mode)) continue;
      const key = `${scenario.name}/${peer.name}`;
      console.error(`warming up ${key}`);
      const server = stack.use(await startServer(peer, scenario.mode));
      const count = await calibrate(server, scenario, settings);
      cells.push({ key, visit: () => visit(server, scenario, settings.kind, count) });
    }
  }
  return cells;
}

async function main(settings: Settings): Promise<void> {
  const peers = findPeers(settings.peers);
  pinLoader();
  await using stack = new AsyncDisposableStack();
  const cells = await prepareCells(peers, settings, stack);
  const costs = await runRounds(cells, settings.rounds, (round) => {
    console.error(`round ${round + 1} of ${settings.rounds}`);
  });
  const title = `Microseconds of CPU per ${settings.kind} message`;
  printReport({ title, costs, budgets: BUDGETS });
}

if (import.meta.main) await main(readSettings(Deno.args));
