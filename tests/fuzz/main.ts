/**
 * Fuzzes the parsers: `deno task fuzz`, or
 * `deno run -A tests/fuzz/main.ts --target NAME --seed N --count N --seconds T`.
 *
 * Without `--target` all take turns; a name may also be the beginning of several, `dns/`. Ends
 * behind `--count` inputs of each target or after `--seconds`, whichever comes first. `--list`
 * tells the names.
 *
 * Every input has a number, and with the seed the number makes it again: a failure tells both, and
 * `--target NAME --seed S --first N --count 1` repeats it. It then becomes a line of the corpus.
 */

import { parseArgs } from "node:util";
import type { FuzzTarget } from "./fuzz_target.ts";
import { numberOption } from "./number_option.ts";
import { FUZZ_TARGETS } from "./registry.ts";

/** How much to run. */
export interface FuzzPlan {
  readonly seed: number;
  /** Number of the first input. */
  readonly first: number;
  /** Inputs of each target. */
  readonly count: number;
  /** When to begin no further batch. */
  readonly seconds: number;
}

/** What has been run of one target. */
export interface FuzzScore {
  readonly name: string;
  inputCount: number;
  readonly outcomes: Record<string, number>;
}

/** Inputs of one target before the next has its turn. */
const BATCH = 200;

/**
 * Runs targets in turns, so that each gets its share of the time.
 *
 * @throws {Error} If a parser does anything but what is documented.
 */
export async function runTargets(
  targets: readonly FuzzTarget[],
  { seed, first, count: most, seconds }: FuzzPlan,
): Promise<FuzzScore[]> {
  const end = performance.now() + seconds * 1_000;
  const scores = targets.map(({ name }): FuzzScore => ({ name, inputCount: 0, outcomes: {} }));
  for (let done = 0; done < most; done += BATCH) {
    for (const [index, target] of targets.entries()) {
      // Everybody has a first turn.
      if (done > 0 && performance.now() >= end) return scores;
      const score = scores[index]!;
      const size = Math.min(BATCH, most - done);
      const outcomes = await target.fuzz({ seed, first: first + done, count: size });
      score.inputCount += size;
      for (const [name, many] of Object.entries(outcomes)) {
        score.outcomes[name] = (score.outcomes[name] ?? 0) + many;
      }
    }
  }
  return scores;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    strict: false,
    options: { target: { type: "string", default: "" }, list: { type: "boolean" } },
  });
  const targets = FUZZ_TARGETS.filter(({ name }) => name.startsWith(String(values.target)));
  if (values.list === true) return console.log(targets.map(({ name }) => name).join("\n"));
  if (targets.length === 0) throw new RangeError(`Cannot use --target: none begins so`);
  const plan = {
    seed: numberOption("seed", Date.now() % 2 ** 31),
    first: numberOption("first", 0),
    count: numberOption("count", 100_000),
    seconds: numberOption("seconds", 86_400),
  };
  console.log(`${targets.length} targets, seed ${plan.seed}, from number ${plan.first}`);
  for (const { name, inputCount, outcomes } of await runTargets(targets, plan)) {
    console.log(`${name}: ${inputCount} inputs`, outcomes);
  }
}

if (import.meta.main) await main();
