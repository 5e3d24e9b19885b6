import { ConnectionClosedError } from "../nbio/errors.ts";
import { ReceiveBuffer } from "../nbio/receive_buffer.ts";
import type { Transport } from "../nbio/transport.ts";
import type { ResolvedServerOptions } from "./server_options.ts";

/** Bytes that may wait while a handler runs. */
const MAX_WAITING_BYTES = 64 * 1024;
/** A buffer that grew beyond it, for a body, is not kept by an idle connection. */
const MAX_IDLE_BYTES = 16 * 1024;
/** Line ends and empty lines around a head of the largest size. */
const HEAD_SLACK_BYTES = 16;
const CR = 0x0d;
const LF = 0x0a;

/** Who is told what happens on the reading half. */
export interface InputOwner {
  /** Called before bytes in the buffer may move. */
  onRefill(): void;
  /** The client ended its direction. */
  onInputEnd(): void;
  /** The connection broke. */
  onInputError(error: unknown): void;
}

const NOBODY: InputOwner = { onRefill() {}, onInputEnd() {}, onInputError() {} };

/**
 * The reading half of a connection: one buffer, and one read at a time,
 * whoever asks for it.
 */
export class ServerInput {
  /** What has come and was not taken yet. */
  readonly buffer: ReceiveBuffer;
  /** Whether the client has ended its direction. */
  isEnded = false;
  /** Bytes that have come so far. */
  receivedBytes = 0;
  /** Why reading failed; `undefined` while it has not. */
  error: unknown = undefined;

  readonly #transport: Transport;
  #owner: InputOwner;
  readonly #maxPipelinedRequests: number;
  #filling: Promise<void> | undefined;
  #isReadingPast = false;
  #isWatched = false;
  #waitingHeads = 0;
  #rejectWait: ((reason: unknown) => void) | undefined;

  /**
   * @param transport Where from.
   * @param options Bounds.
   * @param owner Who is told.
   */
  constructor(transport: Transport, options: ResolvedServerOptions, owner: InputOwner) {
    this.#transport = transport;
    this.#owner = owner;
    this.#maxPipelinedRequests = options.maxPipelinedRequests;
    const { maxRequestLineBytes, maxHeaderBytes, maxTrailerBytes } = options.limits;
    const head = maxRequestLineBytes + maxHeaderBytes + HEAD_SLACK_BYTES;
    const most = Math.max(MAX_WAITING_BYTES, head, maxTrailerBytes + HEAD_SLACK_BYTES);
    this.buffer = new ReceiveBuffer({ maxBytes: Math.min(most, Number.MAX_SAFE_INTEGER) });
  }

  /** Whether a read goes past the buffer, or no more will come. */
  get isBroken(): boolean {
    return this.#isReadingPast || this.error !== undefined;
  }

  /**
   * Reads once into the buffer, or joins the read that is under way. It never
   * rejects: see {@linkcode ServerInput.isEnded} and
   * {@linkcode ServerInput.error}.
   */
  fill(): Promise<void> {
    return this.#filling ??= this.#startFill();
  }

  /** The read that is under way, if any; it never rejects. */
  get pending(): Promise<void> | undefined {
    return this.#filling;
  }

