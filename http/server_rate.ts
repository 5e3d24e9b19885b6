import type { ServerPhase } from "./server_deadline.ts";
import type { ServerTimeouts } from "./server_options.ts";

const MS_PER_SECOND = 1_000;

/** What has come on a connection. */
export interface ReceivedBytes {
  /** Bytes that have come so far. */
  readonly receivedBytes: number;
}

/**
 * Whether the bytes of a connection come fast enough. Only the time counts in
 * which they are waited for, in windows: a fast start buys no slow rest.
 */
export class ServerRate {
  /** Whether the last check found the client too slow. */
  isTooSlow = false;

  readonly #timeouts: Required<ServerTimeouts>;
  readonly #received: ReceivedBytes;
  readonly #now: () => number;
  #phase: ServerPhase = "none";
  /** When the present wait began; and how long the window had lasted by then. */
  #startMs = 0;
  #waitedMs = 0;
  /** What had come when the window began. */
  #windowBytes = 0;
  /** When the phase ends for other reasons. */
  #deadlineMs = Infinity;

  /**
   * @param timeouts The rates.
   * @param received What has come.
   * @param now The instant in milliseconds.
   */
  constructor(
    timeouts: Required<ServerTimeouts>,
    received: ReceivedBytes,
    now: () => number,
  ) {
    this.#timeouts = timeouts;
    this.#received = received;
    this.#now = now;
  }

  /** Whether there is a rate to measure. */
  static isWanted(timeouts: Required<ServerTimeouts>): boolean {
    return isOn(timeouts.minHeadBytesPerSecond) || isOn(timeouts.minBodyBytesPerSecond);
  }

  /**
   * Begins a wait.
   *
   * @param phase What is waited for.
   * @param timeoutMs How long at most, whatever comes; 0 for no limit.
   * @returns In how many milliseconds to {@linkcode ServerRate.check}.
   */
  begin(phase: ServerPhase, timeoutMs: number): number {
    const nowMs = this.#now();
    this.#stopAt(nowMs);
    this.isTooSlow = false;
    this.#phase = phase;
    this.#startMs = nowMs;
    this.#deadlineMs = isOn(timeoutMs) ? nowMs + timeoutMs : Infinity;
    if (phase === "head" || phase === "idle") this.#beginWindow(nowMs);
    return this.#nextCheckMs(nowMs);
  }

  /** Ends a wait. */
  stop(): void {
    if (this.#phase !== "none") this.#stopAt(this.#now());
  }

  #stopAt(nowMs: number): void {
    if (isOn(this.#least)) this.#waitedMs += nowMs - this.#startMs;
    this.#phase = "none";
  }

  /**
   * Looks whether the wait is over.
   *
   * @returns In how many milliseconds to look again; `undefined` if it is over.
   */
  check(): number | undefined {
    const nowMs = this.#now();
    const { minRateGraceMs } = this.#timeouts;
    if (isOn(this.#least) && this.#waitedMs + nowMs - this.#startMs >= minRateGraceMs) {
      const { receivedBytes } = this.#received;
      const count = receivedBytes - this.#windowBytes;
      // Nothing at all is a client that has not begun: it has all its time.
      this.isTooSlow = receivedBytes > 0 && count * MS_PER_SECOND < this.#least * minRateGraceMs;
      if (this.isTooSlow) return undefined;
      this.#beginWindow(nowMs);
    }
    return nowMs >= this.#deadlineMs ? undefined : this.#nextCheckMs(nowMs);
  }

  #beginWindow(nowMs: number): void {
    this.#startMs = nowMs;
    this.#waitedMs = 0;
    this.#windowBytes = this.#received.receivedBytes;
  }

  /** 0 for never. */
  #nextCheckMs(nowMs: number): number {
    const leftMs = this.#deadlineMs - nowMs;
    if (!isOn(this.#least)) return leftMs === Infinity ? 0 : leftMs;
    const windowMs = this.#timeouts.minRateGraceMs - this.#waitedMs - (nowMs - this.#startMs);
    // A window that is over by now is looked at soon, not never.
    return Math.max(1, Math.min(leftMs, windowMs));
  }

  /** The least rate of the phase, in bytes per second. */
  get #least(): number {
    if (this.#phase === "head") return this.#timeouts.minHeadBytesPerSecond;
    return this.#phase === "body" ? this.#timeouts.minBodyBytesPerSecond : 0;
  }
}

function isOn(value: number): boolean {
  return value > 0 && value < Infinity;
}
