/**
 * {@linkcode SecuredSource}: connections that are secured before a server has them.
 *
 * @module
 */

import { AcceptQueue } from "../nbio/accept_queue.ts";
import type { AcceptSource } from "../nbio/accept_source.ts";
import type { Clock } from "../nbio/clock.ts";
import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import type { TlsProvider, TlsServerOptions } from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";

/** How the connections of a server are secured: its certificate, clients' certificates, and bounds. */
export interface HttpServerTlsOptions
  extends Omit<TlsServerOptions, "alpnProtocols" | "signal" | "wheel"> {
  /**
   * Handshakes at a time of each listener, an integer of at least 1. A client that has not said a
   * word is none yet.
   *
   * @default {64}
   */
  readonly maxHandshakes?: number;

  /**
   * Connections of each listener that are silent, in a handshake, or ready and not served yet; an
   * integer of at least 1. Over it the one that is silent for the longest is closed.
   *
   * @default {4_096}
   */
  readonly maxUnaccepted?: number;

  /**
   * Is told of a client with whom there was no handshake. The others are not touched.
   *
   * @default {undefined} (nobody is told: clients of all kinds come by)
   */
  readonly onHandshakeError?: (error: unknown, remoteAddr: Deno.Addr) => void;
}

/** What a {@linkcode SecuredSource} has of its server. */
export interface SecuredSourceOwner {
  /** Who secures; `undefined` for that of `tls`. */
  readonly provider: TlsProvider | undefined;
  /** Where pauses are timed. */
  readonly clock: Clock;
  /** Where deadlines wait. */
  readonly wheel: DeadlineWheel;
  /** Is told what went wrong on our side. */
  readonly onError: (error: unknown) => void;
  /** Is told when accepting below TLS has failed, and goes on. */
  readonly onAcceptError: (error: unknown) => void;
}

/** The protocol this package speaks over TLS (RFC 7301 section 6). */
const ALPN_PROTOCOLS: readonly string[] = ["http/1.1"];

/** All there is, so that what nobody honours is refused at once. */
const NAMES: Readonly<Record<keyof HttpServerTlsOptions, true>> = {
  cert: true,
  key: true,
  certificates: true,
  clientCertificates: true,
  clientCaCerts: true,
  minVersion: true,
  maxVersion: true,
  handshakeTimeoutMs: true,
  maxHandshakes: true,
  maxUnaccepted: true,
  onHandshakeError: true,
};

/** Where secured connections come from. */
type Secured = Pick<AcceptSource, "accept" | "close" | "ref" | "unref">;

/**
 * A listener in front of one that gives connections in the clear: it secures them. The module `tls`
 * loads behind the first `accept`, while clients may already connect; what has to be told at once is
 * checked at once, and the rest when it is there. If an option turns out to be wrong then, the owner is
 * told and the source closes: nobody is ever served in the clear instead.
 */
export class SecuredSource implements AcceptSource {
  /** Where it listens. */
  readonly addr: Deno.Addr;
  readonly #plain: AcceptSource;
  readonly #tls: HttpServerTlsOptions;
  readonly #owner: SecuredSourceOwner;
  #loading: Promise<Secured> | undefined;
  #secured: Secured | undefined;
  #isUnrefed = false;
  #isClosed = false;

  /**
   * @param plain Where connections in the clear come from; it belongs to this from now on.
   * @param tls How they are secured.
   * @param owner Whom it works for.
   */
  constructor(plain: AcceptSource, tls: HttpServerTlsOptions, owner: SecuredSourceOwner) {
    this.addr = plain.addr;
    this.#plain = plain;
    this.#tls = tls;
    this.#owner = owner;
  }

  /**
   * Waits for the next connection, its handshake complete.
   *
   * @returns The connection.
   * @throws {Deno.errors.BadResource} If it is closed.
   */
  async accept(): Promise<Transport> {
    const secured = this.#secured ?? await (this.#loading ??= this.#load());
    return await secured.accept();
  }

  /** Stops, gives handshakes up, and closes what is ready. */
  close(): void {
    this.#isClosed = true;
    // Both: until the module is there, nobody else closes the listener below.
    closeQuietly(this.#plain);
    this.#secured?.close();
  }

  /** Keeps the process alive while listening, as at first. */
  ref(): void {
    this.#isUnrefed = false;
    (this.#secured ?? this.#plain).ref?.();
  }

  /** Lets the process end although this listens. */
  unref(): void {
    this.#isUnrefed = true;
    (this.#secured ?? this.#plain).unref?.();
  }

  /** The only place that loads it: who serves in the clear does not pay for TLS. */
  async #load(): Promise<Secured> {
    const { provider, onError, onAcceptError, clock, wheel } = this.#owner;
    const { listenTls } = await import("../tls/listen_tls.ts");
    if (this.#isClosed) return closedSource();
    try {
      const secured = listenTls({
        ...this.#tls,
        listener: this.#plain,
        alpnProtocols: ALPN_PROTOCOLS,
        onAcceptError,
        clock,
        wheel,
        ...provider !== undefined && { provider },
      });
      if (this.#isUnrefed) secured.unref();
      return this.#secured = secured;
    } catch (error) {
      this.close();
      onError(error);
      return closedSource();
    }
  }
}

/**
 * Checks what can be told of the options before the module `tls` is there.
 *
 * @param tls How connections are to be secured.
 * @param provider Who is to do it.
 * @throws {TypeError} If an option is not known, there is not one of `cert` with `key` and
 * `certificates`, or the provider has no server's side.
 * @throws {RangeError} If a number is out of its range.
 */
export function checkServerTls(
  tls: HttpServerTlsOptions,
  provider: TlsProvider | undefined,
): void {
  const unknown = Object.keys(tls).find((name) => !Object.hasOwn(NAMES, name));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot serve over TLS: there is no option ${JSON.stringify(unknown.slice(0, 32))}`,
    );
  }
  const { cert, key, certificates, handshakeTimeoutMs = 0, maxHandshakes, maxUnaccepted } = tls;
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError("Cannot serve over TLS: cert and key need each other");
  }
  if ((cert === undefined) === (certificates === undefined)) {
    throw new TypeError("Cannot serve over TLS: give cert and key, or certificates");
  }
  for (const [name, text] of Object.entries({ cert, key })) {
    if (text === undefined || text.includes("-----BEGIN ")) continue;
    throw new TypeError(`Cannot serve over TLS: ${name} is no text in PEM`);
  }
  if (!(handshakeTimeoutMs >= 0)) throw outOfRange("handshakeTimeoutMs", handshakeTimeoutMs, 0);
  for (const [name, count] of Object.entries({ maxHandshakes, maxUnaccepted })) {
    if (count === undefined || (Number.isSafeInteger(count) && count >= 1)) continue;
    throw outOfRange(name, count, 1);
  }
  if (provider !== undefined && !provider.capabilities.server) {
    throw new TypeError(
      `Cannot serve over TLS: provider "${provider.name}" has no server's side; leave tlsProvider out`,
    );
  }
}

function outOfRange(name: string, value: number, min: number): RangeError {
  return new RangeError(`Cannot use option ${name}: ${value} is not a number of at least ${min}`);
}

/** From which nothing comes: `accept` rejects as that of a closed listener has to. */
function closedSource(): Secured {
  const queue = new AcceptQueue();
  queue.close();
  return queue;
}
