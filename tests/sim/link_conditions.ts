import type { SeededRandom } from "../../nbio/testing_random.ts";

/** What a link between two hosts is like; both directions alike. */
export interface LinkConditions {
  /** Milliseconds a segment takes at least. */
  readonly latencyMs: number;
  /** Milliseconds it may take more. */
  readonly jitterMs: number;
  /** Bytes that fit through in a millisecond. */
  readonly bytesPerMs: number;
  /** The longest segment; most are shorter. */
  readonly maxSegmentBytes: number;
  /** Bytes that may be on their way or wait to be read, in each direction. */
  readonly windowBytes: number;
}

/** The link inside a host. */
export const LOOPBACK: LinkConditions = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerMs: Infinity,
  maxSegmentBytes: 65_536,
  windowBytes: 65_536,
};

/** Draws a link: most are fast and wide, some are a trickle. */
export function drawLink(random: SeededRandom): LinkConditions {
  return {
    latencyMs: random.length(60),
    jitterMs: random.weighted([[0, 2], [random.length(20), 1]]),
    bytesPerMs: random.weighted([[Infinity, 2], [random.between(20, 400), 2], [5, 0.3]]),
    maxSegmentBytes: random.weighted([[1_460, 4], [random.length(1_460), 4], [1, 0.15]]),
    windowBytes: random.weighted([[65_536, 2], [random.between(64, 4_096), 2]]),
  };
}
