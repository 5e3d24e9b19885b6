// This module is sans-I/O.

import type { DnsServer } from "./dns_server.ts";

/**
 * Whom an exchange tells what came of a query. Neither method throws, and neither is called before
 * the query was given to the exchange.
 */
export interface QueryReceiver {
  /**
   * Offers a message that has the id of the query, or, over UDP, of no query at its socket: a flood
   * of those is worth noticing.
   *
   * @param tag Which query.
   * @param bytes The message, which belongs to the receiver.
   * @param from Who sent it, as far as anybody can tell.
   * @returns Whether it answers the query; else it is offered to others with the same id.
   */
  receiveMessage(tag: number, bytes: Uint8Array, from: DnsServer): boolean;

  /**
   * Tells that no answer will come, because the query could not leave or its connection broke.
   *
   * @param tag Which query.
   * @param error Why.
   */
  receiveFailure(tag: number, error: unknown): void;
}

/** A query that waits for its answer on one socket. */
export interface PendingQuery {
  /** Its id, 0 to 65,535. */
  readonly id: number;
  /** Its name in the mouth of the receiver. */
  readonly tag: number;
  /** Whom to tell. */
  readonly receiver: QueryReceiver;
}

/** A header; what is shorter has no id that counts, unless it is two bytes. */
const HEADER_BYTES = 12;

/**
 * Reads the id of a message.
 *
 * @param bytes The message, at least two bytes.
 * @returns The id, 0 to 65,535.
 */
export function messageId(bytes: Uint8Array): number {
  return bytes[0]! << 8 | bytes[1]!;
}

/**
 * The queries that wait on one socket, by id. Ids are drawn without a look at this list, so two
 * queries may have the same: then both are offered what comes.
 */
export class PendingQueries {
  readonly #queries: Map<number, PendingQuery | PendingQuery[]> = new Map();
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds a query. */
  add(query: PendingQuery): void {
    const others = this.#queries.get(query.id);
    this.#size++;
    if (others === undefined) this.#queries.set(query.id, query);
    else if (Array.isArray(others)) others.push(query);
    else this.#queries.set(query.id, [others, query]);
  }

  /** Takes a query out; whether it was there. */
  delete(query: PendingQuery): boolean {
    const found = this.#queries.get(query.id);
    if (found === query) {
      this.#queries.delete(query.id);
    } else {
      if (!Array.isArray(found) || !found.includes(query)) return false;
      const rest = found.filter((other) => other !== query);
      this.#queries.set(query.id, rest.length === 1 ? rest[0]! : rest);
    }
    this.#size--;
    return true;
  }

  /**
   * Offers a message to the queries with its id until one takes it.
   *
   * @param bytes The message.
   * @param address Address of its sender.
   * @param port Port of its sender.
   * @returns Whether there is such a query.
   */
  offer(bytes: Uint8Array, address: string, port: number): boolean {
    if (bytes.length < HEADER_BYTES) return false;
    const found = this.#queries.get(messageId(bytes));
    if (found === undefined) return false;
    const from = { address, port };
    if (!Array.isArray(found)) {
      found.receiver.receiveMessage(found.tag, bytes, from);
      return true;
    }
    for (const { receiver, tag } of found) {
      if (receiver.receiveMessage(tag, bytes, from)) break;
    }
    return true;
  }

  /**
   * Offers a message that has the id of no query to all of them.
   *
   * @param bytes The message.
   * @param address Address of its sender.
   * @param port Port of its sender.
   */
  offerStray(bytes: Uint8Array, address: string, port: number): void {
    const from = { address, port };
    for (const { receiver, tag } of [...this.#queries.values()].flat()) {
      receiver.receiveMessage(tag, bytes, from);
    }
  }

  /** Takes all queries out. */
  takeAll(): PendingQuery[] {
    const queries = [...this.#queries.values()].flat();
    this.#queries.clear();
    this.#size = 0;
    return queries;
  }
}
