/**
 * {@linkcode dialHttp}: a connection to the server of a URL, in the clear or over
 * TLS, directly or through a proxy.
 *
 * @module
 */

import { systemClock } from "../nbio/clock.ts";
import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { dial, type DialAddress, type DialOptions } from "../nbio/dial.ts";
import { parseIpAddress } from "../nbio/ip_address.ts";
import type { TlsClientOptions, TlsInfo, TlsProvider } from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { type ProxyOptions, ProxyRules } from "./client_proxy.ts";
import {
  connectThroughProxy,
  type DialedProxy,
  lookUpForProxy,
  type ProxyRoute,
} from "./proxy_dial.ts";
import { checkTime } from "./limits.ts";
import { ProxyError } from "./proxy_error.ts";

/** How the connections of a client are secured. */
export interface HttpTlsOptions extends
  Omit<
    TlsClientOptions,
    // What the dialler says itself.
    "hostname" | "alpnProtocols" | "handshakeTimeoutMs" | "signal" | "wheel"
  > {
  /**
   * Who the server has to be, where that is not the host of the URL. The host in
   * the request stays that of the URL.
   *
   * @default the host of the URL
   */
  readonly hostname?: string;
}

/** Options of {@linkcode dialHttp}. */
export interface DialHttpOptions extends Omit<DialOptions, "hostname" | "port"> {
  /**
   * Path of a Unix socket to connect to instead of the host of the URL, which
   * still says who the server is.
   *
   * @default {undefined}
   */
  readonly path?: string;

  /**
   * What to trust, and whom to expect, for `https` and `wss`.
   *
   * @default {{}}
   */
  readonly tls?: HttpTlsOptions;

  /**
   * Who secures the connection, for `https` and `wss`.
   *
   * @default the runtime, which is loaded at the first use
   */
  readonly tlsProvider?: TlsProvider;

  /**
   * Most milliseconds the TLS handshake takes, behind those of connecting, give
   * or take the precision of `wheel`. 0 and `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly tlsTimeoutMs?: number;

  /**
   * A proxy to go through, as a URL or by rules. Then the options of connecting
   * (`family`, `connect`, `connectTimeoutMs`, ...) are for the connection to the
   * proxy. Not together with `path`.
   *
   * @default {undefined}
   */
  readonly proxy?: ProxyOptions | string;

  /**
   * Most milliseconds from the connection to the proxy to that behind it, give or
   * take the precision of `wheel`: it has to look up and connect in this time. 0
   * and `Infinity` mean no limit.
   *
   * @default {30_000}
   */
  readonly proxyTimeoutMs?: number;

