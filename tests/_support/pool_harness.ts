/**
 * A pool without sockets and without waiting: dials wait until a test accepts or refuses them, the
 * server's ends are in its hands, and time is a {@linkcode ManualClock}.
 */

import { ClientPool } from "../../http/client_pool.ts";
import type {
  ClientPoolOptions,
  PooledConnection,
  PoolTarget,
} from "../../http/client_pool_options.ts";
import type { DialedConnection } from "../../http/dial.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe, type MemoryTransport } from "../../nbio/testing_memory_pipe.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { WatchedTransport } from "./cancelling.ts";
import { bytesOf } from "./raw_bytes.ts";

/** The shortest answer to keep a connection for. */
export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A dial that waits for the test. */
interface WaitingDial {
  readonly key: string;
  readonly resolve: (dialed: DialedConnection) => void;
  readonly reject: (error: unknown) => void;
}

/** A pool whose servers and time are in the hands of a test. */
export class PoolHarness implements AsyncDisposable {
  /** Time. */
  readonly clock: ManualClock = new ManualClock();
  /** Where deadlines wait. */
  readonly wheel: DeadlineWheel = new DeadlineWheel(this.clock);
  /** The pool. */
  readonly pool: ClientPool;
  /** The client's ends in the order in which they were made. */
  readonly clients: WatchedTransport[] = [];
  /** The server's ends, likewise. */
  readonly servers: MemoryTransport[] = [];
  /** Signals of the dials that were begun. */
  readonly signals: AbortSignal[] = [];
  readonly #dials: WaitingDial[] = [];

  constructor(options: Omit<ClientPoolOptions, "wheel"> = {}) {
    this.pool = new ClientPool({ ...options, wheel: this.wheel });
  }

  /** Keys of the dials that wait, in the order in which they were begun. */
  get dialing(): string[] {
    return this.#dials.map(({ key }) => key);
  }

  /** A host. */
  target(key = "a"): PoolTarget {
    return {
      key,
      dial: ({ signal }) => {
        this.signals.push(signal);
        const { promise, resolve, reject } = Promise.withResolvers<DialedConnection>();
        this.#dials.push({ key, resolve, reject });
        signal.addEventListener("abort", () => {
          this.#dials.length = 0;
          reject(signal.reason);
        }, { once: true });
        return promise;
      },
    };
  }

  /** Asks for a connection; what becomes of it is looked at later. */
  ask(
    key = "a",
    options: { signal?: AbortSignal; fresh?: boolean } = {},
  ): Promise<PooledConnection> {
    const lent = this.pool.acquire(this.target(key), options);
    lent.catch(() => {});
    return lent;
  }

  /** Lets the dial succeed that has waited longest, or longest for a host. */
  async accept(key?: string): Promise<void> {
    const [near, far] = memoryPipe();
    const client = new WatchedTransport(near);
    this.clients.push(client);
    this.servers.push(far);
    this.#take(key).resolve({
      transport: client,
      remoteAddr: near.remoteAddr,
      tlsInfo: undefined,
      timings: { resolveMs: 0, connectMs: 0, tlsMs: undefined },
    });
    await settle();
  }

  /** Lets the dial fail that has waited longest. */
  async refuse(error: unknown): Promise<void> {
    this.#take(undefined).reject(error);
    await settle();
  }

  /** A connection that nobody had. */
  async lend(key = "a", options: { fresh?: boolean } = {}): Promise<PooledConnection> {
    const lent = this.ask(key, options);
    await settle();
    if (this.dialing.length > 0) await this.accept();
    return await lent;
  }

  /** One whole exchange on a connection that was lent. */
  async exchange(lent: PooledConnection, answer: string = OK): Promise<void> {
    const server = this.serverOf(lent);
    const response = lent.connection.exchange({ target: "/", headers: { host: "a" } });
    await server.read(new Uint8Array(1_024));
    await server.write(bytesOf(answer));
    const { headers, ended } = await response;
    await (await response).bytes();
    await ended;
    lent.noteKeepAlive(headers.get("keep-alive"));
  }

  /** Lends, exchanges and gives back. */
  async use(key = "a", answer: string = OK): Promise<boolean> {
    const lent = await this.lend(key);
    await this.exchange(lent, answer);
    lent.release();
    await settle();
    return lent.reused;
  }

  /** The server's end of a connection. */
  serverOf({ dialed }: PooledConnection): MemoryTransport {
    return this.servers[this.clients.indexOf(dialed.transport as WatchedTransport)]!;
  }

  /** Which connections the client has closed. */
  async closed(): Promise<boolean[]> {
    await settle();
    return this.clients.map(({ closeCount }) => closeCount > 0);
  }

  /** Lets time pass. */
  async advance(durationMs: number): Promise<void> {
    this.clock.advance(durationMs);
    await settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close();
    for (const server of this.servers) closeQuietly(server);
  }

  #take(key: string | undefined): WaitingDial {
    const index = this.#dials.findIndex((dial) => key === undefined || dial.key === key);
    const [dial] = this.#dials.splice(index, 1);
    if (index < 0 || dial === undefined) throw new Error("No dial waits");
    return dial;
  }
}
