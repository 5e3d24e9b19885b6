import { ConnectionClosedError } from "../nbio/errors.ts";
import type { AcceptSource } from "../nbio/accept_source.ts";
import { checkMaxConnections } from "../nbio/connection_limit.ts";
import { listen } from "../nbio/listen.ts";
import { bindAddresses, checkListenAddress } from "../nbio/listen_bind.ts";
import type { TransportListener } from "../nbio/transport_listener.ts";
import { limitPerAddress } from "./address_limit.ts";
import { SecuredSource } from "./listen.ts";
import { ServerConnection } from "./server_connection.ts";
import { resolveServerOptions, type ServeOptions } from "./server_options.ts";
import { type Handler, ServerShared } from "./server_shared.ts";

const DEFAULT_PORT = 8000;
/** Longest time of a timer: 24 days. */
const MAX_GRACE_MS = 2 ** 31 - 1;

/** Options of {@linkcode HttpServer.shutdown}. */
export interface ShutdownOptions {
  /**
   * Milliseconds that requests under way may still take; then `ctx.signal`
   * aborts and their connections are cut. Infinity waits as long as it takes.
   *
   * @default {10000}
   */
  readonly graceMs?: number;
}

/** Figures of a server, taken at one instant. */
export interface ServerStats {
  /** Connections accepted so far. */
  readonly acceptedCount: number;
  /** Connections open now. */
  readonly connectionCount: number;
  /** Requests whose head was complete, so far. */
  readonly requestCount: number;
  /** Connections closed over a broken rule, a limit or a late head, so far. */
  readonly protocolErrorCount: number;
  /** Failed attempts to accept a connection, so far. */
  readonly acceptErrorCount: number;
}

/**
 * A running server; see {@linkcode serve}.
 *
 * @example Shutting down
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const server = serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
 * await server.shutdown({ graceMs: 1_000 });
 * await server.finished;
 * assertEquals(server.stats().connectionCount, 0);
 * ```
 */
export class HttpServer implements AsyncDisposable {
  /** Resolves when the last connection has ended. Never rejects. */
  readonly finished: Promise<void>;

  readonly #listener: TransportListener;
  readonly #shared: ServerShared;