  /**
   * Where the deadline of the handshake waits.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
}

/** How long each step of {@linkcode dialHttp} took, in milliseconds. */
export interface DialTimings {
  /**
   * From the beginning to the first attempt to connect. `undefined` where the
   * runtime looked the name up by itself: `connectMs` has it then.
   */
  readonly resolveMs: number | undefined;
  /** From there to the connection. */
  readonly connectMs: number;
  /**
   * From there until the proxy was through with its part, a handshake with it
   * included. Only where there is one.
   */
  readonly proxyMs?: number;
  /** The handshake with the server; `undefined` in the clear. */
  readonly tlsMs: number | undefined;
}

/** What {@linkcode dialHttp} gives: a connection, and how it was made. */
export interface DialedConnection {
  /** The connection; it belongs to the caller. */
  readonly transport: Transport;
  /** The address that answered; that of the proxy, where there is one. */
  readonly remoteAddr: Deno.Addr;
  /** What the handshake with the server has brought to light; `undefined` in the clear. */
  readonly tlsInfo: TlsInfo | undefined;
  /** The proxy, where there is one. */
  readonly proxy?: DialedProxy;
  /** How long each step took. */
  readonly timings: DialTimings;
}

const DEFAULT_TLS_TIMEOUT_MS = 10_000;
const DEFAULT_PROXY_TIMEOUT_MS = 30_000;

/** What each scheme means for a connection. */
const SCHEMES: Readonly<Record<string, { readonly port: number; readonly isSecure: boolean }>> = {
  "http:": { port: 80, isSecure: false },
  "https:": { port: 443, isSecure: true },
  "ws:": { port: 80, isSecure: false },
  "wss:": { port: 443, isSecure: true },
};

/** The protocol this package speaks over TLS (RFC 7301 section 6). */
const ALPN_PROTOCOLS: readonly string[] = ["http/1.1"];

/**
 * Connects to the server of a URL, by name with Happy Eyeballs, over a Unix socket
 * or through a proxy, and for `https` and `wss` secures the connection. Of the URL
 * only scheme, host and port count.
 *
 * Permission: as `dial` of `@nbio/net/nbio` for the host and port of the URL, or for
 * those of the proxy. TLS needs none of its own.
 *
 * @param url Where to, with the scheme `http`, `https`, `ws` or `wss`.
 * @param options How, and for how long.
 * @returns The connection, on which nothing was said yet but with the proxy and for
 * TLS. Where `proxy.absoluteForm` is set it is one to the proxy itself: requests have
 * to be in absolute-form, with `proxy.authorization` as their `Proxy-Authorization`.
 * @throws {ConnectError} If the name has no address or none could be reached.
 * @throws {TimeoutError} If time is up, in the phase `"resolve"`, `"connect"`,
 * `"proxy"` or `"tls"`.
 * @throws {ProxyError} If the proxy makes no connection.
 * @throws {ConnectionClosedError} If the server leaves during the handshake.
 * @throws {NetError} With a code `ERR_TLS_...`, if the server is not who it has to
 * be, the handshake fails, or the provider cannot do what is asked for.
 * @throws {TypeError} If the URL cannot be read or has another scheme, or an
 * option cannot be used.
 * @throws {RangeError} If an option is out of its range.
 * @throws {Error} The reason of `signal`, untouched.
 *
 * @example Connecting to a server
 * ```ts
 * import { dialHttp, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 *
 * const { transport, tlsInfo, timings } = await dialHttp(`http://127.0.0.1:${port}/`);
 * assertEquals([tlsInfo, timings.resolveMs], [undefined, 0]);
 * transport.close();
 * ```
 */
export async function dialHttp(
  url: string | URL,
  options: DialHttpOptions = {},
): Promise<DialedConnection> {
  const plan = planOf(url, options);
  options.signal?.throwIfAborted();
  const { target, isSecure } = plan;
  // Before the connection is there: it would have to wait for the module.
  const provider = isSecure || plan.route?.server.scheme === "https"
    ? options.tlsProvider ?? await loadProvider()
    : undefined;
  checkNesting(plan, provider);
  const watch = new Watch(options, looksUp(plan, options));
  const { transport, ...reached } = await reach(plan, provider, watch, options);
  if (!isSecure) return { ...reached, transport, tlsInfo: undefined };
  const hostname = options.tls?.hostname ?? serverName(target);
  const secured = await secure(provider!, transport, { ...options.tls, hostname }, options);
  const timings = { ...reached.timings, tlsMs: watch.lap() };
  return { ...reached, transport: secured, tlsInfo: secured.tlsInfo, timings };
}

/** What the URL and the options come to. */
interface DialPlan {
  readonly target: URL;
  readonly port: number;
  readonly isSecure: boolean;
  /** The proxy, if there is one. */
  readonly route: ProxyRoute | undefined;
}

function planOf(url: string | URL, options: DialHttpOptions): DialPlan {
  const { proxy, proxyTimeoutMs = DEFAULT_PROXY_TIMEOUT_MS } = options;
  const { tlsTimeoutMs = DEFAULT_TLS_TIMEOUT_MS } = options;
  const target = new URL(url);
  const scheme = schemeOf(target);
  checkTime("tlsTimeoutMs", tlsTimeoutMs);
  checkTime("proxyTimeoutMs", proxyTimeoutMs);
  if (proxy !== undefined && options.path !== undefined) {
    throw new TypeError("Cannot dial: give one of path and proxy");
  }
  const rules = proxy === undefined ? undefined : new ProxyRules(proxy);
  const server = rules?.proxyFor(target);
  return {
    target,
    port: target.port === "" ? scheme.port : Number(target.port),
    isSecure: scheme.isSecure,
    route: server && { rules: rules!, server },
  };
}

/** A connection to the target, directly or through the proxy; not secured yet. */
async function reach(
  { target, port, route }: DialPlan,
  provider: TlsProvider | undefined,
  watch: Watch,
  options: DialHttpOptions,
): Promise<Omit<DialedConnection, "tlsInfo">> {
  const { path } = options;
  const place = path === undefined ? { hostname: target.hostname, port } : { path };
  if (route === undefined) {
    const transport = await dial(watch.observe({ ...options, ...place }));
    return { transport, remoteAddr: transport.remoteAddr, timings: watch.connected() };
  }
  const { server, rules } = route;
  const { hostname } = server;
  const asked = server.scheme === "socks5"
    ? await lookUpForProxy(target.hostname, options)
    : target.hostname;
  let transport = await dial(watch.observe({ ...options, hostname, port: server.port }));
  const { remoteAddr } = transport;
  const timings = watch.connected();
  if (server.scheme === "https") {
    transport = await secure(provider!, transport, { hostname, ...rules.tls }, options);
  }
  const proxy = await connectThroughProxy(transport, route, { hostname: asked, port }, {
    ...boundsOf(options),
    timeoutMs: options.proxyTimeoutMs ?? DEFAULT_PROXY_TIMEOUT_MS,
    isPlainHttp: target.protocol === "http:",
  });
  return { transport, remoteAddr, proxy, timings: { ...timings, proxyMs: watch.lap() } };
}

/** TLS in TLS is not for every provider: to be said before anybody is troubled. */
function checkNesting({ route, isSecure }: DialPlan, provider: TlsProvider | undefined): void {
  const isNested = isSecure && route?.server.scheme === "https";
  if (!isNested || provider!.capabilities.anyTransport) return;
  throw new ProxyError(
    "ERR_PROXY_UNSUPPORTED",
    `Cannot dial through ${route.server}: provider "${
      provider!.name
    }" has no TLS inside of TLS; that needs one with "anyTransport", or a proxy in the clear`,
    { proxy: String(route.server) },
  );
}

function schemeOf({ protocol }: URL): { readonly port: number; readonly isSecure: boolean } {
  const scheme = SCHEMES[protocol];
  if (scheme !== undefined) return scheme;
  const quoted = JSON.stringify(protocol.slice(0, 32));
  throw new TypeError(`Cannot dial: the scheme is ${quoted}, expected http, https, ws or wss`);
}

/** The only place that loads it: who stays in the clear does not pay for TLS. */
async function loadProvider(): Promise<TlsProvider> {
  return (await import("../tls/default_provider.ts")).defaultTlsProvider;
}

async function secure(
  provider: TlsProvider,
  transport: Transport,
  tls: HttpTlsOptions & { readonly hostname: string },
  options: DialHttpOptions,
): ReturnType<TlsProvider["client"]> {
  try {
    return await provider.client(transport, {
      ...tls,
      alpnProtocols: ALPN_PROTOCOLS,
      handshakeTimeoutMs: options.tlsTimeoutMs ?? DEFAULT_TLS_TIMEOUT_MS,
      ...boundsOf(options),
    });
  } catch (error) {
    // It has been closed already, unless the provider broke its promise.
    closeQuietly(transport);
    throw error;
  }
}

function boundsOf({ signal, wheel }: DialHttpOptions): Pick<DialHttpOptions, "signal" | "wheel"> {
  return { ...signal !== undefined && { signal }, ...wheel !== undefined && { wheel } };
}

/** Looks at the clock where one step of dialling gives way to the next. */
class Watch {
  readonly #now: () => number;
  #markMs: number;
  /** `undefined` until the first attempt to connect. */
  #resolveMs: number | undefined;

