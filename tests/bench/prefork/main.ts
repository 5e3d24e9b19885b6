/**
 * What several workers give, and what they lose.
 *
 * `deno run -A tests/bench/prefork/main.ts [--rounds 5] [--visit-ms 1000]
 * [--only rate,spread,loss,kill]`
 *
 * - `rate`: answers per second of two workers over those of one of the same mode, round by round.
 *   Each takes 500 microseconds of computing, so that the loader needs little; it still needs a
 *   core of its own for the budget of 1.6 to be one. Where there are only two cores, the CPU that
 *   an answer takes tells what a third one would give: about as much with two workers as with one,
 *   if nothing but the cores is short.
 * - `spread`: how 1,000 connections are dealt out to two workers.
 * - `loss`: connections refused or reset while two workers are replaced one after the other, with
 *   and without a pause before the port is closed, with workers that have time and that have none.
 * - `kill`: how long after SIGKILL to one of two under load its replacement is ready.
 */

import { parseArgs } from "node:util";
import { type Prefork, prefork } from "../../../nbio/prefork.ts";
import type { PreforkMode } from "../../../nbio/prefork_options.ts";
import { freePort } from "../../_support/listening_program.ts";
import { type Budget, judge } from "../_support/budget.ts";
import { HttpLoad } from "../_support/http_load.ts";
import { describeMachine } from "../_support/machine.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import { readCount } from "../_support/read_count.ts";
import { ratios, summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const MODES: readonly PreforkMode[] = ["processes", "threads"];
const REQUEST = encoder.encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
const BODY = encoder.encode("answered");
const CONNECTIONS = 32;
const COMPUTE_US = 500;
/** Two workers over one. */
const LEAST_SPEEDUP = 1.6;

interface Cluster extends AsyncDisposable {
  readonly port: number;
  readonly prefork: Prefork;
  /** Resolves when the next worker is ready. */
  nextReady(): Promise<void>;
}

async function start(
  mode: PreforkMode,
  workers: number,
  { computeUs = 0, drainMs = 0 } = {},
): Promise<Cluster> {
  const port = freePort();
  let onReady = (): void => {};
  const cluster = prefork({
    module: import.meta.resolve("./worker.ts"),
    workers,
    mode,
    args: [String(port), String(computeUs)],
    drainMs,
    onEvent: ({ type }) => {
      if (type === "ready") onReady();
    },
  });
  await cluster.ready;
  return {
    port,
    prefork: cluster,
    nextReady: () => new Promise((resolve) => onReady = resolve),
    [Symbol.asyncDispose]: () => cluster.kill(),
  };
}

interface Visit {
  readonly perSecond: number;
  /** Of all workers, for one answer; `undefined` where it cannot be told from the loader's. */
  readonly cpuUs: number | undefined;
}

async function visit(mode: PreforkMode, workers: number, visitMs: number): Promise<Visit> {
  await using cluster = await start(mode, workers, { computeUs: COMPUTE_US });
  const load = new HttpLoad({ port: cluster.port, request: REQUEST, body: BODY });
  try {
    await load.open(CONNECTIONS);
    const pids = mode === "threads" ? [] : cluster.prefork.workers().map(({ pid }) => pid!);
    const before = pids.map(cpuSnapshot);
    const startMs = performance.now();
    let count = 0;
    while (performance.now() - startMs < visitMs) count += await load.run(500);
    const elapsedMs = performance.now() - startMs;
    const spentUs = pids.map((pid, i) => cpuMicroseconds(before[i]!, cpuSnapshot(pid)));
    const cpuUs = spentUs.reduce((sum, us) => sum + us, 0) / count;
    return { perSecond: 1_000 * count / elapsedMs, cpuUs: cpuUs || undefined };
  } finally {
    load.close();
  }
}

/** What two workers give in the time of one. */
const BUDGETS: readonly Budget[] = MODES.map((mode) => ({
  name: `answers of one worker over those of two, ${mode}`,
  of: `${mode}/1`,
  over: `${mode}/2`,
  max: 1 / LEAST_SPEEDUP,
}));

async function benchRate(rounds: number, visitMs: number): Promise<void> {
  const cells = new Map<string, number[]>();
  const rows = [["mode", "1 worker/s", "2 workers/s", "ratio", "CPU us, 1", "CPU us, 2", ""]];
  for (const mode of MODES) {
    const visits: Visit[][] = [[], []];
    for (let round = 0; round < rounds; round++) {
      for (const workers of [1, 2]) visits[workers - 1]!.push(await visit(mode, workers, visitMs));
    }
    const rates = visits.map((list) => list.map(({ perSecond }) => perSecond));
    rates.forEach((list, index) => cells.set(`${mode}/${index + 1}`, list));
    const cpus = visits.map((list) => list.map(({ cpuUs }) => cpuUs ?? NaN));
    const { median: ratio } = summarize(ratios(rates[1]!, rates[0]!));
    const show = (list: readonly number[]): string =>
      Number.isNaN(list[0]) ? "-" : summarize(list).median.toFixed(0);
    const verdict = ratio >= LEAST_SPEEDUP ? "within the budget" : `less than ${LEAST_SPEEDUP}`;
    rows.push([mode, ...rates.map(show), ratio.toFixed(2), ...cpus.map(show), verdict]);
  }
  judge(BUDGETS, cells);
  console.log(`\nAnswers of ${COMPUTE_US} us\n\n${formatTable(rows)}`);
}

/** One connection, one request. */
async function askOnce(port: number, path: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(encoder.encode(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`));
  const buffer = new Uint8Array(1_024);
  const length = await conn.read(buffer);
  if (length === null) throw new Deno.errors.ConnectionReset("Closed without an answer");
  return decoder.decode(buffer.subarray(0, length)).split("\r\n\r\n")[1] ?? "";
}

async function benchSpread(): Promise<void> {
  const rows = [["mode", "worker 0", "worker 1"]];
  for (const mode of MODES) {
    await using cluster = await start(mode, 2);
    const counts = [0, 0];
    for (let i = 0; i < 1_000; i++) counts[Number(await askOnce(cluster.port, "/index"))]!++;
    rows.push([mode, ...counts.map(String)]);
  }
  console.log(`\n1,000 connections\n\n${formatTable(rows)}`);
}

async function benchLoss(rounds: number): Promise<void> {
  const rows = [["mode", "us each", "drain ms", "connections", "restarts", "lost", "how"]];
  for (const mode of MODES) {
    for (const computeUs of [0, 2_000]) {
      for (const drainMs of [0, 300]) {
        await using cluster = await start(mode, 2, { computeUs, drainMs });
        const { count, failures } = await restartUnderLoad(cluster, rounds);
        const how = Map.groupBy(failures, (name) => name).entries()
          .map(([name, list]) => `${list.length} ${name}`).toArray().join(", ");
        const figures = [computeUs, drainMs, count, 2 * rounds, failures.length].map(String);
        rows.push([mode, ...figures, how]);
      }
    }
  }
  console.log(`\nConnections lost in rolling restarts, 16 clients\n\n${formatTable(rows)}`);
}

async function restartUnderLoad(cluster: Cluster, rounds: number) {
  const failures: string[] = [];
  let count = 0;
  let isOver = false;
  const clients = Array.from({ length: 16 }, async () => {
    for (; !isOver; count++) {
      await askOnce(cluster.port, "/").catch((error) => failures.push(error.name));
    }
  });
  for (let round = 0; round < rounds; round++) await cluster.prefork.restart();
  isOver = true;
  await Promise.all(clients);
  return { count, failures };
}

async function benchKill(rounds: number): Promise<void> {
  const timesMs: number[] = [];
  let lost = 0;
  for (let round = 0; round < rounds; round++) {
    // Each time anew: with every crash the delay grows.
    await using cluster = await start("processes", 2);
    const replaced = cluster.nextReady();
    let isOver = false;
    const clients = Array.from({ length: 16 }, async () => {
      while (!isOver) await askOnce(cluster.port, "/").catch(() => lost++);
    });
    const startMs = performance.now();
    Deno.kill(cluster.prefork.workers()[0]!.pid!, "SIGKILL");
    await replaced;
    timesMs.push(performance.now() - startMs);
    isOver = true;
    await Promise.all(clients);
  }
  const { median, highest } = summarize(timesMs);
  console.log(`\nReplaced ${median.toFixed(0)} ms after SIGKILL, at most ${highest.toFixed(0)} ms`);
  console.log(`(${rounds} times, 100 ms of them a delay, 16 clients); ${lost} connections lost`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      "rounds": { type: "string", default: "5" },
      "visit-ms": { type: "string", default: "1000" },
      "only": { type: "string", default: "rate,spread,loss,kill" },
    },
  });
  const rounds = readCount("rounds", values.rounds);
  const only = values.only.split(",");
  const { cpu, cores, kernel, loadAverage } = describeMachine();
  console.log(`${cpu}, ${cores} cores, ${kernel}, load average ${loadAverage.toFixed(1)}`);
  if (only.includes("rate")) await benchRate(rounds, readCount("visit-ms", values["visit-ms"]));
  if (only.includes("spread")) await benchSpread();
  if (only.includes("loss")) await benchLoss(rounds);
  if (only.includes("kill")) await benchKill(rounds);
}
