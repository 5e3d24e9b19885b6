/**
 * {@linkcode NetworkHost}: a machine of a network that is not there.
 *
 * @module
 */

import { type HandleContext, SimulatedHandle } from "./_testing_simulated_handle.ts";
import {
  checkUdpPort,
  checkUdpRemote,
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
import type { UdpOptions } from "./udp.ts";
import { UdpSocket } from "./udp_socket.ts";

/** What a host needs of its network. */
export interface HostContext {
  readonly maxSocketCount: number;
  /** Takes a datagram of a handle of this host. */
  carry(
    host: NetworkHost,
    handle: SimulatedHandle,
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
  readonly #handles: Map<string, SimulatedHandle[]> = new Map();
  /** What closes them. */
  readonly #sockets: Map<SimulatedHandle, UdpSocket> = new Map();
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
    const remote = checkUdpRemote(options.remote);
    const bindAddress = this.#bindAddress(options.hostname, remote?.address);
    const queue = new DatagramQueue(options);
    const handle = this.#open(bindAddress, port, reuseAddress);
    const socket = new UdpSocket(handle, queue, { bindAddress, remote, multicast, signal });
    this.#sockets.set(handle, socket);
    return socket;
  }

  /** Whether one of its sockets has joined a group at a port. */
  hasMember(to: Destination): boolean {
    return this.#handlesAt(to).some((handle) => handle.isMember(to.hostname));
  }

  /** Who gets a datagram: all members of a group, or one at most. */
  receiversOf(to: Destination): readonly SimulatedHandle[] {
    const handles = this.#handlesAt(to);
    if (isMulticast(to.address)) return handles.filter((handle) => handle.isMember(to.hostname));
    // The more particular one, and of several the last one.
    const handle = handles.findLast(({ hostname }) => hostname === to.hostname) ??
      handles.findLast(({ context }) => context.isUnspecified);
    return handle ? [handle] : [];
  }

  /** Closes every socket. */
  close(): void {
    for (const socket of [...this.#sockets.values()]) socket.close();
  }

  #handlesAt({ address, port }: Destination): readonly SimulatedHandle[] {
    return this.#handles.get(`${address.family} ${port}`) ?? [];
  }

  /** As bindUdp() has it, but for a host of one family. */
  #bindAddress(hostname: string | undefined, remote: IpAddress | undefined): IpAddress {
    const onlyIpv6 = this.addresses.every((address) => address.includes(":"));
    const isIpv6 = remote === undefined ? onlyIpv6 : remote.family === 6;
    return parseUdpHost("bind", hostname ?? (isIpv6 ? "::" : "0.0.0.0"), remote?.family);
  }

  #open(address: IpAddress, port: number, reuseAddress: boolean): SimulatedHandle {
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
    const handle = new SimulatedHandle({
      ...place,
      port: boundPort,
      source,
      carry: (from, bytes, to) => this.#context.carry(this, from, bytes, to),
      leave: (gone) => this.#leave(key, gone),
    });
    this.#handles.set(key, [...this.#handles.get(key) ?? [], handle]);
    return handle;
  }

  /** Its first address of a family. */
  addressOf(family: 4 | 6): string | undefined {
    return this.addresses.find((address) => address.includes(":") === (family === 6));
  }

  #leave(key: string, handle: SimulatedHandle): void {
    this.#sockets.delete(handle);
    const handles = this.#handles.get(key)!.filter((other) => other !== handle);
    if (handles.length > 0) this.#handles.set(key, handles);
    else this.#handles.delete(key);
  }

  #isFree(port: number, place: Place): boolean {
    const handles = this.#handles.get(`${place.family} ${port}`) ?? [];
    return handles.every(({ context }) => {
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
      if (!this.#handles.has(`${place.family} ${port}`)) return port;
    }
    throw new Deno.errors.AddrInUse(`Cannot bind: no port of ${place.hostname} is free`);
  }
}

type Place = Pick<HandleContext, "hostname" | "isUnspecified" | "reuseAddress"> & {
  readonly family: 4 | 6;
};
