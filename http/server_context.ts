import type { TlsInfo } from "../nbio/tls_provider.ts";
import type { IncomingBody } from "./body_incoming.ts";
import { cookies, deleteCookie, setCookie } from "./cookie_context.ts";
import type { RequestCookies } from "./cookie_parser.ts";
import type { CookieAttributes, CookieScope } from "./cookie_set.ts";
import { HttpStateError } from "./errors.ts";
import type { HeaderInit, HeaderList } from "./header_list.ts";
import {
  ContentType,
  type OutgoingResponse,
  type ResponseBody,
  type ResponseView,
} from "./outgoing_response.ts";
import { RequestState } from "./request_state.ts";
import { adoptResponse } from "./server_adopt.ts";
import { answerNotFound, readAccept } from "./server_errors.ts";
import { dropBody } from "./server_stream.ts";
import type { HandedConnection } from "./server_handover.ts";
import type { ResponseWriter } from "./server_writer.ts";

const TEXT = new ContentType("text/plain; charset=utf-8");
const HTML = new ContentType("text/html; charset=utf-8");
const JSON_TYPE = new ContentType("application/json");
const BYTES = new ContentType("application/octet-stream");

/** What a context needs of its connection. */
export interface ContextSource {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly tlsInfo: TlsInfo | undefined;
  readonly signal: AbortSignal;
  readonly body: IncomingBody;
  readTarget(): string;
  readHeaders(): HeaderList;
  openWriter(): ResponseWriter;
  flushHead(): Promise<void>;
  inform(status: number, headers: HeaderInit): Promise<void>;
  answerError(error: unknown): void;
  upgrade(protocol: string, headers: HeaderInit): Promise<HandedConnection>;
  tunnel(headers: HeaderInit): Promise<HandedConnection>;
  hijack(): Promise<HandedConnection>;
  abortSignal(reason: unknown): void;
}

/** Parameters of a route: text, or a number for `{int}` and `{float}`. */
export type RouteParamValues = Readonly<Record<string, string | number | undefined>>;

/** What few requests need: a field of the context would cost all of them. */
class Extras {
  error: unknown = undefined;
  query: URLSearchParams | undefined = undefined;
  state: RequestState | undefined = undefined;
}

