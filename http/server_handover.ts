import { ConnectionClosedError } from "../nbio/errors.ts";
import type { ReceiveBuffer } from "../nbio/receive_buffer.ts";
import type { TlsInfo, TlsTransport } from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import type { ServedConnection } from "./server_shared.ts";

/**
 * A connection that HTTP has given away, by `ctx.upgrade`, `ctx.tunnel` or
 * `ctx.hijack`. No deadline and no limit of HTTP holds on it any more; it still
 * counts among the connections of its server until it is closed.
 */
export interface HandedConnection {
  /**
   * The connection. It belongs to the caller, who closes it; at the end of a
   * shutdown's grace the server does.
   */
  readonly transport: Transport;
  /**
   * What came behind the request and was read already: the first bytes of the
   * next protocol. Reads of `transport` go on behind them.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Aborts when the server begins to shut down: time to say goodbye. */
  readonly shutdownSignal: AbortSignal;
}

/** The reading half as HTTP leaves it. */
export interface HandedInput {
  /** What has come and was not taken. */
  readonly buffer: ReceiveBuffer;
  /** A read that HTTP has started and cannot take back; it never rejects. */
  readonly pending: Promise<void> | undefined;
  /** Whether the peer has ended its direction. */
  readonly isEnded: boolean;
  /** Why reading failed; `undefined` while it has not. */
  readonly error: unknown;
}

/**
 * A transport with nothing between it and its user but two things: a read that
 * was under way when it changed hands, whose bytes must not be lost, and the
 * moment it is closed, which its server waits for.
 */
export class HandedTransport implements Transport {
  /** Resolves when the connection has been closed by either side of the deal. */
  readonly closed: Promise<void>;

  readonly #transport: Transport;
  readonly #resolveClosed: () => void;
  /** The reading half of before, while bytes may be in it. */
  #input: HandedInput | undefined;
  #isReading = false;

  /**
   * @param transport The connection.
   * @param input Its reading half, out of whose buffer everything has been taken.
   */
  constructor(transport: Transport, input: HandedInput) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#transport = transport;
    const isClean = input.pending === undefined && !input.isEnded && input.error === undefined;
    if (!isClean) this.#input = input;
  }

  /** Whether a read of before has failed, and nobody was told yet. */
  get isBroken(): boolean {
    return this.#input !== undefined && this.#input.error !== undefined;
  }

  get localAddr(): Deno.Addr {
    return this.#transport.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#transport.remoteAddr;
  }

  /** What the handshake of the connection has brought to light; `undefined` in the clear. */
  get tlsInfo(): TlsInfo | undefined {
    return (this.#transport as Partial<TlsTransport>).tlsInfo;
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#input === undefined ? this.#transport.read(p) : this.#readAhead(p, this.#input);
  }

  write(p: Uint8Array): Promise<number> {
    return this.#transport.write(p);
  }

  closeWrite(): Promise<void> {
    return this.#transport.closeWrite();
  }

  close(): void {
    this.#resolveClosed();
    this.#transport.close();
  }

  /** Reads what the read of before brings, then no more of it. */
  async #readAhead(p: Uint8Array, input: HandedInput): Promise<number | null> {
    if (this.#isReading) throw new TypeError("Cannot read: another read is waiting");
    this.#isReading = true;
    try {
      if (p.length === 0) return 0;
      await input.pending;
      const { buffer } = input;
      const byteCount = Math.min(p.length, buffer.length);
      if (byteCount > 0) {
        p.set(buffer.view().subarray(0, byteCount));
        buffer.consume(byteCount);
        if (buffer.length === 0 && !input.isEnded && input.error === undefined) {
          this.#input = undefined;
        }
        return byteCount;
      }
      if (input.error !== undefined) {
        throw new ConnectionClosedError("Cannot read: the connection broke", {
          cause: input.error,
        });
      }
      if (input.isEnded) return null;
      this.#input = undefined;
    } finally {
      this.#isReading = false;
    }
    return await this.#transport.read(p);
  }
}

/** The request whose handler was given a connection. */
export interface Testator {
  /** The connection is cut: nobody waits for what the handler gives. */
  giveUp(reason: unknown): void;
  /** Context and body have had their time. */
  end(): void;
}

/**
 * What is left of a connection that was given away, as its server sees it: it ends when the
 * transport is closed and the handler has settled.
 */
export class HandedExchange implements ServedConnection {
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Nobody knows what its new owner does. */
  readonly isIdle: boolean = false;
  /** Whether it was cut. */
  isCut = false;

  readonly #transport: HandedTransport;
  readonly #testator: Testator;
  readonly #connections: Set<ServedConnection>;
  #isSettled: boolean;
  /** Resolves when the handler has settled, behind the end of the connection. */
  #late: PromiseWithResolvers<void> | undefined;

  /**
   * @param transport The connection.
   * @param testator The request it was given away by.
   * @param connections Those that the server waits for; it leaves them at its end.
   * @param isSettled Whether the handler has settled.
   */
  constructor(
    transport: HandedTransport,
    testator: Testator,
    connections: Set<ServedConnection>,
    isSettled: boolean,
  ) {
    this.#transport = transport;
    this.#testator = testator;
    this.#connections = connections;
    this.#isSettled = isSettled;
    this.ended = transport.closed.then(() => this.#onClosed());
  }

  /** The handler has settled. */
  settle(): void {
    this.#isSettled = true;
    this.#testator.end();
    if (this.#late !== undefined) this.#leave();
  }

  /** Cuts it, and waits for the handler no more. */
  abort(reason: unknown): void {
    this.isCut = true;
    this.#testator.giveUp(reason);
    closeQuietly(this.#transport);
    if (this.#late !== undefined) this.#leave();
  }

  #onClosed(): void | Promise<void> {
    if (this.#isSettled || this.isCut) return this.#leave();
    this.#late = Promise.withResolvers();
    return this.#late.promise;
  }

  #leave(): void {
    this.#testator.end();
    this.#connections.delete(this);
    this.#late?.resolve();
  }
}
