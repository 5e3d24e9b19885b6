/**
 * {@linkcode openNodeHandle}: datagrams through `node:dgram`, which needs no flag
 * of the runtime.
 *
 * @module
 */

import type { RemoteInfo, Socket } from "node:dgram";
import { MAX_TIMER_MS } from "./_timer_limit.ts";
import { systemClock } from "./clock.ts";
import type { DatagramBinding, DatagramHandle, DatagramSink } from "./datagram_handle.ts";
import type { MulticastOptions } from "./datagram_socket.ts";
import { formatIpAddress } from "./ip_address.ts";
import { toSystemError } from "./system_error.ts";

/** Memory in which the runtime receives a datagram, each in one of its own. */
const RECEIVE_BUFFER_BYTES = 65_536;

/**
 * Binds a socket.
 *
 * @param binding Address and port.
 * @returns The handle.
 * @throws {Deno.errors.NotCapable} If there is no permission for the address.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 * @throws {Error} What else the system says.
 */
export async function openNodeHandle(binding: DatagramBinding): Promise<DatagramHandle> {
  const { createSocket } = await import("node:dgram");
  const { address, port, reuseAddress: reuseAddr } = binding;
  const { family } = address;
  const socket = createSocket({
    type: family === 4 ? "udp4" : "udp6",
    reuseAddr,
    // Every address goes through here, those of each datagram that is sent too.
    lookup: (hostname, _options, callback) => callback(null, hostname, family),
  });
  const bound = Promise.withResolvers<void>();
  socket.once("listening", bound.resolve).once("error", bound.reject);
  // See NodeHandle.ref(): it must be said before the first receive begins.
  socket.unref();
  try {
    // Explicitly, because a socket that is bound by its first send loses datagrams.
    socket.bind({ port, address: formatIpAddress(address) });
    await bound.promise;
    // As Deno.listenDatagram has it, and Go: there is nothing to protect from
    // one who chose the address himself.
    socket.setBroadcast(true);
  } catch (error) {
    socket.close();
    throw toSystemError(error);
  }
  return new NodeHandle(socket, family);
}

class NodeHandle implements DatagramHandle {
  readonly hostname: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #family: 4 | 6;
  #hold: unknown;

  constructor(socket: Socket, family: 4 | 6) {
    const { address, port } = socket.address();
    this.hostname = address;
    this.port = port;
    this.#socket = socket;
    this.#family = family;
    this.ref();
  }

  start(sink: DatagramSink): void {
    this.#socket.on("message", (message: Uint8Array<ArrayBuffer>, from: RemoteInfo) => {
      sink.onDatagram(ownBytes(message), from.address, from.port);
    });
    this.#socket.on("error", (error) => sink.onReceiveError(error));
  }

  send(bytes: Uint8Array, hostname: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, port, hostname, (error) => error ? reject(error) : resolve());
    });
  }

  joinMulticast(group: string, options: MulticastOptions): void {
    const { interfaceAddress, loopback, timeToLive } = options;
    if (timeToLive !== undefined && this.#family === 6) {
      // It would be taken without a word and have no effect.
      throw new Deno.errors.NotSupported("Cannot join group: timeToLive is for IPv4 only");
    }
    try {
      if (interfaceAddress !== undefined) this.#socket.setMulticastInterface(interfaceAddress);
      if (loopback !== undefined) this.#socket.setMulticastLoopback(loopback);
      if (timeToLive !== undefined) this.#socket.setMulticastTTL(timeToLive);
      this.#socket.addMembership(group, interfaceAddress);
    } catch (error) {
      throw toSystemError(error);
    }
  }

  leaveMulticast(group: string, options: MulticastOptions): void {
    try {
      this.#socket.dropMembership(group, options.interfaceAddress);
    } catch (error) {
      throw toSystemError(error);
    }
  }

  /**
   * The runtime's own ref and unref take hold only when the next datagram has
   * come. So the socket never keeps the process alive, and a timer does.
   */
  ref(): void {
    this.#hold ??= systemClock.setTimer(this.#holdOn, MAX_TIMER_MS);
  }

  unref(): void {
    systemClock.clearTimer(this.#hold);
    this.#hold = undefined;
  }

  close(): void {
    this.unref();
    this.#socket.close();
  }

  readonly #holdOn = (): void => {
    this.#hold = undefined;
    this.ref();
  };
}

/**
 * The content, in as much memory as it needs, and without the `slice` of a
 * `Buffer`, which does not copy.
 *
 * Shrinking the buffer gives its memory back at once instead of leaving it to
 * the garbage collector, which saves more time than all of this file costs
 * (tests/bench/nbio/udp_echo.ts). A buffer that is not of that size may be
 * shared with others.
 */
function ownBytes(message: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = message;
  const isWhole = byteOffset === 0 && buffer.byteLength === RECEIVE_BUFFER_BYTES;
  return isWhole ? new Uint8Array(buffer.transfer(length)) : new Uint8Array(message);
}
