import type { Cells } from "../_support/budget.ts";
import { ratios, summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";
import type { Peer } from "./peers.ts";
import type { Scenario } from "./scenarios.ts";

/** What CPU a message costs everywhere, and what ours costs as a ratio to each, with the budget. */
export function formatReport(
  scenarios: readonly Scenario[],
  peers: readonly Peer[],
  costs: Cells,
): string {
  const rows = [["scenario", "server", "µs", "quartiles", "ours / it", "all rounds", "budget", ""]];
  for (const scenario of scenarios) {
    const ours = costs.get(`${scenario.name}/ours`);
    for (const { name, version } of peers) {
      const values = costs.get(`${scenario.name}/${name}`);
      if (values === undefined) continue;
      rows.push([
        scenario.name,
        name === "ours" || name === "bare" ? `${name} (${version})` : version,
        ...costColumns(values),
        ...name === "ours" || ours === undefined
          ? []
          : ratioColumns(ratios(ours, values), scenario.budgets[name]),
      ]);
    }
  }
  return formatTable(rows);
}

function costColumns(values: readonly number[]): string[] {
  const { median, lowerQuartile, upperQuartile } = summarize(values);
  const digits = median < 100 ? 2 : 0;
  return [
    median.toFixed(digits),
    `${lowerQuartile.toFixed(digits)}-${upperQuartile.toFixed(digits)}`,
  ];
}

function ratioColumns(values: readonly number[], budget: number | undefined): string[] {
  const { median, lowest, highest } = summarize(values);
  return [
    median.toFixed(3),
    `${lowest.toFixed(3)}-${highest.toFixed(3)}`,
    budget?.toFixed(2) ?? "",
    budget === undefined ? "" : median <= budget ? "met" : "MISSED",
  ];
}
