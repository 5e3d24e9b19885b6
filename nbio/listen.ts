/**
 * {@linkcode listen}: listening sockets under one connection limit that no
 * failing `accept` stops.
 *
 * @module
 */

import type { AcceptSource } from "./accept_source.ts";
import type { ListenAddress } from "./listen_address.ts";
import { bindAddresses, checkListenAddress } from "./listen_bind.ts";
import { checkMaxConnections } from "./connection_limit.ts";
import { TransportListener, type TransportListenerOptions } from "./transport_listener.ts";

/**
 * Options of {@linkcode listen}. Where to listen is said in one of four ways:
 * by the fields of {@linkcode ListenAddress}, `addresses`, `listener` or
 * `listeners`.
 */
export interface ListenOptions extends ListenAddress, TransportListenerOptions {
  /**
   * Several addresses, at least one. All are bound or none is.
   *
   * @default {undefined}
   */
  readonly addresses?: readonly ListenAddress[];

  /**
   * A source of connections made elsewhere, such as a `Deno.TlsListener` or
   * what {@linkcode bindReusePort} gives. It belongs to the result from now on.
   *
   * @default {undefined}
   */
  readonly listener?: AcceptSource;

  /**
   * Several sources made elsewhere, at least one. They belong to the result
   * from now on.
   *
   * @default {undefined}
   */
  readonly listeners?: readonly AcceptSource[];
}

/**
 * Listens on TCP ports and Unix sockets. Permission: `--allow-net` for the
 * addresses; for a Unix socket `--allow-net=unix:PATH`, `--allow-read` and
 * `--allow-write` for its path.
 *
 * @param options Where to listen, and bounds.
 * @returns The listener; connections queue up until `serve` is called.
 * @throws {RangeError} If a number is out of its range or a list is empty.
 * @throws {TypeError} If options exclude each other.
 * @throws {Deno.errors.AddrInUse} If an address is taken; other failures to
 * bind throw the runtime's own classes too. Nothing is left bound then.
 * @throws {Deno.errors.NotSupported} If a port is to be shared where
 * `Deno.listen` cannot do that.
 * @throws {Error} The reason of `signal`, if it is aborted already.
 *
 * @example An echo server
 * ```ts
 * import { listen, sendAll } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listen({ hostname: "127.0.0.1" });
 * listener.serve(async (transport) => {
 *   const buffer = new Uint8Array(1_024);
 *   for (let n; (n = await transport.read(buffer)) !== null;) {
 *     await sendAll(transport, buffer.subarray(0, n));
 *   }
 *   transport.close();
 * });
 *
 * const { port } = listener.addr as Deno.NetAddr;
 * const client = await Deno.connect({ hostname: "127.0.0.1", port });
 * await sendAll(client, new Uint8Array([1, 2, 3]));
 * assertEquals(await client.read(new Uint8Array(16)), 3);
 * client.close();
 * ```
 *
 * @example IPv4 and IPv6 under one limit
 * ```ts
 * import { listen } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listen({
 *   addresses: [{ hostname: "127.0.0.1" }, { hostname: "::1" }],
 *   maxConnections: 1_000,
 * });
 * assertEquals(listener.addrs.length, 2);
 * ```
 */
export function listen(options: ListenOptions = {}): TransportListener {
  options.signal?.throwIfAborted();
  checkMaxConnections(options.maxConnections);
  return new TransportListener(openSources(options), options);
}

function openSources(options: ListenOptions): readonly AcceptSource[] {
  const { addresses, listener, listeners } = options;
  const own = ownAddress(options);
  const given = [own, addresses, listener, listeners].filter((way) => way !== undefined);
  if (given.length > 1) {
    throw new TypeError(
      "Cannot listen: give one of port or path, addresses, listener, and listeners",
    );
  }
  if (listener !== undefined) return [listener];
  if (listeners !== undefined) return checkNotEmpty("listeners", listeners);
  const wanted = checkNotEmpty("addresses", addresses ?? [own ?? {}]);
  for (const address of wanted) checkListenAddress(address);
  return bindAddresses(wanted);
}

/** The one address that the options themselves give, if they do. */
function ownAddress(options: ListenOptions): ListenAddress | undefined {
  const { port, hostname, path, reusePort, maxPendingConnections } = options;
  const fields = [port, hostname, path, reusePort, maxPendingConnections];
  return fields.every((field) => field === undefined) ? undefined : options;
}

function checkNotEmpty<T>(name: string, list: readonly T[]): readonly T[] {
  if (list.length > 0) return list;
  throw new RangeError(`Cannot listen: ${name} is empty, expected at least one`);
}
