/**
 * {@linkcode lingeringClose}: closing so that the peer reads our last words.
 *
 * @module
 */

import { checkBound } from "./_check_bound.ts";
import { checkRead } from "./_byte_counts.ts";
import { type OperationOptions, runOperation } from "./operation.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of {@linkcode lingeringClose}. */
export interface LingeringCloseOptions extends OperationOptions {
  /**
   * Most bytes read and thrown away before closing anyway; 0 and `Infinity` mean
   * no limit.
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
}

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
 * The transport is closed when the promise settles, whatever happened: a peer
 * that is gone, a passed deadline and an aborted signal only end the waiting.
 * There must be no read or write waiting.
 *
 * @param transport The transport to close.
 * @param options Bounds on the discarding.
 * @returns A promise that resolves when the transport is closed.
 * @throws {RangeError} If an option is out of its range; nothing else rejects.
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
  const { maxBytes = 262_144, timeoutMs = 500 } = options;
  try {
    for (const name of ["timeoutMs", "deadlineMs"] as const) checkNumber(name, options[name]);
    const limit = checkBound("maxBytes", maxBytes);
    await endAndDiscard(transport, limit, { ...options, timeoutMs });
  } finally {
    closeQuietly(transport);
  }
}

/** Never rejects. */
async function endAndDiscard(
  transport: Transport,
  maxBytes: number,
  bounds: OperationOptions,
): Promise<void> {
  try {
    await runOperation(transport, "linger", bounds, async () => {
      // A write of TLS may wait in here as well.
      await transport.closeWrite();
      await discard(transport, maxBytes);
    });
  } catch {
    // The peer is gone, or the waiting was cut short: closing is all there is
    // left to do.
  }
}

/** Reads to the end of the stream or until `maxBytes` have come. */
async function discard(transport: Transport, maxBytes: number): Promise<void> {
  discarded ??= new Uint8Array(16_384);
  let remaining = maxBytes;
  let emptyCount = 0;
  while (remaining > 0) {
    const byteCount = await transport.read(discarded);
    if (byteCount === null) return;
    // Throws before reads that settle at once keep the deadline from running.
    emptyCount = checkRead(byteCount, discarded.length, emptyCount);
    remaining -= byteCount;
  }
}

function checkNumber(name: string, value = 0): void {
  if (value >= 0) return;
  throw new RangeError(`Cannot linger: ${name} is ${value}, expected a number of at least 0`);
}
