import { assert, assertEquals } from "@std/assert";
import zlib from "node:zlib";
import { CompressionEngine, MAX_WHOLE_BYTES } from "../../http/compression_engine.ts";
import type { ContentCoding } from "../../http/content_coding.ts";

const CODINGS: readonly ContentCoding[] = ["br", "zstd", "gzip", "deflate"];
const LEVELS = { br: 4, zstd: 2, gzip: 1, deflate: 1 };
const text = new TextEncoder().encode(
  JSON.stringify(Array.from({ length: 2_000 }, (_, id) => ({ id, name: `customer ${id * 7}` }))),
);

function undo(coding: ContentCoding, bytes: Uint8Array): Uint8Array {
  switch (coding) {
    case "br":
      return zlib.brotliDecompressSync(bytes);
    case "zstd":
      return zlib.zstdDecompressSync(bytes);
    case "gzip":
      return zlib.gunzipSync(bytes);
    case "deflate":
      return zlib.inflateSync(bytes);
  }
}

function random(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(new Uint8Array(actual), expected);
}

for (const coding of CODINGS) {
  Deno.test(`CompressionEngine.compress() compresses bodies of all lengths in ${coding}`, async () => {
    const engine = await CompressionEngine.load(LEVELS);
    const inputs = [
      ...[0, 1, 2, 1_000, 60_000].map((length) => text.subarray(0, length)),
      // Does not get smaller, and has to come out all the same.
      random(MAX_WHOLE_BYTES),
      new Uint8Array(MAX_WHOLE_BYTES),
    ];
    for (const input of [...inputs, ...inputs]) {
      assertSame(undo(coding, engine.compress(coding, input)), new Uint8Array(input));
    }
    assert(engine.compress(coding, text).length < text.length / 2);
  });

  Deno.test(`CompressionEngine.compress() gives memory of its own in ${coding}`, async () => {
    const engine = await CompressionEngine.load(LEVELS);
    const first = engine.compress(coding, text);
    const copy = new Uint8Array(first);
    engine.compress(coding, random(2_000));
    assertSame(first, copy);
  });

  for (const isSmall of [false, true]) {
    Deno.test(`CompressionEngine.stream() lets everything out in ${coding}, small: ${isSmall}`, async () => {
      const engine = await CompressionEngine.load(LEVELS);
      const stream = engine.stream(coding, isSmall);
      const all: Uint8Array[] = [];
      for (const piece of [text.subarray(0, 10), random(200_000), text]) {
        const before = all.length;
        all.push(...await Array.fromAsync(stream.write(piece)));
        all.push(...await Array.fromAsync(stream.flush()));
        assert(all.length > before);
      }
      all.push(...await Array.fromAsync(stream.finish()));
      stream.close();
      assertEquals(
        undo(coding, await new Blob(all as BlobPart[]).bytes()).length,
        200_010 + text.length,
      );
    });
  }
}
