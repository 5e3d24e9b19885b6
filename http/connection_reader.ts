// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { ReceiveBuffer } from "../nbio/receive_buffer.ts";
import { BodyDecoder } from "./body_decoder.ts";
import { HttpProtocolError } from "./errors.ts";
import type { InformationalEvent, RequestEvent, ResponseEvent } from "./events.ts";
import type { Exchange } from "./exchange.ts";
import { Framing } from "./framing.ts";
import { HeadParser, type MessageKind } from "./head_parser.ts";
import type { HeaderList } from "./header_list.ts";
import type { HttpLenience, ResolvedHttpLimits } from "./limits.ts";
import { reasonPhrase } from "./status.ts";

/** Room while little comes: heads and small bodies. */
const IDLE_BYTES = 4 * 1024;

/**
 * The half of a connection that receives: the bytes that wait, and the message
 * being parsed from their front. Which message may come when is not its matter.
 */
export class ConnectionReader {
  /** The head being parsed; complete while {@linkcode ConnectionReader.readHead} says so. */
  readonly head: HeadParser;

  readonly #limits: ResolvedHttpLimits;
  readonly #lenience: HttpLenience;
  readonly #maxBufferedBytes: number;
  readonly #buffer: ReceiveBuffer;
  readonly #maySkipLine: boolean;
  #body: BodyDecoder | undefined;
  #isEnded = false;

