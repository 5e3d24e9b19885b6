// This module is sans-I/O.

import { CloseCode, isSendableCloseCode, MAX_CLOSE_REASON_BYTES } from "./close_code.ts";
import { WebSocketProtocolError } from "./errors.ts";
import { decodeUtf8 } from "./utf8_text.ts";

const ENCODER = new TextEncoder();
const EMPTY = new Uint8Array(0);

/** What a Close frame says. */
export interface CloseFrame {
  /** Its code; 1005 where it has none. */
  readonly code: number;
  /** Its reason, maybe empty. */
  readonly reason: string;
}

/**
 * Decodes the payload of a Close frame (RFC 6455 section 5.5.1).
 *
 * @param payload Its bytes, unmasked.
 * @returns Code and reason.
 * @throws {WebSocketProtocolError} If the payload is one byte, the code is none
 * that may be sent, or the reason is no UTF-8.
 *
 * @example A code with a reason
 * ```ts
 * import { decodeCloseFrame } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const payload = new Uint8Array([0x03, 0xe8, 0x62, 0x79, 0x65]);
 * assertEquals(decodeCloseFrame(payload), { code: 1000, reason: "bye" });
 * assertEquals(decodeCloseFrame(new Uint8Array(0)), { code: 1005, reason: "" });
 * ```
 */
export function decodeCloseFrame(payload: Uint8Array): CloseFrame {
  if (payload.length === 0) return { code: CloseCode.NO_STATUS_RECEIVED, reason: "" };
  if (payload.length === 1) {
    throw new WebSocketProtocolError(
      "ERR_WEBSOCKET_BAD_CLOSE_PAYLOAD",
      "Cannot accept Close frame: its payload is 1 byte, expected none or at least 2",
    );
  }
  const code = payload[0]! << 8 | payload[1]!;
  if (!isSendableCloseCode(code)) {
    throw new WebSocketProtocolError(
      "ERR_WEBSOCKET_BAD_CLOSE_CODE",
      `Cannot accept Close frame: code ${code} may not be sent`,
    );
  }
  const reason = decodeUtf8(payload, 2, payload.length);
  if (reason !== undefined) return { code, reason };
  throw new WebSocketProtocolError(
    "ERR_WEBSOCKET_BAD_UTF8",
    "Cannot accept Close frame: its reason is no UTF-8",
    { closeCodeHint: CloseCode.INVALID_PAYLOAD_DATA },
  );
}

/**
 * Encodes the payload of a Close frame.
 *
 * @param code The code; 1005 for a frame without one.
 * @param reason The reason; empty with 1005.
 * @returns The payload, at most 125 bytes.
 * @throws {RangeError} If the code may not be sent, or the reason is longer than
 * 123 bytes in UTF-8.
 *
 * @example A frame without a code
 * ```ts
 * import { encodeCloseFrame } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeCloseFrame(1005, ""), new Uint8Array(0));
 * assertEquals(encodeCloseFrame(1000, ""), new Uint8Array([0x03, 0xe8]));
 * ```
 */
export function encodeCloseFrame(code: number, reason: string): Uint8Array<ArrayBuffer> {
  if (code === CloseCode.NO_STATUS_RECEIVED && reason === "") return EMPTY;
  if (!isSendableCloseCode(code)) {
    throw new RangeError(
      `Cannot close: code ${code}, expected 1000 to 1003, 1007 to 1014 or 3000 to 4999`,
    );
  }
  const text = ENCODER.encode(reason);
  if (text.length > MAX_CLOSE_REASON_BYTES) {
    throw new RangeError(
      `Cannot close: reason of ${text.length} bytes, expected at most ${MAX_CLOSE_REASON_BYTES}`,
    );
  }
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >>> 8;
  payload[1] = code;
  payload.set(text, 2);
  return payload;
}
