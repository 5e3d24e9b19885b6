import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Client } from "../../http/client.ts";
import { HttpError } from "../../http/errors.ts";
import { compose } from "../../http/middleware.ts";
import { trustedProxy } from "../../http/middleware_trusted_proxy.ts";
import { Router } from "../../http/router.ts";
import { serve } from "../../http/serve.ts";
import type { Handler } from "../../http/server_shared.ts";
import { noTelemetry } from "../../nbio/telemetry.ts";
import { FakeTelemetry } from "../_support/fake_telemetry.ts";
import {
  gate,
  post,
  postChunks,
  request,
  ServerHarness,
  turn,
} from "../_support/server_harness.ts";
import { CA_CERT, LEAF_CERT, LEAF_KEY } from "../_support/tls_server.ts";

const DURATION = "http.server.request.duration";
const ACTIVE = "http.server.active_requests";
const REQUEST_SIZE = "http.server.request.body.size";
const RESPONSE_SIZE = "http.server.response.body.size";

/** Sends text to a server with a handler and gives what was told about it. */
async function told(handler: Handler, text: string): Promise<FakeTelemetry> {
  const telemetry = new FakeTelemetry();
  await using harness = new ServerHarness(handler, { telemetry });
  await harness.open(text);
  await turn();
  return telemetry;
}

Deno.test("ServerTelemetry tells about a request by the conventions", async () => {
  const router = new Router();
  router.get("/users/:id", (ctx) => ctx.text("hällo"));
  const telemetry = await told(
    router.handler,
    request("GET /users/7?a=b&sig=x", ["User-Agent: test/1", "Via: 1.1 x"]).replace(
      "Host: a",
      "Host: a.example:8080",
    ),
  );
  const measured = {
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "http.route": "/users/:id",
    "network.protocol.version": "1.1",
    "url.scheme": "http",
  };
  assertEquals(telemetry.attributesOf(DURATION), [measured]);
  assertEquals(telemetry.attributesOf(RESPONSE_SIZE), [measured]);
  assertEquals([telemetry.valuesOf(REQUEST_SIZE), telemetry.valuesOf(RESPONSE_SIZE)], [[0], [6]]);
  const active = { "http.request.method": "GET", "url.scheme": "http" };
  assertEquals(telemetry.measured[ACTIVE], [
    { value: 1, attributes: active },
    { value: -1, attributes: active },
  ]);
  const [span] = telemetry.spans;
  assertEquals([span!.name, span!.options.kind, span!.endCount], ["GET /users/:id", "server", 1]);
  assertEquals(span!.errors, []);
  assertEquals(span!.attributes, {
    ...measured,
    "http.request.body.size": 0,
    "http.response.body.size": 6,
    "client.address": "127.0.0.1",
    "client.port": 49152,
    "network.peer.address": "127.0.0.1",
    "network.peer.port": 49152,
    "server.address": "a.example",
    "server.port": 8080,
    "url.path": "/users/7",
    "url.query": "a=b&sig=REDACTED",
    "user_agent.original": "test/1",
  });
});

Deno.test("ServerTelemetry knows the addresses of a socket", async () => {
  const telemetry = new FakeTelemetry();
  await using server = serve((ctx) => ctx.text("a"), {
    hostname: "127.0.0.1",
    port: 0,
    telemetry,
  });
  const { port } = server.addr as Deno.NetAddr;
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
  const { attributes } = telemetry.spans[0]!;
  assertEquals(
    ["client.address", "network.peer.address", "server.address", "server.port"].map((name) =>
      attributes[name]
    ),
    ["127.0.0.1", "127.0.0.1", "127.0.0.1", port],
  );
  assertEquals(attributes["client.port"], attributes["network.peer.port"]);
});

Deno.test("ServerTelemetry tells https from http", async () => {
  const telemetry = new FakeTelemetry();
  await using server = serve((ctx) => ctx.text("a"), {
    hostname: "127.0.0.1",
    port: 0,
    telemetry,
    tls: { cert: LEAF_CERT, key: LEAF_KEY },
  });
  const { port } = server.addr as Deno.NetAddr;
  await using client = new Client({ tls: { caCerts: [CA_CERT] } });
  await (await client.get(`https://localhost:${port}/`)).text();
  assertEquals(telemetry.spans[0]!.attributes["url.scheme"], "https");
  assertEquals(telemetry.attributesOf(ACTIVE)[0]!["url.scheme"], "https");
});

