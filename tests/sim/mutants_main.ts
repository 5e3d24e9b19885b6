/**
 * Shows that the simulator finds mistakes: applies each patch of `mutants/` to a scratch copy of the
 * tree, and runs seeds there until one fails. A patch that does not apply, or that no seed catches,
 * is a failure.
 *
 * `deno run -A tests/sim/mutants_main.ts [--count 1000] [--only NAME]`
 */

import { numberOption } from "../fuzz/number_option.ts";
import { applyMutantPatch, type MutantPatch, parseMutantPatch } from "./mutant_patch.ts";

const ROOT = new URL("../../", import.meta.url);
const MUTANTS = new URL("mutants/", import.meta.url);
/** What a run needs of the tree. */
const NEEDED = [
  "deno.json",
  "deno.lock",
  "dns",
  "http",
  "nbio",
  "tests/_support",
  "tests/fuzz/number_option.ts",
  "tests/sim",
  "tests/std",
  "tls",
  "websocket",
];
const TIMEOUT_MS = 300_000;

async function copyTree(from: URL, to: URL): Promise<void> {
  const { isDirectory } = await Deno.stat(from);
  if (!isDirectory) {
    await Deno.mkdir(new URL("./", to), { recursive: true });
    return await Deno.copyFile(from, to);
  }
  for await (const { name } of Deno.readDir(from)) {
    await copyTree(new URL(`${from.href}/${name}`), new URL(`${to.href}/${name}`));
  }
}

/** What a run of seeds failed with. */
interface Failure {
  readonly seed: number;
  readonly problem: string;
}

/** Runs seeds in the scratch copy, until one fails. */
async function runSeeds(
  scratch: URL,
  { workload }: MutantPatch,
  [first, count]: readonly [number, number],
): Promise<Failure | undefined> {
  const main = new URL("tests/sim/main.ts", scratch).pathname;
  const seeds = ["--seed", `${first}`, "--count", `${count}`, "--workload", workload];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, ...seeds],
    cwd: scratch,
    env: { NO_COLOR: "1" },
    stdout: "null",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).output();
  if (code === 0) return undefined;
  const text = new TextDecoder().decode(stderr);
  const found = /Failed with {"seed":(\d+)[^}]*}: ([^\n]*)/.exec(text);
  if (found === null) throw new Error(`The copy does not run:\n${text.slice(0, 2_000)}`);
  return { seed: Number(found[1]), problem: found[2]!.slice(0, 100) };
}

/** The seed that catches a mutant; `undefined` if none does. */
async function hunt(
  patch: MutantPatch,
  scratch: URL,
  count: number,
): Promise<Failure | undefined> {
  const file = new URL(patch.path, scratch);
  const source = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, applyMutantPatch(source, patch));
  const caught = await runSeeds(scratch, patch, [0, count]);
  await Deno.writeTextFile(file, source);
  if (caught === undefined) return undefined;
  // It is the mutant that is found, and nothing else.
  const innocent = await runSeeds(scratch, patch, [caught.seed, 1]);
  if (innocent === undefined) return caught;
  throw new Error(`Seed ${caught.seed} of ${patch.workload} fails without the mutant as well`);
}

function describe({ workload }: MutantPatch, caught: Failure | undefined): string {
  if (caught === undefined) return "NOT CAUGHT";
  return `caught by --workload ${workload} --seed ${caught.seed}: ${caught.problem}`;
}

async function huntAll(names: readonly string[], scratch: URL, count: number): Promise<number> {
  let missedCount = 0;
  for (const name of names) {
    const beginMs = performance.now();
    const patch = parseMutantPatch(await Deno.readTextFile(new URL(name, MUTANTS)));
    const caught = await hunt(patch, scratch, count);
    if (caught === undefined) missedCount++;
    const took = ((performance.now() - beginMs) / 1_000).toFixed(1);
    console.log(`${name} (${took} s)\n  ${patch.why}\n  ${describe(patch, caught)}`);
  }
  return missedCount;
}

async function main(): Promise<void> {
  const count = numberOption("count", 1_000);
  const at = Deno.args.indexOf("--only");
  const only = at < 0 ? undefined : Deno.args[at + 1];
  const names = Array.from(Deno.readDirSync(MUTANTS), ({ name }) => name)
    .filter((name) => only === undefined || name === `${only}.patch`)
    .toSorted();
  if (names.length === 0) throw new RangeError(`Cannot hunt: there is no mutant ${only}`);
  const folder = await Deno.makeTempDir();
  const scratch = new URL(`file://${folder}/`);
  let missedCount: number;
  try {
    for (const path of NEEDED) await copyTree(new URL(path, ROOT), new URL(path, scratch));
    missedCount = await huntAll(names, scratch, count);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  console.log(`${names.length} mutants, ${missedCount} not caught`);
  if (missedCount > 0) Deno.exit(1);
}

await main();
