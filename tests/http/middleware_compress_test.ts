import { assert, assertEquals, assertThrows } from "@std/assert";
import zlib from "node:zlib";
import { compose } from "../../http/middleware.ts";
import { compress, type CompressOptions } from "../../http/middleware_compress.ts";
import { etag } from "../../http/middleware_etag.ts";
import type { Handler } from "../../http/server_shared.ts";
import type { ResponseWriter } from "../../http/server_writer.ts";
import { sseStream } from "../../http/sse_stream.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { request, ServerHarness, turn } from "../_support/server_harness.ts";
import { settled, settledRequest, settledResponse } from "../_support/settled_response.ts";

const TEXT = "All work and no play. ".repeat(200);
const UNDO = {
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
} as const;

function serveCompressed(handler: Handler, options?: CompressOptions): ServerHarness {
  return new ServerHarness(compose([compress(options)], handler));
}

async function answerOf(
  handler: Handler,
  fields: readonly string[] = ["Accept-Encoding: gzip"],
  options: CompressOptions = {},
): Promise<RawResponse> {
  await using harness = serveCompressed(handler, options);
  return await settledRequest(harness, request("GET /", fields));
}

/** The content of an answer, whatever its coding is. */
function contentOf(response: RawResponse): string {
  const coding = fieldOf(response, "content-encoding") as keyof typeof UNDO | undefined;
  const bytes = bytesOf(response.body);
  return coding === undefined ? response.body : UNDO[coding](bytes).toString();
}

for (
  const [accepted, expected] of [
    ["gzip", "gzip"],
    ["deflate", "deflate"],
    ["br", "br"],
    ["zstd", "zstd"],
    ["gzip, deflate, br, zstd", "zstd"],
    ["gzip, deflate, br", "br"],
    ["gzip;q=1, br;q=0.5", "gzip"],
    ["*", "zstd"],
    ["x-gzip", "gzip"],
    ["", undefined],
    ["identity", undefined],
    ["identity, gzip;q=0.5", undefined],
    ["gzip;q=0", undefined],
    ["lzma", undefined],
    ["*;q=0", undefined],
    ["gzip;q=nonsense, , ;", undefined],
    [`${"x, ".repeat(2_000)}gzip;q=0`, undefined],
  ] as const
) {
  Deno.test(`compress() answers ${expected} to ${JSON.stringify(accepted.slice(0, 40))}`, async () => {
    const response = await answerOf((ctx) => ctx.text(TEXT), [`Accept-Encoding: ${accepted}`]);
    assertEquals(fieldOf(response, "content-encoding"), expected);
    assertEquals(fieldOf(response, "vary"), "Accept-Encoding");
    assertEquals(fieldOf(response, "content-type"), "text/plain; charset=utf-8");
    assertEquals(contentOf(response), TEXT);
    assertEquals(response.framing, "length");
  });
}

Deno.test("compress() leaves everything as it is for who says nothing", async () => {
  const response = await answerOf((ctx) => ctx.text(TEXT), []);
  assertEquals(fieldOf(response, "content-encoding"), undefined);
  assertEquals(fieldOf(response, "vary"), "Accept-Encoding");
});

for (const [length, isCoded] of [[1_023, false], [1_024, true], [1_025, true]] as const) {
  Deno.test(`compress() codes ${length} bytes: ${isCoded}`, async () => {
    for (
      const handler of [
        (ctx) => ctx.text("a".repeat(length)),
        (ctx) => {
          ctx.set("content-type", "text/plain");
          ctx.bytes(new Uint8Array(length).fill(0x61));
        },
        (ctx) => {
          ctx.set("content-type", "text/plain");
          ctx.set("content-length", `${length}`);
          ctx.stream(ReadableStream.from(["a".repeat(length)]));
        },
      ] as Handler[]
    ) {
      const response = await answerOf(handler);
      assertEquals(fieldOf(response, "content-encoding"), isCoded ? "gzip" : undefined);
      assertEquals(contentOf(response), "a".repeat(length));
    }
  });
}

Deno.test("compress() counts the bytes of text, not its characters", async () => {
  const response = await answerOf((ctx) => ctx.text("é".repeat(600)));
  assertEquals(fieldOf(response, "content-encoding"), "gzip");
});

