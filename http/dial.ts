/**
 * {@linkcode dialHttp}: a connection to the server of a URL, in the clear or over
 * TLS.
 *
 * @module
 */

import { systemClock } from "../nbio/clock.ts";
import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { dial, type DialOptions } from "../nbio/dial.ts";
import { connect } from "../nbio/dial_connect.ts";
import { parseIpAddress } from "../nbio/ip_address.ts";
import type { TlsClientOptions, TlsInfo, TlsProvider } from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";

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
  /** The handshake; `undefined` in the clear. */
  readonly tlsMs: number | undefined;
}

/** What {@linkcode dialHttp} gives: a connection, and how it was made. */
export interface DialedConnection {
  /** The connection; it belongs to the caller. */
  readonly transport: Transport;
  /** The address that answered. */
  readonly remoteAddr: Deno.Addr;
  /** What the handshake has brought to light; `undefined` in the clear. */
  readonly tlsInfo: TlsInfo | undefined;
  /** How long each step took. */
  readonly timings: DialTimings;
}

const DEFAULT_TLS_TIMEOUT_MS = 10_000;

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
 * Connects to the server of a URL, by name with Happy Eyeballs or over a Unix
 * socket, and for `https` and `wss` secures the connection. Of the URL only
 * scheme, host and port count.
 *
 * Permission: as `dial` of `@nbio/net/nbio` for the host and port of the URL. TLS
 * needs none of its own.
 *
 * @param url Where to, with the scheme `http`, `https`, `ws` or `wss`.
 * @param options How, and for how long.
 * @returns The connection, on which nothing was said yet but for TLS.
 * @throws {ConnectError} If the name has no address or none could be reached.
 * @throws {TimeoutError} If time is up, in the phase `"resolve"`, `"connect"` or
 * `"tls"`.
 * @throws {ConnectionClosedError} If the server leaves during the handshake.
 * @throws {NetError} With a code `ERR_TLS_...`, if the server is not who it has to
 * be, the handshake fails, or the provider cannot do what is asked for: the
 * provider of the runtime secures TCP connections only.
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
  const { tls, tlsProvider, tlsTimeoutMs = DEFAULT_TLS_TIMEOUT_MS, wheel, ...rest } = options;
  const { signal, path } = rest;
  const target = new URL(url);
  const scheme = schemeOf(target);
  checkTimeout(tlsTimeoutMs);
  signal?.throwIfAborted();
  // Before the connection is there: it would have to wait for the module.
  const provider = scheme.isSecure ? tlsProvider ?? await loadProvider() : undefined;
  const watch = new Watch(options);
  const port = target.port === "" ? scheme.port : Number(target.port);
  const place = path === undefined ? { hostname: target.hostname, port } : { path };
  const transport = await dial(watch.observe({ ...rest, ...place }, isNamed(target, options)));
  const { remoteAddr } = transport;
  const timings = { ...watch.connected(), tlsMs: undefined };
  if (provider === undefined) return { transport, remoteAddr, tlsInfo: undefined, timings };
  const secured = await secure(provider, transport, {
    ...tls,
    hostname: tls?.hostname ?? serverName(target),
    alpnProtocols: ALPN_PROTOCOLS,
    handshakeTimeoutMs: tlsTimeoutMs,
    ...signal !== undefined && { signal },
    ...wheel !== undefined && { wheel },
  });
  const { tlsInfo } = secured;
  return { transport: secured, remoteAddr, tlsInfo, timings: { ...timings, tlsMs: watch.lap() } };
}

function schemeOf({ protocol }: URL): { readonly port: number; readonly isSecure: boolean } {
  const scheme = SCHEMES[protocol];
  if (scheme !== undefined) return scheme;
  const quoted = JSON.stringify(protocol.slice(0, 32));
  throw new TypeError(`Cannot dial: the scheme is ${quoted}, expected http, https, ws or wss`);
}

/** The only place that loads it: who stays in the clear does not pay for TLS. */
async function loadProvider(): Promise<TlsProvider> {
  return (await import("../tls/deno_provider.ts")).denoProvider;
}

async function secure(
  provider: TlsProvider,
  transport: Transport,
  options: TlsClientOptions,
): ReturnType<TlsProvider["client"]> {
  try {
    return await provider.client(transport, options);
  } catch (error) {
    // It has been closed already, unless the provider broke its promise.
    closeQuietly(transport);
    throw error;
  }
}

/** Looks at the clock where one step of dialling gives way to the next. */
class Watch {
  readonly #now: () => number;
  #markMs: number;
  /** `undefined` until the first attempt to connect. */
  #resolveMs: number | undefined;

  constructor(options: DialHttpOptions) {
    const { clock = systemClock } = options;
    this.#now = () => clock.now();
    this.#markMs = this.#now();
  }

  /** Options that tell when the first attempt begins, where that can be told. */
  observe(options: DialOptions, isNamed: boolean): DialOptions {
    if (!isNamed) {
      this.#resolveMs = 0;
      return options;
    }
    // Any of these decides that names are looked up here. Without them that hangs
    // on permissions, and the runtime must be left to do it: a `connect` of ours
    // would take that from it.
    const { resolver, family, connect: connectOne = connect } = options;
    if ((resolver ?? options.connect ?? family) === undefined) return options;
    return {
      ...options,
      connect: (address, bounds) => {
        this.#resolveMs ??= this.lap();
        return connectOne(address, bounds);
      },
    };
  }

  connected(): { resolveMs: number | undefined; connectMs: number } {
    return { resolveMs: this.#resolveMs, connectMs: this.lap() };
  }

  /** Milliseconds since the step before. */
  lap(): number {
    const sinceMs = this.#markMs;
    this.#markMs = this.#now();
    return this.#markMs - sinceMs;
  }
}

/** Whether a name has to be looked up. */
function isNamed(url: URL, { path }: DialHttpOptions): boolean {
  return path === undefined && parseIpAddress(withoutBrackets(url.hostname)) === undefined;
}

/** The host of a URL as certificates have it (RFC 6066 section 3). */
function serverName(url: URL): string {
  return withoutBrackets(url.hostname).replace(/\.$/, "");
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

function checkTimeout(timeoutMs: number): void {
  if (timeoutMs >= 0) return;
  throw new RangeError(
    `Cannot dial: tlsTimeoutMs is ${timeoutMs}, expected a number of at least 0`,
  );
}
