// This module is sans-I/O.

import { resolveBound } from "./limits.ts";
import { LiteralTable } from "./route_literal_table.ts";
import {
  isOfType,
  NAMED_TYPES,
  type NamedRouteParamType,
  numberOf,
  type RouteParamType,
} from "./route_param_type.ts";
import {
  type ExpandOptions,
  expandPattern,
  type RoutePattern,
  type RouteSegment,
} from "./route_pattern.ts";

const SLASH = 0x2f;
const PERCENT = 0x25;
const DOT = 0x2e;
const HIGHEST_ASCII = 0x7f;
const MULTIPLIER = 31;
const DEFAULT_MAX_EXPRESSION_LENGTH = 1024;

/** What a matched parameter is made of. */
const Source = { TEXT: 0, NUMBER: 1, REST: 2, ABSENT: 3 } as const;

/** One value of a trie, with the parameters of the pattern it was added under. */
export interface RouteEntry<T> {
  /** What was added. */
  readonly value: T;
  /** Whether the pattern has no parameters. */
  readonly isStatic: boolean;
  /** Names of the parameters. */
  readonly names: readonly string[];
  /** Where the parameter is: the index of a segment. */
  readonly places: readonly number[];
  /** What each is made of. */
  readonly sources: readonly number[];
}

/** The values of the patterns that end at one place, by method. */
class Leaf<T> {
  readonly methods: string[] = [];
  readonly entries: RouteEntry<T>[] = [];
  any: RouteEntry<T> | undefined;

  /** RFC 9110 section 9.3.2: who answers GET can answer HEAD. */
  find(method: string): RouteEntry<T> | undefined {
    const { methods } = this;
    for (let index = 0; index < methods.length; index++) {
      if (methods[index] === method) return this.entries[index];
    }
    if (method === "HEAD") {
      const index = methods.indexOf("GET");
      if (index >= 0) return this.entries[index];
    }
    return this.any;
  }
}

/** A child for segments of a type. */
interface TypedEdge<T> {
  /** Equal for edges that accept the same. */
  readonly key: string;
  /** Edges are tried in this order. */
  readonly rank: number;
  readonly type: NamedRouteParamType | "expression";
  readonly expression: RegExp | undefined;
  readonly node: Node<T>;
}

class Node<T> {
  readonly literals: LiteralTable<Node<T>> = new LiteralTable();
  readonly typed: TypedEdge<T>[] = [];
  param: Node<T> | undefined;
  leaf: Leaf<T> | undefined;
  wildcard: Leaf<T> | undefined;
}

/** Options of {@linkcode RouteTrie}. */
export interface RouteTrieOptions extends ExpandOptions {
  /**
   * Longest segment that an expression is tried on; what is longer does not
   * match. 0 or Infinity for no bound.
   *
   * @default {1024}
   */
  readonly maxExpressionLength?: number;
}

/**
 * The patterns of a router as a tree of segments. Where several match, the most
 * specific one wins at the first segment in which they differ, whatever the
 * order in which they were added: literal text, then the types `uuid`, `int`,
 * `float`, `hex`, then expressions (by their text), then plain parameters, then
 * wildcards. Where that one lacks the method, the next one is asked.
 *
 * A search visits every node of the tree at most once, and allocates nothing.
 *
 * @typeParam T What is found.
 *
 * @example The most specific pattern that has the method
 * ```ts
 * import { parseRoutePattern, RouteTrie } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const trie = new RouteTrie<string>();
 * trie.add(parseRoutePattern("/users/:name"), "GET", "by name");
 * trie.add(parseRoutePattern("/users/:id{int}"), "GET", "by id");
 * trie.add(parseRoutePattern("/users/me"), "PUT", "myself");
 *
 * const entry = trie.find("GET", "/users/7", 8)!;
 * assertEquals([entry.value, trie.params(entry)], ["by id", { id: 7 }]);
 * assertEquals(trie.find("GET", "/users/me", 9)?.value, "by name");
 * assertEquals(trie.find("DELETE", "/users/me", 9), undefined);
 * assertEquals([...trie.methods()], ["PUT", "GET"]);
 * ```
 */
export class RouteTrie<T> {
  readonly #root: Node<T> = new Node();
  readonly #maxExpressionLength: number;
  readonly #expansion: ExpandOptions;
  // What the last scan saw: hash and end of every segment that the tree reaches.
  #hashes: Int32Array = new Int32Array(2);
  #stops: Int32Array = new Int32Array(2);
  #text = "";
  #end = 0;
  #count = 0;

