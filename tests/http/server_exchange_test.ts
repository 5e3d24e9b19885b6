import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { HttpError, HttpStateError } from "../../http/errors.ts";
import type { Context } from "../../http/server_context.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { gate, post, request, ServerHarness, TICK_MS, turn } from "../_support/server_harness.ts";

async function answerOf(handler: Handler, wire = request("GET /")): Promise<RawResponse> {
  await using harness = new ServerHarness(handler);
  const response = await harness.request(wire, wire.startsWith("HEAD"));
  assertEquals(harness.reported, []);
  return response;
}

function codeOf(run: () => unknown): string {
  return assertThrows(run, HttpStateError).code;
}

for (
  const [what, error, status, body, reportCount] of [
    ["an Error", new Error("secret"), 500, "Internal Server Error", 1],
    ["a string", "secret", 500, "Internal Server Error", 1],
    ["undefined", undefined, 500, "Internal Server Error", 1],
    ["an HttpError 404", new HttpError(404, "No such user"), 404, "No such user", 0],
    ["an HttpError 404 without a message", new HttpError(404), 404, "Not Found", 0],
    ["a hidden HttpError", new HttpError(403, "secret", { expose: false }), 403, "Forbidden", 0],
    ["an HttpError 500", new HttpError(500, "secret"), 500, "Internal Server Error", 1],
    ["an HttpError 503", new HttpError(503, "secret"), 503, "Service Unavailable", 0],
    ["an exposed HttpError 503", new HttpError(503, "soon", { expose: true }), 503, "soon", 0],
    [
      "a foreign error with a status",
      Object.assign(new Error("secret"), { status: 409 }),
      409,
      "Conflict",
      0,
    ],
    [
      "a foreign error with statusHint",
      { statusHint: 422, message: "secret" },
      422,
      "Unprocessable Content",
      0,
    ],
    [
      "a foreign error with status 200",
      Object.assign(new Error("secret"), { status: 200 }),
      500,
      "Internal Server Error",
      1,
    ],
    ["a foreign error with a status as text", { status: "404" }, 500, "Internal Server Error", 1],
  ] as [string, unknown, number, string, number][]
) {
  Deno.test(`a handler that fails with ${what} is answered with ${status}`, async () => {
    const handlers: Handler[] = [
      () => {
        throw error;
      },
      () => Promise.reject(error),
    ];
    for (const handler of handlers) {
      await using harness = new ServerHarness(handler);
      const client = await harness.open(request("GET /"));
      const response = await client.response();
      assertEquals([response.status, response.body], [status, body]);
      assertEquals(fieldOf(response, "connection"), "keep-alive");
      assertEquals(harness.reported.map(({ error }) => error), new Array(reportCount).fill(error));
      for (const { ctx } of harness.reported) assertEquals(ctx?.method, "GET");
      await client.send(request("GET /"));
      assertEquals((await client.response()).status, status);
    }
  });
}

Deno.test("an error drops what was answered before, and brings its own header fields", async () => {
  const headers: [string, string][] = [["Retry-After", "1"], ["retry-after", "2"]];
  const response = await answerOf((ctx) => {
    ctx.set("x-secret", "1");
    ctx.json({ secret: 1 });
    throw new HttpError(429, "slow down", { headers });
  });
  assertEquals([response.status, response.body], [429, "slow down"]);
  assertEquals(fieldOf(response, "x-secret"), undefined);
  assertEquals(fieldOf(response, "retry-after"), "1, 2");
});

for (
  const [name, value] of [["a", "b\r\nc: d"], ["transfer-encoding", "chunked"], [
    "content-length",
    "8",
  ]] as const
) {
  Deno.test(`an HttpError with the field ${name} that cannot be sent is a 500, and reported`, async () => {
    for (const wait of [false, true]) {
      await using harness = new ServerHarness((): void | Promise<void> => {
        const error = new HttpError(400, "message", { headers: [[name, value]] });
        if (wait) return Promise.reject(error);
        throw error;
      });
      const client = await harness.open(request("GET /"));
      const response = await client.response();
      assertEquals([response.status, response.body], [500, "Internal Server Error"]);
      assertEquals(harness.reported.length, 1);
      assertEquals(client.server.isClosed, false);
    }
  });
}

