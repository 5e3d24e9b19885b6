import type { DeflateRaw, InflateRaw } from "node:zlib";
import type { Zlib, ZlibHandle, ZlibHandleStream } from "../http/zlib_handle.ts";

/**
 * One DEFLATE context, worked by synchronous calls.
 *
 * What `node:zlib` documents is either a stream, which costs a turn of the event loop per message,
 * or a whole stream at once, which keeps no context between messages. Below both is a
 * {@linkcode ZlibHandle}: {@linkcode hasZlibContexts} tries it before it is used, and without it
 * `DeflateEngine` does with what is documented.
 */

/** Compresses or decompresses what there is, and flushes the output to a whole byte. */
const Z_SYNC_FLUSH = 2;

/** A context in native memory: free it by {@linkcode ZlibContext.close}. */
export class ZlibContext {
  readonly #stream: ZlibHandleStream;
  readonly #handle: ZlibHandle;
  readonly #state: Uint32Array;
  #failure: string | undefined;

  /** @param stream A raw stream that nobody has written to. */
  constructor(stream: DeflateRaw | InflateRaw) {
    this.#stream = stream as unknown as ZlibHandleStream;
    this.#handle = this.#stream._handle;
    this.#state = this.#stream._writeState;
    this.#handle.onerror = (message) => this.#failure = message;
  }

  /** What was wrong with the input; `undefined` if nothing was. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Bytes of the last input that were not used: there was no space, or its stream has ended. */
  get unusedInput(): number {
    return this.#state[1]!;
  }

  /** Bytes of the last output that were not written to. */
  get unusedOutput(): number {
    return this.#state[0]!;
  }

  /**
   * Works until the input is used up or the output is full; look at the getters then.
   *
   * @param input What to work on; it is neither kept nor changed.
   * @param start Offset of its first byte.
   * @param end Offset behind its last byte.
   * @param output Takes what comes out.
   * @param outputStart Offset of the first byte that may be written.
   */
  run(
    input: Uint8Array,
    start: number,
    end: number,
    output: Uint8Array,
    outputStart: number,
  ): void {
    const space = output.length - outputStart;
    this.#handle.writeSync(Z_SYNC_FLUSH, input, start, end - start, output, outputStart, space);
  }

  /** Starts afresh: as if nothing had ever been run. */
  reset(): void {
    this.#failure = undefined;
    this.#stream.reset();
  }

  /** Frees the memory. Not to be used after that. */
  close(): void {
    this.#stream.close();
  }
}

/**
 * A stream with hardly any buffer of its own (64 bytes is the least), as nobody ever uses that.
 */
export const CONTEXT_CHUNK_SIZE = 64;

/** Two messages that have much in common. */
const SAMPLE = new Uint8Array(200).map((_, index) => (index * index) % 23);

/** Whether contexts work here: output cut anywhere, takeover, reset, errors. */
export function hasZlibContexts(zlib: Zlib): boolean {
  let deflater: ZlibContext | undefined;
  let inflater: ZlibContext | undefined;
  try {
    const options = { windowBits: 9, chunkSize: CONTEXT_CHUNK_SIZE };
    deflater = new ZlibContext(zlib.createDeflateRaw(options));
    inflater = new ZlibContext(zlib.createInflateRaw(options));
    const first = runAll(deflater, SAMPLE);
    const second = runAll(deflater, SAMPLE);
    if (second.length >= first.length) return false;
    if (!isSample(runAll(inflater, first)) || !isSample(runAll(inflater, second))) return false;
    inflater.reset();
    if (!isSample(runAll(inflater, first))) return false;
    // There is no block of type 3.
    runAll(inflater, Uint8Array.of(0xff));
    return inflater.failure !== undefined;
  } catch {
    return false;
  } finally {
    deflater?.close();
    inflater?.close();
  }
}

/** Runs through small pieces of output, as often at most as the sample can need. */
function runAll(context: ZlibContext, input: Uint8Array): Uint8Array {
  const output = new Uint8Array(16);
  const all: number[] = [];
  let start = 0;
  for (let round = 0; round < 32; round++) {
    context.run(input, start, input.length, output, 0);
    if (context.failure !== undefined) break;
    start = input.length - context.unusedInput;
    all.push(...output.subarray(0, output.length - context.unusedOutput));
    if (context.unusedOutput > 0) break;
  }
  return Uint8Array.from(all);
}

function isSample(bytes: Uint8Array): boolean {
  return bytes.length === SAMPLE.length && bytes.every((byte, index) => byte === SAMPLE[index]);
}
