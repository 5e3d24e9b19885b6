import { systemClock } from "../nbio/clock.ts";
import type { Clock } from "../nbio/clock.ts";
import { deadlines, type DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { ClientPool } from "./client_pool.ts";
import type { ClientPoolStats, PoolTarget } from "./client_pool_options.ts";
import { dialHttp } from "./dial.ts";
import type { ReverseProxyOptions, UpstreamInit } from "./reverse_proxy_options.ts";
import { type BalancedUpstream, UpstreamBalancer } from "./upstream_balancer.ts";
import { UpstreamChecks } from "./upstream_check.ts";
import type { UpstreamHealthState } from "./upstream_health.ts";

/** Idle and busy connections to one upstream: streams and upgrades hold theirs for long. */
const DEFAULT_CONNECTIONS_PER_HOST = 1_000;
const DEFAULT_CONNECTIONS = 10_000;

/** One of several upstreams, made ready. */
export interface Upstream {
  /** Where it is. */
  readonly url: URL;
  /** Path that goes in front of all others, without a slash at its end; mostly empty. */
  readonly basePath: string;
  /** How its connections are made. */
  readonly target: PoolTarget;
  /** How it is, and what goes on there. */
  readonly balanced: BalancedUpstream;
}

/** How an upstream is. */
export interface UpstreamStats {
  /** Where it is. */
  readonly url: string;
  /** What its requests say. */
  readonly state: UpstreamHealthState;
  /** What its checks say: true where there are none. */
  readonly isChecked: boolean;
  /** Requests and tunnels under way. */
  readonly activeCount: number;
}

/** What goes on in a {@linkcode reverseProxy}. */
export interface ReverseProxyStats {
  /** The upstreams, in the order in which they were given. */
  readonly upstreams: readonly UpstreamStats[];
  /** Their connections. */
  readonly pool: ClientPoolStats;
}

/** A request under way at an upstream. It says once how that went, and once that it is over. */
export class UpstreamLease {
  /** Where it is. */
  readonly upstream: Upstream;
  readonly #balancer: UpstreamBalancer;
  readonly #clock: Clock;
  #isTold = false;
  #isOver = false;

  /**
   * @param upstream Where it is.
   * @param balancer Who chose.
   * @param clock Where the time comes from.
   */
  constructor(upstream: Upstream, balancer: UpstreamBalancer, clock: Clock) {
    this.upstream = upstream;
    this.#balancer = balancer;
    this.#clock = clock;
  }

  /** The upstream is well. */
  succeed(): void {
    this.#isTold = true;
    this.upstream.balanced.health.succeed();
  }

  /** It is not. */
  fail(): void {
    this.#isTold = true;
    this.upstream.balanced.health.fail(this.#clock.now());
  }

  /** Nothing is under way there any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isTold) this.upstream.balanced.health.release(this.#clock.now());
    this.#balancer.end(this.upstream.balanced);
  }
}

/** The upstreams of a proxy, with their connections. */
export class UpstreamGroup {
  /** Connections. */
  readonly pool: ClientPool;
  /** Where deadlines wait. */
  readonly wheel: DeadlineWheel;
  readonly #clock: Clock;
  readonly #balancer: UpstreamBalancer;
  readonly #upstreams = new Map<BalancedUpstream, Upstream>();
  readonly #checks: UpstreamChecks | undefined;

  /**
   * @param inits The upstreams.
   * @param options Of the proxy.
   * @throws {RangeError} If an option is out of its range.
   * @throws {TypeError} If a URL is none.
   */
  constructor(inits: readonly UpstreamInit[], options: ReverseProxyOptions) {
    const { wheel = deadlines, clock = systemClock, healthCheck = false } = options;
    this.wheel = wheel;
    this.#clock = clock;
    this.pool = new ClientPool({
      maxConnectionsPerHost: DEFAULT_CONNECTIONS_PER_HOST,
      maxConnections: DEFAULT_CONNECTIONS,
      ...options,
      wheel,
    });
    const checks = healthCheck === false ? {} : healthCheck;
    const { maxFailedChecks, minGoodChecks } = checks;
    const places = inits.map((init) => ({ ...placeOf(init, options), weight: init.weight ?? 1 }));
    this.#balancer = new UpstreamBalancer(places, {
      random: Math.random,
      ...options,
      ...maxFailedChecks !== undefined && { maxFailedChecks },
      ...minGoodChecks !== undefined && { minGoodChecks },
    });
    this.#balancer.upstreams.forEach((balanced, index) => {
      const { url, basePath, target } = places[index]!;
      this.#upstreams.set(balanced, { url, basePath, target, balanced });
    });
    if (healthCheck === false) return;
    const checked = [...this.#upstreams.values()].map(({ url, target, balanced }) => {
      return { target, host: url.host, health: balanced.health };
    });
    this.#checks = new UpstreamChecks(checked, checks, { pool: this.pool, wheel, clock });
  }

  /**
   * Chooses an upstream for a request.
   *
   * @param hashKey What tells it from others.
   * @param exclude Upstreams that were tried already.
   * @returns What has to be ended; `undefined` if there is none to ask.
   */
  begin(
    hashKey: string | undefined,
    exclude: ReadonlySet<BalancedUpstream>,
  ): UpstreamLease | undefined {
    const balanced = this.#balancer.begin(this.#clock.now(), {
      exclude,
      ...hashKey !== undefined && { hashKey },
    });
    if (balanced === undefined) return undefined;
    return new UpstreamLease(this.#upstreams.get(balanced)!, this.#balancer, this.#clock);
  }

  /** Milliseconds until one may be asked again; `undefined` where nobody knows. */
  retryAfterMs(): number | undefined {
    return this.#balancer.retryAfterMs(this.#clock.now());
  }

  /** What goes on. */
  stats(): ReverseProxyStats {
    const upstreams = [...this.#upstreams.values()].map(({ url, balanced }) => ({
      url: url.href,
      state: balanced.health.state,
      isChecked: balanced.health.isChecked,
      activeCount: balanced.activeCount,
    }));
    return { upstreams, pool: this.pool.stats() };
  }

  /** Ends checks and connections. */
  async close(): Promise<void> {
    await this.#checks?.close();
    await this.pool.close();
  }
}

interface Place extends Omit<Upstream, "balanced"> {
  readonly key: string;
}

function placeOf(init: UpstreamInit, options: ReverseProxyOptions): Place {
  const url = new URL(init.url);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(`Cannot proxy to ${url.origin}: the scheme is not http or https`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError(
      `Cannot proxy to ${url.host}: a URL with credentials, query or fragment says too much`,
    );
  }
  const { path, tls } = init;
  const basePath = url.pathname.replace(/\/+$/, "");
  const server = url.origin + (path === undefined ? "" : ` path=${path}`);
  const dialing = {
    ...options,
    ...path !== undefined && { path },
    ...tls !== undefined && { tls },
  };
  const origin = new URL(url.origin);
  return {
    url,
    basePath,
    // Upstreams that are secured in ways of their own share no connection.
    key: server + basePath,
    target: {
      key: tls === undefined ? server : server + basePath,
      dial: ({ signal }) => dialHttp(origin, { ...dialing, signal }),
    },
  };
}
