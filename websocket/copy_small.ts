// This module is sans-I/O.

/** Copies up to here share memory; longer ones have their own. */
export const MAX_SMALL_BYTES = 1_024;
/** What a short message that is kept may keep from being freed. */
const SLAB_BYTES = 8_192;
/** Up to here a loop is faster than making the view that `set()` needs. */
const LOOP_BYTES = 32;

/** Memory that the next copies are cut from. */
let slab: Uint8Array<ArrayBuffer> = new Uint8Array(0);
let usedBytes = 0;

/**
 * Copies a few bytes into memory that other copies have parts of. Memory of its own would cost
 * more than all else that is done for a short message of a batch (scenario `64b-32` of
 * `tests/bench/websocket/main.ts`).
 *
 * No byte is given twice, so nobody sees a change that another makes, but through `buffer`.
 *
 * @param bytes Memory with the bytes.
 * @param start Index of the first one.
 * @param end Index behind the last one, at most {@linkcode MAX_SMALL_BYTES} further.
 * @returns The copy, of whose `buffer` only a part belongs to the caller.
 */
export function copySmall(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const length = end - start;
  // Somebody may have transferred it: then it has no room any more.
  if (usedBytes + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    usedBytes = 0;
  }
  const from = usedBytes;
  usedBytes += length;
  const copy = new Uint8Array(slab.buffer, from, length);
  if (length > LOOP_BYTES) {
    copy.set(bytes.subarray(start, end));
  } else {
    for (let index = 0; index < length; index++) copy[index] = bytes[start + index]!;
  }
  return copy;
}
