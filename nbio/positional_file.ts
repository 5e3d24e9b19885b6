/**
 * {@linkcode PositionalFile}: reads and writes at a place, by many callers.
 *
 * @module
 */

import { checkBound } from "./_check_bound.ts";
import { checkByteCount, describeFile, fileStepError, runFileStep } from "./_file_step.ts";
import { LimitExceededError } from "./errors.ts";
import { FileError, type FileStep } from "./file_error.ts";
import type { FileHandle } from "./file_handle.ts";
import { Semaphore } from "./semaphore.ts";

/** Writes that take nothing, in a row, before the file counts as broken. */
const MAX_EMPTY_WRITES = 2;

const DEFAULT_MAX_WAITERS = 1_000;

/** Options of the constructor of {@linkcode PositionalFile}. */
export interface PositionalFileOptions {
  /**
   * Operations that wait for their turn. One more is refused with
   * {@linkcode LimitExceededError}. 0 and `Infinity` mean no limit.
   *
   * @default {1_000}
   */
  readonly maxWaiters?: number;

  /**
   * What errors call the file.
   *
   * @default {undefined}
   */
  readonly path?: string | URL;
}

/** Options of {@linkcode PositionalFile.open}. */
export interface OpenFileOptions {
  /**
   * Whether it will be read.
   *
   * @default {true}
   */
  readonly read?: boolean;

  /**
   * Whether it will be written.
   *
   * @default {false}
   */
  readonly write?: boolean;

  /**
   * Makes the file if it is not there. Needs `write`.
   *
   * @default {false}
   */
  readonly create?: boolean;

  /**
   * Makes the file, and fails if it is there. Needs `write`.
   *
   * @default {false}
   */
  readonly createNew?: boolean;

  /**
   * Empties the file. Needs `write`.
   *
   * @default {false}
   */
  readonly truncate?: boolean;

  /**
   * Permissions of a file that is made, reduced by those the process masks;
   * without effect on Windows.
   *
   * @default {0o666}
   */
  readonly mode?: number;

  /**
   * As in {@linkcode PositionalFileOptions}.
   *
   * @default {1_000}
   */
  readonly maxWaiters?: number;
}

/** Options of every operation of {@linkcode PositionalFile}. */
export interface PositionalFileOperationOptions {
  /**
   * Cancels the operation while it waits for its turn: it never runs then, and
   * rejects with the signal's reason. One that runs already is finished.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/**
 * A file that is read and written at given places, by as many callers as like.
 *
 * The runtime can only move a file to a place and then read there, so operations
 * are queued: each runs as a whole, one at a time, in the order of the calls. A
 * read that was asked for after a write sees what was written. A failed
 * operation does not harm those after it.
 *
 * The file handle must not be used by anything else.
 *
 * @example A record in the middle
 * ```ts
 * import { PositionalFile } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * {
 *   await using file = await PositionalFile.open(path, { write: true });
 *   await file.writeAt(new Uint8Array([7, 8]), 4);
 *   const p = new Uint8Array(16);
 *   assertEquals(await file.readAt(p, 3), 3);
 *   assertEquals([...p.subarray(0, 3)], [0, 7, 8]);
 * }
 * await Deno.remove(path);
 * ```
 */
export class PositionalFile implements AsyncDisposable {
  /** What errors call the file: the path it was opened by. */
  readonly path: string | URL | undefined;
  readonly #handle: FileHandle;
  // Its queue is bounded here: closing must always find a place in it.
  readonly #turn: Semaphore = new Semaphore(1, { maxWaiters: Infinity });
  readonly #maxWaiters: number;
  #closing: Promise<void> | undefined;

  /**
   * Takes an open file over, which from now on belongs to this object.
   *
   * @param handle The file, not opened for appending: such a file writes at its
   * end wherever it stands.
   * @param options The bound of the queue, and the name.
   * @throws {RangeError} If `maxWaiters` is negative or not a whole number.
   */
  constructor(handle: FileHandle, options: PositionalFileOptions = {}) {
    this.#handle = handle;
    this.#maxWaiters = checkBound("maxWaiters", options.maxWaiters ?? DEFAULT_MAX_WAITERS);
    this.path = options.path;
  }

