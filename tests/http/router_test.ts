import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HttpError, HttpStateError } from "../../http/errors.ts";
import type { Middleware } from "../../http/middleware.ts";
import { cors } from "../../http/middleware_cors.ts";
import { RoutePatternError } from "../../http/route_pattern.ts";
import { Router, type RouterOptions } from "../../http/router.ts";
import type { Context } from "../../http/server_context.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

const SILENT = { onError: () => {} };

/** Status, body, and the `Allow` or `Location` field where there is one. */
async function ask(app: Router, target: string, method = "GET"): Promise<unknown[]> {
  const response = await app.request(target, { method }, SILENT);
  const field = response.headers.get("allow") ?? response.headers.get("location");
  const text = await response.text();
  return field === null ? [response.status, text] : [response.status, text, field];
}

/** Adds its name to what the handler is told, on the way in and on the way out. */
function mark(name: string): Middleware {
  return async (ctx, next) => {
    ctx.append("x-in", name);
    await next();
    ctx.append("x-out", name);
  };
}

/** Answers with the parameters. */
function echo(ctx: Context): void {
  ctx.json(ctx.params);
}

Deno.test("Router gives typed parameters", async () => {
  const app = new Router();
  app.get("/users/:id{int}/:tab?", (ctx) => {
    const id: number = ctx.params.id;
    const tab: string | undefined = ctx.params.tab;
    ctx.json({ id, tab });
  });
  app.group("/teams/:team{int}", (team) => {
    team.get("/files/*path", mark("a"), (ctx) => ctx.json([ctx.params.team, ctx.params.path]));
  });
  assertEquals(await ask(app, "/users/7"), [200, `{"id":7}`]);
  assertEquals(await ask(app, "/users/7/x?q=/"), [200, `{"id":7,"tab":"x"}`]);
  assertEquals(await ask(app, "/teams/7/files/a/b"), [200, `[7,"a/b"]`]);
  // @ts-expect-error: there is no such parameter.
  app.get("/a/:b", (ctx) => ctx.text(ctx.params.c));
});

Deno.test("Router has a method for each of the usual methods", async () => {
  const app = new Router();
  for (const name of ["get", "post", "put", "patch", "delete", "options"] as const) {
    app[name]("/a", (ctx) => ctx.text(name));
  }
  app.head("/a", (ctx) => ctx.set("x-head", "own"));
  app.on("PURGE", "/a", (ctx) => ctx.text("purge"));
  app.all("/b", (ctx) => ctx.text(`all ${ctx.method}`));
  app.get("/b", (ctx) => ctx.text("get"));
  for (const name of ["get", "post", "put", "patch", "delete", "options", "purge"]) {
    assertEquals(await ask(app, "/a", name.toUpperCase()), [200, name]);
  }
  assertEquals((await app.request("/a", { method: "HEAD" })).headers.get("x-head"), "own");
  assertEquals(await ask(app, "/b"), [200, "get"]);
  assertEquals(await ask(app, "/b", "OPTIONS"), [200, "all OPTIONS"]);
  assertEquals(await ask(app, "/b", "PATCH"), [200, "all PATCH"]);
});

Deno.test("Router answers HEAD, OPTIONS and other methods by itself", async () => {
  const app = new Router();
  app.get("/a", (ctx) => ctx.text("body"));
  app.put("/:any", echo);
  app.on("PURGE", "/:any", echo);
  const head = await app.request("/a", { method: "HEAD" });
  assertEquals([head.status, head.headers.get("content-length"), head.body], [200, "4", null]);
  assertEquals(await ask(app, "/a", "OPTIONS"), [204, "", "GET, HEAD, PUT, OPTIONS, PURGE"]);
  const [status, , allow] = await ask(app, "/a", "DELETE");
  assertEquals([status, allow], [405, "GET, HEAD, PUT, OPTIONS, PURGE"]);
  assertEquals((await ask(app, "/b", "GET")).toSpliced(1, 1), [405, "PUT, OPTIONS, PURGE"]);
  assertEquals((await ask(app, "/a/b", "OPTIONS"))[0], 404);
});

