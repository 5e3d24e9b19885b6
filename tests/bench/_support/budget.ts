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
  /** Largest ratio that keeps the promise. */
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

/** Judges each budget whose two cells were measured; the others are left out. */
export function judge(budgets: readonly Budget[], cells: Cells): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const budget of budgets) {
    const of = cells.get(budget.of);
    const over = cells.get(budget.over);
    if (of === undefined || over === undefined) continue;
    const ratio = summarize(ratios(of, over));
    verdicts.push({ ...budget, ratio, met: ratio.median <= budget.max });
  }
  return verdicts;
}
