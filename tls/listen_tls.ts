/**
 * {@linkcode listenTls}: a listening socket that gives secured connections.
 *
 * @module
 */

import type { AcceptSource } from "../nbio/accept_source.ts";
import { AcceptQueue } from "../nbio/accept_queue.ts";
import type { Clock } from "../nbio/clock.ts";
import { deadlines } from "../nbio/deadline_wheel.ts";
import { LimitExceededError } from "../nbio/errors.ts";
import { listen } from "../nbio/listen.ts";
import type { ListenAddress } from "../nbio/listen_address.ts";
import type { TlsProvider, TlsServerOptions, TlsTransport } from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import type { TransportListener } from "../nbio/transport_listener.ts";
import { finishDeno, listenDeno } from "./deno_provider.ts";
import { TlsUnsupportedError } from "./errors.ts";
import { HandshakeGate } from "./handshake_gate.ts";
import { resolveServerOptions, type TlsServerSettings } from "./tls_options.ts";

/** Options of {@linkcode listenTls}: where to listen, the certificate, and bounds. */
export interface ListenTlsOptions extends ListenAddress, TlsServerOptions {
  /**
   * Who secures the connections: `"node"`, `"deno"`, which is `Deno.listenTls`, or one of your own.
   *
   * @default {"node"}
   */
  readonly provider?: "node" | "deno" | TlsProvider;

  /**
   * Where connections come from that are to be secured, instead of an address: a listener that is
   * open already, such as `proxyListener` of `@nbio/net/http`. It belongs to the result from now on.
   * Not with the provider `"deno"`, whose listener is its own.
   *
   * @default {undefined}
   */
  readonly listener?: AcceptSource;

  /**
   * Handshakes at a time, an integer of at least 1. A client that has not said a word is none yet.
   * While others wait for a place, one that takes longer than a second is given up.
   *
   * @default {64}
   */
  readonly maxHandshakes?: number;

  /**
   * Connections that were taken from the system and not by `accept`: those that are silent, those
   * in a handshake and those that are ready; an integer of at least 1. When there are so many, the
   * one that is silent for the longest is closed; if none is silent, the next waits in the queue of
   * the system.
   *
   * @default {4_096}
   */
  readonly maxUnaccepted?: number;

  /**
   * Is told of a client with whom there was no handshake. It is over with that one; the others are
   * not touched.
   *
   * @default {undefined} (they are only counted)
   */
  readonly onHandshakeError?: (error: unknown, remoteAddr: Deno.Addr) => void;

  /**
   * Is told when accepting fails, as when the process is out of file descriptors.
   *
   * @default {console.error}
   */
  readonly onAcceptError?: (error: unknown) => void;

