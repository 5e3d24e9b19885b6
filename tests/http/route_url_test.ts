import { assertEquals, assertThrows } from "@std/assert";
import { parseRoutePattern } from "../../http/route_pattern.ts";
import { RouteTrie } from "../../http/route_trie.ts";
import { formatRouteUrl, type RouteQuery } from "../../http/route_url.ts";

type Params = Record<string, string | number | undefined>;

function urlOf(pattern: string, params: Params = {}, query: RouteQuery = {}): string {
  return formatRouteUrl(parseRoutePattern(pattern), params, query);
}

const VALID: readonly [pattern: string, params: Params, url: string][] = [
  ["", {}, "/"],
  ["/", {}, "/"],
  ["/a/b/", {}, "/a/b/"],
  ["/:id", { id: "x" }, "/x"],
  ["/:id", { id: 7 }, "/7"],
  ["/:id{int}", { id: -7 }, "/-7"],
  ["/:id{int}", { id: "007" }, "/007"],
  ["/:x{float}", { x: 1e21 }, "/1e%2B21"],
  ["/:id", { id: "a/b?c#d%e f" }, "/a%2Fb%3Fc%23d%25e%20f"],
  ["/:id", { id: "ü😀" }, "/%C3%BC%F0%9F%98%80"],
  ["/:id", { id: "..." }, "/..."],
  ["/:y{\\d{4}}", { y: "2025" }, "/2025"],
  ["/a/:b?/c", { b: "x" }, "/a/x/c"],
  ["/a/:b?/c", {}, "/a/c"],
  ["/:b?", { b: undefined }, "/"],
  ["/f/*p", { p: "a b/c/" }, "/f/a%20b/c/"],
  ["/f/*p", { p: "" }, "/f/"],
  ["/f/*p?", {}, "/f"],
  ["/a%2Fb/100%25/c d", {}, "/a%2Fb/100%25/c%20d"],
  ["/\\:a", {}, "/%3Aa"],
];

for (const [pattern, params, url] of VALID) {
  Deno.test(`formatRouteUrl() makes ${url} of ${pattern} and ${JSON.stringify(params)}`, () => {
    assertEquals(urlOf(pattern, params), url);
  });
}

const INVALID: readonly [name: string, pattern: string, params: Params][] = [
  ["a missing value", "/:id", {}],
  ["a missing value of the name of a method", "/:toString", {}],
  ["an empty value", "/:id", { id: "" }],
  ["a value that belongs nowhere", "/:id", { id: "x", other: "y" }],
  ["text for a number", "/:id{int}", { id: "x" }],
  ["a fraction for a whole number", "/:id{int}", { id: 1.5 }],
  ["an unsafe number", "/:id{int}", { id: 2 ** 53 }],
  ["NaN", "/:id{float}", { id: NaN }],
  ["a value that the expression does not match", "/:y{\\d{4}}", { y: "20255" }],
  ["a dot segment", "/:id", { id: ".." }],
  ["a dot segment behind an encoded slash", "/:id", { id: "a/../b" }],
  ["a dot segment in a wildcard", "/*p", { p: "a/../b" }],
  ["half of a surrogate pair", "/:id", { id: "\ud800" }],
  ["a value of another type", "/:id", { id: {} as unknown as string }],
];

for (const [name, pattern, params] of INVALID) {
  Deno.test(`formatRouteUrl() throws on ${name}`, () => {
    assertThrows(() => urlOf(pattern, params), TypeError);
  });
}

Deno.test("formatRouteUrl() writes a query", () => {
  const query = { a: 1, b: ["x&y", true, undefined], c: undefined, "d e": "", f: [] };
  assertEquals(urlOf("/p", {}, query), "/p?a=1&b=x%26y&b=true&d%20e=");
  assertEquals(new URLSearchParams(urlOf("/p", {}, { q: "ü+ &=" }).slice(3)).get("q"), "ü+ &=");
  assertThrows(() => urlOf("/p", {}, { q: "\udc00" }), TypeError);
});

Deno.test("formatRouteUrl() leads back to its route", () => {
  const pattern = parseRoutePattern("/t/:id{int}/:name/*rest");
  const trie = new RouteTrie<string>();
  trie.add(pattern, "GET", "it");
  const url = formatRouteUrl(pattern, { id: 7, name: "ada", rest: "a/b" });
  assertEquals(trie.params(trie.find("GET", url, url.length)!), {
    id: 7,
    name: "ada",
    rest: "a/b",
  });
});
