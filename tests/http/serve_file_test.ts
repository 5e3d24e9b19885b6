import { assert, assertEquals } from "@std/assert";
import { serveFile } from "../../http/serve_file.ts";
import type { FileOptions, FileProgress } from "../../http/file_options.ts";
import { formatHttpDate } from "../../http/date.ts";
import { HttpError } from "../../http/errors.ts";
import { Router } from "../../http/router.ts";
import { FileError } from "../../nbio/file_error.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { fieldOf, OLD_MS, RawServer, TestFolder } from "../_support/file_server.ts";
import { eventually } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";
import { request } from "../_support/server_harness.ts";
import { connect } from "../_support/tls_switch.ts";

const OLD = formatHttpDate(OLD_MS);
const BEFORE = formatHttpDate(OLD_MS - 1000);

/** A server of one file. */
async function serving(
  folder: TestFolder,
  content: string | Uint8Array = "0123456789",
  options: FileOptions = {},
  name = "a.txt",
): Promise<RawServer> {
  const path = await folder.write(name, content);
  return new RawServer((ctx) => serveFile(ctx, path, options));
}

Deno.test("serveFile() answers with the file and what is known of it", async () => {
  await using folder = new TestFolder();
  await using server = await serving(folder);
  const response = await server.ask("GET /");
  assertEquals([response.status, response.body], [200, "0123456789"]);
  const fields = [
    "content-type",
    "content-length",
    "last-modified",
    "accept-ranges",
    "cache-control",
  ];
  assertEquals(fields.map((name) => fieldOf(response, name)), [
    "text/plain; charset=utf-8",
    "10",
    OLD,
    "bytes",
    "no-cache",
  ]);
  assert(/^"[^"]+"$/.test(fieldOf(response, "etag")!));
});

Deno.test("serveFile() answers HEAD with the head of GET", async () => {
  await using folder = new TestFolder();
  await using server = await serving(folder, new Uint8Array(100_000));
  const [get, head] = [await server.ask("GET /"), await server.ask("HEAD /")];
  assertEquals([head.status, head.body], [200, ""]);
  const plain = ({ fields }: typeof get) => fields.filter(([name]) => name !== "date");
  assertEquals(plain(head), plain(get));
  // RFC 9110 section 14.2: only GET has ranges.
  assertEquals((await server.ask("HEAD /", ["Range: bytes=0-1"])).status, 200);
});

for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
  Deno.test(`serveFile() answers ${method} with 405`, async () => {
    await using folder = new TestFolder();
    await using server = await serving(folder);
    const response = await server.ask(`${method} /`, ["Content-Length: 0"]);
    assertEquals([response.status, fieldOf(response, "allow")], [405, "GET, HEAD"]);
  });
}

for (
  const [field, status, body, range] of [
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=5-", 206, "56789", "bytes 5-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=0-9", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=10-", 416, undefined, "bytes */10"],
    ["bytes=5-1", 200, "0123456789", undefined],
    ["lines=0-1", 200, "0123456789", undefined],
    ["bytes=0-9,0-9", 200, "0123456789", undefined],
    [`bytes=${"0-0,".repeat(17)}`, 200, "0123456789", undefined],
  ] as const
) {
  Deno.test(`serveFile() answers ${field} with ${status}`, async () => {
    await using folder = new TestFolder();
    await using server = await serving(folder);
    const response = await server.ask("GET /", [`Range: ${field}`]);
    assertEquals([response.status, fieldOf(response, "content-range")], [status, range]);
    if (body !== undefined) assertEquals(response.body, body);
  });
}

Deno.test("serveFile() sends several ranges in parts, with their length told", async () => {
  await using folder = new TestFolder();
  await using server = await serving(folder);
  const response = await server.ask("GET /", ["Range: bytes=0-1, -2"]);
  assertEquals([response.status, response.framing], [206, "length"]);
  const boundary = /^multipart\/byteranges; boundary=([0-9a-f]{32})$/
    .exec(fieldOf(response, "content-type")!)![1];
  const part = (range: string, text: string) =>
    `--${boundary}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: ${range}\r\n\r\n${text}\r\n`;
  assertEquals(
    response.body,
    `${part("bytes 0-1/10", "01")}${part("bytes 8-9/10", "89")}--${boundary}--\r\n`,
  );
  assertEquals(fieldOf(response, "content-range"), undefined);
  const other = await server.ask("GET /", ["Range: bytes=0-1, -2"]);
  assert(fieldOf(other, "content-type") !== fieldOf(response, "content-type"));
});

