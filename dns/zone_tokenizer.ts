// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { DnsTextError, type DnsTextErrorCode } from "./errors.ts";
import { placeOf, type TextTokens, tokenError } from "./text_tokens.ts";

/**
 * The lexical grammar of zone files (RFC 1035 section 5.1), under RdataText and ZoneParser.
 *
 * An entry is a line, or several lines held together by parentheses. It consists of tokens between
 * blanks. A token in quotes may hold blanks, semicolons and parentheses; quotes may also open
 * inside a token, as in `alpn="h2,h3"`. A backslash takes the meaning from the character behind
 * it. A semicolon outside of quotes begins a comment. Lines end with LF or CR LF. A byte-order mark
 * at the very start counts for nothing.
 *
 * A line end inside of quotes is refused, except within parentheses: else a forgotten quote would
 * swallow the zone. Parentheses may nest.
 */

const LF = 0x0a;

/** What a byte does outside of quotes. */
const Kind = {
  ORDINARY: 0,
  BLANK: 1,
  LINE_FEED: 2,
  SEMICOLON: 3,
  OPEN: 4,
  CLOSE: 5,
  QUOTE: 6,
  BACKSLASH: 7,
  CARRIAGE_RETURN: 8,
  /** Ordinary, but not one UTF-16 code unit of UTF-8. */
  HIGH: 9,
} as const;

const KIND = /* @__PURE__ */ createKinds();

function createKinds(): Uint8Array {
  const kinds = new Uint8Array(256).fill(Kind.HIGH, 0x80);
  for (const byte of [0x20, 0x09]) kinds[byte] = Kind.BLANK;
  kinds[LF] = Kind.LINE_FEED;
  kinds[0x3b] = Kind.SEMICOLON;
  kinds[0x28] = Kind.OPEN;
  kinds[0x29] = Kind.CLOSE;
  kinds[0x22] = Kind.QUOTE;
  kinds[0x5c] = Kind.BACKSLASH;
  kinds[0x0d] = Kind.CARRIAGE_RETURN;
  return kinds;
}

const State = {
  /** Between tokens. */
  BLANK: 0,
  TOKEN: 1,
  /** In a token that a quote began. */
  QUOTED: 2,
  /** In quotes inside a token. */
  INNER_QUOTED: 3,
  COMMENT: 4,
  /** Behind a CR, where only LF may come. */
  CARRIAGE_RETURN: 5,
} as const;
type State = typeof State[keyof typeof State];

/** Bounds of the text in memory. */
export interface ZoneTokenizerOptions {
  /**
   * Name of the file, for errors.
   *
   * @default {undefined}
   */
  readonly file?: string | undefined;
  /**
   * Longest entry in bytes, with the comments and line ends in its parentheses; 64 to 2^30.
   *
   * @default {524_288}
   */
  readonly maxEntryBytes?: number;
  /**
   * Longest token in bytes, 64 to 2^30.
   *
   * @default {262_144}
   */
  readonly maxTokenBytes?: number;
}

/** Enough for the longest RDATA with every byte as `\DDD`. */
const DEFAULT_ENTRY_BYTES = 524_288;
const DEFAULT_TOKEN_BYTES = 262_144;
const LEAST_BYTES = 64;
const MOST_BYTES = 2 ** 30;
const FIRST_BUFFER_BYTES = 4_096;
const FIRST_TOKENS = 32;
/** U+FEFF in UTF-8. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;
/** Arguments of one `String.fromCharCode()`. */
const BATCH = 4_096;

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

/** Cuts a zone file into entries and tokens, incrementally: looks at no byte twice. */
export class ZoneTokenizer implements TextTokens {
  readonly file: string | undefined;
  text = "";
  count = 0;
  starts: Int32Array = new Int32Array(FIRST_TOKENS);
  ends: Int32Array = new Int32Array(FIRST_TOKENS);
  quoted: Uint8Array = new Uint8Array(FIRST_TOKENS);
  line = 1;
  /** Whether the entry begins with a blank: its owner is that of the record before it. */
  hasBlankOwner = false;
  /** Whether a byte-order mark may come: this is a file, and nothing of it was looked at. */
  mayHaveMark = true;

