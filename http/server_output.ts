import type { Transport } from "../nbio/transport.ts";
import type { BodyEncoder } from "./body_encoder.ts";
import type { HeaderInit } from "./header_list.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import type { ServerDeadline } from "./server_deadline.ts";
import type { ServerShared } from "./server_shared.ts";

/** Up to this size a copy next to the head costs less than a second write. */
export const MAX_INLINE_BYTES: number = 32 * 1024;

/**
 * The writing half of a connection: bytes collect in a buffer and leave in one
 * write. The buffer is lent, and goes back when everything has left.
 */
export class ServerOutput {
  readonly #transport: Transport;
  readonly #shared: ServerShared;
  readonly #deadline: ServerDeadline;
  #buffer: OutputBuffer | undefined;
  #writing: OutputBuffer | undefined;

  /**
   * @param transport Where to.
   * @param shared Lends buffers.
   * @param deadline Watches over progress.
   */
  constructor(transport: Transport, shared: ServerShared, deadline: ServerDeadline) {
    this.#transport = transport;
    this.#shared = shared;
    this.#deadline = deadline;
  }

  /** Where to append; {@linkcode ServerOutput.flush} sends it. */
  get buffer(): OutputBuffer {
    return this.#buffer ??= this.#shared.takeOutput();
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#buffer === undefined ? 0 : this.#buffer.length;
  }

  /**
   * Takes what waits for one write, which the caller does itself and follows by
   * {@linkcode ServerOutput.endWrite}.
   */
  beginWrite(): Uint8Array {
    this.#writing = this.#buffer!;
    this.#buffer = undefined;
    this.#deadline.arm("write");
    return this.#writing.view();
  }

  /** Gives back the buffer of {@linkcode ServerOutput.beginWrite}. */
  endWrite(): void {
    this.#shared.giveOutput(this.#writing!);
    this.#writing = undefined;
  }

  /** Sends what waits. */
  async flush(): Promise<void> {
    if (this.length === 0) return;
    const bytes = this.beginWrite();
    await this.writeRest(bytes, 0);
    this.endWrite();
  }

  /** Sends what waits, then bytes that are too many to copy. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.flush();
    await this.writeRest(bytes, 0);
  }

  /** Sends a piece of a body in its framing. */
  async writePiece(bytes: Uint8Array, encoder: BodyEncoder): Promise<void> {
    if (encoder.beginPiece(this.buffer, bytes.length)) {
      if (bytes.length <= MAX_INLINE_BYTES) this.buffer.writeBytes(bytes);
      else await this.write(bytes);
      encoder.endPiece(this.buffer);
    }
    await this.flush();
    this.#deadline.cancel();
  }

  /** Ends a body in its framing. */
  async endBody(encoder: BodyEncoder, trailers: HeaderInit): Promise<void> {
    encoder.end(this.buffer, trailers);
    await this.flush();
    this.#deadline.cancel();
  }

  /** Gives the buffer back, sent or not. */
  release(): void {
    if (this.#buffer !== undefined) this.#shared.giveOutput(this.#buffer);
    this.#buffer = undefined;
  }

  /** Sends bytes from `start` on. A write that takes a part is progress. */
  async writeRest(bytes: Uint8Array, start: number): Promise<void> {
    for (let sent = start; sent < bytes.length;) {
      this.#deadline.arm("write");
      sent += await this.#transport.write(bytes.subarray(sent));
    }
  }
}
