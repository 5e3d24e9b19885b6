import { LimitExceededError } from "../nbio/errors.ts";
import { badData, MAX_FINAL_BLOCKS, TAIL } from "./_context_inflater.ts";
import type { Zlib } from "../http/zlib_handle.ts";
import type { Inflater } from "./compression.ts";

/** What a {@linkcode OneShotInflater} decompresses. */
export interface OneShotInflaterSettings {
  /** Base 2 logarithm of the sender's window, 8 to 15. */
  readonly windowBits: number;
  /** Whether every message starts afresh. */
  readonly noContextTakeover: boolean;
  /** Most bytes that come out of one message: they come all at once. */
  readonly maxMessageBytes: number;
}

const STORED_HEAD_LENGTH = 5;
const EMPTY = new Uint8Array(0);

/**
 * Decompresses by documented means only, where the contexts of `node:zlib` cannot be reached. It
 * collects a message until its end. What came before is put in front of it as a stored block, of
 * which the output is dropped: so the message finds in the window what it refers to. (The option
 * `dictionary` would be meant for that, but Deno passes over it.)
 */
export class OneShotInflater implements Inflater {
  readonly #zlib: Zlib;
  readonly #settings: OneShotInflaterSettings;
  /** The last bytes that came out, one window at most. */
  #history: Uint8Array = EMPTY;
  /** The message at hand as it came, up to `#length`. */
  #collected: Uint8Array = EMPTY;
  #length = 0;
  #isClosed = false;

  constructor(zlib: Zlib, settings: OneShotInflaterSettings) {
    this.#zlib = zlib;
    this.#settings = settings;
  }

  inflate(chunk: Uint8Array, isFinal: boolean, sink: (piece: Uint8Array) => void): void {
    if (this.#isClosed) throw new TypeError("Cannot inflate: the inflater is closed");
    this.#collect(chunk);
    if (!isFinal) return;
    const length = this.#length;
    if (length > 0) {
      this.#collect(TAIL);
      this.#inflateAll(length, sink);
    }
    this.#length = 0;
    // An idle connection holds no more than the history.
    this.#collected = EMPTY;
    if (this.#settings.noContextTakeover) this.#history = EMPTY;
  }

  close(): void {
    this.#isClosed = true;
    this.#history = EMPTY;
    this.#collected = EMPTY;
  }

  #collect(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#collected.length) {
      const larger = new Uint8Array(Math.max(length + TAIL.length, 2 * this.#collected.length));
      larger.set(this.#collected.subarray(0, this.#length));
      this.#collected = larger;
    }
    this.#collected.set(chunk, this.#length);
    this.#length = length;
  }

  /** @param length Bytes of the message without the tail. */
  #inflateAll(length: number, sink: (piece: Uint8Array) => void): void {
    let start = 0;
    for (let count = 0; count <= MAX_FINAL_BLOCKS; count++) {
      const { output, usedBytes } = this.#inflateStream(start);
      if (output.length > 0) sink(output);
      this.#remember(output);
      start += usedBytes;
      // Either all was used, or a block said that it was the last, behind which the tail is no
      // block any more.
      if (start >= length) return;
    }
    throw badData("too many final blocks");
  }

  #inflateStream(start: number): { output: Uint8Array; usedBytes: number } {
    const history = storedBlock(this.#history);
    const input = new Uint8Array(history.length + this.#length - start);
    input.set(history);
    input.set(this.#collected.subarray(start, this.#length), history.length);
    const maxOutputLength = Math.max(1, this.#history.length + this.#settings.maxMessageBytes);
    try {
      // The types do not know what comes back with `info`.
      const { buffer, engine } = this.#zlib.inflateRawSync(input, {
        finishFlush: this.#zlib.constants.Z_SYNC_FLUSH,
        windowBits: this.#settings.windowBits,
        info: true,
        ...(Number.isFinite(maxOutputLength) ? { maxOutputLength } : {}),
      }) as unknown as InflateResult;
      // A `Buffer`, of which `slice()` would give a view.
      const offset = buffer.byteOffset + this.#history.length;
      const output = new Uint8Array(buffer.buffer, offset, buffer.length - this.#history.length);
      return { output, usedBytes: engine.bytesWritten - history.length };
    } catch (cause) {
      throw toInflateError(cause, this.#settings.maxMessageBytes);
    }
  }

  #remember(output: Uint8Array): void {
    const windowBytes = 2 ** this.#settings.windowBits;
    const kept = Math.min(this.#history.length, Math.max(0, windowBytes - output.length));
    const history = new Uint8Array(kept + Math.min(output.length, windowBytes));
    history.set(this.#history.subarray(this.#history.length - kept));
    history.set(output.subarray(output.length - (history.length - kept)), kept);
    this.#history = history;
  }
}

interface InflateResult {
  readonly buffer: Uint8Array;
  readonly engine: {
    /** Bytes of the input that were used. */
    readonly bytesWritten: number;
  };
}

/** A block that holds `bytes` as they are, and is not the last (RFC 1951 section 3.2.4). */
function storedBlock(bytes: Uint8Array): Uint8Array {
  // A window has half of what would fit.
  const { length } = bytes;
  const block = new Uint8Array(STORED_HEAD_LENGTH + length);
  block.set([0, length & 0xff, length >> 8, ~length & 0xff, ~length >> 8 & 0xff]);
  block.set(bytes, STORED_HEAD_LENGTH);
  return block;
}

function toInflateError(cause: unknown, max: number): Error {
  if ((cause as { code?: string }).code !== "ERR_BUFFER_TOO_LARGE") {
    return badData(cause instanceof Error ? cause.message : "it is malformed", cause);
  }
  return new LimitExceededError(`Cannot inflate message: more than ${max} bytes come out`, {
    limit: "maxMessageBytes",
    max,
    cause,
  });
}
