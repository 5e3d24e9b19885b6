import type { Zlib } from "../http/zlib_handle.ts";
import type { Deflater } from "./compression.ts";

/** Bytes of `00 00 ff ff`, the end of every flush (RFC 7692 section 7.2.1). */
const TAIL_LENGTH = 4;

/** What a {@linkcode OneShotDeflater} compresses with. */
export interface OneShotSettings {
  /** Base 2 logarithm of the window, 9 to 15. */
  readonly windowBits: number;
  /** Effort, 0 to 9. */
  readonly level: number;
  /** Size of the tables, 1 to 9. */
  readonly memLevel: number;
}

/**
 * Compresses by documented means only, where the contexts of `node:zlib` cannot be reached. Each
 * piece stands alone, which every agreement allows: to refer to what was sent before is a right of
 * who compresses, and no duty.
 */
export class OneShotDeflater implements Deflater {
  readonly #zlib: Zlib;
  readonly #options: OneShotSettings & { readonly finishFlush: number };
  #isClosed = false;

  constructor(zlib: Zlib, settings: OneShotSettings) {
    this.#zlib = zlib;
    const { windowBits, level, memLevel } = settings;
    this.#options = { windowBits, level, memLevel, finishFlush: zlib.constants.Z_SYNC_FLUSH };
  }

  deflate(chunk: Uint8Array, isFinal: boolean): Uint8Array {
    if (this.#isClosed) throw new TypeError("Cannot deflate: the deflater is closed");
    // RFC 7692 section 7.2.3.6: an empty block is 00 without its tail.
    if (chunk.length === 0) return new Uint8Array(isFinal ? 1 : 0);
    // A `Buffer`, of which `slice()` would give a view.
    const { buffer, byteOffset, length } = this.#zlib.deflateRawSync(chunk, this.#options);
    return new Uint8Array(buffer, byteOffset, isFinal ? length - TAIL_LENGTH : length);
  }

  close(): void {
    this.#isClosed = true;
  }
}
