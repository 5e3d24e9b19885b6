// This module is sans-I/O.

/** What is due, see {@linkcode Keepalive.check}. */
export type KeepaliveDue = "nothing" | "ping" | "dead";

/**
 * Whether the peer lives: after a time of silence it is pinged, and any byte
 * within another time shows that it does.
 *
 * Silence only counts while somebody listens. A program that does not read
 * cannot know what came.
 */
export class Keepalive {
  readonly #silenceTimeoutMs: number;
  readonly #pongTimeoutMs: number;
  #isListening = false;
  #heardMs = 0;
  /** Instant of the ping nothing has come since; -1 where none was sent. */
  #pingMs = -1;

  /**
   * @param silenceTimeoutMs Silence before a ping; Infinity for never.
   * @param pongTimeoutMs Silence after it; Infinity for no bound.
   */
  constructor(silenceTimeoutMs: number, pongTimeoutMs: number) {
    this.#silenceTimeoutMs = silenceTimeoutMs;
    this.#pongTimeoutMs = pongTimeoutMs;
  }

  /** Instant at which something is due; Infinity where nothing will be. */
  get deadlineMs(): number {
    if (!this.#isListening) return Infinity;
    return this.#pingMs === -1
      ? this.#heardMs + this.#silenceTimeoutMs
      : this.#pingMs + this.#pongTimeoutMs;
  }

  /** Counts silence from here on. */
  listen(nowMs: number): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#heardMs = nowMs;
    // Its answer may be waiting to be read: it gets the whole time again.
    if (this.#pingMs !== -1) this.#pingMs = nowMs;
  }

  /** Counts nothing until {@linkcode Keepalive.listen}. */
  pause(): void {
    this.#isListening = false;
  }

  /** Bytes have come. */
  hear(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#pingMs = -1;
  }

  /** What is due; a ping is taken as sent. */
  check(nowMs: number): KeepaliveDue {
    if (nowMs < this.deadlineMs) return "nothing";
    if (this.#pingMs !== -1) return "dead";
    this.#pingMs = nowMs;
    return "ping";
  }
}
