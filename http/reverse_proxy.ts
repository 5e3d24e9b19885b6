/**
 * {@linkcode reverseProxy}: passes requests on to other servers, and their responses
 * back.
 *
 * @module
 */

import { CallBounds } from "./client_call_bounds.ts";
import { isIdempotentMethod } from "./client_retry.ts";
import { ConnectionClosedError } from "../nbio/errors.ts";
import type { SendStatus } from "../nbio/send_all.ts";
import { closeQuietly } from "../nbio/transport.ts";
import { HttpError } from "./errors.ts";
import { endToEndFields } from "./hop_by_hop.ts";
import { isFull, proxyError, unavailable } from "./reverse_proxy_error.ts";
import type { ReverseProxyOptions, UpstreamInit } from "./reverse_proxy_options.ts";
import {
  askedProtocols,
  makeProxiedRequest,
  maxForwards,
  ProxiedBody,
  toExchangeRequest,
} from "./reverse_proxy_request.ts";
import {
  answerHead,
  makeProxiedResponse,
  refusalOf,
  relayBody,
  relayInformational,
  relayUpgrade,
} from "./reverse_proxy_response.ts";
import { resolveReverseProxy, type ReverseProxySettings } from "./reverse_proxy_settings.ts";
import type { Context } from "./server_context.ts";
import type { BalancedUpstream } from "./upstream_balancer.ts";
import { exchangeWithUpstream, isLost, type UpstreamExchange } from "./upstream_exchange.ts";
import { type ReverseProxyStats, UpstreamGroup, type UpstreamLease } from "./upstream_group.ts";
import { viaHas } from "./via.ts";

/** What {@linkcode reverseProxy} gives: a handler with connections of its own. */
export interface ReverseProxyHandler extends AsyncDisposable {
  /** Passes a request on. */
  (ctx: Context): Promise<void>;
  /** What goes on right now. */
  stats(): ReverseProxyStats;
  /**
   * Ends the health checks and the connections to upstreams. Requests that are under
   * way fail; what was upgraded stays.
   */
  close(): Promise<void>;
}

/** What logs call it; no standard has a status for it, and none is needed. */
const CLIENT_HAS_LEFT = 499;
/** Fields that a TRACE does not tell (RFC 9110 section 9.3.8). */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
]);

/**
 * Makes a handler that passes requests on to upstreams, and their responses back.
 *
 * - Both bodies go through as they come: a slow client slows the upstream down, and a
 *   slow upstream the client. Nothing is decoded, no redirect is followed, no cookie
 *   is kept. Trailers, informational responses and `100-continue` go all the way.
 * - Fields of one connection (RFC 9110 section 7.6.1) stay on it. How a message is
 *   framed is decided anew, so that nobody can hide a request in another one.
 * - `Via` has the proxy's name, and what comes back to it is refused with 508.
 *   `Forwarded` tells of the client, and what the client says of itself is dropped, also
 *   with underscores for hyphens.
 * - An upgrade becomes a tunnel when the upstream agrees to it.
 * - An upstream that fails several times in a row is left alone for a while, that
 *   doubles, before one request finds out whether it is back. A request goes on to the
 *   next upstream where that does no harm: nothing of it has left, or it is idempotent
 *   and no byte of a response has come.
 * - Where no upstream can be asked the answer is 503, with `Retry-After`; where one
 *   has failed, 502; where it has not answered in time, 504. One that fails in the
 *   middle of its response ends the connection of the client, so that nobody takes
 *   what has come for the whole.
 * - A client that leaves ends its request to the upstream. That a client has closed is
 *   seen while nothing is written only with `abortOnHalfClose` of the server.
 *
 * Permission: `--allow-net` for the upstreams; for Unix sockets as {@linkcode dialHttp}.
 *
 * @param upstreams Where to: URLs, and what else there is to say about each.
 * @param options Balance, health, deadlines, bounds, and what is changed on the way.
 * @returns The handler; close it with the server.
 * @throws {RangeError} If an option is out of its range.
 * @throws {TypeError} If a URL is none of `http` or `https`, or has more than a path.
 *
 * @example In front of another server
 * ```ts
 * import { Client, reverseProxy, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const local = { hostname: "127.0.0.1", port: 0 };
 * await using app = serve((ctx) => ctx.text(`${ctx.path} ${ctx.headers.get("forwarded")}`), local);
 * const upstream = `http://127.0.0.1:${(app.addr as Deno.NetAddr).port}/v2`;
 *
 * await using proxy = reverseProxy([upstream], { host: "keep" });
 * await using server = serve(proxy, local);
 * const { port } = server.addr as Deno.NetAddr;
 *
 * await using client = new Client({ baseUrl: `http://127.0.0.1:${port}` });
 * const response = await client.get("/users", { headers: { host: "a.example" } });
 * assertEquals(await response.text(), "/v2/users for=127.0.0.1;host=a.example;proto=http");
 * ```
 */
