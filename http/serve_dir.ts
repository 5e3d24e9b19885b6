import { isWindowsPath } from "../nbio/file_info.ts";
import { answerWithListing } from "./directory_answer.ts";
import { HttpError } from "./errors.ts";
import { answerWithFile, checkFileMethod, fileFault } from "./file_answer.ts";
import { type FileOptions, type ResolvedFileOptions, resolveFileOptions } from "./file_options.ts";
import { parseFilePath } from "./file_path.ts";
import { FilePlaces } from "./file_places.ts";
import { openRepresentation } from "./file_representation.ts";
import { resolveBound } from "./limits.ts";
import type { Context } from "./server_context.ts";
import type { Handler } from "./server_shared.ts";

/** Options of {@linkcode serveDir}. */
export interface ServeDirOptions extends Omit<FileOptions, "download"> {
  /**
   * What stands in front of the names of files in paths of requests, `/static` for
   * example; what does not begin with it is 404. Without it, it is what the route has
   * in front of its wildcard, or nothing.
   *
   * @default {undefined}
   */
  readonly prefix?: string;
  /**
   * The file that a folder is answered with; empty for none.
   *
   * @default {"index.html"}
   */
  readonly index?: string;
  /**
   * Whether a folder without that file is answered with a page that lists it, or with
   * JSON to clients that prefer it.
   *
   * @default {false}
   */
  readonly listing?: boolean;
  /**
   * Items of one listing; the rest is left out, and the page says so. 0 and `Infinity`
   * mean no limit.
   *
   * @default {10_000}
   */
  readonly maxItemCount?: number;
  /**
   * Whether `/about` is answered with `about.html`, and `/about.html` and
   * `/index.html` are redirected to the shorter path.
   *
   * @default {false}
   */
  readonly cleanUrls?: boolean;
  /**
   * What becomes of names that begin with a dot: they do not exist, or are names like
   * others. `.well-known` in the root always exists (RFC 8615).
   *
   * @default {"hide"}
   */
  readonly dotfiles?: "hide" | "serve";
  /**
   * What becomes of symbolic links.
   *
   * - `"inside"`: they are followed to what lies in the root.
   * - `"follow"`: wherever they lead.
   * - `"refuse"`: what is reached by one does not exist.
   *
   * @default {"inside"}
   */
  readonly symlinks?: "inside" | "follow" | "refuse";
  /**
   * Whether files are to be saved by the client, by their own names.
   *
   * @default {false}
   */
  readonly download?: boolean;
}

/** {@linkcode ServeDirOptions} with everything decided, but those of files. */
interface DirRules {
  readonly prefix: string | undefined;
  readonly index: string;
  readonly listing: boolean;
  readonly maxItemCount: number;
  readonly cleanUrls: boolean;
  readonly dotfiles: "hide" | "serve";
  readonly symlinks: "inside" | "follow" | "refuse";
}

const DEFAULT_MAX_ITEM_COUNT = 10_000;
const PERMANENT = 308;
const WELL_KNOWN = ".well-known";
const PAGE = ".html";

/**
 * Makes a handler that answers with the files of a folder, each as
 * {@linkcode serveFile} does.
 *
 * No path leads out of the folder: it is decoded once, dot segments, encoded slashes,
 * backslashes and NUL are refused with 400, and where a file really lies, with all
 * links resolved, is compared with where the folder really lies; what was opened then
 * has to be the very file that was looked at. What is not to be seen does not exist:
 * 404, never 403.
 *
 * Permission: `--allow-read` for the folder.
 *
 * @param root The folder. It need not exist yet, and may be a link that is changed.
 * @param options Paths, indexes, listings, links, and those of files.
 * @returns The handler.
 * @throws {RangeError} If an option is out of its range.
 * @throws {TypeError} If the value of a field cannot stand in a message.
 *
 * @example A folder under a prefix
 * ```ts
 * import { Router, serveDir } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${root}/a.txt`, "hello");
 *
 * const app = new Router();
 * app.get("/static/*path", serveDir(root));
 * assertEquals(await (await app.request("/static/a.txt")).text(), "hello");
 * assertEquals((await app.request("/static/b.txt")).status, 404);
 * await Deno.remove(root, { recursive: true });
 * ```
 */
export function serveDir(root: string, options: ServeDirOptions = {}): Handler {
  const folder = new ServedFolder(root, resolveRules(options), resolveFileOptions(options));
  return (ctx) => folder.answer(ctx);
}

function resolveRules(options: ServeDirOptions): DirRules {
  const { index = "index.html", dotfiles = "hide", symlinks = "inside", prefix } = options;
  if (!["hide", "serve"].includes(dotfiles)) {
    throw new RangeError(`Cannot use option dotfiles: ${dotfiles} is none of hide, serve`);
  }
  if (!["inside", "follow", "refuse"].includes(symlinks)) {
    throw new RangeError(
      `Cannot use option symlinks: ${symlinks} is none of inside, follow, refuse`,
    );
  }
  if (prefix !== undefined && !/^(?:|\/|(?:\/[^/]+)+\/?)$/.test(prefix)) {
    throw new RangeError("Cannot use option prefix: it is not a path such as /static");
  }
  return {
    prefix: prefix?.replace(/\/$/, ""),
    index,
    listing: options.listing ?? false,
    maxItemCount: resolveBound("maxItemCount", options.maxItemCount ?? DEFAULT_MAX_ITEM_COUNT),
    cleanUrls: options.cleanUrls ?? false,
    dotfiles,
    symlinks,
  };
}

