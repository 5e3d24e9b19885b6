// This module is sans-I/O.

/**
 * {@linkcode readFlatJson}: JSON of a simple shape, with the place of every
 * mistake. `JSON.parse` names the place in some of its messages only, and takes
 * the last of two equal keys.
 *
 * @module
 */

/** What is wrong with a text, and where. */
export class TextMistake extends Error {
  /** Index of the character, in UTF-16 code units. */
  readonly offset: number;

  /** Makes the mistake. */
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** One field of an object. */
export interface FlatField {
  readonly keyOffset: number;
  readonly value: string | number;
  readonly valueOffset: number;
}

/** One object, its fields by their keys. */
export interface FlatObject {
  readonly offset: number;
  readonly fields: ReadonlyMap<string, FlatField>;
}

const SPACE = /[ \t\n\r]*/y;
/** Between the quotes: all but quotes, backslashes and control characters; or an escape. */
const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/**
 * Reads an array of objects whose values are strings and numbers (RFC 8259),
 * object by object.
 *
 * @param text The JSON.
 * @returns The objects, read one by one.
 * @throws {TextMistake} If the text is anything else.
 */
export function* readFlatJson(text: string): Generator<FlatObject, void> {
  const scanner = new Scanner(text);
  scanner.expect("[", "an array");
  if (!scanner.skip("]")) {
    do yield readObject(scanner); while (scanner.skip(","));
    scanner.expect("]", "a comma or the end of the array");
  }
  scanner.expectEnd();
}

function readObject(scanner: Scanner): FlatObject {
  const { offset } = scanner;
  const fields = new Map<string, FlatField>();
  scanner.expect("{", "an object");
  if (scanner.skip("}")) return { offset, fields };
  do {
    const keyOffset = scanner.offset;
    const key = scanner.string();
    if (key === undefined) throw scanner.mistake("a key");
    if (fields.has(key)) throw new TextMistake(`${JSON.stringify(key)} comes twice`, keyOffset);
    scanner.expect(":", "a colon");
    const valueOffset = scanner.offset;
    const value = scanner.string() ?? scanner.number();
    if (value === undefined) throw scanner.mistake("a string or a number");
    fields.set(key, { keyOffset, value, valueOffset });
  } while (scanner.skip(","));
  scanner.expect("}", "a comma or the end of the object");
  return { offset, fields };
}

/** A position in a text that is never before white space. */
class Scanner {
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
    this.#take(SPACE);
  }

  get offset(): number {
    return this.#offset;
  }

  /** Takes a character if it is next. */
  skip(character: string): boolean {
    if (this.#text[this.#offset] !== character) return false;
    this.#offset++;
    this.#take(SPACE);
    return true;
  }

  /** Takes a character that must be next. */
  expect(character: string, what: string): void {
    if (!this.skip(character)) throw this.mistake(what);
  }

  expectEnd(): void {
    if (this.#offset < this.#text.length) throw this.mistake("the end");
  }

  /** Takes a string if one is next. */
  string(): string | undefined {
    const token = this.#takeToken(STRING);
    return token === undefined ? undefined : JSON.parse(token) as string;
  }

  /** Takes a number if one is next. */
  number(): number | undefined {
    const token = this.#takeToken(NUMBER);
    return token === undefined ? undefined : Number(token);
  }

  mistake(expected: string): TextMistake {
    const found = this.#offset < this.#text.length
      ? JSON.stringify(this.#text[this.#offset])
      : "the end";
    return new TextMistake(`found ${found}, expected ${expected}`, this.#offset);
  }

  #takeToken(pattern: RegExp): string | undefined {
    const token = this.#take(pattern);
    if (token !== undefined) this.#take(SPACE);
    return token;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const token = pattern.exec(this.#text)?.[0];
    this.#offset += token?.length ?? 0;
    return token;
  }
}
