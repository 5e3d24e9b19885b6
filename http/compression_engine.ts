import { type CompressionContext, createContext } from "./_compression_context.ts";
import type { Zlib } from "./zlib_handle.ts";
import { ZlibPump, type ZlibStream } from "./_zlib_pump.ts";
import type { ContentCoding } from "./content_coding.ts";

/** How hard each coding tries: gzip and deflate 1 to 9, br 0 to 11, zstd 1 to 19. */
export type CompressionLevels = Readonly<Record<ContentCoding, number>>;

/** Bodies up to this length are compressed by one call. */
export const MAX_WHOLE_BYTES: number = 64 * 1024;

/** For streams that live long and say little: half of the memory, or less. */
const SMALL = { brWindowBits: 16, zstdWindowBits: 14, windowBits: 13, memLevel: 6 } as const;
/** More costs memory and, at these levels, has little effect. */
const LARGE = { brWindowBits: 18, zstdWindowBits: 19, windowBits: 15, memLevel: 8 } as const;

/**
 * Compresses bodies in all codings. `node:zlib` is loaded with the first; small bodies share one
 * context for each coding, as their compression begins and ends within one call.
 */
export class CompressionEngine {
  readonly #zlib: Zlib;
  readonly #levels: CompressionLevels;
  readonly #contexts = new Map<ContentCoding, CompressionContext | undefined>();

  private constructor(zlib: Zlib, levels: CompressionLevels) {
    this.#zlib = zlib;
    this.#levels = levels;
  }

  /** Loads what is needed. */
  static async load(levels: CompressionLevels): Promise<CompressionEngine> {
    const { default: zlib } = await import("node:zlib");
    return new CompressionEngine(zlib, levels);
  }

  /**
   * Compresses a whole body at once.
   *
   * @param coding How.
   * @param bytes Not more than {@linkcode MAX_WHOLE_BYTES}.
   */
  compress(coding: ContentCoding, bytes: Uint8Array): Uint8Array {
    if (coding === "br") return this.#brotli(bytes);
    return this.#context(coding)?.run(bytes) ?? this.#compressPlainly(coding, bytes);
  }

  /**
   * Begins to compress a body that comes in pieces.
   *
   * @param coding How.
   * @param isSmall Whether it lives long and says little.
   */
  stream(coding: ContentCoding, isSmall: boolean): ZlibPump {
    const stream = this.#createStream(coding, isSmall) as ZlibStream;
    return new ZlibPump(stream, this.#flushKind(coding));
  }

  #context(coding: "gzip" | "deflate" | "zstd"): CompressionContext | undefined {
    if (!this.#contexts.has(coding)) {
      const stream = this.#createStream(coding, false) as ReturnType<Zlib["createGzip"]>;
      this.#contexts.set(coding, createContext(this.#zlib, stream, coding, MAX_WHOLE_BYTES));
    }
    return this.#contexts.get(coding);
  }

  #brotli(bytes: Uint8Array): Uint8Array {
    const { constants } = this.#zlib;
    return this.#zlib.brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: this.#levels.br,
        [constants.BROTLI_PARAM_LGWIN]: LARGE.brWindowBits,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    });
  }

  #compressPlainly(coding: "gzip" | "deflate" | "zstd", bytes: Uint8Array): Uint8Array {
    const zlib = this.#zlib;
    const level = this.#levels[coding];
    switch (coding) {
      case "gzip":
        return zlib.gzipSync(bytes, { level });
      case "deflate":
        return zlib.deflateSync(bytes, { level });
      case "zstd":
        return zlib.zstdCompressSync(bytes, {
          params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
        });
    }
  }

  #createStream(coding: ContentCoding, isSmall: boolean): unknown {
    const zlib = this.#zlib;
    const { constants } = zlib;
    const level = this.#levels[coding];
    const { brWindowBits, zstdWindowBits, windowBits, memLevel } = isSmall ? SMALL : LARGE;
    switch (coding) {
      case "gzip":
        return zlib.createGzip({ level, windowBits, memLevel });
      case "deflate":
        return zlib.createDeflate({ level, windowBits, memLevel });
      case "br":
        return zlib.createBrotliCompress({
          params: {
            [constants.BROTLI_PARAM_QUALITY]: level,
            [constants.BROTLI_PARAM_LGWIN]: brWindowBits,
          },
        });
      case "zstd":
        return zlib.createZstdCompress({
          params: {
            [constants.ZSTD_c_compressionLevel]: level,
            [constants.ZSTD_c_windowLog]: zstdWindowBits,
          },
        });
    }
  }

  /** What makes everything so far readable for the other end. */
  #flushKind(coding: ContentCoding): number {
    const { constants } = this.#zlib;
    if (coding === "br") return constants.BROTLI_OPERATION_FLUSH;
    return coding === "zstd" ? constants.ZSTD_e_flush : constants.Z_SYNC_FLUSH;
  }
}
