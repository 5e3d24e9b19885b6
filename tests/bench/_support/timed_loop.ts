import process from "node:process";

/** Milliseconds that every step is run for before it is measured. */
export const LOOP_WARM_UP_MS = 200;

/** Least milliseconds between two looks at the clock, which is coarse and costs time itself. */
const LOOK_INTERVAL_MS = 2;

/** What is found goes here, so that finding it is not left out. */
let sink = 0;

/**
 * Runs every step in turn for a while. What is counted is CPU of all threads, not time: others may
 * want the same core.
 *
 * @param steps What is measured; each gives a number that depends on all it found.
 * @returns Nanoseconds of CPU of one step.
 * @throws {Error} If nothing was ever found.
 */
export function nanosecondsPerStep(steps: readonly (() => number)[], durationMs: number): number {
  let turns = 1;
  let count = 0;
  let elapsedMs = 0;
  const startMs = performance.now();
  const before = process.cpuUsage();
  while (elapsedMs < durationMs) {
    for (let turn = 0; turn < turns; turn++) {
      for (const step of steps) sink += step();
    }
    count += turns * steps.length;
    const beforeMs = elapsedMs;
    elapsedMs = performance.now() - startMs;
    if (elapsedMs - beforeMs < LOOK_INTERVAL_MS) turns *= 2;
  }
  if (sink === 0) throw new Error("Nothing was found");
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1e3 / count;
}
