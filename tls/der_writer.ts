// This module is sans-I/O.

import { formatAsn1Time } from "./asn1_time.ts";
import { DerReader, DerTag } from "./der_reader.ts";
import { findStringFault } from "./der_string.ts";
import { encodeObjectIdentifier } from "./object_identifier.ts";

const CONSTRUCTED = 0x20;
const LONG_TAG = 0x1f;
/** Deepest nesting, so that a loop of the caller's ends in an error. */
const MAX_DEPTH = 64;
const INITIAL_BYTES = 256;
const encoder = new TextEncoder();

/**
 * Writer of DER (X.690). Elements are written in order; one that holds others
 * takes a function that writes them. A method that throws has written nothing.
 *
 * @example A sequence of a number and a text
 * ```ts
 * import { DerWriter } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const writer = new DerWriter();
 * writer.writeSequence(() => {
 *   writer.writeInteger(128);
 *   writer.writeUtf8String("é");
 * });
 * assertEquals(writer.finish(), new Uint8Array([0x30, 8, 2, 2, 0, 128, 0x0c, 2, 0xc3, 0xa9]));
 * ```
 */
export class DerWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(INITIAL_BYTES);
  #length = 0;
  #depth = 0;

  /**
   * Ends the work.
   *
   * @returns What was written, a copy; the writer is empty again.
   * @throws {TypeError} If an element is not complete: it was called from inside of one.
   */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#depth > 0) throw new TypeError("Cannot finish DER: an element is not complete");
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  /**
   * Writes an element with a content that is given.
   *
   * @param tag Its tag, one byte.
   * @param content Its content.
   * @throws {RangeError} If the tag is not one byte.
   */
  writeElement(tag: number, content: Uint8Array): void {
    checkTag(tag);
    const start = this.#length;
    this.#append(content);
    this.#insertHeader(tag, start);
  }

  /**
   * Writes an element that holds others: constructed, or a string with DER inside.
   *
   * @param tag Its tag, one byte.
   * @param body Writes what is inside.
   * @throws {RangeError} If the tag is not one byte, or the nesting above 64.
   */
  writeConstructed(tag: number, body: () => void): void {
    checkTag(tag);
    const start = this.#length;
    this.#nest(start, body);
    this.#insertHeader(tag, start);
  }

  #nest(start: number, body: () => void): void {
    if (this.#depth === MAX_DEPTH) {
      throw new RangeError(`Cannot write DER: the nesting is above ${MAX_DEPTH}`);
    }
    this.#depth++;
    let isDone = false;
    try {
      body();
      isDone = true;
    } finally {
      this.#depth--;
      if (!isDone) this.#length = start;
    }
  }

  /**
   * Writes a SEQUENCE.
   *
   * @param body Writes what is inside.
   */
  writeSequence(body: () => void): void {
    this.writeConstructed(DerTag.SEQUENCE, body);
  }

  /**
   * Writes a SET OF: what is inside is put in order (X.690 section 11.6).
   *
   * @param body Writes what is inside.
   */
  writeSet(body: () => void): void {
    const start = this.#length;
    this.#nest(start, body);
    const reader = new DerReader(this.#bytes, { start, end: this.#length });
    const elements: Uint8Array[] = [];
    while (!reader.isAtEnd) {
      reader.read();
      elements.push(this.#bytes.slice(reader.elementStart, reader.contentEnd));
    }
    this.#length = start;
    for (const element of elements.sort(compareBytes)) this.#append(element);
    this.#insertHeader(DerTag.SET, start);
  }

  /**
   * Writes an element inside of a context-specific tag (an EXPLICIT one).
   *
   * @param number Number of the tag, 0 to 30.
   * @param body Writes what is inside.
   * @throws {RangeError} If the number is out of its range.
   */
  writeContext(number: number, body: () => void): void {
    this.writeConstructed(0x80 | CONSTRUCTED | checkContext(number), body);
  }

  /**
   * Writes a primitive element under a context-specific tag (an IMPLICIT one).
   *
   * @param number Number of the tag, 0 to 30.
   * @param content Its content.
   * @throws {RangeError} If the number is out of its range.
   */
  writeContextPrimitive(number: number, content: Uint8Array): void {
    this.writeElement(0x80 | checkContext(number), content);
  }

  /**
   * Writes an INTEGER.
   *
   * @param value The number, whole; or the big-endian bytes of one that is not
   * negative, with or without leading zeros.
   * @throws {RangeError} If it is not a whole number that is exact.
   */
  writeInteger(value: number | bigint | Uint8Array): void {
    this.writeElement(DerTag.INTEGER, integerContent(value));
  }

  /**
   * Writes a BOOLEAN. One that equals its default is not written: leave the call out.
   *
   * @param value What it says.
   */
  writeBoolean(value: boolean): void {
    this.writeElement(DerTag.BOOLEAN, new Uint8Array([value ? 0xff : 0]));
  }

  /** Writes a NULL. */
  writeNull(): void {
    this.writeElement(DerTag.NULL, new Uint8Array());
  }

  /**
   * Writes an OBJECT IDENTIFIER.
   *
   * @param oid The identifier, dotted.
   * @throws {TypeError} If it is none.
   */
  writeObjectIdentifier(oid: string): void {
    this.writeElement(DerTag.OBJECT_IDENTIFIER, encodeObjectIdentifier(oid));
  }

  /**
   * Writes a BIT STRING.
   *
   * @param bits The bits, the first one highest.
   * @param unusedBitCount Bits of the last byte that do not belong to it, 0 to 7;
   * they are written as zeros.
   * @throws {RangeError} If that number is out of its range.
   */
  writeBitString(bits: Uint8Array, unusedBitCount: number = 0): void {
    const max = bits.length === 0 ? 0 : 7;
    if (!Number.isInteger(unusedBitCount) || unusedBitCount < 0 || unusedBitCount > max) {
      throw new RangeError(`Cannot write DER: ${unusedBitCount} unused bits are not 0 to ${max}`);
    }
    const content = new Uint8Array(bits.length + 1);
    content[0] = unusedBitCount;
    content.set(bits, 1);
    if (unusedBitCount > 0) content[bits.length]! &= 0xff << unusedBitCount;
    this.writeElement(DerTag.BIT_STRING, content);
  }

  /**
   * Writes an OCTET STRING.
   *
   * @param content The bytes, or what writes DER inside.
   */
  writeOctetString(content: Uint8Array | (() => void)): void {
    if (typeof content === "function") this.writeConstructed(DerTag.OCTET_STRING, content);
    else this.writeElement(DerTag.OCTET_STRING, content);
  }

  /**
   * Writes a UTF8String.
   *
   * @param text The text.
   * @throws {TypeError} If it has half of a surrogate pair.
   */
  writeUtf8String(text: string): void {
    if (!text.isWellFormed()) throw new TypeError("Cannot write DER: the text is not Unicode");
    this.writeElement(DerTag.UTF8_STRING, encoder.encode(text));
  }

  /**
   * Writes a PrintableString.
   *
   * @param text The text: ASCII letters, digits, blanks and `'()+,-./:=?`.
   * @throws {TypeError} If another character is in it.
   */
  writePrintableString(text: string): void {
    this.#writeText(DerTag.PRINTABLE_STRING, text);
  }

  /**
   * Writes an IA5String.
   *
   * @param text The text, ASCII.
   * @throws {TypeError} If another character is in it.
   */
  writeIa5String(text: string): void {
    this.#writeText(DerTag.IA5_STRING, text);
  }

  #writeText(tag: number, text: string): void {
    const content = encoder.encode(text);
    if (findStringFault(content, tag, 0, content.length) >= 0) {
      throw new TypeError("Cannot write DER: the text does not fit into its type");
    }
    this.writeElement(tag, content);
  }

  /**
   * Writes a time as RFC 5280 section 4.1.2.5 wants it: a UTCTime from 1950 through
   * 2049, else a GeneralizedTime.
   *
   * @param ms Milliseconds since the epoch; fractions of a second are cut off.
   * @throws {RangeError} If it is not in the years 0 to 9999.
   */
  writeTime(ms: number): void {
    const { tag, text } = formatAsn1Time(ms);
    this.writeElement(tag, encoder.encode(text));
  }

  /**
   * Writes bytes as they are: elements that are in DER already.
   *
   * @param der The elements.
   */
  writeRaw(der: Uint8Array): void {
    this.#append(der);
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** Moves what was written since `start` to make room for its tag and length. */
  #insertHeader(tag: number, start: number): void {
    const length = this.#length - start;
    const header = [tag];
    if (length < 0x80) header.push(length);
    else {
      const digits: number[] = [];
      for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest & 0xff);
      header.push(0x80 | digits.length, ...digits);
    }
    this.#reserve(header.length);
    this.#bytes.copyWithin(start + header.length, start, this.#length);
    this.#bytes.set(header, start);
    this.#length += header.length;
  }
}

function checkTag(tag: number): void {
  if (Number.isInteger(tag) && tag > 0 && tag <= 0xff && (tag & LONG_TAG) !== LONG_TAG) return;
  throw new RangeError(`Cannot write DER: ${tag} is no tag of one byte`);
}

function checkContext(number: number): number {
  if (Number.isInteger(number) && number >= 0 && number < LONG_TAG) return number;
  throw new RangeError(`Cannot write DER: tag number ${number} is not from 0 to 30`);
}

function integerContent(value: number | bigint | Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return positiveContent(value);
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(`Cannot write DER: ${value} is not a whole number that is exact`);
  }
  const digits: number[] = [];
  let rest = BigInt(value);
  do {
    digits.unshift(Number(rest & 0xffn));
    rest >>= 8n;
    // The sign is the first bit (X.690 section 8.3.3).
  } while (rest !== (digits[0]! >= 0x80 ? -1n : 0n));
  return new Uint8Array(digits);
}

function positiveContent(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  const isSigned = start === bytes.length || bytes[start]! >= 0x80;
  const content = new Uint8Array(bytes.length - start + (isSigned ? 1 : 0));
  content.set(bytes.subarray(start), isSigned ? 1 : 0);
  return content;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
