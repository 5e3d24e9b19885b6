/**
 * The router against a matcher that does the same in another way: it keeps no tree, but compares
 * every route of a set with the path, sorts those that match by how specific they are, and takes
 * the first one that has the method. Route sets, paths and methods come from a seed.
 */

import { parseRoutePattern } from "../../http/route_pattern.ts";
import { RouteTrie } from "../../http/route_trie.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

/** A route of a generated set. */
interface NaiveRoute {
  readonly method: string;
  readonly pattern: string;
}

/** What a search has found: the route, and its parameters. */
interface Found {
  readonly route: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A request on which the two differ. */
export interface RouterDifference {
  readonly seed: number;
  readonly routes: readonly string[];
  readonly request: string;
  readonly ours: string;
  readonly naive: string;
}

const SEGMENTS = ["a", "b", "ab", "7", "0f", "", ":p", ":p", ":i{int}", ":h{hex}", ":f{float}"];
const EXPRESSIONS = [":e{[ab]+}", ":e{\\d{1,2}}", ":u{uuid}"];
const VALUES = ["a", "b", "ab", "7", "-1", "1.5", "0f", "c", "", "190", "é", "A"];
const UUID = "0190163d-8694-739b-aea5-966c26f8ad91";
const METHODS = ["GET", "POST", "HEAD", "*"];
const MAX_DEPTH = 4;
const MAX_ROUTES = 12;
const PATHS_PER_SET = 8;
/** Most specific first; expressions stand behind `float`, in the order of their text. */
const RANKS: readonly [type: RegExp, expression: RegExp][] = [
  [/^uuid$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i],
  [/^int$/, /^-?\d{1,15}$/],
  [/^float$/, /^-?\d+(\.\d+)?$/],
  [/^hex$/, /^[0-9a-f]+$/i],
];

function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[random.int(items.length)]!;
}

/** Names differ by place, as no pattern may have one twice. */
function generatePattern(random: SeededRandom): string {
  let pattern = "";
  const depth = 1 + random.int(MAX_DEPTH);
  for (let index = 0; index < depth; index++) {
    const segment = pick(random, random.int(5) === 0 ? EXPRESSIONS : SEGMENTS);
    pattern += `/${segment.replace(/^:\w/, `$&${index}`)}`;
    if (segment.startsWith(":") && random.int(6) === 0) pattern += "?";
  }
  const optionals = pattern.split("?").length - 1;
  if (random.int(4) === 0) pattern += random.int(3) === 0 && optionals < 4 ? "/*w?" : "/*w";
  return pattern;
}

function generatePath(random: SeededRandom): string {
  let path = "";
  const depth = 1 + random.int(MAX_DEPTH + 1);
  for (let index = 0; index < depth; index++) {
    path += `/${random.int(20) === 0 ? UUID : pick(random, VALUES)}`;
  }
  return path;
}

/** One way to take a path by a pattern: how specific each segment was, and what it gave. */
interface Way {
  readonly ranks: readonly string[];
  readonly params: Readonly<Record<string, unknown>>;
}

/** All ways to take the rest of a path by the rest of a pattern, over lists of text. */
function waysOf(pattern: readonly string[], path: readonly string[]): Way[] {
  const [head, ...rest] = pattern;
  if (head === undefined) return path.length === 0 ? [{ ranks: [], params: {} }] : [];
  const [, kind, name, type, mark] = /^([:*])(\w+)(?:\{(.*)\})?(\?)?$/.exec(head) ?? [];
  if (kind === undefined) {
    return path[0] === head ? prepend("0", {}, waysOf(rest, path.slice(1))) : [];
  }
  const ways: Way[] = [];
  if (mark === "?") {
    ways.push(...prepend(undefined, { [name!]: undefined }, waysOf(rest, path)));
  }
  if (path.length === 0) return ways;
  if (kind === "*") {
    return [{ ranks: ["9"], params: { [name!]: path.join("/") } }, ...ways];
  }
  const taken = take(type, path[0]!);
  if (taken === undefined) return ways;
  return [...prepend(taken.rank, { [name!]: taken.value }, waysOf(rest, path.slice(1))), ...ways];
}

function prepend(
  rank: string | undefined,
  params: Readonly<Record<string, unknown>>,
  ways: readonly Way[],
): Way[] {
  return ways.map((way) => ({
    ranks: rank === undefined ? way.ranks : [rank, ...way.ranks],
    params: { ...params, ...way.params },
  }));
}