  /**
   * Makes an empty trie.
   *
   * @param options Bounds.
   * @throws {RangeError} If `maxExpressionLength` is not an integer of at least 0.
   */
  constructor(options: RouteTrieOptions = {}) {
    const { maxExpressionLength = DEFAULT_MAX_EXPRESSION_LENGTH } = options;
    this.#expansion = options;
    this.#maxExpressionLength = resolveBound("maxExpressionLength", maxExpressionLength);
  }

  /**
   * Adds a value.
   *
   * @param pattern Where to.
   * @param method Method it is for; `undefined` for all without one of their own.
   * @param value What is to be found.
   * @throws {TypeError} If an equal pattern has a value for the method.
   */
  add(pattern: RoutePattern, method: string | undefined, value: T): void {
    const variants = expandPattern(pattern, this.#expansion);
    const leaves = variants.map((segments) => this.#leafAt(segments));
    for (const leaf of leaves) checkFree(leaf, method, pattern);
    variants.forEach((segments, index) => {
      put(leaves[index]!, method, entryOf(segments, pattern, value));
    });
  }

  /**
   * Looks a path up.
   *
   * @param method Method of the request.
   * @param text Canonical text that begins with the path.
   * @param end Index behind the path.
   * @returns The entry of the most specific pattern with that method.
   */
  find(method: string, text: string, end: number): RouteEntry<T> | undefined {
    this.scan(text, end);
    return this.match(method);
  }

  /**
   * Takes a path in, for the methods below.
   *
   * @param text Text that begins with the path, as it was sent or canonical.
   * @param end Index behind the path.
   * @returns Whether the path is canonical by all options that there are: no
   * percent sign, no dot at the start of a segment, no empty segment but the
   * last, and nothing but ASCII.
   */
  scan(text: string, end: number): boolean {
    const hashes = this.#hashes;
    const stops = this.#stops;
    const room = stops.length;
    let isPlain = true;
    let hash = 0;
    let count = 0;
    let previous = SLASH;
    for (let at = 1; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === SLASH) {
        if (previous === SLASH) isPlain = false;
        if (count < room) {
          hashes[count] = hash;
          stops[count] = at;
        }
        count++;
        hash = 0;
      } else {
        if (code === PERCENT || code > HIGHEST_ASCII || (code === DOT && previous === SLASH)) {
          isPlain = false;
        }
        hash = Math.imul(hash, MULTIPLIER) + code | 0;
      }
      previous = code;
    }
    if (count < room) {
      hashes[count] = hash;
      stops[count] = end;
    }
    this.#text = text;
    this.#end = end;
    // No path is without a slash in front: `*`, or the end of an authority.
    this.#count = end > 0 && text.charCodeAt(0) === SLASH ? count + 1 : 0;
    return isPlain;
  }

  /**
   * The entry for the path of the last scan.
   *
   * @param method Method of the request.
   */
  match(method: string): RouteEntry<T> | undefined {
    return this.#count === 0 ? undefined : this.#walk(this.#root, 0, method, undefined);
  }

  /** The methods of all patterns that match the path of the last scan; `*` for any. */
  methods(): Set<string> {
    const methods = new Set<string>();
    for (const leaf of this.#leaves()) {
      for (const own of leaf.methods) methods.add(own);
      if (leaf.any !== undefined) methods.add("*");
    }
    return methods;
  }

  /** The values of all patterns that match the path of the last scan, of any method. */
  values(): T[] {
    return this.#leaves().flatMap(({ entries, any }) =>
      [...entries, ...any === undefined ? [] : [any]].map(({ value }) => value)
    );
  }

  #leaves(): Leaf<T>[] {
    const found: Leaf<T>[] = [];
    if (this.#count > 0) this.#walk(this.#root, 0, "", found);
    return found;
  }

  /**
   * The parameters of an entry that the last search has found.
   *
   * @param entry The entry.
   */
  params(entry: RouteEntry<T>): Record<string, string | number | undefined> {
    const params: Record<string, string | number | undefined> = {};
    const { names, places, sources } = entry;
    for (let index = 0; index < names.length; index++) {
      params[names[index]!] = this.#read(places[index]!, sources[index]!);
    }
    return params;
  }

  #read(place: number, source: number): string | number | undefined {
    if (source === Source.ABSENT) return undefined;
    const start = place === 0 ? 1 : this.#stops[place - 1]! + 1;
    if (source === Source.REST) return this.#text.slice(start, this.#end);
    const stop = this.#stops[place]!;
    return source === Source.NUMBER
      ? numberOf(this.#text, start, stop)
      : this.#text.slice(start, stop);
  }

