// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { isBlank } from "./ascii.ts";
import { HEX_VALUE, QUOTED_TEXT, TOKEN } from "./char_class.ts";
import { HttpProtocolError } from "./errors.ts";
import { FieldParser } from "./field_parser.ts";
import { HeaderList } from "./header_list.ts";
import type { HttpLenience, ResolvedHttpLimits } from "./limits.ts";
import { mayBeTrailer } from "./trailer_rules.ts";

const CR = 0x0d;
const LF = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
/** Above it one more digit would leave the whole numbers a double can hold. */
const MAX_SIZE_BEFORE_DIGIT = 2 ** 49;

const State = {
  /** In front of the first digit of a size. */
  SIZE_START: 0,
  SIZE: 1,
  /** Blanks behind a size, where they are allowed. */
  SIZE_BLANK: 2,
  /** Behind a semicolon, in front of the name of an extension. */
  EXT_START: 3,
  EXT_NAME: 4,
  EXT_NAME_BLANK: 5,
  /** Behind an equals sign, in front of a value. */
  EXT_VALUE_START: 6,
  EXT_VALUE: 7,
  EXT_QUOTED: 8,
  EXT_ESCAPE: 9,
  EXT_END: 10,
  /** Blanks behind a value, in front of a semicolon. */
  EXT_BLANK: 11,
  SIZE_LF: 12,
  DATA: 13,
  DATA_CR: 14,
  DATA_LF: 15,
  TRAILERS: 16,
  DONE: 17,
} as const;
type State = typeof State[keyof typeof State];

/**
 * Decoder of the chunked transfer coding (RFC 9112 section 7.1), incremental
 * and strict. Chunk data is given out in slices of the input as it comes;
 * nothing is copied.
 */
export class ChunkedDecoder {
  /** Where the data found by the last step starts in its input. */
  dataStart = 0;
  /** Where that data ends; equal to the start where there was none. */
  dataEnd = 0;

  readonly #limits: ResolvedHttpLimits;
  readonly #allowBareLf: boolean;
  readonly #allowSizeWhitespace: boolean;
  readonly #trailerFields: FieldParser;
  #trailers: HeaderList | undefined;
  #state: State = State.SIZE_START;
  #size = 0;
  /** Bytes of the current size line. */
  #lineBytes = 0;
  #lineIsExtended = false;
  /** Extensions and leading zeros of all chunks so far. */
  #overheadBytes = 0;

