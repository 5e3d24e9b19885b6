// This module is sans-I/O.

import { matchesCookieDomain } from "./cookie_domain.ts";
import { defaultCookiePath, matchesCookiePath } from "./cookie_path.ts";
import { prefixRule } from "./cookie_set.ts";
import type { ParsedSetCookie } from "./cookie_set_parser.ts";
import type { StoredCookie } from "./stored_cookie.ts";

/** RFC 6265bis section 5.5: no cookie is kept for longer, 400 days. */
export const MAX_COOKIE_AGE_MS = 34_560_000_000;

/** Where a cookie comes from or goes to, as far as it matters for cookies. */
export interface CookieRequest {
  /** Canonical host of the URL. */
  readonly host: string;
  /** Path of the URL, without query. */
  readonly path: string;
  /** Whether nobody on the way can read or change it. */
  readonly isSecure: boolean;
  /** Whether it is a message of HTTP, not a script. */
  readonly isHttpApi: boolean;
  /** Whether another site caused it. */
  readonly isCrossSite: boolean;
  /** Whether its method is safe (RFC 9110 section 9.2.1). */
  readonly isSafeMethod: boolean;
  /** Whether it leads somebody to another page. */
  readonly isTopLevel: boolean;
}

/** What {@linkcode acceptCookie} needs to know beside the request. */
export interface CookieAcceptance {
  /** Whether the domain the cookie asks for is a public suffix. */
  readonly isPublicSuffix: boolean;
  /** The site whose partition a partitioned cookie goes to. */
  readonly partitionKey: string;
  /** Most bytes of name and value together. */
  readonly maxCookieBytes: number;
  /** The present, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly nowUnixMs: number;
}

/**
 * The storage model of RFC 6265bis section 5.7, up to the point where the cookies
 * that are there already matter.
 *
 * @param parsed What the field says.
 * @param request The request whose response it is in.
 * @param facts What else counts.
 * @returns The cookie; one that has ended takes another away. `undefined` where
 * the field is to be ignored.
 */
export function acceptCookie(
  parsed: ParsedSetCookie,
  request: CookieRequest,
  facts: CookieAcceptance,
): StoredCookie | undefined {
  const { name, value, isSecure, isHttpOnly, sameSite } = parsed;
  if (name.length + value.length > facts.maxCookieBytes) return undefined;
  const scope = scopeOf(parsed.domain, request.host, facts.isPublicSuffix);
  if (scope === undefined || !mayBeSet(parsed, request)) return undefined;
  if (!keepsPromise(parsed, scope.isHostOnly)) return undefined;
  return {
    name,
    value,
    ...scope,
    path: parsed.path ?? defaultCookiePath(request.path),
    isSecure,
    isHttpOnly,
    sameSite,
    partitionKey: parsed.isPartitioned ? facts.partitionKey : undefined,
    expiresUnixMs: expiryOf(parsed, facts.nowUnixMs),
    createdUnixMs: facts.nowUnixMs,
  };
}

/** RFC 6265bis section 5.7, steps 8 to 11. */
function scopeOf(
  domain: string,
  host: string,
  isPublicSuffix: boolean,
): { domain: string; isHostOnly: boolean } | undefined {
  if (domain === "") return { domain: host, isHostOnly: true };
  // A public suffix may speak for itself, not for what is below it.
  if (isPublicSuffix) return domain === host ? { domain, isHostOnly: true } : undefined;
  return matchesCookieDomain(host, domain) ? { domain, isHostOnly: false } : undefined;
}

/** RFC 6265bis section 5.7: what the way on which the cookie came allows. */
function mayBeSet(parsed: ParsedSetCookie, request: CookieRequest): boolean {
  if (parsed.isSecure && !request.isSecure) return false;
  if (parsed.isHttpOnly && !request.isHttpApi) return false;
  if (parsed.sameSite === "None") return parsed.isSecure;
  return !request.isCrossSite || (request.isHttpApi && request.isTopLevel);
}

/** RFC 6265bis section 4.1.3; a value without name could pass for a prefix. */
function keepsPromise(parsed: ParsedSetCookie, isHostOnly: boolean): boolean {
  // A partitioned cookie has to be secure too.
  if (parsed.isPartitioned && !parsed.isSecure) return false;
  if (parsed.name === "") return !prefixRule(parsed.value).isSecure;
  const rule = prefixRule(parsed.name);
  if (rule.isSecure && !parsed.isSecure) return false;
  if (rule.isHttpOnly && !parsed.isHttpOnly) return false;
  return !rule.isHostOnly || (isHostOnly && parsed.domain === "" && parsed.path === "/");
}

/** RFC 6265bis section 5.7, steps 6 and 7; `Max-Age` goes before `Expires`. */
function expiryOf(
  { maxAgeSeconds, expiresUnixMs }: ParsedSetCookie,
  nowUnixMs: number,
): number | undefined {
  const latest = nowUnixMs + MAX_COOKIE_AGE_MS;
  if (maxAgeSeconds !== undefined) {
    return maxAgeSeconds <= 0 ? 0 : Math.min(nowUnixMs + maxAgeSeconds * 1_000, latest);
  }
  return expiresUnixMs === undefined ? undefined : Math.min(expiresUnixMs, latest);
}

/**
 * Whether a cookie that did not come over a secure connection would lie over one
 * that is for secure connections only (RFC 6265bis section 5.7, "leave secure
 * cookies alone"): whoever can change what is not secure could else fix a session.
 *
 * @param cookie The new cookie.
 * @param secureCookies Secure cookies of its name.
 */
export function overlaysSecureCookie(
  cookie: StoredCookie,
  secureCookies: Iterable<StoredCookie>,
): boolean {
  for (const other of secureCookies) {
    if (other.name !== cookie.name || !other.isSecure) continue;
    const isRelated = matchesCookieDomain(other.domain, cookie.domain) ||
      matchesCookieDomain(cookie.domain, other.domain);
    if (isRelated && matchesCookiePath(cookie.path, other.path)) return true;
  }
  return false;
}