for (
  const [name, handler] of [
    ["Transfer-Encoding", (ctx) => ctx.set("Transfer-Encoding", "chunked")],
    ["a contradicting Content-Length", (ctx) => ctx.set("Content-Length", "4")],
    ["a Content-Length that is no number", (ctx) => ctx.set("Content-Length", "five")],
    ["two Content-Lengths", (ctx) => {
      ctx.append("Content-Length", "5");
      ctx.append("Content-Length", "5");
    }],
  ] as [string, (ctx: Context) => void][]
) {
  Deno.test(`${name} is refused: reported, and 500 with clean framing`, async () => {
    for (const isStream of [false, true]) {
      await using harness = new ServerHarness((ctx) => {
        if (isStream) ctx.stream(ReadableStream.from(["hello"]));
        else ctx.text("hello");
        handler(ctx);
      });
      const client = await harness.open(request("GET /") + request("GET /"));
      await turn();
      if (isStream && name.startsWith("a contradicting")) {
        // The head has left by then: the client must not take it for whole.
        assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
      } else {
        assertEquals(await client.statuses(), [500, 500]);
      }
      assert(harness.reported.length >= 1);
    }
  });
}

Deno.test("a Content-Length that agrees is sent once", async () => {
  for (const stream of [false, true]) {
    const response = await answerOf((ctx) => {
      ctx.set("Content-Length", "5");
      if (stream) ctx.stream(ReadableStream.from(["he", "llo"]));
      else ctx.text("hello");
    });
    assertEquals(fieldOf(response, "content-length"), "5");
    assertEquals([response.framing, response.body], ["length", "hello"]);
  }
});

Deno.test("Connection: close of the handler ends the connection", async () => {
  for (const value of ["close", "Close", "foo, close"]) {
    await using harness = new ServerHarness((ctx) => {
      ctx.set("Connection", value);
      ctx.text("bye");
    });
    const client = await harness.open(request("GET /") + request("GET /"));
    assertStringIncludes(fieldOf(await client.response(), "connection")!, "close");
    assertEquals([await client.text(), await client.isEnded()], ["", true]);
  }
});

Deno.test("Keep-Alive and Connection: keep-alive of the handler are not sent twice", async () => {
  await using harness = new ServerHarness((ctx) => {
    ctx.set("Connection", "keep-alive");
    ctx.set("Keep-Alive", "timeout=1000");
    ctx.text("");
  });
  const client = await harness.open(request("GET /") + request("GET /"));
  const first = await client.response();
  assertEquals(fieldOf(first, "connection"), "keep-alive");
  assertEquals(fieldOf(first, "keep-alive"), "timeout=60");
  assertEquals(fieldOf(await client.response(), "keep-alive"), undefined);
});

for (
  const [start, status, framing] of [
    ["HEAD", 200, "content-length: 5"],
    ["GET", 204, undefined],
    ["GET", 304, "content-length: 5"],
  ] as const
) {
  for (const kind of ["text", "bytes", "stream", "writer", "Response"]) {
    Deno.test(`the body of ${kind} is dropped in answer to ${start} with ${status}`, async () => {
      await using harness = new ServerHarness(async (ctx) => {
        ctx.status = status;
        if (kind === "text") return ctx.text("hello");
        if (kind === "bytes") return ctx.bytes(new TextEncoder().encode("hello"));
        ctx.set("Content-Length", "5");
        if (kind === "stream") return ctx.stream(ReadableStream.from(["hello"]));
        if (kind === "Response") {
          ctx.response.headers.delete("content-length");
          return ctx.text("hello");
        }
        const writer = ctx.writer();
        await writer.write("hello");
        await writer.close();
      });
      const client = await harness.open(request(`${start} /`) + request("OPTIONS /"));
      await turn();
      const text = await client.text();
      assertEquals(text.includes("hello"), text.indexOf("hello") > text.indexOf("HTTP/1.1", 9));
      const head = text.slice(0, text.indexOf("\r\n\r\n"));
      assertEquals(/^content-length.*$/im.exec(head)?.[0], framing);
      assertEquals((await client.response(true)).status, status);
      assertEquals(text.slice(head.length + 4, head.length + 12), "HTTP/1.1");
      assertEquals(harness.reported, []);
    });
  }
}

