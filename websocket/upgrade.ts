/**
 * {@linkcode upgrade}: a WebSocket out of a request.
 *
 * @module
 */

import { HttpError } from "../http/errors.ts";
import type { Context } from "../http/server_context.ts";
import {
  decideHandshake,
  type HandshakeAccepted,
  type HandshakeServerOptions,
} from "./handshake_server.ts";
import { WebSocketConnection } from "./websocket_connection.ts";
import {
  createWebSocketCompression,
  deflateWishes,
  resolveWebSocketOptions,
  type WebSocketOptions,
} from "./websocket_options.ts";
import { loadSha1 } from "./websocket_sha1.ts";

/** Options of {@linkcode upgrade}. */
export interface UpgradeOptions extends WebSocketOptions, Omit<HandshakeServerOptions, "deflate"> {
  /**
   * Whether the request came over TLS, as far as is known: then a page that did not is of another
   * origin.
   *
   * @default {false}
   */
  readonly isSecure?: boolean;
}

/**
 * Answers the handshake of a WebSocket client (RFC 6455 section 4.2) and takes the connection over.
 * The handler goes on with it as long as it likes; what it returns is ignored.
 *
 * Pages of other origins are refused unless `origin` lets them in; clients that are no browser have
 * no origin and pass. When the server begins to shut down, the connection is closed with 1001.
 *
 * @param ctx The request.
 * @param options Who may connect, what is offered, bounds and deadlines.
 * @returns The connection, when the 101 has left.
 * @throws {HttpError} With 400, 403, 405 or 426, if the request is no handshake that can be
 * accepted. To let it pass is to answer with it.
 * @throws {RangeError} If an option is out of its range.
 * @throws {TypeError} If a subprotocol or a header field cannot be used.
 * @throws {HttpStateError} If the request was answered.
 * @throws {ConnectionClosedError} If the client has left.
 * @throws {Error} The reason of `signal`, untouched.
 *
 * @example An echo server
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { upgrade } from "@nbio/net/websocket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => {
 *   await using ws = await upgrade(ctx, { compression: true });
 *   for await (const message of ws) await ws.send(message.data);
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const client = new WebSocket(`ws://127.0.0.1:${port}/`);
 * client.onopen = () => client.send("Hello");
 * const answer = await new Promise((resolve) => client.onmessage = ({ data }) => resolve(data));
 * assertEquals(answer, "Hello");
 * const closed = new Promise((resolve) => client.onclose = resolve);
 * client.close();
 * await closed;
 * ```
 */
export async function upgrade(
  ctx: Context,
  options: UpgradeOptions = {},
): Promise<WebSocketConnection> {
  const resolved = resolveWebSocketOptions(options);
  options.signal?.throwIfAborted();
  const sha1 = await loadSha1();
  const { method, headers } = ctx;
  const minorVersion = ctx.httpVersion === "1.0" ? 0 : 1;
  const { isSecure = false } = options;
  const request = { method, headers, minorVersion, isSecure };
  const decision = decideHandshake(request, sha1, { ...options, deflate: deflateWishes(options) });
  if (decision.type === "refuse") {
    throw new HttpError(decision.status, decision.message, { headers: decision.headers });
  }
  const compression = await createWebSocketCompression("server", decision.deflate, options);
  const { transport, bytes, shutdownSignal } = await ctx.upgrade("websocket", fieldsOf(decision));
  return new WebSocketConnection({
    ...{ role: "server", transport, bytes, compression, shutdownSignal, randomMaskKey: undefined },
    subprotocol: decision.subprotocol,
    extensions: decision.extensions,
  }, resolved);
}

/** All fields but those that `ctx.upgrade()` sets itself. */
function fieldsOf({ headers }: HandshakeAccepted): [name: string, value: string][] {
  return [...headers].filter(([name]) => !/^(upgrade|connection)$/i.test(name));
}