  #startFill(): Promise<void> {
    return this.#transport.read(this.beginRead()).then(
      (count) => this.#onRead(count),
      (error) => this.#onError(error),
    );
  }

  /** Lets go of a large buffer: the next request may be long in coming. */
  rest(): void {
    if (this.#filling === undefined && this.buffer.capacity > MAX_IDLE_BYTES) this.buffer.shrink();
  }

  /**
   * Where the caller may read to by itself, as nothing else does: it follows by
   * {@linkcode ServerInput.endRead}, or gives the connection up.
   */
  beginRead(): Uint8Array {
    this.#owner.onRefill();
    return this.buffer.writable();
  }

  /** Notes what a read brought. */
  endRead(count: number | null): void {
    if (count === null) {
      this.isEnded = true;
      this.#owner.onInputEnd();
    } else {
      this.receivedBytes += count;
      this.buffer.commit(count);
    }
  }

  /** Notes that reading failed. */
  #failRead(error: unknown): void {
    this.error = error ?? new ConnectionClosedError("Cannot read: the connection broke");
    this.#owner.onInputError(this.error);
  }

  #onRead(count: number | null): void {
    this.#filling = undefined;
    this.endRead(count);
    if (count !== null && this.#isWatched) this.#keepWatching(count);
  }

  #onError(error: unknown): void {
    this.#filling = undefined;
    this.#failRead(error);
  }

  /**
   * Keeps one read outstanding, so that a client that leaves is noticed while a
   * handler runs. What comes waits in the buffer, within its bounds.
   */
  watch(): void {
    this.#isWatched = true;
    this.#waitingHeads = 0;
    this.#keepWatching(this.buffer.length);
  }

  /**
   * Goes on watching after bytes were taken or read past the buffer. Views of
   * the buffer are void.
   */
  resumeWatch(): void {
    if (this.#isWatched) this.#keepWatching(0);
  }

  /** Stops starting reads; one that is under way goes on. */
  unwatch(): void {
    this.#isWatched = false;
  }

  /** What a read that is under way brings is another's: nobody is told, and nobody kept by it. */
  giveAway(): void {
    this.#owner = NOBODY;
    this.#rejectWait = undefined;
  }

  #keepWatching(newCount: number): void {
    this.#waitingHeads += this.#countHeadEnds(newCount);
    const isFull = this.buffer.length >= MAX_WAITING_BYTES ||
      this.#waitingHeads >= this.#maxPipelinedRequests;
    if (isFull || this.isEnded || this.isBroken || this.#filling !== undefined) return;
    this.fill();
  }

  /**
   * Empty lines that the last `newCount` bytes complete: about as many requests
   * wait. Body bytes can look alike; the price is that reading pauses.
   */
  #countHeadEnds(newCount: number): number {
    const { bytes, start, end } = this.buffer;
    let count = 0;
    for (let at = Math.max(start + 3, end - newCount); at < end; at++) {
      if (bytes[at] !== LF || bytes[at - 1] !== CR) continue;
      if (bytes[at - 2] === LF && bytes[at - 3] === CR) count++;
    }
    return count;
  }

  /**
   * Waits for a read on behalf of somebody who can be told to stop waiting by
   * {@linkcode ServerInput.failWait}.
   */
  wait<T>(read: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#rejectWait = reject;
      read.then(resolve, reject);
    });
  }

  #endPast(): void {
    this.#isReadingPast = false;
    this.#filling = undefined;
  }

  /** Ends the waiting of {@linkcode ServerInput.wait}; the read goes on. */
  failWait(reason: unknown): void {
    this.#rejectWait?.(reason);
    this.#rejectWait = undefined;
  }

  /**
   * Reads past the buffer, which must be empty, straight into its destination.
   *
   * @param destination Where to.
   * @param onCount Told at once how many bytes came, even if nobody waits any
   * more: they are not in the buffer.
   * @returns The number of bytes; 0 at the end, or where the bytes came into
   * the buffer because a read was under way.
   */
  async readPast(destination: Uint8Array, onCount: (count: number) => void): Promise<number> {
    if (this.#filling !== undefined) {
      await this.wait(this.#filling);
      return 0;
    }
    this.#owner.onRefill();
    this.#isReadingPast = true;
    // Whether anybody still waits or not: the outcome is noted.
    const reading = this.#transport.read(destination).then((count) => {
      this.#endPast();
      if (count === null) {
        this.endRead(null);
      } else {
        this.receivedBytes += count;
        onCount(count);
      }
      return count ?? 0;
    }, (error) => {
      this.#endPast();
      this.#failRead(error);
      return 0;
    });
    this.#filling = reading.then(() => {});
    return await this.wait(reading);
  }
}
