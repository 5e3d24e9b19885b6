// This module is sans-I/O.

import { WebSocketStateError } from "./errors.ts";

/**
 * The states of a connection, and every way from one to the next (RFC 6455
 * section 7).
 *
 *     open --- sendClose ----> close-sent ------ receiveClose --+
 *      |                                                        v
 *      +--- receiveClose --> close-received ---- sendClose --> closed
 *
 * Both ends pass through one of the two middle states; where both begin at the
 * same time, both through the upper one. Nothing is sent after a Close frame,
 * and nothing that comes after one is looked at.
 *
 * Two more states end a connection for good:
 *
 * - `failed`: the peer broke the protocol or a limit, or did not answer a ping.
 *   A Close frame says so, if none was sent before; no answer is waited for.
 * - `lost`: the transport ended without a Close frame of the peer, or none came
 *   in time.
 */
export type WebSocketState =
  | "open"
  | "close-sent"
  | "close-received"
  | "closed"
  | "failed"
  | "lost";

/** What can happen to a connection. */
export type WebSocketTransition = "sendClose" | "receiveClose" | "fail" | "end";

type Table = Readonly<
  Record<WebSocketState, Readonly<Partial<Record<WebSocketTransition, WebSocketState>>>>
>;

const TRANSITIONS = {
  "open": {
    sendClose: "close-sent",
    receiveClose: "close-received",
    fail: "failed",
    end: "lost",
  },
  "close-sent": { receiveClose: "closed", fail: "failed", end: "lost" },
  // Passed at once: the answer is written where the frame is read.
  "close-received": { sendClose: "closed" },
  "closed": {},
  "failed": {},
  "lost": {},
} as const satisfies Table;

/**
 * Where a connection goes from a state.
 *
 * @param state State it is in.
 * @param transition What happens.
 * @returns The next state; `undefined` where this is illegal.
 */
export function nextWebSocketState(
  state: WebSocketState,
  transition: WebSocketTransition,
): WebSocketState | undefined {
  return (TRANSITIONS as Table)[state][transition];
}

/** The error of a caller that sends where nothing can be sent any more. */
export function notOpen(state: WebSocketState, event: string): WebSocketStateError {
  return new WebSocketStateError(
    "ERR_WEBSOCKET_NOT_OPEN",
    `Cannot send ${event}: the state is ${state}, expected open`,
    { state, event },
  );
}
