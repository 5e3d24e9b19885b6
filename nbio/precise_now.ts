import { type Clock, systemClock } from "./clock.ts";

/**
 * The instant of a clock as of this very call, for whoever measures what takes no turn: within one
 * the clock of the system stands still (see `now`), so that a computation of seconds would be told
 * to take none.
 *
 * @param clock Any clock; those of tests are exact by themselves.
 * @returns Milliseconds on the scale of `clock.now()`.
 */
export function preciseNow(clock: Clock): number {
  return clock === systemClock ? performance.now() : clock.now();
}
