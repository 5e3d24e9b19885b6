import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { HttpStateError } from "../../http/errors.ts";
import type { Handler } from "../../http/server_shared.ts";
import { fieldOf } from "../_support/raw_response.ts";
import {
  gate,
  post,
  postChunks,
  request,
  ServerHarness,
  turn,
} from "../_support/server_harness.ts";

const hello: Handler = (ctx) => ctx.text("hello");
const later: Handler = async (ctx) => {
  await turn();
  ctx.text("hello");
};
const echoPath: Handler = (ctx) => ctx.text(ctx.path);

/** Requests whose answers must not depend on how the handler is written. */
const REQUESTS: readonly string[] = [
  request("GET /"),
  request("HEAD /"),
  request("OPTIONS *"),
  request("GET /a?b=c", ["Connection: close"]),
  "GET / HTTP/1.0\r\n\r\n",
  "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  post("/", "body"),
  post("/read", "body"),
  postChunks("/read", ["chunked", " ", "body"]),
  postChunks("/", ["nobody", "reads"]),
  request("POST /", ["Expect: 100-continue", "Content-Length: 4"]),
  request("CONNECT a:443").replace("Host: a", "Host: a:443"),
  request("GET /missing"),
  request("GET /fails"),
  request("GET /stream"),
  request("GET /204"),
  request("GET /304"),
  request("GET /large"),
  request("BREW /"),
  "GET / HTTP/1.1\r\n\r\n",
  "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
  request("GET /") + request("GET /fails") + request("GET /large") + request("GET /"),
  post("/", "body") + post("/read", "body") + request("GET /") + "nonsense\r\n\r\n",
  request("GET /") + request("GET /", ["Connection: close"]) + request("GET /"),
];

const answer: Handler = (ctx) => {
  switch (ctx.path) {
    case "/missing":
      return;
    case "/fails":
      throw new Error("secret");
    case "/stream":
      return ctx.stream(ReadableStream.from(["a", "b"]));
    case "/read":
      return ctx.body.text().then((text) => ctx.text(text));
    case "/204":
    case "/304":
      ctx.status = Number(ctx.path.slice(1));
      return;
    case "/large":
      return ctx.bytes(new Uint8Array(100_000).fill(0x78));
    default:
      ctx.set("x-method", ctx.method);
      return ctx.text(ctx.url);
  }
};

for (const wire of REQUESTS) {
  const name = JSON.stringify(wire.length > 60 ? `${wire.slice(0, 57)}...` : wire);
  Deno.test(`a synchronous and an asynchronous handler answer ${name} alike`, async () => {
    const outcomes = [];
    for (const handler of [answer, async (ctx) => await answer(ctx)] as Handler[]) {
      for (const maxReadBytes of [Infinity, 1]) {
        await using harness = new ServerHarness(handler);
        const client = await harness.open(wire, { maxReadBytes });
        await turn();
        outcomes.push([await client.text(), await client.isEnded(), harness.reported.length]);
        assertEquals(client.server.violations, []);
      }
    }
    const [expected, ...others] = outcomes;
    for (const outcome of others) assertEquals(outcome, expected);
    assert(String(expected![0]).startsWith("HTTP/1.1 "));
  });
}

Deno.test("pipelined requests are answered in order, whoever is slow", async () => {
  const slow = gate();
  await using harness = new ServerHarness((ctx) => {
    if (ctx.path === "/2") return slow.passed.then(() => ctx.text("/2"));
    if (ctx.path === "/4") return turn().then(() => ctx.text("/4"));
    return ctx.text(ctx.path);
  });
  const client = await harness.open(
    ["/1", "/2", "/3", "/4", "/5"].map((path) => request(`GET ${path}`)).join(""),
  );
  // What is ready leaves: it does not wait for the slow one.
  assertEquals((await client.response()).body, "/1");
  assertEquals(await client.maybeResponse(), undefined);
  slow.open();
  await turn();
  for (const path of ["/2", "/3", "/4", "/5"]) {
    assertEquals((await client.response()).body, path);
  }
  assertEquals(client.server.violations, []);
});

Deno.test("an answer leaves before the handler of the next request is through", async () => {
  const gates = [gate(), gate(), gate()];
  let count = 0;
  await using harness = new ServerHarness(async (ctx) => {
    await gates[count++]!.passed;
    ctx.text(ctx.path);
  });
  const client = await harness.open(
    ["/0", "/1", "/2"].map((path) => request(`GET ${path}`)).join(""),
  );
  for (const [index, next] of gates.entries()) {
    next.open();
    await turn();
    assertEquals((await client.response()).body, `/${index}`);
    assertEquals(await client.maybeResponse(), undefined);
  }
});

