// This module is sans-I/O.

/**
 * {@linkcode TranscriptError}: a conversation went otherwise.
 *
 * @module
 */

import { quoteBytes } from "./_testing_quote_bytes.ts";
import { NetError } from "./errors.ts";
import type { TranscriptStep } from "./testing_transcript_step.ts";

/**
 * - `ERR_TRANSCRIPT_MISMATCH`: other bytes came than the step wants.
 * - `ERR_TRANSCRIPT_ENDED`: the connection ended, was reset or broke, and the
 *   step wants something else.
 * - `ERR_TRANSCRIPT_TIMEOUT`: what the step wants did not come in time, or what
 *   it sends was not taken.
 * - `ERR_TRANSCRIPT_SEND`: what the step sends could not be sent.
 */
export type TranscriptErrorCode =
  | "ERR_TRANSCRIPT_MISMATCH"
  | "ERR_TRANSCRIPT_ENDED"
  | "ERR_TRANSCRIPT_TIMEOUT"
  | "ERR_TRANSCRIPT_SEND";

/** What a {@linkcode TranscriptError} tells beside its message. */
export interface TranscriptErrorOptions extends ErrorOptions {
  /** What happened. */
  readonly code: TranscriptErrorCode;
  /** Index of the step, from 0. */
  readonly stepIndex: number;
  /** The step. */
  readonly step: TranscriptStep;
  /** Bytes that the step wants or sends; none for steps without bytes. */
  readonly expected: Uint8Array;
  /** What came in their place, as far as it came; for a send, what was taken. */
  readonly actual: Uint8Array;
}

/** Bytes of common ground that a message shows before the first difference. */
const CONTEXT_BYTES = 8;

/**
 * A transcript went otherwise than its steps say. The message names the step
 * and quotes what was expected and what came, from shortly before the first
 * difference.
 *
 * @example Reading what came instead
 * ```ts
 * import { memoryPipe, runTranscript, TranscriptError } from "@nbio/net/nbio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * await server.write(new TextEncoder().encode("421 busy\r\n"));
 * const error = await assertRejects(
 *   () => runTranscript(client, [{ type: "expect", bytes: "220 ready\r\n" }]),
 *   TranscriptError,
 * );
 * assertEquals([error.code, error.stepIndex, error.offset], ["ERR_TRANSCRIPT_MISMATCH", 0, 0]);
 * assertEquals(new TextDecoder().decode(error.actual), "421 busy\r\n");
 * ```
 */
export class TranscriptError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: TranscriptErrorCode;
  /** Index of the step, from 0. */
  readonly stepIndex: number;
  /** The step. */
  readonly step: TranscriptStep;
  /** Bytes that the step wants or sends; none for steps without bytes. */
  readonly expected: Uint8Array;
  /** What came in their place, as far as it came; for a send, what was taken. */
  readonly actual: Uint8Array;

  /**
   * Makes the error.
   *
   * @param reason What went otherwise, in a few words.
   * @param options The code, the step, and both sides of the difference.
   */
  constructor(reason: string, options: TranscriptErrorOptions) {
    super(describe(reason, options), options);
    this.code = options.code;
    this.stepIndex = options.stepIndex;
    this.step = options.step;
    this.expected = options.expected;
    this.actual = options.actual;
  }

  /** Index of the first byte in which expected and actual differ. */
  get offset(): number {
    return firstDifference(this.expected, this.actual);
  }
}

function describe(reason: string, options: TranscriptErrorOptions): string {
  const { stepIndex, step, expected, actual } = options;
  const note = step.note === undefined ? "" : ` (${step.note})`;
  const start = Math.max(0, firstDifference(expected, actual) - CONTEXT_BYTES);
  const sides = expected.length === 0 && actual.length === 0
    ? ""
    : `, expected ${quoteBytes(expected, start)}, got ${quoteBytes(actual, start)}`;
  return `Cannot ${step.type} at step ${stepIndex}${note}: ${reason}${sides}`;
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    if (a[index] !== b[index]) return index;
  }
  return length;
}
