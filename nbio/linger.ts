/**
 * {@linkcode lingeringClose}: closing so that the peer reads our last words.
 *
 * @module
 */

import { deadlines, type DeadlineWheel } from "./deadline_wheel.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of {@linkcode lingeringClose}. */
export interface LingeringCloseOptions {
  /**
   * Most bytes read and thrown away before closing anyway.
   *
   * @default {262_144}
   */
  readonly maxBytes?: number;

  /**
   * Most milliseconds the whole takes, give or take the precision of `wheel`.
   * 0 and `Infinity` switch the limit off.
   *
   * @default {500}
   */
  readonly timeoutMs?: number;

  /**
   * Where the deadline waits.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
}

/**
 * Reads without a byte, in a row, before we stop waiting: such a read may
 * settle at once, and a loop of them would never let the deadline run.
 */
const MAX_EMPTY_READS = 16;

/**
 * Where discarded bytes go. All lingering connections share it: nobody looks
 * at what is in it, and an attack by thousands of them costs no memory.
 */
let discarded: Uint8Array<ArrayBuffer> | undefined;

/**
 * Ends our direction, throws away what the peer still sends until it ends its
 * own, `maxBytes` have come or `timeoutMs` have passed, then closes.
 *
 * Closing a socket at once while the peer still sends makes the kernel answer
 * with a reset, and the peer may lose what we wrote last: the very error that
 * explains why we close (RFC 9112 section 9.6).
 *
 * The transport is closed when the promise resolves, whatever happened. It
 * must have no read or write waiting.
 *
 * @param transport The transport to close.
 * @param options Bounds on the discarding.
 * @returns A promise that never rejects.
 *
 * @example The peer reads the answer although it had more to say
 * ```ts
 * import { lingeringClose, sendAll } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * await sendAll(client, new Uint8Array(1_000));
 * await sendAll(server, new TextEncoder().encode("too much"));
 * const closed = lingeringClose(server);
 * assertEquals(await client.read(new Uint8Array(16)), 8);
 * client.close();
 * await closed;
 * ```
 */
export async function lingeringClose(
  transport: Transport,
  options: LingeringCloseOptions = {},
): Promise<void> {
  const { maxBytes = 262_144, timeoutMs = 500, wheel = deadlines } = options;
  // Closing wakes whatever waits below; a write of TLS may wait as well.
  const deadline = wheel.create(() => closeQuietly(transport));
  try {
    deadline.arm(timeoutMs);
    await transport.closeWrite();
    await discard(transport, maxBytes);
  } catch {
    // The peer is gone, or time is up: closing is all there is left to do.
  } finally {
    deadline.cancel();
    closeQuietly(transport);
  }
}

/** Reads to the end of the stream or until `maxBytes` have come. */
async function discard(transport: Transport, maxBytes: number): Promise<void> {
  discarded ??= new Uint8Array(16_384);
  let remaining = maxBytes;
  let emptyCount = 0;
  while (remaining > 0 && emptyCount < MAX_EMPTY_READS) {
    const byteCount = await transport.read(discarded);
    if (byteCount === null) return;
    emptyCount = byteCount === 0 ? emptyCount + 1 : 0;
    remaining -= byteCount;
  }
}
