import type { Deadline } from "../nbio/deadline_wheel.ts";
import { concatBytes } from "./_concat_bytes.ts";
import type { Context } from "./server_context.ts";
import { encodeServerSentEvent, type ServerSentEvent } from "./sse_encoder.ts";
import {
  type ResolvedSseOptions,
  resolveSseOptions,
  type SseStreamOptions,
} from "./sse_options.ts";

/** Events that wait leave together, up to about so many bytes. */
const PIECE_BYTES = 32 * 1024;
const HEARTBEAT = encodeServerSentEvent({});
/** Until so many have left from its front, a queue is not moved. */
const COMPACT_COUNT = 64;

const decoder = new TextDecoder();

/** A piece of a stream, or its end. */
type Piece = IteratorResult<Uint8Array, undefined>;
const END: Piece = { done: true, value: undefined };

/**
 * The events that one client is sent. {@linkcode sseStream} makes it and answers with it;
 * whatever is sent until it is closed reaches the client in order, and at once.
 *
 * @example As fast as the client takes them
 * ```ts
 * import { serve, type ServerSentEvent, sseStream } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * async function* countdown(): AsyncGenerator<ServerSentEvent> {
 *   for (let left = 2; left > 0; left--) yield { event: "left", data: String(left) };
 * }
 *
 * await using server = serve((ctx) => {
 *   const events = sseStream(ctx);
 *   void events.sendAll(countdown()).finally(() => events.close());
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * assertEquals(
 *   await response.text(),
 *   "event: left\ndata: 2\n\nevent: left\ndata: 1\n\n",
 * );
 * ```
 */
export class SseStream implements AsyncIterableIterator<Uint8Array> {
  readonly #options: ResolvedSseOptions;
  readonly #heartbeat: Deadline | undefined;
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #lastEventId: string | undefined;
  #queue: Uint8Array[] = [];
  /** Offset of the first in the queue that has not left. */
  #front = 0;
  #queuedBytes = 0;
  #droppedCount = 0;
  #isClosed = false;
  /** Whether something has left since the last look. */
  #wasBusy = false;
  /** The reader, while it waits for something to send. */
  #waiting: ((piece: Piece) => void) | undefined;
  #drained: PromiseWithResolvers<void> | undefined;
  #stopPulling: (() => void) | undefined;

  /**
   * Streams are made by {@linkcode sseStream}.
   *
   * @param options What was resolved.
   * @param lastEventId What the client named.
   */
  constructor(options: ResolvedSseOptions, lastEventId: string | undefined) {
    this.#options = options;
    this.#lastEventId = lastEventId;
    const { beatMs, wheel, retryMs } = options;
    if (retryMs !== undefined) this.send({ retryMs });
    if (beatMs === 0) return;
    this.#heartbeat = wheel.create(() => this.#beat());
    this.#heartbeat.arm(beatMs);
  }

  /** The id of the last event the client got before it came back; `undefined` if it named none. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** Resolves when nothing more can be sent: the client has left, or this was closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Whether nothing more can be sent. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Events that wait for the client. */
  get queuedCount(): number {
    return this.#queue.length - this.#front;
  }

  /** Events that the client did not get because too many waited. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /**
   * Sends an event, without waiting for the client to take it.
   *
   * @param event What to say.
   * @returns Whether the client is still there: `false` if it has left or was dropped.
   * @throws {TypeError} If `event` or `id` contains a line end, or `id` a NUL.
   * @throws {RangeError} If `retryMs` is no whole number of at least 0.
   */
  send(event: ServerSentEvent): boolean {
    return this.sendEncoded(encodeServerSentEvent(event));
  }

