import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import {
  collectResponse,
  decodeResponse,
  type ResponseBodySource,
  type ResponseDecodingOptions,
} from "../../http/client_decoding.ts";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import { HeaderList } from "../../http/header_list.ts";
import { ConnectionClosedError, LimitExceededError } from "../../nbio/errors.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

/** A body of a response that a test gives piece by piece. */
class ScriptedResponse implements ResponseBodySource {
  readonly bodyLength: number | undefined;
  /** Reads so far. */
  readCount = 0;
  /** Whether it was closed before its end. */
  isClosed = false;
  /** Whether the end was read. */
  isEnded = false;
  /** What a read fails with behind the last piece. */
  failure: Error | undefined;
  /** Whether a read behind the last piece waits until it is closed. */
  isSilent = false;
  /** Whether such a read then gives the end, and does not fail. */
  endsWhenClosed = false;
  readonly #pieces: Uint8Array<ArrayBuffer>[];
  #waiting: PromiseWithResolvers<undefined> | undefined;

  constructor(pieces: readonly Uint8Array[], bodyLength?: number) {
    this.#pieces = pieces.map((piece) => new Uint8Array(piece)).filter(({ length }) => length > 0);
    this.bodyLength = bodyLength;
  }

  read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.readCount++;
    if (this.isClosed) return Promise.reject(new ConnectionClosedError("closed"));
    const piece = this.#pieces.shift();
    if (piece !== undefined) return Promise.resolve(piece);
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.isSilent) return (this.#waiting = Promise.withResolvers()).promise;
    this.isEnded = true;
    return Promise.resolve(undefined);
  }

  close(): void {
    if (this.isEnded) return;
    this.isClosed = true;
    if (this.endsWhenClosed) this.#waiting?.resolve(undefined);
    else this.#waiting?.reject(new ConnectionClosedError("closed"));
  }
}

function headersOf(coding: string | undefined): HeaderList {
  return new HeaderList(coding === undefined ? [] : [["Content-Encoding", coding]]);
}

function decode(
  source: ResponseBodySource,
  coding: string | undefined,
  options: ResponseDecodingOptions = {},
): ResponseBodySource {
  return decodeResponse(source, headersOf(coding), options);
}

async function decodeAll(
  pieces: readonly Uint8Array[],
  coding: string | undefined,
  options: ResponseDecodingOptions = {},
): Promise<string> {
  return textOf(await collectResponse(decode(new ScriptedResponse(pieces), coding, options), 1e9));
}

const CODINGS: readonly (readonly [
  name: string,
  token: string,
  encode: (bytes: Uint8Array) => Uint8Array,
])[] = [
  ["gzip", "gzip", gzipSync],
  ["gzip by its old name", "X-GZIP", gzipSync],
  ["deflate", "deflate", deflateSync],
  ["bare deflate", "deflate", deflateRawSync],
  ["br", "br", brotliCompressSync],
  ["zstd", "zstd", zstdCompressSync],
];
const TEXT = "a body, a body, and another body; ".repeat(3);

for (const [name, token, encode] of CODINGS) {
  Deno.test(`decodeResponse() undoes ${name} however it is cut`, async () => {
    for (const pieces of everySplit(encode(bytesOf(TEXT)))) {
      const source = new ScriptedResponse(pieces);
      const body = decode(source, token);
      assertEquals(body.bodyLength, undefined);
      assertEquals(textOf(await collectResponse(body, Infinity)), TEXT);
      // To its end, so that the connection is free again.
      assertEquals([source.isEnded, source.isClosed], [true, false]);
      assertEquals(await body.read(), undefined);
    }
  });

  Deno.test(`decodeResponse() throws on every strict prefix of ${name}, and closes`, async () => {
    const encoded = encode(bytesOf(TEXT));
    for (let length = 1; length < encoded.length; length++) {
      const source = new ScriptedResponse([encoded.slice(0, length)]);
      const body = decode(source, token);
      const error = await assertRejects(() => collectResponse(body, 1e9), HttpProtocolError);
      assert(/^ERR_HTTP_(TRUNCATED|BAD)_CONTENT_CODING$/.test(error.code), error.code);
      assertStrictEquals(await assertRejects(() => body.read()), error);
    }
  });

  Deno.test(`decodeResponse() throws on bytes behind the end of ${name}, and closes`, async () => {
    const encoded = encode(bytesOf(TEXT));
    const source = new ScriptedResponse([encoded, bytesOf("garbage"), encoded]);
    await assertRejects(() => collectResponse(decode(source, token), 1e9), HttpProtocolError);
    assertEquals(source.isClosed, true);
  });

  Deno.test(`decodeResponse() stops a bomb of ${name}`, async () => {
    const bomb = encode(new Uint8Array(64 * 1024 * 1024));
    const options = { maxDecodingRatio: 100 };
    const source = new ScriptedResponse([bomb, bomb]);
    const body = decode(source, token, options);
    const error = await assertRejects(() => collectResponse(body, Infinity), LimitExceededError);
    assertEquals([error.limit, error.max], ["maxDecodingRatio", 100]);
    assertEquals(source.isClosed, true);
  });

  Deno.test(`decodeResponse() counts the decoded bytes of ${name}`, async () => {
    const encoded = encode(bytesOf(TEXT));
    const max = TEXT.length;
    assertEquals(await decodeAll([encoded], token, { maxResponseBytes: max }), TEXT);
    const error = await assertRejects(
      () => decodeAll([encoded], token, { maxResponseBytes: max - 1 }),
      LimitExceededError,
    );
    assertEquals([error.limit, error.max, error.statusHint], [
      "maxResponseBytes",
      max - 1,
      undefined,
    ]);
    // What does not shrink is allowed its overhead.
    assertEquals(await decodeAll([encode(bytesOf("x"))], token, { maxResponseBytes: 1 }), "x");
    const random = new SeededRandom(5);
    const noise = Uint8Array.from({ length: 100_000 }, () => random.int(256));
    const options = { maxResponseBytes: noise.length };
    assertEquals((await decodeAll([encode(noise)], token, options)).length, noise.length);
  });
}