Deno.test("compress() codes what is small for who takes nothing else", async () => {
  const response = await answerOf((ctx) => ctx.text("a"), ["Accept-Encoding: gzip, identity;q=0"]);
  assertEquals(fieldOf(response, "content-encoding"), "gzip");
  assertEquals(contentOf(response), "a");
});

Deno.test("compress() leaves alone what does not get smaller", async () => {
  const noise = new Uint8Array(5_000);
  crypto.getRandomValues(noise);
  const response = await answerOf((ctx) => {
    ctx.set("content-type", "text/plain");
    ctx.bytes(noise);
  });
  assertEquals(fieldOf(response, "content-encoding"), undefined);
  assertEquals(bytesOf(response.body), noise);
});

Deno.test("compress() sends a large body in pieces", async () => {
  const text = TEXT.repeat(100);
  for (const coding of ["gzip", "br", "zstd", "deflate"]) {
    const response = await answerOf((ctx) => ctx.text(text), [`Accept-Encoding: ${coding}`]);
    assertEquals(response.framing, "chunked");
    assertEquals(contentOf(response), text);
  }
});

for (
  const [name, handler] of [
    ["a picture", (ctx) => {
      ctx.set("content-type", "image/png");
      ctx.bytes(new Uint8Array(5_000));
    }],
    ["bytes of no kind", (ctx) => ctx.bytes(new Uint8Array(5_000))],
    ["what has no type", () => new Response(new Uint8Array(5_000))],
    ["what is coded", (ctx) => {
      ctx.set("content-encoding", "br");
      ctx.text(TEXT);
    }],
    ["a part", (ctx) => {
      ctx.status = 206;
      ctx.set("content-range", "bytes 0-4399/9999");
      ctx.text(TEXT);
    }],
    ["what must stay as it is", (ctx) => {
      ctx.set("cache-control", "no-transform");
      ctx.text(TEXT);
    }],
    ["a writer's without a type", async (ctx) => {
      const writer = ctx.writer();
      await writer.write(TEXT);
      await writer.close();
    }],
  ] as [string, Handler][]
) {
  Deno.test(`compress() leaves alone ${name}, but says Vary`, async () => {
    const response = await answerOf(handler, ["Accept-Encoding: gzip, br, zstd"]);
    assertEquals(fieldOf(response, "vary"), "Accept-Encoding");
    assert(["br", undefined].includes(fieldOf(response, "content-encoding")));
    assertEquals(response.body.length > 4_000, true);
    assertEquals(/^[\0-\x7f]*$/.test(response.body), true);
  });
}

Deno.test("compress() codes a returned Response and an error, and says Vary once", async () => {
  const json = await answerOf(() => Response.json(TEXT, { headers: { vary: "Accept" } }));
  assertEquals(JSON.parse(contentOf(json)), TEXT);
  assertEquals(json.fields.filter(([name]) => name === "vary").map(([, value]) => value), [
    "Accept-Encoding",
    "Accept",
  ]);
  const error = await answerOf(() => {
    throw new Error("broken");
  });
  assertEquals(error.status, 500);
  assertEquals(fieldOf(error, "vary"), "Accept-Encoding");
});

Deno.test("compress() weakens a strong tag, and says so again with 304", async () => {
  const handler = compose([etag()], (ctx) => ctx.text(TEXT));
  const first = await answerOf(handler);
  const tag = fieldOf(first, "etag")!;
  assert(tag.startsWith('W/"'));
  const plain = await answerOf(handler, []);
  assertEquals(fieldOf(plain, "etag"), tag.slice(2));
  for (const held of [tag, tag.slice(2)]) {
    const again = await answerOf(handler, ["Accept-Encoding: gzip", `If-None-Match: ${held}`]);
    assertEquals(again.status, 304);
    assertEquals(fieldOf(again, "etag"), held);
    assertEquals(fieldOf(again, "vary"), "Accept-Encoding");
    assertEquals(fieldOf(again, "content-encoding"), undefined);
  }
});

