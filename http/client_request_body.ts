/**
 * {@linkcode openRequestBody}: whatever a caller gives as a body, made ready for a
 * connection.
 *
 * @module
 */

import { blobChunks } from "./_blob_chunks.ts";
import { type ProgressListener, ProgressMeter } from "./client_progress.ts";
import { parseContentType } from "./content_type.ts";
import { HttpStateError } from "./errors.ts";
import { FormDataWriter } from "./form_data_writer.ts";
import type { HeaderInit } from "./header_list.ts";

/** Where the bytes of a {@linkcode FileBody} come from: a `PositionalFile`, for example. */
export interface FileBodySource {
  /**
   * Reads at a place.
   *
   * @param p Where bytes go; not touched by the caller until the promise settles.
   * @param offset Bytes from the start of the file.
   * @returns How many bytes came, at the start of `p`; 0 at the end and beyond.
   */
  readAt(p: Uint8Array, offset: number): Promise<number>;
}

/** A file, or a part of one, as the body of a request. It is left open. */
export interface FileBody {
  /** The file; it has to stay open, and as it is, until the request has left. */
  readonly file: FileBodySource;
  /**
   * Where the body starts, in bytes from the start of the file.
   *
   * @default {0}
   */
  readonly offset?: number;
  /**
   * Bytes of the body. Without it the file is sent to its end, in chunks, as its
   * size is not asked for.
   *
   * @default {undefined}
   */
  readonly length?: number;
}

/**
 * What can be the body of a request.
 *
 * A string is sent in UTF-8. Bytes must not change until the request has left. A
 * stream and an iterable are read once, so that a request with one is repeated only
 * if nobody has begun to read it; their chunks are bytes.
 */
export type ClientBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | FormData
  | URLSearchParams
  | FileBody
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** Options of {@linkcode openRequestBody}. */
export interface RequestBodyOptions {
  /**
   * The media type, in place of the one that comes with the body. For a form it has
   * to be `multipart/form-data`; its boundary, if it has one, is used.
   *
   * @default {what comes with the body}
   */
  readonly contentType?: string;
  /**
   * Told when a piece of the body has left.
   *
   * @default {undefined}
   */
  readonly onProgress?: ProgressListener;
  /**
   * Trailer fields, or what gives them once the body has left.
   *
   * @default {undefined}
   */
  readonly trailers?: HeaderInit | (() => HeaderInit);
}

/** The body of a request, for one attempt after the other. */
export interface RequestBody {
  /** Media type; `undefined` where there is none to name. */
  readonly contentType: string | undefined;
  /** Bytes in all; `undefined` where they are sent in chunks. */
  readonly length: number | undefined;
  /** Whether it can be opened now: always, or while nobody has begun to read it. */
  readonly isReplayable: boolean;
  /** Trailer fields, or what gives them once the body has left. */
  readonly trailers: HeaderInit | (() => HeaderInit) | undefined;
  /**
   * The bytes, from the beginning.
   *
   * @throws {HttpStateError} If it can be read once only, and reading has begun.
   */
  open(): Uint8Array | AsyncIterable<Uint8Array>;
  /**
   * Lets go of what nobody has begun to read and nobody will: a stream is
   * cancelled, an iterable is returned from. Never throws.
   *
   * @param reason Told to a stream.
   */
  cancel(reason?: unknown): void;
}

/** How the bytes of a body are found. */
interface BodyContent {
  readonly type: string | undefined;
  readonly length: number | undefined;
  /** Gives the bytes, from the beginning with every call. */
  readonly open: () => Uint8Array | AsyncIterable<Uint8Array>;
  /** Set for a source that is read once: how to let go of it. */
  readonly cancel?: (reason: unknown) => unknown;
}

/** One read of a file. */
const FILE_READ_BYTES = 256 * 1024;
/** With progress wanted, bytes leave in pieces of at most so many. */
const PROGRESS_PIECE_BYTES = 64 * 1024;
const TEXT_TYPE = "text/plain;charset=UTF-8";
const URLENCODED_TYPE = "application/x-www-form-urlencoded;charset=UTF-8";
const ENCODER = new TextEncoder();

/**
 * Makes a body ready for a connection: finds its media type and its length, and
 * whether it can be sent twice. Nothing is read yet.
 *
 * @param body What the caller gave; `undefined` for no body at all.
 * @param options Media type, progress, trailers.
 * @returns The body; `undefined` without one.
 * @throws {TypeError} If it can be no body, or a stream is locked.
 * @throws {RangeError} If an offset or length of a file is no whole number of at
 * least 0.
 *
 * @example Text and its length
 * ```ts
 * import { openRequestBody } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const body = openRequestBody("grüezi")!;
 * assertEquals(body.length, 7);
 * assertEquals(body.contentType, "text/plain;charset=UTF-8");
 * assertEquals(body.isReplayable, true);
 * assertEquals(openRequestBody(undefined), undefined);
 * ```
 */
export function openRequestBody(
  body: ClientBody | undefined,
  options: RequestBodyOptions = {},
): RequestBody | undefined {
  if (body === undefined) return undefined;
  return new OpenedBody(contentOf(body, options.contentType), options);
}

class OpenedBody implements RequestBody {
  readonly contentType: string | undefined;
  readonly length: number | undefined;
  readonly trailers: HeaderInit | (() => HeaderInit) | undefined;
  readonly #content: BodyContent;
  readonly #onProgress: ProgressListener | undefined;
  /** Whether a source that is read once has been begun, or given up. */
  #isUsed = false;

