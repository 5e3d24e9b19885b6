import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { HttpError, HttpStateError } from "../../http/errors.ts";
import type { HeaderList } from "../../http/header_list.ts";
import { StateKey } from "../../http/request_state.ts";
import type { Context } from "../../http/server_context.ts";
import type { Handler } from "../../http/server_shared.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { post, request, ServerHarness, turn } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

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
  const [target, path, search] of [
    ["/", "/", ""],
    ["/a/b", "/a/b", ""],
    ["/a?b=c?d", "/a", "?b=c?d"],
    ["/?", "/", "?"],
    ["/a%2Fb?%00", "/a%2Fb", "?%00"],
    ["http://a", "/", ""],
    ["http://a/b?c", "/b", "?c"],
    ["http://a?c=/d", "/", "?c=/d"],
    ["//a/b", "//a/b", ""],
    ["/a://b/c", "/a://b/c", ""],
  ] as const
) {
  Deno.test(`Context tells url, path and search of ${target}`, async () => {
    const seen: string[] = [];
    await answerOf((ctx) => {
      seen.push(ctx.url, ctx.path, ctx.search);
    }, request(`GET ${target}`));
    assertEquals(seen, [target, path, search]);
  });
}

Deno.test("Context tells method, version, addresses and header fields", async () => {
  await using harness = new ServerHarness((ctx) => {
    const { remoteAddr, localAddr } = ctx as unknown as Record<string, Deno.NetAddr>;
    ctx.json([ctx.method, ctx.httpVersion, remoteAddr!.port, localAddr!.port, [...ctx.headers]]);
  });
  const client = await harness.open(
    "BREW / HTTP/1.0\r\nX-A: 1\r\nConnection: keep-alive\r\nx-a: 2\r\n\r\n",
    { clientAddr: { transport: "tcp", hostname: "127.0.0.1", port: 7 } },
  );
  assertEquals(JSON.parse((await client.response()).body), ["BREW", "1.0", 7, 80, [
    ["X-A", "1"],
    ["Connection", "keep-alive"],
    ["x-a", "2"],
  ]]);
});

for (
  const [name, handler, status, type, body] of [
    [
      "text()",
      (ctx) => ctx.text("gr\u00fc\u00df"),
      200,
      "text/plain; charset=utf-8",
      "gr\xc3\xbc\xc3\x9f",
    ],
    ["html()", (ctx) => ctx.html("<p>"), 200, "text/html; charset=utf-8", "<p>"],
    ["json()", (ctx) => ctx.json({ a: [1] }), 200, "application/json", '{"a":[1]}'],
    ["bytes()", (ctx) => ctx.bytes(Uint8Array.of(97, 98)), 200, "application/octet-stream", "ab"],
    ["an empty text()", (ctx) => ctx.text(""), 200, "text/plain; charset=utf-8", ""],
    ["a status alone", (ctx) => void (ctx.status = 202), 202, undefined, ""],
    [
      "a status and text()",
      (ctx) => {
        ctx.status = 201;
        ctx.text("made");
      },
      201,
      "text/plain; charset=utf-8",
      "made",
    ],
    [
      "a type of its own",
      (ctx) => {
        ctx.set("Content-Type", "text/csv");
        ctx.text("a,b");
      },
      200,
      "text/csv",
      "a,b",
    ],
    [
      "a type set afterwards",
      (ctx) => {
        ctx.text("a,b");
        ctx.set("Content-Type", "text/csv");
      },
      200,
      "text/csv",
      "a,b",
    ],
    [
      "another answer",
      (ctx) => {
        ctx.text("first");
        ctx.json("second");
      },
      200,
      "application/json",
      '"second"',
    ],
    [
      "another answer, with a field in between",
      (ctx) => {
        ctx.text("first");
        ctx.set("x-a", "b");
        ctx.json("second");
      },
      200,
      "application/json",
      '"second"',
    ],
    [
      "a type that was set, whatever is answered",
      (ctx) => {
        ctx.text("first");
        ctx.set("Content-Type", "application/problem+json");
        ctx.json("second");
      },
      200,
      "application/problem+json",
      '"second"',
    ],
    ["nothing", () => {}, 404, "text/plain; charset=utf-8", "Not Found"],
    [
      "header fields alone",
      (ctx) => ctx.set("x-a", "b"),
      404,
      "text/plain; charset=utf-8",
      "Not Found",
    ],
  ] as [string, Handler, number, string | undefined, string][]
) {
  Deno.test(`Context answers with ${name}`, async () => {
    for (const run of [handler, async (ctx: Context) => await handler(ctx)]) {
      const response = await answerOf(run);
      assertEquals(response.status, status);
      assertEquals(fieldOf(response, "content-type"), type);
      assertEquals(fieldOf(response, "content-length"), String(body.length));
      assertEquals(response.body, body);
    }
  });
}

