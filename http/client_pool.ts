/**
 * {@linkcode ClientPool}: connections that are kept for the next request.
 *
 * @module
 */

import type { Deadline } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, LimitExceededError } from "../nbio/errors.ts";
import { closeQuietly } from "../nbio/transport.ts";
import { PoolEntry, type PoolEntryOwner } from "./client_pool_entry.ts";
import { PoolHost } from "./client_pool_host.ts";
import {
  type ClientPoolOptions,
  type ClientPoolStats,
  type PoolAcquireOptions,
  type PooledConnection,
  type PoolTarget,
  type ResolvedClientPoolOptions,
  resolvePoolOptions,
} from "./client_pool_options.ts";
import { PoolWaiter } from "./client_pool_queue.ts";
import type { DialedConnection } from "./dial.ts";

/**
 * Milliseconds after which idle connections do not keep the process alive: as
 * soon as the wheel can, and not with every request.
 */
const UNREFERENCE_AFTER_MS = 1;

/**
 * Connections to many hosts, lent for one exchange at a time.
 *
 * - A request takes a connection that lies idle, the one used last; else one is
 *   dialled for it, and it takes whichever is free first: that, or one that is
 *   given back. Those who wait are served in the order in which they came. A dial
 *   whose asker has left goes into the pool; one that fails is told to whoever has
 *   waited longest.
 * - Under `maxConnections` idle connections of other hosts make room. Where all are
 *   busy, hosts take turns: one with more than its share gives up what is given
 *   back to it.
 * - An idle connection is watched: one that the server ends, or on which something
 *   comes unasked, is closed at once. Idle connections do not keep the process
 *   alive.
 *
 * Everything is bounded by an option, and every operation is O(1), but for the
 * statistics and for what is removed out of its turn.
 *
 * @example One connection for two requests
 * ```ts
 * import { ClientPool, dialHttp, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
 * const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
 *
 * await using pool = new ClientPool();
 * const target = { key: url, dial: ({ signal }: { signal: AbortSignal }) => dialHttp(url, { signal }) };
 * const reused: boolean[] = [];
 * for (const path of ["/one", "/two"]) {
 *   const lent = await pool.acquire(target);
 *   reused.push(lent.reused);
 *   const response = await lent.connection.exchange({ target: path, headers: { host: "a" } });
 *   await response.bytes();
 *   await response.ended;
 *   lent.release();
 * }
 * assertEquals(reused, [false, true]);
 * assertEquals(pool.stats().idle, 1);
 * ```
 */
export class ClientPool implements AsyncDisposable {
  readonly #options: ResolvedClientPoolOptions;
  readonly #owner: PoolEntryOwner<PoolHost>;
  readonly #hosts = new Map<string, PoolHost>();
  readonly #entries = new Set<PoolEntry<PoolHost>>();
  /** Idle ones of all hosts, the longest idle first. */
  readonly #idle = new Set<PoolEntry<PoolHost>>();
  /** Hosts that have nothing, and wait because of `maxConnections`, in turn. */
  readonly #starved = new Set<PoolHost>();
  /** Hosts that have something, and want more, in turn. */
  readonly #wanting = new Set<PoolHost>();
  readonly #dials = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #unreferencing: Deadline;
  #queuedCount = 0;
  #lastTicket = 0;

