// This module is sans-I/O.

import { resolveBound } from "./limits.ts";

/** A part of a representation, by the offsets of its first and its last byte. */
export interface ByteRange {
  /** Offset of its first byte. */
  readonly first: number;
  /** Offset of its last byte, which belongs to it. */
  readonly last: number;
}

/**
 * What a `Range` field asks for:
 *
 * - `"whole"`: nothing that is honoured; the answer is the whole, with 200.
 * - `"partial"`: these ranges, in the order in which they were asked for; 206.
 * - `"unsatisfiable"`: only what lies behind the end; 416.
 */
export type RangeSelection =
  | { readonly type: "whole" }
  | { readonly type: "partial"; readonly ranges: readonly ByteRange[] }
  | { readonly type: "unsatisfiable" };

/** Options of {@linkcode selectRanges}. */
export interface SelectRangesOptions {
  /**
   * Ranges of one field; of a field with more the whole is sent. 0 and `Infinity`
   * mean no limit.
   *
   * @default {16}
   */
  readonly maxRangeCount?: number;
}

const DEFAULT_MAX_RANGE_COUNT = 16;
const UNIT = /^bytes=/i;
const RANGE = /^[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/;
/** More digits cannot be told apart by a number; such a place is behind every end. */
const MAX_DIGITS = 15;
/** Of two offsets, blanks and a comma: a field with more of them is none to be honoured. */
const MAX_CHARACTERS_PER_RANGE = 64;

const WHOLE: RangeSelection = { type: "whole" };
const UNSATISFIABLE: RangeSelection = { type: "unsatisfiable" };

/**
 * Reads a `Range` field (RFC 9110 section 14.2) against a representation.
 *
 * A field in another unit, a malformed one, one with too many ranges, and one whose
 * ranges together are longer than the representation are ignored, as the section
 * allows: what is sent is never much more than the whole, however ranges overlap.
 * The cost is one look at the field.
 *
 * @param field Value of the field; `undefined` where there was none.
 * @param sizeBytes Bytes of the representation, at least 0.
 * @param options The bound of the ranges.
 * @returns What to send.
 * @throws {RangeError} If `maxRangeCount` is not a whole number of at least 0.
 *
 * @example The last hundred bytes
 * ```ts
 * import { selectRanges } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(selectRanges("bytes=-100", 1_000), {
 *   type: "partial",
 *   ranges: [{ first: 900, last: 999 }],
 * });
 * assertEquals(selectRanges("bytes=1000-", 1_000), { type: "unsatisfiable" });
 * assertEquals(selectRanges("lines=1-2", 1_000), { type: "whole" });
 * ```
 */
export function selectRanges(
  field: string | undefined,
  sizeBytes: number,
  options: SelectRangesOptions = {},
): RangeSelection {
  const maxRangeCount = resolveBound(
    "maxRangeCount",
    options.maxRangeCount ?? DEFAULT_MAX_RANGE_COUNT,
  );
  if (field === undefined || !UNIT.test(field)) return WHOLE;
  if (field.length > maxRangeCount * MAX_CHARACTERS_PER_RANGE) return WHOLE;
  const items = field.slice("bytes=".length).split(",");
  return select(items, sizeBytes, maxRangeCount);
}

function select(items: readonly string[], sizeBytes: number, maxCount: number): RangeSelection {
  const ranges: ByteRange[] = [];
  let itemCount = 0;
  let wantedBytes = 0;
  for (const item of items) {
    // RFC 9110 section 5.6.1.2: empty items of a list are skipped.
    if (item.trim() === "") continue;
    const range = parseRange(item, sizeBytes);
    // RFC 9110 section 14.1.1: one invalid range makes the whole field invalid.
    if (range === "malformed" || ++itemCount > maxCount) return WHOLE;
    if (range === undefined) continue;
    wantedBytes += range.last - range.first + 1;
    if (wantedBytes > sizeBytes) return WHOLE;
    ranges.push(range);
  }
  if (ranges.length > 0) return { type: "partial", ranges };
  // An end of nothing can be had, but no Content-Range can say so.
  return itemCount === 0 || isOnlySuffixOfNothing(items, sizeBytes) ? WHOLE : UNSATISFIABLE;
}

/** One range; `undefined` for one that is not satisfiable. */
function parseRange(item: string, sizeBytes: number): ByteRange | "malformed" | undefined {
  const match = RANGE.exec(item);
  if (match === null) return "malformed";
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = toOffset(suffix);
    if (length === 0 || sizeBytes === 0) return undefined;
    return { first: Math.max(0, sizeBytes - length), last: sizeBytes - 1 };
  }
  const from = toOffset(first!);
  const to = last === "" ? Infinity : toOffset(last!);
  if (to < from) return "malformed";
  return from < sizeBytes ? { first: from, last: Math.min(to, sizeBytes - 1) } : undefined;
}

function isOnlySuffixOfNothing(items: readonly string[], sizeBytes: number): boolean {
  return sizeBytes === 0 && items.some((item) => /^\s*-\d*[1-9]/.test(item));
}

function toOffset(digits: string): number {
  const significant = digits.replace(/^0+/, "");
  return significant.length > MAX_DIGITS ? Infinity : Number(significant);
}

/**
 * Writes a `Content-Range` field (RFC 9110 section 14.4).
 *
 * @param range What is sent; `undefined` for the refusal of a 416.
 * @param sizeBytes Bytes of the representation.
 * @returns The value.
 *
 * @example Of a 206 and of a 416
 * ```ts
 * import { formatContentRange } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatContentRange({ first: 0, last: 9 }, 100), "bytes 0-9/100");
 * assertEquals(formatContentRange(undefined, 100), "bytes \u002a/100");
 * ```
 */
export function formatContentRange(range: ByteRange | undefined, sizeBytes: number): string {
  return `bytes ${range === undefined ? "*" : `${range.first}-${range.last}`}/${sizeBytes}`;
}
