// This module is sans-I/O.

/**
 * {@linkcode MAX_TIMER_MS}: how long a timer can wait.
 *
 * @module
 */

/**
 * The longest delay that timers of the runtime have, about 25 days. A longer one
 * does not fit in the 32 bits they keep it in, and fires at once.
 */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;
