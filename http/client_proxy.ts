/**
 * {@linkcode ProxyRules}: which proxy a URL is reached through, if any.
 *
 * @module
 */

import { encodeBase64 } from "@std/encoding/base64";
import type { HttpTlsOptions } from "./dial.ts";
import { type HeaderInit, HeaderList } from "./header_list.ts";
import { NoProxyRules } from "./no_proxy.ts";
import { checkSocks5Credentials } from "./socks5.ts";

/**
 * What is spoken with a proxy.
 *
 * - `http`, `https`: HTTP, in the clear or over TLS. What is to be secured or is no
 *   HTTP goes through a tunnel (CONNECT), plain HTTP is asked in absolute-form.
 * - `socks5`: SOCKS 5 (RFC 1928), names being looked up here.
 * - `socks5h`: SOCKS 5, names being looked up by the proxy.
 */
export type ProxyScheme = "http" | "https" | "socks5" | "socks5h";

/**
 * Proxies by what is reached through them, each as the text of a URL: `http://`,
 * `https://`, `socks5://` or `socks5h://`, `http://` where there is none. User name
 * and password stand in it, percent-encoded. Without a port it is 80, 443 or 1080.
 */
export interface ProxyOptions {
  /**
   * For `http` and `ws`.
   *
   * @default that of `all`
   */
  readonly http?: string;
  /**
   * For `https` and `wss`.
   *
   * @default that of `all`
   */
  readonly https?: string;
  /**
   * For everything that has none of its own.
   *
   * @default {undefined}
   */
  readonly all?: string;
  /**
   * Hosts that are reached without one; {@linkcode NoProxyRules} has the rules. At
   * most 10,000 entries.
   *
   * @default {""}
   */
  readonly noProxy?: string | readonly string[];
  /**
   * Whether an HTTP proxy makes a tunnel for plain HTTP as well.
   *
   * @default {false}
   */
  readonly tunnel?: boolean;
  /**
   * Further fields of a CONNECT request, for the proxy only. Credentials come from
   * the URL.
   *
   * @default {[]}
   */
  readonly headers?: HeaderInit;
  /**
   * What to trust, and whom to expect, where the proxy is an `https` one.
   *
   * @default {{}}
   */
  readonly tls?: HttpTlsOptions;
}

const DEFAULT_PORTS: Readonly<Record<ProxyScheme, number>> = {
  http: 80,
  https: 443,
  socks5: 1080,
  socks5h: 1080,
};

/** What the connector writes itself into a CONNECT request. */
const OWN_FIELDS: readonly string[] = [
  "host",
  "proxy-authorization",
  "content-length",
  "transfer-encoding",
];

// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f]/;

/**
 * A proxy. Its credentials do not show where it is printed.
 *
 * @example What does not show
 * ```ts
 * import { ProxyServer } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const proxy = new ProxyServer("http://ada:s3cret@proxy.example:3128");
 * assertEquals(String(proxy), "http://proxy.example:3128");
 * assertEquals(proxy.authorization, `Basic ${btoa("ada:s3cret")}`);
 * assertEquals(Deno.inspect(proxy).includes("s3cret"), false);
 * ```
 */
export class ProxyServer {
  /** What is spoken with it. */
  readonly scheme: ProxyScheme;
  /** Name or address, an IPv6 one without brackets. */
  readonly hostname: string;
  /** TCP port. */
  readonly port: number;
  readonly #username: string;
  readonly #password: string;

