import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { type BodyDecodingOptions, decodeSource } from "../../http/body_content_decoding.ts";
import { IncomingBody } from "../../http/body_incoming.ts";
import { HttpError, HttpProtocolError } from "../../http/errors.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { multipart, part } from "../_support/multipart_script.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { ScriptedBody } from "../_support/scripted_body.ts";

const CODINGS = {
  "gzip": { token: "gzip", encode: (bytes: Uint8Array) => plain(gzipSync(bytes)) },
  "deflate": { token: "deflate", encode: (bytes: Uint8Array) => plain(deflateSync(bytes)) },
  "bare deflate": { token: "deflate", encode: (bytes: Uint8Array) => plain(deflateRawSync(bytes)) },
  "br": { token: "br", encode: (bytes: Uint8Array) => plain(brotliCompressSync(bytes)) },
  "zstd": { token: "zstd", encode: (bytes: Uint8Array) => plain(zstdCompressSync(bytes)) },
} as const;

function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

async function decodeAll(
  pieces: readonly Uint8Array[],
  coding: string,
  options: BodyDecodingOptions = {},
  maxBytes = Infinity,
): Promise<string> {
  const source = decodeSource(new ScriptedBody(pieces, { coding }), maxBytes, options);
  let text = "";
  while (!source.isBodyDone) {
    const view = source.takeBody();
    if (view !== undefined) text += textOf(view);
    else await source.awaitBody();
  }
  return text;
}

/** Cut into pieces of a length. */
function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += length) pieces.push(bytes.slice(at, at + length));
  return pieces;
}

const TEXT = "a body, a body, and another body; ".repeat(3) + "\0\xff";

function noise(length: number): Uint8Array {
  const random = new SeededRandom(9);
  return Uint8Array.from({ length }, () => random.int(7) * random.int(7));
}

for (const [name, { token, encode }] of Object.entries(CODINGS)) {
  Deno.test(`decodeSource() undoes ${name} however it is cut`, async () => {
    const encoded = encode(bytesOf(TEXT));
    for (const pieces of everySplit(encoded)) assertEquals(await decodeAll(pieces, token), TEXT);
    const large = noise(300_000);
    for (const length of [1_000, 65_536, Infinity]) {
      const decoded = await decodeAll(cut(encode(large), length), token);
      assertEquals(decoded === textOf(large), true);
    }
    assertEquals(await decodeAll([encode(new Uint8Array(0))], token), "");
  });

  Deno.test(`decodeSource() takes no byte for no coding of ${name}`, async () => {
    assertEquals(await decodeAll([], token), "");
    const empty = new Uint8Array(0);
    for (const pieces of [[empty], [empty, empty]]) {
      assertEquals(await decodeAll(pieces, token), "");
    }
  });

  Deno.test(`decodeSource() passes over pieces of ${name} without a byte`, async () => {
    const empty = new Uint8Array(0);
    const encoded = encode(bytesOf(TEXT));
    for (const [one, other] of [[encoded, empty], [encoded.slice(0, 1), encoded.slice(1)]]) {
      assertEquals(await decodeAll([empty, one!, empty, empty, other!, empty], token), TEXT);
    }
  });

  Deno.test(`decodeSource() throws on every strict prefix of ${name}`, async () => {
    const encoded = encode(bytesOf(TEXT));
    for (let length = 1; length < encoded.length; length++) {
      for (const pieces of [[encoded.slice(0, length)], cut(encoded.slice(0, length), 1)]) {
        const error = await assertRejects(() => decodeAll(pieces, token), HttpProtocolError);
        assert(/^ERR_HTTP_(TRUNCATED|BAD)_CONTENT_CODING$/.test(error.code), error.code);
        assertEquals(error.statusHint, 400);
      }
    }
  });

  Deno.test(`decodeSource() throws on bytes behind the end of ${name}`, async () => {
    const encoded = encode(bytesOf(TEXT));
    for (const garbage of ["\0", "a", "\0\0", "garbage", "\x1f\x8b", "\x28\xb5\x2f\xfd"]) {
      const whole = Uint8Array.of(...encoded, ...bytesOf(garbage));
      const ways = [[whole], [encoded, bytesOf(garbage)], cut(whole, 1), cut(whole, 7)];
      for (const pieces of ways) {
        await assertRejects(() => decodeAll(pieces, token), HttpProtocolError);
      }
    }
  });

  Deno.test(`decodeSource() throws on what is not ${name}`, async () => {
    const random = new SeededRandom(4);
    const encoded = encode(bytesOf(TEXT));
    for (let round = 0; round < 100; round++) {
      const spoilt = encoded.slice();
      const at = random.int(spoilt.length);
      spoilt[at] = random.int(256);
      try {
        await decodeAll(cut(spoilt, 1 + random.int(40)), token);
      } catch (error) {
        assert(error instanceof HttpProtocolError, String(error));
      }
    }
    const garbage = bytesOf("this is no compressed data at all");
    await assertRejects(() => decodeAll([garbage], token), HttpProtocolError);
  });

  Deno.test(`decodeSource() passes on what the body of ${name} fails with`, async () => {
    const body = new ScriptedBody([encode(noise(100_000)).slice(0, 1_000), "x"], { coding: token });
    const source = decodeSource(body, Infinity, {});
    body.failure = new Error("broken");
    const error = await assertRejects(async () => {
      for (;;) if (source.takeBody() === undefined) await source.awaitBody();
    });
    assertStrictEquals(error, body.failure);
  });

  Deno.test(`decodeSource() lets go of ${name} in the middle`, async () => {
    const body = new ScriptedBody(cut(encode(noise(300_000)), 5_000), { coding: token });
    const source = decodeSource(body, Infinity, {});
    await source.awaitBody();
    const { waitCount } = body;
    source.releaseBody?.();
    assert(source.takeBody() !== undefined && source.isBodyDone);
    assertEquals(body.waitCount, waitCount);
  });
}

