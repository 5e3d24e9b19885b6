// This module is sans-I/O.

import { NetError } from "../nbio/errors.ts";

/** Every way in which a peer can break the WebSocket protocol. Stable. */
export type WebSocketProtocolErrorCode =
  | "ERR_WEBSOCKET_RESERVED_BIT"
  | "ERR_WEBSOCKET_BAD_OPCODE"
  | "ERR_WEBSOCKET_NOT_MASKED"
  | "ERR_WEBSOCKET_MASKED"
  | "ERR_WEBSOCKET_BAD_LENGTH"
  | "ERR_WEBSOCKET_CONTROL_TOO_LONG"
  | "ERR_WEBSOCKET_FRAGMENTED_CONTROL"
  | "ERR_WEBSOCKET_UNEXPECTED_CONTINUATION"
  | "ERR_WEBSOCKET_MISSING_CONTINUATION"
  | "ERR_WEBSOCKET_BAD_CLOSE_PAYLOAD"
  | "ERR_WEBSOCKET_BAD_CLOSE_CODE"
  | "ERR_WEBSOCKET_BAD_UTF8"
  | "ERR_WEBSOCKET_BAD_COMPRESSED_DATA"
  | "ERR_WEBSOCKET_BAD_EXTENSION"
  | "ERR_WEBSOCKET_BAD_HANDSHAKE";

/** What a {@linkcode WebSocketProtocolError} tells beside its message. */
export interface WebSocketProtocolErrorOptions extends ErrorOptions {
  /**
   * The code of the Close frame that answers it (RFC 6455 section 7.4.1).
   *
   * @default {1002}
   */
  readonly closeCodeHint?: number;
}

/**
 * The peer broke the WebSocket protocol, its handshake, or the format of what
 * it sent. The connection cannot go on: nothing after the offending byte can be
 * trusted.
 *
 * @example Reading code and hint
 * ```ts
 * import { WebSocketProtocolError } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new WebSocketProtocolError(
 *   "ERR_WEBSOCKET_BAD_UTF8",
 *   "Cannot decode text: byte 3 is no UTF-8",
 *   { closeCodeHint: 1007 },
 * );
 * assertEquals([error.code, error.closeCodeHint], ["ERR_WEBSOCKET_BAD_UTF8", 1007]);
 * ```
 */
export class WebSocketProtocolError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: WebSocketProtocolErrorCode;
  /** The code of the Close frame that answers it. */
  readonly closeCodeHint: number;

  /**
   * Makes the error.
   *
   * @param code What was broken.
   * @param message The action and the reason.
   * @param options The close code and the cause.
   */
  constructor(
    code: WebSocketProtocolErrorCode,
    message: string,
    options: WebSocketProtocolErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.closeCodeHint = options.closeCodeHint ?? 1002;
  }
}

/** Every way in which a caller can use a WebSocket at the wrong moment. Stable. */
export type WebSocketStateErrorCode =
  | "ERR_WEBSOCKET_NOT_OPEN"
  | "ERR_WEBSOCKET_MESSAGE_OPEN";

/** What a {@linkcode WebSocketStateError} tells beside its message. */
export interface WebSocketStateErrorOptions extends ErrorOptions {
  /** The state in which the call came. */
  readonly state: string;
  /** What was called. */
  readonly event: string;
}

/**
 * The caller did something that is not legal now: sent after closing had begun,
 * or a message in the middle of a fragmented one.
 *
 * @example Telling what was called when
 * ```ts
 * import { WebSocketCore, WebSocketStateError } from "@nbio/net/websocket/core";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const core = new WebSocketCore({ role: "server" });
 * core.close();
 * const error = assertThrows(() => core.sendText("late"), WebSocketStateError);
 * assertEquals(error.code, "ERR_WEBSOCKET_NOT_OPEN");
 * assertEquals([error.state, error.event], ["close-sent", "text"]);
 * ```
 */
export class WebSocketStateError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: WebSocketStateErrorCode;
  /** The state in which the call came. */
  readonly state: string;
  /** What was called. */
  readonly event: string;

  /**
   * Makes the error.
   *
   * @param code What was wrong about the moment.
   * @param message The action and the reason.
   * @param options The state and the call.
   */
  constructor(code: WebSocketStateErrorCode, message: string, options: WebSocketStateErrorOptions) {
    super(message, options);
    this.code = code;
    this.state = options.state;
    this.event = options.event;
  }
}
