import { assertEquals } from "@std/assert";
import {
  type DefaultField,
  restoreDefaultFields,
  setDefaultFields,
} from "../../http/_default_fields.ts";
import { HttpError } from "../../http/errors.ts";
import { compose, type ErrorHandler, type Middleware } from "../../http/middleware.ts";
import { cors } from "../../http/middleware_cors.ts";
import { rateLimit } from "../../http/middleware_rate_limit.ts";
import { requestId } from "../../http/middleware_request_id.ts";
import { secureHeaders } from "../../http/middleware_secure_headers.ts";
import { problem } from "../../http/problem_details.ts";
import { Router } from "../../http/router.ts";
import type { Handler } from "../../http/server_shared.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";

const FIELDS: readonly DefaultField[] = [["x-a", "1"], ["x-b", "2"]];

const defaults: Middleware = async (ctx, next) => {
  const before = setDefaultFields(ctx, FIELDS);
  await next();
  restoreDefaultFields(ctx, FIELDS, before);
};

async function fieldsOf(handler: Handler): Promise<string[]> {
  await using harness = new ServerHarness(compose([defaults], handler));
  const { fields } = await harness.request(request("GET /"));
  return fields.filter(([name]) => name.toLowerCase().startsWith("x-")).map((field) =>
    field.join(": ")
  ).sort();
}

Deno.test("default fields stand on an answer that has none of them", async () => {
  assertEquals(await fieldsOf((ctx) => ctx.text("a")), ["x-a: 1", "x-b: 2"]);
});

Deno.test("default fields give way to what the handler sets", async () => {
  const handler: Handler = (ctx) => {
    ctx.set("X-A", "own");
    ctx.text("a");
  };
  assertEquals(await fieldsOf(handler), ["X-A: own", "x-b: 2"].sort());
});

Deno.test("default fields stay away where the handler removed them", async () => {
  const handler: Handler = (ctx) => {
    ctx.response.headers.delete("x-a");
    ctx.text("a");
  };
  assertEquals(await fieldsOf(handler), ["x-b: 2"]);
});

Deno.test("default fields stand on an answer to an error", async () => {
  const handler: Handler = () => {
    throw new Error("broken");
  };
  assertEquals(await fieldsOf(handler), ["x-a: 1", "x-b: 2"]);
});

Deno.test("default fields give way to those of a returned Response", async () => {
  const handler: Handler = () => new Response("a", { headers: { "x-b": "own" } });
  assertEquals(await fieldsOf(handler), ["x-a: 1", "x-b: own"]);
});

Deno.test("default fields stand on a head that left before the handler was through", async () => {
  const handler: Handler = async (ctx) => {
    const writer = ctx.writer();
    await writer.close();
  };
  assertEquals(await fieldsOf(handler), ["x-a: 1", "x-b: 2"]);
});

const ORIGIN = "https://app.example";

/** What stands on every answer, by the middleware that sets it. */
const STANDING: Readonly<Record<string, readonly [middleware: () => Middleware, string[]]>> = {
  "cors()": [
    () => cors({ origin: ORIGIN, credentials: true, exposedHeaders: ["x-a"] }),
    [
      `access-control-allow-origin: ${ORIGIN}`,
      "access-control-allow-credentials: true",
      "access-control-expose-headers: x-a",
      "vary: origin",
    ],
  ],
  "secureHeaders()": [
    () => secureHeaders({ contentSecurityPolicy: () => "default-src 'none'" }),
    [
      "content-security-policy: default-src 'none'",
      "cross-origin-opener-policy: same-origin",
      "cross-origin-resource-policy: same-origin",
      "origin-agent-cluster: ?1",
      "referrer-policy: same-origin",
      "x-content-type-options: nosniff",
      "x-frame-options: SAMEORIGIN",
    ],
  ],
  "requestId()": [() => requestId({ generate: () => "id-1" }), ["x-request-id: id-1"]],
  "rateLimit()": [
    () => rateLimit({ limit: 10 }),
    ['ratelimit-policy: "default";q=10;w=60', 'ratelimit: "default";r=9;t=6'],
  ],
};

