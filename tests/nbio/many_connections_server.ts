/**
 * A program for `many_connections.ts`: an echo server that prints its port and then answers every
 * line of its input with a line of JSON: how it goes, and how much memory it has. It ends when its
 * input does.
 */

import { LineReader } from "../bench/_support/line_reader.ts";
import { listen } from "../../nbio/listen.ts";
import { sendAll } from "../../nbio/send_all.ts";
import type { Transport } from "../../nbio/transport.ts";
import type { ListenerStats } from "../../nbio/transport_listener.ts";

/** What the server answers. */
export interface ServerReport extends ListenerStats {
  /** Resident memory of the process, garbage collected before. */
  readonly rssBytes: number;
  /** Connections whose handler failed. */
  readonly errorCount: number;
}

async function echo(transport: Transport): Promise<void> {
  const buffer = new Uint8Array(64);
  for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
    await sendAll(transport, buffer.subarray(0, byteCount));
  }
  transport.close();
}

async function main(): Promise<void> {
  let errorCount = 0;
  const listener = listen({
    hostname: "127.0.0.1",
    maxConnections: Number(Deno.args[0]),
    onError: () => errorCount++,
  });
  listener.serve(echo);
  console.log((listener.addr as Deno.NetAddr).port);
  const { gc } = globalThis as { gc?: () => void };
  const input = new LineReader(Deno.stdin.readable);
  while (await input.next() !== undefined) {
    gc?.();
    const { rss } = Deno.memoryUsage();
    const report: ServerReport = { ...listener.stats(), rssBytes: rss, errorCount };
    console.log(JSON.stringify(report));
  }
  listener.close();
  await listener.drain();
}

if (import.meta.main) await main();
