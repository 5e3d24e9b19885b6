/**
 * Compares the two request parsers on many mutated inputs:
 * `deno run --allow-read --allow-env tests/conformance/differential_main.ts --count 100000 --seed 1`.
 * Exit code 1 if they disagree on one.
 */

import { parseArgs } from "node:util";
import { compareMutated } from "./differential.ts";
import { seedInputs } from "./vector_inputs.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
  },
});
const options = { count: Number(values.count), seed: Number(values.seed) };
const lines = compareMutated(seedInputs(), options);
for (const line of lines) console.log(line);
console.log(`${options.count} inputs, ${lines.length} disagreements`);
Deno.exit(lines.length === 0 ? 0 : 1);