  /**
   * Sends events that were encoded before, for several clients perhaps.
   *
   * @param bytes What {@linkcode encodeServerSentEvent} gave; it must not change any more.
   * @returns Whether the client is still there.
   */
  sendEncoded(bytes: Uint8Array): boolean {
    if (this.#isClosed) return false;
    this.#wasBusy = true;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting({ done: false, value: bytes });
      return true;
    }
    if (!this.#makeRoom(bytes.length)) return false;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    return true;
  }

  /**
   * Sends events as they come and as fast as the client takes them, until there are no more or
   * the client has left. The stream stays open behind them. The handler must not wait for it: the
   * client is sent nothing before that has returned.
   *
   * @param events Where they come from; whoever gives them is told when the client leaves.
   * @throws {TypeError} By rejecting, if an event cannot be encoded. Whatever the events fail
   * with, otherwise.
   */
  async sendAll(events: AsyncIterable<ServerSentEvent>): Promise<void> {
    const iterator = events[Symbol.asyncIterator]();
    try {
      while (!this.#isClosed) {
        const event = await this.#pull(iterator);
        if (event === undefined) break;
        this.send(event);
        await this.drained();
      }
    } finally {
      this.#stopPulling = undefined;
      void stop(iterator);
    }
  }

  /** Resolves when nothing waits for the client, or nothing more can be sent. */
  drained(): Promise<void> {
    if (this.#isClosed || this.queuedCount === 0) return Promise.resolve();
    return (this.#drained ??= Promise.withResolvers()).promise;
  }

  /** Ends the stream behind what waits. The client will come back, unless its page forbids it. */
  close(): void {
    if (this.#isClosed) return;
    this.#end();
    this.#waiting?.(END);
    this.#waiting = undefined;
  }

  /** The stream itself. It belongs to whoever sends the answer. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** What is to be sent next. It belongs to whoever sends the answer. */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.queuedCount > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#isClosed) return Promise.resolve(END);
    return new Promise((resolve) => this.#waiting = resolve);
  }

  /** Tells that nobody is left to send to. It belongs to whoever sends the answer. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#clear();
    this.close();
    return Promise.resolve(END);
  }

  /** The next event; `undefined` if there is none, or nobody is left to send it to. */
  #pull(iterator: AsyncIterator<ServerSentEvent>): Promise<ServerSentEvent | undefined> {
    return new Promise((resolve, reject) => {
      this.#stopPulling = () => resolve(undefined);
      // Of an application's own it may give its events at once, as `for await` allows.
      Promise.resolve(iterator.next()).then(
        ({ done, value }) => resolve(done === true ? undefined : value),
        reject,
      );
    });
  }

  /** Everything that waits and fits together, as one piece. */
  #take(): Uint8Array {
    let length = 0;
    let end = this.#front;
    while (end < this.#queue.length) {
      const next = this.#queue[end]!.length;
      if (end > this.#front && length + next > PIECE_BYTES) break;
      length += next;
      end++;
    }
    const piece = end - this.#front === 1
      ? this.#queue[this.#front]!
      : concatBytes(this.#queue.slice(this.#front, end), length);
    this.#remove(end - this.#front, length);
    return piece;
  }

  #remove(count: number, bytes: number): void {
    this.#front += count;
    this.#queuedBytes -= bytes;
    if (this.#front === this.#queue.length) {
      this.#clear();
    } else if (this.#front >= COMPACT_COUNT && this.#front * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#front);
      this.#front = 0;
    }
  }

  #clear(): void {
    this.#queue = [];
    this.#front = 0;
    this.#queuedBytes = 0;
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** Whether one more may wait now. */
  #makeRoom(length: number): boolean {
    const { maxQueuedEvents, maxQueuedBytes, overflow } = this.#options;
    while (
      this.queuedCount > 0 &&
      (this.queuedCount >= maxQueuedEvents || this.#queuedBytes + length > maxQueuedBytes)
    ) {
      if (overflow === "drop-client") {
        this.#droppedCount += this.queuedCount + 1;
        void this.return();
        return false;
      }
      this.#droppedCount++;
      this.#remove(1, this.#queue[this.#front]!.length);
    }
    return true;
  }

  /** Silence is at least half of the interval and at most all of it. */
  #beat(): void {
    // Who has not taken what waits needs no more.
    if (!this.#wasBusy && this.queuedCount === 0) this.sendEncoded(HEARTBEAT);
    this.#wasBusy = false;
    if (!this.#isClosed) this.#heartbeat!.arm(this.#options.beatMs);
  }

  #end(): void {
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    this.#stopPulling?.();
    this.#drained?.resolve();
    this.#drained = undefined;
    this.#closed.resolve();
  }
}

/**
 * Answers with a stream of server-sent events, which a page reads by `EventSource`. The handler may
 * return: the stream lives until it is closed or the client leaves.
 *
 * A client that closes its connection is often noticed only when something cannot be sent, so
 * after two heartbeats at the latest. The end of a server's grace at its shutdown ends streams too.
 *
 * @param ctx The request.
 * @param options Heartbeats and bounds.
 * @returns The stream.
 * @throws {RangeError} If an option is out of its range.
 * @throws {HttpStateError} If the head has left.
 *
 * @example Three events, the next after what the client has
 * ```ts
 * import { serve, sseStream } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => {
 *   const events = sseStream(ctx);
 *   const start = Number(events.lastEventId ?? 0);
 *   for (let id = start + 1; id <= 3; id++) events.send({ id: String(id), data: "hello" });
 *   events.close();
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const headers = { "last-event-id": "2" };
 * const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
 * assertEquals(await response.text(), "id: 3\ndata: hello\n\n");
 * ```
 */
export function sseStream(ctx: Context, options: SseStreamOptions = {}): SseStream {
  return answerWithEvents(ctx, resolveSseOptions(options));
}

/** The same with options that were resolved before. */
export function answerWithEvents(ctx: Context, options: ResolvedSseOptions): SseStream {
  const stream = new SseStream(options, readLastEventId(ctx));
  try {
    ctx.stream(stream);
    ctx.set("content-type", "text/event-stream");
    ctx.set("cache-control", "no-cache");
    // What nginx calls it: it would keep events until its buffer is full.
    ctx.set("x-accel-buffering", "no");
  } catch (error) {
    stream.close();
    throw error;
  }
  // It may leave before anything of the stream is asked for; then nobody tells the stream.
  const { signal } = ctx;
  const onAbort = (): void => void stream.return();
  if (signal.aborted) onAbort();
  else {
    signal.addEventListener("abort", onAbort, { once: true });
    void stream.closed.then(() => signal.removeEventListener("abort", onAbort));
  }
  return stream;
}

/** Browsers send it in UTF-8; a field's characters are its bytes. */
function readLastEventId(ctx: Context): string | undefined {
  const value = ctx.headers.get("last-event-id");
  if (value === undefined || value === "") return undefined;
  return decoder.decode(Uint8Array.from(value, (character) => character.charCodeAt(0)));
}

/** Not waited for: it may be busy with an event that nobody wants any more. */
async function stop(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // Nobody is left to be told.
  }
}
