import { chunkStream } from "./_chunk_stream.ts";
import { LimitExceededError } from "../nbio/errors.ts";
import { charsetDecoder } from "./_charset_decoder.ts";
import { type BodyDecodingOptions, decodeSource } from "./body_content_decoding.ts";
import {
  FORM_TYPES,
  formFormat,
  type FormOptions,
  MULTIPART_TYPES,
  multipartForm,
  type MultipartOptions,
  urlencodedForm,
} from "./body_form.ts";
import { type MultipartPart, MultipartReader } from "./body_multipart.ts";
import { refuseContentCodings } from "./content_coding.ts";
import { HttpError, HttpStateError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import { resolveBound } from "./limits.ts";
import { faultOf, requestFault } from "./request_fault.ts";

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
  /** Value of Content-Encoding, if any. */
  readonly bodyCoding?: string | undefined;
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
  /** Lets go of what the source holds beside the connection. */
  releaseBody?(): void;
}

/** Options of the methods that collect a body in memory. */
export interface CollectOptions extends BodyDecodingOptions {
  /**
   * Most bytes to collect; more is refused with 413, at once where
   * Content-Length says so. Of a body that is decoded, neither what comes nor what
   * it becomes may be more. 0 or Infinity for no bound.
   *
   * @default {16777216}, or what `maxBodyBytes` of the server says
   */
  readonly maxBytes?: number;
}

/** Options of {@linkcode IncomingBody.chunks}. */
export interface ChunkOptions extends BodyDecodingOptions {
  /**
   * Most bytes to give; more is refused with 413, at once where Content-Length says
   * so. Of a body that is decoded, neither what comes nor what it becomes may be
   * more. 0 or Infinity for no bound.
   *
   * @default {0}
   */
  readonly maxBytes?: number;
}

