const WORD_COUNT = 1_024;
const words = new Uint16Array(WORD_COUNT);
let next = WORD_COUNT;

/**
 * Gives an integer from the generator of the system that is fit for cryptography. Drawn in batches:
 * asking for two bytes costs as much as for two thousand.
 *
 * @returns 0 to 65,535, each as likely as any other.
 *
 * @example An id for a query
 * ```ts
 * import { randomUint16 } from "@nbio/net/dns";
 * import { assert } from "@std/assert";
 *
 * const id = randomUint16();
 * assert(Number.isInteger(id) && id >= 0 && id <= 65_535);
 * ```
 */
export function randomUint16(): number {
  if (next === WORD_COUNT) {
    crypto.getRandomValues(words);
    next = 0;
  }
  const word = words[next]!;
  // Nobody shall find in memory what was used before.
  words[next++] = 0;
  return word;
}
