/**
 * {@linkcode runTranscript}: a conversation held as it is written down.
 *
 * @module
 */

import { type ResolvedTranscriptOptions, TranscriptRun } from "./_testing_transcript_run.ts";
import { type Clock, systemClock } from "./clock.ts";
import { everySplit } from "./testing_split.ts";
import { bytesOfStep, type TranscriptStep } from "./testing_transcript_step.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of {@linkcode runTranscript}. */
export interface RunTranscriptOptions {
  /**
   * Most milliseconds of the clock that a step takes, unless it says so itself.
   * 0 and `Infinity` mean no limit.
   *
   * @default {5_000}
   */
  readonly timeoutMs?: number;

  /**
   * What limits and waits go by. With a `ManualClock`, run it by
   * `clock.runUntil(runTranscript(...))`.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;

  /**
   * Cuts what each step sends in the pieces it is written in, for example
   * `(bytes) => randomSplit(bytes, { seed })`. Steps that give a list of pieces
   * are left as they are.
   *
   * @default {(bytes) => [bytes]}
   */
  readonly split?: (bytes: Uint8Array) => Iterable<Uint8Array>;

  /**
   * Milliseconds of the clock between two pieces of a step. With 0 whoever is
   * ready still runs in between: a peer in the same process reads them one by
   * one.
   *
   * @default {0}
   */
  readonly pieceGapMs?: number;

  /**
   * Leaves the transport open after the last step, for the caller to go on
   * with. It is closed after a failure in any case.
   *
   * @default {false}
   */
  readonly keepOpen?: boolean;

  /**
   * Ends the transcript, which rejects with the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/** What a transcript leaves over. */
export interface TranscriptResult {
  /** Bytes that had come behind those the steps wanted. */
  readonly unread: Uint8Array<ArrayBuffer>;
}

/**
 * Holds one side of a conversation on a transport: sends what the steps send,
 * and rejects as soon as anything else comes than they expect. It takes either
 * role, over memory pipes, sockets and transports with faults alike.
 *
 * What comes is compared byte by byte, in whatever pieces it comes, and fails at
 * the first difference without waiting for the rest. The transport is closed
 * when the promise settles, unless `keepOpen` says otherwise; nothing is left
 * waiting on it.
 *
 * @param transport Where the conversation is held. Nobody else reads or writes
 * meanwhile.
 * @param steps What is said, in order.
 * @param options Time limits, clock, pieces.
 * @returns What came and was not asked for.
 * @throws {TranscriptError} If the peer says anything else, says it too late,
 * or leaves too early; and if it does not take what is sent.
 * @throws {RangeError} If a duration or limit is out of its range.
 * @throws {TypeError} If a step is none, or `keepOpen` is given and nothing is
 * expected behind an `expect-silence`: its read would still be waiting.
 * @throws {Error} The signal's reason.
 *
 * @example A server tested by what is on the wire
 * ```ts
 * import { sendAll, type Transport } from "@nbio/net/nbio";
 * import { memoryPipe, runTranscript } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * async function serveEcho(transport: Transport): Promise<void> {
 *   const buffer = new Uint8Array(1_024);
 *   for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
 *     await sendAll(transport, buffer.subarray(0, byteCount));
 *   }
 *   transport.close();
 * }
 *
 * const [client, server] = memoryPipe();
 * const serving = serveEcho(server);
 * const { unread } = await runTranscript(client, [
 *   { type: "send", bytes: "hello\r\n" },
 *   { type: "expect", bytes: "hello\r\n" },
 *   { type: "expect-silence", durationMs: 10 },
 *   { type: "close-write" },
 *   { type: "expect-end" },
 * ]);
 * assertEquals(unread.length, 0);
 * await serving;
 * ```
 *
 * @example A client tested by a server that is nothing but a transcript
 * ```ts
 * import { sendAll } from "@nbio/net/nbio";
 * import { ManualClock, memoryPipe, runTranscript } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const [client, server] = memoryPipe();
 * const script = runTranscript(server, [
 *   { type: "wait", durationMs: 2_000, note: "a slow greeting" },
 *   { type: "send", bytes: "220 ready\r\n" },
 *   { type: "skip-until", bytes: "\r\n", timeoutMs: 1_000 },
 *   { type: "expect-close" },
 * ], { clock });
 * const greeted = (async () => {
 *   const byteCount = await client.read(new Uint8Array(64));
 *   await sendAll(client, new TextEncoder().encode(`QUIT ${Math.random()}\r\n`));
 *   client.close();
 *   return byteCount;
 * })();
 * await clock.runUntil(script);
 * assertEquals([await greeted, clock.now()], [11, 2_000]);
 * ```
 */
export async function runTranscript(
  transport: Transport,
  steps: readonly TranscriptStep[],
  options: RunTranscriptOptions = {},
): Promise<TranscriptResult> {
  const { signal, keepOpen = false } = options;
  const resolved = resolveOptions(options);
  signal?.throwIfAborted();
  const run = new TranscriptRun(transport, resolved);
  const onAbort = (): void => run.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    for (const [index, step] of steps.entries()) await run.perform(step, index);
    if (keepOpen && run.isReading) {
      throw new TypeError("Cannot keep the transport open: the read of expect-silence still waits");
    }
    if (!keepOpen) closeQuietly(transport);
    return { unread: run.unread };
  } catch (error) {
    closeQuietly(transport);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await run.finish();
  }
}

/**
 * The same transcript in every way its sends may be cut: one `send` after the
 * other is replaced by each of its {@linkcode everySplit}, the others stay
 * whole.
 *
 * @param steps The transcript, not changed.
 * @returns Transcripts that say the same, made one by one; `steps` itself if it
 * sends nothing.
 *
 * @example A server must not care how a request is cut
 * ```ts
 * import { memoryPipe, splitTranscript, runTranscript } from "@nbio/net/nbio/testing";
 * import type { TranscriptStep } from "@nbio/net/nbio/testing";
 * import { assert } from "@std/assert";
 *
 * const steps: TranscriptStep[] = [
 *   { type: "send", bytes: "PING\r\n" },
 *   { type: "expect", bytes: "PONG\r\n" },
 * ];
 * let count = 0;
 * for (const cut of splitTranscript(steps)) {
 *   const [client, server] = memoryPipe();
 *   const serving = runTranscript(server, [
 *     { type: "expect", bytes: "PING\r\n" },
 *     { type: "send", bytes: "PONG\r\n" },
 *   ]);
 *   await runTranscript(client, cut);
 *   await serving;
 *   count++;
 * }
 * assert(count > 10);
 * ```
 */
export function* splitTranscript(
  steps: readonly TranscriptStep[],
): Generator<readonly TranscriptStep[], void> {
  let isSplit = false;
  for (const [index, step] of steps.entries()) {
    if (step.type !== "send") continue;
    isSplit = true;
    for (const pieces of everySplit(bytesOfStep(step))) {
      yield steps.with(index, { ...step, bytes: pieces });
    }
  }
  if (!isSplit) yield steps;
}

function resolveOptions(options: RunTranscriptOptions): ResolvedTranscriptOptions {
  const {
    timeoutMs = 5_000,
    clock = systemClock,
    split = (bytes) => [bytes],
    pieceGapMs = 0,
  } = options;
  for (const [name, value] of Object.entries({ timeoutMs, pieceGapMs })) {
    if (value >= 0) continue;
    throw new RangeError(`Cannot run transcript: ${name} is ${value}, expected at least 0`);
  }
  return { timeoutMs, clock, split, pieceGapMs };
}
