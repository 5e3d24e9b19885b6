import { ConnectionClosedError } from "../nbio/errors.ts";
import type { Transport } from "../nbio/transport.ts";
import type { HttpConnection } from "./connection.ts";

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
  /** Bytes that the last read has brought past the core. */
  passedBytes = 0;

  readonly #transport: Transport;
  readonly #core: HttpConnection;
  readonly #onSettled: () => void;
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
    return this.#filling ??= this.#read(undefined);
  }

  /**
   * Reads once past the core, to where a piece of the body is wanted, or joins the
   * read that is under way. It never rejects.
   *
   * @param room Where to, no longer than what may pass.
   */
  pass(room: Uint8Array): Promise<void> {
    this.passedBytes = 0;
    return this.#filling ??= this.#read(room);
  }

  /** Lets go of large memory: the next response may be long in coming, and small. */
  rest(): void {
    if (this.#filling === undefined) this.#core.shrink();
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

  #read(room: Uint8Array | undefined): Promise<void> {
    const space = room ?? this.#core.receiveSpace();
    return this.#transport.read(space).then(
      (count) => this.#onRead(count, space.length, room !== undefined),
      (cause) => this.#onError(cause),
    );
  }

  #onRead(count: number | null, maxCount: number, isPassing: boolean): void {
    if (count !== null && !(Number.isInteger(count) && count >= 0 && count <= maxCount)) {
      return this.#onError(
        new TypeError(
          `Cannot read: the transport brought ${count} bytes when there was room for ${maxCount}`,
        ),
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
      if (isPassing) this.#core.passBody(this.passedBytes = count);
      else this.#core.receiveCommit(count);
    }
    this.#onSettled();
  }

  #onError(cause: unknown): void {
    this.#filling = undefined;
    this.#failure = { cause };
    this.#onSettled();
  }
}
