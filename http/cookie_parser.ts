// This module is sans-I/O.

import { isBlank } from "./ascii.ts";
import { resolveBound } from "./limits.ts";

const SEMICOLON = 0x3b;
const DEFAULT_MAX_COUNT = 3_000;

/** Options of {@linkcode parseCookies}. */
export interface ParseCookiesOptions {
  /**
   * Most pairs that are read, at least 1; what follows them is ignored. 0 or
   * Infinity for no bound.
   *
   * @default {3000}
   */
  readonly maxCookieCount?: number;
}

/**
 * The cookies of a request: name and value pairs in the order the client sent
 * them, duplicates kept. Clients send the cookie with the longest path first,
 * but never say which path or domain a cookie belongs to: two of one name may
 * come from different owners.
 *
 * @example Two cookies of one name
 * ```ts
 * import { parseCookies } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const cookies = parseCookies("theme=dark; lang=en; theme=light");
 * assertEquals(cookies.get("theme"), "dark");
 * assertEquals(cookies.getAll("theme"), ["dark", "light"]);
 * assertEquals(cookies.size, 3);
 * ```
 */
export class RequestCookies implements Iterable<[name: string, value: string]> {
  readonly #names: readonly string[];
  readonly #values: readonly string[];

  /**
   * Made by {@linkcode parseCookies}.
   *
   * @param names Names in order.
   * @param values The value of each.
   */
  constructor(names: readonly string[], values: readonly string[]) {
    this.#names = names;
    this.#values = values;
  }

  /** Number of pairs, duplicates counted. */
  get size(): number {
    return this.#names.length;
  }

  /**
   * The first value of a name. Linear in the number of pairs.
   *
   * @param name Name; case matters.
   * @returns The value as it was sent, or `undefined` without such a cookie.
   */
  get(name: string): string | undefined {
    const index = this.#names.indexOf(name);
    return index < 0 ? undefined : this.#values[index];
  }

  /**
   * Every value of a name, in order.
   *
   * @param name Name; case matters.
   * @returns The values as they were sent; none without such a cookie.
   */
  getAll(name: string): string[] {
    return this.#values.filter((_, index) => this.#names[index] === name);
  }

  /**
   * Whether there is such a cookie.
   *
   * @param name Name; case matters.
   */
  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** Name and value of every pair, in order. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let index = 0; index < this.#names.length; index++) {
      yield [this.#names[index]!, this.#values[index]!];
    }
  }
}

/**
 * Reads the value of a `Cookie` field, or of several, which are taken as one.
 *
 * Reading is lenient, because a server cannot choose what other servers of its
 * domain have set, and mirrors how RFC 6265bis section 5 has clients write the
 * field: pairs end at `;` and nowhere else, a name ends at the first `=`, spaces
 * and tabs around both are dropped, and a pair without `=` is the value of a
 * cookie without a name. Values stay as they are: quotation marks belong to
 * them, and percent-encoding is between those who set a cookie and who read it.
 *
 * No other white space is dropped: a client that lets a script set a cookie
 * named `__Host-sid` behind a U+00A0 takes it for an ordinary one, and so must
 * the server.
 *
 * Takes time linear in the length of the field.
 *
 * @param field Value of the field, or the value of each; `undefined` for none.
 * @param options How many pairs to read.
 * @returns The cookies. Every text gives some; none is an error.
 * @throws {RangeError} If `maxCookieCount` is no whole number of at least 0.
 *
 * @example What is odd is read, not refused
 * ```ts
 * import { parseCookies } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const cookies = parseCookies(' a = "1" ;; b=c=d; nameless');
 * assertEquals([...cookies], [["a", '"1"'], ["b", "c=d"], ["", "nameless"]]);
 * ```
 */
export function parseCookies(
  field: string | readonly string[] | undefined,
  options: ParseCookiesOptions = {},
): RequestCookies {
  const maxCount = resolveBound("maxCookieCount", options.maxCookieCount ?? DEFAULT_MAX_COUNT);
  const names: string[] = [];
  const values: string[] = [];
  const fields = typeof field === "string" ? [field] : field ?? [];
  for (const text of fields) {
    if (names.length >= maxCount) break;
    readPairs(text, names, values, maxCount);
  }
  return new RequestCookies(names, values);
}

function readPairs(text: string, names: string[], values: string[], maxCount: number): void {
  for (let start = 0; start < text.length && names.length < maxCount;) {
    // One look at every character: a search for "=" would run past the pair.
    let end = start;
    let equals = -1;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === SEMICOLON) break;
      if (equals < 0 && code === 0x3d) equals = end;
    }
    addPair(text, start, equals, end, names, values);
    start = end + 1;
  }
}

function addPair(
  text: string,
  start: number,
  equals: number,
  end: number,
  names: string[],
  values: string[],
): void {
  const name = equals < 0 ? "" : trimmed(text, start, equals);
  const value = trimmed(text, equals < 0 ? start : equals + 1, end);
  // RFC 6265bis section 5.7: a cookie with neither is never stored.
  if (name === "" && value === "") return;
  names.push(name);
  values.push(value);
}

/** The text without spaces and tabs at its ends, and with every other white space. */
function trimmed(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}
