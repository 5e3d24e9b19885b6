/**
 * {@linkcode ClientConnection}: the client's end of a connection, one exchange
 * after the other.
 *
 * @module
 */

import { type Deadline, deadlines } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../nbio/errors.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { ClientInput } from "./client_input.ts";
import {
  type ClientConnectionOptions,
  type ExchangeOptions,
  resolveExchangeTimeouts,
} from "./client_options.ts";
import { ClientSender, type ExchangeRequest } from "./client_sender.ts";
import { HttpConnection } from "./connection.ts";
import { HttpStateError } from "./errors.ts";
import type { HttpEvent, InformationalEvent, ResponseEvent } from "./events.ts";
import { ExchangeResponse } from "./exchange_response.ts";
import { type ExchangeOwner, OutstandingExchange } from "./outstanding_exchange.ts";

/**
 * Why a connection is of no more use.
 *
 * - `connection-close`: one side has said so, or the response ended with it.
 * - `request-unfinished`: the response was complete before the request had left.
 * - `unsolicited-bytes`: something came that nobody had asked for.
 * - `peer-ended`: the server has ended its direction between two exchanges.
 * - `body-unread`: a response was closed before its end.
 * - `handed-over`: it belongs to another protocol (101, or 2xx to CONNECT).
 * - `failed`: an exchange failed, or the connection broke.
 * - `closed`: by {@linkcode ClientConnection.close}.
 */
export type ConnectionEndReason =
  | "connection-close"
  | "request-unfinished"
  | "unsolicited-bytes"
  | "peer-ended"
  | "body-unread"
  | "handed-over"
  | "failed"
  | "closed";

/** First status that says a server does not want what is asked of it, or not here. */
const FIRST_UNWANTED_STATUS = 300;

/** One read of a body is at most so large: reads larger than this gain little. */
const MAX_PIECE_BYTES = 64 * 1024;

/** What an exchange is waiting for. */
type Phase = "none" | "first-byte" | "body";

/**
 * The client's end of a connection with HTTP/1.1: asks, reads the response, and
 * asks again as long as both sides keep to the rules. Requests and responses run
 * side by side, so a response is seen that comes before its request is complete.
 *
 * It dials nothing, pools nothing, follows and repeats nothing: that is the
 * business of whoever has it. Whatever fails closes the transport; no byte of a
 * connection is used for anything after that.
 *
 * @example Two exchanges on one connection
 * ```ts
 * import { ClientConnection, dialHttp, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text(ctx.path), { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 *
 * const { transport } = await dialHttp(`http://127.0.0.1:${port}`);
 * const connection = new ClientConnection(transport);
 * for (const target of ["/one", "/two"]) {
 *   const response = await connection.exchange({ target, headers: { host: "example.com" } });
 *   assertEquals(response.status, 200);
 *   assertEquals(new TextDecoder().decode(await response.bytes()), target);
 *   await response.ended;
 * }
 * assertEquals(connection.isReusable, true);
 * connection.close();
 * ```
 */
export class ClientConnection {
  readonly #transport: Transport;
  readonly #core: HttpConnection;
  readonly #input: ClientInput;
  readonly #sender: ClientSender;
  readonly #deadline: Deadline;
  readonly #owner: ExchangeOwner;
  #exchange: OutstandingExchange | undefined;
  #endReason: ConnectionEndReason | undefined;
  #phase: Phase = "none";
  #onIdleEnd: (() => void) | undefined;

