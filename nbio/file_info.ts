/**
 * {@linkcode statFile}, {@linkcode resolveFile}, {@linkcode readDirectory},
 * {@linkcode openRegularFile}: what lies where in the file system, without a
 * mistake of another's path becoming an error of ours.
 *
 * @module
 */

import { checkBound } from "./_check_bound.ts";
import { runFileStep } from "./_file_step.ts";
import { FileError } from "./file_error.ts";
import { PositionalFile } from "./positional_file.ts";

/** What a path leads to. */
export type FileKind = "file" | "directory" | "symlink" | "other";

/** What the file system says about a path. */
export interface FileStatus {
  /**
   * What it is: `"symlink"` only where links are not followed, `"other"` for
   * sockets, pipes and devices.
   */
  readonly kind: FileKind;
  /** Bytes that it has. */
  readonly size: number;
  /**
   * When its content was last changed, in milliseconds since 1970-01-01T00:00:00Z;
   * `undefined` where the file system does not know.
   */
  readonly modifiedMs: number | undefined;
  /** The file system it lies in, as a number; `undefined` where there is none. */
  readonly device: number | undefined;
  /** Its number in there; `undefined` where there is none. */
  readonly inode: number | undefined;
}

/** Options of {@linkcode statFile}. */
export interface StatFileOptions {
  /**
   * Whether it is about what a symbolic link leads to, or about the link.
   *
   * @default {true}
   */
  readonly followSymlinks?: boolean;
}

/** Something in a directory. */
export interface DirectoryItem extends FileStatus {
  /** Its name, without a path. */
  readonly name: string;
}

/** Options of {@linkcode readDirectory}. */
export interface ReadDirectoryOptions {
  /**
   * Most items that are looked at, at least 1; the rest is left out. 0 and
   * `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly maxItemCount?: number;
  /**
   * Which names to look at.
   *
   * @param name A name in the directory.
   * @default {() => true}
   */
  readonly filter?: (name: string) => boolean;
}

/** What {@linkcode readDirectory} gives. */
export interface DirectoryContent {
  /** What lies in it, in no order. Symbolic links are told as such. */
  readonly items: DirectoryItem[];
  /** Whether there is more than `maxItemCount`. */
  readonly isTruncated: boolean;
}

const DEFAULT_MAX_ITEM_COUNT = 10_000;
/** Looked at together: each is a change of thread. */
const BATCH_COUNT = 32;
/** Beside the classes of the runtime: names that the file system cannot have. */
const ABSENT_CODES: ReadonlySet<unknown> = new Set(["ENAMETOOLONG", "ELOOP"]);

/**
 * Tells what a path leads to. Permission: `--allow-read` for it.
 *
 * @param path Which.
 * @param options Whether links are followed.
 * @returns Kind, size and time; `undefined` if nothing is there, nor can be.
 * @throws {FileError} If it cannot be told: a folder above it is not ours to read,
 * say.
 *
 * @example A file and nothing
 * ```ts
 * import { statFile } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "hello");
 * assertEquals((await statFile(path))?.size, 5);
 * await Deno.remove(path);
 * assertEquals(await statFile(path), undefined);
 * ```
 */
export function statFile(
  path: string,
  options: StatFileOptions = {},
): Promise<FileStatus | undefined> {
  const { followSymlinks = true } = options;
  return orAbsent("stat", path, async () => {
    return statusOf(await (followSymlinks ? Deno.stat(path) : Deno.lstat(path)));
  });
}

/**
 * Resolves all symbolic links of a path, and brings it into the form in which the
 * system knows it. Permission: `--allow-read` for it.
 *
 * @param path Which.
 * @returns The absolute path, without links; `undefined` if nothing is there, nor
 * can be.
 * @throws {FileError} If it cannot be told.
 *
 * @example A link
 * ```ts
 * import { isPathInside, resolveFile } from "@nbio/net/nbio";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const folder = (await resolveFile(await Deno.makeTempDir()))!;
 * await Deno.writeTextFile(`${folder}/a`, "");
 * assert(isPathInside(folder, (await resolveFile(`${folder}/./a`))!));
 * assertEquals(await resolveFile(`${folder}/b`), undefined);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export function resolveFile(path: string): Promise<string | undefined> {
  return orAbsent("stat", path, () => Deno.realPath(path));
}

/** Whether paths are those of Windows, which knows other separators and names. */
export const isWindowsPath: boolean = Deno.build.os === "windows";

const SEPARATOR = isWindowsPath ? "\\" : "/";

/**
 * Tells whether a path is a folder, or lies in it. Both must have been resolved,
 * as by {@linkcode resolveFile}: nothing but their text is compared.
 *
 * @param folder The folder.
 * @param path The path.
 * @returns Whether it does.
 *
 * @example A name that only begins alike
 * ```ts
 * import { isPathInside } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isPathInside("/srv/www", "/srv/www"), true);
 * assertEquals(isPathInside("/srv/www", "/srv/www2/a"), false);
 * ```
 */
export function isPathInside(folder: string, path: string): boolean {
  if (path === folder) return true;
  return path.startsWith(folder.endsWith(SEPARATOR) ? folder : folder + SEPARATOR);
}

/**
 * Tells the names that lead from a folder to a path in it; see
 * {@linkcode isPathInside}.
 *
 * @param folder The folder.
 * @param path A path inside of it.
 * @returns The names in order; none for the folder itself.
 *
 * @example Two names
 * ```ts
 * import { namesInside } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * if (Deno.build.os !== "windows") {
 *   assertEquals(namesInside("/srv", "/srv/www/a"), ["www", "a"]);
 * }
 * ```
 */
