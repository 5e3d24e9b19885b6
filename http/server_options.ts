import type { AcceptSource } from "../nbio/accept_source.ts";
import { type Clock, systemClock } from "../nbio/clock.ts";
import type { Telemetry } from "../nbio/telemetry.ts";
import { resolveTelemetry } from "../nbio/telemetry_guard.ts";
import type { PreforkWorker } from "../nbio/prefork_worker.ts";
import type { TlsProvider } from "../nbio/tls_provider.ts";
import {
  checkTime,
  type HttpLenience,
  type HttpLimits,
  resolveBound,
  type ResolvedHttpLimits,
  resolveLimits,
} from "./limits.ts";
import { checkServerTls, type HttpServerTlsOptions } from "./listen.ts";
import type { Context } from "./server_context.ts";
import type { Handler } from "./server_shared.ts";

/** Deadlines and least rates of a server's connections; 0 or Infinity switches one off. */
export interface ServerTimeouts {
  /**
   * Milliseconds from accepting a connection, or from the first byte of a later
   * request, to its complete head. Passed: 408 if a byte came, else close.
   *
   * @default {15000}
   */
  readonly headTimeoutMs?: number;
  /**
   * Milliseconds a connection may wait for its next request. Passed: close.
   *
   * @default {65000}
   */
  readonly idleTimeoutMs?: number;
  /**
   * Milliseconds the client is told in `Keep-Alive: timeout`, in whole seconds;
   * less than `idleTimeoutMs`, so that it is not the server who closes first.
   *
   * 0 and Infinity tell nothing.
   *
   * @default {60000}, at most 5 s less than `idleTimeoutMs`
   */
  readonly keepAliveHintTimeoutMs?: number;
  /**
   * Milliseconds without a byte of a body that is being read. Passed: 408.
   *
   * @default {30000}
   */
  readonly bodyTimeoutMs?: number;
  /**
   * Milliseconds without progress of a write. Passed: the connection is
   * aborted.
   *
   * @default {30000}
   */
  readonly writeTimeoutMs?: number;
  /**
   * Milliseconds a handler may take. Passed: `ctx.signal` aborts, and a handler
   * that fails with its reason is answered 503.
   *
   * @default {0}
   */
  readonly handlerTimeoutMs?: number;
  /**
   * Milliseconds the client gets to read an error before the connection is cut.
   *
   * @default {500}
   */
  readonly lingerTimeoutMs?: number;
  /**
   * Bytes per second in which a head has to come once its first byte has, on
   * average over each `minRateGraceMs`; the first one of a connection counts from
   * accepting it. Passed: 408.
   *
   * @default {0}
   */
  readonly minHeadBytesPerSecond?: number;
  /**
   * Bytes per second in which a body that is being read has to come, on average
   * over each `minRateGraceMs` that is spent waiting for it: against clients that
   * send a byte now and then. Passed: 408.
   *
   * @default {0}
   */
  readonly minBodyBytesPerSecond?: number;
  /**
   * Milliseconds over which these rates are measured, at least 1,000: what a
   * client may pause within, at most.
   *
   * @default {5000}
   */
  readonly minRateGraceMs?: number;
}

