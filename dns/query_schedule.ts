// This module is sans-I/O.

/** One turn of a server. */
export interface PlannedAttempt {
  /** Which server, counted from 0 in the order in which they are asked. */
  readonly serverIndex: number;
  /** How long it is waited for, in milliseconds. */
  readonly timeoutMs: number;
}

/** From the third server on the time does not double any more: resolv.conf has no fourth. */
const MAX_DOUBLING = 2;
const SECOND_MS = 1_000;

/** The plan that was asked for last. */
const memory: {
  latest?: {
    readonly serverCount: number;
    readonly attempts: number;
    readonly timeoutMs: number;
    readonly plan: readonly PlannedAttempt[];
  };
} = {};

/**
 * Plans who is asked when, as the C library does by `timeout` and `attempts` of resolv.conf: all
 * servers in turn, and that as often as there are attempts. The first server has `timeoutMs`; the
 * n-th has `timeoutMs` times 2^(n-1), divided by the number of servers, in whole seconds where
 * `timeoutMs` is.
 *
 * @param serverCount How many servers there are, at least 1.
 * @param attempts How often each is asked.
 * @param timeoutMs How long to wait for the first.
 * @returns The turns in order.
 *
 * @example Two servers with what resolv.conf says by default: 20 seconds
 * ```ts
 * import { planAttempts } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(planAttempts(2, 2, 5_000), [
 *   { serverIndex: 0, timeoutMs: 5_000 },
 *   { serverIndex: 1, timeoutMs: 5_000 },
 *   { serverIndex: 0, timeoutMs: 5_000 },
 *   { serverIndex: 1, timeoutMs: 5_000 },
 * ]);
 * ```
 */
export function planAttempts(
  serverCount: number,
  attempts: number,
  timeoutMs: number,
): readonly PlannedAttempt[] {
  // One question after the other has the same plan.
  const { latest } = memory;
  if (
    latest?.serverCount === serverCount && latest.attempts === attempts &&
    latest.timeoutMs === timeoutMs
  ) return latest.plan;
  const plan = makePlan(serverCount, attempts, timeoutMs);
  memory.latest = { serverCount, attempts, timeoutMs, plan };
  return plan;
}

function makePlan(serverCount: number, attempts: number, timeoutMs: number): PlannedAttempt[] {
  const round = Array.from({ length: serverCount }, (_, serverIndex) => ({
    serverIndex,
    timeoutMs: turnTimeoutMs(serverIndex, serverCount, timeoutMs),
  }));
  return Array.from({ length: attempts }, () => round).flat();
}

function turnTimeoutMs(serverIndex: number, serverCount: number, timeoutMs: number): number {
  if (serverIndex === 0) return timeoutMs;
  const shareMs = timeoutMs * 2 ** Math.min(serverIndex, MAX_DOUBLING) / serverCount;
  if (timeoutMs % SECOND_MS !== 0) return Math.ceil(shareMs);
  return Math.max(SECOND_MS, Math.floor(shareMs / SECOND_MS) * SECOND_MS);
}
