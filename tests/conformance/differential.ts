/**
 * The batch path of the server and the event core on the same bytes, whole and
 * in pieces: what one makes of them, the other has to make of them.
 */

import type { HttpLenience } from "../../http/limits.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { mutated } from "./mutation.ts";
import type { ReadOptions } from "./transcript.ts";
import { readBatch } from "./transcript_batch.ts";
import { readAsServer } from "./transcript_connection.ts";

/** None of the rules, the one that vectors need most, and all of them. */
export const LENIENCES: readonly HttpLenience[] = [
  {},
  { allowMissingHost: true },
  {
    allowBareLf: true,
    allowObsFold: true,
    allowMissingHost: true,
    allowRepeatedContentLength: true,
    allowNonAsciiTarget: true,
    allowHostMismatch: true,
    allowChunkSizeWhitespace: true,
  },
];

/**
 * Reads chunks with both.
 *
 * @returns How they disagree, with one another or with `wanted`; `undefined`
 * if they do not.
 */
export function disagreement(
  chunks: readonly Uint8Array[],
  options: ReadOptions,
  wanted?: string,
): string | undefined {
  // Copies: a parser that is lenient may change what it is given.
  const batch = JSON.stringify(readBatch(chunks.map((chunk) => chunk.slice()), options));
  const core = JSON.stringify(readAsServer(chunks.map((chunk) => chunk.slice()), options));
  if (batch !== core) return `RequestReader ${batch}, HttpConnection ${core}`;
  return wanted === undefined || batch === wanted
    ? undefined
    : `${batch} in pieces, else ${wanted}`;
}

/** How often, and on what, {@linkcode compareMutated} runs. */
export interface CompareMutatedOptions {
  /** Inputs to make. */
  readonly count: number;
  /** Seed of all choices. */
  readonly seed: number;
}

/**
 * Compares both on inputs made from others by small changes.
 *
 * @returns One line for each disagreement, with the input.
 */
export function compareMutated(
  inputs: readonly Uint8Array[],
  { count, seed }: CompareMutatedOptions,
): string[] {
  const random = new SeededRandom(seed);
  const lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const bytes = mutated(random, inputs);
    const options = { lenience: random.pick(LENIENCES), isEnd: random.int(2) === 0 };
    const first = random.int(bytes.length + 1);
    const second = first + random.int(bytes.length - first + 1);
    const pieces = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
    const wanted = JSON.stringify(readBatch([bytes.slice()], options));
    const difference = disagreement([bytes], options) ?? disagreement(pieces, options, wanted);
    if (difference === undefined) continue;
    lines.push(`${JSON.stringify(textOf(bytes))} with ${JSON.stringify(options)}: ${difference}`);
  }
  return lines;
}
