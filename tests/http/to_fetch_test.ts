import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { HttpError, HttpStateError } from "../../http/errors.ts";
import type { Handler } from "../../http/server_shared.ts";
import { toFetch, type ToFetchOptions } from "../../http/to_fetch.ts";
import { gate } from "../_support/server_harness.ts";

const URL_TEXT = "http://a.b:81/c?d";

interface Answered {
  readonly response: Response;
  readonly reported: readonly unknown[];
}

async function ask(
  handler: Handler,
  init: RequestInit = {},
  options: ToFetchOptions = {},
): Promise<Answered> {
  const reported: unknown[] = [];
  const answer = toFetch(handler, { onError: (error) => void reported.push(error), ...options });
  return { response: await answer(new Request(URL_TEXT, init)), reported };
}

for (
  const [name, handler, status, type, body] of [
    [
      "text",
      (ctx) => ctx.text("gr\u00fc\u00df"),
      200,
      "text/plain; charset=utf-8",
      "gr\u00fc\u00df",
    ],
    ["JSON", (ctx) => ctx.json([1]), 200, "application/json", "[1]"],
    ["bytes", (ctx) => ctx.bytes(Uint8Array.of(65)), 200, "application/octet-stream", "A"],
    [
      "a stream",
      (ctx) => {
        ctx.set("content-type", "a/b");
        ctx.stream(ReadableStream.from(["a", Uint8Array.of(66)]));
      },
      200,
      "a/b",
      "aB",
    ],
    ["a status", (ctx) => void (ctx.status = 204), 204, null, ""],
    ["nothing", () => {}, 404, "text/plain; charset=utf-8", "Not Found"],
    ["a Response", () => new Response("x", { status: 201 }), 201, "text/plain;charset=UTF-8", "x"],
    [
      "a Response behind a field",
      (ctx) => {
        ctx.set("x-a", "b");
        return Response.json([2]);
      },
      200,
      "application/json",
      "[2]",
    ],
    [
      "a writer",
      async (ctx) => {
        ctx.set("content-type", "a/c");
        const writer = ctx.writer();
        void writer.write("a");
        void writer.write("b");
        await writer.close([["x-trailer", "dropped"]]);
      },
      200,
      "a/c",
      "ab",
    ],
    [
      "a flushed head",
      async (ctx) => {
        await ctx.flush();
        ctx.text("late");
      },
      200,
      null,
      "late",
    ],
    [
      "an HttpError",
      () => {
        throw new HttpError(418, "teapot");
      },
      418,
      "text/plain; charset=utf-8",
      "teapot",
    ],
  ] as [string, Handler, number, string | null, string][]
) {
  Deno.test(`toFetch() answers with ${name}`, async () => {
    const { response, reported } = await ask(handler);
    assertEquals([response.status, response.headers.get("content-type")], [status, type]);
    assertEquals([await response.text(), reported], [body, []]);
    const head = await ask(handler, { method: "HEAD" });
    if (name !== "a Response") assertEquals(await head.response.text(), "");
  });
}

Deno.test("toFetch() shows the request", async () => {
  const { response } = await ask(async (ctx) => {
    const { hostname, port } = ctx.localAddr as Deno.NetAddr;
    ctx.json([
      ctx.method,
      ctx.url,
      ctx.path,
      ctx.query.has("d"),
      ctx.headers.getAll("x-a"),
      [hostname, port],
      ctx.remoteAddr,
      ctx.tlsInfo === undefined,
      await ctx.body.json(),
    ]);
  }, { method: "POST", body: "[1]", headers: { "x-a": "b" } });
  const unknown = { transport: "tcp", hostname: "0.0.0.0", port: 0 };
  assertEquals(await response.json(), [
    "POST",
    "/c?d",
    "/c",
    true,
    ["b"],
    ["a.b", 81],
    unknown,
    true,
    [1],
  ]);
});

Deno.test("toFetch() hides an error, and tells of it", async () => {
  const failure = new Error("secret");
  const { response, reported } = await ask(() => Promise.reject(failure));
  assertEquals([response.status, await response.text()], [500, "Internal Server Error"]);
  assertEquals(reported, [failure]);
});

Deno.test("toFetch() bounds a body", async () => {
  const handler: Handler = async (ctx) => ctx.text(await ctx.body.text());
  for (const body of ["12345", ReadableStream.from([new Uint8Array(5)])]) {
    const init: RequestInit & { duplex: string } = { method: "POST", body, duplex: "half" };
    assertEquals((await ask(handler, init, { maxBodyBytes: 4 })).response.status, 413);
  }
  assertEquals(
    (await ask(handler, { method: "POST", body: "1234" }, { maxBodyBytes: 4 })).response.status,
    200,
  );
});

Deno.test("toFetch() cannot give the connection away", async () => {
  for (const what of ["upgrade", "hijack", "tunnel"] as const) {
    const { response } = await ask(async (ctx) => void await ctx[what]("x" as never));
    assertEquals(response.status, 501);
  }
  assertEquals(
    (await ask(async (ctx) => {
      await ctx.inform(103, [["link", "a"]]);
      ctx.text("x");
    })).response.status,
    200,
  );
});

Deno.test("toFetch() cuts a body whose writer was not closed", async () => {
  const { response, reported } = await ask((ctx) => void ctx.writer().write("a"));
  assertEquals(response.status, 200);
  await assertRejects(() => response.text());
  assertInstanceOf(reported[0], HttpStateError);
});

Deno.test("toFetch() cuts a stream that fails, and lets go of one nobody reads", async () => {
  const failure = new Error("no");
  const failing = new ReadableStream<Uint8Array>({ pull: (c) => c.error(failure) });
  const { response } = await ask((ctx) => ctx.stream(failing));
  assertEquals(await assertRejects(() => response.text()), failure);

  const dropped = gate();
  const silent = new ReadableStream<Uint8Array>({ cancel: () => dropped.open() });
  await (await ask((ctx) => ctx.stream(silent))).response.body!.cancel();
  await dropped.passed;
});

Deno.test("toFetch() tells ctx.signal of the request's", async () => {
  const controller = new AbortController();
  const started = gate();
  const asked = ask(async (ctx) => {
    const { signal } = ctx;
    started.open();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    ctx.text(`${signal.reason === controller.signal.reason}`);
  }, { signal: controller.signal });
  await started.passed;
  controller.abort("gone");
  assertEquals(await (await asked).response.text(), "true");
});

Deno.test("toFetch() checks its options", () => {
  assertThrows(() => toFetch(() => {}, { maxBodyBytes: -1 }), RangeError);
});

Deno.test("toFetch() runs under Deno.serve, streaming both ways", async () => {
  const answer = toFetch(async (ctx) => {
    ctx.set("x-from", (ctx.remoteAddr as Deno.NetAddr).hostname);
    const writer = ctx.writer();
    for await (const chunk of ctx.body) await writer.write(chunk);
    await writer.close();
  });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  const body = ReadableStream.from([new Uint8Array(70_000).fill(65), Uint8Array.of(66)]);
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/`, { method: "POST", body });
  assertEquals(response.headers.get("x-from"), "127.0.0.1");
  const text = await response.text();
  assert(text.length === 70_001 && text.endsWith("AB"));
});
