// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { type HttpConnectionOptions, resolveConnectionOptions } from "./connection_options.ts";
import { ConnectionReader } from "./connection_reader.ts";
import {
  type HttpConnectionState,
  illegalTransition,
  nextRequestState,
  nextResponseState,
  type RequestTransition,
  type ResponseTransition,
  settle,
} from "./connection_state.ts";
import { ConnectionWriter } from "./connection_writer.ts";
import { HttpProtocolError } from "./errors.ts";
import type {
  HttpEvent,
  HttpSendEvent,
  SendInformational,
  SendRequest,
  SendResponse,
} from "./events.ts";
import {
  endsPipelining,
  type Exchange,
  receivedExchange,
  refusedExchange,
  sentExchange,
} from "./exchange.ts";
import { decideFraming, Framing, isPersistent } from "./framing.ts";

/**
 * HTTP/1.1 and HTTP/1.0 (RFC 9112) on one connection, for both roles, without
 * any I/O: bytes and intentions go in, events and bytes come out, and the caller
 * moves the bytes.
 *
 * - {@linkcode HttpConnection.receive} takes what was read; pull events with
 *   {@linkcode HttpConnection.nextEvent} until it gives `undefined`, `paused` or
 *   `closed`, then read again, act, or close.
 * - {@linkcode HttpConnection.send} takes what is to be said;
 *   {@linkcode HttpConnection.takeOutput} gives the bytes to write.
 *
 * A server sees one request at a time: later ones wait as bytes until the
 * response is complete. A client may send several requests; their responses come
 * in the same order.
 *
 * An error of the peer is final: every later `nextEvent()` throws the same
 * object. A server may still send one response, with the `statusHint` of the
 * error, and then has to close. An error of the caller changes nothing.
 *
 * Work is linear in the bytes received, and all of them are copied on their way
 * in and out: no array of the caller is kept, none handed out is used again. A
 * driver that wants no copy reads into {@linkcode HttpConnection.receiveSpace},
 * writes what {@linkcode HttpConnection.lendOutput} gives, and moves large bodies
 * past the connection: {@linkcode HttpConnection.passBody},
 * {@linkcode HttpConnection.beginData}.
 *
 * @example A server and a client without a network
 * ```ts
 * import { HttpConnection } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const client = new HttpConnection({ role: "client" });
 * const server = new HttpConnection({ role: "server" });
 *
 * client.send({ type: "request", method: "GET", target: "/", headers: { Host: "example.com" } });
 * client.send({ type: "end" });
 * server.receive(client.takeOutput()!);
 * const request = server.nextEvent();
 * assertEquals(request?.type === "request" && request.target, "/");
 * assertEquals(server.nextEvent()?.type, "end");
 *
 * server.send({ type: "response", status: 204 });
 * server.send({ type: "end" });
 * client.receive(server.takeOutput()!);
 * const response = client.nextEvent();
 * assertEquals(response?.type === "response" && response.status, 204);
 * assertEquals(client.nextEvent()?.type, "end");
 * assertEquals([client.isReusable, server.isReusable], [true, true]);
 * ```
 */
export class HttpConnection {
  readonly #isServer: boolean;
  readonly #maxPipelinedRequests: number;
  readonly #maxInformationalResponses: number;
  readonly #reader: ConnectionReader;
  readonly #writer: ConnectionWriter;
  /** In order of the requests; the first is the one whose response is at hand. */
  readonly #exchanges: Exchange[] = [];
  #state: HttpConnectionState = { request: "idle", response: "idle" };
  #failure: { readonly error: unknown } | undefined;

  /**
   * Makes a connection on which nothing has happened.
   *
   * @param options The role, bounds and rules to relax.
   * @throws {RangeError} If a bound is negative, NaN or not whole.
   * @throws {TypeError} If the role is none.
   */
  constructor(options: HttpConnectionOptions) {
    const resolved = resolveConnectionOptions(options);
    this.#isServer = resolved.role === "server";
    this.#maxPipelinedRequests = resolved.maxPipelinedRequests;
    this.#maxInformationalResponses = resolved.maxInformationalResponses;
    const { limits, lenience, maxBufferedBytes } = resolved;
    const received = this.#isServer ? "request" : "response";
    this.#reader = new ConnectionReader(received, limits, lenience, maxBufferedBytes);
    this.#writer = new ConnectionWriter(this.#isServer ? "response" : "request");
  }