function take(
  type: string | undefined,
  text: string,
): { readonly rank: string; readonly value: unknown } | undefined {
  if (text === "") return undefined;
  if (type === undefined) return { rank: "8", value: text };
  const rank = RANKS.findIndex(([name]) => name.test(type));
  if (rank < 0) {
    return new RegExp(`^(?:${type})$`, "u").test(text)
      ? { rank: `7${type}`, value: text }
      : undefined;
  }
  if (!RANKS[rank]![1].test(text)) return undefined;
  return { rank: String(rank + 1), value: /int|float/.test(type) ? Number(text) : text };
}

/** A pattern that has lost all its segments is the root. */
function waysOfRoute(pattern: string, path: string): Way[] {
  const ways = waysOf(pattern.split("/").slice(1), path.split("/").slice(1));
  if (path !== "/") return ways;
  const segments = pattern.split("/").slice(1);
  if (!segments.every((segment) => segment.endsWith("?"))) return ways;
  const params = Object.fromEntries(
    segments.map((segment) => [/\w+/.exec(segment)![0], undefined]),
  );
  return [...ways, { ranks: ["0"], params }];
}

function compareRanks(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index] ?? "", b[index] ?? ""];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function findNaively(
  routes: readonly NaiveRoute[],
  method: string,
  path: string,
): { readonly found: Found | undefined; readonly methods: ReadonlySet<string> } {
  const matches = routes.flatMap((route) =>
    waysOfRoute(route.pattern, path).map((way) => ({ route, ...way }))
  ).sort((a, b) => compareRanks(a.ranks, b.ranks));
  const methods = new Set(matches.map(({ route }) => route.method));
  // Of equal ones, the method itself goes before GET for HEAD, and that before all.
  const wanted = method === "HEAD" ? ["HEAD", "GET", "*"] : [method, "*"];
  for (const { ranks } of matches) {
    const equal = matches.filter((other) => compareRanks(other.ranks, ranks) === 0);
    for (const own of wanted) {
      const match = equal.find(({ route }) => route.method === own);
      if (match === undefined) continue;
      const { route, params } = match;
      return { found: { route: `${route.method} ${route.pattern}`, params }, methods };
    }
  }
  return { found: undefined, methods };
}

/** Adds what can be added: an equal pattern for a method is refused, and left out of both. */
function build(random: SeededRandom): { routes: NaiveRoute[]; trie: RouteTrie<string> } {
  const routes: NaiveRoute[] = [];
  const trie = new RouteTrie<string>();
  for (let left = 1 + random.int(MAX_ROUTES); left > 0; left--) {
    const route = { method: pick(random, METHODS), pattern: generatePattern(random) };
    const method = route.method === "*" ? undefined : route.method;
    try {
      trie.add(parseRoutePattern(route.pattern), method, `${route.method} ${route.pattern}`);
      routes.push(route);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return { routes, trie };
}

/** Sorted and as text, so that two outcomes can be compared. */
function describe(found: Found | undefined, methods: ReadonlySet<string>): string {
  const params = found && Object.entries(found.params).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, value]) => `${name}=${typeof value} ${value}`);
  return `${found?.route} ${params?.join(" ")} of ${[...methods].sort()}`;
}

/**
 * Compares the two on one generated set of routes.
 *
 * @returns The first difference; `undefined` if there is none.
 */
export function compareRouters(seed: number): RouterDifference | undefined {
  const random = new SeededRandom(seed);
  const { routes, trie } = build(random);
  for (let left = PATHS_PER_SET; left > 0; left--) {
    const path = generatePath(random);
    const method = pick(random, ["GET", "POST", "HEAD", "PUT"]);
    const naive = findNaively(routes, method, path);
    const entry = trie.find(method, path, path.length);
    const found = entry && { route: entry.value, params: trie.params(entry) };
    const ours = describe(found, trie.methods());
    const theirs = describe(naive.found, naive.methods);
    if (ours === theirs) continue;
    return {
      seed,
      routes: routes.map((route) => `${route.method} ${route.pattern}`),
      request: `${method} ${path}`,
      ours,
      naive: theirs,
    };
  }
  return undefined;
}

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 100_000);
  for (let seed = 0; seed < count; seed++) {
    const difference = compareRouters(seed);
    if (difference === undefined) continue;
    console.error(difference);
    Deno.exit(1);
  }
  console.log(`${count} sets of routes, ${count * PATHS_PER_SET} requests: no difference`);
}
