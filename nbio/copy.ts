/**
 * {@linkcode copy}: everything one transport brings, into another.
 *
 * @module
 */

import { checkRead, checkWritten } from "./_byte_counts.ts";
import { checkBound } from "./_check_bound.ts";
import { CopyBuffer } from "./_copy_buffer.ts";
import { type Deadline, deadlines } from "./deadline_wheel.ts";
import { LimitExceededError, TimeoutError } from "./errors.ts";
import { isBounded, type OperationOptions, runOperation } from "./operation.ts";
import type { SendStatus } from "./send_all.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of {@linkcode copy}. */
export interface CopyOptions extends OperationOptions {
  /**
   * Told after each write. What it throws ends the copying.
   *
   * @param copiedBytes Bytes the target has taken so far.
   * @default {undefined}
   */
  readonly onProgress?: (copiedBytes: number) => void;

  /**
   * Most bytes the source may bring; 0 and `Infinity` mean no limit. No byte of
   * a read that goes beyond is written.
   *
   * @default {Infinity}
   */
  readonly maxBytes?: number;

  /**
   * Most bytes held, 1 to 2^30. It begins with 16 KiB at most, becomes larger
   * only when reads fill it, and small again when they have not for a while.
   *
   * @default {262_144}
   */
  readonly bufferBytes?: number;

  /**
   * Most milliseconds without a byte read or written, give or take the precision
   * of `wheel`. 0 and `Infinity` mean no limit.
   *
   * @default {Infinity}
   */
  readonly idleTimeoutMs?: number;

  /**
   * Whether the write side of the target ends with the source, as a proxy wants
   * it.
   *
   * @default {false}
   */
  readonly closeWrite?: boolean;

  /**
   * Where to keep account of what has left for the target.
   *
   * @default {undefined}
   */
  readonly status?: SendStatus;
}

/**
 * A fast source fills any buffer, so its size decides how many reads and writes
 * a GiB takes. By `tests/bench/nbio/copy.ts`, 256 KiB cost 0.85 of the CPU of
 * 64 KiB; 1 MiB costs 0.75 to 0.95 of 256 KiB, for four times the memory of
 * every busy connection.
 */
const DEFAULT_BUFFER_BYTES = 262_144;

const MAX_BUFFER_BYTES = 2 ** 30;

/**
 * Copies to the end of the source. A target that takes no more stops the
 * reading: no more than `bufferBytes` are held.
 *
 * Both transports stay open at the end of the source; the write side of the
 * target ends only with `closeWrite`. Any failure on either side closes both,
 * and so do a passed deadline and an aborted signal. `source` and `target` may
 * be the same transport: that is an echo.
 *
 * @param source Where to read.
 * @param target Where to write.
 * @param options Progress, limits, deadlines and signal.
 * @returns How many bytes were copied.
 * @throws {LimitExceededError} If the source brings more than `maxBytes`.
 * @throws {TimeoutError} If a deadline passes first. The phase is `"copy"` for
 * the whole; if nothing moved for `idleTimeoutMs`, it is `"read"` or `"write"`,
 * which says whether source or target was waited for.
 * @throws {ConnectionClosedError} If the source 16 times in a row brings nothing,
 * or the target twice in a row takes nothing.
 * @throws {RangeError} If an option is out of its range.
 * @throws {TypeError} If a transport says it moved more than there was.
 * @throws {Error} The signal's reason, or whatever a read or write rejects with,
 * untouched.
 *
 * @example One direction of a proxy
 * ```ts
 * import { copy, sendAll } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, front] = memoryPipe();
 * const [back, server] = memoryPipe();
 * await sendAll(client, new Uint8Array([1, 2, 3]));
 * await client.closeWrite();
 * assertEquals(await copy(front, back, { closeWrite: true, idleTimeoutMs: 60_000 }), 3);
 *
 * const p = new Uint8Array(16);
 * assertEquals([await server.read(p), await server.read(p)], [3, null]);
 * ```
 */
export function copy(
  source: Transport,
  target: Transport,
  options: CopyOptions = {},
): Promise<number> {
  const both = {
    close(): void {
      closeQuietly(source);
      closeQuietly(target);
    },
  };
  const run = (): Promise<number> => runCopy(source, target, both, options);
  return isBounded(options) ? runOperation(both, "copy", options, run) : run();
}

/**
 * One read, then its bytes written, then the next read. Reading ahead while the
 * last write is under way was tried, and costs 1.0 to 1.05 times the CPU for
 * twice the memory (`ahead` in `tests/bench/nbio/copy.ts`): where the system has
 * room a write does not wait, and where it has none, reading ahead only moves
 * bytes from its buffers to ours.
 */