  /**
   * Opens a file. Permission: `--allow-read` for its path to read it,
   * `--allow-write` to write it.
   *
   * @param path Which one.
   * @param options What for, and the bound of the queue.
   * @returns The file.
   * @throws {FileError} If it cannot be opened.
   * @throws {TypeError} If the file is to be neither read nor written, or an
   * option needs `write`.
   * @throws {RangeError} If `maxWaiters` is negative or not a whole number.
   *
   * @example Reading a part
   * ```ts
   * import { PositionalFile } from "@nbio/net/nbio";
   * import { assertEquals } from "@std/assert";
   *
   * const path = await Deno.makeTempFile();
   * await Deno.writeTextFile(path, "hello, world");
   * const file = await PositionalFile.open(path);
   * const p = new Uint8Array(5);
   * await file.readAt(p, 7);
   * assertEquals(new TextDecoder().decode(p), "world");
   * await file.close();
   * await Deno.remove(path);
   * ```
   */
  static async open(path: string | URL, options: OpenFileOptions = {}): Promise<PositionalFile> {
    const { maxWaiters = DEFAULT_MAX_WAITERS, ...rest } = options;
    checkBound("maxWaiters", maxWaiters);
    checkPurpose(options);
    const handle = await runFileStep("open", path, () => Deno.open(path, { read: true, ...rest }));
    return new PositionalFile(handle, { maxWaiters, path });
  }

  /** How many operations wait for their turn; the one that runs does not count. */
  get waiterCount(): number {
    return this.#turn.waiterCount;
  }