  constructor({ clock = systemClock }: DialHttpOptions, looksUp: boolean) {
    this.#now = () => clock.now();
    this.#markMs = this.#now();
    if (!looksUp) this.#resolveMs = 0;
  }

  /** Options that tell when the first attempt begins. */
  observe(options: DialOptions): DialOptions {
    const onAttempt = (address: DialAddress): void => {
      // A name: the runtime was left to look it up, and does so from here on.
      const isName = address.transport === "tcp" && !isAddress(address.hostname);
      if (!isName) this.#resolveMs ??= this.lap();
      options.onAttempt?.(address);
    };
    return { ...options, onAttempt };
  }

  connected(): { resolveMs: number | undefined; connectMs: number; tlsMs: undefined } {
    return { resolveMs: this.#resolveMs, connectMs: this.lap(), tlsMs: undefined };
  }

  /** Milliseconds since the step before. */
  lap(): number {
    const sinceMs = this.#markMs;
    this.#markMs = this.#now();
    return this.#markMs - sinceMs;
  }
}

/** Whether there is a name among what has to be looked up here. */
function looksUp({ target, route }: DialPlan, { path }: DialHttpOptions): boolean {
  if (path !== undefined) return false;
  const scheme = route?.server.scheme;
  const isTargetsName = !isAddress(target.hostname) &&
    (scheme === undefined || scheme === "socks5");
  return isTargetsName || (route !== undefined && !isAddress(route.server.hostname));
}

function isAddress(hostname: string): boolean {
  return parseIpAddress(withoutBrackets(hostname)) !== undefined;
}

/** The host of a URL as certificates have it (RFC 6066 section 3). */
function serverName({ hostname }: URL): string {
  return withoutBrackets(hostname).replace(/\.$/, "");
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
