import { HttpStateError } from "./errors.ts";
import type { HeaderInit } from "./header_list.ts";
import { bytesOf } from "./server_stream.ts";

/** What a writer needs of its connection. */
export interface WriterTarget {
  /**
   * Sends a piece of the body; resolves when the transport has taken it, or could have: where
   * something waits behind it, a coding may keep it back.
   */
  writePiece(bytes: Uint8Array, hasMore: boolean): Promise<void>;
  /** Ends the body; resolves when everything has left. */
  endBody(trailers: HeaderInit): Promise<void>;
}

/**
 * Writes a response piece by piece. Every write waits until the client's side
 * of the connection has taken it, so a slow client slows the writer down.
 * Writes that are not awaited queue in order.
 *
 * @example Counting down, one line at a time
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => {
 *   ctx.set("content-type", "text/plain");
 *   const writer = ctx.writer();
 *   for (let count = 3; count > 0; count--) await writer.write(`${count}\n`);
 *   await writer.close();
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * assertEquals(await response.text(), "3\n2\n1\n");
 * ```
 */
export class ResponseWriter {
  readonly #target: WriterTarget;
  #tail: Promise<void>;
  #waitingCount = 0;
  #isClosed = false;

  /**
   * Writers are made by `ctx.writer()`.
   *
   * @param target The connection.
   * @param head Settles when the head has left.
   */
  constructor(target: WriterTarget, head: Promise<void>) {
    this.#target = target;
    this.#tail = head.catch(() => {});
  }

  /** Whether {@linkcode ResponseWriter.close} was called. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when all that was asked for so far has been tried. */
  get settled(): Promise<void> {
    return this.#tail;
  }

  /**
   * Sends a piece of the body.
   *
   * @param chunk Bytes, or text that is sent as UTF-8. Bytes must not change
   * before the promise resolves. An empty one sends nothing.
   * @throws {TypeError} If it is neither.
   * @throws {HttpStateError} If the writer was closed, or the body gets longer
   * than its Content-Length.
   * @throws {ConnectionClosedError} If the client has left.
   */
  write(chunk: Uint8Array | string): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError("write"));
    let bytes: Uint8Array;
    try {
      bytes = bytesOf(chunk);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#enqueue(() => this.#target.writePiece(bytes, this.#waitingCount > 0));
  }

  /**
   * Ends the response.
   *
   * @param trailers Trailer fields; for clients with HTTP/1.1 and without a
   * Content-Length only.
   * @throws {HttpStateError} If the writer was closed, or the body is shorter
   * than its Content-Length.
   * @throws {TypeError} If a trailer field cannot be sent.
   */
  close(trailers: HeaderInit = []): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError("close"));
    this.#isClosed = true;
    return this.#enqueue(() => this.#target.endBody(trailers));
  }

  #enqueue(operation: () => Promise<void>): Promise<void> {
    this.#waitingCount++;
    const result = this.#tail.then(() => {
      this.#waitingCount--;
      return operation();
    });
    // What failed is told to its caller; here only the order counts.
    this.#tail = result.catch(() => {});
    return result;
  }
}

function closedError(event: string): HttpStateError {
  return new HttpStateError("ERR_HTTP_WRITER_CLOSED", `Cannot ${event}: the writer was closed`, {
    state: "closed",
    event,
  });
}