Deno.test("compress() answers HEAD as it would GET", async () => {
  await using harness = serveCompressed((ctx) => {
    if (ctx.path === "/whole") return ctx.text(TEXT);
    ctx.set("content-type", "text/plain");
    ctx.set("content-length", "5000");
    if (ctx.path === "/stream") ctx.stream(ReadableStream.from(["a".repeat(5_000)]));
    else ctx.status = 200;
  });
  const fields = ["Accept-Encoding: gzip"];
  const get = await settledRequest(harness, request("GET /whole", fields));
  const head = await settledRequest(harness, request("HEAD /whole", fields), true);
  assertEquals(fieldOf(head, "content-length"), fieldOf(get, "content-length"));
  for (const path of ["/whole", "/stream", "/none"]) {
    const response = await settledRequest(harness, request(`HEAD ${path}`, fields), true);
    assertEquals(fieldOf(response, "content-encoding"), "gzip", path);
    assert(fieldOf(response, "content-length") !== "5000", path);
  }
});

Deno.test("compress() sends each piece of a stream at once", async () => {
  let controller!: ReadableStreamDefaultController<string>;
  const source = new ReadableStream<string>({ start: (its) => void (controller = its) });
  await using harness = serveCompressed((ctx) => {
    ctx.set("content-type", "text/plain");
    ctx.stream(source);
  });
  const client = await harness.open(request("GET /", ["Accept-Encoding: gzip"]));
  for (const text of ["one", "two"]) {
    const before = await client.byteCount();
    controller.enqueue(text);
    await settled(async () => await client.byteCount() > before);
  }
  controller.close();
  assertEquals(contentOf(await settledResponse(client)), "onetwo");
});

/** Answers that are written behind their head. */
const WRITTEN: [string, Handler][] = [
  ["writes", async (ctx) => {
    const writer = ctx.writer();
    for (let start = 0; start < TEXT.length; start += 100) {
      await writer.write(TEXT.slice(start, start + 100));
    }
    await writer.close();
  }],
  ["writes without waiting", async (ctx) => {
    const writer = ctx.writer();
    for (const word of TEXT.match(/\S* ?/g)!) void writer.write(word);
    await writer.close();
  }],
  ["flushes and answers with text", async (ctx) => {
    await ctx.flush();
    ctx.text(TEXT);
  }],
  ["flushes and answers with bytes", async (ctx) => {
    await ctx.flush();
    ctx.bytes(bytesOf(TEXT));
  }],
  ["flushes and streams", async (ctx) => {
    await ctx.flush();
    ctx.stream(ReadableStream.from([TEXT.slice(0, 2_000), TEXT.slice(2_000)]));
  }],
];

for (const [name, handler] of WRITTEN) {
  for (const coding of Object.keys(UNDO)) {
    Deno.test(`compress() codes what a handler ${name}, in ${coding}`, async () => {
      const response = await answerOf((ctx) => {
        ctx.set("content-type", "text/plain");
        ctx.set("etag", '"a"');
        return handler(ctx);
      }, [`Accept-Encoding: ${coding}`]);
      assertEquals(fieldOf(response, "content-encoding"), coding);
      assertEquals(fieldOf(response, "vary"), "Accept-Encoding");
      assertEquals(fieldOf(response, "etag"), 'W/"a"');
      assertEquals(response.framing, "chunked");
      assertEquals(contentOf(response), TEXT);
      assert(response.body.length < TEXT.length / 4, `${response.body.length}`);
    });
  }
}

Deno.test("compress() codes an answer that is flushed and then empty", async () => {
  const response = await answerOf(async (ctx) => {
    ctx.set("content-type", "text/plain");
    await ctx.flush();
  });
  assertEquals(fieldOf(response, "content-encoding"), "gzip");
  assertEquals(contentOf(response), "");
});

Deno.test("compress() sends each piece that is written at once", async () => {
  const { promise, resolve } = Promise.withResolvers<ResponseWriter>();
  await using harness = serveCompressed(async (ctx) => {
    ctx.set("content-type", "text/plain");
    const writer = ctx.writer();
    resolve(writer);
    await settled(() => Promise.resolve(writer.closed));
  });
  const client = await harness.open(request("GET /", ["Accept-Encoding: gzip"]));
  const writer = await promise;
  for (const text of ["one", "two"]) {
    const before = await client.byteCount();
    await writer.write(text);
    await settled(async () => await client.byteCount() > before);
  }
  await writer.close([["x-sum", "6"]]);
  const response = await settledResponse(client);
  assertEquals(contentOf(response), "onetwo");
  assertEquals(response.trailers, [["x-sum", "6"]]);
});

