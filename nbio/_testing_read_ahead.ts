/**
 * {@linkcode ReadAhead}: reads of a transport that may outlive whoever asked.
 *
 * @module
 */

import { ReceiveBuffer } from "./receive_buffer.ts";
import type { Transport } from "./transport.ts";

/** Most bytes that wait to be taken. */
const MAX_AHEAD_BYTES = 65_536;

/**
 * What has come from a transport and was not taken yet. A read that is under
 * way belongs to whoever asks next, so nobody has to wait for it to the end.
 */
export class ReadAhead {
  /** What waits. */
  readonly buffer: ReceiveBuffer = new ReceiveBuffer({ maxBytes: MAX_AHEAD_BYTES });
  readonly #transport: Transport;
  #filling: Promise<void> | undefined;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;

  /** Reads nothing before it is asked to. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whether the transport has given the end; it comes after what waits. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** What the transport has failed with; it comes after what waits. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Whether more may come, and there is room for it. */
  get isGrowing(): boolean {
    return !this.#isEnded && this.#failure === undefined && this.buffer.length < MAX_AHEAD_BYTES;
  }

  /** The read that is under way. */
  get filling(): Promise<void> | undefined {
    return this.#filling;
  }

  /** One read, or the one under way; never rejects. To be called while it is growing. */
  fill(): Promise<void> {
    return this.#filling ??= this.#read().finally(() => this.#filling = undefined);
  }

  async #read(): Promise<void> {
    try {
      const byteCount = await this.#transport.read(this.buffer.writable());
      if (byteCount === null) this.#isEnded = true;
      else this.buffer.commit(byteCount);
    } catch (error) {
      this.#failure = { error };
    }
  }
}
