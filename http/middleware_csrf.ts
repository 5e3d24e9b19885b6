import { HttpError } from "./errors.ts";
import type { Middleware } from "./middleware.ts";
import { CLIENT, clientHost } from "./middleware_trusted_proxy.ts";
import { isSafeMethod } from "./safe_method.ts";
import type { Context } from "./server_context.ts";

/** Options of {@linkcode csrf}. */
export interface CsrfOptions {
  /**
   * Other origins whose pages may send requests, as `https://app.example.com`;
   * at most 1,000.
   *
   * @default {[]}
   */
  readonly origins?: readonly string[];
  /**
   * Whether pages of other hosts of the same site may: `a.example.com` for
   * `b.example.com`. It trusts every host under the same registered domain.
   *
   * @default {false}
   */
  readonly allowSameSite?: boolean;
  /**
   * Whether a request is refused that names neither an origin nor a site. No
   * browser of this decade sends such a one across origins, and most other
   * clients send nothing else.
   *
   * @default {false}
   */
  readonly requireMetadata?: boolean;
  /**
   * Requests that are not looked at: those of a webhook, say, which prove in
   * another way who sends them.
   *
   * @default {() => false}
   */
  readonly skip?: (ctx: Context) => boolean;
}

interface CsrfRules {
  readonly origins: ReadonlySet<string>;
  readonly allowSameSite: boolean;
  readonly requireMetadata: boolean;
}

const MAX_ORIGINS = 1_000;
const ORIGIN = /^(https?):\/\/([^/?#@\s]+)$/;

/**
 * Refuses requests that a page of another origin makes in the name of its
 * visitor, with 403: by `Sec-Fetch-Site`, and by `Origin` against `Host` where a
 * browser does not send that. No token is needed in any form.
 *
 * Safe methods pass: GET must change nothing. An upgrade does not count as safe,
 * since the same-origin policy does not hold for WebSockets.
 *
 * Behind a proxy that changes `Host`, put {@linkcode trustedProxy} with
 * `x-forwarded-host` or `forwarded` in front. Unless that says `https`, the scheme is
 * not known here, so a page on `http` passes as one of `https` on the same host and
 * port where the browser sends no fetch metadata; `Strict-Transport-Security` rules
 * that out.
 *
 * @param options What else is allowed.
 * @returns The middleware.
 * @throws {RangeError} If an origin is not written as a browser writes it.
 *
 * @example A form on somebody else's page
 * ```ts
 * import { compose, csrf, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = compose([csrf()], (ctx) => ctx.text("transferred"));
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const post = async (origin: string) => {
 *   const response = await fetch(`http://127.0.0.1:${port}/`, {
 *     method: "POST",
 *     headers: { origin },
 *   });
 *   await response.body?.cancel();
 *   return response.status;
 * };
 * assertEquals(await post("https://evil.example"), 403);
 * assertEquals(await post(`http://127.0.0.1:${port}`), 200);
 * ```
 */
export function csrf(options: CsrfOptions = {}): Middleware {
  const { origins = [], allowSameSite = false, requireMetadata = false, skip } = options;
  if (origins.length > MAX_ORIGINS) {
    throw new RangeError(`Cannot use option origins: ${origins.length} exceed ${MAX_ORIGINS}`);
  }
  for (const origin of origins) checkOrigin(origin);
  const rules: CsrfRules = { origins: new Set(origins), allowSameSite, requireMetadata };
  return (ctx, next) => {
    if (isUnsafe(ctx) && !skip?.(ctx) && !isOwn(ctx, rules)) {
      throw new HttpError(403, "Cannot accept a request from another origin");
    }
    return next();
  };
}

function isUnsafe(ctx: Context): boolean {
  return !isSafeMethod(ctx.method) || ctx.headers.has("upgrade");
}

function isOwn(ctx: Context, rules: CsrfRules): boolean {
  // Joined where there are several: a value that no rule knows.
  const site = ctx.headers.get("sec-fetch-site");
  const origin = ctx.headers.get("origin");
  if (origin !== undefined && rules.origins.has(origin)) return true;
  if (site !== undefined) {
    // "none": the user, not a page, began it.
    return site === "same-origin" || site === "none" ||
      (site === "same-site" && rules.allowSameSite);
  }
  if (origin === undefined) return !rules.requireMetadata;
  return isOfHost(origin, clientHost(ctx), ctx.state.get(CLIENT)?.scheme === "https");
}

/** Whether an origin has the host and port the request was sent to. */
function isOfHost(origin: string, host: string | undefined, isHttps: boolean): boolean {
  const match = ORIGIN.exec(origin);
  if (match === null || host === undefined || host === "") return false;
  if (isHttps && match[1] !== "https") return false;
  const defaultPort = match[1] === "https" ? ":443" : ":80";
  return withPort(match[2]!, defaultPort) === withPort(host, defaultPort);
}

function withPort(authority: string, defaultPort: string): string {
  const lower = authority.toLowerCase();
  return /:\d+$/.test(lower) ? lower : lower + defaultPort;
}

function checkOrigin(origin: string): void {
  if (URL.parse(origin)?.origin === origin && origin !== "null") return;
  throw new RangeError(
    `Cannot use option origins: ${JSON.stringify(origin)} is not of the form "https://host:port"`,
  );
}
