import type { Clock } from "../nbio/clock.ts";
import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import type { Telemetry } from "../nbio/telemetry.ts";
import type { Transport } from "../nbio/transport.ts";
import type { ClientConnectionOptions, ExchangeTimeouts } from "./client_options.ts";
import { resolveExchangeTimeouts } from "./client_options.ts";
import type { ProgressListener } from "./client_progress.ts";
import {
  DEFAULT_MAX_REDIRECTS,
  DEFAULT_SENSITIVE_HEADERS,
  type RedirectOptions,
} from "./client_redirect.ts";
import type { ClientPoolOptions } from "./client_pool_options.ts";
import type { ClientBody } from "./client_request_body.ts";
import { type RetryOptions, RetryPolicy } from "./client_retry.ts";
import { DEFAULT_MAX_CODINGS, DEFAULT_MAX_RATIO } from "./content_decoder.ts";
import type { CookieContext, CookieJar } from "./cookie_jar.ts";
import type { DialHttpOptions } from "./dial.ts";
import type { InformationalEvent } from "./events.ts";
import type { HeaderInit } from "./header_list.ts";
import { resolveBound, resolveTime } from "./limits.ts";

/**
 * What is told for all requests of a client, and may be told anew for each. Times
 * and bounds: 0 or Infinity switches one off.
 */
export interface ClientCallOptions extends ExchangeTimeouts, RedirectOptions {
  /**
   * Milliseconds for everything: redirects, retries and the body of the response
   * included.
   *
   * @default {Infinity}
   */
  readonly totalTimeoutMs?: number;
  /**
   * Milliseconds after which a response is closed whose body nobody reads.
   *
   * @default {30_000}
   */
  readonly unreadTimeoutMs?: number;
  /**
   * Most bytes of a body that is collected in memory, decoded.
   *
   * @default {67_108_864}
   */
  readonly maxBodyBytes?: number;
  /**
   * Most bytes of a body in whatever way it is read, decoded.
   *
   * @default {Infinity}
   */
  readonly maxResponseBytes?: number;
  /**
   * Whether gzip, deflate, br and zstd are asked for and undone. Without it a body
   * is given as it comes.
   *
   * @default {true}
   */
  readonly decompress?: boolean;
  /**
   * Content codings of one body, one inside the other.
   *
   * @default {5}
   */
  readonly maxContentCodings?: number;
  /**
   * How many times as large as what came a decoded body may become, beyond its
   * first 10 MiB.
   *
   * @default {1_000}
   */
  readonly maxDecodingRatio?: number;
  /**
   * When a request is sent again; `false` for never.
   *
   * @default {{}}
   */
  readonly retry?: RetryOptions | false;
  /**
   * Whether a status of 400 and more is thrown, as an `HttpStatusError`.
   *
   * @default {false}
   */
  readonly throwOnError?: boolean;
}

/** Where one request goes, where that differs from what its client says. */
export interface ClientRouteOptions extends Pick<DialHttpOptions, "tls" | "path" | "proxy"> {
}

/** Options of one request. */
export interface RequestOptions extends ClientCallOptions, ClientRouteOptions {
  /**
   * Header fields, in order. They replace those of the client by name. `Host` is
   * ours unless given, the framing fields are.
   *
   * @default {[]}
   */
  readonly headers?: HeaderInit;
  /**
   * The body. What is no stream may be sent again by a redirect or a retry.
   *
   * @default {undefined}
   */
  readonly body?: ClientBody;
  /**
   * A value that is sent as JSON, in place of `body`.
   *
   * @default {undefined}
   */
  readonly json?: unknown;
  /**
   * Trailer fields, or what gives them once the body has left. The body is sent
   * in chunks then.
   *
   * @default {undefined}
   */
  readonly trailers?: HeaderInit | (() => HeaderInit);
  /**
   * Whether the body waits until the server wants it, or `continueTimeoutMs` have
   * passed.
   *
   * @default {false}
   */
  readonly expectContinue?: boolean;
  /**
   * Whether sending it twice does what sending it once does, whatever its method.
   *
   * @default by the method (RFC 9110 section 9.2.2)
   */
  readonly idempotent?: boolean;
  /**
   * Circumstances by which the cookie jar chooses.
   *
   * @default {{}}
   */
  readonly cookieContext?: Omit<CookieContext, "signal">;
  /**
   * Cancels everything, up to the end of the response's body.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
  /**
   * Told of informational responses (1xx) as they come, but for a 101. What it
   * throws fails the request.
   *
   * @default {undefined}
   */
  readonly onInformational?: (response: InformationalEvent) => void;
  /**
   * Told how far the body of the request has come.
   *
   * @default {undefined}
   */
  readonly onUploadProgress?: ProgressListener;
  /**
   * Told how far the body of the response has come. What it throws fails reading.
   *
   * @default {undefined}
   */
  readonly onDownloadProgress?: ProgressListener;
}