Deno.test("Context keeps the header fields of what nobody answered", async () => {
  const response = await answerOf((ctx) => ctx.set("x-a", "b"));
  assertEquals([response.status, fieldOf(response, "x-a")], [404, "b"]);
});

Deno.test("Context.json() throws on what has no JSON text, and nothing is answered", async () => {
  const response = await answerOf((ctx) => {
    for (const value of [undefined, () => {}, Symbol("s")]) {
      assertThrows(() => ctx.json(value), TypeError);
    }
    assertEquals(ctx.status, 0);
  });
  assertEquals(response.status, 404);
});

Deno.test("Context.set() and append() replace and add, in any case", async () => {
  const response = await answerOf((ctx) => {
    ctx.append("X-A", "1");
    ctx.append("x-a", "2");
    ctx.set("X-B", "1");
    ctx.set("x-b", "2");
    ctx.append("Set-Cookie", "a=b");
    ctx.append("Set-Cookie", "c=d");
    ctx.text("");
  });
  const own = response.fields.filter(([name]) => /^(x-|set-)/i.test(name));
  assertEquals(own, [
    ["X-A", "1"],
    ["x-a", "2"],
    ["x-b", "2"],
    ["Set-Cookie", "a=b"],
    ["Set-Cookie", "c=d"],
  ]);
});

for (
  const [what, name, value] of [
    ["CR LF in a value", "a", "b\r\nc: d"],
    ["a bare LF in a value", "a", "b\nc"],
    ["a bare CR in a value", "a", "b\rc"],
    ["NUL in a value", "a", "b\0"],
    ["a value beyond Latin-1", "a", "\u4e2d"],
    ["a value that would be cut to LF", "a", "\u010a"],
    ["CR LF in a name", "a\r\nb", "c"],
    ["a space in a name", "a b", "c"],
    ["an empty name", "", "c"],
  ] as const
) {
  Deno.test(`Context.set() and append() refuse ${what}`, async () => {
    const response = await answerOf((ctx) => {
      assertThrows(() => ctx.set(name, value), TypeError);
      assertThrows(() => ctx.append(name, value), TypeError);
      ctx.text("clean");
    });
    assertEquals(response.body, "clean");
  });
}

Deno.test("Context.status refuses what is no final status", async () => {
  const response = await answerOf((ctx) => {
    for (const status of [0, 99, 100, 101, 199, 600, 200.5, NaN, -200]) {
      assertThrows(() => ctx.status = status, RangeError);
    }
    ctx.status = 599;
  });
  assertEquals(response.status, 599);
});

Deno.test("Context.response shows the answer so far", async () => {
  const seen: unknown[] = [];
  await answerOf(async (ctx) => {
    const { response } = ctx;
    const look = () => seen.push([response.status, response.body, response.committed]);
    look();
    ctx.set("x-a", "b");
    ctx.text("hello");
    assertEquals([...response.headers], [["x-a", "b"], [
      "content-type",
      "text/plain; charset=utf-8",
    ]]);
    look();
    await ctx.flush();
    look();
  });
  assertEquals(seen, [[0, undefined, false], [200, "hello", false], [200, "hello", true]]);
});

