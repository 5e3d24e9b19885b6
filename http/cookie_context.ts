import { parseCookies, type RequestCookies } from "./cookie_parser.ts";
import {
  type CookieAttributes,
  type CookieScope,
  formatDeleteCookie,
  formatSetCookie,
} from "./cookie_set.ts";
import { StateKey } from "./request_state.ts";
import type { Context } from "./server_context.ts";

const COOKIES = new StateKey<RequestCookies>("cookies");

/**
 * The cookies of a request, read when they are first asked for.
 *
 * @param ctx The request.
 * @returns The cookies in the order they were sent; at most 3,000.
 * @throws {HttpStateError} If the handler has settled.
 *
 * @example Reading a cookie
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text(ctx.cookies.get("theme") ?? "light"), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 * });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const headers = { cookie: "lang=en; theme=dark" };
 * const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
 * assertEquals(await response.text(), "dark");
 * ```
 */
export function cookies(ctx: Context): RequestCookies {
  let found = ctx.state.get(COOKIES);
  if (found === undefined) {
    found = parseCookies(ctx.headers.getAll("cookie"));
    ctx.state.set(COOKIES, found);
  }
  return found;
}

/**
 * Sets a cookie with the answer, safely unless told otherwise: with `Path=/`,
 * `Secure`, `HttpOnly` and `SameSite=Lax`. What this answer set before under the
 * same name, domain and path is replaced, unless just one of the two is partitioned.
 *
 * @param ctx The request.
 * @param name A token; a prefix such as `__Host-` is held to its promise.
 * @param value See {@linkcode formatSetCookie}.
 * @param attributes Attributes that differ from those; `false` takes one away.
 * @throws {TypeError} As {@linkcode formatSetCookie}.
 * @throws {RangeError} As {@linkcode formatSetCookie}.
 * @throws {HttpStateError} If the head has left.
 *
 * @example A cookie for scripts, that stays for a day
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => {
 *   ctx.setCookie("theme", "dark", { httpOnly: false, maxAgeSeconds: 86_400 });
 *   ctx.text("dark it is");
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * await response.body?.cancel();
 * assertEquals(response.headers.getSetCookie(), [
 *   "theme=dark; Max-Age=86400; Path=/; Secure; SameSite=Lax",
 * ]);
 * ```
 */
export function setCookie(
  ctx: Context,
  name: string,
  value: string,
  attributes: CookieAttributes = {},
): void {
  const { path = "/", secure = true, httpOnly = true, sameSite = "Lax" } = attributes;
  const all = { ...attributes, path, secure, httpOnly, sameSite };
  appendCookie(ctx, formatSetCookie(name, value, all));
}

/**
 * Deletes a cookie with the answer.
 *
 * @param ctx The request.
 * @param name Name of the cookie.
 * @param scope Domain, path (by default `/`) and partition that it was set with.
 * @throws {TypeError} As {@linkcode formatDeleteCookie}.
 * @throws {HttpStateError} If the head has left.
 *
 * @example Deleting
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => {
 *   ctx.deleteCookie("theme");
 *   ctx.text("gone");
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * await response.body?.cancel();
 * assertEquals(response.headers.getSetCookie(), [
 *   "theme=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
 * ]);
 * ```
 */
export function deleteCookie(ctx: Context, name: string, scope: CookieScope = {}): void {
  appendCookie(ctx, formatDeleteCookie(name, { ...scope, path: scope.path ?? "/" }));
}

/**
 * RFC 6265bis section 4.1.1: an answer should not set one cookie twice. Clients
 * know a cookie by name, domain and path, and by its partition if it has one.
 */
function appendCookie(ctx: Context, line: string): void {
  const before = ctx.response.headers.getAll("set-cookie");
  const identity = identityOf(line);
  const kept = before.filter((other) => identityOf(other) !== identity);
  if (kept.length === before.length) return ctx.append("set-cookie", line);
  kept.push(line);
  ctx.set("set-cookie", kept[0]!);
  for (const other of kept.slice(1)) ctx.append("set-cookie", other);
}

function identityOf(line: string): string {
  const [pair, ...attributes] = line.split("; ");
  const scope = attributes.filter((attribute) =>
    /^(?:domain=|path=|partitioned$)/i.test(attribute)
  );
  return [pair!.slice(0, pair!.indexOf("=")), ...scope.sort()].join("; ");
}
