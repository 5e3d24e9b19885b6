import type { FileStatus, OpenedFile } from "../nbio/file_info.ts";
import type { PositionalFile } from "../nbio/positional_file.ts";
import type { Validators } from "./conditional_request.ts";
import type { EntityTag } from "./entity_tag.ts";
import type { FileCoding, ResolvedFileOptions } from "./file_options.ts";
import { mediaTypeOf } from "./media_types.ts";
import { rankEncodings } from "./negotiation.ts";

/** An open file as an answer: the one that was asked for, or it compressed. */
export interface FileRepresentation {
  /** The file that is read. */
  readonly file: PositionalFile;
  /** What is known of it. */
  readonly status: FileStatus;
  /** Media type of the content. */
  readonly type: string;
  /** Its coding; `undefined` for none. */
  readonly coding: FileCoding | undefined;
}

/** Opens a file, if there is one that may be served. */
export type FileOpener = (path: string) => Promise<OpenedFile | undefined>;

const EXTENSIONS: Readonly<Record<FileCoding, string>> = { br: "br", zstd: "zst", gzip: "gz" };
/** Time stamps of file systems are as coarse as this (FAT). */
const STAMP_MS = 2_000;

/**
 * Opens what is to be sent of a file.
 *
 * @param path The file, which exists.
 * @param accepted Value of `Accept-Encoding`, if any.
 * @param options Codings and types.
 * @param open Opens it, or one beside it.
 * @returns What was opened; `undefined` if the file has vanished.
 */
export async function openRepresentation(
  path: string,
  accepted: string | undefined,
  options: ResolvedFileOptions,
  open: FileOpener,
): Promise<FileRepresentation | undefined> {
  const type = await mediaTypeOf(path, options.mediaTypes);
  for (const coding of rankCodings(accepted, options.codings)) {
    const beside = await open(`${path}.${EXTENSIONS[coding]}`);
    if (beside !== undefined) return { ...beside, type, coding };
  }
  // Where nothing that is there suits the client it gets the file as it is (RFC 9110
  // section 12.5.3).
  const opened = await open(path);
  return opened && { ...opened, type, coding: undefined };
}

/** Codings that the client prefers to none, the best first. */
function rankCodings(accepted: string | undefined, codings: readonly FileCoding[]): FileCoding[] {
  if (codings.length === 0) return [];
  const ranked = rankEncodings(accepted, [...codings, "identity"]);
  const end = ranked.indexOf("identity");
  return ranked.slice(0, end < 0 ? ranked.length : end) as FileCoding[];
}

/**
 * Names a representation by size, time and coding (RFC 9110 section 8.8).
 *
 * @param representation What is sent.
 * @param kind The kind of entity tag.
 * @param nowMs The time of the answer.
 */
export function validatorsOf(
  representation: Pick<FileRepresentation, "status" | "coding">,
  kind: ResolvedFileOptions["etag"],
  nowMs: number,
): Validators {
  const { modifiedMs } = representation.status;
  if (modifiedMs === undefined) return { etag: undefined, lastModifiedMs: undefined };
  // RFC 9110 section 8.8.2.1: never later than the answer.
  const lastModifiedMs = Math.min(modifiedMs, nowMs);
  if (kind === "none") return { etag: undefined, lastModifiedMs };
  // What was changed just now may be changed again within the same stamp.
  const isWeak = kind === "weak" || nowMs - modifiedMs < STAMP_MS;
  return { etag: tagOf(representation, modifiedMs, isWeak), lastModifiedMs };
}

function tagOf(
  { coding, status: { size } }: Pick<FileRepresentation, "status" | "coding">,
  modifiedMs: number,
  isWeak: boolean,
): EntityTag {
  const suffix = coding === undefined ? "" : `-${coding}`;
  return { value: `${size.toString(36)}-${Math.round(modifiedMs).toString(36)}${suffix}`, isWeak };
}