for (
  const [what, handler] of [
    ["set()", (ctx) => ctx.set("a", "b")],
    ["append()", (ctx) => ctx.append("a", "b")],
    ["status", (ctx) => void (ctx.status = 201)],
    ["writer()", (ctx) => void ctx.writer()],
    ["flush()", (ctx) => void ctx.flush()],
  ] as [string, (ctx: Context) => void][]
) {
  Deno.test(`${what} throws once the head has left`, async () => {
    const codes: string[] = [];
    const response = await answerOf(async (ctx) => {
      ctx.text("hello");
      await ctx.flush();
      codes.push(codeOf(() => handler(ctx)), codeOf(() => ctx.text("again")));
    });
    assertEquals(codes, ["ERR_HTTP_HEAD_COMMITTED", "ERR_HTTP_HEAD_COMMITTED"]);
    assertEquals([response.status, response.body], [200, "hello"]);
  });
}

Deno.test("the context of a synchronous handler expires, what was read stays", async () => {
  const read: Context[] = [];
  const unread: Context[] = [];
  let fields: HeaderList | undefined;
  await using harness = new ServerHarness((ctx) => {
    if (ctx.method === "GET") {
      fields = ctx.headers;
      assertEquals(ctx.url, "/first");
      read.push(ctx);
    } else if (ctx.method === "OPTIONS") unread.push(ctx);
    ctx.text("");
  });
  const client = await harness.open(
    request("GET /first", ["X-First: 1"]) + request("OPTIONS /second", ["X-Second: 1"]),
  );
  // The buffer is filled again, over and over.
  for (let count = 0; count < 5; count++) {
    await client.send(request("HEAD /third", [`X-Pad: ${"x".repeat(2_000)}`]));
  }
  assertEquals([read[0]!.url, read[0]!.headers.get("x-first"), fields?.size], ["/first", "1", 2]);
  assertEquals(read[0]!.headers, fields);
  for (const name of ["url", "path", "search", "headers", "body"] as const) {
    assertEquals(codeOf(() => unread[0]![name]), "ERR_HTTP_CONTEXT_EXPIRED", name);
  }
  assertEquals(codeOf(() => unread[0]!.writer()), "ERR_HTTP_CONTEXT_EXPIRED");
  assertEquals(codeOf(() => unread[0]!.flush()), "ERR_HTTP_CONTEXT_EXPIRED");
  assertEquals(codeOf(() => unread[0]!.text("late")), "ERR_HTTP_HEAD_COMMITTED");
  assertEquals(unread[0]!.method, "OPTIONS");
});

Deno.test("the context of an asynchronous handler stays readable", async () => {
  const contexts: Context[] = [];
  await using harness = new ServerHarness(async (ctx) => {
    contexts.push(ctx);
    await turn();
    ctx.text("");
  });
  const client = await harness.connect();
  for (let count = 0; count < 5; count++) {
    await client.send(
      request(`GET /${count}`, [`X-Count: ${count}`, `X-Pad: ${"x".repeat(2_000)}`]),
    );
    await turn();
  }
  assertEquals(
    contexts.map((ctx) => [ctx.url, ctx.headers.get("x-count")]),
    [0, 1, 2, 3, 4].map((count) => [`/${count}`, `${count}`]),
  );
  assertEquals(contexts[0]!.signal.aborted, false);
});

Deno.test("a context stays readable while its body makes the buffer move", async () => {
  let seen: unknown;
  await using harness = new ServerHarness((ctx) =>
    ctx.body.bytes().then((bytes) => {
      seen = [ctx.url, ctx.headers.get("x-a"), bytes.length];
      ctx.text("");
    })
  );
  const client = await harness.open(request("POST /here", ["X-A: b", "Content-Length: 3000"]));
  await client.send("x".repeat(1_000));
  await client.send("x".repeat(2_000));
  assertEquals(await client.statuses(), [200]);
  assertEquals(seen, ["/here", "b", 3000]);
});

Deno.test("writer.write() and body readers reject for a context whose handler has settled", async () => {
  let outcome: Promise<HttpStateError> | undefined;
  await using harness = new ServerHarness((ctx) => {
    const { body } = ctx;
    outcome = turn().then(() => assertRejects(() => body.text(), HttpStateError));
    ctx.text("");
  });
  const client = await harness.open(post("/", "body"));
  assertEquals(await client.statuses(), [200]);
  assertEquals((await outcome!).code, "ERR_HTTP_CONTEXT_EXPIRED");
});