Deno.test("decodeSource() undoes members of gzip and frames of zstd one after the other", async () => {
  for (const [token, encode] of [["gzip", gzipSync], ["zstd", zstdCompressSync]] as const) {
    const frames = ["one ", "", "two ", "three"].map((text) => encode(bytesOf(text)));
    const whole = Uint8Array.from(frames.flatMap((frame) => [...frame]));
    for (const pieces of everySplit(whole)) {
      assertEquals(await decodeAll(pieces, token), "one two three");
    }
  }
});

Deno.test("decodeSource() bounds the frames of zstd", async () => {
  const frame = zstdCompressSync(bytesOf("a"));
  const frames = (count: number) => Uint8Array.from(new Array(count).fill([...frame]).flat());
  assertEquals(await decodeAll([frames(900)], "zstd"), "a".repeat(900));
  await assertRejects(() => decodeAll([frames(1_100)], "zstd"), HttpProtocolError);
});

Deno.test("decodeSource() undoes several codings, the last one first", async () => {
  const encoded = plain(brotliCompressSync(zstdCompressSync(gzipSync(bytesOf(TEXT)))));
  for (const length of [1, 10, 1_000]) {
    assertEquals(await decodeAll(cut(encoded, length), "gzip, zstd, br"), TEXT);
  }
});

Deno.test("decodeSource() gives the source itself where there is nothing to undo", () => {
  for (const coding of [undefined, "", "identity"]) {
    const source = new ScriptedBody([], coding === undefined ? {} : { coding });
    assertStrictEquals(decodeSource(source, 1, {}), source);
  }
});

/** A small body that becomes 60 MiB. */
function bomb(token: string): Uint8Array {
  const zeros = new Uint8Array(60 * 1024 * 1024);
  if (token === "gzip") return plain(gzipSync(zeros, { level: 9 }));
  if (token === "br") {
    return plain(brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }));
  }
  return plain(zstdCompressSync(zeros));
}

for (const token of ["gzip", "br", "zstd"]) {
  Deno.test(`decodeSource() stops a bomb of ${token}`, async () => {
    const bytes = bomb(token);
    const body = new ScriptedBody(cut(bytes, 4_096), { coding: token });
    let decodedBytes = 0;
    const error = await assertRejects(async () => {
      const chunks = new IncomingBody(body, 1).chunks({ decode: true, maxDecodingRatio: 500 });
      for await (const chunk of chunks) decodedBytes += chunk.length;
    }, LimitExceededError);
    assertEquals([error.limit, error.max, error.statusHint], ["maxDecodingRatio", 500, 413]);
    assert(decodedBytes <= 40 * 1024 * 1024, `${decodedBytes}`);
    // Where it is to be held in memory, the bound on that comes first.
    const held = new ScriptedBody(cut(bytes, 4_096), { coding: token });
    const early = await assertRejects(
      () => new IncomingBody(held, 100_000).bytes({ decode: true }),
      LimitExceededError,
    );
    assertEquals([early.limit, early.max, early.statusHint], ["maxBodyBytes", 100_000, 413]);
  });
}

