/**
 * What a transport says it has read or taken, held to its contract. One that
 * counts wrongly would make us repeat bytes, skip some, or loop for ever.
 *
 * @module
 */

import { ConnectionClosedError } from "./errors.ts";

/**
 * Writes that take nothing, in a row, before we call the transport broken. One
 * may be an accident of a wrapper; without a bound a second one is a loop that
 * never lets timers run.
 */
const MAX_EMPTY_WRITES = 2;

/**
 * Reads that bring nothing, in a row, before we call the transport broken. They
 * are lawful, as for TLS records without data, but may settle at once: a loop
 * of them would never let a deadline run.
 */
const MAX_EMPTY_READS = 16;

/**
 * @param written What a write resolved to.
 * @param offeredBytes How many bytes it was given, at least 1.
 * @param emptyCount What this gave for the write before; 0 for the first one.
 * @returns How many writes in a row have taken nothing.
 * @throws {ConnectionClosedError} If they are too many.
 * @throws {TypeError} If it is no possible number.
 */
export function checkWritten(written: number, offeredBytes: number, emptyCount: number): number {
  if (!(Number.isInteger(written) && written >= 0 && written <= offeredBytes)) {
    throw new TypeError(
      `Cannot send: the transport took ${written} bytes when it was given ${offeredBytes}`,
    );
  }
  if (written > 0) return 0;
  if (emptyCount + 1 < MAX_EMPTY_WRITES) return emptyCount + 1;
  throw new ConnectionClosedError(
    `Cannot send: the transport took 0 of ${offeredBytes} bytes, ${MAX_EMPTY_WRITES} times in a row`,
  );
}

/**
 * @param byteCount What a read resolved to, other than the end.
 * @param spaceBytes How many bytes there was room for.
 * @param emptyCount What this gave for the read before; 0 for the first one.
 * @returns How many reads in a row have brought nothing.
 * @throws {ConnectionClosedError} If they are too many.
 * @throws {TypeError} If it is no possible number.
 */
export function checkRead(byteCount: number, spaceBytes: number, emptyCount: number): number {
  if (!(Number.isInteger(byteCount) && byteCount >= 0 && byteCount <= spaceBytes)) {
    throw new TypeError(
      `Cannot receive: the transport brought ${byteCount} bytes when there was room for ${spaceBytes}`,
    );
  }
  if (byteCount > 0) return 0;
  if (emptyCount + 1 < MAX_EMPTY_READS) return emptyCount + 1;
  throw new ConnectionClosedError(
    `Cannot receive: the transport brought 0 bytes, ${MAX_EMPTY_READS} times in a row`,
  );
}
