import { assert, assertEquals } from "@std/assert";
import { NetError } from "../../nbio/errors.ts";
import { WebSocketProtocolError, WebSocketStateError } from "../../websocket/errors.ts";

Deno.test("WebSocketProtocolError carries code, hint and cause", () => {
  const cause = new Error("inner");
  const error = new WebSocketProtocolError("ERR_WEBSOCKET_BAD_UTF8", "Cannot", {
    closeCodeHint: 1007,
    cause,
  });
  assert(error instanceof NetError);
  assertEquals([error.name, error.code, error.closeCodeHint, error.cause], [
    "WebSocketProtocolError",
    "ERR_WEBSOCKET_BAD_UTF8",
    1007,
    cause,
  ]);
});

Deno.test("WebSocketProtocolError answers with 1002 by default", () => {
  assertEquals(new WebSocketProtocolError("ERR_WEBSOCKET_MASKED", "Cannot").closeCodeHint, 1002);
});

Deno.test("WebSocketStateError carries state and event", () => {
  const error = new WebSocketStateError("ERR_WEBSOCKET_NOT_OPEN", "Cannot", {
    state: "closed",
    event: "text",
  });
  assert(error instanceof NetError);
  assertEquals([error.name, error.code, error.state, error.event], [
    "WebSocketStateError",
    "ERR_WEBSOCKET_NOT_OPEN",
    "closed",
    "text",
  ]);
});
