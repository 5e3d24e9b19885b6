/**
 * {@linkcode FileError}: a file could not be used, and at which step.
 *
 * @module
 */

import { NetError } from "./errors.ts";

/** What was being done to a file when it failed. */
export type FileStep =
  | "open"
  | "stat"
  | "seek"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "close";

/**
 * - `ERR_NET_FILE`: the system refused; `cause` is its error.
 * - `ERR_NET_FILE_ENDED`: the file ends before the bytes that were asked for,
 *   because it has shrunk or never was so long.
 * - `ERR_NET_FILE_CLOSED`: the file was used after it had been closed.
 */
export type FileErrorCode = "ERR_NET_FILE" | "ERR_NET_FILE_ENDED" | "ERR_NET_FILE_CLOSED";

/** What a {@linkcode FileError} tells beside its message. */
export interface FileErrorOptions extends ErrorOptions {
  /**
   * What happened.
   *
   * @default {"ERR_NET_FILE"}
   */
  readonly code?: FileErrorCode;
  /** What was being done. */
  readonly step: FileStep;
  /** The file, as the caller named it; absent for a handle without a path. */
  readonly path?: string | URL | undefined;
}

/**
 * A file could not be used. With `ERR_NET_FILE`, `cause` is the error of the
 * system.
 *
 * @example Telling a missing file from a bad disk
 * ```ts
 * import { FileError, readEntireFile } from "@nbio/net/nbio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const error = await assertRejects(() => readEntireFile("./no such file"), FileError);
 * assertEquals([error.step, error.cause instanceof Deno.errors.NotFound], ["open", true]);
 * ```
 */
export class FileError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: FileErrorCode;
  /** What was being done. */
  readonly step: FileStep;
  /** The file, as the caller named it; `undefined` for a handle without a path. */
  readonly path: string | URL | undefined;

  /**
   * Makes the error.
   *
   * @param message The step, the file and the reason.
   * @param options The step, the path, the code and the cause.
   */
  constructor(message: string, options: FileErrorOptions) {
    super(message, options);
    this.code = options.code ?? "ERR_NET_FILE";
    this.step = options.step;
    this.path = options.path;
  }
}
