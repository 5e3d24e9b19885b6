// This module is sans-I/O.

/**
 * WebSocket as a state machine (RFC 6455, and RFC 7692 as far as frames and parameters go): no
 * sockets, no timers, no promises, no randomness. It runs in a test, a proxy, a browser or another
 * runtime, over whatever moves bytes, and needs no permission.
 *
 * The handshake is {@linkcode decideHandshake} on a server and {@linkcode ClientHandshake} on a
 * client; {@linkcode WebSocketCore} is the connection behind it, in either role. A driver reads
 * bytes into the core, pulls events until there is none, writes what `takeOutput()` gives, calls
 * `handleTimeout()` at `deadlineMs`, and closes when `mustDisconnect` says so.
 * {@linkcode FrameDecoder} and {@linkcode FrameEncoder} are frames alone.
 *
 * Errors:
 *
 * - {@linkcode WebSocketProtocolError}: the peer broke the protocol; `closeCodeHint` is what it is
 *   told. Its codes are `ERR_WEBSOCKET_` with `RESERVED_BIT`, `BAD_OPCODE`, `NOT_MASKED`, `MASKED`,
 *   `BAD_LENGTH`, `CONTROL_TOO_LONG`, `FRAGMENTED_CONTROL`, `UNEXPECTED_CONTINUATION`,
 *   `MISSING_CONTINUATION`, `BAD_CLOSE_PAYLOAD`, `BAD_CLOSE_CODE`, `BAD_UTF8`,
 *   `BAD_COMPRESSED_DATA`, `BAD_EXTENSION`, `BAD_HANDSHAKE`.
 * - {@linkcode WebSocketStateError}: the caller did something that is not legal now:
 *   `ERR_WEBSOCKET_NOT_OPEN`, `ERR_WEBSOCKET_MESSAGE_OPEN`.
 * - `LimitExceededError`, `ConnectionClosedError`, `TimeoutError`: a message that is too long, a
 *   peer that left or is silent.
 * - `TypeError`, `RangeError`: an argument is wrong.
 *
 * @example Answering a masked text
 * ```ts
 * import { WebSocketCore } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const server = new WebSocketCore({ role: "server" });
 * // "Hello" of RFC 6455 section 5.7.
 * server.receive(Uint8Array.fromHex("818537fa213d7f9f4d5158"));
 * const event = server.nextEvent();
 * assertEquals(event, { type: "text", data: "Hello" });
 * server.sendText("Hello");
 * assertEquals(server.takeOutput()?.toHex(), "810548656c6c6f");
 * ```
 *
 * @module
 */

export { CloseCode, isSendableCloseCode, MAX_CLOSE_REASON_BYTES } from "./close_code.ts";
export { type CloseFrame, decodeCloseFrame, encodeCloseFrame } from "./close_frame.ts";
export type { Deflater, Inflater, WebSocketCompression } from "./compression.ts";
export { WebSocketCore } from "./connection.ts";
export type { WebSocketCoreOptions, WebSocketRole } from "./connection_options.ts";
export type { WebSocketState } from "./connection_state.ts";
export * from "./errors.ts";
export type * from "./events.ts";
export {
  formatWebSocketExtensions,
  parseWebSocketExtensions,
  type WebSocketExtension,
  type WebSocketExtensionParameter,
  type WebSocketExtensionsOptions,
} from "./extension_header.ts";
export {
  acceptDeflateOffer,
  type AcceptedDeflate,
  createDeflateOffer,
  type DeflateNegotiationOptions,
  type DeflateParameters,
  verifyDeflateResponse,
} from "./extension_negotiation.ts";
export {
  FrameDecoder,
  type FrameDecoderOptions,
  MAX_CONTROL_BYTES,
  Opcode,
} from "./frame_decoder.ts";
export { FrameEncoder, type FrameEncoderOptions, type WriteFrameOptions } from "./frame_encoder.ts";
export {
  ClientHandshake,
  type HandshakeAgreement,
  type HandshakeClientOptions,
  type WebSocketResponse,
} from "./handshake_client.ts";
export type { Sha1, WebSocketRequest } from "./handshake_request.ts";
export {
  decideHandshake,
  type HandshakeAccepted,
  type HandshakeDecision,
  type HandshakeRefused,
  type HandshakeServerOptions,
  type SubprotocolChoice,
} from "./handshake_server.ts";
export { applyMask } from "./mask.ts";
export { MessageAssembler } from "./message_assembler.ts";
export type { SendOptions } from "./message_writer.ts";
export { originRule, type WebSocketOrigin } from "./origin_rule.ts";
export { Utf8Validator } from "./utf8_validator.ts";