Deno.test("decodeSource() stops a bomb within a bomb", async () => {
  const bytes = plain(gzipSync(bomb("gzip")));
  const error = await assertRejects(
    () =>
      new IncomingBody(new ScriptedBody([bytes], { coding: "gzip, gzip" }), 0).bytes({
        decode: true,
      }),
    LimitExceededError,
  );
  assertEquals(error.limit, "maxDecodingRatio");
});

Deno.test("decodeSource() stops what becomes nothing, too", async () => {
  // Empty blocks, one after the other: input without output.
  const blocks = bytesOf("\x00\x00\x00\xff\xff".repeat(200));
  const error = await assertRejects(
    () => decodeAll(cut(blocks, 100), "deflate", {}, 900),
    LimitExceededError,
  );
  assertEquals([error.limit, error.statusHint], ["maxBodyBytes", 413]);
});

Deno.test("decodeSource() bounds what lies between two codings, too", async () => {
  // A megabyte of empty blocks, which becomes nothing, in a kilobyte of gzip.
  const blocks = bytesOf("\x00\x00\x00\xff\xff".repeat(200_000));
  const between = bytesOf(`\x1f\x8b\b\0\0\0\0\0\0\x03${textOf(blocks)}`);
  const bytes = plain(gzipSync(between));
  const body = new ScriptedBody([bytes], { coding: "gzip, gzip" });
  const error = await assertRejects(
    () => new IncomingBody(body, between.length - 1).bytes({ decode: true }),
    LimitExceededError,
  );
  assertEquals([error.limit, error.max], ["maxBodyBytes", between.length - 1]);
});

Deno.test("decodeSource() allows what ratio and bounds allow", async () => {
  const zeros = new Uint8Array(9 * 1024 * 1024);
  const body = new ScriptedBody([plain(zstdCompressSync(zeros))], { coding: "zstd" });
  const bytes = await new IncomingBody(body, zeros.length).bytes({ decode: true });
  assertEquals(bytes.length, zeros.length);
  const large = new ScriptedBody([bomb("zstd")], { coding: "zstd" });
  const all = await new IncomingBody(large, 0).bytes({ decode: true, maxDecodingRatio: 0 });
  assertEquals(all.length, 60 * 1024 * 1024);
});

Deno.test("decodeSource() refuses unknown codings and too many of them", async () => {
  const unknown = new ScriptedBody(["a"], { coding: "compress" });
  const error = await assertRejects(
    () => new IncomingBody(unknown, 0).bytes({ decode: true }),
    HttpError,
  );
  assertEquals([error.status, unknown.waitCount], [415, 0]);
  const options = { decode: true, maxContentCodings: 1 };
  const many = new ScriptedBody(["a"], { coding: "gzip, br" });
  await assertRejects(() => new IncomingBody(many, 0).bytes(options), LimitExceededError);
  for (const bad of [{ maxContentCodings: -1 }, { maxDecodingRatio: 0.5 }]) {
    const body = new ScriptedBody(["a"], { coding: "gzip" });
    await assertRejects(
      () => new IncomingBody(body, 0).bytes({ decode: true, ...bad }),
      RangeError,
    );
  }
});

Deno.test("every reader decodes, by its option or by that of the server", async () => {
  const form = "multipart/form-data; boundary=x";
  const encoded = (text: string, type = "") => ({
    coding: "gzip",
    type,
    body: plain(gzipSync(bytesOf(text))),
  });
  for (const isServerWide of [true, false]) {
    const options = isServerWide ? {} : { decode: true };
    const open = ({ body, ...rest }: ReturnType<typeof encoded>) =>
      new IncomingBody(new ScriptedBody(cut(body, 5), rest), 1_000, { decode: isServerWide });
    assertEquals(await open(encoded("abc")).text(options), "abc");
    assertEquals(textOf(await open(encoded("abc")).bytes(options)), "abc");
    assertEquals(await open(encoded("[1]")).json(options), [1]);
    const urlencoded = encoded("a=1", "application/x-www-form-urlencoded");
    assertEquals([...await open(urlencoded).form(options)], [["a", "1"]]);
    const parts = encoded(multipart("x", [part("a", "1")]), form);
    assertEquals([...await open(parts).form(options)], [["a", "1"]]);
    for await (const { name } of open(parts).multipart(options)) assertEquals(name, "a");
    let text = "";
    for await (const chunk of open(encoded("abc")).chunks(options)) text += textOf(chunk);
    assertEquals(text, "abc");
  }
  const body = new ScriptedBody([plain(gzipSync(bytesOf("abc")))], { coding: "gzip" });
  const whole = new IncomingBody(body, 1_000, { decode: true });
  assertEquals(await new Response(whole.stream).text(), "abc");
});
