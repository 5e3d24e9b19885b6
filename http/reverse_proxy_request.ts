import { LimitExceededError } from "../nbio/errors.ts";
import type { IncomingBody } from "./body_incoming.ts";
import type { ExchangeRequest } from "./client_sender.ts";
import { HttpError } from "./errors.ts";
import { type ForwardedHop, writeForwarded } from "./forwarded_writer.ts";
import type { HeaderList } from "./header_list.ts";
import { endToEndFields, endToEndTrailers, fieldTokens } from "./hop_by_hop.ts";
import { proxyHeader } from "./proxy_listener.ts";
import type { ProxiedRequest } from "./reverse_proxy_options.ts";
import type { ReverseProxySettings } from "./reverse_proxy_settings.ts";
import type { Context } from "./server_context.ts";
import type { Upstream } from "./upstream_group.ts";
import { appendVia } from "./via.ts";

/** Fields that are written for the body, whatever somebody says. */
const FRAMING: readonly string[] = ["content-length", "transfer-encoding"];
/**
 * Fields whose words are joined by underscores and are ours with hyphens: CGI and what came after it
 * take the one name for the other (RFC 3875 section 4.1.18), and a client must not speak for us.
 */
const DISGUISED =
  /^(?:x[_-]forwarded[_-].+|x[_-]real[_-]ip|content[_-]length|transfer[_-]encoding)$/i;
/** Two dots as a segment of a path, however they are written. */
const DOT_SEGMENT = /(?:[/\\]|%2f|%5c)(?:\.|%2e){2}(?:[/\\;]|%2f|%5c|$)/i;

/** The body of a client's request, on its way to an upstream. */
export class ProxiedBody implements AsyncIterable<Uint8Array> {
  /** Why reading it has failed; `undefined` while it has not. */
  failure: { readonly error: unknown } | undefined;
  /** Whether reading has begun, so that it cannot be sent again. */
  isBegun = false;

  readonly #body: IncomingBody;
  readonly #maxBytes: number;

  /**
   * @param body What the client sends.
   * @param maxBytes Most bytes of it.
   * @throws {HttpError} With 413, if it says that it has more.
   */
  constructor(body: IncomingBody, maxBytes: number) {
    this.#body = body;
    this.#maxBytes = maxBytes;
    if ((body.length ?? 0) > maxBytes) {
      throw new HttpError(413, `Cannot pass body on: it has more than ${maxBytes} bytes`, {
        cause: new LimitExceededError("Body is too large", {
          limit: "maxRequestBytes",
          max: maxBytes,
        }),
      });
    }
  }

  /** Bytes in all; `undefined` where they come in chunks. */
  get length(): number | undefined {
    return this.#body.length;
  }

