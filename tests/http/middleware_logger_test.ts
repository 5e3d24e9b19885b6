import { assert, assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { compose, type Middleware } from "../../http/middleware.ts";
import { basicAuth } from "../../http/middleware_basic_auth.ts";
import type { LogEntry } from "../../http/log_format.ts";
import { logger, type LoggerOptions } from "../../http/middleware_logger.ts";
import { requestId } from "../../http/middleware_request_id.ts";
import { trustedProxy } from "../../http/middleware_trusted_proxy.ts";
import { Router } from "../../http/router.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { RawClient } from "../_support/raw_client.ts";
import { gate, request, ServerHarness, WALL_START_MS } from "../_support/server_harness.ts";
import { serve } from "../_support/tls_switch.ts";

/** Lines that a request leaves behind. */
async function linesOf(
  options: LoggerOptions,
  wire = request("GET /a?b"),
  handler: Handler = (ctx) => ctx.text("hello"),
  inner: readonly Middleware[] = [],
): Promise<string[]> {
  const lines: string[] = [];
  const clock = new ManualClock({ wallStartMs: WALL_START_MS });
  const log = logger({ clock, sink: (line) => void lines.push(line), ...options });
  await using harness = new ServerHarness(compose([log, ...inner], handler));
  const client = await harness.open(wire, {
    clientAddr: { transport: "tcp", hostname: "192.0.2.1", port: 7 },
  });
  await client.response(wire.startsWith("HEAD"));
  return lines;
}

async function entryOf(...rest: Parameters<typeof linesOf>): Promise<LogEntry> {
  const [options, ...others] = rest;
  const [line, ...more] = await linesOf({ format: "json", ...options }, ...others);
  assertEquals(more, []);
  return JSON.parse(line!);
}

Deno.test("logger() writes a line of the Common Log Format", async () => {
  assertEquals(await linesOf({}), [
    '192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] "GET /a?b HTTP/1.1" 200 5',
  ]);
});

Deno.test("logger() adds what a combined line tells", async () => {
  const wire = request("GET /", ["User-Agent: curl/8", "Referer: http://b/"]);
  const [line] = await linesOf({ format: "combined" }, wire);
  assert(line!.endsWith(' 200 5 "http://b/" "curl/8"'));
});

Deno.test("logger() tells user and id where there are any", async () => {
  const wire = request("GET /", [`Authorization: Basic ${btoa("ada:x")}`]);
  const inner = [requestId({ generate: () => "id-1" }), basicAuth({ verify: () => true })];
  const { user, requestId: id } = await entryOf({}, wire, undefined, inner);
  assertEquals([user, id], ["ada", "id-1"]);
});

Deno.test("logger() tells the pattern of the route that matched", async () => {
  const app = new Router();
  app.get("/users/:id", (ctx) => ctx.text("hello"));
  const wire = (path: string) => request(`GET ${path}`);
  assertEquals((await entryOf({}, wire("/users/7"), app.handler)).route, "/users/:id");
  assertEquals((await entryOf({}, wire("/else"), app.handler)).route, undefined);
});

Deno.test("logger() tells the client that a trusted proxy names", async () => {
  const inner = [trustedProxy(["192.0.2.1"])];
  for (
    const [value, remote] of [["198.51.100.7", "198.51.100.7"], ["unknown", ""]] as const
  ) {
    const wire = request("GET /", [`X-Forwarded-For: ${value}`]);
    assertEquals((await entryOf({}, wire, undefined, inner)).remote, remote);
  }
  assertEquals((await entryOf({}, request("GET /"), undefined, inner)).remote, "192.0.2.1");
});

Deno.test("logger() tells how long it took", async () => {
  const clock = new ManualClock();
  const door = gate();
  const lines: string[] = [];
  const log = logger({ clock, format: "json", sink: (line) => void lines.push(line) });
  await using harness = new ServerHarness(compose([log], async (ctx) => {
    await door.passed;
    ctx.text("");
  }));
  const client = await harness.open(request("GET /"));
  clock.advance(1_500);
  assertEquals(lines, []);
  door.open();
  await client.response();
  const { durationMs, timeMs } = JSON.parse(lines[0]!);
  assertEquals([durationMs, timeMs], [1_500, 0]);
});

for (
  const [name, handler, status, bytes, method] of [
    ["text in UTF-8", (ctx) => ctx.text("\u00e4\u20ac\u{1f600}\ud800"), 200, 12],
    ["bytes", (ctx) => ctx.bytes(new Uint8Array(3)), 200, 3],
    ["a status alone", (ctx) => void (ctx.status = 202), 202, 0],
    ["nothing", () => {}, 404, 9],
    ["no content", (ctx) => void (ctx.status = 204), 204, 0],
    ["HEAD", (ctx) => ctx.text("hello"), 200, 0, "HEAD"],
    ["a stream", (ctx) => ctx.stream(new Response("ab").body!), 200, undefined],
    [
      "a stream of known length",
      (ctx) => {
        ctx.set("content-length", "2");
        ctx.stream(new Response("ab").body!);
      },
      200,
      2,
    ],
    ["a Response", () => Response.json(1, { status: 201 }), 201, undefined],
  ] as [string, Handler, number, number | undefined, string?][]
) {
  Deno.test(`logger() tells status and size of ${name}`, async () => {
    const entry = await entryOf({}, request(`${method ?? "GET"} /`), handler);
    assertEquals([entry.status, entry.bodyBytes], [status, bytes]);
  });
}

for (
  const [error, status, name] of [
    [new TypeError("secret"), 500, "TypeError"],
    [new HttpError(409, "secret"), 409, "ERR_HTTP_STATUS"],
    ["secret", 500, "string"],
  ] as const
) {
  Deno.test(`logger() names an error as ${name} and does not quote it`, async () => {
    const [line] = await linesOf({ format: "json" }, request("GET /"), () => {
      throw error;
    });
    assertEquals(line!.includes("secret"), false);
    const entry = JSON.parse(line!);
    assertEquals([entry.status, entry.error], [status, name]);
  });
}

Deno.test("logger() cuts what a client sends", async () => {
  const wire = request(`GET /${"a".repeat(100)}`, [`User-Agent: ${"b".repeat(16)}`]);
  const { target, userAgent } = await entryOf({ maxFieldBytes: 16 }, wire);
  assertEquals(target, `/${"a".repeat(15)}...`);
  assertEquals(userAgent, "b".repeat(16));
});

Deno.test("logger() keeps what a function gives to one line", async () => {
  const wire = request("GET /", ["User-Agent: a\x9bb"]);
  const format = ({ method, userAgent }: LogEntry) => `${method}\n${userAgent}`;
  assertEquals(await linesOf({ format }, wire), ["GET\\u000aa\\u009bb"]);
});

Deno.test("logger() leaves out what it is told to", async () => {
  assertEquals(await linesOf({ skip: (ctx) => ctx.status === 200 }), []);
});

Deno.test("logger() answers although its sink fails", async () => {
  const written: unknown[] = [];
  const { error: original } = console;
  console.error = (reason) => written.push(reason);
  try {
    const full = new Error("disk is full");
    await linesOf({
      sink() {
        throw full;
      },
    });
    assertEquals(written, [full]);
  } finally {
    console.error = original;
  }
});

for (
  const options of [
    { maxFieldBytes: 15 },
    { maxFieldBytes: 65_537 },
    { maxFieldBytes: 16.5 },
    { format: "xml" },
    { format: "toString" },
    { format: "__proto__" },
  ]
) {
  Deno.test(`logger() throws on ${JSON.stringify(options)}`, () => {
    assertThrows(() => logger(options as LoggerOptions), RangeError);
  });
}

Deno.test("logger() tells of a real client, hostile bytes and all", async () => {
  const lines: string[] = [];
  const handler = compose(
    [logger({ format: "combined", sink: (line) => lines.push(line) })],
    () => {},
  );
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  await using client = await RawClient.connect(server.addr as Deno.NetAddr);
  await client.send(request("GET /'x", ['User-Agent: "\\\x80\xff']));
  assertEquals((await client.response())?.status, 404);
  assert(/^127\.0\.0\.1 - - \[[^\]]+\] "GET \/'x HTTP\/1\.1" 404 9 "-" "\\x22\\x5c\\x80\\xff"$/
    .test(lines[0]!));
});