  /**
   * @param kind Whether requests or responses come.
   * @param limits Bounds of messages.
   * @param lenience Rules to relax.
   * @param maxBufferedBytes Most bytes that wait at a time, maybe Infinity.
   */
  constructor(
    kind: MessageKind,
    limits: ResolvedHttpLimits,
    lenience: HttpLenience,
    maxBufferedBytes: number,
  ) {
    this.head = new HeadParser(kind, limits, lenience);
    this.#maySkipLine = kind === "request";
    this.#limits = limits;
    this.#lenience = lenience;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#buffer = new ReceiveBuffer({
      maxBytes: Math.min(maxBufferedBytes, Number.MAX_SAFE_INTEGER),
      idleBytes: Math.min(maxBufferedBytes, IDLE_BYTES),
    });
  }

  /** Number of bytes that wait. */
  get length(): number {
    return this.#buffer.length;
  }

  /** Whether the peer has ended its stream; bytes may still wait. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether the peer has ended its stream, and everything was read. */
  get isDrained(): boolean {
    return this.#isEnded && this.#buffer.length === 0;
  }

  /** Trailer fields of the body just read. */
  get trailers(): HeaderList | undefined {
    return this.#body?.trailers;
  }

  /**
   * Takes bytes in, as a copy.
   *
   * @throws {LimitExceededError} If more would wait than may; none is taken.
   */
  receive(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const length = this.#buffer.length + chunk.length;
    if (length > this.#maxBufferedBytes) {
      throw new LimitExceededError(
        `Cannot receive: ${length} bytes would wait, expected at most ${this.#maxBufferedBytes}`,
        { limit: "maxBufferedBytes", max: this.#maxBufferedBytes },
      );
    }
    this.#buffer.writable(chunk.length).set(chunk);
    this.#buffer.commit(chunk.length);
  }

  /** Room for the next bytes, behind those that wait. */
  space(): Uint8Array<ArrayBuffer> {
    return this.#buffer.writable();
  }

  /** Takes note of bytes that were put into the room. */
  commit(count: number): void {
    this.#buffer.commit(count);
  }

  /** Gives memory back, if nothing waits. */
  shrink(): void {
    this.#buffer.shrink();
  }

  /**
   * Bytes of the body that may go past the buffer, straight to where they are
   * wanted: those of a body without chunks, once nothing waits.
   */
  get passableBytes(): number {
    const body = this.#body;
    return body === undefined || this.#buffer.length > 0 ? 0 : body.passableBytes;
  }

  /** Takes note of bytes of the body that went past the buffer. */
  passBody(count: number): void {
    this.#body!.skip(count);
  }

  /** Notes that the peer has ended its stream. */
  receiveEnd(): void {
    this.#isEnded = true;
  }

  /**
   * Goes on with a head.
   *
   * @returns Whether it is complete: read it, then accept it. Where the stream
   * has ended instead, everything was read.
   * @throws {HttpProtocolError} If it breaks a rule, or will never be complete.
   * @throws {LimitExceededError} If it passes a limit.
   */
  readHead(): boolean {
    const { bytes, start, end } = this.#buffer;
    if (this.head.parse(bytes, start, end)) return true;
    if (!this.#isEnded) return false;
    if (this.#maySkipLine && !this.head.isStarted) {
      // RFC 9112 section 2.2: clients have been sending a line end behind a body.
      this.discardAll();
      return false;
    }
    throw new HttpProtocolError(
      "ERR_HTTP_TRUNCATED_MESSAGE",
      "Cannot read head: the connection ended before it was complete",
    );
  }

  /** The complete head as the event of a request. */
  requestEvent(framing: number, exchange: Exchange): RequestEvent {
    const { method, minorVersion } = this.head;
    const { bytes, start } = this.#buffer;
    return {
      type: "request",
      method,
      target: this.head.target(bytes, start),
      minorVersion,
      headers: this.head.headers(bytes, start),
      bodyLength: lengthOf(framing),
      expectsContinue: exchange.awaitsContinue,
      isUpgrade: exchange.isUpgrade,
    };
  }

  /** The complete head as the event of an informational response. */
  informationalEvent(): InformationalEvent {
    const { bytes, start } = this.#buffer;
    return {
      type: "informational",
      status: this.head.status,
      reason: reasonOf(this.head, bytes, start),
      headers: this.head.headers(bytes, start),
    };
  }

  /** The complete head as the event of a final response. */
  responseEvent(framing: number): ResponseEvent {
    const { status, minorVersion } = this.head;
    const { bytes, start } = this.#buffer;
    return {
      type: "response",
      status,
      reason: reasonOf(this.head, bytes, start),
      minorVersion,
      headers: this.head.headers(bytes, start),
      bodyLength: lengthOf(framing),
    };
  }

  /**
   * Goes past the complete head.
   *
   * @param framing How the body behind it ends; 0 where none follows.
   */
  acceptHead(framing: number): void {
    this.#buffer.consume(this.head.length);
    this.head.reset();
    this.#body = new BodyDecoder(framing, this.#limits, this.#lenience);
  }

  /**
   * Reads on in the body.
   *
   * @returns A piece with memory of its own; `undefined` at the end of the body
   * and where more has to come.
   * @throws {HttpProtocolError} If its coding is broken, or it will never be
   * complete.
   * @throws {LimitExceededError} If it passes a limit.
   */
  readBody(): Uint8Array<ArrayBuffer> | undefined {
    const body = this.#body!;
    const { bytes, start, end } = this.#buffer;
    const position = body.step(bytes, start, end);
    const { dataStart, dataEnd } = body;
    const piece = dataEnd > dataStart ? bytes.slice(dataStart, dataEnd) : undefined;
    this.#buffer.consume(position - start);
    if (piece === undefined && this.#isEnded) body.end();
    return piece;
  }

  /** Whether the body is complete. */
  get isBodyDone(): boolean {
    return this.#body!.isDone;
  }

  /** Takes everything that waits, as a copy. */
  takeAll(): Uint8Array<ArrayBuffer> {
    const taken = this.#buffer.view().slice();
    this.discardAll();
    return taken;
  }

  /** Drops everything that waits. */
  discardAll(): void {
    this.#buffer.consume(this.#buffer.length);
    this.#buffer.shrink();
  }
}

/** Nearly always the registered one, which need not be decoded. */
function reasonOf(head: HeadParser, bytes: Uint8Array, start: number): string {
  const registered = reasonPhrase(head.status);
  return head.hasReason(bytes, start, registered) ? registered : head.reason(bytes, start);
}

function lengthOf(framing: number): number | undefined {
  return framing === Framing.CHUNKED || framing === Framing.UNTIL_CLOSE
    ? undefined
    : Math.max(framing, 0);
}
