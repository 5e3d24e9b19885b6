import { assert, assertEquals, assertThrows } from "@std/assert";
import { compose } from "../../http/middleware.ts";
import { etag, type EtagOptions } from "../../http/middleware_etag.ts";
import type { Handler } from "../../http/server_shared.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { settledRequest } from "../_support/settled_response.ts";

async function answerOf(
  handler: Handler,
  fields: readonly string[] = [],
  options: EtagOptions = {},
  method = "GET",
): Promise<RawResponse> {
  await using harness = new ServerHarness(compose([etag(options)], handler));
  return await settledRequest(harness, request(`${method} /`, fields), method === "HEAD");
}

const hello: Handler = (ctx) => ctx.text("hello");

Deno.test("etag() gives equal content equal tags, and other content others", async () => {
  const tag = fieldOf(await answerOf(hello), "etag")!;
  assert(/^"[\w-]{24}"$/.test(tag), tag);
  assertEquals(fieldOf(await answerOf(hello), "etag"), tag);
  assertEquals(fieldOf(await answerOf(hello, [], {}, "HEAD"), "etag"), tag);
  const bytes: Handler = (ctx) => ctx.bytes(new TextEncoder().encode("hello"));
  assertEquals(fieldOf(await answerOf(bytes), "etag"), tag);
  assert(fieldOf(await answerOf((ctx) => ctx.text("hallo")), "etag") !== tag);
  assertEquals(fieldOf(await answerOf(hello, [], { isWeak: true }), "etag"), `W/${tag}`);
});

Deno.test("etag() answers 304 to who has it, without content", async () => {
  const tag = fieldOf(await answerOf(hello), "etag")!;
  for (const held of [tag, `W/${tag}`, `"x", ${tag}`]) {
    const response = await answerOf(hello, [`If-None-Match: ${held}`]);
    assertEquals(response.status, 304);
    assertEquals(fieldOf(response, "etag"), tag);
    assertEquals(fieldOf(response, "content-type"), undefined);
    assertEquals(response.body, "");
  }
  assertEquals((await answerOf(hello, [`If-None-Match: "x"`])).status, 200);
  assertEquals((await answerOf(hello, [`If-None-Match: broken`])).status, 200);
});

Deno.test("etag() answers 412 to who wanted another, and goes on for who did not", async () => {
  const tag = fieldOf(await answerOf(hello), "etag")!;
  assertEquals((await answerOf(hello, [`If-Match: "x"`])).status, 412);
  assertEquals((await answerOf(hello, [`If-Match: ${tag}`])).status, 200);
  assertEquals((await answerOf(hello, [`If-Match: ${tag}`], { isWeak: true })).status, 412);
});

Deno.test("etag() keeps a tag and a date that are there, and goes by them", async () => {
  const handler: Handler = (ctx) => {
    ctx.set("etag", `"own"`);
    ctx.set("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    ctx.text("hello");
  };
  assertEquals(fieldOf(await answerOf(handler), "etag"), `"own"`);
  assertEquals((await answerOf(handler, [`If-None-Match: "own"`])).status, 304);
  const since = "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT";
  assertEquals((await answerOf(handler, [since])).status, 304);
  // RFC 9110 section 13.2.2: the tag decides where there is one.
  assertEquals((await answerOf(handler, [since, `If-None-Match: "x"`])).status, 200);
});

Deno.test("etag() lets go of a stream that is not sent", async () => {
  let isCancelled = false;
  const response = await answerOf((ctx) => {
    ctx.set("etag", `"a"`);
    ctx.stream(new ReadableStream({ cancel: () => void (isCancelled = true) }));
  }, [`If-None-Match: "a"`]);
  assertEquals(response.status, 304);
  assertEquals(isCancelled, true);
});

for (
  const [name, handler] of [
    ["a stream", (ctx) => ctx.stream(ReadableStream.from(["a"]))],
    ["an error", (ctx) => {
      ctx.status = 404;
      ctx.text("none");
    }],
    ["a part", (ctx) => {
      ctx.status = 206;
      ctx.text("a");
    }],
    ["what was sent by a writer", async (ctx) => await ctx.writer().close()],
  ] as [string, Handler][]
) {
  Deno.test(`etag() leaves ${name} alone`, async () => {
    assertEquals(fieldOf(await answerOf(handler, ["If-None-Match: *"]), "etag"), undefined);
  });
}

Deno.test("etag() leaves answers to other methods alone", async () => {
  const response = await answerOf(hello, ["If-None-Match: *", "Content-Length: 0"], {}, "POST");
  assertEquals(response.status, 200);
  assertEquals(fieldOf(response, "etag"), undefined);
});

for (const [length, hasTag] of [[9, true], [10, true], [11, false]] as const) {
  Deno.test(`etag() with 10 bytes gives ${length} a tag: ${hasTag}`, async () => {
    for (
      const handler of [
        (ctx) => ctx.text("é".repeat(4) + "a".repeat(length - 8)),
        (ctx) => ctx.bytes(new Uint8Array(length)),
      ] as Handler[]
    ) {
      const response = await answerOf(handler, [], { maxBytes: 10 });
      assertEquals(fieldOf(response, "etag") !== undefined, hasTag);
    }
  });
}

Deno.test("etag() throws on a negative size", () => {
  assertThrows(() => etag({ maxBytes: -1 }), RangeError);
});
