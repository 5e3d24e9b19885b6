// This module is sans-I/O.

import type { ReceiveBuffer } from "../nbio/receive_buffer.ts";
import { BodyDecoder } from "./body_decoder.ts";
import { illegalTransition, ORDINARY, type RequestState } from "./connection_state.ts";
import { Expectation } from "./control_fields.ts";
import { HttpProtocolError } from "./errors.ts";
import { decideFraming, isPersistent } from "./framing.ts";
import { HeadParser } from "./head_parser.ts";
import type { HeaderList } from "./header_list.ts";
import type { HttpLenience, ResolvedHttpLimits } from "./limits.ts";

/**
 * The server's hot path: requests straight out of a receive buffer, one after
 * the other, with no event objects and nothing decoded that nobody asks for.
 *
 * It is made of the same head parser, framing decision and body decoder as
 * `HttpConnection`, and `tests/conformance/` holds the two against each other
 * on every vector and on random input. `tests/bench/http_server/` shows why it
 * exists.
 */
export class RequestReader {
  /** Framing of the current request's body. */
  framing = 0;
  /** Whether the client lets the connection be used again. */
  isPersistent = false;
  /** Whether the client waits for a `100 Continue`. */
  expectsContinue = false;

  #state: RequestState = "idle";
  readonly #head: HeadParser;
  readonly #limits: ResolvedHttpLimits;
  readonly #lenience: HttpLenience;
  #body: BodyDecoder | undefined;
  /** The bytes of the head, in place until the buffer is filled again. */
  #headBytes: Uint8Array = new Uint8Array(0);
  #headStart = 0;

  /**
   * @param limits Bounds of heads and framing.
   * @param lenience Rules to relax.
   */
  constructor(limits: ResolvedHttpLimits, lenience: HttpLenience) {
    this.#head = new HeadParser("request", limits, lenience);
    this.#limits = limits;
    this.#lenience = lenience;
  }

  /** Method of the current request; of a failed one, where it was read. */
  get method(): string {
    return this.#head.method;
  }

  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  get minorVersion(): number {
    return this.#head.minorVersion;
  }

  /** Whether a part of the next head has come. */
  get isStarted(): boolean {
    return this.#head.isStarted;
  }

  /** Whether the body of the current request is behind us. */
  get isBodyDone(): boolean {
    return this.#state !== "body";
  }

  /** Length of the body where it is known. */
  get bodyLength(): number | undefined {
    return this.framing >= 0 ? this.framing : undefined;
  }

  /** Bytes of the body still to come, where known. */
  get remainingBytes(): number | undefined {
    return this.#body === undefined ? 0 : this.#body.remainingBytes;
  }

  /** Trailer fields of the current request, once its body is done. */
  get trailers(): HeaderList | undefined {
    return this.#body?.trailers;
  }

  /**
   * Whether another request can follow this one on its connection.
   *
   * @param maxDrainBytes Bytes of an unread body that may be dropped to get there.
   * @param owesContinue Whether the client still waits for a `100 Continue`.
   */
  leavesOpen(maxDrainBytes: number, owesContinue: boolean): boolean {
    if (!this.isPersistent) return false;
    if (this.isBodyDone) return true;
    // What follows an unfinished body cannot be found without reading it. Whether
    // a body comes without a 100 nobody can tell (RFC 9110 section 10.1.1).
    return (this.remainingBytes ?? 0) <= maxDrainBytes && !owesContinue;
  }

  /**
   * Reads the next head and takes it out of the buffer.
   *
   * @returns Whether it is complete; if not, call again when more has come.
   * @throws {HttpProtocolError} If the head breaks a rule.
   * @throws {LimitExceededError} If the head passes a limit.
   */
  readHead(buffer: ReceiveBuffer): boolean {
    const head = this.#head;
    if (!head.parse(buffer.bytes, buffer.start, buffer.end)) return false;
    this.#headBytes = buffer.bytes;
    this.#headStart = buffer.start;
    buffer.consume(head.length);
    const { control } = head;
    this.framing = decideFraming(head, head.method);
    this.isPersistent = isPersistent(head.minorVersion, control);
    this.expectsContinue = control.expectation === Expectation.CONTINUE &&
      head.minorVersion === 1 && this.framing !== 0;
    this.#move("idle", ORDINARY.requestHead);
    if (this.framing === 0) this.#move("body", ORDINARY.requestEnd);
    else this.#body = new BodyDecoder(this.framing, this.#limits, this.#lenience);
    return true;
  }

  /**
   * Gets ready for the next request, after the body of this one.
   *
   * @throws {HttpStateError} If the body is not behind us.
   */
  next(): void {
    this.#move("done", ORDINARY.requestNext);
    this.#head.reset();
    this.#body = undefined;
  }

  /** The request target. Only before the buffer is filled again. */
  target(): string {
    return this.#head.target(this.#headBytes, this.#headStart);
  }

  /** The header fields. Only before the buffer is filled again. */
  headers(): HeaderList {
    return this.#head.headers(this.#headBytes, this.#headStart);
  }

  /** Bytes of a body of known length that wait in the buffer; else 0. */
  peekBody(buffer: ReceiveBuffer): number {
    const remaining = this.remainingBytes;
    return remaining === undefined ? 0 : Math.min(remaining, buffer.length);
  }

  /**
   * Takes body bytes out of the buffer.
   *
   * @returns A view until the buffer is filled again; `undefined` where nothing
   * is there.
   * @throws {HttpProtocolError} If the body is malformed.
   * @throws {LimitExceededError} If its framing passes a limit.
   */
  takeBody(buffer: ReceiveBuffer): Uint8Array | undefined {
    const body = this.#body;
    if (body === undefined || body.isDone) return undefined;
    const { bytes, start } = buffer;
    const position = body.step(bytes, start, buffer.end);
    buffer.consume(position - start);
    if (body.isDone) this.#move("body", ORDINARY.requestEnd);
    return body.dataEnd > body.dataStart ? bytes.subarray(body.dataStart, body.dataEnd) : undefined;
  }

  /** Says that body bytes were read past the buffer. */
  skipBody(length: number): void {
    this.#body!.skip(length);
    if (this.#body!.isDone) this.#move("body", ORDINARY.requestEnd);
  }

  /** The request half of the connection, by the same table as the event core. */
  #move(from: RequestState, to: RequestState): void {
    if (this.#state !== from) throw illegalTransition(this.#state, to);
    this.#state = to;
  }

  /**
   * The error of a connection that ends here.
   *
   * @returns `undefined` between two requests.
   */
  errorAtEnd(): HttpProtocolError | undefined {
    if (this.isBodyDone && !this.isStarted) return undefined;
    return new HttpProtocolError(
      "ERR_HTTP_TRUNCATED_MESSAGE",
      `Cannot read ${this.isBodyDone ? "head" : "body"}: the connection ended in the middle of it`,
    );
  }
}
