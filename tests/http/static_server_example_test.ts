import { assert, assertEquals } from "@std/assert";
import { createStaticServer } from "../../examples/static_server.ts";
import { fieldOf, RawServer, TestFolder } from "../_support/file_server.ts";

Deno.test("examples/static_server.ts serves, lists, logs and tells of large downloads", async () => {
  await using folder = new TestFolder();
  await folder.write("a.txt", "a");
  await folder.write("large.bin", new Uint8Array(3_000_000));
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const options = { root: folder.path, listing: true, progressBytes: 1_000_000, log };
  await using server = new RawServer(createStaticServer(options));
  assertEquals((await server.ask("GET /a.txt")).body, "a");
  assert((await server.ask("GET /")).body.includes("large.bin"));
  assertEquals((await server.ask("GET /none")).status, 404);
  assertEquals((await server.ask("GET /large.bin")).body.length, 3_000_000);
  assertEquals(lines.filter((line) => line.includes('"GET /a.txt HTTP/1.1" 200')).length, 1);
  const told = lines.filter((line) => line.includes(" % of 2.9 MiB"));
  assert(told.length >= 5 && told.length <= 11, told.join("\n"));
  assert(told.at(-1)!.includes(" 100 % "));
});

Deno.test("examples/static_server.ts compresses text, unless it is large or that is not wanted", async () => {
  await using folder = new TestFolder();
  await folder.write("small.txt", "word ".repeat(1_000));
  await folder.write("beside.txt", "word ".repeat(1_000));
  await folder.write("beside.txt.gz", "made before");
  await folder.write("large.txt", new Uint8Array(8 * 1_048_576 + 1).fill(0x20));
  for (const compression of [true, false]) {
    const handler = createStaticServer({ root: folder.path, compression });
    await using server = new RawServer(handler);
    const accepted = ["Accept-Encoding: gzip"];
    const small = await server.ask("GET /small.txt", accepted);
    assertEquals(fieldOf(small, "content-encoding"), compression ? "gzip" : undefined);
    assertEquals(small.body.length < 1_000, compression);
    const beside = await server.ask("GET /beside.txt", accepted);
    assertEquals(beside.body === "made before", compression);
    const large = await server.ask("HEAD /large.txt", accepted);
    assertEquals(fieldOf(large, "content-encoding"), undefined);
    assertEquals(fieldOf(large, "content-length"), `${8 * 1_048_576 + 1}`);
    const varies = small.fields.filter(([name]) => name.toLowerCase() === "vary");
    assertEquals(varies.length, compression ? 1 : 0);
  }
});

Deno.test("examples/static_server.ts is quiet where it is told to", async () => {
  await using folder = new TestFolder();
  await folder.write("large.bin", new Uint8Array(300_000));
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const options = { root: folder.path, logRequests: false, progressBytes: Infinity, log };
  await using server = new RawServer(createStaticServer(options));
  assertEquals((await server.ask("GET /large.bin")).status, 200);
  assertEquals(lines, []);
});
