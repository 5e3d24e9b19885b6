/**
 * Runs every side-by-side, one after the other, and says which budgets are met.
 *
 * `deno run -A tests/bench/main.ts [--rounds 7] [--seconds 1] [--quick] [--only dns,static]
 * [--json out.json] [--note TEXT]`
 *
 * Every suite (`suites.ts`) is a program that can be run alone. Each visits ours and its rivals in
 * turn, round by round, so that what slows the machine slows both; budgets are ratios of the
 * rounds. Rivals come from npm into a cache outside of the checkout, or have to be there (node,
 * nginx, ldns-read-zone); those that are not are named at the end. `--quick` is 3 rounds of visits
 * a third as long: it shows that everything runs, but what is compiled while it runs has hardly been
 * compiled yet. `--json` writes what `plot.ts` draws, anew
 * after each suite.
 *
 * The exit code is 1 if a suite came to no end. A missed budget is only told: on a shared machine it
 * need not mean anything.
 */
import { parseArgs } from "node:util";
import { describeMachine } from "./_support/machine.ts";
import { readCount } from "./_support/read_count.ts";
import { type BenchRecord, readRecords, RECORD_VARIABLE } from "./_support/record.ts";
import { summarize, type Summary } from "./_support/statistics.ts";
import { formatTable } from "./_support/table.ts";
import { hasBudget, type Results, type SuiteResult } from "./results.ts";
import { type Pace, type Suite, SUITES, suitesOf } from "./suites.ts";

const QUICK: Pace = { rounds: 3, seconds: 0.33 };
/** A suite that takes longer hangs. */
const SUITE_TIMEOUT_MS = 45 * 60_000;
const DEFAULT_NOTE = "Figures are of one machine, which others may have used at the same time: " +
  "read ratios and their spread, not the bare figures.";

/** What a suite has recorded, and who was there. */
interface Outcome {
  readonly result: SuiteResult;
  readonly versions: ReadonlyMap<string, string>;
}

/** Runs a suite to its end; it prints what it prints. */
async function runSuite(suite: Suite, pace: Pace): Promise<Outcome> {
  const recordPath = await Deno.makeTempFile({ prefix: "nbio_bench_", suffix: ".jsonl" });
  const flags = ["run", "-A", "--no-check", ...suite.flags ?? []];
  const args = suite.args(pace);
  const [loadAverage] = Deno.loadavg();
  const startMs = performance.now();
  try {
    const status = await new Deno.Command(Deno.execPath(), {
      args: [...flags, new URL(suite.file, import.meta.url).pathname, ...args],
      env: { [RECORD_VARIABLE]: recordPath },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
      signal: AbortSignal.timeout(SUITE_TIMEOUT_MS),
    }).spawn().status;
    const records = readRecords(recordPath);
    return outcomeOf(suite, records, {
      command: ["deno", ...flags, `tests/bench/${suite.file}`, ...args].join(" "),
      elapsedS: Math.round((performance.now() - startMs) / 1_000),
      loadAverage: loadAverage!,
      failure: failureOf(status, records),
    });
  } finally {
    await Deno.remove(recordPath);
  }
}

function outcomeOf(
  { name, claim, unit, issue }: Suite,
  records: readonly BenchRecord[],
  { failure, ...run }: Pick<SuiteResult, "command" | "elapsedS" | "loadAverage"> & {
    readonly failure: string | undefined;
  },
): Outcome {
  const missing = ofType(records, "missing").map(({ name, reason }) => [name, reason]);
  return {
    versions: new Map(ofType(records, "peer").map(({ name, version }) => [name, version])),
    result: {
      ...{ name, claim, issue: issue ?? null, unit, ...run },
      ...failure !== undefined && { failure },
      costs: costsOf(records),
      verdicts: ofType(records, "verdict").map(withoutType),
      bounds: ofType(records, "bound").map(withoutType),
      missing: Object.fromEntries(missing),
    },
  };
}

/** A suite ends with 1 where a budget is missed as well, which is no failure. */
function failureOf(
  { code, signal }: Deno.CommandStatus,
  records: readonly BenchRecord[],
): string | undefined {
  if (signal !== null) return `ended by ${signal}`;
  if (code === 0) return undefined;
  const isMissed = records.some((entry) => "met" in entry && !entry.met);
  return code === 1 && isMissed ? undefined : `ended with ${code}`;
}

function ofType<T extends BenchRecord["type"]>(
  records: readonly BenchRecord[],
  type: T,
): Extract<BenchRecord, { type: T }>[] {
  return records.filter((entry) => entry.type === type) as Extract<BenchRecord, { type: T }>[];
}

