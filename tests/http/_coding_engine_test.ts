import { assertEquals, assertRejects } from "@std/assert";
import { deflateRawSync, gzipSync } from "node:zlib";
import { createEngine, trailingBytes, truncatedCoding } from "../../http/_coding_engine.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += textOf(piece);
  return text;
}

Deno.test("CodingEngine gives what it is fed, and counts what it leaves", async () => {
  const engine = await createEngine("deflate-raw");
  const encoded = Uint8Array.from(deflateRawSync(bytesOf("hello")));
  assertEquals(await collect(engine.feed(new Uint8Array(0))), "");
  let text = await collect(engine.feed(encoded.subarray(0, 2)));
  text += await collect(engine.feed(Uint8Array.of(...encoded.subarray(2), 1, 2, 3)));
  assertEquals([text + await collect(engine.finish()), engine.unusedBytes], ["hello", 3]);
  engine.close();
});

Deno.test("CodingEngine makes no more than is asked for", async () => {
  const engine = await createEngine("gzip");
  const encoded = Uint8Array.from(gzipSync(new Uint8Array(50 * 1024 * 1024)));
  let takenBytes = 0;
  for await (const piece of engine.feed(encoded)) {
    takenBytes += piece.length;
    if (takenBytes > 1_000_000) break;
  }
  engine.close();
  assertEquals(takenBytes < 2_000_000, true);
});

Deno.test("CodingEngine tells the end that came too early from what is malformed", async () => {
  const cut = await createEngine("gzip");
  await collect(cut.feed(Uint8Array.from(gzipSync(bytesOf("hello"))).subarray(0, 12)));
  const early = await assertRejects(() => collect(cut.finish()), HttpProtocolError);
  assertEquals(early.code, truncatedCoding().code);
  const bad = await createEngine("gzip");
  const malformed = await assertRejects(
    () => collect(bad.feed(bytesOf("no gzip at all"))),
    HttpProtocolError,
  );
  assertEquals(malformed.code, trailingBytes().code);
  cut.close();
  bad.close();
});
