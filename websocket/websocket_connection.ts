import type { Transport } from "../nbio/transport.ts";
import { CloseCode } from "./close_code.ts";
import type { WebSocketCompression } from "./compression.ts";
import { WebSocketCore } from "./connection.ts";
import type { WebSocketCoreOptions, WebSocketRole } from "./connection_options.ts";
import { notOpen } from "./connection_state.ts";
import type { PieceEvent } from "./events.ts";
import type { SendOptions } from "./message_writer.ts";
import { type InputEvent, WebSocketInput } from "./websocket_input.ts";
import { type WebSocketClosure, WebSocketLifetime } from "./websocket_lifetime.ts";
import {
  eventOf,
  MessageIterator,
  messageOf,
  resultOf,
  type WebSocketMessage,
  wholePiece,
} from "./websocket_message.ts";
import { messageStream, type WebSocketMessageStream } from "./websocket_message_stream.ts";
import { type OpenMessageOptions, WebSocketMessageWriter } from "./websocket_message_writer.ts";
import type { ResolvedWebSocketOptions } from "./websocket_options.ts";
import { rejectQuietly, type WebSocketOutput } from "./websocket_output.ts";
import { WebSocketPings } from "./websocket_pings.ts";
import type { WebSocketObserver } from "./websocket_telemetry.ts";

/** What a connection is made of, behind its handshake. */
export interface WebSocketConnectionSource {
  /** Which end this is. */
  readonly role: WebSocketRole;
  /** The connection. */
  readonly transport: Transport;
  /** The first bytes of the peer, which came with its handshake. */
  readonly bytes: Uint8Array;
  /** The subprotocol agreed on; empty for none. */
  readonly subprotocol: string;
  /** The extensions agreed on; empty for none. */
  readonly extensions: string;
  /** How messages are compressed. */
  readonly compression: WebSocketCompression | undefined;
  /** Gives the key of a frame; a client needs it. */
  readonly randomMaskKey: (() => number) | undefined;
  /** When to say 1001. */
  readonly shutdownSignal: AbortSignal | undefined;
}

/**
 * A WebSocket, of a server by {@linkcode upgrade} or of a client by {@linkcode dial}.
 *
 * Messages come by iteration or by {@linkcode WebSocketConnection.readMessage}. Nothing is read
 * while nobody asks: a peer that sends faster is slowed down, pings of either side wait, and that
 * the peer has left shows at the next read. What is sent while the messages of one read are handled
 * leaves in one write.
 *
 * An iteration ends when the peer closes, with whatever code, and when this end does. It throws when
 * the connection breaks or the peer breaks the protocol. In either case `closed` tells the end; it
 * never rejects. To leave an iteration does not close: `close()` does, and `await using`.
 *
 * @example A server and a client
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { dial, upgrade } from "@nbio/net/websocket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => {
 *   await using ws = await upgrade(ctx);
 *   for await (const message of ws) await ws.send(message.data);
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const ws = await dial(`ws://127.0.0.1:${port}/`);
 * await ws.send("Hello");
 * assertEquals(await ws.readMessage(), { type: "text", data: "Hello" });
 * const closure = await ws.close(1000, "done");
 * assertEquals(closure, { code: 1000, reason: "", clean: true, by: "local" });
 * ```
 */
export class WebSocketConnection implements AsyncDisposable {
  /** The subprotocol agreed on; empty for none. */
  readonly subprotocol: string;
  /** The extensions agreed on, as the server has said them; empty for none. */
  readonly extensions: string;

  readonly #core: WebSocketCore;
  readonly #transport: Transport;
  readonly #input: WebSocketInput;
  readonly #output: WebSocketOutput;
  readonly #pings: WebSocketPings;
  readonly #lifetime: WebSocketLifetime;
  /** Who counts; asked for once per connection. */
  readonly #observer: WebSocketObserver | undefined;
  #isAsked = false;
  /** What becomes of what comes, for whoever has asked. */
  #give: (event: InputEvent) => unknown = eventOf;
  /** Whether a message that is read as a stream has not ended. */
  #isStreaming = false;

