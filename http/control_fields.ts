// This module is sans-I/O.

import { equalsIgnoreCase, isBlank } from "./ascii.ts";
import { TOKEN } from "./char_class.ts";
import { HttpProtocolError } from "./errors.ts";
import { type FieldParser, OFFSETS_PER_FIELD } from "./field_parser.ts";
import type { HttpLenience } from "./limits.ts";

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const ZERO = 0x30;

/** What the Transfer-Encoding fields of a message amount to. */
export const TransferCoding = {
  /** No such field. */
  ABSENT: 0,
  /** Exactly `chunked`. */
  CHUNKED: 1,
  /** Well formed, but with codings other than `chunked`. */
  UNKNOWN: 2,
} as const;
/** One of the values of {@linkcode TransferCoding}. */
export type TransferCoding = typeof TransferCoding[keyof typeof TransferCoding];

/** What the Expect field of a request asks for. */
export const Expectation = {
  NONE: 0,
  CONTINUE: 1,
  UNKNOWN: 2,
} as const;
/** One of the values of {@linkcode Expectation}. */
export type Expectation = typeof Expectation[keyof typeof Expectation];

/**
 * The fields that decide how a message is framed and what becomes of its
 * connection: Host, Content-Length, Transfer-Encoding, Connection, Upgrade and
 * Expect. One object is used again for message after message.
 */
export class ControlFields {
  /** Value of Content-Length; -1 without one. */
  contentLength = -1;
  transferCoding: TransferCoding = TransferCoding.ABSENT;
  /** Whether Connection lists `close`. */
  hasClose = false;
  /** Whether Connection lists `keep-alive`. */
  hasKeepAlive = false;
  /** Whether Connection lists `upgrade`. */
  hasConnectionUpgrade = false;
  /** Whether there is an Upgrade field with something in it. */
  hasUpgrade = false;
  expectation: Expectation = Expectation.NONE;
  /** Number of Host fields. */
  hostCount = 0;
  /** Where the value of the last Host field starts in the buffer. */
  hostStart = 0;
  /** Where the value of the last Host field ends in the buffer. */
  hostEnd = 0;

  readonly #allowRepeatedContentLength: boolean;
  #sawChunked = false;

  /** @param lenience Rules to relax. */
  constructor(lenience: HttpLenience) {
    this.#allowRepeatedContentLength = lenience.allowRepeatedContentLength ?? false;
  }

  /**
   * Reads the fields of one message.
   *
   * @param bytes Buffer with the header section.
   * @param base Offset of the section in the buffer.
   * @param fields The parser that has just completed it.
   * @throws {HttpProtocolError} If a framing field is malformed.
   */
  read(bytes: Uint8Array, base: number, fields: FieldParser): void {
    this.#reset();
    const { offsets, count } = fields;
    const last = count * OFFSETS_PER_FIELD;
    for (let at = 0; at < last; at += OFFSETS_PER_FIELD) {
      const name = base + offsets[at]!;
      const nameEnd = base + offsets[at + 1]!;
      const start = base + offsets[at + 2]!;
      const end = base + offsets[at + 3]!;
      // The length alone tells most fields from all of ours.
      switch (nameEnd - name) {
        case 4:
          if (equalsIgnoreCase(bytes, name, nameEnd, "host")) this.#readHost(start, end);
          break;
        case 6:
          if (equalsIgnoreCase(bytes, name, nameEnd, "expect")) {
            this.#readExpect(bytes, start, end);
          }
          break;
        case 7:
          if (equalsIgnoreCase(bytes, name, nameEnd, "upgrade")) this.hasUpgrade ||= end > start;
          break;
        case 10:
          if (equalsIgnoreCase(bytes, name, nameEnd, "connection")) {
            this.#readConnection(bytes, start, end);
          }
          break;
        case 14:
          if (equalsIgnoreCase(bytes, name, nameEnd, "content-length")) {
            this.#readContentLength(bytes, start, end);
          }
          break;
        case 17:
          if (equalsIgnoreCase(bytes, name, nameEnd, "transfer-encoding")) {
            this.#readTransferEncoding(bytes, start, end);
          }
      }
    }
  }

