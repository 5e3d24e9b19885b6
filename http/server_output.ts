import type { Deadline } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../nbio/errors.ts";
import type { Transport } from "../nbio/transport.ts";
import type { BodyEncoder } from "./body_encoder.ts";
import type { HeaderInit } from "./header_list.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import type { ServerDeadline } from "./server_deadline.ts";
import type { ServerShared } from "./server_shared.ts";

/** Up to this size a copy next to the head costs less than a second write. */
export const MAX_INLINE_BYTES: number = 32 * 1024;
/** Writes that take nothing, in a row, before the transport counts as broken. */
const MAX_EMPTY_WRITES = 2;

/** Who is told that writing has failed. */
export interface OutputOwner {
  /** The client takes nothing, or is gone: cuts the connection. */
  abort(reason: unknown): void;
}

/**
 * The writing half of a connection: bytes collect in a buffer and leave in one
 * write, one write at a time. The buffer is lent, and goes back when everything
 * has left.
 */
export class ServerOutput {
  readonly #transport: Transport;
  readonly #shared: ServerShared;
  readonly #deadline: ServerDeadline;
  readonly #owner: OutputOwner;
  #buffer: OutputBuffer | undefined;
  #writing: OutputBuffer | undefined;
  /** Settles with the write that is under way; it never rejects. */
  #busy: Promise<void> | undefined;
  /** Its own: a body may be read, with a deadline, while something is sent. */
  #gap: Deadline | undefined;

  /**
   * @param transport Where to.
   * @param shared Lends buffers.
   * @param deadline Watches over {@linkcode ServerOutput.beginWrite}.
   * @param owner Who is told.
   */
  constructor(
    transport: Transport,
    shared: ServerShared,
    deadline: ServerDeadline,
    owner: OutputOwner,
  ) {
    this.#transport = transport;
    this.#shared = shared;
    this.#deadline = deadline;
    this.#owner = owner;
  }

  /** Where to append; {@linkcode ServerOutput.flush} sends it. */
  get buffer(): OutputBuffer {
    return this.#buffer ??= this.#shared.takeOutput();
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#buffer === undefined ? 0 : this.#buffer.length;
  }

  /** Whether a write is under way. */
  get isBusy(): boolean {
    return this.#writing !== undefined || this.#busy !== undefined;
  }

  /**
   * Takes what waits for one write, which the caller does itself and follows by
   * {@linkcode ServerOutput.endWrite}. Only while nothing else is under way.
   */
  beginWrite(): Uint8Array {
    this.#deadline.arm("write");
    return this.#take();
  }

  /**
   * Ends what {@linkcode ServerOutput.beginWrite} began.
   *
   * @param sent Bytes that the write took.
   * @returns Where it did not take all: resolves when the rest has been sent.
   */
  endWrite(sent: number): Promise<void> | undefined {
    const buffer = this.#writing!;
    if (sent < buffer.length) return this.#endWriteLater(buffer, sent);
    this.#giveBack();
    return undefined;
  }

  async #endWriteLater(buffer: OutputBuffer, sent: number): Promise<void> {
    this.#deadline.cancel();
    await this.#writeRest(buffer.view(), sent);
    this.#giveBack();
  }

  #giveBack(): void {
    this.#shared.giveOutput(this.#writing!);
    this.#writing = undefined;
  }

  #take(): Uint8Array {
    this.#writing = this.#buffer!;
    this.#buffer = undefined;
    return this.#writing.view();
  }

  /** Sends what waits. */
  flush(): Promise<void> {
    return this.#send(undefined);
  }

  /** Sends what waits, then bytes that are too many to copy. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#send(bytes);
  }

  async #send(more: Uint8Array | undefined): Promise<void> {
    // What was written without waiting for it, such as a 100, goes first.
    while (this.#busy !== undefined) await this.#busy;
    if (this.length === 0 && more === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#busy = promise;
    try {
      if (this.length > 0) {
        await this.#writeRest(this.#take(), 0);
        this.#giveBack();
      }
      if (more !== undefined) await this.#writeRest(more, 0);
    } finally {
      this.#busy = undefined;
      resolve();
    }
  }

  /** Sends a piece of a body in its framing. */
  async writePiece(bytes: Uint8Array, encoder: BodyEncoder): Promise<void> {
    if (encoder.beginPiece(this.buffer, bytes.length)) {
      if (bytes.length <= MAX_INLINE_BYTES) this.buffer.writeBytes(bytes);
      else await this.write(bytes);
      encoder.endPiece(this.buffer);
    }
    await this.flush();
  }

  /** Ends a body in its framing. */
  async endBody(encoder: BodyEncoder, trailers: HeaderInit): Promise<void> {
    encoder.end(this.buffer, trailers);
    await this.flush();
  }

  /** Gives the buffer back, sent or not. */
  release(): void {
    if (this.#buffer !== undefined) this.#shared.giveOutput(this.#buffer);
    this.#buffer = undefined;
    this.#gap?.cancel();
  }

  /**
   * Sends bytes from `start` on. A write that takes a part is progress.
   *
   * @throws {ConnectionClosedError} If the client is gone or takes nothing.
   */
  async #writeRest(bytes: Uint8Array, start: number): Promise<void> {
    const gap = this.#gap ??= this.#shared.wheel.create(() => this.#giveUp());
    let emptyCount = 0;
    try {
      for (let sent = start; sent < bytes.length;) {
        gap.arm(this.#shared.options.timeouts.writeTimeoutMs);
        const count = await this.#transport.write(bytes.subarray(sent));
        emptyCount = count === 0 ? emptyCount + 1 : 0;
        if (emptyCount === MAX_EMPTY_WRITES) throw new Error("The transport takes no bytes");
        sent += count;
      }
    } catch (cause) {
      const error = new ConnectionClosedError("Cannot write: the client has left", { cause });
      this.#owner.abort(error);
      throw error;
    } finally {
      gap.cancel();
    }
  }

  #giveUp(): void {
    const timeoutMs = this.#shared.options.timeouts.writeTimeoutMs;
    this.#owner.abort(
      new TimeoutError(`Cannot write: the client took no byte in ${timeoutMs} ms`, {
        phase: "write",
        timeoutMs,
      }),
    );
  }
}
