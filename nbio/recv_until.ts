/**
 * {@linkcode recvUntil}: everything up to a delimiter.
 *
 * @module
 */

import { checkRead } from "./_byte_counts.ts";
import { DelimiterSearch } from "./_delimiter_search.ts";
import { ConnectionClosedError, LimitExceededError } from "./errors.ts";
import { isBounded, type OperationOptions, runOperation } from "./operation.ts";
import type { ReceiveBuffer } from "./receive_buffer.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of {@linkcode recvUntil}. */
export interface RecvUntilOptions extends OperationOptions {
  /**
   * Most bytes the result may have, delimiter included: an integer from the
   * length of the delimiter; 0 and `Infinity` mean no limit. What the buffer can
   * hold is one in any case.
   *
   * @default {Infinity}
   */
  readonly maxBytes?: number;
}

/**
 * Reads until a delimiter has come. What comes behind it stays in `buffer`, for
 * the next call.
 *
 * Linear: every byte is looked at once, and is copied once more.
 *
 * Any failure but one closes the transport, the end of the stream in mid-message
 * included; so do a passed deadline and an aborted signal. The one is
 * {@linkcode LimitExceededError}: no byte is lost and no read under way then, so
 * the peer can still be told why. All that came is in `buffer`, and nobody knows
 * where the next message begins: answer and close.
 *
 * Without a deadline and a signal it costs one promise more than the reads.
 *
 * @param transport Where to read.
 * @param buffer What has been read before, and will be: the same for the whole
 * life of the connection.
 * @param delimiter The bytes to wait for, at least one, such as those of
 * `"\r\n"`. They may come in several reads.
 * @param options Limit, deadline and signal.
 * @returns The bytes up to and including the delimiter, as a copy; `null` if the
 * stream ended and nothing waited, which closes nothing.
 * @throws {ConnectionClosedError} If the stream ends before the delimiter;
 * `bytesReceived` says how many bytes wait in `buffer`. Or if the transport 16
 * times in a row brings nothing.
 * @throws {LimitExceededError} If there is no delimiter in the first `maxBytes`,
 * or in as many as the buffer holds.
 * @throws {TimeoutError} If the deadline passes first; its phase is `"receive"`.
 * @throws {RangeError} If the delimiter is empty, or an option out of its range.
 * @throws {TypeError} If the transport says it brought more than there was room
 * for.
 * @throws {Error} The signal's reason, or whatever the transport's `read`
 * rejects with, untouched.
 *
 * @example Line by line
 * ```ts
 * import { ReceiveBuffer, recvUntil } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * await client.write(new TextEncoder().encode("HELO\r\nQUIT\r\n"));
 * await client.closeWrite();
 *
 * const buffer = new ReceiveBuffer();
 * const crlf = new TextEncoder().encode("\r\n");
 * const options = { maxBytes: 512, timeoutMs: 30_000 };
 * const lines: string[] = [];
 * for (let line; (line = await recvUntil(server, buffer, crlf, options)) !== null;) {
 *   lines.push(new TextDecoder().decode(line.subarray(0, -2)));
 * }
 * assertEquals(lines, ["HELO", "QUIT"]);
 * ```
 *
 * @example Telling the peer that its line is too long
 * ```ts
 * import {
 *   LimitExceededError,
 *   lingeringClose,
 *   ReceiveBuffer,
 *   recvUntil,
 *   sendAll,
 * } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * await client.write(new Uint8Array(600));
 * await client.closeWrite();
 *
 * const newline = new Uint8Array([0x0a]);
 * try {
 *   await recvUntil(server, new ReceiveBuffer(), newline, { maxBytes: 512 });
 * } catch (error) {
 *   if (!(error instanceof LimitExceededError)) throw error;
 *   await sendAll(server, new TextEncoder().encode("too long\n"));
 *   await lingeringClose(server);
 * }
 * assertEquals(await client.read(new Uint8Array(16)), 9);
 * ```
 */
export function recvUntil(
  transport: Transport,
  buffer: ReceiveBuffer,
  delimiter: Uint8Array,
  options: RecvUntilOptions = {},
): Promise<Uint8Array<ArrayBuffer> | null> {
  const maxBytes = options.maxBytes === 0 ? Infinity : options.maxBytes ?? Infinity;
  if (!isBounded(options)) return collect(transport, buffer, delimiter, maxBytes);
  return collectBounded(transport, buffer, delimiter, maxBytes, options);
}

async function collectBounded(
  transport: Transport,
  buffer: ReceiveBuffer,
  delimiter: Uint8Array,
  maxBytes: number,
  bounds: OperationOptions,
): Promise<Uint8Array<ArrayBuffer> | null> {
  // An operation that throws closes the transport: the error that must not is
  // a result in there.
  const result = await runOperation(transport, "receive", bounds, async () => {
    try {
      return await collect(transport, buffer, delimiter, maxBytes);
    } catch (error) {
      if (error instanceof LimitExceededError) return error;
      throw error;
    }
  });
  if (result instanceof LimitExceededError) throw result;
  return result;
}

async function collect(
  transport: Transport,
  buffer: ReceiveBuffer,
  delimiter: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  let isReading = false;
  try {
    checkArguments(delimiter, maxBytes);
    const search = new DelimiterSearch(delimiter);
    let searched = 0;
    let emptyCount = 0;
    for (;;) {
      const { bytes, start } = buffer;
      const searchable = Math.min(buffer.length, maxBytes);
      const end = search.find(bytes, start + searched, start + searchable);
      if (end >= 0) {
        buffer.consume(end - start);
        return bytes.slice(start, end);
      }
      if (searchable === maxBytes) throw limitError(maxBytes);
      searched = searchable;
      const space = buffer.writable();
      isReading = true;
      const byteCount = await transport.read(space);
      if (byteCount === null) {
        if (searched === 0) return null;
        throw endError(searched);
      }
      emptyCount = checkRead(byteCount, space.length, emptyCount);
      isReading = false;
      buffer.commit(byteCount);
    }
  } catch (error) {
    // One of the transport's own making is a failure like any other.
    const isOurLimit = error instanceof LimitExceededError && !isReading;
    if (!isOurLimit) closeQuietly(transport);
    throw error;
  }
}

function checkArguments(delimiter: Uint8Array, maxBytes: number): void {
  if (delimiter.length === 0) {
    throw new RangeError("Cannot receive: the delimiter has 0 bytes, expected at least 1");
  }
  if (maxBytes >= delimiter.length && (Number.isSafeInteger(maxBytes) || maxBytes === Infinity)) {
    return;
  }
  throw new RangeError(
    `Cannot receive: maxBytes is ${maxBytes}, expected an integer of at least ${delimiter.length}`,
  );
}

function limitError(maxBytes: number): LimitExceededError {
  return new LimitExceededError(`Cannot receive: no delimiter in the first ${maxBytes} bytes`, {
    limit: "maxBytes",
    max: maxBytes,
  });
}

function endError(bytesReceived: number): ConnectionClosedError {
  return new ConnectionClosedError(
    `Cannot receive: the stream ended after ${bytesReceived} bytes without a delimiter`,
    { bytesReceived },
  );
}
