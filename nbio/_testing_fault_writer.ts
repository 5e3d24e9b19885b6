/**
 * {@linkcode FaultWriter}: the writing half of a transport with faults.
 *
 * @module
 */

import type { FaultContext } from "./_testing_fault_reader.ts";

/** Writes what the plan lets through, and ends as it says. */
export class FaultWriter {
  readonly #context: FaultContext;
  /** What was done when the direction came to its end, which happens once. */
  #ending: Promise<void> | undefined;

  /** Makes the half. */
  constructor(context: FaultContext) {
    this.#context = context;
  }

  /** As `Transport.write`, for a `p` that is not empty, one call at a time. */
  async write(p: Uint8Array): Promise<number> {
    const { inner, plan, wait, clock, note } = this.#context;
    if (plan.isAtEnd) return await this.#writeAtEnd(p);
    const delayMs = plan.takeDelay();
    if (delayMs > 0) {
      note("delay", 0, delayMs);
      await wait.sleep(clock, delayMs);
    }
    const wantedBytes = Math.min(p.length, plan.limitBytes);
    const byteCount = await wait.until(inner.write(p.subarray(0, wantedBytes)));
    if (byteCount === wantedBytes && byteCount < p.length) note("short-write", byteCount, 0);
    plan.advance(byteCount);
    if (plan.isAtEnd) await this.#end();
    return byteCount;
  }

  /** As `Transport.closeWrite`; behind a fault that swallows bytes the end is lost as well. */
  async closeWrite(): Promise<void> {
    const { inner, plan, wait } = this.#context;
    if (plan.isAtEnd) await this.#end();
    else await wait.until(inner.closeWrite());
  }

  async #writeAtEnd(p: Uint8Array): Promise<number> {
    const { plan, wait } = this.#context;
    await this.#end();
    switch (plan.end) {
      case "truncate":
      case "lose":
        return p.length;
      case "half-close":
        throw new Deno.errors.BrokenPipe("Cannot write: a fault has closed this direction");
      default:
        return await wait.forever();
    }
  }

  #end(): Promise<void> {
    return this.#ending ??= this.#endOnce();
  }

  async #endOnce(): Promise<void> {
    const { inner, plan, wait, note, reset } = this.#context;
    if (plan.end === "reset") return reset();
    note(plan.end!, 0, 0);
    if (plan.end === "truncate" || plan.end === "half-close") {
      await wait.until(inner.closeWrite());
    }
  }
}
