import type { BinaryEvent, PieceEvent, TextEvent } from "./events.ts";
import type { InputEvent } from "./websocket_input.ts";

/**
 * A message: `{ type: "text", data: string }` or `{ type: "binary", data: Uint8Array }`. The
 * `buffer` of short bytes is shared with other messages, as that of a Node `Buffer` is: do not
 * transfer it, but that of `data.slice()`.
 */
export type WebSocketMessage = TextEvent | BinaryEvent;

/** The messages to come, asked for one by one; leaving the loop closes nothing. */
export class MessageIterator implements AsyncIterableIterator<WebSocketMessage> {
  /** Waits for the next message. */
  readonly next: () => Promise<IteratorResult<WebSocketMessage>>;

  /** @param next Waits for the next message. */
  constructor(next: () => Promise<IteratorResult<WebSocketMessage>>) {
    this.next = next;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** What a reader of pieces is given: what has come. */
export function eventOf(event: InputEvent): InputEvent {
  return event;
}

/** What a reader of messages is given. Pieces come only to who asks for them, and that is another. */
export function messageOf(event: InputEvent): WebSocketMessage | undefined {
  return event === "end" || event.type === "piece" ? undefined : event;
}

/** What an iteration is given. */
export function resultOf(event: InputEvent): IteratorResult<WebSocketMessage> {
  const value = messageOf(event);
  return value === undefined ? { done: true, value } : { done: false, value };
}

/** A message that was put together before it was asked for in pieces. */
export function wholePiece(message: WebSocketMessage): PieceEvent {
  const { type, data } = message;
  // A piece has memory of its own: who reads a stream may transfer it.
  const bytes = type === "text" ? new TextEncoder().encode(data) : data.slice();
  return { type: "piece", kind: type, data: bytes, isFinal: true };
}
