/**
 * {@linkcode QuestionAsker}: one question, answered by the cache or by the servers.
 *
 * @module
 */

import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError } from "../nbio/errors.ts";
import type { OperationOptions } from "../nbio/operation.ts";
import { Semaphore } from "../nbio/semaphore.ts";
import type { CachedAnswer, DnsCache, DnsCacheKey } from "./dns_cache.ts";
import type { DnsServer } from "./dns_server.ts";
import type { EdnsOption } from "./edns_option.ts";
import type { Message, Question } from "./message.ts";
import { canonicalName } from "./name.ts";
import type { FailedAction } from "./query_action.ts";
import { QueryMachine } from "./query_machine.ts";
import { type QueryOutcome, type QueryRoutes, QueryRun } from "./query_run.ts";
import type { ResolverConfig } from "./resolver_config.ts";
import type { QueryOptions, ResolverSettings } from "./resolver_options.ts";
import type { DnsResponseError, DnsTimeoutError } from "./resolver_errors.ts";
import { ServerCall } from "./server_call.ts";
import { SharedCalls } from "./shared_calls.ts";
import { answerSpecialName } from "./special_names.ts";
import { TcpExchange } from "./tcp_exchange.ts";
import { UdpExchange } from "./udp_exchange.ts";

/** What a question came to. */
export interface DnsAnswer {
  /** The message, whatever its response code; TTLs counted down if it comes out of the cache. */
  readonly message: Message;
  /** Who sent it; `undefined` if it comes out of the cache, or the name never leaves. */
  readonly server: DnsServer | undefined;
  /** What it came over; `undefined` likewise. */
  readonly over: "udp" | "tcp" | undefined;
  /** The message as it came; `undefined` likewise. */
  readonly bytes: Uint8Array | undefined;
  /** Whether it comes out of the cache. */
  readonly isCached: boolean;
  /** Whether it has expired, and is given because the servers fail or take long (RFC 8767). */
  readonly isStale: boolean;
  /** Milliseconds since it came. */
  readonly ageMs: number;
}

/** How it goes in a resolver. */
export interface ResolverStats {
  /** Sockets for UDP that are open. */
  readonly socketCount: number;
  /** Connections over TCP that are open. */
  readonly connectionCount: number;
  /** Questions that are under way or wait for their turn. */
  readonly questionCount: number;
  /** Questions that wait for their turn. */
  readonly waitingCount: number;
}

/** A {@linkcode DnsAnswer}, and why it is none that can be used. */
export interface AskedAnswer extends DnsAnswer {
  /** Set if the servers fail; the message tells of it. */
  readonly error?: DnsResponseError | DnsTimeoutError;
}

/** The options of a question, complete. */
export interface AskOptions {
  /** Whether an answer out of the cache will do. */
  readonly useCache: boolean;
  /** DO. */
  readonly dnssecOk: boolean;
  /** CD. */
  readonly checkingDisabled: boolean;
  /** RD. */
  readonly recursionDesired: boolean;
  /** Options of EDNS. */
  readonly ednsOptions: readonly EdnsOption[];
  /** Deadline, signal and wheel of the whole call. */
  readonly bounds: OperationOptions;
}

const NO_OPTIONS: readonly EdnsOption[] = [];

/**
 * Completes the options of a question.
 *
 * @param options What the caller gave.
 * @param bounds Deadline, signal and wheel of the whole call.
 * @returns All of it.
 */
export function toAskOptions(options: QueryOptions, bounds: OperationOptions): AskOptions {
  return {
    useCache: options.useCache ?? true,
    dnssecOk: options.dnssecOk ?? false,
    checkingDisabled: options.checkingDisabled ?? false,
    recursionDesired: options.recursionDesired ?? true,
    ednsOptions: options.ednsOptions ?? NO_OPTIONS,
    bounds,
  };
}

/** Asks questions: special names, the cache, a question that is under way, the servers. */
export class QuestionAsker {
  readonly #settings: ResolverSettings;
  readonly #routes: QueryRoutes;
  readonly #slots: Semaphore;
  readonly #shared: SharedCalls<AskedAnswer> = new SharedCalls("resolve");
  #privateCount = 0;
  #isClosed = false;

