import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { HttpStateError } from "../../http/errors.ts";
import { OutgoingResponse } from "../../http/outgoing_response.ts";
import { compose } from "../../http/middleware.ts";
import { adoptResponse, checkResponse } from "../../http/server_adopt.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { gate, request, ServerHarness, turn } from "../_support/server_harness.ts";

async function answerOf(handler: Handler, start = "GET /"): Promise<RawResponse> {
  await using harness = new ServerHarness(handler);
  const client = await harness.open(request(start) + request(start));
  for (let count = 0; count < 3; count++) await turn();
  const isHead = start.startsWith("HEAD");
  const first = await client.response(isHead);
  // What follows shows that the first was framed right.
  assertEquals((await client.response(isHead)).status, first.status);
  assertEquals([await client.text(), harness.reported], ["", []]);
  return first;
}

for (
  const [name, make, status, reason, body, framing] of [
    ["text", () => new Response("gr\u00fc\u00df"), 200, "OK", "gr\xc3\xbc\xc3\x9f", "chunked"],
    ["no body", () => new Response(null, { status: 202 }), 202, "Accepted", "", "length"],
    [
      "a reason",
      () => new Response("", { status: 200, statusText: "Fine" }),
      200,
      "Fine",
      "",
      "chunked",
    ],
    ["a status without a name", () => new Response(null, { status: 599 }), 599, "", "", "length"],
    [
      "a stream",
      () => new Response(ReadableStream.from(["a", "b"]).pipeThrough(new TextEncoderStream())),
      200,
      "OK",
      "ab",
      "chunked",
    ],
    [
      "a length",
      () => new Response("abc", { headers: { "content-length": "3" } }),
      200,
      "OK",
      "abc",
      "length",
    ],
    ["204", () => new Response(null, { status: 204 }), 204, "No Content", "", "none"],
    ["a redirect", () => Response.redirect("http://a/b", 303), 303, "See Other", "", "length"],
    ["JSON", () => Response.json([1]), 200, "OK", "[1]", "chunked"],
  ] as [string, () => Response, number, string, string, string][]
) {
  Deno.test(`a Response with ${name} is answered as it is`, async () => {
    for (const handler of [() => make(), () => Promise.resolve(make())]) {
      const response = await answerOf(handler);
      assertEquals([response.status, response.reason, response.body, response.framing], [
        status,
        reason,
        body,
        framing,
      ]);
    }
  });
}

Deno.test("a Response gives its header fields in order, every Set-Cookie by itself", async () => {
  const response = await answerOf(() => {
    const headers = new Headers({ "X-B": "1" });
    headers.append("Set-Cookie", "a=b, c");
    headers.append("Set-Cookie", "d=e");
    headers.append("X-A", "1");
    headers.append("x-a", "2");
    return new Response(null, { headers });
  });
  const own = response.fields.filter(([name]) => /^(x-|set-)/.test(name));
  assertEquals(own, [["set-cookie", "a=b, c"], ["set-cookie", "d=e"], ["x-a", "1, 2"], [
    "x-b",
    "1",
  ]]);
});

Deno.test("a Response keeps the header fields set on the context, in front", async () => {
  const response = await answerOf((ctx) => {
    ctx.set("x-request-id", "7");
    return new Response(null, { headers: { "x-a": "b" } });
  });
  assertEquals([fieldOf(response, "x-request-id"), fieldOf(response, "x-a")], ["7", "b"]);
});

Deno.test("a Response to HEAD leaves no body, even if its stream never speaks", async () => {
  let cancelCount = 0;
  const response = await answerOf(
    () => new Response(new ReadableStream({ cancel: () => void cancelCount++ })),
    "HEAD /",
  );
  assertEquals([response.status, cancelCount], [200, 2]);
});

Deno.test("what fetch() brought is passed on, however it came", async () => {
  const coded = () =>
    new Response("hello", {
      headers: { "transfer-encoding": "chunked", "keep-alive": "timeout=1" },
    });
  const response = await answerOf(coded);
  assertEquals([response.framing, response.body], ["chunked", "hello"]);
});

Deno.test("a Response whose body was used is a 500, and reported", async () => {
  const uses: ((response: Response) => unknown)[] = [
    (response) => response.text(),
    (response) => response.body!.getReader(),
  ];
  for (const use of uses) {
    await using harness = new ServerHarness(async () => {
      const response = new Response("used");
      await use(response);
      return response;
    });
    const client = await harness.open(request("GET /"));
    await turn();
    assertEquals((await client.response()).status, 500);
    assertInstanceOf(harness.reported[0]!.error, TypeError);
  }
});

Deno.test("Response.error() and what is no Response are a 500, and reported", async () => {
  for (const result of [Response.error(), "text", { status: 200 }, null]) {
    await using harness = new ServerHarness(() => result as Response);
    assertEquals((await harness.request(request("GET /"))).status, 500, `${result}`);
    assertEquals(harness.reported.length, 1);
  }
});

Deno.test("a Response whose stream fails ends the connection without an end", async () => {
  const failure = new Error("secret");
  await using harness = new ServerHarness(() =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(3)),
        pull: (controller) => controller.error(failure),
      }, { highWaterMark: 0 }),
    )
  );
  const client = await harness.open(request("GET /"));
  await turn();
  assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
  assertEquals(harness.reported.map(({ error }) => error), [failure]);
});

Deno.test("adoptResponse() throws if something was answered already", () => {
  const response = new OutgoingResponse();
  response.setStatus(200);
  const error = assertThrows(() => adoptResponse(response, new Response("")), HttpStateError);
  assertEquals(error.code, "ERR_HTTP_ALREADY_ANSWERED");
});

for (const how of ["reset", "shutdown"] as const) {
  Deno.test(`a Response that comes too late (${how}) is not read, but cancelled`, async () => {
    const late = gate();
    const reasons: unknown[] = [];
    await using harness = new ServerHarness(async () => {
      await late.passed;
      return new Response(new ReadableStream({ cancel: (reason) => void reasons.push(reason) }));
    });
    const client = await harness.open(request("GET /"));
    if (how === "reset") await client.reset();
    else await harness.server.shutdown({ graceMs: 0 });
    late.open();
    await turn();
    assertEquals([reasons.length, harness.reported], [1, []]);
    assertInstanceOf(reasons[0], ConnectionClosedError);
    assertEquals(client.server.isClosed, true);
  });
}

for (const value of ["text", 7, false, {}, { status: 200 }, [], Symbol()]) {
  Deno.test(`adoptResponse() throws a TypeError on ${String(value)}, answered or not`, () => {
    const response = new OutgoingResponse();
    const web = value as unknown as Response;
    assertThrows(() => adoptResponse(response, web), TypeError);
    assertEquals([response.status, response.headers.size], [0, 0]);
    assertThrows(() => checkResponse(web), TypeError);
  });
}

Deno.test("a handler that returns what is no Response is a 500, and reported as a TypeError", async () => {
  for (const value of ["text", 7, false, null, {}]) {
    const handlers = [() => value, () => Promise.resolve(value)] as unknown as Handler[];
    for (const handler of [...handlers, ...handlers.map((each) => compose([], each))]) {
      await using harness = new ServerHarness(handler);
      assertEquals((await harness.request(request("GET /"))).status, 500);
      assertEquals(harness.reported.map(({ error }) => error instanceof TypeError), [true]);
    }
  }
});
