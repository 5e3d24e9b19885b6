import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import type { SendStatus } from "../nbio/send_all.ts";
import type { InformationalEvent } from "./events.ts";
import { checkTime, type HttpLenience, type HttpLimits } from "./limits.ts";

/**
 * Deadlines of one exchange, 0 or Infinity switches one off. Each passes late by
 * at most the precision of the wheel, and closes the connection.
 */
export interface ExchangeTimeouts {
  /**
   * Milliseconds without progress of a write.
   *
   * @default {30_000}
   */
  readonly writeTimeoutMs?: number;
  /**
   * Milliseconds that a body waits for the `100 Continue` it asked for by
   * `Expect`. Then it is sent all the same (RFC 9110 section 10.1.1), which is no
   * error.
   *
   * @default {1_000}
   */
  readonly continueTimeoutMs?: number;
  /**
   * Milliseconds from the request having left to the complete head of the
   * response. An informational response begins them anew.
   *
   * @default {60_000}
   */
  readonly firstByteTimeoutMs?: number;
  /**
   * Milliseconds without a byte of the body, counted only while somebody reads it
   * and the request has left.
   *
   * @default {30_000}
   */
  readonly bodyTimeoutMs?: number;
}

/** Options of {@linkcode ClientConnection.exchange}. */
export interface ExchangeOptions extends ExchangeTimeouts {
  /**
   * Cancels the exchange, up to the end of the response's body: the connection is
   * closed, and what waits rejects with the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
  /**
   * Told of informational responses (1xx) as they come, but for a 101, which is
   * the response. What it throws fails the exchange.
   *
   * @default {undefined}
   */
  readonly onInformational?: (response: InformationalEvent) => void;
  /**
   * Where to keep account of what has left of the request, body included: it
   * tells after an error whether the request may be sent again elsewhere.
   *
   * @default {undefined}
   */
  readonly status?: SendStatus;
}

/** Options of {@linkcode ClientConnection}. */
export interface ClientConnectionOptions extends HttpLimits {
  /**
   * Rules of RFC 9112 to relax.
   *
   * @default {{}}
   */
  readonly lenience?: HttpLenience;
  /**
   * Informational responses in front of one final response, 0 for no bound.
   *
   * @default {64}
   */
  readonly maxInformationalResponses?: number;
  /**
   * Where the deadlines wait.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
}

const DEFAULTS: Required<ExchangeTimeouts> = {
  writeTimeoutMs: 30_000,
  continueTimeoutMs: 1_000,
  firstByteTimeoutMs: 60_000,
  bodyTimeoutMs: 30_000,
};

/**
 * Fills in the deadlines that were not given.
 *
 * @param options What the caller set.
 * @returns Every deadline.
 * @throws {RangeError} If one is negative or not a number.
 */
export function resolveExchangeTimeouts(options: ExchangeTimeouts): Required<ExchangeTimeouts> {
  return {
    writeTimeoutMs: resolve("writeTimeoutMs", options),
    continueTimeoutMs: resolve("continueTimeoutMs", options),
    firstByteTimeoutMs: resolve("firstByteTimeoutMs", options),
    bodyTimeoutMs: resolve("bodyTimeoutMs", options),
  };
}

function resolve(name: keyof ExchangeTimeouts, options: ExchangeTimeouts): number {
  return checkTime(name, options[name] ?? DEFAULTS[name]);
}
