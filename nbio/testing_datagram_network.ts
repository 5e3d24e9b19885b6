/**
 * {@linkcode SimulatedNetwork}: UDP between hosts that are not there.
 *
 * @module
 */

import { DatagramCarrier } from "./_testing_datagram_carrier.ts";
import { checkSeed } from "./_testing_check_faults.ts";
import { resolveDatagramFaults } from "./_testing_datagram_path.ts";
import { checkUdpPort, formatSource, isUnspecified, parseUdpHost } from "./_udp_address.ts";
import type { Clock } from "./clock.ts";
import type { DatagramSocket } from "./datagram_socket.ts";
import type { NetworkEvent, NetworkEventKind } from "./testing_datagram_event.ts";
import type { DatagramFaults } from "./testing_datagram_faults.ts";
import type { NetworkPlace, SimulatedHost } from "./testing_datagram_host.ts";
import type { UdpOptions } from "./udp.ts";

/** Options of {@linkcode SimulatedNetwork}: faults of all its paths, and bounds. */
export interface SimulatedNetworkOptions extends DatagramFaults {
  /**
   * Where chance comes from: the same integer gives the same faults.
   *
   * @default {0}
   */
  readonly seed?: number;

  /**
   * Most datagrams that are on their way at a time; more are dropped. An integer
   * of at least 1.
   *
   * @default {10_000}
   */
  readonly maxInFlightCount?: number;

  /**
   * Most hosts, an integer of at least 1.
   *
   * @default {1_000}
   */
  readonly maxHostCount?: number;

  /**
   * Most sockets of a host, an integer of at least 1.
   *
   * @default {1_000}
   */
  readonly maxSocketCount?: number;

  /**
   * Most entries of the log; what happens later is only counted. An integer of
   * at least 0.
   *
   * @default {10_000}
   */
  readonly maxLogCount?: number;
}

/** Options of {@linkcode SimulatedNetwork.spoof}. */
export interface SpoofOptions {
  /**
   * Milliseconds of the clock until it arrives, an integer of at least 0.
   *
   * @default {0}
   */
  readonly delayMs?: number;
}

/**
 * A network that carries datagrams between hosts in memory, loses some, doubles
 * some, delays them, lets them overtake each other, and writes down what it did.
 * Its sockets are `DatagramSocket`s with the options, checks, bounds and errors
 * of those that `bindUdp` gives.
 *
 * - Chance is that of the seed, apart for each pair of addresses: the same
 *   datagrams in the same order meet the same faults, whatever else happens on
 *   the network. Inside one host nothing goes wrong.
 * - Time is that of the clock: with a `ManualClock`, run the code under test by
 *   `clock.runUntil` or `clock.advanceAsync`. Without a delay nothing needs a
 *   clock: what is sent has arrived.
 * - Delays keep the order of datagrams between two addresses; only
 *   `reorderChance` breaks it.
 * - Every address is of its own kind: 127.0.0.1 is an address like any other, IPv4 and
 *   IPv6 do not meet. A datagram for which nobody is bound vanishes.
 * - All hosts are on one link: a datagram to a multicast group reaches every
 *   host on which a socket bound to the unspecified address and that port has
 *   joined the group, each by its own path and luck.
 *
 * It needs no permission, no socket and no clean-up but what the clock does:
 * on the system's clock, close it, lest timers are left.
 *
 * @example Asking again until an answer comes
 * ```ts
 * import { DeadlineWheel, TimeoutError } from "@nbio/net/nbio";
 * import { ManualClock, SimulatedNetwork } from "@nbio/net/nbio/testing";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const network = new SimulatedNetwork(clock, { seed: 5, lossChance: 0.7, minDelayMs: 20 });
 * const server = await network.bind({ hostname: "192.0.2.1", port: 53 });
 * const client = await network.bind({ remote: server.localAddr });
 *
 * const serving = (async () => {
 *   for await (const { bytes, from } of server) await server.send(bytes, from);
 * })();
 *
 * async function ask(question: Uint8Array): Promise<number> {
 *   const wheel = new DeadlineWheel(clock, { tickMs: 10 });
 *   for (let attempt = 1;; attempt++) {
 *     await client.send(question);
 *     try {
 *       await client.receive({ timeoutMs: 1_000, wheel });
 *       return attempt;
 *     } catch (error) {
 *       if (!(error instanceof TimeoutError)) throw error;
 *     }
 *   }
 * }
 *
 * const attempts = await clock.runUntil(ask(new Uint8Array([1, 2, 3])));
 * assert(attempts > 1, network.report());
 * assertEquals(network.stats().send > network.stats().deliver, true);
 * network.close();
 * await serving;
 * ```
 *
 * @example A forged answer does not get past a connected socket
 * ```ts
 * import { ManualClock, SimulatedNetwork } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new SimulatedNetwork(new ManualClock());
 * const server = await network.bind({ hostname: "192.0.2.1", port: 53 });
 * const client = await network.bind({ remote: server.localAddr });
 * const stranger = { transport: "udp", hostname: "203.0.113.9", port: 53 } as const;
 * network.spoof(stranger, client.localAddr, new Uint8Array([6, 6, 6]));
 * network.spoof(server.localAddr, client.localAddr, new Uint8Array([1]));
 * assertEquals((await client.receive()).bytes, new Uint8Array([1]));
 * assertEquals(client.stats().foreignCount, 1);
 * network.close();
 * ```
 */