Deno.test("compress() codes nothing of a writer's answer to HEAD, and does say so", async () => {
  await using harness = serveCompressed(async (ctx) => {
    ctx.set("content-type", "text/plain");
    ctx.set("content-length", "5000");
    const writer = ctx.writer();
    await writer.write("a".repeat(5_000));
    await writer.close();
  });
  const fields = ["Accept-Encoding: gzip"];
  const head = await settledRequest(harness, request("HEAD /", fields), true);
  assertEquals(fieldOf(head, "content-encoding"), "gzip");
  assertEquals(fieldOf(head, "content-length"), undefined);
  const get = await settledRequest(harness, request("GET /", fields));
  assertEquals(contentOf(get), "a".repeat(5_000));
});

for (const length of [4_999, 5_001]) {
  Deno.test(`compress() cuts the connection where ${length} bytes of 5000 are written`, async () => {
    await using harness = serveCompressed(async (ctx) => {
      ctx.set("content-type", "text/plain");
      ctx.set("content-length", "5000");
      const writer = ctx.writer();
      await writer.write("a".repeat(length));
      await writer.close();
    });
    const client = await harness.open(request("GET /", ["Accept-Encoding: gzip"]));
    await settled(() => client.isEnded());
    assert(!(await client.text()).endsWith("\r\n0\r\n\r\n"));
  });
}

Deno.test("compress() codes no error whose head was refused", async () => {
  const response = await answerOf((ctx) => {
    ctx.set("content-type", "text/plain");
    ctx.set("transfer-encoding", "chunked");
    assertThrows(() => ctx.writer(), TypeError);
    ctx.response.headers.delete("transfer-encoding");
    ctx.text("plain");
  });
  assertEquals(fieldOf(response, "content-encoding"), undefined);
  assertEquals(response.body, "plain");
});

Deno.test("compress() around another leaves to it what it codes", async () => {
  const inner = compose([compress({ codings: ["br"] })], WRITTEN[0]![1]);
  const handler: Handler = (ctx) => {
    ctx.set("content-type", "text/plain");
    return inner(ctx);
  };
  for (const [accepted, coding] of [["gzip, br", "br"], ["gzip", "gzip"]] as const) {
    const response = await answerOf(handler, [`Accept-Encoding: ${accepted}`]);
    assertEquals(fieldOf(response, "content-encoding"), coding);
    assertEquals(contentOf(response), TEXT);
  }
});

Deno.test("compress() codes what is written to HTTP/1.0 until the connection ends", async () => {
  await using harness = serveCompressed((ctx) => {
    ctx.set("content-type", "text/plain");
    return WRITTEN[0]![1](ctx);
  });
  const fields = ["GET / HTTP/1.0", "Accept-Encoding: gzip", "", ""];
  const client = await harness.open(fields.join("\r\n"));
  await settled(() => client.isEnded());
  const text = await client.text();
  const headEnd = text.indexOf("\r\n\r\n") + 4;
  assert(text.slice(0, headEnd).includes("\r\ncontent-encoding: gzip\r\n"), text);
  assertEquals(zlib.gunzipSync(bytesOf(text.slice(headEnd))).toString(), TEXT);
});

Deno.test("compress() lets a writer wait for a client that is slow", async () => {
  let writtenCount = 0;
  await using harness = serveCompressed(async (ctx) => {
    ctx.set("content-type", "text/plain");
    const writer = ctx.writer();
    for (let count = 0; count < 100; count++) {
      // What does not get smaller.
      await writer.write(crypto.getRandomValues(new Uint8Array(10_000)));
      writtenCount++;
    }
    await writer.close();
  });
  const client = await harness.connect({ highWaterMarkBytes: 20_000 });
  client.pause();
  await client.send(request("GET /", ["Accept-Encoding: gzip"]));
  await settled(() => Promise.resolve(writtenCount > 0));
  // Each piece takes a few turns: far more than would be needed for all of them.
  for (let count = 0; count < 500; count++) await turn();
  assert(writtenCount <= 3, `${writtenCount}`);
  await client.resume();
  const response = await settledResponse(client);
  assertEquals(zlib.gunzipSync(bytesOf(response.body)).length, 1_000_000);
});