Deno.test("a request that comes while an answer is being written is not left lying", async () => {
  const slow = gate();
  await using harness = new ServerHarness(async (ctx) => {
    // For this a read is under way during the handler.
    assertEquals(ctx.signal.aborted, false);
    if (ctx.path === "/1") await slow.passed;
    ctx.text(ctx.path);
  });
  const client = await harness.connect({ highWaterMarkBytes: 64 });
  await client.send(request("GET /1"));
  client.pause();
  slow.open();
  await turn();
  await client.send(request("GET /2"));
  await client.resume();
  assertEquals((await client.response()).body, "/1");
  assertEquals((await client.response()).body, "/2");
  assertEquals(client.server.violations, []);
});

Deno.test("the responses of a batch leave in one write", async () => {
  for (const handler of [echoPath, (async (ctx) => await echoPath(ctx)) as Handler]) {
    await using harness = new ServerHarness(handler);
    const client = await harness.open(request("GET /x").repeat(20));
    assertEquals((await client.statuses()).length, 20);
    assertEquals(client.server.writes.length, 1);
  }
});

Deno.test("a batch leaves in several writes when its responses grow large", async () => {
  await using harness = new ServerHarness((ctx) => ctx.bytes(new Uint8Array(20_000)));
  const client = await harness.open(request("GET /x").repeat(20));
  assertEquals((await client.statuses()).length, 20);
  const { writes } = client.server;
  assert(writes.length >= 5, `${writes}`);
  assert(Math.max(...writes) < 64 * 1024 + 21_000, `${writes}`);
});

Deno.test("a request that comes byte by byte is answered once", async () => {
  await using harness = new ServerHarness(echoPath);
  const client = await harness.connect();
  for (const byte of "\r\n" + request("GET /a")) await client.send(byte);
  assertEquals((await client.response()).body, "/a");
  assertEquals(await client.text(), "");
});

for (const [name, handler] of [["synchronous", hello], ["asynchronous", later]] as const) {
  Deno.test(`a connection is kept alive through many requests (${name})`, async () => {
    await using harness = new ServerHarness(handler);
    const client = await harness.connect();
    for (let count = 0; count < 20; count++) {
      await client.send(request("GET /"));
      await turn();
      const response = await client.response();
      assertEquals(response.status, 200);
      // Only the first response tells how long.
      assertEquals(fieldOf(response, "keep-alive"), count === 0 ? "timeout=60" : undefined);
    }
    const { requestCount, acceptedCount, connectionCount } = harness.server.stats();
    assertEquals([requestCount, acceptedCount, connectionCount], [20, 1, 1]);
  });

  Deno.test(`Connection: close of the client ends the connection (${name})`, async () => {
    await using harness = new ServerHarness(handler);
    const client = await harness.open(
      request("GET /", ["Connection: foo, CLOSE"]) + request("GET /never"),
    );
    await turn();
    assertEquals(fieldOf(await client.response(), "connection"), "close");
    assertEquals([await client.text(), await client.isEnded()], ["", true]);
    assertEquals(harness.server.stats().requestCount, 1);
  });

  Deno.test(`HTTP/1.0 ends the connection unless the client asks to keep it (${name})`, async () => {
    await using harness = new ServerHarness(handler);
    const client = await harness.open("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".repeat(2));
    await turn();
    for (let count = 0; count < 2; count++) {
      assertEquals(fieldOf(await client.response(), "connection"), "keep-alive");
    }
    await client.send("GET / HTTP/1.0\r\n\r\n");
    await turn();
    assertEquals(fieldOf(await client.response(), "connection"), "close");
    assertEquals(await client.isEnded(), true);
  });

  Deno.test(`a client that ends its direction still gets its answer (${name})`, async () => {
    await using harness = new ServerHarness(handler);
    const client = await harness.open(request("GET /") + request("GET /"));
    await client.end();
    await turn();
    assertEquals((await client.statuses()).length, 2);
    assertEquals([await client.isEnded(), client.server.isClosed], [true, true]);
  });
}

Deno.test("maxRequestsPerConnection ends the connection with the last one", async () => {
  await using harness = new ServerHarness(hello, { maxRequestsPerConnection: 3 });
  const client = await harness.open(request("GET /").repeat(5));
  const seen = [];
  for (let next; (next = await client.maybeResponse()) !== undefined;) {
    seen.push(fieldOf(next, "connection"));
  }
  assertEquals(seen, ["keep-alive", undefined, "close"]);
  assertEquals(await client.isEnded(), true);
});

