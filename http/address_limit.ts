import { parseIpAddress } from "../nbio/ip_address.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import type { ConnectionHandler } from "../nbio/transport_listener.ts";
import { unmappedBytes } from "./ip_range.ts";
import { resolveBound } from "./limits.ts";

/** Options of {@linkcode limitPerAddress}. */
export interface AddressLimitOptions {
  /**
   * Connections of one address at a time. 0 and Infinity switch the limit off.
   *
   * @default {100}
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Leading bits of an IPv6 address that make up "one address", 1 to 128: whoever
   * has one, has a whole network of them (RFC 6177).
   *
   * @default {64}
   */
  readonly ipv6PrefixBits?: number;
}

/**
 * Puts a limit on the connections of one address: one more is closed without a
 * word. An IPv4 address and the same one mapped into IPv6 are one; Unix sockets
 * have none and are not limited. What is counted is `remoteAddr`: over a
 * `proxyListener()` that of the client, behind any other proxy that of the proxy.
 *
 * `serve` does this by its option `maxConnectionsPerAddress`.
 *
 * @param handler Handles a connection until its promise settles.
 * @param options The limit.
 * @returns A handler that refuses what is too much. It holds one counter per
 * address that is connected.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example Two per address
 * ```ts
 * import { limitPerAddress } from "@nbio/net/http";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * let handledCount = 0;
 * const handler = limitPerAddress(() => {
 *   handledCount++;
 *   return new Promise<void>(() => {});
 * }, { maxConnectionsPerAddress: 2 });
 *
 * const pipes = [memoryPipe(), memoryPipe(), memoryPipe()];
 * for (const [, server] of pipes) handler(server);
 * assertEquals(handledCount, 2);
 * assertEquals(await pipes[2]![0].read(new Uint8Array(1)), null);
 * ```
 */
export function limitPerAddress(
  handler: ConnectionHandler,
  options: AddressLimitOptions = {},
): ConnectionHandler {
  const { maxConnectionsPerAddress = 100, ipv6PrefixBits = 64 } = options;
  const most = resolveBound("maxConnectionsPerAddress", maxConnectionsPerAddress);
  checkPrefixBits(ipv6PrefixBits);
  if (most === Infinity) return handler;
  const counts = new Map<string, number>();
  return (transport) => {
    const key = addressKey(transport.remoteAddr, ipv6PrefixBits);
    if (key === undefined) return handler(transport);
    const count = counts.get(key) ?? 0;
    if (count >= most) return closeQuietly(transport);
    counts.set(key, count + 1);
    return runCounted(transport, handler, () => leave(counts, key));
  };
}

async function runCounted(
  transport: Transport,
  handler: ConnectionHandler,
  onEnd: () => void,
): Promise<void> {
  try {
    await handler(transport);
  } finally {
    onEnd();
  }
}

function leave(counts: Map<string, number>, key: string): void {
  const count = counts.get(key)! - 1;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

/** What one address is counted under; `undefined` for what has none. */
function addressKey(addr: Deno.Addr, ipv6PrefixBits: number): string | undefined {
  if (!("hostname" in addr)) return undefined;
  const address = parseIpAddress(addr.hostname);
  if (address === undefined) return addr.hostname;
  const bytes = unmappedBytes(address);
  if (bytes.length === 4) return bytes.join(".");
  // On links of its own an address says nothing without its zone (RFC 4007).
  return `${networkOf(bytes, ipv6PrefixBits)}%${address.zone ?? ""}`;
}

function networkOf(bytes: Uint8Array<ArrayBuffer>, bits: number): string {
  const network = bytes.slice(0, Math.ceil(bits / 8));
  const rest = bits & 7;
  if (rest !== 0) network[network.length - 1]! &= 0xff << (8 - rest);
  return network.join(":");
}

function checkPrefixBits(bits: number): void {
  if (Number.isInteger(bits) && bits >= 1 && bits <= 128) return;
  throw new RangeError(
    `Cannot use option ipv6PrefixBits: ${bits} is not an integer from 1 to 128`,
  );
}