export function namesInside(folder: string, path: string): string[] {
  return path.slice(folder.length).split(SEPARATOR).filter((name) => name !== "");
}

/**
 * Tells what lies in a directory. Permission: `--allow-read` for it.
 *
 * @param path Which.
 * @param options The bound, and which names count.
 * @returns Names, kinds, sizes and times. What vanishes meanwhile is left out.
 * @throws {FileError} If it is none or cannot be read.
 * @throws {RangeError} If `maxItemCount` is negative or not a whole number.
 *
 * @example Names
 * ```ts
 * import { readDirectory } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${folder}/a`, "hello");
 * const { items } = await readDirectory(folder);
 * assertEquals(items.map(({ name, kind, size }) => [name, kind, size]), [["a", "file", 5]]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function readDirectory(
  path: string,
  options: ReadDirectoryOptions = {},
): Promise<DirectoryContent> {
  const { filter = () => true } = options;
  const maxItemCount = checkBound(
    "maxItemCount",
    options.maxItemCount ?? DEFAULT_MAX_ITEM_COUNT,
  );
  const names: string[] = [];
  let isTruncated = false;
  await runFileStep("read", path, async () => {
    for await (const { name } of Deno.readDir(path)) {
      if (!filter(name)) continue;
      isTruncated = names.length === maxItemCount;
      if (isTruncated) break;
      names.push(name);
    }
  });
  const items: DirectoryItem[] = [];
  for (let start = 0; start < names.length; start += BATCH_COUNT) {
    const batch = names.slice(start, start + BATCH_COUNT);
    for (const item of await Promise.all(batch.map((name) => itemOf(path, name)))) {
      if (item !== undefined) items.push(item);
    }
  }
  return { items, isTruncated };
}

/**
 * Tells whether two looks saw the same file, whatever path they took. One that was
 * written anew in its place is another one.
 *
 * @param a What one look saw.
 * @param b What the other saw.
 * @returns Whether it is; `true` where the system does not number its files.
 *
 * @example Another file by the same name
 * ```ts
 * import { isSameFile, statFile } from "@nbio/net/nbio";
 * import { assert } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * const before = await statFile(path);
 * assert(isSameFile(before!, (await statFile(path))!));
 * await Deno.remove(path);
 * ```
 */
export function isSameFile(a: FileStatus, b: FileStatus): boolean {
  if (a.inode === undefined || b.inode === undefined) return true;
  return a.inode === b.inode && a.device === b.device;
}

/** An open file, and what is known of exactly that one. */
export interface OpenedFile {
  /** The file. */
  readonly file: PositionalFile;
  /** Its status when it was opened. */
  readonly status: FileStatus;
}

/**
 * Opens a file to read it, if it is a regular one: opening a pipe would wait for
 * somebody to write to it. Permission: `--allow-read` for it.
 *
 * @param path Which.
 * @returns The file with its status; `undefined` if no regular file is there.
 * @throws {FileError} If it cannot be opened.
 *
 * @example A folder is no file
 * ```ts
 * import { openRegularFile } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * assertEquals(await openRegularFile(folder), undefined);
 * await Deno.remove(folder);
 * ```
 */
export async function openRegularFile(path: string): Promise<OpenedFile | undefined> {
  const before = await statFile(path);
  return before?.kind === "file" ? await openKnownFile(path) : undefined;
}

/**
 * Opens a file that {@linkcode statFile} has just called a regular one; as
 * {@linkcode openRegularFile}, at the cost of one look less.
 *
 * @param path Which.
 * @returns The file with its status; `undefined` if it is gone.
 * @throws {FileError} If it cannot be opened.
 *
 * @example What was looked at before
 * ```ts
 * import { openKnownFile, statFile } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * if ((await statFile(path))?.kind === "file") {
 *   const opened = await openKnownFile(path);
 *   assertEquals(opened?.status.size, 0);
 *   await opened?.file.close();
 * }
 * await Deno.remove(path);
 * ```
 */
export async function openKnownFile(path: string): Promise<OpenedFile | undefined> {
  const handle = await orAbsent("open", path, () => Deno.open(path));
  if (handle === undefined) return undefined;
  try {
    // Synchronous: of an open file the system has this in memory, and a promise would
    // cost twenty times as much.
    const status = statusOf(handle.statSync());
    if (status.kind === "file") return { file: new PositionalFile(handle, { path }), status };
  } catch (error) {
    handle.close();
    throw error;
  }
  handle.close();
  return undefined;
}

async function itemOf(folder: string, name: string): Promise<DirectoryItem | undefined> {
  const status = await statFile(`${folder}${SEPARATOR}${name}`, { followSymlinks: false });
  return status === undefined ? undefined : { name, ...status };
}

function statusOf(info: Deno.FileInfo): FileStatus {
  const { isFile, isDirectory, isSymlink, size, mtime, dev, ino } = info;
  const kind = isFile ? "file" : isDirectory ? "directory" : isSymlink ? "symlink" : "other";
  const modifiedMs = mtime?.getTime();
  return {
    kind,
    size,
    modifiedMs: Number.isNaN(modifiedMs) ? undefined : modifiedMs,
    device: dev || undefined,
    inode: ino || undefined,
  };
}

/** Runs a step; a path that leads nowhere is no error. */
async function orAbsent<T>(
  step: "stat" | "open",
  path: string,
  operate: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await runFileStep(step, path, operate);
  } catch (error) {
    if (error instanceof FileError && isAbsence(error.cause)) return undefined;
    throw error;
  }
}

function isAbsence(cause: unknown): boolean {
  if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) {
    return true;
  }
  if (cause instanceof Deno.errors.FilesystemLoop) return true;
  return cause instanceof Error && ABSENT_CODES.has((cause as { code?: unknown }).code);
}
