// This module is sans-I/O.

import type { CookieRequest } from "./cookie_acceptance.ts";
import { matchesCookieDomain } from "./cookie_domain.ts";
import { matchesCookiePath } from "./cookie_path.ts";
import { isExpiredCookie, type StoredCookie } from "./stored_cookie.ts";

/**
 * The cookies that go with a request (RFC 6265bis section 5.8.3), in their order:
 * those with longer paths first, then those set earlier.
 *
 * @param cookies What a store has.
 * @param request The request.
 * @param nowUnixMs The present, in milliseconds since 1970-01-01T00:00:00Z.
 * @param partitionKey The site whose partitioned cookies go too; `undefined` for
 * none.
 */
export function selectCookies(
  cookies: readonly StoredCookie[],
  request: CookieRequest,
  nowUnixMs: number,
  partitionKey: string | undefined,
): StoredCookie[] {
  return cookies.filter((cookie) =>
    !isExpiredCookie(cookie, nowUnixMs) && mayBeSent(cookie, request) &&
    (cookie.partitionKey === undefined || cookie.partitionKey === partitionKey)
  ).sort((a, b) => b.path.length - a.path.length || a.createdUnixMs - b.createdUnixMs);
}

function mayBeSent(cookie: StoredCookie, request: CookieRequest): boolean {
  const isInDomain = cookie.isHostOnly
    ? cookie.domain === request.host
    : matchesCookieDomain(request.host, cookie.domain);
  if (!isInDomain || !matchesCookiePath(request.path, cookie.path)) return false;
  if (cookie.isSecure && !request.isSecure) return false;
  if (cookie.isHttpOnly && !request.isHttpApi) return false;
  if (!request.isCrossSite || cookie.sameSite === "None") return true;
  // RFC 6265bis section 5.6.7.1: without SameSite a cookie is "Lax".
  return cookie.sameSite !== "Strict" && request.isHttpApi && request.isTopLevel &&
    request.isSafeMethod;
}

/**
 * The value of the `Cookie` field with these cookies (RFC 6265bis section 5.8.3).
 *
 * @param cookies The cookies in their order.
 * @returns The value; `undefined` for no cookie, which makes no field.
 */
export function formatCookieField(cookies: readonly StoredCookie[]): string | undefined {
  if (cookies.length === 0) return undefined;
  return cookies.map(({ name, value }) => name === "" ? value : `${name}=${value}`).join("; ");
}