Deno.test("ServerTelemetry believes who a trusted proxy says the client is", async () => {
  const telemetry = new FakeTelemetry();
  await using server = serve(compose([trustedProxy(["127.0.0.1"])], (ctx) => ctx.text("a")), {
    hostname: "127.0.0.1",
    port: 0,
    telemetry,
  });
  const { port } = server.addr as Deno.NetAddr;
  const headers = { "x-forwarded-for": "192.0.2.7" };
  await (await fetch(`http://127.0.0.1:${port}/`, { headers })).text();
  const { attributes } = telemetry.spans[0]!;
  assertEquals(attributes["client.address"], "192.0.2.7");
  assertEquals(attributes["network.peer.address"], "127.0.0.1");
});

Deno.test("ServerTelemetry names its instruments with units and buckets", async () => {
  const telemetry = await told((ctx) => ctx.text("a"), request("GET /"));
  assertEquals(telemetry.instruments[DURATION]!.unit, "s");
  assertEquals(telemetry.instruments[DURATION]!.boundaries?.length, 14);
  assertEquals(telemetry.instruments[ACTIVE]!.unit, "{request}");
  assertEquals(telemetry.instruments[RESPONSE_SIZE]!.unit, "By");
});

Deno.test("ServerTelemetry never makes a path or an invented method a name", async () => {
  const router = new Router();
  router.get("/a", (ctx) => ctx.text("a"));
  const telemetry = await told(router.handler, request("BREW /secret/7"));
  const [span] = telemetry.spans;
  assertEquals(span!.name, "HTTP");
  assertEquals(span!.attributes["http.request.method"], "_OTHER");
  assertEquals(span!.attributes["http.request.method_original"], "BREW");
  const [attributes] = telemetry.attributesOf(DURATION);
  assertEquals(attributes!["http.request.method"], "_OTHER");
  assertEquals(JSON.stringify(telemetry.measured).includes("BREW"), false);
  assertEquals(JSON.stringify(telemetry.measured).includes("secret"), false);
});

const STATUSES: ReadonlyArray<
  readonly [name: string, handler: Handler, status: number, type: string | undefined]
> = [
  ["nothing answered", () => {}, 404, undefined],
  [
    "a client's mistake",
    () => {
      throw new HttpError(400, "no");
    },
    400,
    undefined,
  ],
  [
    "a status of its own",
    (ctx) => {
      ctx.status = 503;
    },
    503,
    "503",
  ],
  ["an error with a status", () => Promise.reject(new HttpError(502, "up")), 502, "502"],
  [
    "an error thrown at once",
    () => {
      throw new TypeError("a");
    },
    500,
    "TypeError",
  ],
  ["an error thrown later", () => Promise.reject(new RangeError("a")), 500, "RangeError"],
  ["an error handed over", (ctx) => ctx.fail(new SyntaxError("a")), 500, "SyntaxError"],
];

for (const [name, handler, status, type] of STATUSES) {
  Deno.test(`ServerTelemetry tells failure from success: ${name}`, async () => {
    const telemetry = await told(handler, request("GET /"));
    const [attributes] = telemetry.attributesOf(DURATION);
    assertEquals(attributes!["http.response.status_code"], status);
    assertEquals(attributes!["error.type"], type);
    assertEquals(telemetry.spans[0]!.errors.length, type === undefined ? 0 : 1);
    assertEquals(telemetry.sumsOf(ACTIVE), {});
  });
}

Deno.test("ServerTelemetry tells an error of one request from the next", async () => {
  let count = 0;
  const handler: Handler = (ctx) => {
    if (count++ === 0) throw new TypeError("a");
    ctx.text("b");
  };
  const telemetry = await told(handler, request("GET /") + request("GET /"));
  assertEquals(
    telemetry.attributesOf(DURATION).map((attributes) => attributes["error.type"]),
    ["TypeError", undefined],
  );
});

