import { assert, assertEquals, assertRejects } from "@std/assert";
import zlib from "node:zlib";
import { ZlibPump, type ZlibStream } from "../../http/_zlib_pump.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const { Z_SYNC_FLUSH } = zlib.constants;

function create(level = 6): ZlibPump {
  return new ZlibPump(zlib.createGzip({ level }) as unknown as ZlibStream, Z_SYNC_FLUSH);
}

async function collect(...outputs: AsyncIterable<Uint8Array>[]): Promise<Uint8Array> {
  const pieces: BlobPart[] = [];
  for (const output of outputs) {
    for await (const piece of output) pieces.push(piece as Uint8Array<ArrayBuffer>);
  }
  return await new Blob(pieces).bytes();
}

Deno.test("ZlibPump gives more at once than its stream keeps", async () => {
  // Level 0 stores: what comes out is as large as what goes in, far above any buffer.
  const pump = create(0);
  const input = new Uint8Array(2_000_000).fill(7);
  const bytes = await collect(pump.write(input), pump.finish());
  pump.close();
  assert(bytes.length > input.length);
  assertEquals(zlib.gunzipSync(bytes).length, input.length);
});

Deno.test("ZlibPump.flush() lets out what has gone in", async () => {
  const pump = create();
  const bytes = await collect(pump.write(bytesOf("hello")), pump.flush());
  assertEquals(zlib.gunzipSync(bytes, { finishFlush: Z_SYNC_FLUSH }).toString(), "hello");
  pump.close();
});

Deno.test("ZlibPump counts what was made use of", async () => {
  const coded = Uint8Array.from(zlib.gzipSync("hello"));
  const pump = new ZlibPump(zlib.createGunzip() as unknown as ZlibStream);
  assertEquals(textOf(await collect(pump.write(coded))), "hello");
  assertEquals(pump.usedBytes, coded.length);
  pump.close();
});

Deno.test("ZlibPump gives what came out in front of what is malformed", async () => {
  const coded = Uint8Array.from(zlib.gzipSync(new Uint8Array(100_000)));
  coded.fill(0xff, coded.length - 8);
  const pump = new ZlibPump(zlib.createGunzip() as unknown as ZlibStream);
  let count = 0;
  await assertRejects(async () => {
    for await (const piece of pump.write(coded)) count += piece.length;
    for await (const piece of pump.finish()) count += piece.length;
  }, Error);
  assert(count > 0);
  pump.close();
});

Deno.test("ZlibPump.close() fails what waits and what comes later", async () => {
  const pump = create();
  const writing = collect(pump.write(new Uint8Array(1_000_000)));
  pump.close();
  await assertRejects(() => writing);
  await assertRejects(() => collect(pump.write(new Uint8Array(1))));
  await assertRejects(() => collect(pump.flush()));
  await assertRejects(() => collect(pump.finish()));
  pump.close();
});