  /**
   * Where the pause after a failed `accept` is timed.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** What {@linkcode TlsListener.stats} tells. */
export interface TlsListenerStats {
  /** Handshakes that came through so far. */
  readonly securedCount: number;
  /** Those that did not. */
  readonly failedCount: number;
  /** Handshakes under way. */
  readonly handshakeCount: number;
  /** Connections whose client has not said a word. */
  readonly silentCount: number;
  /** Secured connections that nobody has accepted. */
  readonly readyCount: number;
  /** Failures of `accept` below, of which nobody but `onAcceptError` is told, so far. */
  readonly acceptErrorCount: number;
}

/**
 * Listens for secured connections. Handshakes run beside each other and off the loop that accepts: a
 * client that is slow, silent or hostile costs its own connection, and nobody else's.
 *
 * The result is a source of connections like a `Deno.TlsListener`: `serve` of `http` and `listen` of
 * `nbio` take it as `listener`.
 *
 * Which provider, and why: `node`, by default, sends small writes at once (TCP_NODELAY), so that a
 * new connection answers without the stall of 40 ms that `Deno.listenTls` has in its first response
 * and gives no way to switch off; it knows certificates by name, clients' certificates, versions and
 * reload. `deno` costs about half the CPU for each small exchange, and 0.4 of it for each MiB, once
 * connections are there: take it where few clients stay for long, and one certificate will do. What it cannot honour it refuses.
 * And the runtime keeps the socket of a handshake that was given up until the client closes it: where
 * anybody may connect, `deno` is the wrong choice.
 *
 * Permission: `--allow-net` for the address; for a Unix socket as `listen` of `@nbio/net/nbio`.
 *
 * @param options Where, with which certificate, and bounds.
 * @returns The listener.
 * @throws {TypeError} If an option cannot be read, or options exclude each other.
 * @throws {RangeError} If an option is out of its range, or certificate and key are not good.
 * @throws {TlsUnsupportedError} If the provider cannot do what is asked for.
 * @throws {Deno.errors.AddrInUse} If the address is taken; other failures to bind throw the
 * runtime's own classes too.
 * @throws {Error} The reason of `signal`, if it is aborted already.
 *
 * @example An echo server
 * ```ts
 * import { connectTls, createDevelopmentCertificate, listenTls } from "@nbio/net/tls";
 * import { copy, listen } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf, ca } = await createDevelopmentCertificate(["localhost"]);
 * const own = { cert: leaf.certificatePem, key: leaf.privateKeyPem };
 * const secured = listenTls({ hostname: "127.0.0.1", port: 0, ...own });
 * await using listener = listen({ listener: secured });
 * listener.serve(async (transport) => {
 *   await copy(transport, transport);
 *   transport.close();
 * });
 *
 * const { port } = listener.addr as Deno.NetAddr;
 * const client = await connectTls({
 *   hostname: "localhost",
 *   port,
 *   tls: { caCerts: [ca.certificatePem] },
 * });
 * await client.write(new Uint8Array([1, 2, 3]));
 * assertEquals(await client.read(new Uint8Array(16)), 3);
 * client.close();
 * ```
 */
export function listenTls(options: ListenTlsOptions): TlsListener {
  return new TlsListener(options);
}

const DEFAULT_MAX_HANDSHAKES = 64;
const DEFAULT_MAX_UNACCEPTED = 4_096;
/** How one connection is secured, with a place among the handshakes taken in time. */
type Secure = (transport: Transport, connection: Unaccepted) => Promise<TlsTransport>;

/** A connection on its way. */
interface Unaccepted {
  /** Gives it up. */
  readonly controller: AbortController;
}

/**
 * A listening socket of {@linkcode listenTls}.
 *
 * @example A new certificate for those who come from now on
 * ```ts
 * import { createDevelopmentCertificate, listenTls } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf, ca } = await createDevelopmentCertificate(["localhost"]);
 * const options = { cert: leaf.certificatePem, key: leaf.privateKeyPem };
 * await using listener = listenTls({ hostname: "127.0.0.1", port: 0, ...options });
 * const { leaf: next } = await createDevelopmentCertificate(["localhost"], { ca });
 * listener.reload({ cert: next.certificatePem, key: next.privateKeyPem });
 * assertEquals(listener.stats().securedCount, 0);
 * ```
 */
export class TlsListener implements AcceptSource, AsyncDisposable {
  readonly #listener: TransportListener;
  readonly #queue = new AcceptQueue<TlsTransport>();
  readonly #gate: HandshakeGate;
  readonly #secure: Secure;
  readonly #maxUnaccepted: number;
  readonly #onHandshakeError: ListenTlsOptions["onHandshakeError"];
  readonly #signal: AbortSignal | undefined;
  readonly #unaccepted = new Set<Unaccepted>();
  /** Those whose client has not said a word, the oldest first. */
  readonly #silent = new Set<Unaccepted>();
  readonly #provider: string;
  #options: TlsServerOptions;
  #settings: TlsServerSettings;
  #securedCount = 0;
  #failedCount = 0;

