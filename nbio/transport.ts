/**
 * {@linkcode Transport}, the one interface between drivers and sockets.
 *
 * @module
 */

/**
 * A full-duplex byte stream: what every driver of this package reads from and
 * writes to. A `Deno.Conn` satisfies it as it is, so a driver over a real
 * socket pays for no wrapper.
 *
 * Deliberately bare. Deadlines, abort signals, whole writes and buffering
 * belong to the functions and drivers over it, all of which keep one rule: *a
 * failed, cancelled or timed-out read or write closes the transport*, because
 * nobody can tell which bytes had already gone when it ended. What comes after
 * is an error, never a stream with a hole in it.
 *
 * At most one read and one write may be waiting at a time.
 *
 * @example A connection is a transport
 * ```ts
 * import type { Transport } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const { port } = listener.addr;
 * const client: Transport = await Deno.connect({ hostname: "127.0.0.1", port });
 * const server: Transport = await listener.accept();
 * await client.write(new Uint8Array([1, 2, 3]));
 * assertEquals(await server.read(new Uint8Array(16)), 3);
 * client.close();
 * server.close();
 * listener.close();
 * ```
 */
export interface Transport {
  /**
   * Reads into `p` what has come, waiting if nothing has.
   *
   * @param p Where bytes go. It belongs to the transport until the promise
   * settles: the caller neither reads nor reuses it before.
   * @returns How many bytes came, at the start of `p`; `null` at the end of the
   * stream, and from then on always `null`. `0` is legal, as for an empty `p`
   * or a TLS record without data: it is *not* the end, and the caller reads
   * again.
   */
  read(p: Uint8Array): Promise<number | null>;

  /**
   * Writes some bytes from the start of `p`, waiting until there is room.
   *
   * @param p The bytes; unchanged by the caller until the promise settles.
   * @returns How many bytes were taken, which may be fewer than `p` holds: see
   * {@linkcode sendAll}.
   */
  write(p: Uint8Array): Promise<number>;

  /**
   * Ends our direction: the peer reads the end of the stream after what was
   * written, while its own bytes still come.
   */
  closeWrite(): Promise<void>;

  /**
   * Gives the connection up. Reads and writes still waiting reject. A second
   * call may throw, as it does on a `Deno.Conn`.
   */
  close(): void;

  /** Our end. */
  readonly localAddr: Deno.Addr;

  /** The end of the peer. */
  readonly remoteAddr: Deno.Addr;
}

/**
 * Closes a transport, or a thing like it, that may be closed already. Meant for
 * clean-up paths, where a second close is no mistake and nobody could act on an error.
 *
 * @param transport What to give up.
 *
 * @example Closing without asking who was first
 * ```ts
 * import { closeQuietly } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * client.close();
 * closeQuietly(client);
 * assertEquals(await server.read(new Uint8Array(1)), null);
 * ```
 */
export function closeQuietly(transport: { close(): void }): void {
  try {
    transport.close();
  } catch {
    // Already closed: what was wanted is so.
  }
}
