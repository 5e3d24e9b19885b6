// This module is sans-I/O.

import { DnsTextError } from "./errors.ts";
import { parseName } from "./name.ts";

/**
 * What became of a name:
 *
 * - `answer`: there are records of the type, or of one of the types.
 * - `nodata`: the name exists without them.
 * - `nxdomain`: it does not exist.
 * - `servfail`: no server gave an answer, and the last one failed with SERVFAIL.
 * - `failed`: the same, by REFUSED, NOTIMP, silence or anything else.
 * - `unreachable`: no server could be sent to at all.
 */
export type SearchOutcome =
  | "answer"
  | "nodata"
  | "nxdomain"
  | "servfail"
  | "failed"
  | "unreachable";

/** Options of a {@linkcode SearchList}. */
export interface SearchListOptions {
  /**
   * Absolute names to complete with, in their order; the root leaves a name as it is.
   *
   * @default {[]}
   */
  readonly search?: readonly string[];
  /**
   * A name with so many dots is asked for as it is first, 0 to 15.
   *
   * @default {1}
   */
  readonly ndots?: number;
  /**
   * Whether a name without a dot is never asked for as it is, unless there is nothing to complete
   * it with.
   *
   * @default {false}
   */
  readonly noTldQuery?: boolean;
}

/** Those that say more about a name stand in front. */
const WEIGHTIEST_FIRST: readonly SearchOutcome[] = [
  "answer",
  "failed",
  "unreachable",
  "servfail",
  "nxdomain",
  "nodata",
];

interface Failure {
  /** `undefined` for a name that is too long to be asked for. */
  readonly name: string | undefined;
  readonly outcome: SearchOutcome;
}

const MAX_NDOTS = 15;

/**
 * The names that a short name may stand for, in the order and with the ends of `res_search` of
 * glibc: a name with enough dots as it is, then completed by each entry of the search list, then as
 * it is if it was not yet. The search goes on after a name that does not exist, has no such
 * records, or fails with SERVFAIL; another failure ends it but for the name as it is; and a name
 * with a dot at its end stands only for itself.
 *
 * @example Two names for one
 * ```ts
 * import { SearchList } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const list = new SearchList("www", { search: ["corp.example.", "example."] });
 * assertEquals(list.next(), "www.corp.example.");
 * list.report("nxdomain");
 * assertEquals(list.next(), "www.example.");
 * list.report("answer");
 * assertEquals(list.next(), undefined);
 * ```
 */
export class SearchList {
  readonly #text: string;
  readonly #hasDots: boolean;
  readonly #isAbsolute: boolean;
  readonly #search: readonly string[];
  readonly #noTldQuery: boolean;
  #state: "first" | "searching" | "last" | "over";
  #index = 0;
  /** Whether an entry of the list left the name as it is. */
  #sawRoot = false;
  #current: string | undefined;
  /** The failure of the name as it is, where that came first: it decides. */
  #first: Failure | undefined;
  #noData: Failure | undefined;
  #servFail: Failure | undefined;
  #latest: Failure | undefined;

  /**
   * Begins a search.
   *
   * @param name The name as it was given, absolute if it ends in a dot.
   * @param options The search list and its rules.
   * @throws {DnsTextError} If it is no name.
   * @throws {RangeError} If `ndots` is not an integer from 0 to 15.
   */
  constructor(name: string, options: SearchListOptions = {}) {
    const { search = [], ndots = 1, noTldQuery = false } = options;
    if (!Number.isInteger(ndots) || ndots < 0 || ndots > MAX_NDOTS) {
      throw new RangeError(
        `Cannot use ndots ${ndots}: expected an integer from 0 to ${MAX_NDOTS}`,
      );
    }
    parseName(name, { origin: "." });
    const dotCount = name.split(".").length - 1;
    this.#text = name;
    this.#hasDots = dotCount > 0;
    this.#isAbsolute = name.endsWith(".");
    this.#search = search;
    this.#noTldQuery = noTldQuery;
    this.#state = this.#isAbsolute || dotCount >= ndots ? "first" : "searching";
  }