for (const kind of ["text", "stream", "flush", "writer", "trailers", "Response"] as const) {
  for (const [method, version] of [["GET", "1.1"], ["HEAD", "1.1"], ["GET", "1.0"]] as const) {
    Deno.test(`a 205 has no content: ${kind} to ${method} with HTTP/${version}`, async () => {
      await using harness = new ServerHarness(async (ctx) => {
        if (kind === "Response") {
          const web = new Response("hello");
          Object.defineProperty(web, "status", { value: 205 });
          return web;
        }
        ctx.status = 205;
        if (kind === "text") return ctx.text("hello");
        if (kind === "stream") return ctx.stream(ReadableStream.from(["hello"]));
        if (kind === "flush") return await ctx.flush().then(() => ctx.text("hello"));
        const writer = ctx.writer();
        await writer.write("hello");
        await writer.close(kind === "trailers" ? { "x-sum": "1" } : []);
      });
      const start = `${method} / HTTP/${version}\r\nHost: a\r\nConnection: keep-alive\r\n\r\n`;
      const client = await harness.open(start.repeat(2));
      await turn();
      const text = await client.text();
      for (const response of [await client.response(true), await client.response(true)]) {
        assertEquals([response.status, fieldOf(response, "content-length")], [205, "0"]);
        assertEquals(fieldOf(response, "transfer-encoding"), undefined);
        assertEquals(fieldOf(response, "connection") !== "close", true);
      }
      assertEquals([text.includes("hello"), await client.text()], [false, ""]);
      assertEquals(harness.reported, []);
    });
  }
}

