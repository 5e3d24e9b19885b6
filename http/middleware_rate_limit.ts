import { encodeHex } from "@std/encoding/hex";
import { HttpError } from "./errors.ts";
import type { Middleware } from "./middleware.ts";
import {
  MemoryRateLimitStore,
  type MemoryRateLimitStoreOptions,
  type RateLimitDecision,
  type RateLimitStore,
} from "./rate_limit_store.ts";
import { clientKey } from "./rate_limit_key.ts";
import type { Context } from "./server_context.ts";

/** Options of {@linkcode rateLimit}. */
export interface RateLimitOptions extends MemoryRateLimitStoreOptions {
  /**
   * Whose units a request uses; `undefined` for nobody's. A key of more than
   * 128 characters is replaced by its SHA-256, so that clients cannot fill the
   * memory with long ones.
   *
   * @default {} the address of the client; of IPv6 the first 64 bits, which is
   * what one customer has at least
   */
  readonly key?: (ctx: Context) => string | undefined | Promise<string | undefined>;
  /**
   * Units a request uses, an integer from 1 to `limit`.
   *
   * @default {() => 1}
   */
  readonly cost?: (ctx: Context) => number;
  /**
   * Name of the policy in the fields of the answer: printable ASCII.
   *
   * @default {"default"}
   */
  readonly policy?: string;
  /**
   * Whether `RateLimit` and `RateLimit-Policy` tell clients where they stand.
   *
   * @default {true}
   */
  readonly sendFields?: boolean;
  /**
   * Where units are counted. With a store of your own `algorithm`, `maxKeys`,
   * `whenFull` and `clock` are not used, and `limit` and `windowMs` are only
   * told to clients. If it fails, the request is answered with 500.
   *
   * @default {new MemoryRateLimitStore(options)}
   */
  readonly store?: RateLimitStore;
}

const MAX_KEY_LENGTH = 128;
const MS_PER_SECOND = 1000;
const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

const encoder = new TextEncoder();

/**
 * Limits how many requests a client may make. What exceeds the limit is
 * answered with 429 and `Retry-After`; `RateLimit` and `RateLimit-Policy`
 * (draft-ietf-httpapi-ratelimit-headers-10) tell everybody what is left.
 *
 * Several limits around one handler count each on its own, and all are told.
 *
 * Behind a proxy every client has the proxy's address: put {@linkcode trustedProxy}
 * in front of the limit, or give a `key`.
 *
 * @param options The limit, whose, and where it is counted.
 * @returns The middleware.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example One request per minute
 * ```ts
 * import { compose, rateLimit, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = compose([rateLimit({ limit: 1 })], (ctx) => ctx.text("hello"));
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const first = await fetch(`http://127.0.0.1:${port}/`);
 * await first.body?.cancel();
 * assertEquals(first.headers.get("ratelimit-policy"), '"default";q=1;w=60');
 * assertEquals(first.headers.get("ratelimit"), '"default";r=0;t=60');
 *
 * const second = await fetch(`http://127.0.0.1:${port}/`);
 * await second.body?.cancel();
 * assertEquals(second.status, 429);
 * assertEquals(second.headers.get("retry-after"), "60");
 * ```
 */
export function rateLimit(options: RateLimitOptions = {}): Middleware {
  const { key = clientKey, cost = (): number => 1, sendFields = true } = options;
  const { policy = "default", limit = 100, windowMs = 60_000 } = options;
  if (!PRINTABLE_ASCII.test(policy)) {
    throw new RangeError("Cannot use option policy: it is not printable ASCII");
  }
  // Also where it is not used: it checks the options.
  const memory = new MemoryRateLimitStore(options);
  const store = options.store ?? memory;
  const name = `"${policy.replace(/["\\]/g, "\\$&")}"`;
  const quota = `${name};q=${limit};w=${wholeSeconds(windowMs)}`;
  return async (ctx, next) => {
    const client = await key(ctx);
    if (client === undefined) return await next();
    const decision = await store.take(await shorten(client), cost(ctx));
    const fields: Fields = sendFields
      ? [["ratelimit-policy", quota], ["ratelimit", formatState(name, decision)]]
      : [];
    if (!decision.allowed) throw refusal(decision, fields);
    await nextWithFields(ctx, next, fields);
  };
}

type Fields = readonly (readonly [name: string, value: string])[];

function formatState(name: string, { remaining, resetMs }: RateLimitDecision): string {
  return `${name};r=${remaining};t=${wholeSeconds(resetMs)}`;
}

/** Up, so that nobody comes back too early. */
function wholeSeconds(durationMs: number): number {
  return Math.ceil(durationMs / MS_PER_SECOND);
}

function refusal({ retryAfterMs }: RateLimitDecision, fields: Fields): HttpError {
  const retryAfter = String(Math.max(1, wholeSeconds(retryAfterMs)));
  return new HttpError(429, "Too many requests", {
    headers: [["retry-after", retryAfter], ...fields],
  });
}

/** Appended, not set: several limits are a list. */
async function nextWithFields(
  ctx: Context,
  next: () => Promise<void>,
  fields: Fields,
): Promise<void> {
  for (const [name, value] of fields) ctx.append(name, value);
  const before = ctx.response.headers;
  await next();
  if (ctx.response.committed || ctx.response.headers === before) return;
  // An error has dropped them.
  for (const [name, value] of fields) ctx.append(name, value);
}

async function shorten(key: string): Promise<string> {
  if (key.length <= MAX_KEY_LENGTH) return key;
  return encodeHex(await crypto.subtle.digest("SHA-256", encoder.encode(key)));
}
