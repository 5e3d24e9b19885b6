/**
 * {@linkcode FileHandle}: what this package needs of an open file.
 *
 * @module
 */

/**
 * An open file: a `Deno.FsFile` as it is, or anything that does the same, as a
 * test's own file that shrinks while it is read.
 *
 * @example A file in memory
 * ```ts
 * import { type FileHandle, readEntireFile } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * let unread = new TextEncoder().encode("hello");
 * const handle: Pick<FileHandle, "read" | "stat"> = {
 *   read(p) {
 *     const taken = unread.subarray(0, p.length);
 *     unread = unread.subarray(taken.length);
 *     p.set(taken);
 *     return Promise.resolve(taken.length || null);
 *   },
 *   stat: () => Promise.resolve({ size: 5 }),
 * };
 * assertEquals(new TextDecoder().decode(await readEntireFile(handle)), "hello");
 * ```
 */
export interface FileHandle {
  /**
   * Reads from where the file stands, which moves on by as much.
   *
   * @param p Where bytes go; not touched by the caller until the promise settles.
   * @returns How many bytes came, at the start of `p`; `null` at the end.
   */
  read(p: Uint8Array): Promise<number | null>;

  /**
   * Writes to where the file stands, which moves on by as much.
   *
   * @param p The bytes; unchanged by the caller until the promise settles.
   * @returns How many bytes were taken, which may be fewer than `p` holds.
   */
  write(p: Uint8Array): Promise<number>;

  /**
   * Moves to a place. It is synchronous because nothing is read or written by
   * it: it costs less than half a microsecond, a promise of the runtime's file
   * system about a hundred times as much.
   *
   * @param offset Bytes from the start.
   * @param whence `Deno.SeekMode.Start`.
   * @returns Where the file stands now.
   */
  seekSync(offset: number, whence: Deno.SeekMode): number;

  /** Tells the size, in bytes; 0 for files that have none, as those of `/proc`. */
  stat(): Promise<{ readonly size: number }>;

  /**
   * Cuts the file, or extends it with zeros.
   *
   * @param length Bytes that it has from then on.
   */
  truncate(length: number): Promise<void>;

  /** Waits until what was written is on the disk. */
  sync(): Promise<void>;

  /** Gives the file up. */
  close(): void;
}