Deno.test("ctx.query decodes the parameters, once", async () => {
  let seen: unknown;
  await answerOf((ctx) => {
    const { query } = ctx;
    assertStrictEquals(ctx.query, query);
    seen = [query.get("a"), query.getAll("b"), query.has("c"), query.get("d")];
  }, request("GET /path?a=1+2%20%C3%A4&b=1&b=2&c&=x&%00=%zz"));
  assertEquals(seen, ["1 2 \u00e4", ["1", "2"], true, null]);
});

Deno.test("ctx.query is empty without a query, and takes nothing of the path", async () => {
  for (const target of ["/", "/a=b", "/?", "http://a/", "http://a?"]) {
    let size: number | undefined;
    await answerOf((ctx) => void (size = ctx.query.size), request(`GET ${target}`));
    assertEquals(size, 0, target);
  }
});

Deno.test("ctx.query of hostile names and sizes is what was sent, no more", async () => {
  let seen: unknown;
  const names = "__proto__=1&constructor=2&toString&__proto__=3";
  await answerOf((ctx) => {
    seen = [[...ctx.query], ({} as Record<string, unknown>)["1"]];
  }, request(`GET /?${names}`));
  assertEquals(seen, [
    [["__proto__", "1"], ["constructor", "2"], ["toString", ""], ["__proto__", "3"]],
    undefined,
  ]);
  // The request line bounds it.
  await using harness = new ServerHarness((ctx) => ctx.text(String(ctx.query.size)));
  assertEquals((await harness.request(request(`GET /?${"a&".repeat(4_000)}`))).body, "4000");
  assertEquals((await harness.request(request(`GET /?${"a&".repeat(5_000)}`))).status, 414);
});

Deno.test("ctx.cookies gives the cookies of the request, read once", async () => {
  let seen: unknown;
  await answerOf((ctx) => {
    const { cookies } = ctx;
    assertStrictEquals(ctx.cookies, cookies);
    seen = [[...cookies], cookies.get("a"), cookies.getAll("a"), cookies.get("hasOwnProperty")];
  }, request("GET /", ["Cookie: a=1; __proto__=x", "cookie: a=2;; =y"]));
  assertEquals(seen, [
    [["a", "1"], ["__proto__", "x"], ["a", "2"], ["", "y"]],
    "1",
    ["1", "2"],
    undefined,
  ]);
});

Deno.test("ctx.cookies is empty without cookies, and never more than 3,000", async () => {
  await using harness = new ServerHarness((ctx) => ctx.text(String(ctx.cookies.size)));
  for (
    const [cookie, size] of [
      ["", "0"],
      ["a;".repeat(2_999), "2999"],
      ["a;".repeat(3_000), "3000"],
      ["a;".repeat(3_001), "3000"],
      ["a;".repeat(16_000), "3000"],
    ] as const
  ) {
    assertEquals((await harness.request(request("GET /", [`Cookie: ${cookie}`]))).body, size);
  }
});

Deno.test("ctx.setCookie() sets safe cookies, the last of one name and scope", async () => {
  const response = await answerOf((ctx) => {
    ctx.setCookie("a", "1");
    ctx.setCookie("__Host-sid", "x", { maxAgeSeconds: 60, sameSite: "Strict" });
    ctx.setCookie("a", "2", { httpOnly: false });
    ctx.setCookie("a", "3", { path: "/b" });
    ctx.deleteCookie("gone");
    ctx.deleteCookie("old", { path: "/c" });
    ctx.text("");
  });
  const sent = response.fields.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  assertEquals(sent, [
    "__Host-sid=x; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict",
    "a=2; Path=/; Secure; SameSite=Lax",
    "a=3; Path=/b; Secure; HttpOnly; SameSite=Lax",
    "gone=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
    "old=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/c",
  ]);
});

