import { record } from "./record.ts";

/** One thing that is measured once in each round. */
export interface Cell {
  /** Its name in the results: `scenario/peer`. */
  readonly key: string;
  /** Measures it once. */
  visit(): Promise<number>;
}

/**
 * Visits every cell once in each round. Every other round goes backwards, so that no cell always
 * comes after the same neighbour. What was measured is recorded.
 *
 * @returns One value for each round by the key of the cell.
 */
export async function runRounds(
  cells: readonly Cell[],
  rounds: number,
  onRound: (round: number) => void = () => {},
): Promise<Map<string, number[]>> {
  const values = new Map<string, number[]>(cells.map(({ key }) => [key, []]));
  for (let round = 0; round < rounds; round++) {
    onRound(round);
    for (const cell of round % 2 === 0 ? cells : cells.toReversed()) {
      values.get(cell.key)!.push(await cell.visit());
    }
  }
  for (const [key, list] of values) record({ type: "cell", key, values: list });
  return values;
}