/** Options of {@linkcode serve}. */
export interface ServeOptions extends HttpLimits, ServerTimeouts {
  /**
   * TCP port, 0 to 65535; 0 takes any free one.
   *
   * @default {8000}
   */
  readonly port?: number;
  /**
   * Name or address to bind to.
   *
   * @default {"0.0.0.0"}
   */
  readonly hostname?: string;
  /** Path of a Unix socket to listen on, instead of a port. */
  readonly path?: string;
  /** A listener that is open already, instead of a port. */
  readonly listener?: AcceptSource;
  /** Several listeners that are open already, under one limit, instead of a port. */
  readonly listeners?: readonly AcceptSource[];
  /**
   * What `preforkWorker()` gives, so that the server uses several cores under
   * `prefork()`: it shares its port with the other workers, says that it is ready,
   * and stops when the worker is to stop. `undefined` is a program that is no
   * worker, where it serves alone.
   *
   * The port may not be 0. Where the port is bound later (threads without
   * `--unstable-net`), a port that is taken ends the worker instead of throwing.
   *
   * @default {undefined}
   */
  readonly worker?: PreforkWorker | undefined;
  /**
   * Serves over TLS: certificate and key, and the rest; `ctx.tlsInfo` has what
   * the handshake told. It secures whatever is listened on: give no `listenTls()`
   * with it.
   *
   * The module `tls` loads when the server begins to accept. A certificate that
   * is expired, or not the key's, is found out then: `onError` is told, and the
   * server stops, never having served in the clear. To have that thrown, give
   * `listener: listenTls(...)` instead of this.
   *
   * @default {undefined} (in the clear)
   */
  readonly tls?: HttpServerTlsOptions;
  /**
   * Who secures the connections, with `tls`.
   *
   * @default the runtime, by `node:tls`
   */
  readonly tlsProvider?: TlsProvider;
  /** Ends the server when it aborts, with no grace for what is running. */
  readonly signal?: AbortSignal;
  /** Called with the first address once the server listens. */
  readonly onListen?: (addr: Deno.Addr) => void;
  /**
   * Told of what went wrong on our side: a handler that failed (with its
   * context), a response that could not be sent, a connection that could not
   * be accepted. It cannot change the answer.
   *
   * @default writes to the console
   */
  readonly onError?: (error: unknown, ctx: Context | undefined) => void;
  /**
   * Answers CONNECT requests, whose target is `host:port` in `ctx.url`: by
   * `ctx.tunnel()`, or by refusing. Without it they are answered 501, and no
   * handler sees them.
   *
   * @default {undefined}
   */
  readonly onConnect?: Handler;
  /** Rules of RFC 9112 to relax; none by default. */
  readonly lenience?: HttpLenience;
  /**
   * Connections at a time, over all listeners; more wait to be accepted.
   *
   * @default {10000}
   */
  readonly maxConnections?: number;
  /**
   * Connections at a time of one client address, for IPv6 of one /64; one more is
   * closed. Behind a proxy all are of its address, unless a `proxyListener()`
   * knows better.
   *
   * @default {0}
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Bytes of a body that `ctx.body` collects in memory. Passed: 413.
   *
   * @default {16777216}
   */
  readonly maxBodyBytes?: number;
  /**
   * Whether the body readers undo `Content-Encoding` (gzip, deflate, br, zstd),
   * with bounds on what comes out. Each reader takes `decode` for itself too.
   *
   * @default {false}
   */
  readonly decodeBodies?: boolean;
  /**
   * Bytes of a body nobody read that are dropped to keep the connection; with
   * more the connection is closed.
   *
   * @default {262144}
   */
  readonly maxDrainBytes?: number;
  /**
   * Requests of one connection that may wait while another is answered; with
   * more, reading pauses.
   *
   * @default {32}
   */
  readonly maxPipelinedRequests?: number;
  /**
   * Requests answered on one connection before it is closed.
   *
   * @default {0}
   */
  readonly maxRequestsPerConnection?: number;
  /**
   * Whether a client that ends its direction counts as gone: `ctx.signal` aborts, and a stream that
   * is being answered with is cancelled, its connection cut. What a handler answers in one piece is
   * sent all the same. Many clients do so after a request and still wait for the answer.
   *
   * @default {false}
   */
  readonly abortOnHalfClose?: boolean;
  /**
   * Who counts and traces the requests; see `@nbio/net/http/otel` for OpenTelemetry.
   *
   * @default {undefined} (nobody)
   */
  readonly telemetry?: Telemetry;
  /**
   * Where time comes from; for tests.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** {@linkcode ServeOptions} as the inside works with them. */
export interface ResolvedServerOptions {
  readonly limits: ResolvedHttpLimits;
  readonly lenience: HttpLenience;
  readonly timeouts: Required<ServerTimeouts>;
  readonly maxConnectionsPerAddress: number;
  readonly maxBodyBytes: number;
  readonly decodeBodies: boolean;
  readonly maxDrainBytes: number;
  readonly maxPipelinedRequests: number;
  readonly maxRequestsPerConnection: number;
  readonly abortOnHalfClose: boolean;
  readonly clock: Clock;
  readonly onError: (error: unknown, ctx: Context | undefined) => void;
  readonly onConnect: Handler | undefined;
  /** One that never throws. */
  readonly telemetry: Telemetry | undefined;
}

/** By how much the server keeps a connection longer than it tells. */
const HINT_MARGIN_MS = 5_000;
const DEFAULT_TIMEOUTS: Required<ServerTimeouts> = {
  headTimeoutMs: 15_000,
  idleTimeoutMs: 65_000,
  keepAliveHintTimeoutMs: 60_000,
  bodyTimeoutMs: 30_000,
  writeTimeoutMs: 30_000,
  handlerTimeoutMs: 0,
  lingerTimeoutMs: 500,
  minHeadBytesPerSecond: 0,
  minBodyBytesPerSecond: 0,
  minRateGraceMs: 5_000,
};
/** Deadlines pass up to 100 ms late: a shorter time would measure little. */
const LEAST_RATE_GRACE_MS = 1_000;

/**
 * Fills in the defaults and checks the values.
 *
 * @throws {RangeError} If a value is out of its range.
 * @throws {TypeError} If `tls` has no certificate, or cannot be used.
 */
export function resolveServerOptions(options: ServeOptions): ResolvedServerOptions {
  if (options.tls !== undefined) checkServerTls(options.tls, options.tlsProvider);
  else if (options.tlsProvider !== undefined) {
    throw new TypeError("Cannot use option tlsProvider: there is no tls");
  }
  const bound = (name: "maxBodyBytes" | "maxDrainBytes", fallback: number) =>
    resolveBound(name, options[name] ?? fallback);
  return {
    limits: resolveLimits(options),
    lenience: options.lenience ?? {},
    timeouts: resolveTimeouts(options),
    maxConnectionsPerAddress: resolveBound(
      "maxConnectionsPerAddress",
      options.maxConnectionsPerAddress ?? 0,
    ),
    maxBodyBytes: bound("maxBodyBytes", 16 * 1024 * 1024),
    decodeBodies: options.decodeBodies ?? false,
    maxDrainBytes: bound("maxDrainBytes", 256 * 1024),
    maxPipelinedRequests: resolveBound("maxPipelinedRequests", options.maxPipelinedRequests ?? 32),
    maxRequestsPerConnection: resolveBound(
      "maxRequestsPerConnection",
      options.maxRequestsPerConnection ?? 0,
    ),
    abortOnHalfClose: options.abortOnHalfClose ?? false,
    clock: options.clock ?? systemClock,
    onError: options.onError ?? logError,
    onConnect: options.onConnect,
    telemetry: resolveTelemetry(options.telemetry),
  };
}

function resolveTimeouts(options: ServerTimeouts): Required<ServerTimeouts> {
  const timeouts: Record<string, number> = {};
  for (const name of Object.keys(DEFAULT_TIMEOUTS) as (keyof ServerTimeouts)[]) {
    timeouts[name] = checkTime(name, options[name] ?? DEFAULT_TIMEOUTS[name]);
  }
  const { minRateGraceMs } = timeouts;
  if (minRateGraceMs! < LEAST_RATE_GRACE_MS) {
    throw new RangeError(
      `Cannot use option minRateGraceMs: ${minRateGraceMs} is less than ${LEAST_RATE_GRACE_MS}`,
    );
  }
  if (options.keepAliveHintTimeoutMs === undefined) {
    timeouts.keepAliveHintTimeoutMs = defaultHint(timeouts.idleTimeoutMs!);
  }
  return timeouts as unknown as Required<ServerTimeouts>;
}

/** Early enough for the client to close first, also where that is soon. */
function defaultHint(idleTimeoutMs: number): number {
  const { keepAliveHintTimeoutMs } = DEFAULT_TIMEOUTS;
  if (idleTimeoutMs === 0) return keepAliveHintTimeoutMs;
  return Math.min(keepAliveHintTimeoutMs, Math.max(0, idleTimeoutMs - HINT_MARGIN_MS));
}

function logError(error: unknown): void {
  console.error(error);
}
