/** Five numbers that describe the values of all rounds. */
export interface Summary {
  /** Smallest value. */
  readonly lowest: number;
  /** A quarter of the values is smaller. */
  readonly lowerQuartile: number;
  /** Half of the values is smaller. */
  readonly median: number;
  /** Three quarters of the values are smaller. */
  readonly upperQuartile: number;
  /** Largest value. */
  readonly highest: number;
}

function quantile(sorted: readonly number[], fraction: number): number {
  const position = (sorted.length - 1) * fraction;
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (position - below);
}

/**
 * Median and spread of the values of all rounds.
 *
 * @throws {RangeError} If there is no value.
 */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError("Cannot summarize: there is no value");
  const sorted = values.toSorted((a, b) => a - b);
  return {
    lowest: quantile(sorted, 0),
    lowerQuartile: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    upperQuartile: quantile(sorted, 0.75),
    highest: quantile(sorted, 1),
  };
}

/**
 * Ratios of two series, round by round: what slows the whole machine for a while slows both
 * sides of one round and leaves its ratio alone, which a ratio of two medians does not.
 *
 * @throws {RangeError} If the series differ in length.
 */
export function ratios(of: readonly number[], over: readonly number[]): number[] {
  if (of.length !== over.length) {
    throw new RangeError(`Cannot compare: ${of.length} rounds against ${over.length}`);
  }
  return of.map((value, round) => value / over[round]!);
}