const SIZES: ReadonlyArray<
  readonly [name: string, handler: Handler, text: string, sizes: [number | undefined, number]]
> = [
  ["a body that was read", async (ctx) => ctx.bytes(await ctx.body.bytes()), post("/", "12345"), [
    5,
    5,
  ]],
  ["a body nobody reads", (ctx) => ctx.text("ab"), post("/", "12345"), [5, 2]],
  ["chunks", async (ctx) => ctx.text(await ctx.body.text()), postChunks("/", ["123", "4567"]), [
    7,
    7,
  ]],
  ["chunks nobody reads", (ctx) => ctx.text("ab"), postChunks("/", ["123"]), [undefined, 2]],
  ["HEAD", (ctx) => ctx.text("abc"), request("HEAD /"), [0, 0]],
  [
    "204",
    (ctx) => {
      ctx.status = 204;
    },
    request("GET /"),
    [0, 0],
  ],
  [
    "205",
    (ctx) => {
      ctx.text("abc");
      ctx.status = 205;
    },
    request("GET /"),
    [0, 0],
  ],
  ["a stream", (ctx) => ctx.stream(ReadableStream.from(["ab", "cde"])), request("GET /"), [0, 5]],
  ["a Response", () => new Response("abcd"), request("GET /"), [0, 4]],
  ["a large body", (ctx) => ctx.bytes(new Uint8Array(200_000)), request("GET /"), [0, 200_000]],
];

for (const [name, handler, text, [requestBytes, responseBytes]] of SIZES) {
  Deno.test(`ServerTelemetry counts the bytes of ${name}`, async () => {
    const telemetry = await told(handler, text);
    assertEquals(
      telemetry.valuesOf(REQUEST_SIZE),
      requestBytes === undefined ? [] : [requestBytes],
    );
    assertEquals(telemetry.valuesOf(RESPONSE_SIZE), [responseBytes]);
  });
}

Deno.test("ServerTelemetry measures until the response has left, in seconds", async () => {
  const telemetry = new FakeTelemetry();
  const held = gate();
  await using harness = new ServerHarness(async (ctx) => {
    await held.passed;
    ctx.text("a");
  }, { telemetry });
  await harness.open(request("GET /"));
  assertEquals(Object.values(telemetry.sumsOf(ACTIVE)), [1]);
  await harness.advance(250);
  held.open();
  await turn();
  assertEquals(telemetry.valuesOf(DURATION), [0.25]);
  assertEquals(telemetry.sumsOf(ACTIVE), {});
});

Deno.test("ServerTelemetry measures a handler that computes, and never waits", async () => {
  const telemetry = new FakeTelemetry();
  await using server = serve((ctx) => {
    const endMs = performance.now() + 20;
    while (performance.now() < endMs);
    ctx.text("a");
  }, { hostname: "127.0.0.1", port: 0, telemetry });
  const { port } = server.addr as Deno.NetAddr;
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
  await server.shutdown();
  const [seconds] = telemetry.valuesOf(DURATION);
  assert(seconds !== undefined && seconds >= 0.02 && seconds < 5, `${seconds}`);
});

Deno.test("ServerTelemetry runs the handler in its span, and reads the fields of a trace", async () => {
  const telemetry = new FakeTelemetry();
  let running: unknown;
  await using harness = new ServerHarness((ctx) => {
    running = telemetry.running.at(-1);
    ctx.text("a");
  }, { telemetry });
  await harness.open(request("GET /", ["traceparent: x", "tracestate: a=1", "TraceState: b=2"]));
  const [span] = telemetry.spans;
  assertStrictEquals(running, span);
  assertEquals(telemetry.running, []);
});

Deno.test("ServerTelemetry hands header fields to whoever begins the span", async () => {
  const read: unknown[] = [];
  await using harness = new ServerHarness((ctx) => ctx.text("a"), {
    telemetry: {
      ...noTelemetry,
      startSpan: (name, options) => {
        read.push(options?.remote?.("tracestate"), options?.remote?.("traceparent"));
        return noTelemetry.startSpan(name);
      },
    },
  });
  await harness.open(request("GET /", ["tracestate: a=1", "TraceState: b=2"]));
  assertEquals(read, ["a=1, b=2", undefined]);
});

