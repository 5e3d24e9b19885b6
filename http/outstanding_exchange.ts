import type { ExchangeOptions, ExchangeTimeouts } from "./client_options.ts";
import type { InformationalEvent } from "./events.ts";
import type { ResponseSource } from "./exchange_response.ts";
import type { HeaderList } from "./header_list.ts";

/** What a connection does for the exchange at hand. */
export interface ExchangeOwner {
  /** Reads on in the body of the response; `undefined` at its end. */
  readBody(
    exchange: OutstandingExchange,
    room: Uint8Array<ArrayBuffer> | undefined,
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** What has come of the body already, as one piece. */
  takeBody(exchange: OutstandingExchange): Uint8Array<ArrayBuffer> | undefined;
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
  /** Made for whoever asks: most never do. */
  #ended: PromiseWithResolvers<void> | undefined;
  #onAbort: (() => void) | undefined;
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
    this.#owner = owner;
    this.timeouts = timeouts;
    this.onInformational = options.onInformational;
    const { signal } = options;
    this.#signal = signal;
    if (signal === undefined) return;
    this.#onAbort = () => owner.abort(this, signal.reason);
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Resolves when the connection is free again, or of no more use. */
  get ended(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#ended ??= Promise.withResolvers<void>();
    return this.#ended.promise;
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
  readBody(room?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.isComplete) return Promise.resolve(undefined);
    if (this.failure !== undefined) return Promise.reject(this.failure.error);
    return this.#owner.readBody(this, room);
  }

  /** What has come of the body already; `undefined` where that has to be waited for. */
  takeBody(): Uint8Array<ArrayBuffer> | undefined {
    if (this.isComplete || this.failure !== undefined) return undefined;
    return this.#owner.takeBody(this);
  }

  /** Gives the rest of the response up; does nothing behind its end. */
  close(): void {
    if (!this.isComplete && !this.#isOver) this.#owner.abandon(this);
  }

  /** Lets go of everything: called once, by the connection. */
  end(): void {
    this.#isOver = true;
    if (this.#onAbort !== undefined) this.#signal!.removeEventListener("abort", this.#onAbort);
    this.#ended?.resolve();
  }
}
