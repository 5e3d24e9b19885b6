/**
 * {@linkcode DatagramSocket}, the one interface between drivers and UDP.
 *
 * @module
 */

import type { OperationOptions } from "./operation.ts";

/** One datagram that came. */
export interface Datagram {
  /** What was in it, maybe nothing. It belongs to whoever received it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Who says to have sent it; anybody can forge that. */
  readonly from: Deno.NetAddr;
}

/** Options of {@linkcode DatagramSocket.joinMulticast}. */
export interface MulticastOptions {
  /**
   * Address (IPv4) of the interface to join on, or its scope (IPv6, as
   * `"::%eth0"`). The system chooses one if absent.
   *
   * @default {undefined}
   */
  readonly interfaceAddress?: string;

  /**
   * Whether what this socket sends to any group comes back to members on this
   * machine. At first it does.
   *
   * @default {undefined, which leaves it as it is}
   */
  readonly loopback?: boolean;

  /**
   * The TTL of what this socket sends to any group, 1 to 255: how many routers
   * it may pass and one. At first it is 1. mDNS wants 255 (RFC 6762 section 11).
   * IPv4 only.
   *
   * @default {undefined, which leaves it as it is}
   */
  readonly timeToLive?: number;
}

/** How it goes on a {@linkcode DatagramSocket}. */
export interface DatagramStats {
  /** Datagrams the system took. */
  readonly sentCount: number;
  /** Datagrams given to the caller. */
  readonly receivedCount: number;
  /** Datagrams thrown away because too many waited to be received. */
  readonly droppedCount: number;
  /** Datagrams thrown away because a connected socket got them from elsewhere. */
  readonly foreignCount: number;
}

/**
 * A socket for datagrams: UDP, or a simulation of it.
 *
 * Unlike a transport it survives a deadline or an abort: a datagram comes whole
 * or not at all, so nothing is half done. What comes while nobody receives
 * waits, up to a bound; what comes over it is dropped, as a full buffer of the
 * system does.
 *
 * @example Asking and waiting for an answer
 * ```ts
 * import { type DatagramSocket, bindUdp } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const server: DatagramSocket = await bindUdp({ hostname: "127.0.0.1" });
 * const client: DatagramSocket = await bindUdp({ hostname: "127.0.0.1" });
 * await client.send(new Uint8Array([1, 2]), server.localAddr);
 * const { bytes, from } = await server.receive({ timeoutMs: 5_000 });
 * assertEquals([bytes.length, from.port], [2, client.localAddr.port]);
 * client.close();
 * server.close();
 * ```
 */
export interface DatagramSocket extends Disposable, AsyncIterable<Datagram> {
  /** Where it is bound, the chosen port included. */
  readonly localAddr: Deno.NetAddr;

  /** The only peer of a connected socket; `undefined` on others. */
  readonly remoteAddr: Deno.NetAddr | undefined;

  /**
   * Sends one datagram. Order among sends that are not awaited is not kept.
   *
   * @param bytes Its content, 0 to 65,507 bytes (IPv4) or 65,527 (IPv6); unchanged
   * by the caller until the promise settles.
   * @param to Where to. Absent on a connected socket, needed on others.
   * @param options Deadline and signal.
   * @throws {TypeError} If `to` is absent, given on a connected socket, or no
   * address of the socket's family: names are not looked up.
   * @throws {RangeError} If `bytes` is larger than a datagram can be, or the port
   * is not 1 to 65,535.
   * @throws {ConnectionClosedError} If the socket is closed, now or meanwhile.
   * @throws {TimeoutError} If the deadline passes; the datagram may have left.
   * @throws {Error} The signal's reason; the datagram may have left. Or what the
   * system says.
   */
  send(bytes: Uint8Array, to?: Deno.NetAddr, options?: OperationOptions): Promise<void>;

  /**
   * Takes the next datagram, waiting for it. Several may wait at a time: they
   * are served in the order of their calls.
   *
   * @param options Deadline and signal.
   * @returns The datagram.
   * @throws {ConnectionClosedError} If the socket is closed, now or meanwhile.
   * @throws {LimitExceededError} If too many wait already.
   * @throws {TimeoutError} If the deadline passes; the socket stays usable, and
   * the next datagram goes to the next call.
   * @throws {Error} The signal's reason, likewise.
   */
  receive(options?: OperationOptions): Promise<Datagram>;

  /**
   * Joins a group: what is sent to its address comes here as well, if it is
   * sent to the port this socket is bound to.
   *
   * @param group Address of the group.
   * @param options Interface, loopback and reach.
   * @throws {TypeError} If `group` is no group of the socket's family, or the
   * socket was not made for groups.
   * @throws {RangeError} If `timeToLive` is not 1 to 255.
   * @throws {Deno.errors.NotSupported} If `timeToLive` is given for IPv6.
   * @throws {ConnectionClosedError} If the socket is closed.
   * @throws {Error} What the system says if it cannot be joined.
   */
  joinMulticast(group: string, options?: MulticastOptions): Promise<void>;

  /**
   * Leaves a group.
   *
   * @param group Address of the group, as it was joined.
   * @param options The interface, as it was joined.
   * @throws {TypeError} If `group` is no group of the socket's family, or the
   * socket was not made for groups.
   * @throws {ConnectionClosedError} If the socket is closed.
   * @throws {Error} What the system says, for example if it was not joined.
   */
  leaveMulticast(group: string, options?: MulticastOptions): Promise<void>;

  /** How it goes. */
  stats(): DatagramStats;

  /** Keeps the process alive while this is open, as at first. */
  ref(): void;

  /** Lets the process end although this is open. */
  unref(): void;

  /**
   * Gives the socket up: what waits rejects with `ConnectionClosedError`, what
   * came and was not received is forgotten. Iterations end. A second call does
   * nothing.
   */
  close(): void;
}
