/**
 * {@linkcode exchange}: one request and its response on a transport.
 *
 * @module
 */

import { ClientConnection } from "./client_connection.ts";
import type { ClientConnectionOptions, ExchangeOptions } from "./client_options.ts";
import type { ExchangeRequest } from "./client_sender.ts";
import type { ExchangeResponse } from "./exchange_response.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";

/**
 * Sends one request on a transport and reads the head of the response; the
 * connection ends with the exchange, unless it is handed over: for upgrades,
 * tunnels and whatever asks once. {@linkcode ClientConnection} asks again.
 *
 * @param transport Belongs to the exchange from here on, whatever comes of it. It
 * is closed at the end of the response, and when anything fails.
 * @param request What is asked.
 * @param options Bounds, deadlines, signal.
 * @returns The response, of which the body is still to be read. Behind a 101, or
 * a 2xx to CONNECT, its `handover` has the connection.
 * @throws {Error} As {@linkcode ClientConnection.exchange} does.
 *
 * @example Changing the protocol
 * ```ts
 * import { exchange } from "@nbio/net/http";
 * import { memoryPipe, runTranscript } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, server] = memoryPipe();
 * const script = runTranscript(server, [
 *   { type: "skip-until", bytes: "\r\n\r\n" },
 *   {
 *     type: "send",
 *     bytes: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nhello",
 *   },
 *   { type: "expect-close" },
 * ]);
 * const { status, handover } = await exchange(client, {
 *   target: "/chat",
 *   headers: { host: "example.com", connection: "upgrade", upgrade: "chat" },
 * });
 * assertEquals(status, 101);
 * assertEquals(new TextDecoder().decode(handover!.bytes), "hello");
 * handover!.transport.close();
 * await script;
 * ```
 */
export async function exchange(
  transport: Transport,
  request: ExchangeRequest,
  options: ExchangeOptions & ClientConnectionOptions = {},
): Promise<ExchangeResponse> {
  let connection: ClientConnection | undefined;
  try {
    connection = new ClientConnection(transport, options);
    const response = await connection.exchange(request, options);
    void response.ended.then(() => connection!.close());
    return response;
  } catch (error) {
    if (connection === undefined) closeQuietly(transport);
    else connection.close();
    throw error;
  }
}
