import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { HttpStateError } from "../../http/errors.ts";
import type { HttpServer } from "../../http/serve.ts";
import type { Context } from "../../http/server_context.ts";
import type { Handler } from "../../http/server_shared.ts";
import { eventually } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { post, request, ServerHarness } from "../_support/server_harness.ts";
import { connect as connectHere, serve } from "../_support/tls_switch.ts";

const LINK: [string, string] = ["Link", "</style.css>; rel=preload"];

function serveHere(handler: Handler, reported: unknown[] = []): HttpServer {
  return serve(handler, {
    hostname: "127.0.0.1",
    port: 0,
    onError: (error) => reported.push(error),
  });
}

function connect(server: HttpServer): Promise<RawClient> {
  const { port } = server.addr as Deno.NetAddr;
  return RawClient.connect({ hostname: "127.0.0.1", port });
}

Deno.test("inform() sends 102 and 103 ahead of the answer, as often as wanted", async () => {
  await using server = serveHere(async (ctx) => {
    await ctx.inform(102);
    await ctx.inform(103, [LINK, ["Link", "</b.js>"]]);
    await ctx.inform(103, { "x-a": "" });
    ctx.set("x-final", "yes");
    ctx.text("hello");
  });
  await using client = await connect(server);
  await client.send(request("GET /"));
  const seen = [];
  for (let count = 0; count < 4; count++) {
    const { status, fields, body } = (await client.response())!;
    seen.push(status < 200 ? [status, fields] : [status, body]);
  }
  assertEquals(seen, [[102, []], [103, [LINK, ["Link", "</b.js>"]]], [103, [["x-a", ""]]], [
    200,
    "hello",
  ]]);
});

Deno.test("inform() reaches the client while the handler still works", async () => {
  const work = Promise.withResolvers<void>();
  await using server = serveHere(async (ctx) => {
    await ctx.inform(103, [LINK]);
    await work.promise;
    ctx.text("hello");
  });
  await using client = await connect(server);
  await client.send(request("GET /"));
  assertEquals((await client.response())?.status, 103);
  assertEquals(client.leftover.length, 0);
  work.resolve();
  const response = await client.response();
  assertEquals([response?.status, fieldOf(response!, "link")], [200, undefined]);
});

Deno.test("inform() keeps the order of pipelined answers, also where nobody waits for it", async () => {
  for (const waits of [true, false]) {
    await using server = serveHere((ctx) => {
      const informed = ctx.path === "/plain" ? undefined : ctx.inform(103, [["x-path", ctx.path]]);
      if (!waits || informed === undefined) return ctx.text(ctx.path);
      return informed.then(() => ctx.text(ctx.path));
    });
    await using client = await connect(server);
    const paths = ["/1", "/plain", "/2", "/3", "/plain", "/4"];
    await client.send(paths.map((path) => request(`GET ${path}`)).join(""));
    for (const path of paths) {
      if (path !== "/plain") {
        const early = await client.response();
        assertEquals([early?.status, fieldOf(early!, "x-path")], [103, path]);
      }
      assertEquals((await client.response())?.body, path);
    }
  }
});

Deno.test("inform() is silent towards HTTP/1.0, but checks what it is given", async () => {
  await using server = serveHere(async (ctx) => {
    await ctx.inform(103, [LINK]);
    assertThrows(() => ctx.inform(200), RangeError);
    ctx.text("hello");
  });
  await using client = await connect(server);
  await client.send("GET / HTTP/1.0\r\n\r\n");
  assertEquals((await client.response())?.status, 200);
  assertEquals(await client.closed(), "eof");
});

Deno.test("inform() goes ahead of the 100 that reading the body sends, and behind it", async () => {
  await using server = serveHere(async (ctx) => {
    await ctx.inform(103);
    const body = await ctx.body.text();
    await ctx.inform(102);
    ctx.text(body);
  });
  await using client = await connect(server);
  await client.send(request("POST /", ["Content-Length: 4", "Expect: 100-continue"]));
  assertEquals((await client.response())?.status, 103);
  assertEquals((await client.response())?.status, 100);
  await client.send("body");
  assertEquals((await client.response())?.status, 102);
  assertEquals((await client.response())?.body, "body");
});