Deno.test("serveFile() evaluates conditions before ranges", async () => {
  await using folder = new TestFolder();
  await using server = await serving(folder);
  const etag = fieldOf(await server.ask("GET /"), "etag")!;
  const range = "Range: bytes=0-1";
  for (
    const [fields, status] of [
      [[`If-None-Match: ${etag}`], 304],
      [[`If-None-Match: W/${etag}`], 304],
      [[`If-None-Match: ${etag}`, range], 304],
      [["If-None-Match: *"], 304],
      [['If-None-Match: "x"', `If-Modified-Since: ${OLD}`], 200],
      [[`If-Modified-Since: ${OLD}`], 304],
      [[`If-Modified-Since: ${BEFORE}`], 200],
      [[`If-Match: ${etag}`], 200],
      [[`If-Match: W/${etag}`], 412],
      [['If-Match: "x"', range], 412],
      [[`If-Unmodified-Since: ${BEFORE}`], 412],
      [[`If-Unmodified-Since: ${OLD}`], 200],
      [[`If-Range: ${etag}`, range], 206],
      [[`If-Range: W/${etag}`, range], 200],
      [['If-Range: "x"', range], 200],
      [['If-Range: "x"', "Range: bytes=99-"], 200],
      [[`If-Range: ${OLD}`, range], 206],
      [[`If-Range: ${BEFORE}`, range], 200],
      [[`If-Range: ${etag}`], 200],
    ] as const
  ) {
    const response = await server.ask("GET /", fields);
    assertEquals(response.status, status, fields.join());
    if (status !== 304) continue;
    assertEquals(response.body, "");
    assertEquals(["etag", "cache-control"].map((name) => fieldOf(response, name)), [
      etag,
      "no-cache",
    ]);
    assertEquals(fieldOf(response, "content-type"), undefined);
  }
});

Deno.test("serveFile() names a file weakly that was changed just now, or is to be", async () => {
  await using folder = new TestFolder();
  const path = await folder.write("a", "x", Date.now());
  await using server = new RawServer((ctx) => serveFile(ctx, path));
  const fresh = fieldOf(await server.ask("GET /"), "etag")!;
  assert(fresh.startsWith('W/"'), fresh);
  assertEquals((await server.ask("GET /", [`If-Range: ${fresh}`, "Range: bytes=0-0"])).status, 200);
  for (const [etag, start] of [["weak", 'W/"'], ["strong", '"'], ["none", undefined]] as const) {
    await using old = await serving(folder, "x", { etag });
    const field = fieldOf(await old.ask("GET /"), "etag");
    assertEquals(field?.slice(0, start?.length), start);
  }
});

Deno.test("serveFile() changes the tag when size or time change", async () => {
  await using folder = new TestFolder();
  const path = await folder.write("a", "x");
  await using server = new RawServer((ctx) => serveFile(ctx, path));
  const tags = new Set<string | undefined>();
  for (const [content, ms] of [["x", OLD_MS], ["xy", OLD_MS], ["xy", OLD_MS + 1000]] as const) {
    await folder.write("a", content, ms);
    tags.add(fieldOf(await server.ask("GET /"), "etag"));
  }
  assertEquals(tags.size, 3);
});

Deno.test("serveFile() never dates a file later than its answer, nor before 1970", async () => {
  await using folder = new TestFolder();
  const path = await folder.write("a", "x", Date.now() + 86_400_000);
  await using server = new RawServer((ctx) => serveFile(ctx, path));
  const response = await server.ask("GET /");
  const modifiedMs = Date.parse(fieldOf(response, "last-modified")!);
  assert(modifiedMs <= Date.parse(fieldOf(response, "date")!) + 1000);
  await folder.write("a", "x", -5_000_000);
  const ancient = await server.ask("GET /");
  assertEquals([ancient.status, fieldOf(ancient, "last-modified")], [200, undefined]);
});

