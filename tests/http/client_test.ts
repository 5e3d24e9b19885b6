import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { Client } from "../../http/client.ts";
import { HttpStatusError, requestFailure } from "../../http/client_errors.ts";
import { HttpRedirectError } from "../../http/client_redirect_error.ts";
import type { ClientResponse } from "../../http/client_response.ts";
import type { ClientOptions, RequestOptions } from "../../http/client_settings.ts";
import { CookieJar } from "../../http/cookie_jar.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ConnectError } from "../../nbio/connect_error.ts";
import {
  ConnectionClosedError,
  LimitExceededError,
  NetError,
  TimeoutError,
} from "../../nbio/errors.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import type { TlsProvider } from "../../nbio/tls_provider.ts";
import { errorOf } from "../_support/client_harness.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { eventually } from "../_support/peer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { OK, ScriptedClient } from "../_support/scripted_client.ts";
import { inTheClear, originAt, serve, trust } from "../_support/tls_switch.ts";

const URL_A = "http://a.example/";
/** A wheel may be late by this much, and a tick takes note of what was armed. */
const LATE_MS = 101;

/** Runs a test with a client against our own server. */
async function withServer(
  handler: Handler,
  test: (client: Client, url: string) => Promise<void>,
  options: ClientOptions = {},
): Promise<void> {
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  const url = originAt((server.addr as Deno.NetAddr).port);
  await using client = new Client({ baseUrl: url, ...trust, ...options });
  await test(client, url);
}

/** The head that a client sends for a request, as lines. */
async function headOf(
  options: RequestOptions | undefined,
  clientOptions: ClientOptions = {},
  method = "GET",
  url = URL_A,
): Promise<string[]> {
  await using scripted = new ScriptedClient(clientOptions);
  const { response } = await scripted.begin(method, url, options);
  const [head] = (await scripted.server.answer("HTTP/1.1 204 No Content\r\n\r\n")).split(
    "\r\n\r\n",
  );
  await (await response).discard();
  return head!.split("\r\n");
}

Deno.test("Client sends every method to its base URL over one connection", async () => {
  const handler: Handler = (ctx) => ctx.text(`${ctx.method} ${ctx.url}`);
  await withServer(handler, async (client, url) => {
    const calls: [Promise<ClientResponse>, string][] = [];
    for (const method of ["get", "post", "put", "patch", "delete"] as const) {
      const response = await client[method](`/${method}?a=1#b`);
      assertEquals(await response.text(), `${method.toUpperCase()} /${method}?a=1`);
      assertEquals(response.url, `${url}/${method}?a=1`);
      calls.push([Promise.resolve(response), method]);
    }
    const head = await client.head("/head");
    assertEquals([head.status, head.contentLength, (await head.bytes()).length], [200, 0, 0]);
    assertEquals(await (await client.request("OPTIONS", new URL(url))).text(), "OPTIONS /");
    const { connections, idle, requests } = client.stats();
    assertEquals([connections, idle, requests], [1, 1, 7]);
  });
});

Deno.test("Client writes the fields of a plain GET", async () => {
  assertEquals(await headOf(undefined), [
    "GET / HTTP/1.1",
    "host: a.example",
    "user-agent: nbio",
    "accept-encoding: zstd, br, gzip, deflate",
  ]);
});

Deno.test("Client puts the caller's fields in the place of its own", async () => {
  const headers = new Headers({ "x-a": "1" });
  assertEquals(await headOf({ headers }, { headers: [["X-A", "0"], ["User-Agent", "me"]] }), [
    "GET / HTTP/1.1",
    "host: a.example",
    "User-Agent: me",
    "x-a: 1",
    "accept-encoding: zstd, br, gzip, deflate",
  ]);
  const own = { headers: { Host: "b.example", "ACCEPT-encoding": "br" } };
  assertEquals(await headOf(own), [
    "GET / HTTP/1.1",
    "user-agent: nbio",
    "Host: b.example",
    "ACCEPT-encoding: br",
  ]);
  assertEquals((await headOf({ decompress: false })).length, 3);
  assert((await headOf({ headers: { range: "bytes=1-" } })).includes("accept-encoding: identity"));
  const ours = { headers: { "accept-encoding": "gzip" } };
  for (const options of [undefined, {}, { headers: { range: "bytes=1-" } }]) {
    assert((await headOf(options, ours)).includes("accept-encoding: gzip"));
  }
});

Deno.test("Client sends credentials of a URL as Authorization, and nowhere else", async () => {
  const head = await headOf(undefined, {}, "GET", "http://me:p%C3%A4ss@a.example/x");
  assertEquals(head[0], "GET /x HTTP/1.1");
  assert(head.includes(`authorization: Basic ${btoa("me:p\xc3\xa4ss")}`));
  assertEquals(head.filter((line) => line.includes("me:")), []);
});