export function reverseProxy(
  upstreams: string | URL | UpstreamInit | readonly (string | URL | UpstreamInit)[],
  options: ReverseProxyOptions = {},
): ReverseProxyHandler {
  const given = upstreams instanceof Array ? upstreams : [upstreams];
  const inits = given.map((one) =>
    typeof one === "string" || one instanceof URL ? { url: one } : one
  );
  const settings = resolveReverseProxy(options);
  const group = new UpstreamGroup(inits, options);
  return Object.assign((ctx: Context) => handle(ctx, group, settings), {
    stats: () => group.stats(),
    close: () => group.close(),
    [Symbol.asyncDispose]: () => group.close(),
  });
}

async function handle(
  ctx: Context,
  group: UpstreamGroup,
  settings: ReverseProxySettings,
): Promise<void> {
  if (ctx.method === "CONNECT") throw new HttpError(405, "A reverse proxy makes no tunnels");
  if (viaHas(ctx.headers, settings.name)) {
    throw new HttpError(508, "Request has come through this proxy before");
  }
  if (maxForwards(ctx) === 0) return answerAsLast(ctx);
  const { totalTimeoutMs } = settings;
  const bounds = totalTimeoutMs === Infinity
    ? undefined
    : new CallBounds(totalTimeoutMs, ctx.signal, group.wheel);
  try {
    await new ProxiedCall(ctx, bounds?.signal ?? ctx.signal, group, settings).run();
  } catch (error) {
    const hasLeft = error instanceof ConnectionClosedError && error === ctx.signal.reason;
    // Nobody reads it, and it is nothing to report: a client may leave.
    if (hasLeft) throw new HttpError(CLIENT_HAS_LEFT, "Client has left", { cause: error });
    throw error;
  } finally {
    bounds?.stop();
  }
}

/** One request on its way. */
class ProxiedCall {
  readonly #ctx: Context;
  readonly #signal: AbortSignal;
  readonly #group: UpstreamGroup;
  readonly #settings: ReverseProxySettings;
  readonly #body: ProxiedBody | undefined;
  readonly #protocols: readonly string[];
  readonly #tried = new Set<BalancedUpstream>();
  #hashKey: string | undefined;
  /** Of the method that was sent, which a hook may have changed. */
  #isIdempotent = false;

  constructor(
    ctx: Context,
    signal: AbortSignal,
    group: UpstreamGroup,
    settings: ReverseProxySettings,
  ) {
    this.#ctx = ctx;
    this.#signal = signal;
    this.#group = group;
    this.#settings = settings;
    const { body } = ctx;
    this.#body = body.length === 0 ? undefined : new ProxiedBody(body, settings.maxRequestBytes);
    this.#protocols = askedProtocols(ctx, settings.upgradeProtocols);
  }

  /** Tries one upstream after the other. */
  async run(): Promise<void> {
    this.#hashKey = this.#settings.hashKey?.(this.#ctx);
    for (let lease = this.#begin() ?? this.#noUpstream();;) {
      const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
      let exchanged: UpstreamExchange;
      try {
        exchanged = await this.#ask(lease, status);
      } catch (error) {
        lease = this.#recover(error, lease, status);
        continue;
      }
      return await this.#answer(exchanged, lease);
    }
  }

