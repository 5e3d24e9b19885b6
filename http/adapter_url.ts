import type { Context } from "./server_context.ts";
import { HttpError } from "./errors.ts";

/**
 * A target that a URL parser leaves as it is: no escapes, nothing to escape, and no dot at the
 * start of a segment.
 */
const PLAIN = /^\/(?:[\w~!$&()*+,;=:@?/-]|(?<!\/)\.)*$/;
const ABSOLUTE = /^[a-z][a-z\d+.-]*:\/\/([^/?]*)(.*)$/i;
/** Bytes that no URI has: read as Latin-1, they must not become UTF-8. */
const NOT_ASCII = /[\x80-\xff]/g;

/** The origin of the request before: mostly that of the next one too. */
let lastAuthority = "";
let lastScheme = "";
let lastOrigin = "";

/**
 * The target URI of a request as a normal absolute URL (RFC 9112 section 3.3): what
 * `new URL()` makes of it, so that every reader of it sees the same path.
 *
 * The scheme is that of the connection, also where an absolute-form says another: a client could
 * claim `https` in the clear. The authority is that of an absolute-form, else `Host`, else (HTTP/1.0)
 * the address that the client connected to. `*` is the path `/`, and a `#`, which no target may
 * have, is escaped.
 *
 * @param ctx The request.
 * @returns The URL.
 * @throws {HttpError} With 400, if there is no such URL: a host can be right by RFC 3986 and wrong
 * by the URL standard, as `999.999.999.999` is.
 */
export function requestUrl(ctx: Context): string {
  const scheme = ctx.tlsInfo === undefined ? "http" : "https";
  const target = ctx.url;
  if (target.startsWith("/")) return join(originOf(scheme, hostOf(ctx)), target);
  if (target === "*") return `${originOf(scheme, hostOf(ctx))}/`;
  const match = ABSOLUTE.exec(target);
  if (match === null) throw noUrl();
  const [, authority, rest] = match;
  return join(originOf(scheme, authority!), rest!.startsWith("/") ? rest! : `/${rest}`);
}

/** The part of the URL that says where; empty never. */
function hostOf(ctx: Context): string {
  // An empty one is legal in HTTP/1.0, and as good as none.
  return ctx.headers.get("host") || localAuthority(ctx.localAddr);
}

function localAuthority(addr: Deno.Addr): string {
  if (!("hostname" in addr)) return "localhost";
  const { hostname, port } = addr;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function originOf(scheme: string, authority: string): string {
  if (authority === lastAuthority && scheme === lastScheme) return lastOrigin;
  const url = URL.parse(`${scheme}://${authority}/`);
  // The parser of heads lets nothing through that would not stay an authority.
  if (url === null || url.href !== `${url.origin}/`) throw noUrl();
  lastAuthority = authority;
  lastScheme = scheme;
  return lastOrigin = url.origin;
}

function join(origin: string, path: string): string {
  if (PLAIN.test(path)) return origin + path;
  const escaped = path.replaceAll("#", "%23").replace(NOT_ASCII, escapeByte);
  const url = URL.parse(origin + escaped);
  if (url === null) throw noUrl();
  return url.href;
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function noUrl(): HttpError {
  return new HttpError(400, "The request has no URL: its host or target cannot stand in one");
}
