/**
 * CPU per request of JSON through a router with two parameters and three middlewares: ours on
 * `serve`, and hono on `Deno.serve`, in interleaved rounds.
 *
 * `deno run -A tests/bench/router/http_main.ts [--rounds 7] [--requests 20000]`
 */
import { parseArgs } from "node:util";
import { judge } from "../_support/budget.ts";
import { Child } from "../_support/child.ts";
import { HttpLoad } from "../_support/http_load.ts";
import { describeMachine } from "../_support/machine.ts";
import { installPeer } from "../_support/npm_peer.ts";
import { SERVER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { summarize } from "../_support/statistics.ts";

const CONNECTIONS = 50;
const WARM_UP_SHARE = 0.2;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    requests: { type: "string", default: "20000" },
  },
});
const requestCount = Number(values.requests);
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

async function measure(child: Child, load: HttpLoad): Promise<number> {
  await load.run(Math.ceil(requestCount * WARM_UP_SHARE));
  const before = cpuSnapshot(child.pid);
  const count = await load.run(requestCount);
  return cpuMicroseconds(before, cpuSnapshot(child.pid)) / count;
}

await using stack = new AsyncDisposableStack();
const cells: Cell[] = [];
for (const [name, args] of Object.entries(servers)) {
  const file = new URL(`server_${name.replace("_sync", "")}.ts`, import.meta.url).pathname;
  const child = stack.use(
    new Child(name, {
      command: Deno.execPath(),
      args: ["run", "-A", "--no-check", file, ...args],
      core: SERVER_CORE,
    }),
  );
  const load = new HttpLoad({ port: Number(await child.readLine()), request, body });
  stack.defer(() => load.close());
  await load.open(CONNECTIONS);
  await measure(child, load);
  cells.push({ key: `json/${name}`, visit: () => measure(child, load) });
}
const costs = await runRounds(cells, Number(values.rounds));
const { cpu, cores, kernel } = describeMachine();
console.log(`${cpu}, ${cores} cores, ${kernel}\n\nMicroseconds of CPU per request`);
for (const [key, all] of costs) console.log(`${key}: ${summarize(all).median.toFixed(2)}`);
const budgets = ["ours", "ours_sync"].map((name) => ({
  name: `JSON against hono, ${name}`,
  of: `json/${name}`,
  over: "json/hono",
  max: 0.95,
}));
for (const { name, ratio, max, met } of judge(budgets, costs)) {
  console.log(`${name}: ${ratio.median.toFixed(3)}, budget ${max}, ${met ? "met" : "MISSED"}`);
}
