import type { Gzip } from "node:zlib";
import type { Zlib, ZlibHandleStream } from "./zlib_handle.ts";

/** What ends a stream of zlib (`Z_FINISH`), and one of zstd (`ZSTD_e_end`). */
const Z_FINISH = 4;
const ZSTD_END = 2;
/** Room for what cannot be compressed: headers, and a few bytes for every block. */
const MARGIN_BYTES = 1024;

/**
 * A compressor that is used for one body after another, by synchronous calls. What
 * `node:zlib` documents makes a context for every body, which takes two to three times as long for a
 * few KiB. This is its {@linkcode ZlibHandleStream}, which {@linkcode createContext} tries first.
 */
export class CompressionContext {
  readonly #stream: ZlibHandleStream;
  readonly #finish: number;
  #output: Uint8Array<ArrayBuffer>;
  #failed = false;

  /**
   * @param stream Nobody has written to it.
   * @param finish What ends a body.
   * @param maxInputBytes Length of the longest body.
   */
  constructor(stream: ZlibHandleStream, finish: number, maxInputBytes: number) {
    this.#stream = stream;
    this.#finish = finish;
    this.#output = new Uint8Array(maxInputBytes + MARGIN_BYTES);
    stream._handle.onerror = () => this.#failed = true;
  }

  /**
   * Compresses a body.
   *
   * @param bytes All of it.
   * @returns What came of it, or `undefined` if that did not work.
   */
  run(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    this.#failed = false;
    this.#stream.reset();
    const { length } = this.#output;
    this.#stream._handle
      .writeSync(this.#finish, bytes, 0, bytes.length, this.#output, 0, length);
    const [unusedOutput = 0, unusedInput = 0] = this.#stream._writeState;
    if (this.#failed || unusedInput > 0 || unusedOutput === 0) return undefined;
    return this.#output.slice(0, length - unusedOutput);
  }

  /** Frees the memory. */
  close(): void {
    this.#stream.close();
  }
}

/**
 * Makes a context, if that works here.
 *
 * @param zlib The module.
 * @param stream Compresses in gzip, zlib or zstd.
 * @param coding Which of them.
 * @param maxInputBytes Length of the longest body.
 */
export function createContext(
  zlib: Zlib,
  stream: Gzip,
  coding: "gzip" | "deflate" | "zstd",
  maxInputBytes: number,
): CompressionContext | undefined {
  const finish = coding === "zstd" ? ZSTD_END : Z_FINISH;
  let context: CompressionContext | undefined;
  try {
    context = new CompressionContext(
      stream as unknown as ZlibHandleStream,
      finish,
      maxInputBytes,
    );
    if (isUsable(context, (bytes) => decompress(zlib, coding, bytes))) return context;
  } catch {
    // There is no such handle, or it works in another way.
  }
  stream.destroy();
  return undefined;
}

function decompress(zlib: Zlib, coding: string, bytes: Uint8Array): Uint8Array {
  switch (coding) {
    case "gzip":
      return zlib.gunzipSync(bytes);
    case "deflate":
      return zlib.inflateSync(bytes);
    default:
      return zlib.zstdDecompressSync(bytes);
  }
}

/** Whether bodies come out whole, and as if none had been before them. */
function isUsable(
  context: CompressionContext,
  decompress: (bytes: Uint8Array) => Uint8Array,
): boolean {
  const sample = new Uint8Array(300).map((_, index) => (index * index) % 23);
  const first = context.run(sample);
  const second = context.run(sample);
  if (first === undefined || second === undefined || first.length !== second.length) return false;
  const whole = decompress(second);
  return whole.length === sample.length && sample.every((byte, index) => byte === whole[index]);
}
