import { assert, assertEquals, assertRejects } from "@std/assert";
import zlib from "node:zlib";
import { CompressedWriter } from "../../http/compressed_writer.ts";
import { CompressionEngine } from "../../http/compression_engine.ts";
import { HttpStateError } from "../../http/errors.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

const { Z_FINISH, Z_SYNC_FLUSH } = zlib.constants;
const LEVELS = { br: 4, zstd: 2, gzip: 1, deflate: 1 };

interface Made {
  readonly writer: CompressedWriter;
  readonly controller: AbortController;
  endCount: number;
  openCount: number;
}

async function make(announcedBytes?: number): Promise<Made> {
  const engine = await CompressionEngine.load(LEVELS);
  const controller = new AbortController();
  const made: Made = {
    writer: new CompressedWriter({
      open: () => {
        made.openCount++;
        // As where the module behind it is still being loaded.
        return Promise.resolve(engine.stream("gzip", false));
      },
      announcedBytes,
      signal: controller.signal,
      onEnd: () => made.endCount++,
    }),
    controller,
    endCount: 0,
    openCount: 0,
  };
  return made;
}

async function collect(output: AsyncIterable<Uint8Array>, all: Uint8Array[] = []): Promise<number> {
  let count = 0;
  for await (const piece of output) {
    count += piece.length;
    all.push(piece);
  }
  return count;
}

async function inflate(pieces: Uint8Array[], finishFlush: number = Z_FINISH): Promise<string> {
  const bytes = await new Blob(pieces as BlobPart[]).bytes();
  return zlib.gunzipSync(bytes, { finishFlush }).toString();
}

Deno.test("CompressedWriter lets every piece out that nothing waits behind", async () => {
  const { writer } = await make();
  const all: Uint8Array[] = [];
  let text = "";
  for (const piece of ["one", "two", "three"]) {
    await collect(writer.write(bytesOf(piece), false), all);
    text += piece;
    assertEquals(await inflate(all, Z_SYNC_FLUSH), text);
  }
  await collect(writer.finish(), all);
  assertEquals(await inflate(all), text);
});

Deno.test("CompressedWriter keeps back what more follows, and lets it out with the last", async () => {
  const { writer } = await make();
  const all: Uint8Array[] = [];
  await collect(writer.write(bytesOf("one"), false), all);
  assertEquals(await collect(writer.write(bytesOf("two"), true), all), 0);
  // An empty piece has nothing to say itself, but ends the waiting.
  await collect(writer.write(bytesOf(""), false), all);
  assertEquals(await inflate(all, Z_SYNC_FLUSH), "onetwo");
  assertEquals(await collect(writer.write(bytesOf(""), false), all), 0);
  writer.close();
});

Deno.test("CompressedWriter compresses a piece of many slices, and a body of none", async () => {
  const large = await make();
  const all: Uint8Array[] = [];
  const text = "word ".repeat(100_000);
  await collect(large.writer.write(bytesOf(text), false), all);
  await collect(large.writer.finish(), all);
  assertEquals(await inflate(all), text);
  const none = await make();
  const nothing: Uint8Array[] = [];
  await collect(none.writer.finish(), nothing);
  assertEquals(await inflate(nothing), "");
  assertEquals([large.endCount, none.endCount], [1, 1]);
});

Deno.test("CompressedWriter holds a body to the length that was announced", async () => {
  for (const [length, isRight] of [[4, false], [5, true], [6, false]] as const) {
    const { writer } = await make(5);
    const run = async () => {
      await collect(writer.write(new Uint8Array(length), false));
      await collect(writer.finish());
    };
    if (isRight) await run();
    else {
      const { code } = await assertRejects(run, HttpStateError);
      assertEquals(code, "ERR_HTTP_BODY_LENGTH_MISMATCH");
    }
    writer.close();
  }
});

Deno.test("CompressedWriter.stream() compresses a whole body", async () => {
  const made = await make();
  const all: Uint8Array[] = [];
  const output = made.writer.stream(ReadableStream.from(["hello ", "world"]));
  await collect(output, all);
  assertEquals(await inflate(all), "hello world");
  assertEquals(made.endCount, 1);
});

Deno.test("CompressedWriter.close() ends once, and fails what comes later", async () => {
  const made = await make();
  const waiting = collect(made.writer.write(bytesOf("a"), false));
  made.writer.close();
  made.writer.close();
  assertEquals(made.endCount, 1);
  await assertRejects(() => waiting);
  await assertRejects(() => collect(made.writer.write(bytesOf("a"), false)));
  assert(made.openCount === 1);
});

Deno.test("CompressedWriter ends with its client, also one that nobody has written to", async () => {
  const made = await make();
  made.controller.abort();
  assertEquals(made.endCount, 1);
  await assertRejects(() => collect(made.writer.write(bytesOf("a"), false)));
  made.writer.close();
  assertEquals([made.endCount, made.openCount], [1, 1]);
});