  /**
   * Made by {@linkcode upgrade} and {@linkcode dial}; by hand over a transport behind a handshake
   * that was made elsewhere.
   *
   * @param source What it is made of.
   * @param options Bounds and deadlines.
   */
  constructor(source: WebSocketConnectionSource, options: ResolvedWebSocketOptions) {
    const { role, transport, bytes, compression, randomMaskKey } = source;
    this.subprotocol = source.subprotocol;
    this.extensions = source.extensions;
    this.#transport = transport;
    const core = this.#core = new WebSocketCore({
      ...coreBounds(options),
      role,
      // What came with the handshake is bounded by that.
      maxBufferedBytes: 0,
      ...compression !== undefined && { compression },
      ...randomMaskKey !== undefined && { randomMaskKey },
    });
    const pings = this.#pings = new WebSocketPings(options.wheel);
    const input = this.#input = new WebSocketInput(core, transport, pings);
    const { shutdownSignal } = source;
    const parts = { core, transport, options, input, pings, shutdownSignal };
    this.#lifetime = new WebSocketLifetime(parts);
    this.#output = this.#lifetime.output;
    this.#observer = options.telemetry?.observe(role, this.#lifetime.closed, options.wheel);
    core.deliversPings = false;
    core.pauseReading(options.wheel.now());
    if (bytes.length > 0) core.receive(bytes, options.wheel.now());
    this.#lifetime.watch();
  }

  /** Resolves when the connection has ended and is closed. It never rejects. */
  get closed(): Promise<WebSocketClosure> {
    return this.#lifetime.closed;
  }

  /** Bytes that wait to be written. */
  get bufferedAmount(): number {
    return this.#core.queuedBytes;
  }

  /** The address of the peer. */
  get remoteAddr(): Deno.Addr {
    return this.#transport.remoteAddr;
  }

  /** The address of this end. */
  get localAddr(): Deno.Addr {
    return this.#transport.localAddr;
  }

  /**
   * Waits for the next message.
   *
   * @returns The message; `undefined` when the peer or this end has closed.
   * @throws {WebSocketProtocolError} If the peer broke the protocol.
   * @throws {LimitExceededError} If the message is longer than `maxMessageBytes`.
   * @throws {ConnectionClosedError} If the peer left without a Close frame.
   * @throws {TimeoutError} If the peer did not answer a ping.
   * @throws {TypeError} If another read is waiting, or a message that is read as a stream has not
   * ended.
   * @throws {Error} The reason of `signal`, untouched.
   */
  readMessage(): Promise<WebSocketMessage | undefined> {
    try {
      this.#checkReader();
      const event = this.#poll();
      return event === undefined
        ? this.#waitForEvent(messageOf)
        : Promise.resolve(messageOf(event));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits for the next message and gives it as a stream of bytes, which is read only as fast as it
   * is taken, and may be longer than `maxMessageBytes`. Cancelling the stream skips the rest of the
   * message.
   *
   * @returns The message; `undefined` when the peer or this end has closed. The next can be read
   * when the stream has ended. A text has been found to be UTF-8, as far as it has come.
   * @throws {Error} As {@linkcode WebSocketConnection.readMessage}.
   */
  async readMessageStream(): Promise<WebSocketMessageStream | undefined> {
    this.#checkReader();
    this.#core.deliversPieces = true;
    let event: InputEvent;
    try {
      event = this.#poll() ?? await this.#waitForEvent(eventOf);
    } finally {
      this.#core.deliversPieces = false;
    }
    if (event === "end") return undefined;
    if (event.type !== "piece") {
      return messageStream(wholePiece(event), () => Promise.resolve("end"));
    }
    this.#isStreaming = !event.isFinal;
    return messageStream(event, () => this.#nextPiece());
  }

  /**
   * Iterates over the messages, as {@linkcode WebSocketConnection.readMessage} gives them.
   *
   * @returns The messages to come. Leaving the loop closes nothing.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<WebSocketMessage> {
    return new MessageIterator(() => this.#nextResult());
  }

  /**
   * Sends a message. Any number of sends may wait; messages leave in the order of the calls.
   *
   * @param data A string for a text message, in which lone surrogates become U+FFFD; bytes for a
   * binary one, which stay as they are until the promise settles and `bufferedAmount` is 0.
   * @param options Whether to compress it.
   * @returns Resolves when no more than `highWaterMarkBytes` wait to be written; at once if that is so.
   * Where nobody waits for it, its failure is no unhandled one.
   * @throws {WebSocketStateError} If closing has begun.
   * @throws {ConnectionClosedError} If the connection broke.
   * @throws {TimeoutError} If the peer takes nothing for `writeTimeoutMs`.
   * @throws {LimitExceededError} If too many sends wait for a message in fragments.
   */
  send(data: string | Uint8Array, options?: SendOptions): Promise<void> {
    if (this.#output.isTaken) return this.#output.whenFree(() => this.#send(data, options));
    return this.#send(data, options);
  }

  /**
   * Begins a message to be sent in fragments, when those that were begun before have ended.
   *
   * @param options What it is.
   * @returns Where to write it. It has to be closed: all other messages wait for that.
   * @throws {Error} As {@linkcode WebSocketConnection.send}.
   */
  openMessage(options: OpenMessageOptions = {}): Promise<WebSocketMessageWriter> {
    const { state } = this.#core;
    if (state !== "open") {
      return rejectQuietly(this.#lifetime.dropped?.error ?? notOpen(state, "message"));
    }
    return this.#output.whenFree(() => {
      this.#throwIfDropped();
      if (this.#core.state !== "open") throw notOpen(this.#core.state, "message");
      this.#output.take();
      return new WebSocketMessageWriter(options.type ?? "binary", (fragment, isFinal) => {
        this.#throwIfDropped();
        this.#core.sendFragment(fragment, isFinal, options);
        const sent = this.#schedule();
        if (isFinal) {
          this.#observer?.sent();
          this.#output.release();
        }
        return sent;
      });
    });
  }

  /**
   * Pings the peer. The answer is seen by whoever reads messages: somebody has to.
   *
   * @returns Milliseconds until the answer was read.
   * @throws {WebSocketStateError} If closing has begun.
   * @throws {ConnectionClosedError} If the connection ends before the answer.
   * @throws {LimitExceededError} If 1,000 pings wait already.
   */
  ping(): Promise<number> {
    try {
      this.#throwIfDropped();
      this.#core.sendPing(this.#pings.nextPayload());
      void this.#schedule();
      return this.#pings.add();
    } catch (error) {
      return rejectQuietly(error);
    }
  }

  /**
   * Closes: nothing can be sent any more, and what still comes is dropped. Where closing has begun,
   * this only waits.
   *
   * @param code Why, 1000 or 3000 to 4999 as a rule; 1005 for a Close frame without.
   * @param reason More of it, at most 123 bytes in UTF-8.
   * @returns How the connection ended, when it is closed: after `closeTimeoutMs` if the peer does
   * not answer.
   * @throws {RangeError} If the code may not be sent, or the reason is too long.
   */
  close(
    code: number = CloseCode.NORMAL_CLOSURE,
    reason: string = "",
  ): Promise<WebSocketClosure> {
    try {
      this.#lifetime.close(code, reason);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.closed;
  }

  /** Closes with 1000, and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #nextResult(): Promise<IteratorResult<WebSocketMessage>> {
    try {
      this.#checkReader();
      const event = this.#poll();
      return event === undefined ? this.#waitForEvent(resultOf) : Promise.resolve(resultOf(event));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #send(data: string | Uint8Array, options: SendOptions | undefined): Promise<void> {
    try {
      if (typeof data === "string") this.#core.sendText(data, options);
      else this.#core.sendBinary(data, options);
      this.#observer?.sent();
    } catch (error) {
      return rejectQuietly(this.#lifetime.dropped?.error ?? error);
    }
    return this.#schedule();
  }

  /** What is sent between the messages of one read leaves when all of them were handled. */
  #schedule(): Promise<void> {
    return this.#output.schedule(!this.#isAsked && this.#core.bufferedBytes > 0);
  }

  #checkReader(): void {
    this.#throwIfDropped();
    if (this.#isAsked) throw new TypeError("Cannot read message: another read is waiting");
    if (this.#isStreaming) {
      throw new TypeError("Cannot read message: one that is read as a stream has not ended");
    }
  }

  #throwIfDropped(): void {
    const { dropped } = this.#lifetime;
    if (dropped !== undefined) throw dropped.error;
  }

  /** What has come already, and what follows from it if that is the end. */
  #poll(): InputEvent | undefined {
    try {
      const event = this.#input.poll();
      if (event === undefined) return undefined;
      if (event === "end") this.#lifetime.settle();
      else if (this.#observer !== undefined && isLast(event)) this.#observer.received();
      if (this.#input.rest()) this.#lifetime.arm();
      return event;
    } catch (error) {
      this.#lifetime.settle();
      throw error;
    }
  }

  /** Reads until something has come, and gives it as it is wanted. */
  #waitForEvent<T>(give: (event: InputEvent) => T): Promise<T> {
    this.#isAsked = true;
    this.#give = give;
    this.#beginRead();
    return this.#input.read(this.#goOn) as Promise<T>;
  }

  #beginRead(): void {
    this.#output.flush();
    this.#input.listen();
    this.#lifetime.arm();
  }

  /** One read is enough as a rule: then nothing was made but its promise. */
  readonly #goOn = (): unknown => {
    const event = this.#pollAsked();
    return event === undefined ? this.#readOn() : this.#give(event);
  };

  async #readOn(): Promise<unknown> {
    for (;;) {
      this.#beginRead();
      await this.#input.read();
      const event = this.#pollAsked();
      if (event !== undefined) return this.#give(event);
    }
  }

  /** What came with a read somebody has asked for; with anything but `undefined` nobody does any more. */
  #pollAsked(): InputEvent | undefined {
    let isOver = true;
    try {
      this.#throwIfDropped();
      const event = this.#poll();
      isOver = event !== undefined;
      return event;
    } finally {
      if (isOver) {
        this.#isAsked = false;
        this.#input.rest();
      }
    }
  }

  async #nextPiece(): Promise<PieceEvent | "end"> {
    this.#throwIfDropped();
    const event = this.#poll() ?? await this.#waitForEvent(eventOf);
    if (event !== "end" && event.type !== "piece") throw new TypeError("Cannot read: no piece");
    if (event === "end" || event.isFinal) this.#isStreaming = false;
    return event;
  }
}

/** Whether a message ends with what has come. */
function isLast(event: Exclude<InputEvent, "end">): boolean {
  return event.type !== "piece" || event.isFinal;
}

/** The options that the core takes, under the same names. */
function coreBounds(options: ResolvedWebSocketOptions): Omit<WebSocketCoreOptions, "role"> {
  const { maxMessageBytes, highWaterMarkBytes, silenceTimeoutMs, pongTimeoutMs } = options;
  const { closeTimeoutMs, lookAheadTimeoutMs } = options;
  return {
    ...{ maxMessageBytes, highWaterMarkBytes, silenceTimeoutMs, pongTimeoutMs },
    ...{ closeTimeoutMs, lookAheadTimeoutMs },
  };
}
