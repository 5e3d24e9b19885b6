/**
 * Measures how much of every protocol core its tests reach, in lines and in branches, and fails
 * below {@linkcode MIN_PERCENT} of either, in the sum or in a file that is not excused here.
 *
 *     deno run -A .ci/coverage.ts [MODULE...]
 *
 * Counted are only tests that are meant for a core, not what a server in another test happens to
 * run: the test that mirrors a marked file, tests without a source file whose name begins with that
 * of a marked one (`connection_send_test.ts` for `connection.ts`), and for a private core without a
 * test of its own those of the files that import it.
 *
 * Lines are those of the tool: all but blank ones and comments, closing braces included; a line that
 * ran in part counts as missed if what did not run ends it. Branches are the block counters of V8:
 * both ways of an `if`, `?:`, `??`, `?.`, `&&`, `||`, loop, `case` and `catch`. Two things they do
 * not see: a way around a block that every run went through (an `if` that was always taken, an `||`
 * whose right side was always asked), and everything in a function that was never called, whose
 * lines are missed then.
 *
 * @module
 */

import { runDeno } from "./deno_tool.ts";
import { markedFiles, moduleOf, MODULES, ROOT, sourceFiles, toRelative } from "./project.ts";

/** What a file has to reach, and the sum of them. */
export const MIN_PERCENT = 95;

/** Files that may stay below it, with the reason. */
const EXCUSED: Readonly<Record<string, string>> = {};

/** What was reached of a number of things. */
export interface Share {
  /** Of how many. */
  readonly found: number;
  /** How many were reached. */
  readonly hit: number;
}

/** The coverage of one file. */
export interface FileCoverage {
  /** Its path below the root. */
  readonly path: string;
  /** Its lines. */
  readonly lines: Share;
  /** Its branches. */
  readonly branches: Share;
  /** Numbers of the lines that were not reached, or not in every branch. */
  readonly missed: readonly number[];
}

/** Reads a report in the format of lcov, as `deno coverage --lcov` writes it. */
export function parseLcov(text: string, root: URL = ROOT): FileCoverage[] {
  return text.split("end_of_record").flatMap((record) => {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    if (path === undefined) return [];
    const lines = countsOf(record, /^DA:(\d+),(\d+)$/gm);
    const branches = countsOf(record, /^BRDA:(\d+),\d+,\d+,(\d+|-)$/gm);
    const missed = [...lines, ...branches].filter(({ isHit }) => !isHit).map(({ line }) => line);
    return [{
      path: toRelative(path, root),
      lines: shareOf(lines),
      branches: shareOf(branches),
      missed: [...new Set(missed)].sort((a, b) => a - b),
    }];
  });
}

interface Count {
  readonly line: number;
  readonly isHit: boolean;
}

function countsOf(record: string, pattern: RegExp): Count[] {
  return Array.from(record.matchAll(pattern), ([, line, count]) => ({
    line: Number(line),
    isHit: count !== "0" && count !== "-",
  }));
}

function shareOf(counts: readonly Count[]): Share {
  return { found: counts.length, hit: counts.filter(({ isHit }) => isHit).length };
}

