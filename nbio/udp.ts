/**
 * {@linkcode bindUdp}: UDP sockets that need no flag of the runtime.
 *
 * @module
 */

import { checkUdpPort, checkUdpRemote, parseUdpHost } from "./_udp_address.ts";
import { DatagramQueue } from "./datagram_queue.ts";
import type { DatagramSocket } from "./datagram_socket.ts";
import type { IpAddress } from "./ip_address.ts";
import { hasDenoHandle, openDenoHandle } from "./udp_deno.ts";
import { openNodeHandle } from "./udp_node.ts";
import { UdpSocket } from "./udp_socket.ts";

/** The peer of a connected socket. */
export interface UdpRemote {
  /** Its address; for a link-local one with its zone (`fe80::1%eth0`). */
  readonly hostname: string;
  /** Its port, 1 to 65,535. */
  readonly port: number;
}

/** Options of {@linkcode bindUdp}. */
export interface UdpOptions {
  /**
   * Address to bind. Its family is that of the socket: with `"::"` it reaches,
   * and is reached from, IPv4 as well on most systems, under addresses such as
   * `::ffff:192.0.2.1`. A link-local address needs its zone (`fe80::1%eth0`).
   *
   * @default {"0.0.0.0", or "::" if `remote` is an IPv6 address}
   */
  readonly hostname?: string;

  /**
   * Port to bind, 0 to 65,535; 0 lets the system choose a free one.
   *
   * @default {0}
   */
  readonly port?: number;

  /**
   * The only peer: `send` needs no destination, and what comes from elsewhere
   * is thrown away and counted. Anybody can forge a source, so this keeps out
   * strangers, not attackers.
   *
   * @default {undefined}
   */
  readonly remote?: UdpRemote;

  /**
   * Whether others may bind the same address and port: on Linux each datagram
   * to a group goes to all of them, any other one to the last. mDNS needs it.
   *
   * @default {false}
   */
  readonly reuseAddress?: boolean;

  /**
   * Whether `joinMulticast` may be called. It goes through `node:dgram` only,
   * which is slower than what a process with `--unstable-net` has. An IPv6
   * interface that is not there counts as none.
   *
   * @default {false}
   */
  readonly multicast?: boolean;

  /**
   * Datagrams that wait to be received, at most; when there are so many, what
   * comes is dropped and counted. 0 and `Infinity` mean no limit.
   *
   * @default {1_024}
   */
  readonly maxQueuedCount?: number;

  /**
   * Bytes in the datagrams that wait to be received, at most. They take as much
   * memory and a few hundred bytes for each. 0 and `Infinity` mean no limit.
   *
   * @default {1_048_576}
   */
  readonly maxQueuedBytes?: number;

  /**
   * Receives that wait for a datagram at a time, at most; one more rejects with
   * {@linkcode LimitExceededError}. 0 and `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly maxWaiters?: number;

  /**
   * Closes the socket when aborted. What waits rejects with a
   * {@linkcode ConnectionClosedError} whose `cause` is the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/**
 * Binds a UDP socket, connected to a peer if `remote` is given.
 *
 * Everywhere an address is wanted it must be one: names are refused instead of
 * being looked up behind the caller's back. A {@linkcode HostResolver} finds
 * addresses.
 *
 * Datagrams are taken from the system whether or not anybody receives, so that
 * what is lost here is counted; what the system drops is not. The port of a
 * socket that was closed is free from the next turn of the event loop on.
 *
 * Permission: `--allow-net` for the address and port that are bound, as in
 * `--allow-net=0.0.0.0:0` for a client, and for every destination. Receiving
 * needs none.
 *
 * Through `node:dgram`, that is without `--unstable-net` or with `multicast`,
 * the runtime does not tell why a send failed: it rejects with an `Error` whose
 * `code` is `"UNKNOWN"`, except for a missing permission
 * (`Deno.errors.NotCapable`) and a datagram that is too large (`RangeError`).
 * Neither way tells that a peer is not there. The runtime leaves the zone of a
 * link-local source out; it is put back if the socket is bound to, or connected
 * to, an address with a zone.
 *
 * @param options Where to bind, the peer, and bounds.
 * @returns The socket.
 * @throws {TypeError} If `hostname` or the `hostname` of `remote` is no address,
 * they differ in their family, or `remote` is a group or no particular host.
 * @throws {RangeError} If a port or a bound is out of its range.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 * @throws {Deno.errors.NotCapable} If there is no permission for the address.
 * @throws {Error} What else the system says; the signal's reason if it is
 * aborted already.
 *
 * @example A client that waits for its server only
 * ```ts
 * import { bindUdp } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * using server = await bindUdp({ hostname: "127.0.0.1" });
 * using client = await bindUdp({ hostname: "127.0.0.1", remote: server.localAddr });
 *
 * await client.send(new TextEncoder().encode("ping"));
 * const { bytes, from } = await server.receive();
 * await server.send(bytes, from);
 * const answer = await client.receive({ timeoutMs: 5_000 });
 * assertEquals(new TextDecoder().decode(answer.bytes), "ping");
 * ```
 *
 * @example A service that ends with its signal
 * ```ts
 * import { bindUdp } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const controller = new AbortController();
 * const service = await bindUdp({ hostname: "127.0.0.1", signal: controller.signal });
 * await service.send(new Uint8Array(3), service.localAddr);
 * let byteCount = 0;
 * for await (const { bytes } of service) {
 *   byteCount += bytes.length;
 *   controller.abort();
 * }
 * assertEquals(byteCount, 3);
 * ```
 */
export async function bindUdp(options: UdpOptions = {}): Promise<DatagramSocket> {
  const { port = 0, reuseAddress = false, multicast = false, signal } = options;
  signal?.throwIfAborted();
  checkUdpPort("bind", port, 0);
  const remote = checkUdpRemote(options.remote);
  const address = bindAddress(options.hostname, remote?.address);
  const queue = new DatagramQueue(options);
  const binding = { address, port, reuseAddress };
  const open = hasDenoHandle() && !multicast ? openDenoHandle : openNodeHandle;
  const handle = await open(binding);
  if (signal?.aborted) {
    handle.close();
    throw signal.reason;
  }
  return new UdpSocket(handle, queue, { bindAddress: address, remote, multicast, signal });
}

function bindAddress(hostname: string | undefined, remote: IpAddress | undefined): IpAddress {
  const unspecified = remote?.family === 6 ? "::" : "0.0.0.0";
  return parseUdpHost("bind", hostname ?? unspecified, remote?.family);
}
