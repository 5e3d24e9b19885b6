/**
 * {@linkcode connect}: one attempt at one address, by the runtime.
 *
 * @module
 */

import { disableDelay } from "./no_delay.ts";
import type { Transport } from "./transport.ts";

/** An address that `dial` connects to. */
export type DialAddress = Deno.NetAddr | Deno.UnixAddr;

/**
 * Makes one connection.
 *
 * @param address Where to.
 * @param options The signal that gives the attempt up: then it rejects, with
 * whatever, and soon. A connection that comes all the same is closed.
 * @returns The connection.
 */
export type Connect = (
  address: DialAddress,
  options: { readonly signal: AbortSignal },
) => Promise<Transport>;

/**
 * Connects by `Deno.connect`, with Nagle's algorithm off.
 *
 * @throws {Error} The reason of the signal, or what the runtime throws.
 */
export async function connect(
  address: DialAddress,
  options: { readonly signal: AbortSignal },
): Promise<Transport> {
  // A Unix socket connects at once or fails: there is nothing to interrupt.
  if ("path" in address) return await Deno.connect({ transport: "unix", path: address.path });
  const { signal } = options;
  signal.throwIfAborted();
  const canceller = cancellerOf(signal);
  try {
    const connection = await connectTcp(address, canceller.signal);
    if (!signal.aborted) return connection;
    connection.close();
    throw signal.reason;
  } catch (error) {
    // Interrupted, then: by us.
    signal.throwIfAborted();
    throw error;
  } finally {
    canceller.release();
  }
}

async function connectTcp(address: Deno.NetAddr, signal: AbortSignal): Promise<Deno.TcpConn> {
  const { hostname, port } = address;
  // The runtime honours the signal, and its type does not know.
  const connection = await Deno.connect({ hostname, port, signal } as Deno.ConnectOptions);
  disableDelay(connection);
  return connection;
}

/**
 * A signal for `Deno.connect` that follows another one.
 *
 * After connecting, the runtime throws the reason of an aborted signal even if
 * the connection had been made before the abort, and then nobody can close it.
 * So it is given a signal that interrupts and does not throw.
 */
function cancellerOf(signal: AbortSignal): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  controller.signal.throwIfAborted = (): void => {};
  const onAbort = (): void => controller.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  const release = (): void => signal.removeEventListener("abort", onAbort);
  return { signal: controller.signal, release };
}
