/**
 * Reading a zone of 1,000,000 lines against `ldns-read-zone` (package ldnsutils), which reads and
 * prints, in interleaved rounds; time of the whole process, and memory after a tenth of the zone
 * and at its end.
 *
 * `deno run -A tests/bench/dns/zone.ts [--rounds 5] [--lines 1000000]`
 */
import { parseArgs } from "node:util";
import { type Budget, judge } from "../_support/budget.ts";
import { describeMachine } from "../_support/machine.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";

const READER = new URL("./zone_reader.ts", import.meta.url).pathname;
const MEBIBYTE = 1024 * 1024;
const LINES_PER_HOST = 4;
/** Memory at the end over that after a tenth: garbage that waits may differ, not more. */
const MAX_GROWTH = 1.2;

/** The issue asks for 0.3 of the speed of `ldns-read-zone`. */
const BUDGETS: readonly Budget[] = [
  { name: "a zone read", of: "read", over: "ldns", max: 1 / 0.3 },
  { name: "a zone read and printed", of: "print", over: "ldns", max: 1 / 0.3 },
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

async function main(rounds: number, lineCount: number): Promise<boolean> {
  const path = await Deno.makeTempFile({ suffix: ".zone" });
  const reports: ReaderReport[] = [];
  const read = (args: readonly string[], report: (text: string) => void) => {
    return time(Deno.execPath(), ["run", "-A", "--no-check", READER, path, ...args], report);
  };
  const cells: Cell[] = [
    { key: "read", visit: () => read([], (text) => reports.push(JSON.parse(text))) },
    // What waits to be written is garbage of its own: memory is judged where nothing is printed.
    { key: "print", visit: () => read(["--print"], () => {}) },
    { key: "ldns", visit: () => time("ldns-read-zone", [path], () => {}) },
  ];
  try {
    await writeZone(path, lineCount);
    const costs = await runRounds(cells, rounds);
    const { cpu, cores, kernel } = describeMachine();
    console.log(`${cpu}, ${cores} cores, ${kernel}; ${reports[0]!.recordCount} records`);
    return reportAll(costs, reports);
  } finally {
    await Deno.remove(path);
  }
}

function reportAll(
  costs: ReadonlyMap<string, readonly number[]>,
  reports: readonly ReaderReport[],
): boolean {
  for (const [key, values] of costs) {
    const median = values.toSorted((a, b) => a - b)[values.length >> 1]!;
    console.log(`${key.padEnd(8)} ${median.toFixed(2).padStart(6)} s`);
  }
  const early = Math.max(...reports.map(({ earlyBytes }) => earlyBytes));
  const late = Math.max(...reports.map(({ lateBytes }) => lateBytes));
  const isFlat = late <= MAX_GROWTH * early;
  const sizes = `${(early / MEBIBYTE).toFixed(0)} MiB, then ${(late / MEBIBYTE).toFixed(0)} MiB`;
  console.log(`memory ${sizes}: ${isFlat ? "flat" : "grows"}`);
  let isMet = isFlat;
  for (const { name, ratio, max, met } of judge(BUDGETS, costs)) {
    const range = `${ratio.lowest.toFixed(2)} to ${ratio.highest.toFixed(2)}`;
    const verdict = met ? "met" : "missed";
    console.log(
      `${name}: ${ratio.median.toFixed(2)} (${range}), at most ${max.toFixed(2)}: ${verdict}`,
    );
    isMet &&= met;
  }
  return isMet;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      lines: { type: "string", default: "1000000" },
    },
  });
  if (!await main(Number(values.rounds), Number(values.lines))) Deno.exit(1);
}
