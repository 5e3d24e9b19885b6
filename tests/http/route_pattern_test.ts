import { assertEquals, assertThrows } from "@std/assert";
import {
  expandPattern,
  joinPatterns,
  literalPath,
  parseRoutePattern,
  RoutePatternError,
  shapeOf,
} from "../../http/route_pattern.ts";

/** Segments as text: literals as they are, parameters by name and type. */
function segmentsOf(pattern: string): string[] {
  return parseRoutePattern(pattern).segments.map((segment) =>
    segment.kind === "literal"
      ? segment.text
      : `${segment.name}:${segment.type}${segment.optional ? "?" : ""}`
  );
}

const VALID: readonly [pattern: string, segments: string[]][] = [
  ["", []],
  ["/", [""]],
  ["/a", ["a"]],
  ["/a/", ["a", ""]],
  ["/a//b", ["a", "", "b"]],
  ["/:id", ["id:string"]],
  ["/:id?", ["id:string?"]],
  ["/:id{int}/x", ["id:int", "x"]],
  ["/:id{float}?", ["id:float?"]],
  ["/:id{uuid}", ["id:uuid"]],
  ["/:id{hex}", ["id:hex"]],
  ["/:y{\\d{4}}", ["y:expression"]],
  ["/:y{[}a]+}", ["y:expression"]],
  ["/:y{\\}x}", ["y:expression"]],
  ["/:y{a|b}?", ["y:expression?"]],
  ["/*rest", ["rest:path"]],
  ["/*rest?", ["rest:path?"]],
  ["/a/:b/*c", ["a", "b:string", "c:path"]],
  ["/\\:a/b\\*\\?\\{\\}\\#\\\\", [":a", "b*?{}#\\"]],
  ["/café/caf%C3%A9", ["café", "café"]],
  ["/a%20b/a b", ["a b", "a b"]],
  ["/a%2fb/100%25/%00", ["a%2Fb", "100%25", "%00"]],
  ["/:$_a1", ["$_a1:string"]],
  ["/...", ["..."]],
];

for (const [pattern, segments] of VALID) {
  Deno.test(`parseRoutePattern() parses ${JSON.stringify(pattern)}`, () => {
    assertEquals(segmentsOf(pattern), segments);
  });
}

const INVALID: readonly [name: string, pattern: string, position: number][] = [
  ["no slash in front", "a", 0],
  ["a colon within a segment", "/a:b", 2],
  ["a star within a segment", "/a*", 2],
  ["a brace within a segment", "/a{int}", 2],
  ["a question mark behind a literal", "/a?", 2],
  ["a fragment", "/a#b", 2],
  ["a parameter without a name", "/:", 2],
  ["a name that begins with a digit", "/:1", 2],
  ["a wildcard without a name", "/*", 2],
  ["text behind a parameter", "/:id.json", 4],
  ["text behind braces", "/:id{int}x", 9],
  ["a wildcard in the middle", "/*a/b", 3],
  ["a wildcard with a type", "/*a{int}", 3],
  ["two question marks", "/:a??", 4],
  ["a name twice", "/:a/:a", 5],
  ["a name that is no property", "/:__proto__", 2],
  ["a brace that is not closed", "/:a{int", 3],
  ["a brace that is not closed within a class", "/:a{[}", 3],
  ["empty braces", "/:a{}", 4],
  ["a type that does not exist", "/:a{integer}", 4],
  ["an expression that is none", "/:a{(}", 4],
  ["a slash in an expression", "/:a{a/b}", 5],
  ["an escaped slash in an expression", "/:a{[a/]}", 6],
  ["a backslash in front of a letter", "/\\a", 2],
  ["a backslash at the end", "/\\", 2],
  ["malformed percent-encoding", "/a/%zz", 3],
  ["percent-encoding that is not UTF-8", "/%ff", 1],
  ["a dot segment", "/a/../b", 3],
  ["an encoded dot segment", "/%2e", 1],
  ["half of a surrogate pair", "/\ud800", 1],
  ["five optional parameters", "/:a?/:b?/:c?/:d?/:e?", 20],
  ["too many segments", "/a".repeat(129), 256],
  ["too long a pattern", `/${"a".repeat(4096)}`, 4096],
];

for (const [name, pattern, position] of INVALID) {
  Deno.test(`parseRoutePattern() throws on ${name}`, () => {
    const error = assertThrows(() => parseRoutePattern(pattern), RoutePatternError);
    assertEquals([error.position, error.pattern], [position, pattern]);
  });
}

Deno.test("parseRoutePattern() takes 128 segments, 4,096 characters, four optional parameters", () => {
  assertEquals(segmentsOf("/a".repeat(128)).length, 128);
  assertEquals(segmentsOf(`/${"a".repeat(4095)}`).length, 1);
  assertEquals(segmentsOf("/:a?/:b?/:c?/:d?").length, 4);
});

Deno.test("parseRoutePattern() anchors expressions", () => {
  const [segment] = parseRoutePattern("/:a{x|yy}").segments;
  const expression = segment?.kind === "param" ? segment.expression! : /never/;
  assertEquals(["x", "yy", "xx", "axa", "yyy"].map((text) => expression.test(text)), [
    true,
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("expandPattern() gives what a pattern stands for", () => {
  const shapes = (pattern: string, ignoresTrailingSlash = false) =>
    expandPattern(parseRoutePattern(pattern), { ignoresTrailingSlash }).map(shapeOf);
  assertEquals(shapes(""), ["/"]);
  assertEquals(shapes("/a/:b?"), ["/a/:string", "/a"]);
  assertEquals(shapes("/:b?"), [":string", "/"]);
  assertEquals(shapes("/:a?/:b?"), [":string/:string", ":string", "/"]);
  assertEquals(shapes("/:a{int}?/:b?"), [":int/:string", ":int", ":string", "/"]);
  assertEquals(shapes("/a", true), ["/a", "/a//"]);
  assertEquals(shapes("/a/", true), ["/a//", "/a"]);
  assertEquals(shapes("/", true), ["/"]);
  assertEquals(shapes("/a/*r", true), ["/a/:path"]);
  assertEquals(shapes("/:a?", true), [":string", ":string//", "/"]);
});

Deno.test("shapeOf() does not know names", () => {
  const shape = (pattern: string) => shapeOf(parseRoutePattern(pattern).segments);
  assertEquals(shape("/:a/:b{int}"), shape("/:x/:y{int}"));
  assertEquals(
    new Set(["/:a", "/:a{int}", "/:a{x+}", "/:a{y+}", "/*a", "/\\:a"].map(shape)).size,
    6,
  );
});

Deno.test("joinPatterns() takes a single slash for the prefix itself", () => {
  assertEquals(joinPatterns("", "/"), "/");
  assertEquals(joinPatterns("/a", "/"), "/a");
  assertEquals(joinPatterns("/a", ""), "/a");
  assertEquals(joinPatterns("/a", "/b/"), "/a/b/");
});

Deno.test("literalPath() gives the path of literal segments only", () => {
  assertEquals(literalPath(parseRoutePattern("/a//b/").segments), "/a//b/");
  assertEquals(literalPath(parseRoutePattern("/a/:b").segments), undefined);
});