/** Every way in which an answer comes about. */
const ANSWERS: readonly [what: string, start: string, status: number][] = [
  ["text", "GET /text", 200],
  ["a Response", "GET /response", 201],
  ["a promised Response", "GET /promised-response", 201],
  ["a stream", "GET /stream", 200],
  ["a writer", "GET /writer", 200],
  ["a redirect", "GET /redirect", 302],
  ["an HttpError", "GET /http-error", 403],
  ["a rejected HttpError", "GET /rejected-http-error", 403],
  ["problem details", "GET /problem", 422],
  ["an Error", "GET /error", 500],
  ["a rejected Error", "GET /rejected-error", 500],
  ["an error of a middleware", "GET /middleware", 500],
  ["an error of a middleware behind the answer", "GET /middleware-after", 500],
  ["a Response that comes too late", "GET /late-response", 500],
  ["nothing", "GET /nothing", 404],
  ["no route", "GET /else", 404],
  ["a path that cannot be read", "GET /%", 400],
  ["another method", "PUT /text", 405],
  ["another method in a group", "PUT /group/text", 405],
  ["OPTIONS", "OPTIONS /text", 204],
  ["a redirect of the router", "GET /text/", 308],
];

function makeApp(middlewares: readonly Middleware[]): Router {
  const app = new Router({ trailingSlash: "redirect" });
  app.use(...middlewares);
  app.get("/text", (ctx) => ctx.text("hello"));
  app.get("/response", () => new Response("hello", { status: 201 }));
  app.get("/promised-response", () => Promise.resolve(new Response("hello", { status: 201 })));
  app.get("/stream", (ctx) => ctx.stream(ReadableStream.from(["hello"])));
  app.get("/writer", (ctx) => ctx.writer().close());
  app.get("/redirect", (ctx) => ctx.redirect("/text"));
  app.get("/http-error", () => {
    throw new HttpError(403, "no", { headers: [["x-own", "1"]] });
  });
  app.get("/rejected-http-error", () => Promise.reject(new HttpError(403, "no")));
  app.get("/problem", () => {
    throw problem({ status: 422 });
  });
  app.get("/error", () => {
    throw new Error("secret");
  });
  app.get("/rejected-error", () => Promise.reject(new Error("secret")));
  app.get("/middleware", () => {
    throw new Error("secret");
  }, (ctx) => ctx.text("hello"));
  app.get("/middleware-after", async (_ctx, next) => {
    await next();
    throw new Error("secret");
  }, (ctx) => ctx.text("hello"));
  app.get("/late-response", (ctx) => {
    ctx.text("hello");
    return new Response("late");
  });
  app.get("/nothing", () => {});
  app.group("/group", (group) => {
    group.use((_ctx, next) => next());
    group.get("/text", (ctx) => ctx.text("hello"));
  });
  return app;
}

/** Status and sorted lines of the head, those that were asked about. */
async function headOf(app: Router, start: string, wanted: readonly string[]): Promise<unknown[]> {
  await using harness = new ServerHarness(app.handler);
  const { status, fields } = await harness.request(request(start, [`Origin: ${ORIGIN}`]));
  const names = new Set(wanted.map((line) => line.slice(0, line.indexOf(":"))));
  const lines = fields.map(([name, value]) => `${name.toLowerCase()}: ${value}`);
  return [status, lines.filter((line) => names.has(line.slice(0, line.indexOf(":")))).sort()];
}

for (const [what, start, status] of ANSWERS) {
  Deno.test(`what stands on every answer stands on ${what}, once`, async () => {
    const hook: ErrorHandler[] = [
      () => {},
      (_error, ctx) => ctx.json({ failed: true }),
      () => Response.json({ failed: true }),
    ];
    for (const [name, [make, lines]] of Object.entries(STANDING)) {
      const wanted = [status, lines.toSorted()];
      assertEquals(await headOf(makeApp([make()]), start, lines), wanted, name);
      // Those that a hook for errors answers as well; the status is then the hook's.
      for (const onError of hook) {
        const app = makeApp([make()]);
        app.onError(onError);
        const [, found] = await headOf(app, start, lines);
        assertEquals(found, wanted[1], name);
      }
    }
    const all = Object.values(STANDING);
    const lines = all.flatMap(([, own]) => own);
    for (const order of [all, all.toReversed()]) {
      const app = makeApp(order.map(([make]) => make()));
      assertEquals(await headOf(app, start, lines), [status, lines.toSorted()]);
    }
  });
}
