import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { compose, type Middleware } from "../../http/middleware.ts";
import {
  validate,
  type ValidateOptions,
  type ValidateSchemas,
} from "../../http/middleware_validate.ts";
import type { StandardSchema, StandardSchemaResult } from "../../http/standard_schema.ts";
import { type ValidatedPart, ValidationError } from "../../http/validation_error.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { post, request, ServerHarness } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

function schemaOf<Output>(
  check: (value: unknown) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>,
): StandardSchema<unknown, Output> {
  return { "~standard": { version: 1, vendor: "test", validate: check } };
}

/** Takes everything, and gives it back. */
const anything = schemaOf((value) => ({ value }));
const nothing = schemaOf<never>(() => ({ issues: [{ message: "No", path: ["a"] }] }));
const count = schemaOf<{ count: number }>((value) => {
  const number = Number((value as { count?: unknown }).count);
  return Number.isInteger(number)
    ? { value: { count: number } }
    : { issues: [{ message: "Expected a whole number", path: [{ key: "count" }] }] };
});

const JSON_TYPE = "Content-Type: application/json";
const FORM_TYPE = "Content-Type: application/x-www-form-urlencoded";

/** Answers with what the schemas made of the parts. */
async function answerOf(
  schemas: ValidateSchemas,
  wire: string,
  options: ValidateOptions = {},
  outer: readonly Middleware[] = [],
): Promise<RawResponse> {
  const valid = validate(schemas, options);
  const handler = compose([...outer, valid], (ctx) => ctx.json(ctx.state.require(valid.key)));
  await using harness = new ServerHarness(handler);
  const response = await harness.request(wire);
  assertEquals(harness.reported, []);
  return response;
}

async function partOf(
  part: ValidatedPart,
  wire: string,
  options?: ValidateOptions,
): Promise<unknown> {
  const response = await answerOf({ [part]: anything }, wire, options);
  assertEquals(response.status, 200);
  return JSON.parse(response.body)[part];
}

Deno.test("validate() gives parameters of the route to the schema", async () => {
  const enter: Middleware = (ctx, next) => {
    ctx.enterRoute("/:id", { id: 7 });
    return next();
  };
  const response = await answerOf({ params: anything }, request("GET /"), {}, [enter]);
  assertEquals(JSON.parse(response.body), { params: { id: 7 } });
});

Deno.test("validate() gives header fields by their lower-case names", async () => {
  const wire = request("GET /", ["X-A: 1", "x-a: 2", "Cookie: a=b", "Cookie: c=d", "__proto__: x"]);
  const expected = JSON.parse(
    '{"host": "a", "x-a": "1, 2", "cookie": "a=b; c=d", "__proto__": "x"}',
  );
  assertEquals(await partOf("headers", wire), expected);
});

for (
  const [query, lists, expected] of [
    ["", [], "{}"],
    ["?a=1&b=%C3%BC+c", [], '{"a":"1","b":"\xc3\xbc c"}'],
    ["?a=1&a=2&b", [], '{"a":["1","2"],"b":""}'],
    ["?a=1", ["a", "b"], '{"a":["1"],"b":[]}'],
    ["?__proto__=1&constructor=2", [], '{"__proto__":"1","constructor":"2"}'],
  ] as const
) {
  Deno.test(`validate() gives the query ${query} with the lists [${lists}]`, async () => {
    const value = await partOf("query", request(`GET /${query}`), { lists });
    assertEquals(value, JSON.parse(expected));
  });
}

Deno.test("validate() gives a body as it is told", async () => {
  assertEquals(await partOf("body", post("/", "[1]", [JSON_TYPE])), [1]);
  const form = { body: { as: "form" }, lists: ["b"] } as const;
  assertEquals(await partOf("body", post("/", "a=1&a=2&b=3", [FORM_TYPE]), form), {
    a: ["1", "2"],
    b: ["3"],
  });
  const text = { body: { as: "text", type: "*/*" } } as const;
  assertEquals(await partOf("body", post("/", "abc"), text), "abc");
});

Deno.test("validate() gives the handler what the schemas made of the parts", async () => {
  const later = schemaOf<number[]>((value) => Promise.resolve({ value: value as number[] }));
  const valid = validate({ query: count, body: later });
  const handler = compose([valid], (ctx) => {
    const { query, body } = ctx.state.require(valid.key);
    // Typed: a number and a list of them.
    ctx.json(body.map((item) => item * query.count));
  });
  await using harness = new ServerHarness(handler);
  const response = await harness.request(post("/?count=3", "[1,2]", [JSON_TYPE]));
  assertEquals(response.body, "[3,6]");
});