Deno.test("ctx.setCookie() and ctx.deleteCookie() refuse what cannot stand in a message", async () => {
  const response = await answerOf((ctx) => {
    for (const [name, value] of [["a b", "1"], ["a", "1;2"], ["a", "1\r\n2"], ["", "1"]] as const) {
      assertThrows(() => ctx.setCookie(name, value), TypeError);
    }
    assertThrows(() => ctx.setCookie("__Host-a", "1", { path: "/b" }), TypeError);
    assertThrows(() => ctx.setCookie("a", "1", { path: "/;b" }), TypeError);
    assertThrows(() => ctx.deleteCookie("a\n"), TypeError);
    ctx.text("");
  });
  assertEquals(fieldOf(response, "set-cookie"), undefined);
});

Deno.test("cookies are neither set once the head has left nor read when the request is over", async () => {
  let late: Context | undefined;
  const codes: string[] = [];
  await answerOf(async (ctx) => {
    await ctx.flush();
    codes.push(codeOf(() => ctx.setCookie("a", "1")), codeOf(() => ctx.deleteCookie("a")));
  });
  await answerOf((ctx) => {
    late = ctx;
    ctx.text("");
  });
  codes.push(codeOf(() => late!.setCookie("a", "1")), codeOf(() => late!.cookies));
  const committed = "ERR_HTTP_HEAD_COMMITTED";
  assertEquals(codes, [committed, committed, committed, "ERR_HTTP_CONTEXT_EXPIRED"]);
});

for (
  const [location, sent] of [
    ["/a?b=c#d", "/a?b=c#d"],
    ["https://example.com/%2F", "https://example.com/%2F"],
    ["", ""],
    ["/a b", "/a%20b"],
    ["/\u00e4/\u{1f600}", "/%C3%A4/%F0%9F%98%80"],
    ["/\ud800", "/%EF%BF%BD"],
    ['/"<>\\^`{|}', "/%22%3C%3E%5C%5E%60%7B%7C%7D"],
    ["/\\evil.example", "/%5Cevil.example"],
    [" //evil.example", "%20//evil.example"],
    ["http://[::1]:80/", "http://[::1]:80/"],
  ] as const
) {
  Deno.test(`ctx.redirect() sends ${JSON.stringify(location)} as a URI reference`, async () => {
    const response = await answerOf((ctx) => ctx.redirect(location));
    assertEquals([response.status, fieldOf(response, "location")], [302, sent]);
    assertEquals([response.body, fieldOf(response, "content-length")], ["", "0"]);
  });
}

Deno.test("ctx.redirect() takes the five statuses, and no other", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    assertEquals((await answerOf((ctx) => ctx.redirect("/", status))).status, status);
  }
  const response = await answerOf((ctx) => {
    for (const status of [200, 300, 304, 305, 306, 309, 400, 302.5, NaN]) {
      assertThrows(() => ctx.redirect("/", status), RangeError);
    }
    assertEquals([ctx.status, ctx.response.headers.size], [0, 0]);
  });
  assertEquals(response.status, 404);
});

Deno.test("ctx.redirect() refuses control characters, and answers nothing then", async () => {
  for (const character of ["\r", "\n", "\0", "\t", "\x1f", "\x7f"]) {
    const response = await answerOf((ctx) => {
      assertThrows(() => ctx.redirect(`/a${character}Set-Cookie: b=c`), TypeError);
    });
    assertEquals([response.status, fieldOf(response, "location")], [404, undefined]);
  }
});

Deno.test("ctx.redirect() throws once the head has left", async () => {
  let code: string | undefined;
  await answerOf(async (ctx) => {
    ctx.text("hello");
    await ctx.flush();
    code = codeOf(() => ctx.redirect("/"));
  });
  assertEquals(code, "ERR_HTTP_HEAD_COMMITTED");
});

Deno.test("ctx.respond() answers with a Response, which can be looked at and changed", async () => {
  const response = await answerOf((ctx) => {
    ctx.set("x-before", "1");
    ctx.respond(new Response("hello", { status: 201, headers: { "x-own": "2" } }));
    assertEquals([ctx.status, ctx.response.headers.get("x-own")], [201, "2"]);
    ctx.set("x-after", "3");
  });
  assertEquals([response.status, response.body], [201, "hello"]);
  assertEquals(["x-before", "x-own", "x-after"].map((name) => fieldOf(response, name)), [
    "1",
    "2",
    "3",
  ]);
});

