// This module is sans-I/O.

/**
 * {@linkcode TranscriptStep}: one line of a conversation.
 *
 * @module
 */

/** What every step may say beside its own. */
export interface StepNote {
  /**
   * What the step is about, for people: it appears in the error.
   *
   * @default {undefined}
   */
  readonly note?: string;
}

/** What every step that waits may say beside its own. */
export interface StepLimit extends StepNote {
  /**
   * Most milliseconds the step takes. 0 and `Infinity` mean no limit.
   *
   * @default {undefined} The `timeoutMs` of the whole transcript.
   */
  readonly timeoutMs?: number;
}

/** Sends bytes, all of them. */
export interface SendStep extends StepLimit {
  /** Discriminates the union. */
  readonly type: "send";
  /** Text goes as UTF-8; a list goes piece by piece. */
  readonly bytes: string | Uint8Array | readonly Uint8Array[];
}

/** Wants exactly these bytes next, in whatever pieces. What is behind them is left. */
export interface ExpectStep extends StepLimit {
  /** Discriminates the union. */
  readonly type: "expect";
  /** Text stands for its UTF-8. */
  readonly bytes: string | Uint8Array;
}

/**
 * Takes what comes up to and with these bytes, whatever it is: a line with a
 * date, a head with a random key.
 */
export interface SkipUntilStep extends StepLimit {
  /** Discriminates the union. */
  readonly type: "skip-until";
  /** Text stands for its UTF-8; at least one byte. */
  readonly bytes: string | Uint8Array;
  /**
   * Most bytes that may come before it, an integer of at least 0.
   *
   * @default {65_536}
   */
  readonly maxBytes?: number;
}

/** Wants the end of what the peer sends. Our own direction stays open. */
export interface ExpectEndStep extends StepLimit {
  /** Discriminates the union. */
  readonly type: "expect-end";
}

/** Wants the peer to give the connection up: the end, or a reset. */
export interface ExpectCloseStep extends StepLimit {
  /** Discriminates the union. */
  readonly type: "expect-close";
}

/** Wants the connection to be reset, and not to end. */
export interface ExpectResetStep extends StepLimit {
  /** Discriminates the union. */
  readonly type: "expect-reset";
}

/** Wants nothing at all to come for so long, not even the end. */
export interface ExpectSilenceStep extends StepNote {
  /** Discriminates the union. */
  readonly type: "expect-silence";
  /** Milliseconds, more than 0. */
  readonly durationMs: number;
}

/** Lets time pass, whatever comes meanwhile. */
export interface WaitStep extends StepNote {
  /** Discriminates the union. */
  readonly type: "wait";
  /** Milliseconds, at least 0. */
  readonly durationMs: number;
}

/**
 * Gives up: `close-write` our direction, `close` both, `reset` as a crash does
 * (on transports with a `reset` method; the others are closed).
 */
export interface LeaveStep extends StepNote {
  /** Discriminates the union. */
  readonly type: "close-write" | "close" | "reset";
}

/**
 * One step of a transcript. Steps are plain objects: written in code, or read
 * from a file by `parseTranscript`.
 *
 * @example A line protocol, from the view of its client
 * ```ts
 * import type { TranscriptStep } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const steps: TranscriptStep[] = [
 *   { type: "expect", bytes: "220 ready\r\n", note: "greeting" },
 *   { type: "send", bytes: "QUIT\r\n" },
 *   { type: "expect", bytes: "221 bye\r\n", timeoutMs: 1_000 },
 *   { type: "expect-end" },
 * ];
 * assertEquals(steps.length, 4);
 * ```
 */
export type TranscriptStep =
  | SendStep
  | ExpectStep
  | SkipUntilStep
  | ExpectEndStep
  | ExpectCloseStep
  | ExpectResetStep
  | ExpectSilenceStep
  | WaitStep
  | LeaveStep;

/**
 * The bytes that a step sends or wants.
 *
 * @param step Any step.
 * @returns A copy, whole even where they are sent in pieces; empty for steps
 * without bytes.
 *
 * @example How much a transcript sends
 * ```ts
 * import { bytesOfStep, type TranscriptStep } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const steps: TranscriptStep[] = [{ type: "send", bytes: "né" }, { type: "expect-end" }];
 * assertEquals(steps.map((step) => bytesOfStep(step).length), [3, 0]);
 * ```
 */
export function bytesOfStep(step: TranscriptStep): Uint8Array<ArrayBuffer> {
  if (!("bytes" in step)) return new Uint8Array(0);
  const { bytes } = step;
  if (typeof bytes === "string") return new TextEncoder().encode(bytes);
  if (bytes instanceof Uint8Array) return new Uint8Array(bytes);
  const whole = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of bytes) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
