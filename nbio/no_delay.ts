/**
 * {@linkcode disableDelay}: what every TCP connection is given first.
 *
 * @module
 */

import type { Transport } from "./transport.ts";

/**
 * Sends small writes at once: they must not wait for the acknowledgement of the
 * last one. Unix sockets never do, and have no such method.
 *
 * @param transport A connection just made. One that has died since is no error
 * here: its first read or write says so.
 */
export function disableDelay(
  transport: Transport & Partial<Pick<Deno.TcpConn, "setNoDelay">>,
): void {
  try {
    transport.setNoDelay?.(true);
  } catch {
    // Reset by the peer already.
  }
}
