/**
 * {@linkcode TranscriptReader}: what a peer says, in time or not.
 *
 * @module
 */

import type { BreakableWait } from "./_testing_breakable_wait.ts";
import { ReadAhead } from "./_testing_read_ahead.ts";
import type { TimeLimit } from "./_testing_time_limit.ts";
import { settle } from "./testing_settle.ts";
import type { Transport } from "./transport.ts";

/** What comes next: bytes, the end, an error of the transport, or nothing in time. */
export type Arrival = "bytes" | "end" | "failure" | "timeout";

/** Reads that a step may give up on and the next one goes on with. */
export class TranscriptReader {
  readonly #ahead: ReadAhead;
  readonly #wait: BreakableWait;

  /** Reads nothing before it is asked to. */
  constructor(transport: Transport, wait: BreakableWait) {
    this.#ahead = new ReadAhead(transport);
    this.#wait = wait;
  }

  /** Whether a read is under way. */
  get isReading(): boolean {
    return this.#ahead.filling !== undefined;
  }

  /** What the transport has failed with. */
  get error(): unknown {
    return this.#ahead.failure?.error;
  }

  /** Bytes that have come and were not taken; void when waiting again. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#ahead.buffer.view();
  }

  /** Takes bytes from the front. */
  consume(byteCount: number): void {
    this.#ahead.buffer.consume(byteCount);
  }

  /** Waits until something is there. */
  async next(limit: TimeLimit): Promise<Arrival> {
    const { buffer } = this.#ahead;
    for (;;) {
      if (buffer.length > 0) return "bytes";
      if (this.#ahead.failure) return "failure";
      if (this.#ahead.isEnded) return "end";
      if (limit.isOver) return "timeout";
      await this.#wait.until(Promise.race([this.#ahead.fill(), limit.timeUp]));
      // A read without a byte: a loop of those would never let time pass.
      if (buffer.length === 0 && this.#ahead.isGrowing && !limit.isOver) await settle();
    }
  }

  /** Waits for the read that is under way, if one is: after the transport was closed. */
  async finish(): Promise<void> {
    await this.#ahead.filling;
  }
}