  /** Where the two halves of the connection are. */
  get state(): HttpConnectionState {
    return this.#state;
  }

  /**
   * Whether the next exchange may start at once: none is under way, and neither
   * side is done with the connection.
   */
  get isReusable(): boolean {
    const { request, response } = this.#state;
    return request === "idle" && response === "idle" && this.#reader.length === 0;
  }

  /**
   * Whether nothing is left to do on this connection but to write what
   * {@linkcode HttpConnection.takeOutput} gives, and to close. The rest of a
   * request that was answered early may still come; a server chooses whether it
   * reads that.
   */
  get mustClose(): boolean {
    return this.#state.response === "closed" || this.#state.response === "error";
  }

  /**
   * Whether bytes wait that only an act of the caller sets free: do not read
   * from the network while it is so.
   */
  get isPaused(): boolean {
    return this.#reader.length > 0 && this.#failure === undefined && !this.#parses();
  }

  /** Number of bytes received that were not parsed yet. */
  get bufferedBytes(): number {
    return this.#reader.length;
  }

  /** Number of requests whose response is not complete. */
  get outstandingRequests(): number {
    return this.#exchanges.length;
  }

  /**
   * Takes bytes that came from the peer. They are copied; an empty chunk is
   * nothing. What comes after the last message, or after a failure, is dropped.
   *
   * @param chunk Bytes in the order in which they came.
   * @throws {LimitExceededError} If more than `maxBufferedBytes` would wait. None
   * of the chunk is taken then: pull events and give it again.
   */
  receive(chunk: Uint8Array): void {
    if (this.#failure === undefined && this.#received() !== "closed") this.#reader.receive(chunk);
  }

  /**
   * Room for the next read, so that {@linkcode HttpConnection.receive} need not
   * copy. One read at a time: the room is void with the next call, and with every
   * other way to give bytes in.
   *
   * @returns A view into the memory of the connection, never empty.
   * @throws {LimitExceededError} If `maxBufferedBytes` wait: pull events first.
   */
  receiveSpace(): Uint8Array<ArrayBuffer> {
    return this.#reader.space();
  }

  /**
   * Takes bytes that were read into {@linkcode HttpConnection.receiveSpace}, as
   * {@linkcode HttpConnection.receive} takes them.
   *
   * @param byteCount How many.
   * @throws {RangeError} If there was no room for so many.
   */
  receiveCommit(byteCount: number): void {
    if (this.#failure === undefined && this.#received() !== "closed") {
      this.#reader.commit(byteCount);
    }
  }

  /**
   * Gives memory back that nothing waits in. Not while a read into
   * {@linkcode HttpConnection.receiveSpace} is under way.
   */
  shrink(): void {
    this.#reader.shrink();
  }

  /**
   * Bytes that may go past this core: the rest of a body without chunks, while
   * none of it waits to be pulled. Read at most so many straight to where they are
   * wanted, and tell {@linkcode HttpConnection.passBody}. Infinity for a body that
   * ends with the connection.
   */
  get passableBytes(): number {
    return this.#failure === undefined && this.#received() === "body"
      ? this.#reader.passableBytes
      : 0;
  }

  /**
   * Takes note of bytes of the body that went past this core: what would have been
   * a `data` event.
   *
   * @param byteCount How many.
   * @throws {RangeError} If so many may not.
   */
  passBody(byteCount: number): void {
    if (!(Number.isInteger(byteCount) && byteCount >= 0 && byteCount <= this.passableBytes)) {
      throw new RangeError(
        `Cannot pass body: ${byteCount} bytes, expected 0 to ${this.passableBytes}`,
      );
    }
    this.#reader.passBody(byteCount);
  }

  /**
   * Notes that the peer has ended its stream; what came before still counts. A
   * server may go on to answer: the end of what a client sends is not the end of
   * what it reads.
   */
  receiveEnd(): void {
    this.#reader.receiveEnd();
    this.#closeIfDrained();
  }

  /**
   * Parses on to the next event.
   *
   * @returns What the peer did; `undefined` where more input is needed.
   * @throws {HttpProtocolError} If the peer broke the protocol; from then on
   * every call throws the same object.
   * @throws {LimitExceededError} If the peer passed a limit, likewise.
   */
  nextEvent(): HttpEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      if (this.#received() === "body") return this.#nextOfBody();
      if (!this.#parses()) return this.#standstill();
      return this.#isServer ? this.#nextRequest() : this.#nextResponse();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /**
   * Says something to the peer. The bytes are ready when the call returns.
   *
   * @param event What to say.
   * @throws {HttpStateError} If the connection does not allow it now, or a body
   * is not as long as its head said. Nothing has happened then.
   * @throws {TypeError} If a part of the event cannot stand in a message, or its
   * header fields contradict the framing. Nothing has happened then.
   * @throws {RangeError} If a status or length is out of range, likewise.
   */
  send(event: HttpSendEvent): void {
    switch (event.type) {
      case "request":
        return this.#sendRequest(event);
      case "informational":
        return this.#sendInformational(event);
      case "response":
        return this.#sendResponse(event);
      case "data":
        this.#checkSend("data");
        this.#writer.writeData(event.bytes);
        return this.#moveSent("data");
      case "end":
        this.#checkSend("end");
        this.#writer.writeEnd(event.trailers);
        this.#moveSent("end");
        return this.#isServer ? this.#endResponse() : this.#settle();
      default:
        throw new TypeError(
          `Cannot send event: its type ${String((event as { type: unknown }).type)} is none`,
        );
    }
  }

  /**
   * Takes the bytes to write.
   *
   * @returns Memory that belongs to the caller; `undefined` where there is
   * nothing to write.
   */
  takeOutput(): Uint8Array | undefined {
    return this.#writer.take();
  }

  /**
   * Takes the bytes to write, without a copy.
   *
   * @returns Memory of the connection, which the next `send` overwrites: write it
   * first. `undefined` where there is nothing to write.
   */
  lendOutput(): Uint8Array | undefined {
    return this.#writer.lend();
  }

  /**
   * Begins a piece of the body that the caller writes, so that it need not be
   * copied: after what {@linkcode HttpConnection.takeOutput} gives then, and before
   * {@linkcode HttpConnection.endData}.
   *
   * @param byteCount Bytes of the piece.
   * @returns Whether the bytes are to be written: not to HEAD, and not where there
   * are none.
   * @throws {HttpStateError} As {@linkcode HttpConnection.send} does for `data`.
   */
  beginData(byteCount: number): boolean {
    this.#checkSend("data");
    const isSent = this.#writer.beginData(byteCount);
    this.#moveSent("data");
    return isSent;
  }

  /** Ends a piece that {@linkcode HttpConnection.beginData} told to write. */
  endData(): void {
    this.#writer.endData();
  }

  /**
   * Takes the bytes that came for the protocol behind a 101 or a 2xx to CONNECT.
   * Nothing has looked at them.
   *
   * @returns Memory that belongs to the caller, maybe empty.
   * @throws {HttpStateError} If the connection is no tunnel.
   */
  leftover(): Uint8Array {
    const { request, response } = this.#state;
    // A request that is still coming is not over to the tunnel.
    if (response !== "tunnel" || (this.#isServer && request === "body")) {
      throw illegalTransition(response, "leftover", "the connection is no tunnel yet");
    }
    return this.#reader.takeAll();
  }

  /** State of the half that the peer sends. */
  #received(): HttpConnectionState["response"] {
    return this.#isServer ? this.#state.request : this.#state.response;
  }

  /** Whether the bytes that wait are for the parser now, if any do. */
  #parses(): boolean {
    const { request, response } = this.#state;
    if (this.#isServer) return request === "body" || (request === "idle" && response === "idle");
    return response === "idle" || response === "awaiting" || response === "body";
  }

  /** The event where nothing can be parsed before the caller acts. */
  #standstill(): HttpEvent | undefined {
    const received = this.#received();
    if (received === "tunnel") return { type: "paused" };
    this.#closeIfDrained();
    if (this.#received() === "closed") return { type: "closed" };
    return this.#reader.length > 0 ? { type: "paused" } : undefined;
  }

  #nextRequest(): HttpEvent | undefined {
    const reader = this.#reader;
    if (reader.length === 0) return this.#standstill();
    if (!reader.readHead()) return reader.isDrained ? this.#standstill() : undefined;
    const framing = decideFraming(reader.head, reader.head.method);
    const exchange = receivedExchange(reader.head, framing);
    const event = reader.requestEvent(framing, exchange);
    reader.acceptHead(framing);
    this.#exchanges.push(exchange);
    this.#moveRequest("request");
    this.#moveResponse("request");
    return event;
  }

  #nextResponse(): HttpEvent | undefined {
    const reader = this.#reader;
    const exchange = this.#exchanges[0];
    if (exchange === undefined) {
      if (reader.length === 0) return this.#standstill();
      throw unexpected("no request waits for one");
    }
    if (!reader.readHead()) return undefined;
    if (reader.head.status < 200) return this.#nextInformational(exchange);
    const { minorVersion, control } = reader.head;
    const framing = decideFraming(reader.head, exchange.method);
    const event = reader.responseEvent(framing);
    exchange.isPersistent &&= isPersistent(minorVersion, control) &&
      framing !== Framing.UNTIL_CLOSE;
    reader.acceptHead(framing);
    if (framing === Framing.TUNNEL) this.#openTunnel();
    else this.#moveResponse("response");
    return event;
  }

  #nextInformational(exchange: Exchange): HttpEvent {
    const reader = this.#reader;
    const { status } = reader.head;
    if (status === 101 && !exchange.isUpgrade) throw unexpected("no upgrade was asked for");
    exchange.informationalCount++;
    if (exchange.informationalCount > this.#maxInformationalResponses) {
      const max = this.#maxInformationalResponses;
      throw new LimitExceededError(
        `Cannot receive response: more than ${max} informational ones came in front of it`,
        { limit: "maxInformationalResponses", max },
      );
    }
    const event = reader.informationalEvent();
    reader.acceptHead(0);
    if (status === 101) this.#openTunnel();
    else this.#moveResponse("informational");
    return event;
  }