  /**
   * Listens; {@linkcode listenTls} does it for you.
   *
   * @param options Where, with which certificate, and bounds.
   * @throws {Error} As {@linkcode listenTls} does.
   */
  constructor(options: ListenTlsOptions) {
    const { address, tls, rest } = splitOptions(options);
    const { provider = "node", maxHandshakes = DEFAULT_MAX_HANDSHAKES } = rest;
    const { maxUnaccepted = DEFAULT_MAX_UNACCEPTED, onAcceptError, clock } = rest;
    checkCount("maxHandshakes", maxHandshakes);
    checkCount("maxUnaccepted", maxUnaccepted);
    options.signal?.throwIfAborted();
    this.#options = tls;
    this.#provider = nameOf(provider);
    this.#settings = resolveServerOptions(this.#provider, tls);
    this.#gate = new HandshakeGate(maxHandshakes, options.wheel ?? deadlines);
    this.#secure = this.#chooseSecure(provider);
    this.#maxUnaccepted = maxUnaccepted;
    this.#onHandshakeError = rest.onHandshakeError;
    this.#signal = options.signal;
    const { listener } = rest;
    if (provider === "deno" && listener !== undefined) throw cannotTakeOver();
    const source = provider === "deno"
      ? { listener: listenDeno(address, this.#settings) }
      : { ...address, ...listener !== undefined && { listener } };
    this.#listener = listen({
      ...source,
      maxConnections: maxUnaccepted,
      ...onAcceptError !== undefined && { onAcceptError },
      ...clock !== undefined && { clock },
    });
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    void this.#listener.serve((transport) => this.#handle(transport));
  }

  /** Where it listens. */
  get addr(): Deno.Addr {
    return this.#listener.addr;
  }

  /**
   * Waits for the next secured connection.
   *
   * @returns The connection, its handshake complete. It belongs to the caller.
   * @throws {Deno.errors.BadResource} If the listener is closed.
   * @throws {TypeError} If another call waits.
   */
  accept(): Promise<TlsTransport> {
    return this.#queue.accept();
  }

