/**
 * {@linkcode DatagramCarrier}: what carries the datagrams of a simulated
 * network.
 *
 * @module
 */

import { BoundedLog } from "./_testing_bounded_log.ts";
import { DatagramPath } from "./_testing_datagram_path.ts";
import { HostRegistry, pathKey } from "./_testing_host_registry.ts";
import type { SimulatedHandle } from "./_testing_simulated_handle.ts";
import type { NetworkHost } from "./_testing_simulated_host.ts";
import { formatSource, isMulticast, parseUdpHost } from "./_udp_address.ts";
import type { Clock } from "./clock.ts";
import type { IpAddress } from "./ip_address.ts";
import type { NetworkEvent, NetworkEventKind } from "./testing_datagram_event.ts";
import type { DatagramFaults } from "./testing_datagram_faults.ts";

/** Options of a carrier, complete. */
export interface CarrierOptions {
  readonly seed: number;
  readonly maxInFlightCount: number;
  readonly maxHostCount: number;
  readonly maxSocketCount: number;
  readonly maxLogCount: number;
}

/** An address and a port. */
export interface Endpoint {
  readonly hostname: string;
  readonly port: number;
}

/** A datagram on its way. */
interface Parcel {
  readonly id: number;
  readonly from: Endpoint;
  readonly to: Endpoint & { readonly address: IpAddress };
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A way between two addresses that was used. */
interface UsedPath {
  readonly path: DatagramPath;
  /** Datagrams that have not arrived. */
  inFlightCount: number;
}

const NO_COUNTS: Readonly<Record<NetworkEventKind, number>> = {
  send: 0,
  spoof: 0,
  deliver: 0,
  lose: 0,
  duplicate: 0,
  reorder: 0,
  oversize: 0,
  cut: 0,
  unreachable: 0,
  overflow: 0,
};

/** Headers of UDP and IP, without options (RFC 768, RFC 791, RFC 8200). */
const HEADER_BYTES = { 4: 28, 6: 48 } as const;

/** Takes datagrams, decides what becomes of them, and hands them over in time. */
export class DatagramCarrier {
  readonly hosts: HostRegistry;
  readonly log: BoundedLog<NetworkEvent>;
  readonly counts: Record<NetworkEventKind, number> = { ...NO_COUNTS };
  /** Faults of ways that have their own, and ways that are cut, by `pathKey`. */
  readonly links: Map<string, Required<DatagramFaults>> = new Map();
  readonly cuts: Set<string> = new Set();
  /** Faults of all other ways. */
  faults: Required<DatagramFaults>;
  readonly #options: CarrierOptions;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #paths: Map<string, UsedPath> = new Map();
  readonly #timers: Set<unknown> = new Set();
  #parcelCount = 0;

  /** Makes a carrier for no hosts. */
  constructor(clock: Clock, options: CarrierOptions, faults: Required<DatagramFaults>) {
    const { maxHostCount, maxSocketCount, maxLogCount } = options;
    this.#options = options;
    this.#clock = clock;
    this.#startMs = clock.now();
    this.faults = faults;
    this.log = new BoundedLog(maxLogCount);
    const carry = this.#carry.bind(this);
    this.hosts = new HostRegistry({ maxSocketCount, carry }, maxHostCount);
  }

  /** Datagrams on their way. */
  get inFlightCount(): number {
    return this.#timers.size;
  }

  /** Sends a datagram whose source nobody has checked, past all faults. */
  spoof(from: Endpoint, to: Endpoint, bytes: Uint8Array, delayMs: number): void {
    const parcel = this.#pack(from, to, new Uint8Array(bytes));
    this.#note("spoof", parcel);
    for (const host of this.#destinations(parcel)) {
      if (delayMs === 0) this.#deliver(parcel, host);
      else this.#after(delayMs, parcel, () => this.#deliver(parcel, host));
    }
  }

