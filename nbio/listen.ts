/**
 * {@linkcode listen}: a listener with a connection limit that no failing
 * `accept` stops.
 *
 * @module
 */

import { type Clock, systemClock } from "./clock.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/**
 * Where connections come from: a `Deno.Listener` or `Deno.TlsListener` as it
 * is, or anything that does the same.
 */
export interface AcceptSource {
  /** Waits for the next connection. */
  accept(): Promise<Transport>;
  /** Stops; an `accept` that waits rejects. */
  close(): void;
  /** Where it listens. */
  readonly addr: Deno.Addr;
  /** Makes a waiting `accept` keep the process alive, as it does at first. */
  ref?(): void;
  /** Lets the process end although `accept` waits. */
  unref?(): void;
}

/** Options of {@linkcode listen}. */
export interface ListenOptions {
  /**
   * TCP port, 0 to 65,535; 0 lets the system choose a free one.
   *
   * @default {0}
   */
  readonly port?: number;

  /**
   * Address, or name of one, of the interface to listen on. The default is that
   * of `Deno.listen`: every IPv4 interface. Say `"127.0.0.1"` to be reached
   * from this machine only, `"::"` for IPv6.
   *
   * @default {"0.0.0.0"}
   */
  readonly hostname?: string;

  /**
   * Path of a Unix socket to listen on instead of TCP. A file that is already
   * there is never removed, even if nobody listens on it any more: binding
   * throws `Deno.errors.AddrInUse`. Ours is removed when the listener closes.
   *
   * @default {undefined}
   */
  readonly path?: string;

  /**
   * A listener made elsewhere, which belongs to the result from now on.
   * `port`, `hostname` and `path` must be absent then.
   *
   * @default {undefined}
   */
  readonly listener?: AcceptSource;

  /**
   * Connections handled at a time. When there are so many, the next is not
   * accepted, but waits in the queue of the system. 0 and `Infinity` mean no
   * limit.
   *
   * @default {10_000}
   */
  readonly maxConnections?: number;

  /**
   * Told when accepting fails, as with `EMFILE` when the process is out of file
   * descriptors. Accepting goes on after a pause.
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
  /** Connections accepted so far. */
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

/** Pause after the first failed `accept`; doubled with each further one. */
const MIN_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 1_000;

/**
 * Listens on TCP or a Unix socket. Permission: `--allow-net` for the address;
 * for a Unix socket `--allow-read` and `--allow-write` for its path.
 *
 * @param options Where to listen, and bounds.
 * @returns The listener; connections queue up until `serve` is called.
 * @throws {RangeError} If `maxConnections` is negative or not a number.
 * @throws {TypeError} If options exclude each other.
 * @throws {Deno.errors.AddrInUse} If the address is taken; other failures to
 * bind throw the runtime's own classes too.
 * @throws {Error} The reason of `signal`, if it is aborted already.
 *
 * @example An echo server
 * ```ts
 * import { listen, sendAll } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listen({ hostname: "127.0.0.1" });
 * listener.serve(async (transport) => {
 *   const buffer = new Uint8Array(1_024);
 *   for (let n; (n = await transport.read(buffer)) !== null;) {
 *     await sendAll(transport, buffer.subarray(0, n));
 *   }
 *   transport.close();
 * });
 *
 * const { port } = listener.addr as Deno.NetAddr;
 * const client = await Deno.connect({ hostname: "127.0.0.1", port });
 * await sendAll(client, new Uint8Array([1, 2, 3]));
 * assertEquals(await client.read(new Uint8Array(16)), 3);
 * client.close();
 * ```
 */
export function listen(options: ListenOptions = {}): TransportListener {
  options.signal?.throwIfAborted();
  checkOptions(options);
  return new TransportListener(options.listener ?? bind(options), options);
}

function checkOptions(options: ListenOptions): void {
  const { port, hostname, path, listener, maxConnections = 0 } = options;
  if (!(maxConnections >= 0)) {
    throw new RangeError(
      `Cannot listen: maxConnections is ${maxConnections}, expected a number of at least 0`,
    );
  }
  const tcp = port !== undefined || hostname !== undefined;
  if (Number(tcp) + Number(path !== undefined) + Number(listener !== undefined) > 1) {
    throw new TypeError("Cannot listen: give one of port or hostname, path, and listener");
  }
}

function bind(options: ListenOptions): AcceptSource {
  const { port = 0, hostname = "0.0.0.0", path } = options;
  if (path !== undefined) return Deno.listen({ transport: "unix", path });
  return Deno.listen({ port, hostname });
}

/**
 * A listening socket and the connections that came through it. Made by
 * {@linkcode listen}.
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
  readonly #source: AcceptSource;
  readonly #maxConnections: number;
  readonly #onAcceptError: (error: unknown) => void;
  readonly #onError: (error: unknown) => void;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #drained = Promise.withResolvers<void>();
  #acceptedCount = 0;
  #activeCount = 0;
  #acceptErrorCount = 0;
  #served = false;
  #accepting = false;
  #closed = false;
  #unrefed = false;
  /** Ends the pause of the accept loop, while there is one. */
  #wake: (() => void) | undefined;
  #waiting = false;