Deno.test("Router answers OPTIONS for the whole server", async () => {
  const app = new Router();
  app.get("/a", echo);
  app.delete("/b", echo);
  await using harness = new ServerHarness(app.handler);
  const response = await harness.request(request("OPTIONS *"));
  assertEquals([response.status, fieldOf(response, "allow")], [204, "GET, HEAD, DELETE, OPTIONS"]);
});

Deno.test("Router reads the path of an absolute-form target", async () => {
  const app = new Router();
  app.get("/a/:b", echo);
  app.get("/", (ctx) => ctx.text("root"));
  await using harness = new ServerHarness(app.handler);
  const bodyOf = async (start: string) => (await harness.request(request(start))).body;
  assertEquals(await bodyOf("GET http://a/a/x?y"), `{"b":"x"}`);
  assertEquals(await bodyOf("GET http://a"), "root");
  assertEquals(await bodyOf("GET /?/a/x"), "root");
});

Deno.test("Router puts middlewares of router, group and route around a handler", async () => {
  const app = new Router();
  app.group("/g", (group) => {
    group.get("/a", mark("route"), (ctx) => ctx.text("a"));
    group.group("/h", (inner) => {
      inner.get("/", (ctx) => ctx.text("h"));
      inner.use(mark("inner"));
    });
    // Behind the routes: the order of lines does not matter.
    group.use(mark("group1"), mark("group2"));
  });
  app.get("/b", (ctx) => ctx.text("b"));
  app.use(mark("root"));
  const orderOf = async (path: string, method = "GET") => {
    const { headers } = await app.request(path, { method });
    return [headers.get("x-in"), headers.get("x-out")];
  };
  assertEquals(await orderOf("/g/a"), [
    "root, group1, group2, route",
    "route, group2, group1, root",
  ]);
  assertEquals(await orderOf("/g/h"), [
    "root, group1, group2, inner",
    "inner, group2, group1, root",
  ]);
  assertEquals(await orderOf("/b"), ["root", "root"]);
});

Deno.test("Router runs its middlewares around every answer", async () => {
  const app = new Router();
  app.get("/a", echo);
  app.group("/a", (group) => group.use(mark("group")));
  const seen: number[] = [];
  app.use(async (ctx, next) => {
    await next();
    seen.push(ctx.status);
  });
  for (
    const [target, method] of [["/a", "POST"], ["/a", "OPTIONS"], ["/x", "GET"], ["/%", "GET"]]
  ) {
    await ask(app, target!, method);
  }
  assertEquals(seen, [405, 204, 404, 400]);
});

Deno.test("Router runs the middlewares of a group around what it answers for its routes", async () => {
  const app = new Router();
  const inner = new Router();
  inner.use(mark("inner"));
  inner.put("/in", echo);
  app.use(mark("root"));
  app.group("/g", (group) => {
    group.use(mark("group"));
    group.post("/a", mark("route"), echo);
    group.post("/both", echo);
    group.regexp("POST", /\/\d+/, echo);
    group.mount("/m", inner);
  });
  app.put("/g/both", echo);
  const around = async (target: string, method: string) => {
    const { status, headers, body } = await app.request(target, { method }, SILENT);
    await body?.cancel();
    return `${status} ${headers.get("x-out")}`;
  };
  assertEquals(await around("/g/a", "OPTIONS"), "204 group, root");
  assertEquals(await around("/g/a", "GET"), "405 group, root");
  assertEquals(await around("/g/%61", "GET"), "405 group, root");
  assertEquals(await around("/g/7", "OPTIONS"), "204 group, root");
  assertEquals(await around("/g/m/in", "OPTIONS"), "204 inner, group, root");
  // Not all routes of the path are in the group.
  assertEquals(await around("/g/both", "OPTIONS"), "204 root");
  assertEquals(await around("/g/else", "OPTIONS"), "404 root");
  assertEquals(await around("/g/..", "GET"), "400 root");
});

Deno.test("Router lets the hook of a mounted router answer 405 of its paths", async () => {
  const inner = new Router();
  inner.onError((_error, ctx) => ctx.text("inner"));
  inner.get("/a", echo);
  const app = new Router();
  app.mount("/m", inner);
  assertEquals(await ask(app, "/m/a", "PUT"), [405, "inner", "GET, HEAD, OPTIONS"]);
  assertEquals(await ask(app, "/m/b", "PUT"), [404, "Not Found"]);
});

