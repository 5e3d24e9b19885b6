/**
 * {@linkcode TransportListener}: listening sockets, and the connections that
 * came through them.
 *
 * @module
 */

import { AcceptLoop } from "./accept_loop.ts";
import type { AcceptSource } from "./accept_source.ts";
import { type Clock, systemClock } from "./clock.ts";
import { ConnectionLimit } from "./connection_limit.ts";
import { disableDelay } from "./no_delay.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of {@linkcode TransportListener}, whatever it listens on. */
export interface TransportListenerOptions {
  /**
   * Connections handled at a time, whichever source they came through. When
   * there are so many, the next is not accepted, but waits in the queue of the
   * system; each source but the first may have accepted one more by then, which
   * waits, too. 0 and `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly maxConnections?: number;

  /**
   * Told when accepting fails, as with `EMFILE` when the process is out of file
   * descriptors. Accepting goes on after a pause, 5 ms at first and 1 s at most.
   *
   * @default {console.error}
   */
  readonly onAcceptError?: (error: unknown) => void;

  /**
   * Told when a connection handler throws or rejects. Its connection is closed
   * and the others are not touched.
   *
   * @default {console.error}
   */
  readonly onError?: (error: unknown) => void;

  /**
   * Where the pause after a failed `accept` is timed.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;

  /**
   * Closes the listener when aborted, as {@linkcode TransportListener.close}
   * does; connections are not touched.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/** What {@linkcode TransportListener.stats} tells. */
export interface ListenerStats {
  /** Connections handed to the handler so far. */
  readonly acceptedCount: number;
  /** Connections whose handler has not settled. */
  readonly activeCount: number;
  /** Failures of `accept` so far. */
  readonly acceptErrorCount: number;
  /** Whether accepting waits for a connection to end, because of the limit. */
  readonly waiting: boolean;
}

/**
 * Handles one connection, which it owns and closes.
 *
 * @param transport The connection: the very object `accept` gave.
 * @returns A promise that settles when the connection needs its place under
 * the limit no longer; a handler that returns none gives it back at once.
 */
export type ConnectionHandler = (transport: Transport) => void | Promise<void>;

/**
 * Listening sockets under one connection limit, and the connections that came
 * through them. Made by {@linkcode listen}.
 *
 * @example Watching it
 * ```ts
 * import { listen } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listen({ hostname: "127.0.0.1" });
 * assertEquals(listener.stats().activeCount, 0);
 * ```
 */
export class TransportListener implements AsyncDisposable {
  readonly #loops: readonly AcceptLoop[];
  readonly #limit: ConnectionLimit;
  readonly #onAcceptError: (error: unknown) => void;
  readonly #onError: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #drained = Promise.withResolvers<void>();
  #onConnection: ConnectionHandler | undefined;
  #acceptedCount = 0;
  #acceptErrorCount = 0;
  #runningCount = 0;
  #closed = false;

  /**
   * Takes over sources of connections; {@linkcode listen} does it for you.
   *
   * @param sources Where connections come from, at least one.
   * @param options Bounds and whom to tell.
   * @throws {RangeError} If there is no source, or `maxConnections` is neither an
   * integer of at least 0 nor `Infinity`.
   */
  constructor(sources: readonly AcceptSource[], options: TransportListenerOptions = {}) {
    if (sources.length === 0) throw new RangeError("Cannot listen: there is no source");
    this.#limit = new ConnectionLimit(options.maxConnections);
    this.#onAcceptError = options.onAcceptError ?? console.error;
    this.#onError = options.onError ?? console.error;
    this.#loops = this.#createLoops(sources, options.clock ?? systemClock);
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (this.#signal?.aborted) this.close();
  }

  #createLoops(sources: readonly AcceptSource[], clock: Clock): AcceptLoop[] {
    const owner = {
      limit: this.#limit,
      clock,
      onAccept: (transport: Transport) => this.#handle(transport),
      onAcceptError: (error: unknown) => {
        this.#acceptErrorCount++;
        report(this.#onAcceptError, error);
      },
    };
    return sources.map((source) => new AcceptLoop(source, owner));
  }

  /** Where we listen, the chosen port included; the first of several. */
  get addr(): Deno.Addr {
    return this.#loops[0]!.addr;
  }

  /** Where we listen, in the order in which that was asked for. */
  get addrs(): Deno.Addr[] {
    return this.#loops.map((loop) => loop.addr);
  }

  /**
   * Accepts connections until the listener closes, by itself when the last of
   * its sources was closed by somebody else. May be called once.
   *
   * @param onConnection Called for each connection.
   * @returns A promise that resolves when the listener is closed and every
   * handler has settled. It never rejects.
   * @throws {TypeError} If called a second time.
   */
  serve(onConnection: ConnectionHandler): Promise<void> {
    if (this.#onConnection) {
      throw new TypeError("Cannot serve: the listener is already being served");
    }
    this.#onConnection = onConnection;
    if (!this.#closed) {
      this.#runningCount = this.#loops.length;
      for (const loop of this.#loops) void loop.run().then(this.#onLoopEnd);
    }
    return this.#drained.promise;
  }

  /** Stops accepting. Connections are not touched. A second call does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    for (const loop of this.#loops) loop.close();
    this.#limit.wake();
    this.#settleIfDrained();
  }

  /**
   * Waits for the end without causing it.
   *
   * @returns A promise that resolves when the listener is closed and every
   * handler has settled. It never rejects.
   */
  drain(): Promise<void> {
    return this.#drained.promise;
  }

  /** How it goes, over all sources. */
  stats(): ListenerStats {
    return {
      acceptedCount: this.#acceptedCount,
      activeCount: this.#limit.activeCount,
      acceptErrorCount: this.#acceptErrorCount,
      waiting: this.#limit.isAwaited,
    };
  }

  /** Keeps the process alive while listening, as at first. */
  ref(): void {
    for (const loop of this.#loops) loop.ref();
  }

  /** Lets the process end although this listens. Connections still keep it alive. */
  unref(): void {
    for (const loop of this.#loops) loop.unref();
  }

  /** Closes, and waits for the handlers. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return this.#drained.promise;
  }

  readonly #onAbort = (): void => this.close();

  readonly #onLoopEnd = (): void => {
    this.#runningCount--;
    if (this.#runningCount === 0) this.close();
    this.#settleIfDrained();
  };

  #handle(transport: Transport): void {
    this.#acceptedCount++;
    this.#limit.enter();
    try {
      disableDelay(transport);
      const handled = this.#onConnection!(transport);
      if (handled === undefined) this.#release();
      else handled.then(this.#release, (error) => this.#fail(transport, error));
    } catch (error) {
      this.#fail(transport, error);
    }
  }

  #fail(transport: Transport, error: unknown): void {
    closeQuietly(transport);
    report(this.#onError, error);
    this.#release();
  }

  readonly #release = (): void => {
    this.#limit.leave();
    this.#settleIfDrained();
  };

  #settleIfDrained(): void {
    if (this.#closed && this.#runningCount === 0 && this.#limit.activeCount === 0) {
      this.#drained.resolve();
    }
  }
}

/** Tells `handler`; one that throws itself must not end the accept loop. */
function report(handler: (error: unknown) => void, error: unknown): void {
  try {
    handler(error);
  } catch (handlerError) {
    console.error(handlerError);
  }
}