Deno.test("Client frames a body as it is, whatever the caller says about it", async (t) => {
  const stream = (): AsyncIterable<Uint8Array> => ReadableStream.from([bytesOf("abc")]);
  const rows: { name: string; options: RequestOptions; framing: string[] }[] = [
    { name: "bytes", options: { body: bytesOf("abc") }, framing: ["content-length: 3"] },
    {
      name: "bytes of a length that is right",
      options: { body: bytesOf("abc"), headers: { "CONTENT-length": "3" } },
      framing: ["content-length: 3"],
    },
    {
      name: "a stream of a length that is told",
      options: { body: stream(), headers: { "Content-Length": "3" } },
      framing: ["content-length: 3"],
    },
    { name: "a stream", options: { body: stream() }, framing: ["transfer-encoding: chunked"] },
    {
      name: "bytes that are to be chunked",
      options: { body: "abc", headers: { "Transfer-Encoding": "Chunked" } },
      framing: ["content-length: 3"],
    },
    {
      name: "bytes with trailers",
      options: { body: "abc", trailers: { "x-t": "1" } },
      framing: ["transfer-encoding: chunked"],
    },
    { name: "nothing", options: {}, framing: ["content-length: 0"] },
    {
      name: "nothing, and a length of nothing",
      options: { headers: { "content-length": "0" } },
      framing: ["content-length: 0"],
    },
  ];
  for (const { name, options, framing } of rows) {
    await t.step(name, async () => {
      const head = await headOf(options, {}, "POST");
      assertEquals(
        head.filter((line) => /^(content-length|transfer-encoding)/i.test(line)),
        framing,
      );
    });
  }
});

Deno.test("Client refuses fields that contradict the body", async (t) => {
  const body = "abc";
  const rows: Record<string, RequestOptions> = {
    "a length too small": { body, headers: { "Content-Length": "2" } },
    "a length too large": { body, headers: { "cONTENT-lENGTH": "4" } },
    "a length without a body": { headers: { "content-length": "3" } },
    "two lengths": { body, headers: [["Content-Length", "3"], ["content-length", "4"]] },
    "a list of lengths": { body, headers: { "content-length": "3, 3" } },
    "a length that is none": { body, headers: { "content-length": "+3" } },
    "a coding without a body": { headers: { "transfer-encoding": "chunked" } },
    "another coding": { body, headers: { "transfer-encoding": "gzip, chunked" } },
    "coding and length": {
      body,
      headers: { "transfer-encoding": "chunked", "content-length": "3" },
    },
    "a name with a blank": { body, headers: { "content-length ": "2" } },
    "a value with a line end": { body, headers: { "x-a": "1\r\ncontent-length: 2" } },
    "a length with trailers": {
      body,
      headers: { "content-length": "2" },
      trailers: { "x-t": "1" },
    },
    "two hosts": { headers: [["host", "a"], ["Host", "b"]] },
    "both body and json": { body, json: 1 },
    "json that is none": { json: () => 1 },
    "trailers without a body": { trailers: { "x-t": "1" } },
  };
  for (const [name, options] of Object.entries(rows)) {
    await t.step(name, async () => {
      await using scripted = new ScriptedClient();
      await assertRejects(() => scripted.client.post(URL_A, options), TypeError);
      assertEquals(scripted.servers.length, 0);
    });
  }
});

Deno.test("Client refuses what is no request", async () => {
  await using client = new Client();
  await assertRejects(() => client.get("ftp://a.example/"), TypeError);
  await assertRejects(() => client.get("/nowhere"), TypeError);
  await assertRejects(() => client.request("CONNECT", URL_A), TypeError);
  await assertRejects(() => client.get("http://%C3@a.example/"), TypeError);
  await assertRejects(() => client.get(URL_A, { totalTimeoutMs: -1 }), RangeError);
  await assertRejects(() => client.get(URL_A, { maxBodyBytes: 1.5 }), RangeError);
  await assertRejects(() => client.get(URL_A, { redirect: "x" as "error" }), RangeError);
  assertEquals(client.stats().connections, 0);
});

Deno.test("new Client() refuses options out of their range", () => {
  const rows: ClientOptions[] = [
    { maxConnections: -1 },
    { firstByteTimeoutMs: NaN },
    { unreadTimeoutMs: -1 },
    { maxHeaderBytes: -1 },
    { retry: { maxRetries: -1 } },
    { maxResponseBytes: 0.5 },
  ];
  for (const options of rows) assertThrows(() => new Client(options), RangeError);
  assertThrows(() => new Client({ baseUrl: "nowhere" }), TypeError);
  assertThrows(() => new Client({ headers: { "a b": "1" } }), TypeError);
  assertThrows(() => new Client({ headers: { Host: "a" } }), TypeError);
});

