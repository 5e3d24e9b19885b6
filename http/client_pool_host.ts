import type { PoolEntry } from "./client_pool_entry.ts";
import type { ClientPoolHostStats, PoolTarget } from "./client_pool_options.ts";
import { PoolQueue } from "./client_pool_queue.ts";

/** What a pool has and owes at one host. */
export class PoolHost {
  /** How to make a connection. */
  target: PoolTarget;
  /** Those who wait. */
  readonly queue: PoolQueue = new PoolQueue();
  /** Connections that lie idle, the one used last at the end. */
  readonly idle: PoolEntry<PoolHost>[] = [];
  /** Connections there are. */
  connectionCount = 0;
  /** Connections being made. */
  dialCount = 0;
  /** Requests that wait for a dial to begin, as the pool has counted them. */
  queuedCount = 0;

  /** @param target How to make a connection. */
  constructor(target: PoolTarget) {
    this.target = target;
  }

  /** Connections there are or will be. */
  get size(): number {
    return this.connectionCount + this.dialCount;
  }

  /** Whether somebody waits for whom no dial was begun. */
  get wantsDial(): boolean {
    return this.queue.length > this.dialCount;
  }

  /** Whether there is nothing to remember. */
  get isEmpty(): boolean {
    return this.size === 0 && this.queue.length === 0;
  }

  /** What goes on here. */
  stats(): ClientPoolHostStats {
    return {
      key: this.target.key,
      connections: this.connectionCount,
      idle: this.idle.length,
      queued: this.queue.length,
      dialing: this.dialCount,
    };
  }
}
