// This module is sans-I/O.

import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../nbio/errors.ts";
import { CloseCode } from "./close_code.ts";
import { decodeCloseFrame, encodeCloseFrame } from "./close_frame.ts";
import type { WebSocketCompression } from "./compression.ts";
import { resolveCoreOptions } from "./connection_options.ts";
import type { WebSocketCoreOptions, WebSocketRole } from "./connection_options.ts";
import { nextWebSocketState, notOpen } from "./connection_state.ts";
import type { WebSocketState, WebSocketTransition } from "./connection_state.ts";
import { WebSocketProtocolError } from "./errors.ts";
import type { CloseEvent, WebSocketEvent } from "./events.ts";
import { MAX_CONTROL_BYTES, Opcode } from "./frame_decoder.ts";
import { Keepalive } from "./keepalive.ts";
import { type ClosePayload, MessageReader } from "./message_reader.ts";
import { MessageWriter, type SendOptions } from "./message_writer.ts";

const EMPTY = new Uint8Array(0);

/**
 * WebSocket (RFC 6455, and RFC 7692 with an engine handed in) on one connection
 * behind its handshake, for both roles, without any I/O: bytes and messages go
 * in, messages and bytes come out.
 *
 * - Read into {@linkcode WebSocketCore.writable} and say how much came with
 *   {@linkcode WebSocketCore.commit}, or hand bytes to
 *   {@linkcode WebSocketCore.receive}; pull {@linkcode WebSocketCore.nextEvent}
 *   until it gives `undefined` or `close`.
 * - Send with {@linkcode WebSocketCore.sendText} and its siblings; write what
 *   {@linkcode WebSocketCore.takeOutput} gives, one chunk after the other. What is
 *   sent while the events of one read are handled leaves in one write.
 * - When {@linkcode WebSocketCore.mustDisconnect} is true, write what is left and
 *   close the transport.
 *
 * Nothing is parsed before it is asked for: a message in front of a broken frame
 * is given, and what is sent because of it leaves, before the frame is looked at.
 *
 * Pings are answered and Close frames returned by the core itself. A broken frame
 * makes `nextEvent()` throw, the same object at every further call, after a Close
 * frame that tells the peer was put into the output. An error of the caller
 * changes nothing.
 *
 * The core knows no time of its own: it takes instants, in milliseconds of any
 * clock that does not go back, and says in {@linkcode WebSocketCore.deadlineMs}
 * when to call {@linkcode WebSocketCore.handleTimeout}.
 *
 * @example A client and a server without a network
 * ```ts
 * import { WebSocketCore } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const client = new WebSocketCore({ role: "client", randomMaskKey: () => 0x37fa213d });
 * const server = new WebSocketCore({ role: "server" });
 *
 * client.sendText("Hello");
 * server.receive(client.takeOutput()!);
 * assertEquals(server.nextEvent(), { type: "text", data: "Hello" });
 *
 * server.close(1000, "done");
 * client.receive(server.takeOutput()!);
 * assertEquals(client.nextEvent(), {
 *   type: "close",
 *   code: 1000,
 *   reason: "done",
 *   clean: true,
 *   by: "remote",
 * });
 * server.receive(client.takeOutput()!);
 * assertEquals(server.nextEvent()?.type, "close");
 * assertEquals([server.mustDisconnect, client.mustDisconnect], [true, false]);
 * client.receiveEnd();
 * assertEquals(client.mustDisconnect, true);
 * ```
 */
export class WebSocketCore {
  readonly #role: WebSocketRole;
  readonly #compression: WebSocketCompression | undefined;
  readonly #highWaterMarkBytes: number;
  readonly #pongTimeoutMs: number;
  readonly #closeTimeoutMs: number;
  readonly #lookAheadTimeoutMs: number;
  readonly #reader: MessageReader;
  readonly #writer: MessageWriter;
  readonly #keepalive: Keepalive;
  #state: WebSocketState = "open";
  #failure: { readonly error: unknown } | undefined;
  #closure: CloseEvent | undefined;
  /** What was found ahead of time, for the next call of `nextEvent()`. */
  #ahead: WebSocketEvent | undefined;
  /** The latest ping, where the writer is too far behind to answer every one. */
  #unanswered: Uint8Array | undefined;
  /** Where the latest ping is kept: a flood of them is to allocate nothing. */
  #latestPing: Uint8Array | undefined;
  #isEnded = false;
  #isOver = false;
  /** The latest instant that was handed in. */
  #nowMs = 0;
  #closeDeadlineMs = Infinity;
  /** Since when the caller does not read; Infinity while it does. */
  #pausedMs = Infinity;

