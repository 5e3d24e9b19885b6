/**
 * {@linkcode TcpExchange}: queries over TCP, one connection for each server.
 *
 * @module
 */

import { deadlines, type DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { dial } from "../nbio/dial.ts";
import type { Transport } from "../nbio/transport.ts";
import { type DnsServer, formatServer } from "./dns_server.ts";
import { messageId, type QueryReceiver } from "./query_receiver.ts";
import { TcpConnection, type TcpQuery } from "./tcp_connection.ts";

/** Options of {@linkcode TcpExchange}. */
export interface TcpExchangeOptions {
  /**
   * Milliseconds without a query after which a connection is closed, 1 to 2^31 - 1.
   *
   * @default {10_000}
   */
  readonly idleTimeoutMs?: number;

  /**
   * Makes a connection; its limit in time is the abort of the signal.
   *
   * @default {dial}
   */
  readonly dial?: (server: DnsServer, options: { signal: AbortSignal }) => Promise<Transport>;

  /**
   * Where deadlines wait.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
}

/**
 * Sends queries over TCP and brings what comes back to whoever waits for it.
 *
 * Each server has one connection that is used again, with as many queries at a time as there are
 * (RFC 7766 sections 6.2.1 and 6.2.2). A query on a used connection that its server closes is sent
 * once more over a new one; a connection that stays silent gets no further queries.
 *
 * A connection keeps the process alive only while somebody waits for an answer.
 */
export class TcpExchange {
  readonly #idleTimeoutMs: number;
  readonly #dial: (server: DnsServer, options: { signal: AbortSignal }) => Promise<Transport>;
  readonly #wheel: DeadlineWheel;
  /** The connection for new queries, by server. */
  readonly #current: Map<string, TcpConnection> = new Map();
  /** All that are not over. */
  readonly #connections: Set<TcpConnection> = new Set();
  #isClosed = false;

  /**
   * Makes an exchange without connections.
   *
   * @param options Time limit, and how to connect.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: TcpExchangeOptions = {}) {
    const { idleTimeoutMs = 10_000, wheel = deadlines } = options;
    if (!(Number.isInteger(idleTimeoutMs) && idleTimeoutMs >= 1 && idleTimeoutMs < 2 ** 31)) {
      throw new RangeError(
        `Cannot use idleTimeoutMs ${idleTimeoutMs}: expected an integer from 1 to ${2 ** 31 - 1}`,
      );
    }
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#wheel = wheel;
    this.#dial = options.dial ?? dialServer;
  }

  /** Connections that are open, or being opened. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /**
   * Sends a query.
   *
   * @param server Where to: an IPv4 or IPv6 address.
   * @param bytes The query, 2 to 65,535 bytes without its length; unchanged until the flow is
   * closed.
   * @param receiver Told what comes, until the flow is closed.
   * @param tag Which query it is to the receiver.
   * @returns The way of the query; it must be closed.
   */
  send(server: DnsServer, bytes: Uint8Array, receiver: QueryReceiver, tag: number): TcpFlow {
    const id = messageId(bytes);
    const query = {
      id,
      tag,
      receiver,
      bytes,
      sentAfter: 0,
      isResent: false,
      connection: undefined,
    };
    this.#place(server, query);
    return new TcpFlow(query);
  }

  /**
   * Closes all connections.
   *
   * @param error What queries that wait fail with; without it they are forgotten.
   * @returns When nothing of them is left.
   */
  async close(error?: unknown): Promise<void> {
    this.#isClosed = true;
    const connections = [...this.#connections];
    for (const connection of connections) connection.end(error);
    await Promise.all(connections.map(({ finished }) => finished));
  }

  #place(server: DnsServer, query: TcpQuery): void {
    const key = formatServer(server);
    let connection = this.#current.get(key);
    if (connection === undefined) {
      connection = this.#open(server, key);
      this.#current.set(key, connection);
      this.#connections.add(connection);
    }
    connection.send(query);
  }

  #open(server: DnsServer, key: string): TcpConnection {
    return new TcpConnection({
      server,
      dial: this.#dial,
      idleTimeoutMs: this.#idleTimeoutMs,
      wheel: this.#wheel,
      onRetire: (connection) => {
        if (this.#current.get(key) === connection) this.#current.delete(key);
      },
      onEnd: (connection, queries, error) => {
        this.#connections.delete(connection);
        for (const query of queries) this.#continue(connection, query, error);
      },
    });
  }

  /** A server may close a connection that it holds to be idle while a query is on its way. */
  #continue(connection: TcpConnection, query: TcpQuery, error: unknown): void {
    if (connection.hasAnswered && !query.isResent && !this.#isClosed) {
      query.isResent = true;
      this.#place(connection.server, query);
    } else if (error !== undefined) {
      query.receiver.receiveFailure(query.tag, error);
    }
  }
}

/** The way of one query, see {@linkcode TcpExchange.send}. */
export class TcpFlow {
  readonly #query: TcpQuery;

  /** Made by {@linkcode TcpExchange.send}. */
  constructor(query: TcpQuery) {
    this.#query = query;
  }

  /** Forgets the query: its receiver is told nothing any more. */
  close(): void {
    this.#query.connection?.forget(this.#query);
  }
}

function dialServer(server: DnsServer, { signal }: { signal: AbortSignal }): Promise<Transport> {
  const { address: hostname, port } = server;
  return dial({ hostname, port, signal, connectTimeoutMs: Infinity });
}