Deno.test("Router answers a preflight by the policy of the group", async () => {
  const app = new Router();
  const origin = "https://app.example";
  app.group("/api", (group) => {
    group.post("/x", echo);
    group.use(cors({ origin }));
  });
  const headers = { origin, "access-control-request-method": "POST" };
  const response = await app.request("/api/x", { method: "OPTIONS", headers });
  assertEquals(response.status, 204);
  assertEquals(response.headers.get("access-control-allow-origin"), origin);
  const refused = await app.request("/api/x", { headers });
  await refused.body?.cancel();
  assertEquals([refused.status, refused.headers.get("access-control-allow-origin")], [405, origin]);
});

for (
  const [target, method, route] of [
    ["/static", "GET", "/static"],
    ["/static?a", "HEAD", "/static"],
    ["/%73tatic", "GET", "/static"],
    ["/users/7", "GET", "/users/:id{int}"],
    ["/users/x", "GET", "/users/:name?"],
    ["/users", "GET", "/users/:name?"],
    ["/g/files/a/b", "PUT", "/g/files/*path"],
    ["/g", "GET", "/g"],
    ["/m/in", "GET", "/m/in"],
    ["/m/handled/deep", "GET", "/m/handled/*path?"],
    ["/year-1994", "GET", "\\/year-(?<year>\\d+)"],
    ["/none", "GET", undefined],
    ["/static", "PUT", undefined],
    ["/static", "OPTIONS", undefined],
    ["/%", "GET", undefined],
  ] as const
) {
  Deno.test(`Router gives the route ${route} to ${method} ${target}`, async () => {
    const app = new Router();
    const inner = new Router();
    inner.get("/in", echo);
    inner.mount("/handled", echo);
    app.get("/static", echo);
    app.get("/users/:id{int}", echo);
    app.get("/users/:name?", echo);
    app.regexp("GET", /\/year-(?<year>\d+)/, echo);
    app.group("/g", (group) => {
      group.all("/files/*path", echo);
      group.get("/", echo);
    });
    app.mount("/m", inner);
    const seen: unknown[] = [];
    app.use(async (ctx, next) => {
      seen.push(ctx.route);
      await next();
      seen.push(ctx.route);
    });
    await ask(app, target, method);
    assertEquals(seen, [route, route]);
    const patterns = app.routes().map(({ pattern }) => pattern);
    if (route !== undefined) assert(patterns.includes(route));
  });
}

Deno.test("Router gives the parameters to middlewares of the router too", async () => {
  const app = new Router();
  app.use((ctx, next) => {
    ctx.set("x-id", String(ctx.params.id));
    return next();
  });
  app.get("/:id", echo);
  assertEquals((await app.request("/7")).headers.get("x-id"), "7");
});

Deno.test("Router compiles anew what is added between requests", async () => {
  const app = new Router();
  const child = new Router();
  app.mount("/c", child);
  assertEquals((await ask(app, "/a"))[0], 404);
  app.get("/a", (ctx) => ctx.text("a"));
  child.get("/b", (ctx) => ctx.text("b"));
  assertEquals(await ask(app, "/a"), [200, "a"]);
  assertEquals(await ask(app, "/c/b"), [200, "b"]);
  child.use(mark("child"));
  assertEquals((await app.request("/c/b")).headers.get("x-in"), "child");
  app.use(mark("app"));
  assertEquals((await app.request("/c/b")).headers.get("x-in"), "app, child");
});

Deno.test("Router.mount() makes the routes of another router its own", async () => {
  const users = new Router({ dotSegments: "keep" });
  users.get("/", (ctx) => ctx.text("all"));
  users.route({ pattern: "/:id{int}", name: "user" }, echo);
  users.regexp("GET", /\/v(?<major>\d+)/, echo);
  users.use(mark("users"));
  const api = new Router();
  api.mount("/users", users);
  api.use(mark("api"));
  const app = new Router();
  app.mount("/api/:tenant", new Router());
  app.group("/v1", (group) => group.mount("/api", api));
  app.use(mark("app"));
  assertEquals(await ask(app, "/v1/api/users"), [200, "all"]);
  assertEquals(await ask(app, "/v1/api/users/7"), [200, `{"id":7}`]);
  assertEquals(await ask(app, "/v1/api/users/v12"), [200, `{"major":"12"}`]);
  assertEquals((await app.request("/v1/api/users")).headers.get("x-in"), "app, api, users");
  assertEquals(app.url("user", { id: 7 }), "/v1/api/users/7");
  assertEquals(users.url("user", { id: 7 }), "/7");
  assertEquals(app.routes().map(({ pattern }) => pattern).slice(0, 2), [
    "/v1/api/users",
    "/v1/api/users/:id{int}",
  ]);
});

