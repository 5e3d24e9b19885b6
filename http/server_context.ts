import type { IncomingBody } from "./body_incoming.ts";
import { HttpStateError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import { ContentType, type OutgoingResponse, type ResponseView } from "./outgoing_response.ts";
import type { ResponseWriter } from "./server_writer.ts";

const TEXT = new ContentType("text/plain; charset=utf-8");
const HTML = new ContentType("text/html; charset=utf-8");
const JSON_TYPE = new ContentType("application/json");
const BYTES = new ContentType("application/octet-stream");

/** What a context needs of its connection. */
export interface ContextSource {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly signal: AbortSignal;
  readonly body: IncomingBody;
  readTarget(): string;
  readHeaders(): HeaderList;
  openWriter(): ResponseWriter;
  flushHead(): Promise<void>;
}

/**
 * One request and its answer. It is cheap: nothing of the request is decoded
 * before it is asked for.
 *
 * A context lives until its handler has settled. What a synchronous handler has
 * not asked for by then is gone; what it has, and everything in the context of
 * an asynchronous one, stays readable.
 *
 * @example A handler
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => {
 *   ctx.set("x-method", ctx.method);
 *   ctx.text(`you asked for ${ctx.path}`);
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/a?b`);
 * assertEquals(response.headers.get("x-method"), "GET");
 * assertEquals(await response.text(), "you asked for /a");
 * ```
 */
export class Context {
  /** Method of the request, as sent: case matters. */
  readonly method: string;
  /** HTTP version of the request. */
  readonly httpVersion: "1.0" | "1.1";
  readonly #response: OutgoingResponse;
  readonly #source: ContextSource;
  #isExpired = false;
  #url: string | undefined;
  #headers: HeaderList | undefined;

  /**
   * Contexts are made by {@linkcode serve}.
   *
   * @param source The connection.
   * @param response What is answered.
   * @param method Method of the request.
   * @param minorVersion Minor HTTP version of the request.
   */
  constructor(
    source: ContextSource,
    response: OutgoingResponse,
    method: string,
    minorVersion: number,
  ) {
    this.#source = source;
    this.#response = response;
    this.method = method;
    this.httpVersion = minorVersion === 0 ? "1.0" : "1.1";
  }

  /**
   * The request target as sent, undecoded: mostly a path with a query, but
   * `*` for a server-wide OPTIONS and an absolute URI from clients that take us
   * for a proxy (RFC 9112 section 3.2).
   */
  get url(): string {
    return this.#url ??= this.#live("url").readTarget();
  }

  /** The path of the target, undecoded, without its query. */
  get path(): string {
    const target = this.url;
    const start = target.startsWith("/") ? 0 : pathStart(target);
    const query = target.indexOf("?", start);
    return (query < 0 ? target.slice(start) : target.slice(start, query)) || "/";
  }

  /** The query of the target with its `?`, undecoded; empty without one. */
  get search(): string {
    const query = this.url.indexOf("?");
    return query < 0 ? "" : this.url.slice(query);
  }

  /** The header fields of the request. */
  get headers(): HeaderList {
    return this.#headers ??= this.#live("headers").readHeaders();
  }

  /** The body of the request. */
  get body(): IncomingBody {
    return this.#live("body").body;
  }

  /** The address the client connected to. */
  get localAddr(): Deno.Addr {
    return this.#source.localAddr;
  }

  /** The address the client connected from. */
  get remoteAddr(): Deno.Addr {
    return this.#source.remoteAddr;
  }

  /**
   * Aborts when the client is gone, when a deadline has passed, and at the end
   * of a shutdown's grace.
   */
  get signal(): AbortSignal {
    return this.#source.signal;
  }

  /** The answer so far. */
  get response(): ResponseView {
    return this.#response;
  }

  /** Status of the answer; 0 while there is none. Setting it alone answers. */
  get status(): number {
    return this.#response.status;
  }

  set status(status: number) {
    this.#response.setStatus(status);
  }

  /**
   * Sets a header field of the answer, replacing others of that name.
   *
   * @param name Name of the field.
   * @param value Value, without blanks at its ends.
   * @throws {TypeError} If name or value cannot stand in a message.
   * @throws {HttpStateError} If the head has left.
   */
  set(name: string, value: string): void {
    this.#response.checkOpen("set");
    this.#response.headers.set(name, value);
  }

  /**
   * Adds a header field to the answer, behind others of that name.
   *
   * @param name Name of the field.
   * @param value Value, without blanks at its ends.
   * @throws {TypeError} If name or value cannot stand in a message.
   * @throws {HttpStateError} If the head has left.
   */
  append(name: string, value: string): void {
    this.#response.checkOpen("append");
    this.#response.headers.append(name, value);
  }

  /**
   * Answers with plain text in UTF-8.
   *
   * @throws {HttpStateError} If the head has left.
   */
  text(text: string): void {
    this.#response.answer(text, TEXT);
  }

  /**
   * Answers with HTML in UTF-8.
   *
   * @throws {HttpStateError} If the head has left.
   */
  html(html: string): void {
    this.#response.answer(html, HTML);
  }

  /**
   * Answers with a value as JSON.
   *
   * @param value Anything `JSON.stringify` gives text for.
   * @throws {TypeError} If it gives none.
   * @throws {HttpStateError} If the head has left.
   */
  json(value: unknown): void {
    const text = JSON.stringify(value);
    if (text === undefined) {
      throw new TypeError("Cannot answer with JSON: the value has no JSON text");
    }
    this.#response.answer(text, JSON_TYPE);
  }

  /**
   * Answers with bytes.
   *
   * @param bytes The body; it must not change before it has been sent.
   * @throws {HttpStateError} If the head has left.
   */
  bytes(bytes: Uint8Array): void {
    this.#response.answer(bytes, BYTES);
  }

  /**
   * Answers with a stream, sent as it comes and as fast as the client takes it:
   * in chunks, or by a Content-Length that was set.
   *
   * @param source A stream or async iterable of bytes and text.
   * @throws {HttpStateError} If the head has left.
   */
  stream(source: ReadableStream<Uint8Array | string> | AsyncIterable<Uint8Array | string>): void {
    this.#response.answer(source, BYTES);
  }

  /**
   * Sends the head at once and gives a writer for the body. It must be closed
   * before the handler settles; else the connection is aborted.
   *
   * @throws {HttpStateError} If the head has left.
   */
  writer(): ResponseWriter {
    return this.#live("writer").openWriter();
  }

  /**
   * Sends the head at once; the body that is answered with later follows in
   * chunks, or by a Content-Length that was set.
   *
   * @throws {HttpStateError} If the head has left.
   */
  flush(): Promise<void> {
    return this.#live("flush").flushHead();
  }

  /** Keeps what is readable before the connection's buffer moves on. */
  materialise(): void {
    if (this.#isExpired) return;
    this.url;
    this.headers;
  }

  /** Ends the life of this context. */
  expire(): void {
    this.#isExpired = true;
  }

  #live(event: string): ContextSource {
    if (!this.#isExpired) return this.#source;
    throw new HttpStateError(
      "ERR_HTTP_CONTEXT_EXPIRED",
      `Cannot use ${event}: the handler of this request has settled`,
      { state: "expired", event },
    );
  }
}

/** Where the path starts in an absolute-form target; the end for none. */
function pathStart(target: string): number {
  const scheme = target.indexOf("://");
  if (scheme < 0) return 0;
  const slash = target.slice(scheme + 3).search(/[/?]/);
  return slash < 0 ? target.length : scheme + 3 + slash;
}
