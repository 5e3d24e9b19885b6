/**
 * {@linkcode settle}: everything that can go on goes on, and no time passes.
 *
 * @module
 */

/** Options of {@linkcode settle}. */
export interface SettleOptions {
  /**
   * Turns of the event loop to wait, 1 to 10,000. One is enough for code that
   * waits for nothing but promises, however many. Code that also computes in
   * another thread (`crypto.subtle`, a `CompressionStream`) wants some more.
   *
   * @default {1}
   */
  readonly turnCount?: number;
}

/**
 * Waits until all code that is ready to run has run, and what that made ready
 * as well: memory pipes carry their bytes, promises settle, and whoever waits
 * after that waits for time, for a peer or for ever.
 *
 * A turn of the event loop begins only when no promise reaction is left, so one
 * turn is exact, and the same in every run, for code on memory pipes, simulated
 * datagrams and a `ManualClock`, at about 3 µs. It knows nothing of sockets,
 * files and other threads: what those bring may come later.
 *
 * It is for tests, not for the code that a `ManualClock` drives: the clock takes
 * code that waits here for code that waits for time.
 *
 * @param options How many turns.
 * @throws {RangeError} If `turnCount` is out of its range.
 *
 * @example A long chain of promises, settled
 * ```ts
 * import { settle } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * let count = 0;
 * (async () => {
 *   for (; count < 10_000; count++) await undefined;
 * })();
 * await settle();
 * assertEquals(count, 10_000);
 * ```
 */
export async function settle(options: SettleOptions = {}): Promise<void> {
  const { turnCount = 1 } = options;
  if (!(Number.isInteger(turnCount) && turnCount >= 1 && turnCount <= 10_000)) {
    throw new RangeError(
      `Cannot settle: turnCount is ${turnCount}, expected an integer from 1 to 10000`,
    );
  }
  // Not setTimeout: that waits a real millisecond.
  for (let turn = 0; turn < turnCount; turn++) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}

/**
 * Whether a promise is settled once all that is ready has run: the way to
 * assert that something still waits.
 *
 * A rejection counts as settled, and as handled.
 *
 * @param promise What to look at.
 * @param options How many turns to wait.
 * @returns Whether it is fulfilled or rejected.
 * @throws {RangeError} If `turnCount` is out of its range.
 *
 * @example A read waits until there is a byte
 * ```ts
 * import { isSettled, memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * const read = server.read(new Uint8Array(8));
 * assertEquals(await isSettled(read), false);
 * await client.write(new Uint8Array(1));
 * assertEquals(await isSettled(read), true);
 * ```
 */
export async function isSettled(
  promise: PromiseLike<unknown>,
  options: SettleOptions = {},
): Promise<boolean> {
  let isDone = false;
  const mark = (): void => {
    isDone = true;
  };
  promise.then(mark, mark);
  await settle(options);
  return isDone;
}