Deno.test("Router.mount() lets a handler answer below a prefix", async () => {
  const app = new Router();
  app.mount("/old", (ctx) => ctx.text(`${ctx.method} ${ctx.params.path} ${ctx.path}`));
  app.get("/old/new", (ctx) => ctx.text("new"));
  assertEquals(await ask(app, "/old", "POST"), [200, "POST undefined /old"]);
  assertEquals(await ask(app, "/old/a/b"), [200, "GET a/b /old/a/b"]);
  assertEquals(await ask(app, "/old/new"), [200, "new"]);
  assertEquals((await ask(app, "/older"))[0], 404);
});

Deno.test("Router refuses what cannot be, where it is registered", () => {
  const app = new Router();
  app.get("/a/:b", echo);
  app.route({ pattern: "/named", name: "n" }, echo);
  assertThrows(() => app.get("/a/:other", echo), TypeError);
  assertThrows(() => app.group("/a", (group) => group.get("/:x", echo)), TypeError);
  assertThrows(() => app.route({ pattern: "/x", name: "n" }, echo), TypeError);
  assertThrows(() => app.get("a", echo), RoutePatternError);
  assertThrows(() => app.on("BAD METHOD", "/x", echo), TypeError);
  assertThrows(() => app.on("", "/x", echo), TypeError);
  assertThrows(() => app.get("/x", undefined as unknown as () => void), TypeError);
  assertThrows(() => app.use("x" as unknown as Middleware), TypeError);
  assertThrows(() => app.regexp("GET", /a/g, echo), TypeError);
  assertThrows(() => app.regexp("GET", /a/m, echo), TypeError);
  for (const prefix of ["x", "/", "/a/", "/*p"]) {
    assertThrows(() => app.group(prefix, () => {}), RoutePatternError);
    assertThrows(() => app.mount(prefix, new Router()), RoutePatternError);
  }
  assertThrows(() => app.group("/:p", (group) => group.regexp("GET", /a/, echo)), TypeError);
  assertEquals(app.routes().length, 2);
});

Deno.test("Router.mount() changes nothing where a route is there already", () => {
  const child = new Router();
  child.get("/a", echo);
  child.get("/b", echo);
  const app = new Router();
  app.get("/c/b", echo);
  assertThrows(() => app.mount("/c", child), TypeError);
  assertEquals(app.routes().length, 1);
  const other = new Router();
  other.mount("/x", child);
  assertThrows(() => other.mount("/x", child), TypeError);
  other.mount("/y", child);
  other.get("/y/z", echo);
  assertThrows(() => child.get("/z", echo), TypeError);
  assertEquals([child.routes().length, other.routes().length], [2, 5]);
});

Deno.test("Router.mount() never lets a router contain itself", () => {
  const a = new Router();
  const b = new Router();
  a.mount("/b", b);
  assertThrows(() => a.mount("/a", a), TypeError);
  assertThrows(() => b.mount("/a", a), TypeError);
});

Deno.test("Router.regexp() is tried after the patterns, in order", async () => {
  const app = new Router();
  app.regexp("GET", /\/(?<a>\d+)-(?<b>\d+)?/, echo);
  app.regexp("GET", /\/.*/, (ctx) => ctx.text("second"));
  app.regexp("*", /\/x\/y|\/z/i, (ctx) => ctx.text(`any ${ctx.method}`));
  app.get("/1-3", (ctx) => ctx.text("pattern"));
  assertEquals(await ask(app, "/1-2"), [200, `{"a":"1","b":"2"}`]);
  assertEquals(await ask(app, "/1-"), [200, `{"a":"1"}`]);
  assertEquals(await ask(app, "/1-3"), [200, "pattern"]);
  // The whole path, and no less.
  assertEquals(await ask(app, "/1-2x"), [200, "second"]);
  assertEquals(await ask(app, "/X/Y", "PUT"), [200, "any PUT"]);
  assertEquals((await ask(app, "/zz", "PUT")).toSpliced(1, 1), [405, "GET, HEAD, OPTIONS"]);
  // Longer than an expression is tried on.
  assertEquals((await ask(app, `/${"a".repeat(1_024)}`))[0], 404);
});

