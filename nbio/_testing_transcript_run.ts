/**
 * {@linkcode TranscriptRun}: the steps of a transcript, one by one.
 *
 * @module
 */

import { BreakableWait } from "./_testing_breakable_wait.ts";
import { DelimiterSearch } from "./_delimiter_search.ts";
import { TimeLimit } from "./_testing_time_limit.ts";
import { type Arrival, TranscriptReader } from "./_testing_transcript_reader.ts";
import { type Clock, systemClock } from "./clock.ts";
import { settle } from "./testing_settle.ts";
import { TranscriptError, type TranscriptErrorCode } from "./testing_transcript_error.ts";
import {
  bytesOfStep,
  type LeaveStep,
  type SendStep,
  type SkipUntilStep,
  type TranscriptStep,
} from "./testing_transcript_step.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of a run, complete. */
export interface ResolvedTranscriptOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly split: (bytes: Uint8Array) => Iterable<Uint8Array>;
  readonly pieceGapMs: number;
}

/** Most bytes of what came that an error holds beyond those that were expected. */
const MAX_SHOWN_BYTES = 1_024;

const NOTHING = new Uint8Array(0);

const IN_PLACE_OF_BYTES: Readonly<
  Record<Exclude<Arrival, "bytes">, [TranscriptErrorCode, string]>
> = {
  end: ["ERR_TRANSCRIPT_ENDED", "the connection ended"],
  failure: ["ERR_TRANSCRIPT_ENDED", "the connection failed"],
  timeout: ["ERR_TRANSCRIPT_TIMEOUT", "nothing more came in time"],
};

/** What is being done, for errors. */
interface Current {
  readonly step: TranscriptStep;
  readonly stepIndex: number;
  readonly expected: Uint8Array;
}

/** Performs steps on a transport. */
export class TranscriptRun {
  readonly #transport: Transport;
  readonly #options: ResolvedTranscriptOptions;
  readonly #wait: BreakableWait = new BreakableWait();
  readonly #reader: TranscriptReader;
  #current: Current | undefined;
  #writing: Promise<unknown> | undefined;

  /** Does nothing before the first step. */
  constructor(transport: Transport, options: ResolvedTranscriptOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#reader = new TranscriptReader(transport, this.#wait);
  }

  /** Whether a read is under way. */
  get isReading(): boolean {
    return this.#reader.isReading;
  }

  /** A copy of what came and was not asked for. */
  get unread(): Uint8Array<ArrayBuffer> {
    return this.#reader.view().slice();
  }

  /** Rejects the step that is performed. */
  abort(reason: unknown): void {
    this.#wait.break(reason);
  }

  /** Waits for what may still be under way on a transport that was closed. */
  async finish(): Promise<void> {
    await this.#writing;
    // Left open, it may be read from: nothing is under way then.
    await this.#reader.finish();
  }

  /** Performs a step; rejects if it goes otherwise. */
  async perform(step: TranscriptStep, stepIndex: number): Promise<void> {
    this.#current = { step, stepIndex, expected: bytesOfStep(step) };
    const limit = this.#startLimit(step);
    try {
      await this.#performWithin(step, limit);
    } finally {
      limit.stop();
    }
  }

