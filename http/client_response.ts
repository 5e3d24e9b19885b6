import { readerStream } from "./_chunk_stream.ts";
import { charsetDecoder } from "./_charset_decoder.ts";
import { ClientForm, type FormLimits } from "./client_form.ts";
import { type ProgressListener, ProgressMeter } from "./client_progress.ts";
import { collectResponse, decodeResponse, type ResponseBodySource } from "./client_decoding.ts";
import type { CallSettings } from "./client_settings.ts";
import { HttpStateError } from "./errors.ts";
import type { ExchangeHandover, ExchangeResponse } from "./exchange_response.ts";
import type { HeaderList } from "./header_list.ts";
import { resolveBound } from "./limits.ts";
import type { Deadline, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { LimitExceededError } from "../nbio/errors.ts";

/** Milliseconds that the steps of a request took. */
export interface ClientTimings {
  /** Until there was a connection, less what making it took. */
  readonly queueMs: number;
  /**
   * Looking the name up; `undefined` for a connection that was there, and where
   * the runtime did it while connecting.
   */
  readonly resolveMs: number | undefined;
  /** Connecting; `undefined` for a connection that was there. */
  readonly connectMs: number | undefined;
  /**
   * Until a proxy had made its connection; `undefined` where none was asked for
   * one, and for a connection that was there.
   */
  readonly proxyMs: number | undefined;
  /** The TLS handshake; `undefined` for a connection that was there, and in the clear. */
  readonly tlsMs: number | undefined;
  /** From there to the head of the response. */
  readonly firstByteMs: number;
  /**
   * From the call to the end of the body, redirects and retries included;
   * `undefined` before.
   */
  readonly totalMs: number | undefined;
}

/** A redirect that was followed. */
export interface FollowedRedirect {
  /** Where it was met, without credentials and fragment. */
  readonly url: string;
  /** The status that said so. */
  readonly status: number;
}

/** Options of the methods of {@linkcode ClientResponse} that collect the body in memory. */
export interface ClientBodyOptions {
  /**
   * Most bytes to collect, decoded; 0 or Infinity for no bound. Of a longer body
   * the connection is closed.
   *
   * @default {67_108_864}, or what `maxBodyBytes` of the request says
   */
  readonly maxBytes?: number;
}

/** Options of {@linkcode ClientResponse.form}. */
export interface ClientFormOptions extends ClientBodyOptions, FormLimits {}

/** The call that a response belongs to. */
export interface ResponseOwner {
  /** URL that was answered. */
  readonly href: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** Redirects that led there. */
  readonly redirects: readonly FollowedRedirect[];
  /** Settings of the call. */
  readonly settings: CallSettings;
  /** Where the deadline waits of a body nobody reads. */
  readonly wheel: DeadlineWheel;
  /** Whether the connection had been used before. */
  readonly isReused: boolean;
  /** Address of the other end of the connection. */
  readonly remoteAddr: Deno.Addr;
  /** Whether something may end the exchange while nobody reads. */
  readonly isWatched: boolean;
  /** Whether all of the request had left that a response could hold up: it has no body. */
  readonly isSent: boolean;
  /** Told how far the body has come. */
  readonly onProgress: ProgressListener | undefined;
  /** Deadlines of bodies that nobody may come to read, to be cancelled together. */
  readonly unread: Set<Deadline>;
  /** How long each step took. */
  timings(): ClientTimings;
  /** Nothing more comes: gives the connection back. May be called again. */
  onEnd(): void;
  /** Reading has failed: closes the connection, even if all of it had come. */
  onFailure(error: unknown): void;
  /** Notes on an error of reading what is known of the request. */
  note<T>(error: T): T;
}

/**
 * A body of known length up to this is taken when it has come with its head: its
 * connection is free at once, whoever reads it and when.
 */
const MAX_TAKEN_BYTES = 16 * 1024;

/** Closes responses that were dropped unread, where no deadline does. */
const dropped = new FinalizationRegistry<() => void>((abandon) => abandon());

/**
 * What a server has answered. The head is there; the body is read once, in one of
 * these ways: collected (`bytes`, `text`, `json`, `form`), piece by piece (`read`, a
 * loop, `stream`), or not at all (`discard`, `close`). Nothing is read ahead of
 * whoever reads.
 *
 * Reading to the end gives the connection back for the next request; stopping
 * before closes it. `await using` closes what was not read, and so does
 * `unreadTimeoutMs`.
 *
 * @example The head and the body
 * ```ts
 * import { Client, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.json({ path: ctx.path }), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 * });
 * const { port } = server.addr as Deno.NetAddr;
 *
 * await using client = new Client();
 * await using response = await client.get(`http://127.0.0.1:${port}/a`);
 * assertEquals([response.status, response.ok, response.reused], [200, true, false]);
 * assertEquals(await response.json(), { path: "/a" });
 * ```
 */
export class ClientResponse implements AsyncDisposable {
  /** Status code; 101 only where the connection was handed over. */
  readonly status: number;
  /** Reason phrase, maybe empty. */
  readonly statusText: string;
  /** Header fields in order, as they came. */
  readonly headers: HeaderList;

  readonly #exchange: ExchangeResponse;
  readonly #owner: ResponseOwner;
  /** Set while somebody might forget to read. */
  #unread: Deadline | undefined;
  /** What of the body had come with the head, until somebody reads it. */
  #first: Uint8Array<ArrayBuffer> | undefined;
  /** The body without its codings; set by the first who reads. */
  #body: ResponseBodySource | undefined;
  #meter: ProgressMeter | undefined;
  #isUsed = false;
  #isReading = false;
  /** Whether all of it was given, which may be later than its coming. */
  #isGiven = false;
  #isEnded = false;

  /**
   * Makes a response of one on a connection; for {@linkcode Client}.
   *
   * @param exchange What has come.
   * @param owner The call it belongs to.
   */
  constructor(exchange: ExchangeResponse, owner: ResponseOwner) {
    this.status = exchange.status;
    this.statusText = exchange.reason;
    this.headers = exchange.headers;
    this.#exchange = exchange;
    this.#owner = owner;
    if (mayTake(exchange, owner)) this.#first = exchange.take();
    if (exchange.isComplete) this.#end();
    else this.#watch(owner);
  }

  /** Whether the status is 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** Where it came from, behind all redirects: without credentials and fragment. */
  get url(): string {
    return this.#owner.href;
  }

  /** Redirects that were followed, in order. */
  get redirects(): readonly FollowedRedirect[] {
    return this.#owner.redirects;
  }

  /** How often this request was sent, or tried to; redirects do not count. */
  get attempts(): number {
    return this.#owner.attempts;
  }

  /** Whether the connection had been used before. */
  get reused(): boolean {
    return this.#owner.isReused;
  }

  /** Address of the other end of the connection: the server's, or the proxy's. */
  get remoteAddress(): Deno.Addr {
    return this.#owner.remoteAddr;
  }

  /** How long each step took. */
  get timings(): ClientTimings {
    return this.#owner.timings();
  }

  /** Trailer fields; `undefined` before the end of the body, and where there are none. */
  get trailers(): HeaderList | undefined {
    return this.#exchange.trailers;
  }

  /** Bytes of the body as it comes, still encoded; `undefined` where that is not known. */
  get contentLength(): number | undefined {
    return this.#exchange.bodyLength;
  }

  /** Whether reading has begun. */
  get bodyUsed(): boolean {
    return this.#isUsed;
  }

  /**
   * The connection, where it was handed over: behind a 101. It belongs to the
   * caller, who closes it.
   */
  get handover(): ExchangeHandover | undefined {
    return this.#exchange.handover;
  }

  /**
   * Reads on in the body.
   *
   * @returns What has come, at least one byte, in memory that belongs to the
   * caller; `undefined` at the end, and from then on always.
   * @throws {TimeoutError} If time is up, in the phase `"body"` or `"total"`.
   * @throws {ConnectionClosedError} If the connection breaks, or the response was
   * closed.
   * @throws {HttpProtocolError} If the body breaks the protocol or its coding, or
   * is cut.
   * @throws {LimitExceededError} If it passes a limit.
   * @throws {HttpStateError} If another read is waiting.
   * @throws {Error} The signal's reason.
   */
  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#isReading) throw busy("reading", "read", "another read is waiting");
    this.#isUsed = this.#isReading = true;
    this.#unread?.cancel();
    try {
      return await this.#pull();
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#isReading = false;
      this.#settle();
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
   * The body in memory.
   *
   * @param options The bound.
   * @returns Memory that belongs to the caller.
   * @throws {HttpStateError} If reading has begun before.
   * @throws {RangeError} If the bound is negative, NaN or not whole.
   * @throws {Error} As {@linkcode ClientResponse.read}.
   */
  bytes(options?: ClientBodyOptions): Promise<Uint8Array<ArrayBuffer>> {
    const whole = this.#takeWhole(options);
    return whole === undefined ? this.#collect("bytes", options) : Promise.resolve(whole);
  }

  /**
   * The body as text of the charset its Content-Type names; UTF-8 where that names
   * none, or one nobody knows.
   *
   * @param options The bound.
   * @returns The text; what cannot be decoded is U+FFFD.
   * @throws {Error} As {@linkcode ClientResponse.bytes}.
   */
  async text(options?: ClientBodyOptions): Promise<string> {
    const bytes = this.#takeWhole(options) ?? await this.#collect("text", options);
    return bytes.length === 0 ? "" : decoderOf(this.headers.get("content-type")).decode(bytes);
  }

  /**
   * The body as JSON, which is in UTF-8 (RFC 8259 section 8.1). The type of the
   * result is not checked: it is what the caller says.
   *
   * @typeParam T What is expected.
   * @param options The bound.
   * @returns The value.
   * @throws {SyntaxError} If it is no JSON.
   * @throws {Error} As {@linkcode ClientResponse.bytes}.
   */
  async json<T = unknown>(options?: ClientBodyOptions): Promise<T> {
    const bytes = this.#takeWhole(options) ?? await this.#collect("json", options);
    return JSON.parse(UTF8.decode(bytes));
  }

  /**
   * The body as a form, urlencoded or multipart.
   *
   * @param options Bounds.
   * @returns Text for fields, a `File` for each file.
   * @throws {TypeError} If its Content-Type says that it is none.
   * @throws {HttpProtocolError} If it is malformed.
   * @throws {LimitExceededError} If it passes a bound.
   * @throws {Error} As {@linkcode ClientResponse.bytes}.
   */
  async form(options: ClientFormOptions = {}): Promise<FormData> {
    const form = new ClientForm(this.headers.get("content-type"));
    const bytes = await this.#collect("form", options);
    try {
      return await form.parse(bytes, options);
    } catch (error) {
      throw this.#owner.note(error);
    }
  }

  /**
   * Reads and drops the rest of the body, so that the connection can be used again;
   * closes it where that would take too long.
   *
   * @param options The bound; by default 256 KiB, as they come.
   * @returns A promise that resolves when nothing is left to read.
   * @throws {Error} As {@linkcode ClientResponse.read}.
   */
  async discard(options: ClientBodyOptions = {}): Promise<void> {
    if (this.#isReading) throw busy("reading", "discard", "a read is waiting");
    this.#isUsed = this.#isReading = true;
    this.#first = undefined;
    this.#unread?.cancel();
    try {
      // As it comes: nobody wants it decoded.
      await this.#exchange.discard(options);
      // It was too much: the connection is closed already.
      if (!this.#exchange.isComplete) this.close();
      this.#isGiven = true;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#isReading = false;
      this.#settle();
    }
  }

  /** Closes the connection, unless the body has come to its end or it was handed over. */
  close(): void {
    this.#body?.close();
    this.#exchange.close();
    this.#end();
  }

  /** Does as {@linkcode ClientResponse.close}. */
  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Sees to it that the connection is given back if nobody reads. */
  #watch(owner: ResponseOwner): void {
    const { unreadTimeoutMs } = owner.settings;
    const abandon = abandoning(this.#exchange, owner);
    const unread = this.#unread = owner.wheel.create(abandon);
    owner.unread.add(unread);
    if (unreadTimeoutMs === Infinity) dropped.register(this, abandon, this);
    else unread.arm(unreadTimeoutMs);
    // It may end by the hand of others, and the connection has to be given back.
    if (owner.isWatched) void this.#exchange.ended.then(ending(unread, owner));
  }

  /** Begins to collect; gives the bound. */
  #begin(event: string, options: ClientBodyOptions | undefined): number {
    const { maxBodyBytes } = this.#owner.settings;
    const maxBytes = options?.maxBytes;
    const max = maxBytes === undefined ? maxBodyBytes : resolveBound("maxBytes", maxBytes);
    if (this.#isUsed) {
      throw busy("used", event, this.#isReading ? "a read is waiting" : "it was read already");
    }
    this.#isUsed = this.#isReading = true;
    this.#unread?.cancel();
    return max;
  }

  /** The body, where all of it is there and nothing is said about it. */
  #takeWhole(options: ClientBodyOptions | undefined): Uint8Array<ArrayBuffer> | undefined {
    const first = this.#first;
    if (first === undefined || this.#isUsed || !this.#exchange.isComplete) return undefined;
    const isBounded = options?.maxBytes !== undefined;
    if (isBounded || first.length > this.#owner.settings.maxBodyBytes) return undefined;
    this.#first = undefined;
    this.#isUsed = this.#isGiven = true;
    return first;
  }

  async #collect(
    event: string,
    options: ClientBodyOptions | undefined,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const max = this.#begin(event, options);
    try {
      const body = this.#opened();
      // The common case, in which nothing stands between.
      const isPlain = body === this.#exchange && this.#meter === undefined;
      if (isPlain && this.#first === undefined) {
        return await this.#exchange.bytes({ maxBytes: max });
      }
      const { bodyLength } = body;
      const read = (): ReturnType<ClientResponse["read"]> => this.#pull();
      return await collectResponse({ bodyLength, read, close: () => body.close() }, max);
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#isReading = false;
      this.#settle();
    }
  }

  /** The next piece of the body, decoded; `undefined` at its end. */
  async #pull(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const first = this.#first;
    if (first !== undefined) {
      this.#first = undefined;
      return first;
    }
    const chunk = await this.#opened().read();
    if (chunk === undefined) this.#isGiven = true;
    else this.#meter?.add(chunk.length);
    return chunk;
  }

  #opened(): ResponseBodySource {
    if (this.#body !== undefined) return this.#body;
    const { settings, onProgress } = this.#owner;
    const body = this.#body = decodeResponse(this.#exchange, this.headers, settings);
    if (onProgress !== undefined) this.#meter = new ProgressMeter(onProgress, body.bodyLength);
    return body;
  }

  /** What reading has failed with; nothing more is read then. */
  #fail(error: unknown): unknown {
    this.#owner.onFailure(error);
    this.close();
    return this.#owner.note(nameLimit(error));
  }

  /** Behind every read: is it over, or does somebody have to go on? */
  #settle(): void {
    const isPlain = this.#body === undefined || this.#body === this.#exchange;
    if (this.#exchange.isComplete && (isPlain || this.#isGiven)) this.#end();
    else if (!this.#isEnded) this.#unread?.arm(this.#owner.settings.unreadTimeoutMs);
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    // The connection first: it arms a deadline, and a wheel that runs empty has to
    // be started again.
    this.#owner.onEnd();
    if (this.#unread === undefined) return;
    this.#unread.cancel();
    this.#owner.unread.delete(this.#unread);
    if (this.#owner.settings.unreadTimeoutMs === Infinity) dropped.unregister(this);
  }
}

/** Whether what has come of a body is as good as read: there is little, and it is as it came. */
function mayTake({ bodyLength = 0, headers }: ExchangeResponse, owner: ResponseOwner): boolean {
  const { maxResponseBytes, decompress } = owner.settings;
  if (bodyLength === 0 || bodyLength > MAX_TAKEN_BYTES || bodyLength > maxResponseBytes) {
    return false;
  }
  if (!owner.isSent || owner.onProgress !== undefined) return false;
  return !decompress || !headers.has("content-encoding");
}

const UTF8 = new TextDecoder();

/** The type of the last text, and its decoder: the next one is likely the same. */
let lastType: string | undefined;
let lastDecoder = UTF8;

function decoderOf(type: string | undefined): TextDecoder {
  if (type === lastType) return lastDecoder;
  try {
    lastDecoder = charsetDecoder(type);
  } catch {
    lastDecoder = UTF8;
  }
  lastType = type;
  return lastDecoder;
}

function busy(state: string, event: string, reason: string): HttpStateError {
  return new HttpStateError("ERR_HTTP_BODY_USED", `Cannot read response: ${reason}`, {
    state,
    event,
  });
}

/** The bound of an exchange is that of an option of ours. */
function nameLimit(error: unknown): unknown {
  if (!(error instanceof LimitExceededError) || error.limit !== "maxBytes") return error;
  return new LimitExceededError(error.message, { limit: "maxBodyBytes", max: error.max });
}

/** What is done about a response that nobody reads; it must not hold on to that. */
function abandoning(exchange: ExchangeResponse, owner: ResponseOwner): () => void {
  return () => {
    exchange.close();
    owner.onEnd();
  };
}

function ending(unread: Deadline, owner: ResponseOwner): () => void {
  return () => {
    owner.onEnd();
    unread.cancel();
    owner.unread.delete(unread);
  };
}
