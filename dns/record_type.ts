// This module is sans-I/O.

import { MnemonicTable } from "./_mnemonics.ts";

/** Types of resource records and of questions (IANA, DNS Parameters). */
const TYPES = new MnemonicTable("TYPE", 65535, [
  [1, "A"],
  [2, "NS"],
  [3, "MD"],
  [4, "MF"],
  [5, "CNAME"],
  [6, "SOA"],
  [7, "MB"],
  [8, "MG"],
  [9, "MR"],
  [10, "NULL"],
  [11, "WKS"],
  [12, "PTR"],
  [13, "HINFO"],
  [14, "MINFO"],
  [15, "MX"],
  [16, "TXT"],
  [17, "RP"],
  [18, "AFSDB"],
  [19, "X25"],
  [20, "ISDN"],
  [21, "RT"],
  [22, "NSAP"],
  [23, "NSAP-PTR"],
  [24, "SIG"],
  [25, "KEY"],
  [26, "PX"],
  [27, "GPOS"],
  [28, "AAAA"],
  [29, "LOC"],
  [30, "NXT"],
  [31, "EID"],
  [32, "NIMLOC"],
  [33, "SRV"],
  [34, "ATMA"],
  [35, "NAPTR"],
  [36, "KX"],
  [37, "CERT"],
  [38, "A6"],
  [39, "DNAME"],
  [40, "SINK"],
  [41, "OPT"],
  [42, "APL"],
  [43, "DS"],
  [44, "SSHFP"],
  [45, "IPSECKEY"],
  [46, "RRSIG"],
  [47, "NSEC"],
  [48, "DNSKEY"],
  [49, "DHCID"],
  [50, "NSEC3"],
  [51, "NSEC3PARAM"],
  [52, "TLSA"],
  [53, "SMIMEA"],
  [55, "HIP"],
  [56, "NINFO"],
  [57, "RKEY"],
  [58, "TALINK"],
  [59, "CDS"],
  [60, "CDNSKEY"],
  [61, "OPENPGPKEY"],
  [62, "CSYNC"],
  [63, "ZONEMD"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [66, "DSYNC"],
  [67, "HHIT"],
  [68, "BRID"],
  [99, "SPF"],
  [100, "UINFO"],
  [101, "UID"],
  [102, "GID"],
  [103, "UNSPEC"],
  [104, "NID"],
  [105, "L32"],
  [106, "L64"],
  [107, "LP"],
  [108, "EUI48"],
  [109, "EUI64"],
  [128, "NXNAME"],
  [249, "TKEY"],
  [250, "TSIG"],
  [251, "IXFR"],
  [252, "AXFR"],
  [253, "MAILB"],
  [254, "MAILA"],
  [255, "ANY"],
  [256, "URI"],
  [257, "CAA"],
  [258, "AVC"],
  [259, "DOA"],
  [260, "AMTRELAY"],
  [261, "RESINFO"],
  [262, "WALLET"],
  [263, "CLA"],
  [264, "IPN"],
  [32768, "TA"],
  [32769, "DLV"],
]);

/**
 * Names a type of records by its number.
 *
 * @param code The number, 0 to 65,535.
 * @returns The mnemonic; `TYPE` and the number where it has none.
 * @throws {RangeError} If `code` is no integer in that range.
 *
 * @example With and without a name
 * ```ts
 * import { formatRecordType } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatRecordType(65), "HTTPS");
 * assertEquals(formatRecordType(65280), "TYPE65280");
 * ```
 */
export function formatRecordType(code: number): string {
  return TYPES.format(code);
}

/**
 * Gives the number of a type of records.
 *
 * @param text Its mnemonic, or `TYPE` and a number without leading zeros, in any case.
 * @returns The number; `undefined` if the text names none.
 *
 * @example With and without a name
 * ```ts
 * import { parseRecordType } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRecordType("HTTPS"), 65);
 * assertEquals(parseRecordType("TYPE65280"), 65280);
 * assertEquals(parseRecordType("x"), undefined);
 * ```
 */
export function parseRecordType(text: string): number | undefined {
  return TYPES.parse(text);
}
