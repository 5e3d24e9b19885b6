import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { runRequest } from "../../http/request_runner.ts";
import type { Handler } from "../../http/server_shared.ts";
import { gate, turn } from "../_support/server_harness.ts";

const SILENT = { onError: () => {} };
const echo: Handler = async (ctx) => ctx.bytes(await ctx.body.bytes());

/** What the handler is told of a request. */
async function seenBy(
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<[method: string, url: string, fields: Record<string, string>, body: string]> {
  const response = await runRequest(
    async (ctx) => {
      ctx.json([ctx.method, ctx.url, Object.fromEntries(ctx.headers), await ctx.body.text()]);
    },
    input,
    init,
  );
  return await response.json();
}

Deno.test("runRequest() sends a path as it is", async () => {
  for (
    const path of ["/", "/a?b=c", "/a/../b", "//a//b", "/%2e%2E/%zz", "/?", "/a%2fb", "/[a]|^`{}"]
  ) {
    assertEquals((await seenBy(path))[1], path);
  }
  assertEquals((await seenBy("/a b/ü\\#c"))[1], "/a%20b/%C3%BC%5C");
});

Deno.test("runRequest() takes URLs and requests", async () => {
  assertEquals((await seenBy(new URL("http://h:81/a/../b?c#d")))[1], "/b?c");
  assertEquals((await seenBy("http://h:81/x"))[2].host, "h:81");
  const [method, url, fields, body] = await seenBy(
    new Request("http://h/p", { method: "PUT", body: "text", headers: { "x-a": "b" } }),
  );
  assertEquals([method, url, body], ["PUT", "/p", "text"]);
  assertEquals([fields["host"], fields["x-a"], fields["transfer-encoding"]], ["h", "b", "chunked"]);
});

Deno.test("runRequest() tells the length of a body that is no stream", async () => {
  const form = new FormData();
  form.set("a", "b");
  const rows: [BodyInit, type: string | undefined, length: string | undefined][] = [
    ["text", "text/plain;charset=UTF-8", "4"],
    ["", "text/plain;charset=UTF-8", "0"],
    [new Uint8Array(3), undefined, "3"],
    [new URLSearchParams("a=b"), "application/x-www-form-urlencoded;charset=UTF-8", "3"],
    [new Blob(["ab"], { type: "x/y" }), "x/y", "2"],
    [ReadableStream.from([new Uint8Array(2)]), undefined, undefined],
  ];
  for (const [body, type, length] of rows) {
    const [, , fields] = await seenBy("/", { method: "POST", body });
    assertEquals([fields["content-type"], fields["content-length"]], [type, length]);
  }
  const [, , fields] = await seenBy("/", { method: "POST", body: form });
  assert(fields["content-type"]!.startsWith("multipart/form-data; boundary="));
});

Deno.test("runRequest() takes a Host field, and cookies", async () => {
  const [, , fields] = await seenBy("/", { headers: { host: "other", cookie: "a=b" } });
  assertEquals([fields["host"], fields["cookie"]], ["other", "a=b"]);
});

Deno.test("runRequest() answers as the server does", async () => {
  const answer = async (handler: Handler, init: RequestInit = {}) => {
    const response = await runRequest(handler, "/", init, SILENT);
    return [response.status, await response.text()];
  };
  assertEquals(await answer(() => {}), [404, "Not Found"]);
  assertEquals(await answer(() => Promise.reject(new Error("no"))), [500, "Internal Server Error"]);
  assertEquals(await answer((ctx) => ctx.text("body"), { method: "HEAD" }), [200, ""]);
  assertEquals(await answer(() => new Response(null, { status: 204 })), [204, ""]);
  assertEquals(await answer((ctx) => void (ctx.status = 304)), [304, ""]);
  assertEquals(await answer((ctx) => ctx.text("")), [200, ""]);
  assertEquals(await answer(() => new Response("web")), [200, "web"]);
  const cookies = await runRequest((ctx) => {
    ctx.append("set-cookie", "a=1");
    ctx.append("set-cookie", "b=2");
    ctx.status = 201;
  }, "/");
  assertEquals([cookies.status, cookies.headers.getSetCookie()], [201, ["a=1", "b=2"]]);
});

Deno.test("runRequest() does not show informational responses", async () => {
  const response = await runRequest(
    async (ctx) => {
      await ctx.inform(103, [["link", "</a>"]]);
      ctx.text("final");
    },
    "/",
    { headers: { expect: "100-continue" }, method: "POST", body: "x" },
  );
  assertEquals([response.status, await response.text()], [200, "final"]);
});

Deno.test("runRequest() streams the answer while it is made", async () => {
  const next = gate();
  const response = await runRequest(async (ctx) => {
    const writer = ctx.writer();
    await writer.write("first");
    await next.passed;
    await writer.write("second");
    await writer.close();
  }, "/");
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode((await reader.read()).value), "first");
  next.open();
  assertEquals(decoder.decode((await reader.read()).value), "second");
  assertEquals((await reader.read()).done, true);
});

