// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { isBlank } from "./ascii.ts";
import { HttpProtocolError, HttpStateError } from "./errors.ts";
import { FieldParser } from "./field_parser.ts";
import { HeaderList } from "./header_list.ts";
import { isMultipartBoundary, MultipartDelimiter } from "./multipart_delimiter.ts";
import { type MultipartLimits, resolveMultipartLimits } from "./multipart_limits.ts";
import { type MultipartPartHead, readPartHead } from "./multipart_part_head.ts";

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
/** What is copied of the input at a time while a head is not complete. */
const HEAD_PIECE_BYTES = 512;
/** RFC 2046 section 5.1.1: blanks that a mail transport has put behind a boundary. */
const MAX_PADDING_BYTES = 64;
/** CRLF in front of a delimiter at the start of a body or of content. */
const VIRTUAL_COUNT = 2;
const NOTHING = new Uint8Array(0);

const State = {
  /** In front of the first delimiter. */
  PREAMBLE: 0,
  /** In the content of a part. */
  DATA: 1,
  /** In the blanks behind a boundary. */
  PADDING: 2,
  /** Behind them and a CR. */
  PADDING_LF: 3,
  HEAD: 4,
  /** Behind the last delimiter, before that was told. */
  CLOSED: 5,
  EPILOGUE: 6,
} as const;
type State = typeof State[keyof typeof State];

const Verdict = {
  /** The input ends before it is clear what this is. */
  OPEN: 0,
  DELIMITER: 1,
  /** It began like a delimiter. */
  DATA: 2,
} as const;
type Verdict = typeof Verdict[keyof typeof Verdict];

/** The head of a part. Its content follows, up to {@linkcode MultipartPartEndEvent}. */
export interface MultipartPartEvent {
  /** Discriminates the union. */
  readonly type: "part";
  /** What the head says. */
  readonly head: MultipartPartHead;
}

/** A piece of the content of a part. */
export interface MultipartDataEvent {
  /** Discriminates the union. */
  readonly type: "data";
  /** At least one byte, mostly a view of the chunk that was received. */
  readonly bytes: Uint8Array;
}

/** The end of a part. */
export interface MultipartPartEndEvent {
  /** Discriminates the union. */
  readonly type: "part-end";
}

/** The delimiter behind the last part. What follows it is ignored. */
export interface MultipartEndEvent {
  /** Discriminates the union. */
  readonly type: "end";
}

/** What a {@linkcode MultipartParser} finds. */
export type MultipartEvent =
  | MultipartPartEvent
  | MultipartDataEvent
  | MultipartPartEndEvent
  | MultipartEndEvent;

/**
 * Parser of `multipart/form-data` (RFC 7578, RFC 2046 section 5.1), incremental:
 * content is given out in slices of the input as it comes, and at most the head of
 * one part is kept.
 *
 * Lines end in CRLF. A line that begins with the boundary and goes on is content.
 * Fields of a part may be folded, as those of mail. Nothing is decoded: a
 * Content-Transfer-Encoding is deprecated (RFC 7578 section 4.7) and means nothing
 * here.
 *
 * @example Two chunks, one field
 * ```ts
 * import { MultipartParser } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const parser = new MultipartParser("x");
 * const seen: string[] = [];
 * const chunks = [
 *   '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nhel',
 *   "lo\r\n--x--\r\n",
 * ];
 * for (const chunk of chunks) {
 *   parser.receive(new TextEncoder().encode(chunk));
 *   for (let event; (event = parser.nextEvent()) !== undefined;) {
 *     if (event.type === "part") seen.push(event.head.name);
 *     else if (event.type === "data") seen.push(new TextDecoder().decode(event.bytes));
 *     else seen.push(event.type);
 *   }
 * }
 * parser.receiveEnd();
 * assertEquals(parser.nextEvent(), undefined);
 * assertEquals(seen, ["a", "hel", "lo", "part-end", "end"]);
 * ```
 */
export class MultipartParser {
  readonly #delimiter: MultipartDelimiter;
  readonly #limits: Required<MultipartLimits>;
  readonly #fields: FieldParser;
  #state: State = State.PREAMBLE;
  #input: Uint8Array = NOTHING;
  #position = 0;
  /**
   * Bytes of a delimiter that what was read ends with; one more than it has where
   * `#lineEnd` follows it.
   */
  #matchedCount = VIRTUAL_COUNT;
  /** Of these, bytes that nobody sent. */
  #virtualCount = VIRTUAL_COUNT;
  /** The byte behind a whole delimiter. */
  #lineEnd = 0;
  #isPartOpen = false;
  #partCount = 0;
  #partBytes = 0;
  #paddingBytes = 0;
  #ignoredBytes = 0;
  #head: Uint8Array = NOTHING;
  #headLength = 0;
  #isEnded = false;
  #error: unknown = undefined;

