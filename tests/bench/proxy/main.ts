/**
 * CPU of a proxy for each request that it passes on, small and of 1 MiB: our `reverseProxy`, a loop
 * on `node:http`, `Deno.serve` with `fetch`, and nginx if it is here; user and system time of all
 * threads of the proxy, in interleaved rounds.
 *
 * `deno run -A tests/bench/proxy/main.ts [--rounds 7] [--requests 5000]
 * [--peers ours,node,deno,nginx]`
 *
 * The proxy has core 0; the server behind it, `Deno.serve`, has core 1. Nothing was promised here: the
 * ratios tell.
 */
import { parseArgs } from "node:util";
import type { Budget } from "../_support/budget.ts";
import type { Child } from "../_support/child.ts";
import { HttpLoad } from "../_support/http_load.ts";
import { visitHttp } from "../_support/http_visit.ts";
import { startNginx } from "../_support/nginx.ts";
import { reportMissing } from "../_support/peers.ts";
import { LOADER_CORE, SERVER_CORE } from "../_support/pinning.ts";
import { startScript } from "../_support/programs.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { type AnswerPath, bodyOf } from "./payloads.ts";

const FILES: Readonly<Record<string, string>> = {
  ours: "server_ours.ts",
  deno: "server_deno.ts",
  node: "server_node.mjs",
};

/** Connections, and how many requests are sent for one that is small. */
const SCENARIOS = [
  { name: "small", path: "/small", connections: 50, factor: 1 },
  { name: "1MiB", path: "/large", connections: 10, factor: 0.05 },
] as const satisfies readonly { path: AnswerPath; [key: string]: unknown }[];

/** A proxy that runs. */
interface Running {
  readonly child: Child;
  readonly port: number;
}

async function start(name: string, upstream: string, folder: string): Promise<Running> {
  if (name === "nginx") {
    return await startNginx(folder, {
      http: `upstream behind { server 127.0.0.1:${upstream}; keepalive 64; ` +
        "keepalive_requests 100000000; }",
      server: "location / { proxy_pass http://behind; proxy_http_version 1.1; " +
        'proxy_set_header Connection ""; }',
    });
  }
  const file = FILES[name];
  if (file === undefined) {
    const known = [...Object.keys(FILES), "nginx"].join(", ");
    throw new RangeError(`Cannot find peer "${name}": known are ${known}`);
  }
  const options = { core: SERVER_CORE, args: [upstream] };
  const child = startScript(new URL(file, import.meta.url), options);
  return { child, port: Number(await child.readLine()) };
}

/** Starts all proxies that can be, each with its cells. */
async function prepareCells(
  peers: readonly string[],
  requests: number,
  stack: AsyncDisposableStack,
): Promise<Cell[]> {
  const folder = await Deno.makeTempDir({ prefix: "nbio_proxy_" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const upstream = stack.use(
    startScript(new URL("upstream.ts", import.meta.url), { core: LOADER_CORE }),
  );
  const upstreamPort = await upstream.readLine();
  const cells: Cell[] = [];
  for (const peer of peers) {
    let running: Running;
    try {
      running = await start(peer, upstreamPort, folder);
    } catch (error) {
      // Ours is always there: if it does not start, that is a fault.
      if (error instanceof RangeError || peer === "ours") throw error;
      reportMissing(peer, error instanceof Error ? error.message : String(error));
      continue;
    }
    const { pid } = stack.use(running.child);
    for (const { name, path, connections, factor } of SCENARIOS) {
      const request = new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      const load = new HttpLoad({ port: running.port, request, body: bodyOf(path) });
      stack.defer(() => load.close());
      await load.open(connections);
      const count = Math.max(connections, Math.round(requests * factor));
      const visit = () => visitHttp(pid, load, count);
      await visit();
      cells.push({ key: `${name}/${peer}`, visit });
    }
  }
  return SCENARIOS.flatMap(({ name }) => cells.filter(({ key }) => key.startsWith(`${name}/`)));
}

async function main(peers: readonly string[], rounds: number, requests: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const costs = await runRounds(await prepareCells(peers, requests, stack), rounds);
  const budgets = SCENARIOS.flatMap(({ name }) =>
    peers.filter((peer) => peer !== "ours").map((peer): Budget => ({
      name: `proxied GET, ${name}, against ${peer}`,
      of: `${name}/ours`,
      over: `${name}/${peer}`,
      max: Infinity,
    }))
  );
  printReport({ title: "Microseconds of CPU per proxied request", costs, budgets });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      requests: { type: "string", default: "5000" },
      peers: { type: "string", default: "ours,node,deno,nginx" },
    },
  });
  await main(
    values.peers.split(","),
    readCount("rounds", values.rounds),
    readCount("requests", values.requests),
  );
}
