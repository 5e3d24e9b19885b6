/**
 * Resident memory per idle keep-alive connection after one request each: what the server process
 * grew by, divided by the connections.
 *
 * `deno run -A tests/bench/http_server/idle_memory.ts [--connections 5000]
 * [--peers ours,deno,node] [--json out.json]`
 *
 * Server and loader hold one file for each connection; the number is scaled down to what the
 * limit on open files leaves room for.
 */
import { parseArgs } from "node:util";
import { describeMachine } from "../_support/machine.ts";
import { maxOpenFiles, residentBytes } from "../_support/process_stats.ts";
import { formatTable } from "../_support/table.ts";
import { Loader } from "./loader.ts";
import { findPeers, type Peer, startServer } from "./peers.ts";

/** The first of two numbers of connections: it shows whether growth is proportional. */
const FEW = 1_000;

/** Connections, of one checked request each, that come and go before the account is opened. */
const WARM_UP_CONNECTIONS = 200;

/** Files a process needs beside its connections. */
const SPARE_FILES = 200;

/** Memory is settled after as many equal samples, one a second, or when the time is over. */
const SETTLED_SAMPLES = 3;
const MAX_SAMPLES = 10;
const SAMPLE_INTERVAL_MS = 1_000;

/** Samples that differ by less are equal. */
const TOLERANCE_BYTES = 131_072;

/** Bytes per connection that our server may cost, and what it should cost. */
const BUDGET_BYTES = 10_240;
const AIM_BYTES = 8_192;

interface Growth {
  readonly peer: string;
  readonly version: string;
  readonly connections: number;
  readonly baseBytes: number;
  readonly bytesEach: number;
}

/** Waits until the memory of a process stands still, as the collector has come and gone. */
async function settledBytes(pid: number): Promise<number> {
  let last = residentBytes(pid);
  let equal = 0;
  for (let i = 0; i < MAX_SAMPLES && equal < SETTLED_SAMPLES; i++) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_INTERVAL_MS));
    const now = residentBytes(pid);
    equal = Math.abs(now - last) < TOLERANCE_BYTES ? equal + 1 : 0;
    last = now;
  }
  return last;
}

async function measure(peer: Peer, wanted: number): Promise<Growth[]> {
  await using loader = new Loader();
  await using server = await startServer(peer, "greet");
  const files = Math.min(maxOpenFiles(server.pid), maxOpenFiles(loader.pid));
  const most = Math.min(wanted, files - SPARE_FILES);
  if (most < wanted) {
    console.log(`${peer.name}: ${most} connections, not ${wanted}: the limit is ${files} files`);
  }
  await loader.open("minimal", server.port, Math.min(WARM_UP_CONNECTIONS, most));
  await loader.close();
  const baseBytes = await settledBytes(server.pid);
  const growths: Growth[] = [];
  for (const connections of most > FEW ? [FEW, most] : [most]) {
    console.error(`${peer.name}: ${connections} connections`);
    await loader.open("minimal", server.port, connections);
    const bytesEach = (await settledBytes(server.pid) - baseBytes) / connections;
    const { name, version } = peer;
    growths.push({ peer: name, version, connections, baseBytes, bytesEach });
  }
  // Every connection was there all the time: it answers once more.
  await loader.ask();
  await loader.close();
  return growths;
}

function formatGrowths(growths: readonly Growth[], most: number): string {
  const rows = [["peer", "connections", "before, MiB", "each, KiB", "budget", "aim", ""]];
  for (const { peer, version, connections, baseBytes, bytesEach } of growths) {
    const judged = peer === "ours" && connections === most;
    rows.push([
      `${peer} (${version})`,
      String(connections),
      (baseBytes / 1_048_576).toFixed(1),
      (bytesEach / 1_024).toFixed(2),
      judged ? String(BUDGET_BYTES / 1_024) : "",
      judged ? String(AIM_BYTES / 1_024) : "",
      judged ? (bytesEach <= BUDGET_BYTES ? "met" : "MISSED") : "",
    ]);
  }
  return formatTable(rows);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      connections: { type: "string", default: "5000" },
      peers: { type: "string", default: "ours,deno,node" },
      json: { type: "string" },
    },
  });
  const wanted = Number(values.connections);
  if (!Number.isSafeInteger(wanted) || wanted < 1) {
    throw new RangeError(`Cannot use --connections ${values.connections}: want a whole number`);
  }
  const growths: Growth[] = [];
  for (const peer of findPeers(values.peers.split(","))) {
    growths.push(...await measure(peer, wanted));
  }
  const ours = growths.filter(({ peer }) => peer === "ours");
  console.log(formatGrowths(growths, Math.max(...ours.map(({ connections }) => connections))));
  if (values.json === undefined) return;
  const results = { machine: describeMachine(), budgetBytes: BUDGET_BYTES, growths };
  await Deno.writeTextFile(values.json, JSON.stringify(results, null, 2) + "\n");
}

if (import.meta.main) await main();
