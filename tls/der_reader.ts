// This module is sans-I/O.

import { CertificateError, type CertificateErrorCode } from "./certificate_errors.ts";
import { decodeObjectIdentifier } from "./object_identifier.ts";

/** The tags of X.690 that certificates and keys are made of. */
export const DerTag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  NUMERIC_STRING: 0x12,
  PRINTABLE_STRING: 0x13,
  TELETEX_STRING: 0x14,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  VISIBLE_STRING: 0x1a,
  UNIVERSAL_STRING: 0x1c,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/** Set in the tag of an element that consists of elements. */
const CONSTRUCTED = 0x20;
/** A tag of more than one byte; nothing in a certificate needs one. */
const LONG_TAG = 0x1f;
/** Elements inside of elements that nobody reads are looked into so far. */
const MAX_UNREAD_DEPTH = 32;

/** Where a {@linkcode DerReader} begins and ends. */
export interface DerReaderOptions {
  /**
   * Offset of the first byte, a whole number from 0.
   *
   * @default {0}
   */
  readonly start?: number;
  /**
   * Offset behind the last byte, at most the length of the buffer.
   *
   * @default {bytes.length}
   */
  readonly end?: number;
}

/**
 * Reader of DER (X.690), strict: lengths are definite and as short as they can
 * be, an element ends where its parent ends or before, and booleans and integers
 * have one form only. Nothing is copied and nothing is read twice: after a
 * method the element it has read is {@linkcode DerReader.contentStart} to
 * {@linkcode DerReader.contentEnd} of the buffer.
 *
 * Elements with elements inside are read between {@linkcode DerReader.enter} and
 * {@linkcode DerReader.leave}, which refuses what is left over.
 *
 * @example A sequence of a number and a flag that may be missing
 * ```ts
 * import { DerReader, DerTag } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const reader = new DerReader(new Uint8Array([0x30, 3, 0x02, 1, 5]));
 * const outerEnd = reader.enter(DerTag.SEQUENCE);
 * assertEquals(reader.readSmallInteger(), 5);
 * assertEquals(reader.peek() === DerTag.BOOLEAN && reader.readBoolean(), false);
 * reader.leave(outerEnd);
 * reader.finish();
 * ```
 */
export class DerReader {
  /** The buffer; it must not change while it is read. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Offset of the next element. */
  offset: number;
  /** Offset behind the last element of the part that is entered. */
  end: number;
  /** Offset of the first byte of the last element: its tag. */
  elementStart = 0;
  /** Offset of the first byte inside of the last element. */
  contentStart = 0;
  /** Offset behind the last byte of the last element. */
  contentEnd = 0;
  /** Headers read so far: the measure of the work. */
  stepCount = 0;

  /**
   * Makes a reader in front of the first element.
   *
   * @param bytes The buffer.
   * @param options Where to begin and end.
   * @throws {RangeError} If the part is not inside of the buffer.
   */
  constructor(bytes: Uint8Array<ArrayBuffer>, options: DerReaderOptions = {}) {
    const { start = 0, end = bytes.length } = options;
    const isWhole = Number.isInteger(start) && Number.isInteger(end);
    if (!isWhole || start < 0 || end < start || end > bytes.length) {
      throw new RangeError(`Cannot read DER: ${start} to ${end} is not in 0 to ${bytes.length}`);
    }
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
  }

  /** Whether nothing is left of the part that is entered. */
  get isAtEnd(): boolean {
    return this.offset === this.end;
  }

  /**
   * Gives the tag of the next element and leaves it where it is.
   *
   * @returns The tag, -1 at the end.
   */
  peek(): number {
    return this.offset < this.end ? this.bytes[this.offset]! : -1;
  }

  /**
   * Reads one element, whatever is in it.
   *
   * @param tag The tag it has to have; any if it is left out.
   * @returns Its tag.
   * @throws {CertificateError} If there is none, or it is not DER.
   */
  read(tag?: number): number {
    const found = this.#readHeader(tag);
    this.offset = this.contentEnd;
    return found;
  }

  /**
   * Reads the head of an element and goes inside.
   *
   * @param tag The tag it has to have.
   * @returns What {@linkcode DerReader.leave} needs.
   * @throws {CertificateError} If there is none, or it is not DER.
   */
  enter(tag: number): number {
    this.#readHeader(tag);
    const outerEnd = this.end;
    this.end = this.contentEnd;
    return outerEnd;
  }