  #nextOfBody(): HttpEvent | undefined {
    const bytes = this.#reader.readBody();
    if (bytes !== undefined) return { type: "data", bytes };
    if (!this.#reader.isBodyDone) return undefined;
    const event: HttpEvent = { type: "end", trailers: this.#reader.trailers };
    if (this.#isServer) {
      this.#moveRequest("end");
      this.#settle();
    } else {
      this.#moveResponse("end");
      this.#endResponse();
    }
    this.#closeIfDrained();
    return event;
  }

  #sendRequest(event: SendRequest): void {
    const { request, response } = this.#state;
    if (this.#isServer) throw illegalTransition(request, "request", "the role is server");
    if (nextRequestState(request, "request") === undefined) {
      throw illegalTransition(request, "request");
    }
    if (nextResponseState(response, "request") === undefined || this.#reader.isEnded) {
      throw illegalTransition(response, "request");
    }
    if (this.#exchanges.length >= this.#maxPipelinedRequests) {
      const max = this.#maxPipelinedRequests;
      throw illegalTransition(request, "request", `${max} requests wait for their response`);
    }
    // What follows such a request might never be read, or not as a request.
    if (this.#exchanges.some(endsPipelining)) {
      throw illegalTransition(request, "request", "the one before may be the last");
    }
    const sent = this.#writer.writeRequest(event);
    this.#exchanges.push(sentExchange(event.method, sent));
    this.#moveRequest("request");
    this.#moveResponse("request");
  }

  #sendInformational(event: SendInformational): void {
    const { response } = this.#state;
    if (!this.#isServer) throw illegalTransition(response, "informational", "the role is client");
    const transition = event.status === 101 ? "switch" : "informational";
    if (nextResponseState(response, transition) === undefined) {
      throw illegalTransition(response, "informational");
    }
    const exchange = this.#exchanges[0]!;
    // RFC 9110 section 15.2.
    if (exchange.minorVersion === 0) {
      throw illegalTransition(response, "informational", "the request is HTTP/1.0");
    }
    if (event.status === 101 && !exchange.isUpgrade) {
      throw illegalTransition(response, "informational", "the request asks for no upgrade");
    }
    this.#writer.writeInformational(event);
    if (event.status === 100) exchange.awaitsContinue = false;
    if (event.status === 101) this.#openTunnel();
    else this.#moveResponse("informational");
  }

  #sendResponse(event: SendResponse): void {
    const { request, response } = this.#state;
    if (!this.#isServer) throw illegalTransition(response, "response", "the role is client");
    if (nextResponseState(response, "response") === undefined) {
      throw illegalTransition(response, "response");
    }
    const exchange = this.#exchanges[0] ?? refusedExchange(this.#reader.head);
    const isOpen = request !== "closed" && request !== "error";
    const persists = this.#writer.writeResponse(event, {
      method: exchange.method,
      minorVersion: exchange.minorVersion,
      // Whether an unasked-for body comes nobody can tell (RFC 9110 section 10.1.1).
      isPersistent: exchange.isPersistent && isOpen && !exchange.awaitsContinue,
    });
    exchange.isPersistent = persists;
    if (this.#exchanges.length === 0) this.#exchanges.push(exchange);
    if (exchange.method === "CONNECT" && event.status < 300) this.#openTunnel();
    else this.#moveResponse("response");
  }

