import type { Transport } from "../nbio/transport.ts";
import type { PoolTarget } from "./client_pool_options.ts";
import type { ClientOptions, ClientRouteOptions } from "./client_settings.ts";
import { type DialedConnection, dialHttp, type DialHttpOptions } from "./dial.ts";
import type { ClientTelemetry } from "./client_telemetry.ts";
import { HeaderList } from "./header_list.ts";

/** A server of a client, and how its connections are made. */
export interface ClientTarget extends PoolTarget {
  /** Header section of a GET of which nothing is said but its URL. */
  readonly plainHeaders: HeaderList;
}

/** A URL that requests go to. */
export interface RequestUrl {
  /** The URL, without credentials. Not to be changed. */
  readonly url: URL;
  /** What the response says about where it came from: the same without a fragment. */
  readonly href: string;
  /** The request target in origin-form. */
  readonly path: string;
  /** User name and password of the URL, percent-encoded; `undefined` without. */
  readonly userinfo: string | undefined;
  /** The server. */
  readonly target: ClientTarget;
}

/** URLs and servers that are remembered; all are forgotten where there are more. */
const MAX_REMEMBERED = 1_000;

/** The servers of a client, by what may share a connection. */
export class TargetTable {
  readonly #dial: (url: URL, options: DialHttpOptions) => Promise<DialedConnection>;
  readonly #dialOptions: DialHttpOptions;
  readonly #baseUrl: URL | undefined;
  readonly #fields: Iterable<readonly [name: string, value: string]>;
  readonly #telemetry: ClientTelemetry | undefined;
  readonly #urls = new Map<string, RequestUrl>();
  readonly #targets = new Map<string, ClientTarget>();
  readonly #identities = new WeakMap<object, number>();
  readonly #textIdentities = new Map<string, number>();
  #lastIdentity = 0;

  /**
   * @param options Of the client.
   * @param fields Header fields of every request, behind its Host.
   * @param telemetry Who is told about connections.
   * @throws {TypeError} If the base URL is none.
   */
  constructor(
    options: ClientOptions,
    fields: Iterable<readonly [name: string, value: string]>,
    telemetry?: ClientTelemetry,
  ) {
    this.#telemetry = telemetry;
    this.#dialOptions = options;
    this.#baseUrl = options.baseUrl === undefined ? undefined : new URL(options.baseUrl);
    this.#fields = fields;
    const { transport } = options;
    this.#dial = transport === undefined
      ? dialHttp
      : async (url, { signal }) => supplied(await transport(url, { signal: signal! }));
  }

  /**
   * What a URL means.
   *
   * @param url Absolute, or relative to the base URL.
   * @throws {TypeError} If it is none, or none of HTTP.
   */
  resolve(url: string | URL): RequestUrl {
    if (typeof url !== "string") return this.#understand(url, {});
    let known = this.#urls.get(url);
    if (known === undefined) {
      known = this.#understand(url, {});
      remember(this.#urls, url, known);
    }
    return known;
  }

  /**
   * What a URL means where it is to be reached in a way of its own.
   *
   * @param url Absolute, or relative to the base URL.
   * @param options The way.
   * @throws {TypeError} If it is none, or none of HTTP.
   */
  route(url: string | URL, options: ClientRouteOptions): RequestUrl {
    const { tls, path, proxy } = options;
    const isPlain = tls === undefined && path === undefined && proxy === undefined;
    return isPlain ? this.resolve(url) : this.#understand(url, options);
  }

  #understand(url: string | URL, options: ClientRouteOptions): RequestUrl {
    const whole = new URL(url, this.#baseUrl);
    if (whole.protocol !== "http:" && whole.protocol !== "https:") {
      const quoted = JSON.stringify(whole.protocol.slice(0, 32));
      throw new TypeError(`Cannot request: the scheme is ${quoted}, expected http or https`);
    }
    const { username, password } = whole;
    if (username !== "" || password !== "") whole.username = whole.password = "";
    const path = whole.pathname + whole.search;
    return {
      url: whole,
      href: `${whole.protocol}//${whole.host}${path}`,
      path,
      userinfo: username === "" && password === "" ? undefined : `${username}:${password}`,
      target: this.#targetOf(whole, options),
    };
  }

  #targetOf(url: URL, { tls, path, proxy }: ClientRouteOptions): ClientTarget {
    let key = `${url.protocol}//${url.host}`;
    if (path !== undefined) key += ` path=${path}`;
    if (tls !== undefined) key += ` tls=${this.#identityOf(tls)}`;
    if (proxy !== undefined) key += ` proxy=${this.#identityOf(proxy)}`;
    let target = this.#targets.get(key);
    if (target === undefined) {
      const options = {
        ...this.#dialOptions,
        ...tls !== undefined && { tls },
        ...path !== undefined && { path },
        ...proxy !== undefined && { proxy },
      };
      const origin = new URL(url.origin);
      const telemetry = this.#telemetry;
      target = {
        key,
        dial: ({ signal }) => this.#dial(origin, { ...options, signal }),
        ...telemetry !== undefined && { observe: () => telemetry.observeConnection(origin) },
        plainHeaders: new HeaderList([["host", url.host], ...this.#fields]),
      };
      remember(this.#targets, key, target);
    }
    return target;
  }

  /** A number for each: keys are shown in statistics, and what is in these may be secret. */
  #identityOf(options: object | string): number {
    let identity = typeof options === "string"
      ? this.#textIdentities.get(options)
      : this.#identities.get(options);
    if (identity !== undefined) return identity;
    identity = ++this.#lastIdentity;
    if (typeof options === "string") remember(this.#textIdentities, options, identity);
    else this.#identities.set(options, identity);
    return identity;
  }
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size >= MAX_REMEMBERED) map.clear();
  map.set(key, value);
}

/** A connection that was not dialled here. */
function supplied(transport: Transport): DialedConnection {
  return {
    transport,
    remoteAddr: transport.remoteAddr,
    tlsInfo: undefined,
    timings: { resolveMs: undefined, connectMs: 0, tlsMs: undefined },
  };
}
