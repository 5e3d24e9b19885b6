/**
 * CPU and memory of an upload of 10 MiB as `multipart/form-data`: `ctx.body.multipart()` and
 * `ctx.body.form()` against `Request.formData()` under `Deno.serve`, in interleaved rounds.
 *
 * `deno run -A tests/bench/multipart/main.ts [--rounds 7] [--uploads 10]`
 *
 * CPU is user and system time of all threads of the server, memory the largest resident size
 * that was seen behind an upload, less that before the first one.
 */
import { parseArgs } from "node:util";
import type { Budget } from "../_support/budget.ts";
import type { Child } from "../_support/child.ts";
import { SERVER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot, residentBytes } from "../_support/process_stats.ts";
import { startScript } from "../_support/programs.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { type Content, FILE_BYTES, uploadRequest } from "./payload.ts";

const MEBIBYTE = 1024 * 1024;
const WARM_UPS = 5;

/** Servers that are compared, each a file and its arguments. */
const PEERS: Readonly<Record<string, readonly string[]>> = {
  "multipart": ["server_ours.ts", "stream"],
  "form": ["server_ours.ts", "form"],
  "deno": ["server_deno.ts"],
};
const CONTENTS: readonly Content[] = ["noise", "text"];

const BUDGETS: readonly Budget[] = CONTENTS.flatMap((content) => [
  {
    name: `10 MiB of ${content}, streamed, against Request.formData()`,
    of: `${content}/multipart`,
    over: `${content}/deno`,
    max: 1,
  },
  {
    name: `10 MiB of ${content}, form(), against Request.formData()`,
    of: `${content}/form`,
    over: `${content}/deno`,
    max: 1,
  },
]);

/** A server under test. */
class Server implements AsyncDisposable {
  readonly #child: Child;
  readonly #port: number;
  readonly #firstBytes: number;
  /** Growth of its memory, in bytes. */
  maxGrowthBytes = 0;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.#port = port;
    this.#firstBytes = residentBytes(child.pid);
  }

  static async start([file, ...args]: readonly string[]): Promise<Server> {
    const child = startScript(new URL(file!, import.meta.url), { core: SERVER_CORE, args });
    return new Server(child, Number(await child.readLine()));
  }

  /** Uploads, and gives the microseconds of CPU for each. */
  async upload(request: Uint8Array, count: number): Promise<number> {
    const before = cpuSnapshot(this.#child.pid);
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    for (let index = 0; index < count; index++) {
      await exchange(connection, request);
      const growth = residentBytes(this.#child.pid) - this.#firstBytes;
      this.maxGrowthBytes = Math.max(this.maxGrowthBytes, growth);
    }
    return cpuMicroseconds(before, cpuSnapshot(this.#child.pid)) / count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

async function exchange(connection: Deno.Conn, request: Uint8Array): Promise<void> {
  for (let sent = 0; sent < request.length;) {
    sent += await connection.write(request.subarray(sent, sent + MEBIBYTE));
  }
  const buffer = new Uint8Array(4_096);
  const wanted = `A file ${FILE_BYTES}`;
  let text = "";
  while (!text.endsWith(wanted)) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`Cannot go on: the server answered ${text}`);
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
}

async function main(rounds: number, uploads: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const cells: Cell[] = [];
  const servers = new Map<string, Server>();
  for (const content of CONTENTS) {
    const request = uploadRequest(content);
    for (const [name, command] of Object.entries(PEERS)) {
      const key = `${content}/${name}`;
      const server = stack.use(await Server.start(command));
      servers.set(key, server);
      await server.upload(request, WARM_UPS);
      cells.push({ key, visit: () => server.upload(request, uploads) });
    }
  }
  const costs = await runRounds(cells, rounds);
  printReport({ title: "Microseconds of CPU per upload", costs, budgets: BUDGETS });
  for (const [key, { maxGrowthBytes }] of servers) {
    console.log(`${key}: ${(maxGrowthBytes / MEBIBYTE).toFixed(0)} MiB more memory`);
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      uploads: { type: "string", default: "10" },
    },
  });
  await main(readCount("rounds", values.rounds), readCount("uploads", values.uploads));
}
