/**
 * {@linkcode UdpSocket}: what a UDP socket is, whichever way the datagrams take
 * through the runtime.
 *
 * @module
 */

import { checkUdpPort, formatSource, isMulticast, parseUdpHost } from "./_udp_address.ts";
import { tooLargeError, toSendError } from "./_udp_send_error.ts";
import type { DatagramHandle, DatagramSink } from "./datagram_handle.ts";
import type { DatagramQueue } from "./datagram_queue.ts";
import type {
  Datagram,
  DatagramSocket,
  DatagramStats,
  MulticastOptions,
} from "./datagram_socket.ts";
import { ConnectionClosedError } from "./errors.ts";
import { Guard } from "./guard.ts";
import { formatIpAddress, type IpAddress, parseIpAddress } from "./ip_address.ts";
import { isBounded, type OperationOptions } from "./operation.ts";
import { toSystemError } from "./system_error.ts";
import { closeQuietly } from "./transport.ts";

/** Options of {@linkcode UdpSocket}. */
export interface UdpSocketOptions {
  /** Where the handle was told to bind. */
  readonly bindAddress: IpAddress;
  /** The only peer. */
  readonly remote?: { readonly address: IpAddress; readonly port: number } | undefined;
  /** Whether groups may be joined: then the handle can do it. */
  readonly multicast?: boolean | undefined;
  /** Closes the socket. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Failures in a row after which receiving is given up. One is no reason: some
 * systems report here that an earlier datagram found no receiver.
 */
const MAX_RECEIVE_FAILURES = 100;

/** 65,535 bytes without the headers of UDP and, for IPv4, of IP. */
const MAX_BYTES = { 4: 65_507, 6: 65_527 } as const;

/** A {@linkcode DatagramSocket} over a socket of the runtime. */
export class UdpSocket implements DatagramSocket {
  readonly localAddr: Deno.NetAddr;
  readonly remoteAddr: Deno.NetAddr | undefined;
  readonly #handle: DatagramHandle;
  readonly #queue: DatagramQueue;
  readonly #family: 4 | 6;
  readonly #zone: string | undefined;
  /** The text under which the peer of a connected socket shows up. */
  readonly #remoteSource: string | undefined;
  readonly #multicast: boolean;
  readonly #signal: AbortSignal | undefined;
  /** The last destination found to be an address. */
  #checkedHostname: string | undefined;
  #sentCount = 0;
  #foreignCount = 0;
  #failureCount = 0;
  #state: "open" | "closed" | "failed" = "open";