  #startLimit(step: TranscriptStep): TimeLimit {
    const { clock, timeoutMs } = this.#options;
    if ("durationMs" in step) {
      const { durationMs } = step;
      const isLawful = durationMs < Infinity && (step.type === "wait" || durationMs > 0);
      if (!(isLawful && durationMs >= 0)) {
        throw new RangeError(`Cannot ${step.type}: durationMs is ${durationMs}`);
      }
      return new TimeLimit(clock, durationMs);
    }
    const ownMs = "timeoutMs" in step ? step.timeoutMs ?? timeoutMs : timeoutMs;
    if (!(ownMs >= 0)) {
      throw new RangeError(`Cannot ${step.type}: timeoutMs is ${ownMs}, expected at least 0`);
    }
    return new TimeLimit(clock, ownMs);
  }

  async #performWithin(step: TranscriptStep, limit: TimeLimit): Promise<void> {
    switch (step.type) {
      case "send":
        return await this.#send(step, limit);
      case "expect":
        return await this.#expect(limit);
      case "skip-until":
        return await this.#skipUntil(step, limit);
      case "expect-end":
      case "expect-close":
      case "expect-reset":
      case "expect-silence":
        return await this.#expectOther(step.type, limit);
      case "wait":
        if (step.durationMs > 0) await this.#wait.until(limit.timeUp);
        return;
      case "close-write":
      case "close":
      case "reset":
        return await this.#leave(step.type, limit);
      default:
        step satisfies never;
        throw new TypeError(`Cannot run transcript: no such step ${Deno.inspect(step)}`);
    }
  }

  async #send(step: SendStep, limit: TimeLimit): Promise<void> {
    const { split } = this.#options;
    const pieces = Array.isArray(step.bytes) ? step.bytes : split(this.#current!.expected);
    let sentBytes = 0;
    let isFirst = true;
    for (const piece of pieces) {
      if (!isFirst) await this.#pause();
      isFirst = false;
      for (let offset = 0; offset < piece.length;) {
        const byteCount = await this.#write(piece.subarray(offset), limit, sentBytes);
        offset += byteCount;
        sentBytes += byteCount;
      }
    }
  }

  /** One write, which the error of a failure calls sent up to `sentBytes`. */
  async #write(bytes: Uint8Array, limit: TimeLimit, sentBytes: number): Promise<number> {
    const sent = this.#current!.expected.subarray(0, sentBytes);
    const outcome = await this.#attempt(this.#transport.write(bytes), limit);
    if (outcome === "timeout") {
      throw this.#error("ERR_TRANSCRIPT_TIMEOUT", "the peer does not take it in time", sent);
    }
    if ("error" in outcome) {
      const { error } = outcome;
      throw this.#error("ERR_TRANSCRIPT_SEND", "the connection failed", sent, error);
    }
    return outcome.value;
  }

  /** Lets the peer see a piece by itself. */
  async #pause(): Promise<void> {
    const { clock, pieceGapMs } = this.#options;
    // Another clock's timer would wait for its owner to settle everything; the
    // system's would wait a real millisecond.
    if (clock === systemClock && pieceGapMs === 0) await this.#wait.until(settle());
    else await this.#wait.sleep(clock, pieceGapMs);
  }

  async #expect(limit: TimeLimit): Promise<void> {
    const { expected } = this.#current!;
    for (let offset = 0; offset < expected.length;) {
      const arrival = await this.#reader.next(limit);
      const matched = expected.subarray(0, offset);
      if (arrival !== "bytes") throw this.#missing(arrival, matched);
      const view = this.#reader.view();
      const length = Math.min(view.length, expected.length - offset);
      for (let index = 0; index < length; index++) {
        if (view[index] === expected[offset + index]) continue;
        const actual = concat(matched, view.subarray(0, index + MAX_SHOWN_BYTES));
        throw this.#error("ERR_TRANSCRIPT_MISMATCH", `byte ${offset + index} differs`, actual);
      }
      this.#reader.consume(length);
      offset += length;
    }
  }

  async #skipUntil({ maxBytes = 65_536 }: SkipUntilStep, limit: TimeLimit): Promise<void> {
    const { expected } = this.#current!;
    if (!(maxBytes >= 0) || expected.length === 0) {
      throw new RangeError(
        `Cannot skip: maxBytes is ${maxBytes}, expected at least 0, and bytes to skip until`,
      );
    }
    const search = new DelimiterSearch(expected);
    let last: Uint8Array = NOTHING;
    for (let skippedBytes = 0;;) {
      const arrival = await this.#reader.next(limit);
      if (arrival !== "bytes") throw this.#missing(arrival, last);
      const view = this.#reader.view();
      const allowedBytes = Math.min(view.length, maxBytes + expected.length - skippedBytes);
      const end = search.find(view, 0, allowedBytes);
      last = view.slice(0, MAX_SHOWN_BYTES);
      this.#reader.consume(end === -1 ? allowedBytes : end);
      if (end !== -1) return;
      skippedBytes += allowedBytes;
      if (skippedBytes === maxBytes + expected.length) {
        const reason = `not in the first ${maxBytes} bytes`;
        throw this.#error("ERR_TRANSCRIPT_MISMATCH", reason, last);
      }
    }
  }

  async #expectOther(
    type: "expect-end" | "expect-close" | "expect-reset" | "expect-silence",
    limit: TimeLimit,
  ): Promise<void> {
    const arrival = await this.#reader.next(limit);
    if (arrival === "bytes") {
      const actual = this.#reader.view().slice(0, MAX_SHOWN_BYTES);
      throw this.#error("ERR_TRANSCRIPT_MISMATCH", "bytes came", actual);
    }
    const isReset = arrival === "failure" && isResetError(this.#reader.error);
    const isAsWanted = {
      "expect-end": arrival === "end",
      "expect-close": arrival === "end" || isReset,
      "expect-reset": isReset,
      "expect-silence": arrival === "timeout",
    };
    if (!isAsWanted[type]) throw this.#missing(arrival, NOTHING);
  }

  async #leave(type: LeaveStep["type"], limit: TimeLimit): Promise<void> {
    if (type === "reset") return resetTransport(this.#transport);
    try {
      if (type === "close") return this.#transport.close();
    } catch (error) {
      throw this.#error("ERR_TRANSCRIPT_SEND", "the connection failed", NOTHING, error);
    }
    const outcome = await this.#attempt(this.#transport.closeWrite(), limit);
    if (outcome === "timeout") {
      throw this.#error("ERR_TRANSCRIPT_TIMEOUT", "the transport does not do it in time", NOTHING);
    }
    if ("error" in outcome) {
      throw this.#error("ERR_TRANSCRIPT_SEND", "the connection failed", NOTHING, outcome.error);
    }
  }

  /** What comes of an operation of the transport, which may outlive the limit. */
  async #attempt<T>(
    operation: Promise<T>,
    limit: TimeLimit,
  ): Promise<{ value: T } | { error: unknown } | "timeout"> {
    const attempt = operation.then((value) => ({ value }), (error: unknown) => ({ error }));
    this.#writing = attempt;
    return await this.#wait.until(Promise.race([
      attempt,
      limit.timeUp.then(() => "timeout" as const),
    ]));
  }

  #missing(arrival: Exclude<Arrival, "bytes">, actual: Uint8Array): TranscriptError {
    const [code, reason] = IN_PLACE_OF_BYTES[arrival];
    return this.#error(code, reason, actual, this.#reader.error);
  }

  #error(
    code: TranscriptErrorCode,
    reason: string,
    actual: Uint8Array,
    cause?: unknown,
  ): TranscriptError {
    const options = { ...this.#current!, code, actual };
    return new TranscriptError(reason, cause === undefined ? options : { ...options, cause });
  }
}

function isResetError(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}

function resetTransport(transport: Transport): void {
  if ("reset" in transport && typeof transport.reset === "function") transport.reset();
  else closeQuietly(transport);
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
