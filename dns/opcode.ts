// This module is sans-I/O.

import { MnemonicTable } from "./_mnemonics.ts";

/** Operation codes (IANA, DNS Parameters). */
const OPCODES = new MnemonicTable("OPCODE", 15, [
  [0, "QUERY"],
  [1, "IQUERY"],
  [2, "STATUS"],
  [4, "NOTIFY"],
  [5, "UPDATE"],
  [6, "DSO"],
]);

/**
 * Names a kind of message by its number.
 *
 * @param code The number, 0 to 15.
 * @returns The mnemonic; `OPCODE` and the number where it has none.
 * @throws {RangeError} If `code` is no integer in that range.
 *
 * @example With and without a name
 * ```ts
 * import { formatOpcode } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatOpcode(4), "NOTIFY");
 * assertEquals(formatOpcode(3), "OPCODE3");
 * ```
 */
export function formatOpcode(code: number): string {
  return OPCODES.format(code);
}

/**
 * Gives the number of a kind of message.
 *
 * @param text Its mnemonic, or `OPCODE` and a number without leading zeros, in any case.
 * @returns The number; `undefined` if the text names none.
 *
 * @example With and without a name
 * ```ts
 * import { parseOpcode } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseOpcode("NOTIFY"), 4);
 * assertEquals(parseOpcode("OPCODE3"), 3);
 * assertEquals(parseOpcode("x"), undefined);
 * ```
 */
export function parseOpcode(text: string): number | undefined {
  return OPCODES.parse(text);
}
