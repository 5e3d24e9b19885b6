import { LimitExceededError } from "../nbio/errors.ts";
import type { Transport } from "../nbio/transport.ts";
import { readerStream } from "./_chunk_stream.ts";
import { concatBytes } from "./_concat_bytes.ts";
import { HttpStateError } from "./errors.ts";
import type { InformationalEvent, ResponseEvent } from "./events.ts";
import type { HeaderList } from "./header_list.ts";
import { resolveBound } from "./limits.ts";

/** A connection that HTTP has given away: behind a 101, or a 2xx to CONNECT. */
export interface ExchangeHandover {
  /** The connection, with no read or write waiting. It belongs to the caller, who closes it. */
  readonly transport: Transport;
  /**
   * What came behind the response and was read already: the first bytes of the
   * next protocol. Reads of `transport` go on behind them.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Where the body of a response comes from. */
export interface ResponseSource {
  /** Resolves when the connection is free again, or of no more use. */
  readonly ended: Promise<void>;
  /** Trailer fields, behind the end of the body. */
  readonly trailers: HeaderList | undefined;
  /** Whether the whole response has been read. */
  readonly isComplete: boolean;
  /**
   * Reads on; `undefined` at the end.
   *
   * @param room Where a piece may be put: it is then given as the front of it.
   */
  readBody(room?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** What is there without waiting; `undefined` where there is nothing, or the end. */
  takeBody(): Uint8Array<ArrayBuffer> | undefined;
  /** Gives the rest up. */
  close(): void;
}

/** Options of {@linkcode ExchangeResponse.bytes}. */
export interface ResponseBytesOptions {
  /**
   * Most bytes to hold; 0 for no bound. A longer body closes the connection.
   *
   * @default {67_108_864}
   */
  readonly maxBytes?: number;
}

/** Options of {@linkcode ExchangeResponse.discard}. */
export interface ResponseDiscardOptions {
  /**
   * Most bytes to read for the sake of the connection; 0 for no bound. Where more
   * is to come the connection is closed.
   *
   * @default {262_144}
   */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const DEFAULT_DISCARD_BYTES = 256 * 1024;
/** Memory set aside for a body of which nothing has come. */
const FIRST_ROOM_BYTES = 1024 * 1024;

/**
 * What a server has answered: the head, and the body as it comes. Nothing is read
 * ahead of whoever reads: a slow reader slows the server down.
 *
 * A connection is free for its next exchange only when the body has been read to
 * its end, or discarded; whoever stops before closes it. `await using` closes what
 * was not read.
 *
 * @example Reading a body piece by piece
 * ```ts
 * import { exchange } from "@nbio/net/http";
 * import { memoryPipe, runTranscript } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * const script = runTranscript(server, [
 *   { type: "skip-until", bytes: "\r\n\r\n" },
 *   { type: "send", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
 *   { type: "expect-close" },
 * ]);
 * await using response = await exchange(client, { target: "/", headers: { host: "a" } });
 * let length = 0;
 * for await (const chunk of response) length += chunk.length;
 * assertEquals(length, 5);
 * await script;
 * ```
 */
export class ExchangeResponse implements AsyncDisposable {
  /** Status code; 101 only where the connection was handed over. */
  readonly status: number;
  /** Reason phrase, maybe empty. */
  readonly reason: string;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** Header fields in order. */
  readonly headers: HeaderList;
  /**
   * Bytes of the body, 0 where there is none; `undefined` for a chunked one and
   * for one that ends with the connection.
   */
  readonly bodyLength: number | undefined;
  /** The connection, where it was handed over: behind a 101, or a 2xx to CONNECT. */
  readonly handover: ExchangeHandover | undefined;

  readonly #source: ResponseSource;
  #isReading = false;

  /**
   * Makes a response of a head that has come; for {@linkcode ClientConnection}.
   *
   * @param head What has come.
   * @param source Where the body comes from.
   * @param handover The connection, where it was handed over.
   */
  constructor(
    head: ResponseEvent | InformationalEvent,
    source: ResponseSource,
    handover?: ExchangeHandover,
  ) {
    this.status = head.status;
    this.reason = head.reason;
    this.minorVersion = head.type === "response" ? head.minorVersion : 1;
    this.headers = head.headers;
    this.bodyLength = head.type === "response" && handover === undefined ? head.bodyLength : 0;
    this.handover = handover;
    this.#source = source;
  }

  /** Trailer fields; `undefined` before the end of the body, and where there are none. */
  get trailers(): HeaderList | undefined {
    return this.#source.trailers;
  }

  /** Whether the whole response has been read. */
  get isComplete(): boolean {
    return this.#source.isComplete;
  }

  /**
   * Resolves when the connection is free for the next exchange, or of no more use;
   * it never rejects. A request that is still leaving holds it up.
   */
  get ended(): Promise<void> {
    return this.#source.ended;
  }

