// Files above what 32 bits count, over a real socket: by ranges, and whole but never to the end.
import { assert, assertEquals } from "@std/assert";
import type { FileProgress } from "../../http/file_options.ts";
import { serveFile } from "../../http/serve_file.ts";
import { fieldOf, OLD_MS, RawServer, TestFolder } from "../_support/file_server.ts";
import { eventually } from "../_support/peer.ts";
import { request } from "../_support/server_harness.ts";
import { connect } from "../_support/tls_switch.ts";
import { noSparseFiles, writeSparseFile } from "../_support/sparse_file.ts";

const SIZE = 10_000_000_000;
const ZERO = "\0";
/** First bytes, the borders of 31 and 32 bits, somewhere between, last bytes. */
const MARKS = [
  [0, "FIRST"],
  [2_147_483_646, "SIGN"],
  [4_294_967_294, "WRAP"],
  [7_000_000_001, "ODD"],
  [SIZE - 4, "LAST"],
] as const;

const note = noSparseFiles === undefined ? "" : ` (ignored: ${noSparseFiles})`;
const ignore = noSparseFiles !== undefined;

async function withLargeFile(work: (server: RawServer) => Promise<void>): Promise<void> {
  await using folder = new TestFolder();
  const path = `${folder.path}/large.bin`;
  await writeSparseFile(path, SIZE, MARKS);
  await Deno.utime(path, OLD_MS / 1000, OLD_MS / 1000);
  await using server = new RawServer((ctx) => serveFile(ctx, path));
  await work(server);
  assertEquals(server.errors, []);
}

Deno.test({
  name: `serveFile() reaches every place of a sparse file of 10 GB${note}`,
  ignore,
  fn: () =>
    withLargeFile(async (server) => {
      assertEquals(fieldOf(await server.ask("HEAD /"), "content-length"), `${SIZE}`);
      for (const [first, mark] of MARKS) {
        const last = first + mark.length - 1;
        const response = await server.ask("GET /", [`Range: bytes=${first}-${last}`]);
        assertEquals([response.status, response.body], [206, mark]);
        assertEquals(fieldOf(response, "content-range"), `bytes ${first}-${last}/${SIZE}`);
      }
      for (
        const [range, status, body] of [
          ["bytes=-4", 206, "LAST"],
          [`bytes=${SIZE - 6}-`, 206, `${ZERO}${ZERO}LAST`],
          [`bytes=${SIZE - 1}-99999999999999`, 206, "T"],
          [`bytes=${SIZE}-`, 416, ""],
          ["bytes=-0", 416, ""],
        ] as const
      ) {
        const response = await server.ask("GET /", [`Range: ${range}`]);
        assertEquals([range, response.status], [range, status]);
        if (status === 206) assertEquals(response.body, body);
        else assertEquals(fieldOf(response, "content-range"), `bytes */${SIZE}`);
      }
    }),
});

Deno.test({
  name: `serveFile() sends several places of a sparse file of 10 GB in one answer${note}`,
  ignore,
  fn: () =>
    withLargeFile(async (server) => {
      const wanted = MARKS.map(([first, mark]) => `${first}-${first + mark.length - 1}`);
      const response = await server.ask("GET /", [`Range: bytes=${wanted.join(", ")}`]);
      assertEquals(response.status, 206);
      assertEquals(fieldOf(response, "content-length"), `${response.body.length}`);
      const type = fieldOf(response, "content-type")!;
      const boundary = /^multipart\/byteranges; ?boundary=(.+)$/.exec(type)![1]!;
      const parts = response.body.split(`--${boundary}`);
      assertEquals(parts.length, MARKS.length + 2);
      for (const [index, [first, mark]] of MARKS.entries()) {
        const part = parts[index + 1]!;
        const range = `bytes ${first}-${first + mark.length - 1}/${SIZE}`;
        assert(part.toLowerCase().includes(`content-range: ${range}\r\n`), part);
        assert(part.endsWith(`\r\n\r\n${mark}\r\n`), part);
      }
    }),
});

Deno.test({
  name: `serveFile() asks If-Range before it sends a part of a sparse file of 10 GB${note}`,
  ignore,
  fn: () =>
    withLargeFile(async (server) => {
      const head = await server.ask("HEAD /");
      const fields = ["Range: bytes=-4"];
      for (const name of ["etag", "last-modified"]) {
        const same = await server.ask("GET /", [...fields, `If-Range: ${fieldOf(head, name)}`]);
        assertEquals([same.status, same.body], [206, "LAST"], name);
      }
      // The whole file instead: only its head is waited for.
      const other = new Date(OLD_MS + 1_000).toUTCString();
      for (const value of ['"other"', `W/${fieldOf(head, "etag")}`, other]) {
        const response = await server.ask("HEAD /", [...fields, `If-Range: ${value}`]);
        assertEquals(fieldOf(response, "content-length"), `${SIZE}`, value);
        const [status, length] = await headOfGet(server, [...fields, `If-Range: ${value}`]);
        assertEquals([status, length], [200, SIZE], value);
      }
    }),
});

/** Status and length that the head of an answer to GET has; the body is left alone. */
async function headOfGet(server: RawServer, fields: string[]): Promise<[number, number]> {
  using conn = await connect(server.address);
  await conn.write(new TextEncoder().encode(request("GET /", fields)));
  const buffer = new Uint8Array(4_096);
  const count = await conn.read(buffer);
  const head = new TextDecoder("latin1").decode(buffer.subarray(0, count!));
  return [
    Number(/^HTTP\/1\.1 (\d+)/.exec(head)![1]),
    Number(/content-length: (\d+)/i.exec(head)![1]),
  ];
}

const DOWNLOAD_BYTES = 2_200_000_000;
const MAX_WORKING_BYTES = 160 * 1024 * 1024;

Deno.test({
  name: `serveFile() leaves nothing of a download of 2.2 GB that ends half-way${note}`,
  ignore,
  async fn() {
    await using folder = new TestFolder();
    const path = `${folder.path}/large.bin`;
    await writeSparseFile(path, DOWNLOAD_BYTES);
    let at: FileProgress | undefined;
    const { promise: aborted, resolve: onAbort } = Promise.withResolvers<unknown>();
    await using server = new RawServer((ctx) => {
      ctx.signal.addEventListener("abort", () => onAbort(ctx.signal.reason));
      return serveFile(ctx, path, { onProgress: (progress) => void (at = progress) });
    });
    const before = heldBytes();
    let maxHeldBytes = before;
    const conn = await connect(server.address);
    await conn.write(new TextEncoder().encode(request("GET /")));
    const buffer = new Uint8Array(1024 * 1024);
    let readBytes = 0;
    for (let round = 0; readBytes < DOWNLOAD_BYTES / 2; round++) {
      readBytes += (await conn.read(buffer))!;
      if (round % 100 === 0) maxHeldBytes = Math.max(maxHeldBytes, heldBytes());
    }
    conn.close();
    assert(await aborted instanceof Error);
    assert(await eventually(() => server.server.stats().connectionCount === 0));
    // It was not read on: what sockets hold is all that was in front of the client.
    const { sentBytes, totalBytes } = at!;
    assertEquals(totalBytes, DOWNLOAD_BYTES);
    assert(sentBytes < readBytes + 64 * 1024 * 1024, `${sentBytes - readBytes}`);
    assert(maxHeldBytes - before < MAX_WORKING_BYTES, `${maxHeldBytes - before} bytes`);
  },
});

/** Of this thread alone: other tests may run beside it in the same process. */
function heldBytes(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
