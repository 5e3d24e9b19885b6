import { assertEquals, assertThrows } from "@std/assert";
import { compose } from "../../http/middleware.ts";
import {
  requireBody,
  type RequireBodyOptions,
  type RequiredBodyForms,
} from "../../http/middleware_require_body.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { RawClient } from "../_support/raw_client.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { post, postChunks, request, ServerHarness } from "../_support/server_harness.ts";
import { serve } from "../_support/tls_switch.ts";

type Options = RequireBodyOptions<keyof RequiredBodyForms>;

const JSON_TYPE = "Content-Type: application/json";
const FORM_TYPE = "Content-Type: application/x-www-form-urlencoded";
const TEXT_TYPE = "Content-Type: text/plain";

/** Answers with the value, as JSON of its parts. */
async function answerOf(options: Options, wire: string): Promise<RawResponse> {
  const body = requireBody(options);
  const handler = compose([body], (ctx) => {
    const value = ctx.state.require(body.key);
    const isList = value instanceof Uint8Array || value instanceof FormData;
    ctx.json(isList ? [...value] : { value });
  });
  await using harness = new ServerHarness(handler);
  const response = await harness.request(wire);
  return { ...response, body: new TextDecoder().decode(bytesOf(response.body)) };
}

for (
  const [name, options, field, body, expected] of [
    ["JSON", {}, JSON_TYPE, "[1]", { value: [1] }],
    ["JSON with a suffix", {}, "Content-Type: application/ld+json", "null", { value: null }],
    ["text", { as: "text" }, TEXT_TYPE, "gr\xc3\xbc\xc3\x9f", { value: "gr\u00fc\u00df" }],
    ["Latin-1", { as: "text" }, `${TEXT_TYPE}; charset=latin1`, "\xfc", { value: "\u00fc" }],
    ["bytes", { as: "bytes" }, "X: y", "\x00\xff", [0, 255]],
    [
      "a form",
      { as: "form" },
      FORM_TYPE,
      "?a=1&a=%C3%BC+b&&c",
      [["?a", "1"], ["a", "\u00fc b"], ["c", ""]],
    ],
    [
      "a multipart form",
      { as: "form" },
      "Content-Type: multipart/form-data; boundary=b",
      '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--',
      [["a", "1"]],
    ],
    ["a type of its own", { type: "a/b" }, "Content-Type: A/B", "1", { value: 1 }],
    ["one of two types", { as: "text", type: ["a/b", "c/*"] }, "Content-Type: c/d", "x", {
      value: "x",
    }],
  ] as [string, Options, string, string, unknown][]
) {
  Deno.test(`requireBody() reads ${name}, by length and in chunks`, async () => {
    const whole = await answerOf(options, post("/", body, [field]));
    assertEquals([whole.status, JSON.parse(whole.body)], [200, expected]);
    const chunked = postChunks("/", [...body]).replace("\r\n\r\n", `\r\n${field}\r\n\r\n`);
    assertEquals(JSON.parse((await answerOf(options, chunked)).body), expected);
  });
}

for (
  const [name, status, options, wire] of [
    ["another type", 415, {}, post("/", "{}", [TEXT_TYPE])],
    ["no type", 415, {}, post("/", "{}")],
    ["two types", 415, {}, post("/", "{}", [JSON_TYPE, JSON_TYPE])],
    ["a type that only begins right", 415, {}, post("/", "{}", [`${JSON_TYPE}p`])],
    ["a coding", 415, {}, post("/", "{}", [JSON_TYPE, "Content-Encoding: gzip"])],
    [
      "a broken coding",
      400,
      { decode: true },
      post("/", "{}", [JSON_TYPE, "Content-Encoding: gzip"]),
    ],
    ["a broken form", 400, { as: "form" }, post("/", "a=%", [FORM_TYPE])],
    ["an unknown charset", 415, { as: "text" }, post("/", "x", [`${TEXT_TYPE}; charset=klingon`])],
    ["no body", 400, {}, request("GET /", [JSON_TYPE])],
    ["an empty body", 400, {}, post("/", "", [JSON_TYPE])],
    [
      "an empty chunked body",
      400,
      { as: "bytes" },
      postChunks("/", []),
    ],
    ["broken JSON", 400, {}, post("/", "{", [JSON_TYPE])],
    ["JSON that is no UTF-8", 400, {}, post("/", '"\xff"', [JSON_TYPE])],
    ["a body that is too long", 413, { as: "bytes", maxBytes: 3 }, post("/", "1234")],
    ["chunks that are too long", 413, { as: "bytes", maxBytes: 3 }, postChunks("/", ["12", "34"])],
    [
      "a form of too many fields",
      413,
      { as: "form", maxFields: 2 },
      post("/", "a&b&c", [FORM_TYPE]),
    ],
    ["no length", 411, { as: "bytes", requireLength: true }, postChunks("/", ["a"])],
  ] as [string, number, Options, string][]
) {
  Deno.test(`requireBody() answers ${status} to ${name}`, async () => {
    assertEquals((await answerOf(options, wire)).status, status);
  });
}

