import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { IncomingBody } from "../../http/body_incoming.ts";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import type { Context } from "../../http/server_context.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ConnectionClosedError, LimitExceededError, NetError } from "../../nbio/errors.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { fieldOf } from "../_support/raw_response.ts";
import {
  gate,
  post,
  postChunks,
  request,
  ServerHarness,
  TICK_MS,
  turn,
} from "../_support/server_harness.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const echo: Handler = async (ctx) => ctx.bytes(await ctx.body.bytes());
const readers: Record<string, (body: IncomingBody) => Promise<string>> = {
  bytes: async (body) => textOf(await body.bytes()),
  text: (body) => body.text(),
  stream: async (body) => await new Response(body.stream).text(),
  "for await": async (body) => {
    let text = "";
    for await (const chunk of body) text += textOf(chunk);
    return text;
  },
};
const json = (value: unknown): string => JSON.stringify(value);

for (const [name, read] of Object.entries(readers)) {
  const handler: Handler = async (ctx) => ctx.text(await read(ctx.body));

  Deno.test(`a body is read by ${name} however it is split`, async () => {
    await using harness = new ServerHarness(handler);
    const client = await harness.connect();
    const wires = [post("/", "body"), postChunks("/", ["b", "od", "y"]), post("/", "")];
    const bodies = ["body", "body", ""];
    for (const [index, wire] of wires.entries()) {
      // Cut in the body only: heads are cut elsewhere.
      const bodyStart = wire.indexOf("\r\n\r\n") + 4;
      for (const chunks of everySplit(bytesOf(wire.slice(bodyStart)))) {
        if (chunks.length > 2 && chunks.length < 5) continue;
        void client.send(wire.slice(0, bodyStart));
        for (const chunk of chunks) await client.send(chunk);
        assertEquals((await client.response()).body, bodies[index]);
      }
    }
    assertEquals([harness.reported, client.server.violations], [[], []]);
  });

  Deno.test(`a large body is read by ${name}, also when the handler is late`, async () => {
    const random = new SeededRandom(1);
    const body = textOf(random.bytes(700_000).map((byte) => 0x20 + byte % 90));
    for (const isLate of [false, true]) {
      await using harness = new ServerHarness(async (ctx) => {
        const source = ctx.body;
        if (isLate) await turn();
        ctx.json((await read(source)).length);
      });
      for (const wire of [post("/", body), postChunks("/", body.match(/.{1,5000}/gs)!)]) {
        const client = await harness.open(wire + request("POST /"));
        for (let count = 0; count < 40; count++) await turn();
        assertEquals((await client.response()).body, "700000");
        assertEquals((await client.response()).body, "0");
        assertEquals(client.server.violations, []);
      }
    }
  });
}

Deno.test("what is read is what was sent, at random sizes and splits", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = new SeededRandom(seed);
    const body = textOf(random.bytes(random.int(200_000)));
    const options = {
      maxReadBytes: 1 + random.int(70_000),
      highWaterMarkBytes: 1 + random.int(70_000),
    };
    await using harness = new ServerHarness(echo);
    const client = await harness.open(post("/", body) + post("/", "next"), options);
    for (let count = 0; count < 100 && await client.byteCount() < body.length + 100; count++) {
      await turn();
    }
    assertEquals((await client.response()).body === body, true, `seed ${seed}`);
    await turn();
    assertEquals((await client.response()).body, "next");
    assertEquals(client.server.violations, []);
  }
});

Deno.test("chunks stay what they are when more is read", async () => {
  const chunks: Uint8Array[] = [];
  await using harness = new ServerHarness(async (ctx) => {
    for await (const chunk of ctx.body) chunks.push(chunk);
    ctx.text("");
  });
  const client = await harness.open(post("/", "x".repeat(10)).slice(0, -10));
  for (const digit of "0123456789") await client.send(digit);
  await client.send(request("GET /", [`X-Pad: ${"y".repeat(900)}`]).repeat(5));
  assertEquals(chunks.map(textOf).join(""), "0123456789");
});