Deno.test("serveFile() answers with what lies beside the file, compressed", async () => {
  await using folder = new TestFolder();
  await folder.write("a.txt.br", "brotli");
  await folder.write("a.txt.gz", "gzip");
  await using server = await serving(folder, "plain", { precompressed: true });
  for (
    const [accept, body, coding] of [
      ["br, gzip", "brotli", "br"],
      ["gzip", "gzip", "gzip"],
      ["gzip;q=1, br;q=0.5", "gzip", "gzip"],
      ["zstd", "plain", undefined],
      ["zstd, gzip;q=0.1", "gzip", "gzip"],
      ["identity, gzip;q=0.5", "plain", undefined],
      ["br;q=0", "plain", undefined],
      ["identity;q=0, zstd", "plain", undefined],
      [undefined, "plain", undefined],
    ] as const
  ) {
    const fields = accept === undefined ? [] : [`Accept-Encoding: ${accept}`];
    const response = await server.ask("GET /", fields);
    assertEquals([response.body, fieldOf(response, "content-encoding")], [body, coding], accept);
    assertEquals(fieldOf(response, "vary"), "Accept-Encoding");
    assertEquals(fieldOf(response, "content-type"), "text/plain; charset=utf-8");
  }
  const etag = async (accept: string) =>
    fieldOf(await server.ask("GET /", [`Accept-Encoding: ${accept}`]), "etag")!;
  const tags = new Set([await etag("br"), await etag("gzip"), await etag("identity")]);
  assertEquals(tags.size, 3);
  const cached = await server.ask("GET /", [
    "Accept-Encoding: br",
    `If-None-Match: ${await etag("br")}`,
  ]);
  assertEquals([cached.status, fieldOf(cached, "vary")], [304, "Accept-Encoding"]);
  // Ranges are those of what is sent.
  const range = await server.ask("GET /", ["Accept-Encoding: gzip", "Range: bytes=1-2"]);
  assertEquals([range.status, range.body, fieldOf(range, "content-encoding")], [206, "zi", "gzip"]);
});

Deno.test("serveFile() takes types, caching and downloads from its options", async () => {
  await using folder = new TestFolder();
  await using server = await serving(folder, "x", {
    types: { xyz: "text/x-mine" },
    charset: undefined,
    cacheControl: "max-age=5",
    immutable: /^\/assets\//,
    download: "na\u00efve.txt",
  }, "a.xyz");
  const response = await server.ask("GET /x");
  assertEquals(
    ["content-type", "cache-control", "content-disposition"].map((name) => fieldOf(response, name)),
    [
      "text/x-mine",
      "max-age=5",
      "attachment; filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt",
    ],
  );
  const asset = await server.ask("GET /assets/x");
  assertEquals(fieldOf(asset, "cache-control"), "public, max-age=31536000, immutable");
});

for (
  const options of [
    { etag: "x" },
    { precompressed: ["deflate"] },
    { pieceBytes: 4095 },
    { pieceBytes: 2 ** 30 + 1 },
    { pieceBytes: NaN },
    { maxRangeCount: -1 },
  ]
) {
  Deno.test(`serveFile() refuses ${JSON.stringify(options)}`, async () => {
    await using server = new RawServer((ctx) => serveFile(ctx, "a", options as FileOptions));
    assertEquals((await server.ask("GET /")).status, 500);
    assert(server.errors[0] instanceof RangeError);
  });
}

for (const name of ["missing", "missing/a", "a.txt/b", "x".repeat(300), "folder", "fifo"]) {
  Deno.test({
    name: `serveFile() answers 404 for ${name.slice(0, 20)}`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using folder = new TestFolder();
      await folder.write("a.txt", "x");
      await folder.write("folder/b", "x");
      await new Deno.Command("mkfifo", { args: [`${folder.path}/fifo`] }).output();
      await using server = new RawServer((ctx) => serveFile(ctx, `${folder.path}/${name}`));
      assertEquals((await server.ask("GET /")).status, 404);
      assertEquals(server.errors, []);
    },
  });
}

Deno.test("serveFile() sends a large file in pieces, byte by byte the same", async () => {
  await using folder = new TestFolder();
  const content = new SeededRandom(1).bytes(1_000_003);
  for (const pieceBytes of [4096, 262_144, 1_048_576]) {
    const seen: [number, number][] = [];
    const onProgress = ({ sentBytes, totalBytes }: FileProgress) =>
      void seen.push([sentBytes, totalBytes]);
    const path = await folder.write("a.bin", content);
    const app = new Router();
    app.get("/", (ctx) => serveFile(ctx, path, { pieceBytes, onProgress }));
    const response = await app.request("/");
    assertEquals(response.headers.get("content-length"), "1000003");
    const bytes = await response.bytes();
    assert(bytes.length === content.length && bytes.every((byte, at) => byte === content[at]));
    assertEquals(seen.length, Math.ceil(content.length / pieceBytes));
    assertEquals(seen.at(-1), [1_000_003, 1_000_003]);
    const ranges = await app.request("/", { headers: { range: "bytes=70000-170000,900000-" } });
    assertEquals(Number(ranges.headers.get("content-length")), (await ranges.bytes()).length);
  }
});

