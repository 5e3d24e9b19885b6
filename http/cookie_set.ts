// This module is sans-I/O.

import { checkFieldValue } from "./field_text.ts";
import { consistsOf, TOKEN } from "./char_class.ts";
import { formatHttpDate } from "./date.ts";

/** RFC 6265bis section 5.5: clients keep no cookie for longer, 400 days. */
const MAX_AGE_SECONDS = 34_560_000;
/** RFC 6265bis section 5.6: clients ignore a cookie whose name and value are longer. */
const MAX_COOKIE_BYTES = 4_096;
/** RFC 6265bis section 5.6: clients ignore an attribute whose value is longer. */
const MAX_ATTRIBUTE_BYTES = 1_024;
const MAX_DOMAIN_LENGTH = 253;
/** How much of a refused text an error shows. */
const MAX_SHOWN = 32;

/** `cookie-value` of RFC 6265bis section 4.1.1. */
const COOKIE_VALUE = /^("?)[!#-+\--:<-[\]-~]*\1$/;
/** `av-octet` of RFC 6265bis section 4.1.1, from a slash on. */
const PATH = /^\/[ -:<-~]*$/;
const DOMAIN = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/i;
const SAME_SITE: readonly unknown[] = ["Strict", "Lax", "None", undefined];
const PRIORITY: readonly unknown[] = ["Low", "Medium", "High", undefined];

/** Where a cookie is valid: what has to be the same to delete it. */
export interface CookieScope {
  /**
   * Host whose subdomains get the cookie too, in ASCII and without a dot in
   * front.
   *
   * @default {undefined} for the host that sets the cookie, and no other
   */
  readonly domain?: string | undefined;
  /**
   * Path below which the cookie is sent; begins with a slash.
   *
   * @default {undefined} for the directory of the request
   */
  readonly path?: string | undefined;
  /**
   * Whether the cookie goes over secure connections only. Clients take `https`,
   * and most take `http` on the same machine, for secure.
   *
   * @default {false}
   */
  readonly secure?: boolean | undefined;
  /**
   * Whether the cookie is kept apart for each site that embeds this one (CHIPS);
   * needs `secure`.
   *
   * @default {false}
   */
  readonly partitioned?: boolean | undefined;
  /**
   * Whether the cookie comes with requests that other sites cause: never, with
   * top-level navigation, or always, which needs `secure`.
   *
   * @default {undefined} for what the client takes as default, mostly `"Lax"`
   */
  readonly sameSite?: "Strict" | "Lax" | "None" | undefined;
}

/** Every attribute of a cookie. */
export interface CookieAttributes extends CookieScope {
  /**
   * When the cookie ends, in milliseconds since 1970-01-01T00:00:00Z, up to the
   * end of the year 9999; whole seconds are sent. `maxAgeSeconds` goes before it.
   *
   * @default {undefined} for the end of the client's session
   */
  readonly expiresUnixMs?: number | undefined;
  /**
   * Seconds until the cookie ends, a whole number of 0 to 34,560,000, which is
   * 400 days; 0 deletes it.
   *
   * @default {undefined} for the end of the client's session
   */
  readonly maxAgeSeconds?: number | undefined;
  /**
   * Whether the cookie is hidden from scripts.
   *
   * @default {false}
   */
  readonly httpOnly?: boolean | undefined;
  /**
   * Which cookies a client drops first when there are too many (a draft that
   * Chromium follows).
   *
   * @default {undefined} for what the client takes as default, `"Medium"`
   */
  readonly priority?: "Low" | "Medium" | "High" | undefined;
}

/**
 * Formats a `Set-Cookie` field value (RFC 6265bis section 4.1). Nothing is
 * escaped or completed: what clients would misread, or ignore in silence, is
 * refused.
 *
 * @param name A token.
 * @param value Visible ASCII without `"`, `,`, `;` and `\`; quotation marks may
 * surround it. Encode anything else, for example by `encodeURIComponent`. With
 * the name it has at most 4,096 bytes.
 * @param attributes Attributes of the cookie.
 * @returns The value of the field.
 * @throws {TypeError} If name, value, domain or path cannot stand in the field,
 * if attributes contradict each other, or if they break what the prefix of the
 * name promises: `__Secure-`, `__Host-`, `__Http-` or `__Host-Http-`.
 * @throws {RangeError} If something is too long or a time is out of its range.
 *
 * @example Every attribute
 * ```ts
 * import { formatSetCookie } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const value = formatSetCookie("__Host-id", encodeURIComponent("a b"), {
 *   expiresUnixMs: 784_111_777_000,
 *   maxAgeSeconds: 3_600,
 *   path: "/",
 *   secure: true,
 *   httpOnly: true,
 *   sameSite: "Lax",
 *   partitioned: true,
 *   priority: "High",
 * });
 * assertEquals(
 *   value,
 *   "__Host-id=a%20b; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=3600; Path=/; Secure; " +
 *     "HttpOnly; SameSite=Lax; Partitioned; Priority=High",
 * );
 * ```
 */
export function formatSetCookie(
  name: string,
  value: string,
  attributes: CookieAttributes = {},
): string {
  checkPair(name, value);
  checkCombination(name, attributes);
  const { domain, path, sameSite, priority } = attributes;
  let text = `${name}=${value}${formatLifetime(attributes)}`;
  if (domain !== undefined) text += `; Domain=${checkedDomain(domain)}`;
  if (path !== undefined) text += `; Path=${checkedPath(path)}`;
  if (attributes.secure) text += "; Secure";
  if (attributes.httpOnly) text += "; HttpOnly";
  if (sameSite !== undefined) text += `; SameSite=${sameSite}`;
  if (attributes.partitioned) text += "; Partitioned";
  if (priority !== undefined) text += `; Priority=${priority}`;
  return text;
}

/**
 * Formats a `Set-Cookie` field value that deletes a cookie. Clients find the
 * cookie by name, domain, path and partition, so these must be what it was set
 * with. What a prefix of the name and other attributes demand is added, else
 * clients would ignore the field.
 *
 * @param name Name of the cookie.
 * @param scope Where it was valid.
 * @returns The value of the field.
 * @throws {TypeError} As {@linkcode formatSetCookie}.
 *
 * @example Deleting
 * ```ts
 * import { formatDeleteCookie } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatDeleteCookie("__Host-id"),
 *   "__Host-id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; Secure",
 * );
 * ```
 */
export function formatDeleteCookie(name: string, scope: CookieScope = {}): string {
  const { domain, path, secure, partitioned, sameSite } = scope;
  const rule = prefixRule(name);
  return formatSetCookie(name, "", {
    // Old clients know only the one, all others prefer the other.
    expiresUnixMs: 0,
    maxAgeSeconds: 0,
    domain,
    path: path ?? (rule.isHostOnly ? "/" : undefined),
    secure: secure || rule.isSecure || partitioned || sameSite === "None",
    httpOnly: rule.isHttpOnly,
    sameSite,
    partitioned,
  });
}

/** What the prefix of a name promises. */
export interface CookiePrefixRule {
  readonly isSecure: boolean;
  readonly isHttpOnly: boolean;
  readonly isHostOnly: boolean;
}

/** What the prefix of a name promises (RFC 6265bis section 4.1.3); clients ignore case. */
export function prefixRule(name: string): CookiePrefixRule {
  const prefix = /^__(?:host-http|host|http|secure)-/i.exec(name)?.[0].toLowerCase() ?? "";
  return {
    isSecure: prefix !== "",
    isHttpOnly: prefix.endsWith("http-"),
    isHostOnly: prefix.startsWith("__host-"),
  };
}

function checkPair(name: string, value: string): void {
  if (!consistsOf(name, TOKEN)) {
    throw new TypeError(`Cannot set cookie ${show(name)}: the name is not a token`);
  }
  if (!COOKIE_VALUE.test(value)) {
    throw new TypeError(`Cannot set cookie ${show(name)}: the value holds a forbidden character`);
  }
  // Both are ASCII by now.
  if (name.length + value.length > MAX_COOKIE_BYTES) {
    throw new RangeError(
      `Cannot set cookie ${show(name)}: name and value have ${
        name.length + value.length
      } bytes, expected at most ${MAX_COOKIE_BYTES}`,
    );
  }
}

function checkCombination(name: string, attributes: CookieAttributes): void {
  const { secure = false, httpOnly = false, sameSite, partitioned, priority } = attributes;
  const rule = prefixRule(name);
  const refuse = (reason: string): never => {
    throw new TypeError(`Cannot set cookie ${show(name)}: ${reason}`);
  };
  if (!SAME_SITE.includes(sameSite)) refuse("sameSite is not Strict, Lax or None");
  if (!PRIORITY.includes(priority)) refuse("priority is not Low, Medium or High");
  if (rule.isSecure && !secure) refuse("its prefix needs secure");
  if (rule.isHttpOnly && !httpOnly) refuse("its prefix needs httpOnly");
  if (rule.isHostOnly && attributes.path !== "/") refuse('its prefix needs path "/"');
  if (rule.isHostOnly && attributes.domain !== undefined) refuse("its prefix allows no domain");
  if (sameSite === "None" && !secure) refuse("SameSite=None needs secure");
  if (partitioned && !secure) refuse("partitioned needs secure");
}

function formatLifetime({ expiresUnixMs, maxAgeSeconds }: CookieAttributes): string {
  let text = "";
  if (expiresUnixMs !== undefined) text += `; Expires=${formatHttpDate(expiresUnixMs)}`;
  if (maxAgeSeconds === undefined) return text;
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 0 || maxAgeSeconds > MAX_AGE_SECONDS) {
    throw new RangeError(
      `Cannot set cookie: maxAgeSeconds ${maxAgeSeconds} is not a whole number of 0 to ${MAX_AGE_SECONDS}`,
    );
  }
  return `${text}; Max-Age=${maxAgeSeconds}`;
}

function checkedDomain(domain: string): string {
  if (domain.length > MAX_DOMAIN_LENGTH || !DOMAIN.test(domain)) {
    throw new TypeError(`Cannot set cookie: domain ${show(domain)} is not a host name in ASCII`);
  }
  return domain;
}

function checkedPath(path: string): string {
  checkFieldValue(path);
  if (path.length > MAX_ATTRIBUTE_BYTES || !PATH.test(path)) {
    throw new TypeError(
      `Cannot set cookie: path ${
        show(path)
      } is not a slash and at most 1,023 printable characters without ";"`,
    );
  }
  return path;
}

function show(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? text.slice(0, MAX_SHOWN) : text);
}
