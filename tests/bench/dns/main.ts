/**
 * Nanoseconds per message, of our codec and of npm `dns-packet`, in interleaved rounds: decoding
 * with a look at every field, and encoding, where the other one does not compress.
 *
 * `deno run -A tests/bench/dns/main.ts [--rounds 9] [--visit-ms 100]`
 */
import { parseArgs } from "node:util";
import { type Budget, judge } from "../_support/budget.ts";
import { describeMachine } from "../_support/machine.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";
import { type Codec, loadCodecs } from "./codecs.ts";
import { SAMPLE_SETS, type SampleSet } from "./sample_messages.ts";

const { values } = parseArgs({
  options: {
    "rounds": { type: "string", default: "9" },
    "visit-ms": { type: "string", default: "100" },
  },
});

/** Rounds over all samples between two looks at the clock. */
const TURNS_PER_LOOK = 20;
const WARM_UP_MS = 300;

/** How many times as fast as `dns-packet` we have to be. */
const PROMISES = [
  { work: "decode", set: 0, factor: 2.7 },
  { work: "decode", set: 1, factor: 2 },
  { work: "encode", set: 0, factor: 2.5 },
  { work: "encode", set: 1, factor: 2.5 },
] as const;

/** What is found goes here, so that finding it is not left out. */
let sink = 0;

/** Runs every step in turn; gives the nanoseconds of one. */
function runFor(steps: readonly (() => number)[], durationMs: number): number {
  let count = 0;
  let elapsedMs = 0;
  const startMs = performance.now();
  while (elapsedMs < durationMs) {
    for (let turn = 0; turn < TURNS_PER_LOOK; turn++) {
      for (const step of steps) sink += step();
    }
    count += TURNS_PER_LOOK * steps.length;
    elapsedMs = performance.now() - startMs;
  }
  return elapsedMs * 1e6 / count;
}

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
      runFor(steps, WARM_UP_MS);
      cells.push({
        key: `${work} ${set.name}/${peer}`,
        visit: () => Promise.resolve(runFor(steps, Number(values["visit-ms"]))),
      });
    }
  }
}
const costs = await runRounds(cells, Number(values.rounds));
const { cpu, cores, kernel } = describeMachine();
console.log(`${cpu}, ${cores} cores, ${kernel}\n\nNanoseconds per message (quartiles)\n`);
const rows = [["", ...Object.keys(codecs)]];
for (const { name } of SAMPLE_SETS) {
  for (const work of ["decode", "encode"]) {
    rows.push([
      `${work} ${name}`,
      ...Object.keys(codecs).map((peer) => {
        const { median, lowerQuartile, upperQuartile } = summarize(
          costs.get(`${work} ${name}/${peer}`)!,
        );
        return `${median.toFixed(0)} (${lowerQuartile.toFixed(0)}-${upperQuartile.toFixed(0)})`;
      }),
    ]);
  }
}
console.log(formatTable(rows));
const budgets: Budget[] = PROMISES.map(({ work, set, factor }) => {
  const key = `${work} ${SAMPLE_SETS[set]!.name}`;
  return { name: key, of: `${key}/ours`, over: `${key}/dns-packet`, max: 1 / factor };
});
for (const { name, ratio, max, met } of judge(budgets, costs)) {
  const times = (1 / ratio.median).toFixed(2);
  console.log(
    `\n${name}: ${times} x as fast, promised ${(1 / max).toFixed(1)} x, ${met ? "met" : "MISSED"}`,
  );
}
if (sink === 0) throw new Error("Nothing was read");