Deno.test("a body can be read once, whichever way", async () => {
  const codes: string[] = [];
  const ways: ((body: IncomingBody) => unknown)[] = [
    (body) => body.bytes(),
    (body) => body.text(),
    (body) => body.json(),
    (body) => body.stream,
    (body) => body[Symbol.asyncIterator](),
  ];
  await using harness = new ServerHarness(async (ctx) => {
    assertEquals(ctx.body.used, false);
    await ctx.body.text();
    assertEquals(ctx.body.used, true);
    for (const way of ways) {
      const error = await assertRejects(async () => await way(ctx.body), HttpStateError);
      codes.push(error.code);
    }
    await ctx.body.bytes();
  });
  const client = await harness.open(post("/", "1") + post("/", "2"));
  assertEquals(await client.statuses(), [500, 500]);
  assertEquals(codes, new Array(10).fill("ERR_HTTP_BODY_USED"));
});

for (
  const [name, wire, status] of [
    ["JSON", post("/", '{"a":[1]}'), 200],
    ["JSON with a BOM", post("/", '\xef\xbb\xbf{"a":[1]}'), 200],
    ["no JSON", post("/", "{a}"), 400],
    ["nothing", post("/", ""), 400],
    ["bad UTF-8", post("/", '"\xff"'), 400],
    ["UTF-8 cut short", post("/", '"\xc3'), 400],
  ] as const
) {
  Deno.test(`json() on ${name} gives ${status}`, async () => {
    await using harness = new ServerHarness(async (ctx) => ctx.json(await ctx.body.json()));
    const client = await harness.open(wire + post("/", "7"));
    const response = await client.response();
    assertEquals(response.status, status);
    if (status === 200) assertEquals(response.body, '{"a":[1]}');
    assertEquals((await client.response()).body, "7");
    assertEquals(harness.reported, []);
  });
}

for (
  const [type, wire, text] of [
    [undefined, "gr\xc3\xbc\xc3\x9f", "gr\u00fc\u00df"],
    ["text/plain", "\xff", "\ufffd"],
    ["text/plain; charset=UTF-8", "\xef\xbb\xbfa", "a"],
    ["text/plain; charset=utf8", "\xc3\xbc", "\u00fc"],
    ['text/plain;CHARSET="iso-8859-1"', "\xfc", "\u00fc"],
    ["text/plain; a=b; charset=utf-16le", "a\0b\0", "ab"],
  ] as const
) {
  Deno.test(`text() decodes ${type}`, async () => {
    let seen: string | undefined;
    await using harness = new ServerHarness(async (ctx) => {
      seen = await ctx.body.text();
    });
    await harness.request(post("/", wire, type === undefined ? [] : [`Content-Type: ${type}`]));
    assertEquals(seen, text);
  });
}

Deno.test("text() answers 415 for a charset nobody knows, and the connection goes on", async () => {
  await using harness = new ServerHarness(async (ctx) => ctx.text(await ctx.body.text()));
  const client = await harness.open(
    post("/", "a", ["Content-Type: text/plain; charset=klingon"]) + post("/", "b"),
  );
  assertEquals([(await client.response()).status, (await client.response()).body], [415, "b"]);
});

Deno.test("maxBodyBytes is checked against Content-Length at once, and while chunks come", async () => {
  for (const [name, read] of Object.entries(readers)) {
    if (name === "stream" || name === "for await") continue;
    await using harness = new ServerHarness(
      async (ctx) => ctx.text(await read(ctx.body)),
      { maxBodyBytes: 10 },
    );
    const exact = await harness.open(post("/", "0123456789") + postChunks("/", ["01234", "56789"]));
    assertEquals(await exact.statuses(), [200, 200]);
    const announced = await harness.open(request("POST /", ["Content-Length: 11"]));
    assertEquals((await announced.response()).status, 413);
    const chunked = await harness.open(postChunks("/", ["01234", "567890"]));
    const response = await chunked.response();
    assertEquals([response.status, response.body.includes("10")], [413, true]);
    assertEquals(harness.reported, []);
  }
});