  #reset(): void {
    this.contentLength = -1;
    this.transferCoding = TransferCoding.ABSENT;
    this.hasClose = false;
    this.hasKeepAlive = false;
    this.hasConnectionUpgrade = false;
    this.hasUpgrade = false;
    this.expectation = Expectation.NONE;
    this.hostCount = 0;
    this.#sawChunked = false;
  }

  #readHost(start: number, end: number): void {
    this.hostCount++;
    this.hostStart = start;
    this.hostEnd = end;
  }

  /** RFC 9110 section 10.1.1: only one expectation is known. */
  #readExpect(bytes: Uint8Array, start: number, end: number): void {
    const isContinue = equalsIgnoreCase(bytes, start, end, "100-continue");
    const isRepeated = this.expectation === Expectation.UNKNOWN;
    this.expectation = isContinue && !isRepeated ? Expectation.CONTINUE : Expectation.UNKNOWN;
  }

  /** RFC 9110 section 7.6.1: a list of tokens; only three concern us. */
  #readConnection(bytes: Uint8Array, start: number, end: number): void {
    for (let from = start; from <= end;) {
      const comma = indexOfComma(bytes, from, end);
      const first = skipBlanks(bytes, from, comma);
      const last = trimBlanks(bytes, first, comma);
      if (equalsIgnoreCase(bytes, first, last, "keep-alive")) this.hasKeepAlive = true;
      else if (equalsIgnoreCase(bytes, first, last, "close")) this.hasClose = true;
      else if (equalsIgnoreCase(bytes, first, last, "upgrade")) this.hasConnectionUpgrade = true;
      from = comma + 1;
    }
  }

  /**
   * RFC 9110 section 8.6. A leading zero is refused although the grammar has
   * it: no client sends one, and readers that take it for octal exist.
   */
  #readContentLength(bytes: Uint8Array, start: number, end: number): void {
    let length = end > start && (end - start === 1 || bytes[start] !== ZERO) ? 0 : -1;
    for (let at = start; at < end && length >= 0; at++) {
      const digit = bytes[at]! - ZERO;
      length = digit >= 0 && digit <= 9 ? length * 10 + digit : -1;
      if (length > Number.MAX_SAFE_INTEGER) length = -1;
    }
    if (length < 0) {
      throw badContentLength("it is not one decimal number below 2^53 without leading zeros");
    }
    // RFC 9112 section 6.3, rule 5.
    const isSame = this.#allowRepeatedContentLength && this.contentLength === length;
    if (this.contentLength >= 0 && !isSame) throw badContentLength("it comes more than once");
    this.contentLength = length;
  }

  /** RFC 9112 section 6.1: one list over all lines, in which `chunked` is last. */
  #readTransferEncoding(bytes: Uint8Array, start: number, end: number): void {
    for (let from = start; from <= end;) {
      const comma = indexOfComma(bytes, from, end);
      const first = skipBlanks(bytes, from, comma);
      this.#readCoding(bytes, first, trimBlanks(bytes, first, comma));
      from = comma + 1;
    }
  }

  #readCoding(bytes: Uint8Array, start: number, end: number): void {
    let nameEnd = start;
    while (nameEnd < end && TOKEN[bytes[nameEnd]!] === 1) nameEnd++;
    const isChunked = equalsIgnoreCase(bytes, start, nameEnd, "chunked");
    const isBare = nameEnd === end;
    const hasParameters = bytes[skipBlanks(bytes, nameEnd, end)] === SEMICOLON;
    if (nameEnd === start || (!isBare && (isChunked || !hasParameters))) {
      throw badTransferEncoding("a coding is malformed");
    }
    // RFC 9112 section 6.3, rule 4.
    if (this.#sawChunked) throw badTransferEncoding("chunked is not the one last coding");
    this.#sawChunked = isChunked;
    if (!isChunked) this.transferCoding = TransferCoding.UNKNOWN;
    else if (this.transferCoding === TransferCoding.ABSENT) {
      this.transferCoding = TransferCoding.CHUNKED;
    }
  }
}

function indexOfComma(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== COMMA) at++;
  return at;
}

function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at])) at++;
  return at;
}

function trimBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1])) at--;
  return at;
}

function badContentLength(reason: string): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_CONTENT_LENGTH",
    `Cannot use Content-Length: ${reason}`,
  );
}

function badTransferEncoding(reason: string): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_TRANSFER_ENCODING",
    `Cannot use Transfer-Encoding: ${reason}`,
  );
}
