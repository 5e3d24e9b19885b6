import { deadlines, type DeadlineWheel } from "../nbio/deadline_wheel.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { ClientConnectionOptions } from "./client_options.ts";
import { resolveConnectionOptions } from "./connection_options.ts";
import type { DialedConnection } from "./dial.ts";
import { checkTime, resolveBound, resolveTime } from "./limits.ts";

/** Told of what becomes of one connection of a pool. Each may be called again. */
export interface ConnectionObserver {
  /** It is lent. */
  use(): void;
  /** It lies idle. */
  rest(): void;
  /** It is closed, or another protocol's. */
  close(): void;
}

/** Where a connection of a pool leads to, and how one is made. */
export interface PoolTarget {
  /**
   * Tells what may share a connection from what may not: scheme, host, port, TLS
   * options, proxy, Unix path. Targets of the same key are one host to the pool.
   */
  readonly key: string;
  /**
   * Makes a connection.
   *
   * @param bounds `signal` is aborted when the pool is closed. Whoever asked for
   * the connection may have left before: it goes into the pool then.
   */
  dial(bounds: { readonly signal: AbortSignal }): Promise<DialedConnection>;
  /** Gives who is told of what becomes of a connection that was just made; for telemetry. */
  readonly observe?: () => ConnectionObserver;
}

/** A connection of a pool, lent for one exchange. */
export interface PooledConnection {
  /** The connection. */
  readonly connection: ClientConnection;
  /**
   * Whether it was there before: it may have died since, unnoticed by either
   * side. `false` for one that was dialled for whoever waited for it.
   */
  readonly reused: boolean;
  /** How it was made. */
  readonly dialed: DialedConnection;
  /**
   * Takes note of the Keep-Alive field of the response: it shortens or lengthens
   * how long the connection may lie idle, and says how many requests are left.
   *
   * @param value Value of the field; `undefined` changes nothing.
   */
  noteKeepAlive(value: string | undefined): void;
  /**
   * Gives the connection back. One that can be used again goes to whoever waits,
   * or lies idle; every other one is closed, also with a body nobody has read to
   * its end. A second call does nothing.
   */
  release(): void;
}

/** Options of {@linkcode ClientPool.acquire}. */
export interface PoolAcquireOptions {
  /**
   * Leaves the line. A dial that was begun goes on, for others.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
  /**
   * Whether the connection has to be one on which nothing was said yet and that
   * has not lain idle: for a request that met a dead one.
   *
   * @default {false}
   */
  readonly fresh?: boolean;
}

/** Options of {@linkcode ClientPool}; 0 and Infinity switch a bound off. */
export interface ClientPoolOptions {
  /**
   * Connections to one host at a time, those being dialled counted.
   *
   * @default {64}
   */
  readonly maxConnectionsPerHost?: number;
  /**
   * Connections to all hosts at a time, those being dialled counted. To make room
   * idle ones of other hosts are closed, the longest idle first.
   *
   * @default {1_000}
   */
  readonly maxConnections?: number;
  /**
   * Requests that wait for a connection at a time, over all hosts.
   *
   * @default {1_000}
   */
  readonly maxQueuedRequests?: number;
  /**
   * Milliseconds a request waits for its turn. Dialling does not count: it has
   * deadlines of its own.
   *
   * @default {30_000}
   */
  readonly queueTimeoutMs?: number;
  /**
   * Milliseconds a connection lies idle where the server gave no hint.
   *
   * @default {30_000}
   */
  readonly idleTimeoutMs?: number;
  /**
   * Milliseconds a connection lies idle at most, however long the server says it
   * will keep it.
   *
   * @default {600_000}
   */
  readonly maxIdleTimeoutMs?: number;
  /**
   * Milliseconds after which a connection takes no further request.
   *
   * @default {Infinity}
   */
  readonly maxConnectionAgeMs?: number;
  /**
   * Requests one connection is used for.
   *
   * @default {Infinity}
   */
  readonly maxRequestsPerConnection?: number;
  /**
   * Milliseconds by which we are ahead of the server in closing: its `Keep-Alive:
   * timeout` less this is how long a connection lies idle. With nothing left it is
   * not used again.
   *
   * @default {4_000}
   */
  readonly keepAliveMarginMs?: number;
  /**
   * Bounds and rules of each connection.
   *
   * @default {{}}
   */
  readonly connection?: Omit<ClientConnectionOptions, "wheel">;
  /**
   * Where deadlines wait, those of the connections too.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
}

/** What goes on at one host. */
export interface ClientPoolHostStats {
  /** The key of the target. */
  readonly key: string;
  /** Connections there are, idle and busy. */
  readonly connections: number;
  /** Of these, those that wait for a request. */
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly queued: number;
  /** Connections being made. */
  readonly dialing: number;
}

/** What goes on in a pool: sums, and host by host. */
export interface ClientPoolStats extends Omit<ClientPoolHostStats, "key"> {
  /** Every host that has anything. */
  readonly perHost: readonly ClientPoolHostStats[];
}

/** Options with every value set; bounds and times Infinity where switched off. */
export type ResolvedClientPoolOptions = Required<ClientPoolOptions>;

const DEFAULT_CONNECTIONS_PER_HOST = 64;
const DEFAULT_CONNECTIONS = 1_000;
const DEFAULT_QUEUED_REQUESTS = 1_000;
const DEFAULT_QUEUE_TIMEOUT_MS = 30_000;
const DEFAULT_IDLE_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_IDLE_TIMEOUT_MS = 600_000;
const DEFAULT_KEEP_ALIVE_MARGIN_MS = 4_000;

/**
 * Fills in the defaults and checks the values.
 *
 * @param options What the caller set.
 * @returns Every option.
 * @throws {RangeError} If a bound is negative, NaN or not whole, or a time is
 * negative or not a number.
 */
export function resolvePoolOptions(options: ClientPoolOptions): ResolvedClientPoolOptions {
  const { connection = {} } = options;
  const { maxInformationalResponses = 0, lenience: _, ...limits } = connection;
  // What is wrong shows here, and not at the first connection.
  resolveConnectionOptions({ role: "client", limits, maxInformationalResponses });
  const bound = (name: keyof ClientPoolOptions, fallback: number): number =>
    resolveBound(name, (options[name] as number | undefined) ?? fallback);
  const time = (name: keyof ClientPoolOptions, fallback: number): number =>
    resolveTime(name, (options[name] as number | undefined) ?? fallback);
  return {
    maxConnectionsPerHost: bound("maxConnectionsPerHost", DEFAULT_CONNECTIONS_PER_HOST),
    maxConnections: bound("maxConnections", DEFAULT_CONNECTIONS),
    maxQueuedRequests: bound("maxQueuedRequests", DEFAULT_QUEUED_REQUESTS),
    queueTimeoutMs: time("queueTimeoutMs", DEFAULT_QUEUE_TIMEOUT_MS),
    idleTimeoutMs: time("idleTimeoutMs", DEFAULT_IDLE_TIMEOUT_MS),
    maxIdleTimeoutMs: time("maxIdleTimeoutMs", DEFAULT_MAX_IDLE_TIMEOUT_MS),
    maxConnectionAgeMs: time("maxConnectionAgeMs", Infinity),
    maxRequestsPerConnection: bound("maxRequestsPerConnection", Infinity),
    // No margin is one, too: 0 is not "off" here.
    keepAliveMarginMs: checkTime(
      "keepAliveMarginMs",
      options.keepAliveMarginMs ?? DEFAULT_KEEP_ALIVE_MARGIN_MS,
    ),
    connection,
    wheel: options.wheel ?? deadlines,
  };
}