Deno.test("a body over maxBodyBytes that is small enough to drain keeps the connection", async () => {
  await using harness = new ServerHarness(echo, { maxBodyBytes: 10 });
  const client = await harness.open(
    post("/", "x".repeat(11)) + postChunks("/", ["x".repeat(11)]) + post("/", "ok"),
  );
  assertEquals(await client.statuses(), [413, 413, 200]);
});

Deno.test("a body far over maxBodyBytes is refused before it comes, and the client reads it", async () => {
  await using harness = new ServerHarness(echo);
  const client = await harness.open(request("POST /", ["Content-Length: 16777217"]));
  const response = await client.response();
  assertEquals([response.status, fieldOf(response, "connection")], [413, "close"]);
  assertEquals([await client.isEnded(), client.server.isClosed], [true, false]);
});

Deno.test("streams have no bound but the reader's", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    let count = 0;
    for await (const chunk of ctx.body) count += chunk.length;
    ctx.json(count);
  }, { maxBodyBytes: 10 });
  const client = await harness.open(post("/", "x".repeat(100_000)));
  for (let count = 0; count < 10; count++) await turn();
  assertEquals((await client.response()).body, "100000");
});

Deno.test("maxBytes of a call stands in for the server's", async () => {
  const limits: unknown[] = [];
  await using harness = new ServerHarness(async (ctx) => {
    const maxBytes = Number(ctx.search.slice(1));
    try {
      ctx.json((await ctx.body.bytes({ maxBytes })).length);
    } catch (error) {
      if (error instanceof LimitExceededError) limits.push(error.max);
      throw error;
    }
  }, { maxBodyBytes: 10 });
  for (
    const [maxBytes, length, status] of [
      [5, 5, 200],
      [5, 6, 413],
      [20, 20, 200],
      [0, 1000, 200],
      [Infinity, 1000, 200],
      [NaN, 1, 500],
      [-1, 1, 500],
    ] as const
  ) {
    const response = await harness.request(post(`/?${maxBytes}`, "x".repeat(length)));
    assertEquals(response.status, status, `${maxBytes}`);
  }
  assertEquals(limits, [5]);
});

Deno.test("a loop that ends early leaves the rest to be drained", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    for await (const chunk of ctx.body) {
      ctx.text(textOf(chunk.subarray(0, 1)));
      break;
    }
  });
  const client = await harness.open(
    post("/", "a".repeat(5000)) + postChunks("/", ["b", "bb"]) + post("/", "c"),
  );
  for (const body of ["a", "b", "c"]) assertEquals((await client.response()).body, body);
});

Deno.test("a cancelled stream leaves the rest to be drained", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    const reader = ctx.body.stream.getReader();
    ctx.text(textOf((await reader.read()).value!.subarray(0, 1)));
    await reader.cancel();
  });
  const client = await harness.open(postChunks("/", ["a", "aa"]) + post("/", "b"));
  for (const body of ["a", "b"]) assertEquals((await client.response()).body, body);
});

Deno.test("trailers are there when the body has been read", async () => {
  const seen: unknown[] = [];
  await using harness = new ServerHarness(async (ctx) => {
    seen.push(ctx.body.trailers);
    await ctx.body.text();
    seen.push(ctx.body.trailers && [...ctx.body.trailers]);
  });
  const wire = postChunks("/", ["body"]).replace(/0\r\n\r\n$/, "0\r\nX-Sum: 4\r\n\r\n");
  const client = await harness.open(wire + postChunks("/", ["body"]) + post("/", "body"));
  assertEquals(await client.statuses(), [404, 404, 404]);
  assertEquals(seen, [undefined, [["X-Sum", "4"]], undefined, undefined, undefined, undefined]);
});

Deno.test("length tells what the head told", async () => {
  const seen: unknown[] = [];
  await using harness = new ServerHarness((ctx) => {
    seen.push(ctx.body.length);
  });
  await harness.open(post("/", "body") + postChunks("/", ["body"]) + request("GET /"));
  assertEquals(seen, [4, undefined, 0]);
});