Deno.test("a stream is sent in chunks, to HTTP/1.0 until the connection ends", async () => {
  const handler: Handler = (ctx) => ctx.stream(ReadableStream.from(["one", "", "two"]));
  const chunked = await answerOf(handler);
  assertEquals([chunked.framing, chunked.body], ["chunked", "onetwo"]);
  assertEquals(fieldOf(chunked, "content-type"), "application/octet-stream");
  const closed = await answerOf(handler, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  assertEquals([closed.framing, closed.body], ["close", "onetwo"]);
  assertEquals(fieldOf(closed, "connection"), "close");
});

Deno.test("a stream may be a generator, a ReadableStream of bytes, or empty", async () => {
  async function* pieces(): AsyncGenerator<Uint8Array | string> {
    yield "a";
    await turn();
    yield Uint8Array.of(98);
  }
  assertEquals((await answerOf((ctx) => ctx.stream(pieces()))).body, "ab");
  assertEquals((await answerOf((ctx) => ctx.stream(ReadableStream.from([])))).body, "");
  const { body } = new Response("from a Response");
  assertEquals((await answerOf((ctx) => ctx.stream(body!))).body, "from a Response");
});

for (const firstFails of [false, true]) {
  for (const minor of [0, 1]) {
    const when = firstFails ? "at once" : "in the middle";
    Deno.test(`a stream that fails ${when} ends the connection without an end (1.${minor})`, async () => {
      const failure = new Error("secret");
      await using harness = new ServerHarness((ctx) =>
        ctx.stream(async function* () {
          if (firstFails) throw failure;
          yield "first";
          throw failure;
        }())
      );
      const client = await harness.open(`GET / HTTP/1.${minor}\r\nHost: a\r\n\r\n`);
      await turn();
      const text = await client.text();
      assertEquals(await client.isEnded(), true);
      assertEquals([text.includes("\r\n0\r\n\r\n"), text.includes("secret")], [false, false]);
      if (minor === 1) assertEquals(await client.maybeResponse(), undefined);
      assertEquals(harness.reported.map(({ error }) => error), [failure]);
    });
  }
}

Deno.test("a stream with too few or too many bytes for its length ends the connection", async () => {
  for (const pieces of [["ab"], ["ab", "cdefgh"]]) {
    await using harness = new ServerHarness((ctx) => {
      ctx.set("Content-Length", "5");
      ctx.stream(ReadableStream.from(pieces));
    });
    const client = await harness.open(request("GET /") + request("GET /"));
    await turn();
    assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
    const [report] = harness.reported;
    assertInstanceOf(report!.error, HttpStateError);
    assertEquals(report!.error.code, "ERR_HTTP_BODY_LENGTH_MISMATCH");
  }
});

Deno.test("a piece that is neither bytes nor text ends the connection", async () => {
  for (const piece of [7, new ArrayBuffer(5), new Uint16Array(5), null, undefined, {}]) {
    await using harness = new ServerHarness((ctx) => {
      ctx.set("Content-Length", "5");
      ctx.stream(ReadableStream.from([piece as string]));
    });
    const client = await harness.open(request("GET /") + request("GET /"));
    await turn();
    assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
    assertInstanceOf(harness.reported[0]!.error, TypeError);
  }
});

Deno.test("a stream that cannot be read is a 500: the head has not left", async () => {
  await using harness = new ServerHarness((ctx) => {
    const stream = ReadableStream.from(["a"]);
    stream.getReader();
    ctx.stream(stream);
  });
  const client = await harness.open(request("GET /"));
  await turn();
  assertEquals((await client.response()).status, 500);
  assertInstanceOf(harness.reported[0]!.error, TypeError);
});

Deno.test("flush() sends the head at once", async () => {
  const more = gate();
  await using harness = new ServerHarness(async (ctx) => {
    ctx.status = 202;
    ctx.set("x-a", "b");
    await ctx.flush();
    await more.passed;
    ctx.text("later");
  });
  const client = await harness.open(request("GET /"));
  const text = await client.text();
  assertStringIncludes(text, "HTTP/1.1 202 Accepted\r\nx-a: b\r\n");
  assertStringIncludes(text, "\r\n\r\n");
  more.open();
  await turn();
  const response = await client.response();
  assertEquals([response.framing, response.body], ["chunked", "later"]);
  assertEquals(harness.reported, []);
});

Deno.test("what is answered after flush() may be text, bytes, a stream or nothing, but once", async () => {
  const answers: [(ctx: Context) => void, string][] = [
    [(ctx) => ctx.json([1]), "[1]"],
    [(ctx) => ctx.bytes(Uint8Array.of(97)), "a"],
    [(ctx) => ctx.stream(ReadableStream.from(["a", "b"])), "ab"],
    [() => {}, ""],
    [(ctx) => {
      ctx.text("one");
      assertEquals(codeOf(() => ctx.text("two")), "ERR_HTTP_HEAD_COMMITTED");
    }, "one"],
  ];
  for (const [answer, body] of answers) {
    const response = await answerOf(async (ctx) => {
      await ctx.flush();
      answer(ctx);
    });
    assertEquals([response.status, response.body], [200, body]);
  }
});

Deno.test("an error after flush() ends the connection without an end", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    await ctx.flush();
    throw new HttpError(400, "too late");
  });
  const client = await harness.open(request("GET /"));
  await turn();
  assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
});

Deno.test("a Response returned after flush() ends the connection and is reported", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    await ctx.flush();
    return new Response("late");
  });
  const client = await harness.open(request("GET /"));
  await turn();
  assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
  assertInstanceOf(harness.reported[0]!.error, HttpStateError);
});

Deno.test("ctx.signal aborts when the client resets the connection", async () => {
  const reasons: unknown[] = [];
  await using harness = new ServerHarness((ctx) =>
    new Promise((_, reject) => {
      ctx.signal.onabort = () => {
        reasons.push(ctx.signal.reason);
        reject(ctx.signal.reason);
      };
    })
  );
  const client = await harness.open(request("GET /"));
  await client.reset();
  assertInstanceOf(reasons[0], ConnectionClosedError);
  assertInstanceOf(reasons[0].cause, Deno.errors.ConnectionReset);
  assertEquals([reasons.length, client.server.isClosed, harness.reported], [1, true, []]);
});

Deno.test("ctx.signal asked for too late is aborted already", async () => {
  const asked = gate();
  let wasAborted: boolean | undefined;
  await using harness = new ServerHarness(async (ctx) => {
    await asked.passed;
    wasAborted = ctx.signal.aborted;
  });
  const client = await harness.open(request("GET /"));
  await client.reset();
  asked.open();
  await turn();
  assertEquals(wasAborted, true);
});

