import { chunkStream } from "./_chunk_stream.ts";
import { concatBytes } from "./_concat_bytes.ts";
import { LimitExceededError } from "../nbio/errors.ts";
import type { BodySource } from "./body_incoming.ts";
import { charsetDecoder } from "./_charset_decoder.ts";
import type { ParsedContentDisposition } from "./content_disposition.ts";
import { HttpStateError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import { resolveBound } from "./limits.ts";
import type { MultipartLimits } from "./multipart_limits.ts";
import { type MultipartEvent, MultipartParser } from "./multipart_parser.ts";
import type { MultipartPartHead } from "./multipart_part_head.ts";
import { faultOf, requestFault } from "./request_fault.ts";

/** Options of {@linkcode MultipartPart.bytes} and {@linkcode MultipartPart.text}. */
export interface PartCollectOptions {
  /**
   * Most bytes to collect; more is refused with 413. 0 or Infinity for no bound.
   *
   * @default {16777216}, or what `maxBodyBytes` of the server says
   */
  readonly maxBytes?: number;
}

/**
 * One part of a form, as its bytes come: nothing of it is kept. It can be read once,
 * in one of these ways, before the loop goes on to the next part; what was not read
 * by then is dropped.
 *
 * @example Uploads of any size
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => {
 *   const seen: Record<string, number | string> = {};
 *   for await (const part of ctx.body.multipart()) {
 *     if (part.filename === undefined) {
 *       seen[part.name] = await part.text();
 *     } else {
 *       let size = 0;
 *       for await (const chunk of part) size += chunk.length;
 *       seen[part.filename] = size;
 *     }
 *   }
 *   ctx.json(seen);
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const form = new FormData();
 * form.set("title", "A cat");
 * form.set("photo", new File([new Uint8Array(100_000)], "cat.jpg"));
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: form });
 * assertEquals(await response.json(), { "title": "A cat", "cat.jpg": 100_000 });
 * ```
 */
export class MultipartPart implements AsyncIterable<Uint8Array> {
  /** Name of the form field. */
  readonly name: string;
  /**
   * Last segment of the file's name; `undefined` for a field that is no file. Before
   * it names a file of yours, see {@linkcode safeFilename}.
   */
  readonly filename: string | undefined;
  /** Content-Type of the part, as sent; `text/plain` where there is none. */
  readonly type: string;
  /** The Content-Disposition, with the file's name as it was sent. */
  readonly disposition: ParsedContentDisposition;
  /** Header fields of the part. */
  readonly headers: HeaderList;
  readonly #reader: MultipartReader;
  #isUsed = false;

  /**
   * Parts are made by {@linkcode IncomingBody.multipart}.
   *
   * @param head What its head says.
   * @param reader Where the bytes come from.
   */
  constructor(head: MultipartPartHead, reader: MultipartReader) {
    this.name = head.name;
    this.filename = head.filename;
    this.type = head.type;
    this.disposition = head.disposition;
    this.headers = head.headers;
    this.#reader = reader;
  }

  /** Whether reading has begun. */
  get used(): boolean {
    return this.#isUsed;
  }

  /**
   * Collects the part.
   *
   * @param options A bound other than the server's.
   * @returns The bytes, which belong to the caller.
   * @throws {HttpStateError} If the part was read already, or the loop has gone on.
   * @throws {LimitExceededError} If the part is larger than allowed.
   * @throws {HttpProtocolError} If the body is malformed or cut off.
   * @throws {TimeoutError} If the client stalls.
   */
  bytes(options: PartCollectOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return faultOf(this.#bytes(options));
  }

  async #bytes(options: PartCollectOptions): Promise<Uint8Array<ArrayBuffer>> {
    this.#begin("bytes");
    return await this.#reader.collect(this, options);
  }

  /**
   * Collects the part as text, in the charset its type names, else UTF-8.
   *
   * @param options A bound other than the server's.
   * @returns The text; bytes that are no text of that charset become U+FFFD.
   * @throws {HttpError} With 415 if the charset is unknown; otherwise as
   * {@linkcode MultipartPart.bytes}.
   */
  text(options: PartCollectOptions = {}): Promise<string> {
    return faultOf(this.#text(options));
  }

  async #text(options: PartCollectOptions): Promise<string> {
    this.#begin("text");
    const decoder = charsetDecoder(this.type);
    return decoder.decode(await this.#reader.collect(this, options));
  }

  /**
   * The part as a stream of chunks that belong to the reader. Nothing is read ahead
   * of it.
   *
   * @throws {HttpStateError} If the part was read already.
   */
  get stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return chunkStream(this[Symbol.asyncIterator]());
  }

  /**
   * Reads chunk by chunk, as the bytes come. Every chunk belongs to the caller.
   *
   * @throws {HttpStateError} If the part was read already.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    this.#begin("iterate");
    return this.#chunks();
  }

  async *#chunks(): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const piece = await this.#reader.readPiece(this);
      if (piece === undefined) return;
      yield piece;
    }
  }

  #begin(event: string): void {
    if (this.#isUsed) throw unreadable("used", event, "it was read already");
    this.#isUsed = true;
  }
}

/** Reads the parts of one body, one after the other. */
export class MultipartReader {
  readonly #source: BodySource;
  readonly #parser: MultipartParser;
  readonly #maxBytes: number;
  readonly #maxPartBytes: number;
  #takenBytes = 0;
  /** Events of what was taken last: its bytes do not outlive the next wait. */
  #events: MultipartEvent[] = [];
  #eventIndex = 0;
  #error: unknown;
  #part: MultipartPart | undefined;
  /** Parts that were read to their ends are no news to whoever asks again. */
  #lastPart: MultipartPart | undefined;
  #collecting: Promise<unknown> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param source The body.
   * @param boundary The boundary, checked.
   * @param limits Bounds on what it holds.
   * @param maxBytes Most bytes of the whole body.
   * @param maxPartBytes Most bytes that a part collects in memory, by default.
   */
  constructor(
    source: BodySource,
    boundary: string,
    limits: MultipartLimits,
    maxBytes: number,
    maxPartBytes: number,
  ) {
    this.#source = source;
    this.#parser = new MultipartParser(boundary, limits);
    this.#maxBytes = maxBytes;
    this.#maxPartBytes = maxPartBytes;
  }

  /** The parts in order. The body is read to its end, and no further. */
  async *parts(): AsyncGenerator<MultipartPart, void> {
    try {
      for (;;) {
        await this.#collecting?.catch(() => {});
        const part = await this.#exclusively(() => this.#nextPart());
        if (part === undefined) return;
        yield part;
      }
    } finally {
      this.#part = undefined;
      this.#source.releaseBody?.();
    }
  }

  /** The next piece of a part; `undefined` at its end. */
  readPiece(part: MultipartPart): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#exclusively(async () => {
      if (part === this.#lastPart) return undefined;
      if (part !== this.#part) throw unreadable("left", "read", "the loop has left it");
      const event = await this.#nextEvent();
      if (event?.type === "data") return event.bytes as Uint8Array<ArrayBuffer>;
      this.#lastPart = part;
      this.#part = undefined;
      return undefined;
    });
  }

  /** All of a part. The loop over the parts waits for it. */
  collect(part: MultipartPart, options: PartCollectOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#collecting = this.#collect(part, options);
  }

  async #collect(
    part: MultipartPart,
    options: PartCollectOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const max = resolveBound("maxBytes", options.maxBytes ?? this.#maxPartBytes);
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for (let piece; (piece = await this.readPiece(part)) !== undefined;) {
      length += piece.length;
      if (length > max) throw tooLarge("Cannot read part", "maxBytes", max);
      pieces.push(piece);
    }
    return pieces.length === 1 ? pieces[0]! : concatBytes(pieces, length);
  }

  async #nextPart(): Promise<MultipartPart | undefined> {
    this.#part = undefined;
    for (let event; (event = await this.#nextEvent()) !== undefined;) {
      // What the last part still had is dropped here.
      if (event.type === "part") return this.#part = new MultipartPart(event.head, this);
    }
    return undefined;
  }

  async #nextEvent(): Promise<MultipartEvent | undefined> {
    const source = this.#source;
    for (;;) {
      if (this.#eventIndex < this.#events.length) return this.#events[this.#eventIndex++];
      if (this.#error !== undefined) throw this.#error;
      const view = source.takeBody();
      if (view !== undefined) this.#parse(view);
      else if (!source.isBodyDone) await source.awaitBody();
      else return this.#end();
    }
  }

  #parse(view: Uint8Array): void {
    this.#takenBytes += view.length;
    if (this.#takenBytes > this.#maxBytes) {
      throw this.#error = tooLarge("Cannot read body", "maxBodyBytes", this.#maxBytes);
    }
    this.#parser.receive(view);
    this.#pull();
  }

  #end(): undefined {
    this.#parser.receiveEnd();
    this.#pull();
    if (this.#error !== undefined) throw this.#error;
  }

  /** Takes all events at once; an error comes behind those in front of it. */
  #pull(): void {
    this.#events = [];
    this.#eventIndex = 0;
    try {
      for (let event; (event = this.#parser.nextEvent()) !== undefined;) {
        this.#events.push(
          event.type === "data" ? { type: "data", bytes: event.bytes.slice() } : event,
        );
      }
    } catch (error) {
      this.#error = error;
    }
  }

  /** One at a time: a part, or the loop that skips the rest of it. */
  #exclusively<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    // In front of whoever waits for the result: what fails here is about the request.
    this.#turn = result.catch(requestFault);
    return result;
  }
}

function unreadable(state: string, event: string, reason: string): HttpStateError {
  return new HttpStateError("ERR_HTTP_BODY_USED", `Cannot read part: ${reason}`, { state, event });
}

function tooLarge(action: string, limit: string, max: number): LimitExceededError {
  return new LimitExceededError(`${action}: it exceeds ${max} bytes`, {
    limit,
    max,
    statusHint: 413,
  });
}
