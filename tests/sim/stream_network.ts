import type { Connect } from "../../nbio/dial_connect.ts";
import type { ManualClock } from "../../nbio/testing_clock.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import type { Transport } from "../../nbio/transport.ts";
import { type LinkConditions, LOOPBACK } from "./link_conditions.ts";
import { StreamConnection } from "./stream_connection.ts";
import { StreamListener } from "./stream_listener.ts";

/** How long the first packet of a connection waits before it is sent again. */
const CONNECT_RETRY_MS = 1_000;
const FIRST_PORT = 49_152;

interface Connected {
  readonly from: string;
  readonly to: string;
  readonly connection: StreamConnection;
}

/**
 * Streams between simulated hosts: connecting takes a round trip, links have latency and bandwidth,
 * can be cut and repaired; connections can be reset; hosts crash, lose power and come back.
 */
export class StreamNetwork {
  readonly #clock: ManualClock;
  readonly #random: SeededRandom;
  readonly #drawLink: (random: SeededRandom) => LinkConditions;
  readonly #links = new Map<string, LinkConditions>();
  readonly #cuts = new Set<string>();
  readonly #down = new Set<string>();
  readonly #listeners = new Map<string, StreamListener>();
  readonly #connected: Connected[] = [];
  #nextPort = FIRST_PORT;

  constructor(
    clock: ManualClock,
    random: SeededRandom,
    drawLink: (random: SeededRandom) => LinkConditions,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#drawLink = drawLink;
  }

  /** Every connection that ever was. */
  get connections(): readonly StreamConnection[] {
    return this.#connected.map(({ connection }) => connection);
  }

  /** Listens on a port of a host. */
  listen(address: string, port: number): StreamListener {
    const key = `${address} ${port}`;
    if (this.#listeners.has(key)) throw new Deno.errors.AddrInUse(`Port ${port} is taken`);
    const addr: Deno.NetAddr = { transport: "tcp", hostname: address, port };
    const listener = new StreamListener(addr, () => this.#listeners.delete(key));
    this.#listeners.set(key, listener);
    return listener;
  }

  /** What a host uses to connect. */
  connectFrom(from: string): Connect {
    return (address, { signal }) => this.#connect(from, address as Deno.NetAddr, signal);
  }

  /** Nothing gets from one host to another any more, both ways. */
  cut(a: string, b: string): void {
    this.#cuts.add(pathOf(a, b));
  }

  /** It does again. */
  repair(a: string, b: string): void {
    this.#cuts.delete(pathOf(a, b));
    this.#resume();
  }

  /** Tears off a connection that is open, if there is one. */
  resetAny(random: SeededRandom): void {
    const open = this.#connected.filter(({ connection: { near, far } }) =>
      !near.isClosed && !far.isClosed
    );
    if (open.length === 0) return;
    const { near, far } = random.pick(open).connection;
    random.pick([near, far]).reset();
  }

  /** The host loses power: nobody learns of it, before what they send is answered by a reset. */
  powerOff(address: string): void {
    this.#down.add(address);
    for (const { from, to, connection: { near, far } } of this.#connected) {
      if (from === address) near.lose();
      if (to === address) far.lose();
    }
  }

  /** It has power again, and remembers nothing. */
  powerOn(address: string): void {
    this.#down.delete(address);
    this.#resume();
  }

  async #connect(from: string, to: Deno.NetAddr, signal: AbortSignal): Promise<Transport> {
    const link = this.#linkOf(from, to.hostname);
    await this.#sleep(link.latencyMs, signal);
    for (;;) {
      if (!this.#isCut(from, to.hostname)) {
        const listener = this.#listeners.get(`${to.hostname} ${to.port}`);
        if (listener === undefined) {
          await this.#sleep(link.latencyMs, signal);
          throw new Deno.errors.ConnectionRefused(`Nobody listens on ${to.hostname}:${to.port}`);
        }
        if (!listener.isFull) return await this.#accept(from, to, link, listener, signal);
      }
      await this.#sleep(CONNECT_RETRY_MS, signal);
    }
  }

  async #accept(
    from: string,
    to: Deno.NetAddr,
    link: LinkConditions,
    listener: StreamListener,
    signal: AbortSignal,
  ): Promise<Transport> {
    const nearAddr = { transport: "tcp", hostname: from, port: this.#nextPort++ } as const;
    const connection = new StreamConnection(
      {
        clock: this.#clock,
        random: this.#random.fork(),
        link,
        isCutUp: () => this.#isCut(from, to.hostname),
        isCutDown: () => this.#isCut(from, to.hostname),
      },
      nearAddr,
      to,
    );
    this.#connected.push({ from, to: to.hostname, connection });
    listener.offer(connection.far);
    try {
      await this.#sleep(link.latencyMs, signal);
      return connection.near;
    } catch (error) {
      connection.near.reset();
      connection.near.close();
      throw error;
    }
  }

  #linkOf(a: string, b: string): LinkConditions {
    if (a === b) return LOOPBACK;
    const key = pathOf(a, b);
    let link = this.#links.get(key);
    if (link === undefined) this.#links.set(key, link = this.#drawLink(this.#random));
    return link;
  }

  #isCut(a: string, b: string): boolean {
    return this.#cuts.has(pathOf(a, b)) || this.#down.has(a) || this.#down.has(b);
  }

  #resume(): void {
    for (const { connection } of this.#connected) connection.resume();
  }

  #sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#clock.clearTimer(timer);
        reject(signal.reason);
      };
      const timer = this.#clock.setTimer(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      }, durationMs);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}

function pathOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
