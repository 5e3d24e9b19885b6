/**
 * {@linkcode AcceptSource}, the one interface between drivers and listening
 * sockets.
 *
 * @module
 */

import type { Transport } from "./transport.ts";

/**
 * Where connections come from: a `Deno.Listener` or `Deno.TlsListener` as it
 * is, or anything that does the same.
 *
 * @example Connections without a socket
 * ```ts
 * import { type AcceptSource, listen } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * const accepted = Promise.withResolvers<typeof server>();
 * const source: AcceptSource = {
 *   accept: () => accepted.promise,
 *   close: () => accepted.reject(new Deno.errors.BadResource("closed")),
 *   addr: { transport: "tcp", hostname: "127.0.0.1", port: 80 },
 * };
 * await using listener = listen({ listener: source });
 * listener.serve(async (transport) => {
 *   await transport.write(new Uint8Array([1, 2]));
 *   listener.close();
 * });
 * accepted.resolve(server);
 * assertEquals(await client.read(new Uint8Array(8)), 2);
 * ```
 */
export interface AcceptSource {
  /**
   * Waits for the next connection.
   *
   * @returns The connection. Rejects with `Deno.errors.BadResource` when the
   * source is closed; any other error is taken for a passing one.
   */
  accept(): Promise<Transport>;
  /** Stops; an `accept` that waits rejects. */
  close(): void;
  /** Where it listens. */
  readonly addr: Deno.Addr;
  /** Makes a waiting `accept` keep the process alive, as it does at first. */
  ref?(): void;
  /** Lets the process end although `accept` waits. */
  unref?(): void;
}
