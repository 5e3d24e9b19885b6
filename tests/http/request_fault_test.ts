import { assert, assertEquals, assertFalse, assertRejects, assertStrictEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { IncomingBody } from "../../http/body_incoming.ts";
import { HttpError, HttpProtocolError } from "../../http/errors.ts";
import { faultOf, isRequestFault, requestFault } from "../../http/request_fault.ts";
import type { Context } from "../../http/server_context.ts";
import { LimitExceededError, NetError, TimeoutError } from "../../nbio/errors.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { ScriptedBody, type ScriptOptions } from "../_support/scripted_body.ts";
import {
  gate,
  post,
  postChunks,
  request,
  ServerHarness,
  turn,
} from "../_support/server_harness.ts";

Deno.test("requestFault() marks the error it gives back, and no other", () => {
  const error = new Error("fault");
  assertFalse(isRequestFault(error));
  assertStrictEquals(requestFault(error), error);
  assert(isRequestFault(error));
  assertFalse(isRequestFault(new Error("fault")));
  for (const value of [undefined, null, "text", 7]) assertStrictEquals(requestFault(value), value);
});

const MULTIPART = "multipart/form-data; boundary=x";
const URLENCODED = "application/x-www-form-urlencoded";
const TWO_PARTS =
  ["a", "b"].map((name) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nvalue\r\n`)
    .join("") + "--x--\r\n";

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

async function readParts(body: IncomingBody, how: "text" | "stream"): Promise<void> {
  for await (const part of body.multipart({ maxPartBytes: how === "text" ? 0 : 3 })) {
    if (how === "text") await part.text({ maxBytes: 3 });
    else await new Response(part.stream).bytes();
  }
}

/** What every reader throws about what it reads. */
for (
  const [name, pieces, options, read] of [
    ["bytes() of a large body", ["abcd"], {}, (body) => body.bytes({ maxBytes: 3 })],
    ["text() of a long body", [], { length: 9 }, (body) => body.text({ maxBytes: 3 })],
    ["json() of a large body", ["1234"], {}, (body) => body.json({ maxBytes: 3 })],
    ["chunks() of a large body", ["abcd"], {}, (body) => drain(body.chunks({ maxBytes: 3 }))],
    ["chunks() of a long body", [], { length: 9 }, (body) => drain(body.chunks({ maxBytes: 3 }))],
    ["form() of no form", ["a=%"], { type: URLENCODED }, (body) => body.form()],
    [
      "form() of many fields",
      ["a&b"],
      { type: URLENCODED },
      (body) => body.form({ maxFields: 1 }),
    ],
    ["form() cut off", [TWO_PARTS.slice(0, 70)], { type: MULTIPART }, (body) => body.form()],
    [
      "form() of many parts",
      [TWO_PARTS],
      { type: MULTIPART },
      (body) => body.form({ maxParts: 1 }),
    ],
    ["multipart() cut off", ["--x"], { type: MULTIPART }, (body) => drainParts(body)],
    ["a part's text()", [TWO_PARTS], { type: MULTIPART }, (body) => readParts(body, "text")],
    ["a part's stream", [TWO_PARTS], { type: MULTIPART }, (body) => readParts(body, "stream")],
    [
      "bytes() of too many codings",
      ["a"],
      { coding: "gzip, gzip" },
      (body) => body.bytes({ decode: true, maxContentCodings: 1 }),
    ],
    ["bytes() of no gzip", ["abc"], { coding: "gzip" }, (body) => body.bytes({ decode: true })],
    [
      "chunks() of gzip cut off",
      [gzipSync("text").subarray(0, -1)],
      { coding: "gzip" },
      (body) => drain(body.chunks({ decode: true })),
    ],
  ] as [
    string,
    (string | Uint8Array)[],
    ScriptOptions,
    (body: IncomingBody) => Promise<unknown>,
  ][]
) {
  Deno.test(`${name} throws a fault of the request`, async () => {
    const body = new IncomingBody(new ScriptedBody(pieces, options), 1_000);
    const error = await assertRejects(async () => await read(body), NetError);
    assert(error instanceof LimitExceededError || error instanceof HttpProtocolError);
    assert(isRequestFault(error));
  });
}

async function drainParts(body: IncomingBody): Promise<void> {
  for await (const part of body.multipart()) await drain(part);
}

for (const how of ["bytes", "text", "json", "stream", "chunks", "form", "multipart"] as const) {
  Deno.test(`what the client does to ${how} is a fault of the request`, async () => {
    const source = new ScriptedBody(["a"], { type: MULTIPART });
    source.failure = new TimeoutError("slow", { phase: "body", timeoutMs: 1 });
    const body = new IncomingBody(source, 1_000);
    const error = await assertRejects(async () => {
      if (how === "stream") await new Response(body.stream).bytes();
      else if (how === "chunks") await drain(body);
      else if (how === "multipart") await drainParts(body);
      else await body[how]();
    });
    assertStrictEquals(error, source.failure);
    assert(isRequestFault(source.failure));
  });
}

Deno.test("faultOf() marks what a promise rejects with, before whoever waits for it sees it", async () => {
  const error = new Error("fault");
  const reading = Promise.reject(error);
  assertStrictEquals(faultOf(reading), reading);
  await reading.catch((reason) => assert(isRequestFault(reason)));
  assertEquals(await faultOf(Promise.resolve(7)), 7);
});

// An unhandled rejection would end the test run, as it ends a process.
for (const how of ["bytes", "text", "json", "form"] as const) {
  Deno.test(`${how}() that fails while its handler does something else harms nobody`, async () => {
    const source = new ScriptedBody(["a"], { type: MULTIPART });
    source.failure = new Error("broken");
    const body = new IncomingBody(source, 1_000);
    const reading = body[how]();
    await turn();
    assertStrictEquals(await assertRejects(() => reading), source.failure);
  });
}

for (const how of ["bytes", "text"] as const) {
  Deno.test(`parts collected by ${how}() side by side may fail together with their loop`, async () => {
    const body = new IncomingBody(
      new ScriptedBody([TWO_PARTS.slice(0, -9)], { type: MULTIPART }),
      1_000,
    );
    const all: Promise<unknown>[] = [];
    const error = await assertRejects(async () => {
      for await (const part of body.multipart()) all.push(part[how]());
    }, HttpProtocolError);
    await turn();
    assertEquals(error.code, "ERR_HTTP_TRUNCATED_MULTIPART");
    const outcomes = await Promise.allSettled(all);
    assertEquals(outcomes.map(({ status }) => status), ["fulfilled", "rejected"]);
  });
}

Deno.test("a client that breaks off while its handler waits for something else is answered", async () => {
  const elsewhere = gate();
  await using harness = new ServerHarness(async (ctx) => {
    const reading = ctx.body.json();
    await elsewhere.passed;
    ctx.json(await reading);
  });
  const client = await harness.open(request("POST /", ["Content-Length: 9"], "{"));
  await client.end();
  await turn();
  elsewhere.open();
  assertEquals((await client.response()).status, 400);
  assertEquals(harness.reported, []);
});

const limit = { limit: "maxBodyBytes", max: 1, statusHint: 413 };

for (
  const [what, error, status] of [
    ["breaks the protocol", new HttpProtocolError("ERR_HTTP_BAD_CHUNK_SIZE", "secret"), 500],
    ["sends too much", new LimitExceededError("secret", limit), 500],
    ["stalls", new TimeoutError("secret", { phase: "body", timeoutMs: 1 }), 503],
  ] as const
) {
  Deno.test(`an upstream that ${what} is not the client's fault: ${status}, and reported`, async () => {
    await using harness = new ServerHarness(async (ctx: Context) => {
      await ctx.body.text();
      throw error;
    });
    const response = await harness.request(post("/", "abc"));
    assertEquals([response.status, response.body.includes("secret")], [status, false]);
    assertEquals(harness.reported.map((report) => report.error), [error]);
  });
}