  /**
   * Makes an asker without sockets.
   *
   * @param settings The options of the resolver.
   * @throws {RangeError} If an option of the sockets is out of its range.
   */
  constructor(settings: ResolverSettings) {
    const { overrides, wheel, exchange, randomUint16 } = settings;
    const { sourcePorts = "pool" } = overrides;
    const udp = new UdpExchange({ ...overrides.udp, sourcePorts, wheel, randomUint16 });
    const tcp = new TcpExchange({ ...overrides.tcp, wheel });
    const limit = Math.min(settings.maxConcurrentQueries, udp.capacity);
    this.#settings = settings;
    this.#routes = { udp, tcp, exchange, wheel };
    this.#slots = new Semaphore(limit, { maxWaiters: settings.maxWaitingQueries });
  }

  /** Where deadlines wait. */
  get wheel(): DeadlineWheel {
    return this.#settings.wheel;
  }

  /**
   * Answers a question.
   *
   * @param question The question, its name canonical in what does not touch its case.
   * @param config Whom to ask.
   * @param options How.
   * @returns The answer, at once if nobody has to be asked.
   * @throws {DnsTimeoutError} If no server answers in time.
   * @throws {DnsResponseError} If none of them could be reached, or can be understood.
   * @throws {TimeoutError} If the time of this call is up.
   * @throws {LimitExceededError} If too many questions wait.
   * @throws {ConnectionClosedError} If the resolver is closed, now or meanwhile.
   * @throws {Error} The signal's reason.
   */
  ask(
    question: Question,
    config: ResolverConfig,
    options: AskOptions,
  ): AskedAnswer | Promise<AskedAnswer> {
    if (this.#isClosed) throw closedError();
    options.bounds.signal?.throwIfAborted();
    const { cache, wheel, specialNames } = this.#settings;
    const mayUseCache = options.useCache && options.ednsOptions.length === 0;
    // First, because special names are never in there.
    const cached = mayUseCache ? cache?.get(cacheKey(question, options), wheel.now()) : undefined;
    if (cached?.shouldPrefetch) this.#prefetch(question, config, options);
    if (cached !== undefined) return cachedAnswer(cached);
    const message = specialNames ? answerSpecialName(question) : undefined;
    if (message !== undefined) return ownAnswer(message, false, false, 0);
    return mayUseCache && cache !== undefined
      ? this.#fetchOrStale(cache, question, config, options)
      : this.#fetch(question, config, options);
  }

  /** How it goes. */
  stats(): ResolverStats {
    const { udp, tcp } = this.#routes;
    return {
      socketCount: udp.socketCount,
      connectionCount: tcp.connectionCount,
      questionCount: this.#shared.size,
      waitingCount: this.#slots.waiterCount,
    };
  }

  /**
   * Gives up all that is under way, and closes all sockets.
   *
   * @returns When nothing of it is left.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#shared.cancelAll(closedError());
    const { udp, tcp } = this.#routes;
    await Promise.all([udp.close(), tcp.close()]);
  }

  /** What is there already may be better than nothing, or than waiting (RFC 8767). */
  #fetchOrStale(
    cache: DnsCache,
    question: Question,
    config: ResolverConfig,
    options: AskOptions,
  ): Promise<AskedAnswer> {
    const key = cacheKey(question, options);
    const stale = cache.get(key, this.#settings.wheel.now(), { allowStale: true });
    if (stale === undefined) return this.#fetch(question, config, options);
    const noteFailure = (): void => {
      cache.noteFailure(key, this.#settings.wheel.now());
    };
    return this.#raceStale(question, config, options, cachedAnswer(stale), noteFailure);
  }

  /** Nobody waits for it, so nobody hears of its failure. */
  #prefetch(question: Question, config: ResolverConfig, options: AskOptions): void {
    this.#fetch(question, config, { ...options, bounds: {} }).catch(() => {});
  }

  async #raceStale(
    question: Question,
    config: ResolverConfig,
    options: AskOptions,
    stale: AskedAnswer,
    noteFailure: () => void,
  ): Promise<AskedAnswer> {
    const { wheel, staleDelayMs } = this.#settings;
    // It goes on when we do not wait for it any more: the next one shall find what comes of it.
    const fresh = this.#fetch(question, config, { ...options, bounds: {} }).then(
      (answer) => answer.error === undefined ? answer : undefined,
      () => undefined,
    ).then((answer) => {
      if (answer === undefined) noteFailure();
      return answer ?? stale;
    });
    const late = Promise.withResolvers<AskedAnswer>();
    const deadline = wheel.create(() => late.resolve(stale));
    const { signal, timeoutMs = 0 } = options.bounds;
    deadline.arm(Math.max(1, Math.min(staleDelayMs, timeoutMs || Infinity)));
    const onAbort = (): void => late.reject(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([fresh, late.promise]);
    } finally {
      deadline.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #fetch(
    question: Question,
    config: ResolverConfig,
    options: AskOptions,
  ): Promise<AskedAnswer> {
    const start = (): ServerCall<AskedAnswer> => this.#start(question, config, options);
    return this.#shared.join(this.#shareKey(question, options), start, options.bounds);
  }

