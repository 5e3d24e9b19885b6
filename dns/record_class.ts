// This module is sans-I/O.

import { MnemonicTable } from "./_mnemonics.ts";

/** Classes (IANA, DNS Parameters). */
const CLASSES = new MnemonicTable("CLASS", 65535, [
  [1, "IN"],
  [3, "CH"],
  [4, "HS"],
  [254, "NONE"],
  [255, "ANY"],
]);

/**
 * Names a class of records by its number.
 *
 * @param code The number, 0 to 65,535.
 * @returns The mnemonic; `CLASS` and the number where it has none.
 * @throws {RangeError} If `code` is no integer in that range.
 *
 * @example With and without a name
 * ```ts
 * import { formatRecordClass } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatRecordClass(1), "IN");
 * assertEquals(formatRecordClass(32), "CLASS32");
 * ```
 */
export function formatRecordClass(code: number): string {
  return CLASSES.format(code);
}

/**
 * Gives the number of a class of records.
 *
 * @param text Its mnemonic, or `CLASS` and a number without leading zeros, in any case.
 * @returns The number; `undefined` if the text names none.
 *
 * @example With and without a name
 * ```ts
 * import { parseRecordClass } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRecordClass("IN"), 1);
 * assertEquals(parseRecordClass("CLASS32"), 32);
 * assertEquals(parseRecordClass("x"), undefined);
 * ```
 */
export function parseRecordClass(text: string): number | undefined {
  return CLASSES.parse(text);
}
