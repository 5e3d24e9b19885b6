import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { serve } from "../../http/serve.ts";
import type { FetchInfo } from "../../http/adapter_info.ts";
import { type FetchHandler, toHandler } from "../../http/to_handler.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { eventually } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { gate, post, request, ServerHarness } from "../_support/server_harness.ts";
import { settledResponse } from "../_support/settled_response.ts";

function harnessOf(app: FetchHandler): ServerHarness {
  return new ServerHarness(toHandler(app));
}

async function ask(app: FetchHandler, raw = request("GET /")): Promise<RawResponse> {
  await using harness = harnessOf(app);
  const client = await harness.open(raw);
  const isHead = raw.startsWith("HEAD");
  const response = await settledResponse(client, isHead);
  assertEquals([await client.text(), harness.reported], ["", []]);
  return response;
}

for (
  const [name, make, status, body, framing] of [
    ["text", () => new Response("gr\u00fc\u00df"), 200, "gr\xc3\xbc\xc3\x9f", "length"],
    ["bytes", () => new Response(Uint8Array.of(1, 2)), 200, "\x01\x02", "length"],
    ["JSON", () => Response.json([1], { status: 201 }), 201, "[1]", "length"],
    ["no text", () => new Response(""), 200, "", "length"],
    ["nothing", () => new Response(null), 200, "", "length"],
    ["a blob", () => new Response(new Blob(["blob"])), 200, "blob", "length"],
    ["a stream", () => new Response(ReadableStream.from([Uint8Array.of(65)])), 200, "A", "length"],
    ["a stream of more", () => new Response(slowly("a", "b")), 200, "ab", "chunked"],
    ["204", () => new Response(null, { status: 204 }), 204, "", "none"],
    ["304", () => new Response(null, { status: 304 }), 304, "", "none"],
    ["a redirect", () => Response.redirect("http://a/b"), 302, "", "length"],
  ] as [string, () => Response, number, string, string][]
) {
  Deno.test(`toHandler() answers with ${name}, at once and later`, async () => {
    for (const app of [make, () => Promise.resolve(make())]) {
      const response = await ask(app);
      assertEquals([response.status, response.body, response.framing], [status, body, framing]);
      const head = await ask(app, request("HEAD /"));
      assertEquals([head.status, head.body], [status, ""]);
    }
  });
}

/** A stream whose pieces take a while. */
function slowly(...pieces: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from((async function* () {
    for (const piece of pieces) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      yield new TextEncoder().encode(piece);
    }
  })());
}

Deno.test("toHandler() sends every field, and Set-Cookie as often as it was set", async () => {
  const headers = new Headers({ "x-a": "1", "content-type": "text/x" });
  headers.append("set-cookie", "a=1");
  headers.append("set-cookie", "b=2, c");
  const response = await ask(() => new Response("x", { headers, statusText: "Fine" }));
  const cookies = response.fields.filter(([name]) => name === "set-cookie").map(([, v]) => v);
  assertEquals(cookies, ["a=1", "b=2, c"]);
  assertEquals([fieldOf(response, "x-a"), fieldOf(response, "content-type")], ["1", "text/x"]);
  assertEquals(response.reason, "Fine");
});

Deno.test("toHandler() takes an object with fetch, and nothing else", async () => {
  const app = {
    text: "mine",
    fetch(): Response {
      return new Response(this.text);
    },
  };
  await using harness = new ServerHarness(toHandler(app));
  assertEquals((await harness.request(request("GET /"))).body, "mine");
  for (const wrong of [undefined, null, {}, "x"]) {
    assertThrows(() => toHandler(wrong as unknown as FetchHandler), TypeError);
  }
});

for (const method of ["TRACE", "trace", "TRACK"]) {
  Deno.test(`toHandler() answers ${method} with 501`, async () => {
    assertEquals((await ask(() => new Response("x"), request(`${method} /`))).status, 501);
  });
}

Deno.test("toHandler() answers a host that no URL has with 400", async () => {
  const raw = "GET / HTTP/1.1\r\nHost: 999.999.999.999\r\n\r\n";
  assertEquals((await ask(() => new Response("x"), raw)).status, 400);
});

const FAILURES: readonly (readonly [string, () => Response | Promise<Response>])[] = [
  ["an error", () => {
    throw new Error("secret");
  }],
  ["an error with a status", () => {
    throw Object.assign(new Error("secret"), { status: 404 });
  }],
  ["undefined", () => Promise.reject(undefined)],
  ["Response.error()", () => Response.error()],
  ["no Response", () => "secret" as unknown as Response],
  ["nothing", () => undefined as unknown as Response],
  ["a locked body", () => {
    const response = new Response("secret");
    response.body!.getReader();
    return response;
  }],
  [
    "a stream that fails at once",
    () => new Response(new ReadableStream({ start: (c) => c.error(new Error("secret")) })),
  ],
  ["a wrong length", () => new Response("secret", { headers: { "content-length": "1" } })],
];