Deno.test("Client sends bodies of every kind", async () => {
  const handler: Handler = async (ctx) => {
    ctx.set("x-length", ctx.headers.get("content-length") ?? "chunked");
    ctx.set("x-type", ctx.headers.get("content-type") ?? "none");
    ctx.bytes(await ctx.body.bytes());
  };
  await withServer(handler, async (client) => {
    const rows: [RequestOptions, text: string, length: string, type: string][] = [
      [{ body: "grüezi" }, "grüezi", "7", "text/plain;charset=UTF-8"],
      [{ body: bytesOf("abc") }, "abc", "3", "none"],
      [{ body: new Blob(["abc"], { type: "text/x" }) }, "abc", "3", "text/x"],
      [{ json: [1, "ä"] }, '[1,"ä"]', "8", "application/json"],
      [{ json: null }, "null", "4", "application/json"],
      [
        { body: new URLSearchParams({ a: "b c" }) },
        "a=b+c",
        "5",
        "application/x-www-form-urlencoded;charset=UTF-8",
      ],
      [{ body: ReadableStream.from([bytesOf("ab"), bytesOf("c")]) }, "abc", "chunked", "none"],
      [{ body: "abc", headers: { "Content-Type": "text/y" } }, "abc", "3", "text/y"],
    ];
    for (const [options, text, length, type] of rows) {
      const response = await client.put("/", options);
      assertEquals(response.headers.get("x-length"), length);
      assertEquals(response.headers.get("x-type"), type);
      assertEquals(await response.text(), text);
    }
    const progress: unknown[] = [];
    const response = await client.put("/", {
      body: ReadableStream.from([bytesOf("ab"), bytesOf("c")]),
      onUploadProgress: ({ bytes }) => progress.push(bytes),
    });
    await response.discard();
    assertEquals(progress, [2, 3]);
    assertEquals(client.stats().connections, 1);
  });
});

Deno.test("Client sends and gives trailers", async () => {
  await using scripted = new ScriptedClient();
  const { response } = await scripted.begin("POST", URL_A, {
    body: ReadableStream.from([bytesOf("abc")]),
    trailers: () => ({ "x-sum": "1" }),
  });
  const request = await scripted.server.answer(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n",
  );
  assert(request.endsWith("\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"));
  const got = await response;
  assertEquals(got.trailers, undefined);
  assertEquals(await got.text(), "ok");
  assertEquals([...got.trailers!], [["X-Sum", "2"]]);
});

Deno.test("Client waits for a 100, and tells of informational responses", async () => {
  await using scripted = new ScriptedClient();
  const told: number[] = [];
  const { response } = await scripted.begin("PUT", URL_A, {
    body: "abc",
    expectContinue: true,
    onInformational: ({ status }) => told.push(status),
  });
  const head = await scripted.server.received();
  assert(head.includes("\r\nexpect: 100-continue\r\n") && head.endsWith("\r\n\r\n"));
  await scripted.server.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
  assertEquals(await scripted.server.answer(), "abc");
  assertEquals(await (await response).text(), "ok");
  assertEquals(told, [103, 100]);
});

Deno.test("Client gives an early answer, and closes the connection", async () => {
  await using scripted = new ScriptedClient();
  const endless = new ReadableStream({ pull: (it) => it.enqueue(new Uint8Array(1_000)) });
  const { response } = await scripted.begin("POST", URL_A, { body: endless });
  await scripted.server.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  const got = await response;
  assertEquals([got.status, await got.text()], [413, "no"]);
  assertEquals(await scripted.server.isClosed(), true);
  assertEquals(scripted.client.stats().connections, 0);
});

