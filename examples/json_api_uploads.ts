/**
 * The uploads of `json_api.ts`: files in one folder, kept as they come and never
 * held in memory.
 */

import { createHash, type Hash } from "node:crypto";
import { HttpError } from "@nbio/net/http";

/** What is known of an upload. */
export interface Upload {
  /** Number of the upload, unique in its folder. */
  readonly id: number;
  /** Who has sent it. */
  readonly owner: string;
  /** Name that its sender gave it, not where it is kept. */
  readonly name: string;
  /** Media type that its sender claims. */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the bytes, in hex. */
  readonly sha256: string;
  /** When it was complete, as in RFC 3339. */
  readonly uploadedAt: string;
}

/** What is to be kept, and for whom. */
export interface NewUpload extends Pick<Upload, "owner" | "name" | "type"> {
  /** The bytes, taken as fast as the disk is. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Called with the SHA-256 before the upload counts; what it throws undoes it. */
  readonly verify?: (sha256: Uint8Array) => void;
}

/** Bounds on what one owner may keep. */
export interface UploadLimits {
  /**
   * Bytes in one file.
   *
   * @default {67108864} (64 MiB)
   */
  readonly maxFileBytes?: number;
  /**
   * Bytes in all files of one owner.
   *
   * @default {268435456} (256 MiB)
   */
  readonly maxOwnerBytes?: number;
  /**
   * Files of one owner.
   *
   * @default {100}
   */
  readonly maxOwnerFiles?: number;
}

/** What an owner has used, uploads under way included. */
interface Usage {
  bytes: number;
  files: number;
}

/** Uploads in a folder that nobody else writes to. */
export class Uploads {
  /** Bounds on what one owner may keep. */
  readonly limits: Required<UploadLimits>;

  readonly #folder: string;
  readonly #uploads = new Map<number, Upload>();
  readonly #usages = new Map<string, Usage>();
  #lastId = 0;

  constructor(folder: string, limits: UploadLimits = {}) {
    this.#folder = folder;
    this.limits = {
      maxFileBytes: limits.maxFileBytes ?? 64 * 1024 * 1024,
      maxOwnerBytes: limits.maxOwnerBytes ?? 256 * 1024 * 1024,
      maxOwnerFiles: limits.maxOwnerFiles ?? 100,
    };
  }

  /** The uploads of an owner, the newest first. */
  list(owner: string): Upload[] {
    return [...this.#uploads.values()].filter((upload) => upload.owner === owner).reverse();
  }

  /** Bytes that an owner has used. */
  usedBytes(owner: string): number {
    return this.#usages.get(owner)?.bytes ?? 0;
  }

  /** An upload; `undefined` where there is none, or it is somebody else's. */
  get(owner: string, id: number): Upload | undefined {
    const upload = this.#uploads.get(id);
    return upload?.owner === owner ? upload : undefined;
  }

  /** Opens an upload for reading. Closing the file is the caller's. */
  open(upload: Upload): Promise<Deno.FsFile> {
    return Deno.open(this.#pathOf(upload.id), { read: true });
  }

  /** Removes an upload. Who is reading it reads it to its end. */
  async remove(upload: Upload): Promise<void> {
    // Whoever comes second finds nothing to give back.
    if (!this.#uploads.delete(upload.id)) return;
    this.#use(upload.owner, { bytes: -upload.size, files: -1 });
    await Deno.remove(this.#pathOf(upload.id));
  }

  /**
   * Keeps the bytes of an upload. If they end in an error, nothing stays.
   *
   * @throws {HttpError} With 413 if a limit was passed.
   */
  async save({ owner, name, type, content, verify }: NewUpload): Promise<Upload> {
    this.#use(owner, { bytes: 0, files: 1 });
    const id = ++this.#lastId;
    const hash = createHash("sha256");
    let size = 0;
    try {
      using file = await Deno.open(this.#pathOf(id), { write: true, createNew: true });
      for await (const chunk of content) {
        if (size + chunk.length > this.limits.maxFileBytes) {
          throw exceeded("maxFileBytes", this.limits.maxFileBytes);
        }
        this.#use(owner, { bytes: chunk.length, files: 0 });
        size += chunk.length;
        await writeAll(file, chunk, hash);
      }
      const digest = hash.digest();
      verify?.(digest);
      const sha256 = digest.toString("hex");
      const upload = { id, owner, name, type, size, sha256, uploadedAt: new Date().toISOString() };
      this.#uploads.set(id, upload);
      return upload;
    } catch (error) {
      this.#use(owner, { bytes: -size, files: -1 });
      // It may not have come to be a file.
      await Deno.remove(this.#pathOf(id)).catch(() => {});
      throw error;
    }
  }

  /** Books before anything is written: uploads run side by side. */
  #use(owner: string, { bytes, files }: Usage): void {
    const { maxOwnerBytes, maxOwnerFiles } = this.limits;
    const usage = this.#usages.get(owner) ?? { bytes: 0, files: 0 };
    if (files > 0 && usage.files + files > maxOwnerFiles) {
      throw exceeded("maxOwnerFiles", maxOwnerFiles);
    }
    if (bytes > 0 && usage.bytes + bytes > maxOwnerBytes) {
      throw exceeded("maxOwnerBytes", maxOwnerBytes);
    }
    usage.bytes += bytes;
    usage.files += files;
    this.#usages.set(owner, usage);
  }

  /** By number: no name of a client ever names a file here. */
  #pathOf(id: number): string {
    return `${this.#folder}/${id}.upload`;
  }
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array, hash: Hash): Promise<void> {
  hash.update(chunk);
  for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
}

function exceeded(limit: string, max: number): HttpError {
  const what = limit === "maxOwnerFiles" ? "files" : "bytes";
  const where = limit === "maxFileBytes" ? "one file" : "all of your files";
  return new HttpError(413, `Cannot keep upload: ${max} ${what} in ${where} are the most`);
}