async function runCopy(
  source: Transport,
  target: Transport,
  both: { close(): void },
  options: CopyOptions,
): Promise<number> {
  let progress: Progress | undefined;
  try {
    progress = new Progress(both, options);
    const buffer = new CopyBuffer(resolveBufferBytes(options));
    for (;;) {
      const space = buffer.space();
      progress.beginRead();
      const byteCount = await source.read(space);
      if (byteCount === null) break;
      progress.endRead(byteCount, space.length);
      for (let rest = buffer.chunk(byteCount); rest.length > 0;) {
        progress.beginWrite();
        const written = await target.write(rest);
        progress.endWrite(written, rest.length);
        rest = rest.subarray(written);
      }
    }
    if (options.closeWrite) await target.closeWrite();
    progress.throwIfIdle();
    return progress.copiedBytes;
  } catch (error) {
    both.close();
    progress?.throwIfIdle();
    throw error;
  } finally {
    progress?.stop();
  }
}

/** What has been copied, and the limits on it. */
class Progress {
  /** Bytes the target has taken. */
  copiedBytes = 0;
  readonly #maxBytes: number;
  readonly #idleTimeoutMs: number;
  readonly #onProgress: ((copiedBytes: number) => void) | undefined;
  readonly #status: SendStatus | undefined;
  readonly #idle: Deadline | undefined;
  #idleError: TimeoutError | undefined;
  #phase: "read" | "write" = "read";
  #receivedBytes = 0;
  #emptyReadCount = 0;
  #emptyWriteCount = 0;

  constructor(both: { close(): void }, options: CopyOptions) {
    const { maxBytes = Infinity, idleTimeoutMs = 0, wheel = deadlines } = options;
    checkIdleTimeout(idleTimeoutMs);
    this.#maxBytes = checkBound("maxBytes", maxBytes);
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#onProgress = options.onProgress;
    this.#status = options.status;
    if (idleTimeoutMs === 0 || idleTimeoutMs === Infinity) return;
    this.#idle = wheel.create(() => {
      this.#idleError = idleError(this.#phase, idleTimeoutMs);
      both.close();
    });
  }

  beginRead(): void {
    this.#phase = "read";
    this.#idle?.arm(this.#idleTimeoutMs);
  }

  endRead(byteCount: number, spaceBytes: number): void {
    this.#emptyReadCount = checkRead(byteCount, spaceBytes, this.#emptyReadCount);
    this.#receivedBytes += byteCount;
    if (this.#receivedBytes > this.#maxBytes) {
      throw limitError(this.#receivedBytes, this.#maxBytes);
    }
  }

  beginWrite(): void {
    this.#phase = "write";
    this.#idle?.arm(this.#idleTimeoutMs);
    if (this.#status !== undefined) this.#status.mayHaveSent = true;
  }

  endWrite(written: number, offeredBytes: number): void {
    this.#emptyWriteCount = checkWritten(written, offeredBytes, this.#emptyWriteCount);
    this.copiedBytes += written;
    if (this.#status !== undefined) this.#status.sentBytes += written;
    this.#onProgress?.(this.copiedBytes);
  }

  /** Closing wakes what waits with an error of its own, or it came through just then. */
  throwIfIdle(): void {
    if (this.#idleError !== undefined) throw this.#idleError;
  }

  stop(): void {
    this.#idle?.cancel();
  }
}

function resolveBufferBytes({ bufferBytes = DEFAULT_BUFFER_BYTES }: CopyOptions): number {
  if (Number.isInteger(bufferBytes) && bufferBytes >= 1 && bufferBytes <= MAX_BUFFER_BYTES) {
    return bufferBytes;
  }
  throw new RangeError(
    `Cannot copy: bufferBytes is ${bufferBytes}, expected an integer from 1 to ${MAX_BUFFER_BYTES}`,
  );
}

function checkIdleTimeout(value: number): void {
  if (value >= 0) return;
  throw new RangeError(`Cannot copy: idleTimeoutMs is ${value}, expected a number of at least 0`);
}

function limitError(receivedBytes: number, maxBytes: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot copy: the source has brought ${receivedBytes} bytes, expected at most ${maxBytes}`,
    { limit: "maxBytes", max: maxBytes },
  );
}

function idleError(phase: "read" | "write", timeoutMs: number): TimeoutError {
  const side = phase === "read" ? "source brought" : "target took";
  return new TimeoutError(`Cannot copy: the ${side} nothing in ${timeoutMs} ms`, {
    phase,
    timeoutMs,
  });
}