Deno.test("Client follows redirects, and tells which", async () => {
  await using scripted = new ScriptedClient({ retry: false });
  const { response } = await scripted.begin("POST", "http://a.example/a#top", {
    json: 1,
    headers: { authorization: "Bearer 1", "x-api-key": "2", "x-other": "3" },
  });
  await scripted.server.answer(
    "HTTP/1.1 302 Found\r\nLocation: b?c\r\nContent-Length: 4\r\n\r\ngone",
  );
  const second = await scripted.server.answer(
    "HTTP/1.1 307 Away\r\nLocation: http://b.example/d\r\nContent-Length: 0\r\n\r\n",
  );
  assertEquals(scripted.servers.length, 2);
  assert(second.startsWith("GET /b?c HTTP/1.1\r\nhost: a.example\r\n"));
  assert(second.includes("authorization: Bearer 1") && second.endsWith("\r\n\r\n"));
  assert(!/content-(type|length)|transfer-encoding/.test(second));
  const third = await scripted.server.answer(
    "HTTP/1.1 308 Back\r\nLocation: http://a.example/e\r\nContent-Length: 0\r\n\r\n",
  );
  assert(third.startsWith("GET /d HTTP/1.1\r\nhost: b.example\r\n"));
  assert(!/authorization|x-api-key/.test(third) && third.includes("x-other: 3"));
  const [first] = scripted.servers;
  const fourth = await first!.answer();
  assert(fourth.startsWith("GET /e HTTP/1.1\r\nhost: a.example\r\n"));
  assert(!/authorization|x-api-key/.test(fourth) && fourth.includes("x-other: 3"));
  const got = await response;
  assertEquals(got.url, "http://a.example/e");
  assertEquals(got.redirects, [
    { url: "http://a.example/a", status: 302 },
    { url: "http://a.example/b?c", status: 307 },
    { url: "http://b.example/d", status: 308 },
  ]);
  assertEquals([await got.text(), got.reused, got.attempts], ["ok", true, 1]);
});

Deno.test("Client follows a redirect of a plain GET to another server with its plain fields", async () => {
  await using scripted = new ScriptedClient();
  const { response } = await scripted.begin();
  await scripted.server.answer(
    "HTTP/1.1 301 Moved\r\nLocation: http://b.example:81/\r\nContent-Length: 0\r\n\r\n",
  );
  assertEquals((await scripted.server.answer()).split("\r\n").slice(0, 3), [
    "GET / HTTP/1.1",
    "host: b.example:81",
    "user-agent: nbio",
  ]);
  assertEquals(await (await response).text(), "ok");
});

Deno.test("Client leaves redirects alone, refuses them or gives up on them when told", async () => {
  const handler: Handler = (ctx) => ctx.redirect("/again", 302);
  await withServer(handler, async (client) => {
    const manual = await client.get("/", { redirect: "manual" });
    assertEquals([manual.status, manual.redirects], [302, []]);
    await manual.discard();
    const refused = await assertRejects(
      () => client.get("/", { redirect: "error" }),
      HttpRedirectError,
    );
    assertEquals(requestFailure(refused)?.phase, "redirect");
    const many = await assertRejects(
      () => client.get("/", { maxRedirects: 3 }),
      HttpRedirectError,
    );
    assertEquals(many.redirectCount, 3);
    assertEquals(client.stats().connections, client.stats().idle);
  });
});

Deno.test("Client repeats a body that a redirect asks for again, and no stream", async () => {
  const handler: Handler = async (ctx) => {
    if (ctx.path === "/old") return ctx.redirect("/new", 307);
    ctx.text(await ctx.body.text());
  };
  await withServer(handler, async (client) => {
    assertEquals(await (await client.post("/old", { body: "abc" })).text(), "abc");
    await assertRejects(
      () => client.post("/old", { body: ReadableStream.from([bytesOf("abc")]) }),
      HttpRedirectError,
    );
  });
});

Deno.test("Client keeps cookies in its jar, of redirects too", async () => {
  const handler: Handler = (ctx) => {
    if (ctx.path !== "/login") return ctx.text(ctx.headers.get("cookie") ?? "none");
    ctx.append("set-cookie", "id=1; Path=/");
    ctx.append("set-cookie", "lang=en; Path=/");
    ctx.redirect("/home", 303);
  };
  await withServer(handler, async (client) => {
    assertEquals(await (await client.get("/")).text(), "none");
    assertEquals(await (await client.get("/login")).text(), "id=1; lang=en");
    const both = await client.get("/", { headers: { cookie: "mine=2" } });
    assertEquals(await both.text(), "mine=2; id=1; lang=en");
  }, { jar: new CookieJar() });
  await withServer(handler, async (client) => {
    assertEquals(await (await client.get("/login")).text(), "none");
  });
});

Deno.test("Client throws a status of 400 and more when told, with the response", async () => {
  await withServer(
    (ctx) => (ctx.status = 418, ctx.text("short and stout")),
    async (client, url) => {
      const error = await assertRejects(
        () => client.get("/pot?secret=1", { throwOnError: true }),
        HttpStatusError,
      );
      assertEquals([error.status, error.code], [418, "ERR_HTTP_STATUS_RECEIVED"]);
      assertEquals(requestFailure(error)?.url, `${url}/pot`);
      assertEquals(await error.response.text(), "short and stout");
      assertEquals((await (await client.get("/")).bytes()).length, 15);
      assertEquals(client.stats().idle, 1);
    },
  );
});

