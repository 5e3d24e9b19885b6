// This module is sans-I/O.

/**
 * What RFC 6724 says of a single address: its precedence and label (section
 * 2.1), its scope (section 3) and how much of it another one shares (section
 * 2.2).
 *
 * @module
 */

import { type IpAddress, parseIpv6 } from "./ip_address.ts";

/** A row of the policy table. */
export interface AddressPolicy {
  /** Destinations with a higher one come first. */
  readonly precedence: number;
  /** Source and destination should have the same. */
  readonly label: number;
}

interface PolicyRow extends AddressPolicy {
  readonly prefix: Uint8Array;
  readonly prefixBits: number;
}

const LOOPBACK = parseIpv6("::1")!;
const MAPPED_IPV4 = parseIpv6("::ffff:0:0")!;

/** The default policy table of RFC 6724 section 2.1, longest prefixes first. */
const POLICY_TABLE: readonly PolicyRow[] = [
  policyRow("::1", 128, 50, 0),
  policyRow("::ffff:0:0", 96, 35, 4),
  policyRow("::", 96, 1, 3),
  policyRow("2001::", 32, 5, 5),
  policyRow("2002::", 16, 30, 2),
  policyRow("3ffe::", 16, 1, 12),
  policyRow("fec0::", 10, 1, 11),
  policyRow("fc00::", 7, 3, 13),
  policyRow("::", 0, 40, 1),
];

function policyRow(
  prefix: string,
  prefixBits: number,
  precedence: number,
  label: number,
): PolicyRow {
  return { prefix: parseIpv6(prefix)!, prefixBits, precedence, label };
}

/** The scopes that unicast addresses have, by their number in RFC 4291 section 2.7. */
const LINK_LOCAL = 0x2;
const SITE_LOCAL = 0x5;
const GLOBAL = 0xe;

/** The address as IPv6 has it: an IPv4 one mapped (RFC 4291 section 2.5.5.2). */
export function toIpv6Bytes(address: IpAddress): Uint8Array<ArrayBuffer> {
  if (address.family === 6) return address.bytes;
  const bytes = new Uint8Array(16);
  bytes.fill(0xff, 10, 12);
  bytes.set(address.bytes, 12);
  return bytes;
}

/** Whether `bytes`, sixteen of them, are a mapped IPv4 address. */
export function isMappedIpv4(bytes: Uint8Array): boolean {
  return sharedBits(bytes, MAPPED_IPV4, 96) === 96;
}

/** The row of the policy table that has the longest prefix of `bytes`, sixteen of them. */
export function addressPolicy(bytes: Uint8Array): AddressPolicy {
  const row = POLICY_TABLE.find(({ prefix, prefixBits }) =>
    sharedBits(bytes, prefix, prefixBits) === prefixBits
  );
  // The last row fits everything.
  return row!;
}

/**
 * The scope of an address, as the number that multicast addresses carry: 2 is
 * link-local, 5 site-local, 14 global.
 */
export function addressScope(bytes: Uint8Array): number {
  // RFC 6724 section 3.1: a multicast address says it itself.
  if (bytes[0] === 0xff) return bytes[1]! & 0x0f;
  if (isMappedIpv4(bytes)) {
    // Section 3.2: private addresses (RFC 1918) are global here.
    const isLinkLocal = bytes[12] === 127 || (bytes[12] === 169 && bytes[13] === 254);
    return isLinkLocal ? LINK_LOCAL : GLOBAL;
  }
  if (bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80) return LINK_LOCAL;
  if (bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0xc0) return SITE_LOCAL;
  // Section 3.1: the loopback address counts as link-local.
  return sharedBits(bytes, LOOPBACK, 128) === 128 ? LINK_LOCAL : GLOBAL;
}

/**
 * How many leading bits two addresses of one family share; 0 for two families.
 * Of IPv6 addresses only the first 64 count: the rest is the interface's
 * (RFC 6724 section 2.2).
 */
export function commonPrefixBits(first: Uint8Array, second: Uint8Array): number {
  const isIpv4 = isMappedIpv4(first);
  if (isIpv4 !== isMappedIpv4(second)) return 0;
  return isIpv4 ? sharedBits(first, second, 128) - 96 : sharedBits(first, second, 64);
}

/** How many leading bits are the same, at most `maxBits`. */
function sharedBits(first: Uint8Array, second: Uint8Array, maxBits: number): number {
  for (let bits = 0; bits < maxBits; bits += 8) {
    const difference = first[bits >> 3]! ^ second[bits >> 3]!;
    if (difference !== 0) return Math.min(maxBits, bits + Math.clz32(difference) - 24);
  }
  return maxBits;
}
