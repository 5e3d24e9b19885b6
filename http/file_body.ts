import { FileError } from "../nbio/file_error.ts";
import type { PositionalFile } from "../nbio/positional_file.ts";
import { FileBuffers, LENT_BYTES } from "./file_buffers.ts";
import type { FileBodyPlan } from "./file_multipart.ts";

/** How a {@linkcode FileBody} is read. */
export interface FileBodyOptions {
  /** Most bytes of a piece. */
  readonly pieceBytes: number;
  /** Told after each piece; what it throws ends the body. */
  readonly onProgress: ((sentBytes: number) => void) | undefined;
  /** Closes the file of a body that nobody has begun to read. */
  readonly signal: AbortSignal;
  /**
   * Whether whoever asks for the next piece is done with the last one, and keeps
   * nothing of it: as a connection does, and a middleware need not.
   *
   * @param body The body.
   */
  isSentAsItIs(body: FileBody): boolean;
}

/** Of all responses. */
const buffers = new FileBuffers();

/**
 * The body of a response that is made of parts of a file. It owns the file, which is
 * closed at the end of the body, on a failure, and when nobody wants the rest. Nothing
 * is read ahead: the system does that, and a client that is slow holds one piece.
 */
export class FileBody implements AsyncIterableIterator<Uint8Array> {
  readonly #file: PositionalFile;
  readonly #plan: FileBodyPlan;
  readonly #options: FileBodyOptions;
  readonly #pieces: AsyncGenerator<Uint8Array, void>;
  readonly #onAbort = () => void this.return().catch(() => {});
  #hasBegun = false;

  /**
   * @param file An open file, which belongs to this object from now on.
   * @param plan Which parts of it, with what in between.
   * @param options How.
   */
  constructor(file: PositionalFile, plan: FileBodyPlan, options: FileBodyOptions) {
    this.#file = file;
    this.#plan = plan;
    this.#options = options;
    this.#pieces = this.#read();
    // A client may leave before anything is sent; then nobody asks for a piece.
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * The next piece. It belongs to whoever asked, unless the body is sent as it is: then
   * the one before is void from now on.
   */
  next(): Promise<IteratorResult<Uint8Array, void>> {
    this.#begin();
    return this.#pieces.next();
  }

  /** Ends the body early. */
  async return(): Promise<IteratorResult<Uint8Array, void>> {
    const isUnread = this.#begin();
    await this.#pieces.return();
    // A generator that was not begun runs none of its code, not even to close a file.
    if (isUnread) await this.#file.close();
    return { done: true, value: undefined };
  }

  /** Whether this is the first call of all. */
  #begin(): boolean {
    if (this.#hasBegun) return false;
    this.#hasBegun = true;
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    return true;
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    const { parts, tail } = this.#plan;
    const { onProgress } = this.#options;
    let sentBytes = 0;
    try {
      for (const { head, range } of parts) {
        if (head.length > 0) yield head;
        sentBytes += head.length;
        const end = range.last + 1;
        for (let position = range.first; position < end;) {
          const lent = this.#lend();
          const byteCount = Math.min(end - position, this.#options.pieceBytes);
          const piece = lent?.subarray(0, byteCount) ?? new Uint8Array(byteCount);
          await this.#fill(piece, position);
          yield piece;
          // Only here, where the next one is asked for: when a body is ended early
          // the write of this piece may still be under way.
          if (lent !== undefined) buffers.give(lent);
          position += byteCount;
          onProgress?.(sentBytes += byteCount);
        }
      }
      if (tail.length === 0) return;
      yield tail;
      onProgress?.(sentBytes + tail.length);
    } finally {
      await this.#file.close();
    }
  }

  #lend(): Uint8Array<ArrayBuffer> | undefined {
    const { pieceBytes, isSentAsItIs } = this.#options;
    return pieceBytes <= LENT_BYTES && isSentAsItIs(this) ? buffers.take() : undefined;
  }

  async #fill(piece: Uint8Array, position: number): Promise<void> {
    const byteCount = await this.#file.readAt(piece, position);
    if (byteCount === piece.length) return;
    const { path } = this.#file;
    throw new FileError(
      `Cannot read ${JSON.stringify(String(path))}: it ends at byte ${position + byteCount}, ` +
        `wanted up to ${position + piece.length}`,
      { code: "ERR_NET_FILE_ENDED", step: "read", path },
    );
  }
}
