import { restoreDefaultFields, setDefaultFields } from "./_default_fields.ts";
import {
  allowsOrigin,
  type CorsPolicy,
  decidePreflight,
  resolveCorsPolicy,
} from "./cors_policy.ts";
import type { Middleware } from "./middleware.ts";
import { StateKey } from "./request_state.ts";
import type { Context } from "./server_context.ts";

/** Which origins may read: all, one, those that match, or those a function agrees to. */
export type CorsOrigin =
  | "*"
  | string
  | RegExp
  | readonly (string | RegExp)[]
  | ((origin: string, ctx: Context) => boolean | Promise<boolean>);

/** Options of {@linkcode cors}. */
export interface CorsOptions {
  /**
   * Origins whose pages may read the answers, as `https://app.example.com`; at
   * most 1,000. An expression has to match the whole origin. `null`, the origin
   * of sandboxed pages and local files, is one like any other: it has to be
   * listed, and then stands for anybody.
   *
   * @default {"*"}
   */
  readonly origin?: CorsOrigin;
  /**
   * Methods that may be used beside GET, HEAD and POST, which need no leave.
   *
   * @default {["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"]}
   */
  readonly methods?: readonly string[];
  /**
   * Request fields that may be set beside those that need no leave;
   * `"requested"` for whatever is asked for, up to 64 names.
   *
   * @default {["content-type"]}
   */
  readonly allowedHeaders?: readonly string[] | "requested";
  /**
   * Fields of the answer that pages may read beside those that need no leave.
   *
   * @default {[]}
   */
  readonly exposedHeaders?: readonly string[];
  /**
   * Whether requests with cookies or HTTP authentication are answered for pages
   * to read. Not with `origin: "*"`, nor with `*` in any list.
   *
   * @default {false}
   */
  readonly credentials?: boolean;
  /**
   * Seconds a browser may remember the answer to a preflight, a whole number of
   * at least 0. Browsers have limits of their own (Chromium 7,200).
   *
   * @default {600}
   */
  readonly maxAgeSeconds?: number;
  /**
   * Whether public pages may send requests to this server where it is in a
   * private network (Private Network Access).
   *
   * @default {false}
   */
  readonly privateNetwork?: boolean;
}

/** The innermost policy so far. */
const DECIDER: StateKey<CorsPolicy> = new StateKey("CORS policy");
const ALLOW_ORIGIN = "access-control-allow-origin";
const ALLOW_CREDENTIALS = "access-control-allow-credentials";
const EXPOSE_HEADERS = "access-control-expose-headers";

/**
 * Lets pages of other origins read what is answered (Fetch standard, CORS
 * protocol), errors included, and answers preflights. Where an origin is not
 * allowed the request is answered all the same, without leave to read: CORS
 * opens doors, it keeps nobody out; see {@linkcode csrf} for that.
 *
 * Put it around a router or a group: around a route for one method alone it sees no
 * preflight, which comes by OPTIONS.
 *
 * `Vary` tells caches what the answer depends on. Of several policies around a
 * handler the innermost decides; but the outermost answers preflights, which go no
 * further: it must not be stricter.
 *
 * @param options Who may do what.
 * @returns The middleware.
 * @throws {RangeError} If an option is out of its range, or credentials meet `*`.
 *
 * @example An API for one page
 * ```ts
 * import { compose, cors, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = compose(
 *   [cors({ origin: "https://app.example.com", credentials: true })],
 *   (ctx) => ctx.json({ ok: true }),
 * );
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const { headers, body } = await fetch(`http://127.0.0.1:${port}/`, {
 *   headers: { origin: "https://app.example.com" },
 * });
 * await body?.cancel();
 * assertEquals(headers.get("access-control-allow-origin"), "https://app.example.com");
 * assertEquals(headers.get("vary"), "origin");
 * ```
 */
export function cors(options: CorsOptions = {}): Middleware {
  const policy = resolveCorsPolicy(options);
  return async (ctx, next) => {
    const [origin, ...others] = ctx.headers.getAll("origin");
    // Several cannot come from a browser.
    const sender = others.length === 0 ? origin : undefined;
    // Anything but true is a mistake of who wrote it, and opens nothing.
    const isAllowed = await allowsOrigin(policy, sender, ctx) === true;
    if (isPreflight(ctx)) answerPreflight(ctx, policy, isAllowed ? sender : undefined);
    else await answerActual(ctx, next, policy, isAllowed ? sender ?? "*" : undefined);
  };
}

/** Fetch standard, CORS-preflight request: OPTIONS with both of these fields. */
function isPreflight(ctx: Context): boolean {
  return ctx.method === "OPTIONS" && ctx.headers.has("origin") &&
    ctx.headers.has("access-control-request-method");
}

function answerPreflight(ctx: Context, policy: CorsPolicy, origin: string | undefined): void {
  addVary(ctx, policy.preflightVary);
  ctx.status = 204;
  if (origin === undefined) return;
  for (const [name, value] of decidePreflight(policy, ctx.headers)) ctx.set(name, value);
  setOrigin(ctx, policy, origin);
}

function setOrigin(ctx: Context, policy: CorsPolicy, origin: string): void {
  ctx.set(ALLOW_ORIGIN, policy.isOpen ? "*" : origin);
  if (policy.credentials) ctx.set(ALLOW_CREDENTIALS, "true");
}

async function answerActual(
  ctx: Context,
  next: () => Promise<void>,
  policy: CorsPolicy,
  origin: string | undefined,
): Promise<void> {
  ctx.state.set(DECIDER, policy);
  const fields: [string, string][] = [];
  if (origin !== undefined) {
    fields.push([ALLOW_ORIGIN, policy.isOpen ? "*" : origin]);
    if (policy.credentials) fields.push([ALLOW_CREDENTIALS, "true"]);
    if (policy.exposedHeaders !== "") fields.push([EXPOSE_HEADERS, policy.exposedHeaders]);
  }
  // Leave that a policy further out gave.
  for (const name of [ALLOW_ORIGIN, ALLOW_CREDENTIALS, EXPOSE_HEADERS]) {
    if (ctx.response.headers.has(name)) ctx.response.headers.delete(name);
  }
  const before = setDefaultFields(ctx, fields);
  addVary(ctx, policy.vary);
  await next();
  if (ctx.response.committed) return;
  addVary(ctx, policy.vary);
  if (ctx.state.get(DECIDER) === policy) restoreDefaultFields(ctx, fields, before);
}

/** Adds what is not there yet: the handler may have set a Vary of its own. */
function addVary(ctx: Context, names: readonly string[]): void {
  const present = ctx.response.headers.get("vary")?.toLowerCase().split(/\s*,\s*/) ?? [];
  if (present.includes("*")) return;
  for (const name of names) {
    if (!present.includes(name)) ctx.append("vary", name);
  }
}