Deno.test("Router.routes() gives its routes as data", () => {
  const app = new Router();
  app.get("/users/:id{int}/*rest?", echo);
  app.group("/g", (group) => {
    group.route({ method: "PUT", pattern: "/x", name: "x", metadata: { tag: 1 } }, echo);
  });
  app.all("/all", echo);
  app.regexp("GET", /\/(?<year>\d+)/, echo);
  assertEquals(app.routes(), [
    {
      method: "GET",
      pattern: "/users/:id{int}/*rest?",
      params: [
        { name: "id", type: "int", optional: false },
        { name: "rest", type: "path", optional: true },
      ],
      name: undefined,
      metadata: undefined,
    },
    { method: "PUT", pattern: "/g/x", params: [], name: "x", metadata: { tag: 1 } },
    { method: "*", pattern: "/all", params: [], name: undefined, metadata: undefined },
    {
      method: "GET",
      pattern: "\\/(?<year>\\d+)",
      params: [{ name: "year", type: "expression", optional: true }],
      name: undefined,
      metadata: undefined,
    },
  ]);
});

Deno.test("Router.url() gives the URL of a named route", () => {
  const app = new Router();
  app.route({ pattern: "/users/:id{int}", name: "user" }, echo);
  assertEquals(app.url("user", { id: 7 }, { tab: "a b" }), "/users/7?tab=a%20b");
  assertThrows(() => app.url("nobody"), TypeError);
  assertThrows(() => app.url("user"), TypeError);
});

Deno.test("Router.notFound() answers what no route matches", async () => {
  const app = new Router();
  app.get("/a", echo);
  app.notFound((ctx) => {
    ctx.status = 404;
    ctx.json({ missing: ctx.path });
  });
  assertEquals(await ask(app, "/b"), [404, `{"missing":"/b"}`]);
  assertEquals((await ask(app, "/a", "PUT"))[0], 405);
  app.notFound(() => {});
  assertEquals((await ask(app, "/b"))[0], 404);
  app.notFound(() => Promise.resolve(new Response("web", { status: 410 })));
  assertEquals(await ask(app, "/b"), [410, "web"]);
});

Deno.test("Router.onError() makes the answers to errors", async () => {
  const app = new Router();
  const seen: unknown[] = [];
  app.onError((error, ctx) => {
    seen.push(error === ctx.error);
    ctx.json({ status: ctx.status });
  });
  app.get("/sync", () => {
    throw new HttpError(418);
  });
  app.get("/async", () => Promise.reject(new Error("no")));
  app.get("/mw", () => {
    throw new RangeError();
  }, echo);
  assertEquals(await ask(app, "/sync"), [418, `{"status":418}`]);
  assertEquals(await ask(app, "/async"), [500, `{"status":500}`]);
  assertEquals(await ask(app, "/mw"), [500, `{"status":500}`]);
  assertEquals(await ask(app, "/%"), [400, `{"status":400}`]);
  assertEquals(await ask(app, "/mw", "PUT"), [405, `{"status":405}`, "GET, HEAD, OPTIONS"]);
  assertEquals(seen, [true, true, true, true, true]);
});

