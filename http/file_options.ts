import { type Clock, systemClock } from "../nbio/clock.ts";
import { checkFieldValue } from "./field_text.ts";
import { resolveBound } from "./limits.ts";
import type { MediaTypeOptions } from "./media_types.ts";
import type { Context } from "./server_context.ts";

/** A content coding of files that lie beside others. */
export type FileCoding = "br" | "zstd" | "gzip";

/** How far a file has been sent. */
export interface FileProgress {
  /** The request. */
  readonly ctx: Context;
  /** The file that is sent, as the system knows it. */
  readonly path: string;
  /** Bytes of the body that the client's side of the connection has taken. */
  readonly sentBytes: number;
  /** Bytes of the body in all. */
  readonly totalBytes: number;
}

/** Options of {@linkcode serveFile}, and of the files of {@linkcode serveDir}. */
export interface FileOptions extends MediaTypeOptions {
  /**
   * How a file is named for caches, by its size and the time of its last change.
   *
   * - `"strong"`: as equal byte by byte, so that downloads can be resumed. A file
   *   that was changed less than two seconds ago gets a weak one, because it may be
   *   changed again without its time telling.
   * - `"weak"`: as good as equal.
   * - `"none"`: not at all.
   *
   * @default {"strong"}
   */
  readonly etag?: "strong" | "weak" | "none";
  /**
   * Value of `Cache-Control`; empty for none. By default a cache may keep a file but
   * has to ask each time whether it is still the same, which costs a 304.
   *
   * @default {"no-cache"}
   */
  readonly cacheControl?: string;
  /**
   * Paths of requests whose files never change, because their names do: they may be
   * kept for a year without asking.
   *
   * @default {undefined}
   */
  readonly immutable?: RegExp;
  /**
   * Codings in which a file may lie beside it as `.br`, `.zst` and `.gz`, the best
   * first; `true` for all three. Whoever puts one there keeps it up to date.
   *
   * @default {false}
   */
  readonly precompressed?: boolean | readonly FileCoding[];
  /**
   * Whether the client is to save the file, by its own name or a given one.
   *
   * @default {false}
   */
  readonly download?: boolean | string;
  /**
   * Ranges of one request; of a request for more the whole file is sent. 0 and
   * `Infinity` mean no limit.
   *
   * @default {16}
   */
  readonly maxRangeCount?: number;
  /**
   * Most bytes that are read of a file at once, 4,096 to 2^30. A response holds one
   * such piece. Above 262,144 memory is not used again, and costs more.
   *
   * @default {262_144}
   */
  readonly pieceBytes?: number;
  /**
   * Told as a body of more than 64 KiB is sent. What it throws ends the connection.
   *
   * @default {undefined}
   */
  readonly onProgress?: (progress: FileProgress) => void;
  /**
   * Where time comes from; for tests.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** {@linkcode FileOptions} with everything decided. */
export interface ResolvedFileOptions {
  readonly mediaTypes: MediaTypeOptions;
  readonly etag: "strong" | "weak" | "none";
  readonly cacheControl: string;
  readonly immutable: RegExp | undefined;
  readonly codings: readonly FileCoding[];
  readonly download: boolean | string;
  readonly maxRangeCount: number;
  readonly pieceBytes: number;
  readonly onProgress: ((progress: FileProgress) => void) | undefined;
  readonly clock: Clock;
}

const ALL_CODINGS: readonly FileCoding[] = ["br", "zstd", "gzip"];
const MIN_PIECE_BYTES = 4096;
const MAX_PIECE_BYTES = 2 ** 30;
const DEFAULT_PIECE_BYTES = 262_144;

/**
 * Fills in the defaults and checks the values.
 *
 * @param options What the caller set.
 * @throws {RangeError} If an option is out of its range.
 * @throws {TypeError} If the value of a field cannot stand in a message.
 */
export function resolveFileOptions(options: FileOptions): ResolvedFileOptions {
  const { etag = "strong", cacheControl = "no-cache", precompressed = false } = options;
  const { pieceBytes = DEFAULT_PIECE_BYTES } = options;
  checkFieldValue(cacheControl);
  for (const type of Object.values(options.types ?? {})) checkFieldValue(type);
  if (!["strong", "weak", "none"].includes(etag)) {
    throw new RangeError(`Cannot use option etag: ${etag} is none of strong, weak, none`);
  }
  const codings = precompressed === true ? ALL_CODINGS : precompressed || [];
  for (const coding of codings) {
    if (ALL_CODINGS.includes(coding)) continue;
    throw new RangeError(`Cannot use option precompressed: ${coding} is none of br, zstd, gzip`);
  }
  if (
    !Number.isInteger(pieceBytes) || pieceBytes < MIN_PIECE_BYTES ||
    pieceBytes > MAX_PIECE_BYTES
  ) {
    throw new RangeError(
      `Cannot use option pieceBytes: ${pieceBytes} is not from ${MIN_PIECE_BYTES} to 2^30`,
    );
  }
  return {
    mediaTypes: {
      types: options.types ?? {},
      charset: "charset" in options ? options.charset : "utf-8",
    },
    etag,
    cacheControl,
    immutable: options.immutable,
    codings,
    download: options.download ?? false,
    maxRangeCount: resolveBound("maxRangeCount", options.maxRangeCount ?? 16),
    pieceBytes,
    onProgress: options.onProgress,
    clock: options.clock ?? systemClock,
  };
}
