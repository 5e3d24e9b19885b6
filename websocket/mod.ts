/**
 * WebSocket (RFC 6455) with permessage-deflate (RFC 7692), for servers and clients.
 *
 * {@linkcode upgrade} makes a {@linkcode WebSocketConnection} out of a request to
 * `@nbio/net/http`, {@linkcode dial} one to a server. Both ends then do the same: iterate over
 * messages or read them one by one or as streams; send with back-pressure, whole or in fragments;
 * ping; close with code and reason. The protocol itself, without any socket, is in
 * `@nbio/net/websocket/core`.
 *
 * Strict where laxness hurts: pages of other origins are refused by default, the answer of a server
 * is verified to the last field, invalid text fails inside an unfinished frame, and everything a
 * peer can make this end hold or wait for has a bound in {@linkcode WebSocketOptions}.
 *
 * Take it where `new WebSocket` cannot: to hold a sender back, to compress, to read a message before it
 * is complete, to bound what a peer may send.
 *
 * | standard | done | refused or missing, and why |
 * | --- | --- | --- |
 * | RFC 6455 section 4, handshakes | both roles, subprotocols, redirects if asked for | other versions than 13: 426; other origins, unless `origin` allows them |
 * | section 5, frames | all | bits and opcodes nobody agreed on; what a client did not mask, and a server did |
 * | section 6, 5.4 messages | fragments in and out, as streams if wanted | |
 * | section 7, closing | both roles, codes checked, deadlines | 1005, 1006 and 1015 are never sent |
 * | section 8.1, UTF-8 | inside an unfinished frame | |
 * | section 9, extensions | negotiation by RFC 7692 | extensions of one's own |
 * | section 10.1, 10.4 | origins, and a bound on everything | |
 * | RFC 7692, permessage-deflate | all four parameters, on request | on by default: memory, and secrets beside text of others |
 * | RFC 8441, 9220 | | WebSocket over HTTP/2 and 3: out of scope |
 *
 * Permissions: a server needs that of its listener and nothing else, a client `--allow-net` for the
 * host and port of the URL.
 *
 * Errors:
 *
 * - `HttpError` of `@nbio/net/http`: the request is no handshake to accept (400, 403, 405, 426).
 * - {@linkcode WebSocketProtocolError}: the peer broke the protocol or the handshake; its codes are
 *   listed in `@nbio/net/websocket/core`.
 * - {@linkcode WebSocketStateError}: something was sent after closing had begun.
 * - `ProxyError` of `@nbio/net/http`: a proxy did not connect.
 * - `ConnectError`, `ConnectionClosedError`, `LimitExceededError`, `TimeoutError` of
 *   `@nbio/net/nbio`: no server, a peer that left, a bound, a deadline.
 *
 * @example A server and a client
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { dial, upgrade } from "@nbio/net/websocket";
 * import { assert, assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => {
 *   await using ws = await upgrade(ctx, { compression: true, maxMessageBytes: 65_536 });
 *   for await (const message of ws) await ws.send(message.data);
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const ws = await dial(`ws://127.0.0.1:${port}/`, { compression: true });
 * void ws.send("text");
 * void ws.send(new Uint8Array([1, 2, 3]));
 * assertEquals((await ws.readMessage())?.data, "text");
 * assertEquals((await ws.readMessage())?.data, new Uint8Array([1, 2, 3]));
 * assert((await ws.close()).clean);
 * ```
 *
 * @module
 */

export type { DialHttpOptions, HttpTlsOptions } from "../http/dial.ts";
export { CloseCode } from "./close_code.ts";
export type { WebSocketCompression } from "./compression.ts";
export type { WebSocketRole } from "./connection_options.ts";
export {
  DeflateEngine,
  type DeflateEngineOptions,
  type DeflateOptions,
  loadDeflateEngine,
} from "./deflate_engine.ts";
export * from "./dial.ts";
export * from "./errors.ts";
export type { BinaryEvent, TextEvent } from "./events.ts";
export type { DeflateNegotiationOptions, DeflateParameters } from "./extension_negotiation.ts";
export type { HandshakeClientOptions } from "./handshake_client.ts";
export type { WebSocketRequest } from "./handshake_request.ts";
export type { HandshakeServerOptions, SubprotocolChoice } from "./handshake_server.ts";
export type { SendOptions } from "./message_writer.ts";
export type { WebSocketOrigin } from "./origin_rule.ts";
export * from "./upgrade.ts";
export { WebSocketConnection, type WebSocketConnectionSource } from "./websocket_connection.ts";
export type { WebSocketClosure } from "./websocket_lifetime.ts";
export type { WebSocketMessage } from "./websocket_message.ts";
export type { WebSocketMessageStream } from "./websocket_message_stream.ts";
export {
  type OpenMessageOptions,
  type SendFragment,
  WebSocketMessageWriter,
} from "./websocket_message_writer.ts";
export type {
  ResolvedWebSocketOptions,
  WebSocketCompressionOptions,
  WebSocketOptions,
} from "./websocket_options.ts";
export type { Deflater, Inflater } from "./compression.ts";
export type { WebSocketMonitor, WebSocketObserver } from "./websocket_telemetry.ts";
