import { concatBytes } from "./_concat_bytes.ts";
import { HttpError } from "./errors.ts";
import { resolveBound } from "./limits.ts";
import type { Context } from "./server_context.ts";
import { encodeServerSentEvent, type ServerSentEvent } from "./sse_encoder.ts";
import {
  type ResolvedSseOptions,
  resolveSseOptions,
  type SseOverflow,
  type SseStreamOptions,
} from "./sse_options.ts";
import { answerWithEvents, type SseStream } from "./sse_stream.ts";

/** Options of {@linkcode SseBroadcaster}. */
export interface SseBroadcasterOptions extends SseStreamOptions {
  /**
   * Clients at the same time, a whole number; 0 and Infinity for no bound. Others are answered
   * with 503.
   *
   * @default {10000}
   */
  readonly maxClients?: number;
  /**
   * Events with an id that are kept for clients that come back, a whole number of at least 0; 0
   * for none.
   *
   * @default {0}
   */
  readonly historyCount?: number;
  /**
   * Bytes of all events that are kept, a whole number; 0 and Infinity for no bound. A client that
   * comes back may get all of them at once: it should be less than `maxQueuedBytes`.
   *
   * @default {262144}
   */
  readonly maxHistoryBytes?: number;
}

/** Options of {@linkcode SseBroadcaster.subscribe}. */
export interface SseSubscribeOptions {
  /**
   * What to do when this client is too slow.
   *
   * @default undefined (as the broadcaster has it)
   */
  readonly overflow?: SseOverflow | undefined;
}

/** What is kept of an event. */
interface Kept {
  readonly id: string;
  readonly bytes: Uint8Array;
}

const DEFAULT_CLIENTS = 10_000;
const DEFAULT_HISTORY_BYTES = 256 * 1024;
/** Seconds after which a client that was refused may try again. */
const RETRY_AFTER = "5";

/**
 * Sends the same events to many clients. An event is encoded once. Each client has a queue of
 * its own with a bound: one that takes nothing costs no other one time, and no more memory than
 * its queue, whose events all clients share.
 *
 * @example One event for everybody
 * ```ts
 * import { serve, SseBroadcaster } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const news = new SseBroadcaster({ historyCount: 100 });
 * await using server = serve((ctx) => void news.subscribe(ctx), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 * });
 * const { port } = server.addr as Deno.NetAddr;
 * const responses = await Promise.all([
 *   fetch(`http://127.0.0.1:${port}/`),
 *   fetch(`http://127.0.0.1:${port}/`),
 * ]);
 * assertEquals(news.publish({ id: "1", data: "hello" }), 2);
 * news.close();
 * for (const response of responses) assertEquals(await response.text(), "id: 1\ndata: hello\n\n");
 * ```
 */
export class SseBroadcaster implements Disposable {
  readonly #options: ResolvedSseOptions;
  readonly #maxClients: number;
  readonly #maxHistoryCount: number;
  readonly #maxHistoryBytes: number;
  readonly #clients = new Set<SseStream>();
  /** The oldest first. */
  readonly #history: Kept[] = [];
  #historyBytes = 0;
  #droppedClientCount = 0;
  #isClosed = false;

  /**
   * Makes a broadcaster nobody listens to yet.
   *
   * @param options Bounds, and what becomes of clients that are too slow.
   * @throws {RangeError} If one is out of its range.
   */
  constructor(options: SseBroadcasterOptions = {}) {
    const { maxClients = DEFAULT_CLIENTS, historyCount = 0 } = options;
    const { maxHistoryBytes = DEFAULT_HISTORY_BYTES } = options;
    this.#options = resolveSseOptions(options);
    this.#maxClients = resolveBound("maxClients", maxClients);
    this.#maxHistoryBytes = resolveBound("maxHistoryBytes", maxHistoryBytes);
    if (!Number.isSafeInteger(historyCount) || historyCount < 0) {
      throw new RangeError(`Cannot use option historyCount: ${historyCount} is no whole number`);
    }
    this.#maxHistoryCount = historyCount;
  }

  /** Clients that are there. */
  get clientCount(): number {
    return this.#clients.size;
  }

  /** Clients whose stream was ended because they were too slow. */
  get droppedClientCount(): number {
    return this.#droppedClientCount;
  }

  /**
   * Answers with what is published from now on; before that, to a client that comes back, with
   * what it has missed: all that is kept behind its `Last-Event-ID`, and all that is kept at all if
   * that is not among it.
   *
   * @param ctx The request.
   * @param options What is special about this client.
   * @returns The client's stream, for events that are for it alone.
   * @throws {HttpError} With 503, if there are too many clients or this was closed.
   * @throws {RangeError} If an option is out of its range.
   * @throws {HttpStateError} If the head has left.
   */
  subscribe(ctx: Context, options: SseSubscribeOptions = {}): SseStream {
    const { overflow = this.#options.overflow } = options;
    if (overflow !== "drop-oldest" && overflow !== "drop-client") {
      throw new RangeError(`Cannot use option overflow: ${overflow} is no policy`);
    }
    if (this.#isClosed || this.#clients.size >= this.#maxClients) {
      throw new HttpError(503, "Cannot subscribe: no client can be taken at the moment", {
        headers: [["retry-after", RETRY_AFTER]],
      });
    }
    const stream = answerWithEvents(ctx, { ...this.#options, overflow });
    this.#replay(stream);
    if (stream.isClosed) return stream;
    this.#clients.add(stream);
    void stream.closed.then(() => this.#clients.delete(stream));
    return stream;
  }

  /**
   * Sends an event to every client.
   *
   * @param event What to say.
   * @returns How many clients it is sent to.
   * @throws {TypeError} If `event` or `id` contains a line end, or `id` a NUL.
   * @throws {RangeError} If `retryMs` is no whole number of at least 0.
   */
  publish(event: ServerSentEvent): number {
    const bytes = encodeServerSentEvent(event);
    if (this.#isClosed) return 0;
    if (event.id !== undefined) this.#keep({ id: event.id, bytes });
    let count = 0;
    for (const client of this.#clients) {
      if (client.sendEncoded(bytes)) {
        count++;
        continue;
      }
      if (client.droppedCount > 0) this.#droppedClientCount++;
      this.#clients.delete(client);
    }
    return count;
  }

  /** Ends all streams behind what waits for them, and takes no more clients. */
  close(): void {
    this.#isClosed = true;
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    this.#history.length = 0;
    this.#historyBytes = 0;
  }

  /** Does what {@linkcode SseBroadcaster.close} does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #keep(event: Kept): void {
    if (this.#maxHistoryCount === 0) return;
    this.#history.push(event);
    this.#historyBytes += event.bytes.length;
    while (
      this.#history.length > this.#maxHistoryCount || this.#historyBytes > this.#maxHistoryBytes
    ) this.#historyBytes -= this.#history.shift()!.bytes.length;
  }

  #replay(stream: SseStream): void {
    const { lastEventId } = stream;
    if (lastEventId === undefined) return;
    // None is -1: what the client has is older than all of these.
    const start = this.#history.findLastIndex(({ id }) => id === lastEventId) + 1;
    const missed = this.#history.slice(start).map(({ bytes }) => bytes);
    if (missed.length === 0) return;
    // As one: nothing else waits, and so it fits whatever the bounds of the queue are.
    stream.sendEncoded(concatBytes(missed, missed.reduce((sum, { length }) => sum + length, 0)));
  }
}
