import type { ZlibPump } from "./_zlib_pump.ts";
import {
  bodyLengthMismatch,
  CompressedBody,
  type CompressedBodySettings,
} from "./compressed_body.ts";
import type { BodyCoder } from "./outgoing_response.ts";
import type { StreamSource } from "./server_stream.ts";

/** What is compressed before anything of it is sent. */
const SLICE_BYTES = 64 * 1024;

/**
 * Compresses a body whose head has left before it: what a handler writes piece by piece, or
 * answers with behind `ctx.flush()`. Each piece is sent at once, flushed, unless the next waits
 * already.
 */
export class CompressedWriter implements BodyCoder {
  readonly #settings: CompressedBodySettings;
  readonly #onAbort = (): void => this.close();
  #compressor: ZlibPump | undefined;
  #takenBytes = 0;
  /** Whether something may have gone in that has not been let out. */
  #isBehind = false;
  #isOver = false;

  /** @param settings How to compress it. */
  constructor(settings: CompressedBodySettings) {
    this.#settings = settings;
    // A handler may stay long after its client has left.
    settings.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Compresses a piece.
   *
   * @param bytes Not to be changed until all output has been taken.
   * @param hasMore Whether the next piece, or the end, waits already.
   * @returns What is to be sent.
   * @throws {HttpStateError} If the body gets longer than was announced.
   */
  async *write(bytes: Uint8Array, hasMore: boolean): AsyncGenerator<Uint8Array, void> {
    const { announcedBytes = Infinity } = this.#settings;
    const takenBytes = this.#takenBytes + bytes.length;
    if (takenBytes > announcedBytes) throw bodyLengthMismatch(takenBytes, announcedBytes);
    this.#takenBytes = takenBytes;
    this.#isBehind ||= bytes.length > 0;
    if (!this.#isBehind) return;
    const compressor = await this.#open();
    for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
      yield* compressor.write(bytes.subarray(start, start + SLICE_BYTES));
    }
    if (hasMore) return;
    this.#isBehind = false;
    yield* compressor.flush();
  }

  /**
   * Ends the body.
   *
   * @returns What is to be sent of it yet.
   * @throws {HttpStateError} If it is shorter than was announced.
   */
  async *finish(): AsyncGenerator<Uint8Array, void> {
    const { announcedBytes = this.#takenBytes } = this.#settings;
    if (this.#takenBytes < announcedBytes) {
      throw bodyLengthMismatch(this.#takenBytes, announcedBytes);
    }
    const compressor = await this.#open();
    yield* compressor.finish();
    this.close();
  }

  /**
   * Compresses a whole body instead.
   *
   * @param source The body.
   * @returns What is to be sent.
   * @throws {TypeError} If the source cannot be read.
   */
  stream(source: StreamSource): AsyncIterable<Uint8Array> {
    return new CompressedBody(source, { ...this.#settings, onEnd: () => this.close() });
  }

  /** Lets go of the memory. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#compressor?.close();
    this.#settings.signal.removeEventListener("abort", this.#onAbort);
    this.#settings.onEnd();
  }

  async #open(): Promise<ZlibPump> {
    const compressor = this.#compressor ??= await this.#settings.open();
    if (this.#isOver) compressor.close();
    return compressor;
  }
}