  /** The response at hand is complete: on to the next exchange. */
  #endResponse(): void {
    const exchange = this.#exchanges.shift()!;
    this.#settle(exchange.isPersistent);
  }

  #openTunnel(): void {
    this.#exchanges.shift();
    this.#moveResponse("switch");
    this.#settle();
  }

  /** Closes the half of a peer that has ended its stream between messages. */
  #closeIfDrained(): void {
    if (!this.#reader.isDrained) return;
    const { request, response } = this.#state;
    if (this.#isServer) {
      if (request === "idle" || request === "done") this.#moveRequest("close");
    } else if (response === "idle" || response === "done") this.#moveResponse("close");
    this.#settle();
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#reader.discardAll();
    if (this.#isServer) this.#moveRequest("fail");
    else this.#moveResponse("fail");
    this.#settle();
  }

  #checkSend(event: "data" | "end"): void {
    const { request, response } = this.#state;
    const isLegal = this.#isServer
      ? nextResponseState(response, event) !== undefined
      : nextRequestState(request, event) !== undefined;
    if (!isLegal) throw illegalTransition(this.#isServer ? response : request, event);
  }

  #moveSent(event: "data" | "end"): void {
    if (this.#isServer) this.#moveResponse(event);
    else this.#moveRequest(event);
  }

  #moveRequest(transition: RequestTransition): void {
    const { request, response } = this.#state;
    const next = nextRequestState(request, transition);
    if (next === undefined) throw illegalTransition(request, transition);
    if (next !== request) this.#state = { request: next, response };
  }

  #moveResponse(transition: ResponseTransition): void {
    const { request, response } = this.#state;
    const next = nextResponseState(response, transition);
    if (next === undefined) throw illegalTransition(response, transition);
    if (next !== response) this.#state = { request, response: next };
  }

  #settle(staysOpen = true): void {
    const hasNext = this.#exchanges.length > 0;
    this.#state = settle(this.#state, { isPersistent: staysOpen, hasNext });
    if (this.#received() === "closed") this.#reader.discardAll();
  }
}

function unexpected(reason: string): HttpProtocolError {
  return new HttpProtocolError("ERR_HTTP_UNEXPECTED_RESPONSE", `Cannot accept response: ${reason}`);
}
