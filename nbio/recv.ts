/**
 * {@linkcode recv}: one read under a deadline and a signal.
 *
 * @module
 */

import { checkRead } from "./_byte_counts.ts";
import { isBounded, type OperationOptions, runOperation } from "./operation.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/**
 * Reads once: what has come, or what comes first.
 *
 * Any failure closes the transport, and so do a passed deadline and an aborted
 * signal: a read that was given up may have taken bytes with it.
 *
 * Without a deadline and a signal it costs one promise more than the read.
 *
 * @param transport Where to read.
 * @param p Where bytes go; not to be touched until the promise settles.
 * @param options Deadline and signal.
 * @returns How many bytes came, at the start of `p`; `null` at the end of the
 * stream, which closes nothing. 0 is not the end; see `Transport`.
 * @throws {TimeoutError} If the deadline passes first; its phase is `"receive"`.
 * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
 * @throws {TypeError} If the transport says it brought more than there was room
 * for.
 * @throws {Error} The signal's reason, or whatever the transport's `read`
 * rejects with, untouched.
 *
 * @example A peer that stays silent
 * ```ts
 * import { DeadlineWheel, recv, TimeoutError } from "@nbio/net/nbio";
 * import { ManualClock, memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const options = { timeoutMs: 5_000, wheel: new DeadlineWheel(clock) };
 * const [client, server] = memoryPipe();
 * await client.write(new Uint8Array([1, 2, 3]));
 * const p = new Uint8Array(16);
 * assertEquals(await recv(server, p, options), 3);
 *
 * const received = recv(server, p, options);
 * clock.advance(5_100);
 * await assertRejects(() => received, TimeoutError);
 * ```
 */
export function recv(
  transport: Transport,
  p: Uint8Array,
  options?: OperationOptions,
): Promise<number | null> {
  if (!isBounded(options)) return receive(transport, p);
  return runOperation(transport, "receive", options, () => receive(transport, p));
}

async function receive(transport: Transport, p: Uint8Array): Promise<number | null> {
  try {
    const byteCount = await transport.read(p);
    if (byteCount !== null) checkRead(byteCount, p.length, 0);
    return byteCount;
  } catch (error) {
    closeQuietly(transport);
    throw error;
  }
}
