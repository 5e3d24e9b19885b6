import { cookieDomainsOf, isAddressHost } from "./cookie_domain.ts";

/**
 * Whether a domain is one below which strangers register names of their own, such
 * as `com`, `co.uk` or `github.io`, so that no cookie may be set for all of it.
 *
 * @param domain Canonical domain: lower-case ASCII, an IPv6 address in brackets,
 * without a dot at its end.
 */
export type PublicSuffixRule = (domain: string) => boolean | Promise<boolean>;

/** With the private part of the list, as browsers do for cookies; hosts only, no URLs. */
const LIST_OPTIONS = {
  allowPrivateDomains: true,
  extractHostname: false,
  validateHostname: false,
  detectIp: false,
} as const;

/**
 * Whether a domain is a public suffix by the list of publicsuffix.org, its private
 * part included. A name without a dot is one, and an IP address is none.
 *
 * The list is that of the package `npm:tldts`, which is loaded when this is called
 * for the first time. No permission is needed.
 *
 * @param domain Canonical domain: lower-case ASCII. A dot at its end does not count.
 * @throws {TypeError} If the package cannot be loaded.
 *
 * @example Suffixes, and names below them
 * ```ts
 * import { isPublicSuffix } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await isPublicSuffix("co.uk"), true);
 * assertEquals(await isPublicSuffix("example.co.uk"), false);
 * assertEquals(await isPublicSuffix("192.0.2.1"), false);
 * ```
 */
export async function isPublicSuffix(domain: string): Promise<boolean> {
  if (isAddressHost(domain)) return false;
  const { getPublicSuffix } = await import("tldts");
  const name = withoutLastDot(domain);
  return getPublicSuffix(name, LIST_OPTIONS) === name;
}

/**
 * The part of a host name that somebody has registered, a public suffix with one
 * label more: hosts with the same one belong together.
 *
 * @param host Canonical host: lower-case ASCII. A dot at its end does not count.
 * @param isSuffix The rule, by default {@linkcode isPublicSuffix}. A name without a
 * dot is a suffix in any case.
 * @returns The domain; `undefined` for an IP address, for a public suffix and for
 * what begins with a dot.
 * @throws {TypeError} If the package with the list cannot be loaded.
 *
 * @example Two hosts of one site
 * ```ts
 * import { registrableDomain } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await registrableDomain("www.example.co.uk"), "example.co.uk");
 * assertEquals(await registrableDomain("api.example.co.uk"), "example.co.uk");
 * assertEquals(await registrableDomain("co.uk"), undefined);
 * ```
 */
export async function registrableDomain(
  host: string,
  isSuffix: PublicSuffixRule = isPublicSuffix,
): Promise<string | undefined> {
  if (isAddressHost(host) || host.startsWith(".")) return undefined;
  let below: string | undefined;
  // From the host upwards: the longest suffix counts, and not all above it are suffixes.
  for (const domain of cookieDomainsOf(withoutLastDot(host))) {
    // Rule 2 of the list: without any other, the last label is the suffix.
    if (!domain.includes(".") || await isSuffix(domain)) return below;
    below = domain;
  }
  return below;
}

function withoutLastDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