Deno.test("Router.onError() may leave the answer, replace it, or fail", async () => {
  const app = new Router();
  app.get("/:how", (ctx) => {
    ctx.set("x-before", "gone");
    throw new HttpError(409, ctx.params.how, { headers: [["x-error", "stays"]] });
  });
  app.onError((error, ctx) => {
    const how = (error as Error).message;
    if (how === "throw") throw new Error("again");
    if (how === "reject") return Promise.reject(new HttpError(503));
    if (how === "json") return ctx.json({});
    if (how === "empty") return new Response(null, { status: 204 });
    if (how === "web") {
      return Promise.resolve(Response.json({ web: 1 }, { status: 422, headers: { "x-a": "b" } }));
    }
  });
  assertEquals(await ask(app, "/leave"), [409, "leave"]);
  assertEquals(await ask(app, "/json"), [409, "{}"]);
  assertEquals(await ask(app, "/empty"), [204, ""]);
  assertEquals((await ask(app, "/throw"))[0], 500);
  assertEquals((await ask(app, "/reject"))[0], 503);
  const web = await app.request("/web", {}, SILENT);
  const names = ["x-a", "x-error", "x-before", "content-type"];
  assertEquals(names.map((name) => web.headers.get(name)), [
    "b",
    "stays",
    null,
    "application/json",
  ]);
  assertEquals([web.status, await web.json()], [422, { web: 1 }]);
});

Deno.test("Router.onError() of a mounted router is nearer to its routes", async () => {
  const child = new Router();
  child.onError((_error, ctx) => ctx.text("child"));
  const app = new Router();
  app.onError((_error, ctx) => ctx.text("app"));
  app.mount("/c", child);
  for (const router of [app, child]) {
    router.get("/a", () => {
      throw new Error();
    });
  }
  assertEquals(await ask(app, "/a"), [500, "app"]);
  assertEquals(await ask(app, "/c/a"), [500, "child"]);
});

const SLASHES: readonly [RouterOptions, target: string, answer: unknown[]][] = [
  [{}, "/a/", [404]],
  [{}, "//a", [404]],
  [{}, "/a/../a", [400]],
  [{ dotSegments: "resolve" }, "/x/../a", [200]],
  [{ dotSegments: "keep" }, "/x/../a", [404]],
  [{ duplicateSlashes: "merge" }, "//a", [200]],
  [{ duplicateSlashes: "redirect" }, "//a?q=//", [308, "/a?q=//"]],
  [{ duplicateSlashes: "redirect" }, "//evil.example/a", [404]],
  [{ duplicateSlashes: "redirect" }, "/%61//", [404]],
  [{ duplicateSlashes: "redirect" }, "/d//%62c", [308, "/d/bc"]],
  [{ trailingSlash: "ignore" }, "/a/", [200]],
  [{ trailingSlash: "ignore" }, "/b", [200]],
  [{ trailingSlash: "ignore" }, "/a//", [404]],
  [{ trailingSlash: "ignore" }, "/%61/", [200]],
  [{ trailingSlash: "redirect" }, "/a/?q", [308, "/a?q"]],
  [{ trailingSlash: "redirect" }, "/b", [308, "/b/"]],
  [{ trailingSlash: "redirect" }, "/b/", [200]],
  [{ trailingSlash: "redirect" }, "/files", [308, "/files/"]],
  [{ trailingSlash: "redirect" }, "/x/", [404]],
  [{ trailingSlash: "redirect" }, "/d/%20%C3%BC/", [308, "/d/%20%C3%BC"]],
  [{ trailingSlash: "redirect" }, "//", [404]],
  [{ trailingSlash: "redirect" }, "//evil.example/", [404]],
];

for (const [options, target, answer] of SLASHES) {
  Deno.test(`Router ${JSON.stringify(options)} answers ${answer} to ${target}`, async () => {
    const app = new Router(options);
    for (const pattern of ["/a", "/b/", "/d/:e", "/files/*path"]) {
      app.get(pattern, () => {
        return new Response("");
      });
    }
    const [status, , field] = await ask(app, target);
    assertEquals(field === undefined ? [status] : [status, field], answer);
  });
}

Deno.test("Router redirects with 308 where only another method has a route", async () => {
  const app = new Router({ trailingSlash: "redirect" });
  app.post("/a", echo);
  assertEquals((await ask(app, "/a/", "POST")).toSpliced(1, 1), [308, "/a"]);
  assertEquals((await ask(app, "/a", "PUT"))[0], 405);
});

Deno.test("Router never redirects to another host", async () => {
  const app = new Router({ trailingSlash: "redirect", duplicateSlashes: "redirect" });
  app.get("/:host/:path", echo);
  app.get("//:host/", echo);
  for (
    const target of ["//evil.example/a/", "///evil.example/a", "//evil.example", "/%5cevil/a/"]
  ) {
    const location = (await app.request(target)).headers.get("location") ?? "/";
    assertEquals(new URL(location, "http://good.example").host, "good.example", target);
  }
});