function withoutType<T extends { type: string }>({ type: _, ...rest }: T): Omit<T, "type"> {
  return rest;
}

function costsOf(records: readonly BenchRecord[]): Record<string, Summary> {
  return Object.fromEntries(
    ofType(records, "cell").map(({ key, values }) => [key, summarize(values)]),
  );
}

/** All budgets, those of one issue together. */
function formatBudgets(suites: readonly SuiteResult[]): string {
  const rows = [["issue", "suite", "promise", "found", "all rounds", "budget", ""]];
  for (const { issue, name, verdicts, bounds } of suites) {
    const start = [issue === null ? "" : String(issue), name];
    for (const { name, ratio, max, met } of verdicts) {
      const range = `${ratio.lowest.toFixed(3)}-${ratio.highest.toFixed(3)}`;
      const budget = max === null ? ["", ""] : [max.toFixed(3), wordOf(met)];
      rows.push([...start, name, ratio.median.toFixed(3), range, ...budget]);
    }
    for (const { name, value, max, unit, met } of bounds) {
      rows.push([...start, name, `${value.toFixed(2)} ${unit}`, "", String(max), wordOf(met)]);
    }
  }
  return formatTable(rows);
}

function wordOf(met: boolean): string {
  return met ? "met" : "MISSED";
}

function printSummary({ suites, missing, versions, machine }: Results): void {
  const { cpu, cores, kernel } = machine;
  console.log(`\n== all ==\n\n${cpu}, ${cores} cores, ${kernel}`);
  console.log(Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", "));
  console.log(`\nRatios of ours to the rival, median of the rounds\n\n${formatBudgets(suites)}`);
  const judged = suites.flatMap(({ verdicts, bounds }) => [
    ...verdicts.filter(hasBudget),
    ...bounds,
  ]);
  console.log(`\n${judged.filter(({ met }) => met).length} of ${judged.length} budgets are met`);
  for (const [name, reason] of Object.entries(missing)) console.log(`without ${name}: ${reason}`);
  for (const { name, failure } of suites) {
    if (failure !== undefined) console.log(`${name} came to no end: ${failure}`);
  }
}

async function ourVersion(): Promise<string> {
  const text = await Deno.readTextFile(new URL("../../deno.json", import.meta.url));
  return JSON.parse(text).version;
}

/** Runs the suites; `onResults` gets all that is known after each, as a run may be cut short. */
async function main(
  suites: readonly Suite[],
  pace: Pace,
  { note, onResults }: { note: string; onResults(results: Results): Promise<void> },
): Promise<Results> {
  const versions = new Map([["@nbio/net", await ourVersion()], ["deno", Deno.version.deno]]);
  const found: SuiteResult[] = [];
  const start = { note, startedAt: new Date().toISOString(), machine: describeMachine(), ...pace };
  const results = (): Results => ({
    ...start,
    versions: Object.fromEntries(versions),
    missing: Object.assign({}, ...found.map(({ missing }) => missing)),
    suites: found,
  });
  for (const [index, suite] of suites.entries()) {
    console.log(`\n== ${suite.name}: ${suite.claim} (${index + 1} of ${suites.length}) ==\n`);
    const outcome = await runSuite(suite, pace);
    found.push(outcome.result);
    for (const [name, version] of outcome.versions) versions.set(name, version);
    await onResults(results());
  }
  return results();
}

function readPace(quick: boolean, rounds: string | undefined, seconds: string | undefined): Pace {
  const usual: Pace = quick ? QUICK : { rounds: 7, seconds: 1 };
  const length = seconds === undefined ? usual.seconds : Number(seconds);
  if (!(length > 0 && length <= 60)) {
    throw new RangeError(`Cannot use --seconds ${seconds}: want a number above 0, at most 60`);
  }
  return {
    rounds: rounds === undefined ? usual.rounds : readCount("rounds", rounds),
    seconds: length,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      json: { type: "string" },
      note: { type: "string", default: DEFAULT_NOTE },
    },
  });
  const pace = readPace(values.quick, values.rounds, values.seconds);
  const suites = values.only === undefined ? SUITES : suitesOf(values.only.split(","));
  const { json, note } = values;
  const onResults = async (results: Results): Promise<void> => {
    if (json !== undefined) {
      await Deno.writeTextFile(json, `${JSON.stringify(results, null, 2)}\n`);
    }
  };
  const results = await main(suites, pace, { note, onResults });
  printSummary(results);
  if (results.suites.some(({ failure }) => failure !== undefined)) Deno.exitCode = 1;
}
