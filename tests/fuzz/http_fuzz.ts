/**
 * Fuzzing of the HTTP parsers: `deno task fuzz`, or
 * `deno run --allow-read tests/fuzz/http_fuzz.ts --count 1000000 --seed 1`.
 *
 * Every input has a number, and with the seed the number makes it again: a
 * failure tells both, and `--seed S --first N --count 1` repeats it.
 */

import { HttpProtocolError } from "../../http/errors.ts";
import type { HttpLenience } from "../../http/limits.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { Log, type Setup, type Target, TARGETS } from "./http_targets.ts";
import { createInput, cut, formatInput, readCorpus } from "./mutation.ts";
import { numberOption } from "./number_option.ts";

/** What to run. */
export interface FuzzOptions {
  readonly seed: number;
  /** Number of the first input. */
  readonly first?: number;
  /** How many inputs. */
  readonly count: number;
}

/** What came of it. */
export interface FuzzResult {
  /** Inputs that ended in a documented error. */
  readonly refusedCount: number;
  /** Inputs for each target. */
  readonly counts: Readonly<Record<string, number>>;
}

const CORPUS_FOLDER = new URL("./corpus/http/", import.meta.url);

/** Small enough for short inputs to pass them. */
const SMALL_LIMITS = {
  maxRequestLineBytes: 40,
  maxHeaderBytes: 120,
  maxHeaderCount: 5,
  maxChunkLineBytes: 12,
  maxChunkOverheadBytes: 16,
  maxTrailerBytes: 24,
  maxTrailerCount: 2,
};

const LENIENCE = [
  "allowBareLf",
  "allowObsFold",
  "allowMissingHost",
  "allowRepeatedContentLength",
  "allowNonAsciiTarget",
  "allowHostMismatch",
  "allowChunkSizeWhitespace",
] as const satisfies (keyof HttpLenience)[];

function createSetup(random: SeededRandom): Setup {
  const limits = random.int(4) === 0 ? SMALL_LIMITS : {};
  if (random.int(2) === 0) return { limits, lenience: {} };
  return {
    limits,
    lenience: Object.fromEntries(LENIENCE.map((name) => [name, random.int(2) === 1])),
  };
}

/** What a target makes of an input, documented errors included. */
function outcomeOf(target: Target, chunks: readonly Uint8Array[], setup: Setup): Outcome {
  const log = new Log(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let isRefused = false;
  try {
    target(chunks, setup, log);
  } catch (error) {
    log.error(error);
    isRefused = error instanceof HttpProtocolError || error instanceof LimitExceededError;
  }
  return { text: log.text, isRefused };
}

interface Outcome {
  readonly text: string;
  readonly isRefused: boolean;
}

/**
 * Fuzzes every target with inputs that are made of the corpus.
 *
 * @throws {Error} If a parser throws what it must not, does not end, or tells
 * something else when its input is cut; the message says how to see it again.
 */
export function fuzzHttp({ seed, first = 0, count }: FuzzOptions): FuzzResult {
  const corpus = readCorpus(CORPUS_FOLDER);
  const names = Object.keys(TARGETS);
  const own = names.map((name) => readCorpus(CORPUS_FOLDER, TARGETS[name]!.corpus));
  const counts: Record<string, number> = {};
  let refusedCount = 0;
  for (let number = first; number < first + count; number++) {
    // Far apart, so that the inputs of near seeds differ.
    const random = new SeededRandom(Math.imul(seed, 0x9e37_79b1) + Math.imul(number, 0x85eb_ca6b));
    const name = names[number % names.length]!;
    const input = createInput(random, own[number % names.length]!, corpus);
    const setup = createSetup(random);
    if (fuzzOne(name, input, setup, random, `seed ${seed}, number ${number}`)) refusedCount++;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return { refusedCount, counts };
}

/** Runs one input whole and cut; gives back whether it was refused. */
function fuzzOne(
  name: string,
  input: Uint8Array,
  setup: Setup,
  random: SeededRandom,
  source: string,
): boolean {
  const chunks = cut(input, random);
  try {
    const whole = outcomeOf(TARGETS[name]!.run, [input.slice()], setup);
    const pieces = outcomeOf(TARGETS[name]!.run, chunks, setup);
    if (whole.text === pieces.text) return whole.isRefused;
    const lengths = chunks.map(({ length }) => length).join(" ");
    throw new Error(`Cut into ${lengths}:${pieces.text}\nwhole:${whole.text}`);
  } catch (cause) {
    const details = `${JSON.stringify(setup)}\n${formatInput(input)}\n${cause}`;
    throw new Error(`Fuzzing of ${name} failed (${source}) with ${details}`, { cause });
  }
}

function main(): void {
  const seed = numberOption("seed", Date.now() % 2 ** 31);
  const first = numberOption("first", 0);
  const count = numberOption("count", 1_000_000);
  console.log(`${count} inputs from number ${first} with seed ${seed}`);
  const { refusedCount, counts } = fuzzHttp({ seed, first, count });
  console.log(`${refusedCount} refused, ${count - refusedCount} not`, counts);
}

if (import.meta.main) main();
