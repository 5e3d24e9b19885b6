// This module is sans-I/O.

import { encodeAscii } from "./ascii.ts";
import { chooseFraming, mayNameFraming } from "./body_encoder.ts";
import { illegalTransition, ORDINARY, type ResponseState } from "./connection_state.ts";
import { HttpStateError } from "./errors.ts";
import { Framing, mayHaveBody } from "./framing.ts";
import { HeaderList } from "./header_list.ts";
import { OutputBuffer } from "./output_buffer.ts";
import { writeStatusLine } from "./serializer.ts";

const LOWEST_FINAL_STATUS = 200;
const HIGHEST_STATUS = 599;
/** Up to this length a look at every character costs less than an encoder. */
const MAX_ASCII_LENGTH = 512;
const NOTHING = new Uint8Array(0);
const CRLF = encodeAscii("\r\n");
const CONTENT_LENGTH = encodeAscii("content-length: ");
const CHUNKED = encodeAscii("transfer-encoding: chunked\r\n");
const CLOSE = encodeAscii("connection: close\r\n");
const KEEP_ALIVE = encodeAscii("connection: keep-alive\r\n");

const encoder = new TextEncoder();

/** A content type that is used in many responses. */
export class ContentType {
  /** Value of the field. */
  readonly value: string;
  /** The whole field line. */
  readonly line: Uint8Array;
  readonly #prefixes: (Uint8Array | undefined)[] = [];

  /** @param value Value of the field. */
  constructor(value: string) {
    this.value = value;
    this.line = encodeAscii(`content-type: ${value}\r\n`);
  }

  /** A head with a status up to the number in its Content-Length, made once. */
  prefix(status: number): Uint8Array {
    return this.#prefixes[status] ??= this.#makePrefix(status);
  }

  #makePrefix(status: number): Uint8Array {
    const out = new OutputBuffer();
    writeStatusLine(out, status);
    out.writeBytes(this.line);
    out.writeBytes(CONTENT_LENGTH);
    return out.take();
  }
}

/** What a response can consist of; a `ReadableStream` is an async iterable. */
export type ResponseBody = string | Uint8Array | AsyncIterable<Uint8Array | string>;

/** Codes a body whose head has left before it, and has said so. */
export interface BodyCoder {
  /** What is sent for a piece; it may stay behind where more is known to follow at once. */
  write(bytes: Uint8Array, hasMore: boolean): AsyncIterable<Uint8Array>;
  /** What is sent at the end. */
  finish(): AsyncIterable<Uint8Array>;
  /** What is sent for a body that is at hand as a whole or as a stream; instead of the others. */
  stream(source: AsyncIterable<Uint8Array | string>): AsyncIterable<Uint8Array>;
  /** Lets go of everything. */
  close(): void;
}

/**
 * The answer so far, to look at: what `ctx.response` shows.
 *
 * @example Adding a field to whatever was answered
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => {
 *   ctx.json({ ok: true });
 *   if (ctx.response.status === 200) ctx.set("cache-control", "no-store");
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * assertEquals(response.headers.get("cache-control"), "no-store");
 * assertEquals(await response.json(), { ok: true });
 * ```
 */
export interface ResponseView {
  /** Status code; 0 while the request is not answered. */
  readonly status: number;
  /** Header fields so far, without those that the connection adds. */
  readonly headers: HeaderList;
  /** What is sent as body; `undefined` for nothing. */
  readonly body: ResponseBody | undefined;
  /** Whether the head has left: nothing of it can change any more. */
  readonly committed: boolean;
  /** Whether the connection was given away, by `ctx.upgrade` and the like. */
  readonly isHandedOver: boolean;
}

