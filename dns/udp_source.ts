/**
 * {@linkcode UdpSource}: one socket that queries leave from.
 *
 * @module
 */

import type { DatagramSocket } from "../nbio/datagram_socket.ts";
import { ConnectionClosedError } from "../nbio/errors.ts";
import type { DnsServer } from "./dns_server.ts";
import {
  messageId,
  PendingQueries,
  type PendingQuery,
  type QueryReceiver,
} from "./query_receiver.ts";

/**
 * A socket at a port nobody can guess, and the queries that wait on it. It keeps the process alive
 * while it has users, and is closed when it is retired and the last of them has gone.
 */
export class UdpSource {
  /** Users it has had. */
  usedCount = 0;
  /** Settles when nothing of it is left. */
  readonly finished: Promise<void>;
  readonly #pending: PendingQueries = new PendingQueries();
  readonly #onEnd: (source: UdpSource) => void;
  /** Until it is bound. */
  #bound: Promise<void> | undefined;
  #socket: DatagramSocket | undefined;
  #userCount = 0;
  #isRetired = false;
  #isResting = false;
  #ended: { readonly error: unknown } | undefined;

  /**
   * Begins to bind a socket.
   *
   * @param bind Gives the socket.
   * @param onEnd Called once, when it can no longer be used.
   */
  constructor(bind: () => Promise<DatagramSocket>, onEnd: (source: UdpSource) => void) {
    this.#onEnd = onEnd;
    const bound = Promise.withResolvers<void>();
    this.#bound = bound.promise;
    this.finished = this.#run(bind, bound.resolve);
  }

  /** Whether anybody uses it. */
  get isUsed(): boolean {
    return this.#userCount > 0;
  }

  /** Takes in a user. */
  enter(): void {
    this.usedCount++;
    this.#userCount++;
    if (this.#isResting) this.#socket?.ref();
    this.#isResting = false;
  }

  /** Lets a user go, after its queries. */
  leave(): void {
    if (--this.#userCount === 0 && this.#isRetired) this.end();
  }

  /**
   * Lets the process end, if nobody uses it. Not done whenever a user leaves, because the next one
   * comes at once as a rule, and each time costs a timer of the runtime.
   */
  rest(): void {
    if (this.#userCount > 0 || this.#isResting) return;
    this.#isResting = true;
    this.#socket?.unref();
  }

  /** Takes in no more users, which is up to the caller, and closes after the last. */
  retire(): void {
    this.#isRetired = true;
  }

  /**
   * Sends a query. What comes of it is told to its receiver, never thrown.
   *
   * @param server Where to.
   * @param bytes The query.
   * @param receiver Whom to tell.
   * @param tag Which query it is to the receiver.
   * @returns The query, to be forgotten when nothing more is wanted of it.
   */
  send(server: DnsServer, bytes: Uint8Array, receiver: QueryReceiver, tag: number): PendingQuery {
    const query = { id: messageId(bytes), tag, receiver };
    this.#pending.add(query);
    if (this.#bound === undefined) this.#give(server, bytes, query);
    else this.#bound.then(() => this.#give(server, bytes, query));
    return query;
  }

  /** Forgets a query. */
  forget(query: PendingQuery): void {
    this.#pending.delete(query);
  }

  /** Closes it. What waits fails with the error, or is forgotten if there is none. */
  end(error?: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { error };
    this.#socket?.close();
    this.#onEnd(this);
    for (const { receiver, tag } of this.#pending.takeAll()) {
      if (error !== undefined) receiver.receiveFailure(tag, error);
    }
  }

  async #run(bind: () => Promise<DatagramSocket>, onBound: () => void): Promise<void> {
    try {
      // What it throws at once is thrown later, too, when whoever makes this knows it.
      const socket = await Promise.try(bind);
      this.#socket = socket;
      if (this.#ended !== undefined) socket.close();
      else if (this.#isResting) socket.unref();
      this.#bound = undefined;
      onBound();
      while (this.#ended === undefined) {
        const { bytes, from } = await socket.receive();
        const { hostname, port } = from;
        if (!this.#pending.offer(bytes, hostname, port)) {
          this.#pending.offerStray(bytes, hostname, port);
        }
      }
    } catch (error) {
      this.end(error);
      onBound();
    }
  }

  #give(server: DnsServer, bytes: Uint8Array, query: PendingQuery): void {
    const socket = this.#socket;
    // It ended meanwhile, and has told so.
    if (this.#ended !== undefined || socket === undefined) return this.#fail(query, this.#reason());
    const { address: hostname, port } = server;
    socket.send(bytes, { transport: "udp", hostname, port })
      .catch((error) => this.#fail(query, error));
  }

  #reason(): unknown {
    return this.#ended?.error ?? new ConnectionClosedError("Cannot send: the socket was closed");
  }

  /** Unless it is forgotten, or was told already. */
  #fail(query: PendingQuery, error: unknown): void {
    if (this.#pending.delete(query)) query.receiver.receiveFailure(query.tag, error);
  }
}
