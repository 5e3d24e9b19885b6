import { assertEquals } from "@std/assert";
import { compose } from "../../http/middleware.ts";
import { parseRoutePattern } from "../../http/route_pattern.ts";
import type { RouteRecord } from "../../http/route_registry.ts";
import { RouteTable } from "../../http/route_table.ts";
import type { RoutePathOptions } from "../../http/route_path.ts";
import { runRequest } from "../../http/request_runner.ts";

/** The names of the routes that answer, or a status. */
async function answers(
  routes: readonly string[],
  requests: readonly string[],
  options: RoutePathOptions = {},
): Promise<string[]> {
  const records = routes.map((route): RouteRecord => {
    const [method, pattern] = route.split(" ");
    return {
      method: method === "*" ? undefined : method,
      pattern: parseRoutePattern(pattern!),
      scopes: [],
      middlewares: [],
      handler: (ctx) => ctx.set("x-route", route),
      name: undefined,
      metadata: undefined,
    };
  });
  const table = new RouteTable(records, { middlewares: [] }, {
    dotSegments: "reject",
    duplicateSlashes: "keep",
    trailingSlash: "strict",
    maxExpressionLength: 100,
    notFound: undefined,
    ...options,
  });
  const handler = compose([], (ctx) => table.handle(ctx));
  return await Promise.all(requests.map(async (each) => {
    const [method, path] = each.split(" ");
    const { headers, status, body } = await runRequest(handler, path!, { method: method! });
    await body?.cancel();
    return headers.get("x-route") ?? String(status);
  }));
}

Deno.test("RouteTable finds literal paths however they are encoded", async () => {
  const requests = [
    "GET /a/b",
    "GET /a/b?c",
    "GET /%61/b",
    "GET /a%2Fb",
    "GET /a/%62?/",
    "GET /A/b",
  ];
  assertEquals(await answers(["GET /a/b"], requests), [
    "GET /a/b",
    "GET /a/b",
    "GET /a/b",
    "404",
    "GET /a/b",
    "404",
  ]);
});

Deno.test("RouteTable finds literals outside of ASCII, and with dots", async () => {
  const routes = ["GET /café", "GET /.well-known/x", "GET /100%25"];
  const requests = ["GET /caf%C3%A9", "GET /.well-known/x", "GET /%2ewell-known/x", "GET /100%25"];
  assertEquals(await answers(routes, requests), [routes[0]!, routes[1]!, routes[1]!, routes[2]!]);
});

Deno.test("RouteTable answers HEAD as GET at the same path, unless it has its own", async () => {
  const routes = ["GET /a", "HEAD /:x", "GET /b", "HEAD /b", "* /a"];
  assertEquals(await answers(routes, ["HEAD /a", "HEAD /b", "HEAD /c", "PUT /a"]), [
    "GET /a",
    "HEAD /b",
    "HEAD /:x",
    "* /a",
  ]);
});

Deno.test("RouteTable goes on from a literal path that lacks the method", async () => {
  const routes = ["GET /a", "PUT /:x", "* /*rest"];
  assertEquals(await answers(routes, ["GET /a", "PUT /a", "POST /a"]), routes as string[]);
});

Deno.test("RouteTable takes literal paths with and without a slash where it is told", async () => {
  const requests = ["GET /a", "GET /a/", "HEAD /a/", "GET /a//"];
  assertEquals(await answers(["GET /a"], requests, { trailingSlash: "ignore" }), [
    "GET /a",
    "GET /a",
    "GET /a",
    "404",
  ]);
});
