import type { Clock } from "../nbio/clock.ts";
import type { Deadline, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../nbio/errors.ts";
import { ConnectError } from "../nbio/connect_error.ts";
import type { SendStatus } from "../nbio/send_all.ts";
import { CallBounds, wait } from "./client_call_bounds.ts";
import { CallRequest, type RequestDefaults } from "./client_call_request.ts";
import { HttpStatusError, noteRequestFailure, type RequestFacts } from "./client_errors.ts";
import type { ExchangeOptions } from "./client_options.ts";
import type { ClientPool } from "./client_pool.ts";
import type { PoolAcquireOptions, PooledConnection } from "./client_pool_options.ts";
import {
  ClientResponse,
  type ClientTimings,
  type FollowedRedirect,
  type ResponseOwner,
} from "./client_response.ts";
import { isIdempotentMethod, type RetryFailure } from "./client_retry.ts";
import { type CallSettings, type RequestOptions, resolveCallSettings } from "./client_settings.ts";
import type { ClientTarget } from "./client_target.ts";
import type { CallObserver, ClientTelemetry } from "./client_telemetry.ts";
import type { CookieContext, CookieJar } from "./cookie_jar.ts";
import type { DialTimings } from "./dial.ts";
import type { ExchangeResponse } from "./exchange_response.ts";
import { parseRetryAfter } from "./retry_after.ts";
import { isSafeMethod } from "./safe_method.ts";

/** What the calls of a client share. */
export interface CallOwner extends RequestDefaults {
  /** Connections. */
  readonly pool: ClientPool;
  /** Where cookies are kept. */
  readonly jar: CookieJar | undefined;
  /** What counts where a call does not say. */
  readonly settings: CallSettings;
  /** Where deadlines wait. */
  readonly wheel: DeadlineWheel;
  /** Where the time comes from. */
  readonly clock: Clock;
  /** Deadlines of bodies that nobody may come to read. */
  readonly unread: Set<Deadline>;
  /** Aborted when the client is closed. */
  readonly closing: AbortSignal;
  /** Who counts and traces; `undefined` for nobody. */
  readonly telemetry: ClientTelemetry | undefined;
}

/** Below it a response is given to the caller whatever the settings say. */
const FIRST_DECIDED_STATUS = 300;
/** The first that `throwOnError` throws. */
const FIRST_ERROR_STATUS = 400;
/** Bytes that are read of a response nobody wants, for the sake of its connection. */
const MAX_DISCARDED_BYTES = 64 * 1024;
const NO_REDIRECTS: readonly FollowedRedirect[] = [];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * One call of a client: through cookies, the pool and an exchange, again where a
 * redirect or a retry says so, to the response that is given to the caller; in the
 * end it gives the connection back.
 */
export class ClientCall implements ResponseOwner {
  readonly settings: CallSettings;
  attempts = 1;

  readonly #owner: CallOwner;
  readonly #options: RequestOptions | undefined;
  readonly #request: CallRequest;
  readonly #observer: CallObserver | undefined;
  #redirects: FollowedRedirect[] | undefined;
  #signal: AbortSignal | undefined;
  #bounds: CallBounds | undefined;
  /** The connection of the last attempt; kept for what the response tells about it. */
  #lent: PooledConnection | undefined;
  #exchange: ExchangeResponse | undefined;
  #phase = "queue";
  /** Whether the next connection has to be one on which nothing was said yet. */
  #wantsFresh = false;
  /** Whether the response is just being made of what has come. */
  #isDelivering = false;
  readonly #startMs: number;
  #attemptMs: number;
  #lentMs = 0;
  #headMs = 0;
  #endMs: number | undefined;

  /**
   * @param owner The client.
   * @param method Method.
   * @param url Where to.
   * @param options What else the caller says.
   * @throws {TypeError} If a part of it cannot be sent.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(
    owner: CallOwner,
    method: string,
    url: string | URL,
    options: RequestOptions | undefined,
  ) {
    this.#owner = owner;
    this.#options = options;
    this.#signal = options?.signal;
    this.settings = options === undefined
      ? owner.settings
      : resolveCallSettings(options, owner.settings);
    this.#request = new CallRequest(owner, this.settings, method, url, options);
    this.#observer = owner.telemetry?.observe();
    this.#startMs = this.#attemptMs = owner.clock.now();
    const { totalTimeoutMs } = this.settings;
    if (totalTimeoutMs === Infinity) return;
    this.#bounds = new CallBounds(totalTimeoutMs, this.#signal, owner.wheel);
    this.#signal = this.#bounds.signal;
  }

  get href(): string {
    return this.#request.url.href;
  }

  get redirects(): readonly FollowedRedirect[] {
    return this.#redirects ?? NO_REDIRECTS;
  }

  get wheel(): DeadlineWheel {
    return this.#owner.wheel;
  }

  get unread(): Set<Deadline> {
    return this.#owner.unread;
  }

  get isReused(): boolean {
    return this.#lent!.reused;
  }

  get remoteAddr(): Deno.Addr {
    return this.#lent!.dialed.remoteAddr;
  }

  get isWatched(): boolean {
    return this.#signal !== undefined || this.#request.body !== undefined;
  }

  get isSent(): boolean {
    return this.#request.body === undefined;
  }

  get onProgress(): RequestOptions["onDownloadProgress"] {
    return this.#options?.onDownloadProgress;
  }

  /**
   * Asks, as often as it takes.
   *
   * @throws {Error} As {@linkcode Client.request}.
   */
  async run(): Promise<ClientResponse> {
    const { pool, clock, jar } = this.#owner;
    for (;;) {
      // One function up to the head: every one in between costs a promise.
      const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
      let exchange: ExchangeResponse;
      try {
        this.#observer?.begin(this.#request);
        this.#phase = "queue";
        const cookie = jar === undefined
          ? undefined
          : await jar.cookieHeader(this.#request.url.url, this.#cookieContext());
        const target = this.#request.url.target;
        const idle = this.#takeIdle(target);
        const lent = this.#lent = idle ?? await pool.acquire(target, this.#acquireOptions());
        this.#phase = "first-byte";
        this.#lentMs = idle !== undefined && jar === undefined ? this.#attemptMs : clock.now();
        exchange = await lent.connection.exchange(
          this.#request.exchange(lent.dialed.proxy, cookie, this.#observer),
          this.#exchangeOptions(status),
        );
      } catch (error) {
        this.#observer?.end(error);
        await this.#recover(error, status);
        this.#attemptMs = clock.now();
        continue;
      }
      this.#headMs = clock.now();
      this.#exchange = exchange;
      this.#observer?.answer(exchange, this.#lent!.dialed.remoteAddr);
      const isPlain = jar === undefined && exchange.status < FIRST_DECIDED_STATUS;
      if (isPlain || !await this.#goesOn(exchange)) return this.#deliver(exchange);
      this.#attemptMs = clock.now();
    }
  }

  timings(): ClientTimings {
    const { reused, dialed } = this.#lent!;
    const { resolveMs, connectMs, proxyMs, tlsMs }: Partial<DialTimings> = reused
      ? {}
      : dialed.timings;
    const dialMs = (resolveMs ?? 0) + (connectMs ?? 0) + (proxyMs ?? 0) + (tlsMs ?? 0);
    return {
      // Dialling may have begun before, for another call.
      queueMs: Math.max(0, this.#lentMs - this.#attemptMs - dialMs),
      resolveMs,
      connectMs,
      proxyMs,
      tlsMs,
      firstByteMs: this.#headMs - this.#lentMs,
      totalMs: this.#endMs === undefined ? undefined : this.#endMs - this.#startMs,
    };
  }

  onEnd(): void {
    if (this.#endMs !== undefined) return;
    // What came with the head came no later.
    this.#endMs = this.#isDelivering ? this.#headMs : this.#owner.clock.now();
    this.#observer?.end();
    this.#release();
    this.#stop();
  }

  onFailure(error: unknown): void {
    this.#observer?.end(error);
    if (this.#endMs === undefined) this.#lent!.connection.close();
  }

  note<T>(error: T): T {
    this.#phase = "body";
    return this.#noted(error);
  }

  #deliver(exchange: ExchangeResponse): ClientResponse {
    this.#phase = "body";
    this.#isDelivering = true;
    const response = new ClientResponse(exchange, this);
    this.#isDelivering = false;
    if (this.settings.throwOnError && response.status >= FIRST_ERROR_STATUS) {
      throw this.#noted(new HttpStatusError(response));
    }
    return response;
  }

  /** Whether a response is not the last one; then everything is ready for the next. */
  async #goesOn(exchange: ExchangeResponse): Promise<boolean> {
    try {
      const { jar } = this.#owner;
      if (jar !== undefined) await this.#keepCookies(jar, exchange);
      if (await this.#goesOnAgain(exchange)) return true;
      this.#phase = "redirect";
      const followed = this.#request.follow(exchange, this.#redirects?.length ?? 0);
      if (followed === undefined) return false;
      (this.#redirects ??= []).push(followed);
      await this.#dismiss(exchange);
      return true;
    } catch (error) {
      this.#observer?.end(error);
      exchange.close();
      this.#release();
      throw this.#failed(error);
    }
  }

  /** Tries again because of the status, if the settings say so. */
  async #goesOnAgain(exchange: ExchangeResponse): Promise<boolean> {
    const { status, headers } = exchange;
    if (status < FIRST_ERROR_STATUS || this.settings.retry === undefined) return false;
    const value = headers.get("retry-after");
    const retryAfterMs = value === undefined
      ? undefined
      : parseRetryAfter(value, this.#owner.clock.wallNow());
    const delayMs = this.#retryDelayMs({ status, retryAfterMs }, Infinity);
    if (delayMs === undefined) return false;
    await this.#dismiss(exchange);
    await this.#pause(delayMs);
    return true;
  }

  /** After an attempt without a response: returns if there is to be another. */
  async #recover(error: unknown, status: SendStatus): Promise<void> {
    const lent = this.#lent;
    const wasLent = this.#phase !== "queue";
    // What was refused before anything happened leaves the connection as it was.
    if (wasLent) lent!.release();
    if (this.#owner.closing.aborted || this.#signal?.aborted) throw this.#failed(error);
    // It died while idle. A fresh one cannot, so that this happens once.
    const isDead = wasLent && lent!.reused && isLost(error);
    if (isDead && this.#mayRepeat(status)) {
      this.#wantsFresh = true;
      return;
    }
    const bytesSent = Math.max(status.sentBytes, status.mayHaveSent ? 1 : 0);
    const delayMs = this.#retryDelayMs({ error }, bytesSent);
    if (delayMs === undefined) throw this.#failed(error);
    // What lies idle may have died of the same.
    this.#wantsFresh = wasLent;
    try {
      await this.#pause(delayMs);
    } catch (reason) {
      throw this.#failed(reason);
    }
  }

  #retryDelayMs(failure: RetryFailure, bytesSent: number): number | undefined {
    return this.settings.retry?.decide(failure, {
      attempt: this.attempts,
      bytesSent,
      isIdempotent: this.#isIdempotent(),
      isReplayable: this.#isReplayable(),
      elapsedMs: this.#owner.clock.now() - this.#startMs,
    })?.delayMs;
  }

  async #pause(delayMs: number): Promise<void> {
    this.#phase = "retry";
    const { clock, closing } = this.#owner;
    await wait(delayMs, clock, this.#signal === undefined ? [closing] : [this.#signal, closing]);
    this.attempts++;
  }

  /** Not one byte has left, or twice does no harm; and the body is there. */
  #mayRepeat(status: SendStatus): boolean {
    return this.#isReplayable() && (!status.mayHaveSent || this.#isIdempotent());
  }

  #isIdempotent(): boolean {
    return this.#options?.idempotent ?? isIdempotentMethod(this.#request.method);
  }

  #isReplayable(): boolean {
    return this.#request.body?.isReplayable ?? true;
  }

  /** Reads a response that nobody wants, where that is quickly done. */
  async #dismiss(exchange: ExchangeResponse): Promise<void> {
    try {
      if (!exchange.isComplete) await exchange.discard({ maxBytes: MAX_DISCARDED_BYTES });
    } catch {
      // The connection is closed: the next request takes another. What the signal
      // says is seen there.
    }
    this.#observer?.end();
    this.#release();
  }

  /** Gives the connection back, as soon as nothing is under way on it. */
  #release(): void {
    const lent = this.#lent!;
    const exchange = this.#exchange!;
    lent.noteKeepAlive(exchange.headers.get("keep-alive"));
    const { isReusable, endReason } = lent.connection;
    if (isReusable || endReason !== undefined) lent.release();
    else void exchange.ended.then(() => lent.release());
  }

  #stop(reason?: unknown): void {
    this.#bounds?.stop();
    this.#request.body?.cancel(reason);
  }

  #failed(error: unknown): unknown {
    const { closing } = this.#owner;
    this.#stop(error);
    // That one is shared by all calls that it ends.
    return this.#noted(error === closing.reason ? closedError(error) : error);
  }

  #noted<T>(error: T): T {
    const signal = this.#options?.signal;
    // Untouched.
    if (signal?.aborted && error === signal.reason) return error;
    return noteRequestFailure(error, () => this.#facts(error));
  }

  #facts(error: unknown): RequestFacts {
    const dialing = this.#phase === "queue" && error instanceof ConnectError ? error : undefined;
    const phase = error instanceof TimeoutError
      ? error.phase
      : dialing === undefined
      ? this.#phase
      : dialing.code === "ERR_NET_RESOLVE"
      ? "resolve"
      : "connect";
    const { origin, pathname } = this.#request.url.url;
    const address = this.#phase === "queue"
      ? dialing?.attempts.at(-1)?.address
      : this.#lent?.dialed.remoteAddr;
    return {
      method: this.#request.method,
      url: origin + pathname,
      phase,
      attempts: this.attempts,
      address: address === undefined ? undefined : formatAddress(address),
    };
  }

  /** A connection that is there: nearly every call finds one, and need not wait for it. */
  #takeIdle(target: ClientTarget): PooledConnection | undefined {
    this.#signal?.throwIfAborted();
    return this.#wantsFresh ? undefined : this.#owner.pool.acquireIdle(target);
  }

  #acquireOptions(): PoolAcquireOptions {
    const options: Mutable<PoolAcquireOptions> = {};
    if (this.#signal !== undefined) options.signal = this.#signal;
    if (this.#wantsFresh) options.fresh = true;
    this.#wantsFresh = false;
    return options;
  }

  #exchangeOptions(status: SendStatus): ExchangeOptions {
    const { settings } = this;
    const options: Mutable<ExchangeOptions> = {
      writeTimeoutMs: settings.writeTimeoutMs,
      continueTimeoutMs: settings.continueTimeoutMs,
      firstByteTimeoutMs: settings.firstByteTimeoutMs,
      bodyTimeoutMs: settings.bodyTimeoutMs,
      status,
    };
    if (this.#signal !== undefined) options.signal = this.#signal;
    const onInformational = this.#options?.onInformational;
    if (onInformational !== undefined) options.onInformational = onInformational;
    return options;
  }

  #cookieContext(): CookieContext {
    return {
      isSafeMethod: isSafeMethod(this.#request.method),
      ...this.#options?.cookieContext,
      ...this.#signal !== undefined && { signal: this.#signal },
    };
  }

  async #keepCookies(jar: CookieJar, { headers }: ExchangeResponse): Promise<void> {
    const context = this.#cookieContext();
    for (const value of headers.getAll("set-cookie")) {
      await jar.set(value, this.#request.url.url, context);
    }
  }
}

/** Why nothing is asked any more. */
function closedError(cause: unknown): ConnectionClosedError {
  return new ConnectionClosedError("Cannot request: the client was closed", { cause });
}

/** Whether a server has left without a byte of the response. */
function isLost(error: unknown): boolean {
  return error instanceof ConnectionClosedError && error.bytesReceived === 0;
}

function formatAddress(address: Deno.Addr): string {
  if (!("hostname" in address)) return "path" in address ? address.path : address.transport;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