  /**
   * Makes a parser for one body.
   *
   * @param boundary The `boundary` parameter of its Content-Type.
   * @param limits Bounds on what it may hold.
   * @throws {TypeError} If that can be no boundary: see
   * {@linkcode isMultipartBoundary}.
   * @throws {RangeError} If a limit is out of its range.
   */
  constructor(boundary: string, limits: MultipartLimits = {}) {
    if (!isMultipartBoundary(boundary)) {
      throw new TypeError(
        `Cannot parse multipart: ${JSON.stringify(boundary.slice(0, 32))} is no boundary`,
      );
    }
    this.#delimiter = new MultipartDelimiter(boundary);
    this.#limits = resolveMultipartLimits(limits);
    this.#fields = new FieldParser({
      maxBytes: this.#limits.maxPartHeaderBytes,
      maxCount: this.#limits.maxPartHeaderCount,
      bytesOption: "maxPartHeaderBytes",
      countOption: "maxPartHeaderCount",
    }, { allowObsFold: true });
  }

  /** Whether the delimiter behind the last part has been seen. */
  get isClosed(): boolean {
    return this.#state === State.CLOSED || this.#state === State.EPILOGUE;
  }

  /**
   * Takes the next bytes of the body.
   *
   * @param chunk Bytes; they must not change before `nextEvent()` has given
   * `undefined`, and events are views of them.
   * @throws {HttpStateError} If there are events to pull first, or the end has been
   * received.
   */
  receive(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#error !== undefined) return;
    if (this.#isEnded) throw illegalReceive("ended", "the end has been received");
    if (this.#position < this.#input.length) {
      throw illegalReceive("unread", "there are events to pull first");
    }
    this.#input = chunk;
    this.#position = 0;
  }

  /** Says that the body ends here. */
  receiveEnd(): void {
    this.#isEnded = true;
  }

  /**
   * Gives the next event.
   *
   * @returns The event; `undefined` where more input is needed, or none is expected.
   * @throws {HttpProtocolError} If the body is malformed or has ended too early.
   * @throws {LimitExceededError} If it passes a limit. Either is thrown again by
   * every later call.
   */
  nextEvent(): MultipartEvent | undefined {
    if (this.#error !== undefined) throw this.#error;
    try {
      return this.#next();
    } catch (error) {
      this.#error = error;
      this.#input = NOTHING;
      this.#position = 0;
      throw error;
    }
  }

  #next(): MultipartEvent | undefined {
    for (;;) {
      if (this.#isPartOpen && this.#state !== State.DATA) {
        this.#isPartOpen = false;
        return { type: "part-end" };
      }
      if (this.#state === State.CLOSED) {
        this.#state = State.EPILOGUE;
        this.#ignoredBytes = 0;
        return { type: "end" };
      }
      if (this.#position === this.#input.length) return this.#atInputEnd();
      const event = this.#step();
      if (event !== undefined) return event;
    }
  }

  #atInputEnd(): undefined {
    this.#input = NOTHING;
    this.#position = 0;
    if (!this.#isEnded || this.#state === State.EPILOGUE) return undefined;
    throw new HttpProtocolError(
      "ERR_HTTP_TRUNCATED_MULTIPART",
      "Cannot parse multipart: the body ends before its last boundary",
    );
  }

  #step(): MultipartEvent | undefined {
    switch (this.#state) {
      case State.PREAMBLE:
      case State.DATA:
        return this.#matchedCount > 0 ? this.#goOnMatching() : this.#search();
      case State.HEAD:
        return this.#readHead();
      case State.EPILOGUE:
        this.#ignore(this.#input.length - this.#position);
        this.#position = this.#input.length;
        return undefined;
      default:
        return this.#skipPadding();
    }
  }

  /** Content up to the next delimiter, or to the end of the input. */
  #search(): MultipartDataEvent | undefined {
    const input = this.#input;
    const start = this.#position;
    let at = start;
    for (;;) {
      at = this.#delimiter.find(input, at, input.length);
      this.#position = at;
      if (at === input.length || this.#match() !== Verdict.DATA) break;
      this.#matchedCount = 0;
      at = this.#position;
    }
    return this.#take(input.subarray(start, at));
  }

  /** A delimiter may have begun in an earlier chunk. */
  #goOnMatching(): MultipartDataEvent | undefined {
    if (this.#match() !== Verdict.DATA) return undefined;
    // A copy: the delimiter is not to be changed by whoever gets these bytes.
    const held = [...this.#delimiter.bytes.subarray(this.#virtualCount, this.#matchedCount)];
    if (this.#matchedCount > this.#delimiter.bytes.length) held.push(this.#lineEnd);
    this.#matchedCount = this.#virtualCount = 0;
    return this.#take(Uint8Array.from(held));
  }

  /** Compares input with the rest of a delimiter, and with what has to follow it. */
  #match(): Verdict {
    const input = this.#input;
    const { length } = this.#delimiter.bytes;
    if (this.#matchedCount < length) {
      const from = this.#matchedCount;
      this.#matchedCount = this.#delimiter.match(input, this.#position, input.length, from);
      this.#position += this.#matchedCount - from;
    }
    if (this.#position === input.length) return Verdict.OPEN;
    if (this.#matchedCount < length) return Verdict.DATA;
    if (this.#matchedCount === length) {
      this.#lineEnd = input[this.#position]!;
      if (isBlank(this.#lineEnd)) return this.#endContent(State.PADDING);
      if (this.#lineEnd !== CR && this.#lineEnd !== DASH) return Verdict.DATA;
      this.#matchedCount++;
      if (++this.#position === input.length) return Verdict.OPEN;
    }
    if (input[this.#position] !== (this.#lineEnd === CR ? LF : DASH)) return Verdict.DATA;
    this.#position++;
    return this.#endContent(this.#lineEnd === CR ? State.HEAD : State.CLOSED);
  }

  #endContent(state: State): Verdict {
    this.#matchedCount = this.#virtualCount = 0;
    this.#state = state;
    return Verdict.DELIMITER;
  }

  /** Content, or what stands in front of the first part. */
  #take(bytes: Uint8Array): MultipartDataEvent | undefined {
    if (!this.#isPartOpen) return this.#ignore(bytes.length);
    if (bytes.length === 0) return undefined;
    const { maxPartBytes } = this.#limits;
    const room = maxPartBytes - this.#partBytes;
    this.#partBytes += bytes.length;
    if (bytes.length <= room) return { type: "data", bytes };
    const error = tooMuch("maxPartBytes", maxPartBytes, `its part exceeds ${maxPartBytes} bytes`);
    if (room === 0) throw error;
    // The next call throws, however the input was cut.
    this.#error = error;
    return { type: "data", bytes: bytes.subarray(0, room) };
  }

  #ignore(count: number): undefined {
    this.#ignoredBytes += count;
    const { maxPreambleBytes } = this.#limits;
    if (this.#ignoredBytes <= maxPreambleBytes) return undefined;
    throw tooMuch(
      "maxPreambleBytes",
      maxPreambleBytes,
      `more than ${maxPreambleBytes} bytes stand outside of its parts`,
    );
  }

  #skipPadding(): undefined {
    const byte = this.#input[this.#position++]!;
    if (this.#state === State.PADDING_LF && byte === LF) {
      this.#state = State.HEAD;
    } else if (this.#state === State.PADDING && byte === CR) {
      this.#state = State.PADDING_LF;
    } else if (
      this.#state !== State.PADDING || !isBlank(byte) || ++this.#paddingBytes > MAX_PADDING_BYTES
    ) {
      throw new HttpProtocolError(
        "ERR_HTTP_BAD_MULTIPART",
        "Cannot parse multipart: a boundary is not followed by the end of its line",
      );
    }
    return undefined;
  }

  #readHead(): MultipartPartEvent | undefined {
    if (this.#headLength === 0) this.#countPart();
    while (this.#position < this.#input.length) {
      const piece = this.#input.subarray(this.#position, this.#position + HEAD_PIECE_BYTES);
      this.#appendToHead(piece);
      this.#position += piece.length;
      if (this.#parseFields()) return this.#beginPart();
    }
    return undefined;
  }

  #countPart(): void {
    const { maxParts } = this.#limits;
    if (this.#partCount === maxParts) {
      throw tooMuch("maxParts", maxParts, `it has more than ${maxParts} parts`);
    }
    this.#partCount++;
  }

  /** A copy, because field lines are looked at whole, and folds change it. */
  #appendToHead(piece: Uint8Array): void {
    const wanted = this.#headLength + piece.length;
    if (wanted > this.#head.length) {
      const grown = new Uint8Array(Math.max(wanted, this.#head.length * 2));
      grown.set(this.#head.subarray(0, this.#headLength));
      this.#head = grown;
    }
    this.#head.set(piece, this.#headLength);
    this.#headLength = wanted;
  }

  #parseFields(): boolean {
    try {
      return this.#fields.parse(this.#head, 0, this.#headLength);
    } catch (error) {
      if (!(error instanceof LimitExceededError)) throw error;
      // 431 is about the head of the request.
      throw tooMuch(error.limit, error.max, `the head of a part exceeds ${error.limit}`);
    }
  }

  #beginPart(): MultipartPartEvent {
    const fields = this.#fields;
    this.#position -= this.#headLength - fields.length;
    const headers = HeaderList.fromFields(this.#head, 0, fields);
    fields.reset();
    this.#headLength = 0;
    this.#state = State.DATA;
    this.#isPartOpen = true;
    this.#partBytes = 0;
    this.#paddingBytes = 0;
    // The empty line can be the start of a delimiter: RFC 2046 section 5.1.1 lets a
    // part have no content at all.
    this.#matchedCount = this.#virtualCount = VIRTUAL_COUNT;
    return { type: "part", head: readPartHead(headers) };
  }
}

function illegalReceive(state: string, reason: string): HttpStateError {
  return new HttpStateError("ERR_HTTP_ILLEGAL_EVENT", `Cannot receive: ${reason}`, {
    state,
    event: "receive",
  });
}

function tooMuch(limit: string, max: number, reason: string): LimitExceededError {
  return new LimitExceededError(`Cannot parse multipart: ${reason}`, {
    limit,
    max,
    statusHint: 413,
  });
}
