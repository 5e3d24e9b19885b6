import { assert, assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { compose } from "../../http/middleware.ts";
import { rateLimit, type RateLimitOptions } from "../../http/middleware_rate_limit.ts";
import type { RateLimitStore } from "../../http/rate_limit_store.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

const MAX_TURNS = 5_000;
const hello: Handler = (ctx) => ctx.text("hello");

function harnessOf(options: readonly RateLimitOptions[], handler = hello): ServerHarness {
  return new ServerHarness(compose(options.map((limit) => rateLimit(limit)), handler));
}

/** What a response tells of limits. */
function told(response: RawResponse): (string | undefined)[] {
  return ["ratelimit-policy", "ratelimit", "retry-after"].map((name) => fieldOf(response, name));
}

Deno.test("rateLimit() lets in up to the limit and tells when to come back", async () => {
  const clock = new ManualClock();
  await using harness = harnessOf([{ limit: 2, windowMs: 30_000, clock }]);
  const get = () => harness.request(request("GET /"));
  const policy = '"default";q=2;w=30';
  assertEquals(told(await get()), [policy, '"default";r=1;t=15', undefined]);
  assertEquals(told(await get()), [policy, '"default";r=0;t=30', undefined]);
  const refused = await get();
  assertEquals(refused.status, 429);
  assertEquals(told(refused), [policy, '"default";r=0;t=30', "15"]);
  clock.advance(14_999);
  assertEquals(told(await get())[2], "1");
  clock.advance(1);
  assertEquals((await get()).status, 200);
  assertEquals(harness.reported, []);
});

Deno.test("rateLimit() counts by window if told to", async () => {
  const clock = new ManualClock();
  await using harness = harnessOf([{
    limit: 1,
    windowMs: 1_000,
    algorithm: "sliding-window",
    clock,
  }]);
  const get = async () => (await harness.request(request("GET /"))).status;
  assertEquals([await get(), await get()], [200, 429]);
  clock.advance(1_999);
  assertEquals(await get(), 429);
  clock.advance(1);
  assertEquals(await get(), 200);
});

Deno.test("rateLimit() counts by the address of the client", async () => {
  await using harness = harnessOf([{ limit: 1 }]);
  const from = async (hostname: string, port: number) => {
    const client = await harness.open(request("GET /"), {
      clientAddr: { transport: "tcp", hostname, port },
    });
    return (await client.response()).status;
  };
  assertEquals([await from("192.0.2.1", 1), await from("192.0.2.1", 2)], [200, 429]);
  assertEquals([await from("192.0.2.2", 1), await from("2001:db8::1", 1)], [200, 200]);
  assertEquals(await from("2001:db8::2", 1), 429);
});

Deno.test("rateLimit() counts by a key, and what has none not at all", async () => {
  const key = (ctx: { headers: { get(name: string): string | undefined } }) =>
    Promise.resolve(ctx.headers.get("x-key"));
  await using harness = harnessOf([{ limit: 1, key }]);
  const get = async (...fields: string[]) => {
    const client = await harness.open(request("GET /", fields));
    // Digests are made on another thread: turns of this one do not wait for them.
    for (let turns = 0; turns < MAX_TURNS; turns++) {
      const response = await client.maybeResponse();
      if (response !== undefined) return response;
    }
    return await client.response();
  };
  const statuses = async (...fields: string[]) => [
    (await get(...fields)).status,
    (await get(...fields)).status,
  ];
  assertEquals(await statuses("X-Key: a"), [200, 429]);
  assertEquals(await statuses("X-Key: b"), [200, 429]);
  const long = "c".repeat(5_000);
  assertEquals(await statuses(`X-Key: ${long}`), [200, 429]);
  assertEquals(await statuses(`X-Key: ${long}d`), [200, 429]);
  assertEquals(await statuses(), [200, 200]);
  assertEquals(told(await get()), [undefined, undefined, undefined]);
});

Deno.test("rateLimit() takes the cost of a request", async () => {
  await using harness = harnessOf([{ limit: 3, cost: (ctx) => ctx.path === "/dear" ? 2 : 1 }]);
  const get = async (path: string) => (await harness.request(request(`GET ${path}`))).status;
  assertEquals([await get("/dear"), await get("/dear"), await get("/")], [200, 429, 200]);
});

for (
  const [name, handler] of [
    ["an error", () => Promise.reject(new HttpError(409, "Busy"))],
    ["nothing", () => {}],
    ["a Response", () => new Response("a")],
    ["a head that left early", (ctx) => ctx.writer().close()],
  ] as [string, Handler][]
) {
  Deno.test(`rateLimit() tells of every limit where the handler answers with ${name}`, async () => {
    const minute = { limit: 5, policy: "minute", clock: new ManualClock() };
    const hour = { ...minute, limit: 100, policy: "hour", windowMs: 3_600_000 };
    await using harness = harnessOf([hour, minute], handler);
    const [policies, states] = told(await harness.request(request("GET /")));
    const sorted = (list?: string) => list?.split(", ").sort();
    assertEquals(sorted(policies), ['"hour";q=100;w=3600', '"minute";q=5;w=60']);
    assertEquals(sorted(states), ['"hour";r=99;t=36', '"minute";r=4;t=12']);
  });
}

Deno.test("rateLimit() tells nothing but Retry-After if told to", async () => {
  const options = { limit: 1, sendFields: false, clock: new ManualClock() };
  await using harness = harnessOf([options]);
  const get = () => harness.request(request("GET /"));
  assertEquals(told(await get()), [undefined, undefined, undefined]);
  assertEquals(told(await get()), [undefined, undefined, "60"]);
});

Deno.test("rateLimit() quotes the name of the policy", async () => {
  await using harness = harnessOf([{ policy: 'a "b" \\c' }]);
  const [policy] = told(await harness.request(request("GET /")));
  assert(policy!.startsWith('"a \\"b\\" \\\\c";q='));
});

Deno.test("rateLimit() asks a store", async () => {
  const asked: unknown[] = [];
  const store: RateLimitStore = {
    take(key, cost) {
      asked.push([key, cost]);
      const allowed = asked.length < 2;
      return Promise.resolve({ allowed, remaining: 0, resetMs: 1, retryAfterMs: 0 });
    },
  };
  await using harness = harnessOf([{ store, key: () => "k", cost: () => 7 }]);
  const get = () => harness.request(request("GET /"));
  assertEquals((await get()).status, 200);
  assertEquals(told(await get())[2], "1");
  assertEquals(asked, [["k", 7], ["k", 7]]);
});

Deno.test("rateLimit() lets nobody in where the store fails", async () => {
  const store: RateLimitStore = { take: () => Promise.reject(new Error("broken")) };
  await using harness = harnessOf([{ store }]);
  assertEquals((await harness.request(request("GET /"))).status, 500);
});

for (const options of [{ policy: "" }, { policy: "a\n" }, { policy: "\u00e4" }, { limit: 0 }]) {
  Deno.test(`rateLimit() throws on ${JSON.stringify(options)}`, () => {
    assertThrows(() => rateLimit(options), RangeError);
  });
}

Deno.test("rateLimit() refuses a real client and keeps its connection", async () => {
  const handler = compose([rateLimit({ limit: 2 })], hello);
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
  const statuses: number[] = [];
  for (let index = 0; index < 3; index++) {
    const response = await fetch(url);
    await response.body?.cancel();
    statuses.push(response.status);
  }
  assertEquals(statuses, [200, 200, 429]);
});
