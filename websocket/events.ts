// This module is sans-I/O.

/** A text message has come. */
export interface TextEvent {
  /** Tells the events apart. */
  readonly type: "text";
  /** The message. */
  readonly data: string;
}

/** A binary message has come. */
export interface BinaryEvent {
  /** Tells the events apart. */
  readonly type: "binary";
  /**
   * The message. Its bytes belong to the caller, but its `buffer` may be longer. That of a short
   * one also holds other messages: whoever transfers it takes theirs away, and a message that is
   * kept keeps 8 KiB of others. `data.slice()` has memory of its own.
   */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A piece of a message has come, where messages are wanted in pieces. */
export interface PieceEvent {
  /** Tells the events apart. */
  readonly type: "piece";
  /** What the message is. */
  readonly kind: "text" | "binary";
  /**
   * The piece, maybe empty, in memory that belongs to the caller. That of a text
   * is valid as far as it goes, but may end within a character.
   */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Whether the message ends with it. */
  readonly isFinal: boolean;
}

/** A ping has come. It is answered already, as far as it has to be. */
export interface PingEvent {
  /** Tells the events apart. */
  readonly type: "ping";
  /** 0 to 125 bytes that belong to the caller. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A pong has come, asked for or not. */
export interface PongEvent {
  /** Tells the events apart. */
  readonly type: "pong";
  /** 0 to 125 bytes that belong to the caller. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * The connection is closed or about to be: no message will come. It comes again
 * at every further call.
 */
export interface CloseEvent {
  /** Tells the events apart. */
  readonly type: "close";
  /**
   * The code of the peer's Close frame, 1005 where that had none, 1006 where none
   * came. After an error, the code that was sent because of it.
   */
  readonly code: number;
  /** The reason that came or went with the code, maybe empty. */
  readonly reason: string;
  /** Whether a Close frame went both ways. */
  readonly clean: boolean;
  /** Who began: this end or the peer. The one whose transport just ended began. */
  readonly by: "local" | "remote";
}

/** What the peer did. */
export type WebSocketEvent =
  | TextEvent
  | BinaryEvent
  | PieceEvent
  | PingEvent
  | PongEvent
  | CloseEvent;
