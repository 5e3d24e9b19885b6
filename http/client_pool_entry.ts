import type { Deadline } from "../nbio/deadline_wheel.ts";
import { ClientConnection } from "./client_connection.ts";
import type {
  ConnectionObserver,
  PooledConnection,
  ResolvedClientPoolOptions,
} from "./client_pool_options.ts";
import type { DialedConnection } from "./dial.ts";
import { parseKeepAlive } from "./keep_alive.ts";

/** What sockets of the runtime have beside a transport. */
interface Referable {
  /** Lets a read that waits keep the process alive. */
  ref?(): void;
  /** Lets the process end while a read waits. */
  unref?(): void;
}

/** Who is told what becomes of a connection. */
export interface PoolEntryOwner<Host> {
  /** It was given back. */
  onRelease(entry: PoolEntry<Host>): void;
  /** It is of no more use: the server has ended it, or it has lain idle for too long. */
  onIdleEnd(entry: PoolEntry<Host>): void;
}

/** One connection of a pool, with how much of it is left. */
export class PoolEntry<Host> {
  /** The connection. */
  readonly connection: ClientConnection;
  /** How it was made. */
  readonly dialed: DialedConnection;
  /** Where it leads to. */
  readonly host: Host;

  readonly #options: ResolvedClientPoolOptions;
  readonly #owner: PoolEntryOwner<Host>;
  readonly #deadline: Deadline;
  readonly #observer: ConnectionObserver | undefined;
  readonly #onEnd: () => void;
  readonly #bornMs: number;
  #idleTimeoutMs: number;
  #requestsLeft: number;
  #isUnreferenced = false;

  /**
   * @param host Where it leads to.
   * @param dialed A connection on which nothing was said yet; it belongs to the
   * entry from here on.
   * @param options What the pool allows.
   * @param owner The pool.
   * @param observer Told of what becomes of it.
   */
  constructor(
    host: Host,
    dialed: DialedConnection,
    options: ResolvedClientPoolOptions,
    owner: PoolEntryOwner<Host>,
    observer?: ConnectionObserver,
  ) {
    this.#observer = observer;
    const { wheel, connection, idleTimeoutMs, maxIdleTimeoutMs } = options;
    this.connection = new ClientConnection(dialed.transport, { ...connection, wheel });
    this.dialed = dialed;
    this.host = host;
    this.#options = options;
    this.#owner = owner;
    this.#onEnd = () => owner.onIdleEnd(this);
    this.#deadline = wheel.create(this.#onEnd);
    this.#bornMs = wheel.now();
    this.#idleTimeoutMs = Math.min(idleTimeoutMs, maxIdleTimeoutMs);
    this.#requestsLeft = options.maxRequestsPerConnection;
  }

  /** Whether it may be used for a further request. */
  get isFit(): boolean {
    return this.connection.isReusable && this.#requestsLeft > 0 && this.#idleTimeoutMs > 0 &&
      this.#ageLeftMs() > 0;
  }

  /**
   * Lends it for one request.
   *
   * @param reused Whether it was there before.
   */
  lend(reused: boolean): PooledConnection {
    this.#requestsLeft--;
    this.#observer?.use();
    return new Lease(this, this.#owner, reused);
  }

  /** Begins to lie idle: what the server does now is noticed. */
  rest(): void {
    this.#observer?.rest();
    this.#deadline.arm(Math.min(this.#idleTimeoutMs, this.#ageLeftMs()));
    this.connection.watch(this.#onEnd);
  }

  /** Lies idle no more. */
  wake(): void {
    this.#deadline.cancel();
    if (!this.#isUnreferenced) return;
    this.#isUnreferenced = false;
    (this.connection.transport as Referable).ref?.();
  }

  /** Lets the process end while this lies idle. */
  unreference(): void {
    if (this.#isUnreferenced) return;
    this.#isUnreferenced = true;
    (this.connection.transport as Referable).unref?.();
  }

  /** Takes note of what the server has said about the connection. */
  noteKeepAlive(value: string): void {
    const { timeoutMs, maxRequests } = parseKeepAlive(value);
    const { keepAliveMarginMs, maxIdleTimeoutMs } = this.#options;
    if (timeoutMs !== undefined) {
      this.#idleTimeoutMs = Math.min(Math.max(timeoutMs - keepAliveMarginMs, 0), maxIdleTimeoutMs);
    }
    if (maxRequests !== undefined) this.#requestsLeft = Math.min(this.#requestsLeft, maxRequests);
  }

  /** Closes it, unless it was handed over. */
  close(): void {
    this.#observer?.close();
    this.#deadline.cancel();
    this.connection.close();
  }

  #ageLeftMs(): number {
    const { maxConnectionAgeMs, wheel } = this.#options;
    return maxConnectionAgeMs === Infinity
      ? Infinity
      : this.#bornMs + maxConnectionAgeMs - wheel.now();
  }
}

/** A connection of a pool in the hands of one request. */
class Lease<Host> implements PooledConnection {
  readonly reused: boolean;
  readonly #entry: PoolEntry<Host>;
  readonly #owner: PoolEntryOwner<Host>;
  #isReleased = false;

  constructor(entry: PoolEntry<Host>, owner: PoolEntryOwner<Host>, reused: boolean) {
    this.#entry = entry;
    this.#owner = owner;
    this.reused = reused;
  }

  get connection(): ClientConnection {
    return this.#entry.connection;
  }

  get dialed(): DialedConnection {
    return this.#entry.dialed;
  }

  noteKeepAlive(value: string | undefined): void {
    if (value !== undefined && !this.#isReleased) this.#entry.noteKeepAlive(value);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#owner.onRelease(this.#entry);
  }
}
