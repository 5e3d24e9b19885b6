import type { AcceptSource } from "../nbio/accept_source.ts";
import { type Clock, systemClock } from "../nbio/clock.ts";
import { type Deadline, deadlines, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../nbio/errors.ts";
import { disableDelay } from "../nbio/no_delay.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { checkTime, resolveBound } from "./limits.ts";
import {
  checkMaxHeaderBytes,
  parseProxyHeader,
  type ProxyHeader,
  ProxyProtocolError,
  startsWithProxyHeader,
} from "./proxy_protocol.ts";
import type { Context } from "./server_context.ts";
import { TrustedAddresses } from "./trusted_addresses.ts";

/** Options of {@linkcode proxyListener}. */
export interface ProxyListenerOptions {
  /**
   * Whether every connection has to come from a trusted sender and begin with a
   * header. If not, those from others, and those without a header, are taken as
   * they are; a header from somebody else is then no more than bytes.
   *
   * @default {true}
   */
  readonly required?: boolean;
  /**
   * Milliseconds from accepting a connection to its complete header. Passed: the
   * connection is closed. 0 and Infinity switch the limit off.
   *
   * @default {5000}
   */
  readonly headerTimeoutMs?: number;
  /**
   * Bytes of a header, 232 to 65,551.
   *
   * @default {4096}
   */
  readonly maxHeaderBytes?: number;
  /**
   * Connections at a time whose header is awaited, or that wait to be taken; with
   * more, none is accepted. They do not count among the server's
   * `maxConnections` yet. 0 and Infinity switch the limit off.
   *
   * @default {256}
   */
  readonly maxPendingCount?: number;
  /**
   * Told why a connection was refused, and who had opened it. Must not throw.
   *
   * @default {() => {}}
   */
  readonly onRefuse?: (error: unknown, remoteAddr: Deno.Addr) => void;
  /**
   * Where time comes from; for tests.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** Headers by the address objects that their transports show. */
const headers: WeakMap<Deno.Addr, ProxyHeader> = new WeakMap();

/**
 * Wraps a listener behind a proxy or load balancer that says by the PROXY
 * protocol, version 1 or 2, who the client is: `ctx.remoteAddr` and
 * `ctx.localAddr` are then what the header says. With `LOCAL` and `UNKNOWN` they
 * stay those of the connection.
 *
 * A header is read without holding up other connections. A connection whose
 * header is malformed, late, missing or from somebody who is not trusted is
 * closed without a word: whoever could send a header could be anybody.
 *
 * @param source Where connections come from; it belongs to the result.
 * @param trusted Who may send a header: addresses, CIDR ranges, and `"unix"` for
 * everybody who connects to a Unix socket.
 * @param options Bounds.
 * @returns A source for the option `listener` of {@linkcode serve}.
 * @throws {RangeError} If an option or a range is none.
 *
 * @example Behind haproxy with `send-proxy-v2`
 * ```ts
 * import { proxyListener, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * await using _server = serve((ctx) => ctx.json(ctx.remoteAddr), {
 *   listener: proxyListener(socket, ["127.0.0.1"]),
 * });
 *
 * const connection = await Deno.connect({ hostname: "127.0.0.1", port: socket.addr.port });
 * const header = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
 * const request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
 * await connection.write(new TextEncoder().encode(header + request));
 * const answer = await new Response(connection.readable).text();
 * const body = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
 * assertEquals(body, { transport: "tcp", hostname: "192.0.2.1", port: 56324 });
 * ```
 */
export function proxyListener(
  source: AcceptSource,
  trusted: Iterable<string>,
  options: ProxyListenerOptions = {},
): ProxyListener {
  return new ProxyListener(source, trusted, options);
}

/**
 * The PROXY header with which the connection of a request began: for its
 * further fields, such as the name asked for by SNI.
 *
 * @param ctx The request.
 * @returns The header, or `undefined` without one.
 *
 * @example Whether the client came by TLS
 * ```ts
 * import { proxyHeader, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.json(proxyHeader(ctx)?.isTls ?? "not told"), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 * });
 * const { port } = server.addr as Deno.NetAddr;
 * assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).json(), "not told");
 * ```
 */
export function proxyHeader(ctx: Context): ProxyHeader | undefined {
  return headers.get(ctx.remoteAddr);
}

/** Figures of a {@linkcode ProxyListener}. */
export interface ProxyListenerStats {
  /** Connections whose header is awaited, or that wait to be taken. */
  readonly pendingCount: number;
  /** Connections refused so far. */
  readonly refusedCount: number;
}

/**
 * A listener that reads PROXY headers; see {@linkcode proxyListener}.
 *
 * @example Watching it
 * ```ts
 * import { proxyListener } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const listener = proxyListener(Deno.listen({ hostname: "127.0.0.1", port: 0 }), ["10.0.0.1"]);
 * assertEquals(listener.stats(), { pendingCount: 0, refusedCount: 0 });
 * listener.close();
 * ```
 */
export class ProxyListener implements AcceptSource {
  readonly #source: AcceptSource;
  readonly #trusted: TrustedAddresses;
  readonly #isRequired: boolean;
  readonly #maxPendingCount: number;
  readonly #onRefuse: (error: unknown, remoteAddr: Deno.Addr) => void;
  readonly #reading: ReadingOptions;
  readonly #pending: Set<Transport> = new Set();
  readonly #ready: Transport[] = [];
  #waiter: PromiseWithResolvers<Transport> | undefined;
  #isAccepting = false;
  #isClosed = false;
  #refusedCount = 0;

  /** Use {@linkcode proxyListener}. */
  constructor(source: AcceptSource, trusted: Iterable<string>, options: ProxyListenerOptions) {
    const { headerTimeoutMs = 5_000, clock = systemClock } = options;
    checkTime("headerTimeoutMs", headerTimeoutMs);
    this.#source = source;
    this.#trusted = new TrustedAddresses(trusted);
    this.#isRequired = options.required ?? true;
    this.#maxPendingCount = resolveBound("maxPendingCount", options.maxPendingCount ?? 256);
    this.#onRefuse = options.onRefuse ?? (() => {});
    this.#reading = {
      isRequired: this.#isRequired,
      timeoutMs: headerTimeoutMs,
      maxHeaderBytes: checkMaxHeaderBytes(options.maxHeaderBytes),
      wheel: clock === systemClock ? deadlines : new DeadlineWheel(clock),
    };
  }

  /** Where the wrapped listener listens. */
  get addr(): Deno.Addr {
    return this.#source.addr;
  }

  /** Figures at this instant. */
  stats(): ProxyListenerStats {
    return { pendingCount: this.#pendingCount, refusedCount: this.#refusedCount };
  }

  /**
   * Waits for the next connection whose header is complete.
   *
   * @returns The connection. Rejects as the wrapped listener does.
   * @throws {TypeError} If a call of it waits already.
   */
  accept(): Promise<Transport> {
    const next = this.#ready.shift();
    if (next !== undefined) return Promise.resolve(next);
    if (this.#waiter !== undefined) {
      return Promise.reject(new TypeError("Cannot accept: another call waits already"));
    }
    // It rejects, and in the way that listeners do.
    if (this.#isClosed) return this.#source.accept();
    const waiter = this.#waiter = Promise.withResolvers<Transport>();
    this.#acceptMore();
    return waiter.promise;
  }

  /** Closes the listener, and the connections that nobody has taken yet. */
  close(): void {
    this.#isClosed = true;
    closeQuietly(this.#source);
    for (const transport of [...this.#pending, ...this.#ready]) closeQuietly(transport);
    this.#ready.length = 0;
    // Where too many are pending, nobody waits at the source to be told.
    if (this.#waiter !== undefined && !this.#isAccepting) this.#acceptNext();
  }

  /** Lets a waiting `accept` keep the process alive, as at first. */
  ref(): void {
    this.#source.ref?.();
  }

  /** Lets the process end although `accept` waits. */
  unref(): void {
    this.#source.unref?.();
  }

  get #pendingCount(): number {
    return this.#pending.size + this.#ready.length;
  }

  /** Accepts as long as somebody waits and there is room: one call at a time. */
  #acceptMore(): void {
    const isWanted = this.#waiter !== undefined && !this.#isClosed;
    if (!isWanted || this.#isAccepting || this.#pendingCount >= this.#maxPendingCount) return;
    this.#acceptNext();
  }

  #acceptNext(): void {
    this.#isAccepting = true;
    this.#source.accept().then((transport) => {
      this.#isAccepting = false;
      this.#admit(transport);
      this.#acceptMore();
    }, (error) => {
      this.#isAccepting = false;
      this.#fail(error);
    });
  }

  #admit(transport: Transport): void {
    if (this.#isClosed) return closeQuietly(transport);
    disableDelay(transport);
    if (this.#trusted.has(transport.remoteAddr)) {
      void this.#read(transport);
    } else if (this.#isRequired) {
      this.#refuse(transport, untrustedError(transport.remoteAddr));
    } else {
      this.#give(transport);
    }
  }

  /** Never rejects. */
  async #read(transport: Transport): Promise<void> {
    this.#pending.add(transport);
    try {
      const ready = await readHeader(transport, this.#reading);
      this.#pending.delete(transport);
      this.#give(ready);
    } catch (error) {
      this.#pending.delete(transport);
      this.#refuse(transport, error);
    }
    this.#acceptMore();
  }

  #give(transport: Transport): void {
    if (this.#isClosed) return closeQuietly(transport);
    if (this.#waiter === undefined) return void this.#ready.push(transport);
    this.#waiter.resolve(transport);
    this.#waiter = undefined;
  }

  #refuse(transport: Transport, error: unknown): void {
    closeQuietly(transport);
    if (this.#isClosed) return;
    this.#refusedCount++;
    try {
      this.#onRefuse(error, transport.remoteAddr);
    } catch (reason) {
      // Whoever is told must not end the listener.
      console.error(reason);
    }
  }

  #fail(error: unknown): void {
    this.#waiter?.reject(error);
    this.#waiter = undefined;
  }
}

interface ReadingOptions {
  readonly isRequired: boolean;
  readonly timeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly wheel: DeadlineWheel;
}

/** Reads the header of a connection; what came behind it is read next. */
async function readHeader(transport: Transport, options: ReadingOptions): Promise<Transport> {
  const { isRequired, timeoutMs, maxHeaderBytes, wheel } = options;
  // As long as the longest header: there is always room for one that is whole.
  const bytes = new Uint8Array(maxHeaderBytes);
  let error: TimeoutError | undefined;
  const deadline: Deadline = wheel.create(() => {
    error = new TimeoutError(`Cannot read PROXY header: not done in ${timeoutMs} ms`, {
      phase: "proxy-header",
      timeoutMs,
    });
    closeQuietly(transport);
  });
  deadline.arm(timeoutMs);
  try {
    for (let length = 0;;) {
      const count = await transport.read(bytes.subarray(length));
      if (error !== undefined) throw error;
      if (count === null) throw endedError(length);
      length += count;
      const come = bytes.subarray(0, length);
      if (!isRequired && startsWithProxyHeader(come) === false) {
        return new ProxiedTransport(transport, undefined, come);
      }
      const header = parseProxyHeader(come, { maxHeaderBytes });
      if (header === undefined) continue;
      return new ProxiedTransport(transport, header, bytes.slice(header.length, length));
    }
  } catch (cause) {
    throw error ?? cause;
  } finally {
    deadline.cancel();
  }
}

/** A connection behind its header. */
class ProxiedTransport implements Transport {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #inner: Transport;
  #rest: Uint8Array | undefined;

  constructor(inner: Transport, header: ProxyHeader | undefined, rest: Uint8Array) {
    this.#inner = inner;
    this.#rest = rest.length > 0 ? rest : undefined;
    // Of its own: the header is found by it.
    this.remoteAddr = { ...header?.source ?? inner.remoteAddr };
    this.localAddr = { ...header?.destination ?? inner.localAddr };
    if (header !== undefined) headers.set(this.remoteAddr, header);
  }

  read(p: Uint8Array): Promise<number | null> {
    if (this.#rest === undefined) return this.#inner.read(p);
    const count = Math.min(p.length, this.#rest.length);
    p.set(this.#rest.subarray(0, count));
    this.#rest = count < this.#rest.length ? this.#rest.subarray(count) : undefined;
    return Promise.resolve(count);
  }

  write(p: Uint8Array): Promise<number> {
    return this.#inner.write(p);
  }

  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  close(): void {
    this.#rest = undefined;
    this.#inner.close();
  }
}

function endedError(bytesReceived: number): ConnectionClosedError {
  return new ConnectionClosedError("Cannot read PROXY header: the connection ended before it", {
    bytesReceived,
  });
}

function untrustedError(addr: Deno.Addr): ProxyProtocolError {
  const who = "hostname" in addr ? addr.hostname : addr.transport;
  return new ProxyProtocolError(
    "ERR_PROXY_UNTRUSTED_SENDER",
    `Cannot accept connection: ${who} is not a trusted sender of PROXY headers`,
  );
}
