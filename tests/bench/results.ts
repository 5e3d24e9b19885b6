/** What the file of results holds; `main.ts` writes it, `plot.ts` draws it. */

import type { Machine } from "./_support/machine.ts";
import type { BoundRecord, VerdictRecord } from "./_support/record.ts";
import type { Summary } from "./_support/statistics.ts";

/** What one suite found. */
export interface SuiteResult {
  /** Its name. */
  readonly name: string;
  /** What is compared. */
  readonly claim: string;
  /** Issue whose budgets it holds; `null` where nothing was promised. */
  readonly issue: number | null;
  /** What the costs are. */
  readonly unit: string;
  /** How it was started. */
  readonly command: string;
  /** Seconds that it took. */
  readonly elapsedS: number;
  /** Load average of the last minute before it began. */
  readonly loadAverage: number;
  /** Why it did not come to its end, if it did not. */
  readonly failure?: string;
  /** By `scenario/peer`. */
  readonly costs: Readonly<Record<string, Summary>>;
  /** Ratios beside their budgets. */
  readonly verdicts: readonly Omit<VerdictRecord, "type">[];
  /** Figures beside bounds of their own. */
  readonly bounds: readonly Omit<BoundRecord, "type">[];
  /** Rivals that were not there, and why. */
  readonly missing: Readonly<Record<string, string>>;
}

/** The whole file. */
export interface Results {
  /** What a reader must know before he believes a figure. */
  readonly note: string;
  /** When it began, as ISO 8601. */
  readonly startedAt: string;
  /** Where. */
  readonly machine: Machine;
  /** Versions of ours, of the runtime and of all rivals. */
  readonly versions: Readonly<Record<string, string>>;
  /** Rivals that were wanted somewhere and not there, and why. */
  readonly missing: Readonly<Record<string, string>>;
  /** Times that every cell was visited. */
  readonly rounds: number;
  /** Length of a visit, where 1 is the usual one. */
  readonly seconds: number;
  /** What was found. */
  readonly suites: readonly SuiteResult[];
}

/** Whether a verdict holds a budget, and does not only compare. */
export function hasBudget({ max }: Pick<VerdictRecord, "max">): boolean {
  return max !== null;
}
