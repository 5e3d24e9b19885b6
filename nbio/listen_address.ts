/**
 * {@linkcode ListenAddress}: where to listen.
 *
 * @module
 */

/**
 * An address to listen on: a TCP port, or the path of a Unix socket.
 *
 * @example Two addresses, one listener
 * ```ts
 * import { listen, type ListenAddress } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const addresses: ListenAddress[] = [{ hostname: "127.0.0.1" }, { hostname: "127.0.0.1" }];
 * await using listener = listen({ addresses });
 * assertEquals(listener.addrs.length, 2);
 * ```
 */
export interface ListenAddress {
  /**
   * TCP port, 0 to 65,535; 0 lets the system choose a free one.
   *
   * @default {0}
   */
  readonly port?: number;

  /**
   * Address, or name of one, of the interface to listen on. The default is that
   * of `Deno.listen`: every IPv4 interface. Say `"127.0.0.1"` to be reached
   * from this machine only, `"::"` for IPv6.
   *
   * @default {"0.0.0.0"}
   */
  readonly hostname?: string;

  /**
   * Whether several processes may listen on this port, each getting a part of
   * the connections; all of them must ask for it. Linux only, and only where
   * the process runs with `--unstable-net`: without that flag `Deno.listen`
   * cannot, and {@linkcode bindReusePort} is what does it.
   *
   * @default {false}
   */
  readonly reusePort?: boolean;

  /**
   * TCP connections that the system completes and holds until they are
   * accepted, 1 to 65,535; it may round that. What comes over it is not
   * answered.
   *
   * @default {511}
   */
  readonly maxPendingConnections?: number;

  /**
   * Path of a Unix socket to listen on instead of TCP. A file that is already
   * there is never removed, even if nobody listens on it any more: binding
   * throws `Deno.errors.AddrInUse`. Ours is removed when the listener closes.
   *
   * @default {undefined}
   */
  readonly path?: string;
}
