/**
 * CPU per request of JSON through a router with two parameters and three middlewares: ours on
 * `serve`, and hono on `Deno.serve`, in interleaved rounds.
 *
 * `deno run -A tests/bench/router/http_main.ts [--rounds 7] [--requests 20000]`
 */
import { parseArgs } from "node:util";
import { HttpLoad } from "../_support/http_load.ts";
import { visitHttp } from "../_support/http_visit.ts";
import { installPeer } from "../_support/npm_peer.ts";
import { SERVER_CORE } from "../_support/pinning.ts";
import { startScript } from "../_support/programs.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";

const CONNECTIONS = 50;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    requests: { type: "string", default: "20000" },
  },
});
const requestCount = readCount("requests", values.requests);
const encoder = new TextEncoder();
const request = encoder.encode(
  "GET /teams/42/members/ada?page=2 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n",
);
const body = encoder.encode(`{"tenant":"example","team":"42","member":"ada"}`);

const servers: Readonly<Record<string, readonly string[]>> = {
  ours: [],
  ours_sync: ["sync"],
  hono: [installPeer("hono", "4.13.19")],
};

await using stack = new AsyncDisposableStack();
const cells: Cell[] = [];
for (const [name, args] of Object.entries(servers)) {
  const file = new URL(`server_${name.replace("_sync", "")}.ts`, import.meta.url);
  const child = stack.use(startScript(file, { core: SERVER_CORE, args }));
  const load = new HttpLoad({ port: Number(await child.readLine()), request, body });
  stack.defer(() => load.close());
  await load.open(CONNECTIONS);
  await visitHttp(child.pid, load, requestCount);
  cells.push({ key: `json/${name}`, visit: () => visitHttp(child.pid, load, requestCount) });
}
const costs = await runRounds(cells, readCount("rounds", values.rounds));
const budgets = ["ours", "ours_sync"].map((name) => ({
  name: `JSON against hono, ${name}`,
  of: `json/${name}`,
  over: "json/hono",
  max: 0.95,
}));
printReport({ title: "Microseconds of CPU per request", costs, budgets });