  /**
   * Gives the next name to ask for.
   *
   * @returns The absolute name, the same one until {@linkcode SearchList.report}; `undefined` when
   * the search is over.
   */
  next(): string | undefined {
    while (this.#current === undefined && this.#state !== "over") {
      const name = this.#nextCandidate();
      if (typeof name === "string") this.#current = name;
      else if (name !== undefined) this.#fail(name);
    }
    return this.#current;
  }

  /**
   * Tells what became of the name that {@linkcode SearchList.next} gave.
   *
   * @param outcome What became of it.
   * @throws {TypeError} If no name is being asked for.
   */
  report(outcome: SearchOutcome): void {
    const name = this.#current;
    if (name === undefined) throw new TypeError("Cannot report: no name is being asked for");
    this.#current = undefined;
    if (outcome !== "answer") return this.#fail({ name, outcome });
    this.#state = "over";
    this.#first =
      this.#noData =
      this.#servFail =
      this.#latest =
        undefined;
  }

  /**
   * After a search that found nothing, the name whose failure is that of the search: the name as it
   * is if that was asked for first, else the first one without data, else the first that failed with
   * SERVFAIL, else the last one. `undefined` if nothing was asked for, or an answer found.
   */
  get decidingName(): string | undefined {
    return this.#deciding?.name;
  }

  /** What became of that name; `undefined` before the end, and if an answer was found. */
  get decidingOutcome(): SearchOutcome | undefined {
    return this.#deciding?.outcome;
  }

  get #deciding(): Failure | undefined {
    if (this.#state !== "over") return undefined;
    return this.#first ?? this.#noData ?? this.#servFail ?? this.#latest;
  }

  /** The next name; the failure of one that is too long; or `undefined` with another state. */
  #nextCandidate(): string | Failure | undefined {
    if (this.#state === "first") return this.#complete(".");
    if (this.#state === "searching" && this.#index < this.#search.length) {
      const domain = this.#search[this.#index++]!;
      if (domain === ".") this.#sawRoot = true;
      return this.#complete(domain);
    }
    if (this.#state === "searching") {
      this.#state = "last";
      return undefined;
    }
    const wasAsked = this.#first !== undefined || this.#sawRoot;
    const mayAsk = this.#hasDots || this.#index === 0 || !this.#noTldQuery;
    if (!wasAsked && mayAsk) return this.#complete(".");
    this.#state = "over";
    return undefined;
  }

  #complete(origin: string): string | Failure {
    try {
      return parseName(this.#text, { origin });
    } catch (error) {
      if (!(error instanceof DnsTextError)) throw error;
      return { name: undefined, outcome: "failed" };
    }
  }

  #fail(failure: Failure): void {
    const { outcome } = failure;
    this.#latest = failure;
    if (this.#state === "first") {
      this.#first = failure;
      this.#state = this.#isAbsolute ? "over" : "searching";
      return;
    }
    if (this.#state === "last") {
      this.#state = "over";
      return;
    }
    if (outcome === "nodata") this.#noData ??= failure;
    else if (outcome === "servfail") this.#servFail ??= failure;
    else if (outcome === "unreachable") this.#giveUp(failure);
    else if (outcome !== "nxdomain") this.#state = "last";
  }

  /** Without a server there is no use in asking on, and no doubt about the reason. */
  #giveUp(failure: Failure): void {
    this.#first = failure;
    this.#state = "over";
  }
}

/**
 * Gives the outcome of a name that was asked for by several types, as the C library takes it: one
 * answer is enough, and a server that failed weighs more than what another one does not have.
 *
 * @param outcomes The outcome of each type, at least one.
 * @returns The outcome of the name.
 *
 * @example No answer is not the last word
 * ```ts
 * import { combineOutcomes } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(combineOutcomes(["answer", "servfail"]), "answer");
 * assertEquals(combineOutcomes(["nodata", "servfail"]), "servfail");
 * ```
 */
export function combineOutcomes(outcomes: readonly SearchOutcome[]): SearchOutcome {
  return WEIGHTIEST_FIRST.find((outcome) => outcomes.includes(outcome)) ?? "nodata";
}
