// This module is sans-I/O.

import { encodeAscii } from "./ascii.ts";
import { type ByteRange, formatContentRange } from "./byte_range.ts";

/** A part of a body: a head, then bytes of the file. */
export interface FileBodyPart {
  /** What stands in front of the bytes; empty for nothing. */
  readonly head: Uint8Array;
  /** Which bytes of the file. */
  readonly range: ByteRange;
}

/** A body that is made of parts of a file. */
export interface FileBodyPlan {
  /** The parts, in order. */
  readonly parts: readonly FileBodyPart[];
  /** What stands behind the last one. */
  readonly tail: Uint8Array;
  /** Bytes of all that. */
  readonly length: number;
}

/** What the parts of a multipart body tell. */
export interface MultipartRangesSource {
  /** Bytes of the whole representation. */
  readonly sizeBytes: number;
  /** Its media type. */
  readonly type: string;
  /** What stands between the parts and nowhere in them: random, 1 to 70 characters. */
  readonly boundary: string;
}

const NOTHING = new Uint8Array(0);

/**
 * Plans a body of one part.
 *
 * @param offset Where it begins.
 * @param length Bytes that it has.
 */
export function planSinglePart(offset: number, length: number): FileBodyPlan {
  const range = { first: offset, last: offset + length - 1 };
  return { parts: length === 0 ? [] : [{ head: NOTHING, range }], tail: NOTHING, length };
}

/**
 * Plans a body of the type `multipart/byteranges` (RFC 9110 section 14.6). Its length
 * is known before a byte of it is read.
 *
 * @param ranges The ranges, in order.
 * @param source What the parts tell.
 */
export function planMultipartRanges(
  ranges: readonly ByteRange[],
  source: MultipartRangesSource,
): FileBodyPlan {
  const { boundary, type, sizeBytes } = source;
  let length = 0;
  const parts = ranges.map((range, index) => {
    const lines = [
      `${index === 0 ? "" : "\r\n"}--${boundary}`,
      `content-type: ${type}`,
      `content-range: ${formatContentRange(range, sizeBytes)}`,
      "",
      "",
    ];
    const head = encodeAscii(lines.join("\r\n"));
    length += head.length + range.last - range.first + 1;
    return { head, range };
  });
  const tail = encodeAscii(`\r\n--${boundary}--\r\n`);
  return { parts, tail, length: length + tail.length };
}
