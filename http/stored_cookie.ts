// This module is sans-I/O.

/** What tells cookies apart (RFC 6265bis section 5.7); the partition belongs to it. */
export interface CookieIdentity {
  /** Name; case matters. Empty for a cookie without a name. */
  readonly name: string;
  /** Host in its canonical form: lower-case ASCII, an IPv6 address in brackets. */
  readonly domain: string;
  /** Whether the host alone gets the cookie, not those below it. */
  readonly isHostOnly: boolean;
  /** Path below which the cookie is sent; begins with a slash. */
  readonly path: string;
  /**
   * The site under which an embedded site keeps the cookie (CHIPS), such as
   * `https://example.com`; `undefined` for a cookie that is not partitioned.
   */
  readonly partitionKey: string | undefined;
}

/**
 * A cookie as a {@linkcode CookieJar} keeps it. Every character of its strings
 * stands for one byte of the field it came in.
 */
export interface StoredCookie extends CookieIdentity {
  /** Value as it was set, quotation marks included. */
  readonly value: string;
  /** Whether it goes over secure connections only. */
  readonly isSecure: boolean;
  /** Whether it is hidden from scripts. */
  readonly isHttpOnly: boolean;
  /** What the server said; without that, clients treat the cookie as `"Lax"`. */
  readonly sameSite: "Strict" | "Lax" | "None" | undefined;
  /**
   * When it ends, in milliseconds since 1970-01-01T00:00:00Z; `undefined` for the
   * end of the session, which is up to whoever has the jar.
   */
  readonly expiresUnixMs: number | undefined;
  /**
   * When it was first set, in milliseconds since 1970-01-01T00:00:00Z. Fractions
   * keep the order of cookies that came within one millisecond.
   */
  readonly createdUnixMs: number;
}

/**
 * One string for each identity, for a store that needs a key. A cookie has a line
 * end in none of its parts.
 *
 * @param cookie The cookie, or what tells it apart.
 * @returns The key; two are equal just if the identities are.
 *
 * @example A value is no part of it
 * ```ts
 * import { type CookieIdentity, cookieKey } from "@nbio/net/http";
 * import { assertEquals, assertNotEquals } from "@std/assert";
 *
 * const cookie: CookieIdentity = {
 *   name: "id",
 *   domain: "example.com",
 *   isHostOnly: true,
 *   path: "/",
 *   partitionKey: undefined,
 * };
 * assertEquals(cookieKey({ ...cookie }), cookieKey(cookie));
 * assertNotEquals(cookieKey({ ...cookie, isHostOnly: false }), cookieKey(cookie));
 * ```
 */
export function cookieKey(cookie: CookieIdentity): string {
  const { domain, isHostOnly, path, partitionKey, name } = cookie;
  return `${domain}\n${isHostOnly ? "" : "."}\n${path}\n${partitionKey ?? ""}\n${name}`;
}

/**
 * Whether a cookie has ended.
 *
 * @param cookie The cookie.
 * @param nowUnixMs The present, in milliseconds since 1970-01-01T00:00:00Z.
 * @returns Whether its instant is here or past; never for one of the session.
 *
 * @example In a store that drops cookies by itself
 * ```ts
 * import { CookieJar, isExpiredCookie } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const jar = new CookieJar();
 * await jar.set("id=1; Max-Age=60", "https://example.com/");
 * const [cookie] = await jar.cookies();
 * assertEquals(isExpiredCookie(cookie!, cookie!.createdUnixMs), false);
 * assertEquals(isExpiredCookie(cookie!, cookie!.createdUnixMs + 60_000), true);
 * ```
 */
export function isExpiredCookie(cookie: StoredCookie, nowUnixMs: number): boolean {
  return cookie.expiresUnixMs !== undefined && cookie.expiresUnixMs <= nowUnixMs;
}
