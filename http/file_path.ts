// This module is sans-I/O.

import { HttpError } from "./errors.ts";
import { decodePath } from "./route_path.ts";

/** A path of a request, as names of files. */
export interface FilePath {
  /** The names, from the root on; none for the root itself. */
  readonly names: readonly string[];
  /** Whether it ends with a slash, and so names a folder. */
  readonly isFolder: boolean;
}

/** Options of {@linkcode parseFilePath}. */
export interface FilePathOptions {
  /**
   * Whether the rules of Windows hold too: no colon (alternate streams, drives), no
   * device names, no dot or blank at the end of a name, none of the characters it
   * forbids.
   *
   * @default {false}
   */
  readonly isWindows?: boolean;
}

/** Separators of any system that came encoded, and what ends a name in C. */
const ENCODED = /%2F|%00/;
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\x00-\x1f\x7f\\/]/;
const WINDOWS_FORBIDDEN = /[<>:"|?*]|[. ]$/;
const WINDOWS_DEVICE =
  /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)/i;

/**
 * Reads the path of a request as names of files. It is decoded once. What could lead
 * anywhere else than down, one name at a time, is refused: dot segments, a slash that
 * came encoded, a backslash, NUL and other controls, an empty segment.
 *
 * @param path The path as sent, without a query; it begins with a slash.
 * @param options The system.
 * @returns The names.
 * @throws {HttpError} With 400 if percent-encoding is malformed, or a name is none of
 * a file; with 404 for an empty segment, and for names that Windows has not.
 *
 * @example Down, and never up
 * ```ts
 * import { parseFilePath } from "@nbio/net/http/core";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseFilePath("/a%20b/c"), { names: ["a b", "c"], isFolder: false });
 * assertThrows(() => parseFilePath("/a/%2e%2e/c"));
 * ```
 */
export function parseFilePath(path: string, options: FilePathOptions = {}): FilePath {
  if (!path.startsWith("/")) throw new HttpError(400, "Cannot read path: it has no root");
  const names = decodePath(path).slice(1).split("/");
  const isFolder = names.at(-1) === "";
  if (isFolder) names.pop();
  return { names: names.map((name) => checkName(name, options)), isFolder };
}

/**
 * Tells whether a name of a file can be reached by a path; see
 * {@linkcode parseFilePath}.
 *
 * @param name A name in a folder.
 * @param options The system.
 * @returns Whether it can.
 *
 * @example A line end
 * ```ts
 * import { isServableName } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isServableName("a b"), true);
 * assertEquals(isServableName("a\nb"), false);
 * ```
 */
export function isServableName(name: string, options: FilePathOptions = {}): boolean {
  if (name === "" || name === "." || name === ".." || FORBIDDEN.test(name)) return false;
  // A name that is not UTF-8 reaches us with this character in it, and leads nowhere.
  return !name.includes("\ufffd") && !(options.isWindows && isWindowsForbidden(name));
}

function checkName(segment: string, { isWindows = false }: FilePathOptions): string {
  if (segment === "") throw new HttpError(404, "Not Found");
  // The only escapes that are left; what is encoded twice is a name like others.
  if (ENCODED.test(segment)) throw badName();
  const name = segment.replaceAll("%25", "%");
  if (name === "." || name === ".." || FORBIDDEN.test(name)) throw badName();
  if (isWindows && isWindowsForbidden(name)) throw new HttpError(404, "Not Found");
  return name;
}

function isWindowsForbidden(name: string): boolean {
  return WINDOWS_FORBIDDEN.test(name) || WINDOWS_DEVICE.test(name);
}

function badName(): HttpError {
  return new HttpError(400, "Cannot read path: it contains what no name of a file has");
}
