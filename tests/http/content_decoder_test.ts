import { assertEquals, assertRejects } from "@std/assert";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { decodeContent, type DecodingBounds } from "../../http/content_decoder.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const BOUNDS: DecodingBounds = {
  maxBytes: Infinity,
  maxCodedBytes: Infinity,
  maxRatio: Infinity,
  limit: "maxTestBytes",
};
const TEXT = "a body, a body, and another body";

async function* inPieces(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

async function decodeAll(bytes: Uint8Array, bounds: Partial<DecodingBounds>): Promise<string> {
  const pieces = decodeContent(inPieces([bytes]), ["gzip", "br"], { ...BOUNDS, ...bounds });
  return (await Array.fromAsync(pieces, textOf)).join("");
}

Deno.test("decodeContent() undoes the last coding first", async () => {
  assertEquals(await decodeAll(brotliCompressSync(gzipSync(bytesOf(TEXT))), {}), TEXT);
});

for (const coding of ["gzip", "deflate", "br", "zstd"] as const) {
  Deno.test(`decodeContent() takes empty pieces for no byte of ${coding}, and no byte for no content`, async () => {
    const empty = new Uint8Array(0);
    for (const pieces of [[], [empty], [empty, empty]]) {
      const decoded = decodeContent(inPieces(pieces), [coding], BOUNDS);
      assertEquals(await Array.fromAsync(decoded), []);
    }
  });
}

Deno.test("decodeContent() holds content and what is coded to bounds of their own", async () => {
  const inner = gzipSync(bytesOf(TEXT));
  const encoded = brotliCompressSync(inner);
  const coded = Math.max(inner.length, encoded.length);
  const fitting = { maxBytes: TEXT.length, maxCodedBytes: coded };
  assertEquals(await decodeAll(encoded, fitting), TEXT);
  for (const bounds of [{ maxBytes: TEXT.length - 1 }, { maxCodedBytes: coded - 1 }]) {
    const error = await assertRejects(
      () => decodeAll(encoded, { ...fitting, ...bounds }),
      LimitExceededError,
    );
    assertEquals([error.limit, error.statusHint], ["maxTestBytes", undefined]);
  }
});

Deno.test("decodeContent() says what its errors are answered with", async () => {
  const encoded = brotliCompressSync(gzipSync(bytesOf(TEXT)));
  const bounds = { maxBytes: 1, statusHint: 413 };
  const error = await assertRejects(() => decodeAll(encoded, bounds), LimitExceededError);
  assertEquals([error.max, error.statusHint], [1, 413]);
});

Deno.test("decodeContent() ends its source when it is ended", async () => {
  let isEnded = false;
  async function* source(): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) yield await Promise.resolve(brotliCompressSync(gzipSync(new Uint8Array(1e6))));
    } finally {
      isEnded = true;
    }
  }
  const pieces = decodeContent(source(), ["gzip", "br"], BOUNDS);
  await pieces.next();
  await pieces.return();
  assertEquals(isEnded, true);
});
