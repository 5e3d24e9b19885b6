// This module is sans-I/O.

/** How far a body has come. */
export interface ClientProgress {
  /** Bytes so far, without those of framing. */
  readonly bytes: number;
  /** Bytes in all, where known. */
  readonly totalBytes: number | undefined;
}

/** Told of the progress of a transfer. What it throws fails the transfer. */
export type ProgressListener = (progress: ClientProgress) => void;

/** Counts the bytes of one transfer, and tells. */
export class ProgressMeter {
  readonly #listener: ProgressListener;
  readonly #totalBytes: number | undefined;
  #bytes = 0;

  /**
   * @param listener Who is told.
   * @param totalBytes Bytes of the whole body where they are known.
   */
  constructor(listener: ProgressListener, totalBytes: number | undefined) {
    this.#listener = listener;
    this.#totalBytes = totalBytes;
  }

  /**
   * Counts bytes that have gone over; none are no news.
   *
   * @param byteCount How many.
   */
  add(byteCount: number): void {
    if (byteCount === 0) return;
    this.#bytes += byteCount;
    this.#listener({ bytes: this.#bytes, totalBytes: this.#totalBytes });
  }
}
