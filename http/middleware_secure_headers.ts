import { type DefaultField, restoreDefaultFields, setDefaultFields } from "./_default_fields.ts";
import { checkFieldValue } from "./field_text.ts";
import type { Middleware } from "./middleware.ts";
import type { Context } from "./server_context.ts";

/** Options of {@linkcode secureHeaders}: the value of each field, or `false` to leave it out. */
export interface SecureHeadersOptions {
  /**
   * `Content-Security-Policy`. A function is called for every request, for a
   * policy with a nonce; what it uses, it can keep in `ctx.state`.
   *
   * @default {"default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'; script-src-attr 'none'"}
   */
  readonly contentSecurityPolicy?: string | false | ((ctx: Context) => string);
  /**
   * `Cross-Origin-Embedder-Policy`. Switching it on cuts off every resource of
   * other origins that does not agree to be embedded.
   *
   * @default {false}
   */
  readonly crossOriginEmbedderPolicy?: string | false;
  /**
   * `Cross-Origin-Opener-Policy`.
   *
   * @default {"same-origin"}
   */
  readonly crossOriginOpenerPolicy?: string | false;
  /**
   * `Cross-Origin-Resource-Policy`. It holds for embedding without CORS only:
   * what {@linkcode cors} allows stays allowed.
   *
   * @default {"same-origin"}
   */
  readonly crossOriginResourcePolicy?: string | false;
  /**
   * `Origin-Agent-Cluster`.
   *
   * @default {"?1"}
   */
  readonly originAgentCluster?: string | false;
  /**
   * `Permissions-Policy`.
   *
   * @default {false}
   */
  readonly permissionsPolicy?: string | false;
  /**
   * `Referrer-Policy`. With `no-referrer` browsers send `Origin: null` with the
   * forms of your own pages, which {@linkcode csrf} then refuses where the
   * browser sends no fetch metadata.
   *
   * @default {"same-origin"}
   */
  readonly referrerPolicy?: string | false;
  /**
   * `Strict-Transport-Security`, such as `max-age=63072000; includeSubDomains`.
   * Off, because it must not be sent over plain HTTP (RFC 6797 section 7.2), and
   * because a browser that has seen it does not come back over plain HTTP.
   *
   * @default {false}
   */
  readonly strictTransportSecurity?: string | false;
  /**
   * `X-Content-Type-Options`.
   *
   * @default {"nosniff"}
   */
  readonly contentTypeOptions?: string | false;
  /**
   * `X-Frame-Options`, for browsers that do not know `frame-ancestors`.
   *
   * @default {"SAMEORIGIN"}
   */
  readonly frameOptions?: string | false;
}

type FixedOption = Exclude<keyof SecureHeadersOptions, "contentSecurityPolicy">;

const CSP = "content-security-policy";
const DEFAULT_CSP = [
  "default-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'self'",
  "object-src 'none'",
  "script-src-attr 'none'",
].join("; ");

const FIXED: readonly (readonly [FixedOption, field: string, value: string | false])[] = [
  ["crossOriginEmbedderPolicy", "cross-origin-embedder-policy", false],
  ["crossOriginOpenerPolicy", "cross-origin-opener-policy", "same-origin"],
  ["crossOriginResourcePolicy", "cross-origin-resource-policy", "same-origin"],
  ["originAgentCluster", "origin-agent-cluster", "?1"],
  ["permissionsPolicy", "permissions-policy", false],
  ["referrerPolicy", "referrer-policy", "same-origin"],
  ["strictTransportSecurity", "strict-transport-security", false],
  ["contentTypeOptions", "x-content-type-options", "nosniff"],
  ["frameOptions", "x-frame-options", "SAMEORIGIN"],
];

/**
 * Tells browsers to be strict with what is answered: what may be embedded,
 * where scripts come from, who may frame it.
 *
 * A field that the handler sets itself stays as it set it. The fields stand on
 * errors too.
 *
 * @param options Values other than the defaults.
 * @returns The middleware.
 * @throws {RangeError} If a value cannot stand in a header field.
 *
 * @example One page with a policy of its own
 * ```ts
 * import { compose, secureHeaders, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = compose([secureHeaders({ frameOptions: "DENY" })], (ctx) => {
 *   ctx.set("content-security-policy", "default-src 'none'");
 *   ctx.html("<p>hello");
 * });
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const { headers, body } = await fetch(`http://127.0.0.1:${port}/`);
 * await body?.cancel();
 * assertEquals(headers.get("x-frame-options"), "DENY");
 * assertEquals(headers.get("x-content-type-options"), "nosniff");
 * assertEquals(headers.get("content-security-policy"), "default-src 'none'");
 * ```
 */
export function secureHeaders(options: SecureHeadersOptions = {}): Middleware {
  const fixed: DefaultField[] = [];
  for (const [option, field, value] of FIXED) {
    addField(fixed, option, field, options[option] ?? value);
  }
  const { contentSecurityPolicy: policy = DEFAULT_CSP } = options;
  if (typeof policy !== "function") addField(fixed, "contentSecurityPolicy", CSP, policy);
  return async (ctx, next) => {
    const fields: readonly DefaultField[] = typeof policy === "function"
      ? [...fixed, [CSP, policy(ctx)]]
      : fixed;
    const before = setDefaultFields(ctx, fields);
    await next();
    restoreDefaultFields(ctx, fields, before);
  };
}

function addField(
  fields: DefaultField[],
  option: string,
  name: string,
  value: string | false,
): void {
  if (value === false) return;
  try {
    checkFieldValue(value);
  } catch (cause) {
    throw new RangeError(`Cannot use option ${option}: it is no field value`, { cause });
  }
  fields.push([name, value]);
}
