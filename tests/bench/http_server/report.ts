import type { Cells, Verdict } from "../_support/budget.ts";
import { summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";
import type { Peer } from "./peers.ts";
import type { Scenario } from "./scenarios.ts";

/** The costs of all scenarios (rows) and peers (columns): the median, then the quartiles. */
export function formatCosts(
  scenarios: readonly Pick<Scenario, "name">[],
  peers: readonly Pick<Peer, "name" | "version">[],
  costs: Cells,
): string {
  const rows = [["scenario", ...peers.map(({ version, name }) => `${name} (${version})`)]];
  for (const scenario of scenarios) {
    const row = [scenario.name];
    for (const peer of peers) {
      const values = costs.get(`${scenario.name}/${peer.name}`);
      row.push(values === undefined ? "" : formatCost(values));
    }
    rows.push(row);
  }
  return formatTable(rows);
}

function formatCost(values: readonly number[]): string {
  const { median, lowerQuartile, upperQuartile } = summarize(values);
  const digits = median < 100 ? 2 : 0;
  const [middle, low, high] = [median, lowerQuartile, upperQuartile].map((value) =>
    value.toFixed(digits)
  );
  return `${middle} (${low}-${high})`;
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
      max.toFixed(2),
      aim?.toFixed(2) ?? "",
      met ? "met" : "MISSED",
    ]);
  }
  return formatTable(rows);
}