  constructor(content: BodyContent, options: RequestBodyOptions) {
    this.contentType = content.type;
    this.length = content.length;
    this.trailers = options.trailers;
    this.#content = content;
    this.#onProgress = options.onProgress;
  }

  get isReplayable(): boolean {
    return !this.#isUsed;
  }

  open(): Uint8Array | AsyncIterable<Uint8Array> {
    if (this.#isUsed) throw usedError();
    const opened = this.#content.open();
    const source = this.#content.cancel === undefined || opened instanceof Uint8Array
      ? opened
      : this.#once(opened);
    return this.#onProgress === undefined ? source : watched(source, this.length, this.#onProgress);
  }

  cancel(reason?: unknown): void {
    const { cancel } = this.#content;
    if (cancel === undefined || this.#isUsed) return;
    this.#isUsed = true;
    void Promise.try(() => cancel(reason)).catch(() => {});
  }

  /** Counts as used when somebody begins to read it, not before. */
  #once(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return {
      [Symbol.asyncIterator]: (): AsyncIterator<Uint8Array> => {
        if (this.#isUsed) throw usedError();
        this.#isUsed = true;
        return source[Symbol.asyncIterator]();
      },
    };
  }
}

function usedError(): HttpStateError {
  return new HttpStateError("ERR_HTTP_BODY_USED", "Cannot send body: it was read already", {
    state: "used",
    event: "open",
  });
}

function contentOf(body: ClientBody, contentType: string | undefined): BodyContent {
  if (body instanceof FormData) return formContent(body, contentType);
  const content = plainContent(body);
  return contentType === undefined ? content : { ...content, type: contentType };
}

function plainContent(body: ClientBody): BodyContent {
  if (typeof body === "string") return bytesContent(ENCODER.encode(body), TEXT_TYPE);
  if (body instanceof Uint8Array) return bytesContent(body);
  if (body instanceof ArrayBuffer) return bytesContent(new Uint8Array(body));
  if (body instanceof URLSearchParams) {
    return bytesContent(ENCODER.encode(body.toString()), URLENCODED_TYPE);
  }
  if (body instanceof Blob) {
    return { type: body.type || undefined, length: body.size, open: () => blobChunks(body) };
  }
  if (body instanceof ReadableStream) return streamContent(body);
  if (typeof body === "object" && body !== null) {
    if (Symbol.asyncIterator in body) return iterableContent(body);
    if ("file" in body && typeof body.file?.readAt === "function") return fileContent(body);
  }
  throw new TypeError("Cannot send body: it is of none of the types that can be sent");
}

function bytesContent(bytes: Uint8Array, type?: string): BodyContent {
  return { type, length: bytes.length, open: () => bytes };
}

function formContent(form: FormData, contentType: string | undefined): BodyContent {
  const boundary = contentType === undefined ? undefined : boundaryOf(contentType);
  const writer = new FormDataWriter(form, boundary === undefined ? {} : { boundary });
  return { type: writer.contentType, length: writer.length, open: () => writer.chunks() };
}

/** The boundary that a caller wants; a form under any other type could not be read. */
function boundaryOf(contentType: string): string | undefined {
  const parsed = parseContentType(contentType);
  if (parsed?.type === "multipart/form-data") return parsed.parameters.get("boundary");
  throw new TypeError("Cannot send form: its contentType is not multipart/form-data");
}

function streamContent(stream: ReadableStream<Uint8Array>): BodyContent {
  if (stream.locked) throw new TypeError("Cannot send body: the stream is locked");
  return {
    type: undefined,
    length: undefined,
    open: () => stream,
    cancel: (reason) => stream.cancel(reason),
  };
}

function iterableContent(source: AsyncIterable<Uint8Array>): BodyContent {
  return {
    type: undefined,
    length: undefined,
    open: () => source,
    // A generator that was not begun is over with it; nothing of it runs.
    cancel: () => source[Symbol.asyncIterator]().return?.(),
  };
}

function fileContent(body: FileBody): BodyContent {
  const { file, offset = 0, length } = body;
  checkPlace("offset", offset);
  if (length !== undefined) checkPlace("length", length);
  return { type: undefined, length, open: () => readFile(file, offset, length) };
}

function checkPlace(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`Cannot send file: ${name} is ${value}, expected a whole number from 0`);
}

/** One buffer: the sender asks for the next chunk when the one before has left. */
async function* readFile(
  file: FileBodySource,
  offset: number,
  length: number | undefined,
): AsyncGenerator<Uint8Array, void> {
  const room = new Uint8Array(Math.min(length ?? FILE_READ_BYTES, FILE_READ_BYTES));
  let sentBytes = 0;
  while (sentBytes < (length ?? Infinity)) {
    const wanted = room.subarray(0, Math.min(room.length, (length ?? Infinity) - sentBytes));
    const count = await file.readAt(wanted, offset + sentBytes);
    // A file that is shorter than was said fails the request: its length is held to.
    if (count === 0) return;
    sentBytes += count;
    yield wanted.subarray(0, count);
  }
}

/** Tells of each piece when the next is asked for, which is when it has left. */
async function* watched(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  totalBytes: number | undefined,
  listener: ProgressListener,
): AsyncGenerator<Uint8Array, void> {
  const meter = new ProgressMeter(listener, totalBytes);
  for await (const piece of source instanceof Uint8Array ? piecesOf(source) : source) {
    yield piece;
    meter.add(piece.length);
  }
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += PROGRESS_PIECE_BYTES) {
    yield bytes.subarray(at, at + PROGRESS_PIECE_BYTES);
  }
}
