import { LimitExceededError, NetError, TimeoutError } from "../nbio/errors.ts";
import { HttpError, HttpStateError } from "./errors.ts";

/** Seconds after which a client may try again where nobody knows any better. */
const DEFAULT_RETRY_AFTER_S = 1;
const MS_PER_S = 1_000;

/**
 * What a client is told of an error between a proxy and an upstream: 504 where time
 * was up, 503 where there is no room, else 502. What is the proxy's own mistake, or an
 * answer already, stays what it is.
 *
 * @param error What asking an upstream has failed with.
 * @returns What to throw.
 */
export function proxyError(error: unknown): unknown {
  if (error instanceof HttpError || error instanceof HttpStateError) return error;
  if (isMistake(error)) return error;
  if (isFull(error)) return unavailable(undefined, error);
  if (error instanceof TimeoutError) {
    return new HttpError(504, "Upstream did not answer in time", { cause: error });
  }
  return new HttpError(502, "Upstream could not be asked", { cause: error });
}

/**
 * That there is no upstream to ask.
 *
 * @param retryAfterMs Milliseconds until there may be; `undefined` where nobody knows.
 * @param cause Why, where there is an error that says so.
 */
export function unavailable(retryAfterMs: number | undefined, cause?: unknown): HttpError {
  const seconds = retryAfterMs === undefined
    ? DEFAULT_RETRY_AFTER_S
    : Math.max(1, Math.ceil(retryAfterMs / MS_PER_S));
  return new HttpError(503, "No upstream can be asked", {
    headers: [["retry-after", `${seconds}`]],
    cause,
  });
}

/**
 * Whether a request found no room on our side: that says nothing about the upstream.
 *
 * @param error What asking has failed with.
 */
export function isFull(error: unknown): boolean {
  if (error instanceof TimeoutError) return error.phase === "queue";
  return error instanceof LimitExceededError && error.limit === "maxQueuedRequests";
}

/** The arguments of some call were wrong. */
function isMistake(error: unknown): boolean {
  if (error instanceof NetError) return false;
  return error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
}
