import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { answerWith } from "../../http/adapter_response.ts";
import { HttpStateError } from "../../http/errors.ts";
import { OutgoingResponse } from "../../http/outgoing_response.ts";
import type { Context } from "../../http/server_context.ts";

function contextOf(method = "GET"): Context & { readonly response: OutgoingResponse } {
  const context = { method, response: new OutgoingResponse() };
  return context as unknown as Context & { readonly response: OutgoingResponse };
}

/** Answers, and gives what has become of it. */
async function answered(web: Response, method = "GET"): Promise<readonly unknown[]> {
  const ctx = contextOf(method);
  await answerWith(ctx, web);
  const { status, headers, body } = ctx.response;
  return [status, [...headers], typeof body === "string" || body === undefined ? body : "pieces"];
}

const PLAIN = ["content-type", "text/plain;charset=UTF-8"];

for (
  const [name, make, expected] of [
    ["text", () => new Response("a"), [200, [PLAIN], "a"]],
    ["a status", () => new Response("a", { status: 404 }), [404, [PLAIN], "a"]],
    ["JSON", () => Response.json(1), [200, [["content-type", "application/json"]], "1"]],
    ["nothing", () => new Response(null, { status: 204 }), [204, [], undefined]],
    ["fields", () => new Response("a", { headers: { "x-a": "b" } }), [
      200,
      [["x-a", "b"], PLAIN],
      "a",
    ]],
    [
      "Transfer-Encoding of elsewhere",
      () => new Response(null, { headers: { "transfer-encoding": "chunked" } }),
      [200, [], undefined],
    ],
  ] as [string, () => Response, unknown[]][]
) {
  Deno.test(`answerWith() takes over ${name}`, async () => {
    const [status, headers, body] = await answered(make());
    const sorted = (fields: unknown): unknown => (fields as string[][]).toSorted();
    assertEquals([status, sorted(headers), body], [expected[0], sorted(expected[1]), expected[2]]);
  });
}

Deno.test("answerWith() is through at once with text, and later with a stream", async () => {
  assertEquals(answerWith(contextOf(), new Response("a")), undefined);
  assertEquals(answerWith(contextOf(), new Response(null)), undefined);
  const later = answerWith(contextOf(), new Response(ReadableStream.from([Uint8Array.of(1)])));
  assertInstanceOf(later, Promise);
  await later;
});

Deno.test("answerWith() keeps what a middleware has set, and its type", async () => {
  for (const headers of [{}, { "x-b": "c" }]) {
    const ctx = contextOf();
    ctx.response.headers.set("content-type", "a/b");
    ctx.response.headers.set("x-a", "b");
    await answerWith(ctx, new Response("a", { headers }));
    assertEquals(ctx.response.headers.get("content-type"), "a/b");
    assertEquals(ctx.response.headers.get("x-a"), "b");
  }
});

Deno.test("answerWith() promises no length of a stream to HEAD", async () => {
  let isCancelled = false;
  const stream = new ReadableStream({ cancel: () => void (isCancelled = true) });
  assertEquals(await answered(new Response(stream), "HEAD"), [200, [], "pieces"]);
  // It is the connection's to let go of.
  assertEquals(isCancelled, false);
});

Deno.test("answerWith() refuses what is no answer", () => {
  const used = new Response("a");
  used.body!.getReader();
  for (const wrong of [undefined, null, "a", {}, used, Response.error()]) {
    const ctx = contextOf();
    assertThrows(() => answerWith(ctx, wrong as Response), TypeError);
    assertEquals(ctx.response.isAnswered, false);
  }
});

Deno.test("answerWith() refuses a second answer", () => {
  for (const make of [() => new Response("a"), () => new Response(new ReadableStream())]) {
    const ctx = contextOf();
    ctx.response.setStatus(200);
    const error = assertThrows(() => answerWith(ctx, make()), HttpStateError);
    assertEquals(error.code, "ERR_HTTP_ALREADY_ANSWERED");
  }
});

Deno.test("answerWith() drops a stream where the connection was given away", async () => {
  const ctx = contextOf();
  ctx.response.handOver(101);
  let isCancelled = false;
  const stream = new ReadableStream({ cancel: () => void (isCancelled = true) });
  await answerWith(ctx, new Response(stream));
  await answerWith(ctx, undefined as unknown as Response);
  assertEquals(isCancelled, true);
});
