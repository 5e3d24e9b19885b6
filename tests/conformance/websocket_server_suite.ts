/** The cases for any WebSocket server that sends back what it is sent, over raw sockets. */

import type { RawAddress } from "../_support/raw_client.ts";
import { KEY } from "../_support/websocket_frames.ts";
import { openAsClient } from "./websocket_handshake.ts";
import type { WebSocketCaseResult } from "./websocket_run_case.ts";
import { runOn, type WebSocketSuiteOptions } from "./websocket_suite.ts";

/** Options of {@linkcode runServerSuite}. */
export interface WebSocketServerSuiteOptions extends WebSocketSuiteOptions {
  /** What the server is asked for. @default {"/"} */
  readonly path?: string;
  /** Connections at a time. @default {4} */
  readonly concurrency?: number;
}

/**
 * Runs cases against a server, several at a time.
 *
 * @returns One result per case, in their order.
 */
export async function runServerSuite(
  address: RawAddress,
  options: WebSocketServerSuiteOptions,
): Promise<WebSocketCaseResult[]> {
  const { cases, concurrency = 4, path = "/" } = options;
  const host = `${address.hostname}:${address.port}`;
  const results: WebSocketCaseResult[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < cases.length; index = next++) {
      const item = cases[index]!;
      const conn = await Deno.connect({ ...address, transport: "tcp" });
      const open = () => openAsClient(conn, host, path, item);
      results[index] = await runOn(conn, item, KEY, open, options);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return results;
}
