// This module is sans-I/O.

import { formatLabel, MAX_NAME_BYTES } from "./_name_text.ts";
import { DnsMessageError, type DnsMessageErrorCode } from "./errors.ts";

/**
 * RFC 1035 section 4.1.4 sets no bound on pointers that lead to pointers; no name has more labels
 * than this, so an encoder never needs more.
 */
const MAX_POINTERS = 127;
/** Names of one message that are remembered; more of them would cost more to find. */
const MAX_REMEMBERED = 16;
/** V8 sets no memory aside outside its heap for arrays up to this size. */
const MAX_SMALL_COPY = 64;
/**
 * Up to this size copies are carved from a larger piece: setting memory aside for each signature and
 * key costs more than all the rest of a message (`tests/bench/dns`). A field that is kept keeps no
 * more than a piece alive.
 */
const MAX_CARVED_COPY = 1024;
const PIECE_BYTES = 8192;
/** RFC 1035 section 4.1.4: the offset of a pointer has 14 bits. */
const POINTER_LIMIT = 0x4000;
/** Enough for where a name ends that a pointer may lead to. */
const SPAN_BITS = 15;
const SPAN_MASK = 0x7fff;
const DOT = 0x2e;
const BACKSLASH = "\\";

/**
 * Reads the fields of a message or of RDATA, in network order, from `offset` on. No read goes
 * beyond `end`, except those of names that a pointer leads elsewhere: they may use the bytes in
 * front of it.
 *
 * The bytes are not copied and must not change while they are read; what is given out is copied.
 *
 * @example Name, type and class of a question
 * ```ts
 * import { WireReader } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const reader = new WireReader(new Uint8Array([2, 0x64, 0x65, 0, 0, 28, 0, 1]));
 * assertEquals([reader.name(), reader.u16(), reader.u16()], ["de.", 28, 1]);
 * assertEquals(reader.remaining, 0);
 * ```
 */
export class WireReader {
  /** The whole message. */
  readonly bytes: Uint8Array;
  /** Where the next field starts. */
  offset: number;
  /** Where the message ends, or the RDATA at hand. */
  end: number;

  // Names seen so far, and where their own labels stand: offset of the first one, and behind the last.
  readonly #names: string[] = [];
  readonly #spans: number[] = [];
  // What the last pointer led to: records of one owner mostly stand together.
  #lastTarget = -1;
  #lastName = "";