for (
  const [name, wire, status] of [
    ["a bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400],
    ["a missing Host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["a long target", request(`GET /${"a".repeat(9000)}`), 414],
    ["a long field", request("GET /", [`A: ${"a".repeat(33_000)}`]), 431],
    ["many fields", request("GET /", new Array(128).fill("A: b")), 431],
    ["another version", "GET / HTTP/2.0\r\n\r\n", 505],
    ["an unknown coding", request("POST /", ["Transfer-Encoding: gzip, chunked"]), 501],
    ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["an unknown expectation", request("GET /", ["Expect: a pony"]), 417],
  ] as const
) {
  Deno.test(`${name} is answered with ${status}, the connection closed`, async () => {
    await using harness = new ServerHarness(hello);
    const client = await harness.open(request("GET /") + wire);
    assertEquals((await client.response()).status, 200);
    const response = await client.response();
    assertEquals([response.status, fieldOf(response, "connection")], [status, "close"]);
    assertEquals(await client.isEnded(), true);
    assertEquals(harness.server.stats().protocolErrorCount, 1);
    assertEquals([harness.reported, client.server.violations], [[], []]);
  });
}

Deno.test("a refusal behind an asynchronous answer lingers, with one read at a time", async () => {
  await using harness = new ServerHarness(later);
  const client = await harness.open(request("GET /") + "nonsense\r\n\r\n");
  await turn();
  assertEquals(await client.statuses(), [200, 400]);
  await client.send("more");
  assertEquals([client.server.isClosed, client.server.violations], [false, []]);
  await client.end();
  assertEquals(client.server.isClosed, true);
});

Deno.test("half a head at the end of the client's direction is a 400", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open("GET / HTTP/1.1\r\nHost");
  await client.end();
  assertEquals(await client.statuses(), [400]);
  assertEquals(client.server.isClosed, true);
});

Deno.test("a client that leaves without a word is no error", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.connect();
  await client.end();
  assertEquals([client.server.isClosed, await client.text()], [true, ""]);
  assertEquals([harness.reported, harness.server.stats().protocolErrorCount], [[], 0]);
});

Deno.test("CONNECT is refused with 501 and the handler is not asked", async () => {
  let callCount = 0;
  await using harness = new ServerHarness(() => {
    callCount++;
  });
  const response = await harness.request("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
  assertEquals([response.status, callCount, harness.reported.length], [501, 0, 0]);
});

for (
  const [what, wire, stays] of [
    ["a body of 256 KiB", post("/", "x".repeat(256 * 1024)), true],
    ["a body of 256 KiB and a byte", post("/", "x".repeat(256 * 1024 + 1)), false],
    ["a chunked body of 256 KiB", postChunks("/", new Array(64).fill("x".repeat(4096))), true],
    ["a larger chunked body", postChunks("/", new Array(65).fill("x".repeat(4096))), false],
    ["an empty chunked body", postChunks("/", []), true],
  ] as const
) {
  Deno.test(`${what} that nobody reads ${stays ? "is drained" : "ends the connection"}`, async () => {
    for (const handler of [hello, later]) {
      await using harness = new ServerHarness(handler);
      const client = await harness.open(wire + request("GET /"));
      for (let count = 0; count < 10; count++) await turn();
      assertEquals(await client.statuses(), stays ? [200, 200] : [200]);
      assertEquals(await client.isEnded(), !stays);
      assertEquals([client.server.violations, harness.reported], [[], []]);
    }
  });
}

Deno.test("maxDrainBytes 0 drains whatever comes", async () => {
  await using harness = new ServerHarness(hello, { maxDrainBytes: 0 });
  const client = await harness.open(post("/", "x".repeat(1_000_000)) + request("GET /"));
  for (let count = 0; count < 40; count++) await turn();
  assertEquals(await client.statuses(), [200, 200]);
});

Deno.test("a malformed body that nobody reads ends the connection", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open(
    request("POST /", ["Transfer-Encoding: chunked"], "nonsense\r\n") + request("GET /"),
  );
  assertEquals(await client.statuses(), [200]);
  assertEquals(await client.isEnded(), true);
});

Deno.test("an unread body that is cut short is no error of the server", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open(post("/", "0123456789").slice(0, -5));
  await client.end();
  assertEquals(await client.statuses(), [200]);
  assertEquals([client.server.isClosed, harness.reported], [true, []]);
});

Deno.test("two answers are one too many: reported, and 500", async () => {
  await using harness = new ServerHarness((ctx) => {
    ctx.text("first");
    return new Response("second");
  });
  assertEquals((await harness.request(request("GET /"))).status, 500);
  const error = harness.reported[0]!.error;
  assertInstanceOf(error, HttpStateError);
  assertEquals(error.code, "ERR_HTTP_ALREADY_ANSWERED");
});

Deno.test("a handler that fails after an error handler has failed too leaves the server whole", async () => {
  const console = spyOnConsole();
  try {
    await using harness = new ServerHarness(() => {
      throw new Error("handler");
    }, {
      onError: () => {
        throw new Error("onError");
      },
    });
    const client = await harness.open(request("GET /") + request("GET /"));
    assertEquals(await client.statuses(), [500, 500]);
    assertEquals(console.count, 2);
  } finally {
    console.restore();
  }
});

function spyOnConsole(): { readonly count: number; restore(): void } {
  const { error } = console;
  let count = 0;
  console.error = () => void count++;
  return {
    get count() {
      return count;
    },
    restore: () => void (console.error = error),
  };
}
