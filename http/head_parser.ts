// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { decodeLatin1 } from "./ascii.ts";
import { TARGET_PATH, TARGET_QUERY, TOKEN } from "./char_class.ts";
import { ControlFields, Expectation } from "./control_fields.ts";
import { HttpProtocolError } from "./errors.ts";
import { FieldParser } from "./field_parser.ts";
import { HeaderList } from "./header_list.ts";
import type { HttpLenience, ResolvedHttpLimits } from "./limits.ts";
import { checkTargetAndHost } from "./request_target.ts";

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const QUESTION_MARK = 0x3f;
const TLS_HANDSHAKE = 0x16;
/** "HTTP/1.1". */
const VERSION_LENGTH = 8;
/** Longer than every method in use; a longer one is noise. */
const MAX_METHOD_BYTES = 64;

/** What ends a request line of HTTP/1.1: " HTTP/1.1" and CRLF. */
const PLAIN_END = Uint8Array.of(0x20, 0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e, 0x31, 0x0d, 0x0a);

const State = {
  START: 0,
  /** After the CR of an empty line in front of a request line. */
  EMPTY_LINE_LF: 1,
  METHOD: 2,
  TARGET: 3,
  VERSION: 4,
  STATUS: 5,
  REASON: 6,
  LINE_LF: 7,
  FIELDS: 8,
  DONE: 9,
} as const;
type State = typeof State[keyof typeof State];

/** The side a message comes from: what a head parser is for. */
export type MessageKind = "request" | "response";

/**
 * Parser of message heads (RFC 9112 sections 3 to 5), strict and incremental.
 *
 * It works on a buffer that keeps the head from its first byte until it is
 * complete, remembers how far it has looked, and decodes nothing: what it found
 * stays as offsets, valid until the next head.
 */
export class HeadParser {
  /** Method of a request, as sent. */
  method = "";
  /** Status code of a response. */
  status = 0;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  minorVersion = 1;
  /** Bytes of the whole head; valid once complete. */
  length = 0;
  /** What the fields say about framing and connection; valid once complete. */
  readonly control: ControlFields;

  readonly #kind: MessageKind;
  readonly #lenience: HttpLenience;
  readonly #limits: ResolvedHttpLimits;
  readonly #fields: FieldParser;
  readonly #pathBytes: Uint8Array;
  readonly #queryBytes: Uint8Array;
  #state: State = State.START;
  /** All offsets are relative to the first byte of the head. */
  #position = 0;
  #lineStart = 0;
  /** The request target, or the reason phrase. */
  #textStart = 0;
  #textEnd = 0;
  #partStart = 0;
  #isQuery = false;
  #fieldsStart = 0;

