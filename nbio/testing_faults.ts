// This module is sans-I/O.

/**
 * {@linkcode StreamFaults}: what can go wrong on a byte stream;
 * {@linkcode randomFaults}: some of it.
 *
 * @module
 */

import { SeededRandom } from "./testing_random.ts";

/**
 * What can go wrong in one direction of a stream. Without any option it is as
 * it was.
 *
 * The `...AfterBytes` options end the direction, each in its way, when so many
 * bytes have passed; with 0 the first operation meets it. Of several, the one
 * after the fewest bytes counts, at the same number the one that is first in
 * this list of {@linkcode FaultEnd}.
 */
export interface StreamFaults {
  /**
   * Cuts the stream in pieces of 1 to so many bytes, and lets no read or write
   * go beyond the piece it is in: reads are split, writes are short. Short
   * pieces are as common as long ones. An integer of at least 1.
   *
   * @default {Infinity}
   */
  readonly maxPieceBytes?: number;

  /**
   * Chance, 0 to 1, of a delay before each piece (before each read or write, if
   * the stream is not cut).
   *
   * @default {0}
   */
  readonly delayChance?: number;

  /**
   * Shortest delay, in milliseconds of the clock, an integer of at least 0.
   *
   * @default {1}
   */
  readonly minDelayMs?: number;

  /**
   * Longest delay, in milliseconds of the clock, an integer of at least
   * `minDelayMs`.
   *
   * @default {100}
   */
  readonly maxDelayMs?: number;

  /**
   * The connection is reset after so many bytes, for both directions and, if
   * the transport is an end of a memory pipe, for the peer too.
   *
   * @default {Infinity}
   */
  readonly resetAfterBytes?: number;

  /**
   * Reads (or writes) wait for ever after so many bytes, until the transport is
   * closed.
   *
   * @default {Infinity}
   */
  readonly stallAfterBytes?: number;

  /**
   * The direction ends cleanly after so many bytes, as if that were all: a read
   * gives the end; when writing, the peer reads the end, and what is written
   * later is taken and lost.
   *
   * @default {Infinity}
   */
  readonly truncateAfterBytes?: number;
}

/** What can go wrong when reading. */
export interface ReadFaults extends StreamFaults {
  /**
   * Chance, 0 to 1, that a piece is gathered: what several reads would give
   * comes as one, up to the size of the piece and of the caller's buffer.
   *
   * @default {0}
   */
  readonly coalesceChance?: number;

  /**
   * Milliseconds of the clock for which gathering waits for more, an integer of
   * at least 1.
   *
   * @default {50}
   */
  readonly coalesceMs?: number;
}

/** What can go wrong when writing. */
export interface WriteFaults extends StreamFaults {
  /**
   * What is written after so many bytes is taken and lost, and so is the end:
   * the peer waits for ever.
   *
   * @default {Infinity}
   */
  readonly loseAfterBytes?: number;

  /**
   * The direction is closed after so many bytes: the peer reads the end, writes
   * reject with `Deno.errors.BrokenPipe`.
   *
   * @default {Infinity}
   */
  readonly halfCloseAfterBytes?: number;
}

/** How a direction ends; see {@linkcode StreamFaults}. */
export type FaultEnd = "reset" | "stall" | "truncate" | "lose" | "half-close";

/** Faults of both directions, as plain data: print it when a test fails. */
export interface TransportFaults {
  /**
   * Where chance comes from: the same integer gives the same faults.
   *
   * @default {0}
   */
  readonly seed?: number;

  /**
   * What happens to what is read.
   *
   * @default {{}}
   */
  readonly read?: ReadFaults;

  /**
   * What happens to what is written.
   *
   * @default {{}}
   */
  readonly write?: WriteFaults;
}

/** Options of {@linkcode randomFaults}. */
export interface RandomFaultsOptions {
  /**
   * Bytes below which a direction ends, if it does: the length of the longest
   * stream of the test, an integer of at least 1.
   *
   * @default {65_536}
   */
  readonly maxBytes?: number;

  /**
   * Longest delay, in milliseconds of the clock, an integer of at least 1.
   *
   * @default {100}
   */
  readonly maxDelayMs?: number;

  /**
   * Ways in which a direction may end. Only code with a deadline survives
   * `"stall"` and `"lose"`. With none, all bytes arrive.
   *
   * @default {["reset", "stall", "truncate", "lose", "half-close"]}
   */
  readonly ends?: readonly FaultEnd[];
}

const ALL_ENDS: readonly FaultEnd[] = ["reset", "stall", "truncate", "lose", "half-close"];

/** Ways in which reading cannot end; the like of it is a stall or a truncation. */
const WRITE_ENDS: readonly FaultEnd[] = ["lose", "half-close"];

/**
 * Draws faults for a test that is run for many seeds: from none at all to
 * everything at once. One direction in four ends early.
 *
 * @param seed Any integer: the same one gives the same faults.
 * @param options What may happen.
 * @returns Faults, which are plain data.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example The same seed, the same faults
 * ```ts
 * import { randomFaults } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(randomFaults(7), randomFaults(7));
 * assertEquals(randomFaults(7, { ends: [] }).read?.resetAfterBytes, undefined);
 * ```
 */
export function randomFaults(seed: number, options: RandomFaultsOptions = {}): TransportFaults {
  const { maxBytes = 65_536, maxDelayMs = 100, ends = ALL_ENDS } = options;
  const random = new SeededRandom(seed);
  const draw = (from: readonly FaultEnd[]): WriteFaults => ({
    ...drawPieces(random, maxBytes, maxDelayMs),
    ...drawEnd(random, maxBytes, from),
  });
  const coalesceChance = random.pick([0, 0, 0.1, 0.5]);
  const coalesceMs = random.between(1, maxDelayMs);
  return {
    seed,
    read: { ...draw(ends.filter((end) => !WRITE_ENDS.includes(end))), coalesceChance, coalesceMs },
    write: draw(ends),
  };
}

function drawPieces(random: SeededRandom, maxBytes: number, maxDelayMs: number): StreamFaults {
  const maxPieceBytes = random.length(maxBytes);
  return {
    maxPieceBytes: random.weighted([[Infinity, 1], [1, 1], [maxPieceBytes, 4]]),
    delayChance: random.pick([0, 0, 0.01, 0.3]),
    minDelayMs: 1,
    maxDelayMs: random.between(1, maxDelayMs),
  };
}

function drawEnd(
  random: SeededRandom,
  maxBytes: number,
  ends: readonly FaultEnd[],
): WriteFaults {
  const happens = random.chance(0.25);
  const afterBytes = random.int(maxBytes);
  if (!happens || ends.length === 0) return {};
  switch (random.pick(ends)) {
    case "reset":
      return { resetAfterBytes: afterBytes };
    case "stall":
      return { stallAfterBytes: afterBytes };
    case "truncate":
      return { truncateAfterBytes: afterBytes };
    case "lose":
      return { loseAfterBytes: afterBytes };
    case "half-close":
      return { halfCloseAfterBytes: afterBytes };
  }
}
