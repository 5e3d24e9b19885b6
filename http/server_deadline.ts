import type { Deadline, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import type { ServerTimeouts } from "./server_options.ts";

/** What a connection can be waiting for. */
export type ServerPhase = "none" | "head" | "idle" | "body" | "write" | "linger";

/** The one deadline of a connection, and what it is about at the moment. */
export class ServerDeadline {
  /** What the deadline is about. */
  phase: ServerPhase = "none";

  readonly #deadline: Deadline;
  readonly #timeouts: Required<ServerTimeouts>;

  /**
   * @param wheel Where the deadline waits.
   * @param timeouts How long each phase may take.
   * @param onExpire Called when a phase took too long.
   */
  constructor(wheel: DeadlineWheel, timeouts: Required<ServerTimeouts>, onExpire: () => void) {
    this.#deadline = wheel.create(onExpire);
    this.#timeouts = timeouts;
  }

  /** Milliseconds that the phase may take. */
  get timeoutMs(): number {
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
    this.#deadline.arm(this.timeoutMs);
  }

  /** Stops the clock: what happens now has no deadline. */
  cancel(): void {
    this.phase = "none";
    this.#deadline.cancel();
  }
}
