import type { Clock } from "../nbio/clock.ts";
import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import type { ExchangeTimeouts } from "./client_options.ts";
import type { ClientPoolOptions } from "./client_pool_options.ts";
import type { DialHttpOptions, HttpTlsOptions } from "./dial.ts";
import type { HeaderList } from "./header_list.ts";
import type { Context } from "./server_context.ts";
import type { UpstreamBalance } from "./upstream_balancer.ts";
import type { UpstreamCheckOptions } from "./upstream_check.ts";
import type { UpstreamHealthOptions } from "./upstream_health.ts";

/** A server behind a proxy. */
export interface UpstreamInit {
  /**
   * Where it is: `http` or `https`. A path is put in front of those that are asked
   * for; a query, a fragment or credentials are refused.
   */
  readonly url: string | URL;
  /**
   * Its share of the requests by that of the others, 1 to 1,000.
   *
   * @default {1}
   */
  readonly weight?: number;
  /**
   * Path of a Unix socket to connect to instead of the host of the URL.
   *
   * @default {undefined}
   */
  readonly path?: string;
  /**
   * What to trust, and whom to expect, for `https`.
   *
   * @default {{}}
   */
  readonly tls?: HttpTlsOptions;
}

/** A request on its way to an upstream; what it holds may be changed. */
export interface ProxiedRequest {
  /** Method: a token. */
  method: string;
  /** Request target in origin-form, or `*`; the path of the upstream is in front already. */
  target: string;
  /**
   * Header fields, without those of the connection and of framing: what is put there
   * of these does not leave.
   */
  readonly headers: HeaderList;
  /** The upstream. Not to be changed. */
  readonly upstream: URL;
}

/** A response on its way to the client; what it holds may be changed. */
export interface ProxiedResponse {
  /** Final status, 200 to 599. */
  status: number;
  /**
   * Header fields, without those of the connection. A Content-Length is that of the
   * body, and has to stay true.
   */
  readonly headers: HeaderList;
  /** The upstream. Not to be changed. */
  readonly upstream: URL;
}

/** Something went wrong between a proxy and one of its upstreams. */
export interface ProxyFailure {
  /** What did. */
  readonly error: unknown;
  /** The request of the client. */
  readonly ctx: Context;
  /** Where it was to go; `undefined` if there was none to ask. */
  readonly upstream: URL | undefined;
  /** Whether it is sent again, to this or another upstream. */
  readonly isRepeated: boolean;
}

/** Options of {@linkcode reverseProxy}. Times and bounds: 0 or Infinity switches one off. */
export interface ReverseProxyOptions
  extends
    ExchangeTimeouts,
    Omit<ClientPoolOptions, "wheel">,
    Omit<UpstreamHealthOptions, "maxFailedChecks" | "minGoodChecks">,
    Omit<DialHttpOptions, "signal" | "wheel" | "path" | "tls"> {
  /**
   * How requests are spread over several upstreams.
   *
   * @default {"round-robin"}
   */
  readonly balance?: UpstreamBalance;
  /**
   * What tells requests apart that belong to one upstream, with `balance: "hash"`.
   *
   * @default the address of the client
   */
  readonly hashKey?: (ctx: Context) => string;
  /**
   * Asks every upstream from time to time whether it is well; `false` for never.
   *
   * @default {false}
   */
  readonly healthCheck?: UpstreamCheckOptions | false;
  /**
   * Upstreams that one request is tried at, 1 to 100: the next one only where that
   * does no harm.
   *
   * @default {3}
   */
  readonly maxAttempts?: number;
  /**
   * Statuses (500 to 599) that count against the health of an upstream. They are
   * passed on all the same.
   *
   * @default {[]}
   */
  readonly failureStatuses?: readonly number[];
  /**
   * Milliseconds for everything, the bodies included.
   *
   * @default {Infinity}
   */
  readonly totalTimeoutMs?: number;
  /**
   * Milliseconds in which nothing goes either way through an upgraded connection,
   * before it is cut.
   *
   * @default {300_000}
   */
  readonly tunnelIdleTimeoutMs?: number;
  /**
   * Most bytes of the body of a request; more is refused with 413.
   *
   * @default {Infinity}
   */
  readonly maxRequestBytes?: number;
  /**
   * Name by which the proxy goes in `Via`: a token. What has come through it before is
   * refused with 508, so that two proxies need two names.
   *
   * @default drawn at random
   */
  readonly name?: string;
  /**
   * Which Host upstreams see: their own, or that of the client.
   *
   * @default {"upstream"}
   */
  readonly host?: "upstream" | "keep";
  /**
   * Whose word about clients behind them is passed on: addresses, CIDR ranges, and
   * `"unix"`. Everybody else's `Forwarded`, `X-Forwarded-*` and `X-Real-IP` is
   * dropped.
   *
   * @default {[]}
   */
  readonly trusted?: Iterable<string>;
  /**
   * Whether `Forwarded` (RFC 7239) tells upstreams of the client.
   *
   * @default {true}
   */
  readonly forwarded?: boolean;
  /**
   * Whether `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` do.
   *
   * @default {false}
   */
  readonly xForwarded?: boolean;
  /**
   * Protocols that a client may change to, in lower case; `"*"` for any. What is not
   * among them is asked for as if it were not there. An upgrade to `h2c`, say, would
   * let a client past whatever stands in front of the proxy.
   *
   * @default {["websocket"]}
   */
  readonly upgradeProtocols?: readonly string[];
  /**
   * Makes the path and query that upstreams are asked for, of those that the client
   * asked for, both undecoded.
   *
   * @default {(target) => target}
   */
  readonly rewritePath?: (target: string, ctx: Context) => string;
  /**
   * Changes a request before it leaves, once for each upstream that it is tried at.
   * What it throws is answered.
   *
   * @default {() => {}}
   */
  readonly rewriteRequest?: (request: ProxiedRequest, ctx: Context) => void | Promise<void>;
  /**
   * Changes a response before its head leaves. What it throws is answered instead.
   *
   * @default {() => {}}
   */
  readonly rewriteResponse?: (response: ProxiedResponse, ctx: Context) => void | Promise<void>;
  /**
   * Told of what goes wrong with upstreams: it becomes a 502, 503 or 504, which
   * `onError` of the server does not hear of.
   *
   * @default {() => {}}
   */
  readonly onFailure?: (failure: ProxyFailure) => void;
  /**
   * Where deadlines wait.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
  /**
   * Where the time of health and checks comes from.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}
