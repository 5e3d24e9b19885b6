/**
 * What TLS costs: CPU of the server for each small exchange on kept connections, time and CPU for
 * each MiB of a large transfer, and the time of new connections with one small exchange each, one after the
 * other; in interleaved rounds, against the bare loops of the same kind and `Deno.serve`.
 *
 * `deno run -A tests/bench/tls/main.ts [--rounds 5] [--smoke]`
 *
 * The rule of `listenTls` follows from it: `node` by default, for new connections; `deno` where few
 * clients stay for long.
 *
 * The large transfer by `node` does not meet its budget. Its records pass through a stream in JavaScript,
 * where the runtime copies them byte by byte: of 1.4 to 1.6 ms of CPU for each MiB, 1.1 to 1.4 are spent
 * before the first byte reaches the stream below (one that throws all away costs as much), which is more
 * than twice what `deno` costs in all. Tried without gain beyond the noise of 5 %: to confirm writes before
 * they have left, up to 256 KiB (worse by a third); to gather them by `writev`; to let either stream hold
 * 1 MiB; to cut writes at 8 KiB (worse by a half), 16 KiB, 32 KiB or 48 KiB, which is what the runtime
 * encrypts at a time; or to make them 128 KiB and more. What would help is a socket of `node:net` below, at
 * half the cost, but over that one a cut looks like an end (`tests/tls/runtime_facts_test.ts`).
 */
import { parseArgs } from "node:util";
import { connectTls, createDevelopmentCertificate } from "@nbio/net/tls";
import { type Budget, judge } from "../_support/budget.ts";
import { Child } from "../_support/child.ts";
import { describeMachine } from "../_support/machine.ts";
import { SERVER_CORE } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";
import { BULK_BYTES } from "./payloads.ts";

const KINDS = ["ours-deno", "ours-node", "Deno.serve", "bare-listenTls", "bare-node"] as const;
const CONNECTION_COUNT = 8;
const REQUEST = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
const BULK_REQUEST = new TextEncoder().encode("GET /bulk HTTP/1.1\r\nHost: localhost\r\n\r\n");

const BUDGETS: readonly Budget[] = [
  { name: "keep-alive, deno", of: "keep/ours-deno", over: "keep/Deno.serve", max: 1.25 },
  { name: "keep-alive, node", of: "keep/ours-node", over: "keep/bare-node", max: 1.3 },
  // The bare one by connectTls of the runtime.
  { name: "new connections, node", of: "new/ours-node", over: "new/bare-listenTls", max: 1 / 8 },
  { name: "100 MiB, node", of: "bulk/ours-node", over: "bulk/ours-deno", max: 1 / 0.9 },
  { name: "100 MiB, deno", of: "bulk/ours-deno", over: "bulk/ours-node", max: 1 / 0.9 },
];

/** A server under test, and whom to trust. */
interface Target {
  readonly pid: number;
  readonly port: number;
  readonly ca: string;
}

interface Counts {
  readonly keep: number;
  readonly fresh: number;
}

/** A connection of ours, without delay. */
function connectOurs({ port, ca }: Target): Promise<Deno.Conn> {
  const tls = { caCerts: [ca] };
  return connectTls({ hostname: "localhost", port, tls }) as Promise<unknown> as Promise<Deno.Conn>;
}

function connectBare({ port, ca }: Target): Promise<Deno.Conn> {
  return Deno.connectTls({ hostname: "localhost", port, caCerts: [ca] });
}

async function exchange(connection: Deno.Conn, buffer: Uint8Array): Promise<void> {
  await connection.write(REQUEST);
  if (await connection.read(buffer) === null) throw new Error("The server has left");
}

/** Microseconds of CPU of the server per exchange. */
async function visitKept(target: Target, count: number): Promise<number> {
  const connections = await Promise.all(
    Array.from({ length: CONNECTION_COUNT }, () => connectOurs(target)),
  );
  const run = (each: number) =>
    Promise.all(connections.map(async (connection) => {
      const buffer = new Uint8Array(1_024);
      for (let index = 0; index < each; index++) await exchange(connection, buffer);
    }));
  await run(10);
  const before = cpuSnapshot(target.pid);
  await run(count / CONNECTION_COUNT);
  const spent = cpuMicroseconds(before, cpuSnapshot(target.pid));
  for (const connection of connections) connection.close();
  return spent / count;
}