Deno.test("ctx.signal aborts on a reset behind a body that was read past the buffer", async () => {
  let signal: AbortSignal | undefined;
  const done = gate();
  await using harness = new ServerHarness((ctx) => {
    signal = ctx.signal;
    return ctx.body.bytes().then(() => done.passed);
  });
  const client = await harness.open(request("POST /", ["Content-Length: 300000"]));
  for (let count = 0; count < 3; count++) await client.send("x".repeat(100_000));
  await client.reset();
  assertEquals(signal!.aborted, true);
  done.open();
});

for (
  const [how, send, isAborted] of [
    ["a half-close", async (client) => await client.end(), false],
    ["a half-close that came with the request", undefined, false],
  ] as [string, ((client: { end(): Promise<void> }) => Promise<void>) | undefined, boolean][]
) {
  for (const abortOnHalfClose of [false, true]) {
    Deno.test(`ctx.signal on ${how} with abortOnHalfClose ${abortOnHalfClose}`, async () => {
      const work = gate();
      const signals: AbortSignal[] = [];
      await using harness = new ServerHarness(async (ctx) => {
        signals.push(ctx.signal);
        await work.passed;
        ctx.text(ctx.path);
      }, { abortOnHalfClose });
      const client = await harness.connect();
      await client.send(request("GET /1") + request("GET /2"));
      if (send === undefined) void client.end();
      else await send(client);
      await turn();
      assertEquals(signals.map((signal) => signal.aborted), [isAborted || abortOnHalfClose]);
      work.open();
      await turn();
      assertEquals(signals.map((signal) => signal.aborted), new Array(2).fill(abortOnHalfClose));
      // The answer is written all the same.
      assertEquals((await client.response()).body, "/1");
    });
  }
}

for (const when of ["before", "behind"]) {
  Deno.test(`a stream ends with its connection for a half-close ${when} its head, with abortOnHalfClose`, async () => {
    const work = gate();
    let cancelCount = 0;
    await using harness = new ServerHarness(async (ctx) => {
      if (when === "before") await work.passed;
      ctx.stream(new ReadableStream({ cancel: () => void cancelCount++ }));
    }, { abortOnHalfClose: true });
    const client = await harness.open(request("GET /"));
    await client.end();
    work.open();
    await turn();
    assertEquals([cancelCount, await client.isEnded()], [1, true]);
    assertEquals([harness.server.stats().connectionCount, harness.reported], [0, []]);
  });
}

Deno.test("a stream goes on behind a half-close without abortOnHalfClose", async () => {
  const work = gate();
  await using harness = new ServerHarness(async (ctx) => {
    const writer = ctx.writer();
    await work.passed;
    await writer.write("all");
    await writer.close();
  });
  const client = await harness.open(request("GET /"));
  await client.end();
  work.open();
  assertEquals((await client.response()).body, "all");
});

Deno.test("ctx.signal is fresh for every request", async () => {
  const signals: AbortSignal[] = [];
  await using harness = new ServerHarness(async (ctx) => {
    signals.push(ctx.signal);
    await turn();
    ctx.text("");
  }, { handlerTimeoutMs: 1_000 });
  const client = await harness.open(request("GET /"));
  await turn();
  await client.send(request("GET /"));
  await client.reset();
  assertEquals(signals.map((signal) => signal.aborted), [false, true]);
  await harness.advance(1_000 + TICK_MS);
  assertEquals(signals.map((signal) => signal.aborted), [false, true]);
});

Deno.test("a stream is cancelled when the client leaves, also while it has nothing to say", async () => {
  for (const isReadable of [true, false]) {
    let cancelCount = 0;
    const never = gate();
    const quiet = async function* (): AsyncGenerator<string> {
      try {
        yield "first";
        await never.passed;
      } finally {
        cancelCount++;
      }
    };
    const readable = new ReadableStream<string>({
      start: (controller) => controller.enqueue("first"),
      cancel: () => void cancelCount++,
    });
    await using harness = new ServerHarness((ctx) => ctx.stream(isReadable ? readable : quiet()));
    const client = await harness.open(request("GET /"));
    await client.reset();
    assertEquals([client.server.isClosed, harness.server.stats().connectionCount], [true, 0]);
    never.open();
    await turn();
    assertEquals([cancelCount, harness.reported], [1, []]);
  }
});