export class SimulatedNetwork implements Disposable {
  /** The seed that repeats what happens here. */
  readonly seed: number;
  readonly #carrier: DatagramCarrier;

  /**
   * Makes a network without hosts.
   *
   * @param clock What delays go by.
   * @param options Faults of every path, seed and bounds.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(clock: Clock, options: SimulatedNetworkOptions = {}) {
    const {
      seed = 0,
      maxInFlightCount = 10_000,
      maxHostCount = 1_000,
      maxSocketCount = 1_000,
      maxLogCount = 10_000,
      ...faults
    } = options;
    this.seed = checkSeed(seed);
    checkCount("maxInFlightCount", maxInFlightCount);
    checkCount("maxHostCount", maxHostCount);
    checkCount("maxSocketCount", maxSocketCount);
    const bounds = { maxInFlightCount, maxHostCount, maxSocketCount, maxLogCount };
    this.#carrier = new DatagramCarrier(clock, { seed, ...bounds }, resolveDatagramFaults(faults));
  }

  /** What has happened so far, in order; it grows as more happens. */
  get log(): readonly NetworkEvent[] {
    return this.#carrier.log.entries;
  }

  /** How many datagrams are on their way. */
  get inFlightCount(): number {
    return this.#carrier.inFlightCount;
  }

