import { assert, assertEquals } from "@std/assert";
import zlib, { type Gzip } from "node:zlib";
import { createContext } from "../../http/_compression_context.ts";

const sample = new TextEncoder().encode("well ".repeat(100));

for (
  const [coding, create, undo] of [
    ["gzip", () => zlib.createGzip(), zlib.gunzipSync],
    ["deflate", () => zlib.createDeflate(), zlib.inflateSync],
    ["zstd", () => zlib.createZstdCompress(), zlib.zstdDecompressSync],
  ] as const
) {
  Deno.test(`createContext() makes one for ${coding} that starts afresh every time`, () => {
    const context = createContext(zlib, create() as unknown as Gzip, coding, 1_000);
    assert(context !== undefined);
    for (let round = 0; round < 3; round++) {
      assertEquals(new Uint8Array(undo(context.run(sample)!)), sample);
    }
    context.close();
  });

  Deno.test(`CompressionContext.run() gives nothing of ${coding} that has no room`, () => {
    const context = createContext(zlib, create() as unknown as Gzip, coding, 0)!;
    const noise = new Uint8Array(50_000);
    crypto.getRandomValues(noise);
    assertEquals(context.run(noise), undefined);
    assertEquals(new Uint8Array(undo(context.run(sample)!)), sample);
    context.close();
  });
}

/** A stream without a part, or with another one, of what is not documented. */
function changed(change: Record<string, unknown>): Gzip {
  const stream = zlib.createGzip();
  return new Proxy(stream, {
    get(target, name) {
      if (typeof name === "string" && Object.hasOwn(change, name)) return change[name];
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

for (
  const [name, change] of [
    ["there is no handle", { _handle: undefined }],
    ["the handle does nothing", { _handle: { writeSync() {}, onerror() {} } }],
    ["there is no state", { _writeState: undefined }],
    ["it cannot start afresh", { reset: undefined }],
    ["it does not start afresh", { reset() {} }],
  ] as const
) {
  Deno.test(`createContext() makes none where ${name}`, () => {
    assertEquals(createContext(zlib, changed(change), "gzip", 1_000), undefined);
  });
}