Deno.test("Client replaces a connection that died while idle, once and without counting", async () => {
  await using scripted = new ScriptedClient({ retry: false });
  await (await scripted.answered()).text();
  const { response } = await scripted.begin();
  assertEquals(scripted.servers.length, 1);
  // It had not been noticed before the request left.
  await scripted.server.received();
  await scripted.server.end();
  assertEquals(scripted.servers.length, 2);
  await scripted.server.answer();
  const got = await response;
  assertEquals([await got.text(), got.attempts, got.reused], ["ok", 1, false]);
});

Deno.test("Client goes on with kept connections behind one that was dead", async () => {
  await using scripted = new ScriptedClient({ retry: false });
  await (await scripted.answered()).text();
  const { response } = await scripted.begin();
  await scripted.server.received();
  await scripted.server.end();
  await scripted.server.answer("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
  await scripted.server.answer();
  assertEquals([(await response).reused, scripted.servers.length], [true, 2]);
  await (await response).text();
});

Deno.test("Client throws the reason of a signal as it is, an error of this package too", async () => {
  await using scripted = new ScriptedClient();
  const reason = new TimeoutError("Cannot wait", { phase: "mine", timeoutMs: 1 });
  const controller = new AbortController();
  const options = { signal: controller.signal, totalTimeoutMs: 1_000 };
  const { response } = await scripted.begin("GET", URL_A, options);
  controller.abort(reason);
  assertEquals(await errorOf(response), reason);
  assertEquals(requestFailure(reason), undefined);
});

Deno.test("Client replaces a dead connection only once", async () => {
  await using scripted = new ScriptedClient({ retry: false });
  await (await scripted.answered()).text();
  const { response } = await scripted.begin();
  await scripted.server.received();
  await scripted.server.end();
  await scripted.server.received();
  await scripted.server.end();
  const error = await assertRejects(() => response, ConnectionClosedError);
  assertEquals(scripted.servers.length, 2);
  assertEquals(requestFailure(error)?.phase, "first-byte");
  await scripted.advance(LATE_MS);
  assertEquals(await scripted.leftovers(), { deadlines: 0, pending: 0, open: 0 });
});

Deno.test("Client does not repeat what a server may have done", async () => {
  const rows: [method: string, options: RequestOptions, isRepeated: boolean][] = [
    ["POST", { body: "abc" }, false],
    ["POST", { body: "abc", idempotent: true }, true],
    ["PUT", { body: "abc" }, true],
    ["PUT", { body: ReadableStream.from([bytesOf("abc")]) }, false],
    ["GET", { idempotent: false }, false],
  ];
  for (const [method, options, isRepeated] of rows) {
    await using scripted = new ScriptedClient({ retry: false });
    await (await scripted.answered()).text();
    const { response } = await scripted.begin(method, URL_A, options);
    await scripted.server.received();
    await scripted.server.end();
    assertEquals(scripted.servers.length, isRepeated ? 2 : 1, `${method} ${options.idempotent}`);
    if (isRepeated) await scripted.server.answer();
    else await assertRejects(() => response, ConnectionClosedError);
  }
});

Deno.test("Client tries again after a failure, with a delay each", async () => {
  await using scripted = new ScriptedClient({ retry: { random: () => 1 } });
  const { response } = await scripted.begin();
  for (const delayMs of [100, 200]) {
    const count = scripted.servers.length;
    await scripted.server.received();
    await scripted.server.end();
    await scripted.advance(delayMs - 1);
    assertEquals(scripted.servers.length, count);
    await scripted.advance(1);
    assertEquals(scripted.servers.length, count + 1);
  }
  await scripted.server.answer();
  assertEquals((await response).attempts, 3);
  await (await response).text();
});

Deno.test("Client tries again after a status when told, as Retry-After says", async () => {
  await using scripted = new ScriptedClient({
    retry: { statuses: [503], maxRetries: 1, random: () => 0.5 },
  });
  const busy = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno";
  const { response } = await scripted.begin();
  await scripted.server.answer(busy);
  await scripted.advance(7_049);
  assertEquals(await scripted.server.received(), "");
  await scripted.advance(2);
  await scripted.server.answer(busy);
  const got = await response;
  assertEquals([got.status, got.attempts, scripted.servers.length], [503, 2, 1]);
  assertEquals(await got.text(), "no");
  const other = await scripted.answered("HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n");
  assertEquals(other.attempts, 1);
});

Deno.test("Client stops waiting for the next attempt when it is cancelled or closed", async () => {
  await using scripted = new ScriptedClient({ retry: { random: () => 1 } });
  const counted = new CountedSignal();
  const [first, second] = [
    await scripted.begin("GET", URL_A, { signal: counted.signal }),
    await scripted.begin("GET", "http://b.example/"),
  ];
  for (const server of [...scripted.servers]) {
    await server.received();
    await server.end();
  }
  counted.abort("no more");
  assertEquals(await errorOf(first.response), "no more");
  assertEquals(counted.listenerCount, 0);
  assertEquals(await isSettled(second.response), false);
  await scripted.client.close();
  await assertRejects(() => second.response, ConnectionClosedError);
  assertEquals(scripted.clock.pendingCount, 0);
});

Deno.test("Client has a deadline for every phase", async (t) => {
  const failsIn = async (
    phase: string,
    timeoutMs: number,
    options: ClientOptions,
    request: RequestOptions = {},
    url = URL_A,
  ): Promise<void> => {
    await t.step(phase, async () => {
      await using scripted = new ScriptedClient({ retry: false, ...options }, {
        highWaterMarkBytes: 1_000,
      });
      const { response } = await scripted.begin("PUT", url, request);
      await scripted.advance(1);
      await scripted.advance(timeoutMs - 2);
      assertEquals(await isSettled(response), false);
      await scripted.advance(LATE_MS);
      const error = await assertRejects(() => response, TimeoutError);
      assertEquals([error.phase, error.timeoutMs], [phase, timeoutMs]);
      assertEquals(requestFailure(error)?.phase, phase);
      assertEquals(await scripted.leftovers(), { deadlines: 0, pending: 0, open: 0 });
    });
  };
  // deno-lint-ignore no-explicit-any -- to take the hook of the harness away
  const dialled = { transport: undefined as any };
  const hanging = (_: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<never> =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  await failsIn("resolve", 10_000, {
    ...dialled,
    connectTimeoutMs: Infinity,
    resolver: { lookup: hanging },
  });
  await failsIn("connect", 10_000, { ...dialled, connect: hanging }, {}, "http://127.0.0.1/");
  await failsIn("first-byte", 60_000, {});
  await failsIn("write", 30_000, {}, { body: new Uint8Array(100_000) });
  await failsIn("total", 5_000, {}, { totalTimeoutMs: 5_000 });
  await failsIn("total", 7_000, { transport: hanging }, { totalTimeoutMs: 7_000 });
});

Deno.test("Client has a deadline for its turn", async () => {
  await using scripted = new ScriptedClient({ maxConnectionsPerHost: 1, queueTimeoutMs: 3_000 });
  const first = await scripted.begin();
  const second = await scripted.begin();
  await scripted.advance(1);
  await scripted.advance(3_000 + LATE_MS);
  const error = await assertRejects(() => second.response, TimeoutError);
  assertEquals(error.phase, "queue");
  await scripted.server.answer();
  await (await first.response).text();
});

Deno.test("Client has a deadline for the handshake", async () => {
  const tlsProvider: TlsProvider = {
    name: "silent",
    capabilities: { client: true, server: false, anyTransport: true },
    client: (transport, { handshakeTimeoutMs: timeoutMs = 0 }) => {
      transport.close();
      return Promise.reject(new TimeoutError("Cannot shake hands", { phase: "tls", timeoutMs }));
    },
    server: () => Promise.reject(new TypeError("Cannot serve")),
  };
  await withServer((ctx) => ctx.text("hello"), async (client, url) => {
    const secure = url.replace("http:", "https:");
    const error = await assertRejects(() => client.get(secure), TimeoutError);
    assertEquals([error.phase, error.timeoutMs], ["tls", 1_234]);
  }, { tlsProvider, tlsTimeoutMs: 1_234, retry: false });
});

Deno.test("Client has one deadline for redirects, retries and the body", async () => {
  await using scripted = new ScriptedClient();
  const { response } = await scripted.begin("GET", URL_A, { totalTimeoutMs: 10_000 });
  await scripted.advance(1);
  for (let round = 0; round < 3; round++) {
    await scripted.advance(3_000);
    await scripted.server.answer(
      "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    );
  }
  await scripted.server.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  const reading = (await response).text();
  reading.catch(() => {});
  await scripted.advance(1_000 + LATE_MS);
  const error = await assertRejects(() => reading, TimeoutError);
  assertEquals([error.phase, requestFailure(error)?.phase], ["total", "total"]);
  assertEquals(await scripted.leftovers(), { deadlines: 0, pending: 0, open: 0 });
});

Deno.test("Client leaves nothing behind when it is cancelled, wherever that is", async (t) => {
  const reason = new Error("no more");
  const cancelled = async (
    name: string,
    options: ClientOptions,
    request: RequestOptions,
    before: (scripted: ScriptedClient) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> => {
    await t.step(name, async () => {
      await using scripted = new ScriptedClient(options, { highWaterMarkBytes: 1_000 });
      const counted = new CountedSignal();
      const { response } = await scripted.begin("PUT", URL_A, {
        ...request,
        signal: counted.signal,
      });
      await before(scripted);
      counted.abort(reason);
      assertEquals(await errorOf(response.then((it) => it.text())), reason);
      assertEquals(requestFailure(reason), undefined);
      assertEquals(counted.listenerCount, 0);
      const { pending, open } = await scripted.leftovers();
      assertEquals([pending, open], [0, 0]);
      const { connections, queued } = scripted.client.stats();
      assertEquals([connections, queued, scripted.wheel.armedCount], [0, 0, 0]);
    });
  };
  await cancelled("before the first byte", {}, {});
  await cancelled("while writing", {}, { body: new Uint8Array(100_000) });
  await cancelled("while waiting for a 100", {}, { body: "abc", expectContinue: true });
  await cancelled("while its body gives nothing", {}, {
    body: new ReadableStream({ pull: () => new Promise(() => {}) }),
  });
  await cancelled("before the body", {}, {}, async ({ server }) => {
    await server.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  });
  await cancelled("in the body", {}, { totalTimeoutMs: 50_000 }, async ({ server }) => {
    await server.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no");
  });
  await cancelled("behind a redirect", {}, {}, async ({ server }) => {
    await server.answer("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9\r\n\r\n");
  });
});

Deno.test("Client leaves the queue when it is cancelled, and begins nothing with a dead signal", async () => {
  await using scripted = new ScriptedClient({ maxConnectionsPerHost: 1 });
  const first = await scripted.begin();
  const counted = new CountedSignal();
  const second = await scripted.begin("GET", URL_A, { signal: counted.signal });
  assertEquals(scripted.client.stats().queued, 1);
  counted.abort("no more");
  assertEquals(await errorOf(second.response), "no more");
  assertEquals([scripted.client.stats().queued, counted.listenerCount], [0, 0]);
  assertEquals(
    await errorOf(scripted.client.get("http://b.example/", { signal: counted.signal })),
    "no more",
  );
  assertEquals(scripted.servers.length, 1);
  await scripted.server.answer();
  await (await first.response).text();
});

Deno.test("Client.close() leaves no timer of a body that nobody has read", async () => {
  await using scripted = new ScriptedClient();
  const response = await scripted.answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  assertEquals(scripted.wheel.armedCount, 1);
  await scripted.client.close();
  assertEquals(await scripted.leftovers(), { deadlines: 0, pending: 0, open: 0 });
  await assertRejects(() => response.text(), ConnectionClosedError);
  assertEquals(scripted.wheel.armedCount, 0);
});

Deno.test("Client.close() ends what is under way, and refuses what comes", async () => {
  await using scripted = new ScriptedClient();
  const reading = await scripted.answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  const text = reading.text();
  text.catch(() => {});
  const waiting = await scripted.begin();
  await scripted.client.close();
  const error = await assertRejects(() => waiting.response, ConnectionClosedError);
  assertEquals(requestFailure(error)?.attempts, 1);
  await assertRejects(() => text, ConnectionClosedError);
  const late = await assertRejects(() => scripted.client.get("http://b.example/"));
  assertInstanceOf(late, ConnectionClosedError);
  assertEquals(requestFailure(late)?.url, "http://b.example/");
  await scripted.client.close();
  assertEquals(await scripted.leftovers(), { deadlines: 0, pending: 0, open: 0 });
  assertEquals(scripted.client.stats().connections, 0);
});

Deno.test("Client says where a request failed, and nothing secret", async () => {
  await using scripted = new ScriptedClient({ retry: false });
  const { response } = await scripted.begin("GET", "http://me:secret@a.example/x?secret#secret", {
    headers: { "x-api-key": "secret" },
  });
  await scripted.server.answer("garbage\r\n\r\n");
  const error = await assertRejects(() => response, NetError);
  const { method, url, phase, attempts, address } = requestFailure(error)!;
  assertEquals([method, url, phase, attempts], ["GET", "http://a.example/x", "first-byte", 1]);
  assertEquals(typeof address, "string");
  assert(!Deno.inspect(error, { depth: 10 }).includes("secret"));
});

Deno.test("Client says which addresses refused", async () => {
  await using client = new Client({ retry: false });
  const error = await assertRejects(() => client.get("http://127.0.0.1:1/"), ConnectError);
  const { phase, address } = requestFailure(error)!;
  assertEquals([phase, address], ["connect", "127.0.0.1:1"]);
  const resolver = { lookup: () => Promise.resolve([]) };
  await using nowhere = new Client({ retry: false, resolver });
  const unknown = await assertRejects(() => nowhere.get("http://nowhere.example/"), ConnectError);
  assertEquals(requestFailure(unknown)?.phase, "resolve");
});

Deno.test("Client bounds the head of a response", async () => {
  await using scripted = new ScriptedClient({ maxHeaderBytes: 100, retry: false });
  const { response } = await scripted.begin();
  await scripted.server.answer(`HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(200)}\r\n\r\n`);
  await assertRejects(() => response, LimitExceededError);
  assertEquals(scripted.client.stats().connections, 0);
});

Deno.test("Client gives a connection away behind a 101", async () => {
  await using scripted = new ScriptedClient();
  const response = await scripted.answered(
    "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nhello",
    "GET",
    URL_A,
    { headers: { connection: "upgrade", upgrade: "chat" } },
  );
  const { handover } = response;
  assertEquals([response.status, textOf(handover!.bytes)], [101, "hello"]);
  assertEquals(scripted.client.stats().connections, 0);
  await scripted.client.close();
  assertEquals(scripted.server.near.closeCount, 0);
  await handover!.transport.write(bytesOf("hi"));
  assert((await scripted.server.received()).endsWith("hi"));
  handover!.transport.close();
});

Deno.test("Client keeps routes apart: TLS options, Unix path, origin", async () => {
  await using scripted = new ScriptedClient();
  const tls = {};
  for (const options of [undefined, { tls }, { tls }, { tls: {} }, { path: "/run/a" }]) {
    await (await scripted.answered(OK, "GET", URL_A, options)).text();
  }
  await (await scripted.answered(OK, "GET", "http://a.example:8080/")).text();
  assertEquals(scripted.servers.length, 5);
  assertEquals(new Set(scripted.client.stats().perHost.map(({ key }) => key)).size, 5);
});

Deno.test("Client takes the route of a request along to its own origin only", async () => {
  await using scripted = new ScriptedClient();
  const { response } = await scripted.begin("GET", URL_A, { tls: {}, path: "/run/a" });
  for (const location of ["/b", "http://b.example/", URL_A]) {
    await scripted.server.answer(
      `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`,
    );
  }
  await scripted.server.answer();
  await (await response).text();
  const keys = scripted.client.stats().perHost.map(({ key }) => key);
  assertEquals(keys.slice(1), ["http://b.example", "http://a.example"]);
  assertEquals([keys.length, keys[0]!.includes("path=/run/a")], [3, true]);
});

Deno.test("Client asks a proxy in absolute-form, with its credentials, and no server", {
  ...inTheClear("only what is asked for in the clear has an absolute-form"),
}, async () => {
  const handler: Handler = (ctx) => {
    if (ctx.path === "/old") return ctx.redirect("http://127.0.0.1:1/new", 302);
    ctx.json([ctx.url, ctx.headers.get("host"), ctx.headers.get("proxy-authorization")]);
  };
  await withServer(handler, async (client, url) => {
    const proxy = url.replace("http://", "http://me:secret@");
    const basic = `Basic ${btoa("me:secret")}`;
    const plain = await client.get("http://a.example/x?y#z", { proxy });
    assertEquals(await plain.json(), ["http://a.example/x?y", "a.example", basic]);
    const other = await client.get("http://b.example:81/old", { proxy, headers: { "x-a": "1" } });
    assertEquals(await other.json(), ["http://127.0.0.1:1/new", "127.0.0.1:1", basic]);
    assertEquals(other.url, "http://127.0.0.1:1/new");
    const direct = await client.get("/", { proxy: { all: proxy, noProxy: "127.0.0.1" } });
    assertEquals(await direct.json(), ["/", new URL(url).host, null]);
    const refused = await errorOf(client.get("https://127.0.0.1:1/", { proxy, retry: false }));
    assert(!Deno.inspect(refused, { depth: 10 }).includes("secret"));
    assert(!JSON.stringify(client.stats()).includes("secret"));
  });
});

Deno.test("Client serves many requests at once over few connections", async () => {
  await withServer((ctx) => ctx.text(ctx.path), async (client) => {
    const texts = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => await (await client.get(`/${index}`)).text()),
    );
    assertEquals(texts, texts.map((_, index) => `/${index}`));
    assert(await eventually(() => client.stats().connections <= 8));
    assertEquals(client.stats().queued, 0);
  }, { maxConnectionsPerHost: 8 });
});

Deno.test("Client tells how long each step took", async () => {
  await using scripted = new ScriptedClient();
  const { response } = await scripted.begin();
  await scripted.advance(40);
  await scripted.server.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  const got = await response;
  assertEquals([got.timings.firstByteMs, got.timings.totalMs], [40, undefined]);
  const text = got.text();
  await scripted.advance(60);
  await scripted.server.send("ok");
  await text;
  const { queueMs, connectMs, firstByteMs, totalMs } = got.timings;
  assertEquals([queueMs, connectMs, firstByteMs, totalMs], [0, 0, 40, 100]);
  const again = await scripted.answered();
  await settle();
  assertEquals([again.reused, again.timings.connectMs], [true, undefined]);
  await again.text();
});
