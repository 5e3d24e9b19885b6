/**
 * Re-arming the deadlines of 10,000 connections: the wheel against
 * `setTimeout` and `clearTimeout`, in one run. Prints CPU per re-arm and the
 * ratio, and fails under 5.
 *
 * ```sh
 * deno run tests/bench/nbio/deadline_wheel_bench.ts
 * ```
 *
 * Three rows for the wheel: `busy` re-arms each connection many times per tick;
 * `once per tick` is its worst case, in which every re-arm moves an entry and
 * every tick places all of them; `cancel and arm` frees the entry in between.
 */

import process from "node:process";
import { type Clock, systemClock } from "../../../nbio/clock.ts";
import { type Deadline, DeadlineWheel } from "../../../nbio/deadline_wheel.ts";

const CONNECTION_COUNT = 10_000;
const ROUND_COUNT = 100;
const REPETITIONS = 5;
const WANTED_RATIO = 5;

/** Timeouts as servers have them: head, body gap and keep-alive. */
const TIMEOUTS_MS = [15_000, 30_000, 65_000];

/** An order in which no two neighbours were made together. */
const ORDER = Array.from(
  { length: CONNECTION_COUNT },
  (_, index) => index * 7_919 % CONNECTION_COUNT,
);

function timeoutOf(connection: number, round: number): number {
  return TIMEOUTS_MS[(connection + round) % TIMEOUTS_MS.length]!;
}

/** Nanoseconds of CPU, all threads, per re-arm: the median of several runs. */
async function measure(round: (round: number) => void): Promise<number> {
  const runs: number[] = [];
  for (let repetition = 0; repetition <= REPETITIONS; repetition++) {
    const start = process.cpuUsage();
    for (let index = 0; index < ROUND_COUNT; index++) {
      round(index);
      // The event loop turns as it does in a server, so that real timers run.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const { user, system } = process.cpuUsage(start);
    // The first run warms up.
    if (repetition > 0) runs.push((user + system) * 1_000 / (ROUND_COUNT * CONNECTION_COUNT));
  }
  return runs.sort((a, b) => a - b)[REPETITIONS >> 1]!;
}

function measureTimeouts(): Promise<number> {
  const timers = ORDER.map(() => setTimeout(() => {}, 60_000));
  return measure((round) => {
    for (const connection of ORDER) {
      clearTimeout(timers[connection]);
      timers[connection] = setTimeout(() => {}, timeoutOf(connection, round));
    }
  }).finally(() => timers.forEach((timer) => clearTimeout(timer)));
}

function measureBusy(): Promise<number> {
  const wheel = new DeadlineWheel(systemClock);
  const entries = ORDER.map(() => wheel.create(() => {}));
  return measure((round) => {
    for (const connection of ORDER) entries[connection]!.arm(timeoutOf(connection, round));
  }).finally(() => cancelAll(entries));
}

function measureOncePerTick(): Promise<number> {
  let tick = (): void => {};
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    wallNow: () => nowMs,
    setTimer: (callback) => void (tick = callback),
    clearTimer: () => {},
  };
  const wheel = new DeadlineWheel(clock);
  const entries = ORDER.map(() => wheel.create(() => {}));
  return measure((round) => {
    for (const connection of ORDER) entries[connection]!.arm(timeoutOf(connection, round));
    nowMs += 50;
    tick();
  });
}

function measureCancelAndArm(): Promise<number> {
  const wheel = new DeadlineWheel(systemClock);
  const entries = ORDER.map(() => wheel.create(() => {}));
  return measure((round) => {
    for (const connection of ORDER) {
      entries[connection]!.cancel();
      entries[connection]!.arm(timeoutOf(connection, round));
    }
  }).finally(() => cancelAll(entries));
}

function cancelAll(entries: readonly Deadline[]): void {
  for (const entry of entries) entry.cancel();
}

const timeoutNs = await measureTimeouts();
console.log(`setTimeout + clearTimeout  ${timeoutNs.toFixed(0).padStart(6)} ns`);
for (
  const [name, wheelNs] of [
    ["wheel, busy", await measureBusy()],
    ["wheel, once per tick", await measureOncePerTick()],
    ["wheel, cancel and arm", await measureCancelAndArm()],
  ] as const
) {
  const ratio = timeoutNs / wheelNs;
  console.log(
    `${name.padEnd(26)} ${wheelNs.toFixed(0).padStart(6)} ns   ${ratio.toFixed(1)} x less`,
  );
  if (ratio < WANTED_RATIO) {
    console.error(`Expected at least ${WANTED_RATIO} x less`);
    Deno.exitCode = 1;
  }
}
