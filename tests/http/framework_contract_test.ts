// What the public benchmarks of frameworks check before they measure, over a real socket.
import { assert, assertEquals } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { createBenchmarkApp, ITEMS } from "../_support/benchmark_app.ts";
import { RawServer, TestFolder } from "../_support/file_server.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { RawClient } from "../_support/raw_client.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { post, postChunks, request } from "../_support/server_harness.ts";

const PIPELINE_DEPTH = 16;
const UPLOAD_BYTES = 20 * 1024 * 1024;

async function benchmarkServer(): Promise<{ folder: TestFolder; server: RawServer }> {
  const folder = new TestFolder();
  for (const [name, content] of FILES) await folder.write(name, content);
  return { folder, server: new RawServer(createBenchmarkApp(folder.path)) };
}

async function withApp(work: (server: RawServer) => Promise<void>): Promise<void> {
  const { folder, server } = await benchmarkServer();
  await using _folder = folder;
  await using _server = server;
  await work(server);
  assertEquals(server.errors, []);
}

/** Every answer says who gave it, when, of what kind it is and how long. */
function assertWellHeaded(response: RawResponse, type: string): void {
  assertEquals(fieldOf(response, "server"), "nbio");
  const date = fieldOf(response, "date")!;
  assertEquals(new Date(date).toUTCString(), date);
  assert(Math.abs(Date.now() - Date.parse(date)) < 60_000, date);
  assertEquals(fieldOf(response, "content-type"), type);
  assertEquals(fieldOf(response, "content-length"), `${response.body.length}`);
  assertEquals(fieldOf(response, "transfer-encoding"), undefined);
}