  /**
   * Reads the URL of a proxy.
   *
   * @param text The URL; `http://` may be left out. Path and query do not count.
   * @throws {TypeError} If it cannot be read, has another scheme, or credentials
   * that cannot be sent.
   */
  constructor(text: string) {
    const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
    const url = URL.parse(hasScheme ? text : `http://${text}`);
    if (url === null || url.hostname === "") throw badProxy("expected scheme://host:port");
    this.scheme = schemeOf(url);
    this.hostname = url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
    this.port = url.port === "" ? DEFAULT_PORTS[this.scheme] : Number(url.port);
    if (this.port === 0) throw badProxy("its port is 0");
    this.#username = decode(url.username);
    this.#password = decode(url.password);
    checkCredentials(this.scheme, this.#username, this.#password);
  }

  /** User name and password; `undefined` without. */
  get credentials(): { readonly username: string; readonly password: string } | undefined {
    if (this.#username === "" && this.#password === "") return undefined;
    return { username: this.#username, password: this.#password };
  }

  /** Value of `Proxy-Authorization` (RFC 7617, in UTF-8); `undefined` without credentials. */
  get authorization(): string | undefined {
    const { credentials } = this;
    if (credentials === undefined) return undefined;
    const bytes = new TextEncoder().encode(`${credentials.username}:${credentials.password}`);
    return `Basic ${encodeBase64(bytes)}`;
  }

  /** As `scheme://host:port`, without credentials. */
  toString(): string {
    const host = this.hostname.includes(":") ? `[${this.hostname}]` : this.hostname;
    return `${this.scheme}://${host}:${this.port}`;
  }
}

/**
 * Which proxy a URL is reached through. The decision hangs on scheme, host and port
 * of the URL only, and is to be made anew for every URL a redirect leads to.
 *
 * @example Two proxies and an exception
 * ```ts
 * import { ProxyRules } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const rules = new ProxyRules({
 *   http: "proxy.example:3128",
 *   all: "socks5h://socks.example",
 *   noProxy: "internal.example",
 * });
 * const proxyOf = (url: string) => rules.proxyFor(new URL(url))?.toString();
 * assertEquals(proxyOf("http://example.com/"), "http://proxy.example:3128");
 * assertEquals(proxyOf("https://example.com/"), "socks5h://socks.example:1080");
 * assertEquals(proxyOf("https://www.internal.example/"), undefined);
 * ```
 */
export class ProxyRules {
  /** Whether an HTTP proxy makes a tunnel for plain HTTP as well. */
  readonly tunnel: boolean;
  /** Further fields of a CONNECT request. */
  readonly headers: HeaderList;
  /** How a connection to an `https` proxy is secured. */
  readonly tls: HttpTlsOptions;
  readonly #plain: ProxyServer | undefined;
  readonly #secure: ProxyServer | undefined;
  readonly #noProxy: NoProxyRules;

  /**
   * Reads and checks everything.
   *
   * @param proxy One proxy for all, or which for what.
   * @throws {TypeError} If a URL cannot be used, or a field of `headers` cannot.
   * @throws {RangeError} If `noProxy` has too many entries.
   */
  constructor(proxy: ProxyOptions | string) {
    const options = typeof proxy === "string" ? { all: proxy } : proxy;
    const { all, http = all, https = all, noProxy = "", headers = [] } = options;
    this.tunnel = options.tunnel ?? false;
    this.tls = options.tls ?? {};
    this.headers = new HeaderList(headers);
    for (const name of OWN_FIELDS) {
      if (!this.headers.has(name)) continue;
      throw new TypeError(`Cannot use proxy: its headers have ${name}, which is written for them`);
    }
    this.#plain = http === undefined ? undefined : new ProxyServer(http);
    this.#secure = https === undefined ? undefined : new ProxyServer(https);
    this.#noProxy = new NoProxyRules(noProxy);
  }

  /**
   * The proxy for a URL.
   *
   * @param url With the scheme `http`, `https`, `ws` or `wss`.
   * @returns The proxy; `undefined` where it is reached without.
   */
  proxyFor(url: URL): ProxyServer | undefined {
    const isSecure = url.protocol === "https:" || url.protocol === "wss:";
    const server = isSecure ? this.#secure : this.#plain;
    if (server === undefined) return undefined;
    const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
    return this.#noProxy.has(url.hostname, port) ? undefined : server;
  }
}

/**
 * Reads proxies out of environment variables, as curl does: `http_proxy` (in lower
 * case only: a CGI program has `HTTP_PROXY` from whoever asks), `https_proxy`,
 * `all_proxy` and `no_proxy`, the latter three also in upper case.
 *
 * Nothing reads them unasked.
 *
 * Permission: whatever `read` needs, `--allow-env` for these names.
 *
 * @param read Gives the value of a variable, such as `(name) => Deno.env.get(name)`.
 * @returns Options for a client; without a proxy in them where none is set.
 * @throws {TypeError} If one is the URL of no proxy that can be used: to go without
 * it would show what was meant to stay hidden.
 * @throws {RangeError} If `no_proxy` has too many entries.
 * @throws {Error} What `read` throws.
 *
 * @example On request
 * ```ts
 * import { proxyFromEnvironment } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const environment = new Map([["HTTPS_PROXY", "proxy.example:3128"], ["no_proxy", "localhost"]]);
 * assertEquals(proxyFromEnvironment((name) => environment.get(name)), {
 *   https: "proxy.example:3128",
 *   noProxy: "localhost",
 * });
 * ```
 */
export function proxyFromEnvironment(read: (name: string) => string | undefined): ProxyOptions {
  const first = (...names: string[]): string | undefined =>
    names.map((name) => read(name)?.trim()).find((value) => value !== undefined && value !== "");
  const http = first("http_proxy");
  const https = first("https_proxy", "HTTPS_PROXY");
  const all = first("all_proxy", "ALL_PROXY");
  const noProxy = first("no_proxy", "NO_PROXY");
  const options: ProxyOptions = {
    ...http !== undefined && { http },
    ...https !== undefined && { https },
    ...all !== undefined && { all },
    ...noProxy !== undefined && { noProxy },
  };
  // Where it is read, and not at the first request.
  new ProxyRules(options);
  return options;
}

function schemeOf({ protocol }: URL): ProxyScheme {
  const scheme = protocol.slice(0, -1);
  if (Object.hasOwn(DEFAULT_PORTS, scheme)) return scheme as ProxyScheme;
  const quoted = JSON.stringify(scheme.slice(0, 32));
  throw badProxy(`its scheme is ${quoted}, expected http, https, socks5 or socks5h`);
}

function checkCredentials(scheme: ProxyScheme, username: string, password: string): void {
  if (username === "" && password === "") return;
  if (scheme === "http" || scheme === "https") {
    // RFC 7617 section 2: the first colon ends the name.
    if (username.includes(":")) throw badProxy("its user name has a colon in it");
  } else {
    checkSocks5Credentials({ username, password });
  }
}

function decode(encoded: string): string {
  let text: string;
  try {
    text = decodeURIComponent(encoded);
  } catch {
    throw badProxy("its credentials are not percent-encoded UTF-8");
  }
  if (CONTROLS.test(text)) throw badProxy("its credentials have a control character in them");
  return text;
}

/** What was given is not told: there may be a password in it. */
function badProxy(reason: string): TypeError {
  return new TypeError(`Cannot use proxy: ${reason}`);
}