/** Microseconds from connecting to the answer. */
async function visitFresh(
  target: Target,
  connect: (target: Target) => Promise<Deno.Conn>,
  count: number,
): Promise<number> {
  const buffer = new Uint8Array(1_024);
  const startMs = performance.now();
  for (let index = 0; index < count; index++) {
    const connection = await connect(target);
    await exchange(connection, buffer);
    connection.close();
  }
  return (performance.now() - startMs) * 1_000 / count;
}

/** Microseconds per MiB: as they pass, or of the CPU of the server. */
async function visitBulk(target: Target, isCpu: boolean): Promise<number> {
  const connection = await connectOurs(target);
  const buffer = new Uint8Array(65_536);
  await exchange(connection, buffer);
  const before = cpuSnapshot(target.pid);
  const startMs = performance.now();
  await connection.write(BULK_REQUEST);
  for (let length = 0; length < BULK_BYTES;) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("The server has left");
    length += count;
  }
  const passed = (performance.now() - startMs) * 1_000;
  const spent = isCpu ? cpuMicroseconds(before, cpuSnapshot(target.pid)) : passed;
  connection.close();
  return spent / (BULK_BYTES / 1_048_576);
}

function cellsOf(kind: string, target: Target, counts: Counts): Cell[] {
  const cells: Cell[] = [{
    key: `keep/${kind}`,
    visit: () => visitKept(target, counts.keep),
  }];
  if (kind.startsWith("ours")) {
    cells.push({ key: `bulk/${kind}`, visit: () => visitBulk(target, false) });
    cells.push({ key: `bulk-cpu/${kind}`, visit: () => visitBulk(target, true) });
    cells.push({
      key: `new/${kind}`,
      visit: () => visitFresh(target, connectOurs, counts.fresh),
    });
  }
  if (kind === "bare-listenTls") {
    // Each takes 40 ms and more: a few tell.
    const count = Math.ceil(counts.fresh / 10);
    cells.push({ key: `new/${kind}`, visit: () => visitFresh(target, connectBare, count) });
  }
  return cells;
}

function report(values: ReadonlyMap<string, readonly number[]>): void {
  const rows = [...values].map(([key, list]) => [key, summarize(list).median.toFixed(1)]);
  console.log(formatTable([["cell", "us"], ...rows]));
  const verdicts = judge(BUDGETS, values).map(({ name, of, over, max, ratio, met }) => [
    ...[name, `${of} / ${over}`, ratio.median.toFixed(3), max.toFixed(3), met ? "met" : "missed"],
  ]);
  console.log(formatTable([["budget", "ratio of", "median", "max", ""], ...verdicts]));
}

async function main(rounds: number, counts: Counts): Promise<void> {
  console.log(describeMachine());
  const folder = await Deno.makeTempDir();
  await using children = new AsyncDisposableStack();
  children.defer(() => Deno.remove(folder, { recursive: true }));
  const { leaf, ca } = await createDevelopmentCertificate(["localhost", "127.0.0.1"]);
  const paths = [`${folder}/cert.pem`, `${folder}/key.pem`];
  await Deno.writeTextFile(paths[0]!, leaf.certificatePem);
  await Deno.writeTextFile(paths[1]!, leaf.privateKeyPem);
  const cells: Cell[] = [];
  for (const kind of KINDS) {
    const script = new URL("server.ts", import.meta.url).pathname;
    const args = ["run", "-A", script, kind, ...paths];
    const child = new Child(kind, { command: Deno.execPath(), args, core: SERVER_CORE });
    children.use(child);
    const port = Number(await child.readLine());
    const target = { pid: child.pid, port, ca: ca.certificatePem };
    await visitKept(target, counts.keep);
    cells.push(...cellsOf(kind, target, counts));
  }
  report(await runRounds(cells, rounds, (round) => console.error(`round ${round + 1}`)));
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    smoke: { type: "boolean", default: false },
  },
});
if (values.smoke) await main(1, { keep: 80, fresh: 10 });
else await main(Number(values.rounds), { keep: 16_000, fresh: 200 });
