import type { SoakLook } from "./soak.ts";

const MAX_GROWTH = 0.05;
const MAX_GROWN_BYTES = 8 * 2 ** 20;

/** How memory went. */
export interface MemoryTrend {
  /** Bytes at the end of the first quarter. */
  readonly earlyBytes: number;
  /** Bytes at the end. */
  readonly lateBytes: number;
  /** Whether it stayed within 5 % or 8 MiB. */
  readonly isFlat: boolean;
}

/**
 * Compares memory at the end of the first quarter with that at the end, each as the middle of
 * several looks.
 *
 * @param looks What was seen, in order.
 * @param measure What to compare.
 * @returns Both, and whether it is flat.
 * @throws {RangeError} If there are fewer than eight looks.
 */
export function memoryTrend(
  looks: readonly SoakLook[],
  measure: (look: SoakLook) => number,
): MemoryTrend {
  const { length } = looks;
  if (length < 8) throw new RangeError(`Cannot compare ${length} looks: expected at least 8`);
  const width = Math.max(1, Math.floor(length / 8));
  const quarter = Math.floor(length / 4);
  const earlyBytes = middle(looks.slice(quarter - width, quarter + width).map(measure));
  const lateBytes = middle(looks.slice(-2 * width).map(measure));
  const grownBytes = lateBytes - earlyBytes;
  const isFlat = grownBytes <= Math.max(MAX_GROWN_BYTES, earlyBytes * MAX_GROWTH);
  return { earlyBytes, lateBytes, isFlat };
}

function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1]!;
}
