import { closeQuietly } from "../../nbio/transport.ts";
import { CLOSE_CASES } from "./websocket_cases_close.ts";
import { deflateCases } from "./websocket_cases_deflate.ts";
import { FRAGMENT_CASES } from "./websocket_cases_fragments.ts";
import { FRAMING_CASES } from "./websocket_cases_framing.ts";
import { PING_CASES } from "./websocket_cases_ping.ts";
import { RESERVED_CASES } from "./websocket_cases_reserved.ts";
import { sizeCases } from "./websocket_cases_size.ts";
import { UTF8_CASES } from "./websocket_cases_utf8.ts";
import type { SuiteScale, WebSocketCase } from "./websocket_case.ts";
import type { Opened } from "./websocket_handshake.ts";
import { WebSocketPeer } from "./websocket_peer.ts";
import { runCase, type WebSocketCaseResult } from "./websocket_run_case.ts";

/** Options of both suites. */
export interface WebSocketSuiteOptions {
  /** The cases to run. */
  readonly cases: readonly WebSocketCase[];
  /** Milliseconds one case may take. @default {10000} */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** All cases, 517 as in the public suite and with its numbers. */
export function websocketCases(scale: SuiteScale): WebSocketCase[] {
  return [
    ...[...FRAMING_CASES, ...PING_CASES, ...RESERVED_CASES, ...FRAGMENT_CASES],
    ...[...UTF8_CASES, ...CLOSE_CASES, ...sizeCases(scale), ...deflateCases(scale)],
  ];
}

/**
 * Opens a WebSocket on a connection, runs a case on it and closes it.
 *
 * @param key Key of the own frames; none as a server.
 * @param open Makes the handshake.
 */
export async function runOn(
  conn: Deno.TcpConn,
  item: WebSocketCase,
  key: readonly number[] | undefined,
  open: () => Promise<Opened>,
  options: WebSocketSuiteOptions,
): Promise<WebSocketCaseResult> {
  const { id, name } = item;
  conn.setNoDelay(true);
  const timer = setTimeout(() => closeQuietly(conn), options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  try {
    const { deflate, bytes } = await open();
    using _ = deflate;
    await using peer = new WebSocketPeer(conn, { isMasked: key === undefined, deflate, bytes });
    if (item.deflate === undefined || deflate !== undefined) {
      return { id, name, ...await runCase(peer, { key, deflate }, item) };
    }
    await runCase(peer, { key, deflate }, { id, name, answers: [], steps: [] });
    return { id, name, verdict: "unimplemented", detail: "no compression" };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { id, name, verdict: "failed", detail };
  } finally {
    clearTimeout(timer);
    closeQuietly(conn);
  }
}
