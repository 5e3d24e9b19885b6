/**
 * {@linkcode TcpConnection}: one connection to a server, with many queries on it.
 *
 * @module
 */

import type { Deadline, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError } from "../nbio/errors.ts";
import { recv } from "../nbio/recv.ts";
import { sendVector } from "../nbio/send_vector.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import type { DnsServer } from "./dns_server.ts";
import { PendingQueries, type PendingQuery } from "./query_receiver.ts";
import { frameMessage, MessageDeframer } from "./tcp_framing.ts";

/** A query on a connection. */
export interface TcpQuery extends PendingQuery {
  /** The query, without its length. */
  readonly bytes: Uint8Array;
  /** Messages that had come when it was sent. */
  sentAfter: number;
  /** Whether it was on a connection before that its server had closed. */
  isResent: boolean;
  /** Where it waits. */
  connection: TcpConnection | undefined;
}

/** What a {@linkcode TcpConnection} is made of. */
export interface TcpConnectionSettings {
  /** Where to. */
  readonly server: DnsServer;
  /** Makes the connection. */
  readonly dial: (server: DnsServer, options: { signal: AbortSignal }) => Promise<Transport>;
  /** Milliseconds without a query after which it is closed. */
  readonly idleTimeoutMs: number;
  /** Where that deadline waits. */
  readonly wheel: DeadlineWheel;
  /** Called once, when it takes no more queries. */
  readonly onRetire: (connection: TcpConnection) => void;
  /** Called once, when it is over, with the queries that have no answer. */
  readonly onEnd: (connection: TcpConnection, queries: readonly TcpQuery[], error: unknown) => void;
}

const READ_BYTES = 16_384;

/**
 * A connection that is dialled when the first query comes, carries any number at a time, takes
 * answers in any order (RFC 7766 section 6.2.1.1), and is closed when nobody has used it for a
 * while. Queries that come while one write is under way leave together in the next.
 */
export class TcpConnection {
  /** Settles when nothing of it is left. */
  readonly finished: Promise<void>;
  readonly #settings: TcpConnectionSettings;
  readonly #pending: PendingQueries = new PendingQueries();
  readonly #dialling: AbortController = new AbortController();
  readonly #idle: Deadline;
  #transport: (Transport & Partial<Pick<Deno.TcpConn, "ref" | "unref">>) | undefined;
  /** Frames that wait for the write under way. */
  #outgoing: Uint8Array[] = [];
  #isWriting = false;
  #messageCount = 0;
  #state: "open" | "retired" | "ended" = "open";

  /**
   * Begins to dial.
   *
   * @param settings Where to and how.
   */
  constructor(settings: TcpConnectionSettings) {
    this.#settings = settings;
    this.#idle = settings.wheel.create(() => this.end(undefined));
    this.finished = this.#run();
  }

  /** Where it leads. */
  get server(): DnsServer {
    return this.#settings.server;
  }

  /** Whether a message has come over it: then its server is alive, or was. */
  get hasAnswered(): boolean {
    return this.#messageCount > 0;
  }

  /** Sends a query. */
  send(query: TcpQuery): void {
    this.#idle.cancel();
    this.#transport?.ref?.();
    query.connection = this;
    query.sentAfter = this.#messageCount;
    this.#pending.add(query);
    this.#outgoing.push(frameMessage(query.bytes));
    this.#flush();
  }

  /** Forgets a query. */
  forget(query: TcpQuery): void {
    if (!this.#pending.delete(query)) return;
    // Nothing at all has come since: the next query shall not wait for the same silence.
    if (query.sentAfter === this.#messageCount) this.#retire();
    this.#rest();
  }

  /**
   * Closes it.
   *
   * @param error What its queries fail with; without it they are forgotten.
   */
  end(error: unknown): void {
    if (this.#state === "ended") return;
    this.#retire();
    this.#state = "ended";
    this.#idle.cancel();
    this.#outgoing = [];
    this.#dialling.abort(new ConnectionClosedError("Cannot connect: nobody waits any more"));
    if (this.#transport !== undefined) closeQuietly(this.#transport);
    this.#settings.onEnd(this, this.#pending.takeAll() as TcpQuery[], error);
  }

  #retire(): void {
    if (this.#state !== "open") return;
    this.#state = "retired";
    this.#settings.onRetire(this);
  }

  /** Nobody waits: it may be of use again, or is given up. */
  #rest(): void {
    if (this.#pending.size > 0 || this.#state === "ended") return;
    if (this.#state === "retired" || this.#transport === undefined) return this.end(undefined);
    this.#transport.unref?.();
    this.#idle.arm(this.#settings.idleTimeoutMs);
  }

  async #run(): Promise<void> {
    const { dial, server } = this.#settings;
    try {
      const { signal } = this.#dialling;
      // What it throws at once is thrown later, too, when whoever makes this knows it.
      const transport = await Promise.try(dial, server, { signal });
      if (this.#isEnded()) return closeQuietly(transport);
      this.#transport = transport;
      this.#flush();
      await this.#read(transport);
      throw new ConnectionClosedError("Cannot read answer: the server closed the connection");
    } catch (error) {
      this.end(error);
    }
  }

  /** Reads to the end of the stream. */
  async #read(transport: Transport): Promise<void> {
    const { address, port } = this.#settings.server;
    const deframer = new MessageDeframer();
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const byteCount = await recv(transport, buffer);
      if (byteCount === null) return;
      deframer.receive(buffer.subarray(0, byteCount));
      for (let message; (message = deframer.next()) !== undefined;) {
        this.#messageCount++;
        this.#pending.offer(message, address, port);
      }
    }
  }

  async #flush(): Promise<void> {
    const transport = this.#transport;
    if (transport === undefined || this.#isWriting) return;
    this.#isWriting = true;
    try {
      while (this.#outgoing.length > 0) {
        const frames = this.#outgoing;
        this.#outgoing = [];
        await sendVector(transport, frames);
      }
    } catch (error) {
      this.end(error);
    } finally {
      this.#isWriting = false;
    }
  }

  /** Asked behind an `await`, where the state may be another one than in front. */
  #isEnded(): boolean {
    return this.#state === "ended";
  }
}
