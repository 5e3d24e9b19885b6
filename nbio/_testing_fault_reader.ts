/**
 * {@linkcode FaultReader}: the reading half of a transport with faults.
 *
 * @module
 */

import type { BreakableWait } from "./_testing_breakable_wait.ts";
import type { FaultPlan } from "./_testing_fault_plan.ts";
import { ReadAhead } from "./_testing_read_ahead.ts";
import { TimeLimit } from "./_testing_time_limit.ts";
import type { Clock } from "./clock.ts";
import type { FaultKind } from "./testing_fault_transport.ts";
import type { Transport } from "./transport.ts";

/** What both halves need of the transport they belong to. */
export interface FaultContext {
  readonly inner: Transport;
  readonly plan: FaultPlan;
  readonly clock: Clock;
  /** Where this half waits. */
  readonly wait: BreakableWait;
  /** Takes note of a fault. */
  note(kind: FaultKind, byteCount: number, delayMs: number): void;
  /** Tears the connection off, at both ends where that can be done. */
  reset(): void;
}

/**
 * Reads through a buffer of its own, because what is gathered comes by reads
 * that may outlive the caller's.
 */
export class FaultReader {
  readonly #context: FaultContext;
  readonly #ahead: ReadAhead;
  #isEndNoted = false;

  /** Makes the half; nothing is read before it is asked for. */
  constructor(context: FaultContext) {
    this.#context = context;
    this.#ahead = new ReadAhead(context.inner);
  }

  /** As `Transport.read`, for a `p` that is not empty, one call at a time. */
  async read(p: Uint8Array): Promise<number | null> {
    const { plan, wait, clock } = this.#context;
    if (plan.isAtEnd) return await this.#readAtEnd();
    const wantedBytes = Math.min(p.length, plan.limitBytes);
    const { buffer } = this.#ahead;
    if (buffer.length === 0 && this.#ahead.isGrowing) await wait.until(this.#ahead.fill());
    if (plan.takeGathering()) await this.#gather(wantedBytes);
    const delayMs = plan.takeDelay();
    if (delayMs > 0) {
      this.#context.note("delay", 0, delayMs);
      await wait.sleep(clock, delayMs);
    }
    return this.#take(p, wantedBytes);
  }

  #take(p: Uint8Array, wantedBytes: number): number | null {
    const { plan, note, reset } = this.#context;
    const { buffer, failure, isEnded } = this.#ahead;
    const byteCount = Math.min(wantedBytes, buffer.length);
    if (byteCount === 0) {
      if (failure) throw failure.error;
      // Nothing came without being the end: legal, and not ours to hide.
      return isEnded ? null : 0;
    }
    if (byteCount < Math.min(p.length, buffer.length)) note("split", byteCount, 0);
    p.set(buffer.view().subarray(0, byteCount));
    buffer.consume(byteCount);
    plan.advance(byteCount);
    // Not at the next read: whoever writes meanwhile has to notice.
    if (plan.isAtEnd && plan.end === "reset") reset();
    return byteCount;
  }

  async #readAtEnd(): Promise<null> {
    const { plan, wait, note, reset } = this.#context;
    if (plan.end === "reset") {
      reset();
      return await wait.forever();
    }
    const kind = plan.end === "truncate" || plan.end === "half-close" ? "truncate" : "stall";
    if (!this.#isEndNoted) note(kind, 0, 0);
    this.#isEndNoted = true;
    return kind === "truncate" ? null : await wait.forever();
  }

  /** Waits until so many bytes are there, or the time for it is over. */
  async #gather(wantedBytes: number): Promise<void> {
    const { plan, clock, wait, note } = this.#context;
    const ahead = this.#ahead;
    const startBytes = ahead.buffer.length;
    const limit = new TimeLimit(clock, plan.coalesceMs);
    try {
      while (ahead.isGrowing && ahead.buffer.length < wantedBytes) {
        const { length } = ahead.buffer;
        await wait.until(Promise.race([ahead.fill(), limit.timeUp]));
        // Time is up, the stream has ended, or a read without a byte: a loop of
        // those would never let time pass.
        if (ahead.buffer.length === length) break;
      }
    } finally {
      limit.stop();
    }
    const gatheredBytes = ahead.buffer.length - startBytes;
    if (gatheredBytes > 0) note("coalesce", gatheredBytes, 0);
  }
}
