/**
 * Nanoseconds of CPU per message, of our codec and of npm `dns-packet`, in interleaved rounds: decoding
 * with a look at every field, and encoding, where the other one does not compress.
 *
 * `deno run -A tests/bench/dns/main.ts [--rounds 9] [--visit-ms 100]`
 */
import { parseArgs } from "node:util";
import type { Budget } from "../_support/budget.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { LOOP_WARM_UP_MS, nanosecondsPerStep } from "../_support/timed_loop.ts";
import { type Codec, loadCodecs } from "./codecs.ts";
import { SAMPLE_SETS, type SampleSet } from "./sample_messages.ts";

const { values } = parseArgs({
  options: {
    "rounds": { type: "string", default: "9" },
    "visit-ms": { type: "string", default: "100" },
  },
});

/** How many times as fast as `dns-packet` we have to be. */
const PROMISES = [
  { work: "decode", set: 0, factor: 2.7 },
  { work: "decode", set: 1, factor: 2 },
  { work: "encode", set: 0, factor: 2.5 },
  { work: "encode", set: 1, factor: 2.5 },
] as const;

function stepsOf(codec: Codec, { messages }: SampleSet): Record<string, (() => number)[]> {
  return {
    decode: messages.map((bytes) => () => codec.decode(bytes)),
    encode: messages.map((bytes) => {
      const encode = codec.encoder(bytes);
      return () => encode().length;
    }),
  };
}

const codecs = loadCodecs();
const cells: Cell[] = [];
for (const set of SAMPLE_SETS) {
  for (const [peer, codec] of Object.entries(codecs)) {
    for (const [work, steps] of Object.entries(stepsOf(codec, set))) {
      nanosecondsPerStep(steps, LOOP_WARM_UP_MS);
      cells.push({
        key: `${work} ${set.name}/${peer}`,
        visit: () =>
          Promise.resolve(nanosecondsPerStep(steps, readCount("visit-ms", values["visit-ms"]))),
      });
    }
  }
}
const costs = await runRounds(cells, readCount("rounds", values.rounds));
const budgets: Budget[] = PROMISES.map(({ work, set, factor }) => {
  const key = `${work} ${SAMPLE_SETS[set]!.name}`;
  return {
    name: `${key} against dns-packet`,
    of: `${key}/ours`,
    over: `${key}/dns-packet`,
    max: 1 / factor,
  };
});
printReport({ title: "Nanoseconds of CPU per message", costs, budgets });
