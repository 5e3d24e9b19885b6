import type { ExchangeOptions, ExchangeTimeouts } from "./client_options.ts";
import type { InformationalEvent } from "./events.ts";
import type { ResponseSource } from "./exchange_response.ts";
import type { HeaderList } from "./header_list.ts";

/** What a connection does for the exchange at hand. */
export interface ExchangeOwner {
  /** Reads on in the body of the response; `undefined` at its end. */
  readBody(exchange: OutstandingExchange): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Gives the exchange up for the reason of its signal. */
  abort(exchange: OutstandingExchange, reason: unknown): void;
  /** Gives the rest of the response up, and the connection with it. */
  abandon(exchange: OutstandingExchange): void;
}

/**
 * One exchange on a connection, from the request to the end of the response. A
 * response that is kept for longer than that reaches nothing but this.
 */
export class OutstandingExchange implements ResponseSource {
  /** Resolves when the connection is free again, or of no more use. */
  readonly ended: Promise<void>;
  /** How long each step may take. */
  readonly timeouts: Required<ExchangeTimeouts>;
  /** Told of informational responses. */
  readonly onInformational: ((response: InformationalEvent) => void) | undefined;
  /** Trailer fields of the response. */
  trailers: HeaderList | undefined = undefined;
  /** Bytes of the body that were not read yet; NaN where its length is not known. */
  remainingBytes: number = NaN;
  /** Whether the whole response has been read. */
  isComplete = false;
  /** Why it has failed; the first reason counts. */
  failure: { readonly error: unknown } | undefined = undefined;

  readonly #owner: ExchangeOwner;
  readonly #signal: AbortSignal | undefined;
  readonly #resolveEnded: () => void;
  #isOver = false;

  /**
   * @param owner The connection.
   * @param timeouts How long each step may take.
   * @param options Signal and callbacks.
   */
  constructor(
    owner: ExchangeOwner,
    timeouts: Required<ExchangeTimeouts>,
    options: ExchangeOptions,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    this.#owner = owner;
    this.timeouts = timeouts;
    this.onInformational = options.onInformational;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Whether the connection has done with it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Throws why it has failed, if it has. */
  throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Reads on in the body; `undefined` at its end. */
  readBody(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.isComplete) return Promise.resolve(undefined);
    if (this.failure !== undefined) return Promise.reject(this.failure.error);
    return this.#owner.readBody(this);
  }

  /** Gives the rest of the response up; does nothing behind its end. */
  close(): void {
    if (!this.isComplete && !this.#isOver) this.#owner.abandon(this);
  }

  /** Lets go of everything: called once, by the connection. */
  end(): void {
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#resolveEnded();
  }

  readonly #onAbort = (): void => this.#owner.abort(this, this.#signal!.reason);
}
