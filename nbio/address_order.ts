// This module is sans-I/O.

/**
 * {@linkcode orderAddresses}: which address of a host to try first (RFC 6724).
 *
 * @module
 */

import {
  addressPolicy,
  addressScope,
  commonPrefixBits,
  isMappedIpv4,
  toIpv6Bytes,
} from "./address_policy.ts";
import { parseIpAddress } from "./ip_address.ts";

/** A destination, and all that the rules ask about it. */
interface Destination {
  readonly text: string;
  /** Rule 1. */
  readonly reachable: boolean;
  /** Rule 2. */
  readonly scopeMatches: boolean;
  /** Rule 5. */
  readonly labelMatches: boolean;
  /** Rule 6. */
  readonly precedence: number;
  /** Rule 8. */
  readonly scope: number;
  /** Rule 9; 0 for IPv4. */
  readonly prefixBits: number;
}

/**
 * Orders the addresses of a host by the rules of RFC 6724 section 6 and its
 * default policy table: the best one first, equals as they came.
 *
 * Some rules compare a destination with the source address that the system
 * would choose for it. Where that is not known, the rules that need it (1, 2,
 * 5, 9) are skipped: the destination counts as reachable, with a source that
 * fits. What would have to be known about interfaces (rules 3, 4 and 7:
 * deprecated, home and native addresses) is never looked at. Rule 9, the
 * longest common prefix, is kept for IPv6: on IPv4 the length of a prefix says
 * nothing about distance, and following it defeats round-robin DNS.
 *
 * Cost: n log n.
 *
 * @param destinations Addresses of either family, in any order, an IPv6 one
 * maybe with a zone. Not changed.
 * @param sources For each destination, at the same index, the address the
 * system would send from; `null` if it has none, because the destination cannot
 * be reached; `undefined` if that is not known.
 * @returns The same texts in their new order.
 * @throws {TypeError} If one of them is no address.
 *
 * @example IPv6 first, where it works
 * ```ts
 * import { orderAddresses } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const addresses = ["192.0.2.1", "2001:db8::1"];
 * assertEquals(orderAddresses(addresses), ["2001:db8::1", "192.0.2.1"]);
 * // A machine that has no IPv6 address but the one of its link:
 * assertEquals(
 *   orderAddresses(addresses, ["192.0.2.7", "fe80::7"]),
 *   ["192.0.2.1", "2001:db8::1"],
 * );
 * ```
 */
export function orderAddresses(
  destinations: readonly string[],
  sources: readonly (string | null | undefined)[] = [],
): string[] {
  return destinations
    .map((text, index) => judge(text, sources[index]))
    .sort(compare)
    .map(({ text }) => text);
}

function judge(text: string, source: string | null | undefined): Destination {
  const bytes = parse(text);
  const scope = addressScope(bytes);
  const { precedence, label } = addressPolicy(bytes);
  const known = { text, precedence, scope, reachable: source !== null };
  // Taken for fitting, and not for unfitting, so that destinations compare the
  // same way whatever is known of the others: a sort needs a total order.
  if (typeof source !== "string") {
    return { ...known, scopeMatches: true, labelMatches: true, prefixBits: 0 };
  }
  const sourceBytes = parse(source);
  return {
    ...known,
    scopeMatches: addressScope(sourceBytes) === scope,
    labelMatches: addressPolicy(sourceBytes).label === label,
    prefixBits: isMappedIpv4(bytes) ? 0 : commonPrefixBits(sourceBytes, bytes),
  };
}

function parse(text: string): Uint8Array {
  const address = parseIpAddress(text);
  if (address !== undefined) return toIpv6Bytes(address);
  throw new TypeError(`Cannot order addresses: "${text.slice(0, 32)}" is no IP address`);
}

/** RFC 6724 section 6, rule by rule. */
function compare(first: Destination, second: Destination): number {
  return Number(second.reachable) - Number(first.reachable) || // Rule 1
    Number(second.scopeMatches) - Number(first.scopeMatches) || // Rule 2
    Number(second.labelMatches) - Number(first.labelMatches) || // Rule 5
    second.precedence - first.precedence || // Rule 6
    first.scope - second.scope || // Rule 8
    second.prefixBits - first.prefixBits; // Rule 9; rule 10 is the stability of the sort
}
