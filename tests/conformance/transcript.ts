/**
 * What an HTTP parser of the package makes of some bytes, in a form that two of
 * them, and every way of feeding them, can be compared in.
 */

import { HttpProtocolError } from "../../http/errors.ts";
import type { HttpLenience, HttpLimits } from "../../http/limits.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { boundedSplits } from "./vector_split.ts";

/** One message, complete or not. */
export interface TranscriptMessage {
  /** Of a request. */
  readonly method?: string;
  /** Of a request, as sent. */
  readonly target?: string;
  /** Of a response. */
  readonly status?: number;
  /** Of a response. */
  readonly reason?: string;
  readonly minorVersion: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What came of the body, one character per byte. */
  body: string;
  trailers: readonly (readonly [name: string, value: string])[];
  isComplete: boolean;
}

/** What the bytes came to. */
export interface Transcript {
  /**
   * `complete`: between two messages; `incomplete`: in one, or nothing came;
   * `upgrade`: the last message asks for another protocol; `error CODE`.
   */
  readonly outcome: string;
  /** Status to refuse with, after an error. */
  readonly statusHint: number | undefined;
  readonly messages: readonly TranscriptMessage[];
}

/** How the bytes are read. */
export interface ReadOptions {
  readonly limits?: HttpLimits;
  readonly lenience?: HttpLenience;
  /** Whether the peer ends its side behind them. */
  readonly isEnd?: boolean;
}

/** More than this is not handed over at once: a server reads no more at a time either. */
const MAX_CHUNK_BYTES = 16 * 1024;

/** The chunks, large ones in pieces. */
export function* piecesOf(chunks: readonly Uint8Array[]): Generator<Uint8Array, void> {
  for (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += MAX_CHUNK_BYTES) {
      yield chunk.subarray(start, start + MAX_CHUNK_BYTES);
    }
  }
}

/** A parser under test. */
export type Reader = (chunks: readonly Uint8Array[], options: ReadOptions) => Transcript;

/**
 * The outcome of an error that the package documents.
 *
 * @throws What is anything else: a crash is never an outcome.
 */
export function outcomeOfError(error: unknown): Pick<Transcript, "outcome" | "statusHint"> {
  if (error instanceof HttpProtocolError) {
    return { outcome: `error ${error.code}`, statusHint: error.statusHint };
  }
  if (error instanceof LimitExceededError) {
    return { outcome: `error ${error.code} ${error.limit}`, statusHint: error.statusHint };
  }
  throw error;
}

/** Whether the message asks for another protocol (RFC 9110 sections 7.8, 9.3.6). */
export function asksForUpgrade(message: TranscriptMessage): boolean {
  if (message.method === "CONNECT" || message.status === 101) return true;
  if (message.method === undefined || !valueOf(message, "upgrade")) return false;
  const tokens = valueOf(message, "connection").split(",").map((token) => token.trim());
  return tokens.some((token) => token.toLowerCase() === "upgrade");
}

/**
 * Reads the bytes whole, byte by byte and cut at every offset.
 *
 * @returns What they come to, and how many ways of feeding came to something
 * else.
 */
export function readEverySplit(
  read: Reader,
  bytes: Uint8Array,
  options: ReadOptions = {},
): { readonly transcript: Transcript; readonly deviationCount: number } {
  const transcript = read([bytes.slice()], options);
  const wanted = JSON.stringify(transcript);
  let deviationCount = 0;
  for (const chunks of boundedSplits(bytes)) {
    if (JSON.stringify(read(chunks, options)) !== wanted) deviationCount++;
  }
  return { transcript, deviationCount };
}

function valueOf(message: TranscriptMessage, name: string): string {
  return message.headers
    .filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value)
    .join(",");
}
