/**
 * {@linkcode FileError}: a file could not be used, and at which step.
 *
 * @module
 */

import { NetError } from "./errors.ts";

/** What was being done to a file when it failed. */
export type FileStep = "open" | "stat" | "seek" | "read" | "write" | "close";

/** What a {@linkcode FileError} tells beside its message. */
export interface FileErrorOptions extends ErrorOptions {
  /** What was being done. */
  readonly step: FileStep;
  /** The file, as the caller named it; `undefined` for a handle without a path. */
  readonly path?: string | URL;
}

/**
 * A file could not be used; `cause` is the error of the system.
 *
 * @example Telling a missing file from a bad disk
 * ```ts
 * import { FileError } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new FileError("Cannot open a.txt: no such file", {
 *   step: "open",
 *   path: "a.txt",
 *   cause: new Deno.errors.NotFound("No such file"),
 * });
 * assertEquals([error.step, error.cause instanceof Deno.errors.NotFound], ["open", true]);
 * ```
 */
export class FileError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code = "ERR_NET_FILE";
  /** What was being done. */
  readonly step: FileStep;
  /** The file, as the caller named it; `undefined` for a handle without a path. */
  readonly path: string | URL | undefined;

  /**
   * Makes the error.
   *
   * @param message The step, the file and the reason.
   * @param options The step, the path and the cause.
   */
  constructor(message: string, options: FileErrorOptions) {
    super(message, options);
    this.step = options.step;
    this.path = options.path;
  }
}
