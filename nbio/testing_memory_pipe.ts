/**
 * {@linkcode memoryPipe}: two transports connected in memory.
 *
 * @module
 */

import { MemoryDirection } from "./_testing_memory_direction.ts";
import type { Transport } from "./transport.ts";

/** Options of {@linkcode memoryPipe}. */
export interface MemoryPipeOptions {
  /**
   * Bytes that may be on their way in each direction, at least 1. A write takes
   * what there is room for and waits while there is none, as a socket's does.
   *
   * @default {65_536}
   */
  readonly highWaterMarkBytes?: number;

  /**
   * Most bytes one read gives, at least 1: with 1, the reader sees every split.
   *
   * @default {Infinity}
   */
  readonly maxReadBytes?: number;

  /**
   * Address of the first transport.
   *
   * @default {{ transport: "tcp", hostname: "127.0.0.1", port: 49_152 }}
   */
  readonly clientAddr?: Deno.Addr;

  /**
   * Address of the second transport.
   *
   * @default {{ transport: "tcp", hostname: "127.0.0.1", port: 80 }}
   */
  readonly serverAddr?: Deno.Addr;
}

/** Options of {@linkcode MemoryTransport.reset}. */
export interface ResetOptions {
  /**
   * Whether what was written and not yet read is lost. If not, the peer reads
   * it before it sees the reset. Real systems do the one or the other.
   *
   * @default {false}
   */
  readonly discard?: boolean;
}

/** One end of a {@linkcode memoryPipe}: a transport that can also be torn off. */
export interface MemoryTransport extends Transport {
  /**
   * Gives the connection up as a crash of this end does. Here it is as after
   * `close`. At the peer reads and writes, those that wait included, reject with
   * `Deno.errors.ConnectionReset`, `closeWrite` with `Deno.errors.NotConnected`;
   * if it had read the end already, it goes on to read the end. Does nothing on
   * an end that is closed.
   *
   * @param options What happens to bytes on their way.
   */
  reset(options?: ResetOptions): void;
}

/**
 * Makes two connected transports that behave as the ends of a TCP connection,
 * down to the classes of their errors:
 *
 * - what one writes the other reads, in order, in pieces that say nothing about
 *   the writes; writes may be short, and wait while there is no room;
 * - `closeWrite` lets the peer read the end after the bytes, and leaves the
 *   other direction open; a write after it rejects with
 *   `Deno.errors.BrokenPipe`;
 * - `close` rejects what waits on this end with `Deno.errors.Interrupted`, lets
 *   the peer read what was written and then the end, and makes its writes reject
 *   with `Deno.errors.BrokenPipe`. From then on this end rejects with
 *   `Deno.errors.BadResource`, which a second `close` throws;
 * - `reset` makes the peer see `Deno.errors.ConnectionReset`;
 * - a second read (or write) while one waits rejects with a `TypeError`.
 *
 * It uses nothing but promises: no timers, no permissions, no resources to leak.
 *
 * @param options Sizes and addresses, the same for both directions.
 * @returns The two ends: client, server.
 * @throws {RangeError} If a size is less than 1.
 *
 * @example There and back
 * ```ts
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe({ maxReadBytes: 2 });
 * await client.write(new Uint8Array([1, 2, 3]));
 * await client.closeWrite();
 * const buffer = new Uint8Array(16);
 * assertEquals(await server.read(buffer), 2);
 * assertEquals(await server.read(buffer), 1);
 * assertEquals(await server.read(buffer), null);
 * ```
 *
 * @example A peer that crashes in mid-message
 * ```ts
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * await client.write(new TextEncoder().encode("hel"));
 * client.reset();
 * const buffer = new Uint8Array(5);
 * assertEquals(await server.read(buffer), 3);
 * await assertRejects(() => server.read(buffer), Deno.errors.ConnectionReset);
 * ```
 */
export function memoryPipe(options: MemoryPipeOptions = {}): [MemoryTransport, MemoryTransport] {
  const { highWaterMarkBytes = 65_536, maxReadBytes = Infinity } = options;
  if (!(Number.isSafeInteger(highWaterMarkBytes) && highWaterMarkBytes >= 1)) {
    throw new RangeError(
      `Cannot create pipe: highWaterMarkBytes is ${highWaterMarkBytes}, expected at least 1`,
    );
  }
  if (!(maxReadBytes === Infinity || (Number.isSafeInteger(maxReadBytes) && maxReadBytes >= 1))) {
    throw new RangeError(
      `Cannot create pipe: maxReadBytes is ${maxReadBytes}, expected at least 1`,
    );
  }
  const {
    clientAddr = { transport: "tcp", hostname: "127.0.0.1", port: 49_152 },
    serverAddr = { transport: "tcp", hostname: "127.0.0.1", port: 80 },
  } = options;
  const up = new MemoryDirection(highWaterMarkBytes, maxReadBytes);
  const down = new MemoryDirection(highWaterMarkBytes, maxReadBytes);
  return [
    new PipeEnd(down, up, clientAddr, serverAddr),
    new PipeEnd(up, down, serverAddr, clientAddr),
  ];
}

class PipeEnd implements MemoryTransport {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #inbound: MemoryDirection;
  readonly #outbound: MemoryDirection;
  #isClosed = false;

  constructor(
    inbound: MemoryDirection,
    outbound: MemoryDirection,
    localAddr: Deno.Addr,
    remoteAddr: Deno.Addr,
  ) {
    this.#inbound = inbound;
    this.#outbound = outbound;
    this.localAddr = localAddr;
    this.remoteAddr = remoteAddr;
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#isClosed ? Promise.reject(closedError("read")) : this.#inbound.read(p);
  }

  write(p: Uint8Array): Promise<number> {
    return this.#isClosed ? Promise.reject(closedError("write")) : this.#outbound.write(p);
  }

  closeWrite(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError("close the writing side"));
    if (this.#outbound.isReset) {
      return Promise.reject(
        new Deno.errors.NotConnected("Cannot close the writing side: the connection was reset"),
      );
    }
    this.#outbound.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.#isClosed) throw closedError("close");
    this.#isClosed = true;
    this.#interrupt();
    this.#outbound.end();
    this.#inbound.abandon();
  }

  reset({ discard = false }: ResetOptions = {}): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#interrupt();
    this.#outbound.reset(discard);
    this.#inbound.reset(true);
  }

  /** What waits at this end was broken off here, and not by the peer. */
  #interrupt(): void {
    this.#outbound.rejectWriter(interruptedError("write"));
    this.#inbound.rejectReader(interruptedError("read"));
  }
}

function closedError(action: string): Error {
  return new Deno.errors.BadResource(`Cannot ${action}: the transport is closed`);
}

function interruptedError(action: string): Error {
  return new Deno.errors.Interrupted(`Cannot ${action}: the transport was closed meanwhile`);
}
