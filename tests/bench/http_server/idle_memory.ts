/**
 * Resident memory per idle keep-alive connection after one request each: what the server process
 * grew by, divided by the connections.
 *
 * `deno run -A tests/bench/http_server/idle_memory.ts [--connections 5000]
 * [--peers ours,deno,node]`
 *
 * Server and loader hold one file for each connection; the number is scaled down to what the
 * limit on open files leaves room for.
 */
import { parseArgs } from "node:util";
import { maxOpenFiles, residentBytes } from "../_support/process_stats.ts";
import { readCount } from "../_support/read_count.ts";
import { printBound } from "../_support/report.ts";
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

/** Bytes per connection that our server may cost; 8 KiB would be better. */
const BUDGET_BYTES = 10_240;

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

function formatGrowths(growths: readonly Growth[]): string {
  const rows = [["peer", "connections", "before, MiB", "each, KiB"]];
  for (const { peer, version, connections, baseBytes, bytesEach } of growths) {
    rows.push([
      `${peer} (${version})`,
      String(connections),
      (baseBytes / 1_048_576).toFixed(1),
      (bytesEach / 1_024).toFixed(2),
    ]);
  }
  return formatTable(rows);
}

/** Holds ours, with the most connections, against its budget. */
function judgeOurs(growths: readonly Growth[]): void {
  const ours = growths.findLast(({ peer }) => peer === "ours");
  if (ours === undefined) return;
  console.log();
  printBound({
    name: `memory of an idle connection, ${ours.connections} of them`,
    value: ours.bytesEach / 1_024,
    max: BUDGET_BYTES / 1_024,
    unit: "KiB",
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      connections: { type: "string", default: "5000" },
      peers: { type: "string", default: "ours,deno,node" },
    },
  });
  const wanted = readCount("connections", values.connections);
  const growths: Growth[] = [];
  for (const peer of findPeers(values.peers.split(","))) {
    growths.push(...await measure(peer, wanted));
  }
  console.log(formatGrowths(growths));
  judgeOurs(growths);
}

if (import.meta.main) await main();
