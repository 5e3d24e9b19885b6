/**
 * CPU per request of a file of 1 MiB (and of 4 KiB): `serveDir`, `Deno.serve` with the stream of an
 * open file, which never enters JavaScript, and nginx if it is here; user and system time of all
 * threads of the server, in interleaved rounds. Ends with an error if ours costs more than 1.15 of
 * `Deno.serve` for the large file.
 *
 * `deno run -A tests/bench/static/main.ts [--rounds 7] [--requests 1000] [--peers ours,deno,nginx]`
 */
import { parseArgs } from "node:util";
import type { Budget } from "../_support/budget.ts";
import type { Child } from "../_support/child.ts";
import { HttpLoad } from "../_support/http_load.ts";
import { visitHttp } from "../_support/http_visit.ts";
import { startNginx } from "../_support/nginx.ts";
import { reportMissing } from "../_support/peers.ts";
import { SERVER_CORE } from "../_support/pinning.ts";
import { startScript } from "../_support/programs.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";

/** Most CPU of ours for the large file, where that of `Deno.serve` is 1. */
const MAX_RATIO = 1.15;
const CONNECTIONS = 10;

/** Sizes, and how many times as many requests are sent as of the large one. */
const FILES = [
  { name: "1MiB", bytes: 1_048_576, factor: 1 },
  { name: "4KiB", bytes: 4_096, factor: 4 },
] as const;

/** A server that runs. */
interface Running {
  readonly child: Child;
  readonly port: number;
}

/** Starts a server, or says that it is not there. */
async function start(name: string, root: string): Promise<Running | undefined> {
  if (name === "nginx") {
    try {
      return await startNginx(root, { http: "sendfile on;", server: `root ${root};` });
    } catch (error) {
      reportMissing(name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
  const file = new URL(`server_${name}.ts`, import.meta.url);
  const child = startScript(file, { core: SERVER_CORE, args: [root] });
  return { child, port: Number(await child.readLine()) };
}

async function makeRoot(): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "nbio_static_" });
  // As old as files of a web server mostly are, whose entity tags are strong.
  for (const { name, bytes } of FILES) {
    await Deno.writeFile(`${root}/${name}`, new Uint8Array(bytes).fill(0x61));
    await Deno.utime(`${root}/${name}`, 1_600_000_000, 1_600_000_000);
  }
  return root;
}

async function main(peers: readonly string[], rounds: number, requests: number): Promise<void> {
  const root = await makeRoot();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const cells: Cell[] = [];
  for (const peer of peers) {
    const running = await start(peer, root);
    if (running === undefined) continue;
    const { port, child } = running;
    const { pid } = stack.use(child);
    for (const { name, bytes, factor } of FILES) {
      const request = new TextEncoder().encode(`GET /${name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      const load = new HttpLoad({ port, request, body: new Uint8Array(bytes).fill(0x61) });
      stack.defer(() => load.close());
      await load.open(CONNECTIONS);
      cells.push({ key: `${name}/${peer}`, visit: () => visitHttp(pid, load, requests * factor) });
    }
  }
  const costs = await runRounds(cells, rounds);
  printReport({ title: "Microseconds of CPU per request", costs, budgets: budgetsOf(peers) });
}

function budgetsOf(peers: readonly string[]): Budget[] {
  return FILES.flatMap(({ name }) =>
    peers.filter((peer) => peer !== "ours").map((peer) => ({
      name: `${name} file against ${peer === "deno" ? "Deno.serve" : peer}`,
      of: `${name}/ours`,
      over: `${name}/${peer}`,
      max: name === "1MiB" && peer === "deno" ? MAX_RATIO : Infinity,
    }))
  );
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      requests: { type: "string", default: "1000" },
      peers: { type: "string", default: "ours,deno,nginx" },
    },
  });
  await main(
    values.peers.split(","),
    readCount("rounds", values.rounds),
    readCount("requests", values.requests),
  );
}