Deno.test("compress() counts writers among its streams, also those that are cut", async () => {
  await using harness = serveCompressed(async (ctx) => {
    ctx.set("content-type", "text/plain");
    const writer = ctx.writer();
    await writer.write("hello");
    if (ctx.path === "/stay") await new Promise(() => {});
    await writer.close();
  }, { maxStreams: 1 });
  const fields = ["Accept-Encoding: gzip"];
  const isCoded = async () => {
    const response = await settledRequest(harness, request("GET /", fields));
    return fieldOf(response, "content-encoding") === "gzip";
  };
  assertEquals([await isCoded(), await isCoded()], [true, true]);
  const staying = await harness.open(request("GET /stay", fields));
  await settled(async () => (await staying.text()).includes("\r\n\r\n"));
  assertEquals(await isCoded(), false);
  await staying.reset();
  // Its connection takes a while to see that.
  await settled(isCoded);
});

Deno.test("compress() sends server-sent events compressed, and ends them", async () => {
  const closed: Promise<void>[] = [];
  await using harness = serveCompressed((ctx) => {
    const stream = sseStream(ctx, { heartbeatIntervalMs: 0 });
    stream.send({ data: "hello" });
    if (ctx.path === "/end") stream.close();
    closed.push(stream.closed);
  });
  const silent = await harness.open(request("GET /", ["Accept-Encoding: br"]));
  await settled(async () => (await silent.text()).includes("\r\n\r\n"));
  await silent.reset();
  await closed[0];
  const client = await harness.open(request("GET /end", ["Accept-Encoding: br"]));
  assertEquals(contentOf(await settledResponse(client)), "data: hello\n\n");
});

Deno.test("compress() does not code more streams than it may, and counts those that end", async () => {
  await using harness = serveCompressed((ctx) => {
    ctx.set("content-type", "text/plain");
    ctx.stream(new ReadableStream<string>());
  }, { maxStreams: 2 });
  const open = async () => {
    const client = await harness.open(request("GET /", ["Accept-Encoding: gzip"]));
    await settled(async () => (await client.text()).includes("\r\n\r\n"));
    return { client, isCoded: /content-encoding/i.test(await client.text()) };
  };
  const first = await open();
  assertEquals(first.isCoded, true);
  assertEquals((await open()).isCoded, true);
  assertEquals((await open()).isCoded, false);
  await first.client.reset();
  assertEquals((await open()).isCoded, true);
});

Deno.test("compress() cuts the connection where a stream is shorter than it was announced", async () => {
  await using harness = serveCompressed((ctx) => {
    ctx.set("content-type", "text/plain");
    ctx.set("content-length", "5000");
    ctx.stream(ReadableStream.from(["a".repeat(4_000)]));
  });
  const client = await harness.open(request("GET /", ["Accept-Encoding: gzip"]));
  await settled(() => client.isEnded());
  assert(!(await client.text()).endsWith("0\r\n\r\n"));
  assertEquals(harness.reported.length, 1);
});

Deno.test("compress() asks which types and which answers", async () => {
  const bytes: Handler = (ctx) => ctx.bytes(new Uint8Array(5_000));
  const all = await answerOf(bytes, undefined, { isCompressible: () => true });
  assertEquals(fieldOf(all, "content-encoding"), "gzip");
  const skipped = await answerOf((ctx) => ctx.text(TEXT), undefined, {
    skip: (ctx) => ctx.path === "/",
  });
  assertEquals(fieldOf(skipped, "content-encoding"), undefined);
  const own = await answerOf((ctx) => ctx.text(TEXT), ["Accept-Encoding: br, gzip"], {
    codings: ["gzip", "br"],
    levels: { gzip: 9 },
  });
  assertEquals(fieldOf(own, "content-encoding"), "gzip");
});

for (
  const [name, options] of [
    ["an unknown coding", { codings: ["lzma" as "gzip"] }],
    ["a level that is too low", { levels: { gzip: 0 } }],
    ["a level that is too high", { levels: { br: 12 } }],
    ["a level between two", { levels: { zstd: 1.5 } }],
    ["a negative size", { minBytes: -1 }],
    ["an endless size", { minBytes: Infinity }],
    ["a negative number of streams", { maxStreams: -1 }],
  ] as const
) {
  Deno.test(`compress() throws on ${name}`, () => {
    assertThrows(() => compress(options), RangeError);
  });
}
