/**
 * {@linkcode UdpExchange}: queries over UDP, from ports that change.
 *
 * @module
 */

import type { DatagramSocket } from "../nbio/datagram_socket.ts";
import { type Deadline, deadlines, type DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { LimitExceededError } from "../nbio/errors.ts";
import { bindUdp, type UdpOptions } from "../nbio/udp.ts";
import type { DnsServer } from "./dns_server.ts";
import type { PendingQuery, QueryReceiver } from "./query_receiver.ts";
import { randomUint16 } from "./random_uint16.ts";
import { UdpSource } from "./udp_source.ts";

/** Options of {@linkcode UdpExchange}. */
export interface UdpExchangeOptions {
  /**
   * Whether questions share sockets (`"pool"`), each used a bounded number of times, or each one
   * leaves from a socket of its own (`"fresh"`), which costs more.
   *
   * @default {"pool"}
   */
  readonly sourcePorts?: "pool" | "fresh";

  /**
   * Sockets of the pool that new questions are spread over at random, for each family of
   * addresses, 1 to 1,024.
   *
   * @default {8}
   */
  readonly poolSize?: number;

  /**
   * Questions after which a socket of the pool is replaced by one at another port, 1 to 65,536.
   *
   * @default {64}
   */
  readonly maxQueriesPerSocket?: number;

  /**
   * Sockets that are open at a time, those included that only wait for their last answers, 1 to
   * 65,536. A question that would need one more fails with a `LimitExceededError`.
   *
   * @default {256}
   */
  readonly maxSocketCount?: number;

  /**
   * Milliseconds after which sockets that nobody has used are closed, 1 to 2^31 - 1.
   *
   * @default {10_000}
   */
  readonly idleTimeoutMs?: number;

  /**
   * Where sockets come from.
   *
   * @default {bindUdp}
   */
  readonly bind?: (options: UdpOptions) => Promise<DatagramSocket>;

  /**
   * Gives integers of 0 to 65,535 that nobody can guess.
   *
   * @default {crypto.getRandomValues}
   */
  readonly randomUint16?: () => number;

  /**
   * Where deadlines wait.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
}

type Family = 4 | 6;

/**
 * Sends queries over UDP and brings what comes back to whoever waits for it.
 *
 * An answer is offered to a query if it comes to its socket and has its id; the rest (the source,
 * the question) is looked at by the {@linkcode QueryReceiver}. Somebody who cannot see the traffic
 * has to guess id and port: ports are chosen by the system at random, questions are spread over
 * several, and each is given up after a bounded number of questions.
 *
 * Sockets that are open keep the process alive while somebody waits for an answer, and at most a
 * few ticks of the wheel longer.
 */
export class UdpExchange {
  readonly #poolSize: number;
  readonly #maxQueries: number;
  readonly #maxSocketCount: number;
  readonly #idleTimeoutMs: number;
  readonly #bind: (options: UdpOptions) => Promise<DatagramSocket>;
  readonly #randomUint16: () => number;
  readonly #idle: Deadline;
  /** When unused sockets let the process end. */
  readonly #rest: Deadline;
  readonly #pools: Readonly<Record<Family, (UdpSource | undefined)[]>> = { 4: [], 6: [] };
  /** All that are open. */
  readonly #sources: Set<UdpSource> = new Set();
  /** Whether anybody has come since the idle deadline was armed. */
  #wasUsed = false;

  /**
   * Makes an exchange without sockets.
   *
   * @param options Ports and bounds.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: UdpExchangeOptions = {}) {
    const { sourcePorts = "pool", poolSize = 8, maxQueriesPerSocket = 64 } = options;
    const { maxSocketCount = 256, idleTimeoutMs = 10_000, wheel = deadlines } = options;
    if (sourcePorts !== "pool" && sourcePorts !== "fresh") {
      throw new RangeError(`Cannot use sourcePorts ${sourcePorts}: expected pool or fresh`);
    }
    this.#poolSize = checkInteger("poolSize", poolSize, 1_024);
    const maxQueries = checkInteger("maxQueriesPerSocket", maxQueriesPerSocket, 65_536);
    this.#maxQueries = sourcePorts === "fresh" ? 1 : maxQueries;
    this.#maxSocketCount = checkInteger("maxSocketCount", maxSocketCount, 65_536);
    this.#idleTimeoutMs = checkInteger("idleTimeoutMs", idleTimeoutMs, 2 ** 31 - 1);
    this.#bind = options.bind ?? bindUdp;
    this.#randomUint16 = options.randomUint16 ?? randomUint16;
    this.#idle = wheel.create(this.#onIdle);
    this.#rest = wheel.create(() => {
      for (const source of this.#sources) source.rest();
    });
  }

  /** Sockets that are open, or being opened. */
  get socketCount(): number {
    return this.#sources.size;
  }

  /** Questions that can wait at a time. */
  get capacity(): number {
    return this.#maxSocketCount * this.#maxQueries;
  }

  /**
   * Makes a way out for one question: all its queries to servers of one family leave from the
   * same socket.
   *
   * @returns The way, without a socket as yet; it must be closed.
   */
  open(): UdpFlow {
    return new UdpFlow((family) => this.#enter(family), this.#onLeave);
  }

  /**
   * Closes all sockets.
   *
   * @param error What queries that wait fail with; without it they are forgotten.
   * @returns When nothing of them is left.
   */
  async close(error?: unknown): Promise<void> {
    this.#idle.cancel();
    this.#rest.cancel();
    const sources = [...this.#sources];
    for (const source of sources) source.end(error);
    await Promise.all(sources.map(({ finished }) => finished));
  }

  /** A socket for one more question. */
  #enter(family: Family): UdpSource {
    this.#wasUsed = true;
    const pool = this.#pools[family];
    // A power of two in the default, so that no socket is more likely than another.
    const slot = this.#randomUint16() % this.#poolSize;
    const source = pool[slot] ?? this.#makeSource(family, slot);
    source.enter();
    if (source.usedCount >= this.#maxQueries) {
      source.retire();
      pool[slot] = undefined;
    }
    return source;
  }

  #makeSource(family: Family, slot: number): UdpSource {
    if (this.#sources.size >= this.#maxSocketCount) {
      throw new LimitExceededError(
        `Cannot send query: ${this.#sources.size} sockets are open already`,
        { limit: "maxSocketCount", max: this.#maxSocketCount },
      );
    }
    const hostname = family === 4 ? "0.0.0.0" : "::";
    const source = new UdpSource(() => this.#bind({ hostname }), this.#onEnd);
    this.#sources.add(source);
    this.#pools[family][slot] = source;
    if (!this.#idle.armed) this.#idle.arm(this.#idleTimeoutMs);
    return source;
  }

  readonly #onEnd = (source: UdpSource): void => {
    this.#sources.delete(source);
    for (const pool of [this.#pools[4], this.#pools[6]]) {
      const slot = pool.indexOf(source);
      if (slot >= 0) pool[slot] = undefined;
    }
    if (this.#sources.size > 0) return;
    this.#idle.cancel();
    this.#rest.cancel();
  };

  readonly #onLeave = (): void => {
    if (!this.#rest.armed && this.#sources.size > 0) this.#rest.arm(1);
  };

  /** Armed again and again rather than anew for every question, which costs nothing then. */
  readonly #onIdle = (): void => {
    for (const source of this.#sources) {
      if (!this.#wasUsed && !source.isUsed) source.end();
    }
    this.#wasUsed = false;
    if (this.#sources.size > 0) this.#idle.arm(this.#idleTimeoutMs);
  };
}

/** The way out of one question, see {@linkcode UdpExchange.open}. */
export class UdpFlow {
  readonly #enter: (family: Family) => UdpSource;
  readonly #onLeave: () => void;
  /** The sockets in use; nearly always the first query is the only one. */
  #source4: UdpSource | undefined;
  #source6: UdpSource | undefined;
  readonly #queries: { readonly source: UdpSource; readonly query: PendingQuery }[] = [];

  /** Made by {@linkcode UdpExchange.open}. */
  constructor(enter: (family: Family) => UdpSource, onLeave: () => void) {
    this.#enter = enter;
    this.#onLeave = onLeave;
  }

  /**
   * Sends a query.
   *
   * @param server Where to: an IPv4 or IPv6 address.
   * @param bytes The query, at least two bytes; unchanged until it has left.
   * @param receiver Told what comes, until the flow is closed.
   * @param tag Which query it is to the receiver.
   * @throws {LimitExceededError} If too many sockets are open.
   */
  send(server: DnsServer, bytes: Uint8Array, receiver: QueryReceiver, tag: number): void {
    const source = server.address.includes(":")
      ? this.#source6 ??= this.#enter(6)
      : this.#source4 ??= this.#enter(4);
    this.#queries.push({ source, query: source.send(server, bytes, receiver, tag) });
  }

  /** Forgets the queries: nobody is told anything any more. */
  close(): void {
    for (const { source, query } of this.#queries) source.forget(query);
    this.#source4?.leave();
    this.#source6?.leave();
    this.#queries.length = 0;
    this.#source4 = undefined;
    this.#source6 = undefined;
    this.#onLeave();
  }
}

function checkInteger(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new RangeError(`Cannot use ${name} ${value}: expected an integer from 1 to ${max}`);
}
