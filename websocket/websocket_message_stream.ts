import { ConnectionClosedError } from "../nbio/errors.ts";
import type { PieceEvent } from "./events.ts";

/** A message that is read as it comes. */
export interface WebSocketMessageStream {
  /** What the message is. */
  readonly type: "text" | "binary";
  /**
   * Its bytes. Text is UTF-8, cut anywhere: a `TextDecoderStream` joins it. It errors if the
   * connection ends before the message, and cancelling it skips the rest.
   */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/**
 * Makes a stream of the pieces of a message.
 *
 * @param first Its first piece.
 * @param next Waits for the next piece.
 * @returns The message.
 */
export function messageStream(
  first: PieceEvent,
  next: () => Promise<PieceEvent | "end">,
): WebSocketMessageStream {
  let piece: PieceEvent | undefined = first;
  const readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller): Promise<void> {
      // An empty piece is no answer to a pull.
      for (;;) {
        const taken: PieceEvent = piece ?? pieceOf(await next());
        piece = undefined;
        if (taken.data.length > 0) controller.enqueue(taken.data);
        if (taken.isFinal) return controller.close();
        if (taken.data.length > 0) return;
      }
    },
    async cancel(): Promise<void> {
      let isFinal = piece?.isFinal ?? false;
      while (!isFinal) isFinal = pieceOf(await next()).isFinal;
    },
  }, { highWaterMark: 0 });
  return { type: first.kind, readable };
}

function pieceOf(event: PieceEvent | "end"): PieceEvent {
  if (event !== "end") return event;
  throw new ConnectionClosedError("Cannot read message: closed before its end");
}
