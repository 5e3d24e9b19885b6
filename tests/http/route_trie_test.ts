import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseRoutePattern } from "../../http/route_pattern.ts";
import { RouteTrie, type RouteTrieOptions } from "../../http/route_trie.ts";

function trieOf(patterns: readonly string[], options: RouteTrieOptions = {}): RouteTrie<string> {
  const trie = new RouteTrie<string>(options);
  for (const each of patterns) {
    const [method, pattern] = each.includes(" ") ? each.split(" ") : ["GET", each];
    trie.add(parseRoutePattern(pattern!), method === "ANY" ? undefined : method, each);
  }
  return trie;
}

/** What is found: the pattern and the parameters. */
function find(trie: RouteTrie<string>, path: string, method = "GET"): unknown[] | undefined {
  const entry = trie.find(method, path, path.length);
  return entry === undefined ? undefined : [entry.value, trie.params(entry)];
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest])
  );
}

const UUID = "0190163d-8694-739b-aea5-966c26f8ad91";

Deno.test("RouteTrie.values() gives all that match a path, of any method", () => {
  const trie = trieOf(["GET /a/b", "PUT /a/:x", "ANY /a/:x", "DELETE /*r", "GET /c"]);
  const valuesOf = (path: string) => {
    trie.scan(path, path.length);
    return trie.values().sort();
  };
  assertEquals(valuesOf("/a/b"), ["ANY /a/:x", "DELETE /*r", "GET /a/b", "PUT /a/:x"]);
  assertEquals(valuesOf("/"), ["DELETE /*r"]);
  assertEquals(valuesOf("*"), []);
});

Deno.test("RouteTrie.find() takes the most specific pattern in any order of registration", () => {
  const patterns = ["/a/7", "/a/:u{uuid}", "/a/:i{int}", "/a/:h{hex}", "/a/:s", "/*r"];
  const wanted: [path: string, found: unknown[]][] = [
    ["/a/7", ["/a/7", {}]],
    [`/a/${UUID}`, ["/a/:u{uuid}", { u: UUID }]],
    ["/a/8", ["/a/:i{int}", { i: 8 }]],
    ["/a/ff", ["/a/:h{hex}", { h: "ff" }]],
    ["/a/x", ["/a/:s", { s: "x" }]],
    ["/a/x/y", ["/*r", { r: "a/x/y" }]],
    ["/a/", ["/*r", { r: "a/" }]],
    ["/", ["/*r", { r: "" }]],
  ];
  for (const order of permutations(patterns)) {
    const trie = trieOf(order);
    for (const [path, found] of wanted) assertEquals(find(trie, path), found);
  }
});

Deno.test("RouteTrie.find() orders expressions by their text, behind the named types", () => {
  for (const order of permutations(["/:x{\\w+}", "/:y{[a-z]+}", "/:f{float}", "/:p"])) {
    const trie = trieOf(order);
    assertEquals(find(trie, "/abc"), ["/:y{[a-z]+}", { y: "abc" }]);
    assertEquals(find(trie, "/ABC"), ["/:x{\\w+}", { x: "ABC" }]);
    assertEquals(find(trie, "/1.5"), ["/:f{float}", { f: 1.5 }]);
    assertEquals(find(trie, "/a-b"), ["/:p", { p: "a-b" }]);
  }
});

Deno.test("RouteTrie.find() goes back where a more specific segment leads nowhere", () => {
  const trie = trieOf(["/a/b/c", "/a/:x/d", "/:y/b/e", "/:z{int}/b/f", "/*rest"]);
  assertEquals(find(trie, "/a/b/c"), ["/a/b/c", {}]);
  assertEquals(find(trie, "/a/b/d"), ["/a/:x/d", { x: "b" }]);
  assertEquals(find(trie, "/a/b/e"), ["/:y/b/e", { y: "a" }]);
  assertEquals(find(trie, "/7/b/e"), ["/:y/b/e", { y: "7" }]);
  assertEquals(find(trie, "/7/b/f"), ["/:z{int}/b/f", { z: 7 }]);
  assertEquals(find(trie, "/a/b/g"), ["/*rest", { rest: "a/b/g" }]);
});

