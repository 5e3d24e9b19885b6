/**
 * {@linkcode DatagramHandle}: what carries the datagrams of a UDP socket.
 *
 * @module
 */

import type { MulticastOptions } from "./datagram_socket.ts";
import type { IpAddress } from "./ip_address.ts";

/** What a handle is to bind. */
export interface DatagramBinding {
  /** The address. */
  readonly address: IpAddress;
  /** The port, 0 for one that the system chooses. */
  readonly port: number;
  /** Whether others may bind the same. */
  readonly reuseAddress: boolean;
}

/** Whom a {@linkcode DatagramHandle} tells. Neither method throws. */
export interface DatagramSink {
  /**
   * A datagram came.
   *
   * @param bytes Its content, which belongs to the sink.
   * @param hostname Address of the source, in the form of the system.
   * @param port Port of the source.
   */
  onDatagram(bytes: Uint8Array<ArrayBuffer>, hostname: string, port: number): void;

  /**
   * Receiving failed; the handle goes on.
   *
   * @param error Why.
   */
  onReceiveError(error: unknown): void;
}

/** A bound socket of the runtime: one of the ways to the system. */
export interface DatagramHandle {
  /** Address it is bound to, as the system says it. */
  readonly hostname: string;
  /** Port it is bound to. */
  readonly port: number;

  /**
   * Begins to tell; nothing is lost if this is called in the turn in which the
   * handle was opened.
   *
   * @param sink Whom to tell.
   */
  start(sink: DatagramSink): void;

  /**
   * Sends a datagram.
   *
   * @param bytes Its content.
   * @param hostname Address of the destination.
   * @param port Port of the destination.
   * @throws {Error} What the runtime says.
   */
  send(bytes: Uint8Array, hostname: string, port: number): Promise<unknown>;

  /** Joins a multicast group; absent if this handle cannot do all of it. */
  joinMulticast?(group: string, options: MulticastOptions): void;
  /** Leaves a multicast group. */
  leaveMulticast?(group: string, options: MulticastOptions): void;
  /** Keeps the process alive, as at first. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
  /** Gives the socket up. Called once. */
  close(): void;
}