Deno.test("ctx.respond() refuses what it cannot send, and lets go of its body", async () => {
  let cancelledCount = 0;
  const body = () => new ReadableStream({ cancel: () => void cancelledCount++ });
  const response = await answerOf((ctx) => {
    const used = new Response("x");
    used.body!.getReader();
    assertThrows(() => ctx.respond(used), TypeError);
    assertThrows(() => ctx.respond(Response.error()), RangeError);
    ctx.text("first");
    assertEquals(codeOf(() => ctx.respond(new Response(body()))), "ERR_HTTP_ALREADY_ANSWERED");
  });
  assertEquals([response.body, cancelledCount], ["first", 1]);
});

Deno.test("ctx.fail() answers with the error instead of what was answered", async () => {
  for (
    const [error, status, text] of [
      [new HttpError(409, "Taken", { headers: [["x-why", "taken"]] }), 409, "Taken"],
      [new HttpError(503, "secret"), 503, "Service Unavailable"],
    ] as const
  ) {
    const response = await answerOf((ctx) => {
      ctx.set("x-a", "b");
      ctx.text("half done");
      assertEquals(ctx.error, undefined);
      ctx.fail(error);
      assertStrictEquals(ctx.error, error);
      ctx.set("x-late", "yes");
    });
    assertEquals([response.status, response.body], [status, text]);
    assertEquals([fieldOf(response, "x-a"), fieldOf(response, "x-late")], [undefined, "yes"]);
  }
});

Deno.test("ctx.fail() reports errors of ours once, and lets go of a body that was answered", async () => {
  let cancelledCount = 0;
  const failure = new Error("ours");
  await using harness = new ServerHarness((ctx) => {
    ctx.stream(new ReadableStream({ cancel: () => void cancelledCount++ }));
    ctx.fail(failure);
  });
  const response = await harness.request(request("GET /"));
  assertEquals([response.status, response.body], [500, "Internal Server Error"]);
  assertEquals(harness.reported.map(({ error }) => error), [failure]);
  assertEquals(cancelledCount, 1);
});

Deno.test("ctx.fail() cuts the connection once the head has left, and is idle once the handler settled", async () => {
  let late: Context | undefined;
  await using harness = new ServerHarness((ctx) => {
    late = ctx;
    if (ctx.path === "/whole") return ctx.text("whole");
    return ctx.flush().then(() => ctx.fail(new HttpError(400, "too late")));
  });
  const client = await harness.open(request("GET /half"));
  await turn();
  assertEquals([client.server.isClosed, await client.maybeResponse()], [true, undefined]);
  const other = await harness.open(request("GET /whole"));
  assertEquals((await other.response()).body, "whole");
  late!.fail(new Error("nobody hears"));
  await other.send(request("GET /whole"));
  assertEquals((await other.response()).body, "whole");
  assertEquals([late!.error, harness.reported], [undefined, []]);
});

Deno.test("ctx.abort() aborts the signal once, and the request is answered all the same", async () => {
  const reasons: unknown[] = [];
  const response = await answerOf(async (ctx) => {
    ctx.signal.addEventListener("abort", () => reasons.push(ctx.signal.reason));
    ctx.abort("first");
    ctx.abort("second");
    await undefined;
    ctx.text("answered");
  });
  assertEquals([response.body, reasons], ["answered", ["first"]]);
});

Deno.test("ctx.state belongs to one request", async () => {
  const key = new StateKey<string>("path");
  const seen: unknown[] = [];
  await using harness = new ServerHarness((ctx) => {
    seen.push(ctx.state.get(key));
    ctx.state.set(key, ctx.path);
    assertStrictEquals(ctx.state, ctx.state);
    seen.push(ctx.state.require(key));
  });
  await harness.open(request("GET /1") + request("GET /2"));
  assertEquals(seen, [undefined, "/1", undefined, "/2"]);
});

Deno.test("a stream that another answer replaces is let go of", async () => {
  const reasons: unknown[] = [];
  const source = new ReadableStream<Uint8Array>({ cancel: (reason) => void reasons.push(reason) });
  await using server = serve((ctx) => {
    ctx.stream(source);
    ctx.text("instead");
  }, { hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "instead");
  assertEquals(reasons.length, 1);
});
