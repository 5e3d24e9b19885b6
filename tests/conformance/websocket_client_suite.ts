/** The cases for any WebSocket client that sends back what it is sent, over raw sockets. */

import { openAsServer } from "./websocket_handshake.ts";
import type { WebSocketCaseResult } from "./websocket_run_case.ts";
import { runOn, type WebSocketSuiteOptions } from "./websocket_suite.ts";

/**
 * Waits for clients. Each connection is one case, in their order, until all have been run: whoever
 * wants them all connects as often as there are cases, one at a time or several.
 *
 * @param listener Where they come; it is closed behind the last.
 * @returns One result per case, in their order.
 */
export async function runClientSuite(
  listener: Deno.TcpListener,
  options: WebSocketSuiteOptions,
): Promise<WebSocketCaseResult[]> {
  const running: Promise<WebSocketCaseResult>[] = [];
  for (const item of options.cases) {
    const conn = await listener.accept();
    running.push(runOn(conn, item, undefined, () => openAsServer(conn, item), options));
  }
  listener.close();
  return await Promise.all(running);
}
