import type { Clock } from "../nbio/clock.ts";
import {
  type FileStatus,
  isPathInside,
  isSameFile,
  namesInside,
  type OpenedFile,
  openKnownFile,
  resolveFile,
  statFile,
} from "../nbio/file_info.ts";
import { RecencyMap } from "./recency_map.ts";

/** Something that may be served. */
export interface FilePlace {
  /** Where it really lies, without links. */
  readonly path: string;
  /** What it was when it was looked at. */
  readonly status: FileStatus;
}

/** What may be served of a folder. */
export interface FilePlacesOptions {
  /** What becomes of symbolic links; see `symlinks` of `serveDir`. */
  readonly symlinks: "inside" | "follow" | "refuse";
  /** Whether something may be seen, by the names that lead to it from the root. */
  isVisible(names: readonly string[]): boolean;
  /** Where time comes from. */
  readonly clock: Clock;
}

/** A place that was found, and until when it is believed. */
interface Entry {
  readonly place: FilePlace;
  readonly untilMs: number;
}

/** Resolving a path costs as much as opening a file: half of what a small one costs. */
const BELIEVED_MS = 1_000;
const MAX_PLACE_COUNT = 1_000;
/** Where a file was replaced it is looked for once more. */
const MAX_OPEN_ATTEMPTS = 2;

/**
 * Finds out where paths in a folder really lead, and whether what lies there may be
 * served. That a file may be is believed for a second, as long as what is opened is
 * still that very file: a link, or another file, that has come into its place meanwhile
 * is looked at anew.
 */
export class FilePlaces {
  readonly #root: string;
  readonly #options: FilePlacesOptions;
  readonly #known: RecencyMap<string, Entry> = new RecencyMap(MAX_PLACE_COUNT);
  /** Where the root really lies, when that was last looked at. */
  #realRoot: string | undefined;

  /**
   * @param root The folder.
   * @param options What may be served of it.
   */
  constructor(root: string, options: FilePlacesOptions) {
    // The root of the system becomes nothing, with a slash behind it.
    this.#root = root.replace(/\/+$/, "");
    this.#options = options;
  }

  /** The path of something in the folder. */
  pathOf(names: readonly string[]): string {
    return `${this.#root}/${names.join("/")}`;
  }

  /**
   * Whatever lies at a path, if it may be served.
   *
   * @param path A path in the folder; or one beside a place in it.
   */
  async find(path: string): Promise<FilePlace | undefined> {
    const nowMs = this.#options.clock.now();
    const known = this.#known.touch(path);
    if (known !== undefined && nowMs < known.untilMs) return known.place;
    const place = await this.#find(path);
    if (place?.status.kind === "file" && place.status.inode !== undefined) {
      this.#known.set(path, { place, untilMs: nowMs + BELIEVED_MS });
    } else {
      this.#known.delete(path);
    }
    return place;
  }

  /**
   * Opens the file at a path, if there is one that may be served.
   *
   * @param path As for {@linkcode FilePlaces.find}.
   * @throws {FileError} If it cannot be opened.
   */
  async open(path: string): Promise<OpenedFile | undefined> {
    for (let attempt = 0; attempt < MAX_OPEN_ATTEMPTS; attempt++) {
      const place = await this.find(path);
      if (place?.status.kind !== "file") return undefined;
      const opened = await openKnownFile(place.path);
      if (opened !== undefined && isSameFile(opened.status, place.status)) return opened;
      await opened?.file.close();
      this.#known.delete(path);
    }
    return undefined;
  }

  async #find(path: string): Promise<FilePlace | undefined> {
    const real = await resolveFile(path);
    if (real === undefined || !await this.#mayServe(path, real)) return undefined;
    // Not followed: what has become a link since was not looked at.
    const status = await statFile(real, { followSymlinks: false });
    return status === undefined ? undefined : { path: real, status };
  }

  async #mayServe(path: string, real: string): Promise<boolean> {
    const { symlinks, isVisible } = this.#options;
    if (symlinks === "follow") return true;
    if (this.#realRoot === undefined || !isPathInside(this.#realRoot, real)) {
      // It may have been moved, or be a link that was changed.
      this.#realRoot = await resolveFile(this.#root || "/");
    }
    if (this.#realRoot === undefined || !isPathInside(this.#realRoot, real)) return false;
    const names = namesInside(this.#realRoot, real);
    if (symlinks === "inside") return isVisible(names);
    const asked = path.slice(this.#root.length).split("/").filter((name) => name !== "");
    return asked.length === names.length && asked.every((name, index) => name === names[index]);
  }
}