  /** Those who ask with options of their own get an answer of their own. */
  #shareKey({ name, type, class: recordClass }: Question, options: AskOptions): string {
    if (options.ednsOptions.length > 0) return `${this.#privateCount++}`;
    const { dnssecOk, checkingDisabled, recursionDesired } = options;
    const bits = Number(dnssecOk) | Number(checkingDisabled) << 1 | Number(recursionDesired) << 2;
    return `${canonicalName(name)} ${type} ${recordClass} ${bits}`;
  }

  #start(question: Question, config: ResolverConfig, options: AskOptions): ServerCall<AskedAnswer> {
    const { memory, edns, use0x20, cookies, randomUint16 } = this.#settings;
    const { servers, timeoutMs, attempts, rotate, useTcp, trustAd } = config;
    const { dnssecOk, checkingDisabled, recursionDesired, ednsOptions } = options;
    const machine = new QueryMachine(question, {
      servers,
      memory,
      randomUint16,
      random: () => randomUint16() / 65_536,
      timeoutMs,
      attempts,
      rotate,
      useTcp,
      edns,
      ednsOptions,
      cookies,
      use0x20,
      dnssecOk,
      checkingDisabled,
      recursionDesired,
      // RFC 6840 section 5.7: who sets it wants to be told.
      authenticData: trustAd,
    });
    const run = new QueryRun(machine, this.#routes);
    const conclude = (outcome: QueryOutcome): AskedAnswer => {
      return this.#conclude(question, config, options, outcome);
    };
    return new ServerCall(run, this.#slots, conclude);
  }

  #conclude(
    question: Question,
    { trustAd }: ResolverConfig,
    options: AskOptions,
    outcome: QueryOutcome,
  ): AskedAnswer {
    const { cache, wheel } = this.#settings;
    const response = outcome.type === "answer" ? outcome : outcome.response;
    if (response === undefined) throw (outcome as FailedAction).error;
    const { server, over, bytes } = response;
    // AD of a server that is not trusted says nothing, and would be believed (RFC 4035 section 4.9.3).
    const message = trustAd || !response.message.authenticData
      ? response.message
      : { ...response.message, authenticData: false };
    const isWorthKeeping = outcome.type === "answer" || message.rcode === "SERVFAIL";
    if (cache !== undefined && options.ednsOptions.length === 0 && isWorthKeeping) {
      cache.put(cacheKey(question, options), message, wheel.now());
    }
    const answer = { message, server, over, bytes, isCached: false, isStale: false, ageMs: 0 };
    return outcome.type === "answer" ? answer : { ...answer, error: outcome.error };
  }
}

function cacheKey(question: Question, options: AskOptions): DnsCacheKey {
  const { dnssecOk, checkingDisabled, recursionDesired } = options;
  return { ...question, dnssecOk, checkingDisabled, recursionDesired };
}

function cachedAnswer({ message, isStale, ageMs }: CachedAnswer): AskedAnswer {
  return ownAnswer(message, true, isStale, ageMs);
}

/** An answer that no server was asked for. */
function ownAnswer(
  message: Message,
  isCached: boolean,
  isStale: boolean,
  ageMs: number,
): AskedAnswer {
  return {
    message,
    server: undefined,
    over: undefined,
    bytes: undefined,
    isCached,
    isStale,
    ageMs,
  };
}

function closedError(): ConnectionClosedError {
  return new ConnectionClosedError("Cannot resolve: the resolver is closed");
}