Deno.test("an HttpError stays what the handler threw, wherever it got it", async () => {
  await using harness = new ServerHarness(() => {
    throw new HttpError(413, "Too much for the upstream");
  });
  const response = await harness.request(request("GET /"));
  assertEquals([response.status, response.body], [413, "Too much for the upstream"]);
});

for (
  const [what, wire, status] of [
    ["too large", post("/", "x".repeat(11)), 413],
    ["too large in chunks", postChunks("/", ["x".repeat(11)]), 413],
    ["malformed", postChunks("/", ["abc"]).replace("3\r\n", "z\r\n"), 400],
  ] as const
) {
  Deno.test(`a body that is ${what} is the client's fault: ${status}, and not reported`, async () => {
    await using harness = new ServerHarness(async (ctx: Context) => {
      ctx.text(textOf(await ctx.body.bytes()));
    }, { maxBodyBytes: 10 });
    assertEquals((await harness.request(wire)).status, status);
    assertEquals(harness.reported, []);
  });
}

Deno.test("a body that stalls or is cut off is the client's fault", async () => {
  await using harness = new ServerHarness(async (ctx) => ctx.text(await ctx.body.text()));
  const stalled = await harness.open(request("POST /", ["Content-Length: 3"], "a"));
  const cut = await harness.open(request("POST /", ["Content-Length: 3"], "a"));
  await cut.end();
  assertEquals((await cut.response()).status, 400);
  await harness.advance(30_000);
  await harness.advancePast();
  assertEquals((await stalled.response()).status, 408);
  assertEquals(harness.reported, []);
});