/**
 * The body of a request. It can be read once, in one of these ways. What is not
 * read is dropped when the answer has left.
 *
 * An error about the body that a handler does not catch is answered with the status
 * it stands for: 400, 408, 413 or 415. Errors of the same classes that come from
 * somewhere else, an upstream of the handler's say, are not: they are a 500, or 503
 * for a deadline.
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
  readonly #isDecoding: boolean;
  #isUsed = false;

  /**
   * Bodies are made by `serve`.
   *
   * @param source Where the bytes come from.
   * @param maxBytes Most bytes to collect in memory.
   * @param options What `decode` is where a reader does not say.
   */
  constructor(
    source: BodySource,
    maxBytes: number,
    options: Pick<BodyDecodingOptions, "decode"> = {},
  ) {
    this.#source = source;
    this.#maxBytes = maxBytes;
    this.#isDecoding = options.decode ?? false;
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
  bytes(options: CollectOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return faultOf(this.#bytes(options));
  }

  async #bytes(options: CollectOptions): Promise<Uint8Array<ArrayBuffer>> {
    this.#begin("bytes");
    const max = this.#bound(options.maxBytes ?? this.#maxBytes);
    return await collect(this.#open(options, false, max), max);
  }

  /**
   * Collects the body as text, in the charset its type names, else UTF-8.
   *
   * @param options A bound other than the server's.
   * @returns The text; bytes that are no text of that charset become U+FFFD.
   * @throws {HttpError} With 415 if the charset is unknown; otherwise as
   * {@linkcode IncomingBody.bytes}.
   */
  text(options: CollectOptions = {}): Promise<string> {
    return faultOf(this.#text(options));
  }

  async #text(options: CollectOptions): Promise<string> {
    this.#begin("text");
    const decoder = charsetDecoder(this.#source.bodyType);
    const content = this.#content(options);
    // A view does not outlive a turn.
    return decoder.decode(content instanceof Uint8Array ? content : await content);
  }

  /**
   * Collects the body and parses it as JSON (RFC 8259).
   *
   * @param options A bound other than the server's.
   * @returns The value.
   * @throws {HttpError} With 400 if the body is not JSON in UTF-8; otherwise as
   * {@linkcode IncomingBody.bytes}.
   */
  json(options: CollectOptions = {}): Promise<unknown> {
    return faultOf(this.#json(options));
  }

  async #json(options: CollectOptions): Promise<unknown> {
    this.#begin("json");
    const content = this.#content(options);
    const bytes = content instanceof Uint8Array ? content : await content;
    try {
      return JSON.parse(strictUtf8.decode(bytes));
    } catch (cause) {
      throw new HttpError(400, "Cannot parse body as JSON", { cause });
    }
  }

  /**
   * Collects a form: `application/x-www-form-urlencoded` or `multipart/form-data`.
   * Files are held in memory; see {@linkcode IncomingBody.multipart} for large ones.
   *
   * @param options Bounds other than the server's and the usual ones.
   * @returns Text for fields, a `File` for each file; the name of a file is the last
   * segment of what was sent.
   * @throws {HttpError} With 415 if the body is no form, with 400 if its boundary is
   * missing.
   * @throws {HttpProtocolError} If the form is malformed.
   * @throws {LimitExceededError} If it has too many fields or parts; otherwise as
   * {@linkcode IncomingBody.bytes}.
   *
   * @example A form with a file
   * ```ts
   * import { serve } from "@nbio/net/http";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = serve(async (ctx) => {
   *   const form = await ctx.body.form();
   *   const file = form.get("file");
   *   ctx.json([form.get("title"), file instanceof File ? file.size : 0]);
   * }, { hostname: "127.0.0.1", port: 0 });
   *
   * const body = new FormData();
   * body.set("title", "A cat");
   * body.set("file", new File(["meow"], "cat.txt"));
   * const { port } = server.addr as Deno.NetAddr;
   * const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
   * assertEquals(await response.json(), ["A cat", 4]);
   * ```
   */
  form(options: FormOptions = {}): Promise<FormData> {
    return faultOf(this.#form(options));
  }

  async #form(options: FormOptions): Promise<FormData> {
    this.#begin("form");
    const format = formFormat(this.#source.bodyType, FORM_TYPES);
    if (format.type === "urlencoded") {
      const content = this.#content(options);
      const bytes = content instanceof Uint8Array ? content : await content;
      return urlencodedForm(bytes, format.charset, options);
    }
    const max = this.#bound(options.maxBytes ?? this.#maxBytes);
    const source = this.#open(options, true, max);
    return await multipartForm(source, format.boundary, options, max);
  }

  /**
   * Reads `multipart/form-data` part by part, as the bytes come, whatever the size
   * of its files: see {@linkcode MultipartPart}. What a loop that ends early leaves
   * is dropped.
   *
   * @param options Bounds other than the usual ones.
   * @returns The parts in order. Going on to the next drops what was not read of the
   * one before.
   * @throws {HttpStateError} If the body was read already.
   * @throws {HttpError} With 415 if the body is no such form, with 400 if its
   * boundary is missing.
   * @throws {LimitExceededError} If the body is larger than allowed. While the parts
   * are read, as {@linkcode IncomingBody.form}.
   */
  multipart(options: MultipartOptions = {}): AsyncIterableIterator<MultipartPart> {
    this.#begin("multipart");
    const format = formFormat(this.#source.bodyType, MULTIPART_TYPES);
    const max = this.#bound(options.maxBytes ?? 0);
    const source = this.#open(options, true, max);
    const boundary = format.type === "multipart" ? format.boundary : "";
    return new MultipartReader(source, boundary, options, max, this.#maxBytes).parts();
  }

  /**
   * The body as a stream of chunks that belong to the reader. Nothing is read
   * ahead of it.
   *
   * @throws {HttpStateError} If the body was read already.
   */
  get stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return chunkStream(this[Symbol.asyncIterator]());
  }

  /**
   * Reads chunk by chunk, as the bytes come. Every chunk belongs to the caller;
   * what is left when the loop ends early is dropped.
   *
   * @throws {HttpStateError} If the body was read already.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    return this.chunks();
  }

  /**
   * Reads chunk by chunk, as `for await` over the body does, with options.
   *
   * @param options A bound, and whether to decode.
   * @returns The chunks, which belong to the caller.
   * @throws {HttpStateError} If the body was read already.
   * @throws {LimitExceededError} If the body is larger than allowed.
   * @throws {HttpError} With 415 if it is to be decoded and its coding is unknown.
   */
  chunks(options: ChunkOptions = {}): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    this.#begin("iterate");
    const max = this.#bound(options.maxBytes ?? 0);
    return this.#chunks(this.#open(options, false, max), max);
  }

  async *#chunks(
    source: BodySource,
    max: number,
  ): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    let count = 0;
    try {
      for (;;) {
        const view = source.takeBody();
        if (view !== undefined) {
          count += view.length;
          if (count > max) throw tooLarge(count, max);
          yield view.slice();
        } else if (source.isBodyDone) return;
        else await source.awaitBody();
      }
    } catch (error) {
      throw requestFault(error);
    } finally {
      source.releaseBody?.();
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

  /** Checks a bound, and the length that the head told against it. */
  #bound(maxBytes: number): number {
    const max = resolveBound("maxBytes", maxBytes);
    const length = this.#source.bodyLength;
    if (length !== undefined && length > max) throw requestFault(tooLarge(length, max));
    return max;
  }

  /** Where the content comes from, decoded or refused where that is due. */
  #open(
    options: BodyDecodingOptions,
    isContent: boolean,
    max: number = Infinity,
  ): BodySource {
    if (options.decode ?? this.#isDecoding) {
      try {
        return decodeSource(this.#source, max, options);
      } catch (error) {
        throw requestFault(error);
      }
    }
    if (isContent) refuseContentCodings(this.#source.bodyCoding);
    return this.#source;
  }

  /** The whole content; a view of it, if all of it has come in one piece. */
  #content(options: CollectOptions): Uint8Array | Promise<Uint8Array> {
    const max = this.#bound(options.maxBytes ?? this.#maxBytes);
    const source = this.#open(options, true, max);
    return takeWhole(source) ?? collect(source, max);
  }
}

/** The body as one view, if all of it has come in one piece. */
function takeWhole(source: BodySource): Uint8Array | undefined {
  const length = source.bodyLength;
  if (length === undefined || length > MAX_FIRST_BYTES) return undefined;
  const held = source.peekBody();
  if (length === 0) return new Uint8Array(0);
  return held < length ? undefined : source.takeBody();
}

async function collect(source: BodySource, max: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await collectAll(source, max);
  } finally {
    source.releaseBody?.();
  }
}

async function collectAll(source: BodySource, max: number): Promise<Uint8Array<ArrayBuffer>> {
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

function tooLarge(length: number, max: number): LimitExceededError {
  return new LimitExceededError(`Cannot read body: ${length} bytes exceed ${max}`, {
    limit: "maxBodyBytes",
    max,
    statusHint: 413,
  });
}