  /**
   * Makes a core for a connection whose handshake is done.
   *
   * @param options Role, bounds and compression.
   * @throws {RangeError} If a number is negative, NaN or not whole.
   * @throws {TypeError} If the role is none, or a client has no `randomMaskKey`.
   */
  constructor(options: WebSocketCoreOptions) {
    const resolved = resolveCoreOptions(options);
    const { role, compression, maxMessageBytes, maxBufferedBytes } = resolved;
    // Not the object: ten thousand of them would be kept.
    this.#role = role;
    this.#compression = compression;
    this.#highWaterMarkBytes = resolved.highWaterMarkBytes;
    this.#pongTimeoutMs = resolved.pongTimeoutMs;
    this.#closeTimeoutMs = resolved.closeTimeoutMs;
    this.#lookAheadTimeoutMs = resolved.lookAheadTimeoutMs;
    this.#reader = new MessageReader({
      isMasked: role === "server",
      maxMessageBytes,
      maxBufferedBytes,
      inflater: compression?.inflater,
    });
    this.#writer = new MessageWriter(resolved.randomMaskKey, compression);
    this.#keepalive = new Keepalive(resolved.silenceTimeoutMs, resolved.pongTimeoutMs);
  }

  /** Where the connection is. */
  get state(): WebSocketState {
    return this.#state;
  }

  /** How the connection ended; `undefined` before. */
  get closure(): CloseEvent | undefined {
    return this.#closure;
  }

  /**
   * Whether nothing is left to do but to write the output and to close the
   * transport. A server closes it as soon as both Close frames went; a client
   * waits for that (RFC 6455 section 7.1.1).
   */
  get mustDisconnect(): boolean {
    return this.#isOver;
  }

  /** Bytes that wait to be written; those the last `takeOutput()` gave still do. */
  get queuedBytes(): number {
    return this.#writer.queuedBytes;
  }

  /** Whether more than `highWaterMarkBytes` wait to be written. */
  get isWriterBehind(): boolean {
    return this.#writer.queuedBytes > this.#highWaterMarkBytes;
  }

  /** Bytes that have come and were not looked at. */
  get bufferedBytes(): number {
    return this.#reader.bufferedBytes;
  }

  /** Bytes of memory held for what comes. */
  get heldBytes(): number {
    return this.#reader.heldBytes;
  }

  /**
   * Whether messages are given in pieces as they come, for messages that are not
   * to be held in memory. Looked at when a message begins.
   */
  get deliversPieces(): boolean {
    return this.#reader.deliversPieces;
  }
  set deliversPieces(value: boolean) {
    this.#reader.deliversPieces = value;
  }

  /**
   * Whether pings are given as events, for callers that want to see them. They are
   * answered either way; without, a flood of them costs less. `true` at first.
   */
  get deliversPings(): boolean {
    return this.#reader.deliversPings;
  }
  set deliversPings(value: boolean) {
    this.#reader.deliversPings = value;
  }

  /**
   * The next instant at which {@linkcode WebSocketCore.handleTimeout} has
   * something to do; Infinity where there is none. It moves with every call: look
   * again when it has come.
   */
  get deadlineMs(): number {
    if (this.#isOver) return Infinity;
    if (this.#state !== "open") return this.#closeDeadlineMs;
    return Math.min(this.#keepalive.deadlineMs, this.#lookAheadMs());
  }

  /**
   * Where the next read from the transport goes. The core takes what comes as it
   * is, and puts a long message together there.
   *
   * @returns A view, never empty; it is filled before
   * {@linkcode WebSocketCore.commit}, and void afterwards.
   */
  writable(): Uint8Array<ArrayBuffer> {
    return this.#reader.writable();
  }

  /**
   * Notes that a read has put bytes where {@linkcode WebSocketCore.writable} said.
   *
   * @param byteCount How many.
   * @param nowMs The instant.
   * @throws {RangeError} If there was no room for so many.
   */
  commit(byteCount: number, nowMs: number = this.#nowMs): void {
    this.#reader.commit(byteCount);
    this.#noteInput(byteCount, nowMs);
  }

  /**
   * Takes bytes that came from the peer, by copying them. An empty chunk is
   * nothing. Not while a read into {@linkcode WebSocketCore.writable} is under
   * way.
   *
   * @param chunk Bytes in the order in which they came.
   * @param nowMs The instant.
   * @throws {LimitExceededError} If more than `maxBufferedBytes` would wait. None
   * of the chunk is taken then: pull events and give it again, in parts if need be.
   */
  receive(chunk: Uint8Array, nowMs: number = this.#nowMs): void {
    if (!this.#readsOn()) return this.#noteInput(0, nowMs);
    this.#reader.receive(chunk);
    this.#noteInput(chunk.length, nowMs);
  }

  /** Notes that the peer has ended its stream; what came before still counts. */
  receiveEnd(): void {
    this.#isEnded = true;
    if (this.#state === "closed") this.#isOver = true;
  }

  /**
   * Reads on to the next event.
   *
   * @returns What the peer did; `undefined` where more input is needed. Once the
   * connection is closed, `close` again and again.
   * @throws {WebSocketProtocolError} If the peer broke the protocol; from then on
   * every call throws the same object, as after all that follow.
   * @throws {LimitExceededError} If a message is longer than `maxMessageBytes`.
   * @throws {ConnectionClosedError} If the peer ended its stream without a Close
   * frame.
   * @throws {TimeoutError} If the peer did not answer a ping.
   * @throws {unknown} What {@linkcode WebSocketCore.abort} was given.
   */
  nextEvent(): WebSocketEvent | undefined {
    const ahead = this.#ahead;
    if (ahead !== undefined) {
      this.#ahead = undefined;
      return ahead;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#closure !== undefined) return this.#closure;
    try {
      return this.#readEvent();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /**
   * Sends a text message. A lone surrogate becomes U+FFFD.
   *
   * @param text The message.
   * @param options Whether to compress it.
   * @throws {WebSocketStateError} If closing has begun, or a message in fragments
   * is under way.
   */
  sendText(text: string, options?: SendOptions): void {
    if (this.#state !== "open") throw notOpen(this.#state, "text");
    this.#writer.writeText(text, options);
  }

  /**
   * Sends a binary message.
   *
   * @param bytes The message. From 128 KiB on a server may not copy it: it has to
   * stay as it is until it is written.
   * @param options Whether to compress it.
   * @throws {WebSocketStateError} As {@linkcode WebSocketCore.sendText}.
   */
  sendBinary(bytes: Uint8Array, options?: SendOptions): void {
    if (this.#state !== "open") throw notOpen(this.#state, "binary");
    this.#writer.writeBinary(bytes, options);
  }

  /**
   * Sends the next fragment of a message. The first one begins the message, and
   * no other message can be sent before the final one. Pings, pongs and Close
   * frames can.
   *
   * @param fragment A string in a text message, bytes in a binary one; maybe
   * empty. Strings may be cut within a surrogate pair.
   * @param isFinal Whether the message ends with it.
   * @param options Whether to compress the message; looked at in its first
   * fragment.
   * @throws {WebSocketStateError} If closing has begun, or the message under way is
   * of the other kind.
   */
  sendFragment(fragment: string | Uint8Array, isFinal: boolean, options?: SendOptions): void {
    if (this.#state !== "open") throw notOpen(this.#state, "fragment");
    this.#writer.writeFragment(fragment, isFinal, options);
  }

  /**
   * Sends a ping.
   *
   * @param payload What the pong has to repeat, at most 125 bytes.
   * @throws {WebSocketStateError} If closing has begun.
   * @throws {RangeError} If the payload is too long.
   */
  sendPing(payload: Uint8Array = EMPTY): void {
    this.#sendControl(Opcode.PING, "ping", payload);
  }

  /**
   * Sends a pong nobody asked for (RFC 6455 section 5.5.3).
   *
   * @param payload At most 125 bytes.
   * @throws {WebSocketStateError} If closing has begun.
   * @throws {RangeError} If the payload is too long.
   */
  sendPong(payload: Uint8Array = EMPTY): void {
    this.#sendControl(Opcode.PONG, "pong", payload);
  }

  /**
   * Begins to close: nothing can be sent afterwards, and what comes is dropped but
   * for the Close frame of the peer. Does nothing where closing has begun.
   *
   * @param code What to tell the peer, 1005 for nothing.
   * @param reason More of it, at most 123 bytes in UTF-8.
   * @param nowMs The instant, from which `closeTimeoutMs` counts.
   * @throws {RangeError} If the code may not be sent, or the reason is too long.
   */
  close(
    code: number = CloseCode.NORMAL_CLOSURE,
    reason: string = "",
    nowMs: number = this.#nowMs,
  ): void {
    const payload = encodeCloseFrame(code, reason);
    this.#noteTime(nowMs);
    if (this.#state !== "open") return;
    this.#sendClose(payload);
    this.#ahead = undefined;
    this.#reader.discard();
  }

  /**
   * Takes the next bytes to write. Those of the last call count as written.
   *
   * @returns Bytes that stay as they are until the next call; `undefined` where
   * there is nothing to write.
   */
  takeOutput(): Uint8Array | undefined {
    const output = this.#writer.take();
    if (this.#unanswered !== undefined && !this.isWriterBehind) {
      const payload = this.#unanswered;
      this.#unanswered = undefined;
      this.#writer.writeControl(Opcode.PONG, payload);
      return output ?? this.#writer.take();
    }
    return output;
  }

  /**
   * The caller waits for input: silence of the peer counts from now on.
   *
   * @param nowMs The instant.
   */
  resumeReading(nowMs: number): void {
    this.#noteTime(nowMs);
    this.#pausedMs = Infinity;
    this.#keepalive.listen(nowMs);
  }

  /**
   * The caller does not read for now: silence does not count, and what has come is
   * looked at after `lookAheadTimeoutMs`.
   *
   * @param nowMs The instant.
   */
  pauseReading(nowMs: number): void {
    this.#noteTime(nowMs);
    if (this.#pausedMs === Infinity) this.#pausedMs = nowMs;
    this.#keepalive.pause();
  }

  /**
   * Does what is due: pings, gives up waiting, or looks at what has come.
   *
   * @param nowMs The instant; before {@linkcode WebSocketCore.deadlineMs} nothing
   * happens.
   */
  handleTimeout(nowMs: number): void {
    this.#noteTime(nowMs);
    if (this.#isOver) return;
    if (this.#state === "open") {
      if (nowMs >= this.#lookAheadMs()) this.#lookAhead();
      if (this.#state === "open") this.#checkKeepalive(nowMs);
    } else if (nowMs >= this.#closeDeadlineMs) {
      if (this.#state === "close-sent") this.#endUnclean();
      this.#isOver = true;
    }
  }

  /**
   * Gives the connection up without a word: its transport failed, or the caller
   * wants no more of it. Does nothing but end the wait for the peer where the
   * connection is closed already.
   *
   * @param error What {@linkcode WebSocketCore.nextEvent} throws from now on, as
   * it is.
   * @param by Whose doing it was.
   */
  abort(error: unknown, by: CloseEvent["by"] = "local"): void {
    if (this.#closure === undefined) {
      this.#ahead = undefined;
      this.#end("end", error, {
        type: "close",
        code: CloseCode.ABNORMAL_CLOSURE,
        reason: "",
        clean: false,
        by,
      });
    }
    this.#isOver = true;
  }

  /** Lets go of spare memory, for a connection that rests; not while a read is under way. */
  shrink(): void {
    this.#reader.shrink();
    this.#writer.shrink();
  }

  /** Whether what comes is still of interest. */
  #readsOn(): boolean {
    return this.#state === "open" || this.#state === "close-sent";
  }

  #noteTime(nowMs: number): void {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
  }

  #noteInput(byteCount: number, nowMs: number): void {
    this.#noteTime(nowMs);
    if (byteCount > 0) this.#keepalive.hear(nowMs);
    if (!this.#readsOn()) this.#reader.clear();
  }

  #readEvent(): WebSocketEvent | undefined {
    for (;;) {
      const event = this.#reader.next();
      if (event === undefined) return this.#isEnded ? this.#endOfStream() : undefined;
      if (event.type === "close-payload") return this.#receiveClose(event);
      if (this.#state !== "open") continue;
      if (event.type === "ping") {
        this.#answer(event.data);
        if (!this.#reader.deliversPings) continue;
      }
      return event;
    }
  }

  /** RFC 6455 section 5.5.3: where pings come faster than pongs leave, the latest counts. */
  #answer(payload: Uint8Array): void {
    if (!this.isWriterBehind) return this.#writer.writeControl(Opcode.PONG, payload);
    this.#latestPing ??= new Uint8Array(MAX_CONTROL_BYTES);
    this.#latestPing.set(payload);
    this.#unanswered = this.#latestPing.subarray(0, payload.length);
  }

  #receiveClose({ data }: ClosePayload): CloseEvent {
    const { code, reason } = decodeCloseFrame(data);
    const by = this.#state === "open" ? "remote" : "local";
    this.#move("receiveClose");
    // RFC 6455 section 5.5.1: the answer repeats the code.
    if (by === "remote") this.#sendClose(data.subarray(0, 2));
    this.#reader.clear();
    this.#isOver = this.#role === "server" || this.#isEnded;
    return this.#closure = { type: "close", code, reason, clean: true, by };
  }

  /** The peer ended its stream, and no Close frame was in it. */
  #endOfStream(): CloseEvent {
    if (this.#state === "close-sent") return this.#endUnclean();
    const bytesReceived = this.#reader.unfinishedBytes;
    throw new ConnectionClosedError("Cannot read message: the stream ended without a Close frame", {
      bytesReceived,
    });
  }

  /** We began to close, and the peer never answered. */
  #endUnclean(): CloseEvent {
    this.#move("end");
    this.#reader.clear();
    this.#isOver = true;
    const code = CloseCode.ABNORMAL_CLOSURE;
    return this.#closure = { type: "close", code, reason: "", clean: false, by: "local" };
  }

  /** The last frame of ours. */
  #sendClose(payload: Uint8Array): void {
    this.#move("sendClose");
    this.#unanswered = undefined;
    this.#writer.writeControl(Opcode.CLOSE, payload);
    this.#writer.close();
    this.#closeDeadlineMs = this.#nowMs + this.#closeTimeoutMs;
  }

  #sendControl(opcode: number, event: string, payload: Uint8Array): void {
    if (this.#state !== "open") throw notOpen(this.#state, event);
    if (payload.length > MAX_CONTROL_BYTES) {
      throw new RangeError(
        `Cannot send ${event}: ${payload.length} bytes, expected at most ${MAX_CONTROL_BYTES}`,
      );
    }
    this.#writer.writeControl(opcode, payload);
  }

  #fail(error: unknown): void {
    const wasOpen = this.#state === "open";
    const isLost = error instanceof ConnectionClosedError;
    const { code, reason } = describe(error);
    if (wasOpen && !isLost) {
      this.#writer.writeControl(Opcode.CLOSE, encodeCloseFrame(code, reason));
    }
    const by = isLost ? "remote" : "local";
    const closure = { type: "close", code, reason, clean: false, by } as const;
    this.#end(isLost ? "end" : "fail", error, closure);
  }

  /** Nothing more is sent or read. */
  #end(transition: "end" | "fail", error: unknown, closure: CloseEvent): void {
    this.#move(transition);
    this.#unanswered = undefined;
    this.#writer.close();
    this.#reader.clear();
    this.#failure = { error };
    this.#closure = closure;
    this.#isOver = true;
  }

  /** When what has come is looked at although nobody asked. */
  #lookAheadMs(): number {
    if (this.#pausedMs === Infinity || this.#ahead !== undefined) return Infinity;
    if (this.bufferedBytes === 0) return Infinity;
    return this.#pausedMs + this.#lookAheadTimeoutMs;
  }

  #lookAhead(): void {
    try {
      this.#ahead = this.#readEvent();
      // Not again for what is incomplete.
      if (this.#ahead === undefined) this.#pausedMs = this.#nowMs;
    } catch (error) {
      this.#fail(error);
    }
  }

  #checkKeepalive(nowMs: number): void {
    const due = this.#keepalive.check(nowMs);
    if (due === "ping") this.#writer.writeControl(Opcode.PING, EMPTY);
    if (due !== "dead") return;
    const timeoutMs = this.#pongTimeoutMs;
    this.#fail(
      new TimeoutError(`Cannot keep connection: no byte came within ${timeoutMs} ms of a ping`, {
        phase: "pong",
        timeoutMs,
      }),
    );
  }

  #move(transition: WebSocketTransition): void {
    // Every caller has looked at the state.
    this.#state = nextWebSocketState(this.#state, transition)!;
    if (!this.#readsOn()) this.#compression?.inflater.close();
  }
}

/** What the Close frame says because of an error: its code, and that of the error. */
function describe(error: unknown): { readonly code: number; readonly reason: string } {
  if (error instanceof WebSocketProtocolError) {
    return { code: error.closeCodeHint, reason: error.code };
  }
  if (error instanceof LimitExceededError) {
    return { code: CloseCode.MESSAGE_TOO_BIG, reason: error.limit };
  }
  if (error instanceof ConnectionClosedError) {
    return { code: CloseCode.ABNORMAL_CLOSURE, reason: "" };
  }
  return { code: CloseCode.INTERNAL_ERROR, reason: "" };
}
