/** Our client against programs that serve files. */

import { Client, type ClientOptions } from "@nbio/net/http";
import { assert, assertEquals } from "@std/assert";
import { interopEnabled } from "../_support/interop.ts";
import { OLD_MS } from "../_support/file_server.ts";
import { whileListening } from "../_support/listening_program.ts";
import { FILE_SERVERS, type FileServer } from "./http_client_file_servers.ts";
import { sampleBytes, sha256 } from "./interop_app.ts";

const FILE_COUNT = 30;
const REQUEST_COUNT = 400;
const CONNECTION_COUNT = 16;
const BIG = sampleBytes(16 << 20);
const PAGE = Array.from({ length: 20_000 }, (_, index) => `line ${index % 97}\n`).join("");

/** Different lengths, from none to one that does not leave in one piece. */
function fileContent(index: number): Uint8Array<ArrayBuffer> {
  return sampleBytes(index * index * 300).map((byte) => byte ^ index);
}

/** Files that are the same for every server, and so old that their entity tags are strong. */
async function writeFiles(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/www/deep`, { recursive: true });
  for (let index = 0; index < FILE_COUNT; index++) {
    await Deno.writeFile(`${folder}/www/${index}.bin`, fileContent(index));
  }
  await Deno.writeFile(`${folder}/www/big.bin`, BIG);
  await Deno.writeTextFile(`${folder}/www/deep/index.html`, "<p>deep</p>");
  await Deno.writeTextFile(`${folder}/www/page.txt`, PAGE);
  const zipped = new Blob([PAGE]).stream().pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(`${folder}/www/page.txt.gz`, zipped);
  for await (const { name } of Deno.readDir(`${folder}/www`)) {
    await Deno.utime(`${folder}/www/${name}`, OLD_MS / 1_000, OLD_MS / 1_000);
  }
}

function filesTest(
  name: string,
  isFit: (server: FileServer) => boolean,
  fn: (client: Client, server: FileServer) => Promise<void>,
  options: ClientOptions = {},
): void {
  for (const server of FILE_SERVERS) {
    if (!isFit(server)) continue;
    Deno.test({
      name: `Client asks ${server.name}: ${name}`,
      ignore: !interopEnabled || !server.isPresent,
      async fn() {
        const start: FileServer["start"] = async (program) => {
          await writeFiles(program.folder);
          return await server.start(program);
        };
        await whileListening(start, async ({ port }) => {
          await using client = new Client({
            baseUrl: `http://127.0.0.1:${port}`,
            maxConnectionsPerHost: CONNECTION_COUNT,
            ...options,
          });
          await fn(client, server);
          const { connections, idle, queued, dialing } = client.stats();
          assertEquals([connections - idle, queued, dialing], [0, 0, 0]);
        });
      },
    });
  }
}

filesTest("hundreds of files at once, whole", () => true, async (client, server) => {
  const hashes = await Promise.all(
    Array.from({ length: FILE_COUNT }, (_, index) => sha256(fileContent(index))),
  );
  let reusedCount = 0;
  await Promise.all(Array.from({ length: REQUEST_COUNT }, async (_, number) => {
    const index = number % FILE_COUNT;
    const response = await client.get(`/${index}.bin`);
    assertEquals(response.status, 200);
    assertEquals(response.attempts, 1);
    assertEquals(await sha256(await response.bytes()), hashes[index]);
    if (response.reused) reusedCount++;
  }));
  if (server.isKeeping) assert(reusedCount > REQUEST_COUNT * 0.8, `${reusedCount} reused`);
  else assertEquals([reusedCount, client.stats().connections], [0, 0]);
});

filesTest("HEAD, what is not there, and a folder without its slash", () => true, async (client) => {
  for (let count = 0; count < 3; count++) {
    const head = await client.head("/big.bin");
    assertEquals(head.headers.get("content-length"), `${BIG.length}`);
    assertEquals((await head.bytes()).length, 0);
    const missing = await client.get("/missing");
    assertEquals(missing.status, 404);
    await missing.discard();
    const deep = await client.get("/deep");
    assertEquals([deep.redirects.length, await deep.text()], [1, "<p>deep</p>"]);
  }
});

filesTest("a large file as a stream, and dropped half-way", () => true, async (client) => {
  let reportedBytes = 0;
  const response = await client.get("/big.bin", {
    onDownloadProgress: ({ bytes }) => void (reportedBytes = bytes),
  });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of response) chunks.push(chunk);
  assertEquals(await sha256(await new Blob(chunks).bytes()), await sha256(BIG));
  assertEquals(reportedBytes, BIG.length);
  for (let count = 0; count < 5; count++) {
    await using half = await client.get("/big.bin");
    for await (const chunk of half) if (chunk.length > 0) break;
  }
  assertEquals((await (await client.get("/1.bin")).bytes()).length, 300);
});

filesTest("nothing new since", () => true, async (client) => {
  const first = await client.get("/page.txt");
  await first.discard();
  const fields = [
    ["last-modified", "if-modified-since"],
    ["etag", "if-none-match"],
  ] as const;
  for (const [from, to] of fields) {
    const value = first.headers.get(from);
    if (value === undefined) continue;
    for (let count = 0; count < 3; count++) {
      const response = await client.get("/page.txt", { headers: [[to, value]] });
      assertEquals([response.status, await response.text()], [304, ""]);
    }
  }
});

filesTest("a file in ranges, put together again", ({ hasRanges }) => hasRanges, async (client) => {
  const size = 100_000;
  const head = await client.head("/big.bin");
  const tag = head.headers.get("etag")!;
  const parts = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const last = (index + 1) * size - 1;
      const range = `bytes=${index * size}-${last}`;
      const headers = { "range": range, "if-range": tag, "accept-encoding": "identity" };
      const response = await client.get("/big.bin", { headers });
      const { status } = response;
      const where = response.headers.get("content-range");
      assertEquals([status, where], [206, `bytes ${index * size}-${last}/${BIG.length}`]);
      return await response.bytes();
    }),
  );
  assertEquals(await sha256(await new Blob(parts).bytes()), await sha256(BIG.slice(0, 40 * size)));
  const beyond = await client.get("/big.bin", { headers: { range: `bytes=${BIG.length}-` } });
  assertEquals(beyond.status, 416);
  await beyond.discard();
  const several = await client.get("/big.bin", { headers: { range: "bytes=0-1,5-6" } });
  assert(several.headers.get("content-type")!.startsWith("multipart/byteranges"));
  await several.discard();
});

filesTest("each of its codings", ({ codings }) => codings.length > 0, async (client, server) => {
  for (const coding of server.codings) {
    for (let count = 0; count < 3; count++) {
      const response = await client.get("/page.txt", { headers: { "accept-encoding": coding } });
      assertEquals(response.headers.get("content-encoding"), coding);
      assertEquals(await response.text(), PAGE);
    }
    const raw = await client.get("/page.txt", {
      headers: { "accept-encoding": coding },
      decompress: false,
    });
    const { length } = await raw.bytes();
    assert(length > 0 && length < PAGE.length / 2, `${length} bytes`);
  }
  const plain = await client.get("/page.txt", { headers: { "accept-encoding": "identity" } });
  assertEquals([plain.headers.get("content-encoding"), await plain.text()], [undefined, PAGE]);
  // Whatever it likes best of all we take.
  const pages = await Promise.all(
    Array.from({ length: 100 }, async () => await (await client.get("/page.txt")).text()),
  );
  assertEquals(new Set(pages), new Set([PAGE]));
});