  /**
   * Takes over a source of connections; {@linkcode listen} does it for you.
   *
   * @param source Where connections come from.
   * @param options As for {@linkcode listen}; what says where to bind is not
   * looked at.
   */
  constructor(source: AcceptSource, options: ListenOptions = {}) {
    this.#source = source;
    this.#maxConnections = options.maxConnections === 0
      ? Infinity
      : options.maxConnections ?? 10_000;
    this.#onAcceptError = options.onAcceptError ?? console.error;
    this.#onError = options.onError ?? console.error;
    this.#clock = options.clock ?? systemClock;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (this.#signal?.aborted) this.close();
  }

  /** Where we listen, the chosen port included. */
  get addr(): Deno.Addr {
    return this.#source.addr;
  }

  /**
   * Accepts connections until the listener closes. May be called once.
   *
   * @param onConnection Called for each connection.
   * @returns A promise that resolves when the listener is closed and every
   * handler has settled. It never rejects.
   * @throws {TypeError} If called a second time.
   */
  serve(onConnection: ConnectionHandler): Promise<void> {
    if (this.#served) throw new TypeError("Cannot serve: the listener is already being served");
    this.#served = true;
    if (!this.#closed) this.#acceptLoop(onConnection);
    return this.#drained.promise;
  }

  /** Stops accepting. Connections are not touched. A second call does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    try {
      this.#source.close();
    } catch {
      // A handed-in listener may have been closed by its maker.
    }
    this.#wake?.();
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

  /** How it goes. */
  stats(): ListenerStats {
    return {
      acceptedCount: this.#acceptedCount,
      activeCount: this.#activeCount,
      acceptErrorCount: this.#acceptErrorCount,
      waiting: this.#waiting,
    };
  }

  /** Keeps the process alive while listening, as at first. */
  ref(): void {
    this.#unrefed = false;
    this.#source.ref?.();
  }

  /** Lets the process end although this listens. Connections still keep it alive. */
  unref(): void {
    this.#unrefed = true;
    this.#source.unref?.();
  }

  /** Closes, and waits for the handlers. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return this.#drained.promise;
  }

  readonly #onAbort = (): void => this.close();

  async #acceptLoop(onConnection: ConnectionHandler): Promise<void> {
    this.#accepting = true;
    let backoffMs = 0;
    while (!this.#closed) {
      if (this.#activeCount >= this.#maxConnections) {
        await this.#slotFreed();
        continue;
      }
      try {
        const transport = await this.#source.accept();
        backoffMs = 0;
        if (this.#closed) closeQuietly(transport);
        else this.#handle(transport, onConnection);
      } catch (error) {
        if (this.#closed) break;
        if (error instanceof Deno.errors.BadResource) {
          // Closed by somebody else: no pause would bring it back.
          this.close();
          break;
        }
        this.#acceptErrorCount++;
        report(this.#onAcceptError, error);
        backoffMs = Math.min(Math.max(backoffMs * 2, MIN_BACKOFF_MS), MAX_BACKOFF_MS);
        await this.#pause(backoffMs);
      }
    }
    this.#accepting = false;
    this.#settleIfDrained();
  }

  #handle(transport: Transport, onConnection: ConnectionHandler): void {
    this.#acceptedCount++;
    this.#activeCount++;
    try {
      setNoDelay(transport);
      const handled = onConnection(transport);
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
    this.#activeCount--;
    if (this.#waiting) this.#wake?.();
    this.#settleIfDrained();
  };

  #slotFreed(): Promise<void> {
    this.#waiting = true;
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        this.#waiting = false;
        resolve();
      };
    });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(() => this.#wake?.(), delayMs, { unref: this.#unrefed });
      this.#wake = () => {
        this.#wake = undefined;
        this.#clock.clearTimer(timer);
        resolve();
      };
    });
  }

  #settleIfDrained(): void {
    if (this.#closed && !this.#accepting && this.#activeCount === 0) this.#drained.resolve();
  }
}

/**
 * Small writes must not wait for the acknowledgement of the last one. Unix
 * sockets never do, and have no such method.
 */
function setNoDelay(transport: Transport & Partial<Pick<Deno.TcpConn, "setNoDelay">>): void {
  try {
    transport.setNoDelay?.(true);
  } catch {
    // The connection is dead already: its handler is about to find out.
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
