import type { ContextHolder, ContextKind, ContextPool } from "./_context_pool.ts";
import type { ZlibContext } from "./_zlib_context.ts";
import type { Deflater } from "./compression.ts";

/** Bytes of `00 00 ff ff`, the end of every flush (RFC 7692 section 7.2.1). */
const TAIL_LENGTH = 4;

/** What a {@linkcode ContextDeflater} works with. */
export interface ContextDeflaterSettings {
  /** Where its context comes from. */
  readonly pool: ContextPool;
  /** What context it needs. */
  readonly kind: ContextKind;
  /** Whether every message starts afresh. */
  readonly noContextTakeover: boolean;
  /** Takes the output, where there is enough space; shared by all. */
  readonly output: Uint8Array;
}

/** Compresses the messages of one connection. It holds a context at most while it is of use. */
export class ContextDeflater implements Deflater, ContextHolder {
  readonly #settings: ContextDeflaterSettings;
  #context: ZlibContext | undefined;
  #isClosed = false;

  constructor(settings: ContextDeflaterSettings) {
    this.#settings = settings;
  }

  deflate(chunk: Uint8Array, isFinal: boolean): Uint8Array {
    if (this.#isClosed) throw new TypeError("Cannot deflate: the deflater is closed");
    // A flush without input gives nothing. RFC 7692 section 7.2.3.6: an empty block is 00 then.
    const output = chunk.length === 0 ? this.#emptyBlock(isFinal) : this.#run(chunk, isFinal);
    if (isFinal && this.#settings.noContextTakeover) this.#release();
    return output;
  }

  revokeContext(): ZlibContext {
    const context = this.#context!;
    this.#context = undefined;
    return context;
  }

  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  #emptyBlock(isFinal: boolean): Uint8Array {
    const { output } = this.#settings;
    output[0] = 0;
    return output.subarray(0, isFinal ? 1 : 0);
  }

  #run(chunk: Uint8Array, isFinal: boolean): Uint8Array {
    const context = this.#useContext();
    let output = this.#settings.output;
    let length = 0;
    for (let start = 0;;) {
      context.run(chunk, start, chunk.length, output, length);
      length = output.length - context.unusedOutput;
      if (context.unusedOutput > 0) break;
      start = chunk.length - context.unusedInput;
      const larger = new Uint8Array(2 * output.length);
      larger.set(output);
      output = larger;
    }
    return output.subarray(0, isFinal ? length - TAIL_LENGTH : length);
  }

  #useContext(): ZlibContext {
    const { pool, kind } = this.#settings;
    if (this.#context === undefined) this.#context = pool.acquire(this, kind);
    else pool.touch(this);
    return this.#context;
  }

  #release(): void {
    if (this.#context !== undefined) this.#settings.pool.release(this, this.revokeContext());
  }
}
