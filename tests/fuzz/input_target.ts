/**
 * Targets of one form: an input is made of what is kept for it, and one function says what a parser
 * makes of it.
 */

import type { SeededRandom } from "../../nbio/testing_random.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { count, type ErrorClass, type FuzzRun, type FuzzTarget, outcomeOf } from "./fuzz_target.ts";
import { createInput, cut, formatInput, randomOf, readCorpusLines } from "./mutation.ts";

/** How often what is kept is run, each time with other options and cuts. */
const REPLAY_ROUNDS = 8;

/** A parser to be fuzzed. */
export interface InputTargetInit {
  /** What it is called; also the name of the corpus file, `corpus/<name>.txt`. */
  readonly name: string;
  /** The files whose parsers it drives. */
  readonly drives: readonly string[];
  /** What decides how an input is read. */
  readonly pieces: readonly string[];
  /** The documented errors. @default {[]} */
  readonly throws?: readonly ErrorClass[];
  /**
   * Parses one input, and throws where a property does not hold.
   *
   * @param input The bytes, its own.
   * @param random For where to cut, and for options.
   * @returns What was made of it; `undefined` if the parser says that it is nothing.
   */
  readonly run: (input: Uint8Array<ArrayBuffer>, random: SeededRandom) => unknown;
}

/** A target, and what it does with a single input. */
export interface InputTarget extends FuzzTarget {
  /** What decides how an input is read. */
  readonly pieces: readonly string[];
  /** What is kept. */
  readonly corpus: () => readonly string[];
  /** Runs one input; gives the name of its outcome. */
  readonly judge: (input: Uint8Array<ArrayBuffer>, random: SeededRandom) => Promise<string>;
}

/** Makes a target of a parser. */
export function inputTarget(init: InputTargetInit): InputTarget {
  const { name, drives, pieces, throws = [] } = init;
  const file = new URL(`./corpus/${name}.txt`, import.meta.url);
  let kept: readonly string[] | undefined;
  const corpus = () => kept ??= readCorpusLines(file);

  const judge = async (input: Uint8Array<ArrayBuffer>, random: SeededRandom): Promise<string> => {
    try {
      return await init.run(input, random) === undefined ? "ignored" : "accepted";
    } catch (error) {
      return outcomeOf(error, throws);
    }
  };

  const tryInput = async (
    input: Uint8Array<ArrayBuffer>,
    random: SeededRandom,
    place: string,
  ): Promise<string> => {
    try {
      return await judge(input.slice(), random);
    } catch (cause) {
      throw new Error(
        `Fuzzing of ${name} failed (${place}) on ${formatInput(input)}: ${cause}`,
        { cause },
      );
    }
  };

  const fuzz = async ({ seed, first = 0, count: many }: FuzzRun) => {
    const outcomes: Record<string, number> = {};
    for (let number = first; number < first + many; number++) {
      const random = randomOf(seed, number);
      const input = createInput(random, { own: corpus(), pieces });
      count(outcomes, await tryInput(input, random, `seed ${seed}, number ${number}`));
    }
    return outcomes;
  };

  const replay = async () => {
    const outcomes: Record<string, number> = {};
    for (const [index, entry] of corpus().entries()) {
      for (let round = 0; round < REPLAY_ROUNDS; round++) {
        const place = `entry ${index} of the corpus, round ${round}`;
        count(outcomes, await tryInput(bytesOf(entry), randomOf(round, index), place));
      }
    }
    return outcomes;
  };
  return { name, drives, pieces, corpus, judge, fuzz, replay };
}

/** A target whose parser takes a text of single-byte characters. */
export function textTarget(
  init: Omit<InputTargetInit, "run"> & {
    readonly run: (text: string, random: SeededRandom) => unknown;
  },
): InputTarget {
  return inputTarget({ ...init, run: (input, random) => init.run(textOf(input), random) });
}

/**
 * Lets an incremental parser read an input whole and cut.
 *
 * @param read Reads chunks, each its own, with a parser of its own.
 * @param throws The documented errors, which have to be the same as well.
 * @returns What came of the whole.
 * @throws {Error} If it is not the same; else the error that came of it.
 */
export async function readBothWays<T>(
  input: Uint8Array<ArrayBuffer>,
  random: SeededRandom,
  read: (chunks: readonly Uint8Array<ArrayBuffer>[]) => T | Promise<T>,
  throws: readonly ErrorClass[],
): Promise<T> {
  const attempt = async (chunks: readonly Uint8Array<ArrayBuffer>[]) => {
    try {
      const value = await read(chunks);
      return { value, shown: JSON.stringify(value) };
    } catch (error) {
      return { error, shown: outcomeOf(error, throws) };
    }
  };
  const whole = await attempt([input.slice()]);
  const chunks = cut(input, random);
  const pieces = await attempt(chunks);
  if (whole.shown !== pieces.shown) {
    const lengths = chunks.map(({ length }) => length).join(" ");
    throw new Error(`Cut into ${lengths}: ${pieces.shown}; whole: ${whole.shown}`);
  }
  if ("error" in whole) throw whole.error;
  return whole.value;
}

/** Throws unless something holds. */
export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`It should be so that ${what}`);
}

/** Throws unless two things are written the same. */
export function demandSame(actual: unknown, expected: unknown, what: string): void {
  const [shown, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (shown !== wanted) throw new Error(`It should be so that ${what}: ${shown}, not ${wanted}`);
}
