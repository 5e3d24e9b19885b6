// This module is sans-I/O.

/**
 * {@linkcode DatagramPath}: what becomes of each datagram on its way.
 *
 * @module
 */

import { checkChance, checkDelay, faultError } from "./_testing_check_faults.ts";
import type { DatagramFaults } from "./testing_datagram_faults.ts";
import { SeededRandom } from "./testing_random.ts";

/** What becomes of one datagram. */
export interface DatagramFate {
  /** Whether it never arrives. */
  readonly isLost: boolean;
  /** Whether later ones may overtake it. */
  readonly isReordered: boolean;
  /** Instants, in milliseconds, at which a copy arrives; none if it is lost. */
  readonly arrivalsMs: readonly number[];
}

/**
 * The way from one address to another. It has chance of its own, so that what
 * happens here depends on the seed and on the datagrams sent here, and on
 * nothing that happens elsewhere.
 */
export class DatagramPath {
  readonly #random: SeededRandom;
  /** When the last one arrives of those that keep their order. */
  #lastMs = 0;

  /** Makes a path; `key` stands for its two ends. */
  constructor(seed: number, key: string) {
    this.#random = new SeededRandom(seed ^ hash(key));
  }

  /** The same draws for every datagram, so that one fault does not shift the others. */
  next(faults: Required<DatagramFaults>, nowMs: number): DatagramFate {
    const random = this.#random;
    const { minDelayMs, maxDelayMs } = faults;
    const isLost = random.chance(faults.lossChance);
    const isTwice = random.chance(faults.duplicateChance);
    const isReordered = random.chance(faults.reorderChance);
    const delaysMs = [
      random.between(minDelayMs, maxDelayMs),
      random.between(minDelayMs, maxDelayMs),
    ];
    if (isLost) return { isLost, isReordered: false, arrivalsMs: [] };
    const arrivalsMs = delaysMs.slice(0, isTwice ? 2 : 1).map((delayMs) => {
      if (isReordered) return nowMs + delayMs + faults.reorderDelayMs;
      return this.#lastMs = Math.max(this.#lastMs, nowMs + delayMs);
    });
    return { isLost, isReordered, arrivalsMs };
  }
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x0100_0193);
  }
  return value;
}

/**
 * Fills in what is absent.
 *
 * @param faults What the caller gave.
 * @param base What holds where nothing is given.
 * @returns Faults that are complete.
 * @throws {RangeError} If one is out of its range.
 */
export function resolveDatagramFaults(
  faults: DatagramFaults,
  base: Required<DatagramFaults> = NO_FAULTS,
): Required<DatagramFaults> {
  const given = Object.entries(faults).filter(([, value]) => value !== undefined);
  const resolved = { ...base, ...Object.fromEntries(given) } as Required<DatagramFaults>;
  const minDelayMs = resolved.minDelayMs;
  const maxDelayMs = faults.maxDelayMs ?? Math.max(resolved.maxDelayMs, minDelayMs);
  for (const name of ["lossChance", "duplicateChance", "reorderChance"] as const) {
    checkChance(name, resolved[name]);
  }
  checkDelay("reorderDelayMs", resolved.reorderDelayMs, 1);
  checkDelay("minDelayMs", minDelayMs, 0);
  checkDelay("maxDelayMs", maxDelayMs, minDelayMs);
  const { mtuBytes } = resolved;
  if (!(mtuBytes === Infinity || (Number.isInteger(mtuBytes) && mtuBytes >= 48))) {
    throw faultError("mtuBytes", mtuBytes, "an integer of at least 48 or Infinity");
  }
  return { ...resolved, maxDelayMs };
}

const NO_FAULTS: Required<DatagramFaults> = {
  lossChance: 0,
  duplicateChance: 0,
  reorderChance: 0,
  reorderDelayMs: 10,
  minDelayMs: 0,
  maxDelayMs: 0,
  mtuBytes: Infinity,
};
