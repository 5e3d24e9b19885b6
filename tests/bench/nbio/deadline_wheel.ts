/**
 * Nanoseconds of CPU for re-arming the deadlines of 10,000 connections: the wheel against
 * `setTimeout` and `clearTimeout`, in interleaved rounds of one run.
 *
 * `deno run -A tests/bench/nbio/deadline_wheel.ts [--rounds 5] [--turns 100]`
 *
 * Three rows for the wheel: `busy` re-arms each connection many times per tick;
 * `once per tick` is its worst case, in which every re-arm moves an entry and
 * every tick places all of them; `cancel and arm` frees the entry in between.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { type Clock, systemClock } from "../../../nbio/clock.ts";
import { type Deadline, DeadlineWheel } from "../../../nbio/deadline_wheel.ts";
import type { Budget } from "../_support/budget.ts";
import { readCount } from "../_support/read_count.ts";
import { printReport } from "../_support/report.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";

const CONNECTION_COUNT = 10_000;
/** How many times less CPU than the timers of the runtime. */
const WANTED_FACTOR = 5;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    turns: { type: "string", default: "100" },
  },
});
const turnCount = readCount("turns", values.turns);

/** Timeouts as servers have them: head, body gap and keep-alive. */
const TIMEOUTS_MS = [15_000, 30_000, 65_000];

/** An order in which no two neighbours were made together. */
const ORDER = Array.from(
  { length: CONNECTION_COUNT },
  (_, index) => index * 7_919 % CONNECTION_COUNT,
);

function timeoutOf(connection: number, turn: number): number {
  return TIMEOUTS_MS[(connection + turn) % TIMEOUTS_MS.length]!;
}

/** Nanoseconds of CPU, all threads, per re-arm. */
async function measure(rearmAll: (turn: number) => void): Promise<number> {
  const start = process.cpuUsage();
  for (let turn = 0; turn < turnCount; turn++) {
    rearmAll(turn);
    // The event loop turns as it does in a server, so that real timers run.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1_000 / (turnCount * CONNECTION_COUNT);
}

function measureTimeouts(): Promise<number> {
  const timers = ORDER.map(() => setTimeout(() => {}, 60_000));
  return measure((turn) => {
    for (const connection of ORDER) {
      clearTimeout(timers[connection]);
      timers[connection] = setTimeout(() => {}, timeoutOf(connection, turn));
    }
  }).finally(() => timers.forEach((timer) => clearTimeout(timer)));
}

function measureBusy(): Promise<number> {
  const wheel = new DeadlineWheel(systemClock);
  const entries = ORDER.map(() => wheel.create(() => {}));
  return measure((turn) => {
    for (const connection of ORDER) entries[connection]!.arm(timeoutOf(connection, turn));
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
  return measure((turn) => {
    for (const connection of ORDER) entries[connection]!.arm(timeoutOf(connection, turn));
    nowMs += 50;
    tick();
  });
}

function measureCancelAndArm(): Promise<number> {
  const wheel = new DeadlineWheel(systemClock);
  const entries = ORDER.map(() => wheel.create(() => {}));
  return measure((turn) => {
    for (const connection of ORDER) {
      entries[connection]!.cancel();
      entries[connection]!.arm(timeoutOf(connection, turn));
    }
  }).finally(() => cancelAll(entries));
}

function cancelAll(entries: readonly Deadline[]): void {
  for (const entry of entries) entry.cancel();
}

const WAYS: Readonly<Record<string, () => Promise<number>>> = {
  "timers": measureTimeouts,
  "busy": measureBusy,
  "once per tick": measureOncePerTick,
  "cancel and arm": measureCancelAndArm,
};

const cells = Object.entries(WAYS).map(([name, visit]): Cell => ({ key: `re-arm/${name}`, visit }));
for (const cell of cells) await cell.visit();
const costs = await runRounds(cells, readCount("rounds", values.rounds));
const budgets = Object.keys(WAYS).filter((name) => name !== "timers").map((name): Budget => ({
  name: `the wheel, ${name}, against setTimeout`,
  of: `re-arm/${name}`,
  over: "re-arm/timers",
  max: 1 / WANTED_FACTOR,
}));
printReport({ title: "Nanoseconds of CPU per re-arm", costs, budgets });
