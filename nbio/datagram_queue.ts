/**
 * {@linkcode DatagramQueue}: datagrams that nobody has received yet, and
 * receivers that nothing has come for yet.
 *
 * @module
 */

import { checkBound } from "./_check_bound.ts";
import { Ring } from "./_ring.ts";
import type { Datagram } from "./datagram_socket.ts";
import { ConnectionClosedError } from "./errors.ts";
import { checkTimeLeft } from "./guard.ts";
import type { OperationOptions } from "./operation.ts";
import { WaitList } from "./wait_list.ts";

/** Options of {@linkcode DatagramQueue}. */
export interface DatagramQueueOptions {
  /**
   * Datagrams that wait to be received, at most. 0 and `Infinity` mean no limit.
   *
   * @default {1_024}
   */
  readonly maxQueuedCount?: number;

  /**
   * Bytes in the datagrams that wait to be received, at most. 0 and `Infinity`
   * mean no limit.
   *
   * @default {1_048_576}
   */
  readonly maxQueuedBytes?: number;

  /**
   * Receives that wait for a datagram at a time, at most. 0 and `Infinity` mean
   * no limit.
   *
   * @default {10_000}
   */
  readonly maxWaiters?: number;
}

/**
 * The receiving half of a datagram socket, of a real one as of a simulated one.
 *
 * A datagram goes to the receive that has waited longest; if none waits, it
 * waits itself. When too many wait, the newest is dropped and counted: what a
 * full buffer of the system does, and what keeps a flood from pushing out what
 * came before it.
 *
 * A datagram is given to a receive if and only if that receive resolves: one
 * that is cancelled takes nothing with it.
 */
export class DatagramQueue {
  readonly #maxQueuedCount: number;
  readonly #maxQueuedBytes: number;
  readonly #datagrams = new Ring<Datagram>();
  /** Somebody waits here only while no datagram does. */
  readonly #receivers: WaitList<Datagram, void>;
  #queuedBytes = 0;
  #receivedCount = 0;
  #droppedCount = 0;
  #closed: { readonly cause: unknown } | undefined;

  /**
   * Makes an empty queue.
   *
   * @param options Its bounds.
   * @throws {RangeError} If a bound is negative, or neither an integer nor
   * `Infinity`.
   */
  constructor(options: DatagramQueueOptions = {}) {
    const { maxQueuedCount = 1_024, maxQueuedBytes = 1_048_576, maxWaiters = 10_000 } = options;
    this.#maxQueuedCount = checkBound("maxQueuedCount", maxQueuedCount);
    this.#maxQueuedBytes = checkBound("maxQueuedBytes", maxQueuedBytes);
    this.#receivers = new WaitList({ maxWaiters });
  }

  /** Datagrams that wait. */
  get length(): number {
    return this.#datagrams.length;
  }

  /** Bytes in the datagrams that wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Datagrams given to receivers so far. */
  get receivedCount(): number {
    return this.#receivedCount;
  }

  /** Datagrams dropped so far because too many waited. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /**
   * Adds a datagram that came, or drops it. After `close` it is forgotten.
   *
   * @param datagram What came; it belongs to whoever receives it.
   */
  push(datagram: Datagram): void {
    if (this.#closed) return;
    if (this.#receivers.length > 0) {
      this.#receivedCount++;
      this.#receivers.resolveFirst(datagram);
      return;
    }
    const queuedBytes = this.#queuedBytes + datagram.bytes.length;
    if (this.#datagrams.length >= this.#maxQueuedCount || queuedBytes > this.#maxQueuedBytes) {
      this.#droppedCount++;
      return;
    }
    this.#queuedBytes = queuedBytes;
    this.#datagrams.push(datagram);
  }

  /**
   * Takes the oldest datagram, waiting for one if there is none.
   *
   * @param options Deadline and signal. One on the shared wheel keeps the
   * process alive while it waits.
   * @returns The datagram.
   * @throws {ConnectionClosedError} If the queue is closed, now or meanwhile.
   * @throws {LimitExceededError} If `maxWaiters` receives wait already.
   * @throws {TimeoutError} If nothing comes in time; `phase` is `"receive"`.
   * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
   * @throws {Error} The signal's reason.
   */
  receive(options?: OperationOptions): Promise<Datagram> {
    try {
      const datagram = this.#take(options);
      // Without a turn of difference, so that promises settle in the order of the calls.
      return datagram ? Promise.resolve(datagram) : this.#receivers.wait("receive", options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Ends the queue: receivers that wait are rejected, datagrams that wait are
   * forgotten. A second call does nothing.
   *
   * @param cause Why, for the `cause` of the errors; absent if the caller
   * wanted it.
   */
  close(cause?: unknown): void {
    if (this.#closed) return;
    this.#closed = { cause };
    this.#datagrams.clear();
    this.#queuedBytes = 0;
    if (this.#receivers.length > 0) this.#receivers.rejectAll(closedError(cause));
  }

  /** The oldest datagram; `undefined` if there is none yet. */
  #take(options: OperationOptions | undefined): Datagram | undefined {
    if (options) checkTimeLeft("receive", options);
    if (this.#closed) throw closedError(this.#closed.cause);
    const datagram = this.#datagrams.shift();
    if (datagram === undefined) return undefined;
    this.#queuedBytes -= datagram.bytes.length;
    this.#receivedCount++;
    return datagram;
  }
}

function closedError(cause: unknown): ConnectionClosedError {
  return new ConnectionClosedError(
    "Cannot receive: the socket was closed",
    cause === undefined ? {} : { cause },
  );
}