  /** What of the trailer section goes on. */
  get trailers(): HeaderList {
    return endToEndTrailers(this.#body.trailers);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.isBegun = true;
    // As it comes: what is encoded stays so.
    const chunks = this.#body.chunks({ decode: false, maxBytes: this.#maxBytes });
    return {
      next: async () => {
        try {
          return await chunks.next();
        } catch (error) {
          this.failure = { error };
          throw error;
        }
      },
      return: async () => await chunks.return!(),
    };
  }
}

/**
 * The protocols that a request asks to change to, as far as they are allowed.
 *
 * @param ctx The request.
 * @param allowed Protocols in lower case, `*` for any.
 */
export function askedProtocols(ctx: Context, allowed: readonly string[]): readonly string[] {
  if (ctx.httpVersion === "1.0" || !ctx.headers.has("upgrade")) return [];
  if (!fieldTokens(ctx.headers, "connection").includes("upgrade")) return [];
  const asked = fieldTokens(ctx.headers, "upgrade");
  return allowed.includes("*") ? asked : asked.filter((protocol) => allowed.includes(protocol));
}

/**
 * The head of a request as an upstream is to see it, but for what the caller's hook
 * changes.
 *
 * @param ctx The request.
 * @param upstream Where it goes.
 * @param settings Of the proxy.
 * @throws {HttpError} With 400, if its path leads out of that of the upstream.
 */
export function makeProxiedRequest(
  ctx: Context,
  upstream: Upstream,
  settings: ReverseProxySettings,
): ProxiedRequest {
  const headers = endToEndFields(ctx.headers);
  dropDisguised(headers);
  const host = ctx.headers.get("host");
  headers.set("Host", settings.keepsHost && host !== undefined ? host : upstream.url.host);
  writeForwarded(headers, hopOf(ctx, host), {
    isTrusted: settings.trusted.has(ctx.remoteAddr),
    forwarded: settings.forwarded,
    xForwarded: settings.xForwarded,
  });
  appendVia(headers, ctx.httpVersion === "1.0" ? 0 : 1, settings.name);
  const forwards = maxForwards(ctx);
  if (forwards !== undefined) headers.set("max-forwards", `${forwards - 1}`);
  return {
    method: ctx.method,
    target: targetOf(ctx, upstream.basePath, settings),
    headers,
    upstream: upstream.url,
  };
}

/**
 * What leaves: a request with the fields of our connection and the framing of our
 * body, so that no two servers can see two requests in it.
 *
 * @param request As it is to leave, without the fields of any connection.
 * @param ctx The request of the client.
 * @param body Its body; `undefined` without one.
 * @param protocols Those that it may change to.
 */
export function toExchangeRequest(
  request: ProxiedRequest,
  ctx: Context,
  body: ProxiedBody | undefined,
  protocols: readonly string[],
): ExchangeRequest {
  const { method, target, headers } = request;
  for (const name of FRAMING) headers.delete(name);
  // RFC 9110 section 10.1.1: not from HTTP/1.0; and without content nobody waits.
  if (body === undefined || ctx.httpVersion === "1.0") headers.delete("expect");
  if (protocols.length > 0) {
    headers.append("connection", "Upgrade");
    headers.append("upgrade", protocols.join(", "));
  } else if (fieldTokens(ctx.headers, "te").includes("trailers")) {
    // Trailers go all the way: it is true of us, too.
    headers.append("connection", "TE");
    headers.append("te", "trailers");
  }
  if (body === undefined) return { method, target, headers, bodyLength: 0 };
  const { length } = body;
  if (length !== undefined) return { method, target, headers, body, bodyLength: length };
  return { method, target, headers, body, trailers: () => body.trailers };
}

/**
 * How often a request may still be passed on, where that counts: with TRACE and
 * OPTIONS (RFC 9110 section 7.6.2).
 *
 * @param ctx The request.
 * @returns The number; `undefined` where it does not count, or is none.
 */
export function maxForwards(ctx: Context): number | undefined {
  if (ctx.method !== "TRACE" && ctx.method !== "OPTIONS") return undefined;
  const value = ctx.headers.get("max-forwards");
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

function dropDisguised(headers: HeaderList): void {
  const names: string[] = [];
  headers.forEach((name) => {
    if (name.includes("_") && DISGUISED.test(name)) names.push(name);
  });
  for (const name of names) headers.delete(name);
}

function targetOf(ctx: Context, basePath: string, settings: ReverseProxySettings): string {
  if (ctx.url === "*") return "*";
  const target = settings.rewritePath(ctx.path + ctx.search, ctx);
  if (!target.startsWith("/")) {
    throw new TypeError("Cannot pass request on: rewritePath gave no path");
  }
  // An upstream that resolves them would leave the path it was given to.
  if (basePath !== "" && DOT_SEGMENT.test(target.split("?", 1)[0]!)) {
    throw new HttpError(400, "Path leads out of where it may go");
  }
  return basePath + target;
}

function hopOf(ctx: Context, host: string | undefined): ForwardedHop {
  const { remoteAddr } = ctx;
  const isSecure = ctx.tlsInfo !== undefined || proxyHeader(ctx)?.isTls === true;
  return {
    address: "hostname" in remoteAddr ? remoteAddr.hostname : undefined,
    host,
    scheme: isSecure ? "https" : "http",
  };
}
