/**
 * {@linkcode SimulatedHandle}: a socket of a network that is not there.
 *
 * @module
 */

import type { DatagramHandle, DatagramSink } from "./datagram_handle.ts";
import type { MulticastOptions } from "./datagram_socket.ts";

/** Where a handle is, and what carries its datagrams. */
export interface HandleContext {
  /** Address it is bound to, maybe an unspecified one. */
  readonly hostname: string;
  readonly port: number;
  /** Whether `hostname` stands for all addresses of the host. */
  readonly isUnspecified: boolean;
  readonly reuseAddress: boolean;
  /** Where its datagrams come from. */
  readonly source: string;
  /** Takes a datagram, which is the network's from then on. */
  carry(
    handle: SimulatedHandle,
    bytes: Uint8Array<ArrayBuffer>,
    to: { readonly hostname: string; readonly port: number },
  ): void;
  /** The handle is no more. */
  leave(handle: SimulatedHandle): void;
}

/** The simulated counterpart of a socket of the runtime. */
export class SimulatedHandle implements DatagramHandle {
  readonly context: HandleContext;
  readonly #groups: Set<string> = new Set();
  #sink: DatagramSink | undefined;
  #loopback = true;

  /** Makes a handle; it is told of nothing before it is started. */
  constructor(context: HandleContext) {
    this.context = context;
  }

  get hostname(): string {
    return this.context.hostname;
  }

  get port(): number {
    return this.context.port;
  }

  /** Whether what it sends to a group comes back to members on its host. */
  get loopback(): boolean {
    return this.#loopback;
  }

  /** Whether a datagram to this group, at the port of this handle, is for it. */
  isMember(group: string): boolean {
    // As on most systems, a socket of one address gets nothing that is sent to a group.
    return this.context.isUnspecified && this.#groups.has(group);
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
  }

  /** Hands a datagram over. */
  deliver(bytes: Uint8Array<ArrayBuffer>, hostname: string, port: number): void {
    this.#sink?.onDatagram(bytes, hostname, port);
  }

  // deno-lint-ignore require-await
  async send(bytes: Uint8Array, hostname: string, port: number): Promise<void> {
    this.context.carry(this, new Uint8Array(bytes), { hostname, port });
  }

  joinMulticast(group: string, options: MulticastOptions): void {
    const { loopback, timeToLive } = options;
    // As through node:dgram, which sets that of IPv4 only.
    if (timeToLive !== undefined && group.includes(":")) {
      throw new Deno.errors.NotSupported("Cannot join group: timeToLive is for IPv4 only");
    }
    const key = withoutZone(group);
    if (this.#groups.has(key)) {
      throw new Deno.errors.AddrInUse(`Cannot join group: ${group} is joined already`);
    }
    this.#groups.add(key);
    this.#loopback = loopback ?? this.#loopback;
  }

  leaveMulticast(group: string): void {
    if (this.#groups.delete(withoutZone(group))) return;
    throw new Deno.errors.AddrNotAvailable(`Cannot leave group: ${group} was not joined`);
  }

  ref(): void {}

  unref(): void {}

  close(): void {
    this.context.leave(this);
    this.#groups.clear();
  }
}

/** There is one link, so the zone of a group says nothing. */
function withoutZone(group: string): string {
  return group.replace(/%.*$/, "");
}
