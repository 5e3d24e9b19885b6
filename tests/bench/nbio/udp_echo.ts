/**
 * CPU per UDP echo of our socket and of the bare ways: user and system time of all threads of the
 * server process, divided by the datagrams it echoed, in interleaved rounds. Fails if a promise is
 * not kept.
 *
 * ```sh
 * deno run -A tests/bench/nbio/udp_echo.ts [--rounds 15] [--visit-ms 300]
 * ```
 *
 * The server has core 0; core 1 has 50 clients, each with one datagram on its way.
 */

import { parseArgs } from "node:util";
import type { Budget } from "../_support/budget.ts";
import type { Child } from "../_support/child.ts";
import { LOADER_CORE, SERVER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import { startScript } from "../_support/programs.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import type { LoaderCommand, LoaderReply } from "./udp_echo_loader.ts";

/** The share of a visit that is not measured: the caches are someone else's. */
const WARM_UP_SHARE = 0.2;

/** A run must last as long before its pace is believed. */
const MIN_CALIBRATION_MS = 300;

/** Sizes of the datagrams: a question of DNS, and what fits an Ethernet frame. */
const SIZES: readonly number[] = [64, 1_400];

interface Way {
  readonly name: string;
  /** What `udp_echo_server.ts` calls it. */
  readonly server: string;
  readonly flags: readonly string[];
}

const UNSTABLE = ["--unstable-net"] as const;

const WAYS: readonly Way[] = [
  { name: "node:dgram", server: "bareNode", flags: [] },
  { name: "node:dgram, checked", server: "checkedNode", flags: [] },
  { name: "ours over node", server: "ours", flags: [] },
  { name: "ours over node, iterated", server: "iterated", flags: [] },
  { name: "listenDatagram", server: "bareDeno", flags: UNSTABLE },
  { name: "ours over deno", server: "ours", flags: UNSTABLE },
];

const BUDGETS: readonly Budget[] = SIZES.flatMap((size) => [
  budget(size, "ours over node", "node:dgram", 1.1),
  budget(size, "ours over node, iterated", "node:dgram", 1.1),
  budget(size, "ours over node", "node:dgram, checked", 1.1),
  // That one receives into one buffer for ever; what ours gives belongs to whoever gets it.
  budget(size, "ours over deno", "listenDatagram", 1.3),
]);

function budget(size: number, of: string, over: string, max: number): Budget {
  return {
    name: `UDP echo of ${size} B, ${of} against ${over}`,
    of: `${size}/${of}`,
    over: `${size}/${over}`,
    max,
  };
}

function start(name: string, file: string, flags: readonly string[], core: number): Child {
  const args = name === "" ? [] : [name];
  return startScript(new URL(file, import.meta.url), { core, flags, args });
}

async function ask(loader: Child, command: LoaderCommand): Promise<LoaderReply> {
  await loader.writeLine(JSON.stringify(command));
  return JSON.parse(await loader.readLine());
}

/** How many echoes of a server take `visitMs`; every visit then asks for as many. */
async function calibrate(
  loader: Child,
  target: Omit<LoaderCommand, "count">,
  visitMs: number,
): Promise<number> {
  for (let count = 2_000;; count *= 2) {
    const { elapsedMs } = await ask(loader, { ...target, count });
    if (elapsedMs >= MIN_CALIBRATION_MS) return Math.ceil(count * visitMs / elapsedMs);
  }
}

async function prepare(loader: Child, servers: Child[], visitMs: number): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const way of WAYS) {
    const server = start(way.server, "udp_echo_server.ts", way.flags, SERVER_CORE);
    servers.push(server);
    const port = Number(await server.readLine());
    for (const byteCount of SIZES) {
      const target = { port, byteCount };
      const count = await calibrate(loader, target, visitMs);
      cells.push({
        key: `${byteCount}/${way.name}`,
        visit: async () => {
          await ask(loader, { ...target, count: Math.ceil(count * WARM_UP_SHARE) });
          const before = cpuSnapshot(server.pid);
          await ask(loader, { ...target, count });
          return cpuMicroseconds(before, cpuSnapshot(server.pid)) / count;
        },
      });
    }
  }
  // One size after the other, so that what is compared is measured side by side.
  return SIZES.flatMap((size) => cells.filter(({ key }) => key.startsWith(`${size}/`)));
}

async function main(rounds: number, visitMs: number): Promise<void> {
  await using loader = start("", "udp_echo_loader.ts", UNSTABLE, LOADER_CORE);
  const servers: Child[] = [];
  try {
    const cells = await prepare(loader, servers, visitMs);
    const costs = await runRounds(cells, rounds, (round) => {
      console.error(`round ${round + 1} of ${rounds}`);
    });
    const title = "Microseconds of CPU per echo, by the bytes of a datagram";
    printReport({ title, costs, budgets: BUDGETS });
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      "rounds": { type: "string", default: "15" },
      "visit-ms": { type: "string", default: "300" },
    },
  });
  await main(readCount("rounds", values.rounds), readCount("visit-ms", values["visit-ms"]));
}
