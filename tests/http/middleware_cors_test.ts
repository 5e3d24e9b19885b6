import { assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { compose, type Middleware } from "../../http/middleware.ts";
import { cors, type CorsOptions } from "../../http/middleware_cors.ts";
import { Router } from "../../http/router.ts";
import type { Handler } from "../../http/server_shared.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

const APP = "https://app.example";
const ORIGIN = `Origin: ${APP}`;
const PREFLIGHT = [ORIGIN, "Access-Control-Request-Method: PUT"];

async function answerOf(
  options: CorsOptions | readonly Middleware[],
  fields: readonly string[],
  handler: Handler = (ctx) => ctx.text("done"),
  method = "GET",
): Promise<RawResponse> {
  const layers = Array.isArray(options) ? options : [cors(options as CorsOptions)];
  await using harness = new ServerHarness(compose(layers, handler));
  return await harness.request(request(`${method} /`, fields), method === "HEAD");
}

function preflight(options: CorsOptions, fields: readonly string[] = []): Promise<RawResponse> {
  return answerOf(options, [...PREFLIGHT, ...fields], () => {
    throw new Error("a preflight must not reach the handler");
  }, "OPTIONS");
}

/** What a response allows: origin, credentials, Vary. */
function leave(response: RawResponse): (string | undefined)[] {
  return [
    fieldOf(response, "access-control-allow-origin"),
    fieldOf(response, "access-control-allow-credentials"),
    fieldOf(response, "vary"),
  ];
}

Deno.test("cors() lets every origin read by default, and says so without one", async () => {
  for (const fields of [[ORIGIN], ["Origin: null"], []]) {
    assertEquals(leave(await answerOf({}, fields)), ["*", undefined, undefined]);
  }
});

const MATCHES: readonly [
  name: string,
  origin: NonNullable<CorsOptions["origin"]>,
  allowed: readonly string[],
  refused: readonly string[],
][] = [
  ["one origin", APP, [APP], ["http://app.example", `${APP}:444`, `${APP}.evil.example`, "null"]],
  ["a list", [APP, "null"], [APP, "null"], ["https://b.example", "NULL", ""]],
  [
    "an expression",
    /https:\/\/\w+\.example/,
    [APP, "https://b.example"],
    [`${APP}.evil.org`, `http://x?${APP}`, `${APP}:8080`],
  ],
  ["an expression of alternatives", /https:\/\/a|https:\/\/b/, ["https://a"], ["https://b.evil"]],
  ["an expression that remembers", /https:\/\/.\.example/gy, ["https://b.example"], [APP]],
  ["an expression of lines", /^https:\/\/a$/m, ["https://a"], [APP]],
  ["a function", (origin) => origin.endsWith(".example"), [APP], ["null"]],
  ["a promise", (origin) => Promise.resolve(origin === APP), [APP], ["null"]],
  ["a list of both kinds", [/https:\/\/b/, APP], [APP, "https://b"], ["https://c"]],
  ["an empty list", [], [], [APP]],
];

for (const [name, origin, allowed, refused] of MATCHES) {
  Deno.test(`cors() lets read whom ${name} names, and nobody else`, async () => {
    const options: CorsOptions = { origin, credentials: true };
    // Twice: an expression must not go on where it stopped.
    for (const sent of [...allowed, ...allowed]) {
      const response = await answerOf(options, [`Origin: ${sent}`]);
      assertEquals(leave(response), [sent, "true", "origin"]);
      assertEquals(response.body, "done");
    }
    for (const sent of refused) {
      const response = await answerOf(options, [`Origin: ${sent}`]);
      assertEquals(leave(response), [undefined, undefined, "origin"]);
      assertEquals(response.body, "done");
    }
    assertEquals(leave(await answerOf(options, [])), [undefined, undefined, "origin"]);
  });
}

Deno.test("cors() takes nothing but true for leave", async () => {
  const origin = (() => "yes") as unknown as () => boolean;
  const response = await answerOf({ origin }, [ORIGIN]);
  assertEquals(leave(response), [undefined, undefined, "origin"]);
});

Deno.test("cors() lets nobody read who sends two origins", async () => {
  const response = await answerOf({ origin: APP }, [ORIGIN, ORIGIN]);
  assertEquals(leave(response), [undefined, undefined, "origin"]);
});

Deno.test("cors() fails a request whose origin cannot be judged", async () => {
  const origin = () => Promise.reject(new HttpError(503, "Directory is away"));
  const response = await answerOf({ origin }, [ORIGIN]);
  assertEquals(response.status, 503);
  assertEquals(leave(response), [undefined, undefined, undefined]);
});

Deno.test("cors() exposes fields of the answer", async () => {
  const exposed = await answerOf({ exposedHeaders: ["ETag", "X-Total"] }, [ORIGIN]);
  assertEquals(fieldOf(exposed, "access-control-expose-headers"), "ETag, X-Total");
  const refused = await answerOf({ origin: [], exposedHeaders: ["ETag"] }, [ORIGIN]);
  assertEquals(fieldOf(refused, "access-control-expose-headers"), undefined);
});

for (
  const [name, handler, status] of [
    ["an error", () => Promise.reject(new Error("broken")), 500],
    ["an error with a status", () => Promise.reject(new HttpError(409)), 409],
    ["nothing", () => {}, 404],
    ["a Response", () => new Response("a"), 200],
    [
      "a Response that was proxied",
      () =>
        new Response("a", {
          headers: {
            "access-control-allow-origin": APP,
            "access-control-allow-credentials": "true",
          },
        }),
      200,
    ],
    [
      "a head that left early",
      async (ctx) => {
        await ctx.writer().close();
      },
      200,
    ],
  ] as [string, Handler, number][]
) {
  Deno.test(`cors() lets read where the handler answers with ${name}`, async () => {
    const response = await answerOf({ origin: APP, credentials: true }, [ORIGIN], handler);
    assertEquals(response.status, status);
    assertEquals(leave(response), [APP, "true", "origin"]);
  });
}

for (
  const [own, expected] of [
    ["accept", "accept, origin"],
    ["Accept, Origin", "Accept, Origin"],
    ["*", "*"],
  ] as const
) {
  Deno.test(`cors() adds to a Vary of ${own}`, async () => {
    const response = await answerOf({ origin: APP }, [ORIGIN], (ctx) => {
      ctx.set("vary", own);
      ctx.text("");
    });
    assertEquals(fieldOf(response, "vary"), expected);
  });
}

Deno.test("cors() answers a preflight", async () => {
  const response = await preflight({ origin: APP, credentials: true });
  assertEquals([response.status, response.body], [204, ""]);
  assertEquals(leave(response), [APP, "true", "origin"]);
  const field = (name: string) => fieldOf(response, `access-control-${name}`);
  assertEquals(field("allow-methods"), "GET, HEAD, PUT, PATCH, POST, DELETE");
  assertEquals(field("allow-headers"), "content-type");
  assertEquals(field("max-age"), "600");
  assertEquals(field("expose-headers"), undefined);
});

Deno.test("cors() answers a preflight as it is told", async () => {
  const response = await preflight({
    methods: ["PURGE"],
    allowedHeaders: ["X-A", "Authorization"],
    maxAgeSeconds: 0,
  });
  assertEquals(leave(response), ["*", undefined, undefined]);
  assertEquals(fieldOf(response, "access-control-allow-methods"), "PURGE");
  assertEquals(fieldOf(response, "access-control-allow-headers"), "x-a, authorization");
  assertEquals(fieldOf(response, "access-control-max-age"), "0");
});

Deno.test("cors() leaves empty lists out of a preflight", async () => {
  const response = await preflight({ methods: [], allowedHeaders: [] });
  assertEquals(fieldOf(response, "access-control-allow-methods"), undefined);
  assertEquals(fieldOf(response, "access-control-allow-headers"), undefined);
});

Deno.test("cors() allows nothing in a preflight from elsewhere", async () => {
  const response = await preflight({ origin: "https://other.example", credentials: true });
  assertEquals([response.status, ...leave(response)], [204, undefined, undefined, "origin"]);
  for (const [name] of response.fields) {
    assertEquals(name.startsWith("access-control-"), false, name);
  }
});

for (
  const [asked, allowed] of [
    ["X-A,x-b", "x-a, x-b"],
    ["X-A, a b", undefined],
    ["X-A,", undefined],
    ["", undefined],
    [Array.from({ length: 64 }, (_, index) => `a${index}`).join(), 64],
    [Array.from({ length: 65 }, (_, index) => `a${index}`).join(), undefined],
  ] as const
) {
  Deno.test(`cors() allows requested names ${asked.slice(0, 12)} of ${asked.length}`, async () => {
    const response = await preflight({ allowedHeaders: "requested" }, [
      `Access-Control-Request-Headers: ${asked}`,
    ]);
    const names = fieldOf(response, "access-control-allow-headers");
    assertEquals(typeof allowed === "number" ? names?.split(", ").length : names, allowed);
    assertEquals(fieldOf(response, "vary"), "access-control-request-headers");
  });
}

Deno.test("cors() opens a private network only where it is told to", async () => {
  const asked = ["Access-Control-Request-Private-Network: true"];
  const field = async (options: CorsOptions, fields = asked) =>
    fieldOf(await preflight(options, fields), "access-control-allow-private-network");
  assertEquals(await field({}), undefined);
  assertEquals(await field({ privateNetwork: true }), "true");
  assertEquals(await field({ privateNetwork: true }, []), undefined);
});

for (
  const [name, method, fields] of [
    ["OPTIONS without a method to ask for", "OPTIONS", [ORIGIN]],
    ["OPTIONS without an origin", "OPTIONS", PREFLIGHT.slice(1)],
    ["another method", "GET", PREFLIGHT],
  ] as const
) {
  Deno.test(`cors() takes ${name} for no preflight`, async () => {
    const response = await answerOf({}, fields, (ctx) => ctx.text("handled"), method);
    assertEquals([response.status, response.body], [200, "handled"]);
    assertEquals(leave(response)[0], "*");
  });
}

Deno.test("cors() answers preflights of a router ahead of its own OPTIONS", async () => {
  const app = new Router();
  app.use(cors({ origin: APP }));
  app.put("/item", (ctx) => ctx.text("put"));
  const headers = { origin: APP, "access-control-request-method": "PUT" };
  const preflighted = await app.request("/item", { method: "OPTIONS", headers });
  assertEquals(preflighted.headers.get("access-control-allow-origin"), APP);
  const missing = await app.request("/nothing", { headers: { origin: APP } });
  await missing.body?.cancel();
  assertEquals([missing.status, missing.headers.get("access-control-allow-origin")], [404, APP]);
});

Deno.test("cors() leaves it to the innermost policy", async () => {
  const outer = cors({ origin: APP, credentials: true, exposedHeaders: ["etag"] });
  const inner = cors({ origin: "https://other.example" });
  for (const handler of [() => {}, () => Promise.reject(new Error("broken"))]) {
    const refused = await answerOf([outer, inner], [ORIGIN], handler);
    assertEquals(leave(refused), [undefined, undefined, "origin"]);
    assertEquals(fieldOf(refused, "access-control-expose-headers"), undefined);
    const allowed = await answerOf([outer, inner], ["Origin: https://other.example"], handler);
    assertEquals(leave(allowed), ["https://other.example", undefined, "origin"]);
  }
});

for (
  const [name, options] of [
    ["credentials for everybody", { credentials: true }],
    ["credentials for every method", { origin: APP, credentials: true, methods: ["*"] }],
    ["credentials for every field", { origin: APP, credentials: true, allowedHeaders: ["*"] }],
    ["credentials and every answer", { origin: APP, credentials: true, exposedHeaders: ["*"] }],
    ["an asterisk in a list", { origin: [APP, "*"] }],
    ["an origin with a path", { origin: `${APP}/` }],
    ["an origin without a scheme", { origin: "app.example" }],
    ["an origin in other letters", { origin: "https://App.Example" }],
    ["an origin with the default port", { origin: `${APP}:443` }],
    ["a method that is none", { methods: ["A B"] }],
    ["a field that is none", { allowedHeaders: ["a\r\nb"] }],
    ["an exposed field that is none", { exposedHeaders: [""] }],
    ["a negative age", { maxAgeSeconds: -1 }],
    ["a broken age", { maxAgeSeconds: 0.5 }],
    [
      "too many origins",
      { origin: Array.from({ length: 1_001 }, (_, index) => `https://a${index}`) },
    ],
  ] as [string, CorsOptions][]
) {
  Deno.test(`cors() throws on ${name}`, () => {
    assertThrows(() => cors(options), RangeError);
  });
}

Deno.test("cors() takes the origin of an extension", async () => {
  const origin = "chrome-extension://abcdefghijklmnop";
  assertEquals(leave(await answerOf({ origin }, [`Origin: ${origin}`]))[0], origin);
});

Deno.test("cors() reaches a real client", async () => {
  const handler = compose([cors({ origin: APP })], (ctx) => ctx.text("done"));
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
  const headers = { origin: APP, "access-control-request-method": "DELETE" };
  const response = await fetch(url, { method: "OPTIONS", headers });
  assertEquals(response.status, 204);
  assertEquals(response.headers.get("access-control-allow-origin"), APP);
  const answer = await fetch(url, { headers: { origin: "https://evil.example" } });
  assertEquals(await answer.text(), "done");
  assertEquals(answer.headers.get("access-control-allow-origin"), null);
});
