// This module is sans-I/O.

/** Extended error codes (IANA, RFC 8914 section 5.2), by number. */
const NAMES: readonly string[] = [
  "Other Error",
  "Unsupported DNSKEY Algorithm",
  "Unsupported DS Digest Type",
  "Stale Answer",
  "Forged Answer",
  "DNSSEC Indeterminate",
  "DNSSEC Bogus",
  "Signature Expired",
  "Signature Not Yet Valid",
  "DNSKEY Missing",
  "RRSIGs Missing",
  "No Zone Key Bit Set",
  "NSEC Missing",
  "Cached Error",
  "Not Ready",
  "Blocked",
  "Censored",
  "Filtered",
  "Prohibited",
  "Stale NXDomain Answer",
  "Not Authoritative",
  "Not Supported",
  "No Reachable Authority",
  "Network Error",
  "Invalid Data",
  "Signature Expired before Valid",
  "Too Early",
  "Unsupported NSEC3 Iterations Value",
  "Unable to conform to policy",
  "Synthesized",
  "Invalid Query Type",
];

/**
 * Says what an extended error is (RFC 8914 section 4).
 *
 * @param infoCode Its number, 0 to 65,535.
 * @returns Its name in the registry of IANA; `undefined` where it has none.
 *
 * @example Of an option in an answer
 * ```ts
 * import { formatExtendedError } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatExtendedError(7), "Signature Expired");
 * assertEquals(formatExtendedError(49_152), undefined);
 * ```
 */
export function formatExtendedError(infoCode: number): string | undefined {
  return NAMES[infoCode];
}
