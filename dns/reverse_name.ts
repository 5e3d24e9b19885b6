// This module is sans-I/O.

import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "../nbio/ip_address.ts";
import { canonicalName } from "./name.ts";

const IPV4_ZONE = ".in-addr.arpa.";
const IPV6_ZONE = ".ip6.arpa.";
const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const NIBBLE = /^[0-9a-f]$/;

/**
 * Gives the name whose PTR records tell the names of an address (RFC 1035 section 3.5, RFC 3596
 * section 2.5).
 *
 * @param address An IPv4 or IPv6 address without a zone.
 * @returns The absolute name.
 * @throws {TypeError} If it is no address.
 *
 * @example Both families
 * ```ts
 * import { reverseName } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(reverseName("192.0.2.1"), "1.2.0.192.in-addr.arpa.");
 * assertEquals(reverseName("::1"), `1.${"0.".repeat(31)}ip6.arpa.`);
 * ```
 */
export function reverseName(address: string): string {
  const ipv4 = parseIpv4(address);
  if (ipv4 !== undefined) return ipv4.reverse().join(".") + IPV4_ZONE;
  const ipv6 = parseIpv6(address);
  if (ipv6 === undefined) {
    throw new TypeError(
      `Cannot reverse ${JSON.stringify(address.slice(0, 64))}: it is no IPv4 or IPv6 address`,
    );
  }
  const nibbles = Array.from(ipv6.reverse(), (byte) => {
    return `${(byte & 0xf).toString(16)}.${(byte >>> 4).toString(16)}`;
  });
  return nibbles.join(".") + IPV6_ZONE;
}

/**
 * Gives the address that a name of the reverse tree stands for.
 *
 * @param name The name, in any case.
 * @returns The address in its one form (RFC 5952); `undefined` if the name stands for no whole
 * address.
 * @throws {DnsMessageError} If it is no name.
 *
 * @example Back again
 * ```ts
 * import { reverseNameAddress } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(reverseNameAddress("1.2.0.192.IN-ADDR.ARPA."), "192.0.2.1");
 * assertEquals(reverseNameAddress("2.0.192.in-addr.arpa."), undefined);
 * ```
 */
export function reverseNameAddress(name: string): string | undefined {
  const text = canonicalName(name);
  if (text.endsWith(IPV4_ZONE)) return readIpv4(text.slice(0, -IPV4_ZONE.length).split("."));
  if (text.endsWith(IPV6_ZONE)) return readIpv6(text.slice(0, -IPV6_ZONE.length).split("."));
  return undefined;
}

function readIpv4(parts: readonly string[]): string | undefined {
  if (parts.length !== 4 || !parts.every((part) => OCTET.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return formatIpv4(Uint8Array.from(parts, Number).reverse());
}

function readIpv6(parts: readonly string[]): string | undefined {
  if (parts.length !== 32 || !parts.every((part) => NIBBLE.test(part))) return undefined;
  const bytes = Uint8Array.from({ length: 16 }, (_, index) => {
    return parseInt(parts[31 - 2 * index]! + parts[30 - 2 * index]!, 16);
  });
  return formatIpv6(bytes);
}
