/**
 * How a vector runner decides: every vector whose outcome is not the wanted one
 * must stand in a table of intended differences, and every row of the table must
 * be in use, with exactly the outcome it names.
 */

/** A vector whose wanted outcome is rightly not ours. */
export interface Difference {
  /** Name of the vector. */
  readonly name: string;
  /** What we do instead. */
  readonly gives: string;
  /** The rule we follow. */
  readonly clause: string;
  /** Why its source decides otherwise. */
  readonly reason: string;
}

/** What became of one vector. */
export interface Judgement {
  readonly name: string;
  /** The outcome its source wants, in words of the runner. */
  readonly wanted: string;
  /** Our outcome. */
  readonly got: string;
  readonly isAgreed: boolean;
}

/**
 * Compares judgements with the table.
 *
 * @returns One line for each difference that is not listed, each that is listed
 * with another outcome, and each row that was not needed; empty if all is well.
 */
export function unlisted(
  judgements: readonly Judgement[],
  differences: readonly Difference[],
): string[] {
  const rows = new Map(differences.map((row) => [row.name, row]));
  const lines: string[] = [];
  if (rows.size !== differences.length) lines.push("a vector stands in the table twice");
  for (const { name, wanted, got, isAgreed } of judgements) {
    const row = rows.get(name);
    if (isAgreed) continue;
    rows.delete(name);
    if (row === undefined) lines.push(`${name}: wanted ${wanted}, got ${got}`);
    else if (row.gives !== got) lines.push(`${name}: listed as ${row.gives}, got ${got}`);
  }
  for (const name of rows.keys()) lines.push(`${name}: listed, but it agrees or does not exist`);
  return lines;
}