/** Options of {@linkcode Client}. */
export interface ClientOptions
  extends
    ClientCallOptions,
    Omit<ClientPoolOptions, "wheel">,
    Omit<DialHttpOptions, "signal" | "wheel"> {
  /**
   * What relative URLs are resolved against.
   *
   * @default {undefined}
   */
  readonly baseUrl?: string | URL;
  /**
   * Header fields of every request.
   *
   * @default {[["user-agent", "nbio"]]}
   */
  readonly headers?: HeaderInit;
  /**
   * Where cookies are kept; without it there are none.
   *
   * @default {undefined}
   */
  readonly jar?: CookieJar;
  /**
   * Bytes of the head of a response: its field lines.
   *
   * @default {32_768}
   */
  readonly maxHeaderBytes?: number;
  /**
   * Supplies connections in place of dialling. What it gives belongs to the
   * client, which says HTTP on it as it is, for `https` too.
   *
   * @default {undefined}
   */
  readonly transport?: (
    url: URL,
    bounds: { readonly signal: AbortSignal },
  ) => Promise<Transport>;
  /**
   * Where deadlines wait.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
  /**
   * Who counts and traces the requests; see `@nbio/net/http/otel` for OpenTelemetry.
   *
   * @default {undefined} (nobody)
   */
  readonly telemetry?: Telemetry;
  /**
   * Where the time for `timings`, dialling and back-off comes from.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** {@linkcode ClientCallOptions} with every value set: what the inside works with. */
export interface CallSettings extends
  Required<
    Omit<ClientCallOptions, "retry">
  > {
  /** When a request is sent again; `undefined` for never. */
  readonly retry: RetryPolicy | undefined;
}

const DEFAULT_UNREAD_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024;
const REDIRECT_MODES: readonly string[] = ["follow", "manual", "error"];

/**
 * Fills in what a request does not say.
 *
 * @param options What the caller set.
 * @param base What counts otherwise; `undefined` for the defaults of the package.
 * @returns Every setting.
 * @throws {RangeError} If one is out of its range.
 */
export function resolveCallSettings(options: ClientCallOptions, base?: CallSettings): CallSettings {
  // With `base` in front, whatever is not set is taken from it.
  const all = base === undefined ? options : { ...base, retry: undefined, ...definedOf(options) };
  const { redirect = "follow" } = all;
  if (!REDIRECT_MODES.includes(redirect)) {
    throw new RangeError(
      `Cannot request: redirect is ${JSON.stringify(redirect)}, expected follow, manual or error`,
    );
  }
  const bound = (
    name:
      | "maxRedirects"
      | "maxBodyBytes"
      | "maxResponseBytes"
      | "maxContentCodings"
      | "maxDecodingRatio",
    fallback: number,
  ): number => resolveBound(name, all[name] ?? fallback);
  return {
    ...resolveExchangeTimeouts(all),
    totalTimeoutMs: resolveTime("totalTimeoutMs", all.totalTimeoutMs ?? Infinity),
    unreadTimeoutMs: resolveTime(
      "unreadTimeoutMs",
      all.unreadTimeoutMs ?? DEFAULT_UNREAD_TIMEOUT_MS,
    ),
    maxBodyBytes: bound("maxBodyBytes", DEFAULT_MAX_BODY_BYTES),
    maxResponseBytes: bound("maxResponseBytes", Infinity),
    maxContentCodings: bound("maxContentCodings", DEFAULT_MAX_CODINGS),
    maxDecodingRatio: bound("maxDecodingRatio", DEFAULT_MAX_RATIO),
    decompress: all.decompress ?? true,
    redirect,
    maxRedirects: bound("maxRedirects", DEFAULT_MAX_REDIRECTS),
    allowInsecureRedirect: all.allowInsecureRedirect ?? false,
    sensitiveHeaders: all.sensitiveHeaders ?? DEFAULT_SENSITIVE_HEADERS,
    retry: resolveRetry(options.retry, base),
    throwOnError: all.throwOnError ?? false,
  };
}

/**
 * The bounds of each connection of a client.
 *
 * @param options What the caller set.
 */
export function connectionOptionsOf(
  { connection, maxHeaderBytes }: ClientOptions,
): Omit<ClientConnectionOptions, "wheel"> {
  return { ...connection, ...maxHeaderBytes !== undefined && { maxHeaderBytes } };
}

function resolveRetry(
  retry: RetryOptions | false | undefined,
  base: CallSettings | undefined,
): RetryPolicy | undefined {
  if (retry === false) return undefined;
  if (retry === undefined && base !== undefined) return base.retry;
  return new RetryPolicy(retry);
}

/** What is `undefined` does not count as set. */
function definedOf(options: ClientCallOptions): ClientCallOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