Deno.test("ServerTelemetry tells of pipelined requests one by one", async () => {
  const telemetry = await told(
    (ctx) => ctx.path === "/b" ? Promise.resolve().then(() => ctx.text("b")) : ctx.text("a"),
    request("GET /a") + request("GET /b") + request("GET /c"),
  );
  assertEquals(telemetry.spans.map(({ attributes }) => attributes["url.path"]), ["/a", "/b", "/c"]);
  assertEquals(telemetry.spans.map(({ endCount }) => endCount), [1, 1, 1]);
});

Deno.test("ServerTelemetry ends the span of a client that leaves, as failed", async () => {
  const telemetry = new FakeTelemetry();
  await using harness = new ServerHarness((ctx) =>
    new Promise((_, reject) => {
      ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason));
    }), { telemetry });
  const client = await harness.open(request("GET /"));
  await client.reset();
  await turn();
  const [attributes] = telemetry.attributesOf(DURATION);
  assertEquals(attributes!["error.type"], "ERR_NET_CONNECTION_CLOSED");
  assertEquals([telemetry.spans[0]!.errors.length, telemetry.spans[0]!.endCount], [1, 1]);
  assertEquals(telemetry.sumsOf(ACTIVE), {});
});

Deno.test("ServerTelemetry ends the span of a response that breaks off", async () => {
  const telemetry = await told((ctx) => {
    ctx.stream((async function* () {
      yield "a";
      await Promise.resolve();
      throw new TypeError("source");
    })());
  }, request("GET /"));
  const [attributes] = telemetry.attributesOf(DURATION);
  assertEquals(attributes!["http.response.status_code"], 200);
  assertEquals(attributes!["error.type"], "TypeError");
  assertEquals(telemetry.valuesOf(RESPONSE_SIZE), [1]);
});

Deno.test("ServerTelemetry ends the span when a server is stopped", async () => {
  const telemetry = new FakeTelemetry();
  const harness = new ServerHarness(() => new Promise(() => {}), { telemetry });
  await harness.open(request("GET /"));
  await harness.server.shutdown({ graceMs: 0 });
  assertEquals(telemetry.spans[0]!.endCount, 1);
  assertEquals(telemetry.attributesOf(DURATION)[0]!["error.type"], "ERR_NET_CONNECTION_CLOSED");
  assertEquals(telemetry.sumsOf(ACTIVE), {});
  await harness[Symbol.asyncDispose]();
});

Deno.test("ServerTelemetry ends the span of a connection that is given away", async () => {
  const telemetry = new FakeTelemetry();
  await using harness = new ServerHarness(async (ctx) => {
    const { transport } = await ctx.upgrade("x");
    await turn();
    transport.close();
  }, { telemetry });
  await harness.open(request("GET /", ["Connection: upgrade", "Upgrade: x"]));
  await turn();
  const [attributes] = telemetry.attributesOf(DURATION);
  assertEquals(attributes!["http.response.status_code"], 101);
  assertEquals(attributes!["error.type"], undefined);
  assertEquals(telemetry.spans[0]!.endCount, 1);
});

Deno.test("ServerTelemetry takes what is refused before its head is complete for no request", async () => {
  const telemetry = await told((ctx) => ctx.text("a"), "GET / HTTP/1.1\r\nbad header\r\n\r\n");
  assertEquals([telemetry.spans, telemetry.valuesOf(DURATION)], [[], []]);
});

Deno.test("ServerTelemetry that fails changes no answer", async () => {
  const { error } = console;
  console.error = () => {};
  try {
    const fail = (): never => {
      throw new Error("telemetry");
    };
    const telemetry = {
      counter: fail,
      upDownCounter: fail,
      histogram: () => ({ record: fail }),
      startSpan: fail,
    };
    await using harness = new ServerHarness((ctx) => ctx.text("a"), { telemetry });
    assertEquals((await harness.request(request("GET /"))).status, 200);
  } finally {
    console.error = error;
  }
});
