// This module is sans-I/O.

import { HeadSlab } from "./_head_slab.ts";
import { decodeLatin1, equalsIgnoreCase } from "./ascii.ts";
import { type FieldParser, OFFSETS_PER_FIELD } from "./field_parser.ts";
import { checkFieldName, checkFieldValue } from "./field_text.ts";

/** What a {@linkcode HeaderList} can be made from. */
export type HeaderInit =
  | Iterable<readonly [name: string, value: string]>
  | Readonly<Record<string, string>>;

/** Memory of the lists over fields that came. */
const slab = new HeadSlab();

/**
 * An ordered list of header fields. Unlike `Headers` it keeps duplicates, the
 * order and the spelling of names; lookups ignore case. A received list decodes
 * a field only when it is asked for.
 *
 * @example Duplicates and order
 * ```ts
 * import { HeaderList } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = new HeaderList([["Accept", "text/html"], ["X-Id", "1"], ["accept", "*\/*"]]);
 * assertEquals(headers.get("ACCEPT"), "text/html, *\/*");
 * assertEquals(headers.getAll("accept"), ["text/html", "*\/*"]);
 * assertEquals([...headers.names()], ["Accept", "X-Id", "accept"]);
 * ```
 */
export class HeaderList implements Iterable<[name: string, value: string]> {
  /** A field that came is filled in when it is asked for. */
  readonly #names: (string | undefined)[] = [];
  readonly #values: (string | undefined)[] = [];
  #size = 0;
  #wire: Uint8Array | undefined;
  /** Where the section starts in the wire bytes. */
  #base = 0;
  #offsets: number[] | undefined;

  /**
   * Makes a list.
   *
   * @param init Fields to start with, in order.
   * @throws {TypeError} If a name or value cannot stand in a message.
   */
  constructor(init?: HeaderInit) {
    if (init === undefined) return;
    const fields = Symbol.iterator in init
      ? init as Iterable<readonly [string, string]>
      : Object.entries(init);
    for (const [name, value] of fields) this.append(name, value);
  }

  /** A list over fields just parsed; it copies the bytes it needs. */
  static fromFields(bytes: Uint8Array, base: number, fields: FieldParser): HeaderList {
    const list = new HeaderList();
    slab.store(bytes, base, fields.length);
    list.#wire = slab.bytes;
    list.#base = slab.start;
    list.#size = fields.count;
    const { offsets } = fields;
    // A plain array: a typed one would have memory outside the heap.
    const kept: number[] = [];
    for (let at = 0; at < fields.count * OFFSETS_PER_FIELD; at++) kept.push(offsets[at]!);
    list.#offsets = kept;
    return list;
  }

  /** Number of fields, duplicates counted. */
  get size(): number {
    return this.#size;
  }

  /**
   * The value of a field; several are joined by `, `, those of `Cookie` by `; `
   * (RFC 9110 section 5.3). `Set-Cookie` cannot be joined: the first one is
   * given, {@linkcode HeaderList.getAll} gives all.
   *
   * @param name Name in any case.
   * @returns The value, or `undefined` without such a field.
   */
  get(name: string): string | undefined {
    const lower = name.toLowerCase();
    let joined: string | undefined;
    for (let index = 0; index < this.#size; index++) {
      if (!this.#isNamed(index, lower)) continue;
      const value = this.#value(index);
      if (joined === undefined) joined = value;
      else joined += (lower === "cookie" ? "; " : ", ") + value;
      if (lower === "set-cookie") break;
    }
    return joined;
  }

  /**
   * Every value of a field, in order.
   *
   * @param name Name in any case.
   * @returns The values; none without such a field.
   */
  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    const values: string[] = [];
    for (let index = 0; index < this.#size; index++) {
      if (this.#isNamed(index, lower)) values.push(this.#value(index));
    }
    return values;
  }

  /**
   * Whether there is such a field.
   *
   * @param name Name in any case.
   */
  has(name: string): boolean {
    const lower = name.toLowerCase();
    for (let index = 0; index < this.#size; index++) {
      if (this.#isNamed(index, lower)) return true;
    }
    return false;
  }

  /**
   * Adds a field at the end.
   *
   * @param name Name as it is to be sent.
   * @param value Value, without blanks at its ends.
   * @throws {TypeError} If name or value cannot stand in a message.
   */
  append(name: string, value: string): void {
    checkFieldName(name);
    checkFieldValue(value);
    this.#push(name, value);
  }

  /**
   * Replaces all fields of a name by one, in the place of the first.
   *
   * @param name Name as it is to be sent.
   * @param value Value, without blanks at its ends.
   * @throws {TypeError} If name or value cannot stand in a message.
   */
  set(name: string, value: string): void {
    checkFieldName(name);
    checkFieldValue(value);
    const lower = name.toLowerCase();
    this.#decodeAll();
    let isSet = false;
    this.#keep((index) => {
      if (!this.#isNamed(index, lower)) return true;
      if (isSet) return false;
      isSet = true;
      this.#names[index] = name;
      this.#values[index] = value;
      return true;
    });
    if (!isSet) this.#push(name, value);
  }

  /**
   * Removes all fields of a name.
   *
   * @param name Name in any case.
   */
  delete(name: string): void {
    const lower = name.toLowerCase();
    this.#decodeAll();
    this.#keep((index) => !this.#isNamed(index, lower));
  }

  /**
   * Visits every field in order: an iterator makes a pair for each.
   *
   * @param visit Called with the name as it came, and the value. It must not
   * change the list.
   */
  forEach(visit: (name: string, value: string) => void): void {
    for (let index = 0; index < this.#size; index++) visit(this.#name(index), this.#value(index));
  }

  /** The names in order, spelled as they came. */
  *names(): IterableIterator<string> {
    for (let index = 0; index < this.#size; index++) yield this.#name(index);
  }

  /** Name and value of every field, in order. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let index = 0; index < this.#size; index++) {
      yield [this.#name(index), this.#value(index)];
    }
  }

  #push(name: string, value: string): void {
    this.#names[this.#size] = name;
    this.#values[this.#size] = value;
    this.#size++;
  }

  #isNamed(index: number, lower: string): boolean {
    const name = this.#names[index];
    if (name !== undefined) {
      return name.length === lower.length && name.toLowerCase() === lower;
    }
    const at = index * OFFSETS_PER_FIELD;
    const start = this.#base + this.#offsets![at]!;
    return equalsIgnoreCase(this.#wire!, start, this.#base + this.#offsets![at + 1]!, lower);
  }

  #name(index: number): string {
    return this.#names[index] ??= this.#decode(index * OFFSETS_PER_FIELD);
  }

  #value(index: number): string {
    return this.#values[index] ??= this.#decode(index * OFFSETS_PER_FIELD + 2);
  }

  #decode(at: number): string {
    const start = this.#base + this.#offsets![at]!;
    return decodeLatin1(this.#wire!, start, this.#base + this.#offsets![at + 1]!);
  }

  /** Before fields move: offsets are found by index. */
  #decodeAll(): void {
    if (this.#wire === undefined) return;
    for (let index = 0; index < this.#size; index++) {
      this.#name(index);
      this.#value(index);
    }
    this.#wire = undefined;
    this.#offsets = undefined;
  }

  #keep(predicate: (index: number) => boolean): void {
    let kept = 0;
    for (let index = 0; index < this.#size; index++) {
      if (!predicate(index)) continue;
      this.#names[kept] = this.#names[index];
      this.#values[kept] = this.#values[index];
      kept++;
    }
    this.#names.length = kept;
    this.#values.length = kept;
    this.#size = kept;
  }
}
