/**
 * {@linkcode bindAddresses}: addresses to listening sockets, at once.
 *
 * @module
 */

import type { AcceptSource } from "./accept_source.ts";
import type { ListenAddress } from "./listen_address.ts";
import { closeQuietly } from "./transport.ts";

const MAX_PORT = 65_535;
const MAX_PENDING = 65_535;

/** What is to be bound for TCP, with the defaults filled in. */
export interface TcpAddress {
  readonly hostname: string;
  readonly port: number;
  readonly maxPendingConnections: number;
}

/**
 * Binds all addresses, or none of them.
 *
 * @param addresses Where to listen, checked already.
 * @returns One source per address, in their order.
 * @throws {Deno.errors.NotSupported} If a port is to be shared and this process
 * cannot do it here.
 * @throws {Error} What the runtime says about the first address that cannot be
 * bound; those before it are free again.
 */
export function bindAddresses(addresses: readonly ListenAddress[]): AcceptSource[] {
  const sources: AcceptSource[] = [];
  try {
    for (const address of addresses) sources.push(bindAddress(address));
  } catch (error) {
    for (const source of sources) closeQuietly(source);
    throw error;
  }
  return sources;
}

function bindAddress(address: ListenAddress): AcceptSource {
  const { path, reusePort = false } = address;
  if (path !== undefined) return Deno.listen({ transport: "unix", path });
  if (!reusePort) return bindTcp(resolveTcpAddress(address));
  checkReusePort();
  if (!canReusePort()) {
    throw new Deno.errors.NotSupported(
      "Cannot share a port: the process runs without --unstable-net; bindReusePort() can, " +
        "and what it gives is passed as listener",
    );
  }
  return bindTcp(resolveTcpAddress(address), { reusePort: true });
}

/**
 * Binds a TCP port.
 *
 * @param address Where to listen.
 * @param options `reusePort` shares the port. Only where {@linkcode canReusePort}
 * says so: elsewhere the runtime ends the process, and nothing can catch that.
 * @returns The listening socket.
 * @throws {Error} What the runtime says.
 */
export function bindTcp(
  address: TcpAddress,
  options: { readonly reusePort?: boolean } = {},
): AcceptSource {
  const { hostname, port, maxPendingConnections: tcpBacklog } = address;
  const { reusePort = false } = options;
  const listenOptions = { hostname, port, tcpBacklog, reusePort };
  return Deno.listen(listenOptions);
}

/**
 * Whether `Deno.listen` can share a port. It needs `--unstable-net`, which is
 * told by another thing that this flag switches on.
 *
 * @returns Whether `reusePort` may be given to it.
 */
export function canReusePort(): boolean {
  return typeof (Deno as { listenDatagram?: unknown }).listenDatagram === "function";
}

/**
 * Refuses where a system would take the option and not heed it.
 *
 * @throws {Deno.errors.NotSupported} If the system is not Linux.
 */
export function checkReusePort(): void {
  const { os } = Deno.build;
  if (os === "linux" || os === "android") return;
  throw new Deno.errors.NotSupported(`Cannot share a port: ${os} does not balance connections`);
}

/**
 * Checks an address before anything is bound.
 *
 * @param address What the caller gave.
 * @throws {RangeError} If a number is out of its range.
 * @throws {TypeError} If it is an address of TCP and of a Unix socket.
 */
export function checkListenAddress(address: ListenAddress): void {
  const { port = 0, hostname, path, reusePort, maxPendingConnections = 1 } = address;
  checkInteger("port", port, 0, MAX_PORT);
  checkInteger("maxPendingConnections", maxPendingConnections, 1, MAX_PENDING);
  if (path === undefined) return;
  const ofTcp = [address.port, hostname, reusePort, address.maxPendingConnections];
  if (ofTcp.every((value) => value === undefined)) return;
  throw new TypeError("Cannot listen: path excludes port and all that belongs to it");
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `Cannot listen: ${name} is ${value}, expected an integer from ${min} to ${max}`,
  );
}

/**
 * Fills in the defaults.
 *
 * @param address What the caller gave, checked already.
 * @returns The address, complete.
 */
export function resolveTcpAddress(address: ListenAddress): TcpAddress {
  const { hostname = "0.0.0.0", port = 0, maxPendingConnections = 511 } = address;
  return { hostname, port, maxPendingConnections };
}
