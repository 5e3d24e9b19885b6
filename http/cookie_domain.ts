// This module is sans-I/O.

import { parseIpv4, parseIpv6 } from "../nbio/ip_address.ts";

/** RFC 1035 section 3.1: a name has 255 bytes, two for the shortest label. */
const MAX_LABEL_COUNT = 127;

/**
 * Whether a host is an IP address: no cookie of it goes to another host, and it
 * has no public suffix.
 *
 * @param host Canonical host; an IPv6 address has brackets or none.
 */
export function isAddressHost(host: string): boolean {
  const inner = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  return parseIpv4(inner) !== undefined || parseIpv6(inner) !== undefined;
}

/**
 * Whether a cookie with a domain is sent to a host (RFC 6265bis section 5.1.3):
 * to that host and, where it is a name, to those below it.
 *
 * @param host Canonical host of the request.
 * @param domain Canonical domain of the cookie.
 */
export function matchesCookieDomain(host: string, domain: string): boolean {
  if (host === domain) return true;
  if (domain === "" || !host.endsWith(domain)) return false;
  return host[host.length - domain.length - 1] === "." && !isAddressHost(host);
}

/**
 * Every domain whose cookies a host may get: itself and, where it is a name,
 * those above it. Host names have at most 127 labels.
 *
 * @param host Canonical host.
 * @returns The domains, the host first.
 */
export function cookieDomainsOf(host: string): string[] {
  const domains = [host];
  if (isAddressHost(host)) return domains;
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
    const domain = host.slice(dot + 1);
    if (domain !== "") domains.push(domain);
    if (domains.length === MAX_LABEL_COUNT) break;
  }
  return domains;
}

/**
 * Whether a host is this machine by its name or address, so that nothing on the
 * way can read what is sent to it: `localhost`, what is below it, 127.0.0.0/8 and
 * `::1` (W3C Secure Contexts section 3.1).
 *
 * @param host Canonical host.
 */
export function isLoopbackHost(host: string): boolean {
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return name === "[::1]" || parseIpv4(name)?.[0] === 127;
}
