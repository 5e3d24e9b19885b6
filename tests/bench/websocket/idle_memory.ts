/**
 * Resident memory per idle WebSocket: what the server process grew by, divided by the connections.
 * `plain` are connections without compression that never said anything; `deflate` ones that have
 * echoed one compressed message of 1 KiB, so that their contexts are there, by clients that offer
 * `client_max_window_bits`.
 *
 * `deno run -A tests/bench/websocket/idle_memory.ts [--connections 5000] [--mode plain,deflate]
 * [--peers ours,deno,ws,bun]`
 *
 * Server and loader hold one file for each connection; the number is scaled down to what the limit
 * on open files leaves room for.
 */
import { parseArgs } from "node:util";
import { maxOpenFiles, residentBytes } from "../_support/process_stats.ts";
import { readCount } from "../_support/read_count.ts";
import { printBound } from "../_support/report.ts";
import { formatTable } from "../_support/table.ts";
import { Loader } from "./loader.ts";
import { findPeers, type Peer, startServer } from "./peers.ts";
import { type Mode, type Scenario, SCENARIOS } from "./scenarios.ts";

/** Connections that come and go before the account is opened. */
const WARM_UP_CONNECTIONS = 200;

/** Files a process needs beside its connections. */
const SPARE_FILES = 200;

/** Times, in milliseconds, for the collector to come; together less than a server's keepalive. */
const SAMPLE_INTERVAL_MS = 1_000;
const SAMPLES = 5;

const KIBIBYTE = 1_024;

/** Bytes that a connection of ours may take. */
const BUDGETS: Readonly<Record<Mode, number>> = { plain: 12 * KIBIBYTE, deflate: 70 * KIBIBYTE };

interface Growth {
  readonly peer: string;
  readonly version: string;
  readonly mode: Mode;
  readonly connections: number;
  readonly baseBytes: number;
  readonly bytesEach: number;
}

/** The least memory that a process has in a while: what the collector will free is no cost. */
async function restingBytes(pid: number): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < SAMPLES; i++) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_INTERVAL_MS));
    least = Math.min(least, residentBytes(pid));
  }
  return least;
}

function scenarioOf(mode: Mode): Scenario {
  const { name, budgets } = SCENARIOS.find((scenario) => scenario.mode === mode)!;
  return { name, mode, budgets, connections: 0, inFlight: 1, messageBytes: KIBIBYTE };
}

async function measure(peer: Peer, mode: Mode, wanted: number): Promise<Growth> {
  await using server = await startServer(peer, mode);
  const { pid, port } = server;
  const files = Math.min(maxOpenFiles(pid), maxOpenFiles(Deno.pid));
  const connections = Math.min(wanted, files - SPARE_FILES);
  const { name, version } = peer;
  if (connections < wanted) console.error(`${name}: ${connections}, the limit is ${files} files`);
  using loader = new Loader(scenarioOf(mode), "text");
  await loader.open(port, Math.min(WARM_UP_CONNECTIONS, connections));
  loader.close();
  const baseBytes = await restingBytes(pid);
  console.error(`${name}, ${mode}: ${connections} connections`);
  await loader.open(port, connections, { isActive: mode === "deflate" });
  const bytesEach = (await restingBytes(pid) - baseBytes) / connections;
  // Every connection was there all the time: it answers.
  await loader.ask();
  return { peer: name, version, mode, connections, baseBytes, bytesEach };
}

function formatGrowths(growths: readonly Growth[]): string {
  const rows = [["mode", "server", "connections", "before, MiB", "each, KiB"]];
  for (const { peer, version, mode, connections, baseBytes, bytesEach } of growths) {
    rows.push([
      mode,
      `${peer} (${version})`,
      String(connections),
      (baseBytes / KIBIBYTE / KIBIBYTE).toFixed(1),
      (bytesEach / KIBIBYTE).toFixed(2),
    ]);
  }
  return formatTable(rows);
}

/** Holds ours against its budgets. */
function judgeOurs(growths: readonly Growth[]): void {
  for (const { peer, mode, connections, bytesEach } of growths) {
    if (peer !== "ours") continue;
    printBound({
      name: `memory of an idle connection, ${mode}, ${connections} of them`,
      value: bytesEach / KIBIBYTE,
      max: BUDGETS[mode] / KIBIBYTE,
      unit: "KiB",
    });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      connections: { type: "string", default: "5000" },
      mode: { type: "string", default: "plain,deflate" },
      peers: { type: "string", default: "ours,deno,ws,bun" },
    },
  });
  const wanted = readCount("connections", values.connections);
  const modes = values.mode.split(",").map((mode) => {
    if (mode === "plain" || mode === "deflate") return mode;
    throw new RangeError(`Cannot use --mode ${mode}: known are plain, deflate`);
  });
  const growths: Growth[] = [];
  const peers = findPeers(values.peers.split(","));
  for (const mode of modes) {
    for (const peer of peers) {
      if (peer.modes.includes(mode)) growths.push(await measure(peer, mode, wanted));
    }
  }
  console.log(formatGrowths(growths));
  judgeOurs(growths);
}

if (import.meta.main) await main();
