import { record } from "./record.ts";
import { ratios, summarize, type Summary } from "./statistics.ts";

/** Measured values by cell (`scenario/peer`), one value for each round. */
export type Cells = ReadonlyMap<string, readonly number[]>;

/** A ratio of two cells that must not be passed. */
export interface Budget {
  /** What is promised, for the reader of the table. */
  readonly name: string;
  /** Cell above the line. */
  readonly of: string;
  /** Cell below the line. */
  readonly over: string;
  /** Largest ratio that keeps the promise; `Infinity` for a comparison that promises nothing. */
  readonly max: number;
  /** Ratio to go for. @default undefined (none) */
  readonly aim?: number;
}

/** A budget beside what was measured. */
export interface Verdict extends Budget {
  /** The ratios of all rounds. */
  readonly ratio: Summary;
  /** Whether the median keeps the promise. */
  readonly met: boolean;
}

/** A figure that has a largest value of its own, and no rival. */
export interface Bound {
  /** What is promised, for the reader of the table. */
  readonly name: string;
  /** What was found. */
  readonly value: number;
  /** Largest value that keeps the promise. */
  readonly max: number;
  /** Unit of both. */
  readonly unit: string;
}

/**
 * Judges each budget whose two cells were measured; the others are left out. Every verdict is
 * recorded.
 */
export function judge(budgets: readonly Budget[], cells: Cells): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const budget of budgets) {
    const of = cells.get(budget.of);
    const over = cells.get(budget.over);
    if (of === undefined || over === undefined) continue;
    const ratio = summarize(ratios(of, over));
    const met = ratio.median <= budget.max;
    verdicts.push({ ...budget, ratio, met });
    const max = budget.max === Infinity ? null : budget.max;
    record({ type: "verdict", ...budget, max, ratio, met });
  }
  return verdicts;
}

/** Whether a figure is within its bound; it is recorded. */
export function judgeBound(bound: Bound): boolean {
  const met = bound.value <= bound.max;
  record({ type: "bound", ...bound, met });
  return met;
}
