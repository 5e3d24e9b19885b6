import { assert, assertEquals, assertRejects } from "@std/assert";
import zlib from "node:zlib";
import type { ZlibPump } from "../../http/_zlib_pump.ts";
import { CompressedBody } from "../../http/compressed_body.ts";
import { CompressionEngine } from "../../http/compression_engine.ts";
import { HttpStateError } from "../../http/errors.ts";
import type { StreamSource } from "../../http/server_stream.ts";
import { turn } from "../_support/server_harness.ts";

const engine = await CompressionEngine.load({ br: 4, zstd: 2, gzip: 1, deflate: 1 });
const { constants } = zlib;

interface Made {
  readonly body: CompressedBody;
  readonly controller: AbortController;
  endCount: number;
}

function make(source: StreamSource, announcedBytes?: number): Made {
  const controller = new AbortController();
  const made: Made = {
    body: new CompressedBody(source, {
      open: () => engine.stream("gzip", false),
      announcedBytes,
      signal: controller.signal,
      onEnd: () => made.endCount++,
    }),
    controller,
    endCount: 0,
  };
  return made;
}

async function readAll(body: CompressedBody): Promise<Uint8Array[]> {
  return await Array.fromAsync(body);
}

async function inflate(pieces: readonly Uint8Array[], isWhole = true): Promise<string> {
  const bytes = await new Blob([...pieces] as BlobPart[]).bytes();
  const finishFlush = isWhole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
  return zlib.gunzipSync(bytes, { finishFlush }).toString();
}

/** A source that gives what it is told to, when it is told. */
class Puppet implements AsyncIterableIterator<Uint8Array | string> {
  pulledCount = 0;
  isStopped = false;
  #waiting: ((result: IteratorResult<Uint8Array | string, undefined>) => void) | undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array | string, undefined>> {
    this.pulledCount++;
    return new Promise((resolve) => this.#waiting = resolve);
  }

  give(value: Uint8Array | string): void {
    this.#waiting!({ done: false, value });
  }

  return(): Promise<IteratorResult<Uint8Array | string, undefined>> {
    this.isStopped = true;
    return Promise.resolve({ done: true, value: undefined });
  }
}

for (
  const [name, pieces] of [
    ["nothing", []],
    ["an empty piece", [""]],
    ["text", ["hello ", "", "world"]],
    ["bytes", [new TextEncoder().encode("hello")]],
    ["a piece of many slices", ["x".repeat(300_000), "y"]],
  ] as const
) {
  Deno.test(`CompressedBody compresses ${name}`, async () => {
    const made = make(ReadableStream.from<string | Uint8Array>([...pieces]));
    const expected = pieces.map((piece) =>
      typeof piece === "string" ? piece : new TextDecoder().decode(piece)
    ).join("");
    assertEquals(await inflate(await readAll(made.body)), expected);
    assertEquals(made.endCount, 1);
    assertEquals((await made.body.next()).done, true);
  });
}

Deno.test("CompressedBody gives every piece of a slow source before it asks for long", async () => {
  const source = new Puppet();
  const { body } = make(source);
  const seen: Uint8Array[] = [];
  for (const text of ["a", "b", "c"]) {
    const next = body.next();
    await turn();
    source.give(text);
    const { value } = await next;
    seen.push(value!);
    assert((await inflate(seen, false)).endsWith(text));
  }
  await body.return();
});

Deno.test("CompressedBody does not flush between pieces that are at hand", async () => {
  const text = "word ".repeat(20);
  async function* source(): AsyncGenerator<string> {
    for (let count = 0; count < 100; count++) yield text;
  }
  const pieces = await readAll(make(source()).body);
  assertEquals(await inflate(pieces), text.repeat(100));
  // A compressor may let something out by itself.
  assert(pieces.length < 50, `${pieces.length}`);
});

Deno.test("CompressedBody asks for one piece more than was taken", async () => {
  const source = new Puppet();
  const { body } = make(source);
  const next = body.next();
  await turn();
  source.give("a");
  await next;
  await turn();
  assertEquals(source.pulledCount, 2);
  source.give("b");
  await turn();
  assertEquals(source.pulledCount, 2);
  await body.return();
});

Deno.test("CompressedBody.return() stops a source that says nothing", async () => {
  const source = new Puppet();
  const made = make(source);
  const next = made.body.next();
  next.catch(() => {});
  await turn();
  await made.body.return();
  assertEquals(source.isStopped, true);
  assertEquals(made.endCount, 1);
  await made.body.return();
  assertEquals(made.endCount, 1);
});

Deno.test("CompressedBody.return() lets go of a compressor that is still on its way", async () => {
  const { promise, resolve } = Promise.withResolvers<ZlibPump>();
  let endCount = 0;
  const body = new CompressedBody(ReadableStream.from(["a"]), {
    open: () => promise,
    announcedBytes: undefined,
    signal: new AbortController().signal,
    onEnd: () => endCount++,
  });
  const next = body.next();
  await body.return();
  const pump = engine.stream("gzip", false);
  resolve(pump);
  assertEquals((await next).done, true);
  assertEquals(endCount, 1);
  await assertRejects(() => Array.fromAsync(pump.flush()));
});

Deno.test("CompressedBody lets go of a source that nobody has begun to read", () => {
  const source = new Puppet();
  const made = make(source);
  made.controller.abort();
  assertEquals(source.isStopped, true);
  assertEquals(made.endCount, 1);
});

Deno.test("CompressedBody fails with its source, behind what came before", async () => {
  const failure = new Error("broken");
  async function* source(): AsyncGenerator<string> {
    yield "a";
    throw failure;
  }
  const made = make(source());
  assertEquals(await assertRejects(() => readAll(made.body)), failure);
  assertEquals(made.endCount, 1);
});

Deno.test("CompressedBody fails on what is neither bytes nor text", async () => {
  const made = make(ReadableStream.from([1 as unknown as string]));
  await assertRejects(() => readAll(made.body), TypeError);
  assertEquals(made.endCount, 1);
});

for (const [announcedBytes, isRight] of [[4, false], [5, true], [6, false]] as const) {
  Deno.test(`CompressedBody holds 5 bytes to an announced ${announcedBytes}: ${isRight}`, async () => {
    const { body } = make(ReadableStream.from(["hello"]), announcedBytes);
    if (isRight) {
      assertEquals(await inflate(await readAll(body)), "hello");
      return;
    }
    const error = await assertRejects(() => readAll(body), HttpStateError);
    assertEquals(error.code, "ERR_HTTP_BODY_LENGTH_MISMATCH");
  });
}