  #begin(): UpstreamLease | undefined {
    const lease = this.#group.begin(this.#hashKey, this.#tried);
    if (lease !== undefined) this.#tried.add(lease.upstream.balanced);
    return lease;
  }

  async #ask(lease: UpstreamLease, status: SendStatus): Promise<UpstreamExchange> {
    const { upstream } = lease;
    const request = makeProxiedRequest(this.#ctx, upstream, this.#settings);
    const { rewriteRequest } = this.#settings;
    let headers = request.headers;
    if (rewriteRequest !== undefined) {
      await rewriteRequest(request, this.#ctx);
      // What a hook has put there is no more to be trusted than what came.
      headers = endToEndFields(headers);
    }
    this.#isIdempotent = isIdempotentMethod(request.method);
    return await exchangeWithUpstream(
      this.#group.pool,
      upstream.target,
      toExchangeRequest({ ...request, headers }, this.#ctx, this.#body, this.#protocols),
      status,
      {
        ...this.#settings.timeouts,
        signal: this.#signal,
        onInformational: (event) => relayInformational(this.#ctx, event),
        mayRepeat: (sent) => this.#mayRepeat(sent),
      },
    );
  }

  /**
   * After an upstream has failed without a response.
   *
   * @returns The next one.
   * @throws {Error} If there is none, or this is the end of it.
   */
  #recover(error: unknown, lease: UpstreamLease, status: SendStatus): UpstreamLease {
    const told = this.#isOurs(error) ? error : proxyError(error);
    // What says nothing about the upstream: the client's fault, a hook's, or no room.
    const isItsFault = told !== error && !isFull(error);
    if (isItsFault) lease.fail();
    lease.end();
    if (!isItsFault) throw told;
    const mayGoOn = !this.#signal.aborted && this.#tried.size < this.#settings.maxAttempts &&
      this.#mayRepeat(status) &&
      (!status.mayHaveSent || isLost(error));
    const next = mayGoOn ? this.#begin() : undefined;
    this.#tell(error, lease, next !== undefined);
    if (next === undefined) throw told;
    return next;
  }

  async #answer(exchanged: UpstreamExchange, lease: UpstreamLease): Promise<void> {
    const { response } = exchanged;
    const refusal = refusalOf(response, this.#protocols);
    if (refusal !== undefined) return this.#refuse(refusal, exchanged, lease);
    if (this.#settings.failureStatuses.has(response.status)) lease.fail();
    else lease.succeed();
    try {
      if (response.handover !== undefined) {
        return await relayUpgrade(this.#ctx, exchanged, lease, this.#group, this.#settings);
      }
      const head = makeProxiedResponse(response, lease.upstream.url, this.#settings);
      const { rewriteResponse } = this.#settings;
      let headers = head.headers;
      if (rewriteResponse !== undefined) {
        await rewriteResponse(head, this.#ctx);
        headers = endToEndFields(headers);
      }
      answerHead(this.#ctx, { ...head, headers });
      await relayBody(this.#ctx, response, (error) => this.#onBroken(error, lease));
    } finally {
      exchanged.release();
      if (response.handover === undefined) lease.end();
    }
  }

  /** A response that nobody can be given is none. */
  #refuse(refusal: HttpError, exchanged: UpstreamExchange, lease: UpstreamLease): never {
    const { handover } = exchanged.response;
    if (handover !== undefined) closeQuietly(handover.transport);
    exchanged.release();
    lease.fail();
    lease.end();
    this.#tell(refusal, lease, false);
    throw refusal;
  }

  /** In the middle of a response. */
  #onBroken(error: unknown, lease: UpstreamLease): void {
    if (this.#isOurs(error)) return;
    lease.fail();
    this.#tell(error, lease, false);
  }

  #tell(error: unknown, lease: UpstreamLease | undefined, isRepeated: boolean): void {
    const upstream = lease?.upstream.url;
    try {
      this.#settings.onFailure({ error, ctx: this.#ctx, upstream, isRepeated });
    } catch {
      // Whoever is told must not change what becomes of the request.
    }
  }

  /** Whether the client, and no upstream, is why: it has left, or its body is broken. */
  #isOurs(error: unknown): boolean {
    const { signal } = this.#ctx;
    return (signal.aborted && error === signal.reason) || error === this.#body?.failure?.error;
  }

  /** Not one byte has left, or twice does no harm; and the body is there. */
  #mayRepeat(status: SendStatus): boolean {
    if (this.#body?.isBegun) return false;
    return !status.mayHaveSent || this.#isIdempotent;
  }

  #noUpstream(): never {
    const error = unavailable(this.#group.retryAfterMs());
    this.#tell(error, undefined, false);
    throw error;
  }
}

/** RFC 9110 section 7.6.2: it must not be passed on, and is answered here. */
function answerAsLast(ctx: Context): void {
  if (ctx.method === "OPTIONS") {
    ctx.status = 204;
    return;
  }
  const lines = [`TRACE ${ctx.url} HTTP/${ctx.httpVersion}`];
  for (const [name, value] of ctx.headers) {
    if (!SECRET_FIELDS.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  ctx.set("content-type", "message/http");
  ctx.text([...lines, "", ""].join("\r\n"));
}
