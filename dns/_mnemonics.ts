// This module is sans-I/O.

/** Up to here a code is found by its index; the few above it are looked up. */
const DENSE_COUNT = 512;
const DECIMAL = /^(?:0|[1-9][0-9]{0,4})$/;

/** Names of the numbers of one IANA registry, and a form for those without a name. */
export class MnemonicTable {
  readonly #prefix: string;
  readonly #max: number;
  readonly #dense: (string | undefined)[];
  readonly #names: Map<number, string>;
  readonly #codes: Map<string, number>;

  /** `prefix` before the decimal of a number that has no name, `max` the largest number. */
  constructor(prefix: string, max: number, entries: readonly (readonly [number, string])[]) {
    this.#prefix = prefix;
    this.#max = max;
    this.#names = new Map(entries);
    this.#codes = new Map(entries.map(([code, name]) => [name, code]));
    this.#dense = Array.from({ length: DENSE_COUNT }, (_, code) => this.#names.get(code));
  }

  format(code: number): string {
    return this.#dense[code] ?? this.#names.get(code) ?? this.#formatUnnamed(code);
  }

  parse(text: string): number | undefined {
    const code = this.#codes.get(text);
    if (code !== undefined) return code;
    const upper = text.toUpperCase();
    // "ſ" and "ı" become ASCII letters in upper case.
    if (upper.length !== text.length || /[^!-~]/.test(text)) return undefined;
    return this.#codes.get(upper) ?? this.#parseUnnamed(upper);
  }

  #parseUnnamed(upper: string): number | undefined {
    if (!upper.startsWith(this.#prefix)) return undefined;
    const digits = upper.slice(this.#prefix.length);
    if (!DECIMAL.test(digits)) return undefined;
    const code = Number(digits);
    return code <= this.#max ? code : undefined;
  }

  #formatUnnamed(code: number): string {
    if (Number.isInteger(code) && code >= 0 && code <= this.#max) return this.#prefix + code;
    throw new RangeError(
      `Cannot format ${this.#prefix} ${code}: expected an integer from 0 to ${this.#max}`,
    );
  }
}