for (const [name, fail] of FAILURES) {
  Deno.test(`toHandler() makes a 500 without details of ${name}, and tells of it`, async () => {
    for (const app of [fail, async () => await fail()]) {
      await using harness = harnessOf(app);
      const response = await settledResponse(await harness.open(request("GET /")));
      assertEquals([response.status, response.body], [500, "Internal Server Error"]);
      assertEquals(harness.reported.length, 1);
    }
  });
}

Deno.test("toHandler() makes a 500 of a body that was used", async () => {
  await using harness = harnessOf(async () => {
    const response = new Response("secret");
    await response.text();
    return response;
  });
  const response = await settledResponse(await harness.open(request("GET /")));
  assertEquals(response.status, 500);
  assertInstanceOf(harness.reported[0]!.error, TypeError);
});

Deno.test("toHandler() makes a 500 of the Response of Deno.upgradeWebSocket()", async () => {
  await using harness = harnessOf(() => ({ status: 101, headers: new Headers() }) as Response);
  assertEquals((await harness.request(request("GET /"))).status, 500);
  assertInstanceOf(harness.reported[0]!.error, TypeError);
});

Deno.test("toHandler() lets an HttpError have its status", async () => {
  const response = await ask(() => {
    throw new HttpError(418, "teapot", { headers: [["x-a", "1"]] });
  });
  assertEquals([response.status, response.body, fieldOf(response, "x-a")], [418, "teapot", "1"]);
});

for (
  const [name, raw, status] of [
    ["malformed", request("POST /", ["Transfer-Encoding: chunked"], "x\r\n"), 400],
    ["too large", request("POST /", ["Content-Length: 99999999"], "x"), 413],
  ] as const
) {
  Deno.test(`toHandler() answers a body that is ${name} with ${status}`, async () => {
    await using harness = harnessOf(async (made) => new Response(await made.text()));
    assertEquals((await settledResponse(await harness.open(raw))).status, status);
  });
}

Deno.test("toHandler() goes on behind a body that nobody read", async () => {
  await using harness = harnessOf((made) => new Response(made.method));
  const client = await harness.open(post("/", "abc") + request("GET /"));
  assertEquals((await settledResponse(client)).body, "POST");
  assertEquals((await settledResponse(client)).body, "GET");
});

Deno.test("toHandler() sends the head of a stream that has nothing to say yet", async () => {
  let stream!: ReadableStreamDefaultController<Uint8Array>;
  await using harness = harnessOf(() =>
    new Response(new ReadableStream<Uint8Array>({ start: (c) => void (stream = c) }), {
      headers: { "content-type": "text/event-stream" },
    })
  );
  const client = await harness.open(request("GET /"));
  assert((await client.text()).includes("text/event-stream"));
  stream.enqueue(new TextEncoder().encode("data: 1\n\n"));
  assert((await client.text()).includes("data: 1\n\n"));
  stream.close();
  assertEquals((await settledResponse(client)).body, "data: 1\n\n");
});

Deno.test("toHandler() tells request.signal and the stream that the client is gone", async () => {
  let signal!: AbortSignal;
  let reason: unknown;
  await using harness = harnessOf((made) => {
    signal = made.signal;
    return new Response(new ReadableStream({ cancel: (given) => void (reason = given ?? "gone") }));
  });
  const client = await harness.open(request("GET /"));
  assertEquals(signal.aborted, false);
  await client.reset();
  assert(signal.aborted);
  assert(await eventually(() => reason !== undefined));
  assertEquals(harness.reported, []);
});