  /**
   * Goes out of the element that was entered last.
   *
   * @param outerEnd What {@linkcode DerReader.enter} gave.
   * @throws {CertificateError} If something in it was not read.
   */
  leave(outerEnd: number): void {
    if (this.offset !== this.end) throw this.error("something is left over");
    this.end = outerEnd;
  }

  /**
   * Holds that everything was read.
   *
   * @throws {CertificateError} If something is left.
   */
  finish(): void {
    if (this.offset !== this.end) throw this.error("something stands behind the end");
  }

  /**
   * Reads one element that nobody looks into, and holds that it is made of
   * well-formed headers all the way down.
   *
   * @returns Its tag.
   * @throws {CertificateError} If it is not DER, or 32 elements deep.
   */
  skip(): number {
    return this.#skip(0);
  }

  #skip(depth: number): number {
    const tag = this.#readHeader();
    if ((tag & CONSTRUCTED) === 0) {
      this.offset = this.contentEnd;
      return tag;
    }
    if (depth === MAX_UNREAD_DEPTH) throw this.error("it is too deep", this.elementStart);
    const { elementStart, contentStart, contentEnd, end } = this;
    this.end = contentEnd;
    while (this.offset < this.end) this.#skip(depth + 1);
    this.end = end;
    this.elementStart = elementStart;
    this.contentStart = contentStart;
    this.contentEnd = contentEnd;
    return tag;
  }

  /**
   * Reads a BOOLEAN (X.690 section 11.1).
   *
   * @param tag Its tag, where it is an implicit one.
   * @returns What it says.
   * @throws {CertificateError} If it is not one byte, 0x00 or 0xff.
   */
  readBoolean(tag: number = DerTag.BOOLEAN): boolean {
    this.read(tag);
    const byte = this.bytes[this.contentStart];
    if (this.contentEnd - this.contentStart !== 1 || (byte !== 0 && byte !== 0xff)) {
      throw this.error("a boolean is neither 0x00 nor 0xff", this.contentStart);
    }
    return byte === 0xff;
  }

  /**
   * Reads an INTEGER of any size.
   *
   * @param tag Its tag, where it is an implicit one.
   * @returns Its bytes: two's complement, big-endian, a view of the buffer.
   * @throws {CertificateError} If it is empty, or longer than needed.
   */
  readInteger(tag: number = DerTag.INTEGER): Uint8Array<ArrayBuffer> {
    this.#checkInteger(tag);
    return this.view();
  }

  /**
   * Reads an INTEGER from 0 to 2^31 - 1.
   *
   * @param tag Its tag, where it is an implicit one.
   * @returns The number.
   * @throws {CertificateError} If it is no integer in DER, negative or larger.
   */
  readSmallInteger(tag: number = DerTag.INTEGER): number {
    this.#checkInteger(tag);
    const { bytes, contentStart, contentEnd } = this;
    if (contentEnd - contentStart > 4 || bytes[contentStart]! >= 0x80) {
      throw this.error("a number is not from 0 to 2^31 - 1", contentStart);
    }
    let value = 0;
    for (let i = contentStart; i < contentEnd; i++) value = value << 8 | bytes[i]!;
    return value;
  }

  #checkInteger(tag: number): void {
    this.read(tag);
    const { bytes, contentStart, contentEnd } = this;
    if (contentStart === contentEnd) throw this.error("an integer is empty", contentStart);
    if (contentEnd - contentStart === 1) return;
    // X.690 section 8.3.2: the first nine bits are not all the same.
    const first = bytes[contentStart]!;
    const isSigned = bytes[contentStart + 1]! >= 0x80;
    if ((first === 0 && !isSigned) || (first === 0xff && isSigned)) {
      throw this.error("an integer is longer than needed", contentStart);
    }
  }

  /**
   * Reads a BIT STRING.
   *
   * @param tag Its tag, where it is an implicit one.
   * @returns The number of unused bits in the last byte; the bits are the
   * content, without the byte that says so.
   * @throws {CertificateError} If that number is wrong, or an unused bit is set.
   */
  readBitString(tag: number = DerTag.BIT_STRING): number {
    this.read(tag);
    const { bytes, contentStart, contentEnd } = this;
    const unusedBitCount = contentStart < contentEnd ? bytes[contentStart]! : 8;
    const isEmpty = contentEnd - contentStart <= 1;
    if (unusedBitCount > 7 || (isEmpty && unusedBitCount !== 0)) {
      throw this.error("a bit string has a wrong number of unused bits", contentStart);
    }
    // X.690 section 11.2.1: unused bits are zero.
    if (!isEmpty && (bytes[contentEnd - 1]! & ((1 << unusedBitCount) - 1)) !== 0) {
      throw this.error("an unused bit is set", contentEnd - 1);
    }
    this.contentStart++;
    return unusedBitCount;
  }

  /**
   * Reads an OCTET STRING.
   *
   * @param tag Its tag, where it is an implicit one.
   * @returns Its bytes, a view of the buffer.
   * @throws {CertificateError} If there is none.
   */
  readOctetString(tag: number = DerTag.OCTET_STRING): Uint8Array<ArrayBuffer> {
    this.read(tag);
    return this.view();
  }

  /**
   * Reads an OBJECT IDENTIFIER.
   *
   * @param tag Its tag, where it is an implicit one.
   * @returns The identifier, dotted.
   * @throws {CertificateError} If there is none, or it is malformed.
   */
  readObjectIdentifier(tag: number = DerTag.OBJECT_IDENTIFIER): string {
    this.read(tag);
    return decodeObjectIdentifier(this.bytes, this.contentStart, this.contentEnd);
  }

  /**
   * Reads a string of characters below 0x80 (IA5String).
   *
   * @param tag Its tag, where it is an implicit one.
   * @returns The string, which may hold control characters.
   * @throws {CertificateError} If there is none, or a byte is not ASCII.
   */
  readIa5String(tag: number = DerTag.IA5_STRING): string {
    this.read(tag);
    const { bytes, contentEnd } = this;
    let text = "";
    for (let i = this.contentStart; i < contentEnd; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) throw this.error("a byte is not ASCII", i, "ERR_X509_BAD_NAME");
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /**
   * Gives the content of the last element.
   *
   * @returns A view of the buffer.
   */
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(this.contentStart, this.contentEnd);
  }

  /**
   * Makes the error of a fault at a place.
   *
   * @param reason What is wrong.
   * @param offset Where; in front of the next element if it is left out.
   * @param code What is broken.
   * @returns The error, to be thrown.
   */
  error(
    reason: string,
    offset: number = this.offset,
    code: CertificateErrorCode = "ERR_X509_BAD_DER",
  ): CertificateError {
    return new CertificateError(code, `Cannot read DER: ${reason} at byte ${offset}`, { offset });
  }

  /** The one place where bounds are checked. */
  #readHeader(tag?: number): number {
    const { bytes, end } = this;
    const start = this.offset;
    this.stepCount++;
    if (start + 2 > end) throw this.error("an element is missing");
    const found = bytes[start]!;
    if (tag !== undefined && found !== tag) throw this.#wrongTag(found, tag);
    if ((found & LONG_TAG) === LONG_TAG) throw this.error("a tag has more than one byte");
    let length = bytes[start + 1]!;
    let position = start + 2;
    if (length >= 0x80) {
      length = this.#readLength(length & 0x7f, position);
      position += bytes[start + 1]! & 0x7f;
    }
    if (length > end - position) throw this.error("an element is longer than what holds it");
    this.elementStart = start;
    this.contentStart = this.offset = position;
    this.contentEnd = position + length;
    return found;
  }

  /** The long form of a length (X.690 sections 8.1.3.5 and 10.1). */
  #readLength(byteCount: number, position: number): number {
    if (byteCount === 0) throw this.error("a length is indefinite");
    if (byteCount > 4) throw this.error("a length has more than four bytes");
    if (byteCount > this.end - position) throw this.error("a length is cut off");
    let length = 0;
    for (let i = 0; i < byteCount; i++) length = length * 256 + this.bytes[position + i]!;
    if (length < 0x80 || this.bytes[position] === 0) {
      throw this.error("a length is longer than needed");
    }
    return length;
  }

  #wrongTag(found: number, wanted: number): CertificateError {
    return this.error(`the tag is 0x${found.toString(16)} instead of 0x${wanted.toString(16)}`);
  }
}