  /**
   * Takes over a handle.
   *
   * @param handle The handle, just opened.
   * @param queue Where datagrams wait.
   * @param options Addresses and signal.
   */
  constructor(handle: DatagramHandle, queue: DatagramQueue, options: UdpSocketOptions) {
    const { bindAddress, remote, multicast = false, signal } = options;
    this.#queue = queue;
    this.#handle = handle;
    this.#family = bindAddress.family;
    this.#zone = bindAddress.zone ?? remote?.address.zone;
    this.localAddr = netAddr(this.#withZone(handle.hostname), handle.port);
    if (remote) {
      // Frozen, because every datagram comes with it.
      this.remoteAddr = Object.freeze(netAddr(formatIpAddress(remote.address), remote.port));
      this.#remoteSource = formatSource(remote.address);
    }
    this.#multicast = multicast;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    handle.start(this.#sink);
  }

  send(bytes: Uint8Array, to?: Deno.NetAddr, options?: OperationOptions): Promise<void> {
    try {
      const { hostname, port } = this.#destination(to);
      if (bytes.length > MAX_BYTES[this.#family]) throw tooLargeError(bytes.length);
      if (!isBounded(options)) return this.#give(bytes, hostname, port);
      return this.#sendWithin(options, bytes, hostname, port);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  receive(options?: OperationOptions): Promise<Datagram> {
    return this.#queue.receive(options);
  }

  // These two are `async` so that their errors are rejections; a later runtime
  // may have something to wait for.
  // deno-lint-ignore require-await
  async joinMulticast(group: string, options: MulticastOptions = {}): Promise<void> {
    const address = this.#checkGroup("join group", group, options);
    this.#handle.joinMulticast!(address, options);
  }

  // deno-lint-ignore require-await
  async leaveMulticast(group: string, options: MulticastOptions = {}): Promise<void> {
    const address = this.#checkGroup("leave group", group, options);
    this.#handle.leaveMulticast!(address, options);
  }

  stats(): DatagramStats {
    const { receivedCount, droppedCount } = this.#queue;
    return {
      sentCount: this.#sentCount,
      receivedCount,
      droppedCount,
      foreignCount: this.#foreignCount,
    };
  }

  ref(): void {
    if (this.#state === "open") this.#handle.ref();
  }

  unref(): void {
    if (this.#state === "open") this.#handle.unref();
  }

  close(): void {
    this.#end("closed");
  }

  [Symbol.dispose](): void {
    this.#end("closed");
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Datagram, void, void> {
    for (;;) {
      let datagram: Datagram;
      try {
        datagram = await this.#queue.receive();
      } catch (error) {
        if (this.#state === "closed") return;
        throw error;
      }
      yield datagram;
    }
  }

  readonly #sink: DatagramSink = {
    onDatagram: (bytes, hostname, port) => {
      this.#failureCount = 0;
      const from = this.#source(hostname, port);
      if (from) this.#queue.push({ bytes, from });
      else this.#foreignCount++;
    },
    onReceiveError: (error) => {
      if (++this.#failureCount >= MAX_RECEIVE_FAILURES) this.#end("failed", toSystemError(error));
    },
  };

  readonly #onAbort = (): void => this.#end("closed", this.#signal!.reason);

  #end(state: "closed" | "failed", cause?: unknown): void {
    if (this.#state !== "open") return;
    this.#state = state;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    closeQuietly(this.#handle);
    this.#queue.close(cause);
  }

  /** Who sent a datagram; `undefined` if a connected socket has nothing to do with it. */
  #source(hostname: string, port: number): Deno.NetAddr | undefined {
    if (this.remoteAddr === undefined) return netAddr(this.#withZone(hostname), port);
    if (port !== this.remoteAddr.port) return undefined;
    const isPeer = hostname === this.#remoteSource || canonical(hostname) === this.#remoteSource;
    return isPeer ? this.remoteAddr : undefined;
  }

  /**
   * Adds the zone this socket is bound to: the runtime leaves it out, and
   * without it nobody can answer (RFC 4007 section 6).
   */
  #withZone(hostname: string): string {
    if (this.#zone === undefined || !/^fe[89ab].:[^%]*$/.test(hostname)) return hostname;
    return `${hostname}%${this.#zone}`;
  }

  #destination(to: Deno.NetAddr | undefined): { hostname: string; port: number } {
    if (this.remoteAddr !== undefined) {
      if (to === undefined) return this.remoteAddr;
      throw new TypeError("Cannot send: the socket is connected, expected no destination");
    }
    if (to === undefined) {
      throw new TypeError("Cannot send: the socket is not connected, expected a destination");
    }
    // An answer goes where the last one went, more often than not.
    if (to.hostname !== this.#checkedHostname) {
      parseUdpHost("send", to.hostname, this.#family);
      this.#checkedHostname = to.hostname;
    }
    checkUdpPort("send", to.port, 1);
    return to;
  }

  /** Not an `async` function, nor `send`: each would add a promise to every datagram. */
  #give(bytes: Uint8Array, hostname: string, port: number): Promise<void> {
    if (this.#state !== "open") throw closedError("send");
    return this.#handle.send(bytes, hostname, port).then(this.#onSent, (error) => {
      if (this.#state !== "open") throw closedError("send", error);
      throw toSendError(error, { byteCount: bytes.length, hostname, port });
    });
  }

  readonly #onSent = (): void => {
    this.#sentCount++;
  };

  /** What was given to the system cannot be taken back: it goes on by itself. */
  async #sendWithin(
    options: OperationOptions,
    bytes: Uint8Array,
    hostname: string,
    port: number,
  ): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const guard = new Guard(reject);
    guard.start("send", options);
    try {
      await Promise.race([this.#give(bytes, hostname, port), promise]);
    } finally {
      guard.stop();
    }
  }

  #checkGroup(action: string, group: string, options: MulticastOptions): string {
    const { interfaceAddress, timeToLive = 1 } = options;
    const address = parseUdpHost(action, group, this.#family);
    if (!isMulticast(address)) throw new TypeError(`Cannot ${action}: ${group} is no group`);
    if (interfaceAddress !== undefined) parseUdpHost(action, interfaceAddress, this.#family);
    if (!(Number.isInteger(timeToLive) && timeToLive >= 1 && timeToLive <= 255)) {
      throw new RangeError(
        `Cannot ${action}: timeToLive is ${timeToLive}, expected an integer from 1 to 255`,
      );
    }
    if (!this.#multicast) {
      throw new TypeError(`Cannot ${action}: the socket was bound without multicast: true`);
    }
    if (this.#state !== "open") throw closedError(action);
    return formatIpAddress(address);
  }
}

/** The one text of an address, should the system have another way to write it. */
function canonical(hostname: string): string | undefined {
  const address = parseIpAddress(hostname);
  return address && formatSource(address);
}

function netAddr(hostname: string, port: number): Deno.NetAddr {
  return { transport: "udp", hostname, port };
}

function closedError(action: string, cause?: unknown): ConnectionClosedError {
  return new ConnectionClosedError(
    `Cannot ${action}: the socket was closed`,
    cause === undefined ? {} : { cause },
  );
}