const NO_PARAMS: RouteParamValues = Object.freeze({});
/** What a URI reference cannot contain; a percent sign stays what it is. */
const NOT_URI = /[^!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+/gu;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * One request and its answer. It is cheap: nothing of the request is decoded
 * before it is asked for.
 *
 * A context lives until its handler has settled. What has been asked for by then
 * stays readable, the rest may be gone.
 *
 * @typeParam Params Parameters of the route, as its pattern names them.
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
export class Context<Params extends RouteParamValues = RouteParamValues> {
  /** Method of the request, as sent: case matters. */
  readonly method: string;
  /** HTTP version of the request. */
  readonly httpVersion: "1.0" | "1.1";
  readonly #response: OutgoingResponse;
  readonly #source: ContextSource;
  #isExpired = false;
  #route: string | undefined;
  #params: RouteParamValues = NO_PARAMS;
  #url: string | undefined;
  #headers: HeaderList | undefined;
  #extras: Extras | undefined;

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

  /** The parameters of the query, decoded; the last of equal names is not special. */
  get query(): URLSearchParams {
    return this.#extra.query ??= new URLSearchParams(this.search);
  }

  /**
   * The pattern of the route that matched, with all prefixes, as `/users/:id{int}`;
   * the text of its expression for a `regexp` route. `undefined` without a route, so
   * for what a router answers itself. It has few values, which paths have not: use
   * it as a label in logs and metrics.
   */
  get route(): string | undefined {
    return this.#route;
  }

  /** The parameters of the route that matched; none without a router. */
  get params(): Params {
    return this.#params as Params;
  }

  /** The cookies of the request, as they came: nothing about them is to be trusted. */
  get cookies(): RequestCookies {
    return cookies(this);
  }

  /** What middlewares and the handler keep with this request. */
  get state(): RequestState {
    return this.#extra.state ??= new RequestState();
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
   * What the handshake of the connection has brought to light: version, name that was asked for, the
   * client's certificate and who has verified it. `undefined` in the clear.
   */
  get tlsInfo(): TlsInfo | undefined {
    return this.#source.tlsInfo;
  }

  /**
   * Aborts when the client is gone, when a deadline has passed, and at the end
   * of a shutdown's grace.
   */
  get signal(): AbortSignal {
    return this.#source.signal;
  }

  /** What went wrong further in and has become the answer; `undefined` if nothing did. */
  get error(): unknown {
    return this.#extras?.error;
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
    this.#answer(text, TEXT);
  }

  /**
   * Answers with HTML in UTF-8.
   *
   * @throws {HttpStateError} If the head has left.
   */
  html(html: string): void {
    this.#answer(html, HTML);
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
    this.#answer(text, JSON_TYPE);
  }

  /**
   * Answers with bytes.
   *
   * @param bytes The body; it must not change before it has been sent.
   * @throws {HttpStateError} If the head has left.
   */
  bytes(bytes: Uint8Array): void {
    this.#answer(bytes, BYTES);
  }

  /**
   * Answers with a stream, sent as it comes and as fast as the client takes it:
   * in chunks, or by a Content-Length that was set.
   *
   * @param source A stream or async iterable of bytes and text.
   * @throws {HttpStateError} If the head has left.
   */
  stream(source: ReadableStream<Uint8Array | string> | AsyncIterable<Uint8Array | string>): void {
    this.#answer(source, BYTES);
  }

  /**
   * Sends the head at once and gives a writer for the body. It must be closed
   * before the handler settles; else the connection is aborted.
   *
   * Whoever wants to write while the body of the request comes begins to read that
   * first: behind the head no `100 Continue` can be sent to a client that waits for
   * one.
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

  /**
   * Sends an informational response, as 102 (RFC 2518) or 103 with `Link` fields
   * (RFC 8297), ahead of the answer. 100 is not among them: reading the body
   * sends it. Nothing is sent to a client of HTTP/1.0, which knows no such thing.
   *
   * @param status 102 to 199.
   * @param headers Header fields.
   * @returns A promise that resolves when it has left.
   * @throws {RangeError} If the status is none of these.
   * @throws {TypeError} If a name or value cannot stand in a message, or is about
   * framing.
   * @throws {HttpStateError} If the head of the answer has left.
   * @throws {ConnectionClosedError} By rejecting, if the client has left.
   */
  inform(status: number, headers: HeaderInit = []): Promise<void> {
    return this.#live("inform").inform(status, headers);
  }

  /**
   * Answers with a redirect.
   *
   * @param location Where to: a URI reference (RFC 9110 section 10.2.2). What no
   * URI can contain is percent-encoded. Where it comes from the client, it is the
   * caller's to check that it leads nowhere bad.
   * @param status 301, 302, 303, 307 or 308.
   * @throws {RangeError} If the status is none of these.
   * @throws {TypeError} If the location contains a control character.
   * @throws {HttpStateError} If the head has left.
   */
  redirect(location: string, status: number = 302): void {
    if (!REDIRECTS.has(status)) {
      throw new RangeError(
        `Cannot redirect with status ${status}: expected 301, 302, 303, 307, 308`,
      );
    }
    // deno-lint-ignore no-control-regex
    if (/[\x00-\x1f\x7f]/.test(location)) {
      throw new TypeError("Cannot redirect: the location contains a control character");
    }
    this.set("location", location.toWellFormed().replace(NOT_URI, encodeURIComponent));
    this.#response.setStatus(status);
  }

  /**
   * Sets a cookie. Unless said otherwise it has `Path=/`, `Secure`, `HttpOnly` and
   * `SameSite=Lax`. One of the same name, domain and path that was set before is
   * replaced.
   *
   * @param name Name; `__Host-` and `__Secure-` ask for certain attributes.
   * @param value Value, of the characters a cookie may have.
   * @param attributes Attributes.
   * @throws {TypeError} If name, value or attributes cannot stand in a message or
   * contradict the prefix of the name.
   * @throws {RangeError} If an attribute is out of its range.
   * @throws {HttpStateError} If the head has left.
   */
  setCookie(name: string, value: string, attributes: CookieAttributes = {}): void {
    setCookie(this, name, value, attributes);
  }

  /**
   * Makes the client forget a cookie.
   *
   * @param name Name of the cookie.
   * @param scope Domain and path it was set with; the path is `/` by default.
   * @throws {TypeError} If name or scope cannot stand in a message.
   * @throws {HttpStateError} If the head has left.
   */
  deleteCookie(name: string, scope: CookieScope = {}): void {
    deleteCookie(this, name, scope);
  }

  /**
   * Answers with a web-standard `Response`; what a handler returns, goes here.
   *
   * @param response Its body must not have been used.
   * @throws {HttpStateError} If there is an answer already.
   * @throws {TypeError} If the body was used.
   */
  respond(response: Response): void {
    try {
      // Ignored where the connection is another protocol's by now.
      if (this.#response.isHandedOver) dropBody(response.body, "The connection was given away");
      else adoptResponse(this.#response, response);
    } catch (error) {
      dropBody(response.body, error);
      throw error;
    }
  }

  /**
   * Answers with an error, as if the handler had thrown it: with its status, and
   * instead of what was answered so far. If the head has left, the connection is
   * cut.
   *
   * @param error What went wrong; see {@linkcode Context.error}.
   */
  fail(error: unknown): void {
    // A handler that nobody waited for: its answer, and maybe the next request's
    // too, has left by now.
    if (this.#isExpired) return;
    this.#extra.error = error;
    this.#source.answerError(error);
  }

  /**
   * Aborts `ctx.signal`, if nothing has before: for a limit of a middleware's
   * own. The request is answered all the same.
   *
   * @param reason What whoever listens to the signal is told.
   */
  abort(reason: unknown): void {
    this.#source.abortSignal(reason);
  }

  /** Makes the answer a 404 if there is none. */
  ensureAnswer(): void {
    const { isAnswered, committed } = this.#response;
    if (isAnswered || committed || this.#isExpired) return;
    answerNotFound(this.#response, readAccept(this));
  }

  /** Takes the route that matched, and its parameters if it has some. */
  enterRoute(route: string, params: RouteParamValues = NO_PARAMS): void {
    this.#route = route;
    this.#params = params;
  }

  /**
   * Changes the protocol of the connection, as the client asked for by `Upgrade`
   * (RFC 9110 section 7.8): answers 101 and gives the connection away. What the
   * handler returns afterwards is ignored, and an error it throws closes the
   * connection.
   *
   * @param protocol The protocol, as the client named it; case does not matter.
   * @param headers Further fields of the 101.
   * @returns The connection, when the 101 has left.
   * @throws {HttpError} With 426, if the client did not ask for this protocol.
   * @throws {HttpStateError} If the head has left, or the body was not read.
   * @throws {TypeError} If a field cannot stand in a 101.
   * @throws {ConnectionClosedError} By rejecting, if the client has left.
   */
  upgrade(protocol: string, headers: HeaderInit = []): Promise<HandedConnection> {
    return this.#live("upgrade").upgrade(protocol, headers);
  }

  /**
   * Answers a CONNECT with 200 and gives the connection away, for bytes to be
   * carried both ways (RFC 9110 section 9.3.6). See `onConnect` of `serve`.
   *
   * @param headers Further fields of the 200.
   * @returns The connection, when the head has left.
   * @throws {HttpStateError} If the request is no CONNECT, or the head has left.
   * @throws {TypeError} If a field cannot stand in it.
   * @throws {ConnectionClosedError} By rejecting, if the client has left.
   */
  tunnel(headers: HeaderInit = []): Promise<HandedConnection> {
    return this.#live("tunnel").tunnel(headers);
  }

  /**
   * Gives the connection away as it is, without a word to the client. Answers to
   * earlier requests have left then; a body that was not read is among the
   * bytes.
   *
   * @returns The connection.
   * @throws {HttpStateError} If the head has left.
   * @throws {ConnectionClosedError} By rejecting, if the client has left.
   */
  hijack(): Promise<HandedConnection> {
    return this.#live("hijack").hijack();
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

  #answer(body: ResponseBody, type: ContentType): void {
    const { body: replaced } = this.#response;
    this.#response.answer(body, type);
    // A stream that an earlier answer brought would keep what it reads from open.
    if (replaced !== undefined && replaced !== body) {
      dropBody(replaced, "Another answer took its place");
    }
  }

  get #extra(): Extras {
    return this.#extras ??= new Extras();
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
