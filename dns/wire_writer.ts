// This module is sans-I/O.

import { CompressionTable, ROOT } from "./_compression_table.ts";
import { MAX_NAME_BYTES, quoteName, writeNameWire } from "./_name_text.ts";
import { DnsMessageError } from "./errors.ts";

/** Bounds of a {@linkcode WireWriter}. */
export interface WireWriterOptions {
  /**
   * Size of the whole, 0 to 16,777,216 bytes.
   *
   * @default {65535}
   */
  readonly maxBytes?: number;
  /**
   * Labels that later names may point to, 0 to 8,192; 0 switches compression off.
   *
   * @default {1024}
   */
  readonly maxCompressionLabels?: number;
}

const DEFAULT_MAX_BYTES = 65_535;
const MOST_BYTES = 2 ** 24;
const DEFAULT_LABELS = 1024;
const MOST_LABELS = 8192;
const FIRST_CAPACITY = 4096;
/** RFC 1035 section 4.1.4: the offset of a pointer has 14 bits. */
const POINTER_LIMIT = 0x4000;
/** Whole names that are looked at before the tree of labels. */
const MAX_RECENT = 8;

/**
 * What a finished writer leaves to the next one: most messages are small, and a buffer and a table
 * for each would cost more than writing them (`tests/bench/dns`). Nothing is read from either
 * before it is written.
 */
let spareBuffer: Uint8Array<ArrayBuffer> | undefined;
let spareTable: CompressionTable | undefined;

/**
 * Writes the fields of a message or of RDATA in network order. A value that does not fit its field
 * is refused, never cut.
 *
 * @example A name, and a pointer to it
 * ```ts
 * import { WireWriter } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const writer = new WireWriter();
 * writer.name("a.de.");
 * writer.name("b.de.");
 * assertEquals(writer.finish(), new Uint8Array([1, 97, 2, 100, 101, 0, 1, 98, 0xc0, 2]));
 * ```
 */
export class WireWriter {
  /**
   * Whether names are lower-cased and never compressed, as in the canonical form of RFC 4034
   * section 6.2. Whoever makes that form sets it.
   */
  canonical = false;

  readonly #maxBytes: number;
  readonly #maxLabels: number;
  #buffer: Uint8Array<ArrayBuffer>;
  #length = 0;
  #table: CompressionTable | undefined;
  #recentNames: string[] = [];
  #recentOffsets: number[] = [];

  /**
   * Makes a writer with nothing in it.
   *
   * @param options Bounds.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: WireWriterOptions = NO_OPTIONS) {
    this.#maxBytes = checkCount("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, MOST_BYTES);
    this.#maxLabels = checkCount(
      "maxCompressionLabels",
      options.maxCompressionLabels ?? DEFAULT_LABELS,
      MOST_LABELS,
    );
    this.#buffer = spareBuffer ?? new Uint8Array(FIRST_CAPACITY);
    spareBuffer = undefined;
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /**
   * Writes one byte.
   *
   * @param value 0 to 255.
   * @throws {DnsMessageError} If the value is out of range, or the whole too long.
   */
  u8(value: number): void {
    if ((value & 0xff) !== value) this.#failNumber(value, 0xff);
    const at = this.#grow(1);
    this.#buffer[at] = value;
  }

  /**
   * Writes two bytes.
   *
   * @param value 0 to 65,535.
   * @throws {DnsMessageError} If the value is out of range, or the whole too long.
   */
  u16(value: number): void {
    if ((value & 0xffff) !== value) this.#failNumber(value, 0xffff);
    const at = this.#grow(2);
    const buffer = this.#buffer;
    buffer[at] = value >>> 8;
    buffer[at + 1] = value;
  }

  /**
   * Writes four bytes.
   *
   * @param value 0 to 4,294,967,295.
   * @throws {DnsMessageError} If the value is out of range, or the whole too long.
   */
  u32(value: number): void {
    if (value >>> 0 !== value) this.#failNumber(value, 0xffffffff);
    const at = this.#grow(4);
    const buffer = this.#buffer;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  }

  /**
   * Writes six bytes.
   *
   * @param value 0 to 2**48 - 1.
   * @throws {DnsMessageError} If the value is out of range, or the whole too long.
   */
  u48(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 48) {
      this.#failNumber(value, 2 ** 48 - 1);
    }
    this.u16(Math.floor(value / 2 ** 32));
    this.u32(value % 2 ** 32);
  }

