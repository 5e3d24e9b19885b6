/**
 * Doubling bench of `AsyncQueue` against an array with `shift`: n, 2n and 4n
 * items are pushed and then popped. Prints CPU per item and fails if the
 * longest queue costs more than 2 x per item what the shortest does.
 *
 * ```sh
 * deno run tests/bench/nbio/async_queue_bench.ts
 * ```
 *
 * Two more rows: `oscillate` keeps a queue half full, and `hand over` gives
 * every item to a pop that waits, promises included. The last row cancels pops
 * from the front of a long line of them.
 */

import process from "node:process";
import { AsyncQueue } from "../../../nbio/async_queue.ts";
import { settle } from "../../../nbio/testing_settle.ts";

const BASE_COUNT = 1 << 14;
const REPETITIONS = 5;
const MAX_FACTOR = 2;

/** What is popped cannot be left out: its sum is printed. */
let sink = 0;

type Run = (itemCount: number) => void | Promise<void>;

const queue: Run = (itemCount) => {
  const items = new AsyncQueue<number>({ maxLength: Infinity });
  for (let n = 0; n < itemCount; n++) items.tryPush(n);
  for (let n = 0; n < itemCount; n++) sink += items.tryPop()!;
};

const array: Run = (itemCount) => {
  const items: number[] = [];
  for (let n = 0; n < itemCount; n++) items.push(n);
  for (let n = 0; n < itemCount; n++) sink += items.shift()!;
};

const oscillate: Run = (itemCount) => {
  const items = new AsyncQueue<number>({ maxLength: 2_048 });
  for (let n = 0; n < 1_024; n++) items.tryPush(n);
  for (let n = 0; n < itemCount; n++) {
    items.tryPush(n);
    sink += items.tryPop()!;
  }
};

const handOver: Run = async (itemCount) => {
  const items = new AsyncQueue<number>();
  for (let n = 0; n < itemCount; n++) {
    const popped = items.pop();
    items.tryPush(n);
    sink += (await popped)!;
  }
};

const cancel: Run = async (itemCount) => {
  const items = new AsyncQueue<number>({ maxWaiters: Infinity });
  const controllers = Array.from({ length: itemCount }, () => {
    const controller = new AbortController();
    items.pop({ signal: controller.signal }).catch(() => sink++);
    return controller;
  });
  for (const controller of controllers) controller.abort("stop");
  await settle();
};

/** Nanoseconds of CPU per item: the fewest of several runs, which is the least disturbed. */
async function measure(run: Run, itemCount: number): Promise<number> {
  let bestMicros = Infinity;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const start = process.cpuUsage();
    await run(itemCount);
    const { user, system } = process.cpuUsage(start);
    bestMicros = Math.min(bestMicros, user + system);
  }
  return bestMicros * 1_000 / itemCount;
}

for (
  const [name, run, isOurs] of [
    ["queue", queue, true],
    ["array", array, false],
    ["oscillate", oscillate, true],
    ["hand over", handOver, true],
    ["cancel", cancel, true],
  ] as const
) {
  await measure(run, BASE_COUNT); // warms up
  const perItem: number[] = [];
  for (const factor of [1, 2, 4]) perItem.push(await measure(run, factor * BASE_COUNT));
  const figures = perItem.map((ns) => `${ns.toFixed(0).padStart(8)} ns`).join("");
  console.log(`${name.padEnd(10)} n, 2n, 4n: ${figures} per item`);
  if (isOurs && perItem[2]! > MAX_FACTOR * perItem[0]!) {
    console.error(`${name} is not linear`);
    Deno.exitCode = 1;
  }
}
console.log(`(sink ${sink})`);