  /** Searches below a node; with `found` it collects leaves and finds nothing. */
  #walk(
    node: Node<T>,
    index: number,
    method: string,
    found: Leaf<T>[] | undefined,
  ): RouteEntry<T> | undefined {
    const start = index === 0 ? 1 : this.#stops[index - 1]! + 1;
    const stop = this.#stops[index]!;
    const literal = node.literals.find(this.#hashes[index]!, this.#text, start, stop);
    if (literal !== undefined) {
      const entry = this.#descend(literal, index, method, found);
      if (entry !== undefined) return entry;
    }
    if (stop > start) {
      for (const edge of node.typed) {
        if (!this.#accepts(edge, start, stop)) continue;
        const entry = this.#descend(edge.node, index, method, found);
        if (entry !== undefined) return entry;
      }
      if (node.param !== undefined) {
        const entry = this.#descend(node.param, index, method, found);
        if (entry !== undefined) return entry;
      }
    }
    return node.wildcard === undefined ? undefined : take(node.wildcard, method, found);
  }

  #descend(
    node: Node<T>,
    index: number,
    method: string,
    found: Leaf<T>[] | undefined,
  ): RouteEntry<T> | undefined {
    if (index + 1 < this.#count) return this.#walk(node, index + 1, method, found);
    return node.leaf === undefined ? undefined : take(node.leaf, method, found);
  }

  #accepts(edge: TypedEdge<T>, start: number, stop: number): boolean {
    if (edge.type !== "expression") return isOfType(edge.type, this.#text, start, stop);
    if (stop - start > this.#maxExpressionLength) return false;
    return edge.expression!.test(this.#text.slice(start, stop));
  }

  /** The leaf at which a list of segments ends; it is made where there is none. */
  #leafAt(segments: readonly RouteSegment[]): Leaf<T> {
    this.#reserve(segments.length + 1);
    let node = this.#root;
    for (const segment of segments) {
      if (segment.kind === "param" && segment.type === "path") return node.wildcard ??= new Leaf();
      node = childOf(node, segment);
    }
    return node.leaf ??= new Leaf();
  }

  /** Room for the segments of the deepest pattern, and one behind. */
  #reserve(count: number): void {
    if (count <= this.#stops.length) return;
    this.#stops = new Int32Array(count);
    this.#hashes = new Int32Array(count);
  }
}

function take<T>(
  leaf: Leaf<T>,
  method: string,
  found: Leaf<T>[] | undefined,
): RouteEntry<T> | undefined {
  if (found === undefined) return leaf.find(method);
  found.push(leaf);
  return undefined;
}

function childOf<T>(node: Node<T>, segment: RouteSegment): Node<T> {
  if (segment.kind === "literal") {
    return node.literals.get(segment.text) ?? node.literals.set(segment.text, new Node());
  }
  const { type, expression } = segment;
  if (type === "string" || type === "path") return node.param ??= new Node();
  const key = `${type} ${expression?.source ?? ""}`;
  const present = node.typed.find((edge) => edge.key === key);
  if (present !== undefined) return present.node;
  const rank = type === "expression" ? NAMED_TYPES.length : NAMED_TYPES.indexOf(type);
  const edge = { key, rank, type, expression, node: new Node<T>() };
  node.typed.push(edge);
  node.typed.sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : 1));
  return edge.node;
}

function checkFree<T>(leaf: Leaf<T>, method: string | undefined, pattern: RoutePattern): void {
  const isTaken = method === undefined ? leaf.any !== undefined : leaf.methods.includes(method);
  if (!isTaken) return;
  throw new TypeError(
    `Cannot add route ${method ?? "*"} ${pattern.source}: an equal pattern has that method`,
  );
}

function put<T>(leaf: Leaf<T>, method: string | undefined, entry: RouteEntry<T>): void {
  if (method === undefined) {
    leaf.any = entry;
  } else {
    leaf.methods.push(method);
    leaf.entries.push(entry);
  }
}

function entryOf<T>(
  segments: readonly RouteSegment[],
  pattern: RoutePattern,
  value: T,
): RouteEntry<T> {
  const names = pattern.params.map(({ name }) => name);
  const places: number[] = [];
  const sources: number[] = [];
  for (const { name, type } of pattern.params) {
    const place = segments.findIndex((segment) =>
      segment.kind === "param" && segment.name === name
    );
    places.push(place);
    sources.push(place < 0 ? Source.ABSENT : sourceOf(type));
  }
  return { value, isStatic: names.length === 0, names, places, sources };
}

function sourceOf(type: RouteParamType): number {
  if (type === "path") return Source.REST;
  return type === "int" || type === "float" ? Source.NUMBER : Source.TEXT;
}
