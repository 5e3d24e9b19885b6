// This module is sans-I/O.

import { decodeBase64 } from "@std/encoding/base64";
import type { DnsTextError, DnsTextErrorCode } from "./errors.ts";
import { type TextTokens, tokenAt, tokenError } from "./text_tokens.ts";
import { parseTtl } from "./ttl_text.ts";
import { nameAt } from "./zone_name.ts";
import { tokenizeEntry } from "./zone_tokenizer.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;
const MAX_U8 = 0xff;
const MAX_U16 = 0xffff;
const MAX_U32 = 0xffff_ffff;
const MAX_CHARACTER_STRING_BYTES = 255;
const SHOWN_LENGTH = 32;

/** No digit of the base. */
const NONE = 0xff;
const HEX_DIGITS = /* @__PURE__ */ digitTable("0123456789abcdef");
const BASE32HEX_DIGITS = /* @__PURE__ */ digitTable("0123456789abcdefghijklmnopqrstuv");

function digitTable(digits: string): Uint8Array {
  const table = new Uint8Array(256).fill(NONE);
  for (const [value, digit] of [...digits].entries()) {
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}

/** What {@linkcode RdataText.from} needs to know beside the text. */
export interface RdataTextOptions {
  /**
   * What relative names are under, absolute; without it they are refused.
   *
   * @default {undefined}
   */
  readonly origin?: string | undefined;
}

/**
 * The RDATA of one record in presentation format (RFC 1035 section 5.1), read token by token.
 *
 * Every method that reads takes the next token, or the rest of them. A token in quotes counts
 * only where text may stand: as a number, a name or digits it is refused.
 *
 * @example Reading preference and exchange of MX
 * ```ts
 * import { RdataText } from "@nbio/net/dns";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const text = RdataText.from("10 mail", { origin: "example." });
 * assertEquals([text.u16(), text.name()], [10, "mail.example."]);
 * assert(text.atEnd);
 * ```
 */
export class RdataText {
  /** What relative names are under; `undefined` if they are refused. */
  readonly origin: string | undefined;

  readonly #tokens: TextTokens;
  #index: number;

  /**
   * Reads tokens that are there already.
   *
   * @param tokens The entry; must not change while it is read.
   * @param first Index of the first token of the RDATA.
   * @param origin What relative names are under.
   */
  constructor(tokens: TextTokens, first: number, origin: string | undefined) {
    this.origin = origin;
    this.#tokens = tokens;
    this.#index = first;
  }

  /**
   * Cuts a text into tokens. Comments are skipped, and parentheses hold lines together.
   *
   * @param text RDATA in presentation format.
   * @param options The origin.
   * @returns A reader at its first token.
   * @throws {DnsTextError} If the text has more than one line outside of parentheses, or its
   * quotes or parentheses do not match.
   *
   * @example A text with a comment
   * ```ts
   * import { RdataText } from "@nbio/net/dns";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(RdataText.from("7 ; seven").u8(), 7);
   * ```
   */
  static from(text: string, options: RdataTextOptions = {}): RdataText {
    return new RdataText(tokenizeEntry(text), 0, options.origin);
  }

  /** Whether no token is left. */
  get atEnd(): boolean {
    return this.#index >= this.#tokens.count;
  }

  /** Whether the token last read stood in quotes. */
  get wasQuoted(): boolean {
    return this.#index > 0 && this.#tokens.quoted[this.#index - 1] === 1;
  }

  /**
   * Takes the next token.
   *
   * @returns The token without quotes around it, escapes as they are, one UTF-16 code unit for
   * each byte.
   * @throws {DnsTextError} If no token is left.
   */
  token(): string {
    return tokenAt(this.#tokens, this.#take());
  }

  /**
   * Shows the next token without taking it.
   *
   * @returns The token as `token()` gives it; `undefined` if none is left or it stands in quotes.
   */
  peek(): string | undefined {
    const { count, text, starts, ends, quoted } = this.#tokens;
    if (this.#index >= count || quoted[this.#index] === 1) return undefined;
    return text.slice(starts[this.#index], ends[this.#index]);
  }

  /**
   * Takes a domain name.
   *
   * @returns The name, absolute by the origin.
   * @throws {DnsTextError} If it is no name, or relative and there is no origin.
   */
  name(): string {
    return nameAt(this.#tokens, this.#take(), this.origin);
  }

  /**
   * Takes a number from 0 to 255.
   *
   * @throws {DnsTextError} If it is none.
   */
  u8(): number {
    return this.integer(MAX_U8);
  }

  /**
   * Takes a number from 0 to 65,535.
   *
   * @throws {DnsTextError} If it is none.
   */
  u16(): number {
    return this.integer(MAX_U16);
  }

  /**
   * Takes a number from 0 to 4,294,967,295.
   *
   * @throws {DnsTextError} If it is none.
   */
  u32(): number {
    return this.integer(MAX_U32);
  }

  /**
   * Takes a decimal number; leading zeros are allowed.
   *
   * @param max The largest number, up to 2^49.
   * @throws {DnsTextError} If it is none, or larger.
   */
  integer(max: number): number {
    const index = this.#takeWord();
    const { text, starts, ends } = this.#tokens;
    const end = ends[index]!;
    let value = 0;
    for (let at = starts[index]!; at < end; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) this.#failNumber(max);
      value = value * 10 + digit;
      if (value > max) this.#failNumber(max);
    }
    return value;
  }

  /**
   * Takes a time in seconds, with units or without: `3600` or `1h`.
   *
   * @throws {DnsTextError} If it is none.
   */
  ttl(): number {
    const token = this.#word();
    return parseTtl(token) ?? this.#failWith("ERR_DNS_BAD_TTL", `${shown(token)} is no time`);
  }

  /**
   * Takes a character-string, in quotes or not.
   *
   * @returns Its bytes, escapes resolved; at most 255.
   * @throws {DnsTextError} If none is left, it is longer, or an escape is broken.
   */
  characterString(): Uint8Array {
    const bytes = this.stringBytes();
    if (bytes.length <= MAX_CHARACTER_STRING_BYTES) return bytes;
    return this.fail(`a string of ${bytes.length} bytes is longer than 255`);
  }

  /**
   * Takes a token, in quotes or not, as bytes.
   *
   * @returns Its bytes, escapes resolved, however many.
   * @throws {DnsTextError} If none is left, or an escape is broken.
   */
  stringBytes(): Uint8Array {
    return this.bytesOf(this.token());
  }

  /**
   * Resolves the escapes of a text from `token()`, or of a part of it.
   *
   * @param token The text; quotes around it are dropped.
   * @returns Its bytes, however many.
   * @throws {DnsTextError} If an escape or a quote is broken.
   */
  bytesOf(token: string): Uint8Array {
    const bytes = new Uint8Array(token.length);
    const isQuoted = token.charCodeAt(0) === QUOTE;
    const end = isQuoted ? token.length - 1 : token.length;
    let length = 0;
    let at = isQuoted ? 1 : 0;
    while (at < end) {
      const code = token.charCodeAt(at++);
      if (code === QUOTE) this.#failWith("ERR_DNS_UNBALANCED", "a quote inside of a string");
      if (code !== BACKSLASH) bytes[length++] = code;
      else {
        const value = escapedValue(token, at, end);
        if (value < 0) this.#failWith("ERR_DNS_BAD_ESCAPE", `${shown(token)} has a broken escape`);
        bytes[length++] = value;
        at += isDigit(token.charCodeAt(at)) ? 3 : 1;
      }
    }
    // The quote that opens is not the one that closes.
    const isClosed = !isQuoted || (end > 0 && token.charCodeAt(end) === QUOTE);
    if (!isClosed) this.#failWith("ERR_DNS_UNBALANCED", "a quote without its partner");
    return bytes.slice(0, length);
  }

  /**
   * Takes one token of hexadecimal digits.
   *
   * @throws {DnsTextError} If there is another character, or an odd number of digits.
   */
  hex(): Uint8Array {
    return this.#decodeHex(this.#word());
  }

  /**
   * Takes all that is left as hexadecimal digits, at least one token.
   *
   * @throws {DnsTextError} If there is another character, or an odd number of digits.
   */
  hexRest(): Uint8Array {
    return this.#decodeHex(this.#rest());
  }

  /**
   * Takes all that is left as base64 with padding (RFC 4648 section 4), at least one token.
   *
   * @throws {DnsTextError} If it is none.
   */
  base64Rest(): Uint8Array {
    const text = this.#rest();
    if (!hasPadding(text)) this.fail(`${shown(text)} is no base64: wrong length or padding`);
    try {
      return decodeBase64(text);
    } catch (cause) {
      throw this.#error("ERR_DNS_BAD_RDATA", `${shown(text)} is no base64`, cause);
    }
  }

  /**
   * Takes one token of base32 with the extended hexadecimal alphabet (RFC 4648 section 7), with
   * padding or without.
   *
   * @throws {DnsTextError} If it is none.
   */
  base32hex(): Uint8Array {
    const token = this.#word();
    let end = token.length;
    if (end % 8 === 0) { while (end > 0 && token.charCodeAt(end - 1) === EQUALS) end--; }
    const bytes = new Uint8Array(Math.floor(end * 5 / 8));
    let length = 0;
    let bits = 0;
    let bitCount = 0;
    for (let at = 0; at < end; at++) {
      const digit = BASE32HEX_DIGITS[token.charCodeAt(at)]!;
      if (digit === NONE) this.fail(`${shown(token)} is no base32hex`);
      bits = (bits << 5) | digit;
      bitCount += 5;
      if (bitCount < 8) continue;
      bitCount -= 8;
      bytes[length++] = bits >> bitCount;
      bits &= (1 << bitCount) - 1;
    }
    // A digit that adds no byte, or bits that belong to none.
    if (bitCount >= 5 || bits !== 0) this.fail(`${shown(token)} is no base32hex: wrong length`);
    return bytes;
  }

  /**
   * Refuses the token that was last read.
   *
   * @param reason What is wrong with it, to be read behind file and line.
   * @throws {DnsTextError} Always, with the place of the token.
   */
  fail(reason: string): never {
    return this.#failWith("ERR_DNS_BAD_RDATA", reason);
  }

  #take(): number {
    if (this.#index < this.#tokens.count) return this.#index++;
    this.#index = this.#tokens.count + 1;
    return this.fail("the text ends too early");
  }

  /** Takes a token that must not stand in quotes. */
  #takeWord(): number {
    const index = this.#take();
    if (this.#tokens.quoted[index] === 1) this.fail("quotes have no place here");
    return index;
  }

  #word(): string {
    return tokenAt(this.#tokens, this.#takeWord());
  }

  #rest(): string {
    let text = this.#word();
    while (!this.atEnd) text += this.#word();
    return text;
  }

  #decodeHex(text: string): Uint8Array {
    const length = text.length;
    if (length % 2 !== 0) this.fail(`${shown(text)} has an odd number of hexadecimal digits`);
    const bytes = new Uint8Array(length / 2);
    for (let at = 0; at < length; at += 2) {
      const high = HEX_DIGITS[text.charCodeAt(at)]!;
      const low = HEX_DIGITS[text.charCodeAt(at + 1)]!;
      if (high === NONE || low === NONE) this.fail(`${shown(text)} is not hexadecimal`);
      bytes[at / 2] = (high << 4) | low;
    }
    return bytes;
  }

  #failNumber(max: number): never {
    const token = tokenAt(this.#tokens, this.#index - 1);
    return this.fail(`${shown(token)} is no number from 0 to ${max}`);
  }

  #failWith(code: DnsTextErrorCode, reason: string): never {
    throw this.#error(code, reason);
  }

  #error(code: DnsTextErrorCode, reason: string, cause?: unknown): DnsTextError {
    return tokenError(this.#tokens, Math.max(this.#index - 1, 0), code, reason, cause);
  }
}

/** The byte behind a backslash (RFC 1035 section 5.1); -1 if there is none. */
function escapedValue(text: string, at: number, end: number): number {
  if (at >= end) return -1;
  if (!isDigit(text.charCodeAt(at))) return text.charCodeAt(at);
  if (at + 3 > end) return -1;
  let value = 0;
  for (let index = at; index < at + 3; index++) {
    const code = text.charCodeAt(index);
    if (!isDigit(code)) return -1;
    value = value * 10 + code - 0x30;
  }
  return value <= MAX_U8 ? value : -1;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Whether it is whole groups of four, and at most two equals signs end the last one. */
function hasPadding(text: string): boolean {
  const first = text.indexOf("=");
  if (text.length % 4 !== 0) return false;
  return first < 0 || (first >= text.length - 2 && text.endsWith("="));
}

/** A token for a message: quoted, and cut. */
function shown(token: string): string {
  return JSON.stringify(token.slice(0, SHOWN_LENGTH));
}