Deno.test("runRequest() streams the request while it is read", async () => {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  const response = await runRequest(
    (ctx) => {
      ctx.stream(ctx.body);
    },
    "/",
    { method: "POST", body: readable },
  );
  const reader = response.body!.getReader();
  for (const byte of [1, 2, 3]) {
    void writer.write(Uint8Array.of(byte));
    assertEquals((await reader.read()).value, Uint8Array.of(byte));
  }
  void writer.close();
  assertEquals((await reader.read()).done, true);
});

Deno.test("runRequest() carries 8 MiB in both directions", async () => {
  const bytes = new Uint8Array(8 << 20).fill(7);
  const response = await runRequest(echo, "/", { method: "POST", body: bytes });
  assertEquals((await response.bytes()).length, bytes.length);
});

Deno.test("runRequest() takes options of the server", async () => {
  const small = { ...SILENT, maxBodyBytes: 3 };
  const response = await runRequest(echo, "/", { method: "POST", body: "four" }, small);
  assertEquals(response.status, 413);
  await response.body?.cancel();
  await assertRejects(() => runRequest(echo, "/", {}, { headTimeoutMs: -1 }), RangeError);
});

Deno.test("runRequest() gives an answer that came before the body was sent", async () => {
  let isCancelled = false;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    cancel: () => void (isCancelled = true),
  });
  const response = await runRequest((ctx) => ctx.text("enough"), "/", {
    method: "POST",
    body: endless,
  });
  assertEquals([response.status, await response.text()], [200, "enough"]);
  for (let count = 0; count < 10 && !isCancelled; count++) await turn();
  assert(isCancelled);
});

Deno.test("runRequest() rejects where the connection is cut", async () => {
  await assertRejects(
    () =>
      runRequest(
        async (ctx) => {
          await ctx.flush();
          throw new Error("too late");
        },
        "/",
        {},
        SILENT,
      ).then((response) => response.text()),
    ConnectionClosedError,
  );
});

Deno.test("runRequest() lets the server see a body that breaks off", async () => {
  const body = new ReadableStream({ pull: () => Promise.reject(new Error("broken")) });
  const response = await runRequest(echo, "/", { method: "POST", body }, SILENT);
  assertEquals(response.status, 400);
  await response.body?.cancel();
});

Deno.test("runRequest() rejects with what keeps a request from being sent", async () => {
  const headers = { "content-length": "1" };
  const error = await assertRejects(() =>
    runRequest(echo, "/", { method: "POST", body: "four", headers }, SILENT)
  );
  assert(!(error instanceof ConnectionClosedError));
});

Deno.test("runRequest() rejects with the reason of its signal", async () => {
  const reason = new Error("enough");
  const before = AbortSignal.abort(reason);
  assert(await assertRejects(() => runRequest(echo, "/", { signal: before })) === reason);

  const controller = new AbortController();
  let handlerSignal: AbortSignal | undefined;
  const pending = runRequest(
    async (ctx) => {
      handlerSignal = ctx.signal;
      controller.abort(reason);
      await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
    },
    "/",
    { signal: controller.signal },
    SILENT,
  );
  assert(await assertRejects(() => pending) === reason);
  await turn();
  assertEquals(handlerSignal?.aborted, true);
});

Deno.test("runRequest() tells the handler of a reader that cancels", async () => {
  const aborted = gate();
  const response = await runRequest(
    async (ctx) => {
      ctx.signal.addEventListener("abort", () => aborted.open());
      const writer = ctx.writer();
      await writer.write("some");
      await aborted.passed;
    },
    "/",
    {},
    SILENT,
  );
  await response.body!.cancel();
  await aborted.passed;
});

Deno.test("runRequest() throws on what no request can be", async () => {
  const rows: [string, RequestInit][] = [
    ["/", { method: "CONNECT" }],
    ["/", { method: "A B" }],
    ["/", { body: "x" }],
    ["/", { headers: { "a b": "c" } }],
    ["http://", {}],
  ];
  for (const [input, init] of rows) {
    await assertRejects(() => runRequest(echo, input, init), TypeError);
  }
});