/** What the connection knows and a response head depends on. */
export interface ResponseSurroundings {
  /** Method of the request. */
  readonly method: string;
  /** Minor HTTP version of the client. */
  readonly minorVersion: number;
  /** Whether the connection ends with this response. */
  readonly isLast: boolean;
  /** Whether the client has to be told that the connection stays open. */
  readonly tellsKeepAlive: boolean;
  /** `Keep-Alive` line for this response; empty for none. */
  readonly keepAliveLine: Uint8Array;
  /** The Date line of this second. */
  readonly dateLine: Uint8Array;
  /** Line end, Date line and empty line: what ends a head with nothing special. */
  readonly plainTail: Uint8Array;
}

/**
 * A response while it is made: status, header fields and body. It becomes
 * fixed when its head is written.
 */
export class OutgoingResponse implements ResponseView {
  /** What is sent as body; `undefined` for nothing. */
  body: ResponseBody | undefined;

  /** Whether a body may still be answered with, although the head has left. */
  owesBody = false;

  /**
   * Asked where the head leaves before the body is there, and before it leaves: it may change the
   * head.
   */
  codeBody: (() => BodyCoder | undefined) | undefined = undefined;

  /**
   * Told once that all of the response has left, or with an error that it never will; whoever sets
   * it makes the response leave at once.
   */
  onSettled: ((error: unknown) => void) | undefined = undefined;

  #status = 0;
  #reason: string | undefined;
  #headers: HeaderList | undefined;
  #contentType: ContentType | undefined;
  /** Content type among the fields that nobody set but the body brought. */
  #impliedType: string | undefined;
  /** The response half of the connection, by the same table as the event core. */
  #state: ResponseState = "awaiting";

  /** Status code; 0 while the request is not answered. */
  get status(): number {
    return this.#status;
  }

  /** Whether the head has been written: nothing of it can change any more. */
  get committed(): boolean {
    return this.#state !== "awaiting";
  }

  /** Whether the connection was given away: nothing is answered any more. */
  get isHandedOver(): boolean {
    return this.#state === "tunnel";
  }

  /** Whether there is an answer: a status was set, by itself or with a body. */
  get isAnswered(): boolean {
    return this.#status !== 0;
  }

  /** Header fields so far, without those that the connection adds. */
  get headers(): HeaderList {
    if (this.#headers === undefined) {
      this.#headers = new HeaderList();
      if (this.#contentType !== undefined) {
        this.#impliedType = this.#contentType.value;
        this.#headers.append("content-type", this.#impliedType);
        this.#contentType = undefined;
      }
    }
    return this.#headers;
  }

  /**
   * Sets the status.
   *
   * @param status A final status code, 200 to 599.
   * @param reason Reason phrase; by default the registered one.
   * @throws {RangeError} If the status is not an integer from 200 to 599.
   * @throws {HttpStateError} If the head has left.
   */
  setStatus(status: number, reason?: string): void {
    this.checkOpen("status");
    if (!Number.isInteger(status) || status < LOWEST_FINAL_STATUS || status > HIGHEST_STATUS) {
      throw new RangeError(
        `Cannot set status ${status}: it is not an integer from ${LOWEST_FINAL_STATUS} to ${HIGHEST_STATUS}`,
      );
    }
    this.#status = status;
    this.#reason = reason;
  }