Deno.test("Expect: 100-continue is answered when the body is first read, and once", async () => {
  const start = gate();
  await using harness = new ServerHarness(async (ctx) => {
    await start.passed;
    ctx.text(await ctx.body.text());
  });
  const wire = post("/", "body", ["Expect: 100-continue"]);
  const client = await harness.open(wire.slice(0, -4));
  assertEquals(await client.text(), "");
  start.open();
  await turn();
  assertEquals(await client.text(), CONTINUE);
  assertEquals((await client.response()).status, 100);
  await client.send("bo");
  assertEquals(await client.text(), "");
  await client.send("dy");
  const response = await client.response();
  assertEquals([response.body, fieldOf(response, "connection")], ["body", "keep-alive"]);
  await client.send(post("/", "next"));
  assertEquals((await client.response()).body, "next");
});

Deno.test("Expect: 100-continue goes out for large bodies too", async () => {
  await using harness = new ServerHarness(async (ctx) => ctx.json((await ctx.body.bytes()).length));
  const client = await harness.open(
    request("POST /", ["Content-Length: 100000", "Expect: 100-continue"]),
  );
  assertEquals((await client.response()).status, 100);
  await client.send("x".repeat(100_000));
  assertEquals((await client.response()).body, "100000");
  assertEquals(client.server.violations, []);
});

for (
  const [what, wire] of [
    ["to a client whose body has come", post("/", "body", ["Expect: 100-continue"])],
    ["to HTTP/1.0", post("/", "body", ["Expect: 100-continue"]).replace("HTTP/1.1", "HTTP/1.0")],
    ["where there is no body", request("GET /", ["Expect: 100-continue"])],
  ] as const
) {
  Deno.test(`no 100 is sent ${what}`, async () => {
    await using harness = new ServerHarness(echo);
    const [head, body] = wire.split("\r\n\r\n");
    const client = await harness.open(
      what.includes("1.0") ? `${head}\r\n\r\n` : `${head}\r\n\r\n${body}`,
    );
    if (what.includes("1.0")) await client.send(body!);
    assertEquals((await client.response()).status, 200);
  });
}

Deno.test("an answer without 100 closes the connection, and the body is not waited for", async () => {
  for (const body of ["", "body"]) {
    await using harness = new ServerHarness((ctx) => ctx.text("no, thanks"));
    const client = await harness.open(
      request("POST /", ["Content-Length: 4", "Expect: 100-continue"], body) + request("GET /"),
    );
    const response = await client.response();
    assertEquals([response.body, fieldOf(response, "connection")], ["no, thanks", "close"]);
    assertEquals([await client.text(), await client.isEnded()], ["", true]);
  }
});

for (const how of ["flush", "writer"] as const) {
  Deno.test(`no 100 is sent behind the head of the answer (${how})`, async () => {
    await using harness = new ServerHarness(async (ctx) => {
      const writer = how === "writer" ? ctx.writer() : undefined;
      if (writer === undefined) await ctx.flush();
      const text = await ctx.body.text();
      if (writer === undefined) return ctx.text(text);
      await writer.write(text);
      await writer.close();
    });
    const wire = post("/", "body", ["Expect: 100-continue"]);
    const client = await harness.open(wire.slice(0, -4));
    assertEquals((await client.text()).includes("100 Continue"), false);
    await client.send("body");
    const response = await client.response();
    assertEquals([response.body, fieldOf(response, "connection")], ["body", "close"]);
  });
}

for (const how of ["stream", "Response", "writer"] as const) {
  for (const framing of ["Content-Length: 4", "Transfer-Encoding: chunked"]) {
    const handler = async (ctx: Context): Promise<void | Response> => {
      if (how === "Response") return new Response(ctx.body.stream);
      if (how === "stream") return ctx.stream(ctx.body.stream);
      const chunks = ctx.body.chunks();
      const writer = ctx.writer();
      for await (const chunk of chunks) await writer.write(chunk);
      await writer.close();
    };
    const body = framing.startsWith("C") ? "body" : "4\r\nbody\r\n0\r\n\r\n";
    const head = request("POST /", [framing, "Expect: 100-continue"]);

    Deno.test(`a body sent back as it comes is asked for by a 100 (${how}, ${framing})`, async () => {
      await using harness = new ServerHarness(handler);
      const client = await harness.open(head);
      assertEquals((await client.response()).status, 100);
      await client.send(body + request("GET /"));
      const response = await client.response();
      assertEquals([response.body, fieldOf(response, "connection")], ["body", "keep-alive"]);
      assertEquals((await client.response()).body, "");
      assertEquals(harness.reported, []);
    });

    Deno.test(`a body sent back as it comes needs no 100 if it has come (${how}, ${framing})`, async () => {
      await using harness = new ServerHarness(handler);
      const client = await harness.open(head + body + request("GET /"));
      const response = await client.response();
      assertEquals([response.status, response.body], [200, "body"]);
      assertEquals(fieldOf(response, "connection"), "keep-alive");
      assertEquals((await client.response()).body, "");
    });
  }
}