  /**
   * @param kind Whether requests or responses are parsed.
   * @param limits Bounds of the head.
   * @param lenience Rules to relax.
   */
  constructor(kind: MessageKind, limits: ResolvedHttpLimits, lenience: HttpLenience) {
    this.#kind = kind;
    this.#lenience = lenience;
    this.#limits = limits;
    this.control = new ControlFields(lenience);
    const allowNonAscii = lenience.allowNonAsciiTarget === true;
    this.#pathBytes = allowNonAscii ? TARGET_PATH.map(orNonAscii) : TARGET_PATH;
    this.#queryBytes = allowNonAscii ? TARGET_QUERY.map(orNonAscii) : TARGET_QUERY;
    this.#fields = new FieldParser({
      maxBytes: limits.maxHeaderBytes,
      maxCount: limits.maxHeaderCount,
      bytesOption: "maxHeaderBytes",
      countOption: "maxHeaderCount",
    }, lenience);
  }

  /**
   * Whether something of a head has been seen; false between messages, also
   * behind an empty line, which some clients send after a body.
   */
  get isStarted(): boolean {
    return this.#position > this.#lineStart;
  }

  /** Gets ready for the next head. */
  reset(): void {
    this.method = "";
    this.#state = State.START;
    this.#position = 0;
    this.#lineStart = 0;
    this.#fields.reset();
  }

  /**
   * Goes on with the head that starts at `start`. After the head is complete,
   * call {@linkcode HeadParser.reset} before the next one.
   *
   * @param bytes Buffer that holds the head from its first byte.
   * @param start Offset of that first byte.
   * @param end Offset behind the last byte that has come.
   * @returns Whether the head is complete.
   * @throws {HttpProtocolError} If the head breaks a rule.
   * @throws {LimitExceededError} If the head passes a limit.
   */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#state !== State.FIELDS) {
      const isWhole = this.#position === 0 && this.#takePlainLine(bytes, start, end);
      if (!isWhole && !this.#parseStartLine(bytes, start, end)) return false;
    }
    const base = start + this.#fieldsStart;
    if (!this.#fields.parse(bytes, base, end)) {
      this.#position = end - start;
      return false;
    }
    this.#state = State.DONE;
    this.length = this.#fieldsStart + this.#fields.length;
    this.#position = this.length;
    this.control.read(bytes, base, this.#fields);
    if (this.#kind === "request") {
      if (this.control.expectation === Expectation.UNKNOWN && this.minorVersion === 1) {
        throw expectationFailed();
      }
      checkTargetAndHost(
        bytes,
        start + this.#textStart,
        start + this.#textEnd,
        this.method,
        this.minorVersion === 0,
        this.control,
        this.#lenience,
      );
    }
    return true;
  }

  /** Decodes the request target of the head at `start`. */
  target(bytes: Uint8Array, start: number): string {
    return decodeLatin1(bytes, start + this.#textStart, start + this.#textEnd);
  }

  /** Decodes the reason phrase of the head at `start`. */
  reason(bytes: Uint8Array, start: number): string {
    return decodeLatin1(bytes, start + this.#textStart, start + this.#textEnd);
  }

  /** Whether the reason phrase of the head at `start` is a text, which has only ASCII. */
  hasReason(bytes: Uint8Array, start: number, text: string): boolean {
    if (this.#textEnd - this.#textStart !== text.length) return false;
    const first = start + this.#textStart;
    for (let index = 0; index < text.length; index++) {
      if (bytes[first + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }

  /** The fields of the head at `start`, with bytes of their own. */
  headers(bytes: Uint8Array, start: number): HeaderList {
    return HeaderList.fromFields(bytes, start + this.#fieldsStart, this.#fields);
  }

  /**
   * Takes a request line that is whole, of HTTP/1.1 and without fault: nearly
   * every one, in half the time that it takes state by state.
   *
   * @returns Whether it was one; if not, nothing has changed.
   */
  #takePlainLine(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#kind !== "request") return false;
    const stop = this.#stopOf(start, end);
    let at = start;
    while (at < stop && TOKEN[bytes[at]!] === 1) at++;
    const methodEnd = at;
    if (at === start || at === stop || at - start > MAX_METHOD_BYTES || bytes[at] !== SP) {
      return false;
    }
    this.#isQuery = false;
    at = this.#scanTarget(bytes, methodEnd + 1, stop);
    if (at === methodEnd + 1 || at + PLAIN_END.length > stop) return false;
    for (let index = 0; index < PLAIN_END.length; index++) {
      if (bytes[at + index] !== PLAIN_END[index]) return false;
    }
    this.method = methodName(bytes, start, methodEnd);
    this.#textStart = methodEnd + 1 - start;
    this.#textEnd = at - start;
    this.minorVersion = 1;
    this.#fieldsStart = at + PLAIN_END.length - start;
    this.#state = State.FIELDS;
    return true;
  }

  /**
   * One loop over the line, like that of {@linkcode FieldParser.parse}: it is on
   * the path of every request.
   */
  #parseStartLine(bytes: Uint8Array, start: number, end: number): boolean {
    let position = start + this.#position;
    let state = this.#state;
    let stop = this.#stopOf(start, end);
    while (position < stop) {
      const byte = bytes[position]!;
      switch (state) {
        case State.METHOD:
          while (position < stop && TOKEN[bytes[position]!] === 1) position++;
          if (position - start - this.#lineStart > MAX_METHOD_BYTES) throw badMethod();
          if (position === stop) continue;
          if (bytes[position] !== SP || position - start === this.#lineStart) {
            throw badRequestLine(bytes[position]!, "method");
          }
          this.method = methodName(bytes, start + this.#lineStart, position);
          this.#textStart = position + 1 - start;
          this.#isQuery = false;
          state = State.TARGET;
          break;
        case State.TARGET:
          position = this.#scanTarget(bytes, position, stop);
          if (position === stop) continue;
          this.#endTarget(bytes[position]!, position - start);
          state = State.VERSION;
          break;
        case State.VERSION:
          while (position < stop && bytes[position]! > SP) position++;
          if (position - start - this.#partStart > VERSION_LENGTH) throw badVersion();
          if (position === stop) continue;
          state = this.#endVersion(bytes, start, position);
          break;
        case State.STATUS:
          if (position - start - this.#partStart === 3) {
            state = this.#endStatus(byte, position - start);
            break;
          }
          if (byte < 0x30 || byte > 0x39) throw badStatusLine("status is not three digits");
          this.status = this.status * 10 + byte - 0x30;
          break;
        case State.REASON:
          while (position < stop && isReasonByte(bytes[position]!)) position++;
          if (position === stop) continue;
          this.#textEnd = position - start;
          state = this.#endLine(bytes[position]!, position - start);
          break;
        case State.LINE_LF:
          if (byte !== LF) throw bareCr();
          this.#fieldsStart = position + 1 - start;
          state = State.FIELDS;
          break;
        case State.START:
          state = this.#begin(byte, position - start);
          if (state === State.METHOD || state === State.VERSION) continue;
          stop = this.#stopOf(start, end);
          break;
        case State.EMPTY_LINE_LF:
          if (byte !== LF) throw bareCr();
          this.#skipEmptyLine(position - start);
          stop = this.#stopOf(start, end);
          state = State.START;
          break;
      }
      position++;
      if (state === State.FIELDS) {
        this.#state = state;
        this.#position = position - start;
        return true;
      }
    }
    if (stop < end || position - start >= this.#cap()) throw this.#lineTooLong(state);
    this.#position = position - start;
    this.#state = state;
    return false;
  }

  /** Where the start line must have ended, CR and LF included. */
  #cap(): number {
    return this.#lineStart + this.#limits.maxRequestLineBytes + 2;
  }

  #stopOf(start: number, end: number): number {
    const cap = this.#cap();
    return end - start > cap ? start + cap : end;
  }

  #begin(byte: number, position: number): State {
    if (this.#kind === "response") {
      this.#partStart = position;
      return State.VERSION;
    }
    // RFC 9112 section 2.2: one empty line in front of a request line.
    if (byte === CR && position === 0) return State.EMPTY_LINE_LF;
    if (byte === LF && position === 0 && this.#lenience.allowBareLf) {
      this.#skipEmptyLine(position);
      return State.START;
    }
    if (byte === TLS_HANDSHAKE) {
      throw new HttpProtocolError(
        "ERR_HTTP_TLS_CLIENT_HELLO",
        "Cannot parse request line: the peer speaks TLS on a port without",
      );
    }
    return State.METHOD;
  }

  #skipEmptyLine(position: number): void {
    this.#lineStart = position + 1;
  }

  #scanTarget(bytes: Uint8Array, start: number, stop: number): number {
    let position = start;
    let table = this.#isQuery ? this.#queryBytes : this.#pathBytes;
    while (position < stop) {
      const byte = bytes[position]!;
      if (table[byte] !== 1) break;
      if (byte === QUESTION_MARK && !this.#isQuery) {
        this.#isQuery = true;
        table = this.#queryBytes;
      }
      position++;
    }
    return position;
  }

  #endTarget(byte: number, position: number): void {
    if (byte !== SP) {
      if (byte === CR || byte === LF) throw badRequestLine(byte, "target");
      throw new HttpProtocolError(
        "ERR_HTTP_BAD_TARGET",
        `Cannot parse request target: unexpected byte 0x${byte.toString(16)}`,
      );
    }
    if (position === this.#textStart) throw badRequestLine(byte, "target");
    this.#textEnd = position;
    this.#partStart = position + 1;
  }

  #endVersion(bytes: Uint8Array, start: number, position: number): State {
    const first = start + this.#partStart;
    const major = bytes[first + 5]! - 0x30;
    const minor = bytes[first + 7]! - 0x30;
    if (
      position - first !== VERSION_LENGTH || !isHttpName(bytes, first) ||
      bytes[first + 6] !== 0x2e ||
      major < 0 || major > 9 || minor < 0 || minor > 9
    ) {
      throw badVersion();
    }
    if (this.#kind === "request" && this.method === "PRI" && major === 2) throw http2Preface();
    if (major !== 1 || minor > 1) throw unsupportedVersion(major, minor);
    this.minorVersion = minor;
    if (this.#kind === "request") return this.#endLine(bytes[position]!, position - start);
    if (bytes[position] !== SP) throw badStatusLine("status is missing");
    this.#partStart = position + 1 - start;
    this.status = 0;
    return State.STATUS;
  }

  /** Many servers leave out the space in front of an empty reason phrase. */
  #endStatus(byte: number, position: number): State {
    if (this.status < 100) throw badStatusLine("status is below 100");
    this.#textStart = position + 1;
    this.#textEnd = position + 1;
    if (byte === SP) return State.REASON;
    this.#textStart = this.#textEnd = position;
    return this.#endLine(byte, position);
  }

  #endLine(byte: number, position: number): State {
    if (byte === CR) return State.LINE_LF;
    if (byte === LF) {
      if (!this.#lenience.allowBareLf) throw bareLf();
      this.#fieldsStart = position + 1;
      return State.FIELDS;
    }
    if (this.#kind === "request") throw badVersion();
    throw badStatusLine(`unexpected byte 0x${byte.toString(16)}`);
  }

  #lineTooLong(state: State): HttpProtocolError | LimitExceededError {
    const max = this.#limits.maxRequestLineBytes;
    return new LimitExceededError(`Cannot parse start line: it exceeds ${max} bytes`, {
      limit: "maxRequestLineBytes",
      max,
      statusHint: state === State.METHOD ? 400 : 414,
    });
  }
}

function orNonAscii(entry: number, byte: number): number {
  return byte >= 0x80 ? 1 : entry;
}

/** The names in use, so that no string is made for them. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

function methodName(bytes: Uint8Array, start: number, end: number): string {
  for (const name of METHODS) {
    if (name.length !== end - start || bytes[start] !== name.charCodeAt(0)) continue;
    let offset = 1;
    while (offset < name.length && bytes[start + offset] === name.charCodeAt(offset)) offset++;
    if (offset === name.length) return name;
  }
  return decodeLatin1(bytes, start, end);
}

/** Whether "HTTP/" stands at `start`; the name is case-sensitive. */
function isHttpName(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 0x48 && bytes[start + 1] === 0x54 && bytes[start + 2] === 0x54 &&
    bytes[start + 3] === 0x50 && bytes[start + 4] === 0x2f;
}

/** `HTAB / SP / VCHAR / obs-text` of RFC 9112 section 4. */
function isReasonByte(byte: number): boolean {
  return byte === 0x09 || (byte >= SP && byte !== 0x7f);
}

function badMethod(): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_METHOD",
    `Cannot parse request line: method exceeds ${MAX_METHOD_BYTES} bytes`,
  );
}

function badRequestLine(byte: number, part: string): HttpProtocolError {
  if (byte === LF) return bareLf();
  return new HttpProtocolError(
    "ERR_HTTP_BAD_REQUEST_LINE",
    `Cannot parse request line: unexpected byte 0x${byte.toString(16)} in ${part}`,
  );
}

function badStatusLine(reason: string): HttpProtocolError {
  return new HttpProtocolError("ERR_HTTP_BAD_STATUS_LINE", `Cannot parse status line: ${reason}`);
}

function badVersion(): HttpProtocolError {
  return new HttpProtocolError("ERR_HTTP_BAD_VERSION", "Cannot parse start line: bad HTTP version");
}

function unsupportedVersion(major: number, minor: number): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_UNSUPPORTED_VERSION",
    `Cannot accept message: HTTP/${major}.${minor} is neither HTTP/1.0 nor HTTP/1.1`,
    { statusHint: 505 },
  );
}

function http2Preface(): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_HTTP2_PREFACE",
    "Cannot accept connection: the peer speaks HTTP/2",
    { statusHint: 505 },
  );
}

/** RFC 9110 section 10.1.1; HTTP/1.0 has no expectations. */
function expectationFailed(): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_EXPECTATION_FAILED",
    "Cannot accept request: Expect asks for more than 100-continue",
    { statusHint: 417 },
  );
}

function bareCr(): HttpProtocolError {
  return new HttpProtocolError("ERR_HTTP_BARE_CR", "Cannot parse head: CR is not followed by LF");
}

function bareLf(): HttpProtocolError {
  return new HttpProtocolError("ERR_HTTP_BARE_LF", "Cannot parse head: line ends without CR");
}
