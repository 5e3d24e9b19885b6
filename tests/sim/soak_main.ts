/**
 * HTTP, WebSocket, DNS and TLS over real sockets with faults, for an hour: counts add up, and memory
 * at the end is that at the end of the first quarter, within 5 % or 8 MiB.
 *
 * `deno run -A --v8-flags=--expose-gc tests/sim/soak_main.ts [--seconds 3600] [--concurrency 8]
 * [--seed 0]`. Below half an hour memory is shown and not judged: most of it is warming up.
 */

import { numberOption } from "../fuzz/number_option.ts";
import { soak, type SoakLook } from "./soak.ts";
import { memoryTrend } from "./soak_memory.ts";

const LOOK_COUNT = 120;
/** Shorter runs end before what fills at first is full: caches, compiled code, the heap's own size. */
const MIN_JUDGED_MS = 1_800_000;

function megabytes(count: number): string {
  return `${(count / 2 ** 20).toFixed(1)} MiB`;
}

function report({ atMs, heapBytes, rssBytes, endedCount }: SoakLook): void {
  const seconds = Math.round(atMs / 1_000);
  const memory = `heap ${megabytes(heapBytes)}, resident ${megabytes(rssBytes)}`;
  console.log(`${seconds} s: ${endedCount} operations, ${memory}`);
}

async function main(): Promise<void> {
  const durationMs = numberOption("seconds", 3_600) * 1_000;
  const { begunCount, outcomes, looks, leftCount } = await soak({
    durationMs,
    concurrency: numberOption("concurrency", 8),
    seed: numberOption("seed", 0),
    lookMs: durationMs / LOOK_COUNT,
    onLook: report,
  });
  console.log(Object.fromEntries(Object.entries(outcomes).toSorted(([a], [b]) => a < b ? -1 : 1)));
  const endedCount = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  console.log(`${begunCount} begun, ${endedCount} ended, ${leftCount} connections left`);
  let isGood = begunCount === endedCount && leftCount === 0;
  const measures = { heap: "heapBytes", resident: "rssBytes" } as const;
  for (const [name, key] of Object.entries(measures)) {
    const { earlyBytes, lateBytes, isFlat } = memoryTrend(looks, (look) => look[key]);
    const trend = `${megabytes(earlyBytes)} to ${megabytes(lateBytes)}`;
    const isJudged = durationMs >= MIN_JUDGED_MS;
    const verdict = isFlat ? "flat" : isJudged ? "GROWN" : "grown, too short a run to judge";
    console.log(`${name}: ${trend}, ${verdict}`);
    isGood &&= isFlat || !isJudged;
  }
  if (!isGood) Deno.exit(1);
}

await main();