  /**
   * Makes an empty pool.
   *
   * @param options Bounds and times.
   * @throws {RangeError} If one is out of its range.
   */
  constructor(options: ClientPoolOptions = {}) {
    this.#options = resolvePoolOptions(options);
    this.#owner = {
      onRelease: (entry) => this.#onRelease(entry),
      onIdleEnd: (entry) => this.#onIdleEnd(entry),
    };
    this.#unreferencing = this.#options.wheel.create(() => {
      for (const entry of this.#idle) entry.unreference();
    });
  }

  /**
   * Lends a connection, as soon as there is one.
   *
   * @param target Where to.
   * @param options Signal, and whether the connection has to be fresh.
   * @returns The connection, which the caller gives back.
   * @throws {LimitExceededError} If `maxQueuedRequests` wait already.
   * @throws {TimeoutError} If its turn does not come in time, in the phase
   * `"queue"`.
   * @throws {ConnectionClosedError} If the pool is closed.
   * @throws {Error} The signal's reason, the reason of the pool's close, or what
   * `target.dial` throws, untouched.
   */
  async acquire(target: PoolTarget, options: PoolAcquireOptions = {}): Promise<PooledConnection> {
    const { signal, fresh = false } = options;
    signal?.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const lent = fresh ? undefined : this.acquireIdle(target);
    return lent ?? await this.#wait(this.#hostOf(target), fresh, signal);
  }

  /**
   * Lends a connection that lies idle, without a turn of the event loop. It dials
   * nothing.
   *
   * @param target Where to.
   * @returns The connection, which the caller gives back; `undefined` if there is
   * none, or the pool is closed.
   *
   * @example Only what is there
   * ```ts
   * import { ClientPool, dialHttp } from "@nbio/net/http";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new ClientPool();
   * const url = "http://127.0.0.1:8000";
   * assertEquals(pool.acquireIdle({ key: url, dial: () => dialHttp(url) }), undefined);
   * ```
   */
  acquireIdle(target: PoolTarget): PooledConnection | undefined {
    const host = this.#hosts.get(target.key);
    if (host === undefined) return undefined;
    host.target = target;
    return this.#takeIdle(host)?.lend(true);
  }

  /** What goes on right now. */
  stats(): ClientPoolStats {
    const perHost = [...this.#hosts.values()].map((host) => host.stats());
    return {
      connections: this.#entries.size,
      idle: this.#idle.size,
      queued: perHost.reduce((sum, { queued }) => sum + queued, 0),
      dialing: this.#dials.size,
      perHost,
    };
  }

  /**
   * Closes every connection, also those that are lent: their exchanges fail.
   * Whoever waits is refused, and dials are given up.
   *
   * @param reason What those who wait are told.
   * @returns A promise that resolves when no dial is under way.
   */
  async close(
    reason: unknown = new ConnectionClosedError("Cannot acquire connection: the pool was closed"),
  ): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort(reason);
      this.#unreferencing.cancel();
      for (const { queue } of this.#hosts.values()) {
        for (let waiter; (waiter = queue.first) !== undefined;) {
          queue.remove(waiter);
          waiter.refuse(reason);
        }
      }
      this.#starved.clear();
      this.#wanting.clear();
      for (const entry of this.#entries) this.#discard(entry);
    }
    await Promise.all(this.#dials);
  }

  /** Does as {@linkcode ClientPool.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #hostOf(target: PoolTarget): PoolHost {
    let host = this.#hosts.get(target.key);
    if (host === undefined) this.#hosts.set(target.key, host = new PoolHost(target));
    else host.target = target;
    return host;
  }

  #takeIdle(host: PoolHost): PoolEntry<PoolHost> | undefined {
    for (let entry; (entry = host.idle.at(-1)) !== undefined;) {
      this.#wake(entry);
      if (entry.isFit) return entry;
      this.#discard(entry);
    }
    return undefined;
  }

  /** Idle no more. */
  #wake(entry: PoolEntry<PoolHost>): void {
    if (!this.#idle.delete(entry)) return;
    const { idle } = entry.host;
    // Nearly always the one used last.
    if (idle.at(-1) === entry) idle.pop();
    else idle.splice(idle.indexOf(entry), 1);
    entry.wake();
  }

  #wait(
    host: PoolHost,
    isFresh: boolean,
    signal: AbortSignal | undefined,
  ): Promise<PooledConnection> {
    const waiter = new PoolWaiter(++this.#lastTicket, isFresh, (left) => {
      host.queue.remove(left);
      this.#serve(host);
    });
    if (signal !== undefined) waiter.watchSignal(signal);
    host.queue.append(waiter);
    // It was forgotten if its last idle connection was of no more use.
    this.#hosts.set(host.target.key, host);
    this.#serve(host);
    if (!waiter.isCovered) this.#admit(waiter, host);
    return waiter.promise;
  }

  /** Lets one wait for its turn, if so many may. */
  #admit(waiter: PoolWaiter, host: PoolHost): void {
    const { maxQueuedRequests: max, queueTimeoutMs, wheel } = this.#options;
    if (this.#queuedCount <= max) return waiter.watchTime(queueTimeoutMs, wheel);
    host.queue.remove(waiter);
    this.#serve(host);
    waiter.refuse(
      new LimitExceededError(`Cannot acquire connection: ${max} requests are waiting already`, {
        limit: "maxQueuedRequests",
        max,
      }),
    );
  }

  /** Begins the dials that are wanted and allowed. */
  #serve(host: PoolHost): void {
    while (host.wantsDial && this.#mayDial(host)) this.#dial(host);
    this.#settle(host);
  }

  /** Takes note of what has changed at a host: its place in line, and its counts. */
  #settle(host: PoolHost): void {
    const isWaiting = host.wantsDial && host.size < this.#options.maxConnectionsPerHost;
    const isStarved = isWaiting && host.size === 0;
    // Where it stands in line it stays.
    if (isStarved) this.#starved.add(host);
    else this.#starved.delete(host);
    if (isWaiting && !isStarved) this.#wanting.add(host);
    else this.#wanting.delete(host);
    host.queue.cover(host.dialCount);
    const queuedCount = Math.max(0, host.queue.length - host.dialCount);
    this.#queuedCount += queuedCount - host.queuedCount;
    host.queuedCount = queuedCount;
    if (host.isEmpty) this.#hosts.delete(host.target.key);
  }

  /** Whether there is room for one more connection, or some can be made. */
  #mayDial(host: PoolHost): boolean {
    const { maxConnections, maxConnectionsPerHost } = this.#options;
    if (this.#closing.signal.aborted) return false;
    if (host.size >= maxConnectionsPerHost) {
      // Idle ones, and yet somebody waits: for a fresh one.
      const oldest = host.idle[0];
      if (oldest === undefined) return false;
      this.#discard(oldest);
    }
    if (this.#entries.size + this.#dials.size < maxConnections) return true;
    const [oldest] = this.#idle;
    if (oldest === undefined) return false;
    this.#discard(oldest);
    return true;
  }

  #dial(host: PoolHost): void {
    host.dialCount++;
    const { signal } = this.#closing;
    const { target } = host;
    const dial: Promise<void> = Promise.try(() => target.dial({ signal })).then(
      (dialed) => this.#onDialed(host, dialed, dial),
      (error) => this.#onDialFailed(host, error, dial),
    );
    this.#dials.add(dial);
  }

  #onDialed(host: PoolHost, dialed: DialedConnection, dial: Promise<void>): void {
    this.#dials.delete(dial);
    host.dialCount--;
    if (this.#closing.signal.aborted) {
      closeQuietly(dialed.transport);
      return this.#settle(host);
    }
    const observer = host.target.observe?.();
    const entry = new PoolEntry(host, dialed, this.#options, this.#owner, observer);
    this.#entries.add(entry);
    host.connectionCount++;
    const waiter = host.queue.first;
    if (waiter === undefined) return this.#rest(entry);
    host.queue.remove(waiter);
    this.#serve(host);
    waiter.serve(entry.lend(false));
  }

  #onDialFailed(host: PoolHost, error: unknown, dial: Promise<void>): void {
    this.#dials.delete(dial);
    // One that nobody waits for any more has failed for nobody.
    const waiter = host.queue.length >= host.dialCount ? host.queue.first : undefined;
    host.dialCount--;
    if (waiter !== undefined) host.queue.remove(waiter);
    this.#feed();
    this.#serve(host);
    waiter?.refuse(error);
  }

  #onRelease(entry: PoolEntry<PoolHost>): void {
    const { host } = entry;
    if (!entry.isFit || this.#closing.signal.aborted) return this.#drop(entry);
    const waiter = host.queue.firstReusing;
    if (waiter === undefined) return this.#rest(entry);
    const other = this.#needier(host, waiter);
    if (other !== undefined) return this.#yield(entry, other);
    host.queue.remove(waiter);
    this.#serve(host);
    waiter.serve(entry.lend(true));
  }

  /** The host for which another gives up a connection that is given back to it. */
  #needier(host: PoolHost, waiter: PoolWaiter): PoolHost | undefined {
    const other = this.#nextInLine(host);
    if (other === undefined) return undefined;
    const surplus = host.size - other.size;
    // With one more they take turns, by who has waited longer.
    const isOwed = surplus > 1 || (surplus === 1 && other.queue.first!.ticket < waiter.ticket);
    return isOwed ? other : undefined;
  }

  #yield(entry: PoolEntry<PoolHost>, other: PoolHost): void {
    this.#discard(entry);
    this.#dialInTurn(other);
    this.#settle(entry.host);
  }

  /** Begins one dial for a host that waits, which goes to the end of the line for more. */
  #dialInTurn(host: PoolHost): void {
    this.#starved.delete(host);
    this.#wanting.delete(host);
    this.#dial(host);
    this.#settle(host);
  }

  /** Who comes next of all others that wait for a place. */
  #nextInLine(host: PoolHost): PoolHost | undefined {
    const [starved] = this.#starved;
    if (starved !== undefined) return starved;
    for (const wanting of this.#wanting) {
      if (wanting !== host) return wanting;
    }
    return undefined;
  }

  /** Lays a connection aside, where nobody else needs its place. */
  #rest(entry: PoolEntry<PoolHost>): void {
    const isWanted = this.#starved.size > 0 || this.#wanting.size > 0;
    // Those who want a fresh one have it made in its place.
    if (isWanted || entry.host.wantsDial) return this.#drop(entry);
    entry.host.idle.push(entry);
    this.#idle.add(entry);
    this.#unreferencing.arm(UNREFERENCE_AFTER_MS);
    entry.rest();
  }

  #onIdleEnd(entry: PoolEntry<PoolHost>): void {
    this.#wake(entry);
    this.#drop(entry);
  }

  /** Closes a connection; its place is for whoever waits for one. */
  #drop(entry: PoolEntry<PoolHost>): void {
    this.#discard(entry);
    this.#feed();
    this.#serve(entry.host);
  }

  /** Closes a connection. */
  #discard(entry: PoolEntry<PoolHost>): void {
    this.#wake(entry);
    if (!this.#entries.delete(entry)) return;
    const { host } = entry;
    host.connectionCount--;
    entry.close();
    if (host.isEmpty) this.#hosts.delete(host.target.key);
  }

  /** Gives free places to the hosts that wait for one, to each in turn. */
  #feed(): void {
    for (const line of [this.#starved, this.#wanting]) {
      for (const host of line) {
        if (!this.#mayDial(host)) return;
        this.#dialInTurn(host);
      }
    }
  }
}
