// This module is sans-I/O.

import { parseIpv4 } from "../nbio/ip_address.ts";
import type { SortlistEntry } from "./resolv_conf.ts";

/**
 * Puts the addresses of the networks of `sortlist` first, as resolv.conf(5) says: in the order of
 * the list, those of one network and those of none as they came. Addresses of IPv6 have no place in
 * it, and stay where they are.
 *
 * Takes time linear in the number of addresses for each entry of the list.
 *
 * @param addresses The addresses.
 * @param sortlist The networks, the best one first.
 * @returns The same addresses in their new order.
 * @throws {RangeError} If the address or the mask of a network is no IPv4 address.
 *
 * @example The nearest one first
 * ```ts
 * import { sortAddresses } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const near = { address: "192.0.2.0", mask: "255.255.255.0" };
 * assertEquals(sortAddresses(["203.0.113.1", "2001:db8::1", "192.0.2.7"], [near]), [
 *   "192.0.2.7",
 *   "2001:db8::1",
 *   "203.0.113.1",
 * ]);
 * ```
 */
export function sortAddresses(
  addresses: readonly string[],
  sortlist: readonly SortlistEntry[],
): string[] {
  if (sortlist.length === 0) return [...addresses];
  const networks = sortlist.map(({ address, mask }) => {
    return { address: checkedNumberOf(address), mask: checkedNumberOf(mask) };
  });
  const ranked: { readonly address: string; readonly rank: number }[] = [];
  for (const address of addresses) {
    const number = numberOf(address);
    if (number === undefined) continue;
    const index = networks.findIndex(({ address, mask }) => (number & mask) === (address & mask));
    ranked.push({ address, rank: index === -1 ? networks.length : index });
  }
  const sorted = ranked.sort((first, second) => first.rank - second.rank).values();
  return addresses.map((address) => {
    return numberOf(address) === undefined ? address : sorted.next().value!.address;
  });
}

/** The four bytes of an IPv4 address as one number. */
function numberOf(address: string): number | undefined {
  const bytes = parseIpv4(address);
  return bytes && (bytes[0]! << 24 | bytes[1]! << 16 | bytes[2]! << 8 | bytes[3]!);
}

function checkedNumberOf(part: string): number {
  const number = numberOf(part);
  if (number !== undefined) return number;
  throw new RangeError(`Cannot sort by a network of "${part}": expected an IPv4 address`);
}