  /**
   * Makes a reader.
   *
   * @param bytes The whole message, or RDATA alone.
   * @param offset Where to start, 0 to the length of `bytes`.
   * @param end Where to stop, `offset` to the length of `bytes`.
   * @throws {RangeError} If `offset` or `end` is out of its range.
   */
  constructor(bytes: Uint8Array, offset: number = 0, end: number = bytes.length) {
    if (!(offset >= 0 && offset <= end && end <= bytes.length)) {
      throw new RangeError(
        `Cannot read from ${offset} to ${end}: expected a range within 0 to ${bytes.length}`,
      );
    }
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  /** How many bytes there are up to the end. */
  get remaining(): number {
    return this.end - this.offset;
  }

  /**
   * Reads one byte.
   *
   * @returns Its value.
   * @throws {DnsMessageError} If it would go beyond the end.
   */
  u8(): number {
    const at = this.offset;
    if (at + 1 > this.end) this.#failTruncated(1);
    this.offset = at + 1;
    return this.bytes[at]!;
  }

  /**
   * Reads two bytes.
   *
   * @returns The unsigned number.
   * @throws {DnsMessageError} If it would go beyond the end.
   */
  u16(): number {
    const at = this.offset;
    if (at + 2 > this.end) this.#failTruncated(2);
    this.offset = at + 2;
    const bytes = this.bytes;
    return bytes[at]! << 8 | bytes[at + 1]!;
  }

  /**
   * Reads four bytes.
   *
   * @returns The unsigned number.
   * @throws {DnsMessageError} If it would go beyond the end.
   */
  u32(): number {
    const at = this.offset;
    if (at + 4 > this.end) this.#failTruncated(4);
    this.offset = at + 4;
    const bytes = this.bytes;
    return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
  }

  /**
   * Reads six bytes.
   *
   * @returns The unsigned number.
   * @throws {DnsMessageError} If it would go beyond the end.
   */
  u48(): number {
    if (this.offset + 6 > this.end) this.#failTruncated(6);
    return this.u16() * 2 ** 32 + this.u32();
  }

  /**
   * Reads eight bytes.
   *
   * @returns The unsigned number.
   * @throws {DnsMessageError} If it would go beyond the end.
   */
  u64(): bigint {
    if (this.offset + 8 > this.end) this.#failTruncated(8);
    return BigInt(this.u32()) << 32n | BigInt(this.u32());
  }

  /**
   * Reads a number of bytes.
   *
   * @param count How many.
   * @returns A copy of them. It may share its buffer with other copies, of other messages too, but never
   * overlaps one: do not transfer it.
   * @throws {DnsMessageError} If it would go beyond the end.
   */
  take(count: number): Uint8Array<ArrayBuffer> {
    const at = this.offset;
    if (at + count > this.end) this.#failTruncated(count);
    this.offset = at + count;
    if (count === 0) return NOTHING;
    if (count > MAX_SMALL_COPY && count <= MAX_CARVED_COPY) {
      return carveCopy(this.bytes, at, at + count);
    }
    return copyOf(this.bytes, at, at + count);
  }

  /**
   * Reads what is left.
   *
   * @returns A copy of the bytes up to the end.
   */
  rest(): Uint8Array<ArrayBuffer> {
    return this.take(this.end - this.offset);
  }

  /**
   * Reads a `<character-string>` (RFC 1035 section 3.3): a byte with the length, and that many.
   *
   * @returns A copy of its 0 to 255 bytes.
   * @throws {DnsMessageError} If it would go beyond the end.
   */
  characterString(): Uint8Array<ArrayBuffer> {
    return this.take(this.u8());
  }

  /**
   * Reads a name, which may be compressed (RFC 1035 section 4.1.4). Pointers must lead strictly
   * backwards, so that every name takes a bounded time.
   *
   * @returns It as absolute text with its one escaping.
   * @throws {DnsMessageError} If it is broken.
   */
  name(): string {
    const bytes = this.bytes;
    const at = this.offset;
    // Mostly a name is nothing but a pointer to one that was read before.
    if (at + 2 <= this.end && bytes[at]! >= 0xc0) {
      const known = this.#recall((bytes[at]! & 0x3f) << 8 | bytes[at + 1]!, at);
      if (known !== undefined) {
        this.offset = at + 2;
        return known;
      }
    }
    return this.#readName();
  }

  /**
   * Reads a name that must not be compressed (RFC 3597 section 4).
   *
   * @returns It as absolute text with its one escaping.
   * @throws {DnsMessageError} If it is broken, or has a pointer.
   */
  uncompressedName(): string {
    const { bytes, end } = this;
    const start = this.offset;
    let text = "";
    for (let at = start;;) {
      if (at >= end) this.#failTruncated(1);
      const length = bytes[at++]!;
      if (length === 0) {
        this.offset = at;
        return text === "" ? "." : text;
      }
      if (length > 0x3f) {
        this.#fail(
          length < 0xc0 ? "ERR_DNS_BAD_NAME" : "ERR_DNS_BAD_POINTER",
          "Cannot decode name: it has a pointer or an unknown kind of label where none may be",
          at - 1,
        );
      }
      if (at + length >= end) this.#failTruncated(length + 1);
      if (at + length - start >= MAX_NAME_BYTES) this.#failLong(start);
      text += formatLabel(bytes, at, at + length);
      at += length;
    }
  }

  /**
   * Says that the RDATA at hand is malformed.
   *
   * @param reason What is wrong, as the end of a sentence.
   * @throws {DnsMessageError} Always.
   */
  fail(reason: string): never {
    this.#fail("ERR_DNS_BAD_RDATA", `Cannot decode RDATA: ${reason}`, this.offset);
  }

  /** The name whose first byte is `target`, as far as it, or one that ends in it, was read. */
  #recall(target: number, before: number): string | undefined {
    if (target >= before) return undefined;
    if (target === this.#lastTarget) return this.#lastName;
    const spans = this.#spans;
    for (let index = 0; index < spans.length; index++) {
      const span = spans[index]!;
      const skipped = target - (span >>> SPAN_BITS);
      if (skipped < 0 || target >= (span & SPAN_MASK)) continue;
      const name = this.#names[index]!;
      if (skipped === 0) return this.#recalled(target, name);
      // Without escapes a label is as long in text as on the wire, with a dot in place of its length.
      if (name.charCodeAt(skipped - 1) === DOT && !name.includes(BACKSLASH)) {
        return this.#recalled(target, name.slice(skipped));
      }
    }
    return undefined;
  }

