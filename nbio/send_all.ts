/**
 * {@linkcode sendAll}: a write that is whole or an error.
 *
 * @module
 */

import { ConnectionClosedError } from "./errors.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/**
 * Writes that take nothing, in a row, before we call the transport broken. One
 * may be an accident of a wrapper; without a bound a second one is a loop that
 * never lets timers run.
 */
const MAX_EMPTY_WRITES = 2;

/**
 * Writes all of `bytes`, as often as the transport takes only a part of them.
 *
 * Any failure closes the transport: the peer may hold half a message then, and
 * nothing written later could be understood. There is no way to cancel but to
 * close the transport.
 *
 * @param transport Where to write.
 * @param bytes What to write; not changed, and not kept after the promise
 * settles. Nothing is written if it is empty.
 * @throws {ConnectionClosedError} If the transport twice in a row takes nothing.
 * @throws {TypeError} If the transport says it took more than it was given.
 * @throws {Error} Whatever the transport's `write` rejects with, untouched.
 *
 * @example Sending a whole message
 * ```ts
 * import { sendAll } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * await sendAll(client, new TextEncoder().encode("hello"));
 * assertEquals(await server.read(new Uint8Array(16)), 5);
 * ```
 */
export async function sendAll(transport: Transport, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0) return;
  try {
    // A kernel with room takes everything at once: one call, one await.
    const written = await transport.write(bytes);
    if (written !== bytes.length) await sendRest(transport, bytes, written);
  } catch (error) {
    closeQuietly(transport);
    throw error;
  }
}

/** Writes what a first short write left over. */
async function sendRest(
  transport: Transport,
  bytes: Uint8Array,
  firstWritten: number,
): Promise<void> {
  let offset = 0;
  let emptyCount = 0;
  let written = firstWritten;
  for (;;) {
    checkWritten(written, bytes.length - offset);
    offset += written;
    if (offset === bytes.length) return;
    emptyCount = written === 0 ? emptyCount + 1 : 0;
    if (emptyCount === MAX_EMPTY_WRITES) {
      throw new ConnectionClosedError(
        `Cannot send: the transport took 0 of ${bytes.length - offset} bytes, twice in a row`,
      );
    }
    written = await transport.write(bytes.subarray(offset));
  }
}

/** A transport that counts wrongly would make us repeat or skip bytes. */
function checkWritten(written: number, offeredBytes: number): void {
  if (!(written >= 0 && written <= offeredBytes)) {
    throw new TypeError(
      `Cannot send: the transport took ${written} bytes when it was given ${offeredBytes}`,
    );
  }
}