  /**
   * Writes eight bytes.
   *
   * @param value 0 to 2**64 - 1.
   * @throws {DnsMessageError} If the value is out of range, or the whole too long.
   */
  u64(value: bigint): void {
    if (value < 0n || value >= 1n << 64n) this.#failNumber(value, (1n << 64n) - 1n);
    this.u32(Number(value >> 32n));
    this.u32(Number(value & 0xffffffffn));
  }

  /**
   * Writes bytes as they are.
   *
   * @param bytes They are copied.
   * @throws {DnsMessageError} If the whole gets too long.
   */
  bytes(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /**
   * Writes a `<character-string>` (RFC 1035 section 3.3).
   *
   * @param bytes At most 255, which are copied.
   * @throws {DnsMessageError} If there are more, or the whole gets too long.
   */
  characterString(bytes: Uint8Array): void {
    if (bytes.length > 0xff) {
      this.fail(`a character-string has ${bytes.length} bytes, more than 255`);
    }
    this.u8(bytes.length);
    this.bytes(bytes);
  }

  /**
   * Writes a name, compressed against those before it. Only for the owner of a record and the names
   * in types of RFC 1035 (RFC 3597 section 4). Labels match only in their case, so that every name
   * comes back as it was.
   *
   * @param name Text; without a final dot it counts as absolute nevertheless.
   * @throws {DnsMessageError} If it is no name, or the whole gets too long.
   */
  name(name: string): void {
    if (this.canonical || this.#maxLabels === 0) return this.uncompressedName(name);
    const recent = this.#recentNames;
    for (let index = 0; index < recent.length; index++) {
      if (recent[index] === name) return this.u16(0xc000 | this.#recentOffsets[index]!);
    }
    const start = this.#writeName(name);
    this.#compress(start);
    this.#checkLength(start);
    const first = this.#buffer[start]!;
    // Nobody points to a pointer, nor to the root.
    if (first === 0 || first >= 0xc0) return;
    if (start < POINTER_LIMIT && recent.length < MAX_RECENT) {
      recent.push(name);
      this.#recentOffsets.push(start);
    }
  }

  /**
   * Writes a name without compression.
   *
   * @param name Text; without a final dot it counts as absolute nevertheless.
   * @throws {DnsMessageError} If it is no name, or the whole gets too long.
   */
  uncompressedName(name: string): void {
    const start = this.#writeName(name);
    this.#checkLength(start);
    if (!this.canonical) return;
    const buffer = this.#buffer;
    // Lengths are at most 63, below the upper case letters.
    for (let at = start; at < this.#length; at++) {
      if (buffer[at]! >= 0x41 && buffer[at]! <= 0x5a) buffer[at]! |= 0x20;
    }
  }

  /**
   * Writes over two bytes that are there already, as with the length of RDATA.
   *
   * @param offset Where they are, 0 to the length less 2.
   * @param value 0 to 65,535.
   * @throws {DnsMessageError} If the value is out of range.
   * @throws {RangeError} If the offset is.
   */
  setU16(offset: number, value: number): void {
    if ((value & 0xffff) !== value) this.#failNumber(value, 0xffff);
    if (!(offset >= 0 && offset + 2 <= this.#length)) {
      throw new RangeError(`Cannot write at ${offset}: expected 0 to ${this.#length - 2}`);
    }
    this.#buffer[offset] = value >>> 8;
    this.#buffer[offset + 1] = value;
  }

  /**
   * Takes back what was written behind a field, and forgets the names there.
   *
   * @param length What stays, 0 to the length.
   * @throws {RangeError} If it is out of range.
   */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.#length)) {
      throw new RangeError(`Cannot truncate to ${length}: expected 0 to ${this.#length}`);
    }
    this.#length = length;
    this.#table?.cut(length);
    while (this.#recentOffsets.length > 0 && this.#recentOffsets.at(-1)! >= length) {
      this.#recentNames.pop();
      this.#recentOffsets.pop();
    }
  }

  /**
   * Ends the writing and empties the writer.
   *
   * @returns What was written, in an array of its own.
   */
  finish(): Uint8Array<ArrayBuffer> {
    const written = this.#buffer.slice(0, this.#length);
    if (this.#buffer.length <= DEFAULT_MAX_BYTES + MAX_NAME_BYTES) spareBuffer = this.#buffer;
    this.#buffer = EMPTY;
    if (this.#table !== undefined && this.#maxLabels === DEFAULT_LABELS) spareTable = this.#table;
    this.#table = undefined;
    this.#length = 0;
    this.#recentNames = [];
    this.#recentOffsets = [];
    return written;
  }

  /**
   * Says that a value does not fit the wire.
   *
   * @param reason What is wrong, as the end of a sentence.
   * @throws {DnsMessageError} Always.
   */
  fail(reason: string): never {
    throw new DnsMessageError("ERR_DNS_BAD_VALUE", `Cannot encode field: ${reason}`);
  }

  /** Writes a name as it is; gives its first offset. */
  #writeName(name: string): number {
    const start = this.#length;
    if (start + MAX_NAME_BYTES + 1 > this.#buffer.length) this.#enlarge(start + MAX_NAME_BYTES + 1);
    const end = writeNameWire(name, this.#buffer, start, failName);
    this.#length = end;
    return start;
  }

  /** Puts a pointer in place of the longest end of the name at `start` that stands elsewhere. */
  #compress(start: number): void {
    const table = this.#table ??= takeTable(this.#maxLabels);
    const buffer = this.#buffer;
    let count = 0;
    for (let at = start; buffer[at] !== 0; at += buffer[at]! + 1) LABEL_STARTS[count++] = at;
    if (count === 0) return;
    let parent = ROOT;
    let index = count - 1;
    for (; index >= 0; index--) {
      const entry = table.find(buffer, LABEL_STARTS[index]!, parent);
      if (entry === -1) break;
      parent = entry;
    }
    if (index < count - 1) {
      const at = LABEL_STARTS[index + 1]!;
      const target = table.offsetOf(parent);
      buffer[at] = 0xc0 | target >>> 8;
      buffer[at + 1] = target;
      this.#length = at + 2;
    }
    if (this.#length > this.#maxBytes) return;
    for (; index >= 0; index--) {
      const at = LABEL_STARTS[index]!;
      // What stands in front of it may be near enough, but would need this one.
      if (at >= POINTER_LIMIT) break;
      parent = table.add(buffer, at, parent);
      if (parent === -1) break;
    }
  }

  /** Takes back the name at `start` if it is too much; only then is it known how long it is. */
  #checkLength(start: number): void {
    const end = this.#length;
    if (end <= this.#maxBytes) return;
    this.#length = start;
    this.#failLong(end);
  }

  /** Makes room for `count` bytes more; gives the offset of the first. */
  #grow(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#maxBytes) this.#failLong(end);
    if (end > this.#buffer.length) this.#enlarge(end);
    this.#length = end;
    return at;
  }

  #enlarge(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2, FIRST_CAPACITY));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }

  #failLong(length: number): never {
    throw new DnsMessageError(
      "ERR_DNS_TOO_LONG",
      `Cannot encode field: it would end at ${length}, the whole has at most ${this.#maxBytes} bytes`,
    );
  }

  #failNumber(value: number | bigint, max: number | bigint): never {
    return this.fail(`${String(value).slice(0, 32)} is not an integer from 0 to ${max}`);
  }
}

const NO_OPTIONS: WireWriterOptions = {};
const EMPTY = new Uint8Array(0);
/** First bytes of the labels of the name at hand. */
const LABEL_STARTS = new Int32Array(128);

function takeTable(maxLabels: number): CompressionTable {
  if (maxLabels !== DEFAULT_LABELS || spareTable === undefined) {
    return new CompressionTable(maxLabels);
  }
  const table = spareTable;
  spareTable = undefined;
  table.clear();
  return table;
}

function failName(text: string, reason: string): never {
  throw new DnsMessageError(
    "ERR_DNS_BAD_NAME",
    `Cannot encode name ${quoteName(text)}: ${reason}`,
  );
}

function checkCount(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new RangeError(`Cannot use ${name} ${value}: expected an integer from 0 to ${most}`);
}