  /**
   * Gives those who connect from now on another certificate, or anything else of TLS. Connections
   * and handshakes that are there are not touched. If an option is not good, all stays as it was.
   *
   * @param options What changes; the rest stays.
   * @throws {TlsUnsupportedError} If the provider is `deno`, which cannot change its certificate.
   * @throws {TypeError} As {@linkcode listenTls} does.
   * @throws {RangeError} As {@linkcode listenTls} does.
   */
  reload(options: Omit<TlsServerOptions, "signal" | "wheel">): void {
    const isOwn = options.cert !== undefined || options.certificates !== undefined;
    const { cert: _cert, key: _key, certificates: _certificates, ...others } = this.#options;
    const merged = { ...isOwn ? others : this.#options, ...options };
    const settings = resolveServerOptions(this.#provider, merged);
    if (this.#provider === "deno") throw cannotReload();
    this.#options = merged;
    this.#settings = settings;
  }

  /** How it goes. */
  stats(): TlsListenerStats {
    return {
      securedCount: this.#securedCount,
      failedCount: this.#failedCount,
      handshakeCount: this.#gate.runningCount,
      silentCount: this.#silent.size,
      readyCount: this.#queue.readyCount,
      acceptErrorCount: this.#listener.stats().acceptErrorCount,
    };
  }

  /**
   * Stops listening, gives handshakes up, and closes what is ready. What was accepted is not touched.
   * A second call does nothing.
   */
  close(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#listener.close();
    this.#queue.close();
    const reason = new DOMException("The listener was closed", "AbortError");
    for (const { controller } of this.#unaccepted) controller.abort(reason);
  }

  /** Keeps the process alive while listening, as at first. */
  ref(): void {
    this.#listener.ref();
  }

  /** Lets the process end although this listens. */
  unref(): void {
    this.#listener.unref();
  }

  /** Closes, and waits until handshakes have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#listener.drain();
  }

  readonly #onAbort = (): void => this.close();

  /** Never rejects: a client that fails is over, and nothing else. */
  async #handle(transport: Transport): Promise<void> {
    const connection = { controller: new AbortController() };
    const { remoteAddr } = transport;
    this.#unaccepted.add(connection);
    this.#silent.add(connection);
    this.#makeRoom();
    let secured: TlsTransport;
    try {
      secured = await this.#secure(transport, connection);
    } catch (error) {
      closeQuietly(transport);
      this.#failedCount++;
      this.#report(error, remoteAddr);
      return;
    } finally {
      this.#unaccepted.delete(connection);
      this.#silent.delete(connection);
    }
    this.#securedCount++;
    await this.#queue.add(secured);
  }

  /** The place of the one that has been silent for the longest is for the next. */
  #makeRoom(): void {
    if (this.#listener.stats().activeCount < this.#maxUnaccepted) return;
    for (const { controller } of this.#silent) {
      controller.abort(crowdedError(this.#maxUnaccepted));
      return;
    }
  }

  #chooseSecure(provider: "node" | "deno" | TlsProvider): Secure {
    if (provider === "node") {
      return async (transport, connection) => {
        const { secureServer } = await import("./node_provider.ts");
        const settings = this.#settingsFor(connection);
        return await secureServer(transport, settings, () => this.#enter(connection));
      };
    }
    if (provider === "deno") {
      return async (transport, connection) => {
        using _place = await this.#enter(connection);
        return await finishDeno(transport as Deno.TlsConn, this.#settingsFor(connection));
      };
    }
    return async (transport, connection) => {
      using _place = await this.#enter(connection);
      const { signal } = connection.controller;
      return await provider.server(transport, { ...this.#options, signal });
    };
  }

  #enter(connection: Unaccepted): Promise<Disposable> {
    this.#silent.delete(connection);
    return this.#gate.enter(connection.controller, this.#settings.bounds.timeoutMs);
  }

  #settingsFor({ controller }: Unaccepted): TlsServerSettings {
    const { bounds } = this.#settings;
    return { ...this.#settings, bounds: { ...bounds, signal: controller.signal } };
  }

  /** Who is told must not end the listener. */
  #report(error: unknown, remoteAddr: Deno.Addr): void {
    try {
      this.#onHandshakeError?.(error, remoteAddr);
    } catch (handlerError) {
      console.error(handlerError);
    }
  }
}

/** Takes the options apart: where, what of TLS, and what of the listener. */
function splitOptions(options: ListenTlsOptions): {
  readonly address: ListenAddress;
  readonly tls: TlsServerOptions;
  readonly rest: Omit<ListenTlsOptions, keyof ListenAddress | keyof TlsServerOptions>;
} {
  const {
    provider,
    listener,
    maxHandshakes,
    maxUnaccepted,
    onHandshakeError,
    onAcceptError,
    clock,
    ...most
  } = options;
  const { hostname, maxPendingConnections, path, port, reusePort, signal: _signal, ...tls } = most;
  const address = { hostname, maxPendingConnections, path, port, reusePort };
  const bounds = { maxHandshakes, maxUnaccepted, clock };
  const rest = { provider, listener, ...bounds, onHandshakeError, onAcceptError };
  return { address: withoutUndefined(address), tls, rest: withoutUndefined(rest) };
}

function withoutUndefined<T extends object>(
  options: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}

function nameOf(provider: "node" | "deno" | TlsProvider): string {
  if (typeof provider === "object") {
    if (provider.capabilities.server) return provider.name;
    throw new TlsUnsupportedError(
      "ERR_TLS_UNSUPPORTED_ROLE",
      `Cannot listen: provider "${provider.name}" has no server's side; use "node" or "deno"`,
      { provider: provider.name, alternative: "node" },
    );
  }
  if (provider === "node" || provider === "deno") return provider;
  throw new RangeError(`Cannot listen: provider is neither "node" nor "deno", nor a provider`);
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new RangeError(`Cannot listen: ${name} is ${value}, expected an integer of at least 1`);
}

function crowdedError(max: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot secure connection: it was silent while ${max} others came`,
    { limit: "maxUnaccepted", max },
  );
}

function cannotTakeOver(): TlsUnsupportedError {
  return new TlsUnsupportedError(
    "ERR_TLS_UNSUPPORTED_OPTION",
    'Cannot listen: provider "deno" secures no connections of another listener; use provider "node"',
    { provider: "deno", alternative: "node", option: "listener" },
  );
}

function cannotReload(): TlsUnsupportedError {
  return new TlsUnsupportedError(
    "ERR_TLS_UNSUPPORTED_OPTION",
    'Cannot reload: provider "deno" keeps the certificate it listens with; use provider "node"',
    { provider: "deno", alternative: "node", option: "reload" },
  );
}