  /** Forgets what is on its way, and closes what is bound. */
  close(): void {
    for (const timer of this.#timers) this.#clock.clearTimer(timer);
    this.#timers.clear();
    for (const used of this.#paths.values()) used.inFlightCount = 0;
    for (const host of this.hosts.all) host.close();
  }

  #carry(
    sender: NetworkHost,
    handle: SimulatedHandle,
    bytes: Uint8Array<ArrayBuffer>,
    to: Endpoint,
  ): void {
    const parcel = this.#pack({ hostname: handle.context.source, port: handle.port }, to, bytes);
    this.#note("send", parcel);
    for (const host of this.#destinations(parcel)) {
      if (host !== sender) this.#ship(parcel, host);
      // Inside a host nothing goes wrong, and a socket may not want its own echo.
      else if (handle.loopback || !isMulticast(parcel.to.address)) this.#deliver(parcel, host);
    }
  }

  #pack(from: Endpoint, to: Endpoint, bytes: Uint8Array<ArrayBuffer>): Parcel {
    const address = parseUdpHost("send", to.hostname);
    const hostname = formatSource(address);
    return { id: ++this.#parcelCount, from, to: { address, hostname, port: to.port }, bytes };
  }

  /** The hosts a datagram is brought to: at present members only, if it is to a group. */
  #destinations(parcel: Parcel): readonly NetworkHost[] {
    const { to } = parcel;
    if (isMulticast(to.address)) return [...this.hosts.all].filter((host) => host.hasMember(to));
    const host = this.hosts.ownerOf(to.hostname);
    if (host) return [host];
    this.#note("unreachable", parcel);
    return [];
  }

  /** Brings a datagram to another host, or not. */
  #ship(parcel: Parcel, host: NetworkHost): void {
    const key = pathKey(parcel.from.hostname, targetOf(parcel, host));
    const faults = this.links.get(key) ?? this.faults;
    if (parcel.bytes.length + HEADER_BYTES[parcel.to.address.family] > faults.mtuBytes) {
      return this.#note("oversize", parcel, host);
    }
    if (this.cuts.has(key)) return this.#note("cut", parcel, host);
    const used = this.#pathOf(key);
    const nowMs = this.#clock.now();
    const { isLost, isReordered, arrivalsMs } = used.path.next(faults, nowMs);
    if (isLost) return this.#note("lose", parcel, host);
    if (isReordered) this.#note("reorder", parcel, host);
    if (arrivalsMs.length > 1) this.#note("duplicate", parcel, host);
    for (const arrivalMs of arrivalsMs) {
      const deliver = (): void => this.#deliver(parcel, host, key);
      if (isReordered) this.#after(arrivalMs - nowMs, parcel, deliver);
      else this.#afterOthers(arrivalMs - nowMs, parcel, used, deliver);
    }
  }

  #pathOf(key: string): UsedPath {
    let used = this.#paths.get(key);
    if (used === undefined) {
      used = { path: new DatagramPath(this.#options.seed, key), inFlightCount: 0 };
      this.#paths.set(key, used);
    }
    return used;
  }

  /** Delivers in the order of sending: at once only if nothing sent before is on its way. */
  #afterOthers(delayMs: number, parcel: Parcel, used: UsedPath, deliver: () => void): void {
    if (delayMs === 0 && used.inFlightCount === 0) return deliver();
    const isTaken = this.#after(delayMs, parcel, () => {
      used.inFlightCount--;
      deliver();
    });
    if (isTaken) used.inFlightCount++;
  }

  /** Says whether there was room for one more on its way. */
  #after(delayMs: number, parcel: Parcel, arrive: () => void): boolean {
    if (this.#timers.size >= this.#options.maxInFlightCount) {
      this.#note("overflow", parcel);
      return false;
    }
    const timer = this.#clock.setTimer(() => {
      this.#timers.delete(timer);
      arrive();
    }, delayMs);
    this.#timers.add(timer);
    return true;
  }

  /** Hands a datagram over; `key` is absent if nothing can be in its way. */
  #deliver(parcel: Parcel, host: NetworkHost, key?: string): void {
    if (key !== undefined && this.cuts.has(key)) return this.#note("cut", parcel, host);
    const handles = host.receiversOf(parcel.to);
    if (handles.length === 0) return this.#note("unreachable", parcel, host);
    for (const handle of handles) {
      this.#note("deliver", parcel, host);
      handle.deliver(parcel.bytes.slice(), parcel.from.hostname, parcel.from.port);
    }
  }

  #note(kind: NetworkEventKind, parcel: Parcel, host?: NetworkHost): void {
    this.counts[kind]++;
    const hostname = host ? targetOf(parcel, host) : parcel.to.hostname;
    this.log.add({
      kind,
      atMs: this.#clock.now() - this.#startMs,
      datagram: parcel.id,
      from: formatEndpoint(parcel.from),
      to: formatEndpoint({ hostname, port: parcel.to.port }),
      byteCount: parcel.bytes.length,
    });
  }
}

/** The address of a host that a datagram is brought to. */
function targetOf({ to }: Parcel, host: NetworkHost): string {
  // Whoever has joined a group has an address of its family.
  return isMulticast(to.address) ? host.addressOf(to.address.family)! : to.hostname;
}

function formatEndpoint({ hostname, port }: Endpoint): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