Deno.test("requireBody() takes what is just within its bounds", async () => {
  const bytes = await answerOf({ as: "bytes", maxBytes: 3 }, post("/", "123"));
  assertEquals(bytes.body, "[49,50,51]");
  const wire = post("/", "a&b", [FORM_TYPE]);
  const form = await answerOf({ as: "form", maxFields: 2 }, wire);
  assertEquals(form.body, '[["a",""],["b",""]]');
  assertEquals((await answerOf({ as: "form", maxFields: 0 }, wire)).status, 200);
});

for (const [as, expected] of [["bytes", []], ["text", { value: "" }], ["json", {}], ["form", []]]) {
  Deno.test(`requireBody() takes an empty body as ${as} if told to`, async () => {
    const options = { as, allowEmpty: true } as Options;
    const response = await answerOf(options, post("/", ""));
    assertEquals(JSON.parse(response.body), expected);
  });
}

Deno.test("requireBody() takes a body in the coding that is none", async () => {
  const wire = post("/", "1", [JSON_TYPE, "Content-Encoding: Identity"]);
  assertEquals((await answerOf({}, wire)).status, 200);
});

Deno.test("requireBody() tells what it would have taken", async () => {
  const typed = await answerOf({ type: ["Image/PNG", "text/*"] }, post("/", "x", [JSON_TYPE]));
  assertEquals(fieldOf(typed, "accept"), "image/png, text/*");
});

Deno.test("requireBody() asks for no body that it refuses", async () => {
  await using harness = new ServerHarness(compose([requireBody({ maxBytes: 10 })], () => {}));
  for (
    const [fields, status] of [
      [[TEXT_TYPE, "Content-Length: 3"], 415],
      [[JSON_TYPE, "Content-Length: 11"], 413],
    ] as const
  ) {
    const client = await harness.open(request("POST /", [...fields, "Expect: 100-continue"]));
    assertEquals((await client.response()).status, status);
  }
  const fields = [JSON_TYPE, "Content-Length: 2", "Expect: 100-continue"];
  const client = await harness.open(request("POST /", fields));
  assertEquals((await client.response()).status, 100);
  await client.send("{}");
  assertEquals((await client.response()).status, 404);
});

Deno.test("requireBody() answers 400 to a body that is cut off", async () => {
  await using harness = new ServerHarness(compose([requireBody()], () => {}));
  const client = await harness.open(post("/", "[1,2]", [JSON_TYPE]).slice(0, -1));
  await client.end();
  assertEquals((await client.response()).status, 400);
});

for (
  const options of [{ as: "xml" }, { type: "json" }, { type: ["a/b", "a/b;c"] }, { maxBytes: -1 }, {
    maxFields: 0.5,
  }]
) {
  Deno.test(`requireBody() throws on ${JSON.stringify(options)}`, () => {
    assertThrows(() => requireBody(options as Options), RangeError);
  });
}

Deno.test("requireBody() gives the value its type", () => {
  const middleware = requireBody({ as: "form" });
  const read = (value: FormData | undefined): unknown => value?.get("a") ?? null;
  assertEquals(read(middleware.key.valueType), null);
});

Deno.test("requireBody() reads from a real client, however it is split", async () => {
  const body = requireBody();
  const handler = compose([body], (ctx) => ctx.json(ctx.state.require(body.key)));
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  await using client = await RawClient.connect(server.addr as Deno.NetAddr);
  const wire = post("/", '{"a":1}', [JSON_TYPE]);
  for (const at of [1, wire.indexOf("\r\n\r\n") + 2, wire.length - 1]) {
    await client.send(wire.slice(0, at));
    await client.send(wire.slice(at));
    assertEquals((await client.response())?.body, '{"a":1}');
  }
  await client.send(post("/", "{}"));
  assertEquals((await client.response())?.status, 415);
});
