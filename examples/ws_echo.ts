/**
 * A WebSocket echo server: sends every message back as it came.
 *
 * ```sh
 * deno run --allow-net examples/ws_echo.ts --compression
 * deno run --allow-net examples/ws_client.ts ws://localhost:9001/
 * ```
 *
 * Options: `--hostname` (default 127.0.0.1), `--port` (default 9001, 0 for any),
 * `--max-message-bytes` (default 16777216, 0 for no bound), `--compression` to agree on
 * permessage-deflate, `--window-bits` (8 to 15, default 12) and `--no-context-takeover` for how.
 * Pages of any origin may connect: it is a server for tests.
 */

import { parseArgs } from "node:util";
import { type Context, HttpError, serve } from "@nbio/net/http";
import { shutdownSignal } from "@nbio/net/nbio";
import { upgrade, type UpgradeOptions } from "@nbio/net/websocket";

const { values } = parseArgs({
  options: {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "9001" },
    "max-message-bytes": { type: "string", default: "16777216" },
    "compression": { type: "boolean", default: false },
    "window-bits": { type: "string", default: "12" },
    "no-context-takeover": { type: "boolean", default: false },
  },
});

const windowBits = Number(values["window-bits"]);
const noContextTakeover = values["no-context-takeover"];
const options: UpgradeOptions = {
  origin: "*",
  maxMessageBytes: Number(values["max-message-bytes"]),
  compression: values.compression && {
    serverMaxWindowBits: windowBits,
    clientMaxWindowBits: windowBits,
    serverNoContextTakeover: noContextTakeover,
    clientNoContextTakeover: noContextTakeover,
  },
};

async function echo(ctx: Context): Promise<void> {
  await using ws = await upgrade(ctx, options);
  try {
    for await (const { data } of ws) await ws.send(data);
  } catch {
    // The peer left, or broke the protocol and was told so: `ws.closed` has the code.
  }
}

const server = serve(echo, {
  hostname: values.hostname,
  port: Number(values.port),
  onListen: (addr) => {
    const { hostname, port } = addr as Deno.NetAddr;
    console.log(`Listening on ws://${hostname}:${port}/`);
  },
  onError: (error) => {
    // A request that is no handshake has got its answer.
    if (!(error instanceof HttpError)) console.error(String(error));
  },
});
await shutdownSignal();
// Every client is told with 1001.
await server.shutdown({ graceMs: 5_000 });