Deno.test("RouteTrie.find() goes on where the method is missing", () => {
  const trie = trieOf(["PUT /a/b", "POST /a/:x", "ANY /:y/b", "DELETE /*r"]);
  assertEquals(find(trie, "/a/b", "PUT"), ["PUT /a/b", {}]);
  assertEquals(find(trie, "/a/b", "POST"), ["POST /a/:x", { x: "b" }]);
  assertEquals(find(trie, "/a/b", "GET"), ["ANY /:y/b", { y: "a" }]);
  // The answer to all methods stands in front of what is less specific.
  assertEquals(find(trie, "/a/b", "DELETE"), ["ANY /:y/b", { y: "a" }]);
  assertEquals(find(trie, "/a/c", "DELETE"), ["DELETE /*r", { r: "a/c" }]);
  assertEquals(find(trie, "/a/c", "GET"), undefined);
  trie.scan("/a/b", 4);
  assertEquals(trie.methods(), new Set(["PUT", "POST", "*", "DELETE"]));
});

Deno.test("RouteTrie.find() answers HEAD by GET, unless it has a route of its own", () => {
  const trie = trieOf(["GET /a", "GET /b", "HEAD /b", "ANY /a"]);
  assertEquals(find(trie, "/a", "HEAD"), ["GET /a", {}]);
  assertEquals(find(trie, "/b", "HEAD"), ["HEAD /b", {}]);
  assertEquals(find(trie, "/a", "get"), ["ANY /a", {}]);
});

Deno.test("RouteTrie.find() does not answer HEAD where nothing answers GET", () => {
  const trie = trieOf(["POST /a", "POST /b", "ANY /b", "GET /*r"]);
  assertEquals(find(trie, "/a", "HEAD"), ["GET /*r", { r: "a" }]);
  assertEquals(find(trie, "/b", "HEAD"), ["ANY /b", {}]);
  assertEquals(find(trieOf(["POST /a"]), "/a", "HEAD"), undefined);
});

Deno.test("RouteTrie.find() takes paths of far more segments than any pattern has", () => {
  const trie = trieOf(["/a/b", "/c/:x/*r"]);
  const deep = "/s".repeat(4_000);
  assertEquals(find(trie, `/a/b${deep}`), undefined);
  assertEquals(find(trie, `/c/d${deep}`), ["/c/:x/*r", { x: "d", r: deep.slice(1) }]);
});

Deno.test("RouteTrie.find() knows slashes from no slashes", () => {
  const trie = trieOf(["/", "/a", "/b/", "/c//d", "/:p/x"]);
  assertEquals(find(trie, "/"), ["/", {}]);
  assertEquals(find(trie, "/a"), ["/a", {}]);
  assertEquals(find(trie, "/b/"), ["/b/", {}]);
  assertEquals(find(trie, "/c//d"), ["/c//d", {}]);
  for (const path of ["", "a", "*", "//", "/a/", "/b", "/b//", "/c/d", "//x", "http://a/"]) {
    assertEquals(find(trie, path), undefined, path);
  }
});

Deno.test("RouteTrie.find() takes a pattern with and without a slash where it is told", () => {
  const trie = trieOf(["/", "/a", "/b/", "/:p{int}"], { ignoresTrailingSlash: true });
  for (const path of ["/a", "/a/"]) assertEquals(find(trie, path), ["/a", {}]);
  for (const path of ["/b", "/b/"]) assertEquals(find(trie, path), ["/b/", {}]);
  for (const path of ["/7", "/7/"]) assertEquals(find(trie, path), ["/:p{int}", { p: 7 }]);
  for (const path of ["//", "/a//", "/c"]) assertEquals(find(trie, path), undefined);
  assertThrows(() => trie.add(parseRoutePattern("/a/"), "GET", ""), TypeError);
});