  readonly #maxEntryBytes: number;
  readonly #maxTokenBytes: number;
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  /** Where the entry begins in the buffer. */
  #start = 0;
  /** How far it has been looked at. */
  #at = 0;
  #end = 0;
  #state: State = State.BLANK;
  /** Parentheses that are open. */
  #depth = 0;
  #isEscaped = false;
  #isAscii = true;
  /** Line feeds of the entry so far. */
  #lineCount = 0;
  /** Whether the entry in the fields was given out. */
  #isGiven = false;
  #isEnded = false;

  /**
   * @param options Bounds and the name of the file.
   * @throws {RangeError} If a bound is out of its range.
   */
  constructor(options: ZoneTokenizerOptions = {}) {
    this.file = options.file;
    this.#maxEntryBytes = checkBytes("maxEntryBytes", options.maxEntryBytes, DEFAULT_ENTRY_BYTES);
    this.#maxTokenBytes = checkBytes("maxTokenBytes", options.maxTokenBytes, DEFAULT_TOKEN_BYTES);
  }

  /**
   * Takes the next piece of the file. Spoils the fields of the entry that was last given out.
   *
   * @param chunk Bytes, copied; or text, which stands for its UTF-8.
   */
  write(chunk: string | Uint8Array): void {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    this.#dropGiven();
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Says that the file ends here, be it with a line end or without. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#end > 0 && this.#buffer[this.#end - 1] === LF) return;
    this.write("\n");
  }

  /** Whether the end of the file was said. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Goes to the next entry that has a token.
   *
   * @returns Whether there is one; if so, it is in the fields until the next call of any method.
   * @throws {DnsTextError} If quotes or parentheses do not match, or a CR stands alone.
   * @throws {LimitExceededError} If an entry or a token is too long.
   */
  next(): boolean {
    this.#dropGiven();
    if (this.mayHaveMark && !this.#skipMark()) return false;
    while (this.#scan()) {
      if (this.count > 0) {
        this.#give();
        return true;
      }
      this.#dropEntry();
    }
    this.#checkUnfinished();
    return false;
  }

  /** Skips a byte-order mark, which some editors write; `false` if more input is needed to tell. */
  #skipMark(): boolean {
    const start = this.#start;
    const count = Math.min(this.#end - start, BYTE_ORDER_MARK.length);
    const isMark = BYTE_ORDER_MARK.every((byte, index) => {
      return index >= count || this.#buffer[start + index] === byte;
    });
    if (isMark && count < BYTE_ORDER_MARK.length) return false;
    if (isMark) this.#start = this.#at = start + count;
    this.mayHaveMark = false;
    return true;
  }

  /** Moves the entry that was given out from the buffer. */
  #dropGiven(): void {
    if (!this.#isGiven) return;
    this.#isGiven = false;
    this.#dropEntry();
  }

  #dropEntry(): void {
    this.#start = this.#at;
    this.line += this.#lineCount;
    this.#lineCount = 0;
    this.count = 0;
    this.#isAscii = true;
  }

