/**
 * {@linkcode HostRegistry}: who has which address.
 *
 * @module
 */

import { type HostContext, NetworkHost } from "./_testing_simulated_host.ts";
import { formatSource, isMulticast, isUnspecified, parseUdpHost } from "./_udp_address.ts";
import { LimitExceededError } from "./errors.ts";
import { formatIpAddress } from "./ip_address.ts";
import type { NetworkPlace } from "./testing_datagram_host.ts";

/** The hosts of a simulated network. */
export class HostRegistry {
  readonly #context: HostContext;
  readonly #maxHostCount: number;
  readonly #hosts: Set<NetworkHost> = new Set();
  readonly #owners: Map<string, NetworkHost> = new Map();
  /** Of the addresses that were given out. */
  #lastNumber = 0;

  /** Makes an empty one. */
  constructor(context: HostContext, maxHostCount: number) {
    this.#context = context;
    this.#maxHostCount = maxHostCount;
  }

  /** All of them, in the order in which they came. */
  get all(): Iterable<NetworkHost> {
    return this.#hosts;
  }

  /** Who has an address, which is in its one form. */
  ownerOf(hostname: string): NetworkHost | undefined {
    return this.#owners.get(hostname);
  }

  /** Adds a host with addresses in any form. */
  add(given: readonly string[]): NetworkHost {
    const addresses = [...new Set(given.map((hostname) => toHostAddress("add a host", hostname)))];
    if (addresses.length === 0) throw new TypeError("Cannot add a host: it has no address");
    const taken = addresses.find((address) => this.#owners.has(address));
    if (taken !== undefined) {
      throw new Deno.errors.AddrInUse(`Cannot add a host: another one has the address ${taken}`);
    }
    if (this.#hosts.size >= this.#maxHostCount) {
      throw new LimitExceededError(`Cannot add a host: there are ${this.#maxHostCount}`, {
        limit: "maxHostCount",
        max: this.#maxHostCount,
      });
    }
    const host = new NetworkHost(this.#context, addresses);
    this.#hosts.add(host);
    for (const address of addresses) this.#owners.set(address, host);
    return host;
  }

  /** Adds a host with an address that no other has. */
  addAnywhere(family: 4 | 6): NetworkHost {
    for (;;) {
      const address = numberedAddress(family, ++this.#lastNumber);
      if (!this.#owners.has(address)) return this.add([address]);
    }
  }

  /** Keys of all ways from the hosts of one place to those of another. */
  pathsBetween(from: NetworkPlace, to: NetworkPlace): string[] {
    const targets = this.#addressesOf(to);
    return this.#addressesOf(from).flatMap((source) =>
      targets.map((target) => pathKey(source, target))
    );
  }

  /** An address stands for its host, or for itself before there is one. */
  #addressesOf(place: NetworkPlace): readonly string[] {
    if (typeof place === "string") {
      const address = toHostAddress("find a host", place);
      return this.#owners.get(address)?.addresses ?? [address];
    }
    if ("addresses" in place) return place.addresses;
    return place.flatMap((one) => this.#addressesOf(one));
  }
}

/** What a way from one address to another goes by. */
export function pathKey(from: string, to: string): string {
  return `${from}>${to}`;
}

/** The one form of the address of one host. */
function toHostAddress(action: string, hostname: string): string {
  const address = parseUdpHost(action, hostname);
  if (isUnspecified(address) || isMulticast(address)) {
    throw new TypeError(`Cannot ${action}: ${hostname} is not the address of one host`);
  }
  return formatSource(address);
}

function numberedAddress(family: 4 | 6, number: number): string {
  const bytes = new Uint8Array(family === 4 ? 4 : 16);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, number);
  // 10.0.0.0/8 (RFC 1918) and fd00::/8 (RFC 4193).
  bytes[0] = family === 4 ? 10 : 0xfd;
  return formatIpAddress({ family, bytes, zone: undefined });
}
