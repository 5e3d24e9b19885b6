/**
 * Fuzzing of the HTTP parsers: each reads its inputs whole and cut.
 *
 * Every input has a number, and with the seed the number makes it again: a failure tells both.
 */

import { HttpProtocolError } from "../../http/errors.ts";
import type { HttpLenience } from "../../http/limits.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { Log, type Setup, type Target, TARGETS } from "./http_targets.ts";
import { count, type FuzzRun, type FuzzTarget, outcomeOf, type Outcomes } from "./fuzz_target.ts";
import { createInput, cut, formatInput, randomOf, readCorpus } from "./mutation.ts";

/** What to run. */
export interface FuzzOptions extends FuzzRun {
  /** The targets, which take turns. @default {all} */
  readonly names?: readonly string[];
}

/** What came of it. */
export interface FuzzResult {
  /** Inputs that ended in a documented error. */
  readonly refusedCount: number;
  /** Inputs by how they ended. */
  readonly outcomes: Outcomes;
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
function endOf(target: Target, chunks: readonly Uint8Array[], setup: Setup): End {
  const log = new Log(chunks.reduce((total, chunk) => total + chunk.length, 0));
  try {
    target(chunks, setup, log);
    return { text: log.text, name: "accepted" };
  } catch (error) {
    log.error(error);
    return { text: log.text, name: outcomeOf(error, [HttpProtocolError, LimitExceededError]) };
  }
}

interface End {
  readonly text: string;
  /** What an {@linkcode Outcomes} calls it. */
  readonly name: string;
}

/**
 * Fuzzes every target with inputs that are made of the corpus.
 *
 * @throws {Error} If a parser throws what it must not, does not end, or tells
 * something else when its input is cut; the message says how to see it again.
 */
export function fuzzHttp(options: FuzzOptions): FuzzResult {
  const { seed, first = 0, names = Object.keys(TARGETS) } = options;
  const corpus = readCorpus(CORPUS_FOLDER);
  const own = names.map((name) => readCorpus(CORPUS_FOLDER, TARGETS[name]!.corpus));
  const counts: Record<string, number> = {};
  const outcomes: Record<string, number> = {};
  for (let number = first; number < first + options.count; number++) {
    const random = randomOf(seed, number);
    const name = names[number % names.length]!;
    const input = createInput(random, { own: own[number % names.length]!, corpus });
    const setup = createSetup(random);
    count(outcomes, fuzzOne(name, input, setup, random, `seed ${seed}, number ${number}`));
    count(counts, name);
  }
  return { refusedCount: options.count - (outcomes["accepted"] ?? 0), outcomes, counts };
}

/** Runs one input whole and cut; gives back how it ended. */
function fuzzOne(
  name: string,
  input: Uint8Array,
  setup: Setup,
  random: SeededRandom,
  source: string,
): string {
  const chunks = cut(input, random);
  try {
    const whole = endOf(TARGETS[name]!.run, [input.slice()], setup);
    const pieces = endOf(TARGETS[name]!.run, chunks, setup);
    if (whole.text === pieces.text) return whole.name;
    const lengths = chunks.map(({ length }) => length).join(" ");
    throw new Error(`Cut into ${lengths}:${pieces.text}\nwhole:${whole.text}`);
  } catch (cause) {
    const details = `${JSON.stringify(setup)}\n${formatInput(input)}\n${cause}`;
    throw new Error(`Fuzzing of ${name} failed (${source}) with ${details}`, { cause });
  }
}

/** Runs what is kept for a target, under the defaults and with everything allowed that can be. */
function replay(name: string): Outcomes {
  const outcomes: Record<string, number> = {};
  const lenience = Object.fromEntries(LENIENCE.map((option) => [option, true]));
  const setups = [{ limits: {}, lenience: {} }, { limits: {}, lenience }];
  for (const [number, entry] of readCorpus(CORPUS_FOLDER, TARGETS[name]!.corpus).entries()) {
    for (const setup of setups) {
      const random = randomOf(1, number);
      count(outcomes, fuzzOne(name, bytesOf(entry), setup, random, `entry ${number}`));
    }
  }
  return outcomes;
}

/** One for each entry of {@linkcode TARGETS}. */
export const HTTP_TARGETS: readonly FuzzTarget[] = Object.keys(TARGETS).map((name) => ({
  name: `http/${name.replaceAll(" ", "_")}`,
  drives: TARGETS[name]!.drives,
  fuzz: (run) => fuzzHttp({ ...run, names: [name] }).outcomes,
  replay: () => replay(name),
}));
