// This module is sans-I/O.

/**
 * {@linkcode everySplit}: one input as all the ways a network may deliver it;
 * {@linkcode randomSplit}: as one of them.
 *
 * @module
 */

import { SeededRandom } from "./testing_random.ts";

/**
 * Inputs up to this length are also cut at every pair of positions: 1,128
 * pieces of work for the longest.
 */
const MAX_TWO_CUT_BYTES = 48;

/**
 * Cuts an input in every way an incremental parser must not care about:
 *
 * - whole;
 * - byte by byte;
 * - in two, at every position;
 * - in the middle with an empty chunk between the halves;
 * - in three, at every pair of positions, if it has at most 48 bytes.
 *
 * Chunks are never views of `bytes` or of each other, so that a parser which
 * changes its input, or keeps a view of it, is caught.
 *
 * @param bytes The input, not changed.
 * @returns Lists of chunks, each of which adds up to `bytes`, made one by one.
 *
 * @example Feeding a parser every split
 * ```ts
 * import { everySplit } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * for (const chunks of everySplit(new TextEncoder().encode("GET / HTTP/1.1\r\n"))) {
 *   const decoder = new TextDecoder();
 *   let text = "";
 *   for (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
 *   assertEquals(text, "GET / HTTP/1.1\r\n");
 * }
 * ```
 */
export function* everySplit(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>[], void> {
  const { length } = bytes;
  yield [copy(bytes, 0, length)];
  yield Array.from({ length }, (_, index) => copy(bytes, index, index + 1));
  for (let cut = 1; cut < length; cut++) {
    yield [copy(bytes, 0, cut), copy(bytes, cut, length)];
  }
  const middle = length >> 1;
  yield [copy(bytes, 0, middle), new Uint8Array(0), copy(bytes, middle, length)];
  if (length > MAX_TWO_CUT_BYTES) return;
  for (let first = 1; first < length; first++) {
    for (let second = first + 1; second < length; second++) {
      yield [copy(bytes, 0, first), copy(bytes, first, second), copy(bytes, second, length)];
    }
  }
}

/** Options of {@linkcode randomSplit}. */
export interface RandomSplitOptions {
  /**
   * Where the cuts come from: the same integer gives the same cuts. A generator
   * goes on where it stands.
   *
   * @default {0}
   */
  readonly seed?: number | SeededRandom;

  /**
   * Most bytes of a chunk, an integer of at least 1. Short chunks are as common
   * as long ones: lengths are even on a logarithmic scale.
   *
   * @default {65_536}
   */
  readonly maxChunkBytes?: number;

  /**
   * Chance, 0 to 1, of an empty chunk before each of the others.
   *
   * @default {0}
   */
  readonly emptyChance?: number;
}

/**
 * Cuts an input in one way of the many, for inputs too long for
 * {@linkcode everySplit}, or for as many seeds as there is time.
 *
 * Chunks are never views of `bytes` or of each other.
 *
 * @param bytes The input, not changed.
 * @param options Seed and sizes.
 * @returns Chunks that add up to `bytes`; none if it is empty.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example A hundred ways to deliver a long input
 * ```ts
 * import { randomSplit } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "0123456789".repeat(1_000);
 * for (let seed = 0; seed < 100; seed++) {
 *   const chunks = randomSplit(new TextEncoder().encode(text), { seed, maxChunkBytes: 500 });
 *   const decoder = new TextDecoder();
 *   assertEquals(chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join(""), text);
 * }
 * ```
 */
export function randomSplit(
  bytes: Uint8Array,
  options: RandomSplitOptions = {},
): Uint8Array<ArrayBuffer>[] {
  const { seed = 0, maxChunkBytes = 65_536, emptyChance = 0 } = options;
  if (!(Number.isSafeInteger(maxChunkBytes) && maxChunkBytes >= 1)) {
    throw new RangeError(
      `Cannot split: maxChunkBytes is ${maxChunkBytes}, expected an integer of at least 1`,
    );
  }
  const random = typeof seed === "number" ? new SeededRandom(seed) : seed;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let start = 0; start < bytes.length;) {
    if (random.chance(emptyChance)) chunks.push(new Uint8Array(0));
    const end = start + random.length(maxChunkBytes);
    chunks.push(copy(bytes, start, end));
    start = end;
  }
  return chunks;
}

/** A copy with memory of its own; `slice` of a Node `Buffer` would be a view. */
function copy(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(start, end));
}
