import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { LimitExceededError } from "../nbio/errors.ts";
import { Semaphore } from "../nbio/semaphore.ts";

/** A handshake that is under way. */
interface Running {
  /** When it began; later by the time in which this process did nothing for it. */
  sinceMs: number;
  readonly controller: AbortController;
}

/** How long a handshake may take while others wait for its place. */
const STALL_MS = 1_000;
/** A look that comes later than this tells of a busy process, not of slow clients. */
const MAX_LATE_MS = 250;

/**
 * Lets so many handshakes run at a time. The next ones wait in line; while they do, one that has been
 * running for a second is given up, the oldest first. An honest one takes milliseconds: those that
 * stall on purpose cannot keep the others out for the whole of their deadline. Time in which this
 * process was too busy to serve them does not count.
 */
export class HandshakeGate {
  readonly #semaphore: Semaphore;
  readonly #wheel: DeadlineWheel;
  readonly #running = new Set<Running>();
  readonly #eviction: { arm(delayMs: number): void; cancel(): void };
  #evictionMs = 0;

  /**
   * Makes a gate.
   *
   * @param max Handshakes at a time, at least 1.
   * @param wheel Where the time is kept.
   */
  constructor(max: number, wheel: DeadlineWheel) {
    this.#semaphore = new Semaphore(max, { maxWaiters: 0 });
    this.#wheel = wheel;
    this.#eviction = wheel.create(() => this.#evict());
  }

  /** Handshakes under way. */
  get runningCount(): number {
    return this.#running.size;
  }

  /**
   * Waits for a place.
   *
   * @param controller Gives up this handshake, when others wait and it has stalled.
   * @param timeoutMs Most milliseconds in line; 0 and `Infinity` mean no limit.
   * @returns The place; disposing of it gives it to the next.
   * @throws {TimeoutError} If there is no place in time.
   * @throws {Error} The reason with which `controller` was aborted meanwhile.
   */
  async enter(controller: AbortController, timeoutMs = 0): Promise<Disposable> {
    const waiting = this.#semaphore.acquire({
      signal: controller.signal,
      wheel: this.#wheel,
      timeoutMs,
    });
    this.#arm();
    const permit = await waiting;
    const running = { sinceMs: this.#wheel.now(), controller };
    this.#running.add(running);
    this.#arm();
    return {
      [Symbol.dispose]: (): void => {
        this.#running.delete(running);
        permit.release();
        if (this.#semaphore.waiterCount === 0) this.#eviction.cancel();
      },
    };
  }

  /** Comes back when the oldest one will have run for too long, if somebody waits. */
  #arm(): void {
    if (this.#semaphore.waiterCount === 0) return;
    for (const { sinceMs } of this.#running) {
      this.#evictionMs = Math.max(sinceMs + STALL_MS, this.#wheel.now() + 1);
      this.#eviction.arm(this.#evictionMs - this.#wheel.now());
      return;
    }
  }

  #evict(): void {
    const nowMs = this.#wheel.now();
    const lateMs = nowMs - this.#evictionMs;
    if (lateMs > MAX_LATE_MS) {
      for (const running of this.#running) running.sinceMs += lateMs;
      return this.#arm();
    }
    let excess = this.#semaphore.waiterCount;
    const sinceMs = nowMs - STALL_MS;
    for (const running of this.#running) {
      if (excess-- === 0 || running.sinceMs > sinceMs) break;
      running.controller.abort(stalledError(this.#semaphore.max));
    }
    this.#arm();
  }
}

function stalledError(max: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot finish handshake: it has stalled for ${STALL_MS} ms while others wait`,
    { limit: "maxHandshakes", max },
  );
}
