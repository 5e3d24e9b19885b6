import { type Clock, systemClock } from "../nbio/clock.ts";
import { type Deadline, deadlines, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { TimeoutError } from "../nbio/errors.ts";
import { checkTime } from "./limits.ts";
import type { Middleware, Next } from "./middleware.ts";
import type { Context } from "./server_context.ts";
import { statusOf } from "./server_errors.ts";

/** Options of {@linkcode timeout}. */
export interface HandlerTimeoutOptions {
  /**
   * Milliseconds the handler gets to heed `ctx.signal`, at least 0. Passed: the
   * 503 leaves without it, and the connection ends. Infinity waits as long as
   * it takes.
   *
   * @default {1000}
   */
  readonly graceMs?: number;
  /**
   * Where time comes from; for tests.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

interface TimeLimit {
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly wheel: DeadlineWheel;
}

/**
 * Limits the time of what lies further in: when it has passed, `ctx.signal`
 * aborts with a `TimeoutError`. A handler that fails then is answered with 503;
 * one that answers in spite of it keeps its answer. One that does neither is
 * left behind after a grace: whatever it does from then on is without effect. Its
 * 503 is a plain one, past `onError` of a router, and ends the connection.
 *
 * The time ends when the handler has settled; how long a stream it answered
 * with may take is not limited. Deadlines pass up to 100 ms late. Of several
 * limits around a handler the shortest counts.
 *
 * @param timeoutMs Milliseconds; 0 and Infinity switch the limit off.
 * @param options What follows.
 * @returns The middleware.
 * @throws {RangeError} If a number is negative or none.
 *
 * @example A handler that heeds its signal
 * ```ts
 * import { compose, serve, timeout } from "@nbio/net/http";
 * import { AsyncQueue } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const jobs = new AsyncQueue<string>();
 * const handler = compose([timeout(20)], async (ctx) => {
 *   ctx.text(await jobs.pop({ signal: ctx.signal }) ?? "");
 * });
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0, onError() {} });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * await response.body?.cancel();
 * assertEquals(response.status, 503);
 * ```
 */
export function timeout(timeoutMs: number, options: HandlerTimeoutOptions = {}): Middleware {
  const { graceMs = 1_000, clock = systemClock } = options;
  checkTime("timeoutMs", timeoutMs);
  checkTime("graceMs", graceMs);
  if (timeoutMs === 0 || timeoutMs === Infinity) return (_ctx, next) => next();
  const wheel = clock === systemClock ? deadlines : new DeadlineWheel(clock);
  const limit: TimeLimit = { timeoutMs, graceMs, wheel };
  return (ctx, next) => runLimited(ctx, next, limit);
}

async function runLimited(ctx: Context, next: Next, limit: TimeLimit): Promise<void> {
  const { timeoutMs, wheel } = limit;
  let error: TimeoutError | undefined;
  let waiting: Deadline | undefined;
  const isSettled = await new Promise<boolean>((resolve) => {
    waiting = wheel.create(() => {
      // Another protocol by now, which lasts as long as it likes.
      if (ctx.response.isHandedOver) return;
      error = timeoutError(timeoutMs);
      ctx.abort(error);
      waiting = startGrace(limit, () => resolve(false));
    });
    waiting.arm(timeoutMs);
    // `next` never rejects.
    void next().then(() => resolve(true));
  });
  waiting?.cancel();
  if (error === undefined) return;
  if (!isSettled) leaveBehind(ctx, error);
  else if (isConsequence(ctx, error)) throw error;
}

function startGrace({ graceMs, wheel }: TimeLimit, onEnd: () => void): Deadline | undefined {
  // Arming with 0 would disarm.
  if (graceMs === 0) {
    onEnd();
    return undefined;
  }
  const grace = wheel.create(onEnd);
  grace.arm(graceMs);
  return grace;
}

function timeoutError(timeoutMs: number): TimeoutError {
  return new TimeoutError(`Cannot answer: the handler took longer than ${timeoutMs} ms`, {
    phase: "handler",
    timeoutMs,
  });
}

/** Whether the handler failed in a way of its own because its signal aborted. */
function isConsequence(ctx: Context, error: TimeoutError): boolean {
  if (ctx.error === undefined || ctx.error === error || ctx.response.committed) return false;
  return statusOf(ctx.error) === 500;
}

function leaveBehind(ctx: Context, error: TimeoutError): void {
  ctx.fail(error);
  // It may still hold the body of the request.
  if (!ctx.response.committed) ctx.set("connection", "close");
}