Deno.test("a 100 that nobody waits for and the answer do not cross", async () => {
  for (const late of [false, true]) {
    const handler = (ctx: Context): void | Promise<void> => {
      void ctx.body.text().catch(() => {});
      if (!late) return ctx.bytes(new Uint8Array(50_000));
      return turn().then(() => ctx.bytes(new Uint8Array(50_000)));
    };
    await using harness = new ServerHarness(handler);
    const client = await harness.connect({ highWaterMarkBytes: 10 });
    client.pause();
    await client.send(request("POST /", ["Content-Length: 4", "Expect: 100-continue"]));
    await turn();
    await client.resume();
    for (let count = 0; count < 5; count++) await turn();
    assertEquals((await client.response()).status, 100);
    assertEquals((await client.response()).body.length, 50_000);
    assertEquals([client.server.violations, harness.reported], [[], []]);
  }
});

for (
  const [what, chunk] of [
    ["a bad chunk size", "zz\r\n"],
    ["data without CRLF", "1\r\nabc"],
    ["a forbidden trailer", "0\r\nContent-Length: 1\r\n\r\n"],
    ["too much overhead", `1;${"a".repeat(5000)}\r\n`],
  ] as const
) {
  Deno.test(`${what} in mid-body is answered with 400, and the connection closed`, async () => {
    for (const [name, read] of Object.entries(readers)) {
      await using harness = new ServerHarness(async (ctx) => ctx.text(await read(ctx.body)));
      const client = await harness.open(
        request("POST /", ["Transfer-Encoding: chunked"], `5\r\nhello\r\n${chunk}`) +
          request("GET /"),
      );
      await turn();
      const response = await client.response();
      assertEquals([response.status, fieldOf(response, "connection")], [400, "close"], name);
      assertEquals([await client.text(), await client.isEnded()], ["", true]);
      assertEquals(harness.reported, []);
      assertEquals(harness.server.stats().protocolErrorCount, 1);
    }
  });

  Deno.test(`${what} in mid-body closes although the handler swallows it`, async () => {
    for (const flush of [false, true]) {
      let error: unknown;
      await using harness = new ServerHarness(async (ctx) => {
        if (flush) await ctx.flush();
        error = await ctx.body.text().catch((reason) => reason);
        if (!flush) ctx.text("all is well");
      });
      const client = await harness.open(
        request("POST /", ["Transfer-Encoding: chunked"], `5\r\nhello\r\n${chunk}`) +
          request("GET /"),
      );
      await turn();
      assertEquals((await client.response()).status, 200);
      assertEquals([await client.text(), await client.isEnded()], ["", true]);
      assertInstanceOf(error, NetError);
      assertEquals(harness.server.stats().requestCount, 1);
    }
  });
}

Deno.test("a body that stalls behind a flushed head closes although the handler swallows it", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    await ctx.flush();
    await ctx.body.bytes().catch(() => {});
  });
  const client = await harness.open(request("POST /", ["Content-Length: 100000"]));
  await harness.advance(30_000 + TICK_MS);
  // What comes now is lost on the way into a buffer nobody looks at.
  await client.send("x".repeat(100_000) + request("GET /smuggled"));
  assertEquals(await client.statuses(), [200]);
  assertEquals([await client.isEnded(), harness.server.stats().requestCount], [true, 1]);
  assertEquals(client.server.violations, []);
});

