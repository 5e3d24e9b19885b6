/**
 * CPU per request of a file of 1 MiB (and of 4 KiB): `serveDir`, `Deno.serve` with the stream of an
 * open file, which never enters JavaScript, and nginx if it is here; user and system time of all
 * threads of the server, in interleaved rounds. Ends with an error if ours costs more than 1.15 of
 * `Deno.serve` for the large file.
 *
 * `deno run -A tests/bench/static/main.ts [--rounds 7] [--requests 1000] [--peers ours,deno,nginx]`
 */
import { parseArgs } from "node:util";
import { judge } from "../_support/budget.ts";
import { Child } from "../_support/child.ts";
import { HttpLoad } from "../_support/http_load.ts";
import { describeMachine } from "../_support/machine.ts";
import { SERVER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";
import { freePort } from "../../_support/listening_program.ts";

/** Most CPU of ours for the large file, where that of `Deno.serve` is 1. */
const MAX_RATIO = 1.15;
const CONNECTIONS = 10;
const WARM_UP_SHARE = 0.2;

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

function startDeno(name: string, root: string): Child {
  const file = new URL(`server_${name}.ts`, import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", file, root];
  return new Child(name, { command: Deno.execPath(), args, core: SERVER_CORE });
}

async function startNginx(root: string): Promise<Running> {
  const port = freePort();
  const file = `${root}/nginx.conf`;
  await Deno.writeTextFile(file, nginxConfiguration(root, port));
  const args = ["-e", "stderr", "-p", root, "-c", file];
  const child = new Child("nginx", { command: "nginx", args, core: SERVER_CORE });
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return { child, port };
}

function nginxConfiguration(root: string, port: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${root}/tmp_${name};`).join("\n");
  return `
daemon off;
master_process off;
pid ${root}/nginx.pid;
error_log stderr crit;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  ${temporary}
  server {
    listen 127.0.0.1:${port};
    root ${root};
  }
}
`;
}

function hasNginx(): boolean {
  try {
    return new Deno.Command("nginx", { args: ["-v"], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

async function start(name: string, root: string): Promise<Running> {
  if (name === "nginx") return await startNginx(root);
  const child = startDeno(name, root);
  return { child, port: Number(await child.readLine()) };
}

async function visit(child: Child, load: HttpLoad, requestCount: number): Promise<number> {
  await load.run(Math.ceil(requestCount * WARM_UP_SHARE));
  const before = cpuSnapshot(child.pid);
  const count = await load.run(requestCount);
  return cpuMicroseconds(before, cpuSnapshot(child.pid)) / count;
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
    const { child, port } = await start(peer, root);
    stack.use(child);
    for (const { name, bytes, factor } of FILES) {
      const request = new TextEncoder().encode(`GET /${name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      const load = new HttpLoad({ port, request, body: new Uint8Array(bytes).fill(0x61) });
      stack.defer(() => load.close());
      await load.open(CONNECTIONS);
      cells.push({ key: `${name}/${peer}`, visit: () => visit(child, load, requests * factor) });
    }
  }
  report(await runRounds(cells, rounds), peers);
}

function report(costs: ReadonlyMap<string, readonly number[]>, peers: readonly string[]): void {
  const { cpu, cores, kernel, loadAverage } = describeMachine();
  console.log(`${cpu}, ${cores} cores, ${kernel}, load ${loadAverage.toFixed(1)}`);
  const rows = [...costs].map(([key, all]) => {
    const { median, lowest, highest } = summarize(all);
    return [key, ...[median, lowest, highest].map((value) => value.toFixed(0))];
  });
  console.log(formatTable([["file/server", "CPU us", "lowest", "highest"], ...rows]));
  const budgets = FILES.flatMap(({ name }) =>
    peers.filter((peer) => peer !== "ours").map((peer) => ({
      name: `${name} against ${peer}`,
      of: `${name}/ours`,
      over: `${name}/${peer}`,
      max: name === "1MiB" && peer === "deno" ? MAX_RATIO : Infinity,
    }))
  );
  for (const { name, ratio, max, met } of judge(budgets, costs)) {
    const wanted = max === Infinity ? "" : `, budget ${max}, ${met ? "met" : "MISSED"}`;
    console.log(`${name}: ${ratio.median.toFixed(3)}${wanted}`);
    if (!met) Deno.exitCode = 1;
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      requests: { type: "string", default: "1000" },
      peers: { type: "string", default: "ours,deno,nginx" },
    },
  });
  const peers = values.peers.split(",").filter((peer) => {
    const isHere = peer !== "nginx" || hasNginx();
    if (!isHere) console.error("Without nginx: it is not on the path");
    return isHere;
  });
  await main(peers, Number(values.rounds), Number(values.requests));
}