Deno.test("a stream is cancelled when nobody will read it", async () => {
  const cases: [string, (ctx: Context, source: ReadableStream<string>) => void | Response][] = [
    ["HEAD", (ctx, source) => ctx.stream(source)],
    ["GET", (ctx, source) => {
      ctx.stream(source);
      throw new HttpError(400);
    }],
    ["GET", (ctx, source) => {
      ctx.set("Transfer-Encoding", "chunked");
      ctx.stream(source);
    }],
    ["GET", (ctx, source) => {
      ctx.text("answered");
      return new Response(source.pipeThrough(new TextEncoderStream()));
    }],
  ];
  for (const [method, answer] of cases) {
    let isCancelled = false;
    await using harness = new ServerHarness((ctx) =>
      answer(ctx, new ReadableStream({ cancel: () => void (isCancelled = true) }))
    );
    const client = await harness.open(request(`${method} /`));
    await turn();
    assert((await client.text()).startsWith("HTTP/1.1 "), method);
    assertEquals([isCancelled, client.server.isClosed], [true, false]);
  }
});

Deno.test("Date is sent once and told anew every second; a Date of the handler stays", async () => {
  await using harness = new ServerHarness((ctx) => {
    if (ctx.path === "/own") ctx.set("Date", "Thu, 01 Jan 1970 00:00:00 GMT");
    ctx.text("");
  });
  const client = await harness.connect();
  const date = async (path: string) => {
    await client.send(request(`GET ${path}`));
    return fieldOf(await client.response(), "date");
  };
  assertEquals(await date("/"), "Sun, 06 Nov 1994 08:49:37 GMT");
  await harness.advance(999);
  assertEquals(await date("/"), "Sun, 06 Nov 1994 08:49:37 GMT");
  assertEquals(await date("/own"), "Thu, 01 Jan 1970 00:00:00 GMT");
  await harness.advance(1 + TICK_MS);
  assertEquals(await date("/"), "Sun, 06 Nov 1994 08:49:38 GMT");
});

/** Waits for nothing, for so many turns of the microtask queue. */
async function microtasks(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await undefined;
}

// An exchange looks for a while whether its handler is through before it watches the client and
// arms deadlines: these handlers are through before, at and after its last look.
for (const count of [0, 1, 5, 9, 10, 11, 12, 13, 14, 20, 100]) {
  Deno.test(`a handler that is through after ${count} microtasks is answered as any other`, async () => {
    await using harness = new ServerHarness(async (ctx) => {
      await microtasks(count);
      if (ctx.path === "/error") throw new HttpError(409, "conflict");
      if (ctx.path === "/Response") return new Response("web", { status: 201 });
      if (ctx.path === "/stream") return ctx.stream(ReadableStream.from(["str", "eam"]));
      if (ctx.path === "/body") return ctx.json([await ctx.body.text(), ctx.headers.get("x-a")]);
      ctx.text(ctx.path);
    });
    const client = await harness.open(
      request("GET /text") + request("GET /error") + request("GET /Response") +
        request("GET /stream") + post("/body", "four", ["X-A: b"]) + request("GET /last"),
    );
    await turn();
    const answers: unknown[] = [];
    for (let left = 6; left > 0; left--) {
      const { status, body } = await client.response();
      answers.push([status, body]);
    }
    assertEquals(answers, [
      [200, "/text"],
      [409, "conflict"],
      [201, "web"],
      [200, "stream"],
      [200, '["four","b"]'],
      [200, "/last"],
    ]);
    assertEquals([harness.reported, client.server.violations], [[], []]);
  });
}

Deno.test("pipelined requests to prompt asynchronous handlers are answered in one write", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    await microtasks(3);
    if (ctx.path === "/2") throw new HttpError(409);
    ctx.text(ctx.path);
  });
  const client = await harness.open(request("GET /1") + request("GET /2") + request("GET /3"));
  assertEquals(await client.statuses(), [200, 409, 200]);
  assertEquals(client.server.writes.length, 1);
});

