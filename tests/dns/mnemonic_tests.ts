/** The tests of a table of mnemonics, of which there are four. */

import { assertEquals, assertThrows } from "@std/assert";

/** One registry of IANA. */
export interface MnemonicRegistry {
  /** Name of the function that formats, and of that which parses. */
  readonly names: readonly [format: string, parse: string];
  format(code: number): string;
  parse(text: string): number | undefined;
  /** What stands before a number without a name. */
  readonly prefix: string;
  readonly max: number;
  /** A few numbers and what they are called. */
  readonly named: readonly (readonly [code: number, text: string])[];
}

/** Defines the tests. */
export function testMnemonics(
  { names, format, parse, prefix, max, named }: MnemonicRegistry,
): void {
  Deno.test(`${names[0]}() and ${names[1]}() agree on every number`, () => {
    const seen = new Set<string>();
    for (let code = 0; code <= max; code++) {
      const text = format(code);
      assertEquals([parse(text), parse(text.toLowerCase())], [code, code]);
      assertEquals(parse(`${prefix}${code}`), code);
      seen.add(text);
    }
    assertEquals(seen.size, max + 1);
  });

  Deno.test(`${names[0]}() knows the names of the registry`, () => {
    for (const [code, text] of named) assertEquals(format(code), text);
  });

  Deno.test(`${names[0]}() throws on what is no such number`, () => {
    for (const code of [-1, 0.5, NaN, max + 1]) assertThrows(() => format(code), RangeError);
  });

  Deno.test(`${names[1]}() takes nothing else`, () => {
    const endings = ["", "-1", "01", "1.0", " 1", "1e1", `${max + 1}`, "\u0661"];
    for (const ending of endings) assertEquals(parse(prefix + ending), undefined);
    // In upper case this is "SOA", and the other one is "IN".
    for (const text of ["", "X", "\u017foa", "\u0131n"]) assertEquals(parse(text), undefined);
  });
}
