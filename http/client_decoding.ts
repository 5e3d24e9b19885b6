/**
 * {@linkcode decodeResponse}: the body of a response without its content codings,
 * within bounds.
 *
 * @module
 */

import { ConnectionClosedError, LimitExceededError } from "../nbio/errors.ts";
import { concatBytes } from "./_concat_bytes.ts";
import { type ContentCoding, knownContentCodings } from "./content_coding.ts";
import { decodeContent, DEFAULT_MAX_CODINGS, DEFAULT_MAX_RATIO } from "./content_decoder.ts";
import { HttpStateError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import { resolveBound } from "./limits.ts";

/** The body of a response, to be pulled: an `ExchangeResponse`, for example. */
export interface ResponseBodySource {
  /** Bytes of the body, 0 where there is none; `undefined` where that is not known. */
  readonly bodyLength: number | undefined;
  /**
   * Reads on.
   *
   * @returns At least one byte, in memory that belongs to the caller; `undefined` at
   * the end, and from then on always.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Gives the rest up, which ends a read that waits. */
  close(): void;
}

/** Options of {@linkcode decodeResponse}; 0 or Infinity switches a bound off. */
export interface ResponseDecodingOptions {
  /**
   * Whether gzip, deflate, br and zstd are undone. A body with another coding among
   * its own is given as it came in any case.
   *
   * @default {true}
   */
  readonly decompress?: boolean;
  /**
   * Content codings of one body, one inside the other.
   *
   * @default {5}
   */
  readonly maxContentCodings?: number;
  /**
   * How many times as large as what came a decoded body may become, beyond its
   * first 10 MiB.
   *
   * @default {1_000}
   */
  readonly maxDecodingRatio?: number;
  /**
   * Most bytes to give, decoded where that is done.
   *
   * @default {Infinity}
   */
  readonly maxResponseBytes?: number;
}

/** What incompressible content may grow by when it is encoded: an eighth, and a little. */
const CODED_EXTRA_SHARE = 8;
const CODED_EXTRA_BYTES = 64 * 1024;

/**
 * Undoes the content codings of a response (RFC 9110 section 8.4) and holds its
 * body to its bounds. Nothing is read ahead of whoever reads. A body that fails to
 * be decoded, or passes a bound, is closed.
 *
 * @param source The body as it comes. It belongs to the result.
 * @param headers Header fields of the response.
 * @param options What to undo, and the bounds.
 * @returns The body; `source` itself where there is nothing to do.
 * @throws {LimitExceededError} If there are too many codings, or the head tells of
 * more bytes than allowed; the source is closed then.
 * @throws {RangeError} If a bound is negative, NaN or not whole.
 */
export function decodeResponse<S extends ResponseBodySource>(
  source: S,
  headers: HeaderList,
  options: ResponseDecodingOptions = {},
): S | ResponseBodySource {
  const maxCodings = resolveBound(
    "maxContentCodings",
    options.maxContentCodings ?? DEFAULT_MAX_CODINGS,
  );
  const maxRatio = resolveBound("maxDecodingRatio", options.maxDecodingRatio ?? DEFAULT_MAX_RATIO);
  const max = resolveBound("maxResponseBytes", options.maxResponseBytes ?? Infinity);
  const { bodyLength } = source;
  if (bodyLength === 0) return source;
  try {
    const { decompress = true } = options;
    const codings = decompress ? codingsOf(headers, maxCodings) : [];
    if (codings.length > 0) return new PulledBody(source, decoded(source, codings, max, maxRatio));
    if (bodyLength !== undefined && bodyLength > max) throw tooLarge(bodyLength, max);
  } catch (error) {
    source.close();
    throw error;
  }
  // A known length is held to by the framing.
  const isBounded = bodyLength !== undefined || max === Infinity;
  return isBounded ? source : new PulledBody(source, bounded(source, max));
}

/**
 * Reads the rest of a body into memory.
 *
 * @param source The body.
 * @param maxBytes Most bytes; Infinity for no bound.
 * @returns Memory that belongs to the caller.
 * @throws {LimitExceededError} If there are more, with the limit `maxBodyBytes`; the
 * source is closed then.
 * @throws {Error} What reading fails with.
 */
export async function collectResponse(
  source: ResponseBodySource,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = source.bodyLength ?? 0;
  try {
    if (length > maxBytes) throw tooLarge(length, maxBytes, "maxBodyBytes");
    length = 0;
    for (let chunk; (chunk = await source.read()) !== undefined;) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(length, maxBytes, "maxBodyBytes");
      chunks.push(chunk);
    }
  } catch (error) {
    source.close();
    throw error;
  }
  return chunks.length === 1 ? chunks[0]! : concatBytes(chunks, length);
}

/** The codings to undo; none where one is unknown, as nothing behind it can be read. */
function codingsOf(headers: HeaderList, max: number): readonly ContentCoding[] {
  // Looked for by hand: most responses have none.
  if (!headers.has("content-encoding")) return [];
  return knownContentCodings(headers.get("content-encoding"), max) ?? [];
}

/** A body that comes out of a generator over its source. */
class PulledBody implements ResponseBodySource {
  readonly bodyLength: undefined;
  readonly #source: ResponseBodySource;
  readonly #pieces: AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
  #failure: { readonly error: unknown } | undefined;
  #isReading = false;
  #isEnded = false;

  constructor(
    source: ResponseBodySource,
    pieces: AsyncGenerator<Uint8Array<ArrayBuffer>, void>,
  ) {
    this.bodyLength = undefined;
    this.#source = source;
    this.#pieces = pieces;
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#throwIfFailed();
    if (this.#isReading) throw busyError();
    this.#isReading = true;
    try {
      const { value, done } = await this.#pieces.next();
      if (done !== true) return value;
      // Closed meanwhile: what has come is not all.
      this.#throwIfFailed();
      this.#isEnded = true;
      return undefined;
    } catch (error) {
      this.#failure ??= { error };
      this.#source.close();
      throw error;
    } finally {
      this.#isReading = false;
    }
  }

  close(): void {
    if (this.#isEnded) return;
    this.#failure ??= { error: new ConnectionClosedError("Response was closed on our side") };
    this.#source.close();
    // One that waits for the source ends when that has failed.
    this.#pieces.return().catch(() => {});
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

async function* decoded(
  source: ResponseBodySource,
  codings: readonly ContentCoding[],
  maxBytes: number,
  maxRatio: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const pieces = decodeContent(pull(source), codings, {
    maxBytes,
    maxCodedBytes: maxBytes + Math.ceil(maxBytes / CODED_EXTRA_SHARE) + CODED_EXTRA_BYTES,
    maxRatio,
    limit: "maxResponseBytes",
  });
  // Copied: several pieces lie in one buffer, which a reader might transfer.
  for await (const piece of pieces) if (piece.length > 0) yield new Uint8Array(piece);
}

async function* bounded(
  source: ResponseBodySource,
  max: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  let length = 0;
  for await (const piece of pull(source)) {
    length += piece.length;
    if (length > max) throw tooLarge(length, max);
    yield piece;
  }
}

async function* pull(
  source: ResponseBodySource,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  for (let piece; (piece = await source.read()) !== undefined;) yield piece;
}

function tooLarge(length: number, max: number, limit = "maxResponseBytes"): LimitExceededError {
  return new LimitExceededError(`Cannot read response: ${length} bytes exceed ${max}`, {
    limit,
    max,
  });
}

function busyError(): HttpStateError {
  return new HttpStateError("ERR_HTTP_ILLEGAL_EVENT", "Cannot read: another read is waiting", {
    state: "reading",
    event: "read",
  });
}
