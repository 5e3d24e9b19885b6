/**
 * {@linkcode sendFile}: a file, or a part of it, into a transport.
 *
 * @module
 */

import { fileEndedError, FilePart } from "./_file_part.ts";
import type { FileHandle } from "./file_handle.ts";
import { type OperationOptions, runOperation } from "./operation.ts";
import { PositionalFile } from "./positional_file.ts";
import { sendAll, type SendStatus } from "./send_all.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of {@linkcode sendFile}. */
export interface SendFileOptions extends OperationOptions {
  /**
   * Where to begin, in bytes from the start of the file, at least 0.
   *
   * @default {0}
   */
  readonly offset?: number;

  /**
   * How many bytes to send, at least 0: so many or an error. Without it, what
   * is there from `offset` on when sending begins.
   *
   * @default {undefined}
   */
  readonly length?: number;

  /**
   * Most bytes of each of the two buffers, 1 to 2^30: one is read into while the
   * other is written. They begin with 256 KiB at most, and become larger only
   * while the peer takes what it is sent faster than the file is read.
   *
   * @default {2_097_152}
   */
  readonly bufferBytes?: number;

  /**
   * Told after each write. What it throws ends the sending.
   *
   * @param sentBytes Bytes sent so far, by this call.
   * @param totalBytes Bytes to send in all.
   * @default {undefined}
   */
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void;

  /**
   * Where to keep account of what has left.
   *
   * @default {undefined}
   */
  readonly status?: SendStatus;
}

/**
 * Every read costs a change of thread, whatever its size. Per GiB over loopback,
 * pieces of 2 MiB cost 0.9 to 1.0 of the CPU of `pipeTo`, whose own pieces grow
 * to 6 MiB; of 1 MiB 1.0 to 1.1, of 256 KiB 1.2 to 1.3, and of 64 KiB twice as
 * much (`tests/bench/nbio/send_file.ts`).
 */
const DEFAULT_BUFFER_BYTES = 2_097_152;

const MAX_BUFFER_BYTES = 2 ** 30;

/**
 * Sends a file, or a part of it, reading the next part while one is written.
 * However large the file and however slow the peer: two buffers are held, and
 * the file is at most one of them ahead.
 *
 * As with every function over a transport, whatever fails closes the transport;
 * that is so for a file that cannot be opened, too. To answer such a peer with
 * something else, open the file first and hand it in. A file handed in stays
 * open in any case, and one that is opened here is always closed.
 *
 * Cancelling rejects as soon as a read that is under way has ended. Opening
 * cannot be cut short: it waits for a named pipe without a writer.
 *
 * A file of `/proc` says that it has 0 bytes, and so nothing is sent of it unless
 * `length` is given: see {@linkcode readEntireFile}.
 *
 * Permission: `--allow-read` for a path.
 *
 * @param transport Where to write.
 * @param file Which file: a path, a {@linkcode PositionalFile} that may be in
 * use elsewhere at the same time, or an open file that must not; its position
 * is not minded, and changes.
 * @param options Which part of it; progress, deadline, signal and account.
 * @returns How many bytes were sent: `length`, if it was given.
 * @throws {FileError} If the file cannot be opened or read; with the code
 * `ERR_NET_FILE_ENDED` if it ends before `offset + length`, or shrinks below.
 * @throws {LimitExceededError} If too many operations wait at a
 * {@linkcode PositionalFile} already.
 * @throws {TimeoutError} If the deadline passes first; its phase is `"send file"`.
 * @throws {RangeError} If an option is out of its range.
 * @throws {Error} The signal's reason, or whatever {@linkcode sendAll} rejects
 * with, untouched.
 *
 * @example A part of a file, with progress
 * ```ts
 * import { sendFile } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "hello, world");
 * const [client, server] = memoryPipe();
 * const shown: string[] = [];
 * const sentBytes = await sendFile(client, path, {
 *   offset: 7,
 *   onProgress: (sent, total) => shown.push(`${sent} of ${total}`),
 * });
 * assertEquals([sentBytes, shown], [5, ["5 of 5"]]);
 * const p = new Uint8Array(16);
 * assertEquals(await server.read(p), 5);
 * assertEquals(new TextDecoder().decode(p.subarray(0, 5)), "world");
 * await Deno.remove(path);
 * ```
 */
export async function sendFile(
  transport: Transport,
  file: string | URL | PositionalFile | FileHandle,
  options: SendFileOptions = {},
): Promise<number> {
  const { offset = 0, length, bufferBytes = DEFAULT_BUFFER_BYTES } = options;
  checkOption("offset", offset, 0);
  checkOption("length", length ?? 0, 0);
  checkOption("bufferBytes", bufferBytes, 1, MAX_BUFFER_BYTES);
  const reads = new AbortController();
  // Cancelling must end a read that waits for its turn as well as a write.
  const cancellable = {
    close(): void {
      reads.abort();
      closeQuietly(transport);
    },
  };
  return await runOperation(cancellable, "send file", options, async () => {
    const { source, opened } = await openSource(file);
    const { signal } = reads;
    let part: FilePart | undefined;
    try {
      const total = length ?? await remainingBytes(source, offset, signal);
      part = new FilePart(source, { offset, length: total, bufferBytes, signal });
      await sendPart(transport, part, total, options);
      return total;
    } finally {
      reads.abort();
      await part?.settle();
      if (opened) await source.close();
    }
  });
}

/** Writes piece after piece, and lets no read outlive this. */
async function sendPart(
  transport: Transport,
  part: FilePart,
  length: number,
  { onProgress, status }: SendFileOptions,
): Promise<void> {
  const account = status === undefined ? {} : { status };
  let sentBytes = 0;
  part.readAhead();
  while (sentBytes < length) {
    const piece = await part.take();
    const written = sendAll(transport, piece, account);
    // Only now: what the socket has room for has left already, and the thread
    // that reads does not take core and memory from the one that writes.
    part.readAhead();
    await written;
    sentBytes += piece.length;
    onProgress?.(sentBytes, length);
  }
}

async function openSource(
  file: string | URL | PositionalFile | FileHandle,
): Promise<{ source: PositionalFile; opened: boolean }> {
  if (file instanceof PositionalFile) return { source: file, opened: false };
  if (typeof file === "string" || file instanceof URL) {
    return { source: await PositionalFile.open(file), opened: true };
  }
  return { source: new PositionalFile(file), opened: false };
}

/** What there is to send when the caller does not say. */
async function remainingBytes(
  source: PositionalFile,
  offset: number,
  signal: AbortSignal,
): Promise<number> {
  const size = await source.size({ signal });
  if (offset > size) throw fileEndedError(source, size, offset);
  return size - offset;
}

function checkOption(
  name: string,
  value: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot send file: ${name} is ${value}, expected an integer from ${least} to ${most}`,
  );
}