Deno.test("Router takes no option that is none", () => {
  const options = { dotSegments: "x", duplicateSlashes: "x", trailingSlash: "x" };
  for (const [name, value] of Object.entries(options)) {
    assertThrows(() => new Router({ [name]: value } as RouterOptions), RangeError);
  }
  assertThrows(() => new Router({ maxExpressionLength: -1 }), RangeError);
});

Deno.test("Router finds 2 equal patterns where slashes at the end do not count", () => {
  const app = new Router({ trailingSlash: "ignore" });
  app.get("/a", echo);
  assertThrows(() => app.get("/a/", echo), TypeError);
  new Router().get("/a/", echo);
});

Deno.test("Router lets a synchronous handler stay synchronous", () => {
  const app = new Router();
  app.use((_ctx, next) => next());
  app.get("/:a", (_ctx, next) => next(), (ctx) => ctx.text("done"));
  const context = {
    method: "GET",
    url: "/x",
    path: "/x",
    answer: "",
    enterRoute(): void {},
    ensureAnswer(): void {},
    text(text: string): void {
      this.answer = text;
    },
  };
  assertEquals(app.handler(context as unknown as Context), undefined);
  assertEquals(context.answer, "done");
});

Deno.test("Router tells a middleware that calls next twice", async () => {
  const app = new Router();
  let caught: unknown;
  app.use(async (_ctx, next) => {
    await next();
    caught = await assertRejects(async () => await next(), HttpStateError);
  });
  app.get("/", (ctx) => ctx.text("once"));
  assertEquals(await ask(app, "/"), [200, "once"]);
  assertEquals((caught as HttpStateError).code, "ERR_HTTP_NEXT_CALLED");
});

Deno.test("Router waits for a handler that a middleware did not wait for", async () => {
  const app = new Router();
  app.use((_ctx, next) => void next());
  app.get("/", async (ctx) => {
    await Promise.resolve();
    ctx.text("late");
  });
  assertEquals(await ask(app, "/"), [200, "late"]);
});

Deno.test("Router answers the error of a middleware that did not wait", async () => {
  const app = new Router();
  app.use((_ctx, next) => {
    void next();
    throw new HttpError(418);
  });
  app.get("/", async (ctx) => {
    await Promise.resolve();
    ctx.text("late");
  });
  assertEquals((await ask(app, "/"))[0], 418);
});

Deno.test("Router serves over a socket", async () => {
  const app = new Router();
  app.use(mark("root"));
  app.post("/echo/:name", async (ctx) => ctx.json([ctx.params.name, await ctx.body.text()]));
  await using server = serve(app.handler, { hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  const base = `http://127.0.0.1:${port}`;
  const response = await fetch(`${base}/echo/a%2Fb%20c`, { method: "POST", body: "hi" });
  assertEquals([await response.json(), response.headers.get("x-out")], [["a%2Fb c", "hi"], "root"]);
  const refused = await fetch(`${base}/echo/x`);
  assertEquals([refused.status, refused.headers.get("allow")], [405, "POST, OPTIONS"]);
  await refused.body?.cancel();
});

Deno.test("Router answers 1,000 paths of random bytes with a status", async () => {
  const app = new Router({ dotSegments: "resolve", trailingSlash: "redirect" });
  app.get("/:a{int}/:b?", echo);
  app.get("/x/*rest", echo);
  app.regexp("GET", /\/(?<c>[a-c]+)/, echo);
  const reported: unknown[] = [];
  const onError = (error: unknown) => reported.push(error);
  const pieces = ["/", "a", "7", "x", "%2e", "..", "%", "%00", "%c3%bc", "//", ";", "%2f"];
  for (let turn = 0; turn < 1_000; turn++) {
    let path = "/";
    for (let index = turn; index > 0; index = Math.floor(index / pieces.length)) {
      path += pieces[index % pieces.length];
    }
    const { status, body } = await app.request(path, {}, { onError });
    await body?.cancel();
    assert([200, 308, 400, 404].includes(status), path);
  }
  assertEquals(reported, []);
});
