import { type Bound, type Budget, type Cells, judge, judgeBound, type Verdict } from "./budget.ts";
import { describeMachine } from "./machine.ts";
import { summarize } from "./statistics.ts";
import { formatTable } from "./table.ts";

/** What a benchmark has to say. */
export interface Report {
  /** What the figures are: `Microseconds of CPU per request`. */
  readonly title: string;
  /** All that was measured. */
  readonly costs: Cells;
  /** What is promised. @default [] */
  readonly budgets?: readonly Budget[];
}

/**
 * Prints the machine, what everything costs and every budget beside its result. The exit code of
 * the process becomes 1 if a budget is missed.
 *
 * @returns The verdicts.
 */
export function printReport({ title, costs, budgets = [] }: Report): Verdict[] {
  const { cpu, cores, kernel, loadAverage } = describeMachine();
  console.log(`${cpu}, ${cores} cores, ${kernel}, load ${loadAverage.toFixed(1)}`);
  const rounds = Math.max(0, ...costs.values().map(({ length }) => length));
  console.log(`\n${title}, median of ${rounds} rounds (quartiles)\n\n${formatCosts(costs)}`);
  const verdicts = judge(budgets, costs);
  if (verdicts.length > 0) console.log(`\nBudgets\n\n${formatVerdicts(verdicts)}`);
  if (verdicts.some(({ met }) => !met)) Deno.exitCode = 1;
  return verdicts;
}

/** The costs of all scenarios (rows) and peers (columns): the median, then the quartiles. */
export function formatCosts(costs: Cells): string {
  const scenarios = new Map<string, Map<string, readonly number[]>>();
  const peers = new Set<string>();
  for (const [key, values] of costs) {
    const end = key.lastIndexOf("/");
    const peer = key.slice(end + 1);
    peers.add(peer);
    scenarios.getOrInsertComputed(key.slice(0, Math.max(0, end)), () => new Map())
      .set(peer, values);
  }
  const rows = scenarios.entries().map(([scenario, row]) => [
    scenario,
    ...peers.values().map((peer) => formatCost(row.get(peer))),
  ]);
  return formatTable([["", ...peers], ...rows]);
}

function formatCost(values: readonly number[] | undefined): string {
  if (values === undefined) return "";
  const { median, lowerQuartile, upperQuartile } = summarize(values);
  const digits = digitsOf(median);
  const [middle, low, high] = [median, lowerQuartile, upperQuartile].map((value) =>
    value.toFixed(digits)
  );
  return `${middle} (${low}-${high})`;
}

function digitsOf(median: number): number {
  if (median < 10) return 3;
  return median < 100 ? 2 : 0;
}

/** Every budget beside its result. */
export function formatVerdicts(verdicts: readonly Verdict[]): string {
  const rows = [["promise", "ratio", "quartiles", "all", "budget", "aim", ""]];
  for (const { name, ratio, max, aim, met } of verdicts) {
    rows.push([
      name,
      ratio.median.toFixed(3),
      `${ratio.lowerQuartile.toFixed(3)}-${ratio.upperQuartile.toFixed(3)}`,
      `${ratio.lowest.toFixed(3)}-${ratio.highest.toFixed(3)}`,
      max === Infinity ? "" : max.toFixed(3),
      aim?.toFixed(3) ?? "",
      max === Infinity ? "" : wordOf(met),
    ]);
  }
  return formatTable(rows);
}

/**
 * Prints a figure beside its bound. The exit code of the process becomes 1 if it is beyond.
 *
 * @param details What else there is to know.
 */
export function printBound(bound: Bound, details = ""): void {
  const { name, value, max, unit } = bound;
  const met = judgeBound(bound);
  const rest = details === "" ? "" : ` (${details})`;
  console.log(`${name}: ${value.toFixed(2)} ${unit}, at most ${max}: ${wordOf(met)}${rest}`);
  if (!met) Deno.exitCode = 1;
}

function wordOf(met: boolean): string {
  return met ? "met" : "MISSED";
}
