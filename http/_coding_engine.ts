import { ZlibPump, type ZlibStream } from "./_zlib_pump.ts";
import type { ContentCoding } from "./content_coding.ts";
import { HttpProtocolError } from "./errors.ts";

/** RFC 9659 section 3: a window of 8 MB is what a decoder of HTTP has to offer at most. */
const ZSTD_WINDOW_LOG_MAX = 23;

/** Decodes one compressed stream. Output is asked for: nothing is decoded ahead of it. */
export class CodingEngine {
  readonly #pump: ZlibPump;
  #fedBytes = 0;

  /** @param stream Decodes. */
  constructor(stream: ZlibStream) {
    this.#pump = new ZlibPump(stream);
  }

  /** Bytes that were given behind the end of the stream. */
  get unusedBytes(): number {
    return this.#fedBytes - this.#pump.usedBytes;
  }

  /**
   * Decodes some bytes.
   *
   * @param bytes Not to be changed until all output has been taken.
   * @returns The output, piece by piece.
   * @throws {HttpProtocolError} If they are malformed.
   */
  async *feed(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
    if (bytes.length === 0) return;
    this.#fedBytes += bytes.length;
    try {
      yield* this.#pump.write(bytes);
    } catch (cause) {
      throw malformed(cause);
    }
  }

  /**
   * Says that no more will come.
   *
   * @returns The rest of the output, piece by piece.
   * @throws {HttpProtocolError} If the stream is not at its end.
   */
  async *finish(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* this.#pump.finish();
    } catch (cause) {
      throw (cause as { code?: string }).code === "Z_BUF_ERROR"
        ? truncatedCoding(cause)
        : malformed(cause);
    }
  }

  /** Lets go of the memory. */
  close(): void {
    this.#pump.close();
  }
}

/** What an engine is made for; `deflate-raw` is deflate without the head of zlib. */
export type EngineFormat = ContentCoding | "deflate-raw";

/** Makes an engine. The module behind it is loaded with the first one. */
export async function createEngine(format: EngineFormat): Promise<CodingEngine> {
  const zlib = await import("node:zlib");
  switch (format) {
    case "gzip":
      return new CodingEngine(zlib.createGunzip());
    case "deflate":
      return new CodingEngine(zlib.createInflate());
    case "deflate-raw":
      return new CodingEngine(zlib.createInflateRaw());
    case "br":
      return new CodingEngine(zlib.createBrotliDecompress());
    case "zstd": {
      const params = { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
      return new CodingEngine(zlib.createZstdDecompress({ params }));
    }
  }
}

function malformed(cause: unknown): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_CONTENT_CODING",
    "Cannot decode body: its content coding is malformed",
    { cause },
  );
}

/** The error of a body that ends before its coding does. */
export function truncatedCoding(cause?: unknown): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_TRUNCATED_CONTENT_CODING",
    "Cannot decode body: it ends before its content coding does",
    { cause },
  );
}

/** The error of a body that goes on behind the end of its coding. */
export function trailingBytes(): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_CONTENT_CODING",
    "Cannot decode body: bytes follow the end of its content coding",
  );
}
