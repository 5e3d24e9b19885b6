/**
 * {@linkcode bindReusePort}: one port, several processes.
 *
 * @module
 */

import type { AcceptSource } from "./accept_source.ts";
import type { ListenAddress } from "./listen_address.ts";
import {
  bindTcp,
  canReusePort,
  checkListenAddress,
  checkReusePort,
  resolveTcpAddress,
} from "./listen_bind.ts";
import { closeQuietly } from "./transport.ts";

/** Options of {@linkcode bindReusePort}. */
export interface BindReusePortOptions
  extends Pick<ListenAddress, "port" | "hostname" | "maxPendingConnections"> {
  /**
   * Gives up, with the signal's reason. A look-up of `hostname` that is under
   * way is waited for.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/**
 * Listens on a TCP port that several processes share: each calls this for the
 * same port, and the system gives every connection to one of them. It is how a
 * server uses more than one core.
 *
 * Needs no flag. `Deno.listen` shares a port only under `--unstable-net`; where
 * that is on it is what listens, and `listen({ reusePort: true })` does the same
 * without waiting. Elsewhere it is `node:net`, with three differences:
 *
 * - each operation on a connection costs more;
 * - a connection limit does not keep connections in the queue of the system.
 *   They wait in this process, no more than `maxPendingConnections`; what comes
 *   over it is closed, and once the others are accepted an `accept` rejects
 *   with a {@linkcode LimitExceededError};
 * - a listener that has met the limit of open files accepts nothing any more,
 *   and says nothing: that is how `node:net` of Deno 2.9 is. Keep
 *   `maxConnections` and twice `maxPendingConnections` together well below it.
 *
 * Linux only. Permission: `--allow-net` for the address; with `node:net` also
 * for the address that a name stands for.
 *
 * @param options Where to listen.
 * @returns A listening socket, to be passed as `listener` or one of `listeners`.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Deno.errors.AddrInUse} If somebody listens on the port without
 * sharing it.
 * @throws {Deno.errors.NotSupported} If the system is not Linux.
 * @throws {Error} The reason of `signal`, or what else keeps it from being bound.
 *
 * @example Two servers on one port
 * ```ts
 * import { bindReusePort, listen } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const first = await bindReusePort({ hostname: "127.0.0.1" });
 * const { port } = first.addr as Deno.NetAddr;
 * const second = await bindReusePort({ hostname: "127.0.0.1", port });
 * assertEquals(second.addr, first.addr);
 * await using listener = listen({ listeners: [first, second] });
 * ```
 */
export async function bindReusePort(options: BindReusePortOptions = {}): Promise<AcceptSource> {
  const { signal } = options;
  signal?.throwIfAborted();
  checkListenAddress(options);
  checkReusePort();
  const address = resolveTcpAddress(options);
  if (canReusePort()) return bindTcp(address, { reusePort: true });
  // Loaded at first use: most programs never share a port.
  const { listenNode } = await import("./listen_node.ts");
  const source = await listenNode(address);
  if (signal?.aborted) {
    closeQuietly(source);
    signal.throwIfAborted();
  }
  return source;
}