for (const count of [0, 3]) {
  Deno.test(`answers in front of a slow handler leave at once (${count} microtasks each)`, async () => {
    const done = gate();
    await using harness = new ServerHarness(async (ctx) => {
      if (count > 0) await microtasks(count);
      if (ctx.path === "/slow") await done.passed;
      ctx.text(ctx.path);
    });
    const wire = ["/1", "/2", "/slow", "/3"].map((path) => request(`GET ${path}`)).join("");
    const client = await harness.open(wire);
    assertEquals((await client.response()).body, "/1");
    assertEquals((await client.response()).body, "/2");
    assertEquals(await client.maybeResponse(), undefined);
    done.open();
    await turn();
    assertEquals((await client.response()).body, "/slow");
    assertEquals((await client.response()).body, "/3");
  });
}

Deno.test("a client that leaves is noticed by a handler that streams after a prompt start", async () => {
  const more = gate();
  let signal: AbortSignal | undefined;
  let isEnded = false;
  await using harness = new ServerHarness(async (ctx) => {
    signal = ctx.signal;
    await microtasks(1);
    ctx.stream(async function* () {
      try {
        yield "first";
        await more.passed;
        yield "second";
      } finally {
        isEnded = true;
      }
    }());
  });
  const client = await harness.open(request("GET /"));
  assertStringIncludes(await client.text(), "first");
  assertEquals([signal!.aborted, isEnded], [false, false]);
  await client.reset();
  assertInstanceOf(signal!.reason, ConnectionClosedError);
  more.open();
  await turn();
  assertEquals([isEnded, harness.reported, client.server.isClosed], [true, [], true]);
});

Deno.test("a handler that waits after a prompt start is timed, and one that is through is not", async () => {
  const signals: AbortSignal[] = [];
  await using harness = new ServerHarness(async (ctx) => {
    signals.push(ctx.signal);
    await microtasks(2);
    if (ctx.path === "/slow") {
      await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
    }
    ctx.text("done");
  }, { handlerTimeoutMs: 1_000 });
  const client = await harness.open(request("GET /fast") + request("GET /slow"));
  assertEquals((await client.response()).body, "done");
  await harness.advanceToJustBefore(1_000);
  assertEquals(signals.map(({ aborted }) => aborted), [false, false]);
  await harness.advancePast();
  assertEquals(signals.map(({ aborted }) => aborted), [false, true]);
  assertEquals((await client.response()).body, "done");
});

Deno.test("a prompt rejection is answered and reported once, and nothing is left behind", async () => {
  const failure = new Error("secret");
  await using harness = new ServerHarness(async (ctx) => {
    await microtasks(1);
    if (ctx.path === "/fail") throw failure;
    ctx.text("fine");
  }, { handlerTimeoutMs: 1_000 });
  const client = await harness.open(request("GET /fail") + request("GET /"));
  assertEquals(await client.statuses(), [500, 200]);
  await harness.advance(1_000 + TICK_MS);
  assertEquals(harness.reported.map(({ error }) => error), [failure]);
  await client.send(request("GET /"));
  assertEquals(await client.statuses(), [200]);
});

for (const isHeadRead of [false, true]) {
  Deno.test(`head and body are whole if the body comes after a prompt start (head read: ${isHeadRead})`, async () => {
    await using harness = new ServerHarness(async (ctx) => {
      if (isHeadRead) ctx.headers.get("x-a");
      await microtasks(2);
      const { length } = await ctx.body.bytes();
      ctx.json([ctx.url, ctx.headers.get("x-a"), length]);
    });
    const client = await harness.open(
      request("POST /a?b", ["X-A: c", "Content-Length: 300000"], "x".repeat(1_000)),
    );
    assertEquals(await client.maybeResponse(), undefined);
    await client.send("x".repeat(99_000));
    await client.send("x".repeat(200_000) + request("GET /a"));
    assertEquals((await client.response()).body, '["/a?b","c",300000]');
    assertEquals((await client.response()).body, '["/a",null,0]');
  });
}