  /** Use {@linkcode serve}. */
  constructor(handler: Handler, options: ServeOptions) {
    this.#shared = new ServerShared(handler, resolveServerOptions(options));
    this.#shared.worker = options.worker;
    this.#listener = openListener(options, this.#shared);
    const handle = limitPerAddress(
      (transport) => new ServerConnection(transport, this.#shared).run(),
      { maxConnectionsPerAddress: this.#shared.options.maxConnectionsPerAddress },
    );
    const served = this.#listener.serve(handle);
    this.finished = served.then(() => this.#shared.close());
    watchSignal(options.signal, this);
  }

  /** The first address that is listened on. */
  get addr(): Deno.Addr {
    return this.#listener.addr;
  }

  /** All addresses that are listened on. */
  get addrs(): Deno.Addr[] {
    return this.#listener.addrs;
  }

  /**
   * Stops: accepts no more, closes connections without a request at once,
   * answers what is under way with `Connection: close`.
   *
   * @param options How long requests under way may take.
   * @returns A promise that resolves with {@linkcode HttpServer.finished}.
   * @throws {RangeError} If `graceMs` is negative or not a number.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { graceMs = 10_000 } = options;
    if (!(graceMs >= 0)) {
      throw new RangeError(`Cannot shut down: graceMs ${graceMs} is not a number of at least 0`);
    }
    this.#shared.beginShutdown();
    this.#listener.close();
    for (const connection of this.#shared.connections) {
      if (connection.isIdle) connection.abort(shutdownError());
    }
    const { clock } = this.#shared.options;
    // Not of the wheel, which keeps no process alive: a connection need not either, of which nothing
    // is read, and whoever waits here would wait for ever.
    const grace = graceMs > 0 && graceMs < Infinity
      ? clock.setTimer(() => this.#abortAll(), Math.min(graceMs, MAX_GRACE_MS))
      : undefined;
    if (graceMs === 0) this.#abortAll();
    await this.finished;
    if (grace !== undefined) clock.clearTimer(grace);
  }

  #abortAll(): void {
    for (const connection of this.#shared.connections) connection.abort(shutdownError());
  }

  /** Figures so far. */
  stats(): ServerStats {
    return {
      acceptedCount: this.#listener.stats().acceptedCount,
      connectionCount: this.#shared.connections.size,
      ...this.#shared.counters,
    };
  }

  /** Lets the listeners keep the process alive, as they do by default. */
  ref(): void {
    this.#listener.ref();
  }

  /** Lets the process end although the listeners are open. */
  unref(): void {
    this.#listener.unref();
  }

  /** Shuts down with the default grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

function openListener(options: ServeOptions, shared: ServerShared): TransportListener {
  const { maxConnections, clock, tls } = options;
  const onError = (error: unknown): void => shared.options.onError(error, undefined);
  const onAcceptError = (error: unknown): void => {
    shared.counters.acceptErrorCount++;
    onError(error);
  };
  // Before anything is bound: nobody would get hold of it.
  checkMaxConnections(maxConnections);
  const plain = openSources(options);
  const listeners = tls === undefined
    ? plain
    : plain.map((source) =>
      new SecuredSource(source, tls, {
        provider: options.tlsProvider,
        clock: shared.options.clock,
        wheel: shared.wheel,
        onError,
        onAcceptError,
      })
    );
  return listen({
    listeners,
    onAcceptError,
    onError,
    ...maxConnections !== undefined && { maxConnections },
    ...clock !== undefined && { clock },
  });
}

/** Open listeners come before a path, and that before a port. */
function openSources(options: ServeOptions): readonly AcceptSource[] {
  const { listener, listeners, path, port = DEFAULT_PORT, hostname = "0.0.0.0" } = options;
  if (listeners !== undefined) return listeners;
  if (listener !== undefined) return [listener];
  const address = path !== undefined ? { path } : { port, hostname };
  checkListenAddress(address);
  if (options.worker !== undefined && path === undefined) return [options.worker.listen(address)];
  return bindAddresses([address]);
}

function watchSignal(signal: AbortSignal | undefined, server: HttpServer): void {
  if (signal === undefined) return;
  const stop = () => void server.shutdown({ graceMs: 0 });
  if (signal.aborted) return stop();
  signal.addEventListener("abort", stop, { once: true });
  void server.finished.then(() => signal.removeEventListener("abort", stop));
}

function shutdownError(): ConnectionClosedError {
  return new ConnectionClosedError("Server is shutting down");
}

/**
 * Serves HTTP/1.1.
 *
 * Needs `--allow-net` of its address; for a Unix socket `--allow-net=unix:PATH`,
 * `--allow-read` and `--allow-write` of its path.
 *
 * @param handler Answers the requests.
 * @param options Where to listen, and bounds.
 * @returns The running server.
 * @throws {RangeError} If an option is out of its range.
 * @throws {TypeError} If `tls` has no certificate, or cannot be used.
 * @throws {Deno.errors.AddrInUse} If the address is taken; other errors of
 * `Deno.listen` likewise.
 *
 * @example Hello
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * assertEquals(await response.text(), "hello");
 * ```
 *
 * @example Over TLS
 * ```ts
 * import { Client, serve } from "@nbio/net/http";
 * import { createDevelopmentCertificate } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf, ca } = await createDevelopmentCertificate(["localhost"]);
 * await using server = serve((ctx) => ctx.text(`${ctx.tlsInfo?.version}`), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   tls: { cert: leaf.certificatePem, key: leaf.privateKeyPem },
 * });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * await using client = new Client({ tls: { caCerts: [ca.certificatePem] } });
 * const response = await client.get(`https://localhost:${port}/`);
 * assertEquals(await response.text(), "TLSv1.3");
 * ```
 */
export function serve(handler: Handler, options: ServeOptions = {}): HttpServer {
  const server = new HttpServer(handler, options);
  try {
    options.onListen?.(server.addr);
    // What it rejects with is a fault that nobody else hears of.
    options.worker?.manage(server).catch(reportError);
  } catch (error) {
    // Nobody else gets hold of the server to stop it.
    void server.shutdown({ graceMs: 0 });
    throw error;
  }
  return server;
}
