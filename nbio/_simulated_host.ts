/**
 * {@linkcode NetworkHost}: a machine of a network that is not there.
 *
 * @module
 */

import { type DoorContext, SimulatedDoor } from "./_simulated_door.ts";
import {
  checkUdpPort,
  formatSource,
  isMulticast,
  isUnspecified,
  parseUdpHost,
} from "./_udp_address.ts";
import { DatagramQueue } from "./datagram_queue.ts";
import type { DatagramSocket } from "./datagram_socket.ts";
import { LimitExceededError } from "./errors.ts";
import type { IpAddress } from "./ip_address.ts";
import type { SimulatedHost } from "./testing_datagram_host.ts";
import type { UdpOptions, UdpRemote } from "./udp.ts";
import { UdpSocket } from "./udp_socket.ts";

/** What a host needs of its network. */
export interface HostContext {
  readonly maxSocketCount: number;
  /** Takes a datagram of a door of this host. */
  carry(
    host: NetworkHost,
    door: SimulatedDoor,
    bytes: Uint8Array<ArrayBuffer>,
    to: { readonly hostname: string; readonly port: number },
  ): void;
}

/** Where a datagram goes. */
export interface Destination {
  readonly address: IpAddress;
  readonly hostname: string;
  readonly port: number;
}

/** The dynamic ports of RFC 6335 section 6. */
const FIRST_PORT = 49_152;
const LAST_PORT = 65_535;

/** Addresses, and the sockets bound to them. */
export class NetworkHost implements SimulatedHost {
  readonly addresses: readonly string[];
  readonly #context: HostContext;
  /** By family and port, in the order in which they were bound. */
  readonly #doors: Map<string, SimulatedDoor[]> = new Map();
  /** What closes them. */
  readonly #sockets: Map<SimulatedDoor, UdpSocket> = new Map();
  #nextPort = FIRST_PORT;

  /** Makes a host; its addresses are in their one form, and at least one. */
  constructor(context: HostContext, addresses: readonly string[]) {
    this.#context = context;
    this.addresses = addresses;
  }

  // Not `async` for the sake of its callers: as bindUdp() it rejects.
  // deno-lint-ignore require-await
  async bind(options: UdpOptions = {}): Promise<DatagramSocket> {
    const { port = 0, reuseAddress = false, multicast = false, signal } = options;
    signal?.throwIfAborted();
    checkUdpPort("bind", port, 0);
    const remote = checkRemote(options.remote);
    const bindAddress = this.#bindAddress(options.hostname, remote?.address);
    const queue = new DatagramQueue(options);
    const door = this.#open(bindAddress, port, reuseAddress);
    const socket = new UdpSocket(door, queue, { bindAddress, remote, multicast, signal });
    this.#sockets.set(door, socket);
    return socket;
  }

  /** Whether one of its sockets has joined a group at a port. */
  hasMember(to: Destination): boolean {
    return this.#doorsAt(to).some((door) => door.isMember(to.hostname));
  }

  /** Who gets a datagram: all members of a group, or one at most. */
  receiversOf(to: Destination): readonly SimulatedDoor[] {
    const doors = this.#doorsAt(to);
    if (isMulticast(to.address)) return doors.filter((door) => door.isMember(to.hostname));
    // The more particular one, and of several the last one.
    const door = doors.findLast(({ hostname }) => hostname === to.hostname) ??
      doors.findLast(({ context }) => context.isUnspecified);
    return door ? [door] : [];
  }

  /** Closes every socket. */
  close(): void {
    for (const socket of [...this.#sockets.values()]) socket.close();
  }

  #doorsAt({ address, port }: Destination): readonly SimulatedDoor[] {
    return this.#doors.get(`${address.family} ${port}`) ?? [];
  }

  /** As bindUdp() has it, but for a host of one family. */
  #bindAddress(hostname: string | undefined, remote: IpAddress | undefined): IpAddress {
    const onlyIpv6 = this.addresses.every((address) => address.includes(":"));
    const isIpv6 = remote === undefined ? onlyIpv6 : remote.family === 6;
    return parseUdpHost("bind", hostname ?? (isIpv6 ? "::" : "0.0.0.0"), remote?.family);
  }

  #open(address: IpAddress, port: number, reuseAddress: boolean): SimulatedDoor {
    const hostname = formatSource(address);
    const isAny = isUnspecified(address);
    const source = isAny ? this.addressOf(address.family) : hostname;
    if (source === undefined || !this.addresses.includes(source)) {
      throw new Deno.errors.AddrNotAvailable(`Cannot bind: ${hostname} is no address of the host`);
    }
    const { maxSocketCount } = this.#context;
    if (this.#sockets.size >= maxSocketCount) {
      throw new LimitExceededError(`Cannot bind: the host has ${maxSocketCount} sockets`, {
        limit: "maxSocketCount",
        max: maxSocketCount,
      });
    }
    const place = { family: address.family, hostname, isUnspecified: isAny, reuseAddress };
    const boundPort = port === 0 ? this.#freePort(place) : port;
    if (!this.#isFree(boundPort, place)) {
      throw new Deno.errors.AddrInUse(`Cannot bind: ${hostname} port ${boundPort} is taken`);
    }
    const key = `${address.family} ${boundPort}`;
    const door = new SimulatedDoor({
      ...place,
      port: boundPort,
      source,
      carry: (from, bytes, to) => this.#context.carry(this, from, bytes, to),
      leave: (gone) => this.#leave(key, gone),
    });
    this.#doors.set(key, [...this.#doors.get(key) ?? [], door]);
    return door;
  }

  /** Its first address of a family. */
  addressOf(family: 4 | 6): string | undefined {
    return this.addresses.find((address) => address.includes(":") === (family === 6));
  }

  #leave(key: string, door: SimulatedDoor): void {
    this.#sockets.delete(door);
    const doors = this.#doors.get(key)!.filter((other) => other !== door);
    if (doors.length > 0) this.#doors.set(key, doors);
    else this.#doors.delete(key);
  }

  #isFree(port: number, place: Place): boolean {
    const doors = this.#doors.get(`${place.family} ${port}`) ?? [];
    return doors.every(({ context }) => {
      const isApart = context.hostname !== place.hostname && !context.isUnspecified &&
        !place.isUnspecified;
      return isApart || (context.reuseAddress && place.reuseAddress);
    });
  }

  #freePort(place: Place): number {
    const portCount = LAST_PORT - FIRST_PORT + 1;
    for (let tried = 0; tried < portCount; tried++) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_PORT ? FIRST_PORT : port + 1;
      if (!this.#doors.has(`${place.family} ${port}`)) return port;
    }
    throw new Deno.errors.AddrInUse(`Cannot bind: no port of ${place.hostname} is free`);
  }
}

type Place = Pick<DoorContext, "hostname" | "isUnspecified" | "reuseAddress"> & {
  readonly family: 4 | 6;
};

/** As bindUdp() has it. */
function checkRemote(
  remote: UdpRemote | undefined,
): { readonly address: IpAddress; readonly port: number } | undefined {
  if (remote === undefined) return undefined;
  const address = parseUdpHost("connect", remote.hostname);
  checkUdpPort("connect", remote.port, 1);
  if (isUnspecified(address) || isMulticast(address)) {
    throw new TypeError(`Cannot connect: ${remote.hostname} is not the address of one host`);
  }
  return { address, port: remote.port };
}