  /**
   * Makes a connection on which nothing was said yet.
   *
   * @param transport Belongs to the connection from here on.
   * @param options Bounds, rules to relax, and where deadlines wait.
   * @throws {RangeError} If a bound is negative, NaN or not whole.
   */
  constructor(transport: Transport, options: ClientConnectionOptions = {}) {
    const { lenience = {}, maxInformationalResponses = 64, wheel = deadlines, ...limits } = options;
    this.#transport = transport;
    this.#core = new HttpConnection({
      role: "client",
      lenience,
      limits,
      maxInformationalResponses,
      maxPipelinedRequests: 1,
    });
    this.#input = new ClientInput(transport, this.#core, () => this.#onIdleInput());
    this.#sender = new ClientSender(transport, this.#core, wheel, {
      onTurn: () => this.#arm(),
      onBody: () => this.#deadline.cancel(),
      // The server may have answered before it stopped reading: its word counts.
      onBroken: () => this.#arm(),
      onSendFailure: (error) => this.#fail(this.#exchange, error),
    });
    this.#deadline = wheel.create(() => this.#onDeadline());
    this.#owner = {
      readBody: (exchange, room) => this.#readBody(exchange, room),
      takeBody: (exchange) => this.#takeBody(exchange),
      abort: (exchange, reason) => this.#fail(exchange, reason),
      abandon: (exchange) =>
        this.#fail(exchange, closedHere("Response was closed on our side"), "body-unread"),
    };
  }

  /** The transport. It is the connection's, unless it was handed over. */
  get transport(): Transport {
    return this.#transport;
  }

  /** Whether the next exchange may begin at once. */
  get isReusable(): boolean {
    return this.#endReason === undefined && this.#exchange === undefined;
  }

  /** Why there will be no further exchange; `undefined` while there may be one. */
  get endReason(): ConnectionEndReason | undefined {
    return this.#endReason;
  }

  /**
   * Sends a request and reads the head of the response.
   *
   * A final response that comes while the request is leaving is given at once.
   * With a status of 300 and more the rest of the request is held back, as it is
   * when the response is complete, and the connection ends with the exchange.
   *
   * @param request What is asked.
   * @param options Deadlines, signal, and who is told of what comes in between.
   * @returns The response, of which the body is still to be read. Behind a 101,
   * or a 2xx to CONNECT, its `handover` has the connection.
   * @throws {HttpStateError} If an exchange is under way, or there may be no
   * further one. Nothing has happened then.
   * @throws {TypeError} If a part of the request cannot stand in a message, or
   * contradicts its body. Nothing has happened then, unless it shows only in the
   * course of the body.
   * @throws {RangeError} If a number is out of range. Nothing has happened then.
   * @throws {TimeoutError} If time is up, in the phase `"write"` or
   * `"first-byte"`.
   * @throws {ConnectionClosedError} If the server leaves before a byte of the
   * response has come, or the connection breaks.
   * @throws {HttpProtocolError} If the response breaks the protocol, or is cut.
   * @throws {LimitExceededError} If the response passes a limit.
   * @throws {Error} The reason of the signal, or what the body's source or
   * `onInformational` throws, untouched.
   */
  async exchange(
    request: ExchangeRequest,
    options: ExchangeOptions = {},
  ): Promise<ExchangeResponse> {
    const timeouts = resolveExchangeTimeouts(options);
    // What is left of the one before is a write that is about to settle.
    if (this.#exchange?.isComplete) await this.#exchange.ended;
    options.signal?.throwIfAborted();
    if (!this.isReusable) throw this.#unusable();
    this.#sender.begin(request, timeouts, options.status);
    const exchange = this.#exchange = new OutstandingExchange(this.#owner, timeouts, options);
    this.#input.begin();
    this.#phase = "first-byte";
    this.#sender.run();
    try {
      // One function from here to the head: every one in between costs a promise.
      for (;;) {
        exchange.throwIfFailed();
        const event = this.#core.nextEvent();
        if (event === undefined) {
          this.#arm();
          await this.#input.fill();
          // Only consequences, if the exchange has failed meanwhile.
          this.#input.throwIfOver(this.#sender.broken);
        } else if (event.type === "response") {
          const response = this.#onResponse(event, exchange);
          return response instanceof ExchangeResponse ? response : await response;
        } else if (event.type !== "informational") {
          throw ended();
        } else if (event.status === 101) {
          return await this.#handOver(event, exchange);
        } else {
          this.#onInformational(event, exchange);
        }
      }
    } catch (error) {
      throw await this.#failQuietly(exchange, error);
    }
  }

  /**
   * Watches an idle connection: a server that ends it, breaks it or says
   * something unasked is noticed when it does, and not by the next request. Until
   * then one read is outstanding, which the next exchange takes over; like every
   * read of a socket it keeps the process alive.
   *
   * @param onEnd Called once if the connection is of no more use; it has been
   * closed then. Not called any more when an exchange has begun.
   * @throws {HttpStateError} If an exchange is under way, or there may be no
   * further one.
   */
  watch(onEnd: () => void): void {
    if (!this.isReusable) throw this.#unusable();
    this.#onIdleEnd = onEnd;
    void this.#input.fill();
  }

  /**
   * Closes the connection. An exchange that is under way fails with a
   * `ConnectionClosedError`. A connection that was handed over stays as it is, and
   * a second call does nothing.
   */
  close(): void {
    if (this.#exchange === undefined) this.#end("closed");
    else this.#fail(this.#exchange, closedHere("Connection was closed on our side"), "closed");
  }

  #onInformational(event: InformationalEvent, exchange: OutstandingExchange): void {
    if (event.status === 100) this.#sender.resume();
    exchange.onInformational?.(event);
    this.#deadline.cancel();
  }

  #onResponse(
    event: ResponseEvent,
    exchange: OutstandingExchange,
  ): ExchangeResponse | Promise<ExchangeResponse> {
    this.#rest();
    if (this.#core.state.response === "tunnel") return this.#handOver(event, exchange);
    // RFC 9112 section 9.5. Also a body that waits for its 100: it was answered without.
    const isUnwanted = event.status >= FIRST_UNWANTED_STATUS || this.#sender.awaitsContinue;
    // Where all is said, the last write may go on: it is about to settle.
    if (isUnwanted && this.#core.state.request === "body") this.#sender.stop();
    const response = new ExchangeResponse(event, exchange);
    exchange.remainingBytes = event.bodyLength ?? NaN;
    // Nothing to wait for: the connection is free for the next exchange at once.
    if (event.bodyLength === 0) this.#takeBody(exchange);
    return response;
  }

  /** Gives the connection away, once our part of the exchange is done. */
  async #handOver(
    event: InformationalEvent | ResponseEvent,
    exchange: OutstandingExchange,
  ): Promise<ExchangeResponse> {
    this.#rest();
    if (event.type === "informational") this.#sender.resume();
    // RFC 9110 section 7.8: the request comes to its end in its own protocol.
    if (this.#sender.state === "sending") {
      await Promise.race([this.#sender.settled, exchange.ended]);
    }
    exchange.throwIfFailed();
    if (this.#sender.state !== "sent") throw this.#sender.broken ?? ended();
    const bytes = this.#core.leftover() as Uint8Array<ArrayBuffer>;
    exchange.isComplete = true;
    this.#end("handed-over");
    return new ExchangeResponse(event, exchange, { transport: this.#transport, bytes });
  }

  /** What of the body is there already. The end comes with the last piece, or alone. */
  #takeBody(exchange: OutstandingExchange): Uint8Array<ArrayBuffer> | undefined {
    try {
      const event = this.#core.nextEvent();
      return event === undefined ? undefined : this.#onBodyEvent(event, exchange);
    } catch {
      // The core says it again to whoever reads on.
      return undefined;
    }
  }

  async #readBody(
    exchange: OutstandingExchange,
    room: Uint8Array<ArrayBuffer> | undefined,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      for (;;) {
        const event = this.#core.nextEvent();
        if (event !== undefined) {
          this.#rest();
          return this.#onBodyEvent(event, exchange);
        }
        exchange.throwIfFailed();
        this.#phase = "body";
        this.#arm();
        const piece = await this.#readPiece(room);
        // Only consequences, if the exchange has failed meanwhile.
        this.#input.throwIfOver(this.#sender.broken);
        exchange.throwIfFailed();
        if (piece === undefined) continue;
        this.#rest();
        this.#onPiece(piece.length, exchange);
        return piece;
      }
    } catch (error) {
      throw await this.#failQuietly(exchange, error);
    }
  }

  /** Reads once; gives what has come past the core. */
  async #readPiece(
    room: Uint8Array<ArrayBuffer> | undefined,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const max = Math.min(this.#core.passableBytes, room?.length ?? MAX_PIECE_BYTES);
    if (max === 0) {
      await this.#input.fill();
      return undefined;
    }
    const space = room?.subarray(0, max) ?? new Uint8Array(max);
    await this.#input.pass(space);
    const length = this.#input.passedBytes;
    if (length === 0) return undefined;
    // Little in much room is moved: it may be kept for long.
    return room === undefined && length < max / 2
      ? space.slice(0, length)
      : space.subarray(0, length);
  }

  #onBodyEvent(
    event: HttpEvent,
    exchange: OutstandingExchange,
  ): Uint8Array<ArrayBuffer> | undefined {
    if (event.type === "data") {
      this.#onPiece(event.bytes.length, exchange);
      return event.bytes;
    }
    this.#onEnd(event, exchange);
    return undefined;
  }

  #onPiece(length: number, exchange: OutstandingExchange): void {
    exchange.remainingBytes -= length;
    // The connection need not wait for somebody who asks once more.
    if (exchange.remainingBytes === 0) this.#onEnd(this.#core.nextEvent()!, exchange);
  }

  #onEnd(event: HttpEvent, exchange: OutstandingExchange): void {
    if (event.type !== "end") throw ended();
    exchange.trailers = event.trailers;
    exchange.isComplete = true;
    this.#complete(exchange);
  }

  /** The response is complete: the connection is free, or of no more use. */
  #complete(exchange: OutstandingExchange): void {
    if (exchange.isOver) return;
    if (this.#sender.state === "sending" && this.#core.state.request !== "body") {
      // All is said, and the last write of it about to settle.
      void this.#sender.settled.then(() => this.#complete(exchange));
    } else if (this.#sender.state !== "sent") {
      this.#end("request-unfinished");
    } else if (this.#core.isReusable) {
      this.#end(undefined);
    } else {
      this.#end(this.#core.mustClose ? "connection-close" : "unsolicited-bytes");
    }
  }

  /** Fails an exchange and closes the transport. What failed first, or is over, stays so. */
  #fail(
    exchange: OutstandingExchange | undefined,
    error: unknown,
    reason: ConnectionEndReason = "failed",
  ): void {
    if (exchange === undefined || exchange.isOver) return;
    exchange.failure ??= { error };
    // Nobody is told of the failure then: the response was whole.
    this.#end(exchange.isComplete ? "request-unfinished" : reason);
  }

  /**
   * Fails, and waits until nothing is left waiting at the transport.
   *
   * @returns The first failure: all others only follow from it.
   */
  async #failQuietly(exchange: OutstandingExchange, error: unknown): Promise<unknown> {
    this.#fail(exchange, error);
    await this.#sender.quiet();
    return exchange.failure === undefined ? error : exchange.failure.error;
  }

  /** Ends the exchange, and for a reason the connection. */
  #end(reason: ConnectionEndReason | undefined): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#rest();
    if (reason !== undefined && this.#endReason === undefined) {
      this.#endReason = reason;
      this.#sender.stop();
      if (reason !== "handed-over") closeQuietly(this.#transport);
    }
    this.#input.rest();
    exchange?.end();
  }

  /** Starts the clock if the server has the turn. */
  #arm(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#phase === "none") return;
    // While the request is leaving, the gap between two writes is watched.
    if (this.#sender.state === "sending" && !this.#sender.awaitsContinue) return;
    // Counted from the moment the server got the turn, not from every read.
    if (this.#phase === "first-byte" && this.#deadline.armed) return;
    this.#deadline.arm(this.#timeoutMs(exchange));
  }

  #timeoutMs({ timeouts }: OutstandingExchange): number {
    return this.#phase === "body" ? timeouts.bodyTimeoutMs : timeouts.firstByteTimeoutMs;
  }

  #rest(): void {
    this.#phase = "none";
    this.#deadline.cancel();
  }

  #onDeadline(): void {
    const exchange = this.#exchange!;
    const phase = this.#phase;
    const timeoutMs = this.#timeoutMs(exchange);
    const message = `Cannot read response: the server has been silent for ${timeoutMs} ms`;
    this.#fail(exchange, new TimeoutError(message, { phase, timeoutMs }));
  }

  /** Something came, or ended, while nothing was asked. */
  #onIdleInput(): void {
    if (!this.isReusable) return;
    const { isEnded, isBroken } = this.#input;
    const onEnd = this.#onIdleEnd;
    this.#onIdleEnd = undefined;
    this.#end(isBroken ? "failed" : isEnded ? "peer-ended" : "unsolicited-bytes");
    onEnd?.();
  }

  #unusable(): HttpStateError {
    const state = this.#endReason ?? "busy";
    return new HttpStateError(
      "ERR_HTTP_ILLEGAL_EVENT",
      `Cannot exchange: the connection is ${state}`,
      { state, event: "exchange" },
    );
  }
}

function closedHere(message: string): ConnectionClosedError {
  return new ConnectionClosedError(message);
}

/** Of a core whose half of the responses is over in the middle of one. */
function ended(): ConnectionClosedError {
  return new ConnectionClosedError("Cannot read response: the connection has ended");
}
