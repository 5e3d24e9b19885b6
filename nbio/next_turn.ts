/**
 * {@linkcode onNextTurn}: going on behind what is ready now.
 *
 * @module
 */

/**
 * Calls back in the next turn of the event loop, behind all that is ready in this one: promises, and
 * what streams of Node do between their events. It is no timer, and does not wait for time to pass.
 *
 * @param callback What is called, once.
 */
export function onNextTurn(callback: () => void): void {
  setImmediate(callback);
}
