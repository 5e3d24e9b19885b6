import { assertEquals, assertThrows } from "@std/assert";
import { RouteGroup } from "../../http/route_group.ts";
import { RoutePatternError } from "../../http/route_pattern.ts";
import { RouteRegistry } from "../../http/route_registry.ts";
import type { Router } from "../../http/router.ts";

const nothing = () => {};

Deno.test("RouteGroup puts its prefix in front of patterns and expressions", () => {
  const registry = new RouteRegistry(nothing, {});
  const group = new RouteGroup("/p", { registry, scopes: [{ middlewares: [] }] });
  group.get("/", nothing);
  group.post("", nothing);
  group.on("PURGE", "/a", nothing);
  group.route({ pattern: "/:id{int}", name: "x" }, nothing);
  group.all("/b/", nothing);
  group.regexp("*", /\/r/, nothing);
  group.group("/:q", (inner) => inner.delete("/c", nothing));
  const routes = registry.records.map(({ method, pattern }) => `${method} ${pattern.source}`);
  assertEquals(routes, [
    "GET /p",
    "POST /p",
    "PURGE /p/a",
    "GET /p/:id{int}",
    "undefined /p/b/",
    "undefined \\/p(?:\\/r)",
    "DELETE /p/:q/c",
  ]);
});

Deno.test("RouteGroup keeps middlewares of a route in their order", () => {
  const registry = new RouteRegistry(nothing, {});
  const scope = { middlewares: [] };
  const group = new RouteGroup("", { registry, scopes: [scope] });
  const all = Array.from({ length: 5 }, () => () => {});
  group.get("/a", ...all as [() => void, ...(() => void)[]], nothing);
  group.use(all[0]!, all[1]!);
  const [record] = registry.records;
  assertEquals(record!.middlewares.map((each) => all.indexOf(each as () => void)), [0, 1, 2, 3, 4]);
  assertEquals(record!.handler === nothing, true);
  assertEquals(record!.scopes[0]!.middlewares.length, 2);
});

Deno.test("RouteGroup has no prefix that ends with a slash or a wildcard", () => {
  const host = { registry: new RouteRegistry(nothing, {}), scopes: [{ middlewares: [] }] };
  for (const prefix of ["/", "/a/", "/*a", "a"]) {
    assertThrows(() => new RouteGroup(prefix, host), RoutePatternError);
  }
});

Deno.test("RouteGroup.mount() throws a TypeError on what neither routes nor answers", () => {
  const group = new RouteGroup("", {
    registry: new RouteRegistry(nothing, {}),
    scopes: [{ middlewares: [] }],
  });
  for (const mounted of [{}, { fetch: nothing }, { handler: nothing }]) {
    assertThrows(() => group.mount("/a", mounted as unknown as Router), TypeError);
  }
});
