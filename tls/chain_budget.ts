// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";

/** Bounds on the work of building a chain. */
export interface ChainBudgets {
  /**
   * CAs between leaf and root, self-issued ones left out, 0 to 100.
   *
   * @default {8}
   */
  readonly maxDepth?: number;
  /**
   * Signatures that are checked, 1 to 10,000.
   *
   * @default {100}
   */
  readonly maxSignatures?: number;
  /**
   * Comparisons of a name with a name constraint, and policies that are looked at where a CA
   * requires one, 1 to 10^9.
   *
   * @default {250_000}
   */
  readonly maxNameComparisons?: number;
  /**
   * Issuers that are tried, 1 to 10^6.
   *
   * @default {10_000}
   */
  readonly maxPathSteps?: number;
  /**
   * Intermediate certificates that are given, 0 to 10,000.
   *
   * @default {100}
   */
  readonly maxIntermediates?: number;
}

/** What the work has cost. */
export interface ChainSteps {
  /** Signatures that were checked. */
  readonly signatures: number;
  /** Names that were compared with a name constraint, and policies that were looked at. */
  readonly nameComparisons: number;
  /** Issuers that were tried. */
  readonly pathSteps: number;
}

const BUDGETS = {
  maxDepth: { initial: 8, least: 0, most: 100 },
  maxSignatures: { initial: 100, least: 1, most: 10_000 },
  maxNameComparisons: { initial: 250_000, least: 1, most: 1_000_000_000 },
  maxPathSteps: { initial: 10_000, least: 1, most: 1_000_000 },
  maxIntermediates: { initial: 100, least: 0, most: 10_000 },
} as const satisfies Record<keyof ChainBudgets, unknown>;

/** Counts the work of one chain, and ends it where a bound is passed. */
export class ChainBudget {
  /** Most CAs between leaf and root. */
  readonly maxDepth: number;
  readonly #maxSignatures: number;
  readonly #maxNameComparisons: number;
  readonly #maxPathSteps: number;
  readonly #maxIntermediates: number;
  #signatures = 0;
  #nameComparisons = 0;
  #pathSteps = 0;

  /**
   * Starts at nothing.
   *
   * @param budgets The bounds.
   * @throws {RangeError} If one is out of its range.
   */
  constructor(budgets: ChainBudgets) {
    this.maxDepth = resolve("maxDepth", budgets);
    this.#maxSignatures = resolve("maxSignatures", budgets);
    this.#maxNameComparisons = resolve("maxNameComparisons", budgets);
    this.#maxPathSteps = resolve("maxPathSteps", budgets);
    this.#maxIntermediates = resolve("maxIntermediates", budgets);
  }

  /** What the work has cost so far. */
  get steps(): ChainSteps {
    return {
      signatures: this.#signatures,
      nameComparisons: this.#nameComparisons,
      pathSteps: this.#pathSteps,
    };
  }

  /**
   * Holds that there are not too many intermediates.
   *
   * @param count How many there are.
   * @throws {LimitExceededError} If there are more than `maxIntermediates`.
   */
  checkIntermediates(count: number): void {
    if (count > this.#maxIntermediates) throw passed("maxIntermediates", this.#maxIntermediates);
  }

  /**
   * Counts a signature that is about to be checked.
   *
   * @throws {LimitExceededError} If it is one too many.
   */
  countSignature(): void {
    if (this.#signatures === this.#maxSignatures) throw passed("maxSignatures", this.#signatures);
    this.#signatures++;
  }

  /**
   * Counts a comparison that is about to be made.
   *
   * @throws {LimitExceededError} If it is one too many.
   */
  countNameComparison(): void {
    if (this.#nameComparisons === this.#maxNameComparisons) {
      throw passed("maxNameComparisons", this.#nameComparisons);
    }
    this.#nameComparisons++;
  }

  /**
   * Counts an issuer that is about to be tried.
   *
   * @throws {LimitExceededError} If it is one too many.
   */
  countPathStep(): void {
    if (this.#pathSteps === this.#maxPathSteps) throw passed("maxPathSteps", this.#pathSteps);
    this.#pathSteps++;
  }
}

function resolve(name: keyof ChainBudgets, budgets: ChainBudgets): number {
  const { initial, least, most } = BUDGETS[name];
  const value = budgets[name] ?? initial;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`Cannot build chain: ${name} ${value} is not from ${least} to ${most}`);
}

function passed(limit: keyof ChainBudgets, max: number): LimitExceededError {
  const message = `Cannot build chain: it takes more than ${limit} ${max}`;
  return new LimitExceededError(message, { limit, max });
}