  /**
   * Reads on in the body.
   *
   * @returns What has come, at least one byte, in memory that belongs to the
   * caller; `undefined` at the end, and from then on always.
   * @throws {TimeoutError} If time is up, in the phase `"body"`.
   * @throws {ConnectionClosedError} If the connection breaks, or was closed by us.
   * @throws {HttpProtocolError} If the body breaks the protocol, or is cut.
   * @throws {LimitExceededError} If its framing passes a limit.
   * @throws {HttpStateError} If another read is waiting.
   * @throws {Error} The reason of the exchange's signal; or why the request failed
   * that was still leaving.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#read();
  }

  /**
   * Takes what of the body has come already, without waiting.
   *
   * @returns At least one byte, in memory that belongs to the caller; `undefined`
   * where there is nothing yet, at the end, and behind a failure: `read` tells.
   * @throws {HttpStateError} If a read is waiting.
   */
  take(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#isReading) throw busyError();
    return this.#source.takeBody();
  }

  async #read(room?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#isReading) throw busyError();
    this.#isReading = true;
    try {
      return await this.#source.readBody(room);
    } finally {
      this.#isReading = false;
    }
  }

  /** Reads piece by piece. A loop that ends early closes the connection. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    try {
      for (let chunk; (chunk = await this.read()) !== undefined;) yield chunk;
    } finally {
      this.close();
    }
  }

  /** The body as a stream that reads nothing ahead. Cancelling it closes the connection. */
  get stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return readerStream(this);
  }

  /**
   * Reads the rest of the body into memory.
   *
   * @param options The bound.
   * @returns Memory that belongs to the caller.
   * @throws {LimitExceededError} If the body is longer; the connection is closed.
   * @throws {RangeError} If the bound is negative, NaN or not whole.
   * @throws {Error} As {@linkcode ExchangeResponse.read}.
   */
  async bytes(options: ResponseBytesOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const max = resolveBound("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES);
    // Before a byte is read, where the head told.
    const { bodyLength } = this;
    if ((bodyLength ?? 0) > max) throw this.#tooLarge(bodyLength!, max);
    // The common case: it has come with its head.
    const first = this.#isReading ? undefined : this.#source.takeBody();
    if (this.isComplete) return first ?? new Uint8Array(0);
    if (bodyLength !== undefined) return await this.#collectInPlace(first, bodyLength);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for (let chunk = first;;) {
      if (chunk !== undefined) {
        length += chunk.length;
        if (length > max) throw this.#tooLarge(length, max);
        chunks.push(chunk);
      }
      if (this.isComplete) break;
      chunk = await this.read();
      if (chunk === undefined) break;
    }
    return chunks.length === 1 ? chunks[0]! : concatBytes(chunks, length);
  }

  /** Reads a body of known length straight to where it is wanted. */
  async #collectInPlace(
    first: Uint8Array<ArrayBuffer> | undefined,
    bodyLength: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    // What is announced need not come: memory follows what has.
    let bytes = new Uint8Array(Math.min(bodyLength, FIRST_ROOM_BYTES));
    let length = 0;
    for (let chunk = first;;) {
      if (chunk !== undefined) {
        if (length + chunk.length > bytes.length) bytes = enlarge(bytes, length + chunk.length);
        if (chunk.buffer !== bytes.buffer) bytes.set(chunk, length);
        length += chunk.length;
      }
      if (this.isComplete) break;
      if (length === bytes.length) bytes = enlarge(bytes, Math.min(bodyLength, 2 * length));
      chunk = await this.#read(bytes.subarray(length));
      if (chunk === undefined) break;
    }
    // A part of it was read before.
    return length === bytes.length ? bytes : bytes.slice(0, length);
  }

  /**
   * Reads and drops the rest of the body, so that the connection can be used
   * again; closes it where that would take too long.
   *
   * @param options The bound.
   * @returns A promise that resolves when nothing is left to read.
   * @throws {RangeError} If the bound is negative, NaN or not whole.
   * @throws {Error} As {@linkcode ExchangeResponse.read}.
   */
  async discard(options: ResponseDiscardOptions = {}): Promise<void> {
    const max = resolveBound("maxBytes", options.maxBytes ?? DEFAULT_DISCARD_BYTES);
    let length = (this.bodyLength ?? 0) > max ? Infinity : 0;
    while (length <= max) {
      const chunk = await this.read();
      if (chunk === undefined) return;
      length += chunk.length;
    }
    this.close();
  }

  /** Closes the connection, unless the body was read to its end or it was handed over. */
  close(): void {
    this.#source.close();
  }

  /** Does as {@linkcode ExchangeResponse.close}. */
  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #tooLarge(length: number, max: number): LimitExceededError {
    this.close();
    return new LimitExceededError(`Cannot read response: ${length} bytes exceed ${max}`, {
      limit: "maxBytes",
      max,
    });
  }
}

function busyError(): HttpStateError {
  return new HttpStateError("ERR_HTTP_ILLEGAL_EVENT", "Cannot read: another read is waiting", {
    state: "reading",
    event: "read",
  });
}

/** Room for more, with what there is at its front. */
function enlarge(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}
