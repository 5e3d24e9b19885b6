// This module is sans-I/O.

const MIN_BYTES = 512;
/** Memory of short frames; longer ones have their own kind. */
const MAX_SHORT_BYTES = 16_384;
const MAX_SHORT_COUNT = 64;
/** What is larger is not kept. */
const MAX_LONG_BYTES = 262_144;
const MAX_LONG_COUNT = 4;

const SHORT: Uint8Array<ArrayBuffer>[] = [];
const LONG: Uint8Array<ArrayBuffer>[] = [];

/**
 * Gives memory to put frames into, which others have used before: what is in it means nothing.
 *
 * Connections that write take turns, nearly always within one turn of the event loop, so that a few
 * pieces serve thousands: one with nothing to write holds none, and what is used again at once is
 * still in the cache of the processor. With memory of its own for each frame, an echo of 64 KiB took
 * half as long again in here (scenario `64kib` of `tests/bench/websocket/main.ts`).
 *
 * @param byteCount How much at least.
 * @returns Memory that is the caller's until it is handed to {@linkcode keepFrameMemory}.
 */
export function frameMemory(byteCount: number): Uint8Array<ArrayBuffer> {
  const isShort = byteCount <= MAX_SHORT_BYTES;
  const kept = (isShort ? SHORT : LONG).pop();
  // One that is too small is dropped: frames have become longer.
  if (kept !== undefined && kept.length >= byteCount) return kept;
  return new Uint8Array(isShort ? Math.max(MIN_BYTES, byteCount) : longBytes(byteCount));
}

/**
 * Takes memory back that nobody uses any more, up to 2 MiB of it in all.
 *
 * @param memory What {@linkcode frameMemory} has given.
 */
export function keepFrameMemory(memory: Uint8Array<ArrayBuffer>): void {
  const { length } = memory;
  if (length <= MAX_SHORT_BYTES) {
    if (SHORT.length < MAX_SHORT_COUNT) SHORT.push(memory);
  } else if (length <= MAX_LONG_BYTES && LONG.length < MAX_LONG_COUNT) {
    LONG.push(memory);
  }
}

/** A power of two where it can be kept: frames of unlike lengths are to share it. */
function longBytes(byteCount: number): number {
  return byteCount > MAX_LONG_BYTES ? byteCount : 2 ** Math.ceil(Math.log2(byteCount));
}
