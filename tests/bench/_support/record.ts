/**
 * What a benchmark has found, line by line, for the command that runs them all.
 *
 * `tests/bench/main.ts` points `NBIO_BENCH_RECORD` at a file; cells, verdicts, peers and what was
 * missing are appended to it as they come, one JSON object a line. A benchmark that is run alone
 * has no such file, and only prints.
 */

import type { Summary } from "./statistics.ts";

/** Variable of the environment that names the file. */
export const RECORD_VARIABLE = "NBIO_BENCH_RECORD";

/** All values of one cell, a value for each round. */
export interface CellRecord {
  readonly type: "cell";
  /** `scenario/peer`. */
  readonly key: string;
  /** In the order of the rounds. */
  readonly values: readonly number[];
}

/** A ratio of two cells, and the budget it was held against. */
export interface VerdictRecord {
  readonly type: "verdict";
  /** What is promised. */
  readonly name: string;
  /** Cell above the line. */
  readonly of: string;
  /** Cell below the line. */
  readonly over: string;
  /** Largest ratio that keeps the promise; `null` for a comparison without one. */
  readonly max: number | null;
  /** Ratio to go for, if there is one. */
  readonly aim?: number;
  /** The ratios of all rounds. */
  readonly ratio: Summary;
  /** Whether the median keeps the promise. */
  readonly met: boolean;
}

/** A figure that was held against a bound of its own, and against no rival. */
export interface BoundRecord {
  readonly type: "bound";
  /** What is promised. */
  readonly name: string;
  /** What was found. */
  readonly value: number;
  /** Largest value that keeps the promise. */
  readonly max: number;
  /** Unit of both. */
  readonly unit: string;
  /** Whether it is kept. */
  readonly met: boolean;
}

/** A rival that was there, or was not. */
export type PeerRecord =
  | { readonly type: "peer"; readonly name: string; readonly version: string }
  | { readonly type: "missing"; readonly name: string; readonly reason: string };

/** One line of the file. */
export type BenchRecord = CellRecord | VerdictRecord | BoundRecord | PeerRecord;

/** Appends a line, if somebody asked for it. */
export function record(entry: BenchRecord): void {
  const { state } = Deno.permissions.querySync({ name: "env", variable: RECORD_VARIABLE });
  if (state !== "granted") return;
  const path = Deno.env.get(RECORD_VARIABLE);
  if (path === undefined || path === "") return;
  Deno.writeTextFileSync(path, `${JSON.stringify(entry)}\n`, { append: true });
}

/** Reads what a benchmark has recorded. */
export function readRecords(path: string): BenchRecord[] {
  const lines = Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}