Deno.test("decodeResponse() undoes five codings, the last one first, and no sixth", async () => {
  let bytes: Uint8Array = bytesOf(TEXT);
  for (const encode of [gzipSync, brotliCompressSync, deflateSync, zstdCompressSync, gzipSync]) {
    bytes = encode(bytes);
  }
  const codings = "gzip, br,deflate , zstd, , identity,gzip";
  assertEquals(await decodeAll([bytes], codings), TEXT);
  const source = new ScriptedResponse([bytes]);
  const error = assertThrows(() => decode(source, `${codings}, gzip`), LimitExceededError);
  assertEquals([error.limit, error.max, source.isClosed], ["maxContentCodings", 5, true]);
  assertThrows(() => decode(source, "gzip, gzip", { maxContentCodings: 1 }), LimitExceededError);
});

Deno.test("decodeResponse() takes codings from several fields", async () => {
  const headers = new HeaderList([["content-encoding", "gzip"], ["Content-Encoding", "br"]]);
  const source = new ScriptedResponse([brotliCompressSync(gzipSync(bytesOf(TEXT)))]);
  const body = decodeResponse(source, headers);
  assertEquals(textOf(await collectResponse(body, 1e9)), TEXT);
});

for (const coding of [undefined, "", "identity", "compress", "gzip, compress", "gzip2", "zip"]) {
  Deno.test(`decodeResponse() gives ${coding ?? "no coding"} as it came`, () => {
    const source = new ScriptedResponse([bytesOf("x")]);
    assertStrictEquals(decode(source, coding), source);
  });
}

Deno.test("decodeResponse() decodes nothing where that is not wanted, or there is nothing", () => {
  const source = new ScriptedResponse([bytesOf("x")], 1);
  assertStrictEquals(decode(source, "gzip", { decompress: false }), source);
  const empty = new ScriptedResponse([], 0);
  assertStrictEquals(decode(empty, "gzip"), empty);
});

Deno.test("decodeResponse() takes no byte for a body of any coding", async () => {
  for (const [, token] of CODINGS) assertEquals(await decodeAll([], token), "");
});

Deno.test("decodeResponse() holds a plain body to maxResponseBytes", async () => {
  const pieces = ["abc", "de"].map(bytesOf);
  assertEquals(await decodeAll(pieces, undefined, { maxResponseBytes: 5 }), "abcde");
  for (const options of [{ maxResponseBytes: 0 }, { maxResponseBytes: Infinity }]) {
    assertEquals(await decodeAll(pieces, undefined, options), "abcde");
  }
  const source = new ScriptedResponse(pieces);
  const body = decode(source, undefined, { maxResponseBytes: 4 });
  assertEquals(textOf((await body.read())!), "abc");
  const error = await assertRejects(() => body.read(), LimitExceededError);
  assertEquals([error.limit, error.max, source.isClosed], ["maxResponseBytes", 4, true]);
  assertStrictEquals(await assertRejects(() => body.read()), error);
});

Deno.test("decodeResponse() believes a head that tells of too much, at once", () => {
  const source = new ScriptedResponse([bytesOf("abcde")], 5);
  assertStrictEquals(decode(source, undefined, { maxResponseBytes: 5 }), source);
  assertEquals(source.isClosed, false);
  assertThrows(() => decode(source, undefined, { maxResponseBytes: 4 }), LimitExceededError);
  assertEquals([source.isClosed, source.readCount], [true, 0]);
});

Deno.test("decodeResponse() bounds what comes and becomes nothing", async () => {
  // Frames that zstd skips.
  const skipped = Uint8Array.of(
    0x50,
    0x2a,
    0x4d,
    0x18,
    0xff,
    0xff,
    0,
    0,
    ...new Uint8Array(65_535),
  );
  const source = new ScriptedResponse([skipped, skipped]);
  const body = decode(source, "zstd", { maxResponseBytes: 100 });
  await assertRejects(() => body.read(), LimitExceededError);
  assertEquals(source.isClosed, true);
});

