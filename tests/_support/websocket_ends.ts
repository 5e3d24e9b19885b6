/** Either end of a WebSocket over any transport, behind a handshake nobody made. */

import type { Transport } from "../../nbio/transport.ts";
import type { WebSocketCompression } from "../../websocket/compression.ts";
import type { WebSocketRole } from "../../websocket/connection_options.ts";
import { WebSocketConnection } from "../../websocket/websocket_connection.ts";
import {
  resolveWebSocketOptions,
  type WebSocketOptions,
} from "../../websocket/websocket_options.ts";
import { KEY_NUMBER } from "./websocket_frames.ts";

/** An end; a client masks every frame with the same key unless it is given others. */
export function webSocketEnd(
  role: WebSocketRole,
  transport: Transport,
  options: WebSocketOptions,
  more: {
    readonly compression?: WebSocketCompression | undefined;
    readonly randomMaskKey?: () => number;
  } = {},
): WebSocketConnection {
  const { compression, randomMaskKey = () => KEY_NUMBER } = more;
  return new WebSocketConnection({
    ...{ role, transport, compression, bytes: new Uint8Array() },
    ...{ subprotocol: "", extensions: "", shutdownSignal: undefined },
    randomMaskKey: role === "client" ? randomMaskKey : undefined,
  }, resolveWebSocketOptions(options));
}
