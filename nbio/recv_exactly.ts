/**
 * {@linkcode recvExactly}: so many bytes, or an error.
 *
 * @module
 */

import { checkRead } from "./_byte_counts.ts";
import { ConnectionClosedError } from "./errors.ts";
import { isBounded, type OperationOptions, runOperation } from "./operation.ts";
import type { ReceiveBuffer } from "./receive_buffer.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of {@linkcode recvExactly}. */
export interface RecvExactlyOptions extends OperationOptions {
  /**
   * Bytes read before. What waits in it is taken first; then, while less is
   * wanted than it has room for, reads go through it and leave in it what is
   * not wanted yet, so that small messages do not cost a read each. Without
   * one, nothing behind `p` is read.
   *
   * @default {undefined}
   */
  readonly buffer?: ReceiveBuffer;

  /**
   * Whether the stream may end before the first byte, as it may between two
   * messages.
   *
   * @default {false}
   */
  readonly allowEnd?: boolean;
}

/**
 * Reads as often as it takes to fill `p`.
 *
 * Any failure closes the transport, the end of the stream included if it is one;
 * so do a passed deadline and an aborted signal. What had come by then is in `p`
 * and nowhere else.
 *
 * Without a deadline and a signal it costs one promise more than the reads.
 *
 * @param transport Where to read.
 * @param p What to fill; not to be touched until the promise settles. Nothing
 * is read if it is empty.
 * @param options Buffer, deadline and signal.
 * @returns Whether `p` is filled. `false` comes only with `allowEnd`, at the end
 * of the stream before the first byte; the transport stays open then, for there
 * may be something to answer.
 * @throws {ConnectionClosedError} If the stream ends first; `bytesReceived` says
 * how much of `p` had come. Or if the transport 16 times in a row brings nothing.
 * @throws {TimeoutError} If the deadline passes first; its phase is `"receive"`.
 * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
 * @throws {TypeError} If the transport says it brought more than there was room
 * for.
 * @throws {Error} The signal's reason, or whatever the transport's `read`
 * rejects with, untouched.
 *
 * @example Messages with their length in front
 * ```ts
 * import { ReceiveBuffer, recvExactly } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe({ maxReadBytes: 1 });
 * await client.write(new Uint8Array([2, 10, 11, 1, 20]));
 * await client.closeWrite();
 *
 * const options = { buffer: new ReceiveBuffer(), timeoutMs: 5_000 };
 * const messages: number[][] = [];
 * const length = new Uint8Array(1);
 * while (await recvExactly(server, length, { ...options, allowEnd: true })) {
 *   const message = new Uint8Array(length[0]!);
 *   await recvExactly(server, message, options);
 *   messages.push([...message]);
 * }
 * assertEquals(messages, [[10, 11], [20]]);
 * ```
 */
export function recvExactly(
  transport: Transport,
  p: Uint8Array,
  options: RecvExactlyOptions = {},
): Promise<boolean> {
  const { buffer, allowEnd = false } = options;
  // Not asynchronous itself: that would be a second promise for every call.
  if (!isBounded(options)) return fill(transport, p, buffer, allowEnd);
  return runOperation(transport, "receive", options, () => fill(transport, p, buffer, allowEnd));
}

async function fill(
  transport: Transport,
  p: Uint8Array,
  buffer: ReceiveBuffer | undefined,
  allowEnd: boolean,
): Promise<boolean> {
  try {
    let filled = takeWaiting(buffer, p);
    let emptyCount = 0;
    while (filled < p.length) {
      const rest = filled === 0 ? p : p.subarray(filled);
      const space = spaceFor(buffer, rest);
      const byteCount = await transport.read(space);
      if (byteCount === null) {
        if (filled === 0 && allowEnd) return false;
        throw endError(filled, p.length);
      }
      emptyCount = checkRead(byteCount, space.length, emptyCount);
      if (space === rest) {
        filled += byteCount;
      } else {
        buffer!.commit(byteCount);
        filled += takeWaiting(buffer, rest);
      }
    }
    return true;
  } catch (error) {
    closeQuietly(transport);
    throw error;
  }
}

/** Moves what waits to the front of `p`; how much that was. */
function takeWaiting(buffer: ReceiveBuffer | undefined, p: Uint8Array): number {
  if (buffer === undefined) return 0;
  const { bytes, start } = buffer;
  const byteCount = Math.min(buffer.length, p.length);
  p.set(bytes.subarray(start, start + byteCount));
  buffer.consume(byteCount);
  return byteCount;
}

/** Where to read `rest`: at once where it belongs, unless the buffer, empty by now, is larger. */
function spaceFor(buffer: ReceiveBuffer | undefined, rest: Uint8Array): Uint8Array {
  const space = buffer?.writable();
  return space !== undefined && space.length > rest.length ? space : rest;
}

function endError(bytesReceived: number, wantedBytes: number): ConnectionClosedError {
  return new ConnectionClosedError(
    `Cannot receive: the stream ended after ${bytesReceived} of ${wantedBytes} bytes`,
    { bytesReceived },
  );
}