for (
  const [name, commit] of [
    ["flush()", (ctx: Context) => ctx.flush()],
    ["writer()", (ctx: Context) => ctx.writer().close()],
  ] as const
) {
  Deno.test(`inform() throws behind ${name}`, async () => {
    let code: string | undefined;
    await using server = serveHere(async (ctx) => {
      await commit(ctx);
      code = assertThrows(() => ctx.inform(103), HttpStateError).code;
    });
    await using client = await connect(server);
    await client.send(request("GET /"));
    assertEquals((await client.response())?.status, 200);
    assertEquals(code, "ERR_HTTP_HEAD_COMMITTED");
  });
}

Deno.test("inform() throws when the handler has settled", async () => {
  let late: Context | undefined;
  await using harness = new ServerHarness((ctx) => {
    late = ctx;
    ctx.text("");
  });
  assertEquals((await harness.request(request("GET /"))).status, 200);
  assertThrows(() => late!.inform(103), HttpStateError);
});

Deno.test("inform() refuses what is no informational status, and sends nothing then", async () => {
  await using harness = new ServerHarness((ctx) => {
    for (const status of [0, 99, 100, 101, 200, 103.5, NaN, -103, 1030]) {
      assertThrows(() => ctx.inform(status), RangeError);
    }
    ctx.text("clean");
  });
  assertEquals((await harness.request(request("GET /"))).body, "clean");
});

for (
  const [name, field] of [
    ["CR LF in a value", ["a", "b\r\n\r\nHTTP/1.1 200 OK"]],
    ["a bare LF in a value", ["a", "b\nc: d"]],
    ["NUL in a value", ["a", "\0"]],
    ["a value that would be cut to LF", ["a", "\u010a"]],
    ["a blank at an end", ["a", " b"]],
    ["CR LF in a name", ["a\r\nb", "c"]],
    ["an empty name", ["", "c"]],
    ["Content-Length", ["Content-Length", "0"]],
    ["Transfer-Encoding", ["transfer-encoding", "chunked"]],
  ] as [string, [string, string]][]
) {
  Deno.test(`inform() refuses ${name}, and sends nothing of it`, async () => {
    await using harness = new ServerHarness((ctx) => {
      assertThrows(() => ctx.inform(103, [LINK, field]), TypeError);
      ctx.text("clean");
    });
    const { status, body } = await harness.request(request("GET /"));
    assertEquals([status, body], [200, "clean"]);
  });
}

Deno.test("inform() that nobody waits for does not end the process when the client leaves", async () => {
  const reported: unknown[] = [];
  let endedCount = 0;
  await using server = serveHere(async (ctx) => {
    const big = "x".repeat(20_000);
    // More than any socket takes from a client that does not read.
    for (let count = 0; count < 500; count++) void ctx.inform(103, [["x-pad", big]]);
    await ctx.inform(103).catch(() => {});
    endedCount++;
  }, reported);
  const { port } = server.addr as Deno.NetAddr;
  const conn = await connectHere({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(request("GET /")));
  await conn.read(new Uint8Array(10));
  conn.close();
  assert(await eventually(() => endedCount === 1));
  assertEquals(reported, []);
});

Deno.test("inform() rejects when the client leaves while it waits", async () => {
  let error: unknown;
  await using harness = new ServerHarness(async (ctx) => {
    error = await ctx.inform(103, [["x-pad", "x".repeat(9_000)]]).catch((reason) => reason);
  });
  const client = await harness.connect({ highWaterMarkBytes: 1_000 });
  client.pause();
  await client.send(request("GET /"));
  await client.reset();
  assert(error instanceof ConnectionClosedError);
  assertEquals(harness.reported, []);
});

Deno.test("inform() towards a client that has left resolves and sends nothing", async () => {
  const gone = Promise.withResolvers<void>();
  await using harness = new ServerHarness(async (ctx) => {
    ctx.signal.addEventListener("abort", () => gone.resolve(), { once: true });
    await gone.promise;
    await ctx.inform(103);
  });
  const client = await harness.open(post("/", ""));
  const written = client.server.writes.length;
  await client.reset();
  await gone.promise;
  assertEquals([client.server.writes.length, harness.reported], [written, []]);
});

Deno.test("inform() waits while the client does not read", async () => {
  let isSent = false;
  await using harness = new ServerHarness(async (ctx) => {
    for (let count = 0; count < 10; count++) await ctx.inform(103, [["x-pad", "x".repeat(900)]]);
    isSent = true;
    ctx.text("");
  });
  const client = await harness.connect({ highWaterMarkBytes: 1_000 });
  client.pause();
  await client.send(request("GET /"));
  assertEquals(isSent, false);
  await client.resume();
  assertEquals((await client.statuses()).at(-1), 200);
  assertEquals(isSent, true);
});
