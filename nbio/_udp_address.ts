// This module is sans-I/O.

/**
 * What may be an end of a UDP socket.
 *
 * @module
 */

import { formatIpAddress, type IpAddress, parseIpAddress } from "./ip_address.ts";

const MAX_PORT = 65_535;

/**
 * Parses an address. Names are refused: the runtime would look them up in the
 * middle of a `send`, one by one, and block the process meanwhile.
 *
 * @param action What failed, for the message.
 * @param hostname The address, without brackets.
 * @param family The family it must have; either if absent.
 * @returns Its parts.
 * @throws {TypeError} If it is no address, or one of the other family.
 */
export function parseUdpHost(action: string, hostname: string, family?: 4 | 6): IpAddress {
  const address = parseIpAddress(hostname);
  if (address === undefined) {
    throw new TypeError(
      `Cannot ${action}: ${quote(hostname)} is no IP address, and names are not looked up`,
    );
  }
  if (family !== undefined && address.family !== family) {
    const hint = family === 6 ? `, expected "::ffff:${hostname}"` : "";
    throw new TypeError(
      `Cannot ${action}: ${hostname} is no address of an IPv${family} socket${hint}`,
    );
  }
  return address;
}

/**
 * Checks a port.
 *
 * @param action What failed, for the message.
 * @param port The port.
 * @param min The lowest that will do: 0 to bind, 1 to send.
 * @throws {RangeError} If it is no integer from `min` to 65,535.
 */
export function checkUdpPort(action: string, port: number, min: 0 | 1): void {
  if (Number.isInteger(port) && port >= min && port <= MAX_PORT) return;
  throw new RangeError(
    `Cannot ${action}: port is ${port}, expected an integer from ${min} to ${MAX_PORT}`,
  );
}

/**
 * Checks the peer of a connected socket.
 *
 * @param remote Its address and port, if there is one.
 * @returns Both, the address taken apart.
 * @throws {TypeError} If the address is none, or not that of one host.
 * @throws {RangeError} If the port is not 1 to 65,535.
 */
export function checkUdpRemote(
  remote: { readonly hostname: string; readonly port: number } | undefined,
): { readonly address: IpAddress; readonly port: number } | undefined {
  if (remote === undefined) return undefined;
  const address = parseUdpHost("connect", remote.hostname);
  checkUdpPort("connect", remote.port, 1);
  // Nothing ever comes from such an address, so every answer would be a stranger's.
  if (isUnspecified(address) || isMulticast(address)) {
    throw new TypeError(`Cannot connect: ${remote.hostname} is not the address of one host`);
  }
  return { address, port: remote.port };
}

/**
 * Whether an address is a multicast group.
 *
 * @param address The address.
 * @returns Whether it is in 224.0.0.0/4 or ff00::/8.
 */
export function isMulticast(address: IpAddress): boolean {
  const first = address.bytes[0]!;
  return address.family === 4 ? first >> 4 === 0xe : first === 0xff;
}

/**
 * Whether an address stands for no particular host.
 *
 * @param address The address.
 * @returns Whether it is 0.0.0.0 or ::.
 */
export function isUnspecified(address: IpAddress): boolean {
  return address.bytes.every((byte) => byte === 0);
}

/**
 * The text under which the system shows an address as the source of a datagram:
 * it leaves the zone out.
 *
 * @param address The address.
 * @returns The text.
 */
export function formatSource(address: IpAddress): string {
  return formatIpAddress({ ...address, zone: undefined });
}

/** The first characters of what should have been an address. */
function quote(text: unknown): string {
  return JSON.stringify(String(text).slice(0, 32));
}
