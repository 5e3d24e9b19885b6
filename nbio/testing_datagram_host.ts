/**
 * {@linkcode SimulatedHost}: a machine of a simulated network.
 *
 * @module
 */

import type { DatagramSocket } from "./datagram_socket.ts";
import type { UdpOptions } from "./udp.ts";

/** A machine of a `SimulatedNetwork`. */
export interface SimulatedHost {
  /** Its addresses, in their one form (RFC 5952 for IPv6). */
  readonly addresses: readonly string[];

  /**
   * Binds a socket of this host as `bindUdp` does, so that code under test can
   * be given this in its place: `(options) => host.bind(options)`.
   *
   * @param options As of `bindUdp`.
   * @returns The socket.
   * @throws {Deno.errors.AddrNotAvailable} If the address is not one of the
   * host's, or it has none of the family.
   * @throws {Deno.errors.AddrInUse} If the port is taken.
   * @throws {LimitExceededError} If the host has too many sockets.
   * @throws {TypeError} If an address is none, or they do not go together.
   * @throws {RangeError} If a port or bound is out of its range.
   * @throws {Error} The signal's reason if it is aborted already.
   */
  bind(options?: UdpOptions): Promise<DatagramSocket>;
}

/** Hosts, by themselves or by one of their addresses. */
export type NetworkPlace = string | SimulatedHost | readonly (string | SimulatedHost)[];
