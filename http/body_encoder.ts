// This module is sans-I/O.

import { HttpStateError } from "./errors.ts";
import { checkFieldName, checkFieldValue } from "./field_text.ts";
import { Framing, mayHaveBody } from "./framing.ts";
import type { HeaderInit } from "./header_list.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import { mayBeTrailer } from "./trailer_rules.ts";

/** What decides how a body is sent. */
export interface SendFramingInput {
  /** Method of the request, also where a response is sent. */
  readonly method: string;
  /** Status of the response; 0 for a request. */
  readonly status: number;
  /** Minor version of the peer: 0 for HTTP/1.0. */
  readonly peerMinorVersion: number;
  /** Bytes of the body, where known. */
  readonly length: number | undefined;
}

/**
 * Chooses how a body of ours ends: by its length where that is known, in chunks
 * to a peer with HTTP/1.1, with the connection otherwise (RFC 9112 section 6).
 *
 * @param message What is sent to whom.
 * @returns The length in bytes, or one of {@linkcode Framing}.
 */
export function chooseFraming(message: SendFramingInput): number {
  const { method, status, peerMinorVersion, length } = message;
  if (status !== 0 && method === "CONNECT" && status >= 200 && status < 300) return Framing.TUNNEL;
  if (length !== undefined) return length;
  // A request cannot end with its connection: the answer has to come on it.
  return status === 0 || peerMinorVersion >= 1 ? Framing.CHUNKED : Framing.UNTIL_CLOSE;
}

/** Whether the head names the framing: which statuses must not (RFC 9110 8.6). */
export function mayNameFraming(status: number): boolean {
  return status === 0 || (status >= 200 && status !== 204);
}

const NO_TRAILERS: readonly (readonly [string, string])[] = [];

/**
 * Encodes one body and holds it to its framing: never more or fewer bytes than
 * the head said, and none at all where none may be.
 */
export class BodyEncoder {
  readonly #framing: number;
  readonly #isSilent: boolean;
  #sentBytes = 0;
  #isEnded = false;

  /**
   * @param framing What the head says.
   * @param status Status of the response; 0 for a request.
   * @param method Method of the request.
   */
  constructor(framing: number, status: number, method: string) {
    this.#framing = framing;
    this.#isSilent = status !== 0 && !mayHaveBody(status, method);
  }

  /** Bytes of the body so far, without its framing; those that are dropped counted. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Whether the body was ended. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether what is encoded is dropped: HEAD, 1xx, 204, 304. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /**
   * Begins a piece of the body: writes what goes in front of its bytes. The
   * caller then sends the bytes themselves, and what
   * {@linkcode BodyEncoder.endPiece} writes. An empty piece is nothing.
   *
   * @param out Where to.
   * @param length Bytes of the piece.
   * @returns Whether the bytes are to be sent.
   * @throws {HttpStateError} If the body was ended, or would get longer than
   * its head said.
   */
  beginPiece(out: OutputBuffer, length: number): boolean {
    if (this.#isEnded) throw misuse("body was ended", "data");
    const sentBytes = this.#sentBytes + length;
    if (this.#framing >= 0 && sentBytes > this.#framing) throw mismatch(this.#framing, sentBytes);
    this.#sentBytes = sentBytes;
    if (this.#isSilent || length === 0) return false;
    if (this.#framing === Framing.CHUNKED) out.writeText(`${length.toString(16)}\r\n`);
    return true;
  }

  /** Writes what goes behind the bytes of a piece that is sent. */
  endPiece(out: OutputBuffer): void {
    if (this.#framing === Framing.CHUNKED) out.writeText("\r\n");
  }

  /**
   * Ends the body.
   *
   * @param out Where to.
   * @param trailers Trailer fields. Where the body ends with the connection they
   * are dropped (RFC 9110 section 6.5.1): HTTP/1.0 has none.
   * @throws {HttpStateError} If the body is shorter than its head said, or was
   * ended.
   * @throws {TypeError} If a trailer field is not allowed, or trailers have no
   * place in this framing.
   */
  end(out: OutputBuffer, trailers: HeaderInit = NO_TRAILERS): void {
    if (this.#isEnded) throw misuse("body was ended", "end");
    const fields = trailers === NO_TRAILERS ? NO_TRAILERS : fieldsOf(trailers);
    if (!this.#isSilent && this.#framing >= 0 && this.#sentBytes < this.#framing) {
      throw mismatch(this.#framing, this.#sentBytes);
    }
    const hasPlace = this.#framing === Framing.CHUNKED || this.#framing === Framing.UNTIL_CLOSE;
    if (fields.length > 0 && !hasPlace) {
      throw new TypeError("Cannot send trailers: the body is not chunked");
    }
    for (const [name, value] of fields) checkTrailer(name, value);
    this.#isEnded = true;
    if (this.#isSilent || this.#framing !== Framing.CHUNKED) return;
    out.writeText("0\r\n");
    for (const [name, value] of fields) out.writeField(name, value);
    out.writeText("\r\n");
  }
}

function fieldsOf(trailers: HeaderInit): readonly (readonly [string, string])[] {
  return Symbol.iterator in trailers
    ? [...trailers as Iterable<readonly [string, string]>]
    : Object.entries(trailers);
}

function checkTrailer(name: string, value: string): void {
  checkFieldName(name);
  checkFieldValue(value);
  if (!mayBeTrailer(name)) {
    throw new TypeError(`Cannot send trailer ${JSON.stringify(name)}: it may not stand there`);
  }
}

function misuse(reason: string, event: string): HttpStateError {
  return new HttpStateError("ERR_HTTP_ILLEGAL_EVENT", `Cannot send ${event}: ${reason}`, {
    state: "done",
    event,
  });
}

function mismatch(expected: number, actual: number): HttpStateError {
  return new HttpStateError(
    "ERR_HTTP_BODY_LENGTH_MISMATCH",
    `Cannot send body: ${actual} bytes came where Content-Length says ${expected}`,
    { state: "body", event: actual > expected ? "data" : "end" },
  );
}
