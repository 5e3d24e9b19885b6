/**
 * Thousands of connections at once to one listener: the server in a process, the loader in
 * another, each connection with its echo of one message.
 *
 * ```sh
 * deno run -A tests/nbio/many_connections.ts 10000
 * ```
 */

import { Child } from "../bench/_support/child.ts";
import type { ServerReport } from "./many_connections_server.ts";

/** Descriptors that a process needs for itself. */
const RESERVED_DESCRIPTORS = 64;

/** What a run has shown. */
export interface ManyConnectionsResult {
  /** Connections that were open at once: as many as asked for, or as the system lets. */
  readonly connectionCount: number;
  /** Connections whose echo was right, as the loader counts. */
  readonly echoCount: number;
  /** The server while all of them were open. */
  readonly open: ServerReport;
  /** The server when they had been closed. */
  readonly closed: ServerReport;
  /** Resident memory that one connection takes in the server. */
  readonly bytesPerConnection: number;
}

/** How many connections one process may have here, at most `wanted`; says so if it is fewer. */
export async function affordableConnections(wanted: number): Promise<number> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "ulimit -n"] }).output();
  const limit = Number(new TextDecoder().decode(stdout)) || Infinity;
  const affordable = Math.min(wanted, limit - RESERVED_DESCRIPTORS);
  if (affordable < wanted) {
    console.log(`${affordable} connections instead of ${wanted}: ${limit} files may be open`);
  }
  return affordable;
}

function start(file: string, args: readonly (string | number)[]): Child {
  const path = new URL(file, import.meta.url).pathname;
  const flags = ["run", "--allow-net=127.0.0.1", "--v8-flags=--expose-gc"];
  return new Child(file, {
    command: Deno.execPath(),
    args: [...flags, path, ...args.map(String)],
    lineTimeoutMs: 60_000,
  });
}

async function ask(server: Child): Promise<ServerReport> {
  await server.writeLine("report");
  return JSON.parse(await server.readLine());
}

/** Asks until nobody is connected, or often enough to give up: each answer takes a while. */
async function askWhenIdle(server: Child): Promise<ServerReport> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const report = await ask(server);
    if (report.activeCount === 0) return report;
  }
  return await ask(server);
}

/**
 * Opens `wanted` connections, or as many as the system lets, and closes them again.
 *
 * @throws {Error} If one of the processes fails, or is silent for a minute.
 */
export async function runManyConnections(wanted: number): Promise<ManyConnectionsResult> {
  const connectionCount = await affordableConnections(wanted);
  await using server = start("./many_connections_server.ts", [connectionCount]);
  const port = await server.readLine();
  const idle = await ask(server);
  await using loader = start("./many_connections_loader.ts", [port, connectionCount]);
  const echoCount = Number(await loader.readLine());
  const open = await ask(server);
  await loader.writeLine("close");
  await loader.readLine();
  const closed = await askWhenIdle(server);
  const bytesPerConnection = (open.rssBytes - idle.rssBytes) / connectionCount;
  return { connectionCount, echoCount, open, closed, bytesPerConnection };
}

/** One line on a result. */
export function describeResult(result: ManyConnectionsResult): string {
  const { connectionCount, bytesPerConnection } = result;
  const kibibytes = (bytesPerConnection / 1_024).toFixed(1);
  return `${connectionCount} connections at once, ${kibibytes} KiB of memory each`;
}

if (import.meta.main) {
  const startMs = performance.now();
  const result = await runManyConnections(Number(Deno.args[0] ?? 10_000));
  console.log(describeResult(result));
  console.log(result);
  console.log(`${((performance.now() - startMs) / 1_000).toFixed(1)} s`);
}
