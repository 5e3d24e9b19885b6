import { Resolver } from "../../dns/resolver.ts";
import type { ResolverOptions } from "../../dns/resolver_options.ts";
import type { Connect } from "../../nbio/dial_connect.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import type { SimulatedHost } from "../../nbio/testing_datagram_host.ts";
import { SimulatedNetwork } from "../../nbio/testing_datagram_network.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { Ledger } from "./ledger.ts";
import { drawLink } from "./link_conditions.ts";
import { failureOf } from "./outcomes.ts";
import { check, SimulationError } from "./simulation_error.ts";
import { StreamNetwork } from "./stream_network.ts";

/** No operation takes longer, whatever happens: all of its deadlines together. */
const MAX_OPERATION_MS = 60_000;
/** Everything is over by then. */
const MAX_RUN_MS = 90_000;
/** What was given up is over after so long: a dial, an upload to somebody who is silent. */
const QUIET_MS = 9_000;
/** The same where nothing is broken. */
const CALM_QUIET_MS = 3_000;
/** What is waited for after all: segments on their way, and connections that linger. */
const CALM_DOWN_MS = 60_000;

/** A machine of the world. */
export interface WorldHost {
  readonly name: string;
  readonly address: string;
  /** Its datagram sockets. */
  readonly datagrams: SimulatedHost;
  /** How it opens streams. */
  readonly connect: Connect;
}

/** Something that runs on a host, dies and is started again. */
export interface Service {
  readonly host: WorldHost;
  /** Starts it, the first time or anew. */
  start(): void;
  /** Ends it, waiting for what it is doing for that long. */
  stop(graceMs: number): Promise<void>;
}

/** Time, chance, hosts and the links between them; all from one seed. */
export class World {
  readonly seed: number;
  /** Whether nothing goes wrong, so that everything has to succeed. */
  readonly isCalm: boolean;
  readonly clock: ManualClock = new ManualClock({ wallStartMs: 784_111_777_000 });
  readonly wheel: DeadlineWheel = new DeadlineWheel(this.clock, { tickMs: 200 });
  readonly random: SeededRandom;
  readonly datagrams: SimulatedNetwork;
  readonly streams: StreamNetwork;
  readonly ledger: Ledger = new Ledger(() => this.clock.now());
  /** What may die. */
  readonly services: Service[] = [];
  /** What has died and is not yet alive again. */
  readonly restarting: Set<Service> = new Set();
  readonly #hosts = new Map<string, WorldHost>();
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #checks: (() => void)[] = [];
  /** What a checker found in a place from which nobody would hear of it. */
  #found: SimulationError | undefined;

  constructor(seed: number, isCalm: boolean) {
    this.seed = seed;
    this.isCalm = isCalm;
    this.random = new SeededRandom(seed);
    const latencyMs = this.random.length(40);
    this.datagrams = new SimulatedNetwork(this.clock, {
      seed,
      minDelayMs: 1,
      maxDelayMs: latencyMs,
      maxLogCount: 0,
      ...!isCalm && {
        lossChance: this.random.pick([0, 0.05, 0.3]),
        duplicateChance: this.random.pick([0, 0.1]),
        reorderChance: this.random.pick([0, 0.2]),
      },
    });
    this.streams = new StreamNetwork(this.clock, this.random.fork(), drawLink);
  }

  /** All hosts, in the order in which they were added. */
  get hosts(): readonly WorldHost[] {
    return [...this.#hosts.values()];
  }

  /** The host of a name; there is one from the first call on. */
  host(name: string): WorldHost {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const address = `10.1.0.${this.#hosts.size + 1}`;
    const datagrams = this.datagrams.host(address);
    const host = { name, address, datagrams, connect: this.streams.connectFrom(address) };
    this.#hosts.set(name, host);
    return host;
  }

  /** A resolver of ours on a host, closed at the end. */
  resolver(host: WorldHost, options: ResolverOptions): Resolver {
    const random = this.random.fork();
    const resolver = new Resolver({
      hosts: false,
      search: [],
      wheel: this.wheel,
      randomUint16: () => random.int(0x1_0000),
      udp: { bind: (udp) => host.datagrams.bind(udp) },
      tcp: {
        dial: ({ address, port }, { signal }) =>
          host.connect({ transport: "tcp", hostname: address, port }, { signal }),
      },
      ...options,
    });
    this.onEnd(() => resolver.close());
    return resolver;
  }

  /** Adds what can die, and starts it. */
  run(service: Service): void {
    this.services.push(service);
    service.start();
    this.onEnd(() => service.stop(0));
  }

  /** Waits in virtual time. */
  sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(resolve, durationMs));
  }

  /**
   * Runs an operation, holds that it ends in time and in a documented way, and writes both down.
   *
   * @param label What it is.
   * @param operate Does it; gives what came out, in a word.
   * @returns Whether it succeeded.
   * @throws {SimulationError} If a checker found something.
   */
  async operation(label: string, operate: () => Promise<string>): Promise<boolean> {
    const operation = this.ledger.begin(label);
    const beginMs = this.clock.now();
    let outcome: string;
    let isSuccess = true;
    try {
      outcome = await operate();
    } catch (error) {
      outcome = failureOf(error);
      isSuccess = false;
      check(!this.isCalm, `a failure without a fault in ${label}`, error);
    }
    operation.end(outcome);
    this.look();
    const tookMs = this.clock.now() - beginMs;
    check(tookMs <= MAX_OPERATION_MS, `an operation that took ${tookMs} ms: ${label}`);
    return isSuccess;
  }

  /** Has something looked at again and again: whenever an operation ends. */
  watch(look: () => void): void {
    this.#checks.push(look);
  }

  /** Runs everything that is watched. */
  look(): void {
    for (const look of this.#checks) look();
  }

  /** Remembers what a checker found where its error would be swallowed. */
  catch(error: unknown): void {
    if (error instanceof SimulationError) this.#found ??= error;
  }

  /** Has something closed at the end; the last one first. */
  onEnd(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /**
   * Runs until all of it has happened, then closes everything and looks whether something is left.
   *
   * @throws {SimulationError} If something does not hold.
   */
  async runToEnd(work: Promise<unknown>): Promise<void> {
    await this.#until(work, "work");
    this.look();
    await this.#until(this.sleep(this.isCalm ? CALM_QUIET_MS : QUIET_MS), "rest");
    const { open } = this.ledger;
    check(open.length === 0, "an operation that has not ended", open);
    for (const close of this.#closers.reverse()) await this.#until(close(), "close");
    await this.clock.advanceAsync(CALM_DOWN_MS);
    await settle();
    if (this.#found !== undefined) throw this.#found;
    check(this.wheel.armedCount === 0, `${this.wheel.armedCount} deadlines armed`);
    check(this.clock.pendingCount === 0, `${this.clock.pendingCount} timers pending`);
    for (const connection of this.streams.connections) connection.checkOver();
  }

  async #until(work: Promise<unknown>, what: string): Promise<void> {
    try {
      await this.clock.runUntil(work, { maxDurationMs: MAX_RUN_MS });
    } catch (cause) {
      if (this.#found !== undefined) throw this.#found;
      if (cause instanceof SimulationError) throw cause;
      throw new SimulationError(`Cannot ${what}: ${cause}; open: ${this.ledger.open}`, { cause });
    }
  }
}