Deno.test("decodeResponse() reads nothing ahead of its reader", async () => {
  const random = new SeededRandom(6);
  const noise = Uint8Array.from({ length: 500_000 }, () => random.int(256));
  const encoded = gzipSync(noise);
  const pieces = Array.from(
    { length: 50 },
    (_, index) => encoded.subarray(index * 10_100, (index + 1) * 10_100),
  );
  const source = new ScriptedResponse(pieces);
  const body = decode(source, "gzip");
  assertEquals(source.readCount, 0);
  await body.read();
  await settle();
  assert(source.readCount < 10, `${source.readCount} reads`);
  body.close();
  assertEquals(source.isClosed, true);
});

Deno.test("decodeResponse() gives memory that belongs to the reader", async () => {
  const bytes = new Uint8Array(100_000).fill(7);
  const body = decode(new ScriptedResponse([gzipSync(bytes)]), "gzip");
  let length = 0;
  for (let chunk; (chunk = await body.read()) !== undefined;) {
    assertEquals(chunk.every((byte) => byte === 7), true);
    length += chunk.length;
    chunk.buffer.transfer();
  }
  assertEquals(length, bytes.length);
});

Deno.test("decodeResponse() passes on what its source fails with", async () => {
  const source = new ScriptedResponse([gzipSync(bytesOf(TEXT)).subarray(0, 20)]);
  source.failure = new EvalError("reset");
  await assertRejects(() => collectResponse(decode(source, "gzip"), 1e9), EvalError);
});

for (const coding of [undefined, "gzip", "br"]) {
  Deno.test(`closing ${coding ?? "a bounded body"} ends a read that waits, and all later ones`, async () => {
    const source = new ScriptedResponse([]);
    source.isSilent = true;
    const body = decode(source, coding, { maxResponseBytes: 1_000 });
    const reading = assertRejects(() => body.read(), ConnectionClosedError);
    await settle();
    await assertRejects(() => body.read(), HttpStateError);
    body.close();
    body.close();
    await reading;
    await assertRejects(() => body.read(), ConnectionClosedError);
  });

  Deno.test(`closing ${coding ?? "a bounded body"} before its end is no end`, async () => {
    const encoded = bytesOf(TEXT);
    const bytes = coding === "gzip"
      ? gzipSync(encoded)
      : coding === "br"
      ? brotliCompressSync(encoded)
      : encoded;
    const source = new ScriptedResponse([bytes, bytes]);
    const body = decode(source, coding, { maxResponseBytes: 1_000 });
    if (coding === undefined) await body.read();
    body.close();
    await assertRejects(() => body.read(), ConnectionClosedError);
    assertEquals(source.isClosed, true);
  });
}

Deno.test("what a source gives for its end when it is closed is none", async () => {
  const source = new ScriptedResponse([]);
  source.isSilent = source.endsWhenClosed = true;
  const body = decode(source, undefined, { maxResponseBytes: 10 });
  const reading = assertRejects(() => body.read(), ConnectionClosedError);
  await settle();
  body.close();
  await reading;
});

Deno.test("closing behind the end changes nothing", async () => {
  const body = decode(new ScriptedResponse([gzipSync(bytesOf("x"))]), "gzip");
  await collectResponse(body, 10);
  body.close();
  assertEquals(await body.read(), undefined);
});

Deno.test("decodeResponse() refuses bounds out of range", () => {
  const source = new ScriptedResponse([], 0);
  for (const bound of [-1, 1.5, NaN]) {
    for (const name of ["maxContentCodings", "maxDecodingRatio", "maxResponseBytes"]) {
      assertThrows(() => decode(source, undefined, { [name]: bound }), RangeError);
    }
  }
});

Deno.test("collectResponse() holds a body to its bound, told or counted", async () => {
  const pieces = ["abc", "de"].map(bytesOf);
  for (const length of [5, undefined]) {
    const fitting = new ScriptedResponse(pieces, length);
    assertEquals(textOf(await collectResponse(fitting, 5)), "abcde");
    const source = new ScriptedResponse(pieces, length);
    const error = await assertRejects(() => collectResponse(source, 4), LimitExceededError);
    assertEquals([error.limit, error.max, source.isClosed], ["maxBodyBytes", 4, true]);
    assertEquals(source.readCount, length === undefined ? 2 : 0);
  }
  assertEquals(await collectResponse(new ScriptedResponse([]), 0), new Uint8Array(0));
});

Deno.test("decodeResponse() gives content or a documented error, whatever comes", async () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 300; round++) {
    const [, token, encode] = CODINGS[random.int(CODINGS.length)]!;
    const spoilt = new Uint8Array(encode(bytesOf(TEXT)));
    for (let count = random.int(3); count > 0; count--) {
      spoilt[random.int(spoilt.length)] = random.int(256);
    }
    const at = random.int(spoilt.length);
    try {
      await decodeAll([spoilt.subarray(0, at), spoilt.subarray(at)], token);
    } catch (error) {
      assert(error instanceof HttpProtocolError, String(error));
    }
  }
});
