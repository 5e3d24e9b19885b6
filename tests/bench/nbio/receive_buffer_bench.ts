/**
 * Doubling bench of `ReceiveBuffer`: n, 2n and 4n bytes. Twice the bytes must
 * cost about twice the time; a buffer that moved bytes again and again would
 * show a factor of four. Prints time per KiB and fails if the longest costs
 * more than 2 x per byte what the shortest does.
 *
 * ```sh
 * deno run tests/bench/nbio/receive_buffer_bench.ts
 * ```
 */

import { ReceiveBuffer } from "../../../nbio/receive_buffer.ts";

const BASE_BYTES = 1 << 20;
const REPETITIONS = 5;
const MAX_FACTOR = 2;

/** What is read cannot be left out: its sum is printed. */
let sink = 0;

/** A message comes in small reads and is taken as a whole. */
function collect(totalBytes: number): void {
  const buffer = new ReceiveBuffer({ maxBytes: totalBytes });
  while (buffer.length < totalBytes) {
    const byteCount = Math.min(100, buffer.writable().length, totalBytes - buffer.length);
    buffer.commit(byteCount);
  }
  sink += buffer.view()[totalBytes >> 1]!;
  buffer.consume(totalBytes);
}

/** Always full but for a few bytes, which come and go. */
function trickle(totalBytes: number): void {
  const buffer = new ReceiveBuffer({ maxBytes: 65_536 });
  while (buffer.length < 65_536) buffer.commit(buffer.writable().length);
  for (let passed = 0; passed < totalBytes; passed += 16) {
    buffer.consume(16);
    sink += buffer.writable()[0]!;
    buffer.commit(16);
  }
}

/** Whole reads, whole messages: a keep-alive connection. */
function keepAlive(totalBytes: number): void {
  const buffer = new ReceiveBuffer();
  for (let passed = 0; passed < totalBytes; passed += 100) {
    sink += buffer.writable()[0]!;
    buffer.commit(100);
    buffer.consume(100);
  }
}

/** Milliseconds: the fastest of several runs, which is the least disturbed. */
function measure(run: (totalBytes: number) => void, totalBytes: number): number {
  let bestMs = Infinity;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const startMs = performance.now();
    run(totalBytes);
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return bestMs;
}

for (const run of [collect, trickle, keepAlive]) {
  measure(run, 4 * BASE_BYTES); // warms up
  const perKib = [1, 2, 4].map((factor) =>
    measure(run, factor * BASE_BYTES) * 1_000_000 / (factor * BASE_BYTES / 1_024)
  );
  const figures = perKib.map((ns) => `${ns.toFixed(0).padStart(6)} ns/KiB`).join("");
  console.log(`${run.name.padEnd(10)} n, 2n, 4n: ${figures}`);
  if (perKib[2]! > MAX_FACTOR * perKib[0]!) {
    console.error(`${run.name} is not linear`);
    Deno.exitCode = 1;
  }
}
console.log(`(sink ${sink})`);
