import { assert, assertEquals } from "@std/assert";
import { createStaticServer } from "../../examples/static_server.ts";
import { RawServer, TestFolder } from "../_support/file_server.ts";

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
