/**
 * {@linkcode MemoryDirection}: half of a pipe in memory.
 *
 * @module
 */

import { ReceiveBuffer } from "./receive_buffer.ts";

/** A read or write that waits. */
interface Waiter<T> {
  readonly p: Uint8Array;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** One of the two directions of a memory pipe: a bounded buffer between a writer and a reader. */
export class MemoryDirection {
  readonly #highWaterMarkBytes: number;
  readonly #maxReadBytes: number;
  readonly #buffer: ReceiveBuffer;
  #reader: Waiter<number | null> | undefined;
  #writer: Waiter<number> | undefined;
  /** The writer is through: the reader gets the end after what is buffered. */
  #isEnded = false;
  /** The reader is gone: writes have nowhere to go. */
  #isAbandoned = false;
  #isReset = false;

  /** Makes an empty one; both sizes have been checked. */
  constructor(highWaterMarkBytes: number, maxReadBytes: number) {
    this.#highWaterMarkBytes = highWaterMarkBytes;
    this.#maxReadBytes = maxReadBytes;
    this.#buffer = new ReceiveBuffer({ maxBytes: highWaterMarkBytes });
  }

  /** Whether the connection was torn off, by either end. */
  get isReset(): boolean {
    return this.#isReset;
  }

  /** As `Transport.read` of the end that reads. */
  read(p: Uint8Array): Promise<number | null> {
    if (this.#reader) return Promise.reject(busyError("read"));
    if (p.length === 0) return Promise.resolve(0);
    if (this.#buffer.length > 0) return Promise.resolve(this.#take(p));
    if (this.#isEnded) return Promise.resolve(null);
    if (this.#isReset) return Promise.reject(resetError("read"));
    return new Promise((resolve, reject) => this.#reader = { p, resolve, reject });
  }

  /** As `Transport.write` of the end that writes. */
  write(p: Uint8Array): Promise<number> {
    if (this.#isReset) return Promise.reject(resetError("write"));
    if (this.#isEnded || this.#isAbandoned) return Promise.reject(brokenError());
    if (this.#writer) return Promise.reject(busyError("write"));
    if (p.length === 0) return Promise.resolve(0);
    if (this.#buffer.length < this.#highWaterMarkBytes) return Promise.resolve(this.#put(p));
    return new Promise((resolve, reject) => this.#writer = { p, resolve, reject });
  }

  /** The writer writes no more. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.rejectWriter(brokenError());
    this.#reader?.resolve(null);
    this.#reader = undefined;
  }

  /** The reader reads no more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#buffer.consume(this.#buffer.length);
    this.rejectWriter(brokenError());
  }

  /** The connection is no more. */
  reset(discard: boolean): void {
    this.#isReset = true;
    if (discard && this.#buffer.length > 0) {
      this.#buffer.consume(this.#buffer.length);
      // What is lost must not look like the end of a whole stream.
      this.#isEnded = false;
    }
    this.rejectReader(resetError("read"));
    this.rejectWriter(resetError("write"));
  }

  /** Breaks off a read that waits, if one does. */
  rejectReader(error: Error): void {
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  /** Breaks off a write that waits, if one does. */
  rejectWriter(error: Error): void {
    this.#writer?.reject(error);
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

function brokenError(): Error {
  return new Deno.errors.BrokenPipe("Cannot write: this direction has ended");
}

function resetError(action: string): Error {
  return new Deno.errors.ConnectionReset(`Cannot ${action}: the peer reset the connection`);
}

function busyError(action: string): TypeError {
  return new TypeError(`Cannot ${action}: another ${action} is waiting`);
}
