/**
 * Running the parsers of `http/` over inputs cut into chunks, with results that
 * can be compared: what a test of an incremental parser needs again and again.
 */

import { assertEquals, fail } from "@std/assert";
import { ChunkedDecoder } from "../../http/chunked_decoder.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import { HeadParser, type MessageKind } from "../../http/head_parser.ts";
import { type HttpLenience, type HttpLimits, resolveLimits } from "../../http/limits.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { bytesOf, textOf } from "./raw_bytes.ts";

/** How a parser is set up. */
export interface ParseOptions {
  readonly limits?: HttpLimits;
  readonly lenience?: HttpLenience;
}

/** A complete head, decoded. */
export interface ParsedHead {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly reason: string;
  readonly minorVersion: number;
  readonly fields: [name: string, value: string][];
  readonly length: number;
}

/** What a chunked body amounts to. */
export interface ParsedBody {
  readonly data: string;
  readonly trailers: [name: string, value: string][] | undefined;
  readonly isDone: boolean;
  /** Bytes used up. */
  readonly length: number;
}

/** What an error says that a caller may rely on. */
export interface Refusal {
  readonly code: string;
  readonly statusHint: number | undefined;
  readonly limit: string | undefined;
}

/** Parsers must not care where in their buffer a message starts. */
const OFFSET = 3;

/** Parses the first head of some chunks; `undefined` where it is not complete. */
export function parseHead(
  kind: MessageKind,
  chunks: Iterable<Uint8Array>,
  options: ParseOptions = {},
): ParsedHead | undefined {
  const parser = new HeadParser(kind, resolveLimits(options.limits), options.lenience ?? {});
  return feedHead(parser, kind, chunks);
}

/** {@linkcode parseHead} with a parser that may have been used before. */
export function feedHead(
  parser: HeadParser,
  kind: MessageKind,
  chunks: Iterable<Uint8Array>,
): ParsedHead | undefined {
  const list = [...chunks];
  const bytes = bufferFor(list);
  let end = OFFSET;
  for (const chunk of list) {
    bytes.set(chunk, end);
    end += chunk.length;
    if (!parser.parse(bytes, OFFSET, end)) continue;
    return {
      method: parser.method,
      target: kind === "request" ? parser.target(bytes, OFFSET) : "",
      status: parser.status,
      reason: kind === "response" ? parser.reason(bytes, OFFSET) : "",
      minorVersion: parser.minorVersion,
      fields: [...parser.headers(bytes, OFFSET)],
      length: parser.length,
    };
  }
  return undefined;
}

/** Decodes a chunked body from some chunks, as far as it goes. */
export function decodeChunked(
  chunks: Iterable<Uint8Array>,
  options: ParseOptions = {},
): ParsedBody {
  const decoder = new ChunkedDecoder(resolveLimits(options.limits), options.lenience ?? {});
  const list = [...chunks];
  const bytes = bufferFor(list);
  let data = "";
  let start = OFFSET;
  let end = OFFSET;
  for (const chunk of list) {
    bytes.set(chunk, end);
    end += chunk.length;
    for (;;) {
      const next = decoder.step(bytes, start, end);
      data += textOf(bytes.subarray(decoder.dataStart, decoder.dataEnd));
      if (next === start) break;
      start = next;
    }
  }
  const trailers = decoder.trailers === undefined ? undefined : [...decoder.trailers];
  return { data, trailers, isDone: decoder.isDone, length: start - OFFSET };
}

/** The refusal that a call ends with; any other end is a failure. */
export function refusalOf(run: () => unknown): Refusal {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    if (error instanceof HttpProtocolError) {
      return { code: error.code, statusHint: error.statusHint, limit: undefined };
    }
    if (error instanceof LimitExceededError) {
      return { code: error.code, statusHint: error.statusHint, limit: error.limit };
    }
    throw error;
  }
  fail(`Expected a refusal, got ${JSON.stringify(result)}`);
}

/**
 * Runs a parser over every split of an input and asserts that the result never
 * changes.
 *
 * @returns The result for the whole input in one piece.
 */
export function sameForEverySplit<T>(wire: string, run: (chunks: Uint8Array[]) => T): T {
  const bytes = bytesOf(wire);
  const expected = run([bytes.slice()]);
  const expectedText = JSON.stringify(expected);
  for (const chunks of everySplit(bytes)) {
    const actual = run(chunks);
    if (JSON.stringify(actual) === expectedText) continue;
    const lengths = chunks.map((chunk) => chunk.length);
    assertEquals(actual, expected, `cut into ${lengths.join(", ")} bytes`);
  }
  return expected;
}

/** Bytes that count how often they are read or filled: work without a clock. */
export function countingBytes(wire: string): { bytes: Uint8Array; touches: () => number } {
  let touched = 0;
  const bytes = new Proxy(bytesOf(wire), {
    get(target, key) {
      if (key === "fill") {
        return (value: number, start: number, end: number) => {
          touched += end - start;
          return target.fill(value, start, end);
        };
      }
      if (key === "slice") return target.slice.bind(target);
      touched++;
      return Reflect.get(target, key);
    },
  });
  return { bytes, touches: () => touched };
}

/** Junk in front and behind: reading outside of the given range shows. */
function bufferFor(chunks: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const chunk of chunks) total += chunk.length;
  return new Uint8Array(total + 2 * OFFSET).fill(0x5a);
}
