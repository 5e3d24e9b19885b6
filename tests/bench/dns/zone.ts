/**
 * Reading a zone of 1,000,000 lines against `ldns-read-zone` (package ldnsutils), which reads and
 * prints, in interleaved rounds; time of the whole process, and memory after a tenth of the zone
 * and at its end.
 *
 * `deno run -A tests/bench/dns/zone.ts [--rounds 5] [--lines 1000000]`
 */
import { parseArgs } from "node:util";
import type { Budget } from "../_support/budget.ts";
import { findProgram, reportMissing } from "../_support/peers.ts";
import { readCount } from "../_support/read_count.ts";
import { printBound, printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";

const READER = new URL("./zone_reader.ts", import.meta.url).pathname;
const MEBIBYTE = 1024 * 1024;
const LINES_PER_HOST = 4;
/** Memory at the end over that after a tenth: garbage that waits may differ, not more. */
const MAX_GROWTH = 1.2;

/** The issue asks for 0.3 of the speed of `ldns-read-zone`. */
const BUDGETS: readonly Budget[] = [
  { name: "a zone read, against ldns-read-zone", of: "zone/read", over: "zone/ldns", max: 1 / 0.3 },
  {
    name: "a zone read and printed, against ldns-read-zone",
    of: "zone/print",
    over: "zone/ldns",
    max: 1 / 0.3,
  },
];

/** What the reader says of itself. */
interface ReaderReport {
  readonly recordCount: number;
  readonly earlyBytes: number;
  readonly lateBytes: number;
}

/** Writes a zone: addresses, mail and text, owners that repeat, some TTLs, some comments. */
async function writeZone(path: string, lineCount: number): Promise<void> {
  using file = await Deno.create(path);
  const writer = file.writable.getWriter();
  const encoder = new TextEncoder();
  await writer.write(encoder.encode(
    "$ORIGIN example.com.\n$TTL 3600\n@ IN SOA ns1 host 1 3600 900 604800 300\n@ IN NS ns1\n",
  ));
  for (let host = 0; host < lineCount / LINES_PER_HOST;) {
    let text = "";
    for (let count = 0; count < 1_000 && host < lineCount / LINES_PER_HOST; count++, host++) {
      text += `host${host} IN A 10.${host >> 16 & 255}.${host >> 8 & 255}.${host & 255}\n` +
        `host${host} 7200 IN AAAA 2001:db8::${(host >> 16).toString(16)}:${
          (host & 0xffff).toString(16)
        }\n` +
        `        IN MX 10 mail${host % 100}.example.net.\n` +
        `www${host}\tIN\tTXT\t"v=spf1 include:_spf${host}.example.com -all" ; a comment\n`;
    }
    await writer.write(encoder.encode(text));
  }
  await writer.close();
}

/** Seconds a program takes to its end; what it writes to standard error goes to `report`. */
async function time(
  command: string,
  args: readonly string[],
  report: (text: string) => void,
): Promise<number> {
  const before = performance.now();
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdout: "null",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr);
  if (!success) throw new Error(`Cannot go on: ${command} failed: ${text}`);
  report(text);
  return (performance.now() - before) / 1_000;
}

async function main(rounds: number, lineCount: number): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".zone" });
  const reports: ReaderReport[] = [];
  const read = (args: readonly string[], report: (text: string) => void) => {
    return time(Deno.execPath(), ["run", "-A", "--no-check", READER, path, ...args], report);
  };
  const cells: Cell[] = [
    { key: "zone/read", visit: () => read([], (text) => reports.push(JSON.parse(text))) },
    // What waits to be written is garbage of its own: memory is judged where nothing is printed.
    { key: "zone/print", visit: () => read(["--print"], () => {}) },
  ];
  try {
    const { command } = findProgram("ldns-read-zone", "-v");
    cells.push({ key: "zone/ldns", visit: () => time(command, [path], () => {}) });
  } catch (error) {
    reportMissing("ldns-read-zone", error instanceof Error ? error.message : String(error));
  }
  try {
    await writeZone(path, lineCount);
    const costs = await runRounds(cells, rounds);
    const title = `Seconds for a zone of ${reports[0]!.recordCount} records`;
    printReport({ title, costs, budgets: BUDGETS });
    judgeMemory(reports);
  } finally {
    await Deno.remove(path);
  }
}

/** Holds the memory at the end against that after a tenth of the zone. */
function judgeMemory(reports: readonly ReaderReport[]): void {
  const early = Math.max(...reports.map(({ earlyBytes }) => earlyBytes)) / MEBIBYTE;
  const late = Math.max(...reports.map(({ lateBytes }) => lateBytes)) / MEBIBYTE;
  const name = "memory at the end of the zone over that after a tenth";
  const details = `${early.toFixed(0)} MiB, ${late.toFixed(0)} MiB`;
  console.log();
  printBound({ name, value: late / early, max: MAX_GROWTH, unit: "times" }, details);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      lines: { type: "string", default: "1000000" },
    },
  });
  await main(readCount("rounds", values.rounds), readCount("lines", values.lines));
}