  #recalled(target: number, name: string): string {
    this.#lastTarget = target;
    return this.#lastName = name;
  }

  #remember(name: string, start: number, stop: number): void {
    // A name without labels of its own is only another pointer, and none leads far from the start.
    if (start === stop || start >= POINTER_LIMIT || this.#names.length === MAX_REMEMBERED) return;
    this.#names.push(name);
    this.#spans.push(start << SPAN_BITS | stop);
  }

  #readName(): string {
    const bytes = this.bytes;
    const start = this.offset;
    let text = "";
    let end = this.end;
    let at = start;
    /** Below it a pointer has to lead. */
    let limit = start;
    let wireBytes = 1;
    let pointerCount = 0;
    let resumeAt = 0;
    for (;;) {
      if (at >= end) this.#failTruncated(1);
      const length = bytes[at]!;
      if (length === 0) break;
      if (length < 0x40) {
        if (at + 1 + length >= end) this.#failTruncated(length + 2);
        wireBytes += length + 1;
        if (wireBytes > MAX_NAME_BYTES) this.#failLong(start);
        text += formatLabel(bytes, at + 1, at + 1 + length);
        at += length + 1;
        continue;
      }
      if (length < 0xc0) this.#failLabelType(length, at);
      if (at + 2 > end) this.#failTruncated(2);
      const target = (length & 0x3f) << 8 | bytes[at + 1]!;
      if (target >= limit || ++pointerCount > MAX_POINTERS) this.#failPointer(at);
      if (pointerCount === 1) {
        resumeAt = at + 2;
        const known = this.#recall(target, start);
        if (known !== undefined) {
          if (wireBytes + known.length > MAX_NAME_BYTES && wireBytes + wireLength(known) > 256) {
            this.#failLong(start);
          }
          text = known === "." && text !== "" ? text : text + known;
          this.offset = resumeAt;
          this.#remember(text, start, at);
          return text;
        }
        end = bytes.length;
      }
      at = limit = target;
    }
    this.offset = pointerCount === 0 ? at + 1 : resumeAt;
    if (text === "") text = ".";
    this.#remember(text, start, pointerCount === 0 ? at : resumeAt - 2);
    return text;
  }

  #failPointer(offset: number): never {
    this.#fail(
      "ERR_DNS_BAD_POINTER",
      "Cannot decode name: a pointer does not lead strictly backwards, or there are too many",
      offset,
    );
  }

  #failLabelType(byte: number, offset: number): never {
    this.#fail(
      "ERR_DNS_BAD_NAME",
      // RFC 6891 section 5: extended labels are gone; the bits 10 were never in use.
      `Cannot decode name: 0x${byte.toString(16)} starts no label and no pointer`,
      offset,
    );
  }

  #failLong(offset: number): never {
    this.#fail("ERR_DNS_BAD_NAME", "Cannot decode name: it has more than 255 bytes", offset);
  }

  #failTruncated(count: number): never {
    this.#fail(
      "ERR_DNS_TRUNCATED",
      `Cannot decode field: it needs ${count} bytes, but there are ${this.remaining}`,
      this.offset,
    );
  }

  #fail(code: DnsMessageErrorCode, message: string, offset: number): never {
    throw new DnsMessageError(code, `${message} (offset ${offset})`, { offset });
  }
}

/** Every field without a byte: a message can hold 65,000 of them. */
const NOTHING = new Uint8Array(0);

/** A copy that is always a plain array, whatever `bytes` is: a `Buffer` would give a view. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(end - start);
  if (end - start > 24) copy.set(bytes.subarray(start, end));
  else for (let at = start; at < end; at++) copy[at - start] = bytes[at]!;
  return copy;
}

/** What the next copies are carved from, and how much of it was: no byte is given out twice. */
let piece = new Uint8Array(0);
let carvedBytes = 0;

function carveCopy(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  // A piece that somebody transferred has no length any more.
  if (carvedBytes + end - start > piece.length) {
    piece = new Uint8Array(PIECE_BYTES);
    carvedBytes = 0;
  }
  const copy = piece.subarray(carvedBytes, carvedBytes += end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/** Bytes of a name on the wire, from its text. */
function wireLength(name: string): number {
  let length = 1;
  for (let index = 0; index < name.length; index++) {
    if (name.charCodeAt(index) === 0x5c) {
      const next = name.charCodeAt(index + 1);
      index += next >= 0x30 && next <= 0x39 ? 3 : 1;
    }
    length++;
  }
  return name === "." ? 1 : length;
}
