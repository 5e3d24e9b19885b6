/**
 * CPU per request of an application of hono: by the adapter under our server, and under
 * `Deno.serve`; user and system time of all threads of the server, in interleaved rounds. Ends with
 * an error if ours costs more than 1.10 of `Deno.serve` over all scenarios that have a budget.
 *
 * What was tried, and kept: the type of text and JSON read where the runtime keeps it, not from
 * `headers`; `Headers` of the request that are made when more than single fields are asked for; one
 * decoder for all bodies; a `then` instead of an asynchronous function. Measured together, without
 * sockets, on a busy machine, in CPU per request: text 2.8 to 2.4 us, json 5.2 to 3.2, async 4.0 to
 * 3.5, post 7.4 to 5.9; the page stayed at 5.0. `ctx.text` without a framework takes 0.7.
 *
 * `deno run -A tests/bench/adapter/main.ts [--rounds 7] [--requests 20000] [--scenarios text,json]`
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
import { formatTable } from "../_support/table.ts";
import { PAGE_TEXT } from "./app.ts";

const HONO_VERSION = "4.13.19";
/** Most CPU of ours, where that of `Deno.serve` is 1. */
const MAX_RATIO = 1.10;
const CONNECTIONS = 50;
const WARM_UP_SHARE = 0.3;
const PEERS = ["ours", "deno"] as const;

/** A request and the body of its answer. */
interface Scenario {
  readonly name: string;
  readonly start: string;
  readonly body?: string;
  readonly answer: string;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "text", start: "GET /text", answer: "Hello, World!" },
  { name: "json", start: "GET /json/17", answer: '{"id":"17","agent":"bench"}' },
  { name: "page", start: "GET /page", answer: PAGE_TEXT },
  { name: "async", start: "GET /async", answer: "Hello, World!" },
  { name: "post", start: "POST /sum", body: '{"a":1,"b":2}', answer: '{"sum":3}' },
];

function requestOf({ start, body }: Scenario): Uint8Array<ArrayBuffer> {
  const lines = [`${start} HTTP/1.1`, "Host: 127.0.0.1", "User-Agent: bench", "Accept: */*"];
  if (body !== undefined) {
    lines.push("Content-Type: application/json", `Content-Length: ${body.length}`);
  }
  return new TextEncoder().encode([...lines, "", body ?? ""].join("\r\n"));
}

async function visit(child: Child, load: HttpLoad, requestCount: number): Promise<number> {
  await load.run(Math.ceil(requestCount * WARM_UP_SHARE));
  const before = cpuSnapshot(child.pid);
  const count = await load.run(requestCount);
  return cpuMicroseconds(before, cpuSnapshot(child.pid)) / count;
}

async function main(names: readonly string[], rounds: number, requests: number): Promise<void> {
  const modules = installPeer("hono", HONO_VERSION);
  await using stack = new AsyncDisposableStack();
  const cells: Cell[] = [];
  for (const peer of PEERS) {
    const file = new URL(`server_${peer}.ts`, import.meta.url).pathname;
    const args = ["run", "-A", "--no-check", file, modules];
    const child = stack.use(new Child(peer, { command: Deno.execPath(), args, core: SERVER_CORE }));
    const port = Number(await child.readLine());
    for (const scenario of SCENARIOS.filter(({ name }) => names.includes(name))) {
      const body = new TextEncoder().encode(scenario.answer);
      const load = new HttpLoad({ port, request: requestOf(scenario), body });
      stack.defer(() => load.close());
      await load.open(CONNECTIONS);
      const key = `${scenario.name}/${peer}`;
      cells.push({ key, visit: () => visit(child, load, requests) });
    }
  }
  report(await runRounds(cells, rounds), names);
}

function report(costs: ReadonlyMap<string, readonly number[]>, names: readonly string[]): void {
  const { cpu, cores, kernel, loadAverage } = describeMachine();
  console.log(`${cpu}, ${cores} cores, ${kernel}, load ${loadAverage.toFixed(1)}`);
  const rows = [...costs].map(([key, all]) => {
    const { median, lowest, highest } = summarize(all);
    return [key, ...[median, lowest, highest].map((value) => value.toFixed(2))];
  });
  console.log(formatTable([["scenario/server", "CPU us", "lowest", "highest"], ...rows]));
  const budgets = names.map((name) => ({
    name,
    of: `${name}/ours`,
    over: `${name}/deno`,
    max: MAX_RATIO,
  }));
  for (const { name, ratio, max, met } of judge(budgets, costs)) {
    console.log(`${name}: ${ratio.median.toFixed(3)}, budget ${max}, ${met ? "met" : "MISSED"}`);
    if (!met) Deno.exitCode = 1;
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      requests: { type: "string", default: "20000" },
      scenarios: { type: "string", default: SCENARIOS.map(({ name }) => name).join() },
    },
  });
  await main(values.scenarios.split(","), Number(values.rounds), Number(values.requests));
}
