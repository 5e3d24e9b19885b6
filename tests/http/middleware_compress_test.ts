import { assert, assertEquals, assertThrows } from "@std/assert";
import zlib from "node:zlib";
import { compose } from "../../http/middleware.ts";
import { compress, type CompressOptions } from "../../http/middleware_compress.ts";
import { etag } from "../../http/middleware_etag.ts";
import type { Handler } from "../../http/server_shared.ts";
import { sseStream } from "../../http/sse_stream.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
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
    ["a writer's", async (ctx) => {
      ctx.set("content-type", "text/plain");
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