  /**
   * Reads at a place. The array is filled, with several reads if it takes them,
   * unless the file ends before.
   *
   * @param p Where bytes go; not touched by the caller until the promise settles.
   * @param offset Bytes from the start of the file, at least 0.
   * @param options A signal for the wait.
   * @returns How many bytes came, at the start of `p`: fewer than it holds only
   * where the file ends, and 0 at its end and beyond.
   * @throws {FileError} If reading fails, or the file was closed.
   * @throws {LimitExceededError} If too many operations wait.
   * @throws {RangeError} If `offset` is not a whole number of at least 0.
   * @throws {Error} The signal's reason.
   */
  async readAt(
    p: Uint8Array,
    offset: number,
    options?: PositionalFileOperationOptions,
  ): Promise<number> {
    checkPlace("read", "offset", offset);
    using _turn = await this.#enter("read", options);
    this.#seek(offset);
    return await runFileStep("read", this.path, () => fill(this.#handle, p));
  }

  /**
   * Writes all of an array at a place. Where that is beyond the end of the file,
   * zeros fill the gap.
   *
   * @param p The bytes; unchanged by the caller until the promise settles.
   * @param offset Bytes from the start of the file, at least 0.
   * @param options A signal for the wait.
   * @returns A promise that resolves when all is written.
   * @throws {FileError} If writing fails, when a part may have been written; or
   * if the file was closed.
   * @throws {LimitExceededError} If too many operations wait.
   * @throws {RangeError} If `offset` is not a whole number of at least 0.
   * @throws {Error} The signal's reason.
   */
  async writeAt(
    p: Uint8Array,
    offset: number,
    options?: PositionalFileOperationOptions,
  ): Promise<void> {
    checkPlace("write", "offset", offset);
    using _turn = await this.#enter("write", options);
    this.#seek(offset);
    await runFileStep("write", this.path, () => drain(this.#handle, p));
  }

  /**
   * Tells the size, when the operations before it are through.
   *
   * @param options A signal for the wait.
   * @returns Bytes; 0 for files that have none, as those of `/proc`.
   * @throws {FileError} If it cannot be told, or the file was closed.
   * @throws {LimitExceededError} If too many operations wait.
   * @throws {Error} The signal's reason.
   */
  async size(options?: PositionalFileOperationOptions): Promise<number> {
    using _turn = await this.#enter("stat", options);
    return await runFileStep("stat", this.path, async () => (await this.#handle.stat()).size);
  }

  /**
   * Cuts the file, or extends it with zeros.
   *
   * @param length Bytes that it has from then on, at least 0.
   * @param options A signal for the wait.
   * @returns A promise that resolves when it is done.
   * @throws {FileError} If it fails, or the file was closed.
   * @throws {LimitExceededError} If too many operations wait.
   * @throws {RangeError} If `length` is not a whole number of at least 0.
   * @throws {Error} The signal's reason.
   */
  async truncate(length: number, options?: PositionalFileOperationOptions): Promise<void> {
    checkPlace("truncate", "length", length);
    using _turn = await this.#enter("truncate", options);
    await runFileStep("truncate", this.path, () => this.#handle.truncate(length));
  }

  /**
   * Waits until what was written is on the disk, where a loss of power leaves it.
   *
   * @param options A signal for the wait.
   * @returns A promise that resolves when it is.
   * @throws {FileError} If it fails, or the file was closed.
   * @throws {LimitExceededError} If too many operations wait.
   * @throws {Error} The signal's reason.
   */
  async sync(options?: PositionalFileOperationOptions): Promise<void> {
    using _turn = await this.#enter("sync", options);
    await runFileStep("sync", this.path, () => this.#handle.sync());
  }

  /**
   * Closes the file when all operations asked for so far are through; those
   * asked for from now on are refused. A second call gives the first one's
   * promise.
   *
   * @returns A promise that resolves when the file is closed.
   * @throws {FileError} If closing fails.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Closes the file, as {@linkcode PositionalFile.close} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The last one in the queue: nothing waits behind it, and no limit refuses it. */
  async #close(): Promise<void> {
    using _turn = await this.#turn.acquire();
    await runFileStep("close", this.path, async () => await this.#handle.close());
  }

  /** Waits for the turn of an operation, which ends when the result is disposed of. */
  async #enter(
    step: FileStep,
    options: PositionalFileOperationOptions = {},
  ): Promise<Disposable> {
    if (this.#closing !== undefined) {
      throw new FileError(`Cannot ${step} ${describeFile(this.path)}: it was closed`, {
        step,
        path: this.path,
        code: "ERR_NET_FILE_CLOSED",
      });
    }
    if (this.#turn.waiterCount >= this.#maxWaiters) {
      throw new LimitExceededError(
        `Cannot ${step} ${describeFile(this.path)}: ${this.#maxWaiters} operations wait`,
        { limit: "maxWaiters", max: this.#maxWaiters },
      );
    }
    const turn = await this.#turn.acquire(options);
    if (!options.signal?.aborted) return turn;
    // It was aborted after its turn had come, and has not run yet.
    turn[Symbol.dispose]();
    throw options.signal.reason;
  }

  #seek(offset: number): void {
    try {
      this.#handle.seekSync(offset, Deno.SeekMode.Start);
    } catch (cause) {
      throw fileStepError("seek", this.path, cause);
    }
  }
}

/** Reads until the array is full or the file ends. */
async function fill(handle: FileHandle, p: Uint8Array): Promise<number> {
  let readBytes = 0;
  while (readBytes < p.length) {
    const room = p.subarray(readBytes);
    const byteCount = checkByteCount(await handle.read(room) ?? 0, room.length);
    // A file gives nothing only at its end.
    if (byteCount === 0) break;
    readBytes += byteCount;
  }
  return readBytes;
}

/** Writes all of an array. */
async function drain(handle: FileHandle, p: Uint8Array): Promise<void> {
  let writtenBytes = 0;
  let emptyCount = 0;
  while (writtenBytes < p.length) {
    const rest = p.subarray(writtenBytes);
    const byteCount = checkByteCount(await handle.write(rest), rest.length);
    writtenBytes += byteCount;
    emptyCount = byteCount === 0 ? emptyCount + 1 : 0;
    if (emptyCount === MAX_EMPTY_WRITES) {
      throw new TypeError(`the file took 0 of ${rest.length} bytes, twice in a row`);
    }
  }
}

function checkPurpose(options: OpenFileOptions): void {
  const { read = true, write = false } = options;
  if (!read && !write) throw new TypeError("Cannot open file: it is neither read nor written");
  for (const name of ["create", "createNew", "truncate"] as const) {
    if (!options[name] || write) continue;
    throw new TypeError(`Cannot open file: ${name} needs write`);
  }
}

function checkPlace(step: FileStep, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(
    `Cannot ${step} file: ${name} is ${value}, expected a whole number of at least 0`,
  );
}
