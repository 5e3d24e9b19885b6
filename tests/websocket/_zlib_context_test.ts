import zlib from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import type { Zlib } from "../../http/zlib_handle.ts";
import { hasZlibContexts, ZlibContext } from "../../websocket/_zlib_context.ts";

/** `node:zlib` with something done to the handle of every stream it makes. */
function zlibWith(change: (stream: Record<string, unknown>) => void): Zlib {
  const make = (create: (options: object) => unknown) => (options: object): unknown => {
    const stream = create(options) as Record<string, unknown>;
    change(stream);
    return stream;
  };
  return {
    ...zlib,
    createDeflateRaw: make((options) => zlib.createDeflateRaw(options)),
    createInflateRaw: make((options) => zlib.createInflateRaw(options)),
  } as unknown as Zlib;
}

function handleOf(
  stream: Record<string, unknown>,
): Record<string, (...args: unknown[]) => unknown> {
  return stream._handle as Record<string, (...args: unknown[]) => unknown>;
}

Deno.test("hasZlibContexts() finds the contexts of this runtime", () => {
  assertEquals(hasZlibContexts(zlib), true);
  assertEquals(hasZlibContexts(zlibWith(() => {})), true);
});

const CHANGES: Readonly<Record<string, (stream: Record<string, unknown>) => void>> = {
  "without a handle": (stream) => Object.defineProperty(stream, "_handle", { value: undefined }),
  "without a state": (stream) => stream._writeState = undefined,
  "with a state that stands still": (stream) => stream._writeState = new Uint32Array(2),
  "without the call": (stream) => Object.assign(handleOf(stream), { writeSync: undefined }),
  "with a call that does nothing": (stream) => Object.assign(handleOf(stream), { writeSync() {} }),
  "with a call that throws": (stream) =>
    Object.assign(handleOf(stream), {
      writeSync() {
        throw new TypeError("Cannot write");
      },
    }),
  "with arguments in another order": (stream) => {
    const handle = handleOf(stream);
    const writeSync = handle.writeSync!.bind(handle);
    Object.assign(handle, {
      writeSync: (flush: unknown, input: unknown, length: unknown, start: unknown, ...rest: []) =>
        writeSync(flush, input, start, length, ...rest),
    });
  },
  "that forgets what was before": (stream) => {
    const handle = handleOf(stream);
    const writeSync = handle.writeSync!.bind(handle);
    const reset = handle.reset!.bind(handle);
    Object.assign(handle, {
      writeSync: (...args: unknown[]) => {
        reset();
        return writeSync(...args);
      },
    });
  },
};

for (const [name, change] of Object.entries(CHANGES)) {
  Deno.test(`hasZlibContexts() does not take a zlib ${name}`, () => {
    assertEquals(hasZlibContexts(zlibWith(change)), false);
  });
}

Deno.test("hasZlibContexts() does not take a zlib that tells of no error", () => {
  const silent = zlibWith((stream) => {
    const handle = handleOf(stream);
    Object.defineProperty(handle, "onerror", { get: () => () => {}, set: () => {} });
  });
  assertEquals(hasZlibContexts(silent), false);
});

Deno.test("ZlibContext tells of what is wrong, until it starts afresh", () => {
  const context = new ZlibContext(zlib.createInflateRaw());
  const output = new Uint8Array(16);
  context.run(Uint8Array.of(0xff), 0, 1, output, 0);
  assert(context.failure !== undefined);
  context.reset();
  assertEquals(context.failure, undefined);
  const hello = Uint8Array.fromHex("f248cdc9c90700");
  context.run(hello, 0, hello.length, output, 3);
  assertEquals([context.failure, context.unusedInput, context.unusedOutput], [undefined, 0, 8]);
  assertEquals(new TextDecoder().decode(output.subarray(3, 8)), "Hello");
  context.close();
});