/** A folder and the rules by which it is served. */
class ServedFolder {
  readonly #rules: DirRules;
  readonly #files: ResolvedFileOptions;
  readonly #places: FilePlaces;

  constructor(root: string, rules: DirRules, files: ResolvedFileOptions) {
    this.#rules = rules;
    this.#files = files;
    const { symlinks } = rules;
    const isVisible = (names: readonly string[]) => this.#areVisible(names);
    this.#places = new FilePlaces(root, { symlinks, isVisible, clock: files.clock });
  }

  async answer(ctx: Context): Promise<void> {
    checkFileMethod(ctx);
    try {
      await this.#answer(ctx);
    } catch (error) {
      throw fileFault(error);
    }
  }

  async #answer(ctx: Context): Promise<void> {
    const { names: all, isFolder } = parseFilePath(ctx.path, { isWindows: isWindowsPath });
    const names = all.slice(this.#prefixLength(ctx, all));
    if (!this.#areVisible(names)) throw notFound();
    const path = this.#places.pathOf(names);
    const place = await this.#places.find(path);
    if (place?.status.kind === "directory") {
      // The root of a route may well come without a slash at its end.
      return isFolder ? await this.#answerFolder(ctx, place.path, names) : redirect(ctx, "/");
    }
    if (isFolder) throw notFound();
    if (place?.status.kind === "file") return await this.#answerFile(ctx, path, names);
    if (!this.#rules.cleanUrls || names.length === 0) throw notFound();
    await this.#sendFile(ctx, path + PAGE);
  }

  async #answerFile(ctx: Context, path: string, names: readonly string[]): Promise<void> {
    const { cleanUrls, index } = this.#rules;
    const name = names.at(-1) ?? "";
    if (cleanUrls && name === index) return redirect(ctx, "", 0);
    if (cleanUrls && name.endsWith(PAGE) && name !== PAGE) return redirect(ctx, "", PAGE.length);
    await this.#sendFile(ctx, path);
  }

  async #answerFolder(ctx: Context, path: string, names: readonly string[]): Promise<void> {
    const { index, listing, maxItemCount } = this.#rules;
    if (index !== "") {
      const page = this.#places.pathOf([...names, index]);
      if ((await this.#places.find(page))?.status.kind === "file") {
        return await this.#sendFile(ctx, page);
      }
    }
    if (!listing) throw notFound();
    await answerWithListing(ctx, {
      path,
      names,
      maxItemCount,
      isVisible: (name) => this.#areVisible([...names, name]),
      follow: (name) => this.#places.find(this.#places.pathOf([...names, name])),
    });
  }

  async #sendFile(ctx: Context, path: string): Promise<void> {
    const accepted = ctx.headers.get("accept-encoding");
    const open = (path: string) => this.#places.open(path);
    const representation = await openRepresentation(path, accepted, this.#files, open);
    if (representation === undefined) throw notFound();
    await answerWithFile({ ctx, representation, path, options: this.#files });
  }

  /** How many names of a path do not belong to the folder. */
  #prefixLength(ctx: Context, names: readonly string[]): number {
    const { prefix } = this.#rules;
    if (prefix === undefined) return wildcardIndex(ctx.route);
    const wanted = parseFilePath(prefix || "/").names;
    if (wanted.some((name, index) => names[index] !== name)) throw notFound();
    return wanted.length;
  }

  #areVisible(names: readonly string[]): boolean {
    if (this.#rules.dotfiles === "serve") return true;
    return names.every((name, index) =>
      !name.startsWith(".") || (index === 0 && name === WELL_KNOWN)
    );
  }
}

/** Where a wildcard stands among the segments of a route; 0 without one. */
function wildcardIndex(route: string | undefined): number {
  if (route === undefined) return 0;
  const index = route.split("/").slice(1).findIndex((segment) => segment.startsWith("*"));
  return Math.max(0, index);
}

/**
 * Redirects to a path beside the one that was asked for, by a reference that is
 * relative, so that whatever stands in front of the server may have changed the path;
 * and that begins with a dot, so that no name in it can be taken for a scheme or a host.
 *
 * @param ctx The request.
 * @param suffix What comes behind the last name.
 * @param cutLength Characters to drop from the end of the last name; 0 for all of it.
 */
function redirect(ctx: Context, suffix: string, cutLength = -1): void {
  const { path } = ctx;
  const last = path.slice(path.lastIndexOf("/") + 1);
  const name = cutLength < 0 ? last : cutLength === 0 ? "" : last.slice(0, -cutLength);
  ctx.redirect(`./${name}${suffix}${ctx.search}`, PERMANENT);
}

function notFound(): HttpError {
  return new HttpError(404, "Not Found");
}
