/** Bytes of a lent buffer: pieces of 128 KiB to 1 MiB cost about the same. */
export const LENT_BYTES = 262_144;
/** 8 MiB that are kept for the next response. */
const MAX_IDLE_COUNT = 32;

/**
 * Buffers that are lent to one piece of a response after the other. Fresh memory has
 * to be cleared by the system first, which costs as much as reading a file into it
 * (`tests/bench/static/main.ts`).
 */
export class FileBuffers {
  readonly #idle: Uint8Array<ArrayBuffer>[] = [];

  /** Lends a buffer; what is in it is of no account. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#idle.pop() ?? new Uint8Array(LENT_BYTES);
  }

  /**
   * Takes a buffer back, which nobody uses any more. One that may still be in use is
   * simply never given back.
   */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#idle.length < MAX_IDLE_COUNT) this.#idle.push(buffer);
  }

  /** Buffers that are kept. */
  get idleCount(): number {
    return this.#idle.length;
  }
}
