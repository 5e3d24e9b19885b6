/**
 * {@linkcode memoryPipe}: two transports connected in memory.
 *
 * @module
 */

import { ConnectionClosedError } from "./errors.ts";
import { ReceiveBuffer } from "./receive_buffer.ts";
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

/**
 * Makes two connected transports that behave as the ends of a TCP connection:
 *
 * - what one writes the other reads, in order, in pieces that say nothing about
 *   the writes; writes may be short;
 * - `closeWrite` lets the peer read the end after the bytes, and leaves the
 *   other direction open;
 * - `close` rejects what waits on this end, lets the peer read what was
 *   written and then the end, and fails the peer's writes. A second `close`
 *   throws, as it does on a `Deno.Conn`;
 * - a second read (or write) while one waits rejects.
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
 */
export function memoryPipe(options: MemoryPipeOptions = {}): [Transport, Transport] {
  const { highWaterMarkBytes = 65_536, maxReadBytes = Infinity } = options;
  if (!(Number.isSafeInteger(highWaterMarkBytes) && highWaterMarkBytes >= 1)) {
    throw new RangeError(
      `Cannot create pipe: highWaterMarkBytes is ${highWaterMarkBytes}, expected at least 1`,
    );
  }
  if (!(maxReadBytes >= 1)) {
    throw new RangeError(
      `Cannot create pipe: maxReadBytes is ${maxReadBytes}, expected at least 1`,
    );
  }
  const {
    clientAddr = { transport: "tcp", hostname: "127.0.0.1", port: 49_152 },
    serverAddr = { transport: "tcp", hostname: "127.0.0.1", port: 80 },
  } = options;
  const up = new Direction(highWaterMarkBytes, maxReadBytes);
  const down = new Direction(highWaterMarkBytes, maxReadBytes);
  return [
    new PipeEnd(down, up, clientAddr, serverAddr),
    new PipeEnd(up, down, serverAddr, clientAddr),
  ];
}

class PipeEnd implements Transport {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #inbound: Direction;
  readonly #outbound: Direction;
  #closed = false;

  constructor(
    inbound: Direction,
    outbound: Direction,
    localAddr: Deno.Addr,
    remoteAddr: Deno.Addr,
  ) {
    this.#inbound = inbound;
    this.#outbound = outbound;
    this.localAddr = localAddr;
    this.remoteAddr = remoteAddr;
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#inbound.read(p);
  }

  write(p: Uint8Array): Promise<number> {
    return this.#outbound.write(p);
  }

  closeWrite(): Promise<void> {
    if (this.#closed) return Promise.reject(closedError("closeWrite"));
    this.#outbound.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.#closed) throw closedError("close");
    this.#closed = true;
    this.#outbound.end();
    this.#inbound.abandon();
  }
}

/** A read or write that waits. */
interface Waiter<T> {
  readonly p: Uint8Array;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** One of the two directions: a bounded buffer between a writer and a reader. */
class Direction {
  readonly #highWaterMarkBytes: number;
  readonly #maxReadBytes: number;
  readonly #buffer: ReceiveBuffer;
  #reader: Waiter<number | null> | undefined;
  #writer: Waiter<number> | undefined;
  /** The writer is through: the reader gets the end after what is buffered. */
  #ended = false;
  /** The reader is gone: writes have nowhere to go. */
  #abandoned = false;

  constructor(highWaterMarkBytes: number, maxReadBytes: number) {
    this.#highWaterMarkBytes = highWaterMarkBytes;
    this.#maxReadBytes = maxReadBytes;
    this.#buffer = new ReceiveBuffer({ maxBytes: highWaterMarkBytes });
  }

  read(p: Uint8Array): Promise<number | null> {
    if (this.#abandoned) return Promise.reject(closedError("read"));
    if (this.#reader) return Promise.reject(busyError("read"));
    if (p.length === 0) return Promise.resolve(0);
    if (this.#buffer.length > 0) return Promise.resolve(this.#take(p));
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => this.#reader = { p, resolve, reject });
  }

  write(p: Uint8Array): Promise<number> {
    if (this.#ended || this.#abandoned) return Promise.reject(closedError("write"));
    if (this.#writer) return Promise.reject(busyError("write"));
    if (p.length === 0) return Promise.resolve(0);
    if (this.#buffer.length < this.#highWaterMarkBytes) return Promise.resolve(this.#put(p));
    return new Promise((resolve, reject) => this.#writer = { p, resolve, reject });
  }

  /** The writer writes no more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#writer?.reject(closedError("write"));
    this.#writer = undefined;
    this.#reader?.resolve(null);
    this.#reader = undefined;
  }

  /** The reader reads no more. */
  abandon(): void {
    this.#abandoned = true;
    this.#buffer.consume(this.#buffer.length);
    this.#reader?.reject(closedError("read"));
    this.#reader = undefined;
    this.#writer?.reject(closedError("write"));
    this.#writer = undefined;
  }

  /** Moves bytes out; there are some. A writer that waits gets the room. */
  #take(p: Uint8Array): number {
    const byteCount = Math.min(p.length, this.#buffer.length, this.#maxReadBytes);
    p.set(this.#buffer.view().subarray(0, byteCount));
    this.#buffer.consume(byteCount);
    const writer = this.#writer;
    if (writer) {
      this.#writer = undefined;
      writer.resolve(this.#put(writer.p));
    }
    return byteCount;
  }

  /** Moves bytes in; there is room. A reader that waits gets them. */
  #put(p: Uint8Array): number {
    const byteCount = Math.min(p.length, this.#highWaterMarkBytes - this.#buffer.length);
    this.#buffer.writable(byteCount).set(p.subarray(0, byteCount));
    this.#buffer.commit(byteCount);
    const reader = this.#reader;
    if (reader) {
      this.#reader = undefined;
      reader.resolve(this.#take(reader.p));
    }
    return byteCount;
  }
}

function closedError(action: string): ConnectionClosedError {
  return new ConnectionClosedError(`Cannot ${action}: the connection was closed`);
}

function busyError(action: string): TypeError {
  return new TypeError(`Cannot ${action}: another ${action} is waiting`);
}
