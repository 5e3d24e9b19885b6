import type { Deadline, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import type { ServerTimeouts } from "./server_options.ts";
import { type ReceivedBytes, ServerRate } from "./server_rate.ts";

/** What a connection can be waiting for. */
export type ServerPhase = "none" | "head" | "idle" | "body" | "write" | "linger";

/** The one deadline of a connection, and what it is about at the moment. */
export class ServerDeadline {
  /** What the deadline is about. */
  phase: ServerPhase = "none";

  readonly #deadline: Deadline;
  readonly #timeouts: Required<ServerTimeouts>;
  /** Only where a rate is wanted: most servers pay nothing for it. */
  readonly #rate: ServerRate | undefined;

  /**
   * @param wheel Where the deadline waits.
   * @param timeouts How long each phase may take, and the least rates.
   * @param onExpire Called when a phase took too long or the client is too slow.
   * @param received What the rates are measured by.
   */
  constructor(
    wheel: DeadlineWheel,
    timeouts: Required<ServerTimeouts>,
    onExpire: () => void,
    received: ReceivedBytes = { receivedBytes: 0 },
  ) {
    this.#timeouts = timeouts;
    if (!ServerRate.isWanted(timeouts)) {
      this.#deadline = wheel.create(onExpire);
      return;
    }
    const rate = this.#rate = new ServerRate(timeouts, received, () => wheel.now());
    this.#deadline = wheel.create(() => this.#check(rate, onExpire));
  }

  /**
   * Milliseconds that the phase may take; where the client was too slow, those
   * over which its rate was measured.
   */
  get timeoutMs(): number {
    return this.#rate?.isTooSlow ? this.#timeouts.minRateGraceMs : this.#phaseMs;
  }

  get #phaseMs(): number {
    switch (this.phase) {
      case "none":
        return 0;
      case "head":
        return this.#timeouts.headTimeoutMs;
      case "idle":
        return this.#timeouts.idleTimeoutMs;
      case "body":
        return this.#timeouts.bodyTimeoutMs;
      case "write":
        return this.#timeouts.writeTimeoutMs;
      case "linger":
        return this.#timeouts.lingerTimeoutMs;
    }
  }

  /** Begins a phase. */
  arm(phase: ServerPhase): void {
    this.phase = phase;
    const timeoutMs = this.#phaseMs;
    const rate = this.#rate;
    this.#deadline.arm(rate === undefined ? timeoutMs : rate.begin(phase, timeoutMs));
  }

  /** Stops the clock: what happens now has no deadline. */
  cancel(): void {
    this.phase = "none";
    this.#deadline.cancel();
    this.#rate?.stop();
  }

  #check(rate: ServerRate, onExpire: () => void): void {
    const againMs = rate.check();
    if (againMs === undefined) onExpire();
    else this.#deadline.arm(againMs);
  }
}
