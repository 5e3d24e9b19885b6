/**
 * {@linkcode readEntireFile}: a whole file in memory, within a bound.
 *
 * @module
 */

import { checkBound } from "./_check_bound.ts";
import { checkByteCount, describeFile, fileStepError, runFileStep } from "./_file_step.ts";
import { LimitExceededError } from "./errors.ts";
import type { FileHandle } from "./file_handle.ts";
import { type OperationOptions, runOperation } from "./operation.ts";

/** Options of {@linkcode readEntireFile}. */
export interface ReadEntireFileOptions extends OperationOptions {
  /**
   * Most bytes the file may have. 0 and `Infinity` mean no limit.
   *
   * @default {67_108_864}
   */
  readonly maxBytes?: number;

  /**
   * Told after each read that gave something. What it throws ends the reading.
   *
   * @param readBytes Bytes read so far.
   * @param sizeHint Bytes the file had at the beginning, 0 where it does not
   * say. It may turn out to have more or fewer.
   * @default {undefined}
   */
  readonly onProgress?: (readBytes: number, sizeHint: number) => void;
}

/** 64 MiB: what a client of this package takes into memory by default, too. */
const DEFAULT_MAX_BYTES = 67_108_864;

/**
 * Most bytes of one read: between reads progress is told and a signal is looked
 * at. A read costs a change of thread (about 40 microseconds), which is little
 * beside copying 1 MiB.
 */
const MAX_READ_BYTES = 1_048_576;

/** Capacity at first for a file that does not tell its size, and least growth. */
const MIN_CAPACITY_BYTES = 65_536;

/**
 * Reads a file from its beginning to its end.
 *
 * The size that the system tells is only a hint: files of `/proc` say 0, others
 * grow or shrink while they are read. What counts is where reading ends.
 *
 * Cancelling closes the file, which ends a read that waits, as one from a named
 * pipe does. A file handed in is left open, so there a read under way ends
 * first. Opening cannot be cut short: it waits for a named pipe without a writer.
 *
 * Permission: `--allow-read` for a path.
 *
 * @param file Its path; or an open file, which is read from where it stands to
 * its end, and left open.
 * @param options The bound, progress, deadline and signal.
 * @returns The content, alone in its buffer.
 * @throws {FileError} If a step fails: `step` says which.
 * @throws {LimitExceededError} If the file has more than `maxBytes`, or grows
 * over it while it is read.
 * @throws {TimeoutError} If the deadline passes first; its phase is `"read file"`.
 * @throws {RangeError} If an option is negative or not a number.
 * @throws {Error} The signal's reason, or what `onProgress` throws.
 *
 * @example A file of limited size
 * ```ts
 * import { LimitExceededError, readEntireFile } from "@nbio/net/nbio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "hello");
 * const bytes = await readEntireFile(path, { maxBytes: 5 });
 * assertEquals(new TextDecoder().decode(bytes), "hello");
 * await assertRejects(() => readEntireFile(path, { maxBytes: 4 }), LimitExceededError);
 * await Deno.remove(path);
 * ```
 */
export async function readEntireFile(
  file: string | URL | Pick<FileHandle, "read" | "stat">,
  options: ReadEntireFileOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes = DEFAULT_MAX_BYTES, onProgress } = options;
  const stop = new AbortController();
  const source = { stop: stop.signal, maxBytes: checkBound("maxBytes", maxBytes), onProgress };
  let opened: Deno.FsFile | undefined;
  const cancellable = {
    close(): void {
      stop.abort();
      opened?.close();
    },
  };
  return await runOperation(cancellable, "read file", options, async () => {
    if (typeof file !== "string" && !(file instanceof URL)) {
      return await readToEnd({ ...source, handle: file, path: undefined });
    }
    const handle = opened = await runFileStep("open", file, () => Deno.open(file));
    const bytes = await readToEnd({ ...source, handle, path: file });
    await runFileStep("close", file, async () => await handle.close());
    return bytes;
  });
}

/** What is read, and how. */
interface Source {
  readonly handle: Pick<FileHandle, "read" | "stat">;
  readonly path: string | URL | undefined;
  readonly maxBytes: number;
  readonly onProgress: ((readBytes: number, sizeHint: number) => void) | undefined;
  readonly stop: AbortSignal;
}

async function readToEnd(source: Source): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes, stop, onProgress } = source;
  // It may have been cancelled while it was opened.
  stop.throwIfAborted();
  const sizeHint = await readSizeHint(source);
  if (sizeHint > maxBytes) throw tooLargeError(source);
  let bytes = resize(source, new Uint8Array(0), Math.min(sizeHint || MIN_CAPACITY_BYTES, maxBytes));
  let readBytes = 0;
  // Whether a file that has filled its memory ends there is asked with one byte
  // more, so that a file that tells its size gets exactly so much memory.
  const probe = new Uint8Array(1);
  for (;;) {
    stop.throwIfAborted();
    const isFull = readBytes === bytes.length;
    const room = isFull ? probe : bytes.subarray(readBytes, readBytes + MAX_READ_BYTES);
    const byteCount = await readSome(source, room);
    if (byteCount === 0) return resize(source, bytes, readBytes);
    if (isFull) {
      if (readBytes === maxBytes) throw tooLargeError(source);
      bytes = resize(
        source,
        bytes,
        Math.min(Math.max(readBytes * 2, MIN_CAPACITY_BYTES), maxBytes),
      );
      bytes.set(probe, readBytes);
    }
    readBytes += byteCount;
    onProgress?.(readBytes, sizeHint);
  }
}

/** The size that the system tells, 0 if that is none. */
async function readSizeHint({ handle, path }: Source): Promise<number> {
  const { size } = await runFileStep("stat", path, () => handle.stat());
  return Number.isSafeInteger(size) && size > 0 ? size : 0;
}

/** Reads once; 0 is the end. */
function readSome({ handle, path }: Source, room: Uint8Array): Promise<number> {
  return runFileStep("read", path, async () => {
    return checkByteCount(await handle.read(room) ?? 0, room.length);
  });
}

/** The same bytes in memory of another size, which is mostly not a copy. */
function resize(
  { path }: Source,
  bytes: Uint8Array<ArrayBuffer>,
  capacity: number,
): Uint8Array<ArrayBuffer> {
  if (bytes.length === capacity) return bytes;
  try {
    return new Uint8Array(bytes.buffer.transfer(capacity));
  } catch (cause) {
    // Without a limit a file may be larger than memory: its fault, not the caller's.
    throw fileStepError("read", path, cause);
  }
}

function tooLargeError({ path, maxBytes }: Source): LimitExceededError {
  return new LimitExceededError(
    `Cannot read ${describeFile(path)}: it has more than ${maxBytes} bytes`,
    { limit: "maxBytes", max: maxBytes },
  );
}
