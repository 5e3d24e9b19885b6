import { assertEquals } from "@std/assert";
import { WebSocketStateError } from "../../websocket/errors.ts";
import {
  nextWebSocketState,
  notOpen,
  type WebSocketState,
  type WebSocketTransition,
} from "../../websocket/connection_state.ts";

const STATES = ["open", "close-sent", "close-received", "closed", "failed", "lost"] as const;
const TRANSITIONS = ["sendClose", "receiveClose", "fail", "end"] as const;

/** Every legal way; all others are illegal. */
const WAYS: readonly [WebSocketState, WebSocketTransition, WebSocketState][] = [
  ["open", "sendClose", "close-sent"],
  ["open", "receiveClose", "close-received"],
  ["open", "fail", "failed"],
  ["open", "end", "lost"],
  ["close-sent", "receiveClose", "closed"],
  ["close-sent", "fail", "failed"],
  ["close-sent", "end", "lost"],
  ["close-received", "sendClose", "closed"],
];

Deno.test("nextWebSocketState() knows every way, and no other", () => {
  for (const state of STATES) {
    for (const transition of TRANSITIONS) {
      const way = WAYS.find(([from, what]) => from === state && what === transition);
      assertEquals(nextWebSocketState(state, transition), way?.[2], `${state}, ${transition}`);
    }
  }
});

Deno.test("notOpen() tells the state and what was sent", () => {
  const error = notOpen("closed", "ping");
  assertEquals(error instanceof WebSocketStateError, true);
  assertEquals([error.code, error.state, error.event], [
    "ERR_WEBSOCKET_NOT_OPEN",
    "closed",
    "ping",
  ]);
});
