import { ConnectionClosedError } from "../nbio/errors.ts";
import type { Transport } from "../nbio/transport.ts";
import type { HttpConnection } from "./connection.ts";

/** Room for a read while little comes: heads and small bodies. */
const SMALL_READ_BYTES = 4 * 1024;
/** Reads larger than this gain nothing: it is what a socket hands over at once. */
const LARGE_READ_BYTES = 64 * 1024;
/**
 * Reads that bring nothing, in a row, before the transport counts as broken. They
 * are lawful, but a loop of them would never let a deadline run.
 */
const MAX_EMPTY_READS = 16;

/** The reading half of a client's connection: one read at a time, into the core. */
export class ClientInput {
  /** Whether the server has ended its direction. */
  isEnded = false;
  /** Bytes that have come since {@linkcode ClientInput.begin}. */
  receivedBytes = 0;

  readonly #transport: Transport;
  readonly #core: HttpConnection;
  readonly #onSettled: () => void;
  #space: Uint8Array | undefined;
  #filling: Promise<void> | undefined;
  #emptyCount = 0;
  #failure: { readonly cause: unknown } | undefined;

  /**
   * @param transport Where from.
   * @param core Who understands it.
   * @param onSettled Told after every read, before those who wait for it.
   */
  constructor(transport: Transport, core: HttpConnection, onSettled: () => void) {
    this.#transport = transport;
    this.#core = core;
    this.#onSettled = onSettled;
  }

  /** Whether reading has failed. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Begins to count anew. A read that is under way belongs to what begins. */
  begin(): void {
    this.receivedBytes = 0;
  }

  /** Reads once, or joins the read that is under way. It never rejects. */
  fill(): Promise<void> {
    return this.#filling ??= this.#read();
  }

  /** Lets go of a large space: the next response may be long in coming, and small. */
  rest(): void {
    if (this.#filling === undefined && this.#space?.length === LARGE_READ_BYTES) {
      this.#space = undefined;
    }
  }

  /**
   * Throws if no more will come and nothing of the response has, or the
   * connection broke. An end in the middle of a response is the core's to judge.
   *
   * @param earlier Why writing has failed, if it had before: that was first.
   * @throws {ConnectionClosedError} If it is so.
   */
  throwIfOver(earlier: unknown): void {
    const { receivedBytes } = this;
    if (this.#failure !== undefined) {
      throw new ConnectionClosedError("Cannot read response: the connection broke", {
        bytesReceived: receivedBytes,
        cause: earlier ?? this.#failure.cause,
      });
    }
    if (this.isEnded && receivedBytes === 0) {
      throw new ConnectionClosedError("Cannot read response: the server has left", {
        bytesReceived: 0,
        cause: earlier,
      });
    }
  }

  #read(): Promise<void> {
    const space = this.#space ??= new Uint8Array(SMALL_READ_BYTES);
    return this.#transport.read(space).then(
      (count) => this.#onRead(count, space),
      (cause) => this.#onError(cause),
    );
  }

  #onRead(count: number | null, space: Uint8Array): void {
    if (count !== null && !(Number.isInteger(count) && count >= 0 && count <= space.length)) {
      const room = `there was room for ${space.length}`;
      return this.#onError(
        new TypeError(`Cannot read: the transport brought ${count} bytes when ${room}`),
      );
    }
    this.#emptyCount = count === 0 ? this.#emptyCount + 1 : 0;
    if (this.#emptyCount === MAX_EMPTY_READS) {
      return this.#onError(new TypeError("Cannot read: the transport brings nothing, and no end"));
    }
    this.#filling = undefined;
    if (count === null) {
      this.isEnded = true;
      this.#core.receiveEnd();
    } else {
      this.receivedBytes += count;
      this.#core.receive(space.subarray(0, count));
      if (count === space.length) this.#space = new Uint8Array(LARGE_READ_BYTES);
    }
    this.#onSettled();
  }

  #onError(cause: unknown): void {
    this.#filling = undefined;
    this.#failure = { cause };
    this.#onSettled();
  }
}
