// This module is sans-I/O.

/**
 * {@linkcode QueueClosedError}: a queue takes nothing more.
 *
 * @module
 */

import { NetError } from "./errors.ts";

/**
 * An item could not be added, because the queue was closed: whoever takes from
 * it wants no more. The item still belongs to the one who tried.
 *
 * @example Adding to a closed queue
 * ```ts
 * import { AsyncQueue, QueueClosedError } from "@nbio/net/nbio";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const queue = new AsyncQueue<string>();
 * queue.close();
 * const error = assertThrows(() => queue.tryPush("late"), QueueClosedError);
 * assertEquals(error.code, "ERR_NET_QUEUE_CLOSED");
 * ```
 */
export class QueueClosedError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code = "ERR_NET_QUEUE_CLOSED";
}
