// This module is sans-I/O.

/**
 * {@linkcode everySplit}: one input as all the ways a network may deliver it.
 *
 * @module
 */

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

/** A copy with memory of its own; `slice` of a Node `Buffer` would be a view. */
function copy(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(start, end));
}
