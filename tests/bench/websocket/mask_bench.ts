/**
 * Bench of `applyMask`: where the byte loop, 32-bit words and 64-bit words
 * overtake each other, from 8 bytes to 1 MiB. Gives the throughput as a ratio to
 * the plain loop of the same run.
 *
 * ```sh
 * deno run tests/bench/websocket/mask_bench.ts
 * ```
 */

import { applyMask } from "../../../websocket/mask.ts";

const SIZES = [8, 32, 64, 96, 128, 256, 512, 1_024, 4_096, 65_536, 1_048_576];
const KEY = 0x37fa_213d;
/** How much each run goes through. */
const RUN_BYTES = 1 << 25;
const REPETITIONS = 5;
/** Where a payload begins behind its head, which is seldom aligned. */
const OFFSET = 14;

type Mask = (bytes: Uint8Array, start: number, end: number, key: number) => unknown;

/** The loop of RFC 6455 section 5.3, as it stands there. */
function maskPlainly(bytes: Uint8Array, start: number, end: number, key: number): void {
  for (let index = start; index < end; index++) {
    bytes[index]! ^= key >>> (24 - ((index - start) & 3) * 8);
  }
}

/** Four bytes to a round. */
function maskUnrolled(bytes: Uint8Array, start: number, end: number, key: number): void {
  const [key0, key1, key2, key3] = [key >>> 24, (key >>> 16) & 255, (key >>> 8) & 255, key & 255];
  let at = start;
  for (; at + 3 < end; at += 4) {
    bytes[at]! ^= key0;
    bytes[at + 1]! ^= key1;
    bytes[at + 2]! ^= key2;
    bytes[at + 3]! ^= key3;
  }
  maskPlainly(bytes, at, end, key);
}

/** GB/s: the fastest of several runs, which is the least disturbed. */
function measure(mask: Mask, size: number): number {
  const bytes = new Uint8Array(OFFSET + size);
  const count = Math.max(1, Math.floor(RUN_BYTES / Math.max(size, 64)));
  let bestMs = Infinity;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const startMs = performance.now();
    for (let index = 0; index < count; index++) mask(bytes, OFFSET, OFFSET + size, KEY);
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return size * count / bestMs / 1e6;
}

if (import.meta.main) {
  console.log("   bytes     plain  unrolled  applyMask   ratio");
  for (const size of SIZES) {
    const [plain, unrolled, ours] = [maskPlainly, maskUnrolled, applyMask].map((mask) =>
      measure(mask, size)
    ) as [number, number, number];
    const figures = [plain, unrolled, ours].map((rate) => rate.toFixed(2).padStart(9)).join(" ");
    console.log(`${String(size).padStart(8)} ${figures}  GB/s  ${(ours / plain).toFixed(1)} x`);
  }
}