Deno.test("validate() answers with problem details", async () => {
  const response = await answerOf({ query: count }, request("GET /?count=x"));
  assertEquals(response.status, 400);
  assertEquals(fieldOf(response, "content-type"), "application/problem+json");
  assertEquals(JSON.parse(response.body), {
    title: "Bad Request",
    status: 400,
    detail: "Request is not valid",
    errors: [{ in: "query", pointer: "/count", detail: "Expected a whole number" }],
  });
});

for (
  const [part, status, usual] of [
    ["params", undefined, 400],
    ["headers", undefined, 400],
    ["query", undefined, 400],
    ["body", undefined, 422],
    ["query", 422, 422],
    ["body", 400, 400],
  ] as const
) {
  Deno.test(`validate() answers ${usual} for ${part} where ${status} is asked for`, async () => {
    const options = status === undefined ? {} : { status };
    const wire = post("/", "{}", [JSON_TYPE]);
    const response = await answerOf({ [part]: nothing }, wire, options);
    assertEquals(response.status, usual);
    assertEquals(JSON.parse(response.body).errors[0].in, part);
  });
}

Deno.test("validate() tells the issues of the whole head together, and reads no body then", async () => {
  const schemas = { params: nothing, headers: nothing, query: nothing, body: nothing };
  const valid = validate(schemas);
  await using harness = new ServerHarness(compose([valid], () => {}));
  const client = await harness.open(
    request("POST /", [JSON_TYPE, "Content-Length: 2", "Expect: 100-continue"]),
  );
  const response = await client.response();
  assertEquals(response.status, 400);
  const errors: { in: string }[] = JSON.parse(response.body).errors;
  assertEquals(errors.map((error) => error.in), ["params", "headers", "query"]);
});

Deno.test("validate() tells no more issues than it may", async () => {
  const issues = new Array(200_000).fill({ message: "No" });
  const schemas = { body: schemaOf<never>(() => ({ issues })) };
  const countOf = async (options: ValidateOptions) => {
    const response = await answerOf(schemas, post("/", "{}", [JSON_TYPE]), options);
    return JSON.parse(response.body).errors.length;
  };
  assertEquals(await countOf({}), 20);
  assertEquals(await countOf({ maxIssues: 1 }), 1);
});

Deno.test("validate() refuses where a schema names no issue", async () => {
  const schemas = { query: schemaOf<never>(() => ({ issues: [] })) };
  const response = await answerOf(schemas, request("GET /"));
  assertEquals([response.status, JSON.parse(response.body).errors.length], [400, 1]);
});

for (
  const [name, wire, status] of [
    ["another type", post("/", "{}", ["Content-Type: text/plain"]), 415],
    ["broken JSON", post("/", "{", [JSON_TYPE]), 400],
    ["no body", request("POST /", [JSON_TYPE, "Content-Length: 0"]), 400],
    ["a long body", post("/", "[1,2,3]", [JSON_TYPE]), 413],
  ] as const
) {
  Deno.test(`validate() answers ${status} to ${name}`, async () => {
    const response = await answerOf({ body: anything }, wire, { body: { maxBytes: 5 } });
    assertEquals(response.status, status);
  });
}

Deno.test("validate() shows the error to those further out", async () => {
  const errors: unknown[] = [];
  const watch: Middleware = async (ctx, next) => {
    await next();
    errors.push(ctx.error);
    ctx.set("x-watched", "yes");
  };
  const response = await answerOf({ query: nothing }, request("GET /"), {}, [watch]);
  assertEquals(fieldOf(response, "x-watched"), "yes");
  assertInstanceOf(errors[0], ValidationError);
});

Deno.test("validate() fails where a schema does", async () => {
  const error = new Error("broken");
  const valid = validate({ query: schemaOf(() => Promise.reject(error)) });
  await using harness = new ServerHarness(compose([valid], () => {}));
  assertEquals((await harness.request(request("GET /"))).status, 500);
  assertEquals(harness.reported.map(({ error }) => error), [error]);
});

for (
  const options of [
    { status: 404 },
    { maxIssues: -1 },
    { lists: new Array(101).fill("a") },
    { body: { type: "json" } },
  ]
) {
  const [name] = Object.keys(options);
  Deno.test(`validate() throws on a wrong ${name}`, () => {
    assertThrows(() => validate({}, options as ValidateOptions), RangeError);
  });
}

Deno.test("validate() answers a real client", async () => {
  const valid = validate({ body: count });
  const handler = compose([valid], (ctx) => ctx.json(ctx.state.require(valid.key).body));
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
  const send = (value: unknown) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(value),
    });
  assertEquals(await (await send({ count: "7" })).json(), { count: 7 });
  const refused = await send({});
  assertEquals([refused.status, (await refused.json()).errors.length], [422, 1]);
});
