import { type Clock, systemClock } from "../nbio/clock.ts";
import { deadlines, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { checkTime, resolveBound } from "./limits.ts";
import { encodeServerSentEvent } from "./sse_encoder.ts";

/**
 * What becomes of a client that takes events more slowly than they come: it misses the oldest of
 * those that wait, or its stream ends and it may come back and name the last one it got.
 */
export type SseOverflow = "drop-oldest" | "drop-client";

/** Options of {@linkcode sseStream}. */
export interface SseStreamOptions {
  /**
   * Longest silence, in milliseconds: then a comment is sent. It keeps proxies from closing the
   * connection, and tells us of clients that have left. 0 and Infinity for none.
   *
   * @default {15000}
   */
  readonly heartbeatIntervalMs?: number;
  /**
   * How long the client is to wait before it comes back, in milliseconds, a whole number.
   *
   * @default undefined (as it likes: mostly some seconds)
   */
  readonly retryMs?: number | undefined;
  /**
   * Events that wait for the client, a whole number; 0 and Infinity for no bound.
   *
   * @default {1000}
   */
  readonly maxQueuedEvents?: number;
  /**
   * Bytes of all events that wait for the client, a whole number; 0 and Infinity for no bound. A
   * single event may be larger.
   *
   * @default {1048576}
   */
  readonly maxQueuedBytes?: number;
  /**
   * What to do when more would wait.
   *
   * @default {"drop-client"}
   */
  readonly overflow?: SseOverflow;
  /**
   * Where heartbeats get their time.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** Options with everything filled in, checked. */
export interface ResolvedSseOptions {
  /** Time between two looks whether something was sent; 0 for none. */
  readonly beatMs: number;
  readonly retryMs: number | undefined;
  readonly maxQueuedEvents: number;
  readonly maxQueuedBytes: number;
  readonly overflow: SseOverflow;
  readonly wheel: DeadlineWheel;
}

const DEFAULT_HEARTBEAT_MS = 15_000;
const DEFAULT_QUEUED_EVENTS = 1_000;
const DEFAULT_QUEUED_BYTES = 1024 * 1024;

/**
 * Fills in the defaults and checks the values.
 *
 * @throws {RangeError} If one is out of its range.
 */
export function resolveSseOptions(options: SseStreamOptions): ResolvedSseOptions {
  const { heartbeatIntervalMs = DEFAULT_HEARTBEAT_MS, retryMs, clock = systemClock } = options;
  const { overflow = "drop-client" } = options;
  checkTime("heartbeatIntervalMs", heartbeatIntervalMs);
  if (overflow !== "drop-oldest" && overflow !== "drop-client") {
    throw new RangeError(`Cannot use option overflow: ${overflow} is no policy`);
  }
  if (retryMs !== undefined) encodeServerSentEvent({ retryMs });
  return {
    beatMs: heartbeatIntervalMs === Infinity ? 0 : heartbeatIntervalMs / 2,
    retryMs,
    maxQueuedEvents: resolveBound(
      "maxQueuedEvents",
      options.maxQueuedEvents ?? DEFAULT_QUEUED_EVENTS,
    ),
    maxQueuedBytes: resolveBound("maxQueuedBytes", options.maxQueuedBytes ?? DEFAULT_QUEUED_BYTES),
    overflow,
    wheel: clock === systemClock ? deadlines : new DeadlineWheel(clock),
  };
}
