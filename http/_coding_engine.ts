import { HttpProtocolError } from "./errors.ts";
import type { ContentCoding } from "./content_coding.ts";

/** RFC 9659 section 3: a window of 8 MB is what a decoder of HTTP has to offer at most. */
const ZSTD_WINDOW_LOG_MAX = 23;

/** What is used of a stream of `node:zlib`. */
interface ZlibStream {
  /** Bytes of the input that were made use of. */
  readonly bytesWritten: number;
  write(chunk: Uint8Array, done: (error?: Error | null) => void): boolean;
  end(): void;
  read(): Uint8Array | null;
  destroy(): void;
  on(event: "readable" | "end", listener: () => void): void;
  on(event: "error", listener: (error: Error & { code?: string }) => void): void;
}

/** One compressed stream. Output is asked for: nothing is decoded ahead of it. */
export class CodingEngine {
  readonly #stream: ZlibStream;
  #fedBytes = 0;
  #failure: (Error & { code?: string }) | undefined;
  #isEnded = false;
  #wake: (() => void) | undefined;

  /** @param stream Decodes. */
  constructor(stream: ZlibStream) {
    this.#stream = stream;
    stream.on("readable", () => this.#onEvent());
    stream.on("end", () => {
      this.#isEnded = true;
      this.#onEvent();
    });
    stream.on("error", (error) => {
      this.#failure = error;
      this.#onEvent();
    });
  }

  /** Bytes that were given behind the end of the stream. */
  get unusedBytes(): number {
    return this.#fedBytes - this.#stream.bytesWritten;
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
    let isTaken = false;
    this.#fedBytes += bytes.length;
    this.#stream.write(bytes, () => {
      isTaken = true;
      this.#onEvent();
    });
    for (;;) {
      const piece = this.#stream.read();
      if (piece !== null) yield viewOf(piece);
      else if (this.#failure !== undefined) throw malformed(this.#failure);
      else if (isTaken || this.#isEnded) return;
      else await this.#event();
    }
  }

  /**
   * Says that no more will come.
   *
   * @returns The rest of the output, piece by piece.
   * @throws {HttpProtocolError} If the stream is not at its end.
   */
  async *finish(): AsyncGenerator<Uint8Array, void> {
    this.#stream.end();
    for (;;) {
      const piece = this.#stream.read();
      if (piece !== null) yield viewOf(piece);
      else if (this.#failure !== undefined) throw malformedEnd(this.#failure);
      else if (this.#isEnded) return;
      else await this.#event();
    }
  }

  /** Lets go of the memory. */
  close(): void {
    this.#stream.destroy();
  }

  #event(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  #onEvent(): void {
    this.#wake?.();
    this.#wake = undefined;
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

function viewOf(piece: Uint8Array): Uint8Array {
  return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
}

function malformed(cause: Error): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_CONTENT_CODING",
    "Cannot decode body: its content coding is malformed",
    { cause },
  );
}

function malformedEnd(cause: Error & { code?: string }): HttpProtocolError {
  if (cause.code !== "Z_BUF_ERROR") return malformed(cause);
  return truncatedCoding(cause);
}

/** The error of a body that ends before its coding does. */
export function truncatedCoding(cause?: Error): HttpProtocolError {
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