  /**
   * @param limits Bounds on size lines and trailers.
   * @param lenience Rules to relax.
   */
  constructor(limits: ResolvedHttpLimits, lenience: HttpLenience) {
    this.#limits = limits;
    this.#allowBareLf = lenience.allowBareLf ?? false;
    this.#allowSizeWhitespace = lenience.allowChunkSizeWhitespace ?? false;
    this.#trailerFields = new FieldParser({
      maxBytes: limits.maxTrailerBytes,
      maxCount: limits.maxTrailerCount,
      bytesOption: "maxTrailerBytes",
      countOption: "maxTrailerCount",
    }, lenience);
  }

  /** Whether the last chunk and the trailer section are behind us. */
  get isDone(): boolean {
    return this.#state === State.DONE;
  }

  /** The trailer section; `undefined` before the end and where it is empty. */
  get trailers(): HeaderList | undefined {
    return this.#trailers;
  }

  /**
   * Reads on until data is found, the input is used up or the body is over.
   *
   * @param bytes Buffer with the input.
   * @param start Offset of the first byte not read yet.
   * @param end Offset behind the last byte that has come.
   * @returns Offset of the next byte to read. A trailer section is not used up
   * before it is complete: keep its bytes and call again with more behind them.
   * @throws {HttpProtocolError} If the coding is broken.
   * @throws {LimitExceededError} If a limit is passed.
   */
  step(bytes: Uint8Array, start: number, end: number): number {
    this.dataStart = this.dataEnd = start;
    let position = start;
    while (position < end && this.#state !== State.DONE) {
      if (this.#state === State.DATA) return this.#takeData(position, end);
      if (this.#state === State.TRAILERS) return this.#takeTrailers(bytes, position, end);
      this.#state = this.#next(bytes[position]!);
      position++;
    }
    return position;
  }

  #takeData(position: number, end: number): number {
    const length = Math.min(end - position, this.#size);
    this.#size -= length;
    if (this.#size === 0) this.#state = State.DATA_CR;
    this.dataStart = position;
    this.dataEnd = position + length;
    return this.dataEnd;
  }

  #takeTrailers(bytes: Uint8Array, position: number, end: number): number {
    if (!this.#trailerFields.parse(bytes, position, end)) return position;
    if (this.#trailerFields.count > 0) {
      this.#trailers = HeaderList.fromFields(bytes, position, this.#trailerFields);
      for (const name of this.#trailers.names()) {
        if (!mayBeTrailer(name)) throw badTrailer(name);
      }
    }
    this.#state = State.DONE;
    return position + this.#trailerFields.length;
  }

  /** One byte outside of chunk data. */
  #next(byte: number): State {
    switch (this.#state) {
      case State.SIZE_START:
        this.#size = 0;
        this.#lineBytes = 0;
        this.#lineIsExtended = false;
        if (HEX_VALUE[byte] === 255) throw badSize(byte);
        return this.#addDigit(byte);
      case State.SIZE:
        if (HEX_VALUE[byte] !== 255) return this.#addDigit(byte);
        return this.#afterSize(byte);
      case State.SIZE_BLANK:
        return this.#afterSize(byte);
      case State.SIZE_LF:
        if (byte !== LF) throw badSize(byte);
        return this.#endSizeLine();
      case State.DATA_CR:
        if (byte === LF && this.#allowBareLf) return State.SIZE_START;
        if (byte !== CR) throw badData(byte);
        return State.DATA_LF;
      case State.DATA_LF:
        if (byte !== LF) throw badData(byte);
        return State.SIZE_START;
      default:
        // The line end is no part of the line that is measured.
        if (byte !== CR && byte !== LF) this.#countLineByte(true);
        return this.#inExtension(byte);
    }
  }

  #addDigit(byte: number): State {
    // A leading zero carries nothing: it counts as overhead.
    this.#countLineByte(this.#size === 0 && this.#lineBytes > 0);
    if (this.#size >= MAX_SIZE_BEFORE_DIGIT) {
      throw new HttpProtocolError(
        "ERR_HTTP_BAD_CHUNK_SIZE",
        "Cannot parse chunk size: it overflows",
      );
    }
    this.#size = this.#size * 16 + HEX_VALUE[byte]!;
    return State.SIZE;
  }

  #afterSize(byte: number): State {
    if (byte === CR) return State.SIZE_LF;
    if (byte === SEMICOLON) return this.#beginExtension();
    if (byte === LF) return this.#bareLfInSize();
    if (!isBlank(byte) || !this.#allowSizeWhitespace) throw badSize(byte);
    this.#countLineByte(true);
    return State.SIZE_BLANK;
  }

  #beginExtension(): State {
    if (!this.#lineIsExtended) this.#countLineByte(true);
    this.#lineIsExtended = true;
    return State.EXT_START;
  }

  /**
   * `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` of RFC 9112
   * section 7.1.1; extensions are read to be skipped.
   */
  #inExtension(byte: number): State {
    switch (this.#state) {
      case State.EXT_START:
        if (isBlank(byte)) return State.EXT_START;
        if (TOKEN[byte] === 1) return State.EXT_NAME;
        throw badExtension(byte);
      case State.EXT_NAME:
        if (TOKEN[byte] === 1) return State.EXT_NAME;
        return this.#afterExtensionName(byte);
      case State.EXT_NAME_BLANK:
        return this.#afterExtensionName(byte);
      case State.EXT_VALUE_START:
        if (isBlank(byte)) return State.EXT_VALUE_START;
        if (byte === QUOTE) return State.EXT_QUOTED;
        if (TOKEN[byte] === 1) return State.EXT_VALUE;
        throw badExtension(byte);
      case State.EXT_VALUE:
        if (TOKEN[byte] === 1) return State.EXT_VALUE;
        return this.#afterExtension(byte);
      case State.EXT_QUOTED:
        if (byte === QUOTE) return State.EXT_END;
        if (byte === BACKSLASH) return State.EXT_ESCAPE;
        if (QUOTED_TEXT[byte] === 1) return State.EXT_QUOTED;
        throw badExtension(byte);
      case State.EXT_ESCAPE:
        if (QUOTED_TEXT[byte] === 1 || byte === QUOTE || byte === BACKSLASH) {
          return State.EXT_QUOTED;
        }
        throw badExtension(byte);
      default:
        return this.#afterExtension(byte);
    }
  }

  #afterExtensionName(byte: number): State {
    if (byte === EQUALS) return State.EXT_VALUE_START;
    if (isBlank(byte)) return State.EXT_NAME_BLANK;
    // Blanks at the end of the line belong to nothing.
    if (this.#state === State.EXT_NAME_BLANK && byte !== SEMICOLON) throw badExtension(byte);
    return this.#afterExtension(byte);
  }

  #afterExtension(byte: number): State {
    if (byte === SEMICOLON) return this.#beginExtension();
    if (isBlank(byte)) return State.EXT_BLANK;
    if (this.#state === State.EXT_BLANK) throw badExtension(byte);
    if (byte === CR) return State.SIZE_LF;
    if (byte === LF) return this.#bareLfInSize();
    throw badExtension(byte);
  }

  #bareLfInSize(): State {
    if (this.#allowBareLf) return this.#endSizeLine();
    throw new HttpProtocolError(
      "ERR_HTTP_BARE_LF",
      "Cannot parse chunk size: line ends without CR",
    );
  }

  #endSizeLine(): State {
    return this.#size === 0 ? State.TRAILERS : State.DATA;
  }

  #countLineByte(isOverhead: boolean): void {
    this.#lineBytes++;
    if (this.#lineBytes > this.#limits.maxChunkLineBytes) {
      throw tooLong("maxChunkLineBytes", this.#limits.maxChunkLineBytes);
    }
    if (!isOverhead) return;
    this.#overheadBytes++;
    if (this.#overheadBytes > this.#limits.maxChunkOverheadBytes) {
      throw tooLong("maxChunkOverheadBytes", this.#limits.maxChunkOverheadBytes);
    }
  }
}

function badSize(byte: number): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_CHUNK_SIZE",
    `Cannot parse chunk size: unexpected byte 0x${byte.toString(16)}`,
  );
}

function badExtension(byte: number): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_CHUNK_EXTENSION",
    `Cannot parse chunk extension: unexpected byte 0x${byte.toString(16)}`,
  );
}

function badData(byte: number): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_CHUNK_DATA",
    `Cannot parse chunk: data is followed by byte 0x${byte.toString(16)}, not by CRLF`,
  );
}

function badTrailer(name: string): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_TRAILER",
    `Cannot accept trailer: ${
      JSON.stringify(name.slice(0, 32))
    } may not stand in a trailer section`,
  );
}

function tooLong(limit: string, max: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot parse chunk: its size line or their sum exceeds ${max} bytes`,
    {
      limit,
      max,
      statusHint: 400,
    },
  );
}
