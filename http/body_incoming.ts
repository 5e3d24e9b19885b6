import { LimitExceededError } from "../nbio/errors.ts";
import { HttpError, HttpStateError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import { resolveBound } from "./limits.ts";

/** First allocation for a body of known length: a claim of the peer, no more. */
const MAX_FIRST_BYTES = 256 * 1024;
const INITIAL_CHUNKED_BYTES = 4 * 1024;

/** Where a body comes from: the connection, seen from its body. */
export interface BodySource {
  /** Bytes of the body where its head told, else `undefined`. */
  readonly bodyLength: number | undefined;
  /** Whether all of the body has been taken. */
  readonly isBodyDone: boolean;
  /** Value of Content-Type, if any. */
  readonly bodyType: string | undefined;
  /** Trailer fields; `undefined` before the end and where there are none. */
  readonly bodyTrailers: HeaderList | undefined;
  /** Bytes that have come and can be taken at once; 0 for a chunked body. */
  peekBody(): number;
  /**
   * Takes what has come, as a view that lasts until the next call of any of
   * these methods; `undefined` when nothing is there.
   */
  takeBody(): Uint8Array | undefined;
  /** Waits for more; it rejects when no more will come. */
  awaitBody(): Promise<void>;
  /**
   * Reads bytes of a body of known length straight into their destination.
   *
   * @returns The number of bytes, or 0 where more came another way: take it.
   */
  readBodyInto(destination: Uint8Array): Promise<number>;
}

/** Options of the methods that collect a body in memory. */
export interface CollectOptions {
  /**
   * Most bytes to collect; more is refused with 413, at once where
   * Content-Length says so. 0 or Infinity for no bound.
   *
   * @default {16777216}
   */
  readonly maxBytes?: number;
}

/**
 * The body of a request. It can be read once, in one of these ways. What is not
 * read is dropped when the answer has left.
 *
 * @example Reading JSON
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => {
 *   const { a, b } = await ctx.body.json() as { a: number; b: number };
 *   ctx.json({ sum: a + b });
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`, {
 *   method: "POST",
 *   body: JSON.stringify({ a: 1, b: 2 }),
 * });
 * assertEquals(await response.json(), { sum: 3 });
 * ```
 */
export class IncomingBody implements AsyncIterable<Uint8Array> {
  readonly #source: BodySource;
  readonly #maxBytes: number;
  #isUsed = false;

  /**
   * Bodies are made by `serve`.
   *
   * @param source Where the bytes come from.
   * @param maxBytes Most bytes to collect in memory.
   */
  constructor(source: BodySource, maxBytes: number) {
    this.#source = source;
    this.#maxBytes = maxBytes;
  }

  /** Whether reading has begun. */
  get used(): boolean {
    return this.#isUsed;
  }

  /** Bytes of the body where its head told; `undefined` for a chunked one. */
  get length(): number | undefined {
    return this.#source.bodyLength;
  }

  /** The trailer section, once the body has been read to its end. */
  get trailers(): HeaderList | undefined {
    return this.#source.bodyTrailers;
  }

  /**
   * Collects the body.
   *
   * @param options A bound other than the server's.
   * @returns The bytes, which belong to the caller.
   * @throws {HttpStateError} If the body was read already.
   * @throws {LimitExceededError} If the body is larger than allowed.
   * @throws {HttpProtocolError} If the body is malformed or cut off.
   * @throws {TimeoutError} If the client stalls.
   */
  async bytes(options: CollectOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    this.#begin("bytes");
    return await this.#collect(options);
  }

  /**
   * Collects the body as text, in the charset its type names, else UTF-8.
   *
   * @param options A bound other than the server's.
   * @returns The text; bytes that are no text of that charset become U+FFFD.
   * @throws {HttpError} With 415 if the charset is unknown; otherwise as
   * {@linkcode IncomingBody.bytes}.
   */
  async text(options: CollectOptions = {}): Promise<string> {
    this.#begin("text");
    const decoder = decoderFor(this.#source.bodyType);
    return decoder.decode(this.#takeWhole(options) ?? await this.#collect(options));
  }

  /**
   * Collects the body and parses it as JSON (RFC 8259).
   *
   * @param options A bound other than the server's.
   * @returns The value.
   * @throws {HttpError} With 400 if the body is not JSON in UTF-8; otherwise as
   * {@linkcode IncomingBody.bytes}.
   */
  async json(options: CollectOptions = {}): Promise<unknown> {
    this.#begin("json");
    const bytes = this.#takeWhole(options) ?? await this.#collect(options);
    try {
      return JSON.parse(strictUtf8.decode(bytes));
    } catch (cause) {
      throw new HttpError(400, "Cannot parse body as JSON", { cause });
    }
  }

  /**
   * The body as a stream of chunks that belong to the reader. Nothing is read
   * ahead of it.
   *
   * @throws {HttpStateError} If the body was read already.
   */
  get stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const chunks = this[Symbol.asyncIterator]();
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller): Promise<void> {
        const { value, done } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(): Promise<void> {
        await chunks.return?.();
      },
    }, { highWaterMark: 0 });
  }

  /**
   * Reads chunk by chunk, as the bytes come. Every chunk belongs to the caller;
   * what is left when the loop ends early is dropped.
   *
   * @throws {HttpStateError} If the body was read already.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    this.#begin("iterate");
    return this.#chunks();
  }

  async *#chunks(): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    const source = this.#source;
    for (;;) {
      const view = source.takeBody();
      if (view !== undefined) yield view.slice();
      else if (source.isBodyDone) return;
      else await source.awaitBody();
    }
  }

  #begin(event: string): void {
    if (this.#isUsed) {
      throw new HttpStateError("ERR_HTTP_BODY_USED", "Cannot read body: it was read already", {
        state: "used",
        event,
      });
    }
    this.#isUsed = true;
  }

  #bound(options: CollectOptions): number {
    const max = resolveBound("maxBytes", options.maxBytes ?? this.#maxBytes);
    const length = this.#source.bodyLength;
    if (length !== undefined && length > max) throw tooLarge(length, max);
    return max;
  }

  /** The body as one view, if all of it has come in one piece. */
  #takeWhole(options: CollectOptions): Uint8Array | undefined {
    const source = this.#source;
    const length = source.bodyLength;
    if (length === undefined || length > MAX_FIRST_BYTES) return undefined;
    this.#bound(options);
    const held = source.peekBody();
    if (length === 0) return new Uint8Array(0);
    return held < length ? undefined : source.takeBody();
  }

  async #collect(options: CollectOptions): Promise<Uint8Array<ArrayBuffer>> {
    const max = this.#bound(options);
    const source = this.#source;
    const length = source.bodyLength;
    let bytes = new Uint8Array(Math.min(length ?? INITIAL_CHUNKED_BYTES, MAX_FIRST_BYTES));
    let count = 0;
    while (!source.isBodyDone) {
      const view = source.takeBody();
      if (view !== undefined) {
        if (count + view.length > max) throw tooLarge(count + view.length, max);
        bytes = withRoom(bytes, count, view.length, length);
        bytes.set(view, count);
        count += view.length;
      } else if (source.isBodyDone) {
        break;
      } else if (length === undefined) {
        await source.awaitBody();
      } else {
        bytes = withRoom(bytes, count, 1, length);
        count += await source.readBodyInto(bytes.subarray(count));
      }
    }
    return bytes.length === count ? bytes : bytes.slice(0, count);
  }
}

/** Room for more bytes, at least doubled, at most what the head announced. */
function withRoom(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  more: number,
  length: number | undefined,
): Uint8Array<ArrayBuffer> {
  if (count + more <= bytes.length) return bytes;
  const wanted = Math.max(count + more, bytes.length * 4);
  const grown = new Uint8Array(Math.min(wanted, length ?? Infinity));
  grown.set(bytes.subarray(0, count));
  return grown;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });
const utf8 = new TextDecoder();

function decoderFor(type: string | undefined): TextDecoder {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type ?? "")?.[1];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return utf8;
  try {
    return new TextDecoder(charset);
  } catch (cause) {
    throw new HttpError(415, "Cannot decode body: its charset is unknown", { cause });
  }
}

function tooLarge(length: number, max: number): LimitExceededError {
  return new LimitExceededError(`Cannot read body: ${length} bytes exceed ${max}`, {
    limit: "maxBodyBytes",
    max,
    statusHint: 413,
  });
}