/** Sends pieces one by one, so that the server reads them one by one where it is quick. */
async function sendSplit(client: RawClient, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    await client.send(piece);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

for (
  const [path, type, body] of [
    ["/plaintext", "text/plain; charset=utf-8", "Hello, World!"],
    ["/pipeline", "text/plain; charset=utf-8", "ok"],
    ["/json", "application/json", '{"message":"Hello, World!"}'],
  ] as const
) {
  Deno.test(`the benchmarks' app answers ${path} as they want it`, () =>
    withApp(async (server) => {
      const response = await server.ask(`GET ${path}`, ["Accept-Encoding: gzip"]);
      assertEquals([response.status, response.body], [200, body]);
      assertWellHeaded(response, type);
      assertEquals(fieldOf(response, "content-encoding"), undefined);
      const head = await server.ask(`HEAD ${path}`);
      assertEquals([head.status, head.body], [200, ""]);
      assertEquals(fieldOf(head, "content-length"), `${body.length}`);
    }));
}

Deno.test("the benchmarks' app answers 16 requests in one write, in order, again and again", () =>
  withApp(async (server) => {
    await using client = await RawClient.connect(server.address);
    const paths = Array.from(
      { length: PIPELINE_DEPTH },
      (_, index) => index % 4 === 3 ? `/baseline?a=${index}&b=1` : "/pipeline",
    );
    const batch = paths.map((path) => request(`GET ${path}`)).join("");
    for (let round = 0; round < 20; round++) {
      await client.send(batch);
      for (let index = 0; index < PIPELINE_DEPTH; index++) {
        const response = (await client.response())!;
        const expected = index % 4 === 3 ? `${index + 1}` : "ok";
        assertEquals([response.status, response.body], [200, expected]);
        assertWellHeaded(response, "text/plain; charset=utf-8");
      }
    }
    assertEquals(client.leftover.length, 0);
  }));

const BASELINE: readonly [name: string, text: string, sum: string][] = [
  ["numbers in the query", request("GET /baseline?a=13&b=42"), "55"],
  ["negative numbers", request("GET /baseline?a=-13&b=3"), "-10"],
  ["a body of known length", post("/baseline?a=13&b=42", "20"), "75"],
  ["a body in one chunk", postChunks("/baseline?a=13&b=42", ["20"]), "75"],
  ["a body in a chunk for each digit", postChunks("/baseline?a=1&b=2", ["1", "2", "3"]), "126"],
];

for (const [name, text, sum] of BASELINE) {
  Deno.test(`the benchmarks' app adds ${name}, wherever the request is split`, () =>
    withApp(async (server) => {
      await using client = await RawClient.connect(server.address, { timeoutMs: 30_000 });
      for (let at = 1; at < text.length; at++) {
        await sendSplit(client, [text.slice(0, at), text.slice(at)]);
        const response = (await client.response())!;
        assertEquals([response.status, response.body], [200, sum], `split at ${at}`);
        assertWellHeaded(response, "text/plain; charset=utf-8");
      }
    }));
}

Deno.test("the benchmarks' app adds byte by byte, and with the next request behind a body", () =>
  withApp(async (server) => {
    await using client = await RawClient.connect(server.address, { timeoutMs: 30_000 });
    const text = BASELINE.map(([, text]) => text).join("");
    await sendSplit(client, [...text]);
    await sendSplit(client, text.match(/[^]{1,37}/g)!);
    for (const [name, , sum] of [...BASELINE, ...BASELINE]) {
      assertEquals((await client.response())!.body, sum, name);
    }
  }));

Deno.test("the benchmarks' app refuses what is no number", () =>
  withApp(async (server) => {
    assertEquals((await server.ask("GET /baseline?a=one")).status, 400);
    await using client = await RawClient.connect(server.address);
    await client.send(post("/baseline", "1".repeat(100)));
    assertEquals((await client.response())!.status, 413);
  }));

for (const isChunked of [false, true]) {
  Deno.test(`the benchmarks' app counts an upload of 20 MiB, chunked: ${isChunked}`, () =>
    withApp(async (server) => {
      await using client = await RawClient.connect(server.address, { timeoutMs: 30_000 });
      const field = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${UPLOAD_BYTES}`;
      await client.send(request("POST /upload", [field]));
      const piece = new Uint8Array(1024 * 1024);
      for (let sent = 0; sent < UPLOAD_BYTES; sent += piece.length) {
        if (isChunked) await client.send(`${piece.length.toString(16)}\r\n`);
        await client.send(piece);
        if (isChunked) await client.send("\r\n");
      }
      if (isChunked) await client.send("0\r\n\r\n");
      const response = (await client.response())!;
      assertEquals([response.status, response.body], [200, `${UPLOAD_BYTES}`]);
      assertWellHeaded(response, "text/plain; charset=utf-8");
      // The connection goes on.
      await client.send(post("/upload", ""));
      assertEquals((await client.response())!.body, "0");
    }));
}

Deno.test("the benchmarks' app compresses where a client asks for it, and nowhere else", () =>
  withApp(async (server) => {
    const expected = JSON.stringify({ count: ITEMS.length, items: ITEMS });
    for (
      const [accepted, isCoded] of [
        ["gzip", true],
        ["gzip, deflate, br", true],
        ["br, zstd", false],
        ["identity", false],
        ["gzip;q=0", false],
        [undefined, false],
      ] as const
    ) {
      const fields = accepted === undefined ? [] : [`Accept-Encoding: ${accepted}`];
      const response = await server.ask("GET /compression", fields);
      assertWellHeaded(response, "application/json");
      assertEquals(fieldOf(response, "content-encoding"), isCoded ? "gzip" : undefined);
      assertEquals(fieldOf(response, "vary"), "Accept-Encoding");
      const { body } = response;
      assertEquals(isCoded ? gunzipSync(bytesOf(body)).toString() : body, expected);
      if (isCoded) assert(body.length < expected.length / 3);
    }
  }));

/** What lies in the folder: the kinds of files that such benchmarks ask for. */
const FILES: readonly [name: string, content: string | Uint8Array][] = [
  ["reset.css", "body { margin: 0 }"],
  ["app.js", "console.log(1);"],
  ["module.mjs", "export {};"],
  ["index.html", "<!doctype html>"],
  ["data.json", "{}"],
  ["logo.svg", "<svg/>"],
  ["hero.webp", new Uint8Array(70_000)],
  ["photo.jpg", new Uint8Array(1_000)],
  ["icon.png", new Uint8Array([0x89, 0x50])],
  ["regular.woff2", new Uint8Array(20_000)],
  ["robots.txt", "User-agent: *"],
  ["feed.xml", "<a/>"],
  ["module.wasm", new Uint8Array(8)],
];

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  html: "text/html; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
  webp: "image/webp",
  jpg: "image/jpeg",
  png: "image/png",
  woff2: "font/woff2",
  txt: "text/plain; charset=utf-8",
  xml: "application/xml",
  wasm: "application/wasm",
};

Deno.test("the benchmarks' app serves files of all kinds as what they are", () =>
  withApp(async (server) => {
    for (const [name, content] of FILES) {
      const response = await server.ask(`GET /static/${name}`, ["Accept-Encoding: gzip, br"]);
      assertEquals(response.status, 200, name);
      const expected = typeof content === "string" ? bytesOf(content) : content;
      assertEquals(bytesOf(response.body), new Uint8Array(expected), name);
      assertWellHeaded(response, TYPES[name.slice(name.indexOf(".") + 1)]!);
    }
  }));

Deno.test("the benchmarks' app answers 404 to what is not there, and stays", () =>
  withApp(async (server) => {
    await using client = await RawClient.connect(server.address);
    for (const path of ["/static/none.css", "/static/none/", "/none", "/"]) {
      await client.send(request(`GET ${path}`));
      const response = (await client.response())!;
      assertEquals([path, response.status], [path, 404]);
      assertEquals(fieldOf(response, "server"), "nbio", path);
    }
    await client.send(request("GET /plaintext"));
    assertEquals((await client.response())!.status, 200);
    assertEquals((await server.ask("POST /plaintext", ["Content-Length: 0"])).status, 405);
  }));
