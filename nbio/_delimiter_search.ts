// This module is sans-I/O.

/**
 * A search for a sequence of bytes that goes on where it stopped: each byte is
 * looked at once, whatever the pieces it comes in and however they were made up
 * to mislead it (the algorithm of Knuth, Morris and Pratt).
 *
 * @module
 */

/** Searches one delimiter in bytes that come piece by piece. */
export class DelimiterSearch {
  readonly #delimiter: Uint8Array;
  /**
   * For each index of the delimiter the length of the longest true prefix that
   * also ends there: so much is still matched when the next byte is not.
   */
  readonly #fallbacks: Uint32Array;
  /** How many bytes of the delimiter the bytes so far end with. */
  #matchedCount = 0;

  /** @param delimiter What to find, at least one byte; not to be changed. */
  constructor(delimiter: Uint8Array) {
    this.#delimiter = delimiter;
    this.#fallbacks = fallbacksOf(delimiter);
  }

  /**
   * Looks at the bytes that follow those of the call before.
   *
   * @param bytes Where they are.
   * @param start Index of the first one.
   * @param end Index behind the last one.
   * @returns The index behind the delimiter, or -1 if it has not come.
   */
  find(bytes: Uint8Array, start: number, end: number): number {
    const delimiter = this.#delimiter;
    const fallbacks = this.#fallbacks;
    const first = delimiter[0];
    let matchedCount = this.#matchedCount;
    for (let index = start; index < end; index++) {
      // Nearly all bytes are others. For a line of text this is faster than
      // `indexOf`, which costs a view and a call.
      if (matchedCount === 0) {
        while (index < end && bytes[index] !== first) index++;
        if (index === end) break;
      }
      const byte = bytes[index];
      while (matchedCount > 0 && byte !== delimiter[matchedCount]) {
        matchedCount = fallbacks[matchedCount - 1]!;
      }
      if (byte === delimiter[matchedCount]) matchedCount++;
      if (matchedCount === delimiter.length) {
        this.#matchedCount = 0;
        return index + 1;
      }
    }
    this.#matchedCount = matchedCount;
    return -1;
  }
}

function fallbacksOf(delimiter: Uint8Array): Uint32Array {
  const fallbacks = new Uint32Array(delimiter.length);
  let matchedCount = 0;
  for (let index = 1; index < delimiter.length; index++) {
    while (matchedCount > 0 && delimiter[index] !== delimiter[matchedCount]) {
      matchedCount = fallbacks[matchedCount - 1]!;
    }
    if (delimiter[index] === delimiter[matchedCount]) matchedCount++;
    fallbacks[index] = matchedCount;
  }
  return fallbacks;
}