  /** Makes room behind the end: what was read moves out, then the buffer doubles. */
  #reserve(byteCount: number): void {
    if (this.#end + byteCount <= this.#buffer.length) return;
    const kept = this.#end - this.#start;
    let target = this.#buffer;
    if (kept + byteCount > this.#buffer.length / 2) {
      target = new Uint8Array(Math.max(2 * this.#buffer.length, 2 * (kept + byteCount)));
      target.set(this.#buffer.subarray(this.#start, this.#end));
    } else {
      target.copyWithin(0, this.#start, this.#end);
    }
    this.#buffer = target;
    this.#at -= this.#start;
    this.#end = kept;
    this.#start = 0;
  }

  /**
   * Reads on to the end of the entry; `false` if more input is needed.
   *
   * One loop over the bytes, as it is where a zone's time goes: tests/bench/dns/zone.ts.
   */
  #scan(): boolean {
    const buffer = this.#buffer;
    const end = this.#end;
    let at = this.#at;
    if (at === this.#start && at < end) this.hasBlankOwner = KIND[buffer[at]!] === Kind.BLANK;
    while (at < end) {
      if (this.#isEscaped) {
        if (buffer[at] === LF) {
          this.#failAt(at, "ERR_DNS_BAD_ESCAPE", "a line ends behind a backslash");
        }
        if (buffer[at]! >= 0x80) this.#isAscii = false;
        this.#isEscaped = false;
        at++;
        continue;
      }
      switch (this.#state) {
        case State.BLANK: {
          const byte = buffer[at]!;
          const kind = KIND[byte];
          if (kind === Kind.BLANK) at++;
          else if (kind === Kind.LINE_FEED) {
            at++;
            this.#lineCount++;
            if (this.#depth > 0) break;
            this.#at = at;
            return true;
          } else if (kind === Kind.QUOTE) {
            this.#begin(++at, State.QUOTED);
          } else if (kind === Kind.SEMICOLON) this.#state = State.COMMENT;
          else if (kind === Kind.CARRIAGE_RETURN) {
            this.#state = State.CARRIAGE_RETURN;
            at++;
          } else if (kind === Kind.OPEN || kind === Kind.CLOSE) {
            this.#group(at++, kind === Kind.OPEN);
          } else this.#begin(at, State.TOKEN);
          break;
        }
        case State.TOKEN: {
          let kind: number = Kind.ORDINARY;
          while (at < end && (kind = KIND[buffer[at]!]!) === Kind.ORDINARY) at++;
          if (at === end) break;
          if (kind === Kind.HIGH) {
            this.#isAscii = false;
            at++;
          } else if (kind === Kind.BACKSLASH) {
            this.#isEscaped = true;
            at++;
          } else if (kind === Kind.QUOTE) {
            this.#state = State.INNER_QUOTED;
            at++;
          } else this.#finish(at);
          break;
        }
        case State.QUOTED:
        case State.INNER_QUOTED: {
          const byte = buffer[at]!;
          const kind = KIND[byte];
          if (kind === Kind.QUOTE) {
            if (this.#state === State.QUOTED) this.#finish(at);
            else this.#state = State.TOKEN;
          } else if (kind === Kind.BACKSLASH) this.#isEscaped = true;
          else if (kind === Kind.HIGH) this.#isAscii = false;
          else if (kind === Kind.LINE_FEED) {
            if (this.#depth === 0) {
              this.#failAt(at, "ERR_DNS_UNBALANCED", "a line ends inside of quotes");
            }
            this.#lineCount++;
          }
          at++;
          break;
        }
        case State.COMMENT: {
          const lineEnd = buffer.indexOf(LF, at);
          const stop = lineEnd < 0 || lineEnd > end ? end : lineEnd;
          if (this.#depth > 0) this.#noteHigh(at, stop);
          at = stop;
          if (at < end) this.#state = State.BLANK;
          // A long comment before any token needs no memory.
          else if (this.count === 0 && this.#depth === 0) this.#start = at;
          break;
        }
        case State.CARRIAGE_RETURN:
          if (buffer[at] !== LF) this.#failAt(at - 1, "ERR_DNS_BAD_TEXT", "CR without LF");
          this.#state = State.BLANK;
      }
    }
    this.#at = at;
    return false;
  }

  #begin(at: number, state: State): void {
    if (this.count === this.starts.length) this.#growTokens();
    this.starts[this.count] = at - this.#start;
    this.quoted[this.count] = state === State.QUOTED ? 1 : 0;
    this.#state = state;
  }

  #finish(at: number): void {
    const offset = at - this.#start;
    this.ends[this.count] = offset;
    if (offset - this.starts[this.count]! > this.#maxTokenBytes) this.#exceed("maxTokenBytes");
    this.count++;
    this.#state = State.BLANK;
  }

  #growTokens(): void {
    const length = 2 * this.starts.length;
    const starts = new Int32Array(length);
    starts.set(this.starts);
    this.starts = starts;
    const ends = new Int32Array(length);
    ends.set(this.ends);
    this.ends = ends;
    const quoted = new Uint8Array(length);
    quoted.set(this.quoted);
    this.quoted = quoted;
  }

  #group(at: number, isOpen: boolean): void {
    this.#depth += isOpen ? 1 : -1;
    if (this.#depth < 0) this.#failAt(at, "ERR_DNS_UNBALANCED", "a closing parenthesis alone");
  }

  #noteHigh(start: number, end: number): void {
    for (let at = start; at < end && this.#isAscii; at++) {
      if (this.#buffer[at]! >= 0x80) this.#isAscii = false;
    }
  }

  /** Puts the entry into the fields. */
  #give(): void {
    this.#isGiven = true;
    if (this.#at - this.#start > this.#maxEntryBytes) this.#exceed("maxEntryBytes");
    const bytes = this.#buffer.subarray(this.#start, this.#start + this.ends[this.count - 1]!);
    this.text = this.#isAscii ? decoder.decode(bytes) : decodeLatin1(bytes);
  }

  /** Holds what has come of an unfinished entry against the bounds. */
  #checkUnfinished(): void {
    if (this.#at - this.#start > this.#maxEntryBytes) this.#exceed("maxEntryBytes");
    const state = this.#state;
    const isInToken = state !== State.BLANK && state !== State.COMMENT &&
      state !== State.CARRIAGE_RETURN;
    const length = this.#at - this.#start - this.starts[this.count]!;
    if (isInToken && length > this.#maxTokenBytes) this.#exceed("maxTokenBytes");
    if (this.#isEnded && this.#depth > 0) {
      this.#failAt(this.#at, "ERR_DNS_UNBALANCED", "the text ends inside of parentheses");
    }
  }

  #exceed(limit: "maxEntryBytes" | "maxTokenBytes"): never {
    const max = limit === "maxEntryBytes" ? this.#maxEntryBytes : this.#maxTokenBytes;
    const place = `${this.file ?? "text"}:${this.line}`;
    throw new LimitExceededError(`Cannot parse ${place}: more than ${max} bytes (${limit})`, {
      limit,
      max,
    });
  }

  #failAt(at: number, code: DnsTextErrorCode, reason: string): never {
    const bytes = this.#buffer.subarray(this.#start, at);
    const line = this.line + this.#lineCount;
    const column = at - this.#start - bytes.lastIndexOf(LF);
    throw new DnsTextError(code, `Cannot parse ${placeOf(this.file, line, column)}: ${reason}`, {
      file: this.file,
      line,
      column,
    });
  }
}

/** Where the text of {@linkcode tokenizeEntry} stands, for errors. */
export interface EntryPlace {
  /** The file; none by default. */
  readonly file?: string | undefined;
  /** The line, 1 by default. */
  readonly line?: number;
}

/**
 * The tokens of a text that is one entry, however many lines it has.
 *
 * @param text The text, without limit: it is in memory already.
 * @param place Where it stands.
 * @throws {DnsTextError} If the text has more than one entry, or its quotes do not match.
 */
export function tokenizeEntry(text: string, place: EntryPlace = {}): TextTokens {
  const tokenizer = new ZoneTokenizer({
    file: place.file,
    maxEntryBytes: MOST_BYTES,
    maxTokenBytes: MOST_BYTES,
  });
  tokenizer.line = place.line ?? 1;
  tokenizer.mayHaveMark = false;
  tokenizer.write(text);
  tokenizer.end();
  tokenizer.next();
  const { file, count, starts, ends, quoted, line } = tokenizer;
  const tokens = { file, text: tokenizer.text, count, starts: starts.slice(), ends: ends.slice() };
  const entry = { ...tokens, quoted: quoted.slice(), line };
  if (!tokenizer.next()) return entry;
  throw tokenError(tokenizer, 0, "ERR_DNS_BAD_TEXT", "a second line outside of parentheses");
}

/** One UTF-16 code unit for each byte; `TextDecoder` calls windows-1252 by that name. */
function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += BATCH) {
    text += String.fromCharCode(...bytes.subarray(at, at + BATCH));
  }
  return text;
}

function checkBytes(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= LEAST_BYTES && value <= MOST_BYTES) return value;
  throw new RangeError(
    `Cannot use ${name} ${value}: expected an integer from ${LEAST_BYTES} to ${MOST_BYTES}`,
  );
}
