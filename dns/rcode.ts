// This module is sans-I/O.

import { MnemonicTable } from "./_mnemonics.ts";

/** Response codes (IANA, DNS Parameters). */
const RCODES = new MnemonicTable("RCODE", 4095, [
  [0, "NOERROR"],
  [1, "FORMERR"],
  [2, "SERVFAIL"],
  [3, "NXDOMAIN"],
  [4, "NOTIMP"],
  [5, "REFUSED"],
  [6, "YXDOMAIN"],
  [7, "YXRRSET"],
  [8, "NXRRSET"],
  [9, "NOTAUTH"],
  [10, "NOTZONE"],
  [11, "DSOTYPENI"],
  // RFC 8945 section 3: in TSIG it has this name. The last one is printed.
  [16, "BADSIG"],
  [16, "BADVERS"],
  [17, "BADKEY"],
  [18, "BADTIME"],
  [19, "BADMODE"],
  [20, "BADNAME"],
  [21, "BADALG"],
  [22, "BADTRUNC"],
  [23, "BADCOOKIE"],
]);

/**
 * Names a response code, with the eight bits of EDNS above the four of the header, by its number.
 *
 * @param code The number, 0 to 4,095.
 * @returns The mnemonic; `RCODE` and the number where it has none.
 * @throws {RangeError} If `code` is no integer in that range.
 *
 * @example With and without a name
 * ```ts
 * import { formatRcode } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatRcode(3), "NXDOMAIN");
 * assertEquals(formatRcode(3841), "RCODE3841");
 * ```
 */
export function formatRcode(code: number): string {
  return RCODES.format(code);
}

/**
 * Gives the number of a response code, with the eight bits of EDNS above the four of the header.
 *
 * @param text Its mnemonic, or `RCODE` and a number without leading zeros, in any case.
 * @returns The number; `undefined` if the text names none.
 *
 * @example With and without a name
 * ```ts
 * import { parseRcode } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRcode("NXDOMAIN"), 3);
 * assertEquals(parseRcode("RCODE3841"), 3841);
 * assertEquals(parseRcode("x"), undefined);
 * ```
 */
export function parseRcode(text: string): number | undefined {
  return RCODES.parse(text);
}