  /**
   * Answers with a body. The status stays what it was, or becomes 200; a
   * content type set before stays.
   */
  answer(body: ResponseBody, type: ContentType | undefined): void {
    if (this.owesBody && this.body === undefined) {
      this.body = body;
      return;
    }
    this.checkOpen("body");
    if (this.#status === 0) this.#status = 200;
    this.body = body;
    if (type === undefined) return;
    if (this.#headers === undefined) this.#contentType = type;
    else this.#setType(this.#headers, type);
  }

  /** A type that came with another body goes with it. */
  #setType(headers: HeaderList, type: ContentType): void {
    const present = headers.get("content-type");
    if (present !== undefined && present !== this.#impliedType) return;
    this.#impliedType = type.value;
    headers.set("content-type", type.value);
  }

  /** Drops what was answered so far, for an error to be answered instead. */
  reset(): void {
    this.checkOpen("reset");
    this.#status = 0;
    this.#reason = undefined;
    this.#headers = undefined;
    this.#contentType = undefined;
    this.body = undefined;
  }

  /**
   * Notes that the connection is another protocol's from here on.
   *
   * @param status Status that said so; 0 if none was sent.
   * @throws {HttpStateError} If the head of a response has left.
   */
  handOver(status: number): void {
    this.reset();
    this.#status = status;
    this.#move("awaiting", "tunnel");
  }

  /**
   * @throws {HttpStateError} If the head has left.
   */
  checkOpen(event: string): void {
    if (this.#state === "awaiting") return;
    throw new HttpStateError(
      "ERR_HTTP_HEAD_COMMITTED",
      `Cannot change response: its head has left`,
      { state: "committed", event },
    );
  }

  /** The length that the header fields announce; `undefined` for none. */
  declaredLength(): number | undefined {
    const value = this.#headers?.get("content-length");
    if (value === undefined) return undefined;
    const length = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (Number.isNaN(length)) {
      throw new TypeError(`Cannot use Content-Length ${JSON.stringify(value)}: it is no length`);
    }
    return length;
  }

  /** Whether the header fields ask for the end of the connection. */
  wantsClose(): boolean {
    const value = this.#headers?.get("connection");
    return value !== undefined && /(^|,)\s*close\s*(,|$)/i.test(value);
  }

  /**
   * Writes the whole response, if its body is at hand: text or bytes.
   *
   * @param out Where to.
   * @param around What the connection knows.
   * @param maxInlineBytes Longest body that is copied behind the head.
   * @returns A longer body, still to be sent.
   * @throws {TypeError} If a header field contradicts the framing.
   */
  writeWhole(
    out: OutputBuffer,
    around: ResponseSurroundings,
    maxInlineBytes: number,
  ): Uint8Array | undefined {
    const large = this.#writeWhole(out, around, maxInlineBytes);
    this.#move("body", ORDINARY.responseEnd);
    return large;
  }

  #writeWhole(
    out: OutputBuffer,
    around: ResponseSurroundings,
    maxInlineBytes: number,
  ): Uint8Array | undefined {
    // RFC 9110 section 15.3.6: a 205 has no content.
    const body = this.#status === 205 ? undefined : this.body as string | Uint8Array | undefined;
    if (typeof body === "string" && body.length <= MAX_ASCII_LENGTH && isAscii(body)) {
      this.writeHead(out, body.length, around);
      if (mayHaveBody(this.#status, around.method)) out.writeText(body);
      return undefined;
    }
    const bytes = typeof body === "string" ? encoder.encode(body) : body ?? NOTHING;
    this.writeHead(out, bytes.length, around);
    if (bytes.length === 0 || !mayHaveBody(this.#status, around.method)) return undefined;
    if (bytes.length > maxInlineBytes) return bytes;
    out.writeBytes(bytes);
    return undefined;
  }

  /**
   * Writes the head; afterwards it is fixed. Framing is ours: a field that
   * contradicts the body is refused, and none is sent where none may be.
   *
   * @param out Where to.
   * @param length Bytes of the body, where known.
   * @param around What the connection knows.
   * @returns The framing of the body.
   * @throws {TypeError} If a header field contradicts the framing.
   */
  writeHead(out: OutputBuffer, length: number | undefined, around: ResponseSurroundings): number {
    this.checkOpen("head");
    const rollback = out.length;
    try {
      const framing = this.#writeHead(out, length, around);
      this.#move("awaiting", ORDINARY.responseHead);
      return framing;
    } catch (error) {
      out.length = rollback;
      throw error;
    }
  }

  /** Tells {@linkcode OutgoingResponse.onSettled} of the end; `undefined` for a good one. */
  settle(error: unknown): void {
    const tell = this.onSettled;
    this.onSettled = undefined;
    tell?.(error);
  }

  /** Whether all of it has been written. */
  get isEnded(): boolean {
    return this.#state === ORDINARY.responseEnd;
  }

  /**
   * Notes that the body has been sent to its end.
   *
   * @throws {HttpStateError} If there is none under way.
   */
  end(): void {
    this.#move("body", ORDINARY.responseEnd);
  }

  #move(from: ResponseState, to: ResponseState): void {
    if (this.#state !== from) throw illegalTransition(this.#state, to);
    this.#state = to;
  }

  #writeHead(out: OutputBuffer, length: number | undefined, around: ResponseSurroundings): number {
    const status = this.#status;
    if (length !== undefined && this.#isPlain && !around.isLast && !around.tellsKeepAlive) {
      out.writeBytes(this.#contentType!.prefix(status));
      out.writeDecimal(length);
      out.writeBytes(around.plainTail);
      return length;
    }
    writeStatusLine(out, status, this.#reason);
    if (this.#contentType !== undefined) out.writeBytes(this.#contentType.line);
    const declared = this.#headers === undefined ? undefined : this.declaredLength();
    const hasDate = this.#headers !== undefined && this.#writeFields(out, this.#headers);
    const framing = chooseFraming({
      method: around.method,
      status,
      peerMinorVersion: around.minorVersion,
      length: agreedLength(declared, length, around.method, status),
    });
    if (mayNameFraming(status)) writeFraming(out, framing, status);
    if (!hasDate) out.writeBytes(around.dateLine);
    if (around.isLast || framing === Framing.UNTIL_CLOSE) out.writeBytes(CLOSE);
    else {
      if (around.tellsKeepAlive) out.writeBytes(KEEP_ALIVE);
      out.writeBytes(around.keepAliveLine);
    }
    out.writeBytes(CRLF);
    return framing;
  }

  /** Nothing but a status, a content type and a body: most responses. */
  get #isPlain(): boolean {
    return this.#headers === undefined && this.#contentType !== undefined &&
      this.#reason === undefined && this.#status !== 304 && mayNameFraming(this.#status);
  }

  /** Writes the caller's fields but those about framing; tells of a Date. */
  #writeFields(out: OutputBuffer, headers: HeaderList): boolean {
    let hasDate = false;
    for (const [name, value] of headers) {
      switch (name.toLowerCase()) {
        case "transfer-encoding":
          throw new TypeError("Cannot send Transfer-Encoding: the framing of a response is ours");
        case "content-length":
        case "keep-alive":
          continue;
        case "connection":
          // Whether it stays open is told below, once.
          if (/^\s*(close|keep-alive)\s*$/i.test(value)) continue;
          break;
        case "date":
          hasDate = true;
      }
      out.writeField(name, value);
    }
    return hasDate;
  }
}

/**
 * A declared length holds for a body that is streamed, and stands in for the
 * body that a HEAD or a 304 does not have; it must not contradict a known one.
 */
function agreedLength(
  declared: number | undefined,
  actual: number | undefined,
  method: string,
  status: number,
): number | undefined {
  if (declared === undefined || declared === actual) return actual;
  if (actual === undefined) return declared;
  if (actual === 0 && (method === "HEAD" || status === 304)) return declared;
  throw new HttpStateError(
    "ERR_HTTP_BODY_LENGTH_MISMATCH",
    `Cannot send response: its body has ${actual} bytes, Content-Length says ${declared}`,
    { state: "open", event: "head" },
  );
}

function writeFraming(out: OutputBuffer, framing: number, status: number): void {
  if (framing === Framing.CHUNKED) out.writeBytes(CHUNKED);
  // RFC 9110 section 8.6: a 304 names only the length that a 200 would have.
  else if (framing >= 0 && (status !== 304 || framing > 0)) {
    out.writeBytes(CONTENT_LENGTH);
    out.writeDecimal(framing);
    out.writeBytes(CRLF);
  }
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}