Deno.test("a body cut short is a 400 that the client can still read", async () => {
  for (const [name, read] of Object.entries(readers)) {
    for (
      const wire of [post("/", "0123456789").slice(0, -1), postChunks("/", ["body"]).slice(0, -3)]
    ) {
      let error: unknown;
      await using harness = new ServerHarness(async (ctx) => {
        error = await read(ctx.body).catch((reason) => reason);
        throw error;
      });
      const client = await harness.open(wire);
      await client.end();
      await turn();
      assertEquals((await client.response()).status, 400, name);
      // A ReadableStream passes the error on as it is.
      assertInstanceOf(error, HttpProtocolError);
      assertEquals(error.code, "ERR_HTTP_TRUNCATED_MESSAGE");
      assertEquals([client.server.isClosed, harness.reported], [true, []]);
    }
  }
});

Deno.test("a body whose connection breaks rejects, and nobody is blamed", async () => {
  for (const [name, read] of Object.entries(readers)) {
    let error: unknown;
    await using harness = new ServerHarness(async (ctx) => {
      error = await read(ctx.body).catch((reason) => reason);
      throw error;
    });
    const client = await harness.open(request("POST /", ["Content-Length: 100000"], "some"));
    await client.reset();
    await turn();
    assertInstanceOf(error, ConnectionClosedError, name);
    assertEquals([client.server.isClosed, harness.reported], [true, []]);
  }
});

Deno.test("a body that is read behind the handler's back leaves the connection in sync", async () => {
  for (const length of [10, 5_000, 100_000]) {
    for (const isAsync of [false, true]) {
      let result: unknown;
      await using harness = new ServerHarness((ctx): void | Promise<void> => {
        if (ctx.method === "POST") void ctx.body.bytes().catch((error) => result = error);
        if (isAsync) return turn().then(() => ctx.text(ctx.method));
        ctx.text(ctx.method);
      });
      const client = await harness.open(request("POST /", [`Content-Length: ${length}`]));
      for (let count = 0; count < 10; count++) await client.send("x".repeat(length / 10));
      await client.send(request("GET /"));
      for (let count = 0; count < 5; count++) await turn();
      const bodies = [];
      for (let next; (next = await client.maybeResponse()) !== undefined;) bodies.push(next.body);
      // Either the body was drained, or the connection was closed behind it.
      assertEquals(bodies, (await client.isEnded()) ? ["POST"] : ["POST", "GET"]);
      if (result instanceof Error) {
        assert(
          result instanceof HttpStateError || result instanceof ConnectionClosedError,
          `${result}`,
        );
      }
      assertEquals([client.server.violations, harness.reported], [[], []]);
    }
  }
});

Deno.test("a reader left behind does not switch off the deadlines of the connection", async () => {
  await using harness = new ServerHarness((ctx) => {
    if (ctx.method === "POST") void ctx.body.bytes().catch(() => {});
    ctx.text("");
  });
  const client = await harness.open(post("/", "0123456789").slice(0, -5));
  await client.send("56789");
  assertEquals(await client.statuses(), [200]);
  await harness.advance(65_000 + TICK_MS);
  assertEquals(client.server.isClosed, true);
});

Deno.test("a body kept for later rejects after its handler, whatever the connection does", async () => {
  const bodies: IncomingBody[] = [];
  await using harness = new ServerHarness((ctx) => {
    bodies.push(ctx.body);
    ctx.text("");
  });
  const client = await harness.open(
    post("/", "first") + request("GET /") + post("/", "third, unread"),
  );
  await client.send(post("/", "fourth").slice(0, -2));
  const lengths = bodies.map((body) => body.length);
  const errors = [
    await assertRejects(() => bodies[0]!.text(), HttpStateError),
    await assertRejects(() => bodies[1]!.json(), HttpStateError),
    await assertRejects(() => bodies[2]!.bytes(), HttpStateError),
    await assertRejects(() => new Response(bodies[3]!.stream).text(), HttpStateError),
  ];
  assertEquals(errors.map(({ code }) => code), new Array(4).fill("ERR_HTTP_CONTEXT_EXPIRED"));
  assertEquals(json(lengths), "[5,0,13,6]");
  assertEquals(await client.statuses(), [200, 200, 200, 200]);
});