const CODE = /^(export )?(abstract |async )?(class|const|function|let)\b|^export [*{]/m;

/** Whether a source text has more than types: only then it is in a report. */
export function hasCode(text: string): boolean {
  return CODE.test(text);
}

/** The part that was reached, from 0 to 100; all of nothing is 100. */
export function percentOf({ found, hit }: Share): number {
  return found === 0 ? 100 : 100 * hit / found;
}

/** Whether both lines and branches reach {@linkcode MIN_PERCENT}. */
export function isEnough({ lines, branches }: Pick<FileCoverage, "lines" | "branches">): boolean {
  return percentOf(lines) >= MIN_PERCENT && percentOf(branches) >= MIN_PERCENT;
}

/** The tests below `root` that are meant for these cores of one module. */
export function testsOf(cores: readonly string[], module: string, root: URL = ROOT): string[] {
  const sources = new Set(sourceFiles(module, root));
  const tests = sourceFiles(`tests/${module}`, root).filter((path) => path.endsWith("_test.ts"));
  const present = new Set(tests);
  const wanted = new Set(cores);
  for (const core of cores) {
    if (!core.startsWith(`${module}/_`) || present.has(testOf(core))) continue;
    const name = `"./${core.slice(module.length + 1)}"`;
    for (const source of sources) {
      if (Deno.readTextFileSync(new URL(source, root)).includes(name)) wanted.add(source);
    }
  }
  const stems = cores.map((core) => `tests/${core.slice(0, -".ts".length)}_`);
  return tests.filter((test) => {
    const source = test.slice("tests/".length).replace(/_test\.ts$/, ".ts");
    if (sources.has(source)) return wanted.has(source);
    return stems.some((stem) => test.startsWith(stem) && test !== `${stem}test.ts`);
  });
}

function testOf(source: string): string {
  return `tests/${source.replace(/\.ts$/, "_test.ts")}`;
}

/** Runs the tests of the marked files of a module and gives the coverage of these files. */
async function measure(module: string): Promise<FileCoverage[]> {
  const cores = markedFiles().filter((path) => moduleOf(path) === module);
  const folder = await Deno.makeTempDir({ prefix: "nbio_coverage_" });
  try {
    const loader = `${folder}/load_test.ts`;
    // A core that no test loads is in no report unless something else loads it.
    await Deno.writeTextFile(
      loader,
      cores.map((path) => `import "${new URL(path, ROOT)}";\n`).join(""),
    );
    const data = `${folder}/data`;
    await succeed(
      ["test", "-A", "--no-check", `--coverage=${data}`, "--coverage-raw-data-only", loader].concat(
        testsOf(cores, module),
      ),
    );
    const report = await succeed(["coverage", "--lcov", data]);
    const files = parseLcov(report).filter(({ path }) => cores.includes(path));
    const missing = cores.find((core) =>
      files.every(({ path }) => path !== core) &&
      hasCode(Deno.readTextFileSync(new URL(core, ROOT)))
    );
    // The tool leaves out what has changed since it ran.
    if (missing !== undefined) throw new Error(`Cannot measure ${missing}: it is in no report`);
    return files;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function succeed(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await runDeno(args, ROOT);
  if (!success) throw new Error(`Cannot run deno ${args[0]}: ${stdout.slice(-4000)}${stderr}`);
  return stdout;
}

function sumOf(files: readonly FileCoverage[]): Pick<FileCoverage, "lines" | "branches"> {
  const add = (a: Share, b: Share): Share => ({ found: a.found + b.found, hit: a.hit + b.hit });
  const none = { found: 0, hit: 0 };
  return {
    lines: files.reduce((sum, { lines }) => add(sum, lines), none),
    branches: files.reduce((sum, { branches }) => add(sum, branches), none),
  };
}

function row(name: string, { lines, branches }: Pick<FileCoverage, "lines" | "branches">): string {
  const cell = (share: Share) =>
    `${percentOf(share).toFixed(1).padStart(6)} % ${`${share.hit}/${share.found}`.padStart(11)}`;
  return `${name.padEnd(48)} ${cell(lines)} ${cell(branches)}`;
}

/** Prints one module and gives the complaints about it. */
function report(files: readonly FileCoverage[]): string[] {
  const problems: string[] = [];
  for (const file of files) {
    console.log(row(file.path, file));
    const reason = EXCUSED[file.path];
    if (isEnough(file)) {
      if (reason !== undefined) problems.push(`${file.path} needs no excuse any more`);
      continue;
    }
    console.log(
      `    missed: ${file.missed.join(", ")}${reason === undefined ? "" : `; ${reason}`}`,
    );
    if (reason === undefined) problems.push(`${file.path} is below ${MIN_PERCENT} %`);
  }
  return problems;
}

async function main(modules: readonly string[]): Promise<void> {
  const unknown = modules.find((name) => !MODULES.includes(name));
  if (unknown !== undefined) throw new RangeError(`"${unknown}" is none of ${MODULES.join(", ")}`);
  console.log(`${"core".padEnd(48)} ${"lines".padStart(20)} ${"branches".padStart(20)}`);
  const all: FileCoverage[] = [];
  const problems: string[] = [];
  for (const module of modules.length === 0 ? MODULES : modules) {
    const files = await measure(module);
    problems.push(...report(files));
    console.log(row(`all of ${module}`, sumOf(files)));
    all.push(...files);
  }
  const sum = sumOf(all);
  console.log(row("sum", sum));
  if (!isEnough(sum)) problems.push(`the sum is below ${MIN_PERCENT} %`);
  for (const problem of problems) console.error(`coverage: ${problem}`);
  if (problems.length > 0) Deno.exit(1);
  console.log("coverage: no problem found");
}

if (import.meta.main) await main(Deno.args);
