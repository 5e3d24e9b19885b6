/**
 * {@linkcode sendAll}: a write that is whole or an error, and
 * {@linkcode SendStatus}: what had left when it was an error.
 *
 * @module
 */

import { checkWritten } from "./_byte_counts.ts";
import { isBounded, type OperationOptions, runOperation } from "./operation.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/**
 * What has left, kept up to date while a function sends, so that it can be read
 * after an error too. An error could not carry it: the reason of an aborted
 * signal is the caller's own and is passed on untouched.
 *
 * A sending function adds to what it finds. One object for all the parts of a
 * message therefore tells at the end whether *anything* of it may have reached
 * the peer, which is what decides whether it may be sent again elsewhere.
 *
 * @example A request of which nothing has left may be repeated
 * ```ts
 * import { sendAll, type SendStatus } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [client] = memoryPipe();
 * const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
 * const signal = AbortSignal.abort();
 * await assertRejects(() => sendAll(client, new Uint8Array(9), { signal, status }));
 * assertEquals(status, { sentBytes: 0, mayHaveSent: false });
 * ```
 */
export interface SendStatus {
  /**
   * Bytes that writes have confirmed: handed to the system, which is not yet
   * read by the peer.
   */
  sentBytes: number;

  /**
   * Whether anything was given to a write of the transport. A write that fails
   * or is cancelled may have let go any number of its bytes, so more than
   * `sentBytes` may have left; only `false` says that none has.
   */
  mayHaveSent: boolean;
}

/** Options of {@linkcode sendAll}. */
export interface SendAllOptions extends OperationOptions {
  /**
   * Where to keep account of what has left.
   *
   * @default {undefined}
   */
  readonly status?: SendStatus;
}

/**
 * Writes all of `bytes`, as often as the transport takes only a part of them.
 *
 * Any failure closes the transport, and so do a passed deadline and an aborted
 * signal: the peer may hold half a message then, and nothing written later could
 * be understood. What may have left by then is in `status`.
 *
 * Without a deadline and a signal it costs one promise more than the write.
 *
 * @param transport Where to write.
 * @param bytes What to write; not changed, and not kept after the promise
 * settles. Nothing is written if it is empty.
 * @param options Deadline, signal and account.
 * @returns A promise that resolves when the transport has taken all.
 * @throws {ConnectionClosedError} If the transport twice in a row takes nothing.
 * @throws {TimeoutError} If the deadline passes first; its phase is `"send"`.
 * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
 * @throws {TypeError} If the transport says it took more than it was given.
 * @throws {Error} The signal's reason, or whatever the transport's `write`
 * rejects with, untouched.
 *
 * @example Sending a whole message
 * ```ts
 * import { sendAll } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * await sendAll(client, new TextEncoder().encode("hello"), { timeoutMs: 5_000 });
 * assertEquals(await server.read(new Uint8Array(16)), 5);
 * ```
 *
 * @example A peer that does not read
 * ```ts
 * import { DeadlineWheel, sendAll, type SendStatus, TimeoutError } from "@nbio/net/nbio";
 * import { ManualClock, memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const wheel = new DeadlineWheel(clock);
 * const [client] = memoryPipe({ highWaterMarkBytes: 100 });
 * const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
 * const sent = sendAll(client, new Uint8Array(1_000), { timeoutMs: 5_000, wheel, status });
 * const failed = assertRejects(() => sent, TimeoutError);
 * for (let turn = 0; turn < 10; turn++) await Promise.resolve();
 * clock.advance(5_100);
 * await failed;
 * assertEquals(status, { sentBytes: 100, mayHaveSent: true });
 * ```
 */
export function sendAll(
  transport: Transport,
  bytes: Uint8Array,
  options?: SendAllOptions,
): Promise<void> {
  // Not asynchronous itself: that would be a second promise for every send.
  const status = options?.status;
  if (!isBounded(options)) return send(transport, bytes, status);
  return runOperation(transport, "send", options, () => send(transport, bytes, status));
}

async function send(
  transport: Transport,
  bytes: Uint8Array,
  status: SendStatus | undefined,
): Promise<void> {
  if (bytes.length === 0) return;
  try {
    if (status !== undefined) status.mayHaveSent = true;
    // A kernel with room takes everything at once: one call, one await.
    const written = await transport.write(bytes);
    if (written !== bytes.length) await sendRest(transport, bytes, written, status);
    else if (status !== undefined) status.sentBytes += written;
  } catch (error) {
    closeQuietly(transport);
    throw error;
  }
}

/** Takes note of a first short write, and writes what it left over. */
async function sendRest(
  transport: Transport,
  bytes: Uint8Array,
  firstWritten: number,
  status: SendStatus | undefined,
): Promise<void> {
  let offset = 0;
  let emptyCount = 0;
  let written = firstWritten;
  for (;;) {
    emptyCount = checkWritten(written, bytes.length - offset, emptyCount);
    offset += written;
    if (status !== undefined) status.sentBytes += written;
    if (offset === bytes.length) return;
    written = await transport.write(bytes.subarray(offset));
  }
}
