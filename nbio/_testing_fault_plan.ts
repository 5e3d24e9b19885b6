// This module is sans-I/O.

/**
 * {@linkcode FaultPlan}: which fault comes at which byte of a stream.
 *
 * @module
 */

import { checkChance, checkDelay, faultError } from "./_testing_check_faults.ts";
import type { FaultEnd, ReadFaults, WriteFaults } from "./testing_faults.ts";
import type { SeededRandom } from "./testing_random.ts";

/** The faults of one direction of either kind. */
export type DirectionFaults = ReadFaults & WriteFaults;

/** A stretch of the stream that no operation goes beyond. */
interface Piece {
  /** What of it is to come; `Infinity` for one that ends with the operation. */
  remainingBytes: number;
  /** To wait before it; 0 once that is done. */
  delayMs: number;
  /** Whether to wait until there is more of it; `false` once that is done. */
  isGathered: boolean;
}

/** Draws are made up to here; a longer piece would not differ from none. */
const MAX_DRAWN_BYTES = 0x8000_0000;

/**
 * The faults of one direction by position in the stream, so that they do not
 * depend on how much an operation asks for, nor on when.
 */
export class FaultPlan {
  /** How long gathering waits. */
  readonly coalesceMs: number;
  /** How the direction ends; `undefined` if it does not. */
  readonly end: FaultEnd | undefined;
  readonly #endBytes: number;
  readonly #faults: Required<Omit<DirectionFaults, "coalesceMs" | `${string}AfterBytes`>>;
  readonly #random: SeededRandom;
  #offset = 0;
  #piece: Piece | undefined;

  /** Makes a plan; throws a `RangeError` if a fault is out of its range. */
  constructor(faults: DirectionFaults, random: SeededRandom) {
    const {
      maxPieceBytes = Infinity,
      delayChance = 0,
      coalesceChance = 0,
      coalesceMs = 50,
    } = faults;
    const { minDelayMs = Math.min(1, faults.maxDelayMs ?? 1) } = faults;
    const { maxDelayMs = Math.max(100, minDelayMs) } = faults;
    checkBytes("maxPieceBytes", maxPieceBytes, 1);
    checkChance("delayChance", delayChance);
    checkChance("coalesceChance", coalesceChance);
    checkDelay("minDelayMs", minDelayMs, 0);
    checkDelay("maxDelayMs", maxDelayMs, minDelayMs);
    checkDelay("coalesceMs", coalesceMs, 1);
    this.coalesceMs = coalesceMs;
    this.#faults = { maxPieceBytes, delayChance, minDelayMs, maxDelayMs, coalesceChance };
    [this.end, this.#endBytes] = findEnd(faults);
    this.#random = random;
  }

  /** Bytes that have passed. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether the direction has come to its end. */
  get isAtEnd(): boolean {
    return this.#offset >= this.#endBytes;
  }

  /** Most bytes that the next operation may move: at least 1 before the end. */
  get limitBytes(): number {
    return Math.min(this.#current().remainingBytes, this.#endBytes - this.#offset);
  }

  /** The delay before the next byte, each one told once. */
  takeDelay(): number {
    const piece = this.#current();
    const { delayMs } = piece;
    piece.delayMs = 0;
    return delayMs;
  }

  /** Whether the next bytes are to be gathered, told once. */
  takeGathering(): boolean {
    const piece = this.#current();
    const { isGathered } = piece;
    piece.isGathered = false;
    return isGathered;
  }

  /** Takes note of bytes that have passed. */
  advance(byteCount: number): void {
    if (byteCount === 0) return;
    const piece = this.#current();
    this.#offset += byteCount;
    piece.remainingBytes -= byteCount;
    if (piece.remainingBytes === 0 || piece.remainingBytes === Infinity) this.#piece = undefined;
  }

  #current(): Piece {
    return this.#piece ??= this.#drawPiece();
  }

  /** The same draws for every piece, so that one fault does not shift the others. */
  #drawPiece(): Piece {
    const random = this.#random;
    const { maxPieceBytes, delayChance, minDelayMs, maxDelayMs, coalesceChance } = this.#faults;
    const length = random.length(Math.min(maxPieceBytes, MAX_DRAWN_BYTES));
    const isDelayed = random.chance(delayChance);
    const delayMs = random.between(minDelayMs, maxDelayMs);
    return {
      remainingBytes: maxPieceBytes === Infinity ? Infinity : length,
      delayMs: isDelayed ? delayMs : 0,
      isGathered: random.chance(coalesceChance),
    };
  }
}

/** The first end that comes; ties go by the order of {@linkcode FaultEnd}. */
function findEnd(faults: DirectionFaults): [FaultEnd | undefined, number] {
  const ends: readonly [FaultEnd, string, number | undefined][] = [
    ["reset", "resetAfterBytes", faults.resetAfterBytes],
    ["stall", "stallAfterBytes", faults.stallAfterBytes],
    ["truncate", "truncateAfterBytes", faults.truncateAfterBytes],
    ["lose", "loseAfterBytes", faults.loseAfterBytes],
    ["half-close", "halfCloseAfterBytes", faults.halfCloseAfterBytes],
  ];
  let first: FaultEnd | undefined;
  let firstBytes = Infinity;
  for (const [end, name, afterBytes = Infinity] of ends) {
    checkBytes(name, afterBytes, 0);
    if (afterBytes >= firstBytes) continue;
    first = end;
    firstBytes = afterBytes;
  }
  return [first, firstBytes];
}

function checkBytes(name: string, value: number, min: number): void {
  if (value === Infinity || (Number.isSafeInteger(value) && value >= min)) return;
  throw faultError(name, value, `an integer of at least ${min} or Infinity`);
}
