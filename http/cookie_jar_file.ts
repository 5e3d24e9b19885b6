// This module is sans-I/O.

import { prefixRule } from "./cookie_set.ts";
import type { StoredCookie } from "./stored_cookie.ts";

/** RFC 6265bis section 5.6: no cookie has them, and no `Cookie` field. */
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\x00-\x08\x0a-\x1f\x7f;\u0100-\uffff]/;
/** A canonical host, in lower case, or a site, which has a scheme too. */
const HOST = /^[!-:<-@[-~]+$/;
const NETSCAPE_HEAD = "# Netscape HTTP Cookie File";
const HTTP_ONLY = "#HttpOnly_";
const NETSCAPE_FIELD_COUNT = 7;
/** Seconds; some write fractions, and nothing or a number below 0 for a session. */
const EXPIRES = /^(?:-?\d{1,12}(?:\.\d{1,9})?)?$/;
const VERSION = 1;
const SAME_SITE: readonly unknown[] = ["Strict", "Lax", "None", undefined];
/** How much of a refused text an error shows. */
const MAX_SHOWN = 32;

/**
 * Formats cookies as JSON: an object with a `version` and the `cookies` in order,
 * each as a {@linkcode StoredCookie} is.
 *
 * @param cookies The cookies.
 * @returns JSON text, a line for each cookie.
 *
 * @example There and back
 * ```ts
 * import { formatCookieJson, parseCookieJson } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const cookies = parseCookieJson(
 *   '{"version":1,"cookies":[{"name":"id","value":"1","domain":"example.com","path":"/"}]}',
 * );
 * assertEquals(parseCookieJson(formatCookieJson(cookies)), cookies);
 * ```
 */
export function formatCookieJson(cookies: Iterable<StoredCookie>): string {
  const lines = Array.from(cookies, (cookie) => `\n${JSON.stringify(cookie)}`);
  return `{"version":${VERSION},"cookies":[${lines.join(",")}\n]}\n`;
}

/**
 * Parses what {@linkcode formatCookieJson} has formatted. What stands in neither is
 * ignored; name, value, domain and path have to be there.
 *
 * @param text JSON text.
 * @returns The cookies in order, those included that have ended.
 * @throws {SyntaxError} If the text is no JSON, or something in it no cookie.
 *
 * @example What is missing is as in the weakest cookie
 * ```ts
 * import { parseCookieJson } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const [cookie] = parseCookieJson(
 *   '{"version":1,"cookies":[{"name":"id","value":"1","domain":"example.com","path":"/"}]}',
 * );
 * assertEquals([cookie?.isHostOnly, cookie?.isSecure], [true, false]);
 * ```
 */
export function parseCookieJson(text: string): StoredCookie[] {
  const file: unknown = JSON.parse(text);
  const cookies = own(file, "cookies");
  if (own(file, "version") !== VERSION || !Array.isArray(cookies)) {
    throw new SyntaxError(`Cannot read cookies: expected an object with version ${VERSION}`);
  }
  return cookies.map((entry: unknown, index) => {
    const place = `cookie ${index}`;
    return checked({
      name: stringOf(entry, "name", place),
      value: stringOf(entry, "value", place),
      domain: stringOf(entry, "domain", place),
      isHostOnly: booleanOf(entry, "isHostOnly", true, place),
      path: stringOf(entry, "path", place),
      isSecure: booleanOf(entry, "isSecure", false, place),
      isHttpOnly: booleanOf(entry, "isHttpOnly", false, place),
      sameSite: sameSiteOf(entry, place),
      partitionKey: own(entry, "partitionKey") === undefined
        ? undefined
        : stringOf(entry, "partitionKey", place),
      expiresUnixMs: numberOf(entry, "expiresUnixMs", place),
      createdUnixMs: numberOf(entry, "createdUnixMs", place) ?? 0,
    }, place);
  });
}

/**
 * Formats cookies as the text that curl, wget and browsers' tools know as
 * `cookies.txt`. It has no place for SameSite, which is lost, nor for partitions
 * and for tabs, so that cookies with them are left out.
 *
 * @param cookies The cookies.
 * @returns A line for each cookie below a first line that names the format.
 *
 * @example A cookie as a line
 * ```ts
 * import { CookieJar, formatNetscapeCookies } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const jar = new CookieJar();
 * await jar.set("id=1; Secure; HttpOnly", "https://www.example.com/shop/cart");
 * const text = formatNetscapeCookies(await jar.cookies());
 * assertEquals(text.split("\n")[1], "#HttpOnly_www.example.com\tFALSE\t/shop\tTRUE\t0\tid\t1");
 * ```
 */
export function formatNetscapeCookies(cookies: Iterable<StoredCookie>): string {
  let text = `${NETSCAPE_HEAD}\n`;
  for (const cookie of cookies) {
    const { name, value, domain, path, isHostOnly, isSecure, partitionKey } = cookie;
    if (partitionKey !== undefined || `${name}${value}${path}`.includes("\t")) continue;
    const flags = [isHostOnly ? "FALSE" : "TRUE", path, isSecure ? "TRUE" : "FALSE"];
    const expires = Math.max(0, Math.ceil((cookie.expiresUnixMs ?? 0) / 1_000));
    // Zero stands for a session.
    if (cookie.expiresUnixMs !== undefined && expires === 0) continue;
    text += `${cookie.isHttpOnly ? HTTP_ONLY : ""}${isHostOnly ? "" : "."}${domain}\t`;
    text += `${flags.join("\t")}\t${expires}\t${name}\t${value}\n`;
  }
  return text;
}

/**
 * Parses a `cookies.txt`, whoever wrote it. Empty lines and comments are passed
 * over, an empty value may be missing with the tab before it.
 *
 * @param text The text, lines ending in LF or CRLF.
 * @returns The cookies in order, those included that have ended.
 * @throws {SyntaxError} If a line is no cookie; the message has its number.
 *
 * @example Reading a line
 * ```ts
 * import { parseNetscapeCookies } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const [cookie] = parseNetscapeCookies(".example.com\tTRUE\t/\tTRUE\t0\tid\t1\n");
 * assertEquals([cookie?.domain, cookie?.isHostOnly], ["example.com", false]);
 * assertEquals(cookie?.expiresUnixMs, undefined);
 * ```
 */
export function parseNetscapeCookies(text: string): StoredCookie[] {
  const cookies: StoredCookie[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const isHttpOnly = line.startsWith(HTTP_ONLY);
    if (line.trim() === "" || (line.startsWith("#") && !isHttpOnly)) continue;
    const place = `line ${index + 1}`;
    const fields = (isHttpOnly ? line.slice(HTTP_ONLY.length) : line).split("\t");
    if (fields.length === NETSCAPE_FIELD_COUNT - 1) fields.push("");
    if (fields.length !== NETSCAPE_FIELD_COUNT || !EXPIRES.test(fields[4]!)) {
      throw new SyntaxError(`Cannot read cookies: ${place} is not ${NETSCAPE_FIELD_COUNT} fields`);
    }
    cookies.push(checked(fromFields(fields, isHttpOnly, index), place));
  }
  return cookies;
}

function fromFields(fields: readonly string[], isHttpOnly: boolean, index: number): StoredCookie {
  const [domain = "", below, path = "", secure, expires, name = "", value = ""] = fields;
  const host = domain.startsWith(".") ? domain.slice(1) : domain;
  const expiresUnixMs = Number(expires) * 1_000;
  return {
    name,
    value,
    // Others write IPv6 addresses without brackets.
    domain: (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host).toLowerCase(),
    isHostOnly: below?.toUpperCase() !== "TRUE",
    path,
    isSecure: secure?.toUpperCase() === "TRUE",
    isHttpOnly,
    sameSite: undefined,
    partitionKey: undefined,
    expiresUnixMs: expiresUnixMs > 0 ? expiresUnixMs : undefined,
    // The order of the lines is all that is known.
    createdUnixMs: index / 1_024,
  };
}

/** Holds a cookie to what a jar takes for granted: what it has goes into fields as it is. */
function checked(cookie: StoredCookie, place: string): StoredCookie {
  const refuse = (what: string, text: string): never => {
    throw new SyntaxError(`Cannot read cookies: ${place} has a bad ${what}: ${show(text)}`);
  };
  const { name, value, domain, path, partitionKey } = cookie;
  if (FORBIDDEN.test(name) || name.includes("=")) refuse("name", name);
  if (FORBIDDEN.test(value) || (name === "" && value === "")) refuse("value", value);
  if (!HOST.test(domain)) refuse("domain", domain);
  if (FORBIDDEN.test(path) || !path.startsWith("/")) refuse("path", path);
  if (partitionKey !== undefined && !HOST.test(partitionKey)) refuse("partition", partitionKey);
  const rule = prefixRule(name === "" ? value : name);
  const isKept = (!rule.isSecure || cookie.isSecure) &&
    (!rule.isHttpOnly || cookie.isHttpOnly) &&
    (!rule.isHostOnly || (cookie.isHostOnly && path === "/"));
  if (!isKept || (name === "" && rule.isSecure)) refuse("prefix", name);
  return cookie;
}

/** A property of the object itself, never one that it inherits. */
function own(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function stringOf(entry: unknown, key: string, place: string): string {
  const value = own(entry, key);
  return typeof value === "string" ? value : refuseType(key, place, "a string");
}

function booleanOf(entry: unknown, key: string, fallback: boolean, place: string): boolean {
  const value = own(entry, key) ?? fallback;
  return typeof value === "boolean" ? value : refuseType(key, place, "a boolean");
}

function numberOf(entry: unknown, key: string, place: string): number | undefined {
  const value = own(entry, key);
  if (value === undefined) return undefined;
  const isNumber = typeof value === "number" && Number.isFinite(value);
  return isNumber ? value : refuseType(key, place, "a number");
}

function sameSiteOf(entry: unknown, place: string): StoredCookie["sameSite"] {
  const value = own(entry, "sameSite");
  if (!SAME_SITE.includes(value)) return refuseType("sameSite", place, "Strict, Lax or None");
  return value as StoredCookie["sameSite"];
}

function refuseType(key: string, place: string, wanted: string): never {
  throw new SyntaxError(`Cannot read cookies: ${key} of ${place} is not ${wanted}`);
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, MAX_SHOWN));
}
