import { assert, assertEquals, assertRejects } from "@std/assert";
import zlib from "node:zlib";
import { StreamCompressor, type TransformStreamLike } from "../../http/_stream_compressor.ts";

const { Z_SYNC_FLUSH } = zlib.constants;

function create(level = 6): StreamCompressor {
  return new StreamCompressor(
    zlib.createGzip({ level }) as unknown as TransformStreamLike,
    Z_SYNC_FLUSH,
  );
}

Deno.test("StreamCompressor gives more at once than its stream keeps", async () => {
  // Level 0 stores: what comes out is as large as what goes in, far above any buffer.
  const compressor = create(0);
  const input = new Uint8Array(2_000_000).fill(7);
  const pieces: Uint8Array[] = [];
  await compressor.write(input, pieces);
  await compressor.finish(pieces);
  compressor.close();
  const bytes = await new Blob(pieces as BlobPart[]).bytes();
  assert(bytes.length > input.length);
  assertEquals(zlib.gunzipSync(bytes).length, input.length);
});

Deno.test("StreamCompressor.flush() lets out what has gone in, and nothing the second time", async () => {
  const compressor = create();
  const pieces: Uint8Array[] = [];
  await compressor.write(new TextEncoder().encode("hello"), pieces);
  await compressor.flush(pieces);
  const bytes = await new Blob(pieces as BlobPart[]).bytes();
  const text = zlib.gunzipSync(bytes, { finishFlush: Z_SYNC_FLUSH }).toString();
  assertEquals(text, "hello");
  compressor.close();
});

Deno.test("StreamCompressor.close() fails what waits and what comes later", async () => {
  const compressor = create();
  const writing = compressor.write(new Uint8Array(1_000_000), []);
  compressor.close();
  await assertRejects(() => writing);
  await assertRejects(() => compressor.write(new Uint8Array(1), []));
  await assertRejects(() => compressor.flush([]));
  compressor.close();
});