Deno.test("toHandler() pulls no more of a stream than the client takes", async () => {
  let pulled = 0;
  const app: FetchHandler = () =>
    new Response(
      new ReadableStream({
        pull(controller): void {
          pulled++;
          controller.enqueue(new Uint8Array(65_536));
        },
      }, { highWaterMark: 0 }),
    );
  await using server = serve(toHandler(app), { hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(request("GET /")));
  assert(await eventually(() => pulled > 2));
  let before = -1;
  assert(await eventually(() => before === (before = pulled)));
  assert(pulled < 1_000, `${pulled}`);
  conn.close();
});

Deno.test("toHandler() streams both ways at once", async () => {
  await using server = serve(toHandler((made) => new Response(made.body)), {
    hostname: "127.0.0.1",
    port: 0,
  });
  await using client = await RawClient.connect(server.addr as Deno.NetAddr);
  await client.send(request("POST /", ["Transfer-Encoding: chunked"]));
  for (const letter of ["a", "b", "c"]) {
    await client.send(`1\r\n${letter}\r\n`);
    let text = "";
    while (!text.includes(`1\r\n${letter}\r\n`)) {
      text = new TextDecoder().decode(await client.bytes(client.leftover.length + 1));
      assertEquals(client.end, undefined);
    }
  }
  await client.send("0\r\n\r\n");
  assertEquals((await client.response())!.body, "abc");
});

Deno.test("toHandler() shows the address and resolves `completed` when all has left", async () => {
  const answers: (() => Response)[] = [
    () => new Response("abc"),
    () => new Response(null, { status: 204 }),
    () => new Response(slowly("a", "b")),
  ];
  for (const make of answers) {
    for (const start of ["GET /", "HEAD /"]) {
      const done = gate();
      await using harness = harnessOf((_, info) => {
        assertEquals((info.remoteAddr as Deno.NetAddr).transport, "tcp");
        info.completed.then(done.open);
        return make();
      });
      const client = await harness.open(request(start));
      const response = await settledResponse(client, start.startsWith("HEAD"));
      await done.passed;
      assert(response.framing !== "close");
    }
  }
});

for (
  const [name, make] of [
    ["text", () => new Response("abc")],
    ["much text", () => new Response("x".repeat(1_000_000))],
    ["a stream", () => new Response(slowly("a", "b"))],
    ["an error", () => Promise.reject(new HttpError(404, "none"))],
    ["the last answer", () => new Response("abc", { headers: { connection: "close" } })],
  ] as [string, () => Response | Promise<Response>][]
) {
  Deno.test(`toHandler() resolves \`completed\` behind the last byte of ${name}`, async () => {
    let byteCount = 0;
    let atEnd: number | undefined;
    await using harness = harnessOf((_, info) => {
      info.completed.then(() => void (atEnd = byteCount));
      return make();
    });
    const client = await harness.connect();
    const { server } = client;
    const write = server.write.bind(server);
    server.write = async (bytes) => {
      const count = await write(bytes);
      byteCount += count;
      return count;
    };
    await client.send(request("GET /"));
    const { body } = await settledResponse(client);
    assert(await eventually(() => atEnd !== undefined));
    assert(atEnd! > body.length, `${atEnd}`);
    assertEquals(atEnd, byteCount);
  });
}

Deno.test("toHandler() resolves `completed` also for who asks behind the answer", async () => {
  const infos: FetchInfo[] = [];
  await using harness = harnessOf((_, info) => {
    infos.push(info);
    return new Response("x");
  });
  const client = await harness.open(request("GET /") + request("GET /"));
  assertEquals((await settledResponse(client)).body, "x");
  await Promise.all(infos.map(({ completed }) => completed));
  assertEquals(infos.length, 2);
});

Deno.test("toHandler() resolves `completed` asked for while the body is on its way", async () => {
  const pieces = gate();
  let info!: FetchInfo;
  await using harness = harnessOf((_, given) => {
    info = given;
    return new Response(ReadableStream.from((async function* () {
      yield Uint8Array.of(65);
      await pieces.passed;
    })()));
  });
  const client = await harness.open(request("GET /"));
  let isDone = false;
  const done = info.completed.then(() => isDone = true);
  await client.text();
  assertEquals(isDone, false);
  pieces.open();
  await done;
  assertEquals((await settledResponse(client)).body, "A");
});

Deno.test("toHandler() resolves `completed` when the protocol changes", async () => {
  const done = gate();
  await using harness = harnessOf(async (_, { ctx, completed }) => {
    completed.then(done.open);
    const { transport } = await ctx.upgrade("x");
    transport.close();
    return new Response("ignored");
  });
  await harness.open(request("GET /", ["Connection: upgrade", "Upgrade: x"]));
  await done.passed;
});

Deno.test("toHandler() rejects `completed` when the client is gone", async () => {
  let completed!: Promise<void>;
  await using harness = harnessOf((_, info) => {
    completed = info.completed;
    return new Response(new ReadableStream());
  });
  const client = await harness.open(request("GET /"));
  await client.reset();
  await assertRejects(() => completed, ConnectionClosedError);
});

Deno.test("toHandler() lets an application change the protocol through info.ctx", async () => {
  await using harness = harnessOf(async (_, { ctx }) => {
    const { transport } = await ctx.upgrade("x");
    await transport.write(new TextEncoder().encode("hello"));
    transport.close();
    return new Response("ignored");
  });
  const fields = ["Connection: upgrade", "Upgrade: x"];
  const client = await harness.open(request("GET /", fields));
  const text = await client.text();
  assert(text.startsWith("HTTP/1.1 101 ") && text.endsWith("\r\n\r\nhello"), text);
  assertEquals(harness.reported, []);
});

Deno.test("toHandler() lets an application send informational responses", async () => {
  await using harness = harnessOf(async (_, { ctx }) => {
    await ctx.inform(103, { link: "</a>; rel=preload" });
    return new Response("x");
  });
  const client = await harness.open(request("GET /"));
  assertEquals((await client.response()).status, 103);
  assertEquals((await settledResponse(client)).body, "x");
});

Deno.test("toHandler() refuses a Response where the context was answered", async () => {
  await using harness = harnessOf((_, { ctx }) => {
    ctx.text("x");
    return new Response("y");
  });
  assertEquals((await harness.request(request("GET /"))).status, 500);
});
