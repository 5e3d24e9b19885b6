/**
 * CPU per GiB of `sendFile` against `file.readable.pipeTo(connection.writable)`: user and system
 * time of all threads of the sending process, in interleaved rounds. The file is in the cache of
 * the system, which does nearly all the work: it copies every byte twice, for both alike. Ends with
 * an error if ours costs more than 1.1 of the pipe.
 *
 * `deno run -A tests/bench/nbio/send_file.ts [--rounds 7] [--mib 256]
 * [--rivals ours,pipe,bare,ours-65536]`
 *
 * `bare` is a loop over one buffer; `ours-N` and `bare-N` have buffers of at most N bytes. The sending process
 * has core 0 and the receiving one core 1.
 */
import { parseArgs } from "node:util";
import type { Budget } from "../_support/budget.ts";
import type { Child } from "../_support/child.ts";
import { LOADER_CORE, SERVER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot, residentBytes } from "../_support/process_stats.ts";
import { startScript } from "../_support/programs.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { summarize } from "../_support/statistics.ts";

const MIB = 1_048_576;

/** Most CPU of ours, where that of the pipe is 1. */
const MAX_RATIO = 1.1;

function start(script: string, core: number, ...args: string[]): Child {
  return startScript(new URL(script, import.meta.url), { core, args });
}

async function makeFile(mib: number): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "nbio_send_file_" });
  using file = await Deno.open(path, { write: true });
  const block = new Uint8Array(MIB);
  for (let index = 0; index < mib; index++) {
    block.fill(index);
    await file.write(block);
  }
  return path;
}

/** One sender, and what it costs to have the file sent once. */
class Sender {
  readonly name: string;
  readonly child: Child;
  readonly #sink: Child;
  readonly #mib: number;
  #port = "";
  /** Milliseconds by visit. */
  readonly elapsedMs: number[] = [];

  constructor(name: string, path: string, sink: Child, mib: number) {
    this.name = name;
    this.child = start("send_file_sender.ts", SERVER_CORE, name, path);
    this.#sink = sink;
    this.#mib = mib;
  }

  async ready(): Promise<void> {
    this.#port = await this.child.readLine();
    await this.visit();
    this.elapsedMs.length = 0;
  }

  /** Gives the milliseconds of CPU per GiB. */
  async visit(): Promise<number> {
    const before = cpuSnapshot(this.child.pid);
    await this.#sink.writeLine(`${this.#port} ${this.#mib * MIB}`);
    this.elapsedMs.push(Number(await this.#sink.readLine()));
    return cpuMicroseconds(before, cpuSnapshot(this.child.pid)) / 1_000 * 1_024 / this.#mib;
  }
}

function report(senders: readonly Sender[], costs: ReadonlyMap<string, readonly number[]>): void {
  const budgets = senders.filter(({ name }) => name !== "pipe").map(({ name }): Budget => ({
    name: `${name === "ours" ? "sendFile" : name} against pipeTo`,
    of: `file/${name}`,
    over: "file/pipe",
    max: name === "ours" ? MAX_RATIO : Infinity,
  }));
  printReport({ title: "Milliseconds of CPU per GiB", costs, budgets });
  for (const { name, child, elapsedMs } of senders) {
    const resident = (residentBytes(child.pid) / MIB).toFixed(0);
    console.log(`${name}: ${summarize(elapsedMs).median.toFixed(0)} ms, ${resident} MiB resident`);
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      mib: { type: "string", default: "256" },
      rivals: { type: "string", default: "ours,pipe,bare" },
    },
  });
  const mib = readCount("mib", values.mib);
  const path = await makeFile(mib);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(path));
  const sink = stack.use(start("send_file_sink.ts", LOADER_CORE));
  const senders = values.rivals.split(",").map((name) => new Sender(name, path, sink, mib));
  for (const sender of senders) stack.use(sender.child);
  for (const sender of senders) await sender.ready();
  const cells = senders.map((sender): Cell => ({
    key: `file/${sender.name}`,
    visit: () => sender.visit(),
  }));
  report(senders, await runRounds(cells, readCount("rounds", values.rounds)));
}
