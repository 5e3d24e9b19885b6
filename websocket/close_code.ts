// This module is sans-I/O.

/**
 * The close codes by name: RFC 6455 section 7.4.1 and the IANA registry it set
 * up.
 *
 * @example Closing because the process goes away
 * ```ts
 * import { CloseCode, isSendableCloseCode } from "@nbio/net/websocket/core";
 * import { assert, assertFalse } from "@std/assert";
 *
 * assert(isSendableCloseCode(CloseCode.GOING_AWAY));
 * assertFalse(isSendableCloseCode(CloseCode.ABNORMAL_CLOSURE));
 * ```
 */
export const CloseCode = {
  /** 1000: what the connection was for is done. */
  NORMAL_CLOSURE: 1000,
  /** 1001: a server goes down, a page is left. */
  GOING_AWAY: 1001,
  /** 1002: the other side broke the protocol. */
  PROTOCOL_ERROR: 1002,
  /** 1003: a kind of data that is not accepted. */
  UNSUPPORTED_DATA: 1003,
  /** 1005: no code came. Never on the wire. */
  NO_STATUS_RECEIVED: 1005,
  /** 1006: the connection ended without a Close frame. Never on the wire. */
  ABNORMAL_CLOSURE: 1006,
  /** 1007: data that is not what its type says, such as text that is no UTF-8. */
  INVALID_PAYLOAD_DATA: 1007,
  /** 1008: against the rules of this end; where nothing else fits. */
  POLICY_VIOLATION: 1008,
  /** 1009: a message that is too big. */
  MESSAGE_TOO_BIG: 1009,
  /** 1010: the server did not agree on an extension the client needs. */
  MANDATORY_EXTENSION: 1010,
  /** 1011: something unexpected on this end. */
  INTERNAL_ERROR: 1011,
  /** 1012: the service restarts. */
  SERVICE_RESTART: 1012,
  /** 1013: overload; try again later. */
  TRY_AGAIN_LATER: 1013,
  /** 1014: a gateway got a bad response. */
  BAD_GATEWAY: 1014,
  /** 1015: the TLS handshake failed. Never on the wire. */
  TLS_HANDSHAKE: 1015,
} as const;

/** One of the registered close codes. */
export type CloseCode = typeof CloseCode[keyof typeof CloseCode];

/** Longest reason of a Close frame, in UTF-8 bytes: a control frame without its code. */
export const MAX_CLOSE_REASON_BYTES = 123;

/**
 * Whether a Close frame may carry the code, in either direction: a registered
 * one but for 1005, 1006 and 1015, one of a library or framework (3000 to 3999),
 * or a private one (4000 to 4999). RFC 6455 section 7.4.
 *
 * @param code Any number.
 * @returns Whether it may stand on the wire.
 *
 * @example What an application may close with
 * ```ts
 * import { isSendableCloseCode } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const codes = [999, 1000, 1004, 1005, 1014, 1015, 2999, 3000, 4999, 5000];
 * assertEquals(codes.filter(isSendableCloseCode), [1000, 1014, 3000, 4999]);
 * ```
 */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  // 1004 is reserved: nobody has said what it means.
  if (code >= 1000 && code <= 1014) return code < 1004 || code > 1006;
  return code >= 3000 && code <= 4999;
}