  /** How often each thing has happened. */
  stats(): Readonly<Record<NetworkEventKind, number>> {
    return { ...this.#carrier.counts };
  }

  /** The log as text, with the seed: for the message of a failed test. */
  report(): string {
    return this.#carrier.log.format(`Network of seed ${this.seed}:`, formatEvent);
  }

  /**
   * Adds a host.
   *
   * @param addresses Its addresses, at least one; the first of a family is the
   * source of what it sends.
   * @returns The host.
   * @throws {TypeError} If there is none, or one is no address of one host.
   * @throws {Deno.errors.AddrInUse} If another host has one of them.
   * @throws {LimitExceededError} If there are too many hosts.
   *
   * @example A client with the injected bind of a host
   * ```ts
   * import type { bindUdp } from "@nbio/net/nbio";
   * import { ManualClock, SimulatedNetwork } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const network = new SimulatedNetwork(new ManualClock());
   * const host = network.host("10.0.0.7", "fd00::7");
   * const bind: typeof bindUdp = (options) => host.bind(options);
   *
   * const socket = await bind({ port: 5_353 });
   * assertEquals(socket.localAddr, { transport: "udp", hostname: "0.0.0.0", port: 5_353 });
   * assertEquals(host.addresses, ["10.0.0.7", "fd00::7"]);
   * network.close();
   * ```
   */
  host(...addresses: readonly string[]): SimulatedHost {
    return this.#carrier.hosts.add(addresses);
  }

  /**
   * Binds a socket on the host that has its address; adds that host if there is
   * none. Without an address, or with an unspecified one, it gets a host of its
   * own, at the next free address of 10.0.0.0/8 or fd00::/64, and without an
   * address it is bound to that.
   *
   * @param options As of `bindUdp`.
   * @returns The socket.
   * @throws {Deno.errors.AddrInUse} If the port is taken.
   * @throws {LimitExceededError} If there are too many hosts or sockets.
   * @throws {TypeError} If an address is none, or they do not go together.
   * @throws {RangeError} If a port or bound is out of its range.
   * @throws {Error} The signal's reason if it is aborted already.
   *
   * @example Two sockets, nothing else
   * ```ts
   * import { ManualClock, SimulatedNetwork } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const network = new SimulatedNetwork(new ManualClock());
   * const [a, b] = [await network.bind(), await network.bind()];
   * await a.send(new Uint8Array([1]), b.localAddr);
   * assertEquals((await b.receive()).from, a.localAddr);
   * network.close();
   * ```
   */
  async bind(options: UdpOptions = {}): Promise<DatagramSocket> {
    const { hostname, remote } = options;
    const { hosts } = this.#carrier;
    const given = hostname === undefined ? undefined : parseUdpHost("bind", hostname);
    if (given && !isUnspecified(given)) {
      return await (hosts.ownerOf(formatSource(given)) ?? hosts.add([hostname!])).bind(options);
    }
    const family = given?.family ?? (remote && parseUdpHost("connect", remote.hostname).family);
    const host = hosts.addAnywhere(family ?? 4);
    return await host.bind({ ...options, hostname: hostname ?? host.addresses[0]! });
  }

  /**
   * Changes the faults of all paths but those of `setLink`.
   *
   * @param faults What changes; the rest stays as it is.
   * @throws {RangeError} If one is out of its range.
   *
   * @example From now on everything is lost
   * ```ts
   * import { ManualClock, SimulatedNetwork } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const network = new SimulatedNetwork(new ManualClock());
   * const [a, b] = [await network.bind(), await network.bind()];
   * await a.send(new Uint8Array([1]), b.localAddr);
   * network.setFaults({ lossChance: 1 });
   * await a.send(new Uint8Array([2]), b.localAddr);
   * assertEquals([network.stats().deliver, network.stats().lose], [1, 1]);
   * network.close();
   * ```
   */
  setFaults(faults: DatagramFaults): void {
    const carrier = this.#carrier;
    carrier.faults = resolveDatagramFaults(faults, carrier.faults);
  }

  /**
   * Gives the way from one place to another faults of its own; the way back
   * keeps its own. What is on its way is not concerned.
   *
   * @param from Who sends.
   * @param to Who receives.
   * @param faults What differs from those of the network as they are now.
   * @throws {RangeError} If one is out of its range.
   * @throws {TypeError} If a place is no address of one host.
   *
   * @example Only the answers get lost
   * ```ts
   * import { ManualClock, SimulatedNetwork } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const network = new SimulatedNetwork(new ManualClock());
   * const [a, b] = [await network.bind(), await network.bind()];
   * network.setLink(b.localAddr.hostname, a.localAddr.hostname, { lossChance: 1 });
   * await a.send(new Uint8Array([1]), b.localAddr);
   * await b.send(new Uint8Array([2]), a.localAddr);
   * assertEquals([network.stats().deliver, network.stats().lose], [1, 1]);
   * network.close();
   * ```
   */
  setLink(from: NetworkPlace, to: NetworkPlace, faults: DatagramFaults): void {
    const { links, hosts, faults: base } = this.#carrier;
    const resolved = resolveDatagramFaults(faults, base);
    for (const key of hosts.pathsBetween(from, to)) links.set(key, resolved);
  }

  /**
   * Cuts two places off from each other, both ways. What is on its way between
   * them is lost too, if the cut is still there when it would arrive.
   *
   * @param a One side.
   * @param b The other side.
   * @throws {TypeError} If a place is no address of one host.
   *
   * @example A partition that heals
   * ```ts
   * import { ManualClock, SimulatedNetwork } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const network = new SimulatedNetwork(new ManualClock());
   * const [a, b] = [await network.bind(), await network.bind()];
   * network.partition(a.localAddr.hostname, b.localAddr.hostname);
   * await a.send(new Uint8Array([1]), b.localAddr);
   * network.repair();
   * await a.send(new Uint8Array([2]), b.localAddr);
   * assertEquals((await b.receive()).bytes, new Uint8Array([2]));
   * network.close();
   * ```
   */
  partition(a: NetworkPlace, b: NetworkPlace): void {
    const { cuts, hosts } = this.#carrier;
    for (const key of hosts.pathsBetween(a, b)) cuts.add(key);
    for (const key of hosts.pathsBetween(b, a)) cuts.add(key);
  }

  /**
   * Undoes partitions.
   *
   * @param a One side; all partitions go if it is absent.
   * @param b The other side; those of `a` from everybody go if it is absent.
   * @throws {TypeError} If a place is no address of one host.
   */
  repair(a?: NetworkPlace, b?: NetworkPlace): void {
    const { cuts, hosts } = this.#carrier;
    if (a === undefined) return cuts.clear();
    const others = b ?? [...hosts.all];
    for (const key of hosts.pathsBetween(a, others)) cuts.delete(key);
    for (const key of hosts.pathsBetween(others, a)) cuts.delete(key);
  }

  /**
   * Sends a datagram under a false name: an attacker's. It meets no fault and no
   * partition.
   *
   * @param from Who is said to have sent it; need not exist.
   * @param to Where to.
   * @param bytes Its content, copied.
   * @param options When it arrives.
   * @throws {TypeError} If an address is none.
   * @throws {RangeError} If a port or `delayMs` is out of its range.
   */
  spoof(from: Deno.NetAddr, to: Deno.NetAddr, bytes: Uint8Array, options: SpoofOptions = {}): void {
    const { delayMs = 0 } = options;
    if (!(Number.isSafeInteger(delayMs) && delayMs >= 0)) {
      throw new RangeError(
        `Cannot spoof: delayMs is ${delayMs}, expected an integer of at least 0`,
      );
    }
    checkUdpPort("spoof", from.port, 1);
    checkUdpPort("spoof", to.port, 1);
    const source = parseUdpHost("spoof", from.hostname);
    parseUdpHost("spoof", to.hostname, source.family);
    this.#carrier.spoof({ hostname: formatSource(source), port: from.port }, to, bytes, delayMs);
  }

  /**
   * Closes every socket and forgets what is on its way. Hosts, partitions and
   * the log stay, and sockets can be bound again.
   */
  close(): void {
    this.#carrier.close();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new RangeError(
    `Cannot simulate network: ${name} is ${value}, expected an integer of at least 1`,
  );
}

function formatEvent({ kind, atMs, datagram, from, to, byteCount }: NetworkEvent): string {
  return `${atMs} ms, datagram ${datagram}, ${from} > ${to}: ${kind}, ${byteCount} bytes`;
}
