/**
 * One step on a file, whose failure is a `FileError` that names it.
 *
 * @module
 */

import { FileError, type FileStep } from "./file_error.ts";

/** Runs one step; what it throws becomes the cause of a `FileError`. */
export async function runFileStep<T>(
  step: FileStep,
  path: string | URL | undefined,
  operate: () => Promise<T>,
): Promise<T> {
  try {
    return await operate();
  } catch (cause) {
    throw fileStepError(step, path, cause);
  }
}

/** A failed step, as an error. */
export function fileStepError(
  step: FileStep,
  path: string | URL | undefined,
  cause: unknown,
): FileError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FileError(`Cannot ${step} ${describeFile(path)}: ${reason}`, { step, path, cause });
}

/** The file as a message names it. */
export function describeFile(path: string | URL | undefined): string {
  // Quoted: a path may hold line feeds, which would forge lines in a log.
  return path === undefined ? "file" : JSON.stringify(String(path));
}

/** A handle that counts wrongly would make us repeat, skip or make up bytes. */
export function checkByteCount(byteCount: number, maxBytes: number): number {
  if (Number.isInteger(byteCount) && byteCount >= 0 && byteCount <= maxBytes) return byteCount;
  throw new TypeError(`the file says ${byteCount} bytes when it was given room for ${maxBytes}`);
}
