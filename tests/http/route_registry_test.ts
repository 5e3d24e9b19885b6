import { assertEquals, assertThrows } from "@std/assert";
import { parseRoutePattern } from "../../http/route_pattern.ts";
import {
  groupExpression,
  type RouteRecord,
  RouteRegistry,
  toRouteExpression,
} from "../../http/route_registry.ts";

function recordOf(pattern: string, init: Partial<RouteRecord> = {}): RouteRecord {
  return {
    method: "GET",
    pattern: parseRoutePattern(pattern),
    scopes: [],
    middlewares: [],
    handler: () => {},
    name: undefined,
    metadata: undefined,
    ...init,
  };
}

function sourcesOf(registry: RouteRegistry): string[] {
  return registry.records.map(({ pattern }) => pattern.source);
}

Deno.test("RouteRegistry.add() tells of every change, here and where it is mounted", () => {
  const changes: string[] = [];
  const outer = new RouteRegistry(() => changes.push("outer"), {});
  const inner = new RouteRegistry(() => changes.push("inner"), {});
  outer.mount("/p", [], inner);
  changes.length = 0;
  inner.add(recordOf("/a", { name: "a" }));
  assertEquals(changes.sort(), ["inner", "outer"]);
  assertEquals([sourcesOf(inner), sourcesOf(outer)], [["/a"], ["/p/a"]]);
  assertEquals(outer.find("a")?.pattern.source, "/p/a");
  changes.length = 0;
  inner.touch();
  assertEquals(changes.sort(), ["inner", "outer"]);
});

Deno.test("RouteRegistry.add() refuses before anything has changed", () => {
  const outer = new RouteRegistry(() => {}, {});
  const inner = new RouteRegistry(() => {}, {});
  outer.mount("/p", [], inner);
  outer.add(recordOf("/p/:x", { name: "taken" }));
  assertThrows(() => inner.add(recordOf("/:y")), TypeError);
  assertThrows(() => inner.add(recordOf("/z", { name: "taken" })), TypeError);
  assertEquals([sourcesOf(inner), sourcesOf(outer)], [[], ["/p/:x"]]);
  inner.add(recordOf("/:y", { method: "PUT" }));
  inner.add(recordOf("/:y", { method: undefined }));
  assertEquals(outer.records.length, 3);
});

Deno.test("RouteRegistry.mount() puts its scopes around those of the routes", () => {
  const outer = new RouteRegistry(() => {}, {});
  const inner = new RouteRegistry(() => {}, {});
  const [near, far] = [{ middlewares: [] }, { middlewares: [] }];
  inner.add(recordOf("/a", { scopes: [near] }));
  outer.mount("/p", [far], inner);
  assertEquals(outer.records[0]!.scopes[0] === far && outer.records[0]!.scopes[1] === near, true);
});

Deno.test("RouteRegistry counts patterns as equal by its option", () => {
  const strict = new RouteRegistry(() => {}, {});
  const loose = new RouteRegistry(() => {}, { ignoresTrailingSlash: true });
  for (const registry of [strict, loose]) registry.add(recordOf("/a"));
  strict.add(recordOf("/a/"));
  assertThrows(() => loose.add(recordOf("/a/")), TypeError);
});

Deno.test("toRouteExpression() anchors, and names its groups", () => {
  const { expression, params, source } = toRouteExpression(/\/(?<a>x)|\\(?<b>y)|(?<=z)(?<!w)/i);
  assertEquals(params.map(({ name }) => name), ["a", "b"]);
  assertEquals(source, /\/(?<a>x)|\\(?<b>y)|(?<=z)(?<!w)/.source);
  assertEquals(["/x", "/X", "a/x", "/xx", "\\y"].map((text) => expression.test(text)), [
    true,
    true,
    false,
    false,
    true,
  ]);
});

Deno.test("groupExpression() takes a prefix as text", () => {
  const { expression } = groupExpression("/a.b/c+", /\/d|\/e/);
  assertEquals(["/a.b/c+/d", "/a.b/c+/e", "/axb/c+/d", "/e"].map((text) => expression.test(text)), [
    true,
    true,
    false,
    false,
  ]);
});