Deno.test("RouteTrie.find() gives optional parameters", () => {
  const trie = trieOf(["/:lang{de|en}?/docs/:page?", "/f/*rest?"]);
  const found = (path: string) => find(trie, path)?.[1];
  assertEquals(found("/docs"), { lang: undefined, page: undefined });
  assertEquals(found("/de/docs"), { lang: "de", page: undefined });
  assertEquals(found("/docs/a"), { lang: undefined, page: "a" });
  assertEquals(found("/en/docs/a"), { lang: "en", page: "a" });
  assertEquals(found("/fr/docs"), undefined);
  assertEquals(found("/f"), { rest: undefined });
  assertEquals(found("/f/"), { rest: "" });
});

Deno.test("RouteTrie.find() looks no further than the path", () => {
  const trie = trieOf(["/a/:b", "/r/*rest"]);
  const entry = trie.find("GET", "/a/b?c/d", 4)!;
  assertEquals(trie.params(entry), { b: "b" });
  const rest = trie.find("GET", "/r/x/y?z", 6)!;
  assertEquals(trie.params(rest), { rest: "x/y" });
  assertEquals(trie.find("GET", "/a/b/c", 6), undefined);
});

Deno.test("RouteTrie.find() bounds what expressions are tried on", () => {
  const trie = trieOf(["/:a{a+}"], { maxExpressionLength: 3 });
  assertEquals(find(trie, "/aaa"), ["/:a{a+}", { a: "aaa" }]);
  assertEquals(find(trie, "/aaaa"), undefined);
  assertEquals(find(trieOf(["/:a{a+}"]), `/${"a".repeat(1_025)}`), undefined);
  const open = trieOf(["/:a{a+}"], { maxExpressionLength: 0 });
  assert(find(open, `/${"a".repeat(1_025)}`) !== undefined);
});

Deno.test("RouteTrie.add() throws on an equal pattern and changes nothing", () => {
  const trie = trieOf(["/a/:b", "/c", "ANY /c"]);
  for (const [method, pattern] of [["GET", "/a/:x"], ["GET", "/c"], [undefined, "/c"]] as const) {
    assertThrows(() => trie.add(parseRoutePattern(pattern), method, "x"), TypeError);
  }
  assertThrows(() => trie.add(parseRoutePattern("/c/:d?"), "GET", "x"), TypeError);
  assertEquals(find(trie, "/c/d"), undefined);
  trie.add(parseRoutePattern("/a/:x"), "PUT", "put");
  assertEquals(find(trie, "/a/1", "PUT"), ["put", { x: "1" }]);
});

Deno.test("RouteTrie takes no bound that is none", () => {
  for (const maxExpressionLength of [-1, 1.5, NaN]) {
    assertThrows(() => new RouteTrie({ maxExpressionLength }), RangeError);
  }
});

Deno.test("RouteTrie.scan() tells plain paths", () => {
  const trie = trieOf(["/a"]);
  const plain = ["/", "/a", "/a/", "/a.b/c..d", "/a/b;c"];
  const others = ["/%41", "//", "/a//", "/a//b", "/.", "/a/..", "/.a", "/\u00e9", "/\u20ac"];
  assertEquals(plain.filter((path) => !trie.scan(path, path.length)), []);
  assertEquals(others.filter((path) => trie.scan(path, path.length)), []);
});

/** Milliseconds that searching once takes, at best of some. */
function costMs(trie: RouteTrie<string>, path: string): number {
  let bestMs = Infinity;
  for (let turn = 0; turn < 5; turn++) {
    const startMs = performance.now();
    trie.find("GET", path, path.length);
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return bestMs;
}

Deno.test("RouteTrie.find() visits a node once, however many ways there are back", () => {
  // Each depth has two edges that match: 2^12 ways for a search that forgets.
  const trie = new RouteTrie<string>();
  for (let ways = 0; ways < 1 << 12; ways += 37) {
    let pattern = "";
    for (let depth = 0; depth < 12; depth++) pattern += ways >> depth & 1 ? "/a" : `/:p${depth}`;
    trie.add(parseRoutePattern(`${pattern}/end`), "GET", pattern);
  }
  const path = `${"/a".repeat(12)}/no`;
  assertEquals(find(trie, path), undefined);
  assert(costMs(trie, path) < 50);
  assert(costMs(trie, `/${"a".repeat(1_000_000)}`) < 500);
});