Deno.test("serveFile() gives pieces that a middleware may keep", async () => {
  await using folder = new TestFolder();
  const content = new SeededRandom(2).bytes(900_000);
  const path = await folder.write("a.bin", content);
  const kept: Uint8Array[] = [];
  await using server = new RawServer(async (ctx) => {
    await serveFile(ctx, path);
    for await (const piece of ctx.response.body as AsyncIterable<Uint8Array>) kept.push(piece);
    ctx.text("kept");
  });
  // Others use the shared buffers meanwhile.
  await using other = new RawServer((ctx) => serveFile(ctx, path));
  const [response] = await Promise.all([
    (async () => {
      await using client = await RawClient.connect(server.address);
      await client.send(request("GET /"));
      return await client.bytes(1);
    })(),
    other.ask("GET /"),
  ]);
  assert(response.length > 0);
  const joined = new Uint8Array(content.length);
  let at = 0;
  for (const piece of kept) {
    joined.set(piece, at);
    at += piece.length;
  }
  assert(joined.every((byte, index) => byte === content[index]));
});

Deno.test("serveFile() cuts the connection if the file shrinks while it is sent", async () => {
  await using folder = new TestFolder();
  const size = 64 * 1024 * 1024;
  const path = await folder.write("a.bin", "");
  await Deno.truncate(path, size);
  await using server = new RawServer((ctx) => serveFile(ctx, path));
  await using client = await RawClient.connect(server.address, { timeoutMs: 20_000 });
  await client.send(request("GET /"));
  await client.bytes(1);
  await Deno.truncate(path, 1000);
  const end = await client.closed();
  assert(end === "eof" || end === "reset", end);
  assert(client.leftover.length < size);
  assert(await eventually(() => server.errors.length > 0));
  assert(server.errors[0] instanceof FileError);
  assertEquals(server.errors[0].code, "ERR_NET_FILE_ENDED");
});

Deno.test("serveFile() sends what it promised of a file that grows", async () => {
  await using folder = new TestFolder();
  const size = 8 * 1024 * 1024;
  const path = await folder.write("a.bin", new Uint8Array(size));
  await using server = new RawServer((ctx) => serveFile(ctx, path));
  await using client = await RawClient.connect(server.address, { timeoutMs: 20_000 });
  await client.send(request("GET /"));
  await client.bytes(1);
  await Deno.writeFile(path, new Uint8Array(1000).fill(1), { append: true });
  // Small records make for many reads: the response is not looked at behind each of them.
  await client.bytes(size);
  const response = await client.response();
  assertEquals(response!.body.length, size);
  assertEquals(client.leftover.length, 0);
});

Deno.test("serveFile() closes the file of a client that leaves, and of one that never reads", async () => {
  await using folder = new TestFolder();
  const path = await folder.write("a.bin", "");
  await Deno.truncate(path, 256 * 1024 * 1024);
  // The sanitizer of resources finds a file that stays open.
  await using server = new RawServer((ctx) => serveFile(ctx, path));
  for (let round = 0; round < 5; round++) {
    await using client = await RawClient.connect(server.address);
    await client.send(request("GET /"));
    if (round > 0) await client.bytes(round * 100_000);
  }
  const silent = await connect({ hostname: "127.0.0.1", port: server.address.port });
  await silent.write(new TextEncoder().encode(request("GET /")));
  await silent.read(new Uint8Array(1));
  await server.server.shutdown({ graceMs: 0 });
  silent.close();
});

Deno.test("serveFile() closes the file of an answer that another one replaces", async () => {
  await using folder = new TestFolder();
  const path = await folder.write("a.bin", new Uint8Array(1_000_000));
  await using server = new RawServer(async (ctx) => {
    await serveFile(ctx, path);
    ctx.fail(new HttpError(418));
  });
  assertEquals((await server.ask("GET /")).status, 418);
});
