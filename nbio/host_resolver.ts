/**
 * {@linkcode HostResolver}: names to addresses, for whoever dials.
 *
 * @module
 */

/** Options of {@linkcode HostResolver.lookup}. */
export interface LookupOptions {
  /**
   * Which addresses to give: 4 for IPv4, 6 for IPv6. Both if absent.
   *
   * @default {undefined}
   */
  readonly family?: 4 | 6;

  /**
   * Ends the lookup, which rejects with the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/**
 * Where addresses of a name come from. The resolver of `@nbio/net/dns` is one;
 * a test writes its own in a line.
 *
 * @example A resolver with one name
 * ```ts
 * import type { HostResolver } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const resolver: HostResolver = {
 *   lookup(host, { family } = {}) {
 *     return Promise.resolve(host === "db.internal" && family !== 6 ? ["10.0.0.5"] : []);
 *   },
 * };
 * assertEquals(await resolver.lookup("db.internal", { family: 4 }), ["10.0.0.5"]);
 * ```
 */
export interface HostResolver {
  /**
   * Finds the addresses of a name.
   *
   * @param host The name; never an address.
   * @param options Family and signal.
   * @returns IPv4 addresses in dotted form and IPv6 addresses in the form of
   * RFC 5952, with a zone (`fe80::1%eth0`) where one is needed, in any order.
   * Empty if the name exists and has none of that family.
   * @throws {Error} If the name does not exist or the lookup fails.
   */
  lookup(host: string, options?: LookupOptions): Promise<readonly string[]>;
}
